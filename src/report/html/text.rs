//! Text for the page: what is hidden made visible, times, lengths of time.

use super::super::style;
use crate::lang::Lang;
use crate::tell;
use crate::trace::{Filetime, Zone};
use serde::Serialize;

/// Characters of a text that are kept at its start and its end: no path is longer by honest means, and a
/// file made to be large must not make the page large.
const KEPT: (usize, usize) = (400, 160);

/// Text from a trace as it may stand on the page: as on the terminal, and the middle of an endless text is left out.
/// Escaping comes after it.
pub fn visible(text: &str, lang: Lang) -> String {
    shorten(style::safe(text), KEPT, lang)
}

/// A name that has to fit a label.
pub fn label(text: &str) -> String {
    let text = text.trim();
    match cut(text, (30, 9)) {
        Some((head, _, tail)) => format!("{head}…{tail}"),
        None => text.to_owned(),
    }
}

fn shorten(text: String, kept: (usize, usize), lang: Lang) -> String {
    match cut(&text, kept) {
        Some((head, left_out, tail)) => tell!(
            lang,
            en: "{head} […{left_out} characters…] {tail}",
            zh: "{head} […{left_out} 个字符…] {tail}",
        ),
        None => text,
    }
}

/// Start and end of a text that is too long, and how many characters lie between.
fn cut(text: &str, (start, end): (usize, usize)) -> Option<(String, usize, String)> {
    let length = text.chars().count();
    if length <= start + end {
        return None;
    }
    Some((
        text.chars().take(start).collect(),
        length - start - end,
        text.chars().skip(length - end).collect(),
    ))
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
pub fn span(ticks: u64, lang: Lang) -> String {
    let seconds = ticks / 10_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..120 => style::duration(ticks as f64 / 10.0, lang),
        120..3_600 => {
            let seconds = seconds % 60;
            tell!(lang, en: "{minutes} min {seconds} s", zh: "{minutes} 分 {seconds} 秒")
        }
        3_600..86_400 => {
            tell!(lang, en: "{hours} h {minutes} min", zh: "{hours} 小时 {minutes} 分")
        }
        86_400..31_536_000 => {
            tell!(lang, en: "{days} d {hours} h", zh: "{days} 天 {hours} 小时")
        }
        _ => match (days / 365, days % 365) {
            (1, days) => tell!(lang, en: "1 year {days} d", zh: "1 年 {days} 天"),
            (years, days) => tell!(lang, en: "{years} years {days} d", zh: "{years} 年 {days} 天"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}c\n", Lang::En),
            "a\\u{202e}b\\u{200b}c\\u{a}"
        );
        let long = visible(&"x".repeat(30_000), Lang::En);
        assert!(
            long.len() < 700 && long.contains("29440 characters"),
            "{long}"
        );
        assert_eq!(label("tmsflt.sys"), "tmsflt.sys");
        assert_eq!(label(&"ä".repeat(90)).chars().count(), 40);
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(span(42, Lang::En), "4.2 µs");
        assert_eq!(span(535_000_005, Lang::En), "53.50 s");
        assert_eq!(span(1_799_946_662, Lang::En), "2 min 59 s");
        assert_eq!(span(40 * 3_600 * 10_000_000, Lang::En), "1 d 16 h");
        assert_eq!(span(1_000 * 86_400 * 10_000_000, Lang::En), "2 years 270 d");
        assert_eq!(span(1_799_946_662, Lang::Zh), "2 分 59 秒");
    }
}
