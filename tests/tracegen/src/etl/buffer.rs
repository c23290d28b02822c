//! A buffer while it fills, and its bytes in the file.

use super::bytes::Out;
use super::layout::{ALIGN, BUFFER_HEADER, FILL, FLAG_COMPRESSED, FLAG_CPU, GAP};
use super::lz77::Compressor;
use super::{Clock, Session};
use crate::pml::Bits;

/// Records of one CPU.
#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    pub(crate) cpu: u16,
    /// Number in the session, given when the CPU takes the buffer and not when it is written.
    pub(crate) sequence: u64,
    /// Everything behind the header.
    pub(crate) data: Vec<u8>,
    /// Clock of the last record.
    pub(crate) last: i64,
    /// Names the caller gave to the records.
    pub(crate) tags: Vec<u32>,
}

impl Buffer {
    pub(crate) fn new(cpu: u16, sequence: u64) -> Self {
        Self {
            cpu,
            sequence,
            data: Vec::new(),
            last: i64::MIN,
            tags: Vec::new(),
        }
    }

    /// There is room for a record in a buffer of `size` bytes.
    pub(crate) fn fits(&self, record: usize, size: u32) -> bool {
        BUFFER_HEADER + self.data.len().next_multiple_of(ALIGN) + record <= size as usize
    }

    pub(crate) fn push(&mut self, record: &[u8], ticks: i64) {
        let start = self.data.len().next_multiple_of(ALIGN);
        self.data.resize(start, GAP);
        self.data.extend_from_slice(record);
        debug_assert!(self.last <= ticks, "CPU {} goes backwards", self.cpu);
        self.last = ticks;
    }
}

/// What a buffer header says besides the lengths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) flags: u16,
    pub(crate) kind: u16,
    /// The flush comes this many ticks after the last record.
    pub(crate) flush_after: i64,
}

/// Appends the bytes of a buffer.
pub(crate) fn write(
    out: &mut Vec<u8>,
    session: &Session,
    clock: &Clock,
    buffer: &Buffer,
    head: Head,
    size: u32,
    compressor: Option<&mut Compressor>,
) {
    let start = out.len();
    let filled = (BUFFER_HEADER + buffer.data.len()) as u32;
    out.resize(start + BUFFER_HEADER, 0);
    let mut size = size;
    let mut flags = head.flags;
    match compressor {
        Some(compressor) => {
            compressor.compress(&buffer.data, out);
            let packed = (out.len() - start) as u32;
            if packed < filled {
                flags |= FLAG_COMPRESSED;
                size = packed;
            } else {
                // Noise does not shrink; such a buffer is kept as it is.
                out.truncate(start + BUFFER_HEADER);
                out.extend_from_slice(&buffer.data);
                size = filled;
            }
        }
        None => {
            out.extend_from_slice(&buffer.data);
            out.resize(start + size as usize, FILL);
        }
    }
    let header = header(session, clock, buffer, Head { flags, ..head }, size, filled);
    out[start..start + BUFFER_HEADER].copy_from_slice(&header);
}

fn header(
    session: &Session,
    clock: &Clock,
    buffer: &Buffer,
    head: Head,
    size: u32,
    filled: u32,
) -> Vec<u8> {
    let first = head.kind == super::layout::TYPE_HEADER;
    let partial = !first && head.flags & 1 != 0;
    let mut out = Out::new(Bits::B64);
    out.u32(size);
    // In first buffers it stops short of the truth, and counts for nothing anyway.
    out.u32(if first { filled / 2 } else { filled });
    out.u32(if partial {
        filled + session.buffer_size
    } else {
        filled
    });
    out.u32(0);
    let flush = buffer.last.saturating_add(head.flush_after);
    out.i64(match (session.merged, first) {
        (true, _) => session.end as i64 + 30_000_000,
        (false, true) => 0,
        (false, false) => flush,
    });
    out.u64(buffer.sequence);
    out.u64(clock.frequency << 3 | u64::from(clock.kind.number()));
    if session.wide_cpu() {
        out.u16(buffer.cpu);
    } else {
        out.u8(buffer.cpu as u8);
        out.u8(ALIGN as u8);
    }
    out.u16(if session.merged { 0 } else { 2 });
    out.u32(if session.merged && first { 0 } else { 3 });
    out.u32(filled);
    let wide = if session.wide_cpu() { FLAG_CPU } else { 0 };
    out.u16(head.flags | wide);
    out.u16(head.kind);
    // The reference time, or what was there before.
    out.u64(session.start);
    out.i64(clock.origin);
    out.bytes
}
