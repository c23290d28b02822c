//! From the records of a slice to rows of the event model.

mod by_owner;
mod by_path;
mod choice;
mod emit;
mod kept;
mod pairs;
mod reach;
mod switches;
mod walk;

#[cfg(test)]
mod slice_tests;

use super::gather::Loaded;
use super::link::stacks::Needed;
use super::trace::EtlTrace;
use crate::trace::{Batch, Frames, Select, Want};
use choice::Choice;
use emit::Emit;
use hashbrown::HashSet;
use kept::Kept;
use reach::Reach;
use std::io;
use walk::Walk;

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
    let imports = trace.links().imports(at);
    let mut choice = Choice::new(trace, slice, (select, with_stacks), imports);
    let mut records = loaded.gather(trace.first_numbers(), &mut space, &mut choice)?;
    let Choice {
        mut stacks,
        mut switches,
        reach,
        ..
    } = choice;
    match reach.map(Reach::finish) {
        Some(verdicts) => records.sort(|number| verdicts.keeps(number)),
        None => records.sort(|_| true),
    }
    let no_time = |buffer| trace.buffer_start(buffer);
    switches.finish();
    let mut walk = Walk::new(trace, select, imports, &switches);
    for at in 0..records.len() {
        if let Some(placed) = records.get(at, no_time) {
            walk.record(at as u32, records.order(at), &placed);
        }
    }
    walk.finish();
    let written = |buffer, ticks| trace.key(buffer, ticks);
    if select.paths.is_some() {
        let mut needed: HashSet<i64> = walk.rows.iter().flat_map(Kept::further_ticks).collect();
        let own = |kept: &Kept| Some(records.get(kept.record as usize, no_time)?.ticks);
        needed.extend(walk.rows.iter().filter_map(own));
        stacks.finish(&records, Needed::these(&needed), written);
    } else {
        stacks.finish(&records, Needed::All, written);
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
