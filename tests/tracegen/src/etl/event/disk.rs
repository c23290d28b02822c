//! Disk reads and writes (0x010A to 0x010D), version 3.

use super::{Identity, perf_info, system};
use crate::etl::Clock;
use crate::etl::bytes::Out;
use serde::Serialize;

/// A disk event.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Disk {
    /// 0x010C, 0x010D: it begins, on the thread of the record.
    Init {
        /// A write.
        write: bool,
        /// IRP.
        irp: u64,
        /// Thread.
        tid: u32,
    },
    /// 0x010A, 0x010B: it ended.
    Done {
        /// A write.
        write: bool,
        /// IRP flags.
        flags: u32,
        /// Bytes.
        bytes: u32,
        /// Offset on the disk.
        offset: u64,
        /// File key.
        key: u64,
        /// IRP.
        irp: u64,
        /// 100 ns since its start, written in ticks.
        response: u64,
        /// Thread that began it.
        tid: u32,
    },
}

impl Disk {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::Init { write, .. } => system(0x010C + u16::from(*write), 3),
            Self::Done { write, .. } => perf_info(0x010A + u16::from(*write), 3),
        }
    }

    pub(super) fn payload(&self, out: &mut Out, clock: &Clock) {
        match self {
            Self::Init { irp, tid, .. } => {
                out.ptr(*irp);
                out.u32(*tid);
            }
            Self::Done {
                flags,
                bytes,
                offset,
                key,
                irp,
                response,
                tid,
                ..
            } => {
                out.u32(0);
                out.u32(*flags);
                out.u32(*bytes);
                out.u32(0);
                out.u64(*offset);
                out.ptr(*key);
                out.ptr(*irp);
                out.u64(clock.length(*response));
                out.u32(*tid);
            }
        }
    }
}
