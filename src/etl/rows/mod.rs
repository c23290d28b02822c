//! From the records of a slice to rows of the event model.

mod by_noted;
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

use super::gather::{Entries, Loaded, Slots};
use super::link::Links;
use super::link::columns::Chosen;
use super::link::stacks::Needed;
use super::slices::Slice;
use super::trace::EtlTrace;
use crate::trace::{Class, Foreseen, Frames, Job, Outcomes, Select};
use choice::{AT_ONCE, Choice, Choices, reads_files};
use emit::Emit;
use hashbrown::HashSet;
use kept::Kept;
use reach::Reach;
use std::io;
use walk::Walk;

/// Does the `jobs` on slice `at`: appends the events that each selects to its batch.
///
/// # Errors
/// When the file can no longer be read.
pub fn decode(trace: &EtlTrace, at: usize, jobs: &mut [Job<'_>]) -> io::Result<()> {
    let Some(slice) = trace.links().slices.get(at) else {
        return Ok(());
    };
    let noted = trace.links().noted(at);
    let list = noted.and_then(|noted| noted.chosen.as_ref());
    let (mut listed, mut others) = (Vec::new(), Vec::new());
    for job in jobs {
        let select = job.select;
        if !trace.may_hold(slice, select.from, select.to) {
            continue;
        }
        let foreseen = match trace.links().knows(job.want.frames) {
            true => how_far(trace, select),
            false => Foreseen::Nothing,
        };
        let by_list = list.filter(|_| foreseen == Foreseen::FilesAndKeys);
        if by_list.is_some_and(Chosen::is_empty) {
            continue;
        }
        let links = match foreseen {
            Foreseen::Nothing => trace.all_links()?,
            _ => trace.links(),
        };
        let reach = reads_files(select).then(|| Reach::new(trace, links, at, select));
        let reach = reach.flatten();
        let files = |class: &Class| matches!(class, Class::FileSystem | Class::Minifilter);
        let only_files = !select.classes.is_empty() && select.classes.iter().all(files);
        if only_files && reach.as_ref().is_some_and(Reach::is_idle) {
            continue;
        }
        match by_list {
            Some(_) => listed.push((links, reach, job)),
            None => others.push((links, reach, job)),
        }
    }
    for (mut wanted, list) in [(listed, list), (others, None)] {
        while !wanted.is_empty() {
            let rest = wanted.split_off(wanted.len().min(AT_ONCE));
            read(trace, (at, slice), list, wanted)?;
            wanted = rest;
        }
    }
    Ok(())
}

/// How far a selection was foreseen when the trace was opened, keys included only where the list of chosen records serves.
fn how_far(trace: &EtlTrace, select: &Select<'_>) -> Foreseen {
    const LISTED: [Class; 3] = [Class::FileSystem, Class::Registry, Class::Minifilter];
    let known = !select.classes.is_empty() && select.classes.iter().all(|c| LISTED.contains(c));
    match (&select.processes, select.memo) {
        _ if !trace.links().is_partial() => Foreseen::Nothing,
        (_, Some(_)) if select.paths.is_some() => match select.foreseen {
            Foreseen::FilesAndKeys if !known => Foreseen::Files,
            foreseen => foreseen,
        },
        (Some(processes), Some(_))
            if select.outcomes == Outcomes::Telling
                && known
                && !select.classes.contains(&Class::Minifilter)
                && trace.links().knows_own(processes) =>
        {
            Foreseen::FilesAndKeys
        }
        _ => Foreseen::Nothing,
    }
}

/// Does as many jobs as one reading can serve, of the records that are listed or of all.
fn read<'l>(
    trace: &'l EtlTrace,
    (at, slice): (usize, &'l Slice),
    list: Option<&Chosen>,
    jobs: Vec<(&'l Links, Option<Reach<'l>>, &mut Job<'_>)>,
) -> io::Result<()> {
    let with_stacks = |job: &Job<'_>| job.want.frames != Frames::None;
    let any_stacks = list.is_some() || jobs.iter().any(|(.., job)| with_stacks(job));
    let loaded = match list {
        Some(Chosen::Copied(_)) => Loaded::without_bytes(trace.file(), slice),
        _ => Loaded::new(trace.file(), slice, &trace.facts().cuts, any_stacks)?,
    };
    let mut space = loaded.space();
    let (mut choices, mut left) = (Vec::new(), Vec::new());
    for (links, reach, job) in jobs {
        let what = (job.select, with_stacks(job));
        choices.push(Choice::new(trace, slice, what, reach, &mut space));
        left.push((links, job));
    }
    let mut choices = Choices(choices);
    let numbers = trace.first_numbers();
    let slots = match list {
        Some(Chosen::Copied(copied)) => loaded.pick_copied(copied, numbers, &mut choices),
        Some(Chosen::At(list)) => loaded.pick(list, numbers, &mut space, &mut choices)?,
        None => loaded.gather(numbers, &mut space, &mut choices)?,
    };
    let mut done = Vec::with_capacity(AT_ONCE);
    for ((links, job), choice) in left.into_iter().zip(choices.0) {
        let links = (links, at, list.is_some());
        done.push(finish(trace, links, &slots, choice, job));
    }
    for entries in done {
        space.keep(entries);
    }
    Ok(())
}

/// From what was chosen to rows; the entries are given back.
fn finish<'a>(
    trace: &EtlTrace,
    (links, at, listed): (&Links, usize, bool),
    slots: &Slots<'a>,
    choice: Choice<'_, 'a>,
    job: &mut Job<'_>,
) -> Entries {
    let Choice {
        mut stacks,
        mut switches,
        reach,
        mut entries,
        ..
    } = choice;
    let (select, imports) = (job.select, links.imports(at));
    let records = match reach.map(|reach| reach.finish(&mut entries)) {
        Some(verdicts) => slots.in_order(entries, |number| verdicts.keeps(number)),
        None => slots.in_order(entries, |_| true),
    };
    let no_time = |buffer| trace.buffer_start(buffer);
    switches.finish();
    let mut walk = Walk::new(trace, select, (links, at), &switches);
    for at in 0..records.len() {
        if let Some(placed) = records.get(at, no_time) {
            walk.record(at as u32, records.order(at), &placed);
        }
    }
    walk.finish();
    let written = |buffer, ticks| trace.key(buffer, ticks);
    // Where records were chosen, so were their stacks.
    if select.paths.is_some() && !listed {
        let mut needed: HashSet<i64> = HashSet::with_capacity(2 * walk.rows.len());
        needed.extend(walk.rows.iter().flat_map(Kept::all_ticks));
        stacks.finish(slots, Needed::these(&needed), written);
    } else if !walk.rows.is_empty() {
        stacks.finish(slots, Needed::All, written);
    }
    let mut emit = Emit {
        trace,
        want: job.want,
        imports,
        stacks: &stacks,
        arena: &walk.arena,
        frames: Vec::new(),
        name: String::new(),
    };
    for kept in &walk.rows {
        if let Some(placed) = records.get(kept.record as usize, no_time) {
            emit.row(kept, &placed, job.batch);
        }
    }
    records.into_entries()
}
