//! Wall-clock times of the traced machine, as its text logs hold them.
//!
//! Servicing logs stamp their lines in local time and name no zone. A [`LocalTime`] therefore is no
//! [`Filetime`]: it becomes one only with an offset, which somebody has to know.

use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND};
use crate::trace::{Filetime, Zone};
use std::fmt;

const TICKS_PER_MILLI: u64 = TICKS_PER_SECOND / 1_000;
const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND as i64;

/// A wall-clock time: 100 ns ticks since 1601-01-01 00:00 on the clock of the machine, whatever its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LocalTime(pub u64);

impl LocalTime {
    /// The time of these calendar fields; `None` where there is no such day or time, or before 1601.
    pub fn new(date: (u32, u32, u32), time: (u32, u32, u32), millis: u32) -> Option<Self> {
        let (hour, minute, second) = time;
        if hour > 23 || minute > 59 || second > 59 || millis > 999 {
            return None;
        }
        let seconds = u64::from(hour * 3_600 + minute * 60 + second);
        let day = u64::from(days(date)?) * TICKS_PER_DAY;
        Some(Self(
            day + seconds * TICKS_PER_SECOND + u64::from(millis) * TICKS_PER_MILLI,
        ))
    }

    /// Reads `2023-05-23 10:23:06` or, with a fraction of up to three digits, `2023-05-23 10:23:06.451` at the start
    /// of `text`, with `separator` in the date; what follows is returned too.
    pub fn read(text: &str, separator: u8) -> Option<(Self, &str)> {
        let bytes = text.as_bytes();
        let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
        if !(is(4, separator) && is(7, separator) && is(10, b' ') && is(13, b':') && is(16, b':')) {
            return None;
        }
        let date = (
            number(bytes, 0, 4)?,
            number(bytes, 5, 2)?,
            number(bytes, 8, 2)?,
        );
        let time = (
            number(bytes, 11, 2)?,
            number(bytes, 14, 2)?,
            number(bytes, 17, 2)?,
        );
        let (millis, len) = if is(19, b'.') {
            fraction(bytes, 20)?
        } else {
            (0, 19)
        };
        Some((Self::new(date, time, millis)?, text.get(len..)?))
    }

    /// Midnight at the start of its day.
    pub fn midnight(self) -> Self {
        Self(self.0 - self.0 % TICKS_PER_DAY)
    }

    /// Ticks since midnight.
    pub fn time_of_day(self) -> u64 {
        self.0 % TICKS_PER_DAY
    }

    /// This time plus `ticks`, clamped.
    pub fn plus(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// This time minus `ticks`, clamped.
    pub fn minus(self, ticks: u64) -> Self {
        Self(self.0.saturating_sub(ticks))
    }

    /// Ticks between two times, whichever is earlier.
    pub fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// The same instant in UTC where the clock is `minutes` ahead of UTC (negative: behind), clamped.
    pub fn to_utc(self, minutes: i32) -> Filetime {
        let ticks = i64::from(minutes) * TICKS_PER_MINUTE;
        Filetime(self.0.saturating_add_signed(-ticks))
    }

    /// The same instant in UTC where the clock follows the rules of `zone`. A time that the clock shows twice is
    /// one of the two, and a time that it leaves out is taken by the offset before or after.
    pub fn to_utc_in(self, zone: &Zone) -> Filetime {
        let shift = |time: u64| {
            let ticks = i64::from(zone.offset_seconds(Filetime(time))) * TICKS_PER_SECOND as i64;
            self.0.saturating_add_signed(-ticks)
        };
        // The offset at the wall clock read as UTC is that of some hours before or after; the one at the time
        // it leads to is right, or wrong by one change of the clocks.
        Filetime(shift(shift(self.0)))
    }
}

/// `2023-05-23 10:23:06.451`, as the logs write it.
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Filetime(self.0).civil();
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
            civil.year,
            civil.month,
            civil.day,
            civil.hour,
            civil.minute,
            civil.second,
            civil.fraction / TICKS_PER_MILLI as u32
        )
    }
}

/// `len` decimal digits at `at`.
pub(super) fn number(bytes: &[u8], at: usize, len: usize) -> Option<u32> {
    bytes
        .get(at..at.checked_add(len)?)?
        .iter()
        .try_fold(0_u32, |value, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then(|| value.wrapping_mul(10).wrapping_add(u32::from(digit)))
        })
}

/// One to three digits of milliseconds at `at`, and where they end; further digits are passed over.
fn fraction(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let digits = bytes.get(at..)?;
    let len = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    let value = number(digits, 0, len.min(3))?;
    let millis = match len {
        0 => return None,
        1 => value * 100,
        2 => value * 10,
        _ => value,
    };
    Some((millis, at + len))
}

/// `10:23:06.451` as ticks since midnight; the whole of `text`.
pub(super) fn time_of_day(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 12
        && bytes.get(2) == Some(&b':')
        && bytes.get(5) == Some(&b':')
        && bytes.get(8) == Some(&b'.');
    if !shaped {
        return None;
    }
    let part = |at, len| number(bytes, at, len);
    let time = (part(0, 2)?, part(3, 2)?, part(6, 2)?);
    LocalTime::new((1601, 1, 1), time, part(9, 3)?).map(|time| time.0)
}

/// Days since 1601-01-01, by the proleptic Gregorian calendar.
fn days((year, month, day): (u32, u32, u32)) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (before, length) = match month {
        1 => (0, 31),
        2 => (31, 28 + u32::from(leap)),
        3 => (59, 31),
        4 => (90, 30),
        5 => (120, 31),
        6 => (151, 30),
        7 => (181, 31),
        8 => (212, 31),
        9 => (243, 30),
        10 => (273, 31),
        11 => (304, 30),
        12 => (334, 31),
        _ => return None,
    };
    if !(1_601..=9_999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let years = year - 1_601;
    let leaps = years / 4 - years / 100 + years / 400;
    let after_leap_day = u32::from(leap && month > 2);
    Some(years * 365 + leaps + before + after_leap_day + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::time::parse_rfc3339;

    fn local(text: &str) -> LocalTime {
        let (time, rest) = LocalTime::read(text, b'-').unwrap();
        assert_eq!(rest, "");
        time
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..400_000_u64 {
            let civil = Filetime(day * TICKS_PER_DAY).civil();
            let date = (civil.year, civil.month, civil.day);
            assert_eq!(
                LocalTime::new(date, (0, 0, 0), 0),
                Some(LocalTime(day * TICKS_PER_DAY))
            );
        }
        for date in [
            (1600, 12, 31),
            (2023, 2, 29),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(LocalTime::new(date, (0, 0, 0), 0), None, "{date:?}");
        }
        assert_eq!(LocalTime::new((2024, 2, 29), (24, 0, 0), 0), None);
    }

    #[test]
    fn texts() {
        assert_eq!(
            local("2023-05-23 10:23:06").to_string(),
            "2023-05-23 10:23:06.000"
        );
        assert_eq!(
            local("2023-05-23 10:22:49.500").to_string(),
            "2023-05-23 10:22:49.500"
        );
        assert_eq!(
            local("2023-05-23 10:22:49.5").to_string(),
            "2023-05-23 10:22:49.500"
        );
        let (time, rest) = LocalTime::read("2026/01/20 14:24:09.751]", b'/').unwrap();
        assert_eq!(
            (time.to_string().as_str(), rest),
            ("2026-01-20 14:24:09.751", "]")
        );
        for bad in [
            "",
            "2023-05-23",
            "2023-05-23 10:23",
            "2023/05/23 10:23:06",
            "2023-05-23 10:61:06",
            "20xx-05-23 10:23:06",
            "2023-05-23 10:23:06.",
            "２０２３-05-23 10:23:06",
        ] {
            assert_eq!(LocalTime::read(bad, b'-'), None, "{bad}");
        }
        assert_eq!(time_of_day("00:00:01.002"), Some(10_020_000));
        assert_eq!(time_of_day("24:00:01.002"), None);
        assert_eq!(time_of_day("0:00:01.002"), None);
    }

    #[test]
    fn offsets_and_zones() {
        let utc = parse_rfc3339("2023-05-23T16:23:06Z").unwrap();
        assert_eq!(local("2023-05-23 10:23:06").to_utc(-360), utc);
        assert_eq!(local("2023-05-24 00:23:06").to_utc(480), utc);
        assert_eq!(LocalTime(5).to_utc(60), Filetime(0));
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for (text, utc) in [
            ("2026-07-01 02:00:00", "2026-07-01T00:00:00Z"),
            ("2026-01-01 01:00:00", "2026-01-01T00:00:00Z"),
            ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
            ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25 01:59:59", "2026-10-24T23:59:59Z"),
            ("2026-10-25 02:30:00", "2026-10-25T01:30:00Z"),
            ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(
                local(text).to_utc_in(&berlin),
                parse_rfc3339(utc).unwrap(),
                "{text}"
            );
        }
        let west = Zone::parse("America/New_York").unwrap();
        for (text, utc) in [
            ("2026-03-08 01:59:59", "2026-03-08T06:59:59Z"),
            ("2026-03-08 03:00:00", "2026-03-08T07:00:00Z"),
            ("2026-11-01 00:59:59", "2026-11-01T04:59:59Z"),
            ("2026-11-01 02:00:00", "2026-11-01T07:00:00Z"),
        ] {
            assert_eq!(
                local(text).to_utc_in(&west),
                parse_rfc3339(utc).unwrap(),
                "{text}"
            );
        }
    }
}
