//! Extended data items: what stands between the header and the payload of an `EVENT_HEADER` record.

use super::layout::item as at;
use crate::bytes::{ptr_at, slice_at, u16_at};

/// One item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it holds, see the types in [`super::layout::item`].
    pub kind: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// The items of a record, in order.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    bytes: &'a [u8],
    next: Option<usize>,
}

impl<'a> Items<'a> {
    /// The items of a record that start at `start`; none for `None`.
    pub fn new(bytes: &'a [u8], start: Option<usize>) -> Self {
        Self { bytes, next: start }
    }

    /// Where the payload starts behind the items that start at `start`; `None` when they do not fit.
    pub fn end(bytes: &[u8], start: usize) -> Option<usize> {
        let mut from = start;
        loop {
            let size = usize::from(u16_at(bytes, from + at::SIZE)?);
            let data = usize::from(u16_at(bytes, from + at::DATA_SIZE)?);
            let linkage = u16_at(bytes, from + at::LINKAGE)?;
            // Every step goes on by a header at least, so the loop ends.
            if size < at::HEADER + data || from + size > bytes.len() {
                return None;
            }
            from += size;
            if linkage & 1 == 0 {
                return Some(from);
            }
        }
    }
}

/// The stack that an event brings along, innermost address first.
pub fn stack_of<'a>(
    record: &super::record::Record<'a>,
) -> Option<impl Iterator<Item = u64> + use<'a>> {
    let (item, wide) = record.items().find_map(|item| match item.kind {
        at::TYPE_STACK64 => Some((item, true)),
        at::TYPE_STACK32 => Some((item, false)),
        _ => None,
    })?;
    // Behind an id by which parts of a stack find each other.
    let frames = item.data.get(8..)?;
    let width = if wide { 8 } else { 4 };
    Some(
        frames
            .chunks_exact(width)
            .filter_map(move |frame| ptr_at(frame, 0, wide)),
    )
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let from = self.next.take()?;
        let size = usize::from(u16_at(self.bytes, from + at::SIZE)?);
        let data = usize::from(u16_at(self.bytes, from + at::DATA_SIZE)?);
        let item = Item {
            kind: u16_at(self.bytes, from + at::TYPE)?,
            data: slice_at(self.bytes, from + at::HEADER, data)?,
        };
        if u16_at(self.bytes, from + at::LINKAGE)? & 1 != 0 && size >= at::HEADER {
            self.next = Some(from + size);
        }
        Some(item)
    }
}
