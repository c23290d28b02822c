//! Which evidence a trace can hold: by the events that are there, and by the kernel flags that were on.

use super::census::Census;
use super::dictionary::collect::Facts;
use super::file::EtlFile;
use super::hooks::hook_of_class;
use super::layout::{item, mode};
use super::masks::{FILE_IO, FILE_IO_INIT, GroupMasks, MINIFILTER, REGISTRY};
use crate::trace::Coverage;
use std::ops::RangeInclusive;

/// File operations and their ends.
pub const FILE_OPERATIONS: RangeInclusive<u16> = 0x0440..=0x0452;
/// Minifilter callbacks.
pub const MINIFILTER_CALLBACKS: RangeInclusive<u16> = 0x0460..=0x0465;
/// Registry operations on keys and values.
pub const REGISTRY_OPERATIONS: RangeInclusive<u16> = 0x090A..=0x0915;
/// Stacks, plain and by key.
pub const STACKS: RangeInclusive<u16> = 0x1820..=0x1826;

/// A clock that was set by less is not worth a word (100 ns).
const NOTABLE_DRIFT: u64 = 1_000_000;

impl Census {
    /// Kernel events of these hooks, with a header of the kernel logger or with their class GUID.
    pub fn count_of(&self, hooks: RangeInclusive<u16>) -> u64 {
        let kernel = self
            .hooks
            .iter()
            .map(|(hook, count)| (Some(hook.id), count));
        let classic = self.classic.iter();
        let classic = classic.map(|(c, count)| (hook_of_class(c.class, c.opcode), count));
        kernel
            .chain(classic)
            .filter(|(id, _)| id.is_some_and(|id| hooks.contains(&id)))
            .map(|(_, count)| count)
            .sum()
    }

    /// Whether any event has a stack.
    pub fn has_stacks(&self) -> bool {
        let with_event = [item::TYPE_STACK32, item::TYPE_STACK64];
        self.count_of(STACKS) > 0 || with_event.iter().any(|kind| self.items.contains_key(kind))
    }
}

/// What evidence a trace holds, and in sentences what it cannot show.
pub fn coverage(file: &EtlFile, census: &Census, facts: &Facts) -> Coverage {
    let files = census.count_of(FILE_OPERATIONS) > 0;
    let registry = census.count_of(REGISTRY_OPERATIONS) > 0;
    let minifilter = census.count_of(MINIFILTER_CALLBACKS) > 0;
    let stacks = facts.operation_stacks;
    let mut notes = Vec::new();
    if census.records.good <= 1 {
        notes.push("The trace holds no event.".to_owned());
    } else {
        let masks = &census.masks;
        notes.extend(absent(
            files,
            masks.has(FILE_IO_INIT),
            "File-system activity",
        ));
        notes.extend(absent(registry, masks.has(REGISTRY), "Registry activity"));
        notes.extend(absent(
            minifilter,
            masks.has_minifilter(),
            "Minifilter activity",
        ));
        notes.extend(halves(masks));
        if !stacks {
            let which = match census.has_stacks() {
                true => "File and registry events have no stacks",
                false => "The events have no stacks",
            };
            notes.push(format!(
                "{which}, so no driver can be tied to a file or registry operation by its frames."
            ));
        }
    }
    notes.extend(clock_note(file));
    if file.header().has_mode(mode::CIRCULAR) {
        notes.push(
            "The session wrote a ring: events older than the first may have been written over."
                .to_owned(),
        );
    }
    Coverage {
        file: files,
        registry,
        minifilter,
        stacks,
        events_lost: file.events_lost(),
        buffers_lost: file.buffers_lost() + file.missing_buffers(),
        notes,
    }
}

fn absent(there: bool, recorded: bool, what: &str) -> Option<String> {
    match (there, recorded) {
        (true, _) => None,
        (false, true) => Some(format!("{what} was recorded, and none is in the trace.")),
        (false, false) => Some(format!("{what} was not recorded.")),
    }
}

/// Operations without their ends, and callbacks without theirs.
fn halves(masks: &GroupMasks) -> Vec<String> {
    let mut out = Vec::new();
    if masks.has(FILE_IO_INIT) && !masks.has(FILE_IO) {
        out.push(
            "Ends of file operations were not recorded, so their results are not known.".to_owned(),
        );
    }
    if masks.has_minifilter() && !masks.has(MINIFILTER) {
        out.push(
            "Ends of minifilter callbacks were not recorded, so their durations are not known."
                .to_owned(),
        );
    }
    out
}

/// Times are by the wall clock at the start of the session; Windows may have set it later.
fn clock_note(file: &EtlFile) -> Option<String> {
    let drift = file
        .end_drift()
        .filter(|d| d.unsigned_abs() >= NOTABLE_DRIFT)?;
    let way = if drift > 0 { "early" } else { "late" };
    let hundredths = drift.unsigned_abs() / 100_000;
    Some(format!(
        "By the end time of the session, times of the trace are {}.{:02} s too {way}: the machine's clock was set after the session began.",
        hundredths / 100,
        hundredths % 100
    ))
}
