//! Reads, writes, sections, locks and security of an open file.

use super::Mode;
use super::field::{FieldSink, Value};
use super::file::{FileEvent, op};
use super::tables::{flags, names};
use crate::bytes::{i64_at, u32_at};
use crate::pml::operations::class;
use crate::pml::record::Record;
use crate::trace::Transfer;

pub(super) fn read_write<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    let Transfer { offset, length } = of(event)?;
    sink.field("Offset", Value::GroupedSigned(offset));
    sink.field("Length", Value::Grouped(length.into()));
    irp_flags(event.irp_flags(), sink);
    Some(())
}

fn of(event: &FileEvent<'_>) -> Option<Transfer> {
    let offset = event.slot_i64(2)?;
    // The extra block holds what was transferred, slot 0 what was asked for.
    let length = match event.extra().and_then(|extra| u32_at(extra, 0)) {
        Some(transferred) => transferred,
        None => event.slot_u32(0)?,
    };
    Some(Transfer { offset, length })
}

/// What a read or write moved; `None` for other events.
pub fn transfer(record: &Record<'_>) -> Option<Transfer> {
    let moves = record.class() == class::FILE && matches!(record.operation(), op::READ | op::WRITE);
    moves.then(|| of(&FileEvent::parse(record)?))?
}

/// The path and the place of a write that succeeded, the path in `path`, which is cleared first; `None` for other events.
#[inline]
pub fn written_path(record: &Record<'_>, path: &mut String) -> Option<Transfer> {
    let writes = record.class() == class::FILE && record.operation() == op::WRITE;
    if !writes || record.status() != 0 {
        return None;
    }
    let event = FileEvent::parse(record)?;
    path.clear();
    event.path.push_to(path);
    of(&event)
}

/// What the flags of a read or write IRP say: how it goes, and its priority.
pub(crate) fn irp_flags<S: FieldSink>(irp: u32, sink: &mut S) {
    let io_flags = irp & 0xE0_00FF;
    if io_flags != 0 {
        sink.field("I/O Flags", Value::Flags(io_flags, &flags::IO_FLAGS));
    }
    let priority = irp >> 17 & 7;
    if priority != 0 {
        sink.field("Priority", Value::Named(priority, &names::PRIORITIES));
    }
}

/// CreateFileMapping: u32 sync type and u32 page protection at the start of the parameters.
///
/// Procmon takes the protection from slot A1: the right place in a 32-bit log, the low half of a
/// pointer in a 64-bit one.
pub(super) fn mapping<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let sync_type = event.slot_u32(0)?;
    sink.field("SyncType", Value::Named(sync_type, &names::SYNC_TYPES));
    let protection = if mode.is_clean() {
        u32_at(event.parameters(), 4)?
    } else {
        event.slot_u32(1)?
    };
    if protection != 0 {
        sink.field("PageProtection", Value::Protection(protection));
    }
    Some(())
}

pub(super) fn mdl<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    sink.field("MDL", Value::Hex(event.slot_ptr(0)?));
    Some(())
}

pub(super) fn acquire_for_write<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    sink.field("EndingOffset", Value::GroupedSigned(i64_at(event.tail, 0)?));
    Some(())
}

/// LockFile and the three kinds of unlocking. Procmon prints the low half of the length only.
pub(super) fn lock<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let is_lock = event.sub_operation() == 1;
    // Two BOOLEANs behind the offset, aligned to a pointer.
    let flags_at = 8 + event.record.bits().ptr();
    if is_lock {
        let exclusive = event.slot_byte(2, flags_at + 1)? != 0;
        sink.field("Exclusive", Value::Bool(exclusive));
    }
    sink.field("Offset", Value::GroupedSigned(event.slot_i64(2)?));
    let length = match mode {
        Mode::Clean => Value::GroupedSigned(i64_at(event.tail, 0)?),
        Mode::Procmon(_) => Value::Grouped(u32_at(event.tail, 0)?.into()),
    };
    sink.field("Length", length);
    if is_lock {
        let at_once = event.slot_byte(2, flags_at)? != 0;
        sink.field("Fail Immediately", Value::Bool(at_once));
    }
    Some(())
}

pub(super) fn security<S: FieldSink>(
    event: &FileEvent<'_>,
    mode: Mode,
    sink: &mut S,
) -> Option<()> {
    let set = if mode.is_recent() {
        &flags::SECURITY_INFORMATION_NEWER
    } else {
        &flags::SECURITY_INFORMATION
    };
    sink.field("Information", Value::Flags(event.slot_u32(0)?, set));
    Some(())
}
