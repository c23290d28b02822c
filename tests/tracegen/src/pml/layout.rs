//! Offsets and sizes of a PML version 9 file, for the writer and for tests that patch finished bytes.
//!
//! All numbers are little-endian. Nothing here is shared with the reader under test: both follow the
//! format tables, and disagree visibly if one of them misread these.

/// Bytes of the file header; the first event starts right behind it.
pub const HEADER_SIZE: u64 = 0x3A8;
/// `PML_`.
pub const SIGNATURE: &[u8; 4] = b"PML_";
/// u32, 9 in every log known.
pub const H_VERSION: usize = 0x004;
/// u32, 1 for a 64-bit log.
pub const H_IS_64: usize = 0x008;
/// UTF-16, 16 units, NUL-padded.
pub const H_COMPUTER: usize = 0x00C;
/// UTF-16, 260 units.
pub const H_SYSTEM_ROOT: usize = 0x02C;
/// u32 number of events.
pub const H_EVENT_COUNT: usize = 0x234;
/// u64 offset of the first event.
pub const H_EVENTS: usize = 0x240;
/// u64 offset of the event index.
pub const H_INDEX: usize = 0x248;
/// u64 offset of the process table.
pub const H_PROCESSES: usize = 0x250;
/// u64 offset of the string table.
pub const H_STRINGS: usize = 0x258;
/// u64 offset of the icon table.
pub const H_ICONS: usize = 0x260;
/// u64 highest user-mode address.
pub const H_HIGHEST_USER: usize = 0x268;
/// u32 size of the OSVERSIONINFOEXW that starts here.
pub const H_OSVERSION_SIZE: usize = 0x270;
/// u32 major, u32 minor, u32 build, u32 platform.
pub const H_OS_MAJOR: usize = 0x274;
/// UTF-16, 128 units.
pub const H_SERVICE_PACK: usize = 0x284;
/// u16 service pack major, u16 minor, u16 suite mask, u8 product type, u8 reserved.
pub const H_SERVICE_PACK_MAJOR: usize = 0x384;
/// u32 logical processors.
pub const H_CPUS: usize = 0x38C;
/// u64 bytes of memory.
pub const H_RAM: usize = 0x390;
/// u64 size of the header.
pub const H_HEADER_SIZE: usize = 0x398;
/// u64 offset of the hosts and ports.
pub const H_HOSTS: usize = 0x3A0;
/// Every section offset of the header; all zero in a log that was not closed.
pub const H_OFFSETS: [usize; 6] = [H_EVENTS, H_INDEX, H_PROCESSES, H_STRINGS, H_ICONS, H_HOSTS];

/// Bytes of one event index entry: u32 low part, u8 high part of a 40-bit offset.
pub const INDEX_ENTRY: u64 = 5;

/// Bytes of the fixed part of an event record; the stack follows.
pub const RECORD_SIZE: usize = 0x34;
/// u32 process index.
pub const R_PROCESS: usize = 0x00;
/// u32 thread id.
pub const R_TID: usize = 0x04;
/// u16 event class.
pub const R_CLASS: usize = 0x08;
/// u16 operation.
pub const R_OPERATION: usize = 0x0C;
/// u64 duration in 100 ns.
pub const R_DURATION: usize = 0x14;
/// u64 FILETIME.
pub const R_TIME: usize = 0x1C;
/// u32 NTSTATUS.
pub const R_STATUS: usize = 0x24;
/// u16 stack frames.
pub const R_DEPTH: usize = 0x28;
/// u32 bytes of the detail block.
pub const R_DETAIL_SIZE: usize = 0x2C;
/// u32 offset of the extra block from the record start, 0 for none.
pub const R_EXTRA: usize = 0x30;
