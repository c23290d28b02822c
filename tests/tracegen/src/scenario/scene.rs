//! A scenario while it is written: a clock, a machine, and short ways to add events.

use super::machine::{Machine, Path, Spell};
use super::processes::Role;
use super::status::SUCCESS;
use crate::pml::op::{Basic, Create, FileOp, QueryInfo, RegOp, SetInfo, Transfer};
use crate::pml::{Bits, Event, Op};
use crate::prng::Prng;

/// Events in any order; they are sorted by time in the end.
pub(crate) struct Scene {
    pub(crate) machine: Machine,
    pub(crate) rng: Prng,
    pub(crate) events: Vec<Event>,
    pub(crate) boot: u64,
    /// The writes to the servicing logs are those of logs that were made, and come with them.
    pub(crate) logs_apart: bool,
}

/// One event to add. Times in microseconds after the log began, durations in 100 ns.
#[derive(Clone, Copy)]
pub(crate) struct Shot<'a> {
    pub(crate) at: u64,
    pub(crate) role: Role,
    pub(crate) status: u32,
    pub(crate) duration: u64,
    /// Drivers on the stack besides the kernel's own, innermost first.
    pub(crate) drivers: &'a [&'a str],
}

impl Shot<'_> {
    /// A quick success without foreign drivers.
    pub(crate) fn ok(at: u64, role: Role) -> Self {
        Self {
            at,
            role,
            status: SUCCESS,
            duration: 0,
            drivers: &[],
        }
    }
}

impl<'a> Shot<'a> {
    pub(crate) fn status(self, status: u32) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn lasting(self, duration: u64) -> Self {
        Self { duration, ..self }
    }

    pub(crate) fn with(self, drivers: &'a [&'a str]) -> Self {
        Self { drivers, ..self }
    }

    pub(crate) fn later(self, microseconds: u64) -> Self {
        Self {
            at: self.at + microseconds,
            ..self
        }
    }
}

impl Scene {
    pub(crate) fn new(bits: Bits, boot: u64, seed: u64) -> Self {
        Self::spelled(bits, boot, seed, |_| ())
    }

    /// A scene in which all names are changed.
    pub(crate) fn spelled(bits: Bits, boot: u64, seed: u64, spell: Spell) -> Self {
        Self {
            machine: Machine::new(bits, boot, spell),
            rng: Prng::new(seed),
            events: Vec::new(),
            boot,
            logs_apart: false,
        }
    }

    /// The process runs already at this moment.
    pub(crate) fn runs(&self, role: Role, at: u64) -> bool {
        let id = self.machine.id(role);
        self.machine
            .log
            .processes()
            .any(|(i, p)| i == id && p.start <= self.time(at))
    }

    /// FILETIME of a moment of the scenario.
    pub(crate) fn time(&self, microseconds: u64) -> u64 {
        self.boot + microseconds * 10
    }

    pub(crate) fn add(&mut self, shot: Shot<'_>, mut op: Op) {
        // Folder names carry the architecture.
        if self.machine.bits == Bits::B32 {
            for_each_name(&mut op, |text| *text = text.replace("amd64", "x86"));
        }
        for_each_name(&mut op, self.machine.spell);
        let path = match op {
            Op::File(..) => Path::File,
            Op::Registry(..) => Path::Registry,
            Op::Network(_) => Path::Network,
            _ => Path::Process,
        };
        let stack = self
            .machine
            .stack(&mut self.rng, path, shot.role, shot.drivers);
        let tid = 4 * (self.machine.id(shot.role).0 * 40 + 7 + self.rng.below(6) as u32);
        let quick = match op {
            Op::File(..) | Op::Registry(..) => 20 + self.rng.below(900),
            // Only operations take time; what the others report has happened.
            _ => 0,
        };
        // The last digit of a time is 100 ns; a scenario counts in microseconds.
        let time = self.time(shot.at) + self.rng.below(10);
        self.events.push(Event {
            process: self.machine.id(shot.role),
            tid,
            time,
            duration: if shot.duration == 0 {
                quick
            } else {
                shot.duration
            },
            status: shot.status,
            stack,
            op,
        });
    }

    pub(crate) fn file(&mut self, shot: Shot<'_>, path: &str, op: FileOp) {
        self.add(shot, Op::file(path, op));
    }

    pub(crate) fn reg(&mut self, shot: Shot<'_>, path: &str, op: RegOp) {
        self.add(shot, Op::reg(path, op));
    }

    /// A CreateFile; its open result follows from the status.
    pub(crate) fn open(&mut self, shot: Shot<'_>, path: &str, access: u32, share: u16) {
        let open_result = (shot.status == SUCCESS).then_some(1);
        self.file(
            shot,
            path,
            FileOp::CreateFile(Create {
                access,
                share,
                open_result,
                ..Create::default()
            }),
        );
    }

    /// Open, query, read, close: what a reader of a file does.
    pub(crate) fn read_file(&mut self, shot: Shot<'_>, path: &str) {
        let written = self.time(0) - self.rng.below(1 << 48);
        let size = 512 + self.rng.below(60_000);
        self.open(shot, path, 0x0012_0089, 7);
        let basic = Basic {
            creation: written,
            access: written,
            write: written,
            change: written,
            attributes: 0x20,
        };
        self.file(
            shot.later(60),
            path,
            FileOp::QueryInfo(QueryInfo::Basic(basic)),
        );
        let transfer = Transfer {
            offset: 0,
            length: size as u32,
            done: Some(size as u32),
            irp_flags: 0x6_0900,
        };
        self.file(shot.later(130), path, FileOp::ReadFile(transfer));
        self.file(shot.later(300), path, FileOp::CloseFile);
    }

    /// Open, query a value, close.
    pub(crate) fn read_value(
        &mut self,
        shot: Shot<'_>,
        key: &str,
        name: &str,
        value: crate::pml::op::Value,
    ) {
        self.reg(
            shot,
            key,
            RegOp::OpenKey {
                access: 0x2_0019,
                granted: Some(0x2_0019),
            },
        );
        let path = format!("{key}\\{name}");
        self.reg(
            shot.later(30),
            &path,
            RegOp::QueryValue {
                length: 144,
                value: Some(value),
            },
        );
        self.reg(shot.later(55), key, RegOp::CloseKey);
    }
}

/// Changes the path of an operation and its target.
fn for_each_name(op: &mut Op, change: impl Fn(&mut String)) {
    match op {
        Op::File(path, inner) => {
            change(path);
            if let FileOp::SetInfo(
                SetInfo::Rename { target, .. }
                | SetInfo::RenameEx { target, .. }
                | SetInfo::Link { target, .. },
            ) = inner
            {
                change(target);
            }
        }
        Op::Registry(path, _) => change(path),
        _ => {}
    }
}
