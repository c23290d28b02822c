//! One record as a test means it.

use super::event::Event;
use crate::pml::Bits;
use serde::Serialize;

/// Process or thread id of a record that nobody in particular caused.
pub const NOBODY: u32 = u32::MAX;

/// Kinds of headers a kernel event can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum HeaderKind {
    /// 32 bytes, with process, thread and CPU times.
    System,
    /// 24 bytes, with process and thread. Not met in real files.
    Compact,
    /// 16 bytes, a time and nothing else.
    PerfInfo,
    /// 48 bytes, with the class GUID instead of the hook.
    Full,
}

/// A record: an event, when, where, and by whom.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// CPU whose buffers it goes to.
    pub cpu: u16,
    /// FILETIME.
    pub time: u64,
    /// Process; [`NOBODY`] is written as it is.
    pub pid: u32,
    /// Thread that runs, whether the header tells it or not.
    pub tid: u32,
    /// What happened.
    pub event: Event<'a>,
    /// Another kind of header than the usual one of a kernel event.
    pub header: Option<HeaderKind>,
    /// Another pointer size than the session's, as programs under WOW64 have.
    pub bits: Option<Bits>,
}

impl<'a> Record<'a> {
    /// A record of nobody.
    pub fn new(cpu: u16, time: u64, event: Event<'a>) -> Self {
        Self {
            cpu,
            time,
            pid: NOBODY,
            tid: NOBODY,
            event,
            header: None,
            bits: None,
        }
    }

    /// Sets process and thread.
    pub fn by(self, pid: u32, tid: u32) -> Self {
        Self { pid, tid, ..self }
    }

    /// Sets the kind of the header.
    pub fn with_header(self, kind: HeaderKind) -> Self {
        Self {
            header: Some(kind),
            ..self
        }
    }

    /// Sets the pointer size.
    pub fn with_bits(self, bits: Bits) -> Self {
        Self {
            bits: Some(bits),
            ..self
        }
    }
}
