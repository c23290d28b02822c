//! A log as a file: where its events lie, and records by event number.

use super::error::{PmlError, Table};
use super::header::Header;
use super::hosts::Hosts;
use super::layout::{event as at, header as header_at, index};
use super::processes::Processes;
use super::record::{Bits, LARGEST_DETAIL, Record};
use super::strings::Strings;
use super::walk::walk;
use crate::bytes::{u8_at, u32_at};
use crate::input::view::{Source, View};
use crate::lang::Message;
use crate::say;
use std::io;
use std::ops::Range;

/// Events in a unit of work: half a megabyte of a log with stacks, and as much of text, so that a unit
/// stays in a core's cache from its decoding to its last cell.
pub const UNIT: usize = 1024;

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
const LARGEST_RECORD: u64 = (at::SIZE + 0xFFFF * 8 + LARGEST_DETAIL + 2 + 0xFFFF) as u64;
/// Bytes that the records of a unit may have beyond the piece of the file they lie in, for an index with damaged entries.
const OVERLAP: u64 = 64 << 20;

/// Where the events are.
#[derive(Debug)]
enum Offsets {
    /// The log's own index: 5 bytes an event.
    Index(View),
    /// Found by walking the records.
    Walked(Vec<u64>),
}

/// An open log: its header, its tables, and its events by number.
#[derive(Debug)]
pub struct PmlFile {
    source: Source,
    header: Header,
    offsets: Offsets,
    count: usize,
    events_end: u64,
    /// Processes and their modules.
    pub processes: Processes,
    /// Host and port names.
    pub hosts: Hosts,
    faults: Vec<PmlError>,
    skipped_bytes: u64,
    missing_events: u64,
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
            offsets: Offsets::Walked(Vec::new()),
            count: 0,
            events_end: source.len(),
            processes: Processes::default(),
            hosts: Hosts::default(),
            faults,
            skipped_bytes: 0,
            missing_events: 0,
            source,
            header,
        };
        if out.header.is_closed() {
            out.read_tables()?;
        }
        match out.usable_index()? {
            Some(view) => {
                out.count = view.len() / index::ENTRY;
                out.events_end = out.header.index;
                out.offsets = Offsets::Index(view);
            }
            None => out.walk_events()?,
        }
        Ok(out)
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

    fn read_tables(&mut self) -> io::Result<()> {
        let strings = match self.table_view(Table::Strings, self.header.strings)? {
            Some(view) => {
                let (strings, fault) = Strings::parse(&view, self.header.strings);
                self.faults.extend(fault);
                strings
            }
            None => Strings::default(),
        };
        if let Some(view) = self.table_view(Table::Processes, self.header.processes)? {
            let (processes, fault) =
                Processes::parse(&view, self.header.processes, self.header.bits, &strings);
            self.processes = processes;
            self.faults.extend(fault);
        }
        if let Some(view) = self.table_view(Table::Hosts, self.header.hosts)? {
            let (hosts, fault) = Hosts::parse(&view, self.header.hosts);
            self.hosts = hosts;
            self.faults.extend(fault);
        }
        Ok(())
    }

    /// The index, if the header has one and all of it is there.
    fn usable_index(&mut self) -> io::Result<Option<View>> {
        if !self.header.is_closed() {
            return Ok(None);
        }
        let start = self.header.index;
        let size = u64::from(self.header.event_count) * index::ENTRY as u64;
        let view = self.source.view(start..start.saturating_add(size))?;
        if start >= header_at::SIZE as u64 && view.len() as u64 == size {
            return Ok(Some(view));
        }
        self.faults.push(PmlError::Table {
            table: Table::Index,
            offset: start,
            expected: say!(
                en: "{entries} entries of 5 bytes",
                zh: "{entries} 个 5 字节的条目",
                entries = self.header.event_count,
            ),
            found: say!(
                en: "{bytes} bytes in a file of {all:#x}; the events are read one by one instead",
                zh: "{all:#x} 字节的文件中的 {bytes} 个字节；改为逐个读取事件",
                bytes = view.len(),
                all = self.source.len(),
            ),
        });
        Ok(None)
    }

    fn walk_events(&mut self) -> io::Result<()> {
        let start = match self.header.events {
            offset if offset >= header_at::SIZE as u64 && offset < self.source.len() => offset,
            _ => header_at::SIZE as u64,
        };
        let end = self
            .header
            .sections()
            .into_iter()
            .filter(|offset| *offset > start && *offset < self.source.len())
            .min()
            .unwrap_or(self.source.len());
        let found = walk(&self.source, start, end, self.header.bits)?;
        self.count = found.offsets.len();
        self.events_end = found.end;
        self.missing_events = u64::from(self.header.event_count).saturating_sub(self.count as u64);
        self.offsets = Offsets::Walked(found.offsets);
        self.faults.extend(found.skipped);
        self.skipped_bytes = found.skipped_bytes;
        Ok(())
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// Number of events that have a place in the file.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the log holds no event.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What is wrong with the file as a whole.
    pub fn faults(&self) -> &[PmlError] {
        &self.faults
    }

    /// Bytes between the events that could not be read.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Events that the header counts and the file does not hold.
    pub fn missing_events(&self) -> u64 {
        self.missing_events
    }

    /// Offset of event number `number`, `None` behind the last one.
    #[inline]
    pub fn offset(&self, number: usize) -> Option<u64> {
        match &self.offsets {
            Offsets::Walked(offsets) => offsets.get(number).copied(),
            Offsets::Index(view) => {
                let at = number.checked_mul(index::ENTRY)?;
                let low = u32_at(view, at)?;
                // Only 0 has been seen in the fifth byte; as the high byte of a 40-bit offset it reaches beyond 4 GiB.
                let high = u8_at(view, at + 4)?;
                Some(u64::from(low) | u64::from(high) << 32)
            }
        }
    }

    /// A run of events, mapped together.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn unit(&self, numbers: Range<usize>) -> io::Result<Unit> {
        let first = numbers.start.min(self.count);
        let last = numbers.end.min(self.count);
        let mut places = Vec::with_capacity(last - first);
        let mut next = self.offset(first);
        let (mut low, mut high) = (u64::MAX, 0);
        for number in first..last {
            let offset = next.unwrap_or(0);
            next = self.offset(number + 1);
            let end = match next {
                Some(next) if next > offset && next <= self.events_end => next,
                _ => self.events_end,
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
            view: self.source.view(start..high.saturating_add(OVERREAD))?,
            start,
            places,
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

/// A run of events and the piece of the file they lie in.
#[derive(Debug)]
pub struct Unit {
    first: usize,
    view: View,
    start: u64,
    /// Offset in the file and bytes of each event; no bytes where the offset points outside.
    places: Vec<(u64, u64)>,
    bits: Bits,
}

impl Unit {
    /// Number of the first event.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Brings the fixed parts of all records into the cache.
    ///
    /// Records lie half a kilobyte apart, so each costs a memory access of its own. Read one after the
    /// other, as a parser does, each access waits for the one before; read like this they overlap.
    fn warm(&self) {
        let mut sum = 0_u8;
        for (offset, _) in &self.places {
            let place = offset.wrapping_sub(self.start) as usize;
            let first = self.view.get(place).copied().unwrap_or(0);
            let last = self.view.get(place.wrapping_add(at::SIZE - 1)).copied();
            sum = sum.wrapping_add(first ^ last.unwrap_or(0));
        }
        std::hint::black_box(sum);
    }

    /// The `at`-th record of the unit.
    ///
    /// # Errors
    /// [`PmlError::Event`] when its offset points outside or a part of it does not fit;
    /// [`PmlError::Table`] when there is no such event.
    #[inline]
    pub fn record(&self, at: usize) -> Result<Record<'_>, PmlError> {
        let Some(&(offset, len)) = self.places.get(at) else {
            return Err(PmlError::Table {
                table: Table::Index,
                offset: 0,
                expected: say!(
                    en: "an event number below {end}",
                    zh: "小于 {end} 的事件编号",
                    end = self.first + self.places.len(),
                ),
                found: Message::verbatim(self.first.saturating_add(at).to_string()),
            });
        };
        let tail = offset
            .checked_sub(self.start)
            .and_then(|start| self.view.get(start as usize..))
            .unwrap_or(&[]);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Record::parse(tail, len, self.bits, offset).map_err(PmlError::Event)
    }
}
