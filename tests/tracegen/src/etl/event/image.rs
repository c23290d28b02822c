//! Images (0x030A, 0x1402 to 0x1404), version 3.

use super::{Identity, Moment, perf_info, system};
use crate::etl::bytes::Out;
use serde::Serialize;

/// A loaded image.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Image<'a> {
    /// Load address.
    pub base: u64,
    /// Bytes in memory.
    pub size: u64,
    /// Process; 0 for drivers.
    pub pid: u32,
    /// PE checksum.
    pub checksum: u32,
    /// PE time stamp; 0 in rundown rows of user images.
    pub timestamp: u32,
    /// Preferred base; 0 in rows of drivers.
    pub default_base: u64,
    /// Path as the kernel has it.
    pub path: &'a str,
}

impl Image<'_> {
    pub(super) fn identity(&self, moment: Moment) -> Identity {
        // Rundown rows tell of user images without saying who runs.
        let of_rundown = if self.pid == 0 { system } else { perf_info };
        match moment {
            Moment::Begin => system(0x030A, 3),
            Moment::End => system(0x1402, 3),
            Moment::RundownBegin => of_rundown(0x1403, 3),
            Moment::RundownEnd => of_rundown(0x1404, 3),
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        out.ptr(self.base);
        out.ptr(self.size);
        out.u32(self.pid);
        out.u32(self.checksum);
        out.u32(self.timestamp);
        // Signature level and type.
        out.raw(&[12, 3, 0, 0]);
        out.ptr(self.default_base);
        out.zeros(16);
        out.wide(self.path);
    }
}
