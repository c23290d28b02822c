//! Chains of structures with a name each, as directory and stream listings are.

use crate::bytes::{slice_at, u32_at};
use crate::pml::text::Text;

/// The names of a chain. Every structure starts with u32 distance to the next one (0: none) and has u32
/// name bytes at one place and the name at another.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    len_at: usize,
    name_at: usize,
}

impl<'a> Entries<'a> {
    pub fn new(bytes: &'a [u8], len_at: usize, name_at: usize) -> Self {
        Self {
            rest: bytes,
            len_at,
            name_at,
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        let next = u32_at(self.rest, 0)? as usize;
        let whole = self.rest;
        let end = match next {
            0 => whole.len(),
            // An entry that ends before its own name starts leads nowhere.
            _ if next < self.name_at => return None,
            _ => next.min(whole.len()),
        };
        let (own, rest) = whole.split_at(end);
        self.rest = rest;
        let len = u32_at(own, self.len_at)? as usize;
        let from = own.get(self.name_at..)?;
        let name = slice_at(from, 0, len).unwrap_or(from);
        Some(Text::Utf16(name))
    }
}
