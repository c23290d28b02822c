//! What stands around a session's events: the kernel flags, the rundowns, the machine, the texts of servicing.

use super::lives::Life;
use super::options::Stacks;
use super::paths;
use super::recorder::{Actor, Recorder};
use crate::etl::event::{
    Config, Event, Field, LogicalDisk, Machine, Merged, Object, Profile, RegistryOp, SessionEvent,
    Stack, TraceLogging, Value,
};
use crate::etl::{Guid, Masks};
use crate::pml::Bits;
use crate::scenario::{FAILURE, ROLLBACK, SERVICING, START};

/// Object types by index.
const TYPES: &[(u16, &str)] = &[
    (7, "Process"),
    (8, "Thread"),
    (19, "Event"),
    (FILE, "File"),
    (44, "Key"),
];
const FILE: u16 = super::file_ops::FILE_TYPE;
/// 1 ms.
const SAMPLE_INTERVAL: u32 = 10_000;
const WINDOWS_UPDATE: Guid = Guid::new(
    0x0B7A_6F19,
    0x47C4,
    0x454E,
    [0x8C, 0x5C, 0xE8, 0x68, 0xD6, 0x37, 0xE4, 0xD8],
);

impl Recorder<'_> {
    /// The kernel flags of the session.
    fn masks(&self) -> Masks {
        let o = self.options;
        let mut masks = Masks::default();
        masks.0[0] = Masks::BASE | Masks::REGISTRY | Masks::FILE_IO;
        let mut four = 0;
        if o.background {
            masks.0[1] = Masks::PROFILE;
            four |= Masks::HANDLES;
        }
        for (on, bit) in [
            (o.callbacks.init, Masks::FILTER_INIT),
            (o.callbacks.completion, Masks::FILTER),
            (o.callbacks.failure, Masks::FILTER_FAILURE),
        ] {
            four |= if on { bit } else { 0 };
        }
        masks.0[4] = four;
        masks
    }

    fn flags(&mut self, time: u64, after: bool, masks: Masks) {
        let event_version = self.trace.session().event_version();
        let event = if after {
            SessionEvent::MasksAfter {
                masks,
                event_version,
            }
        } else {
            SessionEvent::MasksBefore {
                masks,
                event_version,
            }
        };
        self.put(0, time, Actor::NOBODY, Event::Session(event));
    }

    /// The session begins: flags, what is there already, done.
    pub(super) fn begin(&mut self, lives: &[Life]) {
        let start = self.trace.session().start;
        let masks = self.masks();
        self.flags(start + 30, false, Masks::default());
        self.flags(start + 35, true, masks);
        let mut at = self.rundown_at_start(lives, start + 100);
        self.kernels_own_image(lives, at + 3);
        if self.options.background {
            self.interval(false, at + 9);
            for (n, (kind, name)) in TYPES.iter().enumerate() {
                let event = Event::Object(Object::TypeRundown {
                    end: false,
                    kind: *kind,
                    name,
                });
                self.put(0, at + 12 + n as u64, Actor::NOBODY, event);
            }
        }
        at += 40;
        let keys = self.keys.at_start().to_vec();
        self.key_rundown(RegistryOp::KcbRundownBegin, &keys, at);
        let done = at + 4 * keys.len() as u64 + 10;
        let event = Event::Session(SessionEvent::RundownDone);
        self.put(0, done, Actor::NOBODY, event);
    }

    fn interval(&mut self, end: bool, time: u64) {
        let event = Event::Profile(Profile::Interval {
            end,
            interval: SAMPLE_INTERVAL,
            source: "Timer",
        });
        self.put(0, time, Actor::SESSION, event);
    }

    /// The session ends: what is still there, flags, done; then the machine and the stack keys.
    pub(super) fn end(&mut self, lives: &[Life], time: u64) {
        let masks = self.masks();
        self.flags(time, false, masks);
        let mut at = self.rundown_at_end(lives, time + 20);
        at = self.driver_rundown(at);
        if self.options.background {
            self.interval(true, at);
            self.handles(at + 2);
        }
        self.file_rundown(at + 10);
        let keys = self.keys.left();
        at += 20_000;
        self.key_rundown(RegistryOp::KcbRundownEnd, &keys, at);
        at += 4 * keys.len() as u64 + 20;
        self.flags(at, true, Masks::default());
        let event = Event::Session(SessionEvent::RundownDone);
        self.put(0, at + 3, Actor::NOBODY, event);
        self.machine(at + 100);
        if self.options.stacks == Stacks::Keyed {
            for (n, (key, frames)) in self.stack_keys.left().into_iter().enumerate() {
                let event = Event::Stack(Stack::KeyRundown(key, &frames));
                self.put(1, at + 200 + n as u64 * 2, Actor::NOBODY, event);
            }
        }
    }

    fn handles(&mut self, time: u64) {
        for (n, (kind, name)) in TYPES.iter().enumerate() {
            let event = Event::Object(Object::TypeRundown {
                end: true,
                kind: *kind,
                name,
            });
            self.put(0, time + n as u64, Actor::NOBODY, event);
        }
        for (n, (pid, object, handle, path)) in self.files.left().into_iter().enumerate() {
            let event = Event::Object(Object::HandleRundown {
                end: true,
                object,
                pid,
                handle,
                kind: FILE,
                name: &path,
            });
            self.put(0, time + 10 + n as u64 * 2, Actor::NOBODY, event);
        }
    }

    fn machine(&mut self, time: u64) {
        let (cpus, mhz) = {
            let session = self.trace.session();
            (session.cpus, session.mhz)
        };
        let (memory, highest_user) = match self.bits {
            Bits::B64 => (16_256, 0x7FFF_FFFE_FFFF),
            Bits::B32 => (3_070, 0x7FFE_FFFF),
        };
        let machine = Machine {
            mhz,
            cpus: cpus.into(),
            memory,
            computer: &self.case.truth.computer,
            domain: "bank.example",
            highest_user,
        };
        let volume = |letter, offset, size, partition| {
            Config::LogicalDisk(LogicalDisk {
                offset,
                size,
                disk: 0,
                partition,
                letter,
                file_system: "NTFS",
            })
        };
        let service = Config::Service {
            pid: 2_900,
            tag: 71,
            name: "TmsSvc",
            display: "TMS Endpoint Service",
            process: "TmsSvc.exe",
        };
        let rows = [
            Config::Machine(machine),
            // Partitions and volumes are numbered apart: C: is HarddiskVolume3 on partition 4.
            volume("C:", 0x0810_0000, 255 << 30, 4),
            service,
            Config::DeviceFamily([10, 0, 19_045, 4_412]),
        ];
        for (n, row) in rows.into_iter().enumerate() {
            self.put(0, time + n as u64, Actor::SESSION, Event::Config(row));
        }
    }

    /// What a merge tool adds about the machine: some of it is stamped with the start of the session.
    pub(super) fn merge(&mut self) {
        let (start, end, cpu) = {
            let session = self.trace.session();
            (session.start, session.end, session.cpus - 1)
        };
        let whose = Actor { pid: 0, tid: 0 };
        let volume = format!("{}\\", paths::VOLUME);
        let at_start = [
            Merged::SystemPaths {
                system: "C:\\Windows\\system32\\",
                windows: "C:\\Windows\\",
            },
            Merged::Volume("\\Device\\HarddiskVolume1\\"),
            Merged::VolumeMapping("\\??\\", ""),
            Merged::VolumeMapping("\\SystemRoot\\", "C:\\Windows\\"),
            Merged::VolumeMapping(&volume, "C:\\"),
            Merged::VolumeMapping("\\Device\\CdRom0\\", "D:\\"),
            Merged::VolumeMapping("\\Device\\LanmanRedirector\\", "\\\\"),
            Merged::VolumeMapping("\\Device\\Mup\\", "\\\\"),
            Merged::VolumeMapping("\\\\", "\\\\"),
        ];
        for event in at_start {
            self.put(cpu, start, whose, Event::Merged(event));
        }
        let lab = match self.bits {
            Bits::B64 => "19041.vb_release.191206-1406",
            Bits::B32 => "19041.vb_release_x86.191206-1406",
        };
        let build = Merged::Build {
            installed: START - 300 * 86_400 * 10_000_000,
            lab,
            product: "Windows 10 Pro",
        };
        self.put(cpu, end, whose, Event::Merged(build));
    }

    /// What servicing writes about itself.
    pub(super) fn texts(&mut self, failing: bool) {
        let worker = self.processes.iter().map(|(_, p)| p);
        let worker = worker
            .filter(|p| p.name == "TiWorker.exe")
            .map(|p| (p.pid, p.start))
            .next();
        let Some((pid, started)) = worker else {
            return;
        };
        let moment = |microseconds: u64| START + microseconds * 10;
        let mut lines = vec![
            (
                started + 40_000,
                "CBS    Startup: processing driver operations queue.",
                0,
            ),
            (
                moment(SERVICING.0),
                "CBS    Perf: Doqe: Install started.",
                0,
            ),
        ];
        if failing {
            lines.extend([
                (
                    moment(FAILURE + 7_600_000),
                    "CBS    Doqe: Recording result: 0x800703f1, for Inf: oposdrv.inf",
                    0x8007_03F1,
                ),
                (
                    moment(FAILURE + 7_610_000),
                    "CBS    Doqe: Failed installing driver updates",
                    0x8007_03F1,
                ),
                (
                    moment(ROLLBACK - 20_000),
                    "CBS    Startup: Rolling back KTM, because drivers failed.",
                    0x8007_03F1,
                ),
            ]);
        } else {
            lines.push((moment(FAILURE), "CBS    Perf: Doqe: Install ended.", 0));
        }
        let tid = self.thread_of(pid);
        for (n, (time, text, code)) in lines.into_iter().enumerate() {
            let fields = [
                Field {
                    name: "wszMessage",
                    value: Value::Utf16(text),
                },
                Field {
                    name: "hrError",
                    value: Value::HResult(code),
                },
                Field {
                    name: "ullTime",
                    value: Value::FileTime(time),
                },
                Field {
                    name: "strSource",
                    value: Value::CountedUtf8("servicing"),
                },
                Field {
                    name: "uLine",
                    value: Value::U32(1_000 + n as u32),
                },
            ];
            let event = TraceLogging {
                provider: WINDOWS_UPDATE,
                provider_name: "WUTraceLogging",
                name: if code == 0 { "Information" } else { "Failure" },
                level: if code == 0 { 4 } else { 2 },
                keywords: 0x8000_0000_0000,
                fields: &fields,
            };
            let by = Actor { pid, tid };
            let cpu = self.cpu(tid, time);
            self.put(cpu, time, by, Event::TraceLogging(event));
        }
    }

    fn thread_of(&self, pid: u32) -> u32 {
        let event = self
            .case
            .events
            .iter()
            .find(|e| self.process(e.process).is_some_and(|p| p.pid == pid));
        event.map_or(pid + 4, |e| e.tid)
    }
}
