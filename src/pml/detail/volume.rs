//! QueryVolumeInformation and SetVolumeInformation: the `FILE_FS_*_INFORMATION` structures.

use super::Mode;
use super::field::{FieldSink, Value};
use super::file::FileEvent;
use super::tables::flags;
use crate::bytes::{slice_at, u8_at, u32_at, u64_at};
use crate::pml::text::Text;
use crate::trace::time::Filetime;

pub(super) fn query<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let extra = event.extra()?;
    match event.sub_operation() {
        1 => volume(extra, sink),
        3 => {
            units(
                &["TotalAllocationUnits", "AvailableAllocationUnits"],
                extra,
                sink,
            )?;
            sectors(extra, 16, sink)
        }
        4 => {
            sink.field("DeviceType", Value::Hex(u32_at(extra, 0)?.into()));
            sink.field("Characteristics", Value::Hex(u32_at(extra, 4)?.into()));
            Some(())
        }
        5 => attribute(extra, sink),
        7 => {
            let names = [
                "TotalAllocationUnits",
                "CallerAvailableAllocationUnits",
                "ActualAvailableAllocationUnits",
            ];
            units(&names, extra, sink)?;
            sectors(extra, 24, sink)
        }
        8 => {
            sink.field("ObjectId", Value::Id(slice_at(extra, 0, 16)?));
            Some(())
        }
        // Procmon of 2020 has no name for this class and prints nothing.
        11 if mode.is_clean() => sector_size(extra, sink),
        _ => None,
    }
}

/// `FILE_FS_LABEL_INFORMATION` and `FILE_FS_OBJECTID_INFORMATION` as requests.
pub(super) fn set<S: FieldSink>(event: &FileEvent<'_>, sink: &mut S) -> Option<()> {
    match event.sub_operation() {
        2 => {
            let label = sized_name(event.tail, 0, 4)?;
            sink.field("VolumeLabel", Value::Text(label));
        }
        8 => sink.field("ObjectId", Value::Id(slice_at(event.tail, 0, 16)?)),
        _ => return None,
    }
    Some(())
}

/// A name with its u32 byte length at `len_at` and its text at `at`, as far as it was copied.
fn sized_name(bytes: &[u8], len_at: usize, at: usize) -> Option<Text<'_>> {
    let len = u32_at(bytes, len_at)? as usize;
    let rest = bytes.get(at..).unwrap_or(&[]);
    Some(Text::Utf16(&rest[..len.min(rest.len())]))
}

/// `FILE_FS_VOLUME_INFORMATION`.
fn volume<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    let created = Filetime(u64_at(bytes, 0)?);
    sink.field("VolumeCreationTime", Value::Time(created));
    sink.field("VolumeSerialNumber", Value::Serial(u32_at(bytes, 8)?));
    sink.field("SupportsObjects", Value::Bool(u8_at(bytes, 16)? != 0));
    sink.field("VolumeLabel", Value::Text(sized_name(bytes, 12, 18)?));
    Some(())
}

fn units<S: FieldSink>(names: &[&'static str], bytes: &[u8], sink: &mut S) -> Option<()> {
    for (place, &name) in names.iter().enumerate() {
        sink.field(name, Value::Grouped(u64_at(bytes, place * 8)?));
    }
    Some(())
}

fn sectors<S: FieldSink>(bytes: &[u8], at: usize, sink: &mut S) -> Option<()> {
    let sectors = u32_at(bytes, at)?;
    sink.field("SectorsPerAllocationUnit", Value::Grouped(sectors.into()));
    let size = u32_at(bytes, at + 4)?;
    sink.field("BytesPerSector", Value::Grouped(size.into()));
    Some(())
}

/// `FILE_FS_ATTRIBUTE_INFORMATION`.
fn attribute<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    sink.field(
        "FileSystemAttributes",
        Value::Flags(u32_at(bytes, 0)?, &flags::FILE_SYSTEM_ATTRIBUTES),
    );
    let longest = u32_at(bytes, 4)?;
    sink.field("MaximumComponentNameLength", Value::Grouped(longest.into()));
    let name = sized_name(bytes, 8, 12)?;
    sink.field("FileSystemName", Value::Text(name));
    Some(())
}

/// `FILE_FS_SECTOR_SIZE_INFORMATION`.
fn sector_size<S: FieldSink>(bytes: &[u8], sink: &mut S) -> Option<()> {
    let names = [
        "LogicalBytesPerSector",
        "PhysicalBytesPerSectorForAtomicity",
        "PhysicalBytesPerSectorForPerformance",
    ];
    for (place, name) in names.into_iter().enumerate() {
        let size = u32_at(bytes, place * 4)?;
        sink.field(name, Value::Grouped(size.into()));
    }
    Some(())
}
