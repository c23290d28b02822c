//! What the template is given: the findings in words and in the order of the page, within bounds of size.

use super::super::style::{bytes, count, duration, plural, safe, zone_name};
use super::answer::{Answer, Step, next_steps};
use super::driver::{Brief, Flagged, Stacks, basis, counts, flagged};
use super::judgement::Judgement;
use super::text::{When, span};
use super::timeline::Timeline;
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, Failure, ProcessFinding, Window, WindowSource};
use crate::findings::{Findings, Verdict};
use crate::lang::Message;
use crate::trace::{Coverage, Zone};
use serde::Serialize;

/// Flagged drivers with a section of their own; a table has the others.
const SECTIONS: usize = 100;
/// Evidence rows and path rows of all drivers together.
const EVIDENCE_ROWS: usize = 3_000;
const PATH_ROWS: usize = 2_500;
/// Rows of any other table, and lines of any list.
const LISTED: usize = 400;
/// The page.
#[derive(Debug, Serialize)]
pub struct Page<'a> {
    version: &'static str,
    schema: &'static str,
    title: String,
    answer: Answer,
    /// The machine and what was read of it.
    machine: Vec<(&'static str, String)>,
    failure: Option<FailureView<'a>>,
    window: WindowView,
    zone: Option<String>,
    steps: Vec<Step>,
    timeline: Timeline,
    judgement: Judgement<'a>,
    overview: Listed<Summary<'a>>,
    flagged: Vec<Flagged<'a>>,
    sections_left_out: usize,
    loaded: Listed<Other<'a>>,
    observers: Listed<Other<'a>>,
    microsoft: Listed<Other<'a>>,
    processes: Listed<&'a ProcessFinding>,
    coverage: CoverageView<'a>,
    inputs: Listed<InputView<'a>>,
    damaged: bool,
    warnings: Listed<&'a str>,
}

/// The first rows of a list, and how many there are beyond them.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    rows: Vec<T>,
    pub more: usize,
}

impl<T> Listed<T> {
    pub fn new(all: impl Iterator<Item = T>) -> Self {
        let mut rows: Vec<T> = all.collect();
        let more = rows.len().saturating_sub(LISTED);
        rows.truncate(LISTED);
        Self { rows, more }
    }
}

#[derive(Debug, Serialize)]
struct FailureView<'a> {
    facts: &'a Failure,
    time: Option<When>,
}

#[derive(Debug, Serialize)]
struct WindowView {
    start: Option<When>,
    end: Option<When>,
    length: Option<String>,
    source: &'static str,
    attempt: Option<(When, When)>,
    rollback: Option<(When, When)>,
    evidence: Listed<(When, String, String)>,
}

/// A flagged driver's line in the table at the top.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    id: Option<usize>,
    driver: Brief<'a>,
    total: String,
    failures: String,
    delays: String,
    longest: Option<String>,
}

/// A driver that is not flagged.
#[derive(Debug, Serialize)]
struct Other<'a> {
    driver: Brief<'a>,
    basis: String,
    counts: String,
    total: u64,
}

#[derive(Debug, Serialize)]
struct CoverageView<'a> {
    facts: [(&'static str, bool); 4],
    lost: Vec<String>,
    notes: &'a [Message],
}

#[derive(Debug, Serialize)]
struct InputView<'a> {
    path: &'a str,
    kind: &'static str,
    trace: bool,
    bytes: String,
    events: String,
    first: Option<When>,
    last: Option<When>,
    warnings: Listed<&'a str>,
}

impl<'a> Page<'a> {
    /// The page of a case.
    pub fn new(findings: &'a Findings, zone: &Zone) -> Self {
        let all: Vec<&DriverFinding> = findings.flagged().collect();
        let sections = &all[..all.len().min(SECTIONS)];
        let rows = fair(sections.iter().map(|d| d.evidence.len()), EVIDENCE_ROWS);
        let paths = fair(sections.iter().map(|d| d.paths.len()), PATH_ROWS);
        let stacks = Stacks::new(findings);
        let others = |keep: &dyn Fn(&DriverFinding) -> bool| {
            let kept = findings.drivers.iter().filter(|driver| keep(driver));
            Listed::new(kept.map(other))
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            schema: findings.schema,
            title: title(findings),
            answer: Answer::new(findings, &all),
            machine: machine(findings),
            failure: findings.failure.as_ref().map(|facts| FailureView {
                facts,
                time: facts.time.map(|time| When::new(time, zone)),
            }),
            window: window(&findings.window, zone),
            zone: (!zone.is_utc()).then(|| {
                let at = findings.window.start.unwrap_or_default();
                zone_name(zone, at)
            }),
            steps: next_steps(findings, &all),
            timeline: Timeline::new(findings, &all, rows, zone),
            judgement: Judgement::new(findings, zone),
            overview: Listed::new(
                all.iter()
                    .enumerate()
                    .map(|(at, driver)| summary(at, driver)),
            ),
            flagged: sections
                .iter()
                .enumerate()
                .map(|(at, driver)| flagged(findings, at, driver, rows, paths, &stacks, zone))
                .collect(),
            sections_left_out: all.len() - sections.len(),
            loaded: others(&|d| {
                d.third_party && d.role == Role::Driver && d.verdict == Verdict::Loaded
            }),
            observers: others(&|d| d.role == Role::Observer),
            microsoft: others(&|d| !d.third_party && d.role == Role::Driver),
            processes: Listed::new(findings.processes.iter()),
            coverage: coverage(&findings.coverage),
            inputs: Listed::new(findings.inputs.iter().map(|input| InputView {
                path: &input.path,
                kind: input.kind.as_str(),
                trace: input.kind.is_trace(),
                bytes: bytes(input.bytes),
                events: count(input.events),
                first: input.first.map(|time| When::new(time, zone)),
                last: input.last.map(|time| When::new(time, zone)),
                warnings: Listed::new(input.warnings.iter().map(Message::en)),
            })),
            damaged: findings.traces().any(|input| !input.warnings.is_empty()),
            warnings: Listed::new(findings.warnings.iter().map(Message::en)),
        }
    }
}

/// The most rows each may have so that all together have no more than `budget`.
fn fair(lengths: impl Iterator<Item = usize> + Clone, budget: usize) -> usize {
    let sum = |limit: usize| {
        lengths
            .clone()
            .map(|length| length.min(limit))
            .sum::<usize>()
    };
    let (mut low, mut high) = (1, lengths.clone().max().unwrap_or(0).max(1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match sum(middle) <= budget {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

fn title(findings: &Findings) -> String {
    match &findings.machine.name {
        Some(name) => format!("fltscope report: {}", safe(name)),
        None => "fltscope report".to_owned(),
    }
}

fn machine(findings: &Findings) -> Vec<(&'static str, String)> {
    let machine = &findings.machine;
    let mut out = Vec::new();
    out.push((
        "Name",
        machine
            .name
            .clone()
            .unwrap_or_else(|| "not in the trace".to_owned()),
    ));
    let windows: Vec<String> = [
        machine.os.clone(),
        machine.architecture.map(|bits| bits.as_str().to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !windows.is_empty() {
        out.push(("Windows", windows.join(", ")));
    }
    if let Some(minutes) = machine.utc_offset_minutes {
        let zone = Zone::fixed(minutes * 60);
        out.push(("Local time", zone_name(&zone, Default::default())));
    }
    let events: u64 = findings.traces().map(|input| input.events).sum();
    let files = findings.inputs.len() as u64;
    out.push((
        "Read",
        format!("{}, {}", plural(files, "file"), plural(events, "event")),
    ));
    out
}

fn window(window: &Window, zone: &Zone) -> WindowView {
    let when = |time| When::new(time, zone);
    WindowView {
        start: window.start.map(when),
        end: window.end.map(when),
        length: window
            .start
            .zip(window.end)
            .map(|(start, end)| span(end.0.saturating_sub(start.0))),
        source: match window.source {
            WindowSource::Logs => {
                "from the servicing logs: the failed driver operation and its rollback"
            }
            WindowSource::Trace => {
                "from the servicing activity in the trace, 5 s wider on either side"
            }
            WindowSource::User => "as given by --window",
            WindowSource::Whole => "the whole trace, for want of anything better",
        },
        attempt: window
            .attempt
            .map(|span| (when(span.start), when(span.end))),
        rollback: window
            .rollback
            .map(|span| (when(span.start), when(span.end))),
        evidence: Listed::new(
            window
                .evidence
                .iter()
                .map(|row| (when(row.time), row.text.to_string(), row.input.clone())),
        ),
    }
}

fn summary(at: usize, driver: &DriverFinding) -> Summary<'_> {
    Summary {
        id: (at < SECTIONS).then_some(at),
        driver: Brief::new(driver),
        total: count(driver.touches.total()),
        failures: count(driver.failures),
        delays: count(driver.delays),
        longest: (driver.delay_us_max > 0.0).then(|| duration(driver.delay_us_max)),
    }
}

fn other(driver: &DriverFinding) -> Other<'_> {
    Other {
        driver: Brief::new(driver),
        basis: basis(driver),
        counts: counts(driver),
        total: driver.touches.total(),
    }
}

fn coverage(coverage: &Coverage) -> CoverageView<'_> {
    let lost = [
        (coverage.events_lost, "event"),
        (coverage.buffers_lost, "buffer"),
    ];
    CoverageView {
        facts: [
            ("File-system operations", coverage.file),
            ("Registry operations", coverage.registry),
            ("Stacks", coverage.stacks),
            ("Minifilter callbacks", coverage.minifilter),
        ],
        lost: lost
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| plural(number, what))
            .collect(),
        notes: &coverage.notes,
    }
}

#[cfg(test)]
mod tests {
    use super::fair;

    #[test]
    fn rows_are_shared_fairly() {
        assert_eq!(fair([50; 300].into_iter(), 3_000), 10);
        assert_eq!(fair([50, 50].into_iter(), 3_000), 50);
        // A driver with few rows leaves its share to the others.
        assert_eq!(fair([2, 100, 100].into_iter(), 102), 50);
        assert_eq!(fair([].into_iter(), 10), 1);
    }
}
