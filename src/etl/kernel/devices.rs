//! Devices and services, as a session notes them (hooks 0x0B0D, 0x0B0F, 0x0B15, 0x0B16).

use super::pairs::Pairs;
use super::{Fields, WideText};
use crate::etl::guid::Guid;

/// Texts that follow each other, each with its NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Texts<'a>(&'a [u8]);

impl<'a> Texts<'a> {
    fn parse(count: u32, fields: &mut Fields<'a>) -> Option<Self> {
        let start = fields.rest();
        // Each text takes a byte at least, so a wrong count ends with the payload.
        for _ in 0..count {
            fields.wide_text()?;
        }
        Some(Self(start.get(..start.len() - fields.rest().len())?))
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = WideText<'a>> + use<'a> {
        let mut fields = Fields::new(self.0, true);
        std::iter::from_fn(move || fields.wide_text())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A device of Plug and Play: its driver, and the drivers that filter it. The filters are those of the
/// device itself; those of its setup class, as partmgr of all disks, are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PnpDevice<'a> {
    /// Setup class; since version 4.
    pub class: Option<Guid>,
    /// Device instance id, as `PCI\VEN_1414&DEV_5353\3&267A616A`.
    pub id: WideText<'a>,
    /// Description.
    pub description: WideText<'a>,
    /// Friendly name, mostly empty.
    pub friendly_name: WideText<'a>,
    /// The physical device object, as `\Device\NTPNP_PCI0004`; since version 3.
    pub pdo: WideText<'a>,
    /// Service of its driver; since version 4.
    pub service: WideText<'a>,
    /// Services of the filters above the driver; since version 4.
    pub upper_filters: Texts<'a>,
    /// Services of the filters below the driver; since version 4.
    pub lower_filters: Texts<'a>,
    /// State (`DN_*`); since version 5.
    pub status: Option<u32>,
    /// Problem (`CM_PROB_*`), 0 for none; since version 5.
    pub problem: Option<u32>,
}

/// A service that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service<'a> {
    /// Process it runs in.
    pub pid: u32,
    /// `SERVICE_*`: 4 is running.
    pub state: u32,
    /// Tag of its threads in a shared process.
    pub tag: u32,
    /// Name.
    pub name: WideText<'a>,
    /// Display name.
    pub display_name: WideText<'a>,
    /// Image of the process.
    pub process: WideText<'a>,
    /// Load order group; since version 3.
    pub load_group: WideText<'a>,
    /// Group of services that share a process; since version 3.
    pub svchost_group: WideText<'a>,
}

/// A network card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkCard<'a> {
    /// Physical address; as many of the bytes as `mac_len` says.
    pub mac: [u8; 8],
    /// Bytes of the physical address.
    pub mac_len: u32,
    /// Interface index of IPv4.
    pub ipv4_index: u32,
    /// Interface index of IPv6.
    pub ipv6_index: u32,
    /// Description.
    pub description: WideText<'a>,
    /// Addresses, with `;` between them.
    pub addresses: WideText<'a>,
    /// Servers of DNS, with `;` between them.
    pub dns_servers: WideText<'a>,
}

/// A device and its interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupt<'a> {
    /// Processors that serve it.
    pub affinity: u64,
    /// Group of these processors; since version 3.
    pub group: u16,
    /// Number of the interrupt.
    pub irq: u32,
    /// Device instance id.
    pub device: WideText<'a>,
}

impl<'a> PnpDevice<'a> {
    /// Versions below 4 were not met in real files.
    pub(super) fn parse(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        if version < 4 {
            return Self::parse_old(version, fields);
        }
        let class = fields.guid()?;
        let uppers = fields.u32()?;
        let lowers = fields.u32()?;
        let (status, problem) = if version < 5 {
            (None, None)
        } else {
            (Some(fields.u32()?), Some(fields.u32()?))
        };
        Some(Self {
            class: Some(class),
            id: fields.wide_text()?,
            description: fields.wide_text()?,
            friendly_name: fields.wide_text()?,
            pdo: fields.wide_text()?,
            service: fields.wide_text()?,
            upper_filters: Texts::parse(uppers, fields)?,
            lower_filters: Texts::parse(lowers, fields)?,
            status,
            problem,
        })
    }

    fn parse_old(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let _lengths = (fields.u32()?, fields.u32()?, fields.u32()?);
        let id = fields.wide_text()?;
        let description = fields.wide_text()?;
        let friendly_name = fields.wide_text()?;
        Some(Self {
            class: None,
            id,
            description,
            friendly_name,
            pdo: if version < 3 {
                WideText::default()
            } else {
                fields.wide_text()?
            },
            service: WideText::default(),
            upper_filters: Texts::default(),
            lower_filters: Texts::default(),
            status: None,
            problem: None,
        })
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Device", self.id)
            .wide("Description", self.description)
            .wide("Name", self.friendly_name)
            .wide("PDO", self.pdo)
            .wide("Service", self.service)
            .list("Upper Filters", self.upper_filters.0)
            .list("Lower Filters", self.lower_filters.0);
        if let Some(class) = self.class {
            pairs.guid("Class", class);
        }
        if let Some(status) = self.status {
            pairs.hex("Status", status);
        }
        if let Some(problem) = self.problem.filter(|problem| *problem != 0) {
            pairs.id("Problem", problem);
        }
    }
}

impl<'a> Service<'a> {
    /// Versions below 2 have another layout, which is not read.
    pub(super) fn parse(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        if version < 2 {
            return None;
        }
        let group = |fields: &mut Fields<'a>| {
            if version < 3 {
                Some(WideText::default())
            } else {
                fields.wide_text()
            }
        };
        Some(Self {
            pid: fields.u32()?,
            state: fields.u32()?,
            tag: fields.u32()?,
            name: fields.wide_text()?,
            display_name: fields.wide_text()?,
            process: fields.wide_text()?,
            load_group: group(fields)?,
            svchost_group: group(fields)?,
        })
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Name", self.name)
            .wide("Display Name", self.display_name)
            .id("PID", self.pid)
            .wide("Process", self.process)
            .id("State", self.state)
            .id("Tag", self.tag)
            .wide("Group", self.load_group)
            .wide("Svchost Group", self.svchost_group);
    }
}

impl<'a> NetworkCard<'a> {
    /// Versions below 2 have another layout, which is not read.
    pub(super) fn parse(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        if version < 2 {
            return None;
        }
        Some(Self {
            mac: fields.bytes(8)?.try_into().ok()?,
            mac_len: fields.u32()?,
            ipv4_index: fields.u32()?,
            ipv6_index: fields.u32()?,
            description: fields.wide_text()?,
            addresses: fields.wide_text()?,
            dns_servers: fields.wide_text()?,
        })
    }

    /// The bytes of the physical address.
    pub fn mac(&self) -> &[u8] {
        let len = usize::try_from(self.mac_len).unwrap_or(usize::MAX);
        self.mac.get(..len).unwrap_or(&self.mac)
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Description", self.description)
            .bytes("Physical Address", self.mac())
            .wide("Addresses", self.addresses)
            .wide("DNS Servers", self.dns_servers);
    }
}

impl<'a> Interrupt<'a> {
    pub(super) fn parse(version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let affinity = fields.u64()?;
        let mut group = 0;
        if version >= 3 {
            group = fields.u16()?;
            let _reserved = fields.u16()?;
        }
        let irq = fields.u32()?;
        let _text_bytes = fields.u32()?;
        Some(Self {
            affinity,
            group,
            irq,
            device: fields.wide_text()?,
        })
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Device", self.device)
            .id("IRQ", self.irq)
            .hex("Affinity", self.affinity);
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::ConfigEvent;
    use super::super::made::{Made, decode};
    use super::*;

    fn device(event: ConfigEvent<'_>) -> PnpDevice<'_> {
        match event {
            ConfigEvent::PnpDevice(device) => device,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn devices_name_who_filters_them() {
        let start = || Made::new(true).raw(&[7; 16]).u32(2).u32(1);
        let texts = |made: Made| {
            let made = made.wide("SCSI\\Disk").wide("Disk drive").wide("HD");
            let made = made.wide("\\Device\\0000002f").wide("disk");
            made.wide("fvevol").wide("example").wide("EhStor")
        };
        let made = texts(start());
        let (event, operation, detail) = decode!(ConfigEvent, 0x0B16, 4, &made);
        let upper: Vec<String> = device(event)
            .upper_filters
            .iter()
            .map(|text| text.to_string())
            .collect();
        assert_eq!(upper, ["fvevol", "example"]);
        assert_eq!(device(event).lower_filters.iter().count(), 1);
        assert_eq!(operation, "PnP Device");
        let expected = "Device: SCSI\\Disk, Description: Disk drive, Name: HD, \
             PDO: \\Device\\0000002f, Service: disk, Upper Filters: fvevol, example, \
             Lower Filters: EhStor, Class: 07070707-0707-0707-0707-070707070707";
        assert_eq!(detail, expected);
        let made = texts(start().u32(0x0180_200A).u32(28));
        let (_, _, detail) = decode!(ConfigEvent, 0x0B16, 5, &made);
        assert_eq!(
            detail,
            format!("{expected}, Status: 0x180200a, Problem: 28")
        );
    }

    #[test]
    fn a_wrong_count_of_filters_ends_with_the_payload() {
        let made = Made::new(true).raw(&[7; 16]).u32(u32::MAX).u32(0);
        let made = made.wide("a").wide("b").wide("c").wide("d").wide("e");
        assert_eq!(ConfigEvent::parse(0x0B16, 4, &mut made.fields()), None);
        let made = Made::new(true).raw(&[7; 16]).u32(0).u32(0);
        let made = made.wide("a").wide("").wide("").wide("").wide("e");
        let (event, _, detail) = decode!(ConfigEvent, 0x0B16, 4, &made);
        assert!(device(event).upper_filters.is_empty());
        assert!(
            detail.starts_with("Device: a, Service: e, Class: "),
            "{detail}"
        );
    }

    #[test]
    fn devices_of_older_versions() {
        let made = Made::new(false).u32(2).u32(2).u32(2);
        let made = made.wide("a").wide("b").wide("c");
        for version in 0..3 {
            let (_, _, detail) = decode!(ConfigEvent, 0x0B16, version, &made);
            assert_eq!(detail, "Device: a, Description: b, Name: c");
        }
        let (_, _, detail) = decode!(ConfigEvent, 0x0B16, 3, &made.wide("d"));
        assert_eq!(detail, "Device: a, Description: b, Name: c, PDO: d");
    }

    #[test]
    fn services() {
        let made = Made::new(true).u32(820).u32(4).u32(9);
        let made = made
            .wide("DcomLaunch")
            .wide("DCOM Server")
            .wide("svchost.exe");
        let expected = "Name: DcomLaunch, Display Name: DCOM Server, PID: 820, \
                        Process: svchost.exe, State: 4, Tag: 9";
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B0F, 2, &made);
        assert_eq!((operation, &*detail), ("Service", expected));
        let made = made.wide("COM").wide("DcomLaunch");
        let (_, _, detail) = decode!(ConfigEvent, 0x0B0F, 3, &made);
        assert_eq!(
            detail,
            format!("{expected}, Group: COM, Svchost Group: DcomLaunch")
        );
        assert_eq!(ConfigEvent::parse(0x0B0F, 1, &mut made.fields()), None);
    }

    #[test]
    fn network_cards_and_interrupts() {
        let made = Made::new(true).raw(&[0, 0x15, 0x5D, 0x7C, 0x58, 0x28, 0, 0]);
        let made = made.u32(6).u32(12).u32(12);
        let made = made
            .wide("Hyper-V")
            .wide("fe80::1;10.0.0.5")
            .wide("10.0.0.1");
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B0D, 2, &made);
        assert_eq!(operation, "Network Card");
        assert_eq!(
            detail,
            "Description: Hyper-V, Physical Address: 00 15 5D 7C 58 28, \
             Addresses: fe80::1;10.0.0.5, DNS Servers: 10.0.0.1"
        );
        assert_eq!(ConfigEvent::parse(0x0B0D, 1, &mut made.fields()), None);
        let made = Made::new(true).u64(0xF).u32(10).u32(8).wide("PCI");
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B15, 2, &made);
        assert_eq!(operation, "Interrupt Line");
        assert_eq!(detail, "Device: PCI, IRQ: 10, Affinity: 0xf");
        let made = Made::new(true)
            .u64(0xF)
            .u16(1)
            .u16(0)
            .u32(10)
            .u32(8)
            .wide("PCI");
        let (event, _, _) = decode!(ConfigEvent, 0x0B15, 3, &made);
        assert!(matches!(event, ConfigEvent::Interrupt(interrupt) if interrupt.group == 1));
    }

    #[test]
    fn physical_addresses_of_any_length() {
        let mut card = NetworkCard {
            mac: [1, 2, 3, 4, 5, 6, 7, 8],
            mac_len: 6,
            ipv4_index: 0,
            ipv6_index: 0,
            description: WideText::default(),
            addresses: WideText::default(),
            dns_servers: WideText::default(),
        };
        assert_eq!(card.mac(), [1, 2, 3, 4, 5, 6]);
        card.mac_len = u32::MAX;
        assert_eq!(card.mac().len(), 8);
    }
}
