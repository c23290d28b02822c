//! One event record: fixed part, stack, detail block, extra block.

use super::bytes::Out;
use super::op::class;
use super::{Bits, Event, SaturatedExtra, layout};

/// Appends a record. `sequence` is the driver's running number, which no export shows.
pub(crate) fn write(
    out: &mut Out,
    bits: Bits,
    event: &Event,
    sequence: u32,
    saturated: SaturatedExtra,
) {
    let start = out.len();
    let (class, operation) = event.op.number();
    let depth = event.stack.len().min(usize::from(u16::MAX));
    out.u32(event.process.0);
    out.u32(event.tid);
    out.u16(class);
    out.u16(0);
    out.u16(operation);
    out.junk(2);
    // The network provider numbers on its own, far away from the driver's counter.
    out.u32(if class == class::NETWORK {
        sequence | 0x2000_0000
    } else {
        sequence
    });
    out.u64(event.duration);
    out.u64(event.time);
    out.u32(event.status);
    out.u16(depth as u16);
    out.junk(2);
    out.u32(0);
    out.u32(0);
    for frame in &event.stack[..depth] {
        out.ptr(bits, *frame);
    }
    let detail = out.len();
    event.op.detail(out, bits);
    let extra = out.len();
    out.patch_u32(start + layout::R_DETAIL_SIZE, (extra - detail) as u32);
    out.u16(0);
    if event.op.extra(out, bits) {
        let size = out.len() - extra - 2;
        let stored = size.min(usize::from(u16::MAX)) as u16;
        if saturated == SaturatedExtra::Cut {
            out.bytes.truncate(extra + 2 + usize::from(stored));
        }
        out.bytes[extra..extra + 2].copy_from_slice(&stored.to_le_bytes());
        out.patch_u32(start + layout::R_EXTRA, (extra - start) as u32);
    } else {
        out.bytes.truncate(extra);
    }
}
