//! What an analysis of a case must find, counted from the events by the rules of docs/findings.md.

use super::drivers::Driver;
use super::scope;
use super::status::{PENDING, is_benign};
use crate::pml::op::{FileOp, ProcessOp};
use crate::pml::{Event, Op, ProcId, Process};
use serde::Serialize;

/// Two FILETIMEs, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First instant.
    pub start: u64,
    /// Last instant.
    pub end: u64,
}

impl Span {
    /// Both ends count.
    pub(crate) fn holds(&self, time: u64) -> bool {
        (self.start..=self.end).contains(&time)
    }
}

/// Expected facts of one driver.
#[derive(Debug, Clone, Serialize)]
pub struct DriverTruth {
    /// File name as in the log.
    pub name: String,
    /// Image path.
    pub path: String,
    /// Company; empty where the log has none.
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
    /// Touches by file operations.
    pub file_stack: u64,
    /// Touches by registry operations.
    pub registry_stack: u64,
    /// Touches that ended in a result that is not benign.
    pub failures: u64,
    /// Touches that took a second or more.
    pub delays: u64,
    /// The longest delay in microseconds, 0 without one.
    pub delay_us_max: u64,
    /// First touch, FILETIME.
    pub first: Option<u64>,
    /// Last touch, FILETIME.
    pub last: Option<u64>,
}

/// Expected facts of one third-party process.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessTruth {
    /// File name.
    pub name: String,
    /// Process id.
    pub pid: u32,
    /// Company.
    pub company: String,
    /// File and registry operations on driver-store paths.
    pub touches: u64,
    /// Those with a result that is not benign.
    pub failures: u64,
}

/// Expectations over one window.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// Third-party drivers and observers always, Microsoft's where they touch; in the order of the log's images.
    pub drivers: Vec<DriverTruth>,
    /// Third-party processes with touches.
    pub processes: Vec<ProcessTruth>,
    /// File and registry events on driver-store paths.
    pub scope_events: u64,
}

/// Everything expected of a case.
#[derive(Debug, Clone, Serialize)]
pub struct Truth {
    /// Computer name.
    pub computer: String,
    /// Number of events.
    pub events: u64,
    /// Processes in the table.
    pub processes: u64,
    /// Time of the first event.
    pub first: u64,
    /// Time of the last event.
    pub last: u64,
    /// From the first to the last event of a servicing process on a driver-store path.
    pub servicing: Option<Span>,
    /// The window `auto` takes from the log alone: the servicing span and 5 s on either side, else everything.
    pub window: Span,
    /// Expectations inside that window.
    pub findings: Findings,
    /// Expectations over the whole log.
    pub whole: Findings,
}

pub(crate) const SERVICING: &[&str] = &[
    "TrustedInstaller.exe",
    "TiWorker.exe",
    "poqexec.exe",
    "drvinst.exe",
    "wusa.exe",
    "DismHost.exe",
];
const MARGIN: u64 = 5 * 10_000_000;
const DELAY: u64 = 10_000_000;
const HIGHEST_USER_32: u64 = 0x7FFE_FFFF;

struct Log<'a> {
    events: &'a [Event],
    drivers: &'a [Driver],
    processes: &'a [(ProcId, Process)],
}

/// Counts a case.
pub(crate) fn count(
    computer: &str,
    events: &[Event],
    drivers: &[Driver],
    processes: &[(ProcId, Process)],
) -> Truth {
    let log = Log {
        events,
        drivers,
        processes,
    };
    let first = events.iter().map(|e| e.time).min().unwrap_or(0);
    let last = events.iter().map(|e| e.time).max().unwrap_or(0);
    let servicing = log.servicing();
    let all = Span {
        start: first,
        end: last,
    };
    let window = servicing.map_or(all, |s| Span {
        start: s.start - MARGIN,
        end: s.end + MARGIN,
    });
    Truth {
        computer: computer.to_owned(),
        events: events.len() as u64,
        processes: processes.len() as u64,
        first,
        last,
        servicing,
        window,
        findings: log.findings(window),
        whole: log.findings(all),
    }
}

impl Log<'_> {
    fn process(&self, id: ProcId) -> Option<&Process> {
        self.processes
            .iter()
            .find(|(i, _)| *i == id)
            .map(|(_, p)| p)
    }

    fn servicing(&self) -> Option<Span> {
        let mut span: Option<Span> = None;
        for event in self.events.iter().filter(|e| in_scope(e)) {
            let name = self.process(event.process).map_or("", |p| p.name.as_str());
            if SERVICING.iter().any(|s| s.eq_ignore_ascii_case(name)) {
                let s = span.get_or_insert(Span {
                    start: event.time,
                    end: event.time,
                });
                s.start = s.start.min(event.time);
                s.end = s.end.max(event.time);
            }
        }
        span
    }

    fn findings(&self, window: Span) -> Findings {
        let mut drivers: Vec<DriverTruth> = self.drivers.iter().map(identify).collect();
        let mut processes: Vec<ProcessTruth> = Vec::new();
        let mut scope_events = 0;
        for event in self
            .events
            .iter()
            .filter(|e| window.holds(e.time) && in_scope(e))
        {
            scope_events += 1;
            for (driver, truth) in self.drivers.iter().zip(&mut drivers) {
                if event
                    .stack
                    .iter()
                    .any(|a| *a > HIGHEST_USER_32 && driver.holds(*a))
                {
                    truth.touch(event);
                }
            }
            self.process_touch(event, &mut processes);
        }
        for d in &mut drivers {
            d.verdict = d.judge();
        }
        let known: Vec<bool> = self.drivers.iter().map(|d| self.is_known(d)).collect();
        let mut known = known.into_iter();
        drivers.retain(|d| {
            known.next() == Some(true) && (d.third_party || d.file_stack + d.registry_stack > 0)
        });
        Findings {
            drivers,
            processes,
            scope_events,
        }
    }

    /// A late driver is part of the log only if its load is.
    fn is_known(&self, driver: &Driver) -> bool {
        let loads = |e: &Event| match &e.op {
            Op::Process(ProcessOp::LoadImage { base, .. }) => *base == driver.module.base,
            _ => false,
        };
        !driver.late || self.events.iter().any(loads)
    }

    fn process_touch(&self, event: &Event, processes: &mut Vec<ProcessTruth>) {
        let Some(p) = self.process(event.process) else {
            return;
        };
        if p.company.is_empty() || p.company.contains("Microsoft") {
            return;
        }
        let failed = u64::from(!is_benign(event.status));
        if let Some(known) = processes.iter_mut().find(|k| k.pid == p.pid) {
            known.touches += 1;
            known.failures += failed;
        } else {
            let (name, company) = (p.name.clone(), p.company.clone());
            processes.push(ProcessTruth {
                name,
                pid: p.pid,
                company,
                touches: 1,
                failures: failed,
            });
        }
    }
}

fn in_scope(event: &Event) -> bool {
    match &event.op {
        Op::File(path, _) => scope::file(path) || event.op.target().is_some_and(scope::file),
        Op::Registry(path, _) => scope::registry(path),
        _ => false,
    }
}

/// Waiting is what these are for.
pub(crate) fn waits_by_nature(op: &Op) -> bool {
    match op {
        Op::File(_, FileOp::NotifyChangeDirectory(_)) => true,
        // Oplock requests and break notifications (level 1, 2, batch, filter, any), pipe controls.
        Op::File(_, FileOp::FileSystemControl { code, .. }) => {
            matches!(
                code,
                0x90000 | 0x90004 | 0x90008 | 0x90014 | 0x9005C | 0x90240
            ) || code >> 16 == 0x11
        }
        _ => false,
    }
}

fn identify(driver: &Driver) -> DriverTruth {
    let m = &driver.module;
    let name = driver.name();
    let known = !m.company.is_empty();
    let inbox = !known && name.eq_ignore_ascii_case("luafv.sys");
    let third_party = if known {
        !m.company.contains("Microsoft")
    } else {
        !inbox
    };
    DriverTruth {
        name: name.to_owned(),
        path: m.path.clone(),
        company: m.company.clone(),
        base: m.base,
        size: m.size,
        third_party,
        basis: match (known, inbox) {
            (true, _) => "company",
            (_, true) => "inbox-name",
            _ => "unknown",
        },
        role: if name.to_ascii_lowercase().starts_with("procmon") {
            "observer"
        } else {
            "driver"
        },
        verdict: "loaded",
        file_stack: 0,
        registry_stack: 0,
        failures: 0,
        delays: 0,
        delay_us_max: 0,
        first: None,
        last: None,
    }
}

impl DriverTruth {
    fn touch(&mut self, event: &Event) {
        match event.op {
            Op::File(..) => self.file_stack += 1,
            _ => self.registry_stack += 1,
        }
        self.failures += u64::from(!is_benign(event.status));
        if event.duration >= DELAY && event.status != PENDING && !waits_by_nature(&event.op) {
            self.delays += 1;
            self.delay_us_max = self.delay_us_max.max(event.duration / 10);
        }
        self.first = Some(self.first.map_or(event.time, |t| t.min(event.time)));
        self.last = Some(self.last.map_or(event.time, |t| t.max(event.time)));
    }

    fn judge(&self) -> &'static str {
        if self.role == "observer" || self.file_stack + self.registry_stack == 0 {
            "loaded"
        } else if self.third_party && self.failures + self.delays > 0 {
            "implicated"
        } else {
            "touched"
        }
    }
}
