//! Win32 error codes (`winerror.h`).

use super::lookup::{by_name, by_number};
use super::win32_meanings::MEANINGS;
use super::win32_names::NAMES;

/// The symbolic name of a Win32 error: 1009 is `ERROR_BADDB`.
pub fn name(code: u32) -> Option<&'static str> {
    by_number(NAMES, code)
}

/// What the error points at when an update fails.
pub fn meaning(code: u32) -> Option<&'static str> {
    by_number(MEANINGS, code)
}

/// Every number with its symbolic name, by number.
pub(super) fn names() -> impl Iterator<Item = (u32, &'static str)> {
    NAMES.iter().copied()
}

/// The number of a symbolic name, without regard to case.
pub fn number(name: &str) -> Option<u32> {
    by_name(NAMES, name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        assert_eq!(name(0), Some("ERROR_SUCCESS"));
        assert_eq!(name(5), Some("ERROR_ACCESS_DENIED"));
        assert_eq!(name(1009), Some("ERROR_BADDB"));
        assert_eq!(name(1015), Some("ERROR_REGISTRY_CORRUPT"));
        assert_eq!(name(1722), Some("RPC_S_SERVER_UNAVAILABLE"));
        assert_eq!(name(14098), Some("ERROR_SXS_COMPONENT_STORE_CORRUPT"));
        assert_eq!(name(0x0012_3456), None);
        assert!(meaning(1009).is_some_and(|text| text.contains("Registry")));
    }

    #[test]
    fn names_read_back() {
        assert_eq!(number("error_baddb"), Some(1009));
        assert_eq!(number(" EPT_S_NOT_REGISTERED "), Some(1753));
        assert_eq!(number("ERROR_NONESUCH"), None);
    }
}
