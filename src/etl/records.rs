//! The records of one buffer.

use super::buffer::Buffer;
use super::compression::{self, Outcome};
use super::cuts::Within;
use super::error::EtlError;
use super::forms::{Form, Forms, size_in};
use super::layout::{buffer as buffer_at, record as at};
use super::record::{NoRecord, Record};
use crate::bytes::{i64_at, u32_at, u64_at};
use crate::input::view::Source;
use std::io;

/// Space for a buffer as it is in the file and for its data, used again for each.
#[derive(Debug, Default)]
pub struct Scratch {
    stored: Vec<u8>,
    data: Vec<u8>,
    /// Bytes of `data` that the last buffer has, where it is compressed.
    decompressed: usize,
}

impl Scratch {
    /// The data of the last buffer that was read to it, which was compressed.
    pub fn decompressed(&self) -> &[u8] {
        self.data.get(..self.decompressed).unwrap_or(&[])
    }
}

/// The first `len` bytes of a space, which grows where they are not there.
fn space(bytes: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if bytes.len() < len {
        bytes.resize(len, 0);
    }
    &mut bytes[..len]
}

/// Records start at multiples of this.
const ALIGNMENT: usize = 8;
/// Records in a row that prove a place where the walk may go on behind damage.
const CHAIN: usize = 4;

/// Walks the records of a buffer. A bad record is an error item. No mark in a buffer tells where the next record
/// starts: behind damage the walk goes on where several records in a row do, or one that ends with the buffer.
#[derive(Debug)]
pub struct Records<'a> {
    /// What is there of the buffer's data.
    data: &'a [u8],
    /// Bytes of data the buffer should have.
    expected: usize,
    at: usize,
    /// Where the record before starts: its size may be what is wrong.
    before: usize,
    ended: bool,
    lost: u64,
    offset: u64,
    shortfall: Option<EtlError>,
}

impl<'a> Records<'a> {
    /// The records of `buffer`, whose bytes in the file are `bytes`.
    pub fn new(buffer: &Buffer, bytes: &'a [u8], scratch: &'a mut Scratch) -> Self {
        Self::of(
            buffer,
            bytes,
            (&mut scratch.data, &mut scratch.decompressed),
        )
    }

    /// The same, read from `source`.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read(buffer: &Buffer, source: &'a Source, scratch: &'a mut Scratch) -> io::Result<Self> {
        // What is behind the data of a buffer that is not compressed is not needed.
        let len = match buffer.is_compressed() {
            true => buffer.len,
            false => buffer.len.min(buffer.filled),
        };
        let range = buffer.offset..buffer.offset.saturating_add(len.into());
        if let Some(bytes) = source.held(range) {
            return Ok(Self::new(buffer, bytes, scratch));
        }
        let stored = space(&mut scratch.stored, len as usize);
        let there = source.read_at(buffer.offset, stored)?;
        let stored = &scratch.stored[..there];
        let decompressed = (&mut scratch.data, &mut scratch.decompressed);
        Ok(Self::of(buffer, stored, decompressed))
    }

    fn of(
        buffer: &Buffer,
        bytes: &'a [u8],
        (decompressed, len): (&'a mut Vec<u8>, &mut usize),
    ) -> Self {
        let expected = buffer.data_len();
        let stored = bytes.get(buffer_at::SIZE..).unwrap_or(&[]);
        let mut shortfall = None;
        let data = if buffer.is_compressed() {
            let out = space(decompressed, expected);
            let (done, outcome) = compression::decompress(stored, out);
            *len = done;
            if outcome != Outcome::Full {
                shortfall = Some(EtlError::Compressed {
                    offset: buffer.offset,
                    expected: expected as u64,
                    found: done as u64,
                    reason: outcome.reason(),
                });
            }
            &decompressed[..done]
        } else {
            let data = &stored[..expected.min(stored.len())];
            if data.len() < expected {
                shortfall = Some(EtlError::Cut {
                    offset: buffer.offset,
                    need: u64::from(buffer.filled),
                    have: bytes.len() as u64,
                });
            }
            data
        };
        Self::of_data(buffer, data, shortfall)
    }

    /// The records of `buffer` in its data before compression, with why there is less than there should be.
    pub(super) fn of_data(buffer: &Buffer, data: &'a [u8], shortfall: Option<EtlError>) -> Self {
        Self {
            data,
            expected: buffer.data_len(),
            at: 0,
            before: 0,
            ended: false,
            lost: 0,
            offset: buffer.offset,
            shortfall,
        }
    }

    /// No records.
    pub fn none() -> Self {
        Self {
            data: &[],
            expected: 0,
            at: 0,
            before: 0,
            ended: true,
            lost: 0,
            offset: 0,
            shortfall: None,
        }
    }

    /// Goes through a part of the data only; before the first record is read.
    pub fn keep_within(&mut self, within: &Within) {
        if let Some(data) = self.data.get(..within.to) {
            (self.data, self.expected) = (data, data.len());
        }
        self.at = within.from.min(self.data.len());
        self.before = self.at;
    }

    /// Why less data is there than the buffer should have: the file is cut, or the compressed stream damaged.
    pub fn shortfall(&self) -> Option<&EtlError> {
        self.shortfall.as_ref()
    }

    /// Bytes of records that were lost so far, before compression; all of them once the walk has ended.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Where the next record starts in the buffer, before compression.
    pub fn place(&self) -> usize {
        self.at + buffer_at::SIZE
    }

    /// The data, before compression.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Bytes of data, before compression.
    pub fn data_len(&self) -> usize {
        self.data.len()
    }

    #[cold]
    fn end(&mut self) {
        self.ended = true;
        self.lost += self.expected.saturating_sub(self.at) as u64;
    }
}

/// Sees the records of buffers.
pub trait Sink<'a> {
    /// What records of a form are to it.
    type Care: Copy;

    /// Records of this form are met for the first time.
    fn meet(&mut self, form: &Form<()>) -> Self::Care;

    /// The next record, of the kernel, with its time stamp.
    fn kernel(&mut self, form: &mut Form<Self::Care>, ticks: i64, record: Record<'a>);

    /// The next record, of any kind.
    fn other(&mut self, record: Record<'a>);

    /// What stands there is no record.
    fn bad(&mut self, fault: EtlError);
}

impl<'a> Records<'a> {
    /// Hands every record to `good` and every fault to `bad`: the same as going through the iterator, at half the time,
    /// for records stay in registers.
    #[inline(always)]
    pub fn each(&mut self, mut good: impl FnMut(Record<'a>), mut bad: impl FnMut(EtlError)) {
        while !self.ended {
            let Some(rest) = self.data.get(self.at..).filter(|rest| rest.len() >= 8) else {
                break;
            };
            if u32_at(rest, 0) == Some(at::END) {
                break;
            }
            match Record::parse(rest) {
                Ok(record) => {
                    self.before = self.at;
                    self.at += record.stride();
                    good(record);
                }
                Err(fault) => bad(self.fault(fault)),
            }
        }
        // What is too short for a record, and the end.
        for rest in self.by_ref() {
            match rest {
                Ok(record) => good(record),
                Err(fault) => bad(fault),
            }
        }
    }

    /// Hands every record to `sink`, those of the kernel with their form. The fastest way through a buffer.
    #[inline(always)]
    pub fn walk<S: Sink<'a>>(&mut self, forms: &mut Forms<S::Care>, sink: &mut S) {
        let data = self.data;
        while !self.ended {
            let at = self.at;
            let Some(start) = u64_at(data, at) else {
                break;
            };
            if let Some(form) = forms.find(start)
                && let size = size_in(start)
                && size >= form.header()
                && let Some(bytes) = data.get(at..at + size)
                && let Some(ticks) = i64_at(bytes, form.time_at().into())
            {
                let record = form.record(bytes);
                self.before = at;
                self.at = at + record.stride();
                sink.kernel(form, ticks, record);
                continue;
            }
            if start as u32 == at::END {
                break;
            }
            match Record::parse(&data[at..]) {
                Ok(record) => {
                    self.before = at;
                    self.at = at + record.stride();
                    let form = forms.add(start, &record, |form| sink.meet(form));
                    match form.and_then(|form| Some((record.time()?, form))) {
                        Some((ticks, form)) => sink.kernel(form, ticks, record),
                        None => sink.other(record),
                    }
                }
                Err(fault) => {
                    let fault = self.fault(fault);
                    sink.bad(fault);
                }
            }
        }
        // What is too short for a record, and the end.
        for rest in self.by_ref() {
            match rest {
                Ok(record) => sink.other(record),
                Err(fault) => sink.bad(fault),
            }
        }
    }

    /// Steps over what is no record.
    #[cold]
    fn fault(&mut self, fault: NoRecord) -> EtlError {
        let (offset, within) = (self.offset, self.place() as u64);
        let (expected, found) = (fault.expected, fault.found);
        match fault.next {
            Some(stride) => {
                self.at += stride;
                self.lost += stride as u64;
                EtlError::Inside {
                    offset,
                    within,
                    expected,
                    found,
                }
            }
            None => {
                if let Some(next) = self.next_place() {
                    let bytes = next.saturating_sub(self.at) as u64;
                    self.lost += bytes;
                    (self.before, self.at) = (next, next);
                    return EtlError::Gap {
                        offset,
                        within,
                        expected,
                        found,
                        bytes,
                    };
                }
                self.end();
                EtlError::Record {
                    offset,
                    within,
                    expected,
                    found,
                }
            }
        }
    }

    /// Where records go on behind damage. Where the record before has a size that is too large, it has swallowed
    /// some: they are found inside it.
    fn next_place(&self) -> Option<usize> {
        let inside = (self.before + ALIGNMENT..self.at).step_by(ALIGNMENT);
        let behind = (self.at + ALIGNMENT..self.data.len()).step_by(ALIGNMENT);
        inside.chain(behind).find(|place| self.leads_on(*place))
    }

    /// Whether several records with rising times stand in a row at `place`, or fewer that end where the data does.
    fn leads_on(&self, place: usize) -> bool {
        // Time stamps in a buffer never go back.
        let first = Record::parse(self.data).ok().filter(|_| self.at > 0);
        let floor = first.and_then(|record| record.time()).unwrap_or(1);
        let (mut at, mut before) = (place, floor);
        for _ in 0..CHAIN {
            let rest = self.data.get(at..).unwrap_or(&[]);
            let end = at == self.expected || u32_at(rest, 0) == Some(at::END);
            if end && at > place {
                return true;
            }
            let Ok(record) = Record::parse(rest) else {
                return false;
            };
            if record.time().is_some_and(|time| time < before) {
                return false;
            }
            before = record.time().unwrap_or(before);
            at += record.stride();
        }
        true
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, EtlError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let rest = self.data.get(self.at..).unwrap_or(&[]);
        if rest.is_empty() {
            self.end();
            return None;
        }
        if u32_at(rest, 0).map_or_else(|| rest.iter().all(|b| *b == 0xFF), |w| w == at::END) {
            self.ended = true;
            return None;
        }
        match Record::parse(rest) {
            Ok(record) => {
                self.before = self.at;
                self.at += record.stride();
                Some(Ok(record))
            }
            Err(fault) => Some(Err(self.fault(fault))),
        }
    }
}
