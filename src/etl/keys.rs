//! Times that can be compared: ticks in a file with one clock, UTC in a file of several.

use super::file::EtlFile;
use crate::bytes::{i64_at, u64_at};
use crate::etl::record::Hook;

/// Makes keys of time stamps.
#[derive(Debug, Clone, Copy)]
pub struct TimeKey<'f> {
    file: &'f EtlFile,
    one_clock: bool,
}

impl<'f> TimeKey<'f> {
    /// For the records of `file`.
    pub fn new(file: &'f EtlFile) -> Self {
        Self {
            file,
            one_clock: file.parts().len() == 1,
        }
    }

    /// The key of a time stamp in buffer `buffer`.
    #[inline(always)]
    pub fn of(&self, buffer: usize, ticks: i64) -> i64 {
        if self.one_clock {
            return ticks;
        }
        self.of_several(buffer, ticks)
    }

    #[cold]
    fn of_several(&self, buffer: usize, ticks: i64) -> i64 {
        let time = self.file.clock_of(buffer).filetime(ticks);
        i64::try_from(time.0).unwrap_or(i64::MAX)
    }
}

/// Where a kernel event says when what it tells of began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StartAt {
    /// It does not: it stands at the beginning.
    #[default]
    Nowhere,
    /// In the first eight bytes of a payload of at least so many.
    First(u8),
    /// As a span of time before its end, at this place of the payload.
    Span(u8),
}

/// Where events of a hook say when what they tell of began: registry operations, hard faults, disk I/O, DPCs and ISRs,
/// ends of minifilter callbacks stand at its end.
#[inline]
pub fn start_at(hook: Hook, wide: bool) -> StartAt {
    let pointer = if wide { 8 } else { 4 };
    match hook.id {
        0x090A..=0x0915 | 0x091A..=0x091D if hook.version >= 2 => StartAt::First(8),
        0x0220 | 0x0F32 | 0x0F42..=0x0F45 => StartAt::First(8),
        0x0462 | 0x0463 => StartAt::First(12 + 5 * pointer),
        // Disk, flags, bytes, reserved: u32 each; byte offset: u64; file key and IRP: pointers.
        0x010A | 0x010B if hook.version >= 2 => StartAt::Span(24 + 2 * pointer),
        0x010E => StartAt::Span(8),
        _ => StartAt::Nowhere,
    }
}

impl StartAt {
    /// The start, in ticks, of an event with this payload that ends at `ticks`.
    #[inline]
    pub fn of(self, payload: &[u8], ticks: i64) -> Option<i64> {
        let start = match self {
            Self::Nowhere => return None,
            Self::First(least) => {
                i64_at(payload, 0).filter(|_| payload.len() >= usize::from(least))
            }
            Self::Span(at) => before(ticks, u64_at(payload, at.into())),
        };
        start.filter(|start| (1..=ticks).contains(start))
    }
}

/// When what a kernel event tells of began, in ticks, where the event stands at its end and says so.
#[inline]
pub fn start_ticks(hook: Hook, payload: &[u8], wide: bool, ticks: i64) -> Option<i64> {
    start_at(hook, wide).of(payload, ticks)
}

/// The same as far as it decides where the event stands among the others: an end of a callback stands where it is,
/// unless beginnings were not recorded (`callback_starts`).
#[inline]
pub fn placing_start_at(hook: Hook, wide: bool, callback_starts: bool) -> StartAt {
    match hook.id {
        0x0462 | 0x0463 if callback_starts => StartAt::Nowhere,
        _ => start_at(hook, wide),
    }
}

/// Whether a record is the stack of another one, whose time stamp its payload begins with.
#[inline]
pub fn is_stack(hook: u16) -> bool {
    matches!(hook, 0x1820 | 0x1825 | 0x1826)
}

/// The time that lies `span` ticks before `ticks`.
fn before(ticks: i64, span: Option<u64>) -> Option<i64> {
    ticks.checked_sub(i64::try_from(span?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_lie_before_the_time_stamp() {
        let hook = |id| Hook { id, version: 2 };
        let payload = 500_i64.to_le_bytes();
        assert_eq!(start_ticks(hook(0x090B), &payload, true, 900), Some(500));
        assert_eq!(start_ticks(hook(0x090B), &payload, true, 400), None);
        assert_eq!(start_ticks(hook(0x0916), &payload, true, 900), None);
        assert_eq!(start_ticks(hook(0x090B), &payload[..7], true, 900), None);
        assert_eq!(start_ticks(hook(0x0462), &payload, true, 900), None);
        let mut disk = [0; 52];
        disk[40] = 30;
        assert_eq!(start_ticks(hook(0x010A), &disk, true, 900), Some(870));
        disk[47] = 0xFF;
        assert_eq!(start_ticks(hook(0x010A), &disk, true, 900), None);
    }
}
