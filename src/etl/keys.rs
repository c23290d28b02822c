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
    #[inline]
    pub fn of(&self, buffer: usize, ticks: i64) -> i64 {
        if self.one_clock {
            return ticks;
        }
        let time = self.file.clock_of(buffer).filetime(ticks);
        i64::try_from(time.0).unwrap_or(i64::MAX)
    }
}

/// When what a kernel event tells of began, in ticks, where the event stands at its end and says so: registry
/// operations, hard faults, disk I/O, DPCs and ISRs, ends of minifilter callbacks.
#[inline]
pub fn start_ticks(hook: Hook, payload: &[u8], wide: bool, ticks: i64) -> Option<i64> {
    let pointer = if wide { 8 } else { 4 };
    let start = match hook.id {
        0x090A..=0x0915 | 0x091A..=0x091D if hook.version >= 2 => i64_at(payload, 0),
        0x0220 | 0x0F32 | 0x0F42..=0x0F45 => i64_at(payload, 0),
        0x0462 | 0x0463 if payload.len() >= 12 + 5 * pointer => i64_at(payload, 0),
        // Disk, flags, bytes, reserved: u32 each; byte offset: u64; file key and IRP: pointers.
        0x010A | 0x010B if hook.version >= 2 => before(ticks, u64_at(payload, 24 + 2 * pointer)),
        0x010E => before(ticks, u64_at(payload, 8)),
        _ => None,
    };
    start.filter(|start| (1..=ticks).contains(start))
}

/// The same as far as it decides where the event stands among the others: an end of a callback stands where it is,
/// unless beginnings were not recorded (`callback_starts`).
#[inline]
pub fn placing_start(
    hook: Hook,
    payload: &[u8],
    wide: bool,
    ticks: i64,
    callback_starts: bool,
) -> Option<i64> {
    if callback_starts && matches!(hook.id, 0x0462 | 0x0463) {
        return None;
    }
    start_ticks(hook, payload, wide, ticks)
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
