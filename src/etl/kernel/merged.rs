//! What a merge adds on the system: build, paths and volumes (FULL records of
//! [`crate::etl::providers::SYSTEM`]).
//!
//! They are stamped with the start or the end of the trace, and stand anywhere in the file.

use super::config::DeviceFamily;
use super::pairs::Pairs;
use super::{Fields, WideText};
use crate::trace::Filetime;

/// Build of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildInfo<'a> {
    /// When it was installed.
    pub installed: Filetime,
    /// Build lab, as `9200.16384.amd64fre.win8_rtm.120725-1247`.
    pub build_lab: WideText<'a>,
    /// Product, as `Windows 8 Pro`.
    pub product: WideText<'a>,
}

/// Where Windows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemPaths<'a> {
    /// As `C:\Windows\system32`.
    pub system: WideText<'a>,
    /// As `C:\Windows\`.
    pub windows: WideText<'a>,
}

/// A prefix of NT paths and what stands for it in DOS paths. The longest one that fits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeMapping<'a> {
    /// As `\Device\HarddiskVolume2\`.
    pub nt: WideText<'a>,
    /// As `C:\`; may be empty.
    pub dos: WideText<'a>,
}

/// What a merge adds on the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemRecord<'a> {
    /// Opcode 32.
    Build(BuildInfo<'a>),
    /// Opcode 33.
    Paths(SystemPaths<'a>),
    /// Opcode 34: NT prefix of a volume without a drive letter.
    Unmapped(WideText<'a>),
    /// Opcode 35.
    Mapping(VolumeMapping<'a>),
    /// Opcode 37; all zeros before Windows 10.
    DeviceFamily(DeviceFamily),
}

impl<'a> SystemRecord<'a> {
    /// Reads the payload of an opcode; `None` for other opcodes, among them network interfaces (36), and
    /// where the payload ends too early.
    pub fn parse(opcode: u8, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match opcode {
            32 => Self::Build(BuildInfo {
                installed: Filetime(fields.u64()?),
                build_lab: fields.wide_text()?,
                product: fields.wide_text()?,
            }),
            33 => Self::Paths(SystemPaths {
                system: fields.wide_text()?,
                windows: fields.wide_text()?,
            }),
            34 => Self::Unmapped(fields.wide_text()?),
            35 => Self::Mapping(VolumeMapping {
                nt: fields.wide_text()?,
                dos: fields.wide_text()?,
            }),
            37 => Self::DeviceFamily(DeviceFamily::parse(fields)?),
            _ => return None,
        })
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Build(_) => "Build Info",
            Self::Paths(_) => "System Paths",
            Self::Unmapped(_) => "Volume Without Letter",
            Self::Mapping(_) => "Volume Mapping",
            Self::DeviceFamily(_) => "OS Version",
        }
    }

    /// Appends what the record says.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Build(build) => {
                pairs
                    .wide("Build", build.build_lab)
                    .wide("Product", build.product)
                    .word("Installed", &build.installed.to_string());
            }
            Self::Paths(paths) => {
                pairs
                    .wide("System", paths.system)
                    .wide("Windows", paths.windows);
            }
            Self::Unmapped(nt) => {
                pairs.wide("NT", *nt);
            }
            Self::Mapping(mapping) => {
                pairs.wide("NT", mapping.nt).wide("DOS", mapping.dos);
            }
            Self::DeviceFamily(family) => family.push(&mut pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, whole};
    use super::*;

    fn decode(opcode: u8, made: &Made) -> (SystemRecord<'_>, &'static str, String) {
        whole(
            made,
            |fields| SystemRecord::parse(opcode, fields),
            |record, out| {
                record.push_detail(out);
                record.operation()
            },
        )
    }

    #[test]
    fn builds_and_paths() {
        let made = Made::new(true)
            .u64(116_444_736_000_000_000)
            .wide("9200.x")
            .wide("Windows 8");
        let (_, operation, detail) = decode(32, &made);
        assert_eq!(operation, "Build Info");
        assert_eq!(
            detail,
            "Build: 9200.x, Product: Windows 8, Installed: 1970-01-01T00:00:00.0000000Z"
        );
        let made = Made::new(true).wide("C:\\W\\system32").wide("C:\\W\\");
        let (_, operation, detail) = decode(33, &made);
        assert_eq!(operation, "System Paths");
        assert_eq!(detail, "System: C:\\W\\system32, Windows: C:\\W\\");
        let made = Made::new(true).u64(0x000A_0000_55F0_0265).u32(3).u32(0);
        let (_, operation, detail) = decode(37, &made);
        assert_eq!(operation, "OS Version");
        assert_eq!(detail, "Version: 10.0.22000.613, Family: 3, Form: 0");
    }

    #[test]
    fn volumes() {
        let made = Made::new(true).wide("\\??\\").wide("");
        let (record, operation, detail) = decode(35, &made);
        assert!(matches!(record, SystemRecord::Mapping(mapping) if mapping.dos.is_empty()));
        assert_eq!((operation, &*detail), ("Volume Mapping", "NT: \\??\\"));
        let made = Made::new(true)
            .wide("\\Device\\HarddiskVolume2\\")
            .wide("C:\\");
        let (_, _, detail) = decode(35, &made);
        assert_eq!(detail, "NT: \\Device\\HarddiskVolume2\\, DOS: C:\\");
        let made = Made::new(true).wide("\\Device\\HarddiskVolume1\\");
        let (_, operation, _) = decode(34, &made);
        assert_eq!(operation, "Volume Without Letter");
        for opcode in [0, 31, 36, 38] {
            assert_eq!(SystemRecord::parse(opcode, &mut made.fields()), None);
        }
    }
}
