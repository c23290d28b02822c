//! Sampled profile (0x0F2E) and its interval (0x0F49, 0x0F4A).

use super::{Identity, perf_info, system};
use crate::etl::bytes::Out;
use serde::Serialize;

/// An event of the profiler.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Profile<'a> {
    /// 0x0F2E.
    Sample {
        /// Instruction.
        instruction: u64,
        /// Thread; 0 is the idle thread.
        tid: u32,
        /// Samples this stands for.
        count: u16,
    },
    /// 0x0F49, 0x0F4A.
    Interval {
        /// At the end of the session.
        end: bool,
        /// Interval in 100 ns.
        interval: u32,
        /// Name of the source.
        source: &'a str,
    },
}

impl Profile<'_> {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::Sample { .. } => perf_info(0x0F2E, 2),
            Self::Interval { end, .. } => system(0x0F49 + u16::from(*end), 3),
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        match self {
            Self::Sample {
                instruction,
                tid,
                count,
            } => {
                out.ptr(*instruction);
                out.u32(*tid);
                out.u16(*count);
                // Flags with the priority above bit 3, rank.
                out.u8(8 << 3);
                out.u8(0);
            }
            Self::Interval {
                interval, source, ..
            } => {
                out.u32(0);
                out.u32(*interval);
                out.u32(*interval);
                out.wide(source);
            }
        }
    }
}
