//! Operations that Procmon prints as bare parameters or not at all: pipe and mailslot creation, power,
//! device changes, quota and plug and play. No export with such events was at hand.

use super::Mode;
use super::field::{FieldSink, Value};
use super::file::FileEvent;

/// CreatePipe and CreateMailSlot: the call as the filter manager hands it over, unexplained.
pub(super) fn arguments<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    sink.field("Minor ID", Value::Hex(event.sub_operation().into()));
    sink.field("IRP Flags", Value::Hex(event.irp_flags().into()));
    sink.field("Flags", Value::Hex(event.callback_flags().into()));
    sink.field("Arg1", Value::Hex(event.slot_ptr(0)?));
    sink.field("Arg2", Value::Hex(event.slot_u32(1)?.into()));
    sink.field("Arg3", Value::Hex(event.slot_ptr(2)?));
    sink.field("Arg4", Value::Hex(event.slot_ptr(3)?));
    Some(())
}

/// Power, SystemControl and DeviceChange.
pub(super) fn other<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    if !mode.is_clean() {
        return None;
    }
    arguments(event, sink)
}

/// QueryFileQuota and SetFileQuota: the length of the buffer comes first in both.
pub(super) fn quota<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    sink.field("Length", Value::Grouped(event.slot_u32(0)?.into()));
    Some(())
}

/// The plug-and-play requests whose parameter is a plain value.
pub(super) fn plug_and_play<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    let first = event.slot_u32(0)?;
    let named = |names: &[&'static str]| match names.get(first as usize) {
        Some(name) => Value::Str(name),
        None => Value::Hex(first.into()),
    };
    match event.sub_operation() {
        0x07 => sink.field("Type", named(&RELATIONS)),
        0x0C => sink.field("Type", named(&TEXTS)),
        0x12 => sink.field("Lock", Value::Bool(first & 0xFF != 0)),
        0x13 => sink.field("Type", named(&IDS)),
        0x16 => {
            sink.field("InPath", Value::Bool(first & 0xFF != 0));
            let usage = event.slot_u32(1)?;
            sink.field("Type", Value::Hex(usage.into()));
        }
        _ => return None,
    }
    Some(())
}

/// `DEVICE_RELATION_TYPE`.
static RELATIONS: [&str; 7] = [
    "BusRelations",
    "EjectionRelations",
    "PowerRelations",
    "RemovalRelations",
    "TargetDeviceRelation",
    "SingleBusRelations",
    "TransportRelations",
];

/// `DEVICE_TEXT_TYPE`.
static TEXTS: [&str; 2] = ["DeviceTextDescription", "DeviceTextLocationInformation"];

/// `BUS_QUERY_ID_TYPE`.
static IDS: [&str; 6] = [
    "BusQueryDeviceID",
    "BusQueryHardwareIDs",
    "BusQueryCompatibleIDs",
    "BusQueryInstanceID",
    "BusQueryDeviceSerialNumber",
    "BusQueryContainerID",
];
