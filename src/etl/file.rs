//! A trace as a file: its header, its buffers, and the records of each.

use super::buffer::{Buffer, BufferHeader, LARGEST};
use super::clock::Clock;
use super::error::{EtlError, OpenError};
use super::gather::Spaces;
use super::header::{TraceHeader, is_etl};
use super::layout::{buffer as buffer_at, kernel, mode, record};
use super::record::Record;
use super::records::{Records, Scratch};
use super::unpacked::Unpacked;
use super::walk::{Walk, walk};
use crate::bytes::{need, u16_at};
use crate::input::view::{Source, View};
use crate::lang::{Message, Words};
use crate::say;
use crate::trace::Filetime;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::io;
use std::ops::Range;

/// Bytes of buffers in a unit of work, at least and at most: enough that it is no work to hand it on, little enough to
/// share out.
const UNIT: std::ops::RangeInclusive<u64> = 1 << 20..=4 << 20;
/// Units that a file is cut into, within these bounds.
const UNITS: u64 = 64;
/// Bytes at the start of a buffer that hold its header and its first record, whatever its size.
const FIRST_RECORD: u64 = buffer_at::SIZE as u64 + 0x1_0000;
/// Fewer bytes tell nothing: the header of a buffer and the start of its first record.
const SMALLEST: usize = buffer_at::SIZE + record::SMALLEST;
/// A run of buffers may have this many times its bytes in the file to be mapped as one.
const SPARSE: u64 = 2;
/// The usual size of a buffer; the bound on sizes is not lower, whatever a damaged header says.
const USUAL: u32 = 64 << 10;
/// More faults of a kind than this are counted, not listed.
const LISTED: usize = 20;
/// Two clocks that are further apart than a day do not tell of a correction, but of two machines.
const LARGEST_DRIFT: u64 = 864_000_000_000;

/// A trace header and the buffers that belong to it. A file has one part, unless files were appended
/// to each other as they are.
#[derive(Debug, Clone)]
pub struct Part {
    /// The header.
    pub header: TraceHeader,
    /// The clock.
    pub clock: Clock,
    /// The first of its buffers.
    pub first_buffer: usize,
}

/// Bytes of a run of buffers that are mapped together.
#[derive(Debug)]
pub struct Held {
    from: u64,
    view: Option<View>,
}

impl Held {
    /// No bytes.
    pub(super) fn nothing() -> Self {
        Self {
            from: 0,
            view: None,
        }
    }

    /// The bytes of a buffer, where they are held.
    fn bytes_of(&self, buffer: &Buffer) -> Option<&[u8]> {
        let view: &[u8] = self.view.as_ref()?;
        let at = usize::try_from(buffer.offset.checked_sub(self.from)?).ok()?;
        view.get(at..at.checked_add(buffer.len as usize)?)
    }
}

/// An open trace: its header, the places of its buffers, and their records.
#[derive(Debug)]
pub struct EtlFile {
    source: Source,
    parts: Vec<Part>,
    buffers: Vec<Buffer>,
    units: Vec<Range<usize>>,
    spaces: Spaces,
    unpacked: Option<Unpacked>,
    faults: Vec<EtlError>,
    skipped_bytes: u64,
    damaged_buffers: u64,
    missing_buffers: u64,
    doubled_buffers: u64,
}

impl EtlFile {
    /// Opens a trace. Damage that leaves something to read is noted in [`EtlFile::faults`].
    ///
    /// # Errors
    /// When the file cannot be read, or does not start with a trace header.
    pub fn open(source: Source) -> Result<Self, OpenError> {
        let head = source.view(0..FIRST_RECORD)?;
        let (header, origin) = first_header(&head)?;
        let cap = buffer_cap(&header, &head);
        drop(head);
        let walk = walk(&source, header.buffer_size, cap)?;
        let clock = Clock::new(&header, origin);
        let mut out = Self {
            source,
            parts: vec![Part {
                header,
                clock,
                first_buffer: 0,
            }],
            buffers: Vec::new(),
            units: Vec::new(),
            spaces: Spaces::default(),
            unpacked: None,
            faults: Vec::new(),
            skipped_bytes: 0,
            damaged_buffers: 0,
            missing_buffers: 0,
            doubled_buffers: 0,
        };
        out.take_walk(walk)?;
        Ok(out)
    }

    fn take_walk(&mut self, walk: Walk) -> io::Result<()> {
        let doubles = self.take_buffers(walk.buffers)?;
        self.skipped_bytes = walk.skipped_bytes;
        self.damaged_buffers = walk.damaged;
        self.find_parts()?;
        let header = &self.parts[0].header;
        let closed = self.parts.iter().all(|part| part.header.is_closed());
        let circular = header.has_mode(mode::CIRCULAR);
        let written: u64 = self
            .parts
            .iter()
            .map(|part| u64::from(part.header.buffers_written))
            .sum();
        let found = self.buffers.len() as u64;
        if !closed {
            self.faults.push(EtlError::NotClosed);
        }
        if !closed && !circular {
            self.missing_buffers = self.gaps();
            if self.missing_buffers > 0 {
                self.faults.push(EtlError::MissingBuffers {
                    expected: found + self.missing_buffers,
                    found,
                });
            }
        }
        // A ring counts the buffers it wrote over as well.
        if closed && !circular && found < written {
            self.missing_buffers = written - found;
            self.faults.push(EtlError::MissingBuffers {
                expected: written,
                found,
            });
        }
        // Zeros at the end are space that was reserved, unless data should be there: a file system
        // that lost its last writes leaves zeros.
        let reserved = header.has_mode(mode::PREALLOCATE) || circular;
        if walk.zero_tail > 0 && !reserved && (!closed || found < written) {
            self.skipped_bytes += walk.zero_tail;
            self.faults.push(EtlError::Skipped {
                offset: self.source.len() - walk.zero_tail,
                bytes: walk.zero_tail,
            });
        }
        self.faults.extend(doubles);
        self.faults.extend(walk.faults);
        self.units = units(&self.buffers, self.source.len());
        self.unpacked = Unpacked::new(&self.buffers, &self.source);
        Ok(())
    }

    /// Numbers that no buffer has, up to the last one: a session counts its buffers from 0, in all real files that were
    /// not overwritten.
    fn gaps(&self) -> u64 {
        if self.parts.len() > 1 {
            return 0;
        }
        let mut numbers: Vec<i64> = self.buffers.iter().map(|b| b.sequence).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let last = numbers.last().and_then(|last| u64::try_from(*last).ok());
        let gaps = last.map_or(0, |last| (last + 1).saturating_sub(numbers.len() as u64));
        // Numbers that are all over the place are no count.
        match gaps <= numbers.len() as u64 {
            true => gaps,
            false => 0,
        }
    }

    /// Takes each buffer once: a file that was put together badly has some twice, and their events would count twice.
    fn take_buffers(&mut self, buffers: Vec<Buffer>) -> io::Result<Vec<EtlError>> {
        let mut faults = Vec::new();
        let mut known: HashMap<(i64, i64, u16, u16, u32, u32), usize> = HashMap::new();
        for buffer in buffers {
            let marks = (
                buffer.sequence,
                buffer.flushed,
                buffer.cpu,
                buffer.logger,
                buffer.filled,
                buffer.len,
            );
            let first = match known.entry(marks) {
                Entry::Occupied(known) if buffer.data_len() > 0 => self.buffers.get(*known.get()),
                Entry::Occupied(_) => None,
                Entry::Vacant(place) => {
                    place.insert(self.buffers.len());
                    None
                }
            };
            match first {
                Some(first) if self.are_equal(first, &buffer)? => {
                    self.doubled_buffers += 1;
                    if faults.len() < LISTED {
                        faults.push(EtlError::Doubled {
                            offset: buffer.offset,
                            first: first.offset,
                        });
                    }
                }
                _ => self.buffers.push(buffer),
            }
        }
        Ok(faults)
    }

    fn are_equal(&self, a: &Buffer, b: &Buffer) -> io::Result<bool> {
        let view = |buffer: &Buffer| {
            let end = buffer.offset.saturating_add(buffer.len.into());
            self.source.view(buffer.offset..end)
        };
        Ok(*view(a)? == *view(b)?)
    }

    /// Later buffers of the header type begin another part, with a clock of its own.
    fn find_parts(&mut self) -> io::Result<()> {
        for at in 0..self.buffers.len() {
            let buffer = self.buffers[at];
            if at > 0 && buffer.kind == buffer_at::TYPE_HEADER && !buffer.is_compressed() {
                let view = self
                    .source
                    .view(buffer.offset..buffer.offset + FIRST_RECORD)?;
                if let Ok((header, origin)) = first_header(&view) {
                    self.parts.push(Part {
                        clock: Clock::new(&header, origin),
                        header,
                        first_buffer: at,
                    });
                }
            }
            self.buffers[at].part = (self.parts.len() - 1) as u32;
        }
        Ok(())
    }

    /// The trace header, of the first part.
    pub fn header(&self) -> &TraceHeader {
        &self.parts[0].header
    }

    /// The clock, of the first part.
    pub fn clock(&self) -> &Clock {
        &self.parts[0].clock
    }

    /// The parts; one, but in files that were appended to each other.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The clock of the records in buffer `buffer`.
    pub fn clock_of(&self, buffer: usize) -> &Clock {
        let part = self.buffers.get(buffer).map_or(0, |b| b.part as usize);
        &self.parts[part.min(self.parts.len() - 1)].clock
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// The buffers, in file order.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// Whether a buffer is compressed.
    pub fn is_compressed(&self, buffer: u32) -> bool {
        let buffer = self.buffers.get(buffer as usize);
        buffer.is_some_and(Buffer::is_compressed)
    }

    /// What is wrong with the file as a whole.
    pub fn faults(&self) -> &[EtlError] {
        &self.faults
    }

    /// Bytes of the file that should be buffers and are none.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Buffers whose header is damaged and was put right.
    pub fn damaged_buffers(&self) -> u64 {
        self.damaged_buffers
    }

    /// Buffers that the trace header counts and the file does not hold.
    pub fn missing_buffers(&self) -> u64 {
        self.missing_buffers
    }

    /// Buffers that are in the file twice.
    pub fn doubled_buffers(&self) -> u64 {
        self.doubled_buffers
    }

    /// Number of units of work: runs of buffers.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// The buffers of unit `unit`.
    pub fn unit_buffers(&self, unit: usize) -> Range<usize> {
        self.units.get(unit).cloned().unwrap_or(0..0)
    }

    /// The records of buffer `buffer`, which is read to `scratch`; none of a buffer that is not in the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn records<'a>(
        &'a self,
        buffer: usize,
        scratch: &'a mut Scratch,
    ) -> io::Result<Records<'a>> {
        let Some(known) = self.buffers.get(buffer) else {
            return Ok(Records::none());
        };
        match self.kept(buffer, known) {
            Some(records) => records,
            None => Records::read(known, &self.source, scratch),
        }
    }

    /// The bytes of a run of buffers, where it is better to have them together than to read one buffer after the other:
    /// they lie close to each other, in a file that is not mapped as a whole.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn hold(&self, buffers: Range<usize>) -> io::Result<Held> {
        self.hold_all(self.buffers.get(buffers).unwrap_or(&[]).iter())
    }

    /// The same for buffers that need not follow each other.
    pub(super) fn hold_these(&self, buffers: &[u32]) -> io::Result<Held> {
        let known = |at: &u32| self.buffers.get(*at as usize);
        self.hold_all(buffers.iter().filter_map(known))
    }

    fn hold_all<'b>(&self, run: impl Iterator<Item = &'b Buffer>) -> io::Result<Held> {
        let (mut from, mut to, mut bytes) = (u64::MAX, 0, 0_u64);
        for buffer in run {
            from = from.min(buffer.offset);
            to = to.max(buffer.offset.saturating_add(buffer.len.into()));
            bytes = bytes.saturating_add(buffer.len.into());
        }
        from = from.min(to);
        let view = match self.source {
            Source::File(..) if to - from <= bytes.saturating_mul(SPARSE) => {
                Some(self.source.view(from..to)?)
            }
            _ => None,
        };
        Ok(Held { from, view })
    }

    /// The records of buffer `buffer`, which is among those that are held or is read to `scratch`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn records_held<'a>(
        &'a self,
        buffer: usize,
        held: &'a Held,
        scratch: &'a mut Scratch,
    ) -> io::Result<Records<'a>> {
        let Some(known) = self.buffers.get(buffer) else {
            return Ok(Records::none());
        };
        if let Some(records) = self.kept(buffer, known) {
            return records;
        }
        match held.bytes_of(known) {
            Some(bytes) => Ok(Records::new(known, bytes, scratch)),
            None => Records::read(known, &self.source, scratch),
        }
    }

    /// Bytes of a buffer that is not compressed, from a place of its data on, as many as `out` has or are there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read_data(&self, buffer: u32, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let Some(known) = self.buffers.get(buffer as usize) else {
            return Ok(0);
        };
        let from = (buffer_at::SIZE as u64).saturating_add(at);
        let rest = u64::from(known.len.min(known.filled)).saturating_sub(from);
        let len = out.len().min(usize::try_from(rest).unwrap_or(0));
        self.source
            .read_at(known.offset.saturating_add(from), &mut out[..len])
    }

    /// Whether a buffer is compressed and its data kept by nobody.
    pub(super) fn is_decompressed_each_time(&self, buffer: u32) -> bool {
        self.is_compressed(buffer) && self.unpacked.is_none()
    }

    /// The records of a buffer whose data is kept.
    fn kept(&self, at: usize, buffer: &Buffer) -> Option<io::Result<Records<'_>>> {
        self.unpacked.as_ref()?.records(at, buffer, &self.source)
    }

    /// Space for the buffers of slices.
    pub(super) fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    /// Events that the session says it lost.
    pub fn events_lost(&self) -> u64 {
        let lost = self.parts.iter().map(|p| u64::from(p.header.events_lost));
        lost.sum()
    }

    /// Buffers that the session says it lost.
    pub fn buffers_lost(&self) -> u64 {
        let lost = self.parts.iter().map(|p| u64::from(p.header.buffers_lost));
        lost.sum()
    }

    /// How far the clock's anchor at the start of the session is from one at its end, in 100 ns: what
    /// must be added to a time to have it by the end time of the header.
    ///
    /// A session that begins at boot begins before Windows corrects its wall clock: times by the start
    /// of a real one are 1.76 s early against times in its payloads and against its end time.
    /// `None` where the end says nothing: in relogged files it is that of one source, and the flush
    /// times are the tool's.
    pub fn end_drift(&self) -> Option<i64> {
        let [part] = self.parts.as_slice() else {
            return None;
        };
        // Of a cut file the last flush is not the session's last.
        let whole = self.missing_buffers == 0 && part.header.is_closed();
        if !whole || part.header.has_mode(mode::RELOGGED) {
            return None;
        }
        let last = self.buffers.iter().map(|buffer| buffer.flushed).max()?;
        if last <= part.clock.origin() {
            return None;
        }
        let (flush, end) = (part.clock.filetime(last), part.header.end_time);
        if flush.0.abs_diff(end.0) > LARGEST_DRIFT {
            return None;
        }
        Some(end.0 as i64 - flush.0 as i64)
    }

    /// End of the session by its header, where it was stopped.
    pub fn end_time(&self) -> Option<Filetime> {
        let last = self.parts.last()?;
        last.header.is_closed().then_some(last.header.end_time)
    }
}

/// Runs of buffers, of about as many bytes as [`UNIT`] says. `bytes` are those of the file.
fn units(buffers: &[Buffer], bytes: u64) -> Vec<Range<usize>> {
    let most = (bytes / UNITS).clamp(*UNIT.start(), *UNIT.end());
    let mut out = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (at, buffer) in buffers.iter().enumerate() {
        let weight = u64::from(buffer.len.max(buffer.filled));
        if at > first && bytes + weight > most {
            out.push(first..at);
            (first, bytes) = (at, 0);
        }
        bytes += weight;
    }
    if first < buffers.len() {
        out.push(first..buffers.len());
    }
    out
}

/// The bound on the size of a buffer in this file.
fn buffer_cap(header: &TraceHeader, head: &[u8]) -> u32 {
    let first = BufferHeader::parse(head).map_or(0, |buffer| buffer.size);
    [header.buffer_size, first, USUAL]
        .into_iter()
        .filter(|size| *size <= LARGEST)
        .max()
        .unwrap_or(USUAL)
}

/// The trace header at the start of a file or a part.
fn first_header(head: &[u8]) -> Result<(TraceHeader, i64), EtlError> {
    let offset = buffer_at::SIZE as u64;
    let no_trace = || EtlError::NotEtl {
        offset: 0,
        expected: say!(en: "a buffer header and a trace header", zh: "缓冲区头和跟踪头"),
        found: describe(head),
    };
    if is_text(head) {
        return Err(no_trace());
    }
    need(
        head,
        SMALLEST,
        Words::new("the first buffer and record header", "第一个缓冲区和记录头"),
        0,
    )
    .map_err(EtlError::Header)?;
    let record = head.get(buffer_at::SIZE..).unwrap_or(&[]);
    match Record::parse(record) {
        Ok(record) => TraceHeader::parse(&record, offset),
        Err(_) if is_etl(head) => {
            let size = u16_at(record, kernel::SIZE).map_or(0, usize::from);
            need(
                record,
                size,
                Words::new("the trace header", "跟踪头"),
                offset,
            )
            .map_err(EtlError::Header)?;
            Err(no_trace())
        }
        Err(_) => Err(no_trace()),
    }
}

fn is_text(head: &[u8]) -> bool {
    let start = &head[..head.len().min(80)];
    start
        .iter()
        .all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7E))
}

/// The first bytes of a file in words, for the message that it is no trace.
fn describe(head: &[u8]) -> Message {
    match head {
        [] => say!(en: "an empty file", zh: "空文件"),
        [b'P', b'M', b'L', b'_', ..] => {
            say!(en: "a Procmon log ('PML_')", zh: "Procmon 日志（“PML_”）")
        }
        [b'P', b'K', ..] => say!(en: "a zip archive ('PK')", zh: "zip 压缩文件（“PK”）"),
        [0x1f, 0x8b, ..] => say!(en: "a gzip file (1f 8b)", zh: "gzip 文件（1f 8b）"),
        _ if is_text(head) => say!(en: "text", zh: "文本"),
        _ => {
            let hex: Vec<String> = head.iter().take(8).map(|b| format!("{b:02x}")).collect();
            say!(en: "bytes {hex}", zh: "字节 {hex}", hex = hex.join(" "))
        }
    }
}
