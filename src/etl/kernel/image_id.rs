//! What a merge adds on images: identity, symbols and file version (FULL records of
//! [`crate::etl::providers::IMAGE_ID`]).
//!
//! The records have time, process and thread of the image event they describe: they are the reason why
//! several events share a time stamp. They are not events of the machine.

use super::pairs::Pairs;
use super::{Fields, NarrowText, WideText};
use crate::etl::guid::Guid;

/// Which image a record is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageAt {
    /// Its base address.
    pub base: u64,
    /// Its process; 0 for drivers.
    pub pid: u32,
}

/// Identity of an image: with size and time stamp a file version belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageId<'a> {
    /// The image.
    pub image: ImageAt,
    /// Its size in memory, in bytes.
    pub size: u64,
    /// PE time stamp.
    pub time_stamp: u32,
    /// Original file name in its version information.
    pub original_name: WideText<'a>,
}

/// Symbols of an image in a .dbg file (not met in the real files at hand).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DbgId<'a> {
    /// The image.
    pub image: ImageAt,
    /// PE checksum.
    pub checksum: u32,
    /// PE time stamp.
    pub time_stamp: u32,
    /// Its size in memory, in bytes.
    pub size: u32,
    /// Name of the .dbg file.
    pub name: WideText<'a>,
}

/// Symbols of an image in a PDB file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdbId<'a> {
    /// The image.
    pub image: ImageAt,
    /// Whether they are those of the image's managed code.
    pub managed: bool,
    /// GUID of the PDB.
    pub guid: Guid,
    /// Age of the PDB.
    pub age: u32,
    /// Its name, with or without a path.
    pub name: NarrowText<'a>,
}

/// Symbols of an image in a portable PDB file (not met in the real files at hand).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortablePdb {
    /// The image.
    pub image: ImageAt,
    /// Time stamp of the debug directory's entry.
    pub time_stamp: u32,
    /// Version of the format.
    pub version: (u16, u16),
}

/// A portable PDB inside the image (not met in the real files at hand; the meaning is a conclusion from
/// the sizes of the fields).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedPdb {
    /// The image.
    pub image: ImageAt,
    /// Version of the format.
    pub version: (u16, u16),
    /// GUID of the PDB.
    pub guid: Guid,
    /// Time stamp of the PDB.
    pub time_stamp: u32,
}

/// Version information of a file. It names no image: it belongs to the [`ImageId`] with the same size and
/// time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileVersion<'a> {
    /// Size of the image in memory, in bytes.
    pub size: u32,
    /// PE time stamp.
    pub time_stamp: u32,
    /// Original file name.
    pub original_name: WideText<'a>,
    /// Description.
    pub description: WideText<'a>,
    /// File version as text.
    pub file_version: WideText<'a>,
    /// File version as four numbers.
    pub binary_version: WideText<'a>,
    /// Language, a number.
    pub language: WideText<'a>,
    /// Product.
    pub product: WideText<'a>,
    /// Company.
    pub company: WideText<'a>,
    /// Product version.
    pub product_version: WideText<'a>,
    /// File id of the inventory, often empty.
    pub file_id: WideText<'a>,
    /// Program id of the inventory, often empty.
    pub program_id: WideText<'a>,
}

/// What a merge adds on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageRecord<'a> {
    /// Opcode 0.
    Id(ImageId<'a>),
    /// Opcode 32: there are no symbols.
    NoSymbols(ImageAt),
    /// Opcode 34.
    Dbg(DbgId<'a>),
    /// Opcodes 36 and 37.
    Pdb(PdbId<'a>),
    /// Opcode 38.
    PortablePdb(PortablePdb),
    /// Opcode 39.
    EmbeddedPdb(EmbeddedPdb),
    /// Opcode 40: the build is deterministic, so the time stamp is no time.
    Deterministic(ImageAt),
    /// Opcode 41: what the merge failed at.
    Failure(WideText<'a>),
    /// Opcode 64.
    Version(FileVersion<'a>),
}

impl ImageAt {
    #[inline]
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            base: fields.ptr()?,
            pid: fields.u32()?,
        })
    }
}

impl<'a> ImageRecord<'a> {
    /// Reads the payload of an opcode; `None` for other opcodes and where the payload ends too early.
    pub fn parse(opcode: u8, fields: &mut Fields<'a>) -> Option<Self> {
        match opcode {
            0 => {
                let base = fields.ptr()?;
                let size = fields.ptr()?;
                let pid = fields.u32()?;
                Some(Self::Id(ImageId {
                    image: ImageAt { base, pid },
                    size,
                    time_stamp: fields.u32()?,
                    original_name: fields.wide_text()?,
                }))
            }
            41 => fields.wide_text().map(Self::Failure),
            64 => FileVersion::parse(fields).map(Self::Version),
            32 | 34 | 36..=40 => Self::parse_debug(opcode, fields),
            _ => None,
        }
    }

    fn parse_debug(opcode: u8, fields: &mut Fields<'a>) -> Option<Self> {
        let image = ImageAt::parse(fields)?;
        Some(match opcode {
            34 => Self::Dbg(DbgId {
                image,
                checksum: fields.u32()?,
                time_stamp: fields.u32()?,
                size: fields.u32()?,
                name: fields.wide_text()?,
            }),
            36 | 37 => Self::Pdb(PdbId {
                image,
                managed: opcode == 37,
                guid: fields.guid()?,
                age: fields.u32()?,
                name: fields.narrow_text()?,
            }),
            38 => Self::PortablePdb(PortablePdb {
                image,
                time_stamp: fields.u32()?,
                version: (fields.u16()?, fields.u16()?),
            }),
            39 => Self::EmbeddedPdb(EmbeddedPdb {
                image,
                version: (fields.u16()?, fields.u16()?),
                guid: fields.guid()?,
                time_stamp: fields.u32()?,
            }),
            40 => Self::Deterministic(image),
            _ => Self::NoSymbols(image),
        })
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Id(_) => "Image Id",
            Self::NoSymbols(_) => "Image Without Symbols",
            Self::Dbg(_) => "Image DBG",
            Self::Pdb(pdb) if pdb.managed => "Image Managed PDB",
            Self::Pdb(_) => "Image PDB",
            Self::PortablePdb(_) => "Image Portable PDB",
            Self::EmbeddedPdb(_) => "Image Embedded PDB",
            Self::Deterministic(_) => "Image Deterministic Build",
            Self::Failure(_) => "Image Failure",
            Self::Version(_) => "Image File Version",
        }
    }

    /// Appends what the record says.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Id(id) => {
                push_image(id.image, &mut pairs);
                pairs
                    .hex("Image Size", id.size)
                    .hex("Time Stamp", id.time_stamp)
                    .wide("Original Name", id.original_name);
            }
            Self::NoSymbols(image) | Self::Deterministic(image) => push_image(*image, &mut pairs),
            Self::Dbg(dbg) => {
                push_image(dbg.image, &mut pairs);
                pairs
                    .hex("Checksum", dbg.checksum)
                    .hex("Image Size", dbg.size)
                    .hex("Time Stamp", dbg.time_stamp)
                    .wide("DBG", dbg.name);
            }
            Self::Pdb(pdb) => {
                push_image(pdb.image, &mut pairs);
                pairs
                    .guid("Signature", pdb.guid)
                    .id("Age", pdb.age)
                    .narrow("PDB", pdb.name);
            }
            Self::PortablePdb(pdb) => {
                push_image(pdb.image, &mut pairs);
                pairs.hex("Time Stamp", pdb.time_stamp);
            }
            Self::EmbeddedPdb(pdb) => {
                push_image(pdb.image, &mut pairs);
                pairs.guid("Signature", pdb.guid);
            }
            Self::Failure(text) => {
                pairs.wide("Text", *text);
            }
            Self::Version(version) => version.push(&mut pairs),
        }
    }
}

fn push_image(image: ImageAt, pairs: &mut Pairs<'_>) {
    pairs.hex("Image Base", image.base).id("PID", image.pid);
}

impl<'a> FileVersion<'a> {
    fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            size: fields.u32()?,
            time_stamp: fields.u32()?,
            original_name: fields.wide_text()?,
            description: fields.wide_text()?,
            file_version: fields.wide_text()?,
            binary_version: fields.wide_text()?,
            language: fields.wide_text()?,
            product: fields.wide_text()?,
            company: fields.wide_text()?,
            product_version: fields.wide_text()?,
            file_id: fields.wide_text()?,
            program_id: fields.wide_text()?,
        })
    }

    fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Original Name", self.original_name)
            .wide("Company", self.company)
            .wide("Description", self.description)
            .wide("File Version", self.file_version)
            .wide("Binary Version", self.binary_version)
            .wide("Product", self.product)
            .wide("Product Version", self.product_version)
            .hex("Image Size", self.size)
            .hex("Time Stamp", self.time_stamp);
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, whole};
    use super::*;

    fn decode(opcode: u8, made: &Made) -> (ImageRecord<'_>, &'static str, String) {
        whole(
            made,
            |fields| ImageRecord::parse(opcode, fields),
            |record, out| {
                record.push_detail(out);
                record.operation()
            },
        )
    }

    #[test]
    fn identities_of_both_pointer_sizes() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(0x7771_0000).ptr(0x15_7000).u32(4);
            let made = made.u32(0x5010_AE7A).wide("ntdll.dll");
            let (_, operation, detail) = decode(0, &made);
            assert_eq!(operation, "Image Id");
            assert_eq!(
                detail,
                "Image Base: 0x77710000, PID: 4, Image Size: 0x157000, Time Stamp: 0x5010ae7a, \
                 Original Name: ntdll.dll"
            );
            let image = || Made::new(wide).ptr(0x7771_0000).u32(4);
            let start = "Image Base: 0x77710000, PID: 4";
            for (opcode, name) in [
                (32, "Image Without Symbols"),
                (40, "Image Deterministic Build"),
            ] {
                let made = image();
                let (_, operation, detail) = decode(opcode, &made);
                assert_eq!((operation, &*detail), (name, start));
            }
            for (opcode, name) in [(36, "Image PDB"), (37, "Image Managed PDB")] {
                let made = image().raw(&[7; 16]).u32(2).narrow("wntdll.pdb");
                let (_, operation, detail) = decode(opcode, &made);
                assert_eq!(operation, name);
                let signature = "07070707-0707-0707-0707-070707070707";
                let expected = format!("{start}, Signature: {signature}, Age: 2, PDB: wntdll.pdb");
                assert_eq!(detail, expected);
            }
            let made = image().u32(1).u32(2).u32(3).wide("x.dbg");
            let (_, operation, detail) = decode(34, &made);
            assert_eq!(operation, "Image DBG");
            let fields = "Checksum: 0x1, Image Size: 0x3, Time Stamp: 0x2, DBG: x.dbg";
            assert_eq!(detail, format!("{start}, {fields}"));
        }
    }

    #[test]
    fn portable_symbols_and_failures() {
        let made = Made::new(true).ptr(16).u32(4).u32(9).u16(1).u16(2);
        assert_eq!(made.bytes.len(), 20);
        let (record, operation, _) = decode(38, &made);
        assert!(matches!(record, ImageRecord::PortablePdb(pdb) if pdb.version == (1, 2)));
        assert_eq!(operation, "Image Portable PDB");
        let made = Made::new(true)
            .ptr(16)
            .u32(4)
            .u16(1)
            .u16(2)
            .raw(&[7; 16])
            .u32(9);
        assert_eq!(made.bytes.len(), 36);
        let (record, operation, _) = decode(39, &made);
        assert!(matches!(record, ImageRecord::EmbeddedPdb(pdb) if pdb.time_stamp == 9));
        assert_eq!(operation, "Image Embedded PDB");
        let made = Made::new(true).wide("no file");
        let (_, operation, detail) = decode(41, &made);
        assert_eq!((operation, &*detail), ("Image Failure", "Text: no file"));
        for opcode in [1, 33, 35, 42, 63, 255] {
            assert_eq!(ImageRecord::parse(opcode, &mut made.fields()), None);
        }
    }

    #[test]
    fn file_versions_have_ten_texts() {
        let made = Made::new(true).u32(0x15_7000).u32(0x5010_AE7A);
        let made = made
            .wide("n.sys")
            .wide("Filter")
            .wide("1.2 (x)")
            .wide("1.2.0.0");
        let made = made
            .wide("1033")
            .wide("Product")
            .wide("Company")
            .wide("1.2");
        let made = made.wide("id").wide("");
        let (record, operation, detail) = decode(64, &made);
        let ImageRecord::Version(version) = record else {
            panic!("{record:?}");
        };
        assert_eq!(version.language.to_string(), "1033");
        assert_eq!(version.file_id.to_string(), "id");
        assert!(version.program_id.is_empty());
        assert_eq!(operation, "Image File Version");
        assert_eq!(
            detail,
            "Original Name: n.sys, Company: Company, Description: Filter, File Version: 1.2 (x), \
             Binary Version: 1.2.0.0, Product: Product, Product Version: 1.2, Image Size: 0x157000, \
             Time Stamp: 0x5010ae7a"
        );
    }
}
