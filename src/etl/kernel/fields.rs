//! Reading the fields of a payload, one after the other.

use crate::bytes::{ptr_at, slice_at, u8_at, u16_at, u32_at, u64_at};
use crate::etl::guid::Guid;
use std::fmt;

/// UTF-16LE text inside a payload, without its NUL.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct WideText<'a>(pub &'a [u8]);

impl WideText<'_> {
    /// Appends it as UTF-8.
    pub fn push_to(self, out: &mut String) {
        crate::bytes::push_utf16(self.0, out);
    }

    /// Whether it has no characters.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for WideText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for WideText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Bytes of UTF-16 text up to its NUL or the end: four characters at a time, as texts are a third of a trace.
#[inline]
fn wide_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0001_0001_0001_0001;
    let (fours, _) = bytes.as_chunks::<8>();
    let mut len = 0;
    for four in fours {
        let four = u64::from_le_bytes(*four);
        // The lowest of these bits stands where the first character that is 0 is.
        let zeros = four.wrapping_sub(ONES) & !four & (ONES << 15);
        if zeros != 0 {
            return len + zeros.trailing_zeros() as usize / 16 * 2;
        }
        len += 8;
    }
    let units = bytes[len..].chunks_exact(2);
    len + units.take_while(|unit| **unit != [0, 0]).count() * 2
}

/// 8-bit text inside a payload, without its NUL. Its code page is that of the machine and not recorded.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct NarrowText<'a>(pub &'a [u8]);

impl NarrowText<'_> {
    /// Appends it as UTF-8; bytes above 7F that are no UTF-8 become the characters of their numbers.
    pub fn push_to(self, out: &mut String) {
        match std::str::from_utf8(self.0) {
            Ok(text) => out.push_str(text),
            Err(_) => out.extend(self.0.iter().map(|byte| char::from(*byte))),
        }
    }
}

impl fmt::Display for NarrowText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for NarrowText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// The fields of a payload that are still to be read. Every reader gives `None`, and stays where it is, where
/// the payload ends before the field does.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    wide: bool,
}

impl<'a> Fields<'a> {
    /// All fields of a payload whose pointers take 8 bytes (`wide`) or 4.
    #[inline]
    pub fn new(bytes: &'a [u8], wide: bool) -> Self {
        Self { bytes, wide }
    }

    /// Whether pointers take 8 bytes.
    #[inline]
    pub fn wide(&self) -> bool {
        self.wide
    }

    /// What has not been read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next `len` bytes.
    #[inline]
    pub fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = slice_at(self.bytes, 0, len)?;
        self.bytes = &self.bytes[len..];
        Some(taken)
    }

    #[inline]
    fn take<T>(&mut self, len: usize, value: Option<T>) -> Option<T> {
        let value = value?;
        self.bytes = self.bytes.get(len..)?;
        Some(value)
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1, u8_at(self.bytes, 0))
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2, u16_at(self.bytes, 0))
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self) -> Option<u32> {
        self.take(4, u32_at(self.bytes, 0))
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Option<u64> {
        self.take(8, u64_at(self.bytes, 0))
    }

    /// Eight bytes with a sign.
    #[inline]
    pub fn i64(&mut self) -> Option<i64> {
        self.u64().map(u64::cast_signed)
    }

    /// A pointer.
    #[inline]
    pub fn ptr(&mut self) -> Option<u64> {
        let len = if self.wide { 8 } else { 4 };
        self.take(len, ptr_at(self.bytes, 0, self.wide))
    }

    /// A GUID.
    #[inline]
    pub fn guid(&mut self) -> Option<Guid> {
        self.take(16, Guid::at(self.bytes, 0))
    }

    /// UTF-16 text up to its NUL, which is taken as well, or to the end of the payload.
    #[inline]
    pub fn wide_text(&mut self) -> Option<WideText<'a>> {
        if self.bytes.is_empty() {
            return None;
        }
        let len = wide_len(self.bytes);
        let text = WideText(&self.bytes[..len]);
        self.bytes = self.bytes.get(len + 2..).unwrap_or(&[]);
        Some(text)
    }

    /// 8-bit text up to its NUL, which is taken as well, or to the end of the payload.
    #[inline]
    pub fn narrow_text(&mut self) -> Option<NarrowText<'a>> {
        if self.bytes.is_empty() {
            return None;
        }
        let len = memchr::memchr(0, self.bytes).unwrap_or(self.bytes.len());
        let text = NarrowText(&self.bytes[..len]);
        self.bytes = self.bytes.get(len + 1..).unwrap_or(&[]);
        Some(text)
    }

    /// UTF-16 text in a field of `units` characters, up to its first NUL.
    #[inline]
    pub fn wide_field(&mut self, units: usize) -> Option<WideText<'a>> {
        let field = self.bytes(units * 2)?;
        Fields::new(field, self.wide).wide_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_ends_at_its_first_nul() {
        let slow = |bytes: &[u8]| {
            let units = bytes.chunks_exact(2);
            units.take_while(|unit| **unit != [0, 0]).count() * 2
        };
        let mut state = 7_u64;
        for len in 0..2_000_usize {
            let bytes: Vec<u8> = (0..len % 41)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    [0, 0, 1, 0x80, 0xFF][(state >> 33) as usize % 5]
                })
                .collect();
            assert_eq!(wide_len(&bytes), slow(&bytes), "{bytes:x?}");
        }
    }

    #[test]
    fn fields_end_where_the_payload_does() {
        let mut fields = Fields::new(&[1, 0, 0, 0, 2, 0, 0, 0, b'a', 0, 0, 0, b'b', 0], false);
        assert_eq!((fields.ptr(), fields.u32()), (Some(1), Some(2)));
        assert_eq!(fields.wide_text().unwrap().to_string(), "a");
        assert_eq!(fields.u32(), None);
        assert_eq!(fields.wide_text().unwrap().to_string(), "b");
        assert_eq!(fields.wide_text(), None);
        assert_eq!(Fields::new(&[0; 7], true).ptr(), None);
        let mut texts = Fields::new(b"ab\0\xe9", true);
        assert_eq!(texts.narrow_text().unwrap().to_string(), "ab");
        assert_eq!(texts.narrow_text().unwrap().to_string(), "é");
        assert!(texts.rest().is_empty());
    }
}
