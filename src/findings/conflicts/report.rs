//! Conflicts in `findings.json`.

use super::access::Rights;
use crate::lang::Message;
use crate::trace::Filetime;
use serde::Serialize;

/// An object that servicing was refused because somebody had it open.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// Path, as in the first refusal.
    pub path: String,
    /// Result as Procmon prints it.
    pub result: String,
    /// NTSTATUS.
    pub status: String,
    /// How often servicing was refused so.
    pub refusals: u64,
    /// The first time.
    pub first: Filetime,
    /// The last time.
    pub last: Filetime,
    /// The first refusal.
    pub victim: Victim,
    /// Who had it open, most telling first.
    pub holders: Vec<Holder>,
    /// Who marked the file for deletion, where that was seen.
    pub deleted_by: Option<Deleter>,
    /// What to know where nobody is named.
    pub note: Option<Message>,
}

/// A refused operation.
#[derive(Debug, Clone, Serialize)]
pub struct Victim {
    /// When it began.
    pub time: Filetime,
    /// In which file.
    pub input: String,
    /// Index of the record in that file, from 0.
    pub event: u64,
    /// Operation.
    pub operation: &'static str,
    /// Target of a rename or link.
    pub target_path: Option<String>,
    /// Process: of servicing, or System, which loads hives.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// Desired access mask, of a create; `null` where the trace does not hold it.
    pub access: Option<String>,
    /// What of reading, writing and deleting it asked for.
    pub rights: Option<Rights>,
    /// What it would have shared, of a create.
    pub share: Option<Rights>,
}

/// How sure it is that an open file stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Access and share modes of both do not go together; or, of a file that is deleted or mapped, that it was open.
    Certain,
    /// The share modes allow it; the access is not known.
    Possible,
}

/// Who had the object open.
#[derive(Debug, Clone, Serialize)]
pub struct Holder {
    /// `process`, or `driver` where a third-party driver opened it in System.
    pub kind: &'static str,
    /// Process.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
    /// Company: of the driver, where it is one.
    pub company: Option<String>,
    /// Whether it is a third party's.
    pub third_party: bool,
    /// The driver that opened it.
    pub driver: Option<String>,
    /// Name it was opened by, where that is another one.
    pub other_path: Option<String>,
    /// Record of the open.
    pub event: u64,
    /// In which file.
    pub input: String,
    /// Desired access mask; `null` where the trace does not hold it.
    pub access: Option<String>,
    /// What of reading, writing and deleting it may do.
    pub rights: Option<Rights>,
    /// What it shares.
    pub share: Rights,
    /// Since when.
    pub since: Filetime,
    /// Until its last handle was closed; `null` where that was not seen.
    pub until: Option<Filetime>,
    /// Whether a section of it was made: it outlives the handle.
    pub mapped: bool,
    /// How sure it is.
    pub certainty: Certainty,
    /// What servicing asked for and the holder does not share.
    pub not_shared: Rights,
    /// What the holder has and servicing did not want to share.
    pub not_tolerated: Rights,
}

/// Who marked a file for deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleter {
    /// When.
    pub time: Filetime,
    /// Process.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
}
