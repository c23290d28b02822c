//! A run of events that is decoded as one piece of work.

use super::error::{PmlError, Table};
use super::layout::event as at;
use super::record::{Bits, Record};
use super::walk;
use crate::input::view::{Source, View};
use crate::lang::Message;
use crate::say;
use std::io;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that units were read into and that are free.
#[derive(Debug, Clone, Default)]
pub(super) struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

/// More than there are threads to use them.
const MOST_SPARE: usize = 64;
/// A longer piece of the file is mapped: no unit of a sound log is that long.
const LONGEST_READ: u64 = 8 << 20;

/// The piece of a file that a unit lies in.
#[derive(Debug)]
pub(super) enum Bytes {
    /// In memory already, or too long to be read.
    View(View),
    /// Read: `len` bytes of a buffer that goes back to the others.
    Read {
        buffer: Vec<u8>,
        len: usize,
        spare: Spare,
    },
}

impl Bytes {
    /// The bytes of `range`, cut to those that are there.
    ///
    /// They are read, not mapped: records lie half a kilobyte apart, and each would wait for its memory. A copy runs
    /// through all of it at once, ends in the cache of the core, and needs no other core to forget an address.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn of(source: &Source, range: Range<u64>, spare: &Spare) -> io::Result<Self> {
        let end = range.end.min(source.len());
        let start = range.start.min(end);
        if source.held(start..end).is_some() || end - start > LONGEST_READ {
            return source.view(start..end).map(Self::View);
        }
        let wanted = (end - start) as usize;
        let mut buffer = spare.take();
        if buffer.len() < wanted {
            buffer.resize(wanted.next_multiple_of(64 << 10), 0);
        }
        let len = source.read_at(start, &mut buffer[..wanted])?;
        Ok(Self::Read {
            buffer,
            len,
            spare: spare.clone(),
        })
    }
}

impl Spare {
    fn take(&self) -> Vec<u8> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.pop().unwrap_or_default()
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST_SPARE {
            all.push(buffer);
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Self::Read { buffer, spare, .. } = self {
            spare.give(std::mem::take(buffer));
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::View(view) => view,
            Self::Read { buffer, len, .. } => &buffer[..*len],
        }
    }
}

/// A run of events and the piece of the file they lie in.
#[derive(Debug)]
pub struct Unit {
    pub(super) first: usize,
    pub(super) bytes: Bytes,
    pub(super) start: u64,
    /// Offset in the file and bytes of each event; no bytes where the offset points outside.
    pub(super) places: Vec<(u64, u64)>,
    pub(super) ends_with_last: bool,
    pub(super) bits: Bits,
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
    pub(super) fn warm(&self) {
        if matches!(self.bytes, Bytes::Read { .. }) {
            return;
        }
        let mut sum = 0_u8;
        for (offset, _) in &self.places {
            let place = offset.wrapping_sub(self.start) as usize;
            let first = self.bytes.get(place).copied().unwrap_or(0);
            let last = self.bytes.get(place.wrapping_add(at::SIZE - 1)).copied();
            sum = sum.wrapping_add(first ^ last.unwrap_or(0));
        }
        std::hint::black_box(sum);
    }

    /// Bytes that the `at`-th record has room for.
    pub fn bytes_of(&self, at: usize) -> u64 {
        self.places.get(at).map_or(0, |(_, len)| *len)
    }

    /// Whether the `at`-th record ends where the next one starts; behind the last one of all there may be padding.
    #[inline]
    pub fn fits(&self, at: usize, record: &Record<'_>) -> bool {
        let is_last = self.ends_with_last && at + 1 == self.places.len();
        record.fits(if is_last { walk::PADDING as usize } else { 0 })
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
            .and_then(|start| self.bytes.get(start as usize..))
            .unwrap_or(&[]);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let record = Record::parse(tail, len, self.bits, offset).map_err(PmlError::Event)?;
        // Zeros are no event, though their sizes fit.
        match record.class() {
            class @ (0 | 0x100..) => Err(PmlError::NoEvent { offset, class }),
            _ => Ok(record),
        }
    }
}
