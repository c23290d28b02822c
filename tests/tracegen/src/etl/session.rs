//! What the trace header tells, and how a file is made.

use super::{Clock, ClockType};
use crate::pml::Bits;
use serde::Serialize;

/// Kernel flags: eight words, most of them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Masks(pub [u32; 8]);

impl Masks {
    /// Word 0: processes, threads, images, context switches, disk I/O with names and starts.
    pub const BASE: u32 = 0x717;
    /// Word 0: registry.
    pub const REGISTRY: u32 = 0x2_0000;
    /// Word 0: file operations and their ends.
    pub const FILE_IO: u32 = 0x0600_0000;
    /// Word 1: sampled profile.
    pub const PROFILE: u32 = 2;
    /// Word 4: handles.
    pub const HANDLES: u32 = 0x40;
    /// Word 4: starts of minifilter callbacks.
    pub const FILTER_INIT: u32 = 0x8_0000;
    /// Word 4: ends of minifilter callbacks.
    pub const FILTER: u32 = 0x10_0000;
    /// Word 4: minifilter callbacks that failed.
    pub const FILTER_FAILURE: u32 = 0x40_0000;
}

/// A time zone as Windows keeps it: UTC = local time + bias.
#[derive(Debug, Clone)]
pub struct TimeZone {
    /// Minutes.
    pub bias: i32,
    /// Name of standard time.
    pub standard_name: String,
    /// When standard time begins, a SYSTEMTIME: year 0, month, day of the week, which one of the month, hour.
    pub standard_date: [u16; 8],
    /// Minutes on top of the bias in standard time.
    pub standard_bias: i32,
    /// Name of daylight time.
    pub daylight_name: String,
    /// When daylight time begins.
    pub daylight_date: [u16; 8],
    /// Minutes on top of the bias in daylight time.
    pub daylight_bias: i32,
}

impl Default for TimeZone {
    /// Berlin.
    fn default() -> Self {
        Self {
            bias: -60,
            standard_name: "@tzres.dll,-322".into(),
            standard_date: [0, 10, 0, 5, 3, 0, 0, 0],
            standard_bias: 0,
            daylight_name: "@tzres.dll,-321".into(),
            daylight_date: [0, 3, 0, 5, 2, 0, 0, 0],
            daylight_bias: -60,
        }
    }
}

/// A trace session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Pointer size of the traced machine.
    pub bits: Bits,
    /// Bytes of an uncompressed buffer.
    pub buffer_size: u32,
    /// Buffers after the first are compressed.
    pub compressed: bool,
    /// Places the compressor tries for each match: 1 is fast, 32 small.
    pub effort: usize,
    /// A file that a merge tool wrote: small first buffer, no session numbers, flush times of the wall clock.
    pub merged: bool,
    /// False for a file whose machine died: no end time, no count of buffers.
    pub finalised: bool,
    /// Processors.
    pub cpus: u16,
    /// Major and minor version of Windows.
    pub os: (u8, u8),
    /// Build.
    pub build: u32,
    /// Which clock stamps the records.
    pub clock: ClockType,
    /// Ticks a second of the performance counter.
    pub frequency: u64,
    /// CPU clock in MHz.
    pub mhz: u32,
    /// Clock at the start of the session.
    pub origin: i64,
    /// FILETIME of boot.
    pub boot: u64,
    /// FILETIME of the start of the session.
    pub start: u64,
    /// FILETIME of its end.
    pub end: u64,
    /// Time zone.
    pub zone: TimeZone,
    /// Events lost, as the header says.
    pub events_lost: u32,
    /// Buffers lost, as the header says.
    pub buffers_lost: u32,
    /// Session name.
    pub name: String,
    /// Name of the file.
    pub file_name: String,
    /// Kernel flags as the record beside the trace header has them; none writes no such record.
    pub masks: Option<Masks>,
    /// Layouts of file operations: 3, or 2 as in Windows 7.
    pub file_io_version: u8,
}

impl Session {
    /// A session of Windows 10 22H2 that begins at a FILETIME, 64 KiB buffers, four processors.
    pub fn new(bits: Bits, start: u64) -> Self {
        Self {
            bits,
            buffer_size: 65_536,
            compressed: false,
            effort: 32,
            merged: false,
            finalised: true,
            cpus: 4,
            os: (10, 0),
            build: 19_045,
            clock: ClockType::Qpc,
            frequency: 10_000_000,
            mhz: 2_400,
            origin: 2_700_000,
            boot: start / 5_000_000 * 5_000_000,
            start,
            end: start + 10_000_000,
            zone: TimeZone::default(),
            events_lost: 0,
            buffers_lost: 0,
            name: "NT Kernel Logger".into(),
            file_name: "C:\\Windows\\System32\\LogFiles\\WMI\\boot.etl".into(),
            masks: Some(Masks::default()),
            file_io_version: 3,
        }
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        let by_time = self.clock == ClockType::SystemTime;
        Clock {
            kind: self.clock,
            frequency: self.frequency,
            mhz: self.mhz,
            start: self.start,
            origin: if by_time {
                self.start as i64
            } else {
                self.origin
            },
        }
    }

    /// Version of the kernel's events: 25 is Windows 7, 80 Windows 10 since 2004.
    pub(crate) fn event_version(&self) -> u32 {
        if self.build < 9_200 { 25 } else { 80 }
    }

    /// Windows 7 has an 8-bit CPU field with a second one behind it.
    pub(crate) fn wide_cpu(&self) -> bool {
        self.os >= (6, 2)
    }

    /// LogFileMode: sequential, and what else applies.
    pub(crate) fn mode(&self) -> u32 {
        let compressed = if self.compressed { 0x0400_0000 } else { 0 };
        let by = if self.merged { 0x1_0000 } else { 0x0200_0000 };
        1 | compressed | by
    }
}
