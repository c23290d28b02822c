//! A growing byte buffer with the few shapes a PML file is made of.

use super::Bits;
use crate::prng::Prng;

/// Little-endian output. It owns the junk source too, since the format leaves holes in the middle of its
/// structures and a real log has whatever was in memory there.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
    junk: Prng,
}

impl Out {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            bytes: Vec::new(),
            junk: Prng::new(seed),
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

    /// A pointer: 8 bytes in a 64-bit log, the low 4 in a 32-bit one.
    pub(crate) fn ptr(&mut self, bits: Bits, v: u64) {
        match bits {
            Bits::B64 => self.u64(v),
            Bits::B32 => self.u32(v as u32),
        }
    }

    pub(crate) fn raw(&mut self, v: &[u8]) {
        self.bytes.extend_from_slice(v);
    }

    pub(crate) fn utf16(&mut self, s: &str) {
        for unit in s.encode_utf16() {
            self.u16(unit);
        }
    }

    /// `n` bytes a reader must not look at, none of them zero.
    pub(crate) fn junk(&mut self, n: usize) {
        let mut left = n;
        while left > 0 {
            let word = (self.junk.next_u64() | 0x0101_0101_0101_0101).to_le_bytes();
            let take = left.min(8);
            self.bytes.extend_from_slice(&word[..take]);
            left -= take;
        }
    }

    pub(crate) fn patch_u32(&mut self, at: usize, v: u32) {
        self.bytes[at..at + 4].copy_from_slice(&v.to_le_bytes());
    }

    pub(crate) fn patch_u64(&mut self, at: usize, v: u64) {
        self.bytes[at..at + 8].copy_from_slice(&v.to_le_bytes());
    }

    /// The string info of a detail block: bit 15 for one byte a character, the low 15 bits count characters.
    pub(crate) fn info(&mut self, s: &str) {
        self.u16(string_info(s));
    }

    /// The text an [`Out::info`] announced, without a NUL.
    pub(crate) fn text(&mut self, s: &str) {
        if s.is_ascii() {
            self.raw(s.as_bytes());
        } else {
            self.utf16(s);
        }
    }
}

/// What can be ASCII is ASCII: no real log holds a UTF-16 path that could have been.
fn string_info(s: &str) -> u16 {
    if s.is_ascii() {
        0x8000 | (s.len() as u16 & 0x7FFF)
    } else {
        s.encode_utf16().count() as u16 & 0x7FFF
    }
}
