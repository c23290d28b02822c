//! The matrix for Procmon logs.

use super::{Damage, Tally, check_told, decode_all};
use crate::common::repository;
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::trace::Trace;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tracegen::pml::layout;
use tracegen::scenario::{boot_case_32, held_case};

/// A whole log, and where its records lie.
struct Log {
    name: &'static str,
    bytes: Vec<u8>,
    records: Vec<Range<usize>>,
}

fn u64_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

impl Log {
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        let at = layout::H_EVENT_COUNT;
        let count = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let index = u64_at(&bytes, layout::H_INDEX);
        let offset = |number: usize| match number < count {
            true => {
                let entry = index + number * layout::INDEX_ENTRY as usize;
                u32::from_le_bytes(bytes[entry..entry + 4].try_into().unwrap()) as usize
            }
            false => index,
        };
        let records = (0..count).map(|n| offset(n)..offset(n + 1)).collect();
        Self {
            name,
            bytes,
            records,
        }
    }

    /// The bytes that name the record at `range`: fixed part, stack and detail block.
    fn key(&self, range: &Range<usize>) -> &[u8] {
        let record = &self.bytes[range.clone()];
        let depth = u16::from_le_bytes(record[0x28..0x2A].try_into().unwrap()) as usize;
        let detail = u32::from_le_bytes(record[0x2C..0x30].try_into().unwrap()) as usize;
        let pointer = if self.bytes[layout::H_IS_64] == 1 {
            8
        } else {
            4
        };
        &record[..layout::RECORD_SIZE + depth * pointer + detail]
    }

    fn intact(&self, damage: &Damage) -> Tally {
        let mut out = Tally::default();
        for range in &self.records {
            let key = self.key(range);
            if !damage.touches(range) {
                out.add(key);
            }
        }
        out
    }

    /// What a crash leaves: a header without offsets and count, and nothing behind the events.
    fn unclosed(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[layout::H_EVENT_COUNT..layout::H_EVENT_COUNT + 4].fill(0);
        for at in layout::H_OFFSETS {
            bytes[at..at + 8].fill(0);
        }
        bytes.truncate(u64_at(&self.bytes, layout::H_INDEX));
        bytes
    }

    /// Runs a cell: what is read of the damaged log, its facts, and how many records that the damage leaves whole
    /// are missing.
    fn cell(&self, damage: &Damage) -> PmlTrace {
        let cell = format!("{}, {}", self.name, damage.name);
        let trace = open(&damage.bytes).unwrap_or_else(|error| panic!("{cell}: {error}"));
        let read = read(&trace);
        let missing = self.intact(damage).missing_from(&read);
        let warnings = &trace.info().warnings;
        assert_eq!(
            missing, 0,
            "{cell}: intact records are not read; {warnings:#?}"
        );
        let info = trace.info();
        assert_eq!(info.records.good, read.len(), "{cell}");
        assert_eq!(decode_all(&trace), read.len(), "{cell}");
        let lost = (self.records.len() as u64).saturating_sub(read.len());
        check_told(&cell, info, lost);
        trace
    }
}

fn open(bytes: &[u8]) -> Result<PmlTrace, fltscope::pml::OpenError> {
    let source = Source::Memory(Arc::from(bytes));
    PmlTrace::from_source(source, Path::new("x.pml"), &|_| ())
}

fn read(trace: &PmlTrace) -> Tally {
    let mut out = Tally::default();
    for unit in 0..trace.units() {
        let records = trace.unit(unit).unwrap();
        for at in 0..records.len() {
            if let Ok(record) = records.record(at) {
                let end = record.detail_offset() + record.detail().len();
                out.add(&record.tail()[..end]);
            }
        }
    }
    out
}

fn logs() -> Vec<Log> {
    let sample = |path: &str| std::fs::read(repository(path)).unwrap();
    vec![
        Log::new("boot-log", sample("traces/boot-log/boot_log.pml")),
        Log::new("clean", sample("traces/clean/clean.pml")),
        Log::new("boot-trace", sample("traces/boot-trace/boot_trace.pml")),
        Log::new("boot, 32-bit", boot_case_32().bytes()),
        Log::new("held", held_case().0.bytes()),
    ]
}

#[test]
fn cut_logs() {
    for log in logs() {
        let len = log.bytes.len();
        let index = u64_at(&log.bytes, layout::H_INDEX);
        let mut places: Vec<usize> = (1..12).map(|n| len * n / 12 + n).collect();
        // In a table each, at the borders of records, and inside one.
        places
            .extend([layout::H_PROCESSES, layout::H_STRINGS].map(|at| u64_at(&log.bytes, at) + 9));
        places.extend([0x3A8, 0x3A9, index, index + 7, len - 1]);
        let record = &log.records[log.records.len() / 2];
        places.extend([
            record.start,
            record.start + 1,
            record.start + 0x34,
            record.end - 1,
        ]);
        for place in places {
            let damage = Damage::cut(&log.bytes, place);
            let info = log.cell(&damage);
            assert!(
                info.info().loss().is_some(),
                "{}, {}",
                log.name,
                damage.name
            );
        }
    }
}

#[test]
fn zeroed_stretches_of_logs() {
    for log in logs() {
        let len = log.bytes.len();
        let index = u64_at(&log.bytes, layout::H_INDEX);
        for n in 1..8 {
            let at = index * n / 8;
            for bytes in [512, 4_096, 65_536] {
                let damage = Damage::zeros(&log.bytes, at..(at + bytes).min(index));
                let trace = log.cell(&damage);
                let lost = trace.info().records.bad + trace.info().coverage.events_lost;
                assert!(lost > 0, "{}, {}", log.name, damage.name);
                let unclosed = log.unclosed();
                let damage = Damage::zeros(&unclosed, at..(at + bytes).min(index));
                let skipped = log.cell(&damage).info().records.skipped_bytes as usize;
                let least = damage.touched[0].len();
                let records: usize = log
                    .records
                    .iter()
                    .filter(|r| damage.touches(r))
                    .map(Range::len)
                    .sum();
                assert!(
                    skipped + 4 * 0x400 >= least.min(records),
                    "{}, {}: {skipped}",
                    log.name,
                    damage.name
                );
            }
        }
        for from in [index / 2, index - 100, index + 50, len - len / 50] {
            log.cell(&Damage::zero_tail(&log.bytes, from));
        }
    }
}

#[test]
fn flipped_bytes_of_logs() {
    for log in logs() {
        let index = u64_at(&log.bytes, layout::H_INDEX);
        for seed in 1..6 {
            log.cell(&Damage::flips(&log.bytes, seed, 20, 0x3A8..index));
            let unclosed = log.unclosed();
            log.cell(&Damage::flips(&unclosed, seed + 100, 4, 0x3A8..index));
            // Tables and index: no record is touched, so all are read.
            log.cell(&Damage::flips(
                &log.bytes,
                seed + 200,
                50,
                index..log.bytes.len(),
            ));
            log.cell(&Damage::flips(&log.bytes, seed + 300, 20, 0x00C..0x230));
        }
    }
}

#[test]
fn an_index_that_lies_costs_no_event() {
    for log in logs() {
        let index = u64_at(&log.bytes, layout::H_INDEX);
        let entries = log.records.len() * 5;
        for (from, to) in [
            (0, entries),
            (0, 5),
            (500, 900),
            (entries - 5, entries),
            (1_000, 1_003),
        ] {
            let damage = Damage::zeros(&log.bytes, index + from..index + to);
            let trace = log.cell(&damage);
            assert_eq!(
                trace.info().records.good,
                log.records.len() as u64,
                "{}",
                damage.name
            );
            assert!(trace.info().loss().is_some());
        }
    }
}

#[test]
fn a_field_of_the_header_that_is_lost_costs_no_event() {
    for log in logs() {
        let fields = [layout::H_EVENT_COUNT, layout::H_IS_64]
            .into_iter()
            .chain(layout::H_OFFSETS);
        for field in fields {
            let width = if field < 0x240 { 4 } else { 8 };
            for value in [0, 3, 0x1234, u64::MAX] {
                let mut bytes = log.bytes.clone();
                bytes[field..field + width].copy_from_slice(&value.to_le_bytes()[..width]);
                if bytes == log.bytes {
                    continue;
                }
                let name = format!("header field {field:#x} is {value:#x}");
                let touched = field..field + width;
                let damage = Damage::new(name, bytes, vec![touched]);
                let trace = log.cell(&damage);
                assert_eq!(
                    trace.info().records.good,
                    log.records.len() as u64,
                    "{}, {}",
                    log.name,
                    damage.name
                );
                // Names and drivers are there as well: tables follow each other.
                if field != layout::H_IS_64 {
                    let whole = open(&log.bytes).unwrap();
                    assert_eq!(
                        trace.info().processes.len(),
                        whole.info().processes.len(),
                        "{}, {}",
                        log.name,
                        damage.name
                    );
                    assert_eq!(
                        trace.info().kernel_images.len(),
                        whole.info().kernel_images.len(),
                        "{}, {}",
                        log.name,
                        damage.name
                    );
                }
            }
        }
    }
}

/// Names of the processes that have events.
fn names(trace: &PmlTrace) -> BTreeSet<String> {
    let list = trace.info().processes.iter();
    list.map(|process| process.name.to_string())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn tables_of_zeros_leave_what_events_tell() {
    for log in logs() {
        let whole = open(&log.bytes).unwrap();
        let [index, processes, strings, icons, hosts] = [
            layout::H_INDEX,
            layout::H_PROCESSES,
            layout::H_STRINGS,
            layout::H_ICONS,
            layout::H_HOSTS,
        ]
        .map(|at| u64_at(&log.bytes, at));
        let unclosed = open(&log.unclosed()).unwrap();
        let told = names(&unclosed);
        for (name, range) in [
            ("processes", processes..strings),
            ("strings", strings..icons),
            ("hosts", hosts..log.bytes.len()),
            ("icons", icons..hosts),
            ("all tables", index..log.bytes.len()),
            (
                "half of the processes",
                processes..(processes + strings) / 2,
            ),
            ("half of the strings", strings..(strings + icons) / 2),
        ] {
            let mut damage = Damage::zeros(&log.bytes, range);
            damage.name = format!("{name} are zeros");
            let trace = log.cell(&damage);
            let info = trace.info();
            assert_eq!(
                info.records.good,
                log.records.len() as u64,
                "{}, {}",
                log.name,
                damage.name
            );
            if name != "icons" && name != "hosts" {
                assert!(
                    info.loss().is_some(),
                    "{}, {}: not told",
                    log.name,
                    damage.name
                );
            }
            // What events tell of names is there whatever becomes of the tables.
            let missing: Vec<_> = told.difference(&names(&trace)).cloned().collect();
            assert!(
                missing.is_empty(),
                "{}, {}: {missing:?}",
                log.name,
                damage.name
            );
        }
        // Processes that began in the log, and those that wrote of others.
        let began = |trace: &PmlTrace| {
            trace
                .info()
                .processes
                .iter()
                .filter(|p| p.start.is_some())
                .count()
        };
        assert!(
            began(&unclosed) > 0 && began(&unclosed) <= began(&whole),
            "{}",
            log.name
        );
    }
}
