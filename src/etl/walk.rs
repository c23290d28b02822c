//! Finding the buffers of a file: each names its size, so the next one follows.
//!
//! Where a header is damaged, the size is taken from the place of the next buffer, which is looked for
//! byte by byte: compressed buffers have any size and lie at any place. What belongs to no buffer is counted.

use super::buffer::{Buffer, BufferHeader, LARGEST};
use super::error::EtlError;
use super::layout::buffer as at;
use crate::bytes::u16_at;
use crate::input::view::{Source, View};
use crate::say;
use std::io;

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Buffers, by offset.
    pub buffers: Vec<Buffer>,
    /// What was wrong on the way.
    pub faults: Vec<EtlError>,
    /// Bytes that should be buffers and are none.
    pub skipped_bytes: u64,
    /// Buffers whose header was put right.
    pub damaged: u64,
    /// Bytes of zeros at the end of the file: space that was reserved, or data that was never written.
    pub zero_tail: u64,
}

/// Bytes mapped at a time: twice the largest buffer.
const WINDOW: u64 = 2 * LARGEST as u64;
/// More faults than this are counted, not listed.
const LISTED: usize = 100;
const HEADER: u64 = at::SIZE as u64;
const SECTOR: u32 = 512;

/// Walks the buffers of `source`, most of which have `usual` bytes and none more than `cap`.
///
/// # Errors
/// When the file cannot be mapped.
pub fn walk(source: &Source, usual: u32, cap: u32) -> io::Result<Walk> {
    let mut walker = Walker {
        source,
        len: source.len(),
        usual,
        cap,
        window: source.view(0..WINDOW)?,
        start: 0,
        last: None,
        next_known: None,
        out: Walk::default(),
    };
    let mut offset = 0;
    while offset < walker.len {
        // Every step goes on by a byte at least, almost always by a buffer.
        offset = walker.step(offset)?;
    }
    Ok(walker.out)
}

struct Walker<'s> {
    source: &'s Source,
    len: u64,
    usual: u32,
    cap: u32,
    window: View,
    /// Where the window starts.
    start: u64,
    /// The header that was looked at last: first as what follows a buffer, then as one itself.
    last: Option<(u64, Option<BufferHeader>)>,
    /// The next buffer that a search found: not searched again while it lies ahead.
    next_known: Option<u64>,
    out: Walk,
}

impl Walker<'_> {
    /// Takes the buffer at `offset`; where the next one should start.
    fn step(&mut self, offset: u64) -> io::Result<u64> {
        let Some(header) = self.header(offset)? else {
            self.lose(offset, self.len)?;
            return Ok(self.len);
        };
        let end = offset + u64::from(header.size);
        if header.has_size(LARGEST) && header.has_filled(self.cap) {
            if self.leads_on(&header, offset)? {
                // A merge of sessions may have larger buffers than its header says.
                self.cap = self.cap.max(header.size);
                self.take(&header, offset, header.size, header.filled);
                return Ok(end);
            }
            // No buffer follows: the next header is damaged, or the file is cut. But where a buffer
            // starts before the end of this one, it is this size that is wrong.
            let fits = header.size <= self.cap && (end <= self.len || header.has_known_marks());
            if fits && !self.holds_another(offset, end)? {
                let end = end.min(self.len);
                self.take(&header, offset, (end - offset) as u32, header.filled);
                return Ok(end);
            }
        }
        self.repair(&header, offset)
    }

    /// Whether the size of the buffer at `offset` leads to another one, or to the end of the file. A
    /// size above the session's does not where the session's own leads to a buffer as well.
    fn leads_on(&mut self, header: &BufferHeader, offset: u64) -> io::Result<bool> {
        let usual = self.usual;
        let inside = header.size > usual && header.filled <= usual && usual > at::SIZE as u32;
        if inside && self.follows(offset + u64::from(usual))? {
            return Ok(false);
        }
        self.follows(offset + u64::from(header.size))
    }

    /// Whether a buffer starts inside the one at `offset` that ends at `end`. Payloads hold much that looks like a
    /// header: where this one has the session's own size, the other must have it as well, or be compressed.
    fn holds_another(&mut self, offset: u64, end: u64) -> io::Result<bool> {
        let Some(next) = self
            .next_buffer(offset + HEADER)?
            .filter(|next| *next < end)
        else {
            return Ok(false);
        };
        let usual = self.usual;
        let is_usual = |header: Option<BufferHeader>| {
            header.is_some_and(|header| header.size == usual || header.is_compressed())
        };
        Ok(!is_usual(self.header(offset)?) || is_usual(self.header(next)?))
    }

    /// Makes what can be made of a buffer with a damaged header.
    fn repair(&mut self, header: &BufferHeader, offset: u64) -> io::Result<u64> {
        let size = u64::from(header.size);
        let size_fits = header.has_size(self.cap) && offset + size <= self.len;
        // A size that leads to another buffer is believed; else this one reaches to the next that is found.
        let end = if size_fits && self.leads_on(header, offset)? {
            offset + size
        } else {
            let from = if header.has_known_marks() { HEADER } else { 1 };
            self.next_buffer(offset + from)?.unwrap_or(self.len)
        };
        let len = (end - offset).min(u64::from(self.cap));
        let filled_fits = (HEADER..=len).contains(&u64::from(header.filled))
            || header.is_compressed() && header.has_filled(self.cap);
        if len < HEADER || !header.has_known_marks() || !(size_fits || filled_fits) {
            self.lose(offset, end)?;
            return Ok(end);
        }
        let filled = match (filled_fits, header.is_compressed()) {
            (true, _) => header.filled,
            // Nothing says where the data ends: unused bytes are FF, which no record starts with.
            (false, false) => len as u32,
            (false, true) => self.cap,
        };
        self.out.damaged += 1;
        self.note(EtlError::Buffer {
            offset,
            expected: say!(
                en: "a buffer header with its size and the end of its data",
                zh: "带有缓冲区大小和数据结尾的缓冲区头",
            ),
            found: say!(
                en: "{size} and {filled}",
                zh: "{size} 和 {filled}",
                size = header.size,
                filled = header.filled,
            ),
            outcome: say!(
                en: "its records are read as far as they go",
                zh: "其中的记录能读多少读多少",
            ),
        });
        self.take(header, offset, len as u32, filled);
        Ok(offset + len)
    }

    fn take(&mut self, header: &BufferHeader, offset: u64, len: u32, filled: u32) {
        let buffer = Buffer::new(header, offset, len, filled);
        self.out.buffers.push(buffer);
    }

    fn note(&mut self, fault: EtlError) {
        if self.out.faults.len() < LISTED {
            self.out.faults.push(fault);
        }
    }

    /// Counts the bytes from `from` to `to` as lost, unless nothing was ever written there.
    fn lose(&mut self, from: u64, to: u64) -> io::Result<()> {
        let bytes = to - from;
        match self.uniform(from, to)? {
            Some(0) if to == self.len => self.out.zero_tail = bytes,
            // What is behind the data of a buffer.
            Some(0xFF) => {}
            _ => {
                self.out.skipped_bytes += bytes;
                self.note(EtlError::Skipped {
                    offset: from,
                    bytes,
                });
            }
        }
        Ok(())
    }

    /// The byte that all bytes of a stretch are.
    fn uniform(&mut self, from: u64, to: u64) -> io::Result<Option<u8>> {
        let mut byte = None;
        let mut offset = from;
        while offset < to {
            self.see(offset, 1)?;
            let bytes = &self.window[(offset - self.start) as usize..];
            let bytes = &bytes[..bytes.len().min((to - offset) as usize)];
            let Some(&first) = bytes.first() else {
                break;
            };
            if bytes.iter().any(|b| *b != *byte.get_or_insert(first)) {
                return Ok(None);
            }
            offset += bytes.len() as u64;
        }
        Ok(byte)
    }

    /// Moves the window so that `bytes` bytes at `offset` are in it, as far as the file has them.
    fn see(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        let end = offset.saturating_add(bytes).min(self.len);
        if offset < self.start || end > self.start + self.window.len() as u64 {
            self.window = self.source.view(offset..offset.saturating_add(WINDOW))?;
            self.start = offset;
        }
        Ok(())
    }

    /// The 72 bytes at `offset` as a header, where they are there.
    fn header(&mut self, offset: u64) -> io::Result<Option<BufferHeader>> {
        if let Some((known, header)) = self.last
            && known == offset
        {
            return Ok(header);
        }
        let header = match offset.checked_sub(self.start) {
            Some(here) if here + HEADER <= self.window.len() as u64 => self
                .window
                .get(here as usize..)
                .and_then(BufferHeader::parse),
            _ => {
                let mut bytes = [0; at::SIZE];
                let len = self.source.read_at(offset, &mut bytes)?;
                BufferHeader::parse(&bytes[..len])
            }
        };
        self.last = Some((offset, header));
        Ok(header)
    }

    /// Whether a buffer starts at `offset`, or the file ends there.
    fn follows(&mut self, offset: u64) -> io::Result<bool> {
        if offset >= self.len {
            return Ok(offset == self.len);
        }
        let header = self.header(offset)?;
        Ok(header.is_some_and(|header| {
            header.has_known_marks() && header.has_size(LARGEST) && header.has_filled(self.cap)
        }))
    }

    /// The next place from `from` on where a buffer starts and another, or the end of the file, follows it.
    fn next_buffer(&mut self, from: u64) -> io::Result<Option<u64>> {
        if let Some(known) = self.next_known.filter(|known| *known >= from) {
            return Ok((known < self.len).then_some(known));
        }
        // Each move of the window goes on by most of its length: the buffer behind any candidate is in it.
        let reach = u64::from(LARGEST) + 2 * HEADER;
        let mut offset = from;
        let found = loop {
            if offset + HEADER > self.len {
                break None;
            }
            self.see(offset, reach)?;
            let base = self.start;
            let last = (self.window.len() as u64 + base).saturating_sub(
                if self.start + self.window.len() as u64 >= self.len {
                    HEADER
                } else {
                    reach
                },
            );
            let mut hit = None;
            while offset <= last {
                let here = (offset - base) as usize;
                if self.may_start(here) && self.is_buffer(offset)? {
                    hit = Some(offset);
                    break;
                }
                offset += 1;
            }
            if hit.is_some() {
                break hit;
            }
        };
        self.next_known = Some(found.unwrap_or(self.len));
        Ok(found)
    }

    /// The cheap part of the test: flags and type.
    #[inline]
    fn may_start(&self, here: usize) -> bool {
        let mark = |at| u16_at(&self.window, here + at);
        mark(at::TYPE).is_some_and(|kind| kind <= at::TYPE_LAST)
            && mark(at::FLAGS).is_some_and(|flags| flags & !at::FLAGS_KNOWN == 0)
    }

    fn is_buffer(&mut self, offset: u64) -> io::Result<bool> {
        let Some(header) = self.header(offset)? else {
            return Ok(false);
        };
        if !header.has_known_marks() || !header.has_size(self.cap) || !header.has_filled(self.cap) {
            return Ok(false);
        }
        // A session counts its buffers, and the flush has a time.
        if !(0..=i64::from(u32::MAX)).contains(&header.sequence) || header.flushed <= 0 {
            return Ok(false);
        }
        // Windows sizes buffers in KiB, merge tools their first one in sectors; only compressed ones have any size.
        if !header.is_compressed() && header.size % SECTOR != 0 {
            return Ok(false);
        }
        let end = offset + u64::from(header.size);
        // The last buffer of a cut file has nothing behind it; its size must then be the usual one.
        Ok(self.follows(end)? || end > self.len && header.size == self.cap)
    }
}
