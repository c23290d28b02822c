//! Colours, numbers and times as the terminal shows them.

use crate::lang::Lang;
use crate::tell;
use crate::trace::time::push_padded;
use crate::trace::{Filetime, Zone};
use crate::visible::visible;
use anstyle::{AnsiColor, Style};
use std::fmt::{Display, Write as _};
use unicode_width::UnicodeWidthStr as _;

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

/// Bytes in the unit that leaves one to three digits before the point.
pub fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// Microseconds in the unit that people read.
pub fn duration(micros: f64, lang: Lang) -> String {
    if micros >= 1_000_000.0 {
        let seconds = micros / 1_000_000.0;
        tell!(lang, en: "{seconds:.2} s", zh: "{seconds:.2} 秒")
    } else if micros >= 1_000.0 {
        let millis = micros / 1_000.0;
        tell!(lang, en: "{millis:.1} ms", zh: "{millis:.1} 毫秒")
    } else {
        tell!(lang, en: "{micros:.1} µs", zh: "{micros:.1} 微秒")
    }
}

/// What the lines of a summary begin with, in bold, filled up to one width; with the space behind it.
pub fn label(lang: Lang, en: &str, zh: &str) -> String {
    let text = lang.pick(en, zh);
    let room = margin(lang).saturating_sub(text.width());
    format!("{}{:room$}", paint(BOLD, text), "")
}

/// The width of [`label`]: where the lines below it begin.
pub fn margin(lang: Lang) -> usize {
    lang.pick(9, 10)
}

/// Text filled up with blanks to a width on the terminal, where a Chinese character takes two columns.
pub fn filled(text: &str, width: usize) -> String {
    let room = width.saturating_sub(text.width());
    format!("{text}{:room$}", "")
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

/// The end of a span of time: with its date, where that is another one than that of the start.
pub fn end_of(span: (Filetime, Filetime), zone: &Zone) -> String {
    let [start, end] = [span.0, span.1].map(|time| {
        let civil = zone.local(time).civil();
        (civil.year, civil.month, civil.day)
    });
    match start == end {
        true => clock(span.1, zone),
        false => date_time(span.1, zone),
    }
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
        assert_eq!(duration(2_400_000.0, Lang::En), "2.40 s");
        assert_eq!(duration(2_400.0, Lang::Zh), "2.4 毫秒");
        assert_eq!(filled("日志", 6), "日志  ");
        assert_eq!(safe("a\x1b[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
        assert_eq!(zone_name(&Zone::fixed(-12_600), Filetime(0)), "UTC-03:30");
    }

    #[test]
    fn a_span_over_midnight_has_two_dates() {
        let at = |hours: u64| Filetime(hours * 3_600 * 10_000_000);
        let ends = |to, zone: i32| end_of((at(23), at(to)), &Zone::fixed(zone));
        assert_eq!(ends(23, 0), "23:00:00.0000000");
        assert_eq!(ends(25, 0), "1601-01-02 01:00:00.0000000");
        assert_eq!(ends(25, 3_600), "02:00:00.0000000");
    }
}
