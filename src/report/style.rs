//! Colours, numbers and times as the terminal shows them.

use crate::trace::time::push_padded;
use crate::trace::{Filetime, Zone};
use crate::visible::visible;
use anstyle::{AnsiColor, Style};
use std::fmt::{Display, Write as _};

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const RED: Style = AnsiColor::Red.on_default().bold();
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub const GREEN: Style = AnsiColor::Green.on_default().bold();

/// Text in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A number with `,` between its thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 failure`, `3 failures`.
pub fn plural(number: u64, noun: &str) -> String {
    let s = match (number, noun) {
        (1, _) => "",
        (_, noun) if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{s}", count(number))
}

/// Bytes in the unit that leaves one to three digits before the point.
pub fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Microseconds in the unit that people read.
pub fn duration(micros: f64) -> String {
    if micros >= 1_000_000.0 {
        format!("{:.2} s", micros / 1_000_000.0)
    } else if micros >= 1_000.0 {
        format!("{:.1} ms", micros / 1_000.0)
    } else {
        format!("{micros:.1} µs")
    }
}

/// `2026-05-12 06:42:17.1234567`, without the zone.
pub fn date_time(time: Filetime, zone: &Zone) -> String {
    let civil = zone.local(time).civil();
    let mut out = String::new();
    push_padded(&mut out, civil.year, 4);
    for (mark, value) in [('-', civil.month), ('-', civil.day)] {
        out.push(mark);
        push_padded(&mut out, value, 2);
    }
    out.push(' ');
    out.push_str(&clock(time, zone));
    out
}

/// `06:42:17.1234567`.
pub fn clock(time: Filetime, zone: &Zone) -> String {
    let civil = zone.local(time).civil();
    let mut out = String::new();
    push_padded(&mut out, civil.hour, 2);
    for value in [civil.minute, civil.second] {
        out.push(':');
        push_padded(&mut out, value, 2);
    }
    out.push('.');
    push_padded(&mut out, civil.fraction, 7);
    out
}

/// The zone's name behind a time: `UTC`, or its offset at that time.
pub fn zone_name(zone: &Zone, time: Filetime) -> String {
    if zone.is_utc() {
        return "UTC".to_owned();
    }
    let minutes = zone.offset_seconds(time) / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let mut out = String::new();
    let _ = write!(
        out,
        "UTC{sign}{:02}:{:02}",
        minutes.abs() / 60,
        minutes.abs() % 60
    );
    out
}

/// Text from a trace for the terminal: what hides in it, or acts on the terminal, becomes visible.
pub fn safe(text: &str) -> String {
    visible(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(plural(1, "touch"), "1 touch");
        assert_eq!(plural(2, "touch"), "2 touches");
        assert_eq!(plural(0, "failure"), "0 failures");
        assert_eq!(duration(2_400_000.0), "2.40 s");
        assert_eq!(safe("a\x1b[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
        assert_eq!(zone_name(&Zone::fixed(-12_600), Filetime(0)), "UTC-03:30");
    }
}
