//! The trace header: what the session says of itself, the machine and the clock.

use super::error::EtlError;
use super::layout::{mode, record as record_at, time_zone, trace_header as at};
use super::record::{Record, RecordKind};
use super::time_zone::TimeZoneInfo;
use crate::bytes::{push_utf16, slice_at, u8_at, u32_at, u64_at};
use crate::say;
use crate::trace::{Architecture, Filetime, Machine};

/// `TRACE_LOGFILE_HEADER`, the payload of a file's first record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceHeader {
    /// Size of an uncompressed buffer.
    pub buffer_size: u32,
    /// Windows version: major, minor.
    pub os: (u8, u8),
    /// Layout of the file: `(1, 5)` since Windows 7, `(2, 0)` with compression or large buffers.
    pub layout: (u8, u8),
    /// Build of Windows.
    pub build: u32,
    /// Processors, or 1 for a session without buffers per processor.
    pub processors: u32,
    /// End of the session; 0 when it was not stopped. In merged files the events may go on behind it.
    pub end_time: Filetime,
    /// Modes, see [`super::layout::mode`].
    pub mode: u32,
    /// Buffers of the file; 0 or 1 when it was not stopped.
    pub buffers_written: u32,
    /// Pointer size of the traced machine in bytes.
    pub pointer_size: u32,
    /// Events the session lost.
    pub events_lost: u32,
    /// Buffers the session lost.
    pub buffers_lost: u32,
    /// Clock of the processor in MHz.
    pub cpu_mhz: u32,
    /// Time zone of the traced machine.
    pub time_zone: TimeZoneInfo,
    /// Boot time, on a grid of half a second: too coarse to anchor the clock.
    pub boot_time: Filetime,
    /// Ticks a second of the performance counter.
    pub perf_frequency: u64,
    /// Start of the session: the instant of the header record.
    pub start_time: Filetime,
    /// Clock of the time stamps, see [`super::clock::ClockKind`].
    pub clock_type: u32,
    /// Name of the session.
    pub session: String,
    /// Name of the file as it was written.
    pub log_file: String,
}

/// Texts of the header are no longer: a path is at most 32,767 units, and a record 65,535 bytes.
const LONGEST_TEXT: usize = 1_024;

impl TraceHeader {
    /// Reads the trace header from the first record of a buffer, and the record's time stamp.
    ///
    /// The header's type byte decides where its fields lie: 32-bit programs write the 32-bit form on
    /// any machine.
    ///
    /// # Errors
    /// [`EtlError::NotEtl`] when the record is another, or too short. `offset` is where it stands.
    pub fn parse(record: &Record<'_>, offset: u64) -> Result<(Self, i64), EtlError> {
        let hook = record.hook().map(|hook| hook.id);
        if record.kind() != RecordKind::System || hook != Some(0) {
            return Err(EtlError::NotEtl {
                offset,
                expected: say!(
                    en: "a trace header (system record of hook 0x0000)",
                    zh: "跟踪头（挂钩 0x0000 的系统记录）",
                ),
                found: match hook {
                    Some(hook) => {
                        say!(en: "a record of hook {hook:#06x}", zh: "挂钩 {hook:#06x} 的记录")
                    }
                    None => say!(
                        en: "a record of type {kind}",
                        zh: "类型为 {kind} 的记录",
                        kind = record.type_byte(),
                    ),
                },
            });
        }
        let payload = record.payload();
        let ptr = if record.wide() { 8 } else { 4 };
        let time = record.time().unwrap_or(0);
        match Self::fields(payload, ptr) {
            Some(header) => Ok((header, time)),
            None => Err(EtlError::NotEtl {
                offset,
                expected: say!(
                    en: "a trace header of 272 bytes or more",
                    zh: "至少 272 个字节的跟踪头",
                ),
                found: say!(en: "{bytes} bytes", zh: "{bytes} 个字节", bytes = payload.len()),
            }),
        }
    }

    fn fields(payload: &[u8], ptr: usize) -> Option<Self> {
        let u32 = |at| u32_at(payload, at);
        let u64 = |at| u64_at(payload, at);
        let version = |n| u8_at(payload, at::VERSION + n);
        let zone = slice_at(payload, at::time_zone(ptr), time_zone::SIZE)?;
        let mut names = payload.get(at::names(ptr)..).unwrap_or(&[]);
        Some(Self {
            buffer_size: u32(at::BUFFER_SIZE)?,
            os: (version(0)?, version(1)?),
            layout: (version(2)?, version(3)?),
            build: u32(at::BUILD)?,
            processors: u32(at::PROCESSORS)?,
            end_time: Filetime(u64(at::END_TIME)?),
            mode: u32(at::LOG_FILE_MODE)?,
            buffers_written: u32(at::BUFFERS_WRITTEN)?,
            pointer_size: u32(at::POINTER_SIZE)?,
            events_lost: u32(at::EVENTS_LOST)?,
            cpu_mhz: u32(at::CPU_SPEED)?,
            time_zone: TimeZoneInfo::parse(zone)?,
            boot_time: Filetime(u64(at::boot_time(ptr))?),
            perf_frequency: u64(at::perf_frequency(ptr))?,
            start_time: Filetime(u64(at::start_time(ptr))?),
            clock_type: u32(at::clock_type(ptr))?,
            buffers_lost: u32(at::buffers_lost(ptr))?,
            session: next_text(&mut names),
            log_file: next_text(&mut names),
        })
    }

    /// Whether the session was stopped and its header completed.
    pub fn is_closed(&self) -> bool {
        self.end_time.0 != 0
    }

    /// Whether a mode bit is set.
    pub fn has_mode(&self, bit: u32) -> bool {
        self.mode & bit != 0
    }

    /// Whether pointers of the traced machine take 8 bytes.
    pub fn wide(&self) -> bool {
        self.pointer_size != 4
    }

    /// The traced machine as far as the header knows it. Its name and RAM stand in events of the trace.
    pub fn machine(&self) -> Machine {
        let count = (!self.has_mode(mode::NO_PER_PROCESSOR)).then_some(self.processors);
        Machine {
            build: Some(self.build),
            architecture: Some(if self.wide() {
                Architecture::Bits64
            } else {
                Architecture::Bits32
            }),
            utc_offset_minutes: self.time_zone.utc_offset_minutes(self.start_time),
            processors: count,
            ..Machine::default()
        }
    }
}

/// Takes the text at the start of `bytes`, to its NUL.
fn next_text(bytes: &mut &[u8]) -> String {
    let units = bytes.chunks_exact(2);
    let len = units.clone().take_while(|unit| **unit != [0, 0]).count();
    let mut out = String::new();
    push_utf16(&bytes[..len.min(LONGEST_TEXT) * 2], &mut out);
    *bytes = bytes.get((len + 1) * 2..).unwrap_or(&[]);
    out
}

/// Whether a file that starts with `head` is an ETL file: a buffer of type 4 with a trace header.
/// 80 bytes are enough to tell.
pub fn is_etl(head: &[u8]) -> bool {
    use super::layout::{buffer, header_type, kernel};
    let record = head.get(buffer::SIZE..).unwrap_or(&[]);
    let kind = crate::bytes::u16_at(head, buffer::TYPE);
    kind == Some(buffer::TYPE_HEADER)
        && u8_at(record, record_at::MARKER) == Some(record_at::MARKER_TYPED)
        && matches!(
            u8_at(record, record_at::TYPE),
            Some(header_type::SYSTEM32 | header_type::SYSTEM64)
        )
        && crate::bytes::u16_at(record, kernel::HOOK) == Some(0)
}
