//! Callbacks that refuse. Their failure may be logged some time after their end, so these are not done with when they end.

use crate::etl::link::pairing::CallbackKey;
use crate::etl::sieve::Addressed;

/// The callbacks of a trace of which any refuses, and when.
#[derive(Debug, Default)]
pub struct Refused {
    marks: Addressed,
    /// Marks with the times of the failures, as keys.
    rows: Vec<(u64, i64)>,
    /// Whether there are so many that they are not told apart.
    full: bool,
}

/// Failures that are told apart.
const MOST: usize = 1 << 20;

impl Refused {
    /// A callback refuses at `time` (a key).
    pub fn add(&mut self, key: &CallbackKey, time: i64) {
        self.add_row((key.mark(), time));
    }

    fn add_row(&mut self, row: (u64, i64)) {
        match self.rows.len() < MOST {
            true => {
                self.marks.add(row.0);
                self.rows.push(row);
            }
            false => self.full = true,
        }
    }

    /// Adds those of another stretch.
    pub fn merge(&mut self, other: Self) {
        self.full |= other.full;
        other.rows.into_iter().for_each(|row| self.add_row(row));
    }

    /// Puts them in order; without this nothing is found.
    pub fn finish(&mut self) {
        self.rows.sort_unstable();
    }

    /// Whether a failure of the callback with this mark may be logged from `from` to `to` (keys).
    #[inline]
    pub fn may_hold(&self, mark: u64, from: i64, to: i64) -> bool {
        self.full || self.marks.holds(mark) && self.is_between(mark, from, to)
    }

    fn is_between(&self, mark: u64, from: i64, to: i64) -> bool {
        let next = self.rows.partition_point(|row| *row < (mark, from));
        self.rows
            .get(next)
            .is_some_and(|row| row.0 == mark && row.1 <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Phase;

    #[test]
    fn a_failure_is_found_by_its_time() {
        let key = |data| CallbackKey {
            routine: 1,
            data,
            phase: Phase::Pre,
        };
        let mut refused = Refused::default();
        for (data, time) in [(2, 500), (3, 100), (2, 100)] {
            refused.add(&key(data), time);
        }
        refused.finish();
        let finds = |data, from, to| refused.may_hold(key(data).mark(), from, to);
        assert!(finds(2, 100, 100) && finds(2, 101, 500) && finds(3, 0, 900));
        assert!(!finds(2, 101, 499) && !finds(3, 101, 900) && !finds(4, 0, 900));
    }
}
