//! The first record of a file: TRACE_LOGFILE_HEADER.

use super::Session;
use super::bytes::Out;
use super::session::TimeZone;

/// Writes its payload for a file of `buffers` buffers.
pub(crate) fn write(out: &mut Out, session: &Session, buffers: u32) {
    let (end, buffers) = if session.finalised {
        (session.end, buffers)
    } else {
        (0, 0)
    };
    out.u32(session.buffer_size);
    let layout = if session.compressed { (2, 0) } else { (1, 5) };
    for byte in [session.os.0, session.os.1, layout.0, layout.1] {
        out.u8(byte);
    }
    out.u32(session.build);
    out.u32(session.cpus.into());
    out.u64(end);
    // Timer resolution in 100 ns; largest file in MiB.
    out.u32(156_250);
    out.u32(0);
    out.u32(session.mode());
    out.u32(buffers);
    out.u32(1);
    out.u32(out.bits.ptr() as u32);
    out.u32(session.events_lost);
    out.u32(session.mhz);
    // Pointers of the logger once; small numbers since Windows 7, nothing after a merge.
    let timer = if session.merged { 0 } else { 3 };
    out.ptr(timer);
    out.ptr(0);
    time_zone(out, &session.zone);
    out.u32(0);
    out.u64(session.boot);
    out.u64(session.frequency);
    out.u64(session.start);
    out.u32(session.clock.number());
    out.u32(session.buffers_lost);
    out.wide(&session.name);
    out.wide(&session.file_name);
}

/// TIME_ZONE_INFORMATION, 172 bytes.
fn time_zone(out: &mut Out, zone: &TimeZone) {
    out.u32(zone.bias as u32);
    out.field(&zone.standard_name, 32);
    zone.standard_date.iter().for_each(|v| out.u16(*v));
    out.u32(zone.standard_bias as u32);
    out.field(&zone.daylight_name, 32);
    zone.daylight_date.iter().for_each(|v| out.u16(*v));
    out.u32(zone.daylight_bias as u32);
}
