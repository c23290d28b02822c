//! A cap for the bytes in flight: how many units of work, and how many rows of a table, are in memory at a time.
//!
//! It covers what grows with the number of threads and with the size of row groups: units that are decoded and
//! rendered. It does not cover what a trace describes (processes, modules, names, stacks by key), nor pages of the
//! input that the system keeps mapped. The work is the same under any cap, only slower.

use std::sync::atomic::{AtomicU64, Ordering};

static CAP: AtomicU64 = AtomicU64::new(u64::MAX);

/// Bytes that a unit takes while it is worked on: its records as they are read, the batch, the text made of it. A
/// Procmon log's takes 1 to 3 MiB, a slice of an ETL trace 2 to 8.
pub const UNIT: u64 = 4 << 20;

/// Sets the cap, in bytes, for the process.
pub fn set_cap(bytes: u64) {
    CAP.store(bytes, Ordering::Relaxed);
}

/// Whether there is a cap.
pub fn is_capped() -> bool {
    CAP.load(Ordering::Relaxed) != u64::MAX
}

/// How many of `most` things of `bytes` each may be there at a time: one at least.
pub fn room_for(most: usize, bytes: u64) -> usize {
    let room = CAP.load(Ordering::Relaxed) / bytes.max(1);
    usize::try_from(room)
        .unwrap_or(usize::MAX)
        .clamp(1, most.max(1))
}
