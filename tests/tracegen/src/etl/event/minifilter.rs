//! Minifilter callbacks (0x0460 to 0x0465). No public file has any: lengths and fields follow the event
//! classes of Windows' own repository.

use super::{Identity, perf_info, system};
use crate::etl::Clock;
use crate::etl::bytes::Out;
use serde::Serialize;

/// Before or after the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// Pre-operation.
    Pre,
    /// Post-operation.
    Post,
}

/// What is told of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CallbackEvent {
    /// It begins.
    Init,
    /// It returned; it had begun at this FILETIME.
    Completion {
        /// FILETIME, written as a clock value.
        initial: u64,
    },
    /// It ended the operation with this NTSTATUS.
    Failure {
        /// NTSTATUS.
        status: u32,
    },
}

/// An event of a callback.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Callback {
    /// Phase.
    pub phase: Phase,
    /// What happened.
    pub event: CallbackEvent,
    /// Address of the callback routine.
    pub routine: u64,
    /// File object.
    pub object: u64,
    /// File key; 0 before a create.
    pub context: u64,
    /// The IRP, which is not what file operations call so.
    pub irp: u64,
    /// Callback data: the request of the file operation.
    pub data: u64,
    /// Major function as an unsigned byte: those of the filter manager itself are 0xEC and above.
    pub major: u32,
}

impl Callback {
    pub(super) fn identity(&self, version: u8) -> Identity {
        let post = u16::from(self.phase == Phase::Post);
        match self.event {
            CallbackEvent::Init => system(0x0460 + post, version),
            CallbackEvent::Completion { .. } => perf_info(0x0462 + post, version),
            CallbackEvent::Failure { .. } => system(0x0464 + post, version),
        }
    }

    pub(super) fn payload(&self, out: &mut Out, clock: &Clock) {
        if let CallbackEvent::Completion { initial } = self.event {
            out.i64(clock.ticks(initial));
        }
        for pointer in [self.routine, self.object, self.context, self.irp, self.data] {
            out.ptr(pointer);
        }
        out.u32(self.major);
        if let CallbackEvent::Failure { status } = self.event {
            out.u32(status);
        }
    }
}
