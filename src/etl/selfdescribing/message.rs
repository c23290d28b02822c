//! Messages of definitions: sentences with places for fields, in the notation of `FormatMessage`.
//!
//! `%1` is the first field, `%1!s!` the same with a format of C, `%n` a line break, `%t` a tab, `%%` the sign
//! itself, `%0` the end.

use super::definition::Starts;
use super::raw::Raw;
use super::text::{FieldText, TEXT_LIMIT};
use super::value::{Value, push_unsigned};
use super::walk::{Group, Visitor};
use crate::etl::kernel::NarrowText;
use std::fmt::Write;

/// Characters between the exclamation marks of a format.
const LONGEST_FORMAT: usize = 16;
/// Widest field of a format.
const WIDEST: usize = 64;

/// Appends `template` with the fields that start at `fields` in their places.
pub(super) fn push_message(template: &str, fields: &Starts<'_>, out: &mut String) {
    let start = out.len();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if out.len() - start > TEXT_LIMIT {
            out.push('…');
            return;
        }
        match push_escape(after, fields, out) {
            Some(next) => rest = next,
            None => return,
        }
    }
    out.push_str(rest);
}

/// Writes what the sign in front of `after` asks for; what is behind it, `None` for the end.
fn push_escape<'t>(after: &'t str, fields: &Starts<'_>, out: &mut String) -> Option<&'t str> {
    let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if let Ok(number) = after[..digits].parse::<usize>() {
        let number = number.checked_sub(1)?;
        let (format, next) = split_format(&after[digits..]);
        let done = match format {
            Some(format) => format.push(number, fields, out),
            None => fields.visit(number, &mut FieldText::unnamed(out)),
        };
        if !done {
            out.push('%');
            out.push_str(&after[..digits]);
        }
        return Some(next);
    }
    let mut chars = after.chars();
    match chars.next() {
        Some('n') => out.push('\n'),
        Some('r') => out.push('\r'),
        Some('t') => out.push('\t'),
        Some('b') => out.push(' '),
        Some(other) => out.push(other),
        None => out.push('%'),
    }
    Some(chars.as_str())
}

/// The format at the start of `text`, and what is behind it.
fn split_format(text: &str) -> (Option<Format>, &str) {
    let found = text.strip_prefix('!').and_then(|rest| rest.split_once('!'));
    let parsed = found
        .filter(|(format, _)| format.len() <= LONGEST_FORMAT)
        .and_then(|(format, next)| Some((Format::parse(format)?, next)));
    match parsed {
        Some((format, next)) => (Some(format), next),
        None => (None, text),
    }
}

/// A format of C's `printf`, as far as messages have them.
#[derive(Debug, Clone, Copy)]
struct Format {
    left: bool,
    zeros: bool,
    prefix: bool,
    width: usize,
    /// `d`, `u`, `x`, `X`, or `s` for what is written as without a format.
    conversion: char,
}

impl Format {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(['-', '0', '#', '+', ' ']);
        let flags = &text[..text.len() - digits.len()];
        let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let width = &digits[..digits.len() - after.len()];
        // A precision and the size of the number change nothing here.
        let kind = after
            .trim_start_matches(['.', 'l', 'h', 'w', 'I', 'z'])
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches(['l', 'h', 'w', 'I']);
        let conversion = match kind {
            "d" | "i" => 'd',
            "u" => 'u',
            "x" | "p" => 'x',
            "X" => 'X',
            "s" | "S" | "c" | "C" | "Z" | "" => 's',
            _ => return None,
        };
        Some(Self {
            left: flags.contains('-'),
            zeros: flags.contains('0'),
            prefix: flags.contains('#'),
            width: width.parse().unwrap_or(0).min(WIDEST),
            conversion,
        })
    }

    /// Writes outermost field `number`; whether it is there.
    fn push(self, number: usize, fields: &Starts<'_>, out: &mut String) -> bool {
        let start = out.len();
        let mut first = First::default();
        if self.conversion == 's' || !fields.visit(number, &mut first) || first.raw.is_none() {
            if !fields.visit(number, &mut FieldText::unnamed(out)) {
                return false;
            }
        } else if let Some(raw) = first.raw {
            self.push_number(raw, out);
        }
        let len = out[start..].chars().count();
        for _ in len..self.width {
            match (self.left, self.zeros && self.conversion != 's') {
                (true, _) => out.push(' '),
                (false, true) => out.insert(start, '0'),
                (false, false) => out.insert(start, ' '),
            }
        }
        true
    }

    fn push_number(self, number: Number, out: &mut String) {
        let Number { bits, signed } = number;
        let _ = match (self.conversion, self.prefix) {
            ('x', false) => write!(out, "{bits:x}"),
            ('x', true) => write!(out, "{bits:#x}"),
            ('X', false) => write!(out, "{bits:X}"),
            ('X', true) => write!(out, "0x{bits:X}"),
            ('d', _) if signed < 0 => write!(out, "{signed}"),
            _ => {
                push_unsigned(bits, out);
                Ok(())
            }
        };
    }
}

/// A number without and with its sign.
#[derive(Debug, Clone, Copy)]
struct Number {
    bits: u64,
    signed: i64,
}

/// Takes the number that a field is.
#[derive(Debug, Default)]
struct First {
    raw: Option<Number>,
}

impl<'a> Visitor<'a> for First {
    fn value(&mut self, depth: u8, _: NarrowText<'a>, value: Value<'a>) {
        if depth > 0 {
            return;
        }
        self.raw = match value.raw {
            Raw::Unsigned(bits, _) | Raw::Pointer(bits) => Some(Number { bits, signed: 0 }),
            Raw::Signed(signed, _) => value.bits().map(|(bits, _)| Number { bits, signed }),
            _ => None,
        };
    }
    fn open(&mut self, _: u8, _: NarrowText<'a>, _: Group) {}
    fn close(&mut self, _: u8, _: Group) {}
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
