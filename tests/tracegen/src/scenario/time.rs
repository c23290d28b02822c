//! FILETIMEs as text.

const TICKS: u64 = 10_000_000;
/// Days from 1601-01-01 to 1970-01-01.
const DAYS_TO_UNIX: i64 = 134_774;

/// A FILETIME in UTC with seven fractional digits, as findings are written.
pub fn rfc3339(filetime: u64) -> String {
    let (seconds, ticks) = (filetime / TICKS, filetime % TICKS);
    let (days, second) = ((seconds / 86_400) as i64 - DAYS_TO_UNIX, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ticks:07}Z")
}

/// Days since 1970 to a date, counted in eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(rfc3339(0), "1601-01-01T00:00:00.0000000Z");
        assert_eq!(
            rfc3339(116_444_736_000_000_001),
            "1970-01-01T00:00:00.0000001Z"
        );
        assert_eq!(
            rfc3339(crate::scenario::START),
            "2026-05-12T06:41:07.0000000Z"
        );
        assert_eq!(
            rfc3339(133_537_247_999_999_999),
            "2024-02-29T23:59:59.9999999Z"
        );
    }
}
