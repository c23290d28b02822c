//! From the records of a slice to rows of the event model.

mod emit;
mod kept;
mod reach;
mod walk;

#[cfg(test)]
mod slice_tests;

use super::classes::class_of;
use super::gather::{Loaded, hook_of};
use super::keys::placing_start;
use super::link::stacks::SliceStacks;
use super::trace::EtlTrace;
use crate::trace::{Batch, Class, Frames, Select, Want};
use emit::Emit;
use hashbrown::HashSet;
use kept::Kept;
use reach::Reach;
use std::io;
use walk::Walk;

/// Whether a record has to be seen even where its class is not wanted: others are understood by it.
#[inline]
fn tells_of_others(hook: u16, files: bool) -> bool {
    hook == 0x0524 || files && matches!(hook, 0x0440..=0x0452)
}

/// Appends the events of slice `at` that `select` takes.
///
/// # Errors
/// When the file can no longer be read.
pub fn decode(
    trace: &EtlTrace,
    at: usize,
    want: &Want,
    select: &Select<'_>,
    out: &mut Batch,
) -> io::Result<()> {
    let Some(slice) = trace.links().slices.get(at) else {
        return Ok(());
    };
    if !trace.may_hold(slice, select.from, select.to) {
        return Ok(());
    }
    let with_stacks = want.frames != Frames::None;
    let loaded = Loaded::new(trace.file(), slice, with_stacks);
    let mut space = loaded.space();
    let mut stacks = SliceStacks::default();
    let wanted = |class| select.classes.is_empty() || select.classes.contains(&class);
    let files = wanted(Class::FileSystem) || wanted(Class::Minifilter);
    let numbers = trace.first_numbers();
    let callback_starts = trace.facts().callback_starts;
    let imports = trace.links().imports(at);
    let mut reach = files
        .then(|| Reach::new(trace, imports, select, slice.records))
        .flatten();
    let mut records = loaded.gather(numbers, &mut space, |entries, place, record| {
        let hook = hook_of(&record);
        let buffer = place.buffer as u32;
        // A record without a time goes where its buffer begins.
        let ticks = record.time();
        let ticks = ticks.unwrap_or_else(|| trace.buffer_start(place.buffer));
        let key = trace.key(buffer, ticks);
        let class = hook.map_or(Class::Event, |hook| class_of(hook.id));
        if let Some(hook) = hook {
            if with_stacks && let 0x1820 | 0x1825 | 0x1826 = hook.id {
                let event = crate::bytes::i64_at(record.payload(), 0);
                if let Some(event) = event.filter(|at| slice.holds(trace.key(buffer, *at))) {
                    stacks.note(hook.id, record, event, key);
                }
            }
            if !wanted(class) && !tells_of_others(hook.id, files) {
                return;
            }
        } else if !wanted(class) {
            return;
        }
        let start = hook.and_then(|hook| {
            let payload = record.payload();
            placing_start(hook, payload, record.wide(), ticks, callback_starts)
        });
        let start = start.map_or(key, |start| trace.key(buffer, start));
        if slice.holds(start) {
            entries.take(start, place);
            if let Some(reach) = &mut reach {
                let first = numbers.get(place.buffer).copied().unwrap_or(0);
                reach.see(hook, &record, first + place.index());
            }
        }
    })?;
    match reach.map(Reach::finish) {
        Some(keep) => records.sort(keep),
        None => records.sort(|| true),
    }
    let no_time = |buffer| trace.buffer_start(buffer);
    let mut walk = Walk::new(trace, select, imports);
    for at in 0..records.len() {
        if let Some(placed) = records.get(at, no_time) {
            walk.record(at as u32, &placed);
        }
    }
    if select.paths.is_some() {
        let mut needed: HashSet<i64> = walk.rows.iter().flat_map(Kept::further_ticks).collect();
        let own = |kept: &Kept| Some(records.get(kept.record as usize, no_time)?.ticks);
        needed.extend(walk.rows.iter().filter_map(own));
        stacks.finish(|ticks| needed.contains(&ticks));
    } else {
        stacks.finish(|_| true);
    }
    let mut emit = Emit {
        trace,
        want,
        imports,
        stacks: &stacks,
        arena: &walk.arena,
        frames: Vec::new(),
        name: String::new(),
    };
    for kept in &walk.rows {
        if let Some(placed) = records.get(kept.record as usize, no_time) {
            emit.row(kept, &placed, out);
        }
    }
    Ok(())
}
