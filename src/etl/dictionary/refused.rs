//! Callbacks that refuse. Their failure may be logged some time after their end, so these are not done with when they end.

use crate::etl::link::pairing::CallbackKey;
use crate::etl::sieve::Addressed;

/// The callbacks of a trace of which any refuses, whenever it does.
#[derive(Debug, Default)]
pub struct Refused {
    marks: Addressed,
    /// Whether there are so many that they are not told apart.
    full: bool,
}

/// Callbacks that are told apart. A machine has some hundred routines and some thousand requests at a time.
const MOST: usize = 1 << 20;

impl Refused {
    /// A callback refuses.
    pub fn add(&mut self, key: &CallbackKey) {
        self.add_mark(key.mark());
    }

    fn add_mark(&mut self, mark: u64) {
        match self.marks.len() < MOST {
            true => self.marks.add(mark),
            false => self.full = true,
        }
    }

    /// Adds those of another stretch.
    pub fn merge(&mut self, other: Self) {
        self.full |= other.full;
        other.marks.iter().for_each(|mark| self.add_mark(mark));
    }

    /// Whether the callback with this mark may refuse at some time.
    #[inline]
    pub fn may_hold(&self, mark: u64) -> bool {
        self.full || self.marks.holds(mark)
    }
}
