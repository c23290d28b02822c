//! Times as Procmon prints them, in the zone of the machine that exports.

use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Filetime, Zone};

/// Writes times. It keeps the text of the last second: neighbouring events share it.
#[derive(Debug)]
pub(super) struct Clock<'a> {
    zone: &'a Zone,
    second: Option<u64>,
    /// `1:18:10`.
    clock: Vec<u8>,
    /// ` AM` or ` PM`.
    half: &'static [u8],
    /// `7/12/2020`.
    date: Vec<u8>,
}

impl<'a> Clock<'a> {
    /// Times of this zone, daylight saving included.
    pub fn new(zone: &'a Zone) -> Self {
        Self {
            zone,
            second: None,
            clock: Vec::with_capacity(8),
            half: b" AM",
            date: Vec::with_capacity(10),
        }
    }

    /// `1:18:10.7752429 AM`.
    pub fn push_time_of_day(&mut self, time: Filetime, out: &mut Vec<u8>) {
        self.set(time);
        out.extend_from_slice(&self.clock);
        push_fraction(time.0, out);
        out.extend_from_slice(self.half);
    }

    /// `7/12/2020 1:18:10 AM`.
    pub fn push_date_and_time(&mut self, time: Filetime, out: &mut Vec<u8>) {
        self.set(time);
        out.extend_from_slice(&self.date);
        out.push(b' ');
        out.extend_from_slice(&self.clock);
        out.extend_from_slice(self.half);
    }

    fn set(&mut self, time: Filetime) {
        // Zones change their offset at whole seconds.
        let second = time.0 / TICKS_PER_SECOND;
        if self.second == Some(second) {
            return;
        }
        self.second = Some(second);
        let civil = self.zone.local(time).civil();
        self.clock.clear();
        push_number((civil.hour + 11) % 12 + 1, &mut self.clock);
        self.clock.push(b':');
        push_two_digits(civil.minute, &mut self.clock);
        self.clock.push(b':');
        push_two_digits(civil.second, &mut self.clock);
        self.half = if civil.hour < 12 { b" AM" } else { b" PM" };
        self.date.clear();
        push_number(civil.month, &mut self.date);
        self.date.push(b'/');
        push_number(civil.day, &mut self.date);
        self.date.push(b'/');
        push_number(civil.year, &mut self.date);
    }
}

/// `00:00:12.5561669`; hours take more digits when they need them.
pub(super) fn push_span(ticks: u64, out: &mut Vec<u8>) {
    let seconds = ticks / TICKS_PER_SECOND;
    let hours = seconds / 3_600;
    if hours < 100 {
        push_two_digits(hours as u32, out);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(hours).as_bytes());
    }
    out.push(b':');
    push_two_digits((seconds / 60 % 60) as u32, out);
    out.push(b':');
    push_two_digits((seconds % 60) as u32, out);
    push_fraction(ticks, out);
}

/// `0.0000074`.
pub(super) fn push_seconds(ticks: u64, out: &mut Vec<u8>) {
    let seconds = ticks / TICKS_PER_SECOND;
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    push_fraction(ticks, out);
}

fn push_number(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn push_two_digits(value: u32, out: &mut Vec<u8>) {
    out.push(b'0' + (value / 10 % 10) as u8);
    out.push(b'0' + (value % 10) as u8);
}

/// The point and the seven digits of the second's fraction.
fn push_fraction(ticks: u64, out: &mut Vec<u8>) {
    let mut digits = *b".0000000";
    let mut rest = (ticks % TICKS_PER_SECOND) as u32;
    for digit in digits[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::time::parse_rfc3339;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hours_go_from_twelve_to_eleven() {
        let utc = Zone::UTC;
        let mut clock = Clock::new(&utc);
        for (time, of_day, date) in [
            (
                "2020-07-12T00:00:00.0000001Z",
                "12:00:00.0000001 AM",
                "7/12/2020 12:00:00 AM",
            ),
            (
                "2020-07-12T09:05:07Z",
                "9:05:07.0000000 AM",
                "7/12/2020 9:05:07 AM",
            ),
            (
                "2020-07-12T12:00:00Z",
                "12:00:00.0000000 PM",
                "7/12/2020 12:00:00 PM",
            ),
            (
                "2020-12-01T23:59:59.9999999Z",
                "11:59:59.9999999 PM",
                "12/1/2020 11:59:59 PM",
            ),
        ] {
            let time = parse_rfc3339(time).unwrap();
            assert_eq!(text(|out| clock.push_time_of_day(time, out)), of_day);
            assert_eq!(text(|out| clock.push_date_and_time(time, out)), date);
        }
    }

    #[test]
    fn the_clock_follows_daylight_saving() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let mut clock = Clock::new(&berlin);
        let before = parse_rfc3339("2026-03-29T00:59:59.9999999Z").unwrap();
        let after = before.plus(1);
        assert_eq!(
            text(|out| clock.push_time_of_day(before, out)),
            "1:59:59.9999999 AM"
        );
        assert_eq!(
            text(|out| clock.push_time_of_day(after, out)),
            "3:00:00.0000000 AM"
        );
    }

    #[test]
    fn spans() {
        assert_eq!(text(|out| push_span(0, out)), "00:00:00.0000000");
        assert_eq!(
            text(|out| push_span(36_000_000_001, out)),
            "01:00:00.0000001"
        );
        assert_eq!(
            text(|out| push_span(36_000_000_000 * 123, out)),
            "123:00:00.0000000"
        );
        assert_eq!(text(|out| push_seconds(74, out)), "0.0000074");
        assert_eq!(
            text(|out| push_seconds(u64::MAX, out)),
            "1844674407370.9551615"
        );
    }

    #[test]
    fn no_time_panics() {
        let zone = Zone::parse("+14:00").unwrap();
        let mut clock = Clock::new(&zone);
        for time in [0, 1, u64::MAX - 1, u64::MAX, i64::MAX as u64] {
            text(|out| clock.push_date_and_time(Filetime(time), out));
        }
    }
}
