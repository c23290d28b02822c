//! What counts: scope, observers, benign results and the delay bound, as built in or by a rules file.

use super::scope::Scope;
use crate::codes::procmon::status_of;
use crate::drivers::Observers;
use globset::{GlobBuilder, GlobSetBuilder};
use serde::Deserialize;
use std::path::Path;

/// Results that say nothing about interference, beside every NTSTATUS of severity success or informational.
const BENIGN: [u32; 17] = [
    0x8000_0005, // BUFFER OVERFLOW
    0x8000_0006, // NO MORE FILES
    0x8000_001A, // NO MORE ENTRIES
    0xC000_000D, // INVALID PARAMETER
    0xC000_000F, // NO SUCH FILE
    0xC000_0010, // INVALID DEVICE REQUEST
    0xC000_0011, // END OF FILE
    0xC000_0023, // BUFFER TOO SMALL
    0xC000_0034, // NAME NOT FOUND
    0xC000_0035, // NAME COLLISION
    0xC000_003A, // PATH NOT FOUND
    0xC000_0052, // NO EAS ON FILE
    0xC000_00BA, // IS DIRECTORY
    0xC000_0120, // CANCELLED
    0xC000_0273, // NO MORE MATCHES
    0xC000_0275, // NOT REPARSE POINT
    0xC01C_0004, // FAST IO DISALLOWED
];

/// The rules of an analysis.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Paths that count.
    pub scope: Scope,
    /// Drivers that only watch.
    pub observers: Observers,
    /// Duration from which a touch is a delay, in 100 ns.
    pub delay_ticks: u64,
    benign: Vec<u32>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            scope: Scope::default(),
            observers: Observers::default(),
            delay_ticks: 10_000_000,
            benign: sorted(BENIGN.to_vec()),
        }
    }
}

fn sorted(mut statuses: Vec<u32>) -> Vec<u32> {
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Why a rules file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not the TOML that is expected.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: String,
        /// What is wrong, with the line.
        message: String,
    },
    /// A pattern is no glob.
    #[error("{path}: {source}")]
    Glob {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A benign result that is neither a name nor a number.
    #[error(
        "{path}: benign result '{text}' is neither a result as Procmon prints it (DELETE PENDING) nor an NTSTATUS (0xC0000056)"
    )]
    Result {
        /// The file.
        path: String,
        /// The text.
        text: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default = "yes")]
    extend: bool,
    delay_ms: Option<u64>,
    #[serde(default)]
    scope: ScopeTable,
    #[serde(default)]
    observers: ObserversTable,
    #[serde(default)]
    benign: BenignTable,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeTable {
    file: Option<Vec<String>>,
    registry: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObserversTable {
    drivers: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BenignTable {
    results: Option<Vec<String>>,
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    /// [`RulesError`], with the file and what is wrong.
    pub fn read(path: &Path) -> Result<Self, RulesError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| RulesError::Read {
            path: name.clone(),
            source,
        })?;
        Self::parse(&text, &name)
    }

    /// Reads rules from TOML text; `name` is what errors call it.
    ///
    /// # Errors
    /// [`RulesError`], with the file and what is wrong.
    pub fn parse(text: &str, name: &str) -> Result<Self, RulesError> {
        let path = || name.to_owned();
        let file: RulesFile = toml::from_str(text).map_err(|error| RulesError::Parse {
            path: path(),
            message: error.to_string(),
        })?;
        let glob_error = |source| RulesError::Glob {
            path: path(),
            source,
        };
        let mut rules = Self {
            scope: Scope::new(
                file.extend,
                file.scope.file.as_deref(),
                file.scope.registry.as_deref(),
            )
            .map_err(glob_error)?,
            ..Self::default()
        };
        if let Some(patterns) = file.observers.drivers {
            let mut set = GlobSetBuilder::new();
            for pattern in &patterns {
                set.add(
                    GlobBuilder::new(pattern)
                        .case_insensitive(true)
                        .backslash_escape(false)
                        .build()
                        .map_err(glob_error)?,
                );
            }
            rules.observers.names = set.build().map_err(glob_error)?;
            rules.observers.builtin = file.extend;
        }
        if let Some(texts) = file.benign.results {
            let mut statuses = if file.extend {
                rules.benign
            } else {
                Vec::new()
            };
            for text in texts {
                let found = status_of(&text);
                if found.is_empty() {
                    return Err(RulesError::Result { path: path(), text });
                }
                statuses.extend(found);
            }
            rules.benign = sorted(statuses);
        }
        if let Some(delay) = file.delay_ms {
            rules.delay_ticks = delay.saturating_mul(10_000);
        }
        Ok(rules)
    }

    /// Whether a result says nothing about interference. No result (still pending) says nothing either.
    #[inline]
    pub fn is_benign(&self, status: Option<u32>) -> bool {
        // The top two bits are the severity: 0 success, 1 informational.
        status.is_none_or(|status| status >> 30 < 2 || self.benign.binary_search(&status).is_ok())
    }

    /// Whether a finished operation was slow; one that waits by nature never is.
    #[inline]
    pub fn is_delay(&self, duration: Option<u64>, waits: bool) -> bool {
        !waits && duration.is_some_and(|ticks| ticks >= self.delay_ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_benign_by_default() {
        let rules = Rules::default();
        for text in [
            "SUCCESS",
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
        ] {
            let statuses = status_of(text);
            assert!(!statuses.is_empty(), "{text}");
            for status in statuses {
                assert!(rules.is_benign(Some(status)), "{text} {status:#x}");
            }
        }
        assert!(rules.is_benign(None));
        for status in [
            0xC000_0022,
            0xC000_0043,
            0xC000_014C,
            0xC000_0056,
            0xC000_0121,
            0x8000_0002,
        ] {
            assert!(!rules.is_benign(Some(status)), "{status:#x}");
        }
    }

    #[test]
    fn a_rules_file_extends_or_replaces() {
        let more = Rules::parse(
            "delay_ms = 5\n[benign]\nresults = ['DELETE PENDING', '0xC0000043']\n[observers]\ndrivers = ['watch*.sys']",
            "r.toml",
        )
        .unwrap();
        assert!(more.is_benign(Some(0xC000_0056)) && more.is_benign(Some(0xC000_0043)));
        assert!(more.is_benign(Some(0xC000_0034)));
        assert!(more.is_delay(Some(50_000), false) && !more.is_delay(Some(49_999), false));
        assert!(!more.is_delay(Some(u64::MAX), true));
        assert!(more.observers.builtin && more.observers.names.is_match("WatchDog.SYS"));
        let only = Rules::parse(
            "extend = false\n[benign]\nresults = ['DELETE PENDING']",
            "r",
        )
        .unwrap();
        assert!(!only.is_benign(Some(0xC000_0034)) && only.is_benign(Some(0)));
        assert!(only.observers.builtin);
    }

    #[test]
    fn errors_name_the_file_and_the_fault() {
        let message = |text| Rules::parse(text, "r.toml").unwrap_err().to_string();
        assert!(message("dely_ms = 3").contains("dely_ms"));
        assert!(message("[benign]\nresults = ['NO SUCH RESULT']").contains("NO SUCH RESULT"));
        assert!(message("[scope]\nfile = ['a{b']").starts_with("r.toml: "));
    }
}
