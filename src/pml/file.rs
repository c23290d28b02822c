//! A log as a file: where its events lie, and records by event number.

use super::error::{PmlError, Table};
use super::header::Header;
use super::hosts::Hosts;
use super::layout::{event as at, header as header_at, index};
use super::places::{Offsets, Places, entry_at};
use super::processes::{Processes, table_len};
use super::record::{Bits, LARGEST_DETAIL, Record};
use super::strings::{self, Strings};
use super::unit::{Bytes, Spare, Unit};
use super::walk::{self, walk};
use crate::input::view::{Source, View};
use crate::lang::Message;
use crate::say;
use std::io;
use std::ops::Range;

/// Events in a unit of work: a quarter of a megabyte of a log with stacks, and as much of text, so that a unit
/// stays in a core's cache from its decoding to its last cell.
pub const UNIT: usize = 512;

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is no log this decoder reads.
    #[error("{0}")]
    Format(#[from] PmlError),
}

impl OpenError {
    /// The reason for people.
    pub fn message(&self) -> Message {
        match self {
            Self::Io(error) => Message::verbatim(error.to_string()),
            Self::Format(error) => error.message(),
        }
    }
}

/// Bytes a view holds behind its last record, for text that Procmon reads past a block's end: a
/// Detail has at most 4,095 UTF-16 units, so nothing further away can show.
const OVERREAD: u64 = 64 << 10;

/// No record is longer: the fixed part, 65,535 frames, a detail block of [`LARGEST_DETAIL`], an extra block of 64 KiB.
pub(super) const LARGEST_RECORD: u64 = (at::SIZE + 0xFFFF * 8 + LARGEST_DETAIL + 2 + 0xFFFF) as u64;
/// Bytes that the records of a unit may have beyond the piece of the file they lie in, for an index with damaged entries.
const OVERLAP: u64 = 64 << 20;

/// An open log: its header, its tables, and its events by number.
#[derive(Debug)]
pub struct PmlFile {
    source: Source,
    header: Header,
    places: Places,
    spare: Spare,
    /// Processes and their modules.
    pub processes: Processes,
    /// Host and port names.
    pub hosts: Hosts,
    faults: Vec<PmlError>,
}

impl PmlFile {
    /// Opens a log. Damage that leaves something to read is noted in [`PmlFile::faults`].
    ///
    /// # Errors
    /// When the file cannot be read, or is no PML of version 9.
    pub fn open(source: Source) -> Result<Self, OpenError> {
        let header = {
            let view = source.view(0..header_at::SIZE as u64)?;
            Header::parse(&view)?
        };
        let mut faults = Vec::new();
        if !header.is_closed() {
            faults.push(PmlError::NotClosed);
        }
        let mut out = Self {
            places: Places::indexed(source.view(0..0)?, 0),
            spare: Spare::default(),
            processes: Processes::default(),
            hosts: Hosts::default(),
            faults,
            source,
            header,
        };
        out.check_bits()?;
        out.places = match out.usable_index()? {
            Some(view) => Places::indexed(view, out.header.index),
            None => out.walked(&[])?,
        };
        out.read_tables()?;
        Ok(out)
    }

    /// Believes the records where the header's pointer size does not lead from one to the next and the other does.
    fn check_bits(&mut self) -> io::Result<()> {
        let (start, bits) = (self.events_start(), self.header.bits);
        let by_header = walk::run_length(&self.source, start, bits)?;
        if by_header == walk::TRIED {
            return Ok(());
        }
        let other = match bits {
            Bits::B32 => Bits::B64,
            Bits::B64 => Bits::B32,
        };
        if walk::run_length(&self.source, start, other)? > by_header {
            self.header.set_bits(other);
            self.faults.push(PmlError::PointerSize {
                found: bits.ptr() * 8,
                used: other.ptr() * 8,
            });
        }
        Ok(())
    }

    fn table_view(&mut self, table: Table, offset: u64) -> io::Result<Option<View>> {
        if offset < header_at::SIZE as u64 || offset >= self.source.len() {
            self.faults.push(PmlError::Table {
                table,
                offset,
                expected: say!(en: "an offset inside the file", zh: "文件范围内的偏移量"),
                found: say!(
                    en: "a file of {bytes:#x} bytes",
                    zh: "{bytes:#x} 个字节的文件",
                    bytes = self.source.len(),
                ),
            });
            return Ok(None);
        }
        self.source.view(offset..self.source.len()).map(Some)
    }

    /// Reads the tables, which follow the index back to back: that tells where one is whose offset is lost.
    fn read_tables(&mut self) -> io::Result<()> {
        let is_closed = self.header.is_closed();
        let bits = self.header.bits;
        let index = match self.has_index() {
            true => self.header.index,
            // The index starts at a multiple of 4.
            false => self.places.end.saturating_add(3) & !3,
        };
        let behind_index = index.saturating_add((self.len() * index::ENTRY) as u64);
        let begins = |bytes: &[u8]| table_len(bytes, bits).is_some();
        let named = self.header.processes;
        let processes_at = self.place_of(Table::Processes, named, behind_index, begins)?;
        // The index is no event, and its bytes are no loss of one.
        if processes_at == behind_index && !self.has_index() {
            self.places.forget_tail();
        }
        let behind_processes = match self.source.view(processes_at..self.source.len())? {
            view if processes_at > 0 => table_len(&view, bits).map(|len| processes_at + len),
            _ => None,
        };
        let named = self.header.strings;
        let behind = behind_processes.unwrap_or(named);
        let strings_at = self.place_of(Table::Strings, named, behind, strings::begins_here)?;
        if !is_closed && processes_at == 0 {
            return Ok(());
        }
        let strings = match self.table_view(Table::Strings, strings_at)? {
            Some(view) => {
                let (strings, fault) = Strings::parse(&view, strings_at);
                self.faults.extend(fault);
                strings
            }
            None => Strings::default(),
        };
        if let Some(view) = self.table_view(Table::Processes, processes_at)? {
            let (processes, fault) = Processes::parse(&view, processes_at, bits, &strings);
            self.processes = processes;
            self.faults
                .extend(fault.filter(|_| self.header.event_count > 0));
        }
        if let Some(view) = self.table_view(Table::Hosts, self.header.hosts)? {
            let (hosts, fault) = Hosts::parse(&view, self.header.hosts);
            self.hosts = hosts;
            self.faults.extend(fault);
        }
        Ok(())
    }

    /// Where a table starts: at `named`, unless none begins there and one does at `other`.
    fn place_of(
        &mut self,
        table: Table,
        named: u64,
        other: u64,
        begins: impl Fn(&[u8]) -> bool,
    ) -> io::Result<u64> {
        let first = header_at::SIZE as u64;
        for place in [named, other] {
            if (first..self.source.len()).contains(&place)
                && begins(&self.source.view(place..self.source.len())?)
            {
                if place != named {
                    self.faults.push(PmlError::Moved {
                        table,
                        offset: named,
                        place,
                    });
                }
                return Ok(place);
            }
        }
        Ok(named)
    }

    /// The index, if the header has one and all of it is there.
    fn usable_index(&mut self) -> io::Result<Option<View>> {
        if !self.header.is_closed() {
            return Ok(None);
        }
        let start = self.header.index;
        let size = u64::from(self.header.event_count) * index::ENTRY as u64;
        let view = self.source.view(start..start.saturating_add(size))?;
        let is_there = start >= header_at::SIZE as u64 && view.len() as u64 == size;
        if is_there && (self.ends_where_told() || self.ends_with_events(&view)?) {
            return Ok(Some(view));
        }
        self.faults.push(PmlError::Table {
            table: Table::Index,
            offset: start,
            expected: say!(
                en: "{events} entries of 5 bytes",
                zh: "{events} 个各 5 字节的条目",
                events = self.header.event_count,
            ),
            found: say!(
                en: "{bytes} bytes in a file of {file:#x}; the events are read one by one instead",
                zh: "{file:#x} 字节的文件中有 {bytes} 个字节；事件改为逐个读取",
                bytes = view.len(),
                file = self.source.len(),
            ),
        });
        Ok(None)
    }

    /// Whether the process table starts where the index ends by the number of events.
    fn ends_where_told(&self) -> bool {
        self.indexed_events() == Some(u64::from(self.header.event_count))
    }

    /// Entries that the index has room for.
    fn indexed_events(&self) -> Option<u64> {
        let header = &self.header;
        let room = header.processes.checked_sub(header.index)?;
        let is_there =
            header.index > header_at::SIZE as u64 && header.processes < self.source.len();
        (is_there && room % index::ENTRY as u64 == 0).then_some(room / index::ENTRY as u64)
    }

    /// Whether the last event of the index ends where the index starts.
    fn ends_with_events(&self, view: &View) -> io::Result<bool> {
        let Some(last) = view.len().checked_sub(index::ENTRY) else {
            return Ok(self.header.index.saturating_sub(self.events_start()) <= walk::PADDING);
        };
        let Some(offset) = entry_at(view, last) else {
            return Ok(false);
        };
        let end = self.header.index;
        let len = end.saturating_sub(offset).min(LARGEST_RECORD) as usize;
        let view = self.source.view(offset..end.max(offset))?;
        let record = Record::parse(&view, len, self.header.bits, offset);
        Ok(record.is_ok_and(|record| record.ends_within(walk::PADDING as usize)))
    }

    /// The events found one by one. `known` are places, ascending, where records are known to start.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn walked(&self, known: &[u64]) -> io::Result<Places> {
        let start = self.events_start();
        let end = self.events_end(start)?;
        let found = walk(&self.source, start, end, self.header.bits, known)?;
        Ok(Places {
            count: found.offsets.len(),
            end: found.end,
            offsets: Offsets::Walked(found.offsets),
            faults: found.skipped,
            skipped_bytes: found.skipped_bytes,
            stretches: found.stretches,
        })
    }

    /// Where the events end at the latest: where the index begins, which names the first event first, or a table does.
    fn events_end(&self, start: u64) -> io::Result<u64> {
        let len = self.source.len();
        for (offset, is_index) in [(self.header.index, true), (self.header.processes, false)] {
            if offset <= start || offset >= len {
                continue;
            }
            let view = self.source.view(offset..len)?;
            let begins = match is_index {
                true => entry_at(&view, 0) == Some(start),
                false => table_len(&view, self.header.bits).is_some(),
            };
            if begins {
                return Ok(offset);
            }
        }
        Ok(len)
    }

    fn events_start(&self) -> u64 {
        match self.header.events {
            offset if offset >= header_at::SIZE as u64 && offset < self.source.len() => offset,
            _ => header_at::SIZE as u64,
        }
    }

    /// The events by what the index says as far as it leads to them, and else one by one; `None` where that finds no
    /// event that the index does not name.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn mended(&self) -> io::Result<Option<Places>> {
        if !self.has_index() {
            return Ok(None);
        }
        let mut known = Vec::new();
        for first in (0..self.len()).step_by(UNIT) {
            let unit = self.unit_alone(first..first + UNIT)?;
            for (at, (offset, _)) in unit.places.iter().enumerate() {
                let fits = unit.record(at).is_ok_and(|record| unit.fits(at, &record));
                if fits && known.last().is_none_or(|last| last < offset) {
                    known.push(*offset);
                }
            }
        }
        let places = self.walked(&known)?;
        let Offsets::Walked(offsets) = &places.offsets else {
            return Ok(None);
        };
        let mut named: Vec<u64> = (0..self.len()).filter_map(|at| self.offset(at)).collect();
        named.sort_unstable();
        let is_named = |offset| named.binary_search(offset).is_ok();
        Ok((!offsets.iter().all(is_named)).then_some(places))
    }

    /// Takes the events from other places than the index says, whose entries lead to `fitting` of them.
    pub fn take_places(&mut self, places: Places, fitting: u64) {
        self.faults.push(PmlError::IndexLies {
            offset: self.header.index,
            expected: u64::from(self.header.event_count),
            found: fitting,
        });
        self.places = places;
    }

    /// Whether the events are found by the log's index.
    pub fn has_index(&self) -> bool {
        matches!(self.places.offsets, Offsets::Index(_))
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// Events that the file should hold: as many as its index has room for, else as the header counts.
    pub fn expected_events(&self) -> u64 {
        let counted = u64::from(self.header.event_count);
        self.indexed_events().unwrap_or(counted)
    }

    /// Number of events that have a place in the file.
    pub fn len(&self) -> usize {
        self.places.count
    }

    /// Whether the log holds no event.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What is wrong with the file as a whole.
    pub fn faults(&self) -> impl Iterator<Item = &PmlError> {
        self.faults.iter().chain(&self.places.faults)
    }

    /// Bytes between the events that could not be read.
    pub fn skipped_bytes(&self) -> u64 {
        self.places.skipped_bytes
    }

    /// Stretches of such bytes: each held a record at least.
    pub fn stretches(&self) -> u64 {
        self.places.stretches
    }

    /// Whether the process table, or a part of it, is not there.
    pub fn lacks_processes(&self) -> bool {
        let is_of_table = |fault: &PmlError| {
            matches!(
                fault,
                PmlError::Table {
                    table: Table::Processes | Table::Strings,
                    ..
                }
            )
        };
        self.processes.list.is_empty() || self.faults.iter().any(is_of_table)
    }

    /// Events that the header counts and the file does not hold.
    pub fn missing_events(&self) -> u64 {
        self.expected_events()
            .saturating_sub(self.places.count as u64)
    }

    /// Offset of event number `number`, `None` behind the last one.
    #[inline]
    pub fn offset(&self, number: usize) -> Option<u64> {
        match &self.places.offsets {
            Offsets::Walked(offsets) => offsets.get(number).copied(),
            Offsets::Index(view) => {
                let at = number.checked_mul(index::ENTRY)?;
                entry_at(view, at)
            }
        }
    }

    /// A run of events, and what Procmon's own text of the last one may run on into.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unit(&self, numbers: Range<usize>) -> io::Result<Unit> {
        self.unit_and(OVERREAD, numbers)
    }

    /// A run of events and nothing else.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn unit_alone(&self, numbers: Range<usize>) -> io::Result<Unit> {
        self.unit_and(0, numbers)
    }

    fn unit_and(&self, behind: u64, numbers: Range<usize>) -> io::Result<Unit> {
        let first = numbers.start.min(self.places.count);
        let last = numbers.end.min(self.places.count);
        let mut places = Vec::with_capacity(last - first);
        let mut next = self.offset(first);
        let (mut low, mut high) = (u64::MAX, 0);
        for number in first..last {
            let offset = next.unwrap_or(0);
            next = self.offset(number + 1);
            let end = match next {
                Some(next) if next > offset && next <= self.places.end => next,
                _ => self.places.end,
            };
            let inside = offset >= header_at::SIZE as u64 && offset < end;
            if inside {
                low = low.min(offset);
                high = high.max(end);
            }
            let len = if inside { end - offset } else { 0 };
            places.push((offset, len.min(LARGEST_RECORD)));
        }
        // Records do not overlap. In an index made up so that they do, the work must stay in
        // proportion to the file.
        let mut room = high.saturating_sub(low).saturating_add(OVERLAP);
        for (_, len) in &mut places {
            match room.checked_sub(*len) {
                Some(rest) => room = rest,
                None => *len = 0,
            }
        }
        let start = low.min(high);
        let unit = Unit {
            first,
            bytes: Bytes::of(
                &self.source,
                start..high.saturating_add(behind),
                &self.spare,
            )?,
            start,
            places,
            ends_with_last: last == self.places.count,
            bits: self.header.bits,
        };
        unit.warm();
        Ok(unit)
    }

    /// A single event by number.
    ///
    /// # Errors
    /// When the file cannot be mapped. Whether the record is whole, [`Unit::record`] tells.
    pub fn event(&self, number: usize) -> io::Result<Unit> {
        self.unit(number..number.saturating_add(1))
    }
}
