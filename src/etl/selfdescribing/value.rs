//! Values as text, by their in-type and out-type.

use super::address::{push_ipv4, push_ipv6, push_socket_address};
use super::maps::ValueMap;
use super::raw::{Raw, read, until_nul};
use super::types::{InType, OutType};
use crate::bytes::{push_hex, slice_at, u8_at, u32_at};
use crate::codes::{hresult, ntstatus, win32};
use crate::etl::kernel::Fields;
use crate::trace::time::{Filetime, push_padded};
use std::fmt::Write;

/// Bytes of binary data that are written; of more the first ones, and how many there are.
pub const BYTES_SHOWN: usize = 256;

/// A value and how it is meant to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value<'a> {
    /// As it lies in the payload.
    pub raw: Raw<'a>,
    /// How to read it.
    pub out: OutType,
    /// Names of its numbers or bits.
    pub map: Option<&'a ValueMap>,
}

impl<'a> Value<'a> {
    /// Reads the next value; see [`read`].
    pub fn read(
        in_type: InType,
        out: OutType,
        length: Option<usize>,
        fields: &mut Fields<'a>,
    ) -> Option<Self> {
        let raw = read(in_type, length, fields)?;
        let out = match (in_type, out) {
            (InType::Hex32 | InType::Hex64, OutType::Default) => OutType::Hex,
            (InType::WideChar | InType::NarrowChar, OutType::Default) => OutType::Text,
            _ => out,
        };
        Some(Self {
            raw,
            out,
            map: None,
        })
    }

    /// The number it is, for lengths and counts; negative ones are none.
    pub fn number(&self) -> Option<u64> {
        match self.raw {
            Raw::Unsigned(number, _) | Raw::Pointer(number) => Some(number),
            Raw::Signed(number, _) => u64::try_from(number).ok(),
            Raw::Bool(yes) => Some(yes.into()),
            _ => None,
        }
    }

    /// The bits of a number, without those that a sign adds.
    pub(super) fn bits(&self) -> Option<(u64, u8)> {
        match self.raw {
            Raw::Unsigned(number, bits) => Some((number, bits)),
            Raw::Signed(number, bits) => {
                let mask = u64::MAX >> (64 - u32::from(bits).clamp(1, 64));
                Some((number.cast_unsigned() & mask, bits))
            }
            _ => None,
        }
    }

    /// Appends its text.
    pub fn push_to(&self, out: &mut String) {
        if let Some((bits, size)) = self.bits() {
            match self.map {
                Some(map) if map.push_name(bits, out) => {}
                _ => self.push_number(bits, size, out),
            }
            return;
        }
        match self.raw {
            Raw::Null => out.push_str("null"),
            Raw::Wide(text) => text.push_to(out),
            Raw::Narrow(text) => text.push_to(out),
            Raw::Float(number) => push_float(number.into(), out, &number),
            Raw::Double(number) => push_float(number, out, &number),
            Raw::Bool(yes) => push_bool(yes, out),
            Raw::Bytes(bytes) => self.push_binary(bytes, out),
            Raw::Guid(guid) => push_display(out, &guid),
            Raw::Pointer(pointer) => match self.out {
                OutType::Unsigned => push_unsigned(pointer, out),
                OutType::Signed => push_signed(pointer.cast_signed(), out),
                _ => push_hex(pointer, out),
            },
            Raw::Time(time) => push_time(time, out),
            Raw::SystemTime(parts) => push_system_time(&parts, out),
            Raw::Sid(sid) => push_sid(sid, out),
            Raw::Signed(..) | Raw::Unsigned(..) => {}
        }
    }

    fn push_number(&self, bits: u64, size: u8, out: &mut String) {
        let low = bits as u32;
        match (self.out, size) {
            (OutType::Text | OutType::Utf8, 8 | 16) => push_character(low, out),
            (OutType::Bool, _) => push_bool(bits != 0, out),
            (OutType::Hex | OutType::CodePointer, _) => push_hex(bits, out),
            (OutType::Port, 16) => push_unsigned((bits as u16).swap_bytes().into(), out),
            (OutType::Ipv4, 32) => push_ipv4(low.to_le_bytes(), out),
            (OutType::Win32, 32) => {
                push_unsigned(low.into(), out);
                push_code_name(win32::name(low), out);
            }
            (OutType::NtStatus, 32) => {
                push_code(low, out);
                push_code_name(ntstatus::name(low), out);
            }
            (OutType::HResult | OutType::ErrorCode, 32) => {
                push_code(low, out);
                push_code_name(hresult::name(low), out);
            }
            (OutType::Time | OutType::TimeUtc, 64) => push_time(Filetime(bits), out),
            (OutType::Unsigned | OutType::Pid | OutType::Tid, _) => push_unsigned(bits, out),
            _ => match self.raw {
                Raw::Signed(number, _) => push_signed(number, out),
                _ => push_unsigned(bits, out),
            },
        }
    }

    fn push_binary(&self, bytes: &[u8], out: &mut String) {
        let done = match self.out {
            OutType::Ipv4 => bytes.try_into().map(|ip| push_ipv4(ip, out)).is_ok(),
            OutType::Ipv6 => bytes.try_into().map(|ip| push_ipv6(ip, out)).is_ok(),
            OutType::SocketAddress => push_socket_address(bytes, out).is_some(),
            kind if kind.joins_characters() => {
                until_nul(bytes).push_to(out);
                true
            }
            _ => false,
        };
        if !done {
            push_bytes(bytes, BYTES_SHOWN, out);
        }
    }
}

fn push_display(out: &mut String, value: &impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a number.
pub(super) fn push_unsigned(number: u64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(number));
}

fn push_signed(number: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends all eight digits: `0xc0000022`.
fn push_code(code: u32, out: &mut String) {
    let _ = write!(out, "{code:#010x}");
}

fn push_code_name(name: Option<&str>, out: &mut String) {
    if let Some(name) = name {
        out.push_str(" (");
        out.push_str(name);
        out.push(')');
    }
}

fn push_bool(yes: bool, out: &mut String) {
    out.push_str(if yes { "True" } else { "False" });
}

/// A character by its number; one that is no text by the number alone.
fn push_character(number: u32, out: &mut String) {
    match char::from_u32(number).filter(|char| !char.is_control()) {
        Some(char) => out.push(char),
        None => push_unsigned(number.into(), out),
    }
}

/// Decimal where that is short, else with an exponent; `shown` is the number in its own precision.
fn push_float(
    number: f64,
    out: &mut String,
    shown: &(impl std::fmt::Display + std::fmt::LowerExp),
) {
    let size = number.abs();
    let _ = if number == 0.0 || (1e-5..1e16).contains(&size) || !number.is_finite() {
        write!(out, "{shown}")
    } else {
        write!(out, "{shown:e}")
    };
}

/// Appends bytes as `0A FF`; of more than `shown` the first ones and the number of all.
pub(super) fn push_bytes(bytes: &[u8], shown: usize, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for (place, byte) in bytes.iter().take(shown).enumerate() {
        if place > 0 {
            out.push(' ');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    if bytes.len() > shown {
        out.push_str(" … (");
        push_unsigned(bytes.len() as u64, out);
        out.push_str(" bytes)");
    }
}

/// `2021-09-09T14:59:35.7990000Z`
fn push_time(time: Filetime, out: &mut String) {
    let civil = time.civil();
    push_padded(out, civil.year, 4);
    for (before, part) in [
        ('-', civil.month),
        ('-', civil.day),
        ('T', civil.hour),
        (':', civil.minute),
        (':', civil.second),
    ] {
        out.push(before);
        push_padded(out, part, 2);
    }
    out.push('.');
    push_padded(out, civil.fraction, 7);
    out.push('Z');
}

/// `2021-09-09T14:59:35.799Z`; parts that are no time as they are. Real events hold UTC here, be it said
/// by the out-type or not.
fn push_system_time(parts: &[u16; 8], out: &mut String) {
    let [year, month, weekday, day, hour, minute, second, milli] = parts.map(u32::from);
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61
        && milli < 1_000
        && weekday < 7;
    push_padded(out, year, 4);
    for (before, part) in [
        ('-', month),
        ('-', day),
        (if valid { 'T' } else { ' ' }, hour),
        (':', minute),
        (':', second),
    ] {
        out.push(before);
        push_padded(out, part, 2);
    }
    out.push('.');
    push_padded(out, milli, 3);
    if valid {
        out.push('Z');
    }
}

/// `S-1-5-18`; bytes that are no SID as bytes.
fn push_sid(sid: &[u8], out: &mut String) {
    let (Some(revision), Some(count), Some(authority)) =
        (u8_at(sid, 0), u8_at(sid, 1), slice_at(sid, 2, 6))
    else {
        push_bytes(sid, BYTES_SHOWN, out);
        return;
    };
    out.push_str("S-");
    push_unsigned(revision.into(), out);
    out.push('-');
    let authority = authority
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    if authority > u64::from(u32::MAX) {
        push_hex(authority, out);
    } else {
        push_unsigned(authority, out);
    }
    for part in 0..usize::from(count) {
        let Some(part) = u32_at(sid, 8 + part * 4) else {
            break;
        };
        out.push('-');
        push_unsigned(part.into(), out);
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
