//! Whole files around the bytes under test, so that a target reaches its layer with every input.

use fltscope::input::view::Source;
use std::sync::Arc;
use tracegen::etl::{EtlBuilder, Session};
use tracegen::pml::Bits;
use tracegen::scenario::START;

/// Bytes as a file.
pub fn source(bytes: &[u8]) -> Source {
    Source::Memory(Arc::from(bytes))
}

/// The first buffer of a trace: what must be there for anything to be read.
pub fn head() -> &'static [u8] {
    static HEAD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    HEAD.get_or_init(|| EtlBuilder::new(session()).finish())
}

fn session() -> Session {
    Session {
        buffer_size: 4_096,
        ..Session::new(Bits::B64, START)
    }
}

/// Ticks at the start of the trace that [`head`] begins.
pub fn clock_start() -> i64 {
    session().origin
}

/// Appends a buffer that has `records` for its data.
pub fn push_buffer(out: &mut Vec<u8>, records: &[u8]) {
    let size = (72 + records.len()).next_multiple_of(8) as u32;
    let mut header = [0_u8; 72];
    header[..4].copy_from_slice(&size.to_le_bytes());
    header[0x30..0x34].copy_from_slice(&(72 + records.len() as u32).to_le_bytes());
    out.extend(header);
    out.extend(records);
    out.resize(out.len().next_multiple_of(8), 0xFF);
}

/// A trace whose second buffer has `records` for its data.
pub fn trace_with(records: &[u8]) -> Vec<u8> {
    let mut out = head().to_vec();
    push_buffer(&mut out, records);
    out
}

/// The provider of [`event`].
pub const PROVIDER: [u8; 16] = [0x42; 16];

/// A record of a class (EVENT_TRACE_HEADER).
pub fn classic(class: [u8; 16], opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 20, 0xC0, opcode, 0, 2, 0];
    out.extend(1_111_u32.to_le_bytes());
    out.extend(2_222_u32.to_le_bytes());
    out.extend(1_000_000_i64.to_le_bytes());
    out.extend(class);
    out.extend([0; 8]);
    out.extend(payload.iter().take(0xFF00));
    let len = out.len() as u16;
    out[..2].copy_from_slice(&len.to_le_bytes());
    out
}

/// An event of a provider (EVENT_HEADER record) with extended data items.
pub fn event(id: u16, opcode: u8, items: &[(u16, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 19, 0xC0];
    out.extend(u16::from(!items.is_empty()).to_le_bytes());
    out.extend([0; 2]);
    out.extend(1_111_u32.to_le_bytes());
    out.extend(2_222_u32.to_le_bytes());
    out.extend(1_000_000_i64.to_le_bytes());
    out.extend(PROVIDER);
    out.extend(id.to_le_bytes());
    out.extend([1, 11, 5, opcode]);
    out.extend(7_u16.to_le_bytes());
    out.extend(0x8000_0000_0000_0001_u64.to_le_bytes());
    out.extend([0; 24]);
    for (number, (kind, data)) in items.iter().enumerate() {
        let data = &data[..data.len().min(0x7000)];
        let size = (8 + data.len()).next_multiple_of(8);
        out.extend((size as u16).to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(u16::from(number + 1 < items.len()).to_le_bytes());
        out.extend((data.len() as u16).to_le_bytes());
        out.extend(data);
        out.resize(out.len() + size - 8 - data.len(), 0);
    }
    out.extend(payload.iter().take(0x7000));
    out.truncate(0xFFF8);
    let len = out.len() as u16;
    out[..2].copy_from_slice(&len.to_le_bytes());
    out
}
