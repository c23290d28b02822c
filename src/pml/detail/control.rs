//! FileSystemControl and DeviceIoControl.

use super::field::{FieldSink, Value};
use super::file::{FileEvent, op};
use crate::bytes::{i64_at, u64_at};
use crate::pml::record::Record;

/// Device type of named pipes, in the high half of their control codes.
const DEVICE_NAMED_PIPE: u32 = 0x11;

/// Control codes that more than one rule needs, or that are hard to tell apart by their number.
mod fsctl {
    pub const REQUEST_OPLOCK_LEVEL_1: u32 = 0x90000;
    pub const REQUEST_OPLOCK_LEVEL_2: u32 = 0x90004;
    pub const REQUEST_BATCH_OPLOCK: u32 = 0x90008;
    pub const OPLOCK_BREAK_ACKNOWLEDGE: u32 = 0x9000C;
    pub const OPBATCH_ACK_CLOSE_PENDING: u32 = 0x90010;
    pub const OPLOCK_BREAK_NOTIFY: u32 = 0x90014;
    pub const OPLOCK_BREAK_ACK_NO_2: u32 = 0x90050;
    pub const REQUEST_FILTER_OPLOCK: u32 = 0x9005C;
    pub const REQUEST_OPLOCK: u32 = 0x90240;
    pub const OFFLOAD_READ: u32 = 0x94264;
    pub const OFFLOAD_WRITE: u32 = 0x98268;
    pub const PIPE_INTERNAL_READ: u32 = 0x11_6000;
    pub const PIPE_INTERNAL_WRITE: u32 = 0x11_9FF8;
    pub const PIPE_TRANSCEIVE: u32 = 0x11_C017;
    pub const PIPE_INTERNAL_TRANSCEIVE: u32 = 0x11_DFFF;
}

/// Output length, input length and control code: slots 0 to 2.
fn code(event: &FileEvent<'_>) -> Option<u32> {
    event.slot_u32(2)
}

pub(super) fn waits(record: &Record<'_>) -> bool {
    if record.operation() != op::FILE_SYSTEM_CONTROL {
        return false;
    }
    let Some(code) = FileEvent::parse(record).and_then(|event| code(&event)) else {
        return false;
    };
    code_waits(code)
}

/// Whether a file system control waits by nature: for an oplock, for its break, or for the other end of a pipe.
pub(crate) fn code_waits(code: u32) -> bool {
    code >> 16 == DEVICE_NAMED_PIPE
        || matches!(
            code,
            fsctl::REQUEST_OPLOCK_LEVEL_1
                | fsctl::REQUEST_OPLOCK_LEVEL_2
                | fsctl::REQUEST_BATCH_OPLOCK
                | fsctl::OPLOCK_BREAK_ACKNOWLEDGE
                | fsctl::OPBATCH_ACK_CLOSE_PENDING
                | fsctl::OPLOCK_BREAK_NOTIFY
                | fsctl::OPLOCK_BREAK_ACK_NO_2
                | fsctl::REQUEST_FILTER_OPLOCK
                | fsctl::REQUEST_OPLOCK
        )
}

/// Category of a FileSystemControl event.
pub(super) fn category(record: &Record<'_>) -> &'static str {
    let code = FileEvent::parse(record).and_then(|event| code(&event));
    code.map_or("", code_category)
}

/// Category of a file system control, by Procmon's own choice of codes.
pub(crate) fn code_category(code: u32) -> &'static str {
    match code {
        // Offload read, get reparse point, read raw encrypted.
        0x94264 | 0x900A8 | 0x900E3 => "Read",
        // Offload write, move file, delete reparse point, write raw encrypted, both pipe transceives.
        0x98268 | 0x90074 | 0x900AC | 0x900DF | 0x11_C017 | 0x11_DFFF => "Write",
        // Compression, property data, object ids, reparse point, sparse, encryption, USN journal, extend volume.
        0x9C040 | 0x9008B | 0x90098 | 0x900A0 | 0x900A4 | 0x900C4 | 0x900D7 | 0x900E7 | 0x900EF
        | 0x900F0 | 0x900F8 => "Write Metadata",
        // Retrieval pointers, compression, volume data and bitmap, file records, object ids, USN data.
        0x9003B | 0x9003C | 0x90058 | 0x90060 | 0x90064 | 0x90068 | 0x9006F | 0x90073 | 0x90078
        | 0x90087 | 0x9008F | 0x9009C | 0x900BB | 0x900BC | 0x900C0 | 0x900EB | 0x900F4 => {
            "Read Metadata"
        }
        _ => "",
    }
}

pub(super) fn detail<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    let code = code(event)?;
    sink.field("Control", Value::Control(code));
    if event.record.operation() == op::DEVICE_CONTROL {
        return Some(());
    }
    let output = Value::Grouped(event.slot_u32(0)?.into());
    let input = Value::Grouped(event.slot_u32(1)?.into());
    match code {
        // The tail holds FSCTL_OFFLOAD_READ_INPUT: size, flags, time to live, reserved, offset, length.
        fsctl::OFFLOAD_READ => range(event.tail, 16, sink)?,
        // FSCTL_OFFLOAD_WRITE_INPUT: size, flags, offset, length.
        fsctl::OFFLOAD_WRITE => range(event.tail, 8, sink)?,
        fsctl::PIPE_INTERNAL_WRITE => sink.field("Length", input),
        fsctl::PIPE_INTERNAL_READ => sink.field("Length", output),
        fsctl::PIPE_TRANSCEIVE | fsctl::PIPE_INTERNAL_TRANSCEIVE => {
            sink.field("WriteLength", input);
            sink.field("ReadLength", output);
        }
        _ => {}
    }
    Some(())
}

fn range<S: FieldSink>(tail: &[u8], at: usize, sink: &mut S) -> Option<()> {
    sink.field("Offset", Value::GroupedSigned(i64_at(tail, at)?));
    sink.field("Length", Value::Grouped(u64_at(tail, at + 8)?));
    Some(())
}
