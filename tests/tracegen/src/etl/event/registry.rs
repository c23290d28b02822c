//! Registry operations (0x090A to 0x091D), version 2. A record is written when the operation has ended.

use crate::etl::Clock;
use crate::etl::bytes::Out;
use serde::Serialize;

/// A registry operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum RegistryOp {
    /// Create key.
    Create = 10,
    /// Open key.
    Open,
    /// Delete key.
    Delete,
    /// Query key.
    Query,
    /// Set value.
    SetValue,
    /// Delete value.
    DeleteValue,
    /// Query value.
    QueryValue,
    /// Enumerate key.
    EnumerateKey,
    /// Enumerate value.
    EnumerateValue,
    /// Query multiple values.
    QueryMultipleValue,
    /// Set information.
    SetInformation,
    /// Flush.
    Flush,
    /// A key control block begins.
    KcbCreate,
    /// A key control block ends.
    KcbDelete,
    /// A key control block that was there when the session began.
    KcbRundownBegin,
    /// A key control block that is there when the session ends.
    KcbRundownEnd,
    /// Virtualize.
    Virtualize,
    /// Close key.
    Close,
    /// Set security.
    SetSecurity,
    /// Query security.
    QuerySecurity,
}

impl RegistryOp {
    pub(super) fn hook(self) -> u16 {
        0x0900 | self as u16
    }
}

/// A registry record.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Registry<'a> {
    /// Operation.
    pub op: RegistryOp,
    /// FILETIME of its start, written as a clock value; none in records of key control blocks.
    pub initial: Option<u64>,
    /// NTSTATUS.
    pub status: u32,
    /// Information class or position.
    pub index: u32,
    /// Key control block; 0 where the name is absolute.
    pub kcb: u64,
    /// Path below it, value name, or full path.
    pub name: &'a str,
}

impl Registry<'_> {
    pub(super) fn payload(&self, out: &mut Out, clock: &Clock) {
        out.i64(self.initial.map_or(0, |time| clock.ticks(time)));
        out.u32(self.status);
        out.u32(self.index);
        out.ptr(self.kcb);
        out.wide(self.name);
    }
}
