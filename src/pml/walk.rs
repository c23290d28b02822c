//! Finding the events of a log without its index: one record after the other.
//!
//! A log that was not closed (a crash, a full disk) has no index, a cut one has lost it. Records carry
//! their sizes and lie back to back, so they can be walked. A record is believed when another one
//! follows it. Where none does, one of the two is damaged: the walk looks for the next place with
//! several plausible records in a row, and counts the bytes it stepped over.

use super::error::PmlError;
use super::file::LARGEST_RECORD;
use super::layout::event as at;
use super::record::{Bits, LARGEST_DETAIL};
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::input::view::{Source, View};
use std::io;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Offsets of the records, ascending.
    pub offsets: Vec<u64>,
    /// Where the last record ends.
    pub end: u64,
    /// Stretches that are no record: the first of them.
    pub skipped: Vec<PmlError>,
    /// How many there are: each held a record at least.
    pub stretches: u64,
    /// Bytes of those stretches, and of a last record that is cut.
    pub skipped_bytes: u64,
}

/// Bytes mapped at a time.
const WINDOW: u64 = 16 << 20;
/// More stretches than this are counted, not listed.
const LISTED: usize = 100;
/// Events rise in time; a record further than this from the one before (100 ns ticks: 30 days) needs
/// others behind it to be believed. The clock of a machine without a battery jumps by years at boot.
const LARGEST_STEP: u64 = 30 * 86_400 * 10_000_000;
/// Records in a row that prove a place by themselves; one less does where the time fits.
const CHAIN: usize = 3;
/// No record is longer, see [`super::file::LARGEST_RECORD`].
const REACH: u64 = (CHAIN as u64 + 1) * LARGEST_RECORD;
/// Records that tell the pointer size of a log.
pub const TRIED: usize = 64;
/// Up to three bytes of padding follow the last event of a whole log.
pub const PADDING: u64 = 3;

/// Walks the records in `[start, end)` of `source`. `known` are places, ascending, where records are known to start.
///
/// # Errors
/// When the file cannot be mapped.
pub fn walk(
    source: &Source,
    start: u64,
    end: u64,
    bits: Bits,
    mut known: &[u64],
) -> io::Result<Walk> {
    let end = end.min(source.len());
    let start = start.min(end);
    let mut walker = Walker {
        source,
        bits,
        end,
        view: source.view(start..(start + WINDOW).min(end))?,
        view_at: start,
        out: Walk {
            end: start,
            ..Walk::default()
        },
    };
    let mut offset = start;
    let mut last_time = None;
    while offset < end {
        walker.see(offset, REACH)?;
        known = &known[known.partition_point(|place| *place < offset)..];
        let is_known = known.first() == Some(&offset);
        let found = match is_known {
            true => walker.measure(offset)?,
            false => walker.judge(offset, last_time)?,
        };
        if let Judged::Record { next, time, .. } = found
            && (walker.follows(next, time)? || known.get(1) == Some(&next))
        {
            walker.take(offset, next);
            (offset, last_time) = (next, Some(time));
            continue;
        }
        // Nothing follows: what stands here is damaged, or what comes next is.
        let place = walker.search(offset + 1, last_time)?.unwrap_or(end);
        let next_known = known.get(usize::from(is_known)).copied();
        let place = place.min(next_known.unwrap_or(end));
        match found {
            Judged::Record { next, time, .. } if next <= place => {
                walker.take(offset, next);
                last_time = Some(time);
                walker.lose(next, place);
            }
            _ => walker.lose(offset, place),
        }
        offset = place;
    }
    Ok(walker.out)
}

/// How many records of this pointer size follow each other from `start` on, at most [`TRIED`].
///
/// # Errors
/// When the file cannot be mapped.
pub fn run_length(source: &Source, start: u64, bits: Bits) -> io::Result<usize> {
    let mut walker = Walker {
        source,
        bits,
        end: source.len(),
        view: source.view(start..start + WINDOW)?,
        view_at: start,
        out: Walk::default(),
    };
    let (mut offset, mut before) = (start, None);
    for count in 0..TRIED {
        match walker.measure(offset)? {
            Judged::Record { next, time, .. }
                if before.is_none_or(|last| is_near(time, Some(last))) =>
            {
                (offset, before) = (next, Some(time));
            }
            _ => return Ok(count),
        }
    }
    Ok(TRIED)
}

struct Walker<'s> {
    source: &'s Source,
    bits: Bits,
    end: u64,
    view: View,
    view_at: u64,
    out: Walk,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
enum Judged {
    Record {
        /// Where the next one starts.
        next: u64,
        time: u64,
        /// Its extra block may be a byte longer than it says.
        saturated: bool,
    },
    /// Plausible as far as it goes, but the bytes end first.
    Cut,
    No,
}

impl Walker<'_> {
    fn take(&mut self, offset: u64, next: u64) {
        self.out.offsets.push(offset);
        self.out.end = next;
    }

    fn lose(&mut self, from: u64, to: u64) {
        if to <= from || to == self.end && to - from <= PADDING {
            return;
        }
        self.out.stretches += 1;
        self.out.skipped_bytes += to - from;
        if self.out.skipped.len() < LISTED {
            self.out.skipped.push(PmlError::Skipped {
                offset: from,
                bytes: to - from,
            });
        }
    }

    /// The record at `offset`, with the end that its sizes and what follows it say.
    ///
    /// `after` is the time of the record before; without one, or where the time jumps, others must follow.
    fn judge(&mut self, offset: u64, after: Option<u64>) -> io::Result<Judged> {
        let mut found = self.measure(offset)?;
        let Judged::Record {
            next,
            time,
            saturated,
        } = &mut found
        else {
            return Ok(found);
        };
        // An extra block of 0xFFFF bytes is followed by the next record at once or one byte later.
        if *saturated && !self.follows(*next, *time)? && self.follows(*next + 1, *time)? {
            *next += 1;
        }
        let time = *time;
        if is_near(time, after) || self.leads_on(offset, CHAIN)? {
            return Ok(found);
        }
        Ok(Judged::No)
    }

    /// Whether a record may start at `offset` that belongs behind one of `time`, or the events end there.
    fn follows(&mut self, offset: u64, time: u64) -> io::Result<bool> {
        if offset >= self.end {
            return Ok(offset == self.end);
        }
        Ok(match self.measure(offset)? {
            Judged::Record { time: next, .. } => {
                is_near(next, Some(time)) || self.leads_on(offset, CHAIN)?
            }
            // The last record of a cut file, or the padding behind the last one of a whole one.
            Judged::Cut => true,
            Judged::No => self.end - offset <= PADDING,
        })
    }

    /// Whether `wanted` records in a row start at `offset`, of about one time. The end of the events
    /// stands for the missing ones.
    fn leads_on(&mut self, offset: u64, wanted: usize) -> io::Result<bool> {
        let (mut at, mut before) = (offset, None);
        for _ in 0..wanted {
            if before.is_some() && self.end.saturating_sub(at) <= PADDING {
                return Ok(at <= self.end);
            }
            let (next, time, saturated) = match self.measure(at)? {
                Judged::Record {
                    next,
                    time,
                    saturated,
                } => (next, time, saturated),
                Judged::Cut => return Ok(before.is_some()),
                Judged::No => return Ok(false),
            };
            if before.is_some() && !is_near(time, before) {
                return Ok(false);
            }
            let longer = saturated && matches!(self.measure(next)?, Judged::No);
            (at, before) = (next + u64::from(longer), Some(time));
        }
        Ok(true)
    }

    /// The next place from `from` on where several records stand in a row; `after` is the time of the last one.
    fn search(&mut self, from: u64, after: Option<u64>) -> io::Result<Option<u64>> {
        let mut offset = from;
        while offset + at::SIZE as u64 <= self.end {
            self.see(offset, REACH)?;
            let here = (offset - self.view_at) as usize;
            // Most places fail by the class, which stands between two zero bytes.
            let Some(ahead) = next_class(&self.view[here..]) else {
                // The places that are left reach beyond the window.
                offset += (self.view.len() - here).saturating_sub(at::SIZE - 1).max(1) as u64;
                continue;
            };
            offset += ahead as u64;
            let near = match self.measure(offset)? {
                Judged::Record { time, .. } => is_near(time, after),
                Judged::Cut | Judged::No => false,
            };
            if self.leads_on(offset, CHAIN - usize::from(near))? {
                return Ok(Some(offset));
            }
            offset += 1;
        }
        Ok(None)
    }

    /// Moves the window so that `bytes` bytes at `offset` are in it, as far as the events go.
    fn see(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        let end = offset.saturating_add(bytes).min(self.end);
        if offset < self.view_at || end > self.view_at + self.view.len() as u64 {
            let reach = offset.saturating_add(bytes.max(WINDOW)).min(self.end);
            self.view = self.source.view(offset..reach)?;
            self.view_at = offset;
        }
        Ok(())
    }

    /// Judges the bytes at a place by themselves.
    fn measure(&mut self, offset: u64) -> io::Result<Judged> {
        self.see(offset, at::SIZE as u64)?;
        let here = offset.saturating_sub(self.view_at) as usize;
        let bytes = self.view.get(here..).unwrap_or(&[]);
        let fixed = match Fixed::parse(bytes, self.bits) {
            Some(fixed) if fixed.is_plausible() => fixed,
            Some(_) => return Ok(Judged::No),
            None => return Ok(Judged::Cut),
        };
        let body = offset + fixed.body;
        let mut out = Judged::Record {
            next: body,
            time: fixed.time,
            saturated: false,
        };
        if fixed.extra != 0 {
            self.see(offset, fixed.body + 2)?;
            let size_at = (body - self.view_at) as usize;
            let Some(stored) = u16_at(&self.view, size_at) else {
                return Ok(Judged::Cut);
            };
            out = Judged::Record {
                next: body + 2 + u64::from(stored),
                time: fixed.time,
                saturated: stored == 0xFFFF,
            };
        }
        match out {
            Judged::Record { next, .. } if next > self.end => Ok(Judged::Cut),
            out => Ok(out),
        }
    }
}

fn is_near(time: u64, other: Option<u64>) -> bool {
    other.is_some_and(|other| time.abs_diff(other) <= LARGEST_STEP)
}

/// The first place in `bytes` where class and zero can be those of a record; all of its fixed part is there.
fn next_class(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(at::SIZE)?;
    bytes
        .get(at::CLASS..last + at::CLASS + 4)?
        .windows(4)
        .position(|word| matches!(word, [1..=6, 0, 0, 0]))
}

/// The fixed part of a record.
struct Fixed {
    class: u16,
    zero: u16,
    operation: u16,
    time: u64,
    detail: u32,
    extra: u32,
    /// Bytes to the end of the detail block.
    body: u64,
}

impl Fixed {
    /// Reads it; `None` where the bytes end first and what is there is plausible.
    fn parse(bytes: &[u8], bits: Bits) -> Option<Self> {
        let detail = u32_at(bytes, at::DETAIL_SIZE)?;
        let depth = u16_at(bytes, at::DEPTH)?;
        Some(Self {
            class: u16_at(bytes, at::CLASS)?,
            zero: u16_at(bytes, at::ZERO)?,
            operation: u16_at(bytes, at::OPERATION)?,
            time: u64_at(bytes, at::TIME)?,
            extra: u32_at(bytes, at::EXTRA)?,
            detail,
            body: (at::SIZE + usize::from(depth) * bits.ptr()) as u64 + u64::from(detail),
        })
    }

    fn is_plausible(&self) -> bool {
        (1..=6).contains(&self.class)
            && self.zero == 0
            && self.operation <= 64
            && (1..=i64::MAX as u64).contains(&self.time)
            && self.detail as usize <= LARGEST_DETAIL
            && (self.extra == 0 || u64::from(self.extra) == self.body)
    }
}
