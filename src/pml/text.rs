//! Strings inside records: a 16-bit info word and characters without a terminator.

use crate::bytes::{push_ascii, push_utf16, slice_at, u16_at};

/// The info word of a stored string: bit 15 set means one byte a character (ASCII), else UTF-16; the rest is the number of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info(pub u16);

impl Info {
    /// The info word at `at`.
    #[inline]
    pub fn read(bytes: &[u8], at: usize) -> Option<Self> {
        u16_at(bytes, at).map(Self)
    }

    /// Whether one byte stands for one character.
    #[inline]
    pub fn is_ascii(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// Bytes the characters take.
    #[inline]
    pub fn byte_len(self) -> usize {
        let chars = usize::from(self.0 & 0x7FFF);
        if self.is_ascii() { chars } else { chars * 2 }
    }

    /// The string at `at`, whole or, where the bytes end before it does, as far as they go.
    #[inline]
    pub fn text(self, bytes: &[u8], at: usize) -> Text<'_> {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let whole = slice_at(rest, 0, self.byte_len()).unwrap_or(rest);
        if self.is_ascii() {
            Text::Ascii(whole)
        } else {
            Text::Utf16(whole)
        }
    }
}

/// A string as a record holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// One byte a character.
    Ascii(&'a [u8]),
    /// UTF-16LE bytes.
    Utf16(&'a [u8]),
}

impl Text<'_> {
    /// The empty string.
    pub const EMPTY: Self = Text::Ascii(&[]);

    /// Whether it has no character.
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self {
            Text::Ascii(bytes) | Text::Utf16(bytes) => bytes.is_empty(),
        }
    }

    /// Appends it to `out` as UTF-8.
    #[inline]
    pub fn push_to(&self, out: &mut String) {
        match self {
            Text::Ascii(bytes) => push_ascii(bytes, out),
            Text::Utf16(bytes) => push_utf16(bytes, out),
        }
    }
}

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.push_to(&mut out);
        f.write_str(&out)
    }
}
