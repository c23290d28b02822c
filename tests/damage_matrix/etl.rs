//! The matrix for Windows trace logs.

use super::{Damage, Tally, check_told, decode_all};
use crate::common::repository;
use fltscope::etl::record::Record;
use fltscope::etl::records::Scratch;
use fltscope::etl::{EtlTrace, OpenError};
use fltscope::input::view::Source;
use fltscope::trace::Trace;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tracegen::scenario::{EtlOptions, boot_trace_32, short_boot_trace};

const HEADER: usize = 72;

/// A buffer of a whole file, and its records, where they lie in the file as they are.
struct Buffer {
    range: Range<usize>,
    compressed: bool,
    /// Bytes of each record, and its place where the buffer is not compressed.
    records: Vec<(Range<usize>, Vec<u8>)>,
}

struct Log {
    name: &'static str,
    bytes: Vec<u8>,
    buffers: Vec<Buffer>,
}

impl Log {
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        let trace = open(&bytes).unwrap();
        let mut scratch = Scratch::default();
        let mut buffers = Vec::new();
        for (number, buffer) in trace.file().buffers().iter().enumerate() {
            let start = buffer.offset as usize;
            // The size that the header names, read here once more.
            let size = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
            let mut at = start + HEADER;
            let records = trace.file().records(number, &mut scratch).unwrap();
            let records = records.map(|record| {
                let record = record.unwrap();
                let place = at..at + record.bytes().len();
                at += record.stride();
                (place, record.bytes().to_vec())
            });
            buffers.push(Buffer {
                range: start..start + size,
                compressed: buffer.is_compressed(),
                records: records.collect(),
            });
        }
        Self {
            name,
            bytes,
            buffers,
        }
    }

    fn total(&self) -> u64 {
        self.buffers.iter().map(|b| b.records.len() as u64).sum()
    }

    /// Records that the damage does not touch. Of a compressed buffer all belong together: what is behind the damage
    /// may need what is in front of it. A buffer without its header is lost. A record whose size is changed may lead
    /// to a later one by chance: those in between are hidden, and nothing shows it.
    fn intact<'l>(
        &'l self,
        damage: &'l Damage,
    ) -> impl Iterator<Item = &'l (Range<usize>, Vec<u8>)> {
        let buffers = self.buffers.iter().filter(|buffer| {
            let header = buffer.range.start..buffer.range.start + HEADER;
            !(damage.touches(&header) || buffer.compressed && damage.touches(&buffer.range))
        });
        buffers.flat_map(move |buffer| {
            let mut hidden = 0..0;
            let records = buffer.records.iter();
            records.filter(move |(place, _)| {
                if buffer.compressed {
                    return true;
                }
                if damage.touches(&(place.start..place.start + 8))
                    && place.end <= damage.bytes.len()
                {
                    let size =
                        |at: usize| u16::from_le_bytes([damage.bytes[at], damage.bytes[at + 1]]);
                    let most = size(place.start).max(size(place.start + 4));
                    hidden = place.start..place.start + usize::from(most);
                }
                !damage.touches(place) && place.start >= hidden.end
            })
        })
    }

    /// Runs a cell. Rows are made in some cells only: joining operations takes most of the time.
    fn cell(&self, damage: &Damage, rows: bool) -> EtlTrace {
        let cell = format!("{}, {}", self.name, damage.name);
        let opened = if rows { open } else { survey };
        let trace = opened(&damage.bytes).unwrap_or_else(|error| panic!("{cell}: {error}"));
        let read = read(&trace);
        let mut intact = Tally::default();
        self.intact(damage)
            .for_each(|(_, record)| intact.add(record));
        let info = trace.info();
        if intact.missing_from(&read) > 0 {
            let lost = self.intact(damage).filter(|(_, record)| !read.has(record));
            let places: Vec<_> = lost.map(|(place, _)| place).take(5).collect();
            panic!(
                "{cell}: intact records are not read, at {places:#x?}; {:#?}",
                info.warnings
            );
        }
        assert_eq!(info.records.good, read.len(), "{cell}");
        assert!(decode_all(&trace) <= read.len(), "{cell}");
        // Where a file that nobody finished is cut between two buffers, nothing shows it.
        let lost = match self.name {
            "not finalised" if info.records.skipped_bytes == 0 => 0,
            _ => self.total().saturating_sub(read.len()),
        };
        check_told(&cell, info, lost);
        trace
    }

    /// The buffers in another order, or not all of them, or some twice.
    fn arranged(&self, name: &str, order: &[usize]) -> Damage {
        let pieces = order
            .iter()
            .map(|n| &self.bytes[self.buffers[*n].range.clone()]);
        let bytes = pieces.collect::<Vec<_>>().concat();
        let dropped = (0..self.buffers.len()).filter(|n| !order.contains(n));
        let touched = dropped.map(|n| self.buffers[n].range.clone()).collect();
        Damage::new(format!("{name} {order:?}"), bytes, touched)
    }
}

fn open(bytes: &[u8]) -> Result<EtlTrace, OpenError> {
    EtlTrace::from_source(
        Source::Memory(Arc::from(bytes)),
        Path::new("x.etl"),
        &|_| (),
    )
}

fn survey(bytes: &[u8]) -> Result<EtlTrace, OpenError> {
    EtlTrace::survey(
        Source::Memory(Arc::from(bytes)),
        Path::new("x.etl"),
        &|_| (),
    )
}

fn read(trace: &EtlTrace) -> Tally {
    let mut out = Tally::default();
    let mut scratch = Scratch::default();
    for buffer in 0..trace.file().buffers().len() {
        let mut records = trace.file().records(buffer, &mut scratch).unwrap();
        records.each(|record: Record<'_>| out.add(record.bytes()), |_| ());
    }
    out
}

fn logs() -> Vec<Log> {
    let small = EtlOptions {
        buffer_size: 8_192,
        background: false,
        ..EtlOptions::default()
    };
    let trace = |options| short_boot_trace(options).bytes();
    let sample = std::fs::read(repository("traces/boot-trace/boot_trace.etl")).unwrap();
    vec![
        Log::new("boot-trace (compressed)", sample),
        Log::new(
            "plain",
            trace(EtlOptions {
                background: false,
                ..EtlOptions::default()
            }),
        ),
        Log::new("small buffers", trace(small)),
        Log::new(
            "not finalised",
            trace(EtlOptions {
                finalised: false,
                ..small
            }),
        ),
        Log::new(
            "32-bit",
            boot_trace_32(EtlOptions {
                buffer_size: 65_536,
                background: false,
                ..small
            })
            .bytes(),
        ),
    ]
}

#[test]
fn cut_traces() {
    for log in logs() {
        let len = log.bytes.len();
        let first = log.buffers[0].range.end;
        let mut places: Vec<usize> = (1..10)
            .map(|n| len * n / 10 + n)
            .filter(|place| *place > first)
            .collect();
        let middle = &log.buffers[log.buffers.len() / 2];
        let start = middle.range.start;
        places.extend([
            start,
            start + 1,
            start + 71,
            start + 72,
            start + 300,
            middle.range.end - 1,
        ]);
        places.extend([first, first + 100, len - 1]);
        for place in places {
            let damage = Damage::cut(&log.bytes, place);
            log.cell(&damage, place == middle.range.end - 1);
        }
    }
}

#[test]
fn zeroed_stretches_of_traces() {
    for log in logs() {
        let len = log.bytes.len();
        let first = log.buffers[0].range.end;
        for n in 1..9 {
            let at = (len * n / 9).max(first);
            for bytes in [64, 512, 4_096, 65_536] {
                log.cell(
                    &Damage::zeros(&log.bytes, at..(at + bytes).min(len)),
                    n == 4,
                );
            }
            log.cell(&Damage::zero_tail(&log.bytes, at), n == 4);
        }
    }
}

#[test]
fn flipped_bytes_of_traces() {
    for log in logs() {
        let first = log.buffers[0].range.end;
        for seed in 1..8 {
            log.cell(
                &Damage::flips(&log.bytes, seed, 10, first..log.bytes.len()),
                seed == 1,
            );
        }
    }
}

#[test]
fn buffers_dropped_doubled_and_swapped() {
    for log in logs() {
        let all: Vec<usize> = (0..log.buffers.len()).collect();
        let last = all.len() - 1;
        let middle = last / 2;
        let whole = log.cell(&Damage::new("nothing", log.bytes.clone(), Vec::new()), true);

        let mut dropped = all.clone();
        dropped.remove(middle);
        log.cell(&log.arranged("dropped", &dropped), true);

        let mut doubled = all.clone();
        doubled.insert(last, middle);
        let trace = log.cell(&log.arranged("doubled", &doubled), true);
        assert_eq!(
            trace.info().records.good,
            log.total(),
            "{}: doubled",
            log.name
        );
        assert!(trace.info().loss().is_some(), "{}: doubled", log.name);

        // One twice and one not at all: as many buffers as there should be.
        let mut both = dropped.clone();
        both.push(1);
        let trace = log.cell(&log.arranged("dropped and doubled", &both), true);
        assert!(
            trace.info().loss().is_some(),
            "{}: dropped and doubled",
            log.name
        );

        let mut swapped = all.clone();
        swapped.swap(1, last);
        swapped.swap(middle, last - 1);
        let trace = log.cell(&log.arranged("swapped", &swapped), true);
        assert_eq!(
            trace.info().records,
            whole.info().records,
            "{}: swapped",
            log.name
        );
        assert_eq!(
            decode_all(&trace),
            decode_all(&whole),
            "{}: swapped",
            log.name
        );

        // A ring that went round: what is oldest stands in the middle of the file.
        let mut wrapped = vec![0];
        wrapped.extend(middle..=last);
        wrapped.extend(1..middle);
        let trace = log.cell(&log.arranged("wrapped", &wrapped), true);
        assert_eq!(
            trace.info().records,
            whole.info().records,
            "{}: wrapped",
            log.name
        );
        assert_eq!(
            (trace.info().first, trace.info().last),
            (whole.info().first, whole.info().last),
            "{}: wrapped",
            log.name
        );
    }
}
