//! Conflicts: who had an object open when servicing was refused.
//!
//! A refusal is computed, not guessed from time alone: with access and share modes of both sides, over all names of the
//! file. An ACCESS DENIED is no conflict: share modes never end in it.

mod access;
mod handles;
mod judge;
mod report;
mod tracker;

pub use access::Rights;
pub use report::{Certainty, Conflict, Holder};
pub use tracker::{Step, Tracker};

/// SHARING VIOLATION.
const SHARING_VIOLATION: u32 = 0xC000_0043;
/// DELETE PENDING.
const DELETE_PENDING: u32 = 0xC000_0056;
/// DIRECTORY NOT EMPTY.
pub const DIRECTORY_NOT_EMPTY: u32 = 0xC000_0101;
/// CANNOT DELETE.
const CANNOT_DELETE: u32 = 0xC000_0121;
/// USER MAPPED FILE.
const USER_MAPPED_FILE: u32 = 0xC000_0243;

/// Whether a result says that somebody has the object open.
pub fn is_conflict(status: u32) -> bool {
    matches!(
        status,
        SHARING_VIOLATION | DELETE_PENDING | DIRECTORY_NOT_EMPTY | CANNOT_DELETE | USER_MAPPED_FILE
    )
}
