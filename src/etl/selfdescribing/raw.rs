//! Values as they lie in the payload.

use super::types::InType;
use crate::bytes::{u8_at, u16_at, u32_at};
use crate::etl::guid::Guid;
use crate::etl::kernel::{Fields, NarrowText, WideText};
use crate::trace::Filetime;

/// A value as it lies in the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// No bytes.
    Null,
    /// UTF-16 text.
    Wide(WideText<'a>),
    /// 8-bit text.
    Narrow(NarrowText<'a>),
    /// Number with a sign, and its size in bits.
    Signed(i64, u8),
    /// Number without a sign, and its size in bits.
    Unsigned(u64, u8),
    /// Four bytes of floating point.
    Float(f32),
    /// Eight bytes of floating point.
    Double(f64),
    /// Truth.
    Bool(bool),
    /// Bytes.
    Bytes(&'a [u8]),
    /// GUID.
    Guid(Guid),
    /// Pointer.
    Pointer(u64),
    /// FILETIME.
    Time(Filetime),
    /// SYSTEMTIME: year, month, day of the week, day, hour, minute, second, millisecond.
    SystemTime([u16; 8]),
    /// SID; empty for none.
    Sid(&'a [u8]),
}

/// Reads the next value of `in_type`. `length` is the length that the definition gives: units of UTF-16,
/// else bytes; types that have a size of their own do not look at it. `None`, and nothing is read, where
/// the payload ends before the value does.
pub fn read<'a>(
    in_type: InType,
    length: Option<usize>,
    fields: &mut Fields<'a>,
) -> Option<Raw<'a>> {
    let before = *fields;
    let value = read_value(in_type, length, fields);
    if value.is_none() {
        *fields = before;
    }
    value
}

fn read_value<'a>(
    in_type: InType,
    length: Option<usize>,
    fields: &mut Fields<'a>,
) -> Option<Raw<'a>> {
    Some(match in_type {
        InType::Null => Raw::Null,
        InType::Wide => Raw::Wide(match length {
            Some(units) => until_nul_wide(fields.bytes(units.checked_mul(2)?)?),
            None => fields.wide_text()?,
        }),
        InType::Narrow => Raw::Narrow(match length {
            Some(len) => until_nul(fields.bytes(len)?),
            None => fields.narrow_text()?,
        }),
        InType::I8 => Raw::Signed(fields.u8()?.cast_signed().into(), 8),
        InType::U8 | InType::NarrowChar => Raw::Unsigned(fields.u8()?.into(), 8),
        InType::I16 => Raw::Signed(fields.u16()?.cast_signed().into(), 16),
        InType::U16 | InType::WideChar => Raw::Unsigned(fields.u16()?.into(), 16),
        InType::I32 => Raw::Signed(fields.u32()?.cast_signed().into(), 32),
        InType::U32 | InType::Hex32 => Raw::Unsigned(fields.u32()?.into(), 32),
        InType::I64 => Raw::Signed(fields.i64()?, 64),
        InType::U64 | InType::Hex64 => Raw::Unsigned(fields.u64()?, 64),
        InType::F32 => Raw::Float(f32::from_bits(fields.u32()?)),
        InType::F64 => Raw::Double(f64::from_bits(fields.u64()?)),
        InType::Bool => Raw::Bool(fields.u32()? != 0),
        InType::Binary => Raw::Bytes(fields.bytes(length.unwrap_or(0))?),
        InType::Guid => Raw::Guid(fields.guid()?),
        InType::Pointer => Raw::Pointer(fields.ptr()?),
        InType::FileTime => Raw::Time(Filetime(fields.u64()?)),
        InType::SystemTime => {
            let bytes = fields.bytes(16)?;
            let mut parts = [0; 8];
            for (at, part) in parts.iter_mut().enumerate() {
                *part = u16_at(bytes, at * 2)?;
            }
            Raw::SystemTime(parts)
        }
        InType::Sid => Raw::Sid(sid(fields)?),
        InType::CountedWide => Raw::Wide(WideText(counted(fields)?)),
        InType::CountedNarrow => Raw::Narrow(NarrowText(counted(fields)?)),
        InType::CountedBinary => Raw::Bytes(counted(fields)?),
        InType::ReversedWide => Raw::Wide(WideText(reversed(fields)?)),
        InType::ReversedNarrow => Raw::Narrow(NarrowText(reversed(fields)?)),
        InType::RestWide => Raw::Wide(WideText(fields.bytes(fields.rest().len())?)),
        InType::RestNarrow => Raw::Narrow(NarrowText(fields.bytes(fields.rest().len())?)),
        InType::HexDump => {
            let len = fields.u32()?;
            Raw::Bytes(fields.bytes(usize::try_from(len).ok()?)?)
        }
        InType::TokenSid => {
            if u32_at(fields.rest(), 0)? == 0 {
                fields.bytes(4)?;
                return Some(Raw::Sid(&[]));
            }
            fields.ptr()?;
            fields.ptr()?;
            Raw::Sid(sid(fields)?)
        }
    })
}

fn counted<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let len = fields.u16()?;
    fields.bytes(len.into())
}

fn reversed<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let len = fields.u16()?.swap_bytes();
    fields.bytes(len.into())
}

/// Revision, number of parts, six bytes of authority, parts.
fn sid<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let parts = u8_at(fields.rest(), 1)?;
    fields.bytes(8 + 4 * usize::from(parts))
}

fn until_nul_wide(bytes: &[u8]) -> WideText<'_> {
    let mut units = bytes.chunks_exact(2);
    let len = units.position(|unit| unit == [0, 0]);
    WideText(len.map_or(bytes, |len| &bytes[..len * 2]))
}

pub(super) fn until_nul(bytes: &[u8]) -> NarrowText<'_> {
    let len = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    NarrowText(&bytes[..len])
}
