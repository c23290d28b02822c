//! Whoever else uses the rows that are counted: they are decoded once for all.

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

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Onlooker for Nobody {
    type Seen = ();

    fn want(&self) -> Want {
        Want {
            frames: Frames::Kernel,
            ..Want::default()
        }
    }

    fn see(&self, _: usize, _: Batch) -> io::Result<()> {
        Ok(())
    }
}
