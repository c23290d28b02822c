//! Objects and handles (hooks 0x1120 to 0x1133). None of these was met in real files: layouts are those
//! of the public descriptions, which differ in what stands last, so a tail may be missing.
//!
//! An object's type is a number; only the rundown of types (0x1124, 0x1125) names it. Handles of the
//! kernel have bit 31 set.

use super::pairs::Pairs;
use super::{Fields, WideText};

/// What happened to a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleChange {
    /// It was created.
    Create,
    /// It was closed.
    Close,
    /// It was open when the session began.
    RundownStart,
    /// It was open when the session ended.
    RundownEnd,
}

/// A handle is created, closed, or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle<'a> {
    /// What happened.
    pub change: HandleChange,
    /// Address of the object.
    pub object: u64,
    /// Process of the handle; only in rundowns, else that of the record.
    pub pid: Option<u32>,
    /// The handle.
    pub handle: u32,
    /// Type of the object.
    pub type_index: Option<u16>,
    /// Name of the object; empty where a handle is created or closed.
    pub name: WideText<'a>,
}

/// A handle is duplicated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateHandle {
    /// Address of the object.
    pub object: u64,
    /// The handle that was there.
    pub source_handle: u32,
    /// The new one.
    pub target_handle: u32,
    /// Process of the new one.
    pub target_pid: u32,
    /// Type of the object.
    pub type_index: Option<u16>,
    /// Process of the handle that was there; newer systems.
    pub source_pid: Option<u32>,
}

/// A type of objects and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectType<'a> {
    /// Whether this is the rundown at the end of the session.
    pub at_end: bool,
    /// The number by which the other events name it.
    pub type_index: u16,
    /// Its name, as `File`.
    pub name: WideText<'a>,
}

/// An object is created or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectLife {
    /// Whether it is deleted.
    pub deleted: bool,
    /// Address of the object.
    pub object: u64,
    /// Type of the object.
    pub type_index: Option<u16>,
}

/// References of an object change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Whether there are fewer.
    pub fewer: bool,
    /// Address of the object.
    pub object: u64,
    /// Tag of who holds the reference, four characters.
    pub tag: u32,
    /// How many.
    pub count: u32,
}

/// An event of objects and handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectEvent<'a> {
    /// 0x1120, 0x1121, 0x1126, 0x1127.
    Handle(Handle<'a>),
    /// 0x1122.
    Duplicate(DuplicateHandle),
    /// 0x1124, 0x1125.
    Type(ObjectType<'a>),
    /// 0x1130, 0x1131.
    Life(ObjectLife),
    /// 0x1132, 0x1133.
    Reference(Reference),
}

impl<'a> ObjectEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early. All
    /// versions are alike.
    #[inline]
    pub fn parse(hook: u16, _version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match hook {
            0x1120 => Self::Handle(Handle::parse(HandleChange::Create, fields)?),
            0x1121 => Self::Handle(Handle::parse(HandleChange::Close, fields)?),
            0x1122 => Self::Duplicate(DuplicateHandle::parse(fields)?),
            0x1124 | 0x1125 => Self::Type(ObjectType::parse(hook == 0x1125, fields)?),
            0x1126 => Self::Handle(Handle::parse(HandleChange::RundownStart, fields)?),
            0x1127 => Self::Handle(Handle::parse(HandleChange::RundownEnd, fields)?),
            0x1130 | 0x1131 => Self::Life(ObjectLife {
                deleted: hook == 0x1131,
                object: fields.ptr()?,
                type_index: fields.u16(),
            }),
            0x1132 | 0x1133 => Self::Reference(Reference {
                fewer: hook == 0x1133,
                object: fields.ptr()?,
                tag: fields.u32()?,
                count: fields.u32()?,
            }),
            _ => return None,
        })
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Handle(handle) => match handle.change {
                HandleChange::Create => "Handle Create",
                HandleChange::Close => "Handle Close",
                HandleChange::RundownStart | HandleChange::RundownEnd => "Handle Rundown",
            },
            Self::Duplicate(_) => "Handle Duplicate",
            Self::Type(_) => "Object Type",
            Self::Life(life) if life.deleted => "Object Delete",
            Self::Life(_) => "Object Create",
            Self::Reference(reference) if reference.fewer => "Object Dereference",
            Self::Reference(_) => "Object Reference",
        }
    }

    /// Appends what the event says.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        let type_index = match self {
            Self::Handle(handle) => {
                pairs.hex("Handle", handle.handle);
                if let Some(pid) = handle.pid {
                    pairs.id("PID", pid);
                }
                pairs.hex("Object", handle.object).wide("Name", handle.name);
                handle.type_index
            }
            Self::Duplicate(duplicate) => {
                pairs
                    .hex("Source Handle", duplicate.source_handle)
                    .hex("Target Handle", duplicate.target_handle);
                if let Some(pid) = duplicate.source_pid {
                    pairs.id("Source PID", pid);
                }
                pairs
                    .id("Target PID", duplicate.target_pid)
                    .hex("Object", duplicate.object);
                duplicate.type_index
            }
            Self::Type(object_type) => {
                pairs.wide("Name", object_type.name);
                Some(object_type.type_index)
            }
            Self::Life(life) => {
                pairs.hex("Object", life.object);
                life.type_index
            }
            Self::Reference(reference) => {
                pairs
                    .hex("Object", reference.object)
                    .hex("Tag", reference.tag)
                    .number("Count", reference.count);
                None
            }
        };
        if let Some(type_index) = type_index {
            pairs.id("Type", type_index);
        }
    }
}

impl<'a> Handle<'a> {
    #[inline]
    fn parse(change: HandleChange, fields: &mut Fields<'a>) -> Option<Self> {
        let object = fields.ptr()?;
        let pid = match change {
            HandleChange::Create | HandleChange::Close => None,
            HandleChange::RundownStart | HandleChange::RundownEnd => Some(fields.u32()?),
        };
        Some(Self {
            change,
            object,
            pid,
            handle: fields.u32()?,
            type_index: fields.u16(),
            name: fields.wide_text().unwrap_or_default(),
        })
    }
}

impl DuplicateHandle {
    #[inline]
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            object: fields.ptr()?,
            source_handle: fields.u32()?,
            target_handle: fields.u32()?,
            target_pid: fields.u32()?,
            type_index: fields.u16(),
            source_pid: fields.u32(),
        })
    }
}

impl<'a> ObjectType<'a> {
    #[inline]
    fn parse(at_end: bool, fields: &mut Fields<'a>) -> Option<Self> {
        let type_index = fields.u16()?;
        let _reserved = fields.u16()?;
        Some(Self {
            at_end,
            type_index,
            name: fields.wide_text().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    #[test]
    fn handles_in_both_pointer_sizes() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(0xC0DE_0010).u32(0x8000_01A4).u16(37);
            let (event, operation, detail) = decode!(ObjectEvent, 0x1120, 2, &made);
            let expected = Handle {
                change: HandleChange::Create,
                object: 0xC0DE_0010,
                pid: None,
                handle: 0x8000_01A4,
                type_index: Some(37),
                name: WideText::default(),
            };
            assert_eq!(event, ObjectEvent::Handle(expected));
            assert_eq!(operation, "Handle Create");
            assert_eq!(
                detail, "Handle: 0x800001a4, Object: 0xc0de0010, Type: 37",
                "{wide}"
            );
            let made = made.wide("");
            assert_eq!(decode!(ObjectEvent, 0x1121, 2, &made).1, "Handle Close");
            let made = Made::new(wide)
                .ptr(16)
                .u32(4)
                .u32(8)
                .u16(5)
                .wide("\\Device");
            for (hook, change) in [
                (0x1126, HandleChange::RundownStart),
                (0x1127, HandleChange::RundownEnd),
            ] {
                let (event, operation, detail) = decode!(ObjectEvent, hook, 2, &made);
                assert!(matches!(event, ObjectEvent::Handle(handle) if handle.change == change));
                assert_eq!(operation, "Handle Rundown");
                assert_eq!(
                    detail,
                    "Handle: 0x8, PID: 4, Object: 0x10, Name: \\Device, Type: 5"
                );
            }
        }
    }

    #[test]
    fn tails_may_be_missing() {
        let made = Made::new(true).ptr(16).u32(1).u32(2).u32(3);
        let (_, operation, detail) = decode!(ObjectEvent, 0x1122, 2, &made);
        assert_eq!(operation, "Handle Duplicate");
        assert_eq!(
            detail,
            "Source Handle: 0x1, Target Handle: 0x2, Target PID: 3, Object: 0x10"
        );
        let (_, _, detail) = decode!(ObjectEvent, 0x1122, 2, &made.u16(5).u32(7));
        assert_eq!(
            detail,
            "Source Handle: 0x1, Target Handle: 0x2, Source PID: 7, Target PID: 3, Object: 0x10, Type: 5"
        );
        let made = Made::new(true).ptr(16).u32(1);
        assert_eq!(
            decode!(ObjectEvent, 0x1121, 2, &made).2,
            "Handle: 0x1, Object: 0x10"
        );
        assert_eq!(
            ObjectEvent::parse(0x1121, 2, &mut Fields::new(&[0; 11], true)),
            None
        );
    }

    #[test]
    fn types_lives_and_references() {
        let made = Made::new(true).u16(37).u16(0).wide("File");
        assert_eq!(
            decode!(ObjectEvent, 0x1124, 2, &made).2,
            "Name: File, Type: 37"
        );
        assert_eq!(decode!(ObjectEvent, 0x1125, 2, &made).1, "Object Type");
        let made = Made::new(false).ptr(16).u16(37);
        assert_eq!(decode!(ObjectEvent, 0x1130, 2, &made).1, "Object Create");
        let (_, operation, detail) = decode!(ObjectEvent, 0x1131, 2, &made);
        assert_eq!(
            (operation, &*detail),
            ("Object Delete", "Object: 0x10, Type: 37")
        );
        let made = Made::new(false).ptr(16).u32(0x746C_6644).u32(1_000);
        assert_eq!(decode!(ObjectEvent, 0x1132, 2, &made).1, "Object Reference");
        let (_, operation, detail) = decode!(ObjectEvent, 0x1133, 2, &made);
        assert_eq!(operation, "Object Dereference");
        assert_eq!(detail, "Object: 0x10, Tag: 0x746c6644, Count: 1,000");
        for hook in [0x111F, 0x1123, 0x1134, 0x0020] {
            assert_eq!(ObjectEvent::parse(hook, 2, &mut made.fields()), None);
        }
    }
}
