//! Group 0: the trace header, and what the kernel logger was told to record.

use super::{Identity, perf_info, system};
use crate::etl::Masks;
use crate::etl::bytes::Out;

/// An event of the session itself.
#[derive(Debug, Clone, Copy)]
pub enum SessionEvent<'a> {
    /// 0x0000, written by the file's writer.
    TraceHeader {
        /// TRACE_LOGFILE_HEADER.
        payload: &'a [u8],
    },
    /// 0x0005: the flags from here on.
    MasksAfter {
        /// Flags.
        masks: Masks,
        /// KernelEventVersion.
        event_version: u32,
    },
    /// 0x0020: the flags until here.
    MasksBefore {
        /// Flags.
        masks: Masks,
        /// KernelEventVersion.
        event_version: u32,
    },
    /// 0x0008: the rundown of a change is complete.
    RundownDone,
}

impl SessionEvent<'_> {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::TraceHeader { .. } => system(0x0000, 2),
            Self::MasksAfter { .. } => perf_info(0x0005, 2),
            Self::MasksBefore { .. } => perf_info(0x0020, 2),
            Self::RundownDone => perf_info(0x0008, 2),
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        match self {
            Self::TraceHeader { payload } => out.raw(payload),
            Self::MasksAfter {
                masks,
                event_version,
            }
            | Self::MasksBefore {
                masks,
                event_version,
            } => {
                masks.0.iter().for_each(|word| out.u32(*word));
                out.u32(*event_version);
            }
            Self::RundownDone => {}
        }
    }
}
