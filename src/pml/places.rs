//! Where the events of a log lie: by its index, or by a walk over its records.

use super::error::PmlError;
use super::layout::index;
use crate::bytes::{u8_at, u32_at};
use crate::input::view::View;

/// Where the events are.
#[derive(Debug)]
pub(super) enum Offsets {
    /// The log's own index: 5 bytes an event.
    Index(View),
    /// Found by walking the records.
    Walked(Vec<u64>),
}

/// Where the events lie, and what of their stretch of the file is no event.
#[derive(Debug)]
pub struct Places {
    pub(super) offsets: Offsets,
    pub(super) count: usize,
    /// Where the last event ends, or its padding.
    pub(super) end: u64,
    pub(super) faults: Vec<PmlError>,
    pub(super) skipped_bytes: u64,
    pub(super) stretches: u64,
}

impl Places {
    /// By the log's own index, whose entries are `view`.
    pub(super) fn indexed(view: View, end: u64) -> Self {
        Self {
            count: view.len() / index::ENTRY,
            offsets: Offsets::Index(view),
            end,
            faults: Vec::new(),
            skipped_bytes: 0,
            stretches: 0,
        }
    }

    /// The bytes behind the last event are no loss.
    pub(super) fn forget_tail(&mut self) {
        let is_tail = |fault: &PmlError| matches!(fault, PmlError::Skipped { offset, .. } if *offset == self.end);
        if let Some(at) = self.faults.iter().position(is_tail)
            && let PmlError::Skipped { bytes, .. } = self.faults.remove(at)
        {
            self.skipped_bytes -= bytes;
            self.stretches -= 1;
        }
    }

    /// Number of events that have a place.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The offset in the index entry at `at`.
#[inline]
pub(super) fn entry_at(index: &[u8], at: usize) -> Option<u64> {
    let low = u32_at(index, at)?;
    // Only 0 has been seen in the fifth byte; as the high byte of a 40-bit offset it reaches beyond 4 GiB.
    let high = u8_at(index, at + 4)?;
    Some(u64::from(low) | u64::from(high) << 32)
}
