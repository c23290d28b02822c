//! From tallies to the words and numbers of the findings.

use super::analyze::{Case, CaseInput};
use super::schema::{DriverFinding, Evidence, Input, MachineFacts, PathCount, Verdict, Window};
use super::tally::{Counts, DriverTally, Paths};
use super::touch::Touch;
use crate::codes::procmon::write_result;
use crate::drivers::{Basis, Driver, DriverList, Role};
use crate::lang::Message;
use crate::say;
use crate::trace::Coverage;
use crate::trace::path::file_name;

/// Paths listed for a driver.
const PATHS_LISTED: usize = 100;

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

/// What a driver did, as the findings say it.
pub fn finding(
    case: &Case<'_>,
    lists: &[DriverList],
    window: &Window,
    driver: &Driver,
    tally: &DriverTally,
    touched: (&[(u32, Counts)], &Paths),
) -> DriverFinding {
    let (paths, paths_more) = path_counts(touched);
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
        delay_us_total: micros(tally.callbacks),
        first: tally.first,
        last: tally.last,
        paths,
        paths_more,
        evidence: tally
            .evidence
            .iter()
            .map(|touch| evidence(case, lists, window, touch))
            .collect(),
    }
}

/// The paths to list, and how many more there are; paths beyond the counted ones are one more.
fn path_counts((touched, paths): (&[(u32, Counts)], &Paths)) -> (Vec<PathCount>, u64) {
    let mut counts: Vec<(u64, u64, &str)> = touched
        .iter()
        .filter_map(|(path, (touches, failures))| Some((*failures, *touches, paths.get(*path)?)))
        .collect();
    let order = |a: &(u64, u64, &str), b: &(u64, u64, &str)| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2));
    if counts.len() > PATHS_LISTED {
        counts.select_nth_unstable_by(PATHS_LISTED, order);
        counts.truncate(PATHS_LISTED);
    }
    counts.sort_unstable_by(order);
    let listed: Vec<PathCount> = counts
        .iter()
        .map(|(failures, touches, path)| PathCount {
            path: (*path).to_owned(),
            touches: *touches,
            failures: *failures,
        })
        .collect();
    let more = touched.len() - listed.len();
    (listed, more as u64)
}

fn evidence(case: &Case<'_>, lists: &[DriverList], window: &Window, touch: &Touch) -> Evidence {
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
        callback: touch.callback,
        operation: touch.operation,
        path: touch.path.clone(),
        target_path: text(&touch.target),
        result,
        status: touch.status.map(|status| format!("{status:#010x}")),
        process: process.and_then(|process| text(&process.name)),
        pid: process.map(|process| process.pid),
        tid: touch.tid,
        duration_us: touch.duration.map(micros),
        phase: window.phase_of(touch.time),
        reason: touch.reason,
        frames: touch
            .frames
            .iter()
            .map(|(image, offset)| format!("{}+{offset:#x}", images[*image as usize].name))
            .collect(),
    }
}

/// A file that was read.
pub fn describe_input(input: &CaseInput<'_>) -> Input {
    let info = input.trace.info();
    Input {
        path: input.name.clone(),
        kind: info.kind.into(),
        role: super::schema::InputRole::Trace,
        bytes: info.bytes,
        events: info.records.good,
        first: info.first,
        last: info.last,
        warnings: info.warnings.clone(),
        records: Some(info.records),
    }
}

/// The traced machine, and a warning where the traces name more than one.
pub fn machine(case: &Case<'_>, warnings: &mut Vec<Message>) -> MachineFacts {
    let mut machines = case.inputs.iter().map(|input| &input.trace.info().machine);
    let first = machines.next().map(MachineFacts::from).unwrap_or_default();
    let other = machines.find(|machine| {
        matches!((&machine.name, &first.name), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b))
    });
    if let Some(other) = other {
        warnings.push(say!(
            en: "The traces come from different machines ({one} and {other}): do they belong to one case?",
            zh: "这些跟踪来自不同的计算机（{one} 和 {other}）：它们属于同一个案例吗？",
            one = first.name.as_deref().unwrap_or("?"),
            other = other.name.as_deref().unwrap_or("?"),
        ));
    }
    first
}

/// What the traces hold together.
pub fn coverage(case: &Case<'_>) -> Coverage {
    let mut out = Coverage::default();
    for input in &case.inputs {
        let coverage = &input.trace.info().coverage;
        out.file |= coverage.file;
        out.registry |= coverage.registry;
        out.minifilter |= coverage.minifilter;
        out.stacks |= coverage.stacks;
        out.modules |= coverage.modules;
        out.events_lost += coverage.events_lost;
        out.buffers_lost += coverage.buffers_lost;
        for note in &coverage.notes {
            if !out.notes.contains(note) {
                out.notes.push(note.clone());
            }
        }
    }
    // What one trace lacks and another of the case holds is no gap.
    if out.minifilter {
        let known = Coverage::no_callbacks_in_procmon();
        out.notes.retain(|note| *note != known);
    }
    out
}

/// What is odd about the drivers.
pub fn identity_warnings(case: &Case<'_>, drivers: &[&Driver]) -> Vec<Message> {
    let mut out = Vec::new();
    if drivers.is_empty() && case.inputs.iter().any(|i| i.trace.info().records.good > 0) {
        out.push(say!(
            en: "The traces list no kernel modules: no stack frame can be tied to a driver.",
            zh: "跟踪中没有内核模块列表：无法将任何堆栈帧对应到驱动程序。",
        ));
    } else if !drivers.is_empty() && !case.inputs.iter().any(|i| i.trace.info().coverage.modules) {
        out.push(say!(
            en: "The list of kernel modules is lost: only drivers that were loaded during the traces are known, and frames of all others have no name. That a driver is not seen clears nobody.",
            zh: "内核模块列表已丢失：只知道跟踪期间加载的驱动程序，其他驱动程序的堆栈帧没有名称。没有看到某个驱动程序，并不能排除任何驱动程序。",
        ));
    }
    for driver in drivers {
        if driver.third_party
            && driver.basis == Basis::Company
            && crate::drivers::tables::is_inbox(file_name(&driver.path))
        {
            out.push(say!(
                en: "{name} has the name of a Windows driver and the company '{company}': check where it comes from ({path}).",
                zh: "{name} 与 Windows 驱动程序同名，公司却是“{company}”：请核实其来源（{path}）。",
                name = driver.name,
                company = driver.company.trim(),
                path = driver.path,
            ));
        }
    }
    out
}
