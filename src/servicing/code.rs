//! Error codes as servicing logs write them.
//!
//! One failure is written as an HRESULT, a Win32 number, an NTSTATUS or a name, by the part of Windows that
//! writes the line. All of them become the HRESULT that reports use.

use crate::codes::hresult;

/// A code in a line, ordered by how much it says: of several in one line the least is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notation {
    /// Behind a word that says what it is: `HRESULT = 0x…`, `hr: 0x…`, `status: 0x…`, `Error = 0x…`, `exit(0x…)`.
    Labelled,
    /// By the macro it comes from: `HRESULT_FROM_WIN32(1009)`, `NTSTATUS_FROM_WIN32(1009)`.
    Macro,
    /// By name alone: `STATUS_SHARING_VIOLATION`.
    Name,
    /// The last error of the thread, `[gle=0x…]`, which may be older than the failure.
    LastError,
    /// A number that only its own form shows to be a code, hexadecimal or decimal.
    Bare,
}

/// A code in a line of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedCode {
    /// The code as HRESULT: Win32 1009 is `0x800703F1`.
    pub hresult: u32,
    /// How the line writes it.
    pub notation: Notation,
}

impl LoggedCode {
    /// Whether it is a failure that matters: see [`is_failure`].
    pub fn is_failure(self) -> bool {
        is_failure(self.hresult)
    }
}

/// Success, and success that takes a restart (Win32 3010 and 3011).
const RESTART: [u32; 2] = [0x8007_0BC2, 0x8007_0BC3];

/// Whether an HRESULT is a failure: neither a success code nor one of the codes that ask for a restart.
pub fn is_failure(code: u32) -> bool {
    hresult::is_failure(code) && !RESTART.contains(&code)
}

/// Whether an HRESULT says that a restart is needed to go on, be it a success or not (Win32 3010, 3011, 3017, 3018).
pub fn asks_for_restart(code: u32) -> bool {
    RESTART.contains(&code) || matches!(code, 0x8007_0BC9 | 0x8007_0BCA)
}

/// The code that `text` is about, success codes included; `None` where it has none.
pub fn find_code(text: &str) -> Option<LoggedCode> {
    let mut best: Option<LoggedCode> = None;
    let mut take = |hresult: u32, notation: Notation| {
        if best.is_none_or(|best| notation < best.notation) {
            let hresult = hresult::canonical(hresult);
            best = Some(LoggedCode { hresult, notation });
        }
    };
    let bytes = text.as_bytes();
    let mut names = NAMES;
    let mut at = 0;
    while let Some(word) = next_word(bytes, at) {
        at = word.end;
        let token = text.get(word.clone()).unwrap_or_default();
        let before = text.get(..word.start).unwrap_or_default();
        if let Some(digits) = strip_hex_prefix(token) {
            let Some(value) = hex(digits) else { continue };
            match label(before) {
                Some(notation) => take(value, notation),
                None if is_error_form(value) && digits.len() == 8 && !before.ends_with('@') => {
                    take(value, Notation::Bare);
                }
                None => {}
            }
        } else if token.ends_with("_FROM_WIN32") || token == "HRESULT_FROM_NT" {
            if let Some(value) = argument(text.get(word.end..).unwrap_or_default()) {
                take(value, Notation::Macro);
            }
        } else if token.len() == 8 && label(before) == Some(Notation::Labelled) {
            // ErrorCode: 8007007e, exit(00000000)
            if let Some(value) = hex(token) {
                take(value, Notation::Labelled);
            }
        } else if let Some(value) = decimal(token, before) {
            take(value, Notation::Bare);
        } else if names > 0 && is_name(token) {
            names -= 1;
            if let Some(value) = hresult::number(token) {
                take(value, Notation::Name);
            }
        }
    }
    best
}

/// Names looked up in a line at most: a line has one or two, a hostile one thousands.
const NAMES: u32 = 8;
/// Longer words are no names of codes.
const LONGEST_NAME: usize = 80;

/// The next run of letters, digits and underscores from `at` on.
fn next_word(bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let rest = bytes.get(at..)?;
    let start = at + rest.iter().position(is_word)?;
    let rest = bytes.get(start..)?;
    let len = rest.iter().position(|byte| !is_word(byte));
    Some(start..start + len.unwrap_or(rest.len()))
}

fn strip_hex_prefix(token: &str) -> Option<&str> {
    token
        .strip_prefix("0x")
        .or_else(|| token.strip_prefix("0X"))
}

fn hex(digits: &str) -> Option<u32> {
    let is_number = (1..=8).contains(&digits.len());
    is_number.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// What the end of `before` says about the number behind it.
fn label(before: &str) -> Option<Notation> {
    let before = before.trim_end();
    if before.ends_with("gle=") {
        return Some(Notation::LastError);
    }
    let bare = before
        .strip_suffix(['=', ':', '('])
        .map_or(before, str::trim_end);
    let word = bare
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let marked = bare.len() < before.len();
    let known = match word {
        "HRESULT" | "hr" | "HR" | "status" | "Status" | "result" | "Result" | "ErrorCode"
        | "exit" | "FAILURE" | "Err" | "err" => marked,
        "Error" | "error" => true,
        _ => false,
    };
    known.then_some(Notation::Labelled)
}

/// The argument of a macro: `(1009)`, `(0x3f1)`, `(ERROR_BADDB)`, `(STATUS_…)`.
fn argument(rest: &str) -> Option<u32> {
    let inner = rest.strip_prefix('(')?;
    let inner = inner.get(..inner.find(')')?)?.trim();
    if let Some(digits) = strip_hex_prefix(inner) {
        return hex(digits);
    }
    if let Ok(value) = inner.parse::<u32>() {
        return Some(value);
    }
    (inner.len() <= LONGEST_NAME).then(|| hresult::number(inner))?
}

/// An HRESULT of a family that logs are known to hold.
fn is_error_form(value: u32) -> bool {
    matches!(value >> 16, 0x8000..=0x80FF | 0xC000..=0xC0FF | 0xD000..=0xD0FF | 0xE000)
}

/// `2147942402`, or `-2147024894` whose sign ends `before`.
fn decimal(token: &str, before: &str) -> Option<u32> {
    let value = (token.len() == 10)
        .then(|| token.parse::<i64>().ok())?
        .filter(|_| !before.ends_with(['.', '~']))?;
    let value = if before.ends_with('-') {
        -value as u32
    } else {
        u32::try_from(value).ok()?
    };
    (value >> 24 == 0x80).then_some(value)
}

/// `ERROR_…`, `STATUS_…`, `E_…`, `CBS_E_…`: words of capitals with an underscore.
fn is_name(token: &str) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (4..=LONGEST_NAME).contains(&token.len())
        && token.contains('_')
        && token.bytes().all(capital)
        && token
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_uppercase())
}

/// A decimal Win32 result as `INSTALL index` lines have it; a sign makes it an HRESULT.
pub(super) fn win32_result(text: &str) -> Option<u32> {
    let value = match text.strip_prefix('-') {
        Some(digits) => digits.parse::<u32>().ok()?.wrapping_neg(),
        None => match strip_hex_prefix(text) {
            Some(digits) => hex(digits)?,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        },
    };
    Some(hresult::canonical(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<u32> {
        find_code(text).map(|code| code.hresult)
    }

    #[test]
    fn every_notation_of_the_logs() {
        for (text, expected) in [
            (
                "x [HRESULT = 0x800f0922 - CBS_E_INSTALLERS_FAILED]",
                0x800F_0922,
            ),
            ("x [HRESULT = 0x800f0805]", 0x800F_0805),
            ("x [HRESULT = 0x80070490 – ERROR_NOT_FOUND]", 0x8007_0490),
            ("new state: Staged  hr = 0x0", 0),
            ("Failed processing queue with hr: 0x800705aa", 0x8007_05AA),
            ("DpxException hr=0x80070002 code=0x020109", 0x8007_0002),
            (
                "package: P~x, status: 0x8007000d, failure source: DOQ",
                0x8007_000D,
            ),
            (
                "Doqe: Recording result: 0x800703f1, for Inf: oposdrv.inf",
                0x8007_03F1,
            ),
            ("HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)", 0x8007_0002),
            ("HRESULT_FROM_WIN32(1753)", 0x8007_06D9),
            ("NTSTATUS_FROM_WIN32(1009)", 0x8007_03F1),
            ("HRESULT_FROM_NT(STATUS_SHARING_VIOLATION)", 0xD000_0043),
            ("(F) STATUS_REQUEST_OUT_OF_SEQUENCE from x", 0xD000_042A),
            ("from Internal(...)[gle=0x80070308]", 0x8007_0308),
            ("[gle=0xd000042a]", 0xD000_042A),
            ("ErrorCode: 8007007e ERROR_MOD_NOT_FOUND", 0x8007_007E),
            ("{Stage Driver Package: exit(0xe0000247)}", 0x800F_0247),
            ("{Setup Import - exit (0xe0000247)}", 0x800F_0247),
            ("{x exit(00000000)}", 0),
            (
                "driver update '...\\a.inf'. Error = 0x00000003",
                0x8007_0003,
            ),
            ("Error 0xe0000247: A problem was encountered", 0x800F_0247),
            ("device ROOT\\MPIO\\0001. HRESULT = 0x800f0207", 0x800F_0207),
            ("FAILURE(0x00000207)", 0x8007_0207),
            ("it ended with 2147942402", 0x8007_0002),
            ("it ended with -2147024894.", 0x8007_0002),
            ("driver queue: 0x80070005 (E_ACCESSDENIED)", 0x8007_0005),
            ("driver queue: E_ACCESSDENIED", 0x8007_0005),
            ("[HRESULT = 0x80070057 - E_INVALIDARG]", 0x8007_0057),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_code_that_says_most() {
        let text = "(F) HRESULT_FROM_WIN32(1009) #45504955# from Internal(...)[gle=0x80004005]";
        let found = find_code(text).unwrap();
        assert_eq!(
            (found.hresult, found.notation),
            (0x8007_03F1, Notation::Macro)
        );
        let text =
            "Installer: HTTP ({guid}) with HRESULT HRESULT_FROM_WIN32(1058).  [gle=0x80004005]";
        assert_eq!(code(text), Some(0x8007_0422));
        assert_eq!(
            code("E_FAIL was 0x8007000d [HRESULT = 0x80070490]"),
            Some(0x8007_0490)
        );
    }

    #[test]
    fn what_is_no_code() {
        for text in [
            "",
            "Disposition from Analyze: 0x1",
            "Signer Score  = 0x0D000003 (Inbox)",
            "called (stack @0x7ffd497360e5 @0x80070005)",
            "Session: 31033558_2766032457 initialized by client X",
            "Package_for_KB3021128~31bf3856ad364e35~amd64~~6.3.1.0",
            "10.0.2147942402",
            "Rank         - 0x00ff0000",
            "HRESULT_FROM_WIN32(",
            "HRESULT_FROM_WIN32(NO_SUCH_NAME)",
            "READ_ONLY FILE_SHARE",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn results_of_packages() {
        assert_eq!(win32_result("1009"), Some(0x8007_03F1));
        assert_eq!(win32_result("0"), Some(0));
        assert_eq!(win32_result("-2147024894"), Some(0x8007_0002));
        assert_eq!(win32_result("0x800703f1"), Some(0x8007_03F1));
        assert_eq!(win32_result("3758096967"), Some(0x800F_0247));
        for bad in ["", "x", "1x", "99999999999", "-", "+1", "0x"] {
            assert_eq!(win32_result(bad), None, "{bad}");
        }
    }

    #[test]
    fn restarts_are_no_failures() {
        assert!(!is_failure(0) && !is_failure(1));
        assert!(!is_failure(0x8007_0BC2) && !is_failure(0x8007_0BC3));
        assert!(is_failure(0x8007_03F1) && is_failure(0xD000_0043));
        assert!(asks_for_restart(0x8007_0BC9) && is_failure(0x8007_0BC9));
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,80}", mixed in "[ =:(\\[\\])0-9a-fxA-F_@-]{0,60}") {
            find_code(&text);
            find_code(&mixed);
            win32_result(&text);
        }
    }
}
