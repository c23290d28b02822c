//! The one renderer: fields as the text of Procmon's Detail column.

use super::field::{FieldSink, Name, Value};
use super::path::push_target;
use super::tables::{Empty, FlagSet, Names, Rest, Unknown, control_code};
use crate::bytes::{push_hex, push_utf16, u8_at, u32_at};
use crate::trace::time::{Filetime, TICKS_PER_SECOND, Zone, push_padded};

/// Longest Detail that Procmon writes, in UTF-16 units. It formats into a buffer of 4,096 with a NUL.
pub const DETAIL_LIMIT: usize = 4_095;

/// Writes `Name: value, Name: value` behind what a string already holds.
#[derive(Debug)]
pub struct DetailText<'a> {
    out: &'a mut String,
    zone: &'a Zone,
    start: usize,
}

impl<'a> DetailText<'a> {
    /// Writes to the end of `out`, with times in `zone`.
    pub fn new(out: &'a mut String, zone: &'a Zone) -> Self {
        let start = out.len();
        Self { out, zone, start }
    }
}

impl FieldSink for DetailText<'_> {
    #[inline]
    fn put(&mut self, name: Name<'_>, value: Value<'_>) {
        if self.out.len() > self.start {
            self.out.push_str(", ");
        }
        match name {
            Name::Fixed(name) => self.out.push_str(name),
            Name::Number(number) => push_decimal(self.out, number.into()),
            Name::Stored(name) => name.push_to(self.out),
        }
        self.out.push_str(": ");
        push_value(self.out, value, self.zone);
    }
}

/// Appends the text of one value, with times in `zone`.
pub fn push_value(out: &mut String, value: Value<'_>, zone: &Zone) {
    match value {
        Value::Str(text) => out.push_str(text),
        Value::Text(text) => text.push_to(out),
        Value::Grouped(number) => push_grouped(out, number),
        Value::GroupedSigned(number) => {
            push_sign(out, number);
            push_grouped(out, number.unsigned_abs());
        }
        Value::Decimal(number) => push_decimal(out, number),
        Value::DecimalSigned(number) => {
            push_sign(out, number);
            push_decimal(out, number.unsigned_abs());
        }
        Value::Hex(number) => push_hex(number, out),
        Value::Bool(yes) => out.push_str(if yes { "True" } else { "False" }),
        Value::Time(time) => push_time(out, time, zone),
        Value::Seconds(ticks) => push_seconds(out, ticks),
        Value::SecondsWithUnit(ticks) => {
            push_seconds(out, ticks);
            out.push_str(" seconds");
        }
        Value::Flags(mask, set) => push_flags(out, mask, set),
        Value::Named(number, names) => push_named(out, number, names),
        Value::Control(code) => push_control(out, code),
        Value::Protection(protection) => push_protection(out, protection),
        Value::Bytes(bytes) => push_bytes(out, bytes, true),
        Value::Id(bytes) => push_bytes(out, bytes, false),
        Value::Serial(serial) => {
            push_bytes(out, &serial.to_be_bytes()[..2], false);
            out.push('-');
            push_bytes(out, &serial.to_be_bytes()[2..], false);
        }
        Value::Strings(bytes) => {
            let mut between = "";
            for text in strings(bytes).take_while(|text| !text.is_empty()) {
                out.push_str(between);
                push_utf16(text, out);
                between = ", ";
            }
        }
        Value::Variables(bytes) => {
            for text in strings(bytes).filter(|text| !text.is_empty()) {
                out.push_str("\r\n\t");
                push_utf16(text, out);
            }
        }
        Value::Target { folder, name } => push_target(folder, name, out),
        Value::Account { name, sid } => match name {
            Some(name) => out.push_str(name),
            None => push_sid(out, sid),
        },
    }
}

/// Cuts a Detail to what Procmon writes. `detail` holds the Detail and nothing else.
///
/// A character that lies across the limit goes whole: what Procmon does with half of one is not known.
pub fn finish_detail(detail: &mut String) {
    // UTF-8 never takes fewer bytes than UTF-16 takes units.
    if detail.len() <= DETAIL_LIMIT {
        return;
    }
    let mut units = 0;
    let end = detail
        .char_indices()
        .find(|(_, char)| {
            units += char.len_utf16();
            units > DETAIL_LIMIT
        })
        .map(|(at, _)| at);
    if let Some(end) = end {
        detail.truncate(end);
    }
}

/// The NUL-ended UTF-16 strings in `bytes`; what follows the last NUL is one as well.
fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let now = rest?;
        match now.chunks_exact(2).position(|unit| unit == [0, 0]) {
            Some(units) => {
                rest = now.get(units * 2 + 2..);
                Some(&now[..units * 2])
            }
            None => {
                rest = None;
                Some(now)
            }
        }
    })
}

fn push_digits(out: &mut String, digits: &[u8]) {
    // The callers make nothing but ASCII.
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

fn push_sign(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
}

/// Appends `number` in decimal.
pub(super) fn push_decimal(out: &mut String, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    push_digits(out, &digits[at..]);
}

fn push_grouped(out: &mut String, number: u64) {
    let mut digits = [0; 26];
    let mut at = digits.len();
    let mut rest = number;
    let mut in_group = 0;
    loop {
        if in_group == 3 {
            at -= 1;
            digits[at] = b',';
            in_group = 0;
        }
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        in_group += 1;
        if rest == 0 {
            break;
        }
    }
    push_digits(out, &digits[at..]);
}

fn push_bytes(out: &mut String, bytes: &[u8], blanks: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for (place, &byte) in bytes.iter().enumerate() {
        if blanks && place > 0 {
            out.push(' ');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// `M/D/YYYY h:mm:ss AM/PM`. Windows refuses to convert a FILETIME with the highest bit set (-1 stands
/// for "leave it"); what Procmon prints then is not known.
fn push_time(out: &mut String, time: Filetime, zone: &Zone) {
    if time.0 > i64::MAX as u64 {
        out.push_str("n/a");
        return;
    }
    let civil = zone.local(time).civil();
    push_decimal(out, civil.month.into());
    out.push('/');
    push_decimal(out, civil.day.into());
    out.push('/');
    push_decimal(out, civil.year.into());
    out.push(' ');
    push_decimal(out, ((civil.hour + 11) % 12 + 1).into());
    out.push(':');
    push_padded(out, civil.minute, 2);
    out.push(':');
    push_padded(out, civil.second, 2);
    out.push_str(if civil.hour < 12 { " AM" } else { " PM" });
}

/// `s.fffffff`.
fn push_seconds(out: &mut String, ticks: u64) {
    push_decimal(out, ticks / TICKS_PER_SECOND);
    out.push('.');
    push_padded(out, (ticks % TICKS_PER_SECOND) as u32, 7);
}

fn push_flags(out: &mut String, mask: u32, set: &FlagSet) {
    let mask = set.widen(mask);
    let start = out.len();
    let left = set.split(mask, |name| {
        if out.len() > start {
            out.push_str(set.separator);
        }
        out.push_str(name);
    });
    match set.empty {
        Empty::NoneAndMask if out.len() == start => {
            out.push_str("None ");
            push_hex(mask.into(), out);
        }
        Empty::Text(text) if mask == 0 => out.push_str(text),
        _ => {}
    }
    if left == 0 {
        return;
    }
    match set.rest {
        Rest::Hidden => return,
        Rest::Listed if out.len() > start => out.push_str(set.separator),
        Rest::Listed => {}
        Rest::AfterBlank => out.push(' '),
    }
    push_hex(left.into(), out);
}

fn push_named(out: &mut String, number: u32, names: &Names) {
    match (names.get(number), names.unknown) {
        (Some(name), _) => out.push_str(name),
        (None, Unknown::Text(text)) => out.push_str(text),
        (None, Unknown::Number) => {
            out.push_str("<Unknown: ");
            push_decimal(out, number.into());
            out.push('>');
        }
        (None, Unknown::Hex) => push_hex(number.into(), out),
        (None, Unknown::WordAndHex) => {
            out.push_str("Unknown: ");
            push_hex(number.into(), out);
        }
    }
}

fn push_control(out: &mut String, code: u32) {
    if let Some(name) = control_code(code) {
        out.push_str(name);
        return;
    }
    push_hex(code.into(), out);
    out.push_str(" (Device:");
    push_hex((code >> 16).into(), out);
    out.push_str(" Function:");
    push_decimal(out, (code >> 2 & 0xFFF).into());
    out.push_str(" Method: ");
    push_decimal(out, (code & 3).into());
    out.push(')');
}

fn push_protection(out: &mut String, protection: u32) {
    const NAMES: [(u32, &str); 6] = [
        (0x02, "PAGE_READONLY"),
        (0x04, "PAGE_READWRITE"),
        (0x08, "PAGE_WRITECOPY"),
        (0x10, "PAGE_EXECUTE"),
        (0x20, "PAGE_EXECUTE_READ"),
        (0x40, "PAGE_EXECUTE_READWRITE"),
    ];
    if let Some((_, name)) = NAMES.iter().find(|(bit, _)| protection & bit != 0) {
        out.push_str(name);
    }
    if protection & 0x200 != 0 {
        out.push_str("|PAGE_NOCACHE");
    }
}

/// `S-1-5-18`; bytes that are no SID in hexadecimal.
pub(crate) fn push_sid(out: &mut String, sid: &[u8]) {
    let (Some(revision), Some(count), Some(authority)) =
        (u8_at(sid, 0), u8_at(sid, 1), sid.get(2..8))
    else {
        push_bytes(out, sid, true);
        return;
    };
    out.push_str("S-");
    push_decimal(out, revision.into());
    out.push('-');
    let authority = authority
        .iter()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    push_decimal(out, authority);
    for part in 0..usize::from(count) {
        let Some(part) = u32_at(sid, 8 + part * 4) else {
            break;
        };
        out.push('-');
        push_decimal(out, part.into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flags, names};
    use super::*;

    fn text(value: Value<'_>) -> String {
        let mut out = String::new();
        push_value(&mut out, value, &Zone::UTC);
        out
    }

    #[test]
    fn numbers() {
        assert_eq!(text(Value::Grouped(0)), "0");
        assert_eq!(text(Value::Grouped(999)), "999");
        assert_eq!(text(Value::Grouped(1_000)), "1,000");
        assert_eq!(text(Value::Grouped(u64::MAX)), "18,446,744,073,709,551,615");
        assert_eq!(
            text(Value::GroupedSigned(i64::MIN)),
            "-9,223,372,036,854,775,808"
        );
        assert_eq!(text(Value::DecimalSigned(-5)), "-5");
        assert_eq!(text(Value::Hex(0xA6000)), "0xa6000");
        assert_eq!(text(Value::SecondsWithUnit(156_001)), "0.0156001 seconds");
        assert_eq!(text(Value::Serial(0x9CAE_C62A)), "9CAE-C62A");
    }

    #[test]
    fn times() {
        assert_eq!(text(Value::Time(Filetime(0))), "1/1/1601 12:00:00 AM");
        assert_eq!(text(Value::Time(Filetime(u64::MAX))), "n/a");
        let noon = Filetime(12 * 3_600 * TICKS_PER_SECOND);
        assert_eq!(text(Value::Time(noon)), "1/1/1601 12:00:00 PM");
        let mut out = String::new();
        push_value(&mut out, Value::Time(noon), &Zone::fixed(3_600));
        assert_eq!(out, "1/1/1601 1:00:00 PM");
    }

    #[test]
    fn flag_words() {
        assert_eq!(text(Value::Flags(0, &flags::FILE_ACCESS)), "None 0x0");
        assert_eq!(
            text(Value::Flags(0x12_0189, &flags::FILE_ACCESS)),
            "Generic Read, Write Attributes"
        );
        assert_eq!(
            text(Value::Flags(0x8000_0000, &flags::FILE_ACCESS)),
            "Generic Read"
        );
        assert_eq!(text(Value::Flags(0, &flags::ATTRIBUTES)), "n/a");
        assert_eq!(text(Value::Flags(0x2021, &flags::ATTRIBUTES)), "RANCI");
        assert_eq!(
            text(Value::Flags(0x8_0020, &flags::ATTRIBUTES)),
            "A 0x80000"
        );
        assert_eq!(text(Value::Flags(0, &flags::SHARE)), "None");
        assert_eq!(
            text(Value::Flags(0x104, &flags::SECURITY_INFORMATION)),
            "DACL, 0x100"
        );
    }

    #[test]
    fn names_and_codes() {
        assert_eq!(text(Value::Named(12, &names::VALUE_TYPES)), "<Unknown: 12>");
        assert_eq!(text(Value::Named(9, &names::SYNC_TYPES)), "Unknown: 0x9");
        assert_eq!(
            text(Value::Control(0x902EB)),
            "0x902eb (Device:0x9 Function:186 Method: 3)"
        );
        assert_eq!(text(Value::Protection(0x202)), "PAGE_READONLY|PAGE_NOCACHE");
    }

    #[test]
    fn lists_end_at_the_empty_string() {
        assert_eq!(text(Value::Strings(b"a\0\0\0b\0\0\0\0\0c\0")), "a, b");
        assert_eq!(text(Value::Strings(b"a\0\0\0b\0")), "a, b");
        assert_eq!(text(Value::Strings(b"")), "");
        assert_eq!(
            text(Value::Variables(b"a\0\0\0b\0\0\0\0\0")),
            "\r\n\ta\r\n\tb"
        );
    }

    #[test]
    fn sids() {
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let value = Value::Account {
            name: None,
            sid: &sid,
        };
        assert_eq!(text(value), "S-1-5-32-544");
    }

    #[test]
    fn details_are_cut_at_whole_characters() {
        let mut detail = "ä".repeat(5_000);
        finish_detail(&mut detail);
        assert_eq!(detail.encode_utf16().count(), DETAIL_LIMIT);
        let mut detail = "a".repeat(DETAIL_LIMIT - 1) + "\u{1F600}x";
        finish_detail(&mut detail);
        assert_eq!(detail.len(), DETAIL_LIMIT - 1);
        let mut detail = "ä".repeat(4_000);
        finish_detail(&mut detail);
        assert_eq!(detail.chars().count(), 4_000);
    }
}
