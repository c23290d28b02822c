//! File system events: the common layout, and which decoder an operation has.

use super::field::FieldSink;
use super::{Mode, control, create, device, directory, file_information, io, rename, volume};
use crate::bytes::{i64_at, ptr_at, u8_at, u32_at};
use crate::pml::hosts::Accounts;
use crate::pml::operations::{UNKNOWN, operation_name};
use crate::pml::record::Record;
use crate::pml::text::{Info, Text};

/// Operation numbers that more than one decoder asks for.
pub(super) mod op {
    pub const CREATE: u16 = 20;
    pub const READ: u16 = 23;
    pub const WRITE: u16 = 24;
    pub const QUERY_INFORMATION: u16 = 25;
    pub const SET_INFORMATION: u16 = 26;
    pub const DIRECTORY: u16 = 32;
    pub const FILE_SYSTEM_CONTROL: u16 = 33;
    pub const DEVICE_CONTROL: u16 = 34;
}

/// Where the parameter slots start in the detail block.
const SLOTS: usize = 16;

/// The detail block of a file event:
/// u8 sub-operation, junk, u32 IRP flags at 8, u32 filter callback flags at 12, the parameters A0 to A5
/// (`FLT_PARAMETERS`, one pointer each, the last 8 bytes), u16 info, u16 junk, the path, and a tail that
/// depends on the operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileEvent<'a> {
    pub record: Record<'a>,
    block: &'a [u8],
    pub path: Text<'a>,
    /// What follows the path.
    pub tail: &'a [u8],
}

impl<'a> FileEvent<'a> {
    #[inline]
    pub fn parse(record: &Record<'a>) -> Option<Self> {
        let block = record.detail();
        let info_at = SLOTS + 5 * record.bits().ptr() + 8;
        let info = Info::read(block, info_at)?;
        let path_at = info_at + 4;
        Some(Self {
            record: *record,
            block,
            path: info.text(block, path_at),
            tail: block.get(path_at + info.byte_len()..).unwrap_or(&[]),
        })
    }

    /// Minor function or information class.
    #[inline]
    pub fn sub_operation(&self) -> u8 {
        u8_at(self.block, 0).unwrap_or(0)
    }

    #[inline]
    pub fn irp_flags(&self) -> u32 {
        u32_at(self.block, 8).unwrap_or(0)
    }

    #[inline]
    pub fn callback_flags(&self) -> u32 {
        u32_at(self.block, 12).unwrap_or(0)
    }

    #[inline]
    fn slot_at(&self, slot: usize) -> usize {
        SLOTS + slot * self.record.bits().ptr()
    }

    /// Slot as a pointer.
    #[inline]
    pub fn slot_ptr(&self, slot: usize) -> Option<u64> {
        ptr_at(self.block, self.slot_at(slot), self.record.bits().is_64())
    }

    /// Low 32 bits of a slot.
    #[inline]
    pub fn slot_u32(&self, slot: usize) -> Option<u32> {
        u32_at(self.block, self.slot_at(slot))
    }

    /// The 8 bytes at a slot, which take two slots in a 32-bit log.
    #[inline]
    pub fn slot_i64(&self, slot: usize) -> Option<i64> {
        i64_at(self.block, self.slot_at(slot))
    }

    /// The byte `offset` bytes behind the start of a slot.
    #[inline]
    pub fn slot_byte(&self, slot: usize, offset: usize) -> Option<u8> {
        u8_at(self.block, self.slot_at(slot) + offset)
    }

    /// The parameters as bytes.
    #[inline]
    pub fn parameters(&self) -> &'a [u8] {
        &self.block[SLOTS..]
    }

    /// The extra block, if the record has one.
    #[inline]
    pub fn extra(&self) -> Option<&'a [u8]> {
        self.record.extra().map(|extra| extra.bytes())
    }
}

pub(super) fn push_path(record: &Record<'_>, out: &mut String) {
    let Some(event) = FileEvent::parse(record) else {
        return;
    };
    // What `out` holds already belongs to other events.
    let start = out.len();
    event.path.push_to(out);
    if let Some(filter) = directory::filter(&event) {
        if !out[start..].ends_with('\\') {
            out.push('\\');
        }
        filter.push_to(out);
    }
}

pub(super) fn category(record: &Record<'_>) -> &'static str {
    match record.operation() {
        op::CREATE => create::category(record),
        23 | 5 => "Read",
        24 | 3 => "Write",
        op::QUERY_INFORMATION | 27 | 40 | 45 => "Read Metadata",
        op::SET_INFORMATION => file_information::set_category(record),
        28 | 31 | 41 | 46 => "Write Metadata",
        op::DIRECTORY => "Read Metadata",
        op::FILE_SYSTEM_CONTROL => control::category(record),
        _ => "",
    }
}

pub(super) fn detail<S: FieldSink>(
    record: &Record<'_>,
    accounts: &Accounts,
    mode: Mode,
    sink: &mut S,
) -> Option<()> {
    let event = FileEvent::parse(record)?;
    let operation = record.operation();
    match operation {
        op::CREATE => return create::detail(&event, accounts, sink),
        23 | 5 | 24 | 3 => return io::read_write(&event, sink),
        19 => return io::mapping(&event, mode, sink),
        2 | 4 => return io::mdl(&event, sink),
        17 => return io::acquire_for_write(&event, sink),
        6 => return file_information::query_open(&event, sink),
        21 | 39 => return device::arguments(&event, sink),
        33 | 34 => return control::detail(&event, sink),
        40 | 41 => return io::security(&event, mode, sink),
        42..=44 => return device::other(&event, mode, sink),
        45 | 46 => return device::quota(&event, sink),
        _ => {}
    }
    if !mode.is_clean() && operation_name(record) == UNKNOWN {
        return None;
    }
    match operation {
        op::QUERY_INFORMATION => file_information::query(&event, mode, sink),
        op::SET_INFORMATION if rename::is_rename(event.sub_operation()) => {
            rename::detail(&event, mode, sink)
        }
        op::SET_INFORMATION => file_information::set(&event, mode, sink),
        30 => volume::query(&event, mode, sink),
        31 => volume::set(&event, sink),
        op::DIRECTORY => directory::detail(&event, mode, sink),
        37 => io::lock(&event, mode, sink),
        47 => device::plug_and_play(&event, sink),
        _ => None,
    }
}
