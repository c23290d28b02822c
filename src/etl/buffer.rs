//! Buffers: the pieces a file consists of, each with a header and records.

use super::layout::buffer as at;
use crate::bytes::{i64_at, u16_at, u32_at};

/// No buffer is larger: the limit of Windows for a session's buffers is 16 MiB.
pub const LARGEST: u32 = 16 << 20;

/// The header of a buffer, as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferHeader {
    /// Bytes in the file, header included.
    pub size: u32,
    /// End of the valid data before compression, header included.
    pub filled: u32,
    /// Time of the flush.
    pub flushed: i64,
    /// Number of the buffer in its session.
    pub sequence: i64,
    /// Processor whose events it holds.
    pub cpu: u16,
    /// Id of the session.
    pub logger: u16,
    /// Flags.
    pub flags: u16,
    /// Type.
    pub kind: u16,
}

impl BufferHeader {
    /// Reads the header; `None` when 72 bytes are not there.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..at::SIZE)?;
        let flags = u16_at(bytes, at::FLAGS)?;
        let cpu = u16_at(bytes, at::PROCESSOR)?;
        Some(Self {
            size: u32_at(bytes, at::BUFFER_SIZE)?,
            filled: u32_at(bytes, at::OFFSET)?,
            flushed: i64_at(bytes, at::TIME_STAMP)?,
            sequence: i64_at(bytes, at::SEQUENCE)?,
            // Windows 7 writes the alignment (8) into the high byte.
            cpu: if flags & at::FLAG_PROCESSOR_INDEX == 0 {
                cpu & 0xFF
            } else {
                cpu
            },
            logger: u16_at(bytes, at::LOGGER_ID)?,
            flags,
            kind: u16_at(bytes, at::TYPE)?,
        })
    }

    /// Whether the records are compressed.
    pub fn is_compressed(&self) -> bool {
        self.flags & at::FLAG_COMPRESSED != 0
    }

    /// Whether the size can be one, in a session with buffers of `cap` bytes.
    pub fn has_size(&self, cap: u32) -> bool {
        (at::SIZE as u32..=cap).contains(&self.size)
    }

    /// Whether the end of the data can be one, in a session with buffers of `cap` bytes.
    pub fn has_filled(&self, cap: u32) -> bool {
        let most = if self.is_compressed() { cap } else { self.size };
        (at::SIZE as u32..=most).contains(&self.filled)
    }

    /// Whether flags and type are ones that have a name. Almost no bytes that are no header pass.
    pub fn has_known_marks(&self) -> bool {
        self.kind <= at::TYPE_LAST && self.flags & !at::FLAGS_KNOWN == 0
    }
}

/// A buffer and its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// Where it starts.
    pub offset: u64,
    /// Bytes of it that are in the file.
    pub len: u32,
    /// End of the valid data before compression, header included.
    pub filled: u32,
    /// Time of the flush, see [`BufferHeader::flushed`].
    pub flushed: i64,
    /// Number of the buffer in its session.
    pub sequence: i64,
    /// Processor whose events it holds.
    pub cpu: u16,
    /// Id of the session.
    pub logger: u16,
    /// Flags.
    pub flags: u16,
    /// Type.
    pub kind: u16,
    /// Which part of the file it belongs to, see [`super::file::Part`].
    pub part: u32,
}

impl Buffer {
    /// A buffer of `len` bytes at `offset`.
    pub fn new(header: &BufferHeader, offset: u64, len: u32, filled: u32) -> Self {
        Self {
            offset,
            len,
            filled,
            flushed: header.flushed,
            sequence: header.sequence,
            cpu: header.cpu,
            logger: header.logger,
            flags: header.flags,
            kind: header.kind,
            part: 0,
        }
    }

    /// Whether the records are compressed.
    pub fn is_compressed(&self) -> bool {
        self.flags & at::FLAG_COMPRESSED != 0
    }

    /// Bytes of records, before compression.
    pub fn data_len(&self) -> usize {
        (self.filled as usize).saturating_sub(at::SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_and_its_rules() {
        let mut bytes = [0xFF_u8; at::SIZE];
        bytes[0..4].copy_from_slice(&0x1_0000_u32.to_le_bytes());
        bytes[0x10..0x18].copy_from_slice(&(-5_i64).to_le_bytes());
        bytes[0x28..0x2C].copy_from_slice(&[3, 8, 9, 0]);
        bytes[0x30..0x38].copy_from_slice(&[0x48, 0, 0, 0, 1, 0, 0, 0]);
        let header = BufferHeader::parse(&bytes).unwrap();
        assert_eq!(
            (header.size, header.filled, header.flushed),
            (0x1_0000, 72, -5)
        );
        assert_eq!((header.cpu, header.logger), (3, 9));
        assert!(header.has_size(0x1_0000) && !header.has_size(0xFFFF));
        assert!(header.has_filled(0) && header.has_known_marks() && !header.is_compressed());
        bytes[0x34] = 0x60;
        let header = BufferHeader::parse(&bytes).unwrap();
        assert_eq!(header.cpu, 0x0803);
        assert!(header.is_compressed());
        bytes[0x35] = 0x60;
        assert!(!BufferHeader::parse(&bytes).unwrap().has_known_marks());
        assert_eq!(BufferHeader::parse(&bytes[..71]), None);
    }
}
