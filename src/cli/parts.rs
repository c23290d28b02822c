//! Putting the parts of a split log together: told by their names, held against their headers and times.

use super::open::OpenTrace;
use crate::input::split::PartName;
use crate::lang::Message;
use crate::pml::{PmlTrace, parts::join};
use crate::say;
use crate::trace::path::file_name;
use crate::trace::time::TICKS_PER_SECOND;
use std::collections::HashMap;

/// A trace with the name that messages use.
type Named = (String, OpenTrace);

/// What there is to tell of a part.
#[derive(Debug, PartialEq, Eq)]
pub struct PartNote {
    /// Position of the trace.
    pub trace: usize,
    /// What, in a sentence.
    pub text: Message,
    /// Whether it is that a part is missing.
    pub is_loss: bool,
}

/// Time without an event between two parts that is worth telling: a running machine is never silent for so long.
const GAP: u64 = TICKS_PER_SECOND;

/// Time by which a part may begin before the one in front of it ends: operations end in another order than they
/// begin. Chosen, not seen in real files.
const OVERLAP: u64 = 10 * TICKS_PER_SECOND;

/// Puts parts into the order of their numbers, at the place of the first one given, and joins what they know.
///
/// Files are parts of one log when their names say so, their headers name one machine, and, where the part
/// without a number is not there, their times are in order.
pub fn put_together(traces: &mut Vec<Named>) -> Vec<PartNote> {
    let mut notes = Vec::new();
    let groups = groups(traces);
    if groups.iter().all(|group| group.len() < 2) {
        return notes;
    }
    let mut slots: Vec<Option<Named>> = traces.drain(..).map(Some).collect();
    for group in groups {
        let at = traces.len();
        traces.extend(
            group
                .iter()
                .filter_map(|(_, slot)| slots.get_mut(*slot)?.take()),
        );
        let numbers: Vec<u32> = group.iter().map(|(number, _)| *number).collect();
        if let Some(named) = traces.get_mut(at..).filter(|_| numbers.len() > 1) {
            put_group_together(named, &numbers, at, &mut notes);
        }
    }
    notes
}

/// The traces by log: each a list of part numbers with positions, ascending; logs in the order of their first trace.
fn groups(traces: &[Named]) -> Vec<Vec<(u32, usize)>> {
    let mut out: Vec<Vec<(u32, usize)>> = Vec::new();
    let mut of_log: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (name, trace)) in traces.iter().enumerate() {
        let (Some(part), OpenTrace::Pml(pml)) = (PartName::of(name), trace) else {
            out.push(vec![(0, at)]);
            continue;
        };
        let known = of_log.entry(part.log).or_default();
        let fitting = known.iter().copied().find(|group| {
            out.get(*group).is_some_and(|members| {
                let first = members.first().and_then(|(_, first)| traces.get(*first));
                let same_machine = matches!(
                    first,
                    Some((_, OpenTrace::Pml(first)))
                        if first.file().header().is_same_machine(pml.file().header())
                );
                same_machine && members.iter().all(|(number, _)| *number != part.number)
            })
        });
        match fitting.and_then(|group| out.get_mut(group)) {
            Some(members) => members.push((part.number, at)),
            None => {
                known.push(out.len());
                out.push(vec![(part.number, at)]);
            }
        }
    }
    let mut split = Vec::with_capacity(out.len());
    for mut group in out {
        let given = group.clone();
        group.sort_unstable();
        let has_base = group.first().is_some_and(|(number, _)| *number == 0);
        match has_base || are_in_order(traces, &group) {
            true => split.push(group),
            // Names that end in a number by chance.
            false => split.extend(given.into_iter().map(|member| vec![member])),
        }
    }
    split
}

fn are_in_order(traces: &[Named], group: &[(u32, usize)]) -> bool {
    group.windows(2).all(|pair| match pair {
        [(_, a), (_, b)] => match (traces.get(*a), traces.get(*b)) {
            (Some((_, a)), Some((_, b))) => follows(a, b),
            _ => false,
        },
        _ => true,
    })
}

/// Whether `next` can be the part behind `part`, by their times. A part without events fits anywhere.
fn follows(part: &OpenTrace, next: &OpenTrace) -> bool {
    let (part, next) = (part.info(), next.info());
    match (part.first, part.last, next.first, next.last) {
        (Some(first), Some(last), Some(next_first), Some(next_last)) => {
            next_first >= first && next_last >= last && next_first.plus(OVERLAP) >= last
        }
        _ => true,
    }
}

/// Tells of what is missing between the parts `named`, which start at position `at`, and joins them.
fn put_group_together(named: &mut [Named], numbers: &[u32], at: usize, notes: &mut Vec<PartNote>) {
    let mut in_order = true;
    let first_missing = numbers.first().filter(|number| **number > 0);
    if let (Some(number), Some((name, _))) = (first_missing, named.first()) {
        notes.push(PartNote {
            trace: at,
            text: missing(name, 0, number.saturating_sub(1)),
            is_loss: true,
        });
    }
    for (offset, (pair, numbers)) in named.windows(2).zip(numbers.windows(2)).enumerate() {
        let ([(name, part), (next_name, next)], [number, next_number]) = (pair, numbers) else {
            continue;
        };
        if next_number - number > 1 {
            notes.push(PartNote {
                trace: at + offset + 1,
                text: missing(name, number + 1, next_number - 1),
                is_loss: true,
            });
        }
        let mut note = |text| {
            notes.push(PartNote {
                trace: at + offset + 1,
                text,
                is_loss: false,
            });
        };
        let shown = (file_name(name), file_name(next_name));
        if !follows(part, next) {
            in_order = false;
            note(say!(
                en: "{next} has the name of a part behind {part}, and its times do not lie behind it: are they parts of one log? Each is read by itself.",
                zh: "从名称看 {next} 是 {part} 之后的部分，但其时间并不在后面：它们属于同一个日志吗？现分别读取。",
                next = shown.1,
                part = shown.0,
            ));
            continue;
        }
        if let (Some(last), Some(first)) = (part.info().last, next.info().first) {
            let gap = first.0.saturating_sub(last.0);
            if gap >= GAP {
                note(say!(
                    en: "No event for {seconds:.1} s between {part} and {next}: from {last} to {first}.",
                    zh: "{part} 与 {next} 之间有 {seconds:.1} 秒没有事件：从 {last} 到 {first}。",
                    seconds = gap as f64 / TICKS_PER_SECOND as f64,
                    part = shown.0,
                    next = shown.1,
                ));
            }
        }
    }
    if in_order {
        let mut parts: Vec<&mut PmlTrace> = named
            .iter_mut()
            .filter_map(|(_, trace)| match trace {
                OpenTrace::Pml(trace) => Some(&mut **trace),
                OpenTrace::Etl(_) => None,
            })
            .collect();
        join(&mut parts);
    }
}

/// Names the parts `from..=to` of the log that `name` is a part of.
fn missing(name: &str, from: u32, to: u32) -> Message {
    let part = |number| PartName::sibling(name, number).unwrap_or_default();
    match to - from {
        0 => say!(
            en: "Part {part} of the log is missing or cannot be read: what happened in that time is not known.",
            zh: "日志缺少 {part} 这一部分，或者无法读取：这段时间发生了什么不得而知。",
            part = part(from),
        ),
        _ => say!(
            en: "Parts {first} to {last} of the log are missing or cannot be read: what happened in that time is not known.",
            zh: "日志缺少 {first} 至 {last} 这几个部分，或者无法读取：这段时间发生了什么不得而知。",
            first = part(from),
            last = part(to),
        ),
    }
}
