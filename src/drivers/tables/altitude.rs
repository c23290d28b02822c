//! Altitudes: where in the stack of file system filters a minifilter sits.
//!
//! An altitude is a decimal string of any precision, and vendors derive fractional ones from an integer
//! (`385250.5`), so it is compared as text and never as a binary fraction. The ranges are those of Microsoft's
//! allocation list of 2025-10-28.

use std::cmp::Ordering;

/// Load order groups by the integer part of the altitude, both ends included, highest first.
const GROUPS: [(u32, u32, &str); 26] = [
    (420_000, 429_999, "Filter"),
    (400_000, 409_999, "FSFilter Top"),
    (392_000, 394_999, "FSFilter Security Monitor"),
    (360_000, 389_999, "FSFilter Activity Monitor"),
    (340_000, 349_999, "FSFilter Undelete"),
    (320_000, 329_999, "FSFilter Anti-Virus"),
    (300_000, 309_999, "FSFilter Replication"),
    (280_000, 289_999, "FSFilter Continuous Backup"),
    (272_000, 274_999, "FSFilter Security Content Screener"),
    (260_000, 269_999, "FSFilter Content Screener"),
    (240_000, 249_999, "FSFilter Quota Management"),
    (220_000, 229_999, "FSFilter System Recovery"),
    (200_000, 209_999, "FSFilter Cluster File System"),
    (180_000, 189_999, "FSFilter HSM"),
    (170_000, 174_999, "FSFilter Imaging"),
    (160_000, 169_999, "FSFilter Compression"),
    (140_000, 149_999, "FSFilter Encryption"),
    (130_000, 139_999, "FSFilter Virtualization"),
    (120_000, 129_999, "FSFilter Physical Quota Management"),
    (100_000, 109_999, "FSFilter Open File"),
    (80_000, 89_999, "FSFilter Security Enhancer"),
    (60_000, 69_999, "FSFilter Copy Protection"),
    (52_000, 54_999, "FSFilter Security Bottom"),
    (40_000, 49_999, "FSFilter Bottom"),
    (20_000, 29_999, "FSFilter System"),
    (0, 19_999, "FSFilter Infrastructure"),
];

/// Integer and fraction digits without the zeros that carry no value.
fn parts(altitude: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = altitude.split_once('.').unwrap_or((altitude, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| {
        (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    })
}

/// Whether the text is an altitude: digits, with at most one point between them.
pub fn is_altitude(text: &str) -> bool {
    parts(text).is_some()
}

/// Numeric order of two altitudes at any precision. What is no altitude sorts below every altitude, and by its text.
pub fn altitude_cmp(a: &str, b: &str) -> Ordering {
    match (parts(a), parts(b)) {
        // Without leading zeros the longer number is the greater one; fractions align at the point, so theirs is
        // the order of text.
        (Some((a, a_fraction)), Some((b, b_fraction))) => a
            .len()
            .cmp(&b.len())
            .then_with(|| a.cmp(b))
            .then_with(|| a_fraction.cmp(b_fraction)),
        (None, None) => a.cmp(b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The load order group of an altitude; `None` between the ranges and for what is no altitude.
pub fn group_of(altitude: &str) -> Option<&'static str> {
    let (whole, _) = parts(altitude)?;
    let whole: u32 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    GROUPS
        .iter()
        .find(|group| (group.0..=group.1).contains(&whole))
        .map(|group| group.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_numeric_at_any_precision() {
        let descending = [
            "1000000",
            "385250.5",
            "385250.49999999999999999999999999",
            "385250.05",
            "385250",
            "385201",
            "99999.9",
            "45000",
            "0.5",
            "0",
        ];
        for pair in descending.windows(2) {
            assert_eq!(
                altitude_cmp(pair[0], pair[1]),
                Ordering::Greater,
                "{pair:?}"
            );
            assert_eq!(altitude_cmp(pair[1], pair[0]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn zeros_without_value_do_not_count() {
        assert_eq!(altitude_cmp("41006.00", "41006"), Ordering::Equal);
        assert_eq!(altitude_cmp("0041006", "41006.0"), Ordering::Equal);
        assert_eq!(altitude_cmp("0", "00.0"), Ordering::Equal);
    }

    #[test]
    fn what_is_no_altitude_sorts_below() {
        for text in [
            "", ".", ".5", "1.", "1.2.3", "-1", "1e5", "abc", " 1", "\u{661}",
        ] {
            assert!(!is_altitude(text), "{text:?}");
            assert_eq!(group_of(text), None);
            assert_eq!(altitude_cmp(text, "0"), Ordering::Less);
            assert_eq!(altitude_cmp("0", text), Ordering::Greater);
        }
        assert_eq!(altitude_cmp("a", "b"), Ordering::Less);
    }

    #[test]
    fn groups() {
        assert_eq!(group_of("328010"), Some("FSFilter Anti-Virus"));
        assert_eq!(group_of("385250.5"), Some("FSFilter Activity Monitor"));
        assert_eq!(group_of("329999.999"), Some("FSFilter Anti-Virus"));
        assert_eq!(group_of("320000"), Some("FSFilter Anti-Virus"));
        assert_eq!(group_of("40700"), Some("FSFilter Bottom"));
        assert_eq!(group_of("425500"), Some("Filter"));
        assert_eq!(group_of("0"), Some("FSFilter Infrastructure"));
        assert_eq!(group_of("330000"), None);
        assert_eq!(group_of("150000"), None);
        assert_eq!(group_of("99999999999999999999"), None);
    }

    #[test]
    fn groups_do_not_overlap() {
        for pair in GROUPS.windows(2) {
            assert!(pair[0].0 > pair[1].1, "{pair:?}");
            assert!(pair[0].0 <= pair[0].1);
        }
    }
}
