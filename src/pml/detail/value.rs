//! Registry values: type, length and data of what was queried or set.

use super::Mode;
use super::field::{FieldSink, Value};
use super::registry::{length, name};
use super::tables::names;
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::pml::record::Record;
use crate::pml::text::Text;

/// Registry types with data of their own form.
mod kind {
    pub const SZ: u32 = 1;
    pub const EXPAND_SZ: u32 = 2;
    pub const BINARY: u32 = 3;
    pub const DWORD: u32 = 4;
    pub const DWORD_BIG_ENDIAN: u32 = 5;
    pub const LINK: u32 = 6;
    pub const MULTI_SZ: u32 = 7;
    pub const QWORD: u32 = 11;
}

/// `KEY_VALUE_INFORMATION_CLASS` numbers.
mod class {
    pub const FULL: u32 = 1;
    pub const PARTIAL: u32 = 2;
}

/// How far Procmon's reading past the end of a block is followed, in bytes. A Detail holds 4,095 UTF-16
/// units, so no more can show.
const OVER_READ: usize = 2 * 4_096;

/// RegQueryValue and RegEnumValue: a `KEY_VALUE_*_INFORMATION` structure in the extra block.
///
/// Only an enumeration names the value: the path of a query does so already.
pub(super) fn queried<S: FieldSink>(
    record: &Record<'_>,
    class: u32,
    named: bool,
    mode: Mode,
    sink: &mut S,
) -> Option<()> {
    let Some(extra) = record.extra() else {
        return length(record, sink);
    };
    let block = extra.bytes();
    let kind = u32_at(block, 4)?;
    // Procmon subtracts the padded size of the structure, wherever the data starts.
    let (len, data_at, header) = match class {
        class::FULL => {
            if named {
                name(block, 16, 20, sink)?;
            }
            (u32_at(block, 12)?, u32_at(block, 8)? as usize, 24)
        }
        class::PARTIAL => (u32_at(block, 8)?, 12, 12),
        _ => {
            sink.field("Type", Value::Named(kind, &names::VALUE_TYPES));
            return Some(());
        }
    };
    type_and_length(kind, len, sink);
    if len == 0 {
        return Some(());
    }
    let value = match mode {
        Mode::Clean => clean(kind, bounded(block, data_at, len)),
        Mode::Procmon(_) => {
            let shown = extra.stored.saturating_sub(header).min(len as usize);
            as_procmon(kind, extra.tail, data_at, len, shown)
        }
    };
    sink.field("Data", value);
    Some(())
}

/// RegSetValue: u32 type at 4, u32 length at 8, u16 bytes copied at 12, the data behind the path.
pub(super) fn set<S: FieldSink>(
    record: &Record<'_>,
    data_at: usize,
    mode: Mode,
    sink: &mut S,
) -> Option<()> {
    let block = record.detail();
    let kind = u32_at(block, 4)?;
    let len = u32_at(block, 8)?;
    let copied = u32::from(u16_at(block, 12)?);
    type_and_length(kind, len, sink);
    if len == 0 {
        return Some(());
    }
    let shown = len.min(copied);
    let value = match mode {
        Mode::Clean => clean(kind, bounded(block, data_at, shown)),
        Mode::Procmon(_) => {
            let at = record.detail_offset() + data_at;
            as_procmon(kind, record.tail(), at, len, shown as usize)
        }
    };
    sink.field("Data", value);
    Some(())
}

fn type_and_length<S: FieldSink>(kind: u32, len: u32, sink: &mut S) {
    sink.field("Type", Value::Named(kind, &names::VALUE_TYPES));
    sink.field("Length", Value::Grouped(len.into()));
}

fn bounded(block: &[u8], at: usize, len: u32) -> &[u8] {
    let rest = block.get(at..).unwrap_or(&[]);
    &rest[..rest.len().min(len as usize)]
}

/// The data as Procmon prints it: a text runs to its NUL wherever that is, also the last one of a list
/// that starts within the length; bytes go up to `shown`; types other than these five print nothing.
fn as_procmon(kind: u32, bytes: &[u8], at: usize, len: u32, shown: usize) -> Value<'_> {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let window = &rest[..rest.len().min(OVER_READ)];
    match kind {
        kind::DWORD => number(u32_at(window, 0).map(u64::from)),
        kind::SZ | kind::EXPAND_SZ => Value::Text(to_nul(window)),
        kind::MULTI_SZ => Value::Strings(list(window, len as usize)),
        kind::BINARY => Value::Bytes(&window[..window.len().min(shown)]),
        _ => Value::Str(""),
    }
}

/// The data that belongs to the value, every type in the form that suits it.
fn clean(kind: u32, data: &[u8]) -> Value<'_> {
    match kind {
        kind::DWORD => number(u32_at(data, 0).map(u64::from)),
        kind::DWORD_BIG_ENDIAN => number(u32_at(data, 0).map(|number| number.swap_bytes().into())),
        kind::QWORD => number(u64_at(data, 0)),
        kind::SZ | kind::EXPAND_SZ | kind::LINK => Value::Text(to_nul(data)),
        kind::MULTI_SZ => Value::Strings(data),
        _ => Value::Bytes(data),
    }
}

fn number(number: Option<u64>) -> Value<'static> {
    number.map_or(Value::Str(""), Value::Decimal)
}

/// The strings that start in the first `len` bytes, each whole.
fn list(bytes: &[u8], len: usize) -> &[u8] {
    let mut at = 0;
    while at < len.min(bytes.len()) {
        let units = units_to_nul(&bytes[at..]);
        at = (at + units * 2 + 2).min(bytes.len());
        if units == 0 {
            break;
        }
    }
    &bytes[..at]
}

fn units_to_nul(bytes: &[u8]) -> usize {
    let mut units = bytes.chunks_exact(2);
    units
        .position(|unit| unit == [0, 0])
        .unwrap_or(bytes.len() / 2)
}

fn to_nul(bytes: &[u8]) -> Text<'_> {
    Text::Utf16(&bytes[..units_to_nul(bytes) * 2])
}
