//! A growing byte buffer with the few shapes an ETL payload is made of. Nothing is aligned inside a payload.

use super::Guid;
use crate::pml::Bits;

/// Little-endian output for records of one pointer size.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
    pub(crate) bits: Bits,
}

impl Out {
    pub(crate) fn new(bits: Bits) -> Self {
        Self {
            bytes: Vec::new(),
            bits,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn u8(&mut self, v: u8) {
        self.bytes.push(v);
    }

    pub(crate) fn u16(&mut self, v: u16) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, v: u32) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, v: u64) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }

    pub(crate) fn i64(&mut self, v: i64) {
        self.bytes.extend_from_slice(&v.to_le_bytes());
    }

    /// A pointer: 8 bytes, or the low 4.
    pub(crate) fn ptr(&mut self, v: u64) {
        match self.bits {
            Bits::B64 => self.u64(v),
            Bits::B32 => self.u32(v as u32),
        }
    }

    pub(crate) fn raw(&mut self, v: &[u8]) {
        self.bytes.extend_from_slice(v);
    }

    pub(crate) fn guid(&mut self, v: Guid) {
        self.raw(&v.0);
    }

    pub(crate) fn zeros(&mut self, n: usize) {
        self.bytes.resize(self.bytes.len() + n, 0);
    }

    fn utf16(&mut self, text: &str) {
        if text.is_ascii() {
            self.bytes.reserve(2 * text.len() + 2);
            for byte in text.bytes() {
                self.bytes.extend_from_slice(&[byte, 0]);
            }
        } else {
            for unit in text.encode_utf16() {
                self.u16(unit);
            }
        }
    }

    /// UTF-16 with a NUL.
    pub(crate) fn wide(&mut self, text: &str) {
        self.utf16(text);
        self.u16(0);
    }

    /// 8-bit text with a NUL; what does not fit becomes a question mark, as in the kernel's image names.
    pub(crate) fn narrow(&mut self, text: &str) {
        for c in text.chars() {
            self.u8(u8::try_from(u32::from(c)).unwrap_or(b'?'));
        }
        self.u8(0);
    }

    /// A field of `units` UTF-16 units, filled with NULs; the last one stays NUL.
    pub(crate) fn field(&mut self, text: &str, units: usize) {
        let end = self.len() + 2 * units;
        self.utf16(text);
        self.bytes.truncate(end - 2);
        self.bytes.resize(end, 0);
    }

    pub(crate) fn patch_u16(&mut self, at: usize, v: u16) {
        self.bytes[at..at + 2].copy_from_slice(&v.to_le_bytes());
    }
}
