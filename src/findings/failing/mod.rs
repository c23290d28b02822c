//! The operation that failed: from the failure that logs name back to what the trace shows.

mod code;
mod note;
mod pick;
mod report;

pub use code::{Candidates, CodeMatch};
pub use note::{Missing, note};
pub use pick::{Chosen, Failed, Picker};
pub use report::{FailingNote, FailingOperation, Relation, TouchBefore};

use crate::trace::Filetime;

/// What logs say of the failure, as far as they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailureHint {
    /// The code, in any notation that logs have (HRESULT, Win32).
    pub code: Option<u32>,
    /// When it was recorded.
    pub time: Option<Filetime>,
    /// The driver package's INF, as `oposdrv.inf`.
    pub inf: Option<String>,
}
