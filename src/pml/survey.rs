//! The first pass over a log: what the event pass needs to know beforehand.
//!
//! It looks at the fixed part of every record, and at the details of process and image events only:
//! drivers loaded while the log ran, processes that the process table lacks, account names, counts.

use super::detail::{image_load, process_created, written_path};
use super::error::PmlError;
use super::facts::UnitFacts;
use super::file::{PmlFile, UNIT};
use super::hints::{self, Hints};
use super::operations::{UNKNOWN, class_of, operation_name};
use super::record::Record;
use crate::trace::log_writes::MOST_WRITES;
use crate::trace::{Class, Filetime, LogWrite, OperationCount, ServicingLog, Tick, for_each_unit};
use std::collections::HashMap;
use std::io;

/// What the first pass found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Whole records.
    pub good: u64,
    /// Records that cannot be read.
    pub bad: u64,
    /// Bytes of these.
    pub bad_bytes: u64,
    /// Records that end where the next one starts.
    pub fitting: u64,
    /// What was wrong with the first of them.
    pub faults: Vec<PmlError>,
    /// Earliest time.
    pub first: Option<Filetime>,
    /// Latest time.
    pub last: Option<Filetime>,
    /// Images loaded above the highest user address.
    pub images: Vec<LoadedImage>,
    /// What events say of processes that the process table does not describe.
    pub hints: Hints,
    /// Events by the number of their process, where the table lacks it.
    pub orphans: HashMap<u32, u64>,
    /// User SIDs and the number of the process they were seen with.
    pub accounts: Vec<(Box<[u8]>, u32)>,
    /// Whether a file-system or a registry event has a stack.
    pub stacks: bool,
    /// Writes to servicing logs, with the numbers of their processes: the first ones.
    pub log_writes: Vec<LogWrite>,
    /// What the units hold, in their order.
    pub units: Vec<UnitFacts>,
    counts: Counts,
    /// The path of the write at hand.
    path: String,
}

/// A kernel image loaded while the log ran.
#[derive(Debug)]
pub struct LoadedImage {
    /// When.
    pub time: Filetime,
    /// Its first address.
    pub base: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its path.
    pub path: String,
}

type Key = (u16, u16, u8);

/// How often each operation occurs. There are a few dozen in a log, and most events repeat a recent
/// one: a search from the front beats hashing.
#[derive(Debug, Default)]
struct Counts {
    keys: Vec<Key>,
    counts: Vec<Count>,
}

#[derive(Debug, Clone)]
struct Count {
    class: Class,
    operation: &'static str,
    count: u64,
}

impl Counts {
    #[inline]
    fn add(&mut self, key: Key, count: u64, named: impl FnOnce() -> (Class, &'static str)) {
        if let Some(at) = self.keys.iter().position(|known| *known == key) {
            self.counts[at].count += count;
            return;
        }
        // Made-up logs may hold any number of keys; what has no name needs no key of its own.
        let (class, operation) = named();
        let key = if operation == UNKNOWN && self.keys.len() > MAX_KEYS {
            (key.0, u16::MAX, 0)
        } else {
            key
        };
        match self.keys.iter().position(|known| *known == key) {
            Some(at) => self.counts[at].count += count,
            None => {
                self.keys.push(key);
                self.counts.push(Count {
                    class,
                    operation,
                    count,
                });
            }
        }
    }
}

/// More keys than Windows has operations.
const MAX_KEYS: usize = 500;

/// More processes without a description are counted as one.
const MAX_ORPHANS: usize = 10_000;

/// Faults kept for the warnings; the rest is counted.
const LISTED: usize = 20;

/// Runs the pass.
///
/// # Errors
/// When the file can no longer be read.
pub fn survey(file: &PmlFile, tick: Tick<'_>) -> io::Result<Survey> {
    let mut out = Survey::default();
    let units = file.len().div_ceil(UNIT);
    for_each_unit(
        0..units,
        tick,
        |unit| survey_unit(file, unit),
        |part| {
            out.merge(part);
            Ok(())
        },
    )?;
    Ok(out)
}

fn survey_unit(file: &PmlFile, unit: usize) -> io::Result<Survey> {
    let mut out = Survey::default();
    let mut facts = UnitFacts::default();
    let records = file.unit_alone(unit * UNIT..(unit + 1) * UNIT)?;
    for at in 0..records.len() {
        match records.record(at) {
            Ok(record) => {
                out.fitting += u64::from(records.fits(at, &record));
                out.note(file, (unit * UNIT + at) as u64, &record, &mut facts);
            }
            Err(fault) => {
                out.bad += 1;
                out.bad_bytes += records.bytes_of(at);
                if out.faults.len() < LISTED {
                    out.faults.push(fault);
                }
            }
        }
    }
    out.units.push(facts);
    Ok(out)
}

impl Survey {
    fn note(&mut self, file: &PmlFile, number: u64, record: &Record<'_>, facts: &mut UnitFacts) {
        self.good += 1;
        let time = Filetime(record.time());
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        if file.processes.position(record.process_index()).is_none() {
            self.note_orphan(record.process_index(), 1);
        }
        let class = class_of(record.class());
        facts.note(record, time, class);
        self.counts
            .add(key(record), 1, || (class, operation_name(record)));
        match class {
            Class::FileSystem => {
                self.stacks |= record.depth() > 0;
                self.note_write(number, record, time);
            }
            Class::Registry => self.stacks |= record.depth() > 0,
            Class::Process => self.note_process(file, record, time),
            _ => {}
        }
    }

    #[inline]
    fn note_write(&mut self, event: u64, record: &Record<'_>, time: Filetime) {
        let Some(moved) = written_path(record, &mut self.path) else {
            return;
        };
        if let Some(log) = ServicingLog::of_path(&self.path) {
            self.log_writes.push(LogWrite {
                time,
                event,
                log,
                offset: LogWrite::place(moved.offset),
                length: moved.length,
                process: record.process_index(),
            });
        }
    }

    fn note_process(&mut self, file: &PmlFile, record: &Record<'_>, time: Filetime) {
        if let Some(image) = image_load(record)
            && image.base > file.header().highest_user
        {
            self.images.push(LoadedImage {
                time,
                base: image.base,
                size: u64::from(image.size),
                path: image.path.to_string(),
            });
        }
        let lacks_table = file.lacks_processes();
        let highest_user = file.header().highest_user;
        hints::note(
            record,
            &file.processes,
            highest_user,
            lacks_table,
            &mut self.hints,
        );
        let Some(created) = process_created(record) else {
            return;
        };
        if !created.user_sid.is_empty() {
            self.accounts.push((created.user_sid.into(), created.index));
        }
    }

    #[cold]
    fn note_orphan(&mut self, number: u32, events: u64) {
        let known = self.orphans.len() < MAX_ORPHANS || self.orphans.contains_key(&number);
        let number = if known { number } else { u32::MAX };
        *self.orphans.entry(number).or_default() += events;
    }

    /// Adds what a later unit found.
    fn merge(&mut self, other: Self) {
        self.good += other.good;
        self.bad += other.bad;
        self.bad_bytes += other.bad_bytes;
        self.fitting += other.fitting;
        self.units.extend(other.units);
        for (number, events) in other.orphans {
            self.note_orphan(number, events);
        }
        let room = LISTED - self.faults.len().min(LISTED);
        self.faults.extend(other.faults.into_iter().take(room));
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.images.extend(other.images);
        self.hints.extend(other.hints);
        self.accounts.extend(other.accounts);
        let room = MOST_WRITES - self.log_writes.len().min(MOST_WRITES);
        self.log_writes
            .extend(other.log_writes.into_iter().take(room));
        self.stacks |= other.stacks;
        for (key, count) in other.counts.keys.iter().zip(&other.counts.counts) {
            self.counts
                .add(*key, count.count, || (count.class, count.operation));
        }
    }

    /// Counts by class and operation: classes as Procmon lists them, most frequent operation first.
    pub fn operations(&self) -> Vec<OperationCount> {
        let mut sums: HashMap<(Class, &'static str), u64> = HashMap::new();
        for count in &self.counts.counts {
            *sums.entry((count.class, count.operation)).or_default() += count.count;
        }
        OperationCount::in_order(sums)
    }
}

/// What an operation's name depends on: the class, the operation, and the first byte of the detail
/// block (sub-operation of a file operation, flags of a network one).
#[inline]
fn key(record: &Record<'_>) -> Key {
    let class = record.class();
    let sub = match class_of(class) {
        Class::FileSystem | Class::Ipc | Class::Network => {
            record.detail().first().copied().unwrap_or(0)
        }
        _ => 0,
    };
    (class, record.operation(), sub)
}
