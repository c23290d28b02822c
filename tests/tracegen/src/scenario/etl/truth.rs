//! What an analysis of a recorded case must find, counted from what was meant and not from the file.

use super::options::{EtlOptions, Stacks};
use crate::etl::event::Phase;
use crate::pml::Process;
use crate::scenario::status::is_benign;
use crate::scenario::truth::{SERVICING, Span};
use crate::scenario::{Driver, ProcessTruth, scope};
use serde::Serialize;

/// What an operation is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Group {
    /// A file.
    File,
    /// A registry key.
    Registry,
}

/// A callback as the trace has it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CallbackMeant {
    /// Address of its routine.
    pub routine: u64,
    /// Before or after the file system.
    pub phase: Phase,
    /// Start, FILETIME; its failure where nothing else was recorded.
    pub time: u64,
    /// 100 ns; none where its end was not recorded.
    pub duration: Option<u64>,
    /// NTSTATUS of its failure.
    pub status: Option<u32>,
}

/// An operation as the trace has it.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// Process.
    pub pid: u32,
    /// Thread.
    pub tid: u32,
    /// File or registry.
    pub group: Group,
    /// Start, FILETIME.
    pub time: u64,
    /// Time of its record: the start of a file operation, the end of a registry operation.
    pub record_time: u64,
    /// Path as the kernel has it.
    pub path: String,
    /// The trace tells the path.
    pub named: bool,
    /// Second path of a rename or a link.
    pub target: Option<String>,
    /// It has a record of its own; else only filters saw it.
    pub recorded: bool,
    /// NTSTATUS; none where its end is not in the trace.
    pub status: Option<u32>,
    /// 100 ns; none where its end is not in the trace.
    pub duration: Option<u64>,
    /// Waiting is what it is for.
    pub waits: bool,
    /// Return addresses, innermost first; empty where the trace has none.
    pub stack: Vec<u64>,
    /// Key of the kernel's half of the stack.
    #[serde(skip)]
    pub(super) stack_id: Option<u32>,
    /// Callbacks of filters.
    pub callbacks: Vec<CallbackMeant>,
}

impl Operation {
    fn in_scope(&self) -> bool {
        let path = self.named.then_some(self.path.as_str());
        let counts = |path: &str| match self.group {
            Group::File => scope::file(path),
            Group::Registry => scope::registry(path),
        };
        path.is_some_and(counts) || self.target.as_deref().is_some_and(counts)
    }
}

/// Expected facts of one driver.
#[derive(Debug, Clone, Serialize)]
pub struct EtlDriverTruth {
    /// File name.
    pub name: String,
    /// Image path.
    pub path: String,
    /// Company; empty where the trace has none.
    pub company: String,
    /// Load address.
    pub base: u64,
    /// Bytes in memory.
    pub size: u32,
    /// Not Microsoft's.
    pub third_party: bool,
    /// `company`, `inbox-name` or `unknown`.
    pub basis: &'static str,
    /// `driver` or `observer`.
    pub role: &'static str,
    /// `implicated`, `touched` or `loaded`.
    pub verdict: &'static str,
    /// Touches by callbacks.
    pub minifilter: u64,
    /// Touches by frames on stacks of file operations.
    pub file_stack: u64,
    /// Touches by frames on stacks of registry operations.
    pub registry_stack: u64,
    /// Touches that failed, of all kinds.
    pub failures: u64,
    /// Of these, failures of callbacks.
    pub minifilter_failures: u64,
    /// Touches that took a second or more, of all kinds.
    pub delays: u64,
    /// Of these, slow callbacks.
    pub minifilter_delays: u64,
    /// The longest callback or delayed operation, in microseconds.
    pub delay_us_max: f64,
    /// The sum of all callback times, in microseconds.
    pub delay_us_total: f64,
}

/// Expectations over one window.
#[derive(Debug, Clone, Serialize)]
pub struct EtlFindings {
    /// Third-party drivers and observers always, Microsoft's where they touch; in the order of their addresses.
    pub drivers: Vec<EtlDriverTruth>,
    /// Third-party processes with touches.
    pub processes: Vec<ProcessTruth>,
    /// File and registry operations on driver-store paths that have a record of their own.
    pub scope_events: u64,
}

/// Everything expected of a recorded case.
#[derive(Debug, Clone, Serialize)]
pub struct EtlTruth {
    /// Computer name; none where the trace does not tell it.
    pub computer: Option<String>,
    /// Records of the file.
    pub records: u64,
    /// Time of the first record.
    pub first: u64,
    /// Time of the last record.
    pub last: u64,
    /// From the start of the first to the start of the last operation of a servicing process on a driver-store
    /// path. A registry operation's record comes up to 0.1 ms later.
    pub servicing: Option<Span>,
    /// The servicing span and 5 s on either side, else everything.
    pub window: Span,
    /// Expectations inside that window.
    pub findings: EtlFindings,
    /// Expectations over the whole trace.
    pub whole: EtlFindings,
}

const MARGIN: u64 = 50_000_000;
const DELAY: u64 = 10_000_000;

/// What was recorded.
pub(super) struct Recorded<'a> {
    pub(super) operations: &'a [Operation],
    pub(super) drivers: &'a [Driver],
    pub(super) processes: &'a [Process],
    pub(super) options: &'a EtlOptions,
}

impl Recorded<'_> {
    /// The servicing span.
    pub(super) fn servicing(&self) -> Option<Span> {
        let mut span: Option<Span> = None;
        for operation in self.operations.iter().filter(|o| o.in_scope()) {
            let process = self.processes.iter().find(|p| p.pid == operation.pid);
            let name = process.map_or("", |p| p.name.as_str());
            if SERVICING.iter().any(|s| s.eq_ignore_ascii_case(name)) {
                let time = operation.time;
                let s = span.get_or_insert(Span {
                    start: time,
                    end: time,
                });
                (s.start, s.end) = (s.start.min(time), s.end.max(time));
            }
        }
        span
    }

    pub(super) fn window(servicing: Option<Span>, all: Span) -> Span {
        servicing.map_or(all, |s| Span {
            start: s.start - MARGIN,
            end: s.end + MARGIN,
        })
    }

    /// What is found in a window.
    pub(super) fn findings(&self, window: Span) -> EtlFindings {
        let mut drivers: Vec<_> = self.drivers.iter().map(|d| self.identify(d)).collect();
        let mut processes: Vec<ProcessTruth> = Vec::new();
        let mut scope_events = 0;
        for operation in self.operations.iter().filter(|o| o.in_scope()) {
            let counted = operation.recorded && window.holds(operation.time);
            scope_events += u64::from(counted);
            for (driver, truth) in self.drivers.iter().zip(&mut drivers) {
                if counted && operation.stack.iter().any(|a| driver.holds(*a)) {
                    truth.stack_touch(operation);
                }
                let callbacks = operation.callbacks.iter();
                callbacks
                    .filter(|c| window.holds(c.time) && driver.holds(c.routine))
                    .for_each(|c| truth.callback(c));
            }
            if counted {
                self.process_touch(operation, &mut processes);
            }
        }
        drivers.iter_mut().for_each(|d| d.verdict = d.judge());
        drivers.retain(|d| d.third_party || d.touches() > 0);
        EtlFindings {
            drivers,
            processes,
            scope_events,
        }
    }

    /// Version information is what a merge tool adds.
    fn company<'a>(&self, known: &'a str) -> &'a str {
        if self.options.finalised { known } else { "" }
    }

    fn identify(&self, driver: &Driver) -> EtlDriverTruth {
        let (m, name) = (&driver.module, driver.name());
        let company = self.company(&m.company);
        // By its name, where the trace has no company: Windows' own, of which luafv.sys never has one here.
        let inbox = m.company.contains("Microsoft") || name.eq_ignore_ascii_case("luafv.sys");
        EtlDriverTruth {
            name: name.to_owned(),
            path: m.path.clone(),
            company: company.to_owned(),
            base: m.base,
            size: m.size,
            third_party: match company {
                "" => !inbox,
                company => !company.contains("Microsoft"),
            },
            basis: match (company, inbox) {
                ("", true) => "inbox-name",
                ("", false) => "unknown",
                _ => "company",
            },
            role: if name.to_ascii_lowercase().starts_with("procmon") {
                "observer"
            } else {
                "driver"
            },
            verdict: "loaded",
            minifilter: 0,
            file_stack: 0,
            registry_stack: 0,
            failures: 0,
            minifilter_failures: 0,
            delays: 0,
            minifilter_delays: 0,
            delay_us_max: 0.0,
            delay_us_total: 0.0,
        }
    }

    fn process_touch(&self, operation: &Operation, processes: &mut Vec<ProcessTruth>) {
        let Some(p) = self.processes.iter().find(|p| p.pid == operation.pid) else {
            return;
        };
        let company = self.company(&p.company);
        if company.is_empty() || company.contains("Microsoft") {
            return;
        }
        let failed = u64::from(operation.status.is_some_and(|s| !is_benign(s)));
        if let Some(known) = processes.iter_mut().find(|k| k.pid == p.pid) {
            known.touches += 1;
            known.failures += failed;
            return;
        }
        processes.push(ProcessTruth {
            name: p.name.clone(),
            pid: p.pid,
            company: p.company.clone(),
            touches: 1,
            failures: failed,
        });
    }
}

/// Takes away what a reader cannot know: stacks that were not recorded, or whose key has no frames.
pub(super) fn forget_stacks(
    operations: &mut [Operation],
    options: &EtlOptions,
    is_defined: impl Fn(u32) -> bool,
) {
    for operation in operations {
        let known = match options.stacks {
            Stacks::None => false,
            Stacks::Plain => true,
            Stacks::Keyed => options.finalised || operation.stack_id.is_some_and(&is_defined),
        };
        if !known || !operation.recorded {
            operation.stack.clear();
        }
    }
}

impl EtlDriverTruth {
    fn stack_touch(&mut self, operation: &Operation) {
        match operation.group {
            Group::File => self.file_stack += 1,
            Group::Registry => self.registry_stack += 1,
        }
        self.failures += u64::from(operation.status.is_some_and(|s| !is_benign(s)));
        let duration = operation.duration.filter(|_| !operation.waits);
        if let Some(duration) = duration.filter(|d| *d >= DELAY) {
            self.delays += 1;
            self.longest(duration);
        }
    }

    fn callback(&mut self, callback: &CallbackMeant) {
        self.minifilter += 1;
        if callback.status.is_some_and(|s| !is_benign(s)) {
            self.failures += 1;
            self.minifilter_failures += 1;
        }
        if let Some(duration) = callback.duration {
            self.longest(duration);
            self.delay_us_total += duration as f64 / 10.0;
            if duration >= DELAY {
                self.delays += 1;
                self.minifilter_delays += 1;
            }
        }
    }

    fn longest(&mut self, duration: u64) {
        self.delay_us_max = self.delay_us_max.max(duration as f64 / 10.0);
    }

    fn touches(&self) -> u64 {
        self.minifilter + self.file_stack + self.registry_stack
    }

    fn judge(&self) -> &'static str {
        if self.role == "observer" || self.touches() == 0 {
            "loaded"
        } else if self.third_party && self.failures + self.delays > 0 {
            "implicated"
        } else {
            "touched"
        }
    }
}
