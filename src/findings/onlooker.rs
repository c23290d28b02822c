//! Whoever else uses the rows that are counted: they are decoded once for all.

use crate::trace::pool::Pool;
use crate::trace::{Batch, Frames, Want};
use std::io;

/// Sees the rows that count of each trace: those on driver-store paths in the window.
pub trait Onlooker: Sync {
    /// What it makes of a unit of rows.
    type Seen: Send;

    /// The columns it needs. Stacks are decoded at least as far as [`Frames::Kernel`].
    fn want(&self) -> Want;

    /// An empty batch to decode a unit into.
    fn batch(&self) -> Batch {
        Batch::default()
    }

    /// Sees the rows of a unit of the trace that is number `trace` in the case. Called by all threads.
    ///
    /// # Errors
    /// Its own, which end the analysis.
    fn see(&self, trace: usize, batch: Batch) -> io::Result<Self::Seen>;
}

/// Nobody. The batch of one unit serves the next: to make its columns grow again takes as long as to fill them.
#[derive(Debug, Default)]
pub struct Nobody(Spare);

/// Batches that nobody uses at the moment.
#[derive(Debug, Default)]
pub struct Spare(Pool<Batch>);

/// Rows for which room is kept: one unit in a hundred may have far more than others.
const KEEP: usize = 1 << 14;

impl Spare {
    /// An empty batch.
    pub fn take(&self) -> Batch {
        self.0.take()
    }

    /// Gives a batch back.
    pub fn put(&self, mut batch: Batch) {
        if batch.len() <= KEEP {
            batch.clear();
            self.0.give(batch);
        }
    }
}

impl Onlooker for Nobody {
    type Seen = ();

    fn want(&self) -> Want {
        Want {
            frames: Frames::Kernel,
            ..Want::default()
        }
    }

    fn batch(&self) -> Batch {
        self.0.take()
    }

    fn see(&self, _: usize, batch: Batch) -> io::Result<()> {
        self.0.put(batch);
        Ok(())
    }
}
