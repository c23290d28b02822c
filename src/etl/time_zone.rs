//! The time zone of the traced machine, with its rule for daylight time.

use super::layout::time_zone as at;
use crate::bytes::{i32_at, slice_at, u16_at};
use crate::trace::Filetime;
use jiff::civil::{Date, Weekday};

/// `TIME_ZONE_INFORMATION` of the trace header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeZoneInfo {
    /// Minutes: UTC = local time + bias.
    pub bias: i32,
    /// Minutes added to the bias in standard time.
    pub standard_bias: i32,
    /// Minutes added to the bias in daylight time.
    pub daylight_bias: i32,
    /// When standard time begins, in local daylight time.
    standard: Option<Change>,
    /// When daylight time begins, in local standard time.
    daylight: Option<Change>,
}

/// A change of the clocks: the `nth` weekday of a month (5 is the last), or a day of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    fixed: bool,
    month: i8,
    weekday: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl TimeZoneInfo {
    /// Reads the structure; `None` when it is not all there.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..at::SIZE)?;
        Some(Self {
            bias: i32_at(bytes, at::BIAS)?,
            standard_bias: i32_at(bytes, at::STANDARD_BIAS)?,
            daylight_bias: i32_at(bytes, at::DAYLIGHT_BIAS)?,
            standard: slice_at(bytes, at::STANDARD_DATE, 16).and_then(Change::parse),
            daylight: slice_at(bytes, at::DAYLIGHT_DATE, 16).and_then(Change::parse),
        })
    }

    /// Offset of local time from UTC at `time`, in minutes east; `None` when the biases are no zone's.
    pub fn utc_offset_minutes(&self, time: Filetime) -> Option<i32> {
        let extra = match self.is_daylight(time) {
            Some(true) => self.daylight_bias,
            Some(false) => self.standard_bias,
            // Windows ignores the standard bias where there is no change of clocks.
            None => 0,
        };
        let bias = self.bias.checked_add(extra)?;
        (bias.unsigned_abs() < 24 * 60).then(|| -bias)
    }

    /// Whether clocks show daylight time; `None` where they never change.
    fn is_daylight(&self, time: Filetime) -> Option<bool> {
        let (standard, daylight) = (self.standard?, self.daylight?);
        let (to_daylight, to_standard) = (
            self.bias.checked_add(self.standard_bias)?,
            self.bias.checked_add(self.daylight_bias)?,
        );
        // The year in local time; near New Year no clock changes, so standard time does.
        let year = minus_minutes(time, to_daylight)?.civil().year;
        let begin = minus_minutes(daylight.local(year)?, to_daylight.checked_neg()?)?;
        let end = minus_minutes(standard.local(year)?, to_standard.checked_neg()?)?;
        Some(if begin < end {
            (begin..end).contains(&time)
        } else {
            // The southern half of the world has summer at New Year.
            !(end..begin).contains(&time)
        })
    }
}

fn minus_minutes(time: Filetime, minutes: i32) -> Option<Filetime> {
    let ticks = i64::from(minutes) * 600_000_000;
    time.0.checked_add_signed(-ticks).map(Filetime)
}

impl Change {
    /// A SYSTEMTIME as the rule of a time zone; `None` when the month is 0: no rule.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let field = |n: usize| u16_at(bytes, n * 2).and_then(|value| i8::try_from(value).ok());
        let month = field(1).filter(|month| *month != 0)?;
        Some(Self {
            fixed: u16_at(bytes, 0)? != 0,
            month,
            weekday: field(2)?,
            day: field(3)?,
            hour: field(4)?,
            minute: field(5)?,
            second: field(6)?,
        })
    }

    /// The change in `year`, as a wall clock.
    fn local(self, year: u32) -> Option<Filetime> {
        let year = i16::try_from(year).ok()?;
        let date = if self.fixed {
            Date::new(year, self.month, self.day).ok()?
        } else {
            let weekday = Weekday::from_sunday_zero_offset(self.weekday).ok()?;
            let nth = if self.day >= 5 { -1 } else { self.day };
            Date::new(year, self.month, 1)
                .ok()?
                .nth_weekday_of_month(nth, weekday)
                .ok()?
        };
        let clock = jiff::civil::Time::new(self.hour, self.minute, self.second, 0).ok()?;
        let zoned = date
            .to_datetime(clock)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?;
        Some(Filetime::from_timestamp(zoned.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::time::parse_rfc3339;

    fn zone(bias: i32, standard: [u16; 8], daylight: [u16; 8]) -> TimeZoneInfo {
        let mut bytes = [0_u8; at::SIZE];
        bytes[..4].copy_from_slice(&bias.to_le_bytes());
        bytes[at::DAYLIGHT_BIAS..].copy_from_slice(&(-60_i32).to_le_bytes());
        for (start, date) in [(at::STANDARD_DATE, standard), (at::DAYLIGHT_DATE, daylight)] {
            for (n, field) in date.iter().enumerate() {
                bytes[start + n * 2..][..2].copy_from_slice(&field.to_le_bytes());
            }
        }
        TimeZoneInfo::parse(&bytes).unwrap()
    }

    fn offset(zone: &TimeZoneInfo, time: &str) -> Option<i32> {
        zone.utc_offset_minutes(parse_rfc3339(time).unwrap())
    }

    #[test]
    fn daylight_time_on_both_halves_of_the_world() {
        // Berlin: last Sunday of March 02:00 to last Sunday of October 03:00.
        let berlin = zone(-60, [0, 10, 0, 5, 3, 0, 0, 0], [0, 3, 0, 5, 2, 0, 0, 0]);
        assert_eq!(offset(&berlin, "2025-10-26T00:59:59Z"), Some(120));
        assert_eq!(offset(&berlin, "2025-10-26T01:00:00Z"), Some(60));
        assert_eq!(offset(&berlin, "2025-03-30T00:59:59Z"), Some(60));
        assert_eq!(offset(&berlin, "2025-03-30T01:00:00Z"), Some(120));
        // Sydney: first Sunday of October 02:00 to first Sunday of April 03:00.
        let sydney = zone(-600, [0, 4, 0, 1, 3, 0, 0, 0], [0, 10, 0, 1, 2, 0, 0, 0]);
        assert_eq!(offset(&sydney, "2025-01-01T00:00:00Z"), Some(660));
        assert_eq!(offset(&sydney, "2025-07-01T00:00:00Z"), Some(600));
        let shanghai = zone(-480, [0; 8], [0; 8]);
        assert_eq!(offset(&shanghai, "2025-07-01T00:00:00Z"), Some(480));
    }

    #[test]
    fn nonsense_is_no_zone() {
        let odd = zone(i32::MIN, [1; 8], [0xFFFF; 8]);
        assert_eq!(offset(&odd, "2025-07-01T00:00:00Z"), None);
        let odd = zone(0, [0, 13, 9, 40, 99, 0, 0, 0], [0, 2, 0, 5, 0, 0, 0, 0]);
        assert_eq!(offset(&odd, "2025-07-01T00:00:00Z"), Some(0));
        assert_eq!(TimeZoneInfo::parse(&[0; at::SIZE - 1]), None);
    }
}
