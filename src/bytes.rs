//! The one place that takes numbers out of raw bytes.
//!
//! Every accessor is bounds-checked and none panics: a field that is not there is `None`, and
//! [`need`] turns that into a [`Truncated`] that says what was wanted and where.
//! All numbers of the PML and ETL formats are little-endian.

use crate::lang::{Message, Words};
use crate::say;
use byteorder::{ByteOrder, LittleEndian};

/// A structure that does not fit into the bytes that are there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at offset {offset:#x}: expected {need} bytes for {what}, found {have}")]
pub struct Truncated {
    /// What was being read, in the words of the format table.
    pub what: Words,
    /// Where it should start, in bytes from the start of the file.
    pub offset: u64,
    /// Bytes it needs.
    pub need: u64,
    /// Bytes that are there.
    pub have: u64,
}

impl Truncated {
    /// The same for people.
    pub fn message(&self) -> Message {
        let (what, part) = (self.what.en, self.what.zh);
        say!(
            en: "at offset {offset:#x}: expected {need} bytes for {what}, found {have}",
            zh: "偏移量 {offset:#x} 处：{part}应有 {need} 个字节，实有 {have} 个",
            offset = self.offset,
            need = self.need,
            have = self.have,
        )
    }
}

/// One byte at `at`.
#[inline]
pub fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// `len` bytes at `at`.
#[inline]
pub fn slice_at(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// Little-endian `u16` at `at`.
#[inline]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    slice_at(bytes, at, 2).map(LittleEndian::read_u16)
}

/// Little-endian `u32` at `at`.
#[inline]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    slice_at(bytes, at, 4).map(LittleEndian::read_u32)
}

/// Little-endian `i32` at `at`.
#[inline]
pub fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    slice_at(bytes, at, 4).map(LittleEndian::read_i32)
}

/// Little-endian `u64` at `at`.
#[inline]
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    slice_at(bytes, at, 8).map(LittleEndian::read_u64)
}

/// Little-endian `i64` at `at`.
#[inline]
pub fn i64_at(bytes: &[u8], at: usize) -> Option<i64> {
    slice_at(bytes, at, 8).map(LittleEndian::read_i64)
}

/// A pointer of the traced machine, 4 or 8 bytes wide, at `at`.
#[inline]
pub fn ptr_at(bytes: &[u8], at: usize, wide: bool) -> Option<u64> {
    if wide {
        u64_at(bytes, at)
    } else {
        u32_at(bytes, at).map(u64::from)
    }
}

/// The first `len` bytes of a structure named `what`, which starts at file offset `offset`.
///
/// # Errors
/// [`Truncated`] when fewer bytes are there.
pub fn need(bytes: &[u8], len: usize, what: Words, offset: u64) -> Result<&[u8], Truncated> {
    bytes.get(..len).ok_or(Truncated {
        what,
        offset,
        need: len as u64,
        have: bytes.len() as u64,
    })
}

/// Appends UTF-16LE bytes to `out` as UTF-8; an unpaired surrogate becomes U+FFFD, a last odd byte is ignored.
pub fn push_utf16(bytes: &[u8], out: &mut String) {
    let rest = push_ascii_utf16(bytes, out);
    let units = rest.chunks_exact(2).map(LittleEndian::read_u16);
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// Appends what UTF-16LE bytes begin with, as far as it is ASCII, by runs of 16 characters: almost all paths are that and
/// nothing else. Gives what is left.
fn push_ascii_utf16<'a>(bytes: &'a [u8], out: &mut String) -> &'a [u8] {
    const RUN: usize = 16;
    let mut rest = bytes;
    loop {
        let units = (rest.len() / 2).min(RUN);
        let (run, after) = rest.split_at(units * 2);
        let mut text = [0; RUN];
        let mut marks = 0;
        for (to, unit) in text.iter_mut().zip(run.chunks_exact(2)) {
            *to = unit[0];
            marks |= unit[1] | unit[0] & 0x80;
        }
        match std::str::from_utf8(&text[..units]) {
            Ok(text) if marks == 0 && units > 0 => out.push_str(text),
            _ => return rest,
        }
        rest = after;
    }
}

/// Appends bytes that are meant to be ASCII to `out`; a byte of 0x80 or above becomes the character of that number.
pub fn push_ascii(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => out.push_str(text),
        _ => out.extend(bytes.iter().map(|&byte| char::from(byte))),
    }
}

/// Appends `0x` and a number in lower-case hexadecimal: stacks have millions, for which the general way is too slow.
pub fn push_hex(number: u64, out: &mut String) {
    out.push_str("0x");
    push_hex_digits(number, out);
}

/// Appends a number in lower-case hexadecimal.
pub fn push_hex_digits(number: u64, out: &mut String) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(rest & 15) as usize];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    push_ascii(&digits[at..], out);
}

/// The text of a fixed UTF-16LE field, up to its first NUL.
pub fn utf16_field(bytes: &[u8]) -> String {
    let end = bytes
        .chunks_exact(2)
        .position(|unit| unit == [0, 0])
        .map_or(bytes.len(), |units| units * 2);
    let mut out = String::new();
    push_utf16(&bytes[..end], &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_hexadecimal() {
        for number in [0, 1, 0xF, 0x10, 0x1f2e_3d4c, u64::MAX] {
            let mut out = String::new();
            push_hex(number, &mut out);
            assert_eq!(out, format!("{number:#x}"));
        }
    }

    #[test]
    fn texts_of_any_length_and_script() {
        let ascii: String = ('a'..='z').chain('0'..='9').collect();
        for text in [
            "",
            "a",
            "\u{e9}",
            "\u{4e2d}\u{6587}",
            "\u{1f600}",
            ascii.as_str(),
        ] {
            for before in [0, 1, 15, 16, 17, 40] {
                let text = format!("{}{text}{}", "x".repeat(before), "y".repeat(before % 7));
                let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let mut out = String::from("-");
                push_utf16(&bytes, &mut out);
                assert_eq!(out, format!("-{text}"));
            }
        }
        let mut out = String::new();
        push_utf16(
            &[b'a', 0, 0, 0xD8, 0x80, 0, b'b', 1, b'c', 0, b'd'],
            &mut out,
        );
        assert_eq!(out, "a\u{fffd}\u{80}\u{162}c");
    }

    #[test]
    fn nothing_is_read_outside() {
        assert_eq!(u64_at(&[0; 7], 0), None);
        assert_eq!(u32_at(&[0; 7], usize::MAX), None);
        assert_eq!(ptr_at(&[1, 0, 0, 0], 0, false), Some(1));
        assert_eq!(ptr_at(&[1, 0, 0, 0], 0, true), None);
        let err = need(&[0; 3], 8, Words::new("a header", "文件头"), 0x10).unwrap_err();
        assert_eq!(
            err.to_string(),
            "at offset 0x10: expected 8 bytes for a header, found 3"
        );
    }

    #[test]
    fn odd_text_stays_text() {
        assert_eq!(utf16_field(b"a\0b\0\0\0c\0"), "ab");
        assert_eq!(utf16_field(&[0x00, 0xd8, b'x', 0]), "\u{fffd}x");
        let mut out = String::new();
        push_ascii(&[b'a', 0xe9], &mut out);
        assert_eq!(out, "aé");
    }
}
