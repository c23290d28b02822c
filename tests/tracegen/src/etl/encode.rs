//! From a record to its bytes: header, extended data items, payload.

use super::bytes::Out;
use super::event::{Identity, Provider};
use super::guid::class_of;
use super::{Clock, Guid, HeaderKind, Record, Session};
use crate::pml::Bits;

/// What payloads depend on besides the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) file_io_version: u8,
}

impl Context {
    pub(crate) fn of(session: &Session) -> Self {
        Self {
            clock: session.clock(),
            file_io_version: session.file_io_version,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Type byte of the header.
    pub(crate) kind: u8,
    /// Kernel hook and version.
    pub(crate) hook: Option<(u16, u8)>,
    /// Class or provider, opcode or id, version.
    pub(crate) provider: Option<(Guid, u16, u16)>,
    /// Offset of the payload in the record.
    pub(crate) payload: usize,
}

const MARKER: u8 = 0xC0;

/// Appends a record. The caller aligns.
pub(crate) fn encode(out: &mut Out, context: &Context, bits: Bits, record: &Record<'_>) -> Shape {
    out.bits = record.bits.unwrap_or(bits);
    let start = out.len();
    let ticks = context.clock.ticks(record.time);
    let mut shape = match record.event.identity(context) {
        Identity::Kernel {
            hook,
            version,
            header,
        } => kernel(
            out,
            record,
            ticks,
            (hook, version),
            record.header.unwrap_or(header),
        ),
        Identity::Class {
            class,
            opcode,
            version,
        } => full(out, record, ticks, (class, opcode, version)),
        Identity::Provider(provider) => event_header(out, record, ticks, &provider),
    };
    if matches!(shape.kind, 18 | 19) {
        record.event.items(out);
    }
    shape.payload = out.len() - start;
    record.event.payload(out, context);
    let size = (out.len() - start) as u16;
    // The older headers have their version in front of the size.
    let size_at = if shape.kind < 10 || matches!(shape.kind, 16 | 17) {
        4
    } else {
        0
    };
    out.patch_u16(start + size_at, size);
    shape
}

fn of_bits(bits: Bits, narrow: u8, wide: u8) -> u8 {
    match bits {
        Bits::B32 => narrow,
        Bits::B64 => wide,
    }
}

fn kernel(
    out: &mut Out,
    record: &Record<'_>,
    ticks: i64,
    (hook, version): (u16, u8),
    header: HeaderKind,
) -> Shape {
    let kind = match header {
        HeaderKind::System => of_bits(out.bits, 1, 2),
        HeaderKind::Compact => of_bits(out.bits, 3, 4),
        HeaderKind::PerfInfo => of_bits(out.bits, 16, 17),
        HeaderKind::Full => {
            let (class, opcode) = class_of(hook);
            return full(out, record, ticks, (class, opcode, version.into()));
        }
    };
    out.u16(version.into());
    out.u8(kind);
    out.u8(MARKER);
    out.u16(0);
    out.u16(hook);
    if header != HeaderKind::PerfInfo {
        out.u32(record.tid);
        out.u32(record.pid);
    }
    out.i64(ticks);
    if header == HeaderKind::System {
        // Kernel and user time of the thread in clock interrupts.
        out.u32(record.tid & 0xFF);
        out.u32(record.tid >> 3 & 0x3F);
    }
    Shape {
        kind,
        hook: Some((hook, version)),
        provider: None,
        payload: 0,
    }
}

fn full(
    out: &mut Out,
    record: &Record<'_>,
    ticks: i64,
    (class, opcode, version): (Guid, u8, u16),
) -> Shape {
    let kind = of_bits(out.bits, 10, 20);
    out.u16(0);
    out.u8(kind);
    out.u8(MARKER);
    out.u8(opcode);
    out.u8(0);
    out.u16(version);
    out.u32(record.tid);
    out.u32(record.pid);
    out.i64(ticks);
    out.guid(class);
    out.u64(0);
    Shape {
        kind,
        hook: None,
        provider: Some((class, opcode.into(), version)),
        payload: 0,
    }
}

fn event_header(out: &mut Out, record: &Record<'_>, ticks: i64, provider: &Provider) -> Shape {
    let kind = of_bits(out.bits, 18, 19);
    out.u16(0);
    out.u8(kind);
    out.u8(MARKER);
    out.u16(record.event.has_items().into());
    out.u16(0);
    out.u32(record.tid);
    out.u32(record.pid);
    out.i64(ticks);
    out.guid(provider.provider);
    out.u16(provider.id);
    out.u8(provider.version);
    out.u8(provider.channel);
    out.u8(provider.level);
    out.u8(provider.opcode);
    out.u16(provider.task);
    out.u64(provider.keywords);
    out.u64(0);
    out.guid(provider.activity);
    Shape {
        kind,
        hook: None,
        provider: Some((provider.provider, provider.id, provider.version.into())),
        payload: 0,
    }
}
