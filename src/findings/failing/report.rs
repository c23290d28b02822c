//! Failing operations in `findings.json`.

use super::code::CodeMatch;
use crate::lang::Message;
use crate::trace::{Filetime, Phase};
use serde::Serialize;

/// An operation of servicing that may be the one that failed.
#[derive(Debug, Clone, Serialize)]
pub struct FailingOperation {
    /// When it began.
    pub time: Filetime,
    /// In which file.
    pub input: String,
    /// Index of the record in that file, from 0.
    pub event: u64,
    /// Operation.
    pub operation: &'static str,
    /// Path.
    pub path: String,
    /// Target of a rename or link, file of a hive that is loaded.
    pub target_path: Option<String>,
    /// Result as Procmon prints it.
    pub result: String,
    /// NTSTATUS, as `0xc000014c`.
    pub status: String,
    /// Process.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// From its end to the logged failure, microseconds; negative where the log is earlier (its clock is coarser).
    pub before_failure_us: Option<f64>,
    /// How its result fits the logged code.
    pub code_match: CodeMatch,
    /// Whether path or target are of the INF that the log names.
    pub inf_path: bool,
    /// Whether its thread worked on that INF.
    pub inf_thread: bool,
    /// Whether it is the last before the failure whose result fits as well as this one's.
    pub last_before_failure: bool,
    /// How often the same process failed so on the same path.
    pub repeats: u64,
    /// What touched the same object before, latest first: other processes, third-party drivers, and what was refused.
    pub touched_before: Vec<TouchBefore>,
}

/// What an earlier touch was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The path of the failing operation.
    Path,
    /// Its target path.
    Target,
    /// The file of the driver database's hive, or one of its logs.
    HiveFile,
}

/// Something that touched the object of a failing operation before it failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TouchBefore {
    /// When it began.
    pub time: Filetime,
    /// In which file.
    pub input: String,
    /// Index of the record in that file, from 0.
    pub event: u64,
    /// What it was on.
    pub relation: Relation,
    /// Operation; of a callback, the major function it was called for.
    pub operation: &'static str,
    /// Which callback of a minifilter it was; `null` for operations.
    pub callback: Option<Phase>,
    /// Path.
    pub path: String,
    /// Result as Procmon prints it.
    pub result: Option<String>,
    /// NTSTATUS.
    pub status: Option<String>,
    /// Whether it ended in a result that is not benign.
    pub refused: bool,
    /// Process.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// Company of the process.
    pub company: Option<String>,
    /// Whether the process is a third party's (by company).
    pub third_party: bool,
    /// Third-party drivers on the stack, or the filter whose callback it is.
    pub drivers: Vec<String>,
}

/// Why no operation is named, or what to know of those that are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailingNote {
    /// In short.
    pub text: Message,
    /// What could explain it.
    pub reasons: Vec<Message>,
}
