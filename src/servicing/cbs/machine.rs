//! What CBS.log tells of the machine: its clock, its boots, its servicing stack.

use super::offsets::{OffsetBasis, OffsetEvidence, Offsets};
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::LineRef;
use crate::trace::Filetime;
use crate::trace::time::TICKS_PER_SECOND;
use std::collections::VecDeque;

/// What is known of the machine so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    /// How far its clock was from UTC.
    pub offsets: Offsets,
    /// When its kernel started, with the line that tells: the last starts.
    pub boots: VecDeque<(LineRef, LocalTime)>,
    /// Version of the servicing stack that was loaded last.
    pub stack: Option<String>,
    /// The last start, as the last line has it.
    told: Option<LocalTime>,
}

/// Starts kept.
const BOOTS: usize = 200;
/// The time of the last boot is reckoned from what has passed since by another clock: it was 2 s off after 4 h on
/// Windows 10. Times that lie no further apart in lines that follow one another are of one boot; the first is nearest.
const SAME_BOOT: u64 = 15 * TICKS_PER_SECOND;

impl Machine {
    /// A line tells when the kernel started; whether that is another start than the one before.
    pub fn last_boot(&mut self, at: LineRef, boot: LocalTime) -> bool {
        let told = self.told.replace(boot);
        let new = told.is_none_or(|told| told.distance(boot) > SAME_BOOT);
        if new {
            super::collect::push_last(&mut self.boots, (at, boot), BOOTS);
        }
        new
    }

    /// When the kernel started, as the first line of that start has it.
    pub fn boot(&self) -> Option<LocalTime> {
        self.boots.back().map(|(_, time)| *time)
    }

    /// A line shows the time in UTC.
    pub fn offset(&mut self, at: LineRef, local: LocalTime, utc: Filetime, basis: OffsetBasis) {
        if let Some(evidence) = OffsetEvidence::new(local, utc, at, basis) {
            self.offsets.add(evidence);
        }
    }
}
