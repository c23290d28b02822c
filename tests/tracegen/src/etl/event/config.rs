//! What the machine is made of (0x0Bxx).

use super::{Identity, system};
use crate::etl::bytes::Out;
use crate::pml::Bits;
use serde::Serialize;

/// 0x0B0A.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Machine<'a> {
    /// CPU clock in MHz.
    pub mhz: u32,
    /// Processors.
    pub cpus: u32,
    /// MiB of memory.
    pub memory: u32,
    /// Computer name.
    pub computer: &'a str,
    /// Domain.
    pub domain: &'a str,
    /// Highest user-mode address.
    pub highest_user: u64,
}

/// 0x0B0C.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LogicalDisk<'a> {
    /// Offset on the disk.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Disk.
    pub disk: u32,
    /// Partition.
    pub partition: u32,
    /// Drive letter with a colon.
    pub letter: &'a str,
    /// File system.
    pub file_system: &'a str,
}

/// An event of the system configuration.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Config<'a> {
    /// The machine.
    Machine(Machine<'a>),
    /// A volume.
    LogicalDisk(LogicalDisk<'a>),
    /// 0x0B0F: a running service.
    Service {
        /// Process.
        pid: u32,
        /// Tag of its threads.
        tag: u32,
        /// Service.
        name: &'a str,
        /// Display name.
        display: &'a str,
        /// Process name.
        process: &'a str,
    },
    /// 0x0B21: major, minor, build, revision.
    DeviceFamily([u16; 4]),
}

impl Config<'_> {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::Machine(_) => system(0x0B0A, 3),
            Self::LogicalDisk(_) => system(0x0B0C, 2),
            Self::Service { .. } => system(0x0B0F, 3),
            Self::DeviceFamily(_) => system(0x0B21, 2),
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        match self {
            Self::Machine(m) => m.payload(out),
            Self::LogicalDisk(d) => d.payload(out),
            Self::Service {
                pid,
                tag,
                name,
                display,
                process,
            } => {
                out.u32(*pid);
                // Running.
                out.u32(4);
                out.u32(*tag);
                for text in [name, display, process, &"", &""] {
                    out.wide(text);
                }
            }
            Self::DeviceFamily([major, minor, build, revision]) => {
                for part in [revision, build, minor, major] {
                    out.u16(*part);
                }
                // Desktop.
                out.u32(3);
                out.u32(0);
            }
        }
    }
}

impl Machine<'_> {
    fn payload(&self, out: &mut Out) {
        for v in [self.mhz, self.cpus, self.memory, 4096, 65_536] {
            out.u32(v);
        }
        out.field(self.computer, 256);
        out.field(self.domain, 134);
        out.ptr(0);
        out.ptr(self.highest_user);
        let architecture = match out.bits {
            Bits::B32 => 0,
            Bits::B64 => 9,
        };
        // Architecture, level, revision.
        for v in [architecture, 6, 0x9E0A] {
            out.u16(v);
        }
        // Large addresses, no-execute, memory speed.
        out.raw(&[1, 1]);
        out.u32(2_667);
    }
}

impl LogicalDisk<'_> {
    fn payload(&self, out: &mut Out) {
        let clusters = self.size / 4096;
        out.u64(self.offset);
        out.u64(self.size);
        out.u32(self.disk);
        out.u32(112);
        // Fixed.
        out.u32(3);
        out.field(self.letter, 4);
        out.u32(0);
        out.u32(self.partition);
        for v in [8, 512, 0] {
            out.u32(v);
        }
        out.u64(clusters / 3);
        out.u64(clusters);
        out.field(self.file_system, 16);
        out.u32(0);
        out.u32(0);
    }
}
