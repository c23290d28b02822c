//! HRESULTs: the form in which servicing logs hold errors of every family.
//!
//! Bit 31 is the failure bit, bit 28 marks an NTSTATUS in disguise, bits 16 to 26 are the facility and the low word
//! is the code (`winerror.h`). Facility 7 holds Win32 errors, facility 15 those of SetupAPI and of the servicing
//! stack, facility 31 those of the filter manager.

use super::describe::Description;
use super::hresult_meanings::MEANINGS;
use super::hresult_names::NAMES;
use super::lookup::by_number;
use super::meanings_zh::MEANINGS_ZH;
use super::servicing_table::ROWS;
use super::{ntstatus, translate, win32};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Facility of Win32 errors.
pub const FACILITY_WIN32: u16 = 7;
/// Facility SetupAPI shares with the servicing stack.
pub const FACILITY_SETUPAPI: u16 = 15;
/// Facility of the filter manager in user mode.
pub const FACILITY_FILTER_MANAGER: u16 = 31;

const NT_BIT: u32 = 0x1000_0000;
const SETUPAPI_RAW: u32 = 0xE000_0000;
const SPAPI_ERROR_NOT_INSTALLED: u32 = 0x1000;

/// Whether the failure bit is set.
pub const fn is_failure(hresult: u32) -> bool {
    hresult & 0x8000_0000 != 0
}

/// The facility, bits 16 to 26.
pub const fn facility(hresult: u32) -> u16 {
    ((hresult >> 16) & 0x7FF) as u16
}

/// The code, the low word.
pub const fn code(hresult: u32) -> u16 {
    (hresult & 0xFFFF) as u16
}

/// `HRESULT_FROM_WIN32`: 1009 becomes 0x800703F1; zero and what already is an HRESULT stay.
pub const fn from_win32(code: u32) -> u32 {
    if code == 0 || is_failure(code) {
        code
    } else {
        (code & 0xFFFF) | 0x8007_0000
    }
}

/// `HRESULT_FROM_SETUPAPI`: 0xE0000247 becomes 0x800F0247; a Win32 error is taken as such.
pub const fn from_setupapi(code: u32) -> u32 {
    if code & 0xFFFF_0000 == SETUPAPI_RAW {
        (code & 0xFFFF) | 0x800F_0000
    } else {
        from_win32(code)
    }
}

/// The raw SetupAPI error of an HRESULT: 0x800F0247 becomes 0xE0000247. The servicing stack's own codes of the
/// same facility have no raw form.
pub const fn to_setupapi(hresult: u32) -> Option<u32> {
    let low = hresult & 0xFFFF;
    let of_setupapi = low < 0x400 || low == SPAPI_ERROR_NOT_INSTALLED;
    if hresult >> 16 == 0x800F && of_setupapi {
        Some(SETUPAPI_RAW | low)
    } else {
        None
    }
}

/// `HRESULT_FROM_NT`: 0xC0000043 becomes 0xD0000043.
pub const fn from_nt(status: u32) -> u32 {
    status | NT_BIT
}

/// The NTSTATUS an HRESULT carries: 0xD0000043 becomes 0xC0000043.
pub const fn to_nt(hresult: u32) -> Option<u32> {
    // Raw SetupAPI errors lie in a range of their own, without the NT bit.
    if hresult & NT_BIT != 0 {
        Some(hresult & !NT_BIT)
    } else {
        None
    }
}

/// One HRESULT for the forms in which logs write a code: a plain Win32 number, a raw SetupAPI error, an NTSTATUS,
/// and a Win32 error that travelled as NTSTATUS (0xD00703F1) all become what `describe` and the reports use.
pub const fn canonical(code: u32) -> u32 {
    match code >> 16 {
        0 => from_win32(code),
        0xE000 => from_setupapi(code),
        0xC007 | 0xD007 => from_win32(code & 0xFFFF),
        // Severity error with neither customer nor NT bit: an NTSTATUS as it stands. Application codes of HRESULT
        // type with these top bits are not in use.
        0xC000..=0xCFFF => from_nt(code),
        _ => code,
    }
}

/// The Win32 error behind an HRESULT, be it of facility 7 or an NTSTATUS with a Win32 translation.
pub fn win32_of(hresult: u32) -> Option<u32> {
    let hresult = canonical(hresult);
    if hresult == 0 {
        return Some(0);
    }
    if hresult >> 16 == 0x8007 {
        return Some(hresult & 0xFFFF);
    }
    to_nt(hresult).and_then(translate::win32_of_status)
}

/// The NTSTATUS values to look for in a trace when a log holds this code.
///
/// Empty where no operation of the kernel ends in the code: servicing and setup errors, and Win32 errors that
/// user-mode code makes up itself.
pub fn ntstatus_candidates(hresult: u32) -> Vec<u32> {
    let hresult = canonical(hresult);
    if let Some(status) = to_nt(hresult) {
        return vec![status];
    }
    match (hresult >> 16, win32_of(hresult)) {
        (0x801F, _) => vec![0xC01C_0000 | u32::from(code(hresult))],
        (_, Some(error)) => translate::statuses_of_win32(error).collect(),
        _ => Vec::new(),
    }
}

fn servicing_row(hresult: u32) -> Option<&'static (u32, &'static str, &'static str)> {
    let at = ROWS.binary_search_by_key(&hresult, |row| row.0).ok()?;
    ROWS.get(at)
}

/// The symbolic name, whatever family the code comes from: 0x800703F1 is `ERROR_BADDB`.
pub fn name(hresult: u32) -> Option<&'static str> {
    let hresult = canonical(hresult);
    if let Some(status) = status_inside(hresult) {
        return match ntstatus::wrapped_win32(status) {
            Some(error) => win32::name(error),
            None => ntstatus::name(status),
        };
    }
    if hresult >> 16 == 0x8007 || hresult == 0 {
        return win32::name(hresult & 0xFFFF);
    }
    match servicing_row(hresult) {
        Some(&(_, name, _)) => (!name.is_empty()).then_some(name),
        None => by_number(NAMES, hresult),
    }
}

/// What the code points at when an update fails.
pub fn meaning(hresult: u32) -> Option<&'static str> {
    describe(hresult).meaning
}

/// The same in Chinese, for codes that servicing logs have.
pub fn meaning_zh(hresult: u32) -> Option<&'static str> {
    by_number(MEANINGS_ZH, canonical(hresult))
}

/// The HRESULT of a symbolic name of any family, without regard to case. The aliases winerror.h gives to Win32
/// errors (`E_ACCESSDENIED`) are understood too.
pub fn number(name: &str) -> Option<u32> {
    static BY_NAME: OnceLock<HashMap<String, u32>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        let mut by_name = HashMap::new();
        let aliases = ALIASES.iter().copied();
        let servicing = ROWS.iter().map(|row| (row.0, row.1));
        let win32 = win32::names().map(|row| (from_win32(row.0), row.1));
        let nt = ntstatus::names().map(|row| (from_nt(row.0), row.1));
        // Of a name that several families have, the first one here goes first.
        let all = aliases.chain(servicing).chain(win32);
        for (number, name) in all.chain(NAMES.iter().copied()).chain(nt) {
            if !name.is_empty() {
                by_name.entry(name.to_ascii_uppercase()).or_insert(number);
            }
        }
        by_name
    });
    by_name.get(&name.trim().to_ascii_uppercase()).copied()
}

const ALIASES: &[(u32, &str)] = &[
    (0, "S_OK"),
    (1, "S_FALSE"),
    (0x8007_0005, "E_ACCESSDENIED"),
    (0x8007_0006, "E_HANDLE"),
    (0x8007_000E, "E_OUTOFMEMORY"),
    (0x8007_0057, "E_INVALIDARG"),
];

/// Name and meaning of a code in any of the forms `canonical` takes; `code` in the answer is the HRESULT.
pub fn describe(hresult: u32) -> Description {
    let hresult = canonical(hresult);
    if let Some(status) = status_inside(hresult) {
        let inner = ntstatus::describe(status);
        return Description::new(hresult, inner.name, inner.meaning);
    }
    let meaning = if hresult >> 16 == 0x8007 || hresult == 0 {
        win32::meaning(hresult & 0xFFFF)
    } else if let Some(&(_, _, meaning)) = servicing_row(hresult) {
        Some(meaning)
    } else {
        by_number(MEANINGS, hresult)
    };
    Description::new(hresult, name(hresult), meaning)
}

/// The NTSTATUS that gives a canonical code its words: the NT bit is set and no family of HRESULTs has it.
fn status_inside(hresult: u32) -> Option<u32> {
    let own = hresult >> 16 == 0x8007 || hresult == 0 || servicing_row(hresult).is_some();
    if own { None } else { to_nt(hresult) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_case() {
        let described = describe(0x8007_03F1);
        assert_eq!(described.code, "0x800703f1");
        assert_eq!(described.name, Some("ERROR_BADDB"));
        assert!(described.meaning.is_some());
        assert_eq!(ntstatus_candidates(0x8007_03F1), [0xC000_014C]);
    }

    #[test]
    fn every_notation_of_one_error_is_one_hresult() {
        for written in [1009, 0x8007_03F1, 0xC007_03F1, 0xD007_03F1] {
            assert_eq!(canonical(written), 0x8007_03F1, "{written:#X}");
            assert_eq!(win32_of(written), Some(1009));
            assert_eq!(describe(written), describe(0x8007_03F1));
        }
        assert_eq!(canonical(0xE000_0247), 0x800F_0247);
        assert_eq!(canonical(0xC000_0043), 0xD000_0043);
        assert_eq!(canonical(0xC019_0001), 0xD019_0001);
        for kept in [0, 0x800F_0922, 0x8000_4005, 0xD000_0043, 0x000F_0801] {
            assert_eq!(canonical(kept), kept, "{kept:#X}");
        }
    }

    #[test]
    fn windows_macros() {
        assert_eq!(from_win32(0), 0);
        assert_eq!(from_win32(5), 0x8007_0005);
        assert_eq!(from_win32(0x8007_0005), 0x8007_0005);
        assert_eq!(from_setupapi(0xE000_0247), 0x800F_0247);
        assert_eq!(from_setupapi(2), 0x8007_0002);
        assert_eq!(to_setupapi(0x800F_0247), Some(0xE000_0247));
        assert_eq!(to_setupapi(0x800F_1000), Some(0xE000_1000));
        assert_eq!(to_setupapi(0x800F_0922), None);
        assert_eq!(to_setupapi(0x8007_0002), None);
        assert_eq!(from_nt(0xC000_0043), 0xD000_0043);
        assert_eq!(to_nt(0xD000_0043), Some(0xC000_0043));
        assert_eq!(to_nt(0x8007_0005), None);
        assert_eq!(to_nt(0xE000_0247), None);
        assert_eq!(facility(0x800F_0922), FACILITY_SETUPAPI);
        assert_eq!(facility(0x8007_03F1), FACILITY_WIN32);
        assert_eq!(facility(0x8024_2016), 36);
        assert_eq!(code(0x8007_03F1), 1009);
        assert!(is_failure(0x8007_0005));
        assert!(!is_failure(0x000F_0801));
    }

    #[test]
    fn every_win32_error_is_known_in_its_hresult_form() {
        for code in 1..=0xFFFF {
            let described = describe(from_win32(code));
            assert_eq!(described.name, win32::name(code));
            assert_eq!(described.meaning, win32::meaning(code));
        }
    }

    #[test]
    fn names_of_every_family() {
        assert_eq!(name(0), Some("ERROR_SUCCESS"));
        assert_eq!(name(0x8000_4005), Some("E_FAIL"));
        assert_eq!(name(0x8007_0005), Some("ERROR_ACCESS_DENIED"));
        assert_eq!(name(0x800F_0922), Some("CBS_E_INSTALLERS_FAILED"));
        assert_eq!(name(0x800F_0247), Some("SPAPI_E_DRIVER_STORE_ADD_FAILED"));
        assert_eq!(name(0xE000_0247), Some("SPAPI_E_DRIVER_STORE_ADD_FAILED"));
        assert_eq!(name(0x8024_2016), Some("WU_E_UH_POSTREBOOTUNEXPECTEDSTATE"));
        assert_eq!(name(0xD000_0043), Some("STATUS_SHARING_VIOLATION"));
        assert_eq!(name(0xD000_042A), Some("STATUS_REQUEST_OUT_OF_SEQUENCE"));
        assert_eq!(name(0x800F_0845), None);
        assert!(meaning(0x800F_0845).is_some());
        assert_eq!(name(0x8899_0001), None);
    }

    #[test]
    fn names_read_back() {
        for code in [
            0x8000_4005,
            0x8007_03F1,
            0x800F_0922,
            0x800F_0247,
            0x8024_2016,
            0xD000_0043,
        ] {
            assert_eq!(name(code).and_then(number), Some(code), "{code:#X}");
        }
        assert_eq!(number("E_INVALIDARG"), Some(0x8007_0057));
        assert_eq!(number("S_OK"), Some(0));
        assert_eq!(number(""), None);
    }

    #[test]
    fn candidates() {
        assert_eq!(ntstatus_candidates(5), ntstatus_candidates(0x8007_0005));
        assert!(ntstatus_candidates(0x8007_0005).contains(&0xC000_0056));
        assert_eq!(ntstatus_candidates(0xD000_0043), [0xC000_0043]);
        assert_eq!(ntstatus_candidates(0x801F_000F), [0xC01C_000F]);
        assert!(ntstatus_candidates(0x8007_000D).is_empty());
        assert!(ntstatus_candidates(0x800F_0922).is_empty());
    }

    #[test]
    fn filter_manager_codes_mirror_their_statuses() {
        for &(code, _) in NAMES.iter().filter(|row| row.0 >> 16 == 0x801F) {
            let status = 0xC01C_0000 | (code & 0xFFFF);
            let (user, kernel) = (name(code), ntstatus::name(status));
            let user = user.and_then(|text| text.strip_prefix("ERROR_"));
            let kernel = kernel.and_then(|text| text.strip_prefix("STATUS_"));
            if kernel.is_some() {
                assert_eq!(user, kernel, "{code:#X}");
            }
        }
    }
}
