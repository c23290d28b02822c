//! Writes in a trace and the lines of a log that they brought.
//!
//! A write has an offset and a length. Where the log at hand is the file it went to, the bytes there are whole lines,
//! and the last stamp in them is that of the moment. A log may have been moved away since (`CbsPersist_….log`), cut, or
//! be another machine's: what maps is believed only where lines and writes fit each other all along.

use super::estimate::{Fit, Grain, fit};
use crate::input::view::Source;
use crate::servicing::LocalTime;
use crate::servicing::cbs::Record;
use crate::servicing::setupapi::{Content, Line};
use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND};
use crate::trace::{Filetime, LogWrite, ServicingLog};
use memchr::memchr_iter;
use std::io;

/// A log that writes may have gone to.
pub struct Candidate<'a> {
    /// Its place among the logs of its kind.
    pub file: u32,
    /// Its bytes.
    pub source: &'a Source,
}

/// A write and the lines it brought.
#[derive(Debug, Clone, Copy)]
pub struct Mapped {
    /// The log.
    pub file: u32,
    /// Where they start in it.
    pub offset: u64,
    /// Their bytes.
    pub length: u32,
    /// The write.
    pub time: Filetime,
    /// The last stamp among them.
    pub stamp: Option<Stamp>,
}

/// A stamp of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// With its day.
    Full(LocalTime),
    /// Ticks since midnight.
    OfDay(u64),
}

/// What the writes of one trace to one log say together.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Which log.
    pub log: ServicingLog,
    /// How far the clocks are apart.
    pub fit: Fit,
    /// The writes, in the order of their places.
    pub writes: Vec<Mapped>,
    /// Writes in the trace, those that map to nothing included.
    pub seen: usize,
}

/// Bytes of a write that are read for its last stamp.
const TAIL: u64 = 32 << 10;
/// Lines that may be the one a write to the end of the file began at.
const STARTS: usize = 400_000;
/// A line may have been written this far from where its stamp says, in ticks: 10 minutes.
const AROUND: u64 = 600 * TICKS_PER_SECOND;

/// Maps the writes of one trace to one kind of log; `utc` converts a stamp without knowing of writes.
///
/// # Errors
/// When a log can no longer be read.
pub fn map(
    log: ServicingLog,
    writes: &[LogWrite],
    candidates: &[Candidate<'_>],
    utc: &dyn Fn(LocalTime) -> Filetime,
) -> io::Result<Option<Mapping>> {
    let mut best: Option<Mapping> = None;
    for segment in segments(writes) {
        let mut of_segment: Option<Mapping> = None;
        for candidate in candidates {
            let found = try_log(log, segment, candidate, utc)?;
            let more = |known: &Mapping, new: &Mapping| known.fit.used < new.fit.used;
            if let Some(found) = found
                && of_segment.as_ref().is_none_or(|known| more(known, &found))
            {
                of_segment = Some(found);
            }
        }
        let Some(found) = of_segment else { continue };
        match &mut best {
            None => best = Some(found),
            // The log before it was moved away, and the one that was begun: one clock.
            Some(known) if agree(known.fit, found.fit) => {
                if found.fit.used > known.fit.used {
                    known.fit = Fit {
                        used: known.fit.used,
                        ..found.fit
                    };
                }
                known.fit.used += found.fit.used;
                known.writes.extend(found.writes);
            }
            Some(known) if found.fit.used > known.fit.used => *known = found,
            Some(_) => {}
        }
    }
    if let Some(best) = &mut best {
        best.seen = writes.len();
        best.writes.sort_by_key(|write| (write.file, write.offset));
    }
    Ok(best)
}

/// Whether two differences are one, as far as they are known.
pub fn agree(a: Fit, b: Fit) -> bool {
    (a.shift - b.shift).abs() <= a.error + b.error + TICKS_PER_SECOND as i64 / 2
}

/// The writes in stretches between which the log was begun anew: places only grow in one.
fn segments(writes: &[LogWrite]) -> impl Iterator<Item = &[LogWrite]> {
    let mut end = 0;
    writes.chunk_by(move |_, next| {
        let Some(offset) = next.offset else {
            return true;
        };
        let anew = offset + u64::from(next.length) <= end / 2;
        end = if anew { 0 } else { end }.max(offset + u64::from(next.length));
        !anew
    })
}

fn try_log(
    log: ServicingLog,
    segment: &[LogWrite],
    candidate: &Candidate<'_>,
    utc: &dyn Fn(LocalTime) -> Filetime,
) -> io::Result<Option<Mapping>> {
    let mut reader = Reader {
        source: candidate.source,
        bytes: Vec::new(),
    };
    let Some(mut end) = base(log, segment, &mut reader, utc)? else {
        return Ok(None);
    };
    let (mut inside, mut whole) = (0_usize, 0_usize);
    let mut mapped = Vec::new();
    for write in segment {
        let offset = write.offset.unwrap_or(end);
        end = offset.saturating_add(u64::from(write.length));
        if write.length == 0 || end > reader.source.len() {
            continue;
        }
        inside += 1;
        let piece = reader.piece(log, offset, end)?;
        if piece.is_whole {
            whole += 1;
            mapped.push(Mapped {
                file: candidate.file,
                offset,
                length: write.length,
                time: write.time,
                stamp: piece.stamp,
            });
        }
    }
    if 10 * whole < 9 * inside {
        return Ok(None);
    }
    let grain = match log {
        ServicingLog::Cbs => Grain::CBS,
        ServicingLog::SetupApi => Grain::SETUP,
    };
    let distance = |time: Filetime, stamp: LocalTime| time.0 as i64 - utc(stamp).0 as i64;
    let full = mapped.iter().filter_map(|write| match write.stamp? {
        Stamp::Full(stamp) => Some(distance(write.time, stamp)),
        Stamp::OfDay(_) => None,
    });
    let mut distances: Vec<i64> = full.collect();
    let rough = fit(&mut distances, grain);
    // A time of the day is one of the day that is nearest, by what the full stamps say of the clock.
    let shift = rough.map_or(0, |rough| rough.shift);
    for write in &mut mapped {
        let Some(Stamp::OfDay(ticks)) = write.stamp else {
            continue;
        };
        let there = write.time.0.saturating_add_signed(-shift);
        let day = nearest_day(LocalTime(there), ticks, utc);
        distances.push(distance(write.time, day));
        write.stamp = Some(Stamp::Full(day));
    }
    Ok(fit(&mut distances, grain).map(|fit| Mapping {
        log,
        fit,
        writes: mapped,
        seen: segment.len(),
    }))
}

/// The time of the day `ticks` whose UTC lies nearest to `near`, a time in UTC.
fn nearest_day(near: LocalTime, ticks: u64, utc: &dyn Fn(LocalTime) -> Filetime) -> LocalTime {
    let midnight = near.midnight();
    let days = [
        midnight.minus(TICKS_PER_DAY),
        midnight,
        midnight.plus(TICKS_PER_DAY),
    ];
    let nearest = days
        .map(|day| day.plus(ticks))
        .into_iter()
        .min_by_key(|time| utc(*time).0.abs_diff(near.0));
    nearest.unwrap_or(near)
}

/// Where the first write of a segment went.
///
/// Where no write says its place, all went to the end of the file: they began at a line from which on their lengths lead
/// from line to line.
fn base(
    log: ServicingLog,
    segment: &[LogWrite],
    reader: &mut Reader<'_>,
    utc: &dyn Fn(LocalTime) -> Filetime,
) -> io::Result<Option<u64>> {
    let mut before = 0;
    for write in segment {
        if let Some(offset) = write.offset {
            return Ok(offset.checked_sub(before));
        }
        before += u64::from(write.length);
    }
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else {
        return Ok(None);
    };
    if segment.len() < 2 * super::estimate::FEWEST {
        return Ok(None);
    }
    let from = Filetime(first.time.0.saturating_sub(AROUND));
    let starts = line_starts(log, reader.source, |stamp| {
        (from..=last.time.plus(AROUND)).contains(&utc(stamp))
    })?;
    let leads = |start: &u64| {
        let mut at = *start;
        segment.iter().all(|write| {
            at += u64::from(write.length);
            starts.binary_search(&at).is_ok()
        })
    };
    let mut found = starts.iter().copied().filter(leads);
    // Two places that fit are none.
    Ok(found.next().filter(|_| found.next().is_none()))
}

/// Where the lines of a log start, and where the last one ends, from the first to the last line whose stamp is `wanted`.
fn line_starts(
    log: ServicingLog,
    source: &Source,
    wanted: impl Fn(LocalTime) -> bool,
) -> io::Result<Vec<u64>> {
    const PIECE: u64 = 4 << 20;
    let mut out = Vec::new();
    let mut at = 0;
    let mut inside = false;
    while at < source.len() {
        let view = source.view(at..at + PIECE)?;
        let mut start = 0;
        for end in memchr_iter(b'\n', &view) {
            let line = view.get(start..end).unwrap_or_default();
            if let Some(Stamp::Full(stamp)) = stamp_of(log, line) {
                inside = wanted(stamp);
            }
            if inside && out.len() < STARTS {
                out.push(at + start as u64);
            }
            start = end + 1;
        }
        // A line longer than a piece is none of these logs.
        at += if start == 0 {
            view.len() as u64
        } else {
            start as u64
        };
        if view.is_empty() {
            break;
        }
    }
    if inside {
        out.push(source.len());
    }
    Ok(out)
}

/// The stamp of a line, as far as it has one.
fn stamp_of(log: ServicingLog, line: &[u8]) -> Option<Stamp> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    match log {
        ServicingLog::Cbs => Record::parse(text).map(|record| Stamp::Full(record.time)),
        ServicingLog::SetupApi => match Line::parse(text) {
            Line::Start(time) | Line::End(time) => Some(Stamp::Full(time)),
            Line::Body(body) if !matches!(body.content, Content::Command(_)) => {
                body.time.map(Stamp::OfDay)
            }
            _ => None,
        },
    }
}

/// What stands where a write went.
struct Piece {
    /// It begins and ends where lines do.
    is_whole: bool,
    /// The last stamp in it.
    stamp: Option<Stamp>,
}

struct Reader<'a> {
    source: &'a Source,
    bytes: Vec<u8>,
}

impl Reader<'_> {
    fn read(&mut self, from: u64, to: u64) -> io::Result<&[u8]> {
        let len = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        self.bytes.clear();
        self.bytes.resize(len, 0);
        let read = self.source.read_at(from, &mut self.bytes)?;
        Ok(self.bytes.get(..read).unwrap_or_default())
    }

    fn piece(&mut self, log: ServicingLog, from: u64, to: u64) -> io::Result<Piece> {
        let before = match from {
            0 => b'\n',
            _ => self.read(from - 1, from)?.first().copied().unwrap_or(0),
        };
        let tail = self.read(from.max(to.saturating_sub(TAIL)), to)?;
        let starts = before == b'\n' || tail.starts_with(b"\r\n") || tail.starts_with(b"\n");
        // The mark of the encoding is a write of its own.
        let is_mark = from == 0 && tail == b"\xef\xbb\xbf";
        let behind_mark = from == 3 && before == 0xBF;
        let stamp = tail
            .rsplit(|byte| *byte == b'\n')
            .find_map(|line| stamp_of(log, line));
        Ok(Piece {
            is_whole: is_mark || (starts || behind_mark) && tail.ends_with(b"\n"),
            stamp,
        })
    }
}
