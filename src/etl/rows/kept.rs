//! A row that was taken, until everything that belongs to it is known.

use crate::etl::link::End;
use std::ops::Range;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An event by itself.
    Event,
    /// An operation or callback whose further records are folded into it.
    First,
    /// A record that tells more of another row.
    Further,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which of the gathered records.
    pub record: u32,
    /// Its time stamp, in ticks.
    pub ticks: i64,
    /// What it is.
    pub role: Role,
    /// Position in the list of processes.
    pub process: u32,
    /// Thread.
    pub tid: u32,
    /// Path, in the arena of the slice.
    pub path: Range<usize>,
    /// Target path, in the arena.
    pub target: Range<usize>,
    /// End of the operation.
    pub end: Option<End>,
    /// Time stamp and thread of the end: it may have a stack of its own.
    pub end_stack: Option<(i64, Option<u32>)>,
    /// End of the callback, in ticks.
    pub completed: Option<i64>,
    /// Start of the callback as its completion tells it, in ticks.
    pub began: Option<i64>,
    /// Time stamps and threads of the callback's further records: they may have stacks of their own.
    pub more_stacks: [Option<(i64, Option<u32>)>; 2],
    /// Status the callback failed with.
    pub failure: Option<u32>,
    /// Its path may still come, with the create that it was called for: no test of paths has been made.
    pub early: bool,
}

impl Kept {
    /// Time stamps of all its records, which its stacks belong to.
    pub fn all_ticks(&self) -> impl Iterator<Item = i64> + use<> {
        let [first, second] = self.more_stacks;
        let further = [self.end_stack, first, second].into_iter().flatten();
        std::iter::once(self.ticks).chain(further.map(|(ticks, _)| ticks))
    }
}
