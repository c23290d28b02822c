//! What a session notes of the machine (hooks 0x0Bxx), mostly once a trace.

use super::devices::{Interrupt, NetworkCard, PnpDevice, Service};
use super::drives::{LogicalDisk, OpticalDisk, PhysicalDisk};
use super::pairs::Pairs;
use super::{Fields, WideText};
use crate::etl::guid::Guid;
use std::fmt;

/// The machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computer<'a> {
    /// Clock of the processors in MHz.
    pub mhz: u32,
    /// Number of logical processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// Size of a page in bytes.
    pub page_size: u32,
    /// What address ranges are multiples of, in bytes.
    pub granularity: u32,
    /// Name of the computer.
    pub name: WideText<'a>,
    /// Its domain; empty for none.
    pub domain: WideText<'a>,
    /// Whether processors have more than one thread (not 0).
    pub hyper_threading: u64,
    /// What version 3 knows of the processors.
    pub architecture: Option<ProcessorArchitecture>,
}

/// What the processors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessorArchitecture {
    /// The last address of user mode.
    pub highest_user_address: u64,
    /// `PROCESSOR_ARCHITECTURE_*`: 0 x86, 9 x64, 12 ARM64.
    pub architecture: u16,
    /// Family.
    pub level: u16,
    /// Model and stepping.
    pub revision: u16,
    /// Whether a 32-bit system uses physical addresses above 4 GiB (not 0).
    pub pae: u8,
    /// Whether pages of data cannot be executed (not 0).
    pub nx: u8,
    /// Speed of the memory in MHz; 0 where it is not known.
    pub memory_mhz: u32,
}

/// Vendor and firmware of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform<'a> {
    /// Vendor.
    pub vendor: WideText<'a>,
    /// Product.
    pub product: WideText<'a>,
    /// Date of the firmware as its vendor writes it.
    pub bios_date: WideText<'a>,
    /// Version of the firmware.
    pub bios_version: WideText<'a>,
}

/// A version of Windows: `10.0.19041.450`. All zeros before Windows 10, which does not note it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsVersion {
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
    /// Build.
    pub build: u16,
    /// Revision, which updates raise.
    pub revision: u16,
}

impl OsVersion {
    /// From 16 bits each, the major version highest.
    pub fn from_packed(packed: u64) -> Self {
        let part = |n: u32| (packed >> (n * 16)) as u16;
        Self {
            major: part(3),
            minor: part(2),
            build: part(1),
            revision: part(0),
        }
    }
}

impl fmt::Display for OsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            build,
            revision,
        } = self;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

/// Version and kind of Windows. A merge notes it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceFamily {
    /// Version.
    pub version: OsVersion,
    /// `DEVICEFAMILYINFOENUM`: 3 is a desktop system.
    pub family: u32,
    /// `DEVICEFAMILYDEVICEFORM`.
    pub form: u32,
}

/// A processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processor<'a> {
    /// Its index.
    pub index: u32,
    /// Bits of features.
    pub features: u32,
    /// Its clock in MHz.
    pub mhz: u32,
    /// Its name.
    pub name: WideText<'a>,
    /// Family, model and stepping, as `Intel64 Family 6 Model 79 Stepping 1`.
    pub identifier: WideText<'a>,
    /// Vendor, as `GenuineIntel`.
    pub vendor: WideText<'a>,
}

/// Updates the machine is flighted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlightIds<'a> {
    /// Id of the update: a GUID and a revision.
    pub update: WideText<'a>,
    /// Ids of flights, with `,` between them.
    pub flights: WideText<'a>,
}

/// A fact of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigEvent<'a> {
    /// 0x0B0A.
    Computer(Computer<'a>),
    /// 0x0B0B.
    PhysicalDisk(PhysicalDisk<'a>),
    /// 0x0B0C.
    LogicalDisk(LogicalDisk<'a>),
    /// 0x0B0D.
    NetworkCard(NetworkCard<'a>),
    /// 0x0B0F.
    Service(Service<'a>),
    /// 0x0B12.
    OpticalDisk(OpticalDisk<'a>),
    /// 0x0B15.
    Interrupt(Interrupt<'a>),
    /// 0x0B16.
    PnpDevice(PnpDevice<'a>),
    /// 0x0B19.
    Platform(Platform<'a>),
    /// 0x0B1D: `CODEINTEGRITY_OPTION_*`; bit 0 is on where drivers must be signed, bit 1 in test mode.
    CodeIntegrity(u32),
    /// 0x0B1E: the machine's id for telemetry.
    MachineId(Guid),
    /// 0x0B21.
    DeviceFamily(DeviceFamily),
    /// 0x0B22.
    FlightIds(FlightIds<'a>),
    /// 0x0B23.
    Processor(Processor<'a>),
}

impl<'a> ConfigEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early.
    ///
    /// Left out, as they tell nothing of what a trace is read for: sleep states (0x0B10), network
    /// parameters (0x0B11), video (0x0B13), IDE channels (0x0B17), numbers of processors (0x0B18,
    /// 0x0B1A, 0x0B1B), screen resolution (0x0B1C), fragmentation (0x0B1F), and 0x0B24 and 0x0B25,
    /// which nobody describes.
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match hook {
            0x0B0A => Self::Computer(Computer::parse(version, fields)?),
            0x0B0B => Self::PhysicalDisk(PhysicalDisk::parse(fields)?),
            0x0B0C => Self::LogicalDisk(LogicalDisk::parse(fields)?),
            0x0B0D => Self::NetworkCard(NetworkCard::parse(version, fields)?),
            0x0B0F => Self::Service(Service::parse(version, fields)?),
            0x0B12 => Self::OpticalDisk(OpticalDisk::parse(fields)?),
            0x0B15 => Self::Interrupt(Interrupt::parse(version, fields)?),
            0x0B16 => Self::PnpDevice(PnpDevice::parse(version, fields)?),
            0x0B19 => Self::Platform(Platform {
                vendor: fields.wide_text()?,
                product: fields.wide_text()?,
                bios_date: fields.wide_text()?,
                bios_version: fields.wide_text()?,
            }),
            0x0B1D => Self::CodeIntegrity(fields.u32()?),
            0x0B1E => Self::MachineId(fields.guid()?),
            0x0B21 => Self::DeviceFamily(DeviceFamily::parse(fields)?),
            0x0B22 => Self::FlightIds(FlightIds {
                update: fields.wide_text()?,
                flights: fields.wide_text()?,
            }),
            0x0B23 => Self::Processor(Processor::parse(fields)?),
            _ => return None,
        })
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Computer(_) => "Computer",
            Self::PhysicalDisk(_) => "Physical Disk",
            Self::LogicalDisk(_) => "Logical Disk",
            Self::NetworkCard(_) => "Network Card",
            Self::Service(_) => "Service",
            Self::OpticalDisk(_) => "Optical Disk",
            Self::Interrupt(_) => "Interrupt Line",
            Self::PnpDevice(_) => "PnP Device",
            Self::Platform(_) => "Platform",
            Self::CodeIntegrity(_) => "Code Integrity",
            Self::MachineId(_) => "Machine Id",
            Self::DeviceFamily(_) => "OS Version",
            Self::FlightIds(_) => "Flight Ids",
            Self::Processor(_) => "Processor",
        }
    }

    /// Appends what the event says.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Computer(computer) => computer.push(&mut pairs),
            Self::PhysicalDisk(disk) => disk.push(&mut pairs),
            Self::LogicalDisk(disk) => disk.push(&mut pairs),
            Self::NetworkCard(card) => card.push(&mut pairs),
            Self::Service(service) => service.push(&mut pairs),
            Self::OpticalDisk(disk) => disk.push(&mut pairs),
            Self::Interrupt(interrupt) => interrupt.push(&mut pairs),
            Self::PnpDevice(device) => device.push(&mut pairs),
            Self::Platform(platform) => {
                pairs
                    .wide("Vendor", platform.vendor)
                    .wide("Product", platform.product)
                    .wide("BIOS Date", platform.bios_date)
                    .wide("BIOS Version", platform.bios_version);
            }
            Self::CodeIntegrity(options) => {
                pairs.hex("Options", *options);
            }
            Self::MachineId(id) => {
                pairs.guid("Id", *id);
            }
            Self::DeviceFamily(family) => family.push(&mut pairs),
            Self::FlightIds(ids) => {
                pairs
                    .wide("Update", ids.update)
                    .wide("Flights", ids.flights);
            }
            Self::Processor(processor) => processor.push(&mut pairs),
        }
    }
}

impl<'a> Computer<'a> {
    fn parse(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            mhz: fields.u32()?,
            processors: fields.u32()?,
            memory_mb: fields.u32()?,
            page_size: fields.u32()?,
            granularity: fields.u32()?,
            name: fields.wide_field(256)?,
            domain: fields.wide_field(134)?,
            hyper_threading: fields.ptr()?,
            architecture: if version < 3 {
                None
            } else {
                Some(ProcessorArchitecture::parse(fields)?)
            },
        })
    }

    fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Name", self.name)
            .wide("Domain", self.domain)
            .id("Processors", self.processors)
            .number("MHz", self.mhz)
            .number("Memory MB", self.memory_mb);
    }
}

impl ProcessorArchitecture {
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            highest_user_address: fields.ptr()?,
            architecture: fields.u16()?,
            level: fields.u16()?,
            revision: fields.u16()?,
            pae: fields.u8()?,
            nx: fields.u8()?,
            memory_mhz: fields.u32()?,
        })
    }
}

impl DeviceFamily {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            version: OsVersion::from_packed(fields.u64()?),
            family: fields.u32()?,
            form: fields.u32()?,
        })
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .word("Version", &self.version.to_string())
            .id("Family", self.family)
            .id("Form", self.form);
    }
}

impl<'a> Processor<'a> {
    fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            index: fields.u32()?,
            features: fields.u32()?,
            mhz: fields.u32()?,
            name: fields.wide_field(64)?,
            identifier: fields.wide_field(128)?,
            vendor: fields.wide_field(16)?,
        })
    }

    fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .id("Index", self.index)
            .wide("Name", self.name)
            .wide("Identifier", self.identifier)
            .wide("Vendor", self.vendor)
            .number("MHz", self.mhz)
            .hex("Features", self.features);
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    #[test]
    fn computers_of_both_pointer_sizes() {
        for (wide, sizes) in [(true, [808, 828]), (false, [804, 820])] {
            let made = Made::new(wide).u32(3_592).u32(8).u32(4_096).u32(4_096);
            let made = made.u32(65_536).field(256, "BRIANROB-W8");
            let made = made.field(134, "example.org").ptr(1);
            assert_eq!(made.bytes.len(), sizes[0]);
            let expected = "Name: BRIANROB-W8, Domain: example.org, Processors: 8, MHz: 3,592, \
                            Memory MB: 4,096";
            let (_, operation, detail) = decode!(ConfigEvent, 0x0B0A, 2, &made);
            assert_eq!((operation, &*detail), ("Computer", expected));
            let made = made.ptr(0x7FFF_0000).u16(9).u16(6).u16(0x4F01);
            let made = made.u8(0).u8(1).u32(2_400);
            assert_eq!(made.bytes.len(), sizes[1]);
            let (event, _, _) = decode!(ConfigEvent, 0x0B0A, 3, &made);
            let ConfigEvent::Computer(computer) = event else {
                panic!("{event:?}");
            };
            let architecture = computer.architecture.unwrap();
            assert_eq!((architecture.architecture, architecture.nx), (9, 1));
            assert_eq!(
                (computer.hyper_threading, architecture.memory_mhz),
                (1, 2_400)
            );
        }
    }

    #[test]
    fn platforms_versions_and_ids() {
        let made = Made::new(true)
            .wide("Vendor")
            .wide("Machine")
            .wide("12/07/2018")
            .wide("1");
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B19, 2, &made);
        assert_eq!(operation, "Platform");
        assert_eq!(
            detail,
            "Vendor: Vendor, Product: Machine, BIOS Date: 12/07/2018, BIOS Version: 1"
        );
        let made = Made::new(true).u64(0x000A_0000_4A61_01C2).u32(3).u32(0);
        let (event, operation, detail) = decode!(ConfigEvent, 0x0B21, 2, &made);
        let ConfigEvent::DeviceFamily(family) = event else {
            panic!("{event:?}");
        };
        assert_eq!(
            (family.version.build, family.version.revision),
            (19_041, 450)
        );
        assert_eq!(operation, "OS Version");
        assert_eq!(detail, "Version: 10.0.19041.450, Family: 3, Form: 0");
        let made = Made::new(true).wide("AFBF.1").wide("RS:685B,DC:4096");
        let (_, _, detail) = decode!(ConfigEvent, 0x0B22, 2, &made);
        assert_eq!(detail, "Update: AFBF.1, Flights: RS:685B,DC:4096");
        let made = Made::new(true).u32(1);
        assert_eq!(decode!(ConfigEvent, 0x0B1D, 2, &made).2, "Options: 0x1");
        let made = Made::new(true).raw(&[1; 16]);
        let (_, _, detail) = decode!(ConfigEvent, 0x0B1E, 2, &made);
        assert_eq!(detail, "Id: 01010101-0101-0101-0101-010101010101");
        assert_eq!(ConfigEvent::parse(0x0B10, 2, &mut made.fields()), None);
    }

    #[test]
    fn processors() {
        let made = Made::new(true).u32(3).u32(0xFF).u32(2_295);
        let made = made
            .field(64, "Xeon")
            .field(128, "Family 6")
            .field(16, "GenuineIntel");
        assert_eq!(made.bytes.len(), 428);
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B23, 2, &made);
        assert_eq!(operation, "Processor");
        assert_eq!(
            detail,
            "Index: 3, Name: Xeon, Identifier: Family 6, Vendor: GenuineIntel, MHz: 2,295, Features: 0xff"
        );
    }
}
