//! Which results of operations a logged code may come from.

use crate::codes::{hresult, translate};
use serde::Serialize;

/// How a result fits the logged code, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeMatch {
    /// No other result becomes this code.
    Exact,
    /// One of several results that become this code.
    Family,
    /// Becomes another code of the same kind: logged codes have sometimes been translated twice.
    Related,
    /// No code is known: it is an error that is no part of normal work.
    Unknown,
}

/// Win32 codes that stand for the same trouble, by the words of servicing logs.
const KINDS: [&[u32]; 5] = [
    // Refused, held open, marked for deletion, mapped.
    &[5, 32, 33, 145, 303, 1224],
    // The registry's.
    &[1009, 1010, 1015, 1016, 1017, 1018],
    // Not there.
    &[2, 3],
    // Transactions and their logs.
    &[6628, 6700, 6701, 6704, 6705, 6800, 6833],
    // Damage on the disk, or what a scanner took away.
    &[23, 225, 226, 1117, 1392],
];

/// The results that a logged code may come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Results that become the code, ascending.
    statuses: Vec<u32>,
    /// Results that become a code of its kind, ascending.
    related: Vec<u32>,
}

impl Candidates {
    /// For a code in any notation that logs have.
    pub fn of(code: u32) -> Self {
        let mut statuses = hresult::ntstatus_candidates(code);
        statuses.sort_unstable();
        statuses.dedup();
        let win32 = hresult::win32_of(code);
        let kind = KINDS
            .iter()
            .find(|kind| win32.is_some_and(|code| kind.contains(&code)));
        let mut related: Vec<u32> = kind
            .into_iter()
            .flat_map(|kind| kind.iter())
            .flat_map(|code| translate::statuses_of_win32(*code))
            .filter(|status| statuses.binary_search(status).is_err())
            .collect();
        related.sort_unstable();
        related.dedup();
        Self { statuses, related }
    }

    /// Whether no result of an operation becomes the code.
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty()
    }

    /// How a result fits.
    pub fn fits(&self, status: u32) -> Option<CodeMatch> {
        if self.statuses.binary_search(&status).is_ok() {
            return Some(match self.statuses.len() {
                1 => CodeMatch::Exact,
                _ => CodeMatch::Family,
            });
        }
        let related = self.related.binary_search(&status).is_ok();
        related.then_some(CodeMatch::Related)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: u32 = 0xC000_0022;
    const SHARING: u32 = 0xC000_0043;
    const CORRUPT: u32 = 0xC000_014C;

    #[test]
    fn the_reference_case() {
        let candidates = Candidates::of(0x8007_03F1);
        assert_eq!(candidates.fits(CORRUPT), Some(CodeMatch::Exact));
        assert_eq!(candidates.fits(0xC000_014D), Some(CodeMatch::Related));
        assert_eq!(candidates.fits(0xC000_017C), Some(CodeMatch::Related));
        assert_eq!(candidates.fits(DENIED), None);
        assert_eq!(Candidates::of(1009), candidates);
    }

    #[test]
    fn a_family_and_its_kin() {
        let denied = Candidates::of(0x8007_0005);
        assert_eq!(denied.fits(DENIED), Some(CodeMatch::Family));
        assert_eq!(denied.fits(0xC000_0056), Some(CodeMatch::Family));
        assert_eq!(denied.fits(0xC000_0121), Some(CodeMatch::Family));
        assert_eq!(denied.fits(SHARING), Some(CodeMatch::Related));
        assert_eq!(denied.fits(CORRUPT), None);
        let sharing = Candidates::of(0xD000_0043);
        assert_eq!(sharing.fits(SHARING), Some(CodeMatch::Exact));
        assert_eq!(sharing.fits(DENIED), Some(CodeMatch::Related));
    }

    #[test]
    fn some_codes_come_from_no_operation() {
        for code in [0x800F_0922, 0x8007_000D, 0] {
            let candidates = Candidates::of(code);
            assert!(candidates.related.is_empty(), "{code:#x}");
            assert_eq!(candidates.fits(SHARING), None);
        }
        assert!(Candidates::of(0x800F_0922).is_empty());
    }
}
