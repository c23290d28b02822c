//! Time: FILETIME ticks of 100 ns since 1601-01-01 UTC, their text, and zones for display.
//!
//! Both trace formats stamp events in (or convert to) this unit, so nothing is rounded on the way.

use std::fmt;

/// Ticks in a second.
pub const TICKS_PER_SECOND: u64 = 10_000_000;
/// Ticks in a day.
pub const TICKS_PER_DAY: u64 = 86_400 * TICKS_PER_SECOND;
/// 1970-01-01 in FILETIME ticks.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// A point in time: 100 ns ticks since 1601-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Filetime(pub u64);

/// The calendar fields of a [`Filetime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, 1601 and later.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute, 0 to 59.
    pub minute: u32,
    /// Second, 0 to 59.
    pub second: u32,
    /// Fraction of the second in 100 ns, 0 to 9,999,999.
    pub fraction: u32,
}

impl Filetime {
    /// Nanoseconds since 1970, clamped to what 64 bits hold (the years 1677 to 2262).
    #[inline]
    pub fn unix_nanos(self) -> i64 {
        let ticks = i128::from(self.0) - i128::from(UNIX_EPOCH);
        (ticks * 100).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// The time of a jiff timestamp, rounded down to 100 ns; times before 1601 become 1601.
    pub fn from_timestamp(stamp: jiff::Timestamp) -> Self {
        let ticks = stamp.as_nanosecond().div_euclid(100) + i128::from(UNIX_EPOCH);
        Self(ticks.clamp(0, i128::from(u64::MAX)) as u64)
    }

    /// The same time as a jiff timestamp, clamped to the years jiff knows.
    pub fn to_timestamp(self) -> jiff::Timestamp {
        let nanos = (i128::from(self.0) - i128::from(UNIX_EPOCH)) * 100;
        jiff::Timestamp::from_nanosecond(nanos).unwrap_or(jiff::Timestamp::MAX)
    }

    /// Calendar fields, by the proleptic Gregorian calendar.
    pub fn civil(self) -> Civil {
        let days = self.0 / TICKS_PER_DAY;
        let ticks = self.0 % TICKS_PER_DAY;
        // Days from 0000-03-01, so that leap days end the year (Howard Hinnant's civil_from_days).
        let z = days + 584_694;
        let era = z / 146_097;
        let doe = z % 146_097;
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = (yoe + era * 400) as u32 + u32::from(month <= 2);
        let seconds = ticks / TICKS_PER_SECOND;
        Civil {
            year,
            month,
            day: (doy - (153 * mp + 2) / 5 + 1) as u32,
            hour: (seconds / 3_600) as u32,
            minute: (seconds / 60 % 60) as u32,
            second: (seconds % 60) as u32,
            fraction: (ticks % TICKS_PER_SECOND) as u32,
        }
    }

    /// This time plus `ticks`, clamped.
    pub fn plus(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// This time minus `ticks`, clamped.
    pub fn minus(self, ticks: u64) -> Self {
        Self(self.0.saturating_sub(ticks))
    }
}

/// Appends `value` in decimal with at least `width` digits.
pub fn push_padded(out: &mut String, value: u32, width: usize) {
    let mut digits = [b'0'; 10];
    let mut at = digits.len();
    let mut rest = value;
    while rest > 0 || digits.len() - at < width.min(digits.len()) {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// RFC 3339 in UTC with 7 fractional digits: `2026-05-12T06:41:07.0000000Z`.
impl fmt::Display for Filetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(28);
        push_rfc3339(&mut out, *self, &Zone::UTC);
        f.write_str(&out)
    }
}

impl serde::Serialize for Filetime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Appends `time` as RFC 3339 with 7 fractional digits in `zone` (`Z` for UTC, else `+08:00`).
pub fn push_rfc3339(out: &mut String, time: Filetime, zone: &Zone) {
    let mut bytes = Vec::with_capacity(34);
    push_rfc3339_bytes(&mut bytes, time, zone);
    out.push_str(std::str::from_utf8(&bytes).unwrap_or_default());
}

/// [`push_rfc3339`] into bytes, without a detour.
pub fn push_rfc3339_bytes(out: &mut Vec<u8>, time: Filetime, zone: &Zone) {
    let offset = zone.offset_seconds(time);
    let civil = shift(time, offset).civil();
    if civil.year > 9_999 {
        // RFC 3339 ends here; a number of more digits still says what the file holds.
        out.extend_from_slice((civil.year / 10_000).to_string().as_bytes());
    }
    let mut text = *b"0000-00-00T00:00:00.0000000Z";
    let mut put = |at: usize, width: usize, mut value: u32| {
        for digit in text[at..at + width].iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(0, 4, civil.year);
    put(5, 2, civil.month);
    put(8, 2, civil.day);
    put(11, 2, civil.hour);
    put(14, 2, civil.minute);
    put(17, 2, civil.second);
    put(20, 7, civil.fraction);
    if zone.is_utc() {
        out.extend_from_slice(&text);
        return;
    }
    out.extend_from_slice(&text[..27]);
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = offset.unsigned_abs() / 60;
    let digit = |value: u32| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[
        digit(minutes / 600),
        digit(minutes / 60),
        b':',
        digit(minutes % 60 / 10),
        digit(minutes % 60),
    ]);
}

fn shift(time: Filetime, seconds: i32) -> Filetime {
    let ticks = i64::from(seconds) * TICKS_PER_SECOND as i64;
    Filetime(time.0.saturating_add_signed(ticks))
}

/// A zone that times are shown in. Files hold UTC; a zone never changes what is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Offsets in seconds east of UTC, each with the time it begins, ascending; the first begins at 0.
    steps: Vec<(Filetime, i32)>,
    utc: bool,
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self {
        steps: Vec::new(),
        utc: true,
    };

    /// A fixed offset in seconds east of UTC.
    pub fn fixed(seconds: i32) -> Self {
        Self {
            steps: vec![(Filetime(0), seconds)],
            utc: false,
        }
    }

    /// A zone by name or offset: `UTC`, `Z`, `local`, `Europe/Berlin`, `+08:00`, `-0330`, `+5`.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if ["utc", "z", "gmt"].contains(&trimmed.to_ascii_lowercase().as_str()) {
            return Ok(Self::UTC);
        }
        if let Some(seconds) = parse_offset(trimmed) {
            return Ok(if seconds == 0 {
                Self::UTC
            } else {
                Self::fixed(seconds)
            });
        }
        let zone = if trimmed.eq_ignore_ascii_case("local") {
            jiff::tz::TimeZone::system()
        } else {
            jiff::tz::TimeZone::get(trimmed).map_err(|_| {
                format!(
                    "'{text}' is no time zone; give UTC, local, an IANA name such as Europe/Berlin, or an offset such as +08:00"
                )
            })?
        };
        Ok(Self::from_rules(&zone))
    }

    /// Every change of offset from 1970 to 2100, so that a look-up per event is a binary search.
    fn from_rules(zone: &jiff::tz::TimeZone) -> Self {
        let start = jiff::Timestamp::UNIX_EPOCH;
        let end = Filetime(UNIX_EPOCH + 130 * 365 * TICKS_PER_DAY).to_timestamp();
        let mut steps = vec![(Filetime(0), zone.to_offset(start).seconds())];
        for change in zone.following(start) {
            if change.timestamp() > end {
                break;
            }
            steps.push((
                Filetime::from_timestamp(change.timestamp()),
                change.offset().seconds(),
            ));
        }
        Self { steps, utc: false }
    }

    /// Whether this is UTC itself, which prints as `Z`.
    pub fn is_utc(&self) -> bool {
        self.utc
    }

    /// Offset in seconds east of UTC at `time`.
    #[inline]
    pub fn offset_seconds(&self, time: Filetime) -> i32 {
        match self.steps.as_slice() {
            [] => 0,
            [(_, only)] => *only,
            steps => {
                let after = steps.partition_point(|(begin, _)| *begin <= time);
                steps[after.saturating_sub(1)].1
            }
        }
    }

    /// The wall clock of the zone at `time`, as ticks.
    #[inline]
    pub fn local(&self, time: Filetime) -> Filetime {
        shift(time, self.offset_seconds(time))
    }
}

/// Seconds of `+08:00`, `-0330`, `+5`; `None` for anything else.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 && rest.is_ascii() => rest.split_at(2),
        None => (rest, "0"),
    };
    let hours: i32 = hours
        .parse()
        .ok()
        .filter(|hours| (0..=18).contains(hours))?;
    let minutes: i32 = minutes
        .parse()
        .ok()
        .filter(|minutes| (0..60).contains(minutes))?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// Reads an RFC 3339 time (`2026-05-12T06:41:07.1234567Z`, with a zone or offset at its end).
///
/// # Errors
/// A sentence that shows the form.
pub fn parse_rfc3339(text: &str) -> Result<Filetime, String> {
    text.trim()
        .parse::<jiff::Timestamp>()
        .map(Filetime::from_timestamp)
        .map_err(|_| format!("'{text}' is no time; write it as 2026-05-12T06:41:07Z or 2026-05-12T08:41:07.5+02:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_seven_digits() {
        // The first event of Tests64bitUTC, which Procmon shows as 7/12/2020 1:18:10.7752429 AM.
        let time = parse_rfc3339("2020-07-12T01:18:10.7752429Z").unwrap();
        assert_eq!(time.to_string(), "2020-07-12T01:18:10.7752429Z");
        assert_eq!(time.unix_nanos(), 1_594_516_690_775_242_900);
        assert_eq!(Filetime(0).to_string(), "1601-01-01T00:00:00.0000000Z");
    }

    #[test]
    fn calendar_agrees_with_jiff() {
        for day in 0..200_000_u64 {
            let time = Filetime(day * TICKS_PER_DAY + day);
            let civil = time.civil();
            let date = time.to_timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
            assert_eq!(
                (civil.year as i16, civil.month as i8, civil.day as i8),
                (date.year(), date.month(), date.day())
            );
        }
        // No number of ticks may panic.
        Filetime(u64::MAX).civil();
        assert_eq!(Filetime(u64::MAX).unix_nanos(), i64::MAX);
        assert_eq!(Filetime(u64::MAX).to_timestamp(), jiff::Timestamp::MAX);
    }

    #[test]
    fn zones() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let mut out = String::new();
        push_rfc3339(
            &mut out,
            parse_rfc3339("2026-07-01T00:00:00Z").unwrap(),
            &berlin,
        );
        assert_eq!(out, "2026-07-01T02:00:00.0000000+02:00");
        assert_eq!(
            berlin.offset_seconds(parse_rfc3339("2026-01-01T00:00:00Z").unwrap()),
            3_600
        );
        assert_eq!(Zone::parse("-03:30").unwrap(), Zone::fixed(-12_600));
        assert_eq!(Zone::parse("+0530").unwrap(), Zone::fixed(19_800));
        assert!(Zone::parse("+00:00").unwrap().is_utc());
        assert!(Zone::parse("Mars/Base").is_err());
    }
}
