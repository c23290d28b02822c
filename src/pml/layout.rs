//! The raw layout of a PML version 9 file, as offsets from the start of each structure.
//!
//! The format is not documented by its vendor. It was first described publicly by
//! `eronnen/procmon-parser`; what stands here was checked against real logs of 32-bit and 64-bit
//! machines (Windows 7 to 10) and Procmon's own CSV exports of them.

/// The first four bytes of every PML file.
pub const MAGIC: &[u8; 4] = b"PML_";
/// The only version this decoder reads.
pub const VERSION: u32 = 9;

/// File header, 0x3A8 bytes.
pub mod header {
    /// Size of the header; the first event follows it.
    pub const SIZE: usize = 0x3A8;
    /// u32: format version.
    pub const VERSION: usize = 0x004;
    /// u32: 1 in the log of a 64-bit machine, 0 of a 32-bit one. Decides the pointer size of the whole file.
    pub const IS_64: usize = 0x008;
    /// utf16\[16\]: computer name.
    pub const COMPUTER: usize = 0x00C;
    /// utf16\[260\]: system root, as `C:\Windows`.
    pub const SYSTEM_ROOT: usize = 0x02C;
    /// u32: number of events.
    pub const EVENT_COUNT: usize = 0x234;
    /// u64: offset of the first event.
    pub const EVENTS: usize = 0x240;
    /// u64: offset of the event index.
    pub const INDEX: usize = 0x248;
    /// u64: offset of the process table.
    pub const PROCESSES: usize = 0x250;
    /// u64: offset of the string table.
    pub const STRINGS: usize = 0x258;
    /// u64: offset of the icon table.
    pub const ICONS: usize = 0x260;
    /// u64: highest user-mode address; a stack frame above it is a kernel frame.
    pub const HIGHEST_USER: usize = 0x268;
    /// u32 x3: OS major, minor and build.
    pub const OS_MAJOR: usize = 0x274;
    /// See [`OS_MAJOR`].
    pub const OS_MINOR: usize = 0x278;
    /// See [`OS_MAJOR`].
    pub const OS_BUILD: usize = 0x27C;
    /// utf16\[128\]: service pack.
    pub const SERVICE_PACK: usize = 0x284;
    /// u8: product type: 1 workstation, 2 domain controller, 3 server.
    pub const PRODUCT_TYPE: usize = 0x38A;
    /// u32: logical processors.
    pub const PROCESSORS: usize = 0x38C;
    /// u64: bytes of RAM.
    pub const RAM: usize = 0x390;
    /// u64: offset of the host and port tables.
    pub const HOSTS: usize = 0x3A0;
}

/// Event index: 5 bytes an event.
pub mod index {
    /// Size of an entry: u32 low part and u8 high part of a 40-bit offset.
    pub const ENTRY: usize = 5;
}

/// Event record.
pub mod event {
    /// Fixed part; the stack follows, then the detail block.
    pub const SIZE: usize = 0x34;
    /// u32: number of the process record (not a PID).
    pub const PROCESS: usize = 0x00;
    /// u32: thread id.
    pub const TID: usize = 0x04;
    /// u16: event class.
    pub const CLASS: usize = 0x08;
    /// u16: 0 in every real log.
    pub const ZERO: usize = 0x0A;
    /// u16: operation within the class.
    pub const OPERATION: usize = 0x0C;
    /// u32: sequence number of the driver.
    pub const SEQUENCE: usize = 0x10;
    /// u64: duration, 100 ns; not initialised while the operation is pending.
    pub const DURATION: usize = 0x14;
    /// u64: FILETIME of the start, UTC.
    pub const TIME: usize = 0x1C;
    /// u32: NTSTATUS.
    pub const STATUS: usize = 0x24;
    /// u16: frames on the stack.
    pub const DEPTH: usize = 0x28;
    /// u32: bytes of the detail block.
    pub const DETAIL_SIZE: usize = 0x2C;
    /// u32: offset of the extra block from the record's start, 0 for none.
    pub const EXTRA: usize = 0x30;
}

/// Process record.
pub mod process {
    /// Fixed part before the pointer and the module count.
    pub const SIZE: usize = 0x60;
    /// u32: the number events refer to.
    pub const INDEX: usize = 0x00;
    /// u32: process id.
    pub const PID: usize = 0x04;
    /// u32: parent process id.
    pub const PARENT_PID: usize = 0x08;
    /// u32: the parent's process number.
    pub const PARENT_INDEX: usize = 0x0C;
    /// u64: authentication id (LUID).
    pub const AUTH_ID: usize = 0x10;
    /// u32: session.
    pub const SESSION: usize = 0x18;
    /// u64: start, FILETIME.
    pub const START: usize = 0x20;
    /// u64: end, FILETIME, 0 while running.
    pub const END: usize = 0x28;
    /// u32: 0 or 1; `0xFFFFFFFF` (the idle process) means not applicable.
    pub const VIRTUALIZED: usize = 0x30;
    /// u32: 1 for a 64-bit process.
    pub const IS_64: usize = 0x34;
    /// u32 x8: string numbers of integrity, user, name, image path, command line, company, version, description.
    pub const STRINGS: usize = 0x38;
    /// u32: module count, behind one pointer.
    pub const fn module_count(ptr: usize) -> usize {
        SIZE + ptr
    }
    /// Where the modules start.
    pub const fn modules(ptr: usize) -> usize {
        SIZE + ptr + 4
    }
}

/// Module entry of a process record, 56 or 64 bytes.
pub mod module {
    /// Size of an entry: two pointers and 48 bytes.
    pub const fn size(ptr: usize) -> usize {
        2 * ptr + 48
    }
    /// ptr: base address.
    pub const fn base(ptr: usize) -> usize {
        ptr
    }
    /// u32: size of the image in bytes.
    pub const fn image_size(ptr: usize) -> usize {
        2 * ptr
    }
    /// u32 x4: string numbers of path, version, company, description.
    pub const fn strings(ptr: usize) -> usize {
        2 * ptr + 4
    }
    /// u32: PE time stamp.
    pub const fn time_stamp(ptr: usize) -> usize {
        2 * ptr + 20
    }
}
