//! Names of files by their key, and views of files.

use super::fields::{Fields, WideText};
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::trace::time::Zone;

/// Hooks of file names and file views.
pub mod hook {
    /// A name; the oldest of these hooks.
    pub const NAME: u16 = 0x0400;
    /// A key becomes valid.
    pub const CREATE: u16 = 0x0420;
    /// A key ends.
    pub const DELETE: u16 = 0x0423;
    /// A key that is valid at the end of the trace.
    pub const RUNDOWN: u16 = 0x0424;
    /// A view of a file is mapped.
    pub const MAP: u16 = 0x0425;
    /// A view of a file is unmapped.
    pub const UNMAP: u16 = 0x0426;
    /// A view that is mapped while these events are switched on.
    pub const MAP_RUNDOWN_START: u16 = 0x0427;
    /// A view that is mapped while these events are switched off.
    pub const MAP_RUNDOWN_END: u16 = 0x0428;
}

/// What a name says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMoment {
    /// The key has the name ([`hook::NAME`], not met in real files).
    Name,
    /// The key has the name from now on.
    Create,
    /// The key had the name until now.
    Delete,
    /// The key has the name at the end of the trace; it may have got it at any time before.
    Rundown,
}

/// The name of a file key. Keys are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName<'a> {
    /// What it says of the key.
    pub moment: NameMoment,
    /// The file key, one for each open stream: what file, disk and fault events call it by. The
    /// manifests call it a FileObject, which it is not.
    pub key: u64,
    /// Path, as `\Device\HarddiskVolume2\..`.
    pub path: WideText<'a>,
}

impl<'a> FileName<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. All
    /// versions are alike.
    #[inline]
    pub fn parse(hook: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let moment = match hook {
            hook::NAME => NameMoment::Name,
            hook::CREATE => NameMoment::Create,
            hook::DELETE => NameMoment::Delete,
            hook::RUNDOWN => NameMoment::Rundown,
            _ => return None,
        };
        Some(Self {
            moment,
            key: fields.ptr()?,
            path: fields.wide_text().unwrap_or_default(),
        })
    }

    /// Name of the operation.
    pub fn operation_name(&self) -> &'static str {
        match self.moment {
            NameMoment::Name => "File Name",
            NameMoment::Create => "File Name Create",
            NameMoment::Delete => "File Name Delete",
            NameMoment::Rundown => "File Name Rundown",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        sink.field("File Key", Value::Hex(self.key));
    }

    /// Appends the detail.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

/// What happens to a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewMoment {
    /// It is mapped.
    Map,
    /// It is unmapped.
    Unmap,
    /// It is mapped at a rundown before the events.
    RundownStart,
    /// It is mapped at a rundown behind the events.
    RundownEnd,
}

/// A view of a file in the memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileView {
    /// What happens to it.
    pub moment: ViewMoment,
    /// First address.
    pub base: u64,
    /// Key of the file.
    pub key: u64,
    /// Protection and flags, in an unpublished form.
    pub misc: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Where in the file it starts; from version 3 on.
    pub offset: Option<u64>,
    /// Process.
    pub pid: u32,
}

impl FileView {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. Version 2
    /// is not met in real files.
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let moment = match hook {
            hook::MAP => ViewMoment::Map,
            hook::UNMAP => ViewMoment::Unmap,
            hook::MAP_RUNDOWN_START => ViewMoment::RundownStart,
            hook::MAP_RUNDOWN_END => ViewMoment::RundownEnd,
            _ => return None,
        };
        Some(Self {
            moment,
            base: fields.ptr()?,
            key: fields.ptr()?,
            misc: fields.u64()?,
            size: fields.ptr()?,
            offset: if version >= 3 {
                Some(fields.u64()?)
            } else {
                None
            },
            pid: fields.u32()?,
        })
    }

    /// Name of the operation.
    pub fn operation_name(&self) -> &'static str {
        match self.moment {
            ViewMoment::Map => "Map File",
            ViewMoment::Unmap => "Unmap File",
            ViewMoment::RundownStart | ViewMoment::RundownEnd => "Map File Rundown",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        sink.field("View Base", Value::Hex(self.base));
        sink.field("View Size", Value::Hex(self.size));
        if let Some(offset) = self.offset {
            sink.field("Offset", Value::Grouped(offset));
        }
        sink.field("PID", Value::Decimal(self.pid.into()));
    }

    /// Appends the detail.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::kernel::sample::Sample;

    #[test]
    fn names_of_both_pointer_sizes() {
        for wide in [false, true] {
            let sample = Sample::new(wide)
                .ptr(0xFEED)
                .wide_text(r"\Device\HarddiskVolume2\a");
            let parse = |fields: &mut Fields<'_>| {
                let name = FileName::parse(hook::RUNDOWN, fields)?;
                Some((name.key, name.path.to_string(), name.operation_name()))
            };
            let expected = (
                0xFEED,
                r"\Device\HarddiskVolume2\a".to_owned(),
                "File Name Rundown",
            );
            assert_eq!(sample.whole(parse), expected);
            assert_eq!(sample.shortest(parse), if wide { 8 } else { 4 });
            assert_eq!(FileName::parse(hook::MAP, &mut sample.fields()), None);
        }
    }

    #[test]
    fn views_of_both_versions() {
        for wide in [false, true] {
            for version in [2, 3] {
                let mut sample = Sample::new(wide)
                    .ptr(0x10000)
                    .ptr(0xFEED)
                    .u64(7)
                    .ptr(0x2000);
                if version == 3 {
                    sample = sample.u64(4_096);
                }
                sample = sample.u32(88);
                let parse = |fields: &mut Fields<'_>| FileView::parse(hook::UNMAP, version, fields);
                let view = sample.whole(parse);
                assert_eq!(
                    (view.base, view.key, view.misc, view.size),
                    (0x10000, 0xFEED, 7, 0x2000)
                );
                assert_eq!(
                    (view.offset, view.pid),
                    ((version == 3).then_some(4_096), 88)
                );
                assert_eq!(sample.shortest(parse), sample.len());
                let mut detail = String::new();
                view.push_detail(&mut detail);
                let offset = if version == 3 { "Offset: 4,096, " } else { "" };
                assert_eq!(
                    detail,
                    format!("View Base: 0x10000, View Size: 0x2000, {offset}PID: 88")
                );
                assert_eq!(view.operation_name(), "Unmap File");
            }
        }
        let wide3 = Sample::new(true).ptr(0).ptr(0).u64(0).ptr(0).u64(0).u32(0);
        assert_eq!(wide3.len(), 44);
        assert_eq!(FileView::parse(hook::CREATE, 3, &mut wide3.fields()), None);
    }
}
