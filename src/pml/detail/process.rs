//! Process, thread and image events.

use super::field::{FieldSink, Value};
use crate::bytes::{i32_at, ptr_at, slice_at, u8_at, u32_at, u64_at};
use crate::pml::operations::class;
use crate::pml::record::Record;
use crate::pml::text::{Info, Text};
use crate::trace::time::Filetime;

/// Process operations.
mod op {
    pub const DEFINED: u16 = 0;
    pub const CREATE: u16 = 1;
    pub const EXIT: u16 = 2;
    pub const THREAD_CREATE: u16 = 3;
    pub const THREAD_EXIT: u16 = 4;
    pub const LOAD_IMAGE: u16 = 5;
    pub const START: u16 = 7;
    pub const STATISTICS: u16 = 8;
}

/// What a Load Image event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLoad<'a> {
    /// Base address.
    pub base: u64,
    /// Size in bytes.
    pub size: u32,
    /// Path of the file.
    pub path: Text<'a>,
}

/// What a Process Create or Process Defined event says of the process it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessCreated<'a> {
    /// Number by which events refer to the process.
    pub index: u32,
    /// Process id.
    pub pid: u32,
    /// Number of the parent.
    pub parent_index: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// Session.
    pub session: u32,
    /// Whether it is a 64-bit process.
    pub is_64: bool,
    /// When it was created.
    pub create_time: Filetime,
    /// Authentication id (LUID).
    pub auth_id: u64,
    /// 0 or 1 for virtualized, anything else for not applicable.
    pub virtualized: u32,
    /// Binary SID of the user.
    pub user_sid: &'a [u8],
    /// Binary SID of the integrity level.
    pub integrity_sid: &'a [u8],
    /// Path of the image.
    pub path: Text<'a>,
    /// Command line.
    pub command_line: Text<'a>,
}

/// What a Process Start event says; the process is the event's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStart<'a> {
    /// Process id of the parent.
    pub parent_pid: u32,
    /// Command line.
    pub command_line: Text<'a>,
    /// Current directory.
    pub current_directory: Text<'a>,
    /// Environment: UTF-16LE strings, each ended by a NUL.
    pub environment: &'a [u8],
}

/// Reads a Load Image event; `None` for any other.
pub fn image_load<'a>(record: &Record<'a>) -> Option<ImageLoad<'a>> {
    if !is(record, op::LOAD_IMAGE) {
        return None;
    }
    let block = record.detail();
    let ptr = record.bits().ptr();
    Some(ImageLoad {
        base: ptr_at(block, 0, record.bits().is_64())?,
        size: u32_at(block, ptr)?,
        path: Info::read(block, ptr + 4)?.text(block, ptr + 8),
    })
}

/// Reads a Process Create or Process Defined event; `None` for any other.
pub fn process_created<'a>(record: &Record<'a>) -> Option<ProcessCreated<'a>> {
    if !is(record, op::CREATE) && !is(record, op::DEFINED) {
        return None;
    }
    let block = record.detail();
    let user_len = usize::from(u8_at(block, 44)?);
    let integrity_len = usize::from(u8_at(block, 45)?);
    let path = Info::read(block, 46)?;
    let command_line = Info::read(block, 48)?;
    let integrity_at = 52 + user_len;
    let path_at = integrity_at + integrity_len;
    Some(ProcessCreated {
        index: u32_at(block, 0)?,
        pid: u32_at(block, 4)?,
        parent_index: u32_at(block, 8)?,
        parent_pid: u32_at(block, 12)?,
        session: u32_at(block, 16)?,
        is_64: u32_at(block, 20)? != 0,
        create_time: Filetime(u64_at(block, 24)?),
        auth_id: u64_at(block, 32)?,
        virtualized: u32_at(block, 40)?,
        user_sid: slice_at(block, 52, user_len)?,
        integrity_sid: slice_at(block, integrity_at, integrity_len)?,
        path: path.text(block, path_at),
        command_line: command_line.text(block, path_at + path.byte_len()),
    })
}

/// Reads a Process Start event; `None` for any other.
pub fn process_start<'a>(record: &Record<'a>) -> Option<ProcessStart<'a>> {
    if !is(record, op::START) {
        return None;
    }
    let block = record.detail();
    let command_line = Info::read(block, 4)?;
    let directory = Info::read(block, 6)?;
    let chars = u32_at(block, 8)? as usize;
    let directory_at = 12 + command_line.byte_len();
    let rest = block
        .get(directory_at + directory.byte_len()..)
        .unwrap_or(&[]);
    Some(ProcessStart {
        parent_pid: u32_at(block, 0)?,
        command_line: command_line.text(block, 12),
        current_directory: directory.text(block, directory_at),
        environment: &rest[..rest.len().min(chars.saturating_mul(2))],
    })
}

fn is(record: &Record<'_>, operation: u16) -> bool {
    record.class() == class::PROCESS && record.operation() == operation
}

pub(super) fn push_path(record: &Record<'_>, out: &mut String) {
    if let Some(image) = image_load(record) {
        image.path.push_to(out);
    } else if let Some(created) = process_created(record) {
        created.path.push_to(out);
    }
}

pub(super) fn detail<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    let block = record.detail();
    match record.operation() {
        op::DEFINED | op::CREATE => {
            let created = process_created(record)?;
            sink.field("PID", Value::Decimal(created.pid.into()));
            sink.field("Command line", Value::Text(created.command_line));
        }
        op::EXIT | op::STATISTICS => exit(block, sink)?,
        op::THREAD_CREATE => sink.field("Thread ID", Value::Decimal(u32_at(block, 0)?.into())),
        op::THREAD_EXIT => {
            sink.field("Thread ID", Value::Decimal(record.tid().into()));
            sink.field("User Time", Value::Seconds(u64_at(block, 12)?));
            sink.field("Kernel Time", Value::Seconds(u64_at(block, 4)?));
        }
        op::LOAD_IMAGE => {
            let image = image_load(record)?;
            sink.field("Image Base", Value::Hex(image.base));
            sink.field("Image Size", Value::Hex(image.size.into()));
        }
        op::START => {
            let start = process_start(record)?;
            sink.field("Parent PID", Value::Decimal(start.parent_pid.into()));
            sink.field("Command line", Value::Text(start.command_line));
            sink.field("Current directory", Value::Text(start.current_directory));
            sink.field("Environment", Value::Variables(start.environment));
        }
        _ => {}
    }
    Some(())
}

/// i32 status, then u64 kernel time, user time, working set, its peak, private bytes, their peak.
fn exit<S: FieldSink>(block: &[u8], sink: &mut S) -> Option<()> {
    let counter = |place: usize| u64_at(block, 4 + place * 8);
    sink.field(
        "Exit Status",
        Value::DecimalSigned(i32_at(block, 0)?.into()),
    );
    sink.field("User Time", Value::SecondsWithUnit(counter(1)?));
    sink.field("Kernel Time", Value::SecondsWithUnit(counter(0)?));
    sink.field("Private Bytes", Value::Grouped(counter(4)?));
    sink.field("Peak Private Bytes", Value::Grouped(counter(5)?));
    sink.field("Working Set", Value::Grouped(counter(2)?));
    sink.field("Peak Working Set", Value::Grouped(counter(3)?));
    Some(())
}
