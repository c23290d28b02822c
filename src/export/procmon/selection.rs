//! The records that a filter takes.

use crate::drivers::DriverList;
use crate::export::pool::Pool;
use crate::export::{Filter, Rows, Table};
use crate::pml::{PmlTrace, Record};
use crate::trace::{Trace as _, Zone};
use std::io;

/// A log and a choice of its events.
pub(super) struct Selection<'a> {
    trace: &'a PmlTrace,
    /// Tells which events pass; `None` where all do.
    table: Option<Table<'a>>,
    rows: Pool<Rows>,
}

impl<'a> Selection<'a> {
    /// The events of `trace` that `filter` takes; `drivers` are those of the trace.
    pub fn new(trace: &'a PmlTrace, drivers: &'a DriverList, filter: &'a Filter) -> Self {
        const NO_TEXT: &Zone = &Zone::UTC;
        Self {
            trace,
            table: (!takes_all(filter))
                .then(|| Table::new(trace, drivers, "", &[], filter, NO_TEXT)),
            rows: Pool::default(),
        }
    }

    /// Number of units; see [`PmlTrace::unit`].
    pub fn units(&self) -> usize {
        self.trace.units()
    }

    /// Hands the chosen records of a unit to `each`, in order; their number.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn for_each(&self, unit: usize, mut each: impl FnMut(&Record<'_>)) -> io::Result<u64> {
        let records = self.trace.unit(unit)?;
        let mut count = 0;
        let mut take = |at: usize| {
            if let Ok(record) = records.record(at) {
                each(&record);
                count += 1;
            }
        };
        match &self.table {
            None => (0..records.len()).for_each(take),
            Some(table) => {
                let mut rows = self.rows.take();
                rows.clear();
                table.append(unit, &mut rows)?;
                for row in &rows.selected {
                    let number = rows.batch.event[*row as usize] as usize;
                    take(number.saturating_sub(records.first()));
                }
                self.rows.give(rows);
            }
        }
        Ok(count)
    }
}

/// Whether a filter has no condition. Named field by field, so that a new condition cannot be forgotten here.
fn takes_all(filter: &Filter) -> bool {
    let Filter {
        from,
        to,
        classes,
        operations,
        pids,
        tids,
        statuses,
        failures,
        driver_store,
        third_party,
        rules: _,
        processes,
        paths,
    } = filter;
    let bounds = from.is_none() && to.is_none();
    let lists = classes.is_empty()
        && operations.is_empty()
        && pids.is_empty()
        && tids.is_empty()
        && statuses.is_empty();
    let patterns = processes.is_none() && paths.is_none();
    bounds && lists && patterns && !failures && !driver_store && !third_party
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_condition_counts() {
        assert!(takes_all(&Filter::default()));
        let failures = Filter {
            failures: true,
            ..Filter::default()
        };
        assert!(!takes_all(&failures));
        let tids = Filter {
            tids: vec![8],
            ..Filter::default()
        };
        assert!(!takes_all(&tids));
    }
}
