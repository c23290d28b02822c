//! Causes: the operation that failed, and who stood in the way of servicing.
//!
//! Two passes over the traces. The first looks only at servicing processes and System and finds what failed for them; it
//! goes along with the counting of touches. Where it finds something, the second follows the objects in question over
//! all processes, from some minutes before.

mod follow;
mod objects;
mod survey;
mod touches;

use super::analyze::{Case, CaseInput, Options};
use super::conflicts::{Conflict, is_conflict};
use super::failing::{Chosen, FailingNote, FailingOperation, FailureHint, Missing, Picker, note};
use crate::drivers::DriverList;
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Coverage, Filetime, Kind, Progress};
use follow::{Following, Plan};
use objects::Naming;
use std::io;
use std::ops::RangeInclusive;
pub use survey::{Survey, Surveying};

/// How long before a refusal what is open is followed.
const LOOK_BACK: u64 = 600 * TICKS_PER_SECOND;
/// How long after it.
const LOOK_AHEAD: u64 = 60 * TICKS_PER_SECOND;

/// What was found.
#[derive(Debug, Default)]
pub struct Causes {
    /// The operations that may be the one that failed, most telling first.
    pub failing_operations: Vec<FailingOperation>,
    /// What to know of them, or why there is none.
    pub failing_operations_note: Option<FailingNote>,
    /// Who had objects open that servicing was refused.
    pub conflicts: Vec<Conflict>,
    /// How many more there are.
    pub conflicts_more: u64,
}

/// What the first pass looks for and what it found.
pub struct Search {
    picker: Picker,
    namings: Vec<Naming>,
    found: Vec<Survey>,
}

impl Search {
    /// A search in the traces of `case`. `hint` is what logs say of the failure.
    pub fn new(case: &Case<'_>, hint: &FailureHint) -> Self {
        let root =
            |input: &CaseInput<'_>| Naming::new(input.trace.info().machine.system_root.as_deref());
        Self {
            picker: Picker::new(hint),
            namings: case.inputs.iter().map(root).collect(),
            found: Vec::new(),
        }
    }

    /// The first pass over the trace that is number `number` of the case.
    pub fn surveying<'a>(
        &'a self,
        number: usize,
        input: &'a CaseInput<'a>,
        options: &'a Options,
        window: &RangeInclusive<Filetime>,
    ) -> Surveying<'a> {
        Surveying {
            number,
            input,
            scope: input.scope(options),
            rules: &options.rules,
            naming: &self.namings[number],
            picker: &self.picker,
            window: window.clone(),
        }
    }

    /// What the first pass found in the next trace.
    pub fn take(&mut self, found: Survey) {
        self.found.push(found);
    }
}

/// Looks for causes with what the first pass found.
///
/// # Errors
/// When a trace can no longer be read.
pub fn find_causes(
    case: &Case<'_>,
    lists: &[DriverList],
    options: &Options,
    search: Search,
    hint: &FailureHint,
    progress: &dyn Progress,
) -> io::Result<Causes> {
    let Search {
        mut picker,
        namings,
        found: surveys,
    } = search;
    let mut found = Survey::default();
    for (number, one) in surveys.into_iter().enumerate() {
        found.failed.extend(one.failed);
        found.aliases.extend(one.aliases);
        found.dropped += one.dropped;
        found.servicing |= one.servicing;
        let threads = one.inf_threads.into_iter().map(|tid| (number, tid));
        picker.inf_threads.extend(threads);
    }
    let chosen = picker.choose(&found.failed);
    let mut out = Causes {
        failing_operations_note: note(&picker, &chosen, &missing(case, &found)),
        ..Causes::default()
    };
    let conflicts = found.failed.iter().filter(|failed| {
        failed.telling
            && failed.class == crate::trace::Class::FileSystem
            && is_conflict(failed.status)
    });
    let plan = Plan::new(&namings, &chosen, conflicts, &found.aliases, hint);
    let mut touches = vec![Vec::new(); chosen.len()];
    if !plan.is_empty() {
        let following = Following {
            case,
            lists,
            options,
            namings: &namings,
            plan: &plan,
        };
        let followed = following.run(progress)?;
        (out.conflicts, out.conflicts_more) = followed.tracker.finish();
        touches = followed.touches;
    }
    out.failing_operations = chosen
        .iter()
        .zip(touches)
        .map(|(chosen, touches)| describe(case, hint, chosen, touches))
        .collect();
    Ok(out)
}

fn missing(case: &Case<'_>, found: &Survey) -> Missing {
    let infos = || case.inputs.iter().map(|input| input.trace.info());
    let mut coverage = Coverage::default();
    for info in infos() {
        coverage.file |= info.coverage.file;
        coverage.registry |= info.coverage.registry;
        coverage.events_lost += info.coverage.events_lost;
        coverage.buffers_lost += info.coverage.buffers_lost;
    }
    let first = infos().filter_map(|info| info.first).min();
    let last = infos().filter_map(|info| info.last).max();
    Missing {
        covered: first.zip(last),
        coverage,
        servicing: found.servicing,
        procmon: infos().any(|info| info.kind == Kind::Pml),
        dropped: found.dropped,
    }
}

fn describe(
    case: &Case<'_>,
    hint: &FailureHint,
    chosen: &Chosen,
    touched_before: Vec<super::failing::TouchBefore>,
) -> FailingOperation {
    let failed = &chosen.failed;
    let input = case.inputs.get(failed.trace);
    let process = input.and_then(|input| {
        let processes = &input.trace.info().processes;
        processes.get(failed.process as usize)
    });
    let before = |failure: Filetime| (failure.0 as f64 - failed.end.0 as f64) / 10.0;
    FailingOperation {
        time: failed.time,
        input: input.map(|input| input.name.clone()).unwrap_or_default(),
        event: failed.event,
        operation: failed.operation,
        path: failed.path.clone(),
        target_path: touches::text(&failed.target),
        result: touches::words(failed.status),
        status: format!("{:#010x}", failed.status),
        process: process.and_then(|process| touches::text(&process.name)),
        pid: failed.pid,
        tid: failed.tid,
        before_failure_us: hint.time.map(before),
        code_match: chosen.code_match,
        inf_path: chosen.inf_path,
        inf_thread: chosen.inf_thread,
        last_before_failure: chosen.last,
        repeats: chosen.repeats,
        touched_before,
    }
}

#[cfg(test)]
mod tests;
