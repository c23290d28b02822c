//! From the records of a slice to rows of the event model.

mod emit;
mod kept;
mod walk;

#[cfg(test)]
mod slice_tests;

use super::classes::class_of;
use super::gather::{Loaded, Placed, hook_of, in_order};
use super::keys::placing_start;
use super::link::stacks::SliceStacks;
use super::trace::EtlTrace;
use crate::trace::{Batch, Class, Frames, Select, Want};
use emit::Emit;
use std::io;
use walk::Walk;

/// Whether a record has to be seen even where its class is not wanted: others are understood by it.
#[inline]
fn tells_of_others(hook: u16) -> bool {
    matches!(hook, 0x0440..=0x0452 | 0x0460..=0x0465 | 0x0524)
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
    let loaded = Loaded::new(trace.file(), slice, with_stacks)?;
    let mut space = loaded.space();
    let mut placed: Vec<Placed<'_>> = Vec::with_capacity(slice.records);
    let mut stacks = SliceStacks::default();
    let wanted = |class| select.classes.is_empty() || select.classes.contains(&class);
    let numbers = trace.first_numbers();
    let buffers = trace.file().buffers();
    let callback_starts = trace.facts().callback_starts;
    loaded.for_each(&mut space, |buffer, place, record| {
        let number = numbers.get(buffer).map_or(0, |n| n + u64::from(place));
        let hook = hook_of(&record);
        // A record without a time goes where its buffer begins.
        let ticks = record.time().unwrap_or_else(|| trace.buffer_start(buffer));
        let key = trace.key(buffer as u32, ticks);
        let class = hook.map_or(Class::Event, |hook| class_of(hook.id));
        if let Some(hook) = hook {
            if with_stacks && let 0x1820 | 0x1825 | 0x1826 = hook.id {
                let event = crate::bytes::i64_at(record.payload(), 0);
                if event.is_some_and(|event| slice.holds(trace.key(buffer as u32, event))) {
                    stacks.add(hook.id, &record, key, number);
                }
            }
            if !wanted(class) && !tells_of_others(hook.id) {
                return;
            }
        } else if !wanted(class) {
            return;
        }
        let start = hook.and_then(|hook| {
            let payload = record.payload();
            placing_start(hook, payload, record.wide(), ticks, callback_starts)
        });
        let start = start.map_or(key, |start| trace.key(buffer as u32, start));
        if slice.holds(start) {
            placed.push(Placed {
                start,
                ticks,
                number,
                buffer: buffer as u32,
                cpu: buffers.get(buffer).map_or(0, |b| b.cpu),
                hook,
                record,
            });
        }
    });
    stacks.finish();
    let imports = trace.links().imports(at);
    let mut walk = Walk::new(trace, select, imports);
    for index in in_order(&placed) {
        walk.record(index, &placed[index as usize]);
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
        emit.row(kept, &placed[kept.record as usize], out);
    }
    Ok(())
}
