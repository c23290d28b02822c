//! The analysis of a case: one or more traces of one machine.

use super::causes::{Search, find_causes};
use super::clocks::Clocks;
use super::describe::{coverage, describe_input, finding, identity_warnings, machine};
use super::failing::{Candidates, FailureHint};
use super::levels::grade;
use super::logs::{CaseLogs, LogClock, LoggedFailure, log_inputs};
use super::merge::MergedDrivers;
use super::onlooker::{Nobody, Onlooker};
use super::reading::read;
use super::rules::Rules;
use super::schema::{DriverFinding, Failure, Findings, Input, ProcessFinding, SCHEMA, Window};
use super::scope::TraceScope;
use super::tally::{DriverTally, Tally};
use super::touch::Counting;
use super::window::choose_window;
use crate::drivers::{DriverList, identify, is_third_party_company};
use crate::servicing::UserWindow;
use crate::trace::path::starts_with_no_case;
use crate::trace::{Filetime, Progress, Trace, Zone};
use hashbrown::HashMap;
use rayon::prelude::*;
use std::io;
use std::sync::LazyLock;

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
    /// Zone the servicing logs were written in, where the user says it.
    pub log_zone: Option<Zone>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            window: WindowChoice::Auto,
            evidence: 50,
            log_zone: None,
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

impl CaseInput<'_> {
    /// The paths of this trace that count.
    pub fn scope<'a>(&'a self, options: &'a Options) -> TraceScope<'a> {
        let root = self.trace.info().machine.system_root.as_deref();
        options.rules.scope.on(root)
    }
}

/// The traces and logs of a case.
pub struct Case<'a> {
    /// The traces.
    pub inputs: Vec<CaseInput<'a>>,
    /// The servicing logs.
    pub logs: CaseLogs,
}

impl Case<'_> {
    /// Time of the first and of the last event of all traces.
    pub fn ends(&self) -> (Option<Filetime>, Option<Filetime>) {
        let infos = || self.inputs.iter().map(|input| input.trace.info());
        (
            infos().filter_map(|info| info.first).min(),
            infos().filter_map(|info| info.last).max(),
        )
    }

    /// Whether a trace holds a moment of a logged failure's window.
    pub fn meets(&self, logged: &LoggedFailure) -> bool {
        self.inputs.iter().any(|input| {
            let info = input.trace.info();
            let ends = info.first.zip(info.last);
            ends.is_some_and(|(first, last)| logged.meets(first, last))
        })
    }

    /// How times of the servicing logs are brought to UTC.
    pub fn log_clock<'a>(
        &'a self,
        options: &'a Options,
        exact: Option<&'a Clocks>,
    ) -> LogClock<'a> {
        let minutes = |input: &CaseInput<'_>| input.trace.info().machine.utc_offset_minutes;
        LogClock {
            zone: options.log_zone.as_ref(),
            trace_minutes: self.inputs.iter().find_map(minutes).or_else(|| {
                let client = self.logs.update_client.iter();
                client.filter_map(|log| log.utc_offset_minutes).next()
            }),
            cbs: self.logs.cbs.as_ref(),
            exact,
        }
    }
}

/// What an analysis gives.
pub struct Outcome {
    /// The findings.
    pub findings: Findings,
    /// The drivers of each trace, in the order of the inputs.
    pub drivers: Vec<DriverList>,
}

/// Evidence rows of a driver that its level is judged by, however few of them the user wants to see.
const GRADED: usize = 50;

/// The drivers of each trace of a case, in the order of the inputs.
pub fn identify_drivers(case: &Case<'_>, options: &Options) -> Vec<DriverList> {
    case.inputs
        .iter()
        .map(|input| identify(input.trace.info(), &options.rules.observers))
        .collect()
}

/// Analyses a case.
///
/// # Errors
/// When a trace can no longer be read.
pub fn analyze(case: &Case<'_>, options: &Options, progress: &dyn Progress) -> io::Result<Outcome> {
    let drivers = identify_drivers(case, options);
    let findings = analyze_before(
        case,
        &drivers,
        options,
        progress,
        (&Nobody::default(), &mut |_, ()| Ok(())),
    )?;
    Ok(Outcome { findings, drivers })
}

/// Analyses a case whose drivers are `lists`, before the eyes of an onlooker. What it makes of each unit is handed on with
/// the number of the trace, in the order of the units.
///
/// # Errors
/// When a trace can no longer be read, and those of the onlooker.
pub fn analyze_before<O: Onlooker>(
    case: &Case<'_>,
    lists: &[DriverList],
    options: &Options,
    progress: &dyn Progress,
    (onlooker, take): (
        &O,
        &mut (dyn FnMut(usize, O::Seen) -> io::Result<()> + Send),
    ),
) -> io::Result<Findings> {
    let merged = MergedDrivers::new(case, lists);
    let mut warnings = Vec::new();
    let clocks = Clocks::find(case, options, progress)?;
    let clock = case.log_clock(options, Some(&clocks));
    let (window, logged) = choose_window(case, options, &clock, progress, &mut warnings)?;
    let boots = clocks.boots(case, &clock, logged.as_ref());
    warnings.extend(clocks.warnings(case, &clock, &boots));
    let failure = logged.map(|logged| logged.failure);
    let range = window.start.unwrap_or(Filetime(0))..=window.end.unwrap_or(Filetime(u64::MAX));
    let hint = hint(failure.as_ref(), &window);
    let candidates = hint.code.map(Candidates::of);

    let kept = options.evidence.max(GRADED);
    let mut sum = Tally::default();
    let mut processes = Vec::new();
    let mut search = Search::new(case, &hint);
    for (number, input) in case.inputs.iter().enumerate() {
        let counting = Counting {
            number,
            trace: input.trace,
            drivers: &lists[number],
            merged: &merged.of_image[number],
            driver_count: merged.drivers.len(),
            scope: input.scope(options),
            rules: &options.rules,
            window: range.clone(),
            phases: &window,
            candidates: candidates.as_ref(),
            limit: kept,
        };
        let surveying = search.surveying(number, input, options, &range);
        let phase = progress.phase("Counting touches", input.trace);
        let (tally, survey) = read(&counting, &surveying, &*phase, onlooker, &mut *take)?;
        search.take(survey);
        let acted = sum.merge(tally, kept);
        collect_processes(input, &acted, &mut processes);
    }
    sum.finish(kept);
    sort_processes(&mut processes);

    let mut drivers: Vec<DriverFinding> = merged
        .drivers
        .par_iter()
        .enumerate()
        .filter_map(|(number, driver)| {
            let number = number as u32;
            let tally = sum.drivers.get(&number).unwrap_or(&NOTHING);
            let told = driver.third_party || tally.touches.total() > 0;
            told.then(|| {
                let touched = (&*sum.paths_of(number), &sum.paths);
                finding(case, lists, &window, driver, tally, touched)
            })
        })
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
    let causes = find_causes(case, lists, options, search, &hint, progress)?;
    warnings.extend(identity_warnings(case, &merged.drivers));
    let mut inputs: Vec<Input> = case.inputs.iter().map(describe_input).collect();
    inputs.extend(log_inputs(&case.logs, &clock));
    let mut machine = machine(case, &mut warnings);
    machine.utc_offset_minutes = machine.utc_offset_minutes.or(clock.minutes());
    let mut findings = Findings {
        schema: SCHEMA,
        inputs,
        machine,
        failure,
        window,
        drivers,
        processes,
        coverage: coverage(case),
        warnings,
        failing_operations: causes.failing_operations,
        failing_operations_note: causes.failing_operations_note,
        conflicts: causes.conflicts,
        conflicts_more: causes.conflicts_more,
        suspects: Vec::new(),
        products: Vec::new(),
        clocks: clocks.report(case, &clock, &boots),
        boots,
    };
    (findings.suspects, findings.products) = grade(&findings);
    for driver in &mut findings.drivers {
        driver.evidence.truncate(options.evidence);
    }
    let missing = findings.attempt_missing();
    findings.warnings.splice(0..0, missing);
    Ok(findings)
}

/// Of a driver that did nothing.
static NOTHING: LazyLock<DriverTally> = LazyLock::new(DriverTally::default);

/// What the logs say of the failure, for the search of what failed.
fn hint(failure: Option<&Failure>, window: &Window) -> FailureHint {
    FailureHint {
        code: failure.and_then(Failure::hresult),
        time: window.failure,
        inf: failure.and_then(|failure| failure.inf.clone()),
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
pub(super) fn is_procmon(name: &str) -> bool {
    starts_with_no_case(name, "procmon")
}

fn sort_processes(processes: &mut [ProcessFinding]) {
    processes.sort_by(|a, b| {
        (b.failures, b.touches, &a.name, a.pid).cmp(&(a.failures, a.touches, &b.name, b.pid))
    });
}
