//! Processes, threads and images, and what a merge tool knows of the images.

use super::paths::{self, hash};
use super::pool::Of;
use super::recorder::{Actor, Recorder};
use crate::etl::event::{Event, FileVersion, Image, Merged, Moment, ProcessRow, ThreadRow};
use crate::etl::{Guid, NOBODY};
use crate::pml::{Bits, Module, Process};
use crate::scenario::START;
use std::collections::BTreeSet;

/// S-1-5-18, S-1-5-19.
const SYSTEM_SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
const SERVICE_SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0];
const MICROSOFT: &str = "Microsoft Corporation";
/// Drivers behind this one load while the trace runs.
const LOADED_AT_BOOT: usize = 26;
/// 100 ns between a process's start and its first thread.
const FIRST_THREAD: u64 = 40;

/// S-1-5-21 with three numbers of a domain and one of an account.
fn teller_sid() -> Vec<u8> {
    let mut sid = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
    for number in paths::TELLER.split('-').skip(4) {
        let number: u32 = number.parse().unwrap_or_default();
        sid.extend_from_slice(&number.to_le_bytes());
    }
    sid
}

/// A process with what only the kernel knows of it.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) process: Process,
    key: u64,
    tids: Vec<u32>,
    sid: Vec<u8>,
}

impl Life {
    fn row(&self, exit_status: i32) -> ProcessRow<'_> {
        let p = &self.process;
        ProcessRow {
            key: self.key,
            pid: p.pid,
            parent: p.parent_pid,
            // Idle and System are in no session, and share the kernel's page directory.
            session: if p.pid <= 4 { u32::MAX } else { p.session },
            exit_status: if p.pid == 0 { 0 } else { exit_status },
            directory: 0x001A_D000 + u64::from(p.pid / 8) * 0x0010_3000,
            flags: match p.pid {
                0 => 0,
                4 => 4,
                _ if p.is_64 => 0,
                _ => 2,
            },
            sid: Some(&self.sid),
            image: &p.name,
            command_line: &p.command_line,
            package: "",
            app: "",
        }
    }
}

/// PE time stamp of an image, the same wherever it is loaded.
fn timestamp(path: &str) -> u32 {
    0x5E00_0000 | hash(path) as u32 & 0x00FF_FFFF
}

fn file_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or_default()
}

impl Recorder<'_> {
    fn threads_of(&self, pid: u32) -> Vec<u32> {
        let mut tids = BTreeSet::new();
        for event in &self.case.events {
            if self.process(event.process).is_some_and(|p| p.pid == pid) {
                tids.insert(event.tid);
            }
        }
        if pid == Actor::SESSION.pid {
            tids.insert(Actor::SESSION.tid);
        }
        if pid == 0 {
            return vec![0];
        }
        tids.into_iter().collect()
    }

    /// The processes of the case.
    pub(super) fn all_lives(&mut self) -> Vec<Life> {
        let processes: Vec<Process> = self.processes.iter().map(|(_, p)| p.clone()).collect();
        let mut lives = Vec::new();
        for process in processes {
            let sid = match process.user.as_str() {
                "NT AUTHORITY\\SYSTEM" => SYSTEM_SID.to_vec(),
                "NT AUTHORITY\\LOCAL SERVICE" => SERVICE_SID.to_vec(),
                _ => teller_sid(),
            };
            lives.push(Life {
                key: self.pools.take(Of::Process),
                tids: self.threads_of(process.pid),
                sid,
                process,
            });
        }
        lives
    }

    fn thread(&mut self, moment: Moment, life: &Life, tid: u32, time: u64, by: Actor) {
        let n = u64::from(tid);
        let wide = self.bits == Bits::B64;
        let kernel = if wide {
            0xFFFF_F98A_0000_6000
        } else {
            0x9000_6000
        };
        let user = match (wide, life.process.pid <= 4) {
            (_, true) => 0,
            (true, false) => 0x0000_0024_6D10_0000,
            (false, false) => 0x0021_0000,
        };
        let image = life.process.modules.first();
        let row = ThreadRow {
            pid: life.process.pid,
            tid,
            stack: kernel + n * 0x8000,
            user_stack: if user == 0 { 0 } else { user + n * 0x1000 },
            affinity: (1 << self.trace.session().cpus) - 1,
            start: image.map_or(0, |m| m.base + 0x1500),
            teb: if user == 0 {
                0
            } else {
                user + 0x100_0000 + n * 0x2000
            },
            service: 0,
            name: Some(""),
        };
        let rundown = matches!(moment, Moment::RundownBegin | Moment::RundownEnd);
        let cpu = if rundown { 0 } else { self.cpu(by.tid, time) };
        self.put(cpu, time, by, Event::Thread(moment, row));
    }

    /// What is there when the session begins: the idle process, System, and the drivers of the boot loader.
    pub(super) fn rundown_at_start(&mut self, lives: &[Life], time: u64) -> u64 {
        let mut at = time;
        for life in lives.iter().filter(|l| l.process.pid <= 4) {
            let event = Event::Process(Moment::RundownBegin, life.row(259));
            self.put(0, at, Actor::NOBODY, event);
            at += 9;
            for tid in life.tids.clone() {
                let by = Actor {
                    pid: life.process.pid,
                    tid,
                };
                self.thread(Moment::RundownBegin, life, tid, at, by);
                at += 3;
            }
        }
        let drivers = self.drivers.clone();
        for driver in &drivers[..LOADED_AT_BOOT.min(drivers.len())] {
            self.driver_image(Moment::RundownBegin, &driver.module, at);
            at += 5;
        }
        at
    }

    /// Drivers that load while the trace runs: the rest of the boot's, and the late one when its time comes.
    pub(super) fn driver_loads(&mut self) {
        let drivers = self.drivers.clone();
        for (n, driver) in drivers.iter().enumerate().skip(LOADED_AT_BOOT) {
            let time = if driver.late {
                self.late_load()
            } else {
                Some(START + 2_000_000 + n as u64 * 70_000)
            };
            if let Some(time) = time {
                self.driver_image(Moment::Begin, &driver.module, time);
            }
        }
    }

    /// When the late driver was loaded.
    pub(super) fn late_load(&self) -> Option<u64> {
        // Its filter is attached a little later.
        let late = self.filters.iter().find(|f| f.driver.late)?;
        Some(late.since - super::filters::ATTACHED_AFTER)
    }

    /// Drivers in memory at the end.
    pub(super) fn driver_rundown(&mut self, time: u64) -> u64 {
        let mut at = time;
        for driver in self.drivers.clone() {
            if !driver.late || self.late_load().is_some() {
                self.driver_image(Moment::RundownEnd, &driver.module, at);
                at += 5;
            }
        }
        at
    }

    fn driver_image(&mut self, moment: Moment, module: &Module, time: u64) {
        let path = paths::driver(&module.path);
        let image = Image {
            base: module.base,
            size: module.size.into(),
            pid: 0,
            checksum: hash(&module.path) as u32 & 0x000F_FFFF,
            timestamp: timestamp(&module.path),
            default_base: 0,
            path: &path,
        };
        if moment != Moment::RundownEnd {
            let whose = Actor {
                pid: 0,
                tid: Actor::SESSION.tid,
            };
            self.image_id(0, module, 0, time, whose);
        }
        self.put(0, time, Actor::SESSION, Event::Image(moment, image));
    }

    /// A user image; rundown rows have no time stamp.
    fn user_image(&mut self, moment: Moment, module: &Module, pid: u32, tid: u32, time: u64) {
        let path = paths::file(&module.path);
        let rundown = matches!(moment, Moment::RundownBegin | Moment::RundownEnd);
        let stamp = timestamp(&module.path);
        let image = Image {
            base: module.base,
            size: module.size.into(),
            pid,
            checksum: hash(&module.path) as u32 & 0x000F_FFFF,
            timestamp: if rundown { 0 } else { stamp },
            default_base: module.base,
            path: &path,
        };
        let by = if rundown {
            Actor::NOBODY
        } else {
            Actor { pid, tid }
        };
        let cpu = if rundown { 0 } else { self.cpu(tid, time) };
        if moment == Moment::Begin || rundown && pid == 4 {
            let whose = Actor {
                pid,
                tid: if rundown { NOBODY } else { tid },
            };
            self.image_id(cpu, module, pid, time, whose);
        }
        self.put(cpu, time, by, Event::Image(moment, image));
    }

    /// What a merge tool found in the file of an image: its version once, its identity for each record.
    fn image_id(&mut self, cpu: u16, module: &Module, pid: u32, time: u64, whose: Actor) {
        if !self.options.finalised {
            return;
        }
        let name = file_name(&module.path);
        let (base, h) = (module.base, hash(&module.path));
        let timestamp = timestamp(&module.path);
        if !module.company.is_empty() && self.versions.insert(module.path.to_lowercase()) {
            let product = match module.company.as_str() {
                MICROSOFT => "Microsoft® Windows® Operating System",
                _ => &module.description,
            };
            let version = FileVersion {
                size: module.size,
                timestamp,
                name,
                description: &module.description,
                version: &module.version,
                product,
                company: &module.company,
            };
            self.put(
                cpu,
                time,
                whose,
                Event::Merged(Merged::FileVersion(version)),
            );
        }
        let id = Merged::ImageId {
            base,
            size: module.size.into(),
            pid,
            timestamp,
            name,
        };
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let pdb = format!("{stem}.pdb");
        let [a, b, c, d, e, f, g, i] = h.to_le_bytes();
        let debug = Merged::DebugId {
            base,
            pid,
            guid: Guid::new(h as u32, 0x4D1F, 0x4A00, [i, g, f, e, d, c, b, a]),
            age: 1,
            pdb: &pdb,
        };
        for event in [id, debug] {
            self.put(cpu, time, whose, Event::Merged(event));
        }
    }

    /// The life of a process that starts while the trace runs.
    pub(super) fn life(&mut self, life: &Life) {
        let p = &life.process;
        if p.pid <= 4 {
            return;
        }
        let tid = life.tids.first().copied().unwrap_or(p.pid + 4);
        // Who creates it is on the header: the parent, or System where that has gone already.
        let creator = self.processes.iter().map(|(_, q)| q);
        let creator = creator
            .filter(|q| q.pid == p.parent_pid && q.start < p.start)
            .map(|q| q.pid)
            .next();
        let creator = creator.unwrap_or(4);
        let maker = Actor {
            pid: creator,
            tid: self.threads_of(creator).first().copied().unwrap_or(8),
        };
        let cpu = self.cpu(maker.tid, p.start);
        let event = Event::Process(Moment::Begin, life.row(259));
        self.put(cpu, p.start, maker, event);
        for (n, tid) in life.tids.clone().into_iter().enumerate() {
            let by = if n == 0 {
                maker
            } else {
                Actor {
                    pid: p.pid,
                    tid: life.tids[0],
                }
            };
            let time = p.start + FIRST_THREAD + n as u64 * 7;
            self.thread(Moment::Begin, life, tid, time, by);
        }
        for (n, module) in p.modules.iter().enumerate() {
            let time = p.start + 200 + n as u64 * 260;
            self.user_image(Moment::Begin, module, p.pid, tid, time);
        }
        if p.end > 0 && p.end < self.trace.session().end {
            self.death(life, tid);
        }
    }

    fn death(&mut self, life: &Life, tid: u32) {
        let p = &life.process;
        let by = Actor { pid: p.pid, tid };
        let cpu = self.cpu(tid, p.end);
        self.put(cpu, p.end, by, Event::Terminate(p.pid));
        for (n, module) in p.modules.iter().enumerate() {
            self.user_image(Moment::End, module, p.pid, tid, p.end + 20 + n as u64 * 9);
        }
        for (n, tid) in life.tids.clone().into_iter().enumerate() {
            let by = Actor { pid: p.pid, tid };
            self.thread(Moment::End, life, tid, p.end + 100 + n as u64 * 6, by);
        }
        let end = p.end + 300;
        let cpu = self.cpu(tid, end);
        let event = Event::Process(Moment::End, life.row(-2_147_023_887));
        self.put(cpu, end, by, event);
    }

    /// Processes, threads and user images at the end.
    pub(super) fn rundown_at_end(&mut self, lives: &[Life], time: u64) -> u64 {
        let mut at = time;
        let ends = self.trace.session().end;
        for life in lives {
            let p = &life.process;
            if p.end > 0 && p.end < ends {
                continue;
            }
            let event = Event::Process(Moment::RundownEnd, life.row(259));
            self.put(0, at, Actor::NOBODY, event);
            at += 9;
            for tid in life.tids.clone() {
                self.thread(Moment::RundownEnd, life, tid, at, Actor { pid: p.pid, tid });
                at += 3;
            }
            let user = p.modules.iter().filter(|m| self.is_user_image(m));
            for module in user.cloned().collect::<Vec<_>>() {
                self.user_image(Moment::RundownEnd, &module, p.pid, 0, at);
                at += 4;
            }
        }
        at
    }

    /// System's list holds drivers, and in a 32-bit log user images too.
    fn is_user_image(&self, module: &Module) -> bool {
        !self.drivers.iter().any(|d| d.module.base == module.base)
    }

    /// The kernel maps ntdll.dll for its own use: a user image of process 4.
    pub(super) fn kernels_own_image(&mut self, lives: &[Life], time: u64) {
        let images = lives.iter().flat_map(|l| &l.process.modules);
        let ntdll = images.clone().find(|m| file_name(&m.path) == "ntdll.dll");
        if let Some(module) = ntdll.cloned() {
            self.user_image(Moment::RundownBegin, &module, 4, 0, time);
        }
    }
}
