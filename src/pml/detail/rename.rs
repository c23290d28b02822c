//! Renames and hard links: `FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION`, which share a layout.

use super::Mode;
use super::field::{FieldSink, Value};
use super::file::{FileEvent, op};
use super::path::{folder, has_backslash, is_stream};
use super::tables::flags;
use crate::bytes::{ptr_at, u8_at, u32_at};
use crate::pml::record::Record;
use crate::pml::text::Text;

/// Whether an information class sets a new name: rename, link, and their forms without an access check and with flags.
#[inline]
pub(super) fn is_rename(class: u8) -> bool {
    matches!(class, 0x0A | 0x0B | 0x38 | 0x39 | 0x41 | 0x42 | 0x48 | 0x49)
}

/// Whether an information class of [`is_rename`] is one the builds of 2020 do not know; they treat it as any other.
#[inline]
pub(super) fn is_newer(class: u8) -> bool {
    matches!(class, 0x38 | 0x39 | 0x48 | 0x49)
}

/// Whether the structure starts with flags and not with a BOOLEAN.
fn has_flags(class: u8) -> bool {
    matches!(class, 0x41 | 0x42 | 0x48 | 0x49)
}

/// Old and new name of a file: the folder the new one is relative to (or nothing) and the name as given.
pub(super) fn target<'a>(record: &Record<'a>) -> Option<(Text<'a>, Text<'a>)> {
    if record.operation() != op::SET_INFORMATION {
        return None;
    }
    let event = FileEvent::parse(record)?;
    if !is_rename(event.sub_operation()) {
        return None;
    }
    new_name(&event)
}

/// The tail: u8 or u32, padding to a pointer, ptr root folder, u32 bytes, name. The copied buffer may
/// be shorter than the name.
fn new_name<'a>(event: &FileEvent<'a>) -> Option<(Text<'a>, Text<'a>)> {
    let bits = event.record.bits();
    let root = ptr_at(event.tail, bits.ptr(), bits.is_64())?;
    let len = u32_at(event.tail, 2 * bits.ptr())? as usize;
    let rest = &event.tail[2 * bits.ptr() + 4..];
    let name = Text::Utf16(&rest[..len.min(rest.len())]);
    let base = if is_stream(name) {
        event.path
    } else if root == 0 && !has_backslash(name) {
        folder(event.path)
    } else {
        Text::EMPTY
    };
    Some((base, name))
}

pub(super) fn detail<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let class = event.sub_operation();
    if mode.is_clean() && has_flags(class) {
        let asked = u32_at(event.tail, 0)?;
        sink.field("ReplaceIfExists", Value::Bool(asked & 1 != 0));
        sink.field("Flags", Value::Flags(asked, &flags::RENAME_FLAGS));
    } else {
        sink.field("ReplaceIfExists", Value::Bool(u8_at(event.tail, 0)? != 0));
    }
    let (folder, name) = new_name(event)?;
    sink.field("FileName", Value::Target { folder, name });
    Some(())
}
