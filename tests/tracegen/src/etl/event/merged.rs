//! What a merge tool adds: identities of images, the build, the names of volumes. FULL headers.

use super::Identity;
use crate::etl::Guid;
use crate::etl::bytes::Out;
use serde::Serialize;

const IMAGE_ID: Guid = Guid::new(
    0xB3E6_75D7,
    0x2554,
    0x4F18,
    [0x83, 0x0B, 0x27, 0x62, 0x73, 0x25, 0x60, 0xDE],
);
const SYSTEM: Guid = Guid::new(
    0x9B79_EE91,
    0xB5FD,
    0x41C0,
    [0xA2, 0x43, 0x42, 0x48, 0xE2, 0x66, 0xE9, 0xD0],
);

/// Version information of a file. It belongs to the images of the same size, time stamp and name.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FileVersion<'a> {
    /// Bytes in memory.
    pub size: u32,
    /// PE time stamp.
    pub timestamp: u32,
    /// Original file name.
    pub name: &'a str,
    /// File description.
    pub description: &'a str,
    /// File version.
    pub version: &'a str,
    /// Product name.
    pub product: &'a str,
    /// Company name.
    pub company: &'a str,
}

/// An added record.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Merged<'a> {
    /// Image id: base, size, process, PE time stamp, original file name.
    ImageId {
        /// Load address.
        base: u64,
        /// Bytes in memory.
        size: u64,
        /// Process; 0 for drivers.
        pid: u32,
        /// PE time stamp.
        timestamp: u32,
        /// Original file name.
        name: &'a str,
    },
    /// Debug id.
    DebugId {
        /// Load address.
        base: u64,
        /// Process; 0 for drivers.
        pid: u32,
        /// Identity of the PDB.
        guid: Guid,
        /// Age of the PDB.
        age: u32,
        /// Name of the PDB.
        pdb: &'a str,
    },
    /// Version information.
    FileVersion(FileVersion<'a>),
    /// Build and product.
    Build {
        /// FILETIME of the installation.
        installed: u64,
        /// Build lab.
        lab: &'a str,
        /// Product name.
        product: &'a str,
    },
    /// Folders of Windows, with a backslash at the end.
    SystemPaths {
        /// System32.
        system: &'a str,
        /// Windows.
        windows: &'a str,
    },
    /// A volume without a letter.
    Volume(&'a str),
    /// What a volume is called: NT prefix, DOS prefix.
    VolumeMapping(&'a str, &'a str),
}

impl Merged<'_> {
    pub(super) fn identity(&self) -> Identity {
        let (class, opcode, version) = match self {
            Self::ImageId { .. } => (IMAGE_ID, 0, 2),
            Self::DebugId { .. } => (IMAGE_ID, 36, 2),
            Self::FileVersion(_) => (IMAGE_ID, 64, 0),
            Self::Build { .. } => (SYSTEM, 32, 0),
            Self::SystemPaths { .. } => (SYSTEM, 33, 0),
            Self::Volume(_) => (SYSTEM, 34, 0),
            Self::VolumeMapping(..) => (SYSTEM, 35, 0),
        };
        Identity::Class {
            class,
            opcode,
            version,
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        match self {
            Self::ImageId {
                base,
                size,
                pid,
                timestamp,
                name,
            } => {
                out.ptr(*base);
                out.ptr(*size);
                out.u32(*pid);
                out.u32(*timestamp);
                out.wide(name);
            }
            Self::DebugId {
                base,
                pid,
                guid,
                age,
                pdb,
            } => {
                out.ptr(*base);
                out.u32(*pid);
                out.guid(*guid);
                out.u32(*age);
                out.narrow(pdb);
            }
            Self::FileVersion(v) => v.payload(out),
            Self::Build {
                installed,
                lab,
                product,
            } => {
                out.u64(*installed);
                out.wide(lab);
                out.wide(product);
            }
            Self::SystemPaths { system, windows } => {
                out.wide(system);
                out.wide(windows);
            }
            Self::Volume(prefix) => out.wide(prefix),
            Self::VolumeMapping(nt, dos) => {
                out.wide(nt);
                out.wide(dos);
            }
        }
    }
}

impl FileVersion<'_> {
    fn payload(&self, out: &mut Out) {
        out.u32(self.size);
        out.u32(self.timestamp);
        for text in [
            self.name,
            self.description,
            self.version,
            self.version,
            "English (United States)",
            self.product,
            self.company,
            self.version,
            "",
            "",
        ] {
            out.wide(text);
        }
    }
}
