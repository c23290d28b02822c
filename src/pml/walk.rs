//! Finding the events of a log whose index is missing: one record after the other.
//!
//! A log that was not closed (a crash, a full disk) has no index, a cut one has lost it. Records
//! carry their sizes and lie back to back, so they can be walked. Where a size is damaged the walk
//! looks for the next place with two plausible records in a row and counts the bytes it stepped over.

use super::error::PmlError;
use super::layout::event as at;
use super::record::{Bits, LARGEST_DETAIL};
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::input::view::Source;
use std::io;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Offsets of the records, ascending.
    pub offsets: Vec<u64>,
    /// Where the last record ends.
    pub end: u64,
    /// Stretches that are no record.
    pub skipped: Vec<PmlError>,
    /// Bytes of those stretches, and of a last record that is cut.
    pub skipped_bytes: u64,
}

/// Bytes mapped at a time.
const WINDOW: u64 = 16 << 20;
/// More stretches than this are counted, not listed.
const LISTED: usize = 100;
/// Events rise in time; a step back or ahead by more than this is no event (100 ns ticks: 30 days).
const LARGEST_STEP: u64 = 30 * 86_400 * 10_000_000;

/// Walks the records in `[start, end)` of `source`.
///
/// # Errors
/// When the file cannot be mapped.
pub fn walk(source: &Source, start: u64, end: u64, bits: Bits) -> io::Result<Walk> {
    let end = end.min(source.len());
    let mut out = Walk {
        end: start.min(end),
        ..Walk::default()
    };
    let mut offset = out.end;
    let mut last_time = None;
    let mut lost_from = None;
    let mut window = source.view(offset..offset + WINDOW)?;
    let mut window_at = offset;
    while offset < end {
        let limit = (end - window_at).min(window.len() as u64) as usize;
        let here = (offset - window_at) as usize;
        let bytes = &window[..limit];
        let found = measure(&bytes[here.min(limit)..], bits, last_time);
        let reaches_end = window_at + limit as u64 >= end;
        let need = match found {
            Found::Record { size, .. } => size + at::SIZE,
            Found::Cut => at::SIZE,
            Found::No => at::SIZE * 2,
        };
        // Too little of the file is in sight to judge: move the window, larger where one record is.
        if !reaches_end && (here + need > limit || matches!(found, Found::Cut)) {
            let wider = if here == 0 {
                window.len() as u64 * 2
            } else {
                WINDOW
            };
            window_at = offset;
            window = source.view(offset..offset.saturating_add(wider))?;
            continue;
        }
        let accepted = match found {
            Found::Record {
                size,
                time,
                saturated,
            } => next_start(
                bytes,
                here,
                size,
                saturated,
                bits,
                time,
                lost_from.is_some(),
            )
            .map(|next| (next, time)),
            Found::Cut | Found::No => None,
        };
        match accepted {
            Some((next, time)) => {
                if let Some(from) = lost_from.take() {
                    lose(&mut out, from, offset);
                }
                out.offsets.push(offset);
                last_time = Some(time);
                offset = window_at + next as u64;
                out.end = offset;
            }
            None => {
                lost_from.get_or_insert(offset);
                offset += 1;
            }
        }
    }
    if let Some(from) = lost_from {
        // Up to three bytes of padding follow the last event of a whole log.
        if end - from > 3 {
            lose(&mut out, from, end);
        }
    }
    Ok(out)
}

fn lose(out: &mut Walk, from: u64, to: u64) {
    out.skipped_bytes += to - from;
    if out.skipped.len() < LISTED {
        out.skipped.push(PmlError::Skipped {
            offset: from,
            bytes: to - from,
        });
    }
}

/// Where the record after the one at `here` starts, if the record is to be believed.
///
/// After a lost stretch a record counts only when another follows it, or the bytes end with it.
fn next_start(
    bytes: &[u8],
    here: usize,
    size: usize,
    saturated: bool,
    bits: Bits,
    time: u64,
    doubtful: bool,
) -> Option<usize> {
    let plain = here + size;
    let follows = |at: usize| {
        at == bytes.len()
            || bytes
                .get(at..)
                .is_some_and(|rest| !matches!(measure(rest, bits, Some(time)), Found::No))
    };
    // An extra block of 0xFFFF bytes is followed by the next record at once or one byte later.
    if saturated && !follows(plain) && follows(plain + 1) {
        return Some(plain + 1);
    }
    (!doubtful || follows(plain)).then_some(plain)
}

enum Found {
    /// A plausible record with its size in bytes and time.
    Record {
        size: usize,
        time: u64,
        saturated: bool,
    },
    /// Plausible as far as it goes, but the bytes end first.
    Cut,
    No,
}

/// Judges the bytes at a place where a record may start.
fn measure(bytes: &[u8], bits: Bits, after: Option<u64>) -> Found {
    let (Some(class), Some(zero)) = (u16_at(bytes, at::CLASS), u16_at(bytes, at::ZERO)) else {
        return Found::Cut;
    };
    if !(1..=6).contains(&class) || zero != 0 {
        return Found::No;
    }
    let (Some(operation), Some(time), Some(depth), Some(detail), Some(extra)) = (
        u16_at(bytes, at::OPERATION),
        u64_at(bytes, at::TIME),
        u16_at(bytes, at::DEPTH),
        u32_at(bytes, at::DETAIL_SIZE),
        u32_at(bytes, at::EXTRA),
    ) else {
        return Found::Cut;
    };
    if operation > 64 || time == 0 || time > i64::MAX as u64 {
        return Found::No;
    }
    if after.is_some_and(|last| time.abs_diff(last) > LARGEST_STEP) {
        return Found::No;
    }
    let body = (at::SIZE + usize::from(depth) * bits.ptr()) as u64 + u64::from(detail);
    if detail as usize > LARGEST_DETAIL || (extra != 0 && u64::from(extra) != body) {
        return Found::No;
    }
    let body = body as usize;
    if extra == 0 {
        return if body <= bytes.len() {
            Found::Record {
                size: body,
                time,
                saturated: false,
            }
        } else {
            Found::Cut
        };
    }
    match u16_at(bytes, body) {
        Some(stored) if body + 2 + usize::from(stored) <= bytes.len() => Found::Record {
            size: body + 2 + usize::from(stored),
            time,
            saturated: stored == 0xFFFF,
        },
        _ => Found::Cut,
    }
}
