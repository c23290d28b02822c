//! The raw layout of an ETL file, as offsets from the start of each structure.
//!
//! The format has no public specification. Structure names are those of the Windows headers
//! (`evntrace.h`, `evntcons.h`) where these declare them, and of the public descriptions of the
//! kernel's own headers elsewhere. What is not marked otherwise was checked on real files of
//! Windows 7 to 11; "not met" means that no real file with it was at hand.
//! All numbers are little-endian, and nothing inside a payload is aligned.

/// Buffer header (`WMI_BUFFER_HEADER`), the same for 32-bit and 64-bit systems.
pub mod buffer {
    /// Size of the header; the first record follows it.
    pub const SIZE: usize = 0x48;
    /// u32: bytes the buffer takes in the file, header included; of a compressed one, the compressed size.
    pub const BUFFER_SIZE: usize = 0x00;
    /// i64: time of the flush; the session's raw clock, but the wall clock of the tool in relogged files.
    pub const TIME_STAMP: usize = 0x10;
    /// i64: counts the buffers of a session; does not rise in file order where several CPUs write.
    pub const SEQUENCE: usize = 0x18;
    /// u16 processor index with flag [`FLAG_PROCESSOR_INDEX`], else u8 processor number and u8 alignment.
    pub const PROCESSOR: usize = 0x28;
    /// u16: id of the session; 0 in merged files.
    pub const LOGGER_ID: usize = 0x2A;
    /// u32: end of the valid data, header included, before compression. The offsets at 0x04 and 0x08
    /// look alike and are not: both lie in real files.
    pub const OFFSET: usize = 0x30;
    /// u16: see the flags.
    pub const FLAGS: usize = 0x34;
    /// u16: see the types.
    pub const TYPE: usize = 0x36;

    /// Events were lost while this buffer was current (not met).
    pub const FLAG_EVENTS_LOST: u16 = 0x02;
    /// Buffers were lost (not met).
    pub const FLAG_BUFFERS_LOST: u16 = 0x04;
    /// The processor is a u16.
    pub const FLAG_PROCESSOR_INDEX: u16 = 0x20;
    /// Everything behind the header is one LZ77 stream.
    pub const FLAG_COMPRESSED: u16 = 0x40;
    /// All flags that have a name.
    pub const FLAGS_KNOWN: u16 = 0x7F;

    /// The first buffer of a file, which starts with the trace header.
    pub const TYPE_HEADER: u16 = 4;
    /// The highest type that has a name.
    pub const TYPE_LAST: u16 = 7;
}

/// Trace header (`TRACE_LOGFILE_HEADER`), the payload of the first record. It holds two pointers, so
/// what follows them lies 8 bytes later in the 64-bit form.
pub mod trace_header {
    /// u32: size of an uncompressed buffer.
    pub const BUFFER_SIZE: usize = 0x00;
    /// u8 x4: OS major, minor, and two that tell the layout: `1.5` since Windows 7, `2.0` with compression.
    pub const VERSION: usize = 0x04;
    /// u32: OS build.
    pub const BUILD: usize = 0x08;
    /// u32: processors; 1 where the session has no buffers per processor.
    pub const PROCESSORS: usize = 0x0C;
    /// u64: end of the session, FILETIME; 0 while it runs.
    pub const END_TIME: usize = 0x10;
    /// u32: timer interval in 100 ns.
    pub const TIMER_RESOLUTION: usize = 0x18;
    /// u32: largest size of the file in MiB, in KiB with mode 0x2000.
    pub const MAXIMUM_FILE_SIZE: usize = 0x1C;
    /// u32: see [`super::mode`].
    pub const LOG_FILE_MODE: usize = 0x20;
    /// u32: buffers of the file; 0 or 1 while it is written.
    pub const BUFFERS_WRITTEN: usize = 0x24;
    /// u32: pointer size of the traced machine in bytes.
    pub const POINTER_SIZE: usize = 0x2C;
    /// u32: events that were lost.
    pub const EVENTS_LOST: usize = 0x30;
    /// u32: clock of the processor in MHz.
    pub const CPU_SPEED: usize = 0x34;
    /// `TIME_ZONE_INFORMATION`, see [`super::time_zone`].
    pub const fn time_zone(ptr: usize) -> usize {
        0x38 + 2 * ptr
    }
    /// u64: boot time, FILETIME; on a grid of half a second.
    pub const fn boot_time(ptr: usize) -> usize {
        time_zone(ptr) + super::time_zone::SIZE + 4
    }
    /// u64: ticks a second of the performance counter.
    pub const fn perf_frequency(ptr: usize) -> usize {
        boot_time(ptr) + 8
    }
    /// u64: start of the session, FILETIME; the time stamp of the header record is the same instant.
    pub const fn start_time(ptr: usize) -> usize {
        boot_time(ptr) + 16
    }
    /// u32: clock of the time stamps: 1 performance counter, 2 system time, 3 processor cycles.
    pub const fn clock_type(ptr: usize) -> usize {
        boot_time(ptr) + 24
    }
    /// u32: buffers that were lost.
    pub const fn buffers_lost(ptr: usize) -> usize {
        boot_time(ptr) + 28
    }
    /// Two texts, UTF-16 with NUL: session name and log file name.
    pub const fn names(ptr: usize) -> usize {
        boot_time(ptr) + 32
    }
}

/// `TIME_ZONE_INFORMATION`, packed as in memory.
pub mod time_zone {
    /// Size.
    pub const SIZE: usize = 172;
    /// i32: minutes; UTC = local time + bias.
    pub const BIAS: usize = 0x00;
    /// SYSTEMTIME (u16 x8): when standard time begins, in local daylight time.
    pub const STANDARD_DATE: usize = 0x44;
    /// i32: added to the bias in standard time.
    pub const STANDARD_BIAS: usize = 0x54;
    /// SYSTEMTIME: when daylight time begins, in local standard time.
    pub const DAYLIGHT_DATE: usize = 0x98;
    /// i32: added to the bias in daylight time.
    pub const DAYLIGHT_BIAS: usize = 0xA8;
}

/// `LogFileMode` bits (`EVENT_TRACE_*_MODE`) that change how a file is read.
pub mod mode {
    /// The file is a ring: when it is full, the oldest buffers are written over.
    pub const CIRCULAR: u32 = 0x0000_0002;
    /// The session appended to a file that was there.
    pub const APPEND: u32 = 0x0000_0004;
    /// The file had its full size from the start.
    pub const PREALLOCATE: u32 = 0x0000_0020;
    /// A tool wrote the file from other files.
    pub const RELOGGED: u32 = 0x0001_0000;
    /// Buffers are compressed.
    pub const COMPRESSED: u32 = 0x0400_0000;
    /// One set of buffers for all processors.
    pub const NO_PER_PROCESSOR: u32 = 0x1000_0000;
}

/// Records: each starts at a multiple of 8 from the start of its buffer.
pub mod record {
    /// Where the marker byte lies in every record.
    pub const MARKER: usize = 3;
    /// Bits of the marker of a record with a type byte.
    pub const MARKER_TYPED: u8 = 0xC0;
    /// The marker of a WPP message.
    pub const MARKER_MESSAGE: u8 = 0x90;
    /// A record cannot start like this: no more follow in the buffer. Unused bytes are FF.
    pub const END: u32 = 0xFFFF_FFFF;
    /// u8: type of the header.
    pub const TYPE: usize = 2;
    /// u16: size of all kinds but those of the kernel logger.
    pub const SIZE: usize = 0;
    /// Fewer bytes are no record.
    pub const SMALLEST: usize = 8;
}

/// Header type bytes (`TRACE_HEADER_TYPE_*`).
pub mod header_type {
    /// `SYSTEM_TRACE_HEADER`.
    pub const SYSTEM32: u8 = 1;
    /// See [`SYSTEM32`].
    pub const SYSTEM64: u8 = 2;
    /// `SYSTEM_TRACE_HEADER` without the times (not met).
    pub const COMPACT32: u8 = 3;
    /// See [`COMPACT32`].
    pub const COMPACT64: u8 = 4;
    /// `EVENT_TRACE_HEADER`: events with a class GUID.
    pub const FULL32: u8 = 10;
    /// `EVENT_INSTANCE_HEADER` (not met).
    pub const INSTANCE32: u8 = 11;
    /// Never used.
    pub const TIMED: u8 = 12;
    /// An event that could not be logged (not met, header unknown).
    pub const ERROR: u8 = 13;
    /// Never used in files.
    pub const WNODE: u8 = 14;
    /// WPP message; met with its own marker only, if at all.
    pub const MESSAGE: u8 = 15;
    /// `PERFINFO_TRACE_HEADER`.
    pub const PERFINFO32: u8 = 16;
    /// See [`PERFINFO32`].
    pub const PERFINFO64: u8 = 17;
    /// `EVENT_HEADER`: manifest-based and TraceLogging events.
    pub const EVENT32: u8 = 18;
    /// See [`EVENT32`].
    pub const EVENT64: u8 = 19;
    /// See [`FULL32`].
    pub const FULL64: u8 = 20;
    /// See [`INSTANCE32`].
    pub const INSTANCE64: u8 = 21;
}

/// Records of the kernel logger: SYSTEM, COMPACT and PERFINFO headers.
pub mod kernel {
    /// u8: version of the event.
    pub const VERSION: usize = 0x00;
    /// u8: which 8-byte items stand between header and payload (not met).
    pub const FLAGS: usize = 0x01;
    /// u16: size of the record.
    pub const SIZE: usize = 0x04;
    /// u16: hook: group in the high byte, type in the low byte.
    pub const HOOK: usize = 0x06;
    /// u32: thread; SYSTEM and COMPACT.
    pub const TID: usize = 0x08;
    /// u32: process; SYSTEM and COMPACT.
    pub const PID: usize = 0x0C;
    /// i64: time stamp of SYSTEM and COMPACT.
    pub const TIME: usize = 0x10;
    /// i64: time stamp of PERFINFO.
    pub const PERFINFO_TIME: usize = 0x08;
    /// Header size of SYSTEM.
    pub const SYSTEM: usize = 0x20;
    /// Header size of COMPACT.
    pub const COMPACT: usize = 0x18;
    /// Header size of PERFINFO.
    pub const PERFINFO: usize = 0x10;
    /// Flag: one item, the PEBS index.
    pub const FLAG_PEBS: u8 = 0x80;
    /// Bits of the flags that count performance counter values.
    pub const COUNTERS: u8 = 0x07;
}

/// FULL and INSTANCE headers.
pub mod full {
    /// u8: opcode.
    pub const OPCODE: usize = 0x04;
    /// u8: level.
    pub const LEVEL: usize = 0x05;
    /// u16: version of the event.
    pub const VERSION: usize = 0x06;
    /// GUID: class of the event.
    pub const CLASS: usize = 0x18;
    /// Header size of FULL.
    pub const FULL: usize = 0x30;
    /// Header size of INSTANCE.
    pub const INSTANCE: usize = 0x48;
}

/// `EVENT_HEADER`. Thread, process and time stamp lie as in FULL.
pub mod event {
    /// u16: flags.
    pub const FLAGS: usize = 0x04;
    /// u32: thread.
    pub const TID: usize = 0x08;
    /// u32: process.
    pub const PID: usize = 0x0C;
    /// i64: time stamp.
    pub const TIME: usize = 0x10;
    /// GUID: provider.
    pub const PROVIDER: usize = 0x18;
    /// u16: event id.
    pub const ID: usize = 0x28;
    /// u8: version of the event.
    pub const VERSION: usize = 0x2A;
    /// u8: channel; 11 for TraceLogging.
    pub const CHANNEL: usize = 0x2B;
    /// u8: level.
    pub const LEVEL: usize = 0x2C;
    /// u8: opcode.
    pub const OPCODE: usize = 0x2D;
    /// u16: task.
    pub const TASK: usize = 0x2E;
    /// u64: keywords.
    pub const KEYWORD: usize = 0x30;
    /// GUID: activity.
    pub const ACTIVITY: usize = 0x40;
    /// Header size; extended data items or the payload follow.
    pub const SIZE: usize = 0x50;
    /// Flag: extended data items follow the header.
    pub const FLAG_EXTENDED: u16 = 0x0001;
    /// Flag: the payload is one text.
    pub const FLAG_STRING_ONLY: u16 = 0x0004;
    /// Flag: an event of a class GUID, told apart by its opcode (not met).
    pub const FLAG_CLASSIC: u16 = 0x0100;
}

/// Extended data item of an `EVENT_HEADER` record.
pub mod item {
    /// u16: bytes to the next item, a multiple of 8.
    pub const SIZE: usize = 0x00;
    /// u16: what the item holds.
    pub const TYPE: usize = 0x02;
    /// u16: bit 0 is set when another item follows.
    pub const LINKAGE: usize = 0x04;
    /// u16: bytes of data.
    pub const DATA_SIZE: usize = 0x06;
    /// Header size; the data follows.
    pub const HEADER: usize = 0x08;
    /// Related activity, a GUID.
    pub const TYPE_RELATED_ACTIVITY: u16 = 1;
    /// Stack: u64 match id and 32-bit addresses (not met).
    pub const TYPE_STACK32: u16 = 5;
    /// Stack: u64 match id and 64-bit addresses.
    pub const TYPE_STACK64: u16 = 6;
    /// Event metadata of TraceLogging.
    pub const TYPE_SCHEMA: u16 = 11;
    /// Provider traits of TraceLogging: u16 size, name in UTF-8 with NUL, traits.
    pub const TYPE_TRAITS: u16 = 12;
}

/// WPP message (not met).
pub mod message {
    /// u16: number of the message in its source file.
    pub const NUMBER: usize = 0x04;
    /// u16: which fields follow.
    pub const OPTIONS: usize = 0x06;
    /// Fixed part.
    pub const SIZE: usize = 0x08;
    /// u32 sequence number.
    pub const SEQUENCE: u16 = 0x01;
    /// GUID of the source file.
    pub const GUID: u16 = 0x02;
    /// u32 component id, in place of the GUID.
    pub const COMPONENT: u16 = 0x04;
    /// u64 time stamp.
    pub const TIME: u16 = 0x08;
    /// u32 thread and u32 process.
    pub const SYSTEM: u16 = 0x20;
    /// 32-bit pointers among the arguments.
    pub const POINTER32: u16 = 0x40;
}

/// Kernel group masks: payload of the hooks 0x0005 (after a change) and 0x0020 (before it).
pub mod group_masks {
    /// u32 x8: masks.
    pub const WORDS: usize = 8;
    /// u32: version of the kernel's events; grows with the build.
    pub const EVENT_VERSION: usize = 0x20;
    /// Size.
    pub const SIZE: usize = 0x24;
}
