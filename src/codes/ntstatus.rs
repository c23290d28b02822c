//! NTSTATUS values (`ntstatus.h`): what traces hold as the result of an operation.

use super::describe::Description;
use super::lookup::{by_name, by_number};
use super::ntstatus_meanings::MEANINGS;
use super::ntstatus_names::NAMES;
use super::{translate, win32};

/// The two top bits of an NTSTATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 0: success.
    Success,
    /// 1: informational.
    Informational,
    /// 2: warning.
    Warning,
    /// 3: error.
    Error,
}

/// The severity a status carries.
pub const fn severity(status: u32) -> Severity {
    match status >> 30 {
        0 => Severity::Success,
        1 => Severity::Informational,
        2 => Severity::Warning,
        _ => Severity::Error,
    }
}

/// The symbolic name of a status: 0xC000014C is `STATUS_REGISTRY_CORRUPT`.
pub fn name(status: u32) -> Option<&'static str> {
    by_number(NAMES, status)
}

/// What the status points at when an update fails.
pub fn meaning(status: u32) -> Option<&'static str> {
    by_number(MEANINGS, status)
}

/// Every number with its symbolic name, by number.
pub(super) fn names() -> impl Iterator<Item = (u32, &'static str)> {
    NAMES.iter().copied()
}

/// The number of a symbolic name, without regard to case.
pub fn number(name: &str) -> Option<u32> {
    by_name(NAMES, name.trim())
}

/// The Win32 error inside a status of the form 0xC007xxxx (`NTSTATUS_FROM_WIN32`).
pub const fn wrapped_win32(status: u32) -> Option<u32> {
    if status >> 16 == 0xC007 {
        Some(status & 0xFFFF)
    } else {
        None
    }
}

/// Name and meaning of a status; a wrapped Win32 error gets those of the error, and a status without words of
/// its own those of the Win32 error it becomes.
pub fn describe(status: u32) -> Description {
    if let Some(code) = wrapped_win32(status) {
        return Description::new(status, win32::name(code), win32::meaning(code));
    }
    let own = meaning(status);
    let meaning = own.or_else(|| translate::win32_of_status(status).and_then(win32::meaning));
    Description::new(status, name(status), meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities() {
        assert_eq!(severity(0), Severity::Success);
        assert_eq!(severity(0x103), Severity::Success);
        assert_eq!(severity(0x4000_0009), Severity::Informational);
        assert_eq!(severity(0x8000_0005), Severity::Warning);
        assert_eq!(severity(0xC000_0043), Severity::Error);
        assert!(Severity::Success < Severity::Error);
    }

    #[test]
    fn known_values() {
        assert_eq!(name(0), Some("STATUS_SUCCESS"));
        assert_eq!(name(0x103), Some("STATUS_PENDING"));
        assert_eq!(name(0xC000_0008), Some("STATUS_INVALID_HANDLE"));
        assert_eq!(name(0xC000_0043), Some("STATUS_SHARING_VIOLATION"));
        assert_eq!(name(0xC000_006D), Some("STATUS_LOGON_FAILURE"));
        assert_eq!(name(0xC000_014C), Some("STATUS_REGISTRY_CORRUPT"));
        assert_eq!(name(0xC01C_0004), Some("STATUS_FLT_DISALLOW_FAST_IO"));
        assert_eq!(number("status_registry_corrupt"), Some(0xC000_014C));
    }

    #[test]
    fn wrapped_errors_are_described_as_what_they_wrap() {
        let wrapped = describe(0xC007_03F1);
        assert_eq!(wrapped.code, "0xc00703f1");
        assert_eq!(wrapped.name, Some("ERROR_BADDB"));
        assert_eq!(wrapped.meaning, win32::meaning(1009));
    }

    #[test]
    fn a_status_without_words_borrows_those_of_its_win32_error() {
        assert_eq!(meaning(0xC000_000E), None);
        assert_eq!(describe(0xC000_000E).meaning, win32::meaning(433));
    }

    #[test]
    fn unknown_values_keep_their_number() {
        let unknown = describe(0xC0FF_1234);
        assert_eq!(unknown.code, "0xc0ff1234");
        assert_eq!((unknown.name, unknown.meaning), (None, None));
    }
}
