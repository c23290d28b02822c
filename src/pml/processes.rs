//! The process table: one record a process, with its modules.

use super::error::{PmlError, Table};
use super::layout::{module, process as at};
use super::record::Bits;
use super::strings::Strings;
use crate::bytes::{ptr_at, slice_at, u32_at, u64_at};
use crate::lang::Message;
use crate::say;
use crate::trace::{Filetime, Module, Process};
use std::collections::HashMap;

/// The processes of a log and the numbers that events use for them.
#[derive(Debug, Default)]
pub struct Processes {
    /// In the order of the table.
    pub list: Vec<Process>,
    numbers: Vec<u32>,
    stored: HashMap<u32, Stored>,
    by_number: HashMap<u32, u32>,
    dense: Vec<u32>,
}

/// What a process record holds and the event model has no place for: Procmon's own export shows it.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Number of the parent's record.
    pub parent: u32,
    /// When Procmon first saw each module, in the order of the process's modules.
    pub module_times: Box<[Filetime]>,
}

/// Numbers below this are looked up in an array; real logs stay far below it.
const DENSE: u32 = 1 << 16;
const NONE: u32 = u32::MAX;

impl Processes {
    /// Reads the table from `bytes`, which start at file offset `offset`.
    ///
    /// Records that do not fit are left out and counted in the error.
    pub fn parse(
        bytes: &[u8],
        offset: u64,
        bits: Bits,
        strings: &Strings,
    ) -> (Self, Option<PmlError>) {
        let table_error = |expected: Message, found: Message| PmlError::Table {
            table: Table::Processes,
            offset,
            expected,
            found,
        };
        let mut out = Self::default();
        let Some(count) = u32_at(bytes, 0) else {
            let found = say!(en: "{bytes} bytes", zh: "{bytes} 个字节", bytes = bytes.len());
            return (
                out,
                Some(table_error(
                    say!(en: "a count of processes", zh: "进程数"),
                    found,
                )),
            );
        };
        // Number and offset take 8 bytes a process.
        let readable = (count as usize).min((bytes.len() - 4) / 8);
        let offsets = 4 + count as usize * 4;
        let mut bad = count as usize - readable;
        let mut cut_modules = 0;
        // Records do not overlap, so together they hold no more modules than the table has room for.
        let mut room = bytes.len() / module::size(bits.ptr());
        let first = offsets + count as usize * 4;
        let mut next = first;
        for entry in 0..readable {
            let named = u32_at(bytes, 4 + entry * 4).unwrap_or(0);
            let at = u32_at(bytes, offsets + entry * 4).unwrap_or(0) as usize;
            // Records lie back to back: where an offset is lost, the record stands behind the one before.
            let places = [at, next];
            let mut records = places.into_iter().filter(|at| *at >= first).map(|at| {
                let record = read(bytes.get(at..)?, bits, strings, &mut room)?;
                Some((at, record))
            });
            let is_named = |(_, record): &(usize, Record)| {
                record.number == named || named == 0 && out.position(record.number).is_none()
            };
            match records.find_map(|record| record.filter(is_named)) {
                Some((at, record)) => {
                    cut_modules += record.cut_modules;
                    next = at.saturating_add(record.bytes);
                    if out.add(record.number, record.process) {
                        out.stored.insert(record.number, record.stored);
                    }
                }
                None => bad += 1,
            }
        }
        let error = (bad > 0 || cut_modules > 0 || count == 0).then(|| {
            table_error(
                say!(en: "{count} whole process records", zh: "{count} 条完整的进程记录"),
                say!(
                    en: "{whole}, and {cut_modules} modules that do not fit",
                    zh: "{whole} 条，另有 {cut_modules} 个模块超出范围",
                    whole = count as usize - bad,
                ),
            )
        });
        (out, error)
    }

    /// Adds a process that events call `number`; a number that is taken already keeps its process.
    /// Returns whether it was added.
    pub fn add(&mut self, number: u32, process: Process) -> bool {
        if self.position(number).is_some() {
            return false;
        }
        let position = self.list.len() as u32;
        if number < DENSE {
            if self.dense.len() <= number as usize {
                self.dense.resize(number as usize + 1, NONE);
            }
            self.dense[number as usize] = position;
        } else {
            self.by_number.insert(number, position);
        }
        self.list.push(process);
        self.numbers.push(number);
        true
    }

    /// The number by which events call the process at `position`.
    pub fn number(&self, position: usize) -> Option<u32> {
        self.numbers.get(position).copied()
    }

    /// What else the record of process `number` holds; nothing for a process that only events tell of.
    pub fn stored(&self, number: u32) -> Option<&Stored> {
        self.stored.get(&number)
    }

    /// Position in [`Processes::list`] of the process that events call `number`.
    #[inline]
    pub fn position(&self, number: u32) -> Option<u32> {
        if number < DENSE {
            self.dense
                .get(number as usize)
                .copied()
                .filter(|position| *position != NONE)
        } else {
            self.by_number.get(&number).copied()
        }
    }
}

/// Where the table ends that begins with `bytes`; `None` where they do not begin as a whole table does: the records
/// follow the offsets.
pub fn table_len(bytes: &[u8], bits: Bits) -> Option<u64> {
    let count = u32_at(bytes, 0).filter(|count| *count > 0)? as usize;
    let offsets = count.checked_mul(4)?.checked_add(4)?;
    let first = offsets.checked_add(count.checked_mul(4)?)?;
    if u32_at(bytes, offsets)? as usize != first {
        return None;
    }
    let last = u32_at(bytes, first - 4)? as usize;
    let modules = u32_at(bytes.get(last..)?, at::module_count(bits.ptr()))?;
    let size = u64::from(modules) * module::size(bits.ptr()) as u64;
    Some((last + at::modules(bits.ptr())) as u64 + size)
}

/// A record of the table.
struct Record {
    number: u32,
    process: Process,
    stored: Stored,
    /// Modules that did not fit.
    cut_modules: usize,
    /// Bytes of the record.
    bytes: usize,
}

fn read(bytes: &[u8], bits: Bits, strings: &Strings, room: &mut usize) -> Option<Record> {
    let ptr = bits.ptr();
    let fixed = slice_at(bytes, 0, at::modules(ptr))?;
    let u32 = |at| u32_at(fixed, at).unwrap_or(0);
    let u64 = |at| u64_at(fixed, at).unwrap_or(0);
    let string = |slot: usize| strings.get(u32(at::STRINGS + slot * 4));
    let time = |at| match u64(at) {
        0 => None,
        ticks => Some(Filetime(ticks)),
    };
    let count = u32(at::module_count(ptr)) as usize;
    let space = &bytes[at::modules(ptr)..];
    let readable = count.min(space.len() / module::size(ptr)).min(*room);
    *room -= readable;
    let entries = || space.chunks_exact(module::size(ptr)).take(readable);
    let modules = entries()
        .map(|entry| read_module(entry, bits, strings))
        .collect();
    let stored = Stored {
        parent: u32(at::PARENT_INDEX),
        module_times: entries().map(|entry| first_seen(entry, ptr)).collect(),
    };
    let process = Process {
        pid: u32(at::PID),
        parent_pid: Some(u32(at::PARENT_PID)),
        auth_id: Some(u64(at::AUTH_ID)),
        session: Some(u32(at::SESSION)),
        start: time(at::START),
        end: time(at::END),
        virtualized: match u32(at::VIRTUALIZED) {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        is_64: Some(u32(at::IS_64) != 0),
        integrity: string(0),
        user: string(1),
        name: string(2),
        image_path: string(3),
        command_line: string(4),
        company: string(5),
        version: string(6),
        description: string(7),
        modules,
    };
    Some(Record {
        number: u32(at::INDEX),
        process,
        stored,
        cut_modules: count - readable,
        bytes: at::modules(ptr).saturating_add(count.saturating_mul(module::size(ptr))),
    })
}

/// When Procmon first saw a module: a FILETIME with its low half at the start of the entry and its high half at the
/// end. In the real logs all of them lie between the start of the log and its end.
fn first_seen(entry: &[u8], ptr: usize) -> Filetime {
    let low = u32_at(entry, 0).unwrap_or(0);
    let high = u32_at(entry, module::size(ptr) - 4).unwrap_or(0);
    Filetime(u64::from(high) << 32 | u64::from(low))
}

fn read_module(entry: &[u8], bits: Bits, strings: &Strings) -> Module {
    let ptr = bits.ptr();
    let u32 = |at| u32_at(entry, at).unwrap_or(0);
    let string = |slot: usize| strings.get(u32(module::strings(ptr) + slot * 4));
    Module {
        base: ptr_at(entry, module::base(ptr), bits.is_64()).unwrap_or(0),
        size: u64::from(u32(module::image_size(ptr))),
        path: string(0),
        version: string(1),
        company: string(2),
        description: string(3),
        time_stamp: u32(module::time_stamp(ptr)),
    }
}
