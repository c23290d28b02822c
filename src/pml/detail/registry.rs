//! Registry events: keys. The data of values is in [`super::value`].

use super::Mode;
use super::field::{FieldSink, Value};
use super::path::{folder, has_backslash};
use super::tables::{flags, names};
use super::value;
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::pml::record::Record;
use crate::pml::text::{Info, Text};
use crate::trace::time::Filetime;

/// Registry operations.
pub(crate) mod op {
    pub const OPEN_KEY: u16 = 0;
    pub const CREATE_KEY: u16 = 1;
    pub const CLOSE_KEY: u16 = 2;
    pub const QUERY_KEY: u16 = 3;
    pub const SET_VALUE: u16 = 4;
    pub const QUERY_VALUE: u16 = 5;
    pub const ENUM_VALUE: u16 = 6;
    pub const ENUM_KEY: u16 = 7;
    pub const SET_INFO_KEY: u16 = 8;
    pub const DELETE_KEY: u16 = 9;
    pub const DELETE_VALUE: u16 = 10;
    pub const FLUSH_KEY: u16 = 11;
    pub const LOAD_KEY: u16 = 12;
    pub const RENAME_KEY: u16 = 14;
    pub const QUERY_MULTIPLE_VALUES: u16 = 15;
    pub const SET_KEY_SECURITY: u16 = 16;
    pub const QUERY_KEY_SECURITY: u16 = 17;
}

/// `KEY_INFORMATION_CLASS` numbers.
mod key_class {
    pub const BASIC: u32 = 0;
    pub const NODE: u32 = 1;
    pub const FULL: u32 = 2;
    pub const NAME: u32 = 3;
    pub const CACHED: u32 = 4;
    pub const FLAGS: u32 = 5;
    pub const HANDLE_TAGS: u32 = 7;
}

/// `MAXIMUM_ALLOWED`.
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// Disposition in the extra block of RegCreateKey.
const CREATED_NEW_KEY: u32 = 1;
const OPENED_EXISTING_KEY: u32 = 2;

/// Bytes before the path: the info word, then the parameters of the operation.
fn fixed_len(operation: u16) -> usize {
    match operation {
        op::OPEN_KEY | op::CREATE_KEY => 8,
        op::QUERY_KEY | op::QUERY_VALUE => 12,
        op::ENUM_VALUE | op::ENUM_KEY | op::SET_VALUE | op::SET_INFO_KEY => 16,
        op::LOAD_KEY | op::RENAME_KEY => 4,
        _ => 2,
    }
}

/// Key path, and where the bytes behind it start in the detail block.
fn path<'a>(record: &Record<'a>) -> Option<(Text<'a>, usize)> {
    let block = record.detail();
    let info = Info::read(block, 0)?;
    let at = fixed_len(record.operation());
    Some((info.text(block, at), at + info.byte_len()))
}

pub(super) fn push_path(record: &Record<'_>, out: &mut String) {
    if let Some((path, _)) = path(record) {
        path.push_to(out);
    }
}

/// New name of a key (and what it is relative to), or the file of a hive.
pub(super) fn target<'a>(record: &Record<'a>) -> Option<(Text<'a>, Text<'a>)> {
    let name = second_text(record)?;
    match record.operation() {
        op::LOAD_KEY => Some((Text::EMPTY, name)),
        op::RENAME_KEY if has_backslash(name) => Some((Text::EMPTY, name)),
        op::RENAME_KEY => Some((folder(path(record)?.0), name)),
        _ => None,
    }
}

/// The text behind the path of RegLoadKey and RegRenameKey; its info word follows the path's.
fn second_text<'a>(record: &Record<'a>) -> Option<Text<'a>> {
    let block = record.detail();
    let (_, behind) = path(record)?;
    Some(Info::read(block, 2)?.text(block, behind))
}

pub(super) fn category(record: &Record<'_>) -> &'static str {
    let operation = record.operation();
    let opens = matches!(operation, op::OPEN_KEY | op::CREATE_KEY);
    let disposition = || record.extra().and_then(|extra| u32_at(extra.bytes(), 4));
    if opens && disposition() == Some(CREATED_NEW_KEY) && access(record) != Some(0) {
        return "Write";
    }
    operation_category(operation)
}

/// Category of an operation, for one that opens a key if it made no new one.
pub(crate) fn operation_category(operation: u16) -> &'static str {
    match operation {
        op::OPEN_KEY
        | op::CREATE_KEY
        | op::QUERY_KEY
        | op::QUERY_VALUE
        | op::ENUM_VALUE
        | op::ENUM_KEY
        | op::QUERY_MULTIPLE_VALUES => "Read",
        op::SET_VALUE | op::DELETE_KEY | op::DELETE_VALUE | op::RENAME_KEY => "Write",
        op::SET_INFO_KEY | op::SET_KEY_SECURITY => "Write Metadata",
        op::QUERY_KEY_SECURITY => "Read Metadata",
        _ => "",
    }
}

pub(super) fn detail<S: FieldSink>(record: &Record<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    match record.operation() {
        op::OPEN_KEY | op::CREATE_KEY => open(record, sink),
        op::QUERY_KEY => {
            let class = u32_at(record.detail(), 8)?;
            sink.field("Query", Value::Named(class, &names::KEY_CLASSES));
            key(record, class, mode, sink)
        }
        op::ENUM_KEY => {
            index(record, sink)?;
            key(record, u32_at(record.detail(), 12)?, mode, sink)
        }
        op::QUERY_VALUE => {
            let class = u32_at(record.detail(), 8)?;
            value::queried(record, class, false, mode, sink)
        }
        op::ENUM_VALUE => {
            index(record, sink)?;
            let class = u32_at(record.detail(), 12)?;
            value::queried(record, class, true, mode, sink)
        }
        op::SET_VALUE => value::set(record, path(record)?.1, mode, sink),
        op::SET_INFO_KEY => set_info(record, mode, sink),
        op::LOAD_KEY => {
            sink.field("Hive Path", Value::Text(second_text(record)?));
            Some(())
        }
        op::RENAME_KEY => {
            sink.field("New Name", Value::Text(second_text(record)?));
            Some(())
        }
        _ => None,
    }
}

fn access(record: &Record<'_>) -> Option<u32> {
    u32_at(record.detail(), 4)
}

fn open<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    let desired = access(record)?;
    if desired == 0 {
        return None;
    }
    sink.field("Desired Access", Value::Flags(desired, &flags::KEY_ACCESS));
    let extra = record.extra()?.bytes();
    if desired == MAXIMUM_ALLOWED {
        let granted = u32_at(extra, 0)?;
        sink.field("Granted Access", Value::Flags(granted, &flags::KEY_ACCESS));
    }
    let disposition = match u32_at(extra, 4)? {
        CREATED_NEW_KEY => "REG_CREATED_NEW_KEY",
        OPENED_EXISTING_KEY => "REG_OPENED_EXISTING_KEY",
        _ => return None,
    };
    sink.field("Disposition", Value::Str(disposition));
    Some(())
}

/// Length of the caller's buffer, the second parameter of every query.
pub(super) fn length<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    sink.field("Length", Value::Grouped(u32_at(record.detail(), 4)?.into()));
    Some(())
}

fn index<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    sink.field("Index", Value::Grouped(u32_at(record.detail(), 8)?.into()));
    Some(())
}

/// The `KEY_*_INFORMATION` structure in the extra block.
fn key<S: FieldSink>(record: &Record<'_>, class: u32, mode: Mode, sink: &mut S) -> Option<()> {
    let Some(extra) = record.extra() else {
        return length(record, sink);
    };
    let extra = extra.bytes();
    match class {
        key_class::BASIC => name(extra, 12, 16, sink),
        key_class::NODE => name(extra, 20, 24, sink),
        key_class::FULL => counts(extra, 20, 32, sink),
        key_class::CACHED => counts(extra, 12, 20, sink),
        key_class::NAME if mode.is_clean() => name(extra, 0, 4, sink),
        key_class::FLAGS => {
            sink.field("UserFlags", Value::Hex(u32_at(extra, 0)?.into()));
            Some(())
        }
        key_class::HANDLE_TAGS => {
            sink.field("HandleTags", Value::Hex(u32_at(extra, 0)?.into()));
            Some(())
        }
        _ => None,
    }
}

/// A name with its u32 byte length at `len_at` and its text at `at`, as far as it was copied.
pub(super) fn name<S: FieldSink>(
    bytes: &[u8],
    len_at: usize,
    at: usize,
    sink: &mut S,
) -> Option<()> {
    let len = u32_at(bytes, len_at)? as usize;
    let rest = bytes.get(at..).unwrap_or(&[]);
    let name = Text::Utf16(&rest[..len.min(rest.len())]);
    sink.field("Name", Value::Text(name));
    Some(())
}

fn counts<S: FieldSink>(bytes: &[u8], keys: usize, values: usize, sink: &mut S) -> Option<()> {
    sink.field("SubKeys", Value::Grouped(u32_at(bytes, keys)?.into()));
    sink.field("Values", Value::Grouped(u32_at(bytes, values)?.into()));
    Some(())
}

/// RegSetInfoKey: u32 class at 4, u32 length of the call at 8, u16 bytes copied behind the path at 12.
/// Procmon prints the copied bytes as the length.
fn set_info<S: FieldSink>(record: &Record<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let block = record.detail();
    let class = u32_at(block, 4)?;
    let asked = u32_at(block, 8)?;
    let copied = u16_at(block, 12)?;
    let (classes, length) = match mode {
        Mode::Clean => (&names::KEY_SET_CLASSES_ALL, asked),
        Mode::Procmon(_) => (&names::KEY_SET_CLASSES, copied.into()),
    };
    sink.field("KeySetInformationClass", Value::Named(class, classes));
    sink.field("Length", Value::Grouped(length.into()));
    if copied == 0 {
        return Some(());
    }
    let data = block.get(path(record)?.1..)?;
    match class {
        0 => sink.field("LastWriteTime", Value::Time(Filetime(u64_at(data, 0)?))),
        1 => sink.field("Wow64Flags", Value::Hex(u32_at(data, 0)?.into())),
        5 => sink.field("HandleTags", Value::Hex(u32_at(data, 0)?.into())),
        _ => {}
    }
    Some(())
}
