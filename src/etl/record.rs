//! Records: what a buffer holds, each with one of eight headers.

use super::guid::Guid;
use super::items::Items;
use super::kernel::width::is_wider;
use super::layout::{event, full, header_type as ty, kernel, message, record as at};
use super::message::MessageFields;
use crate::bytes::{i64_at, u8_at, u16_at, u32_at, u64_at};
use crate::lang::Message;
use crate::say;

/// Kind of a record: which header it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// Kernel logger, with thread, process and CPU times.
    System,
    /// Kernel logger, with thread and process.
    Compact,
    /// Kernel logger, with the time only.
    PerfInfo,
    /// Event of a class GUID.
    Full,
    /// The same with an instance.
    Instance,
    /// Event of a provider: manifest-based or TraceLogging.
    Event,
    /// WPP message.
    Message,
    /// A kind that Windows names and does not describe (types 12 to 15): only its size is known.
    Opaque,
}

impl RecordKind {
    /// Whether the record is the kernel logger's and has a hook.
    pub fn is_kernel(self) -> bool {
        matches!(self, Self::System | Self::Compact | Self::PerfInfo)
    }
}

/// What a record of the kernel logger is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hook {
    /// Group in the high byte, type in the low byte.
    pub id: u16,
    /// Version of the payload.
    pub version: u8,
}

/// What an event of a class GUID is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Classic {
    /// Class.
    pub class: Guid,
    /// Type of the event in its class.
    pub opcode: u8,
    /// Version of the payload.
    pub version: u16,
}

/// What an event of a provider is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Descriptor {
    /// Provider.
    pub provider: Guid,
    /// Event id; 0 for TraceLogging.
    pub id: u16,
    /// Version of the payload.
    pub version: u8,
    /// Channel; 11 for TraceLogging.
    pub channel: u8,
    /// Level.
    pub level: u8,
    /// Opcode.
    pub opcode: u8,
    /// Task.
    pub task: u16,
    /// Keywords.
    pub keyword: u64,
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRecord {
    /// What belongs there.
    pub expected: Message,
    /// What is there.
    pub found: Message,
    /// Bytes to the next record, where the size holds and only the inside does not.
    pub next: Option<usize>,
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    kind: RecordKind,
    wide: bool,
    payload: u32,
}

/// Kind, pointer size and header size of a record, by its type byte and marker.
#[inline(always)]
fn form(type_byte: u8, marker: u8) -> Option<(RecordKind, bool, usize)> {
    if marker & at::MARKER_TYPED != at::MARKER_TYPED {
        let message = (RecordKind::Message, true, message::SIZE);
        return (marker == at::MARKER_MESSAGE).then_some(message);
    }
    Some(match type_byte {
        ty::PERFINFO64 => (RecordKind::PerfInfo, true, kernel::PERFINFO),
        ty::PERFINFO32 => (RecordKind::PerfInfo, false, kernel::PERFINFO),
        ty::SYSTEM64 => (RecordKind::System, true, kernel::SYSTEM),
        ty::SYSTEM32 => (RecordKind::System, false, kernel::SYSTEM),
        ty::COMPACT64 => (RecordKind::Compact, true, kernel::COMPACT),
        ty::COMPACT32 => (RecordKind::Compact, false, kernel::COMPACT),
        ty::EVENT64 => (RecordKind::Event, true, event::SIZE),
        ty::EVENT32 => (RecordKind::Event, false, event::SIZE),
        ty::FULL64 => (RecordKind::Full, true, full::FULL),
        ty::FULL32 => (RecordKind::Full, false, full::FULL),
        ty::INSTANCE64 => (RecordKind::Instance, true, full::INSTANCE),
        ty::INSTANCE32 => (RecordKind::Instance, false, full::INSTANCE),
        ty::TIMED..=ty::MESSAGE => (RecordKind::Opaque, true, at::SMALLEST),
        _ => return None,
    })
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`, which reach to the end of the buffer's data.
    ///
    /// # Errors
    /// [`NoRecord`] when the bytes are none, or it does not fit.
    #[inline(always)]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoRecord> {
        let Some(start) = u64_at(bytes, 0) else {
            return Err(cut(at::SMALLEST, bytes.len()));
        };
        let first = start.to_le_bytes();
        let Some((kind, wide, header)) = form(first[at::TYPE], first[at::MARKER]) else {
            return Err(no_marker(first[at::TYPE], first[at::MARKER]));
        };
        let size = if kind.is_kernel() {
            (start >> (8 * kernel::SIZE)) as u16
        } else {
            start as u16
        };
        let size = usize::from(size);
        if size < header {
            return Err(too_small(size, header));
        }
        let Some(bytes) = bytes.get(..size) else {
            return Err(cut(size, bytes.len()));
        };
        let mut out = Self {
            bytes,
            kind,
            wide,
            payload: header as u32,
        };
        let plain = match kind {
            RecordKind::System | RecordKind::Compact | RecordKind::PerfInfo => {
                first[kernel::FLAGS] == 0
            }
            RecordKind::Event => !out.has_items(),
            RecordKind::Message => false,
            RecordKind::Full => wide,
            RecordKind::Instance | RecordKind::Opaque => true,
        };
        if !plain {
            out.find_payload()?;
        }
        Ok(out)
    }

    /// A record of `bytes`, of which all else is known.
    #[inline]
    pub(super) fn of_parts(bytes: &'a [u8], kind: RecordKind, wide: bool, payload: u32) -> Self {
        Self {
            bytes,
            kind,
            wide,
            payload,
        }
    }

    /// Sets what the header alone does not tell: where the payload starts, how wide its pointers are.
    fn find_payload(&mut self) -> Result<(), NoRecord> {
        let header = self.payload as usize;
        let (end, expected) = match self.kind {
            RecordKind::Event => (
                Items::end(self.bytes, header),
                say!(
                    en: "extended data items inside the record",
                    zh: "位于记录内的扩展数据项",
                ),
            ),
            RecordKind::Message => {
                let fields = MessageFields::parse(self.bytes);
                self.wide = fields.is_none_or(|f| f.options & message::POINTER32 == 0);
                (
                    fields.map(|f| f.end),
                    say!(en: "message fields inside the record", zh: "位于记录内的消息字段"),
                )
            }
            RecordKind::Full => {
                if let Some(event) = self.classic() {
                    self.wide = is_wider(event.class, event.opcode, event.version, self.payload());
                }
                return Ok(());
            }
            _ => {
                let flags = u8_at(self.bytes, kernel::FLAGS).unwrap_or(0);
                let items = usize::from(flags & kernel::FLAG_PEBS != 0)
                    + usize::from(flags & kernel::COUNTERS);
                (
                    Some(header + items * 8),
                    say!(en: "counter values inside the record", zh: "位于记录内的计数器值"),
                )
            }
        };
        match end.filter(|end| *end <= self.bytes.len()) {
            Some(end) => {
                self.payload = end as u32;
                Ok(())
            }
            None => Err(NoRecord {
                expected,
                found: say!(
                    en: "{bytes} bytes behind the header",
                    zh: "记录头之后的 {bytes} 个字节",
                    bytes = self.bytes.len() - header,
                ),
                next: Some(self.stride()),
            }),
        }
    }

    /// Which header it has.
    #[inline]
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Type byte of the header; 15 for WPP messages.
    #[inline]
    pub fn type_byte(&self) -> u8 {
        match self.kind {
            RecordKind::Message => ty::MESSAGE,
            _ => u8_at(self.bytes, at::TYPE).unwrap_or(0),
        }
    }

    /// Whether pointers in its payload take 8 bytes: a fact of each record, not of the file. Traces of
    /// 64-bit machines hold 32-bit records of 32-bit processes.
    #[inline]
    pub fn wide(&self) -> bool {
        self.wide
    }

    /// The whole record.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What is behind the header, extended data items and counters.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.payload as usize..).unwrap_or(&[])
    }

    /// Bytes to the next record.
    #[inline]
    pub fn stride(&self) -> usize {
        (self.bytes.len() + 7) & !7
    }

    /// Time stamp in ticks of the trace's clock; WPP messages may have none.
    #[inline]
    pub fn time(&self) -> Option<i64> {
        match self.kind {
            RecordKind::PerfInfo => i64_at(self.bytes, kernel::PERFINFO_TIME),
            RecordKind::Message => self.message().and_then(|fields| fields.time),
            RecordKind::Opaque => None,
            _ => i64_at(self.bytes, event::TIME),
        }
    }

    /// Thread in the header, where it has one and names it (`FFFFFFFF` does not).
    #[inline]
    pub fn tid(&self) -> Option<u32> {
        match self.kind {
            RecordKind::PerfInfo | RecordKind::Opaque => None,
            RecordKind::Message => self.message().and_then(|fields| fields.tid),
            _ => u32_at(self.bytes, event::TID).filter(|tid| *tid != u32::MAX),
        }
    }

    /// Process in the header, where it has one and names it (`FFFFFFFF` does not).
    #[inline]
    pub fn pid(&self) -> Option<u32> {
        match self.kind {
            RecordKind::PerfInfo | RecordKind::Opaque => None,
            RecordKind::Message => self.message().and_then(|fields| fields.pid),
            _ => u32_at(self.bytes, event::PID).filter(|pid| *pid != u32::MAX),
        }
    }

    /// Hook and version of a kernel record.
    #[inline]
    pub fn hook(&self) -> Option<Hook> {
        if !self.kind.is_kernel() {
            return None;
        }
        Some(Hook {
            id: u16_at(self.bytes, kernel::HOOK)?,
            version: u8_at(self.bytes, kernel::VERSION)?,
        })
    }

    /// Class, opcode and version of a FULL or INSTANCE record.
    #[inline]
    pub fn classic(&self) -> Option<Classic> {
        if !matches!(self.kind, RecordKind::Full | RecordKind::Instance) {
            return None;
        }
        Some(Classic {
            class: Guid::at(self.bytes, full::CLASS)?,
            opcode: u8_at(self.bytes, full::OPCODE)?,
            version: u16_at(self.bytes, full::VERSION)?,
        })
    }

    /// Class of a FULL or INSTANCE record, provider of an event, source of a message. Nil for a record
    /// that is no kernel record and names none.
    #[inline]
    pub fn provider(&self) -> Option<Guid> {
        match self.kind {
            RecordKind::Full | RecordKind::Instance | RecordKind::Event => {
                Guid::at(self.bytes, event::PROVIDER)
            }
            RecordKind::Message => {
                let source = self.message().and_then(|fields| fields.source);
                Some(source.unwrap_or(Guid::NIL))
            }
            RecordKind::Opaque => Some(Guid::NIL),
            RecordKind::System | RecordKind::Compact | RecordKind::PerfInfo => None,
        }
    }

    /// Descriptor of an event of a provider.
    pub fn descriptor(&self) -> Option<Descriptor> {
        if self.kind != RecordKind::Event {
            return None;
        }
        let b = self.bytes;
        Some(Descriptor {
            provider: Guid::at(b, event::PROVIDER)?,
            id: u16_at(b, event::ID)?,
            version: u8_at(b, event::VERSION)?,
            channel: u8_at(b, event::CHANNEL)?,
            level: u8_at(b, event::LEVEL)?,
            opcode: u8_at(b, event::OPCODE)?,
            task: u16_at(b, event::TASK)?,
            keyword: u64_at(b, event::KEYWORD)?,
        })
    }

    /// Flags of an event of a provider, 0 for others.
    #[inline]
    pub fn event_flags(&self) -> u16 {
        match self.kind {
            RecordKind::Event => u16_at(self.bytes, event::FLAGS).unwrap_or(0),
            _ => 0,
        }
    }

    /// Activity id of an event of a provider.
    pub fn activity(&self) -> Option<Guid> {
        (self.kind == RecordKind::Event)
            .then(|| Guid::at(self.bytes, event::ACTIVITY))
            .flatten()
    }

    #[inline]
    fn has_items(&self) -> bool {
        self.event_flags() & event::FLAG_EXTENDED != 0
    }

    /// Extended data items of an event. Without the flag there are none, whatever the bytes look like.
    #[inline]
    pub fn items(&self) -> Items<'a> {
        Items::new(self.bytes, self.has_items().then_some(event::SIZE))
    }

    /// Fields of a WPP message.
    pub fn message(&self) -> Option<MessageFields> {
        (self.kind == RecordKind::Message)
            .then(|| MessageFields::parse(self.bytes))
            .flatten()
    }
}

#[cold]
fn cut(need: usize, have: usize) -> NoRecord {
    NoRecord {
        expected: say!(en: "a whole record", zh: "完整的记录"),
        found: say!(en: "{have} of its {need} bytes", zh: "{need} 个字节中的 {have} 个"),
        next: None,
    }
}

#[cold]
fn no_marker(type_byte: u8, marker: u8) -> NoRecord {
    NoRecord {
        expected: say!(en: "the marker of a record", zh: "记录的标记"),
        found: say!(
            en: "type byte {type_byte} and marker {marker:#04x}",
            zh: "类型字节 {type_byte} 和标记 {marker:#04x}",
        ),
        next: None,
    }
}

#[cold]
fn too_small(size: usize, header: usize) -> NoRecord {
    NoRecord {
        expected: say!(en: "a size that holds the header", zh: "能容纳记录头的大小"),
        found: say!(
            en: "{size} bytes where the header takes {header}",
            zh: "{size} 个字节，而记录头需要 {header} 个",
        ),
        next: None,
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
