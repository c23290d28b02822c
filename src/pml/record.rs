//! One event record: the fixed part, the stack, the detail block and the extra block.

use super::layout::event as at;
use crate::bytes::{Truncated, need, ptr_at, u16_at, u32_at, u64_at};
use crate::lang::Words;

/// Pointer size of the traced machine, one for the whole log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// Log of a 32-bit machine.
    B32,
    /// Log of a 64-bit machine.
    B64,
}

impl Bits {
    /// Bytes of a pointer: 4 or 8.
    #[inline]
    pub const fn ptr(self) -> usize {
        match self {
            Self::B32 => 4,
            Self::B64 => 8,
        }
    }

    /// Highest user-mode address of an ordinary machine.
    pub const fn highest_user(self) -> u64 {
        match self {
            Self::B64 => 0x7FFF_FFFE_FFFF,
            Self::B32 => 0x7FFE_FFFF,
        }
    }

    /// Whether pointers are 8 bytes.
    #[inline]
    pub const fn is_64(self) -> bool {
        matches!(self, Self::B64)
    }
}

/// One event of a log, borrowed from the file.
///
/// [`Record::parse`] has checked that the fixed part, the stack and the detail block lie inside the
/// record, so the accessors below cannot miss.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    tail: &'a [u8],
    len: usize,
    bits: Bits,
    detail: usize,
    detail_len: usize,
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `tail`.
    ///
    /// `tail` may run on behind the record: Procmon's own formatter reads past the end of some
    /// blocks, and reproducing its text needs those bytes. `len` is what belongs to this record: the
    /// distance to the next one. The size fields of a record are no guide to that distance (a
    /// saturated extra block of 0xFFFF bytes is followed by the next record at once or one byte later).
    ///
    /// # Errors
    /// [`Truncated`] (with `offset` as the record's place in the file) when a part does not fit into `len`.
    #[inline]
    pub fn parse(tail: &'a [u8], len: usize, bits: Bits, offset: u64) -> Result<Self, Truncated> {
        let len = len.min(tail.len());
        let own = &tail[..len];
        let fixed = need(
            own,
            at::SIZE,
            Words::new("an event record", "事件记录"),
            offset,
        )?;
        let depth = usize::from(u16_at(fixed, at::DEPTH).unwrap_or(0));
        let detail_len = u32_at(fixed, at::DETAIL_SIZE).unwrap_or(0) as usize;
        let detail = at::SIZE + depth * bits.ptr();
        let end = detail as u64 + detail_len as u64;
        if end > len as u64 || detail_len > LARGEST_DETAIL {
            return Err(Truncated {
                what: Words::new(
                    "an event's stack and detail block",
                    "事件的堆栈和详细信息块",
                ),
                offset,
                need: end,
                have: len as u64,
            });
        }
        Ok(Self {
            tail,
            len,
            bits,
            detail,
            detail_len,
        })
    }

    #[inline]
    fn u16(&self, at: usize) -> u16 {
        u16_at(self.tail, at).unwrap_or(0)
    }

    #[inline]
    fn u32(&self, at: usize) -> u32 {
        u32_at(self.tail, at).unwrap_or(0)
    }

    #[inline]
    fn u64(&self, at: usize) -> u64 {
        u64_at(self.tail, at).unwrap_or(0)
    }

    /// Pointer size of the log.
    #[inline]
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// Number of the process record (not a PID).
    #[inline]
    pub fn process_index(&self) -> u32 {
        self.u32(at::PROCESS)
    }

    /// Thread id.
    #[inline]
    pub fn tid(&self) -> u32 {
        self.u32(at::TID)
    }

    /// Event class as stored, 1 to 6.
    #[inline]
    pub fn class(&self) -> u16 {
        self.u16(at::CLASS)
    }

    /// Operation within the class, as stored.
    #[inline]
    pub fn operation(&self) -> u16 {
        self.u16(at::OPERATION)
    }

    /// Sequence number of Procmon's driver: unique in a log, almost always rising.
    #[inline]
    pub fn sequence(&self) -> u32 {
        self.u32(at::SEQUENCE)
    }

    /// Duration in 100 ns, `None` while the operation is pending (the stored number is not initialised then).
    #[inline]
    pub fn duration(&self) -> Option<u64> {
        (self.status() != PENDING).then(|| self.u64(at::DURATION))
    }

    /// Start, FILETIME (100 ns since 1601, UTC).
    #[inline]
    pub fn time(&self) -> u64 {
        self.u64(at::TIME)
    }

    /// NTSTATUS of the result.
    #[inline]
    pub fn status(&self) -> u32 {
        self.u32(at::STATUS)
    }

    /// Number of stack frames.
    #[inline]
    pub fn depth(&self) -> usize {
        usize::from(self.u16(at::DEPTH))
    }

    /// Return addresses, innermost first.
    #[inline]
    pub fn frames(&self) -> impl Iterator<Item = u64> + 'a {
        let wide = self.bits.is_64();
        self.tail[at::SIZE..self.detail]
            .chunks_exact(self.bits.ptr())
            .map(move |frame| ptr_at(frame, 0, wide).unwrap_or(0))
    }

    /// The detail block: what was known when the operation began.
    #[inline]
    pub fn detail(&self) -> &'a [u8] {
        &self.tail[self.detail..self.detail + self.detail_len]
    }

    /// The extra block: what was known when it ended. `None` where the record has none.
    ///
    /// Its stored size is cut to what the record holds.
    #[inline]
    pub fn extra(&self) -> Option<Extra<'a>> {
        let at = self.u32(at::EXTRA) as usize;
        if at == 0 {
            return None;
        }
        let stored = usize::from(u16_at(&self.tail[..self.len], at)?);
        let tail = &self.tail[at + 2..];
        let len = stored.min(self.len - (at + 2));
        Some(Extra { tail, len, stored })
    }

    /// Whether the record's own sizes agree with where the next one starts, `padding` bytes in between allowed.
    ///
    /// The size of an extra block stands behind the stack and would cost a memory access of its own: it only
    /// has to have room.
    #[inline]
    pub fn fits(&self, padding: usize) -> bool {
        let body = self.detail + self.detail_len;
        let ends = match self.u32(at::EXTRA) as usize {
            0 => (body..=body + padding).contains(&self.len),
            extra => extra == body && body + 2 <= self.len,
        };
        ends && self.u16(at::ZERO) == 0 && self.time() != 0
    }

    /// Whether the record ends by all of its sizes at its last byte, `padding` bytes behind it allowed.
    pub fn ends_within(&self, padding: usize) -> bool {
        let body = self.detail + self.detail_len;
        let stored = match self.u32(at::EXTRA) {
            0 => None,
            _ => u16_at(self.tail, body),
        };
        let end = body + stored.map_or(0, |stored| 2 + usize::from(stored));
        // Of a saturated size the next record starts at once or one byte later.
        let more = usize::from(stored == Some(u16::MAX));
        self.fits(padding) && (end..=end + more + padding).contains(&self.len)
    }

    /// The record's bytes and whatever the view holds behind them, for Procmon's over-reading.
    #[inline]
    pub fn tail(&self) -> &'a [u8] {
        self.tail
    }

    /// Bytes of the record.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true: a record has a fixed part.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the detail block starts, from the record's start.
    #[inline]
    pub fn detail_offset(&self) -> usize {
        self.detail
    }
}

/// Largest detail block that is believed: it holds paths, parameters and at most an environment of 32,767 characters.
pub const LARGEST_DETAIL: usize = 1 << 20;

/// STATUS_PENDING: the operation had not ended when the log was closed.
pub const PENDING: u32 = 0x103;

/// The extra ("post") block of a record.
#[derive(Debug, Clone, Copy)]
pub struct Extra<'a> {
    /// The block and whatever the view holds behind it.
    pub tail: &'a [u8],
    /// Bytes of the block that lie inside the record.
    pub len: usize,
    /// Size as stored; 0xFFFF means "that or more".
    pub stored: usize,
}

impl<'a> Extra<'a> {
    /// The block itself.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        &self.tail[..self.len]
    }
}
