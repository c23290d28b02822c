//! QueryInformationFile, SetInformationFile and QueryOpen: the `FILE_*_INFORMATION` structures.

use super::Mode;
use super::entries::Entries;
use super::field::{FieldSink, Name, Value};
use super::file::FileEvent;
use super::rename;
use super::tables::{flags, names};
use crate::bytes::{i64_at, slice_at, u8_at, u32_at, u64_at};
use crate::pml::record::Record;
use crate::pml::text::Text;
use crate::trace::time::Filetime;

/// `FILE_INFORMATION_CLASS` numbers, as they stand in the sub-operation.
mod info {
    pub const BASIC: u8 = 0x04;
    pub const STANDARD: u8 = 0x05;
    pub const INTERNAL: u8 = 0x06;
    pub const EA: u8 = 0x07;
    pub const NAME: u8 = 0x09;
    pub const DISPOSITION: u8 = 0x0D;
    pub const POSITION: u8 = 0x0E;
    pub const ALL: u8 = 0x12;
    pub const ALLOCATION: u8 = 0x13;
    pub const END_OF_FILE: u8 = 0x14;
    pub const STREAMS: u8 = 0x16;
    pub const NETWORK_OPEN: u8 = 0x22;
    pub const ATTRIBUTE_TAG: u8 = 0x23;
    pub const VALID_DATA_LENGTH: u8 = 0x27;
    pub const NORMALIZED_NAME: u8 = 0x30;
    pub const ID: u8 = 0x3B;
    pub const DISPOSITION_EX: u8 = 0x40;
}

const TIMES: [&str; 4] = [
    "CreationTime",
    "LastAccessTime",
    "LastWriteTime",
    "ChangeTime",
];

pub(super) fn query<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let extra = event.extra()?;
    match event.sub_operation() {
        info::BASIC => basic(extra, sink),
        info::STANDARD => standard(extra, sink),
        info::INTERNAL => index_number(extra, sink),
        info::EA => ea_size(extra, sink),
        info::NAME => name(extra, sink),
        info::ALL => all(extra, sink),
        info::NETWORK_OPEN => network_open(extra, mode, sink),
        info::ATTRIBUTE_TAG => {
            let attributes = u32_at(extra, 0)?;
            sink.field("Attributes", Value::Flags(attributes, &flags::ATTRIBUTES));
            sink.field("ReparseTag", Value::Hex(u32_at(extra, 4)?.into()));
            Some(())
        }
        info::STREAMS if mode.is_recent() => {
            for (number, name) in (0..).zip(Entries::new(extra, 4, 24)) {
                sink.put(Name::Number(number), Value::Text(name));
            }
            Some(())
        }
        // Procmon prints nothing for these.
        info::NORMALIZED_NAME if mode.is_clean() => name(extra, sink),
        info::POSITION if mode.is_clean() => size("Position", extra, sink),
        info::ID if mode.is_clean() => {
            sink.field("VolumeSerialNumber", Value::Hex(u64_at(extra, 0)?));
            sink.field("FileId", Value::Id(slice_at(extra, 8, 16)?));
            Some(())
        }
        _ => None,
    }
}

/// A QueryOpen that did not fall back to opening the file.
pub(super) fn query_open<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    network_open(event.extra()?, Mode::Clean, sink)
}

pub(super) fn set<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let tail = event.tail;
    match event.sub_operation() {
        info::BASIC if mode.is_clean() => basic_changes(tail, sink),
        info::BASIC => basic(tail, sink),
        info::ALLOCATION => size("AllocationSize", tail, sink),
        info::END_OF_FILE => size("EndOfFile", tail, sink),
        info::POSITION if mode.is_clean() => size("Position", tail, sink),
        info::VALID_DATA_LENGTH if mode.is_clean() => size("ValidDataLength", tail, sink),
        info::DISPOSITION => {
            sink.field("Delete", Value::Bool(u8_at(tail, 0)? != 0));
            Some(())
        }
        info::DISPOSITION_EX => {
            let asked = u32_at(tail, 0)?;
            sink.field("Flags", Value::Flags(asked, &flags::DISPOSITION_FLAGS));
            Some(())
        }
        _ => None,
    }
}

/// Category of a SetInformationFile event. A request that takes a deletion back is in none.
pub(super) fn set_category(record: &Record<'_>) -> &'static str {
    let Some(event) = FileEvent::parse(record) else {
        return "Write Metadata";
    };
    let sub = event.sub_operation();
    let deletes = match sub {
        info::DISPOSITION => u8_at(event.tail, 0).is_some_and(|delete| delete != 0),
        info::DISPOSITION_EX => u32_at(event.tail, 0).is_some_and(|asked| asked & 1 != 0),
        _ => false,
    };
    class_set_category(sub, deletes)
}

/// Category of setting an information class; `deletes` says whether one of the two that mark a file for
/// deletion does so.
pub(crate) fn class_set_category(class: u8, deletes: bool) -> &'static str {
    match class {
        info::DISPOSITION | info::DISPOSITION_EX => {
            if deletes {
                "Write"
            } else {
                ""
            }
        }
        _ if rename::is_rename(class) && !rename::is_newer(class) => "Write",
        _ => "Write Metadata",
    }
}

fn time_at(bytes: &[u8], at: usize) -> Option<Filetime> {
    u64_at(bytes, at).map(Filetime)
}

fn times<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    for (place, name) in TIMES.into_iter().enumerate() {
        sink.field(name, Value::Time(time_at(bytes, place * 8)?));
    }
    Some(())
}

fn attributes<S: FieldSink>(bytes: &[u8], at: usize, sink: &mut S) -> Option<()> {
    let attributes = u32_at(bytes, at)?;
    sink.field(
        "FileAttributes",
        Value::Flags(attributes, &flags::ATTRIBUTES),
    );
    Some(())
}

fn basic<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    times(bytes, sink)?;
    attributes(bytes, 32, sink)
}

/// `FILE_BASIC_INFORMATION` as a request, in which 0 and -1 leave a time as it is.
fn basic_changes<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    for (place, name) in TIMES.into_iter().enumerate() {
        let time = time_at(bytes, place * 8)?;
        let value = match time.0 {
            0 | u64::MAX => Value::Str("unchanged"),
            _ => Value::Time(time),
        };
        sink.field(name, value);
    }
    attributes(bytes, 32, sink)
}

fn size<S: FieldSink>(name: &'static str, bytes: &[u8], sink: &mut S) -> Option<()> {
    sink.field(name, Value::GroupedSigned(i64_at(bytes, 0)?));
    Some(())
}

fn sizes<S: FieldSink>(bytes: &[u8], at: usize, sink: &mut S) -> Option<()> {
    sink.field("AllocationSize", Value::GroupedSigned(i64_at(bytes, at)?));
    sink.field("EndOfFile", Value::GroupedSigned(i64_at(bytes, at + 8)?));
    Some(())
}

fn standard<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    sizes(bytes, 0, sink)?;
    sink.field("NumberOfLinks", Value::Grouped(u32_at(bytes, 16)?.into()));
    sink.field("DeletePending", Value::Bool(u8_at(bytes, 20)? != 0));
    sink.field("Directory", Value::Bool(u8_at(bytes, 21)? != 0));
    Some(())
}

fn index_number<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    sink.field("IndexNumber", Value::Hex(u64_at(bytes, 0)?));
    Some(())
}

fn ea_size<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    sink.field("EaSize", Value::Grouped(u32_at(bytes, 0)?.into()));
    Some(())
}

/// u32 bytes and the name, as far as it was copied.
fn name<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    let len = u32_at(bytes, 0)? as usize;
    let rest = &bytes[4..];
    let name = Text::Utf16(&rest[..len.min(rest.len())]);
    sink.field("Name", Value::Text(name));
    Some(())
}

/// `FILE_ALL_INFORMATION`; Procmon leaves out the name at its end.
fn all<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    basic(bytes, sink)?;
    standard(&bytes[40.min(bytes.len())..], sink)?;
    index_number(&bytes[64.min(bytes.len())..], sink)?;
    ea_size(&bytes[72.min(bytes.len())..], sink)?;
    sink.field(
        "Access",
        Value::Flags(u32_at(bytes, 76)?, &flags::FILE_ACCESS),
    );
    sink.field("Position", Value::GroupedSigned(i64_at(bytes, 80)?));
    sink.field(
        "Mode",
        Value::Flags(u32_at(bytes, 88)?, &flags::CREATE_OPTIONS),
    );
    sink.field(
        "AlignmentRequirement",
        Value::Named(u32_at(bytes, 92)?, &names::ALIGNMENTS),
    );
    Some(())
}

/// `FILE_NETWORK_OPEN_INFORMATION`. Procmon prints the two sizes of a queried one as times.
fn network_open<S: FieldSink>(bytes: &[u8], mode: Mode, sink: &mut S) -> Option<()> {
    times(bytes, sink)?;
    if mode.is_clean() {
        sizes(bytes, 32, sink)?;
    } else {
        sink.field("AllocationSize", Value::Time(time_at(bytes, 32)?));
        sink.field("EndOfFile", Value::Time(time_at(bytes, 40)?));
    }
    attributes(bytes, 48, sink)
}
