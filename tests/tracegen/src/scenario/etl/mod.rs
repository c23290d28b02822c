//! A case as a kernel trace: the same machine, processes and operations as in its Procmon log, with what only
//! the kernel logger and the filter manager know.

mod background;
mod file_ops;
mod files;
mod filters;
mod frame;
mod keys;
mod lives;
mod options;
mod paths;
mod pool;
mod recorder;
mod registry_ops;
mod schedule;
mod stacks;
mod truth;

pub use options::{Callbacks, EtlOptions, Stacks};
pub use truth::{CallbackMeant, EtlDriverTruth, EtlFindings, EtlTruth, Group, Operation};

use super::{Case, Driver, START, Span};
use crate::etl::{EtlBuilder, Session};
use crate::pml::op::FileOp;
use crate::pml::{Bits, Op, Process};
use recorder::Recorder;
use std::io::{self, Write};
use truth::Recorded;

/// The session begins 0.23 s before the log of Procmon.
const EARLIER: u64 = 2_300_000;
/// And ends 3 s after the story does.
const LATER: u64 = 30_000_000;
/// How far ahead the close of a file may stand in the log.
const NEAR: usize = 40;

/// A recorded case.
#[derive(Debug)]
pub struct EtlCase {
    /// The file.
    pub trace: EtlBuilder,
    /// Operations and callbacks as they were meant, in time order.
    pub operations: Vec<Operation>,
    /// How it was recorded.
    pub options: EtlOptions,
    /// What must be found.
    pub truth: EtlTruth,
    drivers: Vec<Driver>,
    processes: Vec<Process>,
}

impl EtlCase {
    /// Records a case.
    pub(super) fn record(case: &Case, bits: Bits, failing: bool, options: EtlOptions) -> Self {
        let session = session(case, bits, &options);
        let mut recorder = Recorder::new(case, bits, failing, &options, EtlBuilder::new(session));
        tell(&mut recorder, failing);
        let Recorder {
            mut operations,
            stack_keys,
            files,
            processes,
            drivers,
            filters,
            trace,
            ..
        } = recorder;
        for operation in &mut operations {
            operation.named |= files.ends_named(&operation.path, operation.time);
        }
        truth::forget_stacks(&mut operations, &options, |id| stack_keys.is_defined(id));
        let late = filters.iter().any(|f| f.driver.late);
        let drivers: Vec<Driver> = drivers.into_iter().filter(|d| !d.late || late).collect();
        let processes: Vec<Process> = processes.into_iter().map(|(_, p)| p).collect();
        let recorded = Recorded {
            operations: &operations,
            drivers: &drivers,
            processes: &processes,
            options: &options,
        };
        let all = Span {
            start: 0,
            end: u64::MAX,
        };
        let servicing = recorded.servicing();
        let window = Recorded::window(servicing, all);
        let (first, last) = trace.span();
        let truth = EtlTruth {
            computer: options.finalised.then(|| case.truth.computer.clone()),
            records: trace.len() as u64 + 2,
            first,
            last,
            servicing,
            window,
            findings: recorded.findings(window),
            whole: recorded.findings(all),
        };
        Self {
            trace,
            operations,
            options,
            truth,
            drivers,
            processes,
        }
    }

    /// What must be found in a window.
    pub fn findings(&self, window: Span) -> EtlFindings {
        let recorded = Recorded {
            operations: &self.operations,
            drivers: &self.drivers,
            processes: &self.processes,
            options: &self.options,
        };
        recorded.findings(window)
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        self.trace.finish()
    }

    /// One JSON line a record, in the order of the file.
    pub fn dump(&self, sink: impl Write) -> io::Result<()> {
        self.trace.dump(sink)
    }

    /// One JSON line an operation, with its callbacks.
    pub fn dump_operations(&self, mut sink: impl Write) -> io::Result<()> {
        for operation in &self.operations {
            serde_json::to_writer(&mut sink, operation)?;
            sink.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn session(case: &Case, bits: Bits, options: &EtlOptions) -> Session {
    let start = START - EARLIER;
    let mut session = Session::new(bits, start);
    session.end = case.truth.last.max(START) + LATER;
    session.boot = start / 5_000_000 * 5_000_000;
    session.compressed = options.compressed;
    session.buffer_size = options.buffer_size;
    session.merged = options.finalised;
    session.finalised = options.finalised;
    session.clock = options.clock;
    session.frequency = options.frequency;
    session.file_io_version = options.file_io_version;
    if options.finalised {
        session.name = "Relogger".into();
        session.file_name = "[multiple files]".into();
    }
    if bits == Bits::B32 {
        session.cpus = 2;
    }
    session
}

/// Records everything there is to tell.
fn tell(recorder: &mut Recorder<'_>, failing: bool) {
    recorder.trace.keep_meaning(recorder.options.meaning);
    recorder.open_roots();
    let lives = recorder.all_lives();
    let case = recorder.case;
    for (n, event) in case.events.iter().enumerate() {
        recorder.now = event.time;
        recorder.pools.advance(event.time);
        match &event.op {
            Op::File(path, op) => {
                let closed_later = matches!(op, FileOp::CloseFile) && closes(case, n, path);
                recorder.file(event, path, op, closed_later);
            }
            Op::Registry(path, op) => recorder.registry(event, path, op),
            _ => {}
        }
    }
    recorder.operations.sort_by_key(|o| o.time);
    for life in &lives {
        recorder.life(life);
    }
    recorder.driver_loads();
    recorder.texts(failing);
    recorder.begin(&lives);
    if recorder.options.finalised {
        let end = recorder.trace.session().end;
        recorder.end(&lives, end - 10_000_000);
        recorder.merge();
    }
    if recorder.options.background {
        recorder.samples();
        recorder.switches();
    }
}

/// The close of this file stands in the log.
fn closes(case: &Case, n: usize, path: &str) -> bool {
    let here = &case.events[n];
    case.events[n + 1..].iter().take(NEAR).any(|e| {
        let closes = matches!(&e.op, Op::File(p, FileOp::IrpMjClose) if p == path);
        closes && e.process == here.process
    })
}
