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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::view::Source;
    use crate::pml::PmlTrace;
    use crate::trace::{Batch, Trace, Want};
    use std::path::Path;
    use tracegen::scenario::boot_case;

    fn events(trace: &PmlTrace, select: &Select<'_>) -> Batch {
        let want = Want {
            target: true,
            ..Want::default()
        };
        let mut out = Batch::default();
        for unit in 0..trace.units() {
            trace.decode(unit, &want, select, &mut out).unwrap();
        }
        out
    }

    /// What `select` gives is what it takes of all events; how many units were passed over.
    fn passed_over(trace: &PmlTrace, all: &Batch, select: &Select<'_>) -> usize {
        let rows = 0..all.len();
        let taken = rows.filter(|row| {
            let row = *row;
            let tells = all.status[row].is_some_and(|status| status >= FAILURES)
                || !all.target.get(row).is_empty() && all.class[row] == Class::FileSystem;
            select.takes(
                all.time[row],
                all.class[row],
                all.process[row],
                all.tid[row],
            ) && (select.outcomes == Outcomes::All || tells)
        });
        let expected: Vec<u64> = taken.map(|row| all.event[row]).collect();
        assert_eq!(events(trace, select).event, expected);
        let held = |facts: &&UnitFacts| !facts.may_hold(select, &trace.file().processes);
        trace.units.iter().filter(held).count()
    }

    #[test]
    fn units_are_passed_over_and_no_event_is() {
        let source = Source::Memory(boot_case().bytes().into());
        let trace = PmlTrace::from_source(source, Path::new("made.pml"), &|_| ()).unwrap();
        let all = events(&trace, &Select::default());
        assert!(trace.units() >= 3 && trace.units.len() == trace.units());
        assert_eq!(passed_over(&trace, &all, &Select::default()), 0);
        let mut by_time = 0;
        for facts in &trace.units {
            let (from, to) = (Some(facts.first), Some(facts.last));
            for (from, to) in [(from, to), (from, None), (None, to), (to, from)] {
                let select = Select {
                    from,
                    to,
                    ..Select::default()
                };
                by_time += passed_over(&trace, &all, &select);
            }
        }
        assert!(by_time >= trace.units());
        for class in Class::ALL {
            let select = Select {
                classes: vec![class],
                ..Select::default()
            };
            let over = passed_over(&trace, &all, &select);
            assert!(class != Class::Kernel || over == trace.units());
        }
        let mut by_process = 0;
        for process in 0..trace.info().processes.len() {
            let mut wanted = vec![false; trace.info().processes.len()];
            wanted[process] = true;
            for outcomes in [Outcomes::All, Outcomes::Telling] {
                let select = Select {
                    processes: Some(wanted.clone()),
                    outcomes,
                    ..Select::default()
                };
                by_process += passed_over(&trace, &all, &select);
            }
        }
        assert!(by_process > 0);
    }
}
