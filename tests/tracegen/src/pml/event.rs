//! One event as a test means it.

use super::{Op, ProcId};
use serde::Serialize;

/// An event to write. Times are FILETIMEs, durations counts of 100 ns.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// The acting process.
    pub process: ProcId,
    /// Thread id.
    pub tid: u32,
    /// Start, FILETIME (UTC). A real log is in non-decreasing order; the writer takes any.
    pub time: u64,
    /// Duration in 100 ns; garbage in real logs where the status is 0x103.
    pub duration: u64,
    /// NTSTATUS.
    pub status: u32,
    /// Return addresses, innermost first; at most 65,535.
    pub stack: Vec<u64>,
    /// What was done.
    pub op: Op,
}
