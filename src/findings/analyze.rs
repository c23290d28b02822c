//! The analysis of a case: one or more traces of one machine.

use super::rules::Rules;
use super::schema::{
    DriverFinding, Evidence, Findings, Input, MachineFacts, PathCount, ProcessFinding, Reason,
    SCHEMA, Touches, Verdict, Window, WindowEvidence, WindowSource,
};
use super::touch::{Counting, DriverTally, Paths, Tally, Touch};
use crate::codes::procmon::write_result;
use crate::drivers::{Basis, Driver, DriverList, Role, identify, is_third_party_company};
use crate::servicing::{ServicingSpan, UserWindow, servicing_span};
use crate::trace::path::{file_name, push_normalised, starts_with_no_case};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Coverage, Filetime, Progress, Trace};
use std::collections::HashMap;
use std::io;

/// How the window is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowChoice {
    /// By the best source there is.
    #[default]
    Auto,
    /// As the user says.
    User(UserWindow),
}

/// How to analyse.
#[derive(Debug, Clone)]
pub struct Options {
    /// What counts.
    pub rules: Rules,
    /// When.
    pub window: WindowChoice,
    /// Evidence rows a driver gets.
    pub evidence: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            window: WindowChoice::Auto,
            evidence: 50,
        }
    }
}

/// A trace of a case and what messages call it.
pub struct CaseInput<'a> {
    /// Path as given or found.
    pub name: String,
    /// The trace.
    pub trace: &'a dyn Trace,
}

/// The traces of a case.
pub struct Case<'a> {
    /// At least one.
    pub inputs: Vec<CaseInput<'a>>,
}

/// What an analysis gives.
pub struct Outcome {
    /// The findings.
    pub findings: Findings,
    /// The drivers of each trace, in the order of the inputs.
    pub drivers: Vec<DriverList>,
    /// Operations on paths in scope within the window.
    pub events: u64,
}

/// Time that a window from servicing activity reaches beyond it, on either side.
const MARGIN: u64 = 5 * TICKS_PER_SECOND;
/// Paths listed for a driver.
const PATHS_LISTED: usize = 100;

/// Analyses a case.
///
/// # Errors
/// When a trace can no longer be read.
pub fn analyze(case: &Case<'_>, options: &Options, progress: &dyn Progress) -> io::Result<Outcome> {
    let lists: Vec<DriverList> = case
        .inputs
        .iter()
        .map(|input| identify(input.trace.info(), &options.rules.observers))
        .collect();
    let merged = MergedDrivers::new(case, &lists);
    let mut warnings = Vec::new();
    let window = choose_window(case, options, progress, &mut warnings)?;
    let range = window.start.unwrap_or(Filetime(0))..=window.end.unwrap_or(Filetime(u64::MAX));

    let mut sum = Tally::default();
    let mut processes = Vec::new();
    for (number, input) in case.inputs.iter().enumerate() {
        let counting = Counting {
            number,
            trace: input.trace,
            drivers: &lists[number],
            merged: &merged.of_image[number],
            driver_count: merged.drivers.len(),
            scope: scope_of(input, options),
            rules: &options.rules,
            window: range.clone(),
            limit: options.evidence,
        };
        let phase = progress.phase("Counting touches", input.trace);
        let acted = sum.merge(counting.run(&*phase)?, options.evidence);
        collect_processes(input, &acted, &mut processes);
    }
    sum.finish(options.evidence);
    let Tally {
        drivers: mut tallies,
        paths,
        events,
        ..
    } = sum;
    sort_processes(&mut processes);

    let mut drivers: Vec<DriverFinding> = merged
        .drivers
        .iter()
        .zip(0..)
        .map(|(driver, number)| (driver, tallies.remove(&number).unwrap_or_default()))
        .filter(|(driver, tally)| driver.third_party || tally.touches.total() > 0)
        .map(|(driver, tally)| finding(case, &lists, driver, &tally, &paths))
        .collect();
    drivers.sort_by(|a, b| {
        let key = |d: &DriverFinding| {
            use std::cmp::Reverse;
            (
                d.verdict,
                Reverse(d.failures),
                Reverse(d.delays),
                Reverse(d.touches.total()),
            )
        };
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.name, &a.path).cmp(&(&b.name, &b.path)))
    });
    warnings.extend(identity_warnings(case, &merged.drivers));
    let findings = Findings {
        schema: SCHEMA,
        inputs: case.inputs.iter().map(describe_input).collect(),
        machine: machine(case, &mut warnings),
        failure: None,
        window,
        drivers,
        processes,
        coverage: coverage(case),
        warnings,
    };
    Ok(Outcome {
        findings,
        drivers: lists,
        events,
    })
}

fn scope_of<'a>(input: &'a CaseInput<'_>, options: &'a Options) -> super::scope::TraceScope<'a> {
    let root = input.trace.info().machine.system_root.as_deref();
    options.rules.scope.on(root)
}

/// The drivers of a case: those of its traces, merged by file name and path.
struct MergedDrivers<'a> {
    drivers: Vec<&'a Driver>,
    /// For each trace, the driver of each of its kernel images.
    of_image: Vec<Vec<u32>>,
}

impl<'a> MergedDrivers<'a> {
    fn new(case: &Case<'_>, lists: &'a [DriverList]) -> Self {
        let mut out = Self {
            drivers: Vec::new(),
            of_image: Vec::new(),
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        for (input, list) in case.inputs.iter().zip(lists) {
            let root = input.trace.info().machine.system_root.as_deref();
            let root = root.unwrap_or("C:\\Windows");
            let ids = list
                .list
                .iter()
                .map(|driver| {
                    let id = *known.entry(identity_key(driver, root)).or_insert_with(|| {
                        out.drivers.push(driver);
                        out.drivers.len() as u32 - 1
                    });
                    // The trace that knows the company knows the driver best.
                    let kept = &mut out.drivers[id as usize];
                    if kept.company.is_empty() && !driver.company.is_empty() {
                        *kept = driver;
                    }
                    id
                })
                .collect();
            out.of_image.push(ids);
        }
        out
    }
}

/// The normalised path in lower case; a driver without one is known by its name.
fn identity_key(driver: &Driver, system_root: &str) -> String {
    let mut key = String::new();
    let mut root = String::new();
    push_normalised(system_root, "", &mut root);
    push_normalised(&driver.path, &root, &mut key);
    key.make_ascii_lowercase();
    key
}

fn choose_window(
    case: &Case<'_>,
    options: &Options,
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> io::Result<Window> {
    let first = case
        .inputs
        .iter()
        .filter_map(|i| i.trace.info().first)
        .min();
    let last = case.inputs.iter().filter_map(|i| i.trace.info().last).max();
    let window = |start, end, source, evidence| Window {
        start,
        end,
        source,
        failure: None,
        attempt: None,
        rollback: None,
        evidence,
    };
    if let WindowChoice::User(user) = options.window {
        let (start, end) = (user.start.or(first), user.end.or(last));
        if start > last || (end.is_some() && end < first) {
            warnings.push(match (first, last) {
                (Some(first), Some(last)) => {
                    format!("The window does not meet the traces: they run from {first} to {last}.")
                }
                _ => "The traces hold no event.".to_owned(),
            });
        }
        return Ok(window(start, end, WindowSource::User, Vec::new()));
    }
    let mut evidence = Vec::new();
    let mut span: Option<(Filetime, Filetime)> = None;
    for input in &case.inputs {
        let phase = progress.phase("Looking for servicing", input.trace);
        let found = servicing_span(input.trace, scope_of(input, options), &*phase)?;
        let Some(found) = found else { continue };
        span = Some(match span {
            None => (found.first.time, found.last.time),
            Some((start, end)) => (start.min(found.first.time), end.max(found.last.time)),
        });
        evidence.extend(span_evidence(&input.name, &found));
    }
    if let Some((start, end)) = span {
        evidence.sort_by_key(|row| row.time);
        let (start, end) = (Some(start.minus(MARGIN)), Some(end.plus(MARGIN)));
        return Ok(window(start, end, WindowSource::Trace, evidence));
    }
    warnings.push(
        "No log places the failure and no servicing process acted on driver-store paths: the whole trace was looked at. Touches may have nothing to do with the update; narrow it with --window START..END."
            .to_owned(),
    );
    Ok(window(first, last, WindowSource::Whole, Vec::new()))
}

fn span_evidence(input: &str, span: &ServicingSpan) -> [WindowEvidence; 2] {
    let row = |time, text| WindowEvidence {
        time,
        input: input.to_owned(),
        text,
    };
    [
        row(
            span.first.time,
            format!("first servicing operation: {}", span.first.text()),
        ),
        row(
            span.last.time,
            format!(
                "last of {} servicing operations: {}",
                span.events,
                span.last.text()
            ),
        ),
    ]
}

fn verdict(driver: &Driver, tally: &DriverTally) -> Verdict {
    match driver.role {
        Role::Observer => Verdict::Loaded,
        Role::Driver if tally.touches.total() == 0 => Verdict::Loaded,
        Role::Driver if driver.third_party && tally.failures + tally.delays > 0 => {
            Verdict::Implicated
        }
        Role::Driver => Verdict::Touched,
    }
}

fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// 100 ns ticks as microseconds.
fn micros(ticks: u64) -> f64 {
    ticks as f64 / 10.0
}

fn finding(
    case: &Case<'_>,
    lists: &[DriverList],
    driver: &Driver,
    tally: &DriverTally,
    paths: &Paths,
) -> DriverFinding {
    let (paths, paths_more) = path_counts(tally, paths);
    DriverFinding {
        name: driver.name.clone(),
        path: driver.path.to_string(),
        company: text(&driver.company),
        description: text(&driver.description),
        version: text(&driver.version),
        base: format!("{:#x}", driver.base),
        size: driver.size,
        third_party: driver.third_party,
        basis: driver.basis,
        role: driver.role,
        altitude: text(&driver.altitude_text()),
        group: text(&driver.group_text()),
        verdict: verdict(driver, tally),
        touches: tally.touches,
        failures: tally.failures,
        delays: tally.delays,
        delay_us_max: micros(tally.longest),
        delay_us_total: 0.0,
        first: tally.first,
        last: tally.last,
        paths,
        paths_more,
        evidence: tally
            .evidence
            .iter()
            .map(|touch| evidence(case, lists, touch))
            .collect(),
    }
}

/// The paths to list, and how many more there are; paths beyond the counted ones are one more.
fn path_counts(tally: &DriverTally, paths: &Paths) -> (Vec<PathCount>, u64) {
    let mut counts: Vec<(u64, u64, &str)> = tally
        .paths
        .iter()
        .filter_map(|(path, (touches, failures))| Some((*failures, *touches, paths.get(*path)?)))
        .collect();
    counts.sort_by(|a, b| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2)));
    let listed = counts.iter().take(PATHS_LISTED);
    let listed: Vec<PathCount> = listed
        .map(|(failures, touches, path)| PathCount {
            path: (*path).to_owned(),
            touches: *touches,
            failures: *failures,
        })
        .collect();
    let more = tally.paths.len() - listed.len();
    (listed, more as u64)
}

fn evidence(case: &Case<'_>, lists: &[DriverList], touch: &Touch) -> Evidence {
    let input = &case.inputs[touch.trace];
    let process = input.trace.info().processes.get(touch.process as usize);
    let result = touch.status.map(|status| {
        let mut out = String::new();
        write_result(status, &mut out);
        out
    });
    let images = &lists[touch.trace].list;
    Evidence {
        time: touch.time,
        input: input.name.clone(),
        event: touch.event,
        kind: touch.kind,
        operation: touch.operation,
        path: touch.path.clone(),
        target_path: text(&touch.target),
        result,
        status: touch.status.map(|status| format!("{status:#010x}")),
        process: process.and_then(|process| text(&process.name)),
        pid: process.map(|process| process.pid),
        tid: touch.tid,
        duration_us: touch.duration.map(micros),
        phase: None,
        reason: touch.reason,
        frames: touch
            .frames
            .iter()
            .map(|(image, offset)| format!("{}+{offset:#x}", images[*image as usize].name))
            .collect(),
    }
}

fn collect_processes(
    input: &CaseInput<'_>,
    acted: &HashMap<u32, (u64, u64)>,
    out: &mut Vec<ProcessFinding>,
) {
    let info = input.trace.info();
    for (position, (touches, failures)) in acted {
        let process = &info.processes[*position as usize];
        debug_assert!(is_third_party_company(&process.company));
        let same = |known: &&mut ProcessFinding| {
            known.pid == process.pid
                && known.name == *process.name
                && known.path == *process.image_path
        };
        if let Some(known) = out.iter_mut().find(same) {
            known.touches += touches;
            known.failures += failures;
            continue;
        }
        out.push(ProcessFinding {
            name: process.name.to_string(),
            pid: process.pid,
            path: process.image_path.to_string(),
            company: process.company.to_string(),
            third_party: true,
            role: if is_procmon(&process.name) {
                "observer"
            } else {
                "process"
            },
            touches: *touches,
            failures: *failures,
        });
    }
}

/// Procmon's own processes (`Procmon.exe`, `Procmon64.exe`): they write the log that is being read.
fn is_procmon(name: &str) -> bool {
    starts_with_no_case(name, "procmon")
}

fn sort_processes(processes: &mut [ProcessFinding]) {
    processes.sort_by(|a, b| {
        (b.failures, b.touches, &a.name, a.pid).cmp(&(a.failures, a.touches, &b.name, b.pid))
    });
}

fn describe_input(input: &CaseInput<'_>) -> Input {
    let info = input.trace.info();
    Input {
        path: input.name.clone(),
        kind: info.kind,
        bytes: info.bytes,
        events: info.records.good,
        first: info.first,
        last: info.last,
        warnings: info.warnings.clone(),
    }
}

fn machine(case: &Case<'_>, warnings: &mut Vec<String>) -> MachineFacts {
    let mut machines = case.inputs.iter().map(|input| &input.trace.info().machine);
    let first = machines.next().map(MachineFacts::from).unwrap_or_default();
    let other = machines.find(|machine| {
        matches!((&machine.name, &first.name), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b))
    });
    if let Some(other) = other {
        warnings.push(format!(
            "The traces come from different machines ({} and {}): do they belong to one case?",
            first.name.as_deref().unwrap_or("?"),
            other.name.as_deref().unwrap_or("?")
        ));
    }
    first
}

fn coverage(case: &Case<'_>) -> Coverage {
    let mut out = Coverage::default();
    for input in &case.inputs {
        let coverage = &input.trace.info().coverage;
        out.file |= coverage.file;
        out.registry |= coverage.registry;
        out.minifilter |= coverage.minifilter;
        out.stacks |= coverage.stacks;
        out.events_lost += coverage.events_lost;
        out.buffers_lost += coverage.buffers_lost;
        for note in &coverage.notes {
            if !out.notes.contains(note) {
                out.notes.push(note.clone());
            }
        }
    }
    out
}

fn identity_warnings(case: &Case<'_>, drivers: &[&Driver]) -> Vec<String> {
    let mut out = Vec::new();
    if drivers.is_empty() && case.inputs.iter().any(|i| i.trace.info().records.good > 0) {
        out.push(
            "The traces list no kernel modules: no stack frame can be tied to a driver.".to_owned(),
        );
    }
    for driver in drivers {
        if driver.third_party
            && driver.basis == Basis::Company
            && crate::drivers::tables::is_inbox(file_name(&driver.path))
        {
            out.push(format!(
                "{} has the name of a Windows driver and the company '{}': check where it comes from ({}).",
                driver.name,
                driver.company.trim(),
                driver.path
            ));
        }
    }
    out
}

/// All third-party drivers whose verdict is not `loaded`, observers aside.
impl Findings {
    /// The drivers that are flagged.
    pub fn flagged(&self) -> impl Iterator<Item = &DriverFinding> {
        self.drivers.iter().filter(|driver| {
            driver.third_party && driver.role == Role::Driver && driver.verdict != Verdict::Loaded
        })
    }
}

impl DriverFinding {
    /// Evidence rows of one reason.
    pub fn evidence_of(&self, reason: Reason) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().filter(move |row| row.reason == reason)
    }

    /// Touches of all kinds.
    pub fn touch_total(&self) -> u64 {
        let Touches {
            minifilter,
            file_stack,
            registry_stack,
        } = self.touches;
        minifilter + file_stack + registry_stack
    }
}
