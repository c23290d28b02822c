//! NTSTATUS and Win32: many statuses become one Win32 error, so a logged error names a family of statuses.

use super::translation_table::PAIRS;

/// The Win32 error Windows makes of a status; `None` where the table has no row for it.
pub fn win32_of_status(status: u32) -> Option<u32> {
    let at = PAIRS.partition_point(|pair| pair.0 < status);
    let &(found, code) = PAIRS.get(at)?;
    (found == status).then_some(u32::from(code))
}

/// Every status that becomes the Win32 error `code`, in ascending order.
pub fn statuses_of_win32(code: u32) -> impl Iterator<Item = u32> {
    PAIRS
        .iter()
        .filter(move |pair| u32::from(pair.1) == code)
        .map(|pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{ntstatus, win32};

    fn family(code: u32) -> Vec<u32> {
        statuses_of_win32(code).collect()
    }

    #[test]
    fn the_codes_a_log_is_likely_to_hold() {
        assert_eq!(family(1009), [0xC000_014C]);
        assert_eq!(family(32), [0xC000_0043]);
        assert_eq!(family(33), [0xC000_0054, 0xC000_0055]);
        assert_eq!(family(145), [0xC000_0101]);
        assert_eq!(family(183), [0xC000_0035]);
        assert_eq!(family(225), [0xC000_0906]);
        assert_eq!(family(995), [0xC000_0120]);
        assert_eq!(family(1016), [0xC000_014D]);
        assert_eq!(family(1017), [0xC000_015C]);
        assert_eq!(family(1018), [0xC000_017C]);
        assert_eq!(family(1168), [0xC000_0225]);
        assert_eq!(family(1224), [0xC000_0243]);
        assert_eq!(family(1314), [0xC000_0061]);
        assert_eq!(family(6628), [0xC01A_001D]);
        assert_eq!(family(6700), [0xC019_0002]);
        assert_eq!(family(6800), [0xC019_0001]);
        assert_eq!(family(6833), [0xC019_0019]);
        assert!(family(13).is_empty());
    }

    #[test]
    fn access_denied_is_a_family() {
        let denied = family(5);
        for status in [
            0xC000_0022,
            0xC000_0056,
            0xC000_0121,
            0xC000_0123,
            0xC000_00D5,
            0xC000_00BA,
            0xC000_010A,
        ] {
            assert!(denied.contains(&status), "{status:#X}");
        }
    }

    #[test]
    fn the_usual_translation_comes_first() {
        assert_eq!(win32_of_status(0xC000_0056), Some(5));
        assert_eq!(win32_of_status(0xC000_000E), Some(433));
        assert_eq!(family(303), [0xC000_0056]);
        assert_eq!(win32_of_status(0xC000_0034), Some(2));
        assert_eq!(win32_of_status(0xDEAD_BEEF), None);
    }

    #[test]
    fn both_sides_of_every_pair_have_a_name() {
        for &(status, code) in PAIRS {
            assert!(ntstatus::name(status).is_some(), "{status:#X}");
            assert!(win32::name(u32::from(code)).is_some(), "{code}");
        }
    }
}
