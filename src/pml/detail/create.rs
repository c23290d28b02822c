//! CreateFile.

use super::field::{FieldSink, Value};
use super::file::{FileEvent, op};
use super::tables::{flags, names};
use crate::bytes::{slice_at, u8_at, u32_at};
use crate::pml::hosts::Accounts;
use crate::pml::operations::class;
use crate::pml::record::Record;

/// What a create request asked for and got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Create {
    /// Desired access mask.
    pub access: u32,
    /// 0 supersede, 1 open, 2 create, 3 open or create, 4 overwrite, 5 overwrite or create.
    pub disposition: u8,
    /// Create options (`FILE_DIRECTORY_FILE` ..), 24 bits.
    pub options: u32,
    /// File attributes for a new file.
    pub attributes: u16,
    /// Share mode: 1 read, 2 write, 4 delete.
    pub share: u16,
    /// 0 superseded, 1 opened, 2 created, 3 overwritten, 4 exists, 5 does not exist; `None` while not completed.
    pub open_result: Option<u32>,
}

/// Parameters of a CreateFile event; `None` for any other, and where the block is cut.
pub fn create_parameters(record: &Record<'_>) -> Option<Create> {
    if !matches!(record.class(), class::FILE | class::IPC) || record.operation() != op::CREATE {
        return None;
    }
    parameters(&FileEvent::parse(record)?)
}

fn parameters(event: &FileEvent<'_>) -> Option<Create> {
    let request = event.slot_u32(1)?;
    let sharing = event.slot_u32(2)?;
    Some(Create {
        access: u32_at(event.tail, 0)?,
        disposition: (request >> 24) as u8,
        options: request & 0xFF_FFFF,
        attributes: sharing as u16,
        share: (sharing >> 16) as u16,
        open_result: event.extra().and_then(|extra| u32_at(extra, 0)),
    })
}

pub(super) fn category(record: &Record<'_>) -> &'static str {
    create_parameters(record).map_or("", |create| {
        request_category(create.disposition, create.open_result)
    })
}

/// Category of a create request, by what it did where that is known, else by what it wants.
pub(crate) fn request_category(disposition: u8, open_result: Option<u32>) -> &'static str {
    let written = match open_result {
        Some(result) => matches!(result, 0 | 2 | 3),
        None => matches!(disposition, 0 | 2..=5),
    };
    if written { "Write" } else { "" }
}

/// What a create request wants, but for the access.
pub(crate) fn request<S: FieldSink>(
    disposition: u8,
    options: u32,
    attributes: u32,
    share: u32,
    sink: &mut S,
) {
    sink.field(
        "Disposition",
        Value::Named(disposition.into(), &names::DISPOSITIONS),
    );
    sink.field("Options", Value::Flags(options, &flags::CREATE_OPTIONS));
    sink.field("Attributes", Value::Flags(attributes, &flags::ATTRIBUTES));
    sink.field("ShareMode", Value::Flags(share, &flags::SHARE));
}

/// What a create request did.
pub(crate) fn open_result<S: FieldSink>(result: u32, sink: &mut S) {
    sink.field("OpenResult", Value::Named(result, &names::OPEN_RESULTS));
}

pub(super) fn detail<S: FieldSink>(
    event: &FileEvent<'_>,
    accounts: &Accounts,
    sink: &mut S,
) -> Option<()> {
    let create = parameters(event)?;
    sink.field(
        "Desired Access",
        Value::Flags(create.access, &flags::FILE_ACCESS),
    );
    let (attributes, share) = (create.attributes.into(), create.share.into());
    request(create.disposition, create.options, attributes, share, sink);
    let allocation = match create.disposition {
        0 | 2 | 3 | 5 => Value::GroupedSigned(event.slot_i64(5)?),
        _ => Value::Str("n/a"),
    };
    sink.field("AllocationSize", allocation);

    let sid_len = u8_at(event.tail, 4).unwrap_or(0);
    if let Some(sid) = slice_at(event.tail, 8, sid_len.into()).filter(|sid| !sid.is_empty()) {
        let name = accounts.name(sid);
        sink.field("Impersonating", Value::Account { name, sid });
    }
    open_result(create.open_result?, sink);
    Some(())
}
