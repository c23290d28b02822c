//! Images: what is mapped into processes and the kernel, when, and where.

use super::fields::{Fields, WideText};
use crate::etl::hooks::IMAGE_LOAD;
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::trace::time::Zone;

/// Hooks of image events.
pub mod hook {
    /// An image is mapped. By its number it stands in the process group.
    pub const LOAD: u16 = super::IMAGE_LOAD;
    /// An image is unmapped.
    pub const UNLOAD: u16 = 0x1402;
    /// An image that is mapped while image events are switched on.
    pub const RUNDOWN_START: u16 = 0x1403;
    /// An image that is mapped while they are switched off.
    pub const RUNDOWN_END: u16 = 0x1404;
    /// Where the kernel is mapped.
    pub const KERNEL_BASE: u16 = 0x1421;
    /// Where the hypervisor is called.
    pub const HYPERCALL_PAGE: u16 = 0x1422;
}

/// What a row about an image says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageMoment {
    /// It is mapped.
    Load,
    /// It is unmapped.
    Unload,
    /// It is mapped at a rundown before the events.
    RundownStart,
    /// It is mapped at a rundown behind the events.
    RundownEnd,
}

/// An image. Rundowns of user images know no time stamp, and those of drivers no default base: 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRow<'a> {
    /// What happens to it.
    pub moment: ImageMoment,
    /// First address.
    pub base: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Process it is mapped into, 0 for drivers; from version 1 on.
    pub pid: Option<u32>,
    /// Checksum of the PE header; 0 before version 2.
    pub checksum: u32,
    /// Link time of the PE header in seconds since 1970, where the row has it, else 0.
    pub time_stamp: u32,
    /// How it is signed; from version 3 on.
    pub signature: Option<ImageSignature>,
    /// Base the image asks for, where the row has it, else 0.
    pub default_base: u64,
    /// Path, as `\SystemRoot\..`, `\Device\HarddiskVolume2\..` or `\??\C:\..`.
    pub path: WideText<'a>,
}

/// How an image is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSignature {
    /// `SE_SIGNING_LEVEL`: 0 not checked, 1 unsigned, to 15.
    pub level: u8,
    /// `SE_IMAGE_SIGNATURE_TYPE`.
    pub kind: u8,
}

impl<'a> ImageRow<'a> {
    /// Reads a row of any version.
    pub fn parse(moment: ImageMoment, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let base = fields.ptr()?;
        let size = if version == 0 {
            fields.u32()?.into()
        } else {
            fields.ptr()?
        };
        let mut row = Self {
            moment,
            base,
            size,
            pid: None,
            checksum: 0,
            time_stamp: 0,
            signature: None,
            default_base: 0,
            path: WideText::default(),
        };
        if version >= 1 {
            row.pid = Some(fields.u32()?);
        }
        if version >= 2 {
            row.checksum = fields.u32()?;
            row.time_stamp = fields.u32()?;
            let signature = fields.u32()?.to_le_bytes();
            row.signature = (version >= 3).then_some(ImageSignature {
                level: signature[0],
                kind: signature[1],
            });
            row.default_base = fields.ptr()?;
            let _reserved = fields.bytes(16)?;
        }
        row.path = fields.wide_text().unwrap_or_default();
        Some(row)
    }
}

/// An event of the image group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageEvent<'a> {
    /// An image and what happens to it.
    Row(ImageRow<'a>),
    /// First address of the kernel.
    KernelBase(u64),
    /// Address of the hypercall page, 0 without a hypervisor.
    HypercallPage(u64),
}

impl<'a> ImageEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early.
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let moment = match hook {
            hook::LOAD => ImageMoment::Load,
            hook::UNLOAD => ImageMoment::Unload,
            hook::RUNDOWN_START => ImageMoment::RundownStart,
            hook::RUNDOWN_END => ImageMoment::RundownEnd,
            hook::KERNEL_BASE => return fields.ptr().map(Self::KernelBase),
            hook::HYPERCALL_PAGE => return fields.ptr().map(Self::HypercallPage),
            _ => return None,
        };
        ImageRow::parse(moment, version, fields).map(Self::Row)
    }

    /// Name of the operation; Procmon's where it has one.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::Row(row) => match row.moment {
                ImageMoment::Load => "Load Image",
                ImageMoment::Unload => "Unload Image",
                ImageMoment::RundownStart | ImageMoment::RundownEnd => "Image Rundown",
            },
            Self::KernelBase(_) => "Kernel Base",
            Self::HypercallPage(_) => "Hypercall Page",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        match self {
            Self::Row(row) => {
                sink.field("Image Base", Value::Hex(row.base));
                sink.field("Image Size", Value::Hex(row.size));
            }
            Self::KernelBase(base) => sink.field("Image Base", Value::Hex(*base)),
            Self::HypercallPage(page) => sink.field("Address", Value::Hex(*page)),
        }
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
    use crate::pml::operations::PROCESS;

    const PATH: &str = r"\SystemRoot\System32\drivers\tmsflt.sys";

    fn sample(wide: bool, version: u16) -> Sample {
        let start = Sample::new(wide).ptr(0x8000_0000);
        let mut sample = match version {
            0 => start.u32(0x9000),
            1 => start.ptr(0x9000).u32(0),
            _ => start.ptr(0x9000).u32(0).u32(0x55).u32(0x66),
        };
        if version >= 2 {
            sample = sample.bytes(&[12, 1, 0, 0]).ptr(0x14000).bytes(&[0; 16]);
        }
        sample.wide_text(PATH)
    }

    fn row<'a>(version: u16, fields: &mut Fields<'a>) -> Option<ImageRow<'a>> {
        match ImageEvent::parse(hook::LOAD, version, fields)? {
            ImageEvent::Row(row) => Some(row),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_version_and_pointer_size() {
        for wide in [false, true] {
            for version in 0..=4 {
                let sample = sample(wide, version);
                let found = sample.whole(|fields| row(version, fields));
                assert_eq!((found.base, found.size), (0x8000_0000, 0x9000));
                assert_eq!(found.pid, (version >= 1).then_some(0));
                let pe = (found.checksum, found.time_stamp, found.default_base);
                assert_eq!(
                    pe,
                    if version >= 2 {
                        (0x55, 0x66, 0x14000)
                    } else {
                        (0, 0, 0)
                    }
                );
                let signature = ImageSignature { level: 12, kind: 1 };
                assert_eq!(found.signature, (version >= 3).then_some(signature));
                assert_eq!(found.path.to_string(), PATH);
                let shortest = sample.shortest(|fields| row(version, fields));
                assert_eq!(shortest, sample.len() - 2 * (PATH.len() + 1));
            }
        }
    }

    #[test]
    fn names_and_details() {
        let sample = sample(true, 3);
        let event = sample.whole(|fields| ImageEvent::parse(hook::UNLOAD, 3, fields));
        let mut out = String::new();
        event.push_detail(&mut out);
        assert_eq!(out, "Image Base: 0x80000000, Image Size: 0x9000");
        assert_eq!(event.operation_name(), "Unload Image");
        assert!(PROCESS.contains(&"Load Image"));
        let base = Sample::new(false).ptr(0x8280_0000);
        let parse = |fields: &mut Fields<'_>| {
            ImageEvent::parse(hook::KERNEL_BASE, 2, fields).map(|event| event.operation_name())
        };
        assert_eq!(base.whole(parse), "Kernel Base");
        assert_eq!(base.shortest(parse), 4);
        let page = base.whole(|fields| ImageEvent::parse(hook::HYPERCALL_PAGE, 2, fields));
        assert_eq!(page, ImageEvent::HypercallPage(0x8280_0000));
        assert_eq!(ImageEvent::parse(0x1405, 2, &mut base.fields()), None);
    }
}
