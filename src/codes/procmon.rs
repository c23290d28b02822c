//! The words of Procmon's Result column.
//!
//! A log stores the NTSTATUS; these texts are what its window and its CSV export print.

use std::fmt::Write as _;

use super::lookup::by_number;
use super::ntstatus;
use super::procmon_table::TEXTS;

/// Texts only some builds print: they are understood, but never written, so that output compares equal to the
/// exports of the build the tables were checked against.
const ALSO_READ: &[(u32, &str)] = &[(0x368, "REPARSE GLOBAL")];

/// The text Procmon prints for a status; empty for a pending operation, `None` where it prints a number.
#[inline]
pub fn result_text(status: u32) -> Option<&'static str> {
    if status == 0 {
        return Some("SUCCESS");
    }
    by_number(TEXTS, status)
}

/// Appends what Procmon prints for a status: its text, else the number as `0xC000046F`, without padding.
#[inline]
pub fn write_result(status: u32, out: &mut String) {
    if let Some(text) = result_text(status) {
        out.push_str(text);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "0x{status:X}");
    }
}

/// The statuses a text stands for, in ascending order: a Procmon text, a name of `ntstatus.h`, or a number as
/// `0x…`, all without regard to case. Two statuses can share one text. Empty when nothing fits; the empty text
/// itself is the pending operation.
pub fn status_of(text: &str) -> Vec<u32> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // `from_str_radix` would take a sign.
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| plain)
            .into_iter()
            .collect();
    }
    let mut found: Vec<u32> = TEXTS
        .iter()
        .chain(ALSO_READ)
        .filter(|row| row.1.eq_ignore_ascii_case(text))
        .map(|row| row.0)
        .collect();
    if found.is_empty() {
        found.extend(ntstatus::number(text));
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(status: u32) -> String {
        let mut out = String::new();
        write_result(status, &mut out);
        out
    }

    #[test]
    fn known_texts() {
        assert_eq!(result_text(0), Some("SUCCESS"));
        assert_eq!(result_text(0x103), Some(""));
        assert_eq!(result_text(0xC000_0043), Some("SHARING VIOLATION"));
        assert_eq!(result_text(0xC000_014C), Some("REGISTRY CORRUPT"));
        assert_eq!(result_text(0xC000_00BA), Some("IS DIRECTORY"));
        assert_eq!(result_text(0xC01C_0004), Some("FAST IO DISALLOWED"));
    }

    #[test]
    fn numbers_are_written_in_upper_case_without_padding() {
        assert_eq!(written(0x368), "0x368");
        assert_eq!(written(0xC000_046F), "0xC000046F");
        assert_eq!(written(0xC000_0034), "NAME NOT FOUND");
        assert_eq!(written(0x103), "");
    }

    #[test]
    fn writing_appends() {
        let mut out = String::from("a,");
        write_result(0, &mut out);
        assert_eq!(out, "a,SUCCESS");
    }

    #[test]
    fn every_text_reads_back() {
        for &(status, text) in TEXTS {
            assert!(status_of(text).contains(&status), "{text}");
            assert!(status_of(&text.to_lowercase()).contains(&status), "{text}");
        }
    }

    #[test]
    fn every_number_reads_back() {
        for status in [0, 0x368, 0x8000_0005, 0xC000_046F, u32::MAX] {
            assert_eq!(status_of(&format!("0x{status:X}")), [status]);
            assert_eq!(status_of(&format!(" 0X{status:08x} ")), [status]);
        }
    }

    #[test]
    fn a_text_can_stand_for_several_statuses() {
        assert_eq!(
            status_of("OFFLOAD READ FILE NOT SUPPORTED"),
            [0xC000_A2A3, 0xC000_A2A4]
        );
    }

    #[test]
    fn header_names_and_texts_of_other_builds_are_understood() {
        assert_eq!(status_of("STATUS_REGISTRY_CORRUPT"), [0xC000_014C]);
        assert_eq!(status_of("reparse global"), [0x368]);
        assert_eq!(status_of(""), [0x103]);
    }

    #[test]
    fn nonsense_is_no_status() {
        for text in ["NO SUCH TEXT", "0x", "0x+1", "0xC0000043C", "0xZZ", "43"] {
            assert!(status_of(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn every_benign_word_of_the_verdict_rules_is_known() {
        for text in [
            "NAME NOT FOUND",
            "PATH NOT FOUND",
            "NO SUCH FILE",
            "NO MORE FILES",
            "NO MORE ENTRIES",
            "NO MORE MATCHES",
            "NAME COLLISION",
            "BUFFER OVERFLOW",
            "BUFFER TOO SMALL",
            "END OF FILE",
            "REPARSE",
            "NOT REPARSE POINT",
            "FAST IO DISALLOWED",
            "FILE LOCKED WITH ONLY READERS",
            "FILE LOCKED WITH WRITERS",
            "INVALID DEVICE REQUEST",
            "INVALID PARAMETER",
            "IS DIRECTORY",
            "OPLOCK HANDLE CLOSED",
            "CANCELLED",
            "NOTIFY ENUM DIR",
            "NO EAS ON FILE",
            "DELETE PENDING",
        ] {
            assert_eq!(status_of(text).len(), 1, "{text}");
        }
    }
}
