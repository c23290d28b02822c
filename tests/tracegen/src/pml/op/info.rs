//! Information classes of QueryInformationFile, SetInformationFile and QueryVolumeInformation.

use crate::pml::Bits;
use crate::pml::bytes::Out;
use serde::Serialize;

/// FILE_BASIC_INFORMATION: four FILETIMEs and the attributes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Basic {
    /// Creation time.
    pub creation: u64,
    /// Last access time.
    pub access: u64,
    /// Last write time.
    pub write: u64,
    /// Change time.
    pub change: u64,
    /// File attributes.
    pub attributes: u32,
}

impl Basic {
    fn times(&self, out: &mut Out) {
        for t in [self.creation, self.access, self.write, self.change] {
            out.u64(t);
        }
    }

    fn write(&self, out: &mut Out) {
        self.times(out);
        out.u32(self.attributes);
        out.junk(4);
    }
}

/// FILE_STANDARD_INFORMATION.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Standard {
    /// Allocated bytes.
    pub allocation: u64,
    /// File size.
    pub end_of_file: u64,
    /// Hard links.
    pub links: u32,
    /// Delete pending.
    pub delete_pending: bool,
    /// A directory.
    pub directory: bool,
}

impl Standard {
    fn write(&self, out: &mut Out) {
        out.u64(self.allocation);
        out.u64(self.end_of_file);
        out.u32(self.links);
        out.u8(self.delete_pending.into());
        out.u8(self.directory.into());
        out.junk(2);
    }
}

/// FILE_NETWORK_OPEN_INFORMATION.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct NetworkOpen {
    /// Times and attributes.
    pub basic: Basic,
    /// Allocated bytes.
    pub allocation: u64,
    /// File size.
    pub end_of_file: u64,
}

impl NetworkOpen {
    pub(super) fn write(&self, out: &mut Out) {
        self.basic.times(out);
        out.u64(self.allocation);
        out.u64(self.end_of_file);
        out.u32(self.basic.attributes);
        out.junk(4);
    }
}

/// What QueryInformationFile asked for and got.
#[derive(Debug, Clone, Serialize)]
pub enum QueryInfo {
    /// Class 4.
    Basic(Basic),
    /// Class 5.
    Standard(Standard),
    /// Class 6: the file's index number.
    Internal(u64),
    /// Class 7: bytes of extended attributes.
    Ea(u32),
    /// Class 9: the name without its volume.
    Name(String),
    /// Class 0x12, with index number, EA size, access, position, mode and alignment 0.
    All {
        /// Times and attributes.
        basic: Basic,
        /// Sizes and links.
        standard: Standard,
        /// Index number.
        index: u64,
        /// Granted access.
        access: u32,
        /// Name without volume.
        name: String,
    },
    /// Class 0x22.
    NetworkOpen(NetworkOpen),
    /// Class 0x23.
    AttributeTag {
        /// File attributes.
        attributes: u32,
        /// Reparse tag.
        tag: u32,
    },
    /// Any class, any answer; no answer at all for a failed call.
    Other {
        /// Information class.
        class: u8,
        /// The buffer returned.
        answer: Option<Vec<u8>>,
    },
}

impl QueryInfo {
    /// The information class, which is the sub-operation.
    pub fn class(&self) -> u8 {
        match self {
            Self::Basic(_) => 4,
            Self::Standard(_) => 5,
            Self::Internal(_) => 6,
            Self::Ea(_) => 7,
            Self::Name(_) => 9,
            Self::All { .. } => 0x12,
            Self::NetworkOpen(_) => 0x22,
            Self::AttributeTag { .. } => 0x23,
            Self::Other { class, .. } => *class,
        }
    }

    pub(super) fn write(&self, out: &mut Out) -> bool {
        match self {
            Self::Basic(b) => b.write(out),
            Self::Standard(s) => s.write(out),
            Self::Internal(i) => out.u64(*i),
            Self::Ea(n) => out.u32(*n),
            Self::Name(name) => counted_name(out, name),
            Self::All {
                basic,
                standard,
                index,
                access,
                name,
            } => {
                basic.write(out);
                standard.write(out);
                out.u64(*index);
                out.u32(0);
                out.u32(*access);
                out.u64(0);
                out.u32(0);
                out.u32(0);
                counted_name(out, name);
            }
            Self::NetworkOpen(n) => n.write(out),
            Self::AttributeTag { attributes, tag } => {
                out.u32(*attributes);
                out.u32(*tag);
            }
            Self::Other {
                answer: Some(bytes),
                ..
            } => out.raw(bytes),
            Self::Other { answer: None, .. } => return false,
        }
        true
    }
}

fn counted_name(out: &mut Out, name: &str) {
    out.u32(2 * name.encode_utf16().count() as u32);
    out.utf16(name);
}

/// What SetInformationFile set. The data stands in the tail of the detail block, not in an extra block.
#[derive(Debug, Clone, Serialize)]
pub enum SetInfo {
    /// Class 4.
    Basic(Basic),
    /// Class 0x0A.
    Rename {
        /// ReplaceIfExists.
        replace: bool,
        /// New path.
        target: String,
    },
    /// Class 0x41: the first field is a flags word.
    RenameEx {
        /// FILE_RENAME_* flags; bit 0 is ReplaceIfExists.
        flags: u32,
        /// New path.
        target: String,
    },
    /// Class 0x0B.
    Link {
        /// ReplaceIfExists.
        replace: bool,
        /// Path of the new link.
        target: String,
    },
    /// Class 0x0D.
    Disposition(bool),
    /// Class 0x40: FILE_DISPOSITION_* flags; bit 0 is delete.
    DispositionEx(u32),
    /// Class 0x0E.
    Position(i64),
    /// Class 0x13.
    Allocation(i64),
    /// Class 0x14.
    EndOfFile(i64),
    /// Class 0x27.
    ValidDataLength(i64),
    /// Any class and tail.
    Other {
        /// Information class.
        class: u8,
        /// The buffer.
        data: Vec<u8>,
    },
}

impl SetInfo {
    /// The information class, which is the sub-operation.
    pub fn class(&self) -> u8 {
        match self {
            Self::Basic(_) => 0x04,
            Self::Rename { .. } => 0x0A,
            Self::Link { .. } => 0x0B,
            Self::Disposition(_) => 0x0D,
            Self::Position(_) => 0x0E,
            Self::Allocation(_) => 0x13,
            Self::EndOfFile(_) => 0x14,
            Self::ValidDataLength(_) => 0x27,
            Self::DispositionEx(_) => 0x40,
            Self::RenameEx { .. } => 0x41,
            Self::Other { class, .. } => *class,
        }
    }

    /// New path of a rename or a link.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Rename { target, .. }
            | Self::RenameEx { target, .. }
            | Self::Link { target, .. } => Some(target),
            _ => None,
        }
    }

    pub(super) fn tail(&self, out: &mut Out, bits: Bits) {
        match self {
            Self::Basic(b) => b.write(out),
            Self::Rename { replace, target } | Self::Link { replace, target } => {
                out.u8((*replace).into());
                out.junk(bits.ptr() - 1);
                out.ptr(bits, 0);
                counted_name(out, target);
            }
            Self::RenameEx { flags, target } => {
                out.u32(*flags);
                out.junk(bits.ptr() - 4);
                out.ptr(bits, 0);
                counted_name(out, target);
            }
            Self::Disposition(delete) => {
                out.u8((*delete).into());
                out.junk(3);
            }
            Self::DispositionEx(flags) => out.u32(*flags),
            Self::Position(v)
            | Self::Allocation(v)
            | Self::EndOfFile(v)
            | Self::ValidDataLength(v) => {
                out.u64(*v as u64);
            }
            Self::Other { data, .. } => out.raw(data),
        }
    }
}

/// What QueryVolumeInformation got.
#[derive(Debug, Clone, Serialize)]
pub enum VolumeInfo {
    /// Class 1.
    Volume {
        /// Creation time of the volume.
        creation: u64,
        /// Serial number.
        serial: u32,
        /// Supports object ids.
        objects: bool,
        /// Label.
        label: String,
    },
    /// Class 3.
    Size {
        /// Units in all.
        total: u64,
        /// Units free.
        available: u64,
    },
    /// Class 4.
    Device {
        /// FILE_DEVICE_*.
        device: u32,
        /// Characteristics.
        characteristics: u32,
    },
    /// Class 5.
    Attribute {
        /// File-system flags.
        flags: u32,
        /// Name of the file system.
        name: String,
    },
    /// Class 7.
    FullSize {
        /// Units in all.
        total: u64,
        /// Units free to the caller.
        available: u64,
    },
    /// Any class, any answer.
    Other {
        /// Information class.
        class: u8,
        /// The buffer returned.
        answer: Option<Vec<u8>>,
    },
}

/// NTFS on a common disk: 8 sectors of 512 bytes a unit.
const SECTORS_PER_UNIT: u32 = 8;
const BYTES_PER_SECTOR: u32 = 512;

impl VolumeInfo {
    /// The information class, which is the sub-operation.
    pub fn class(&self) -> u8 {
        match self {
            Self::Volume { .. } => 1,
            Self::Size { .. } => 3,
            Self::Device { .. } => 4,
            Self::Attribute { .. } => 5,
            Self::FullSize { .. } => 7,
            Self::Other { class, .. } => *class,
        }
    }

    pub(super) fn write(&self, out: &mut Out) -> bool {
        match self {
            Self::Volume {
                creation,
                serial,
                objects,
                label,
            } => {
                out.u64(*creation);
                out.u32(*serial);
                out.u32(2 * label.encode_utf16().count() as u32);
                out.u8((*objects).into());
                out.junk(1);
                out.utf16(label);
                out.junk(6);
            }
            Self::Size { total, available } => {
                out.u64(*total);
                out.u64(*available);
                out.u32(SECTORS_PER_UNIT);
                out.u32(BYTES_PER_SECTOR);
            }
            Self::Device {
                device,
                characteristics,
            } => {
                out.u32(*device);
                out.u32(*characteristics);
            }
            Self::Attribute { flags, name } => {
                out.u32(*flags);
                out.u32(255);
                out.u32(2 * name.encode_utf16().count() as u32);
                out.utf16(name);
                out.junk(20);
            }
            Self::FullSize { total, available } => {
                out.u64(*total);
                out.u64(*available);
                out.u64(*available);
                out.u32(SECTORS_PER_UNIT);
                out.u32(BYTES_PER_SECTOR);
            }
            Self::Other {
                answer: Some(bytes),
                ..
            } => out.raw(bytes),
            Self::Other { answer: None, .. } => return false,
        }
        true
    }
}
