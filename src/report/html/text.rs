//! Text for the page: what is hidden made visible, times, lengths of time.

use super::super::style;
use crate::trace::{Filetime, Zone};
use serde::Serialize;

/// Characters of a text that are kept at its start and its end: no path is longer by honest means, and a
/// file made to be large must not make the page large.
const KEPT: (usize, usize) = (400, 160);

/// Text from a trace as it may stand on the page: as on the terminal, and the middle of an endless text is left out.
/// Escaping comes after it.
pub fn visible(text: &str) -> String {
    shorten(style::safe(text), KEPT)
}

/// A name that has to fit a label.
pub fn label(text: &str) -> String {
    shorten(text.trim().to_owned(), (30, 9))
}

fn shorten(text: String, (start, end): (usize, usize)) -> String {
    let length = text.chars().count();
    if length <= start + end {
        return text;
    }
    let left_out = length - start - end;
    let head: String = text.chars().take(start).collect();
    let tail: String = text.chars().skip(length - end).collect();
    if start < KEPT.0 {
        return format!("{head}…{tail}");
    }
    format!("{head} […{left_out} characters…] {tail}")
}

/// A point in time: as `findings.json` has it, in two parts between which a line may break, and on the wall
/// clock of the zone that was asked for.
#[derive(Debug, Serialize)]
pub struct When {
    day: String,
    clock: String,
    local: Option<String>,
}

impl When {
    /// `time` on the page.
    pub fn new(time: Filetime, zone: &Zone) -> Self {
        let text = time.to_string();
        let (day, clock) = text.split_once('T').unwrap_or((&text, ""));
        let local = (!zone.is_utc()).then(|| {
            format!(
                "{} {}",
                style::date_time(time, zone),
                style::zone_name(zone, time)
            )
        });
        Self {
            day: day.to_owned(),
            clock: clock.to_owned(),
            local,
        }
    }
}

/// 100 ns ticks as a length of time, from `4.2 µs` to `3 years 12 d`.
pub fn span(ticks: u64) -> String {
    let seconds = ticks / 10_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..120 => style::duration(ticks as f64 / 10.0),
        120..3_600 => format!("{minutes} min {} s", seconds % 60),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        86_400..31_536_000 => format!("{days} d {hours} h"),
        _ => match (days / 365, days % 365) {
            (1, days) => format!("1 year {days} d"),
            (years, days) => format!("{years} years {days} d"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}c\n"),
            "a\\u{202e}b\\u{200b}c\\u{a}"
        );
        let long = visible(&"x".repeat(30_000));
        assert!(
            long.len() < 700 && long.contains("29440 characters"),
            "{long}"
        );
        assert_eq!(label("tmsflt.sys"), "tmsflt.sys");
        assert_eq!(label(&"ä".repeat(90)).chars().count(), 40);
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(span(42), "4.2 µs");
        assert_eq!(span(535_000_005), "53.50 s");
        assert_eq!(span(1_799_946_662), "2 min 59 s");
        assert_eq!(span(40 * 3_600 * 10_000_000), "1 d 16 h");
        assert_eq!(span(1_000 * 86_400 * 10_000_000), "2 years 270 d");
    }
}
