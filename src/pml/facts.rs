//! What the first pass learns of each unit, so that later ones need not touch the units that hold nothing for them.

use super::detail;
use super::processes::Processes;
use super::record::Record;
use crate::trace::{Class, Filetime, Outcomes, Select};

/// What the records of a unit have between them.
#[derive(Debug, Clone, Copy)]
pub struct UnitFacts {
    first: Filetime,
    last: Filetime,
    /// A bit for each class.
    classes: u16,
    /// A bit for each process, by the number that records use for it; several share one.
    processes: u64,
    /// Whether one is [telling](tells).
    telling: bool,
}

impl Default for UnitFacts {
    fn default() -> Self {
        Self {
            first: Filetime(u64::MAX),
            last: Filetime(0),
            classes: 0,
            processes: 0,
            telling: false,
        }
    }
}

/// NTSTATUS values from here on are warnings and errors.
const FAILURES: u32 = 0x8000_0000;

/// Whether a record may be of what [`Outcomes::Telling`] asks for.
#[inline]
pub fn tells(record: &Record<'_>) -> bool {
    record.status() >= FAILURES || detail::names_file_anew(record)
}

#[inline]
fn process_bit(number: u32) -> u64 {
    1 << (number % 64)
}

impl UnitFacts {
    /// Adds a record.
    #[inline]
    pub fn note(&mut self, record: &Record<'_>, time: Filetime, class: Class) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.classes |= 1 << class as u8;
        self.processes |= process_bit(record.process_index());
        self.telling = self.telling || tells(record);
    }

    /// Whether a record of the unit may be one that `select` takes.
    pub fn may_hold(&self, select: &Select<'_>, processes: &Processes) -> bool {
        select.from.is_none_or(|from| from <= self.last)
            && select.to.is_none_or(|to| to >= self.first)
            && (select.classes.is_empty()
                || select
                    .classes
                    .iter()
                    .any(|class| self.classes & 1 << *class as u8 != 0))
            && (select.outcomes == Outcomes::All || self.telling)
            && select.processes.as_ref().is_none_or(|wanted| {
                let wanted = (0..wanted.len()).filter(|position| wanted[*position]);
                wanted
                    .filter_map(|position| processes.number(position))
                    .any(|number| self.processes & process_bit(number) != 0)
            })
    }
}
