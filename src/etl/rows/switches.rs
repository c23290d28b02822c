//! Which thread runs on a processor, at each moment of a slice.

use crate::etl::gather::Order;

/// The context switches of a slice that are no rows: they need not be put in order with all other records.
#[derive(Debug, Default)]
pub struct Switches {
    /// By processor, then by order.
    rows: Vec<(u16, Order, u32)>,
}

impl Switches {
    /// Processor `cpu` goes on with thread `tid`.
    #[inline]
    pub fn add(&mut self, order: Order, cpu: u16, tid: u32) {
        self.rows.push((cpu, order, tid));
    }

    /// Puts them in order; without this nothing is found. Of two with one order the later one holds.
    pub fn finish(&mut self) {
        self.rows.sort_by_key(|row| (row.0, row.1));
    }

    /// The thread that processor `cpu` went on with last before a record of that order.
    pub fn before(&self, order: Order, cpu: u16) -> Option<u32> {
        let next = self
            .rows
            .partition_point(|row| (row.0, row.1) <= (cpu, order));
        let row = self.rows.get(next.checked_sub(1)?)?;
        (row.0 == cpu).then_some(row.2)
    }
}
