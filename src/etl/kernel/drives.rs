//! Disks and drive letters, as a session notes them (hooks 0x0B0B, 0x0B0C, 0x0B12).
//!
//! A trace that was not merged has no other mapping of drive letters, and this one names disk and
//! partition, not the volume device of paths.

use super::pairs::Pairs;
use super::{Fields, NarrowText, WideText};

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhysicalDisk<'a> {
    /// Number of the disk.
    pub disk: u32,
    /// Bytes of a sector.
    pub bytes_per_sector: u32,
    /// Sectors of a track.
    pub sectors_per_track: u32,
    /// Tracks of a cylinder.
    pub tracks_per_cylinder: u32,
    /// Cylinders.
    pub cylinders: u64,
    /// SCSI port, path, target and logical unit.
    pub scsi: [u32; 4],
    /// Vendor and model.
    pub model: WideText<'a>,
    /// Number of partitions.
    pub partitions: u32,
    /// Whether the disk's write cache is on (not 0).
    pub write_cache: u8,
    /// Drive letter of the boot volume, as `C`, on the disk that holds it.
    pub boot_letter: WideText<'a>,
}

/// A volume with a drive letter, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogicalDisk<'a> {
    /// Where it starts, in bytes from the start of the disk.
    pub start: u64,
    /// Its bytes.
    pub size: u64,
    /// Number of the disk.
    pub disk: u32,
    /// 1 partition, 2 volume, 3 extended partition.
    pub drive_type: u32,
    /// Drive letter, as `C:`.
    pub letter: WideText<'a>,
    /// Number of the partition on its disk; not the number of the volume.
    pub partition: u32,
    /// Sectors of a cluster.
    pub sectors_per_cluster: u32,
    /// Bytes of a sector.
    pub bytes_per_sector: u32,
    /// Clusters that are free.
    pub free_clusters: u64,
    /// All clusters.
    pub clusters: u64,
    /// File system, as `NTFS`.
    pub file_system: WideText<'a>,
    /// Number of the extent.
    pub extent: u32,
}

/// A drive for optical disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpticalDisk<'a> {
    /// Number of the drive.
    pub disk: u16,
    /// Bus, `STORAGE_BUS_TYPE`.
    pub bus: u16,
    /// Kind of the drive.
    pub device_type: u16,
    /// Kind of the medium.
    pub media_type: u16,
    /// Bytes of the medium; 0 for none.
    pub size: u64,
    /// Drive letter, as `D:`.
    pub letter: WideText<'a>,
    /// File system.
    pub file_system: WideText<'a>,
    /// Name of the drive, with blanks behind it.
    pub device: NarrowText<'a>,
    /// Its vendor, with blanks behind it.
    pub vendor: NarrowText<'a>,
}

impl<'a> PhysicalDisk<'a> {
    pub(super) fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        let disk = Self {
            disk: fields.u32()?,
            bytes_per_sector: fields.u32()?,
            sectors_per_track: fields.u32()?,
            tracks_per_cylinder: fields.u32()?,
            cylinders: fields.u64()?,
            scsi: [fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?],
            model: fields.wide_field(256)?,
            partitions: fields.u32()?,
            write_cache: fields.u8()?,
            boot_letter: {
                let _pad = fields.u8()?;
                fields.wide_field(3)?
            },
        };
        let _spare = fields.bytes(4);
        Some(disk)
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .id("Disk", self.disk)
            .wide("Model", self.model)
            .id("Partitions", self.partitions)
            .wide("Boot Drive", self.boot_letter)
            .word(
                "Write Cache",
                if self.write_cache != 0 { "On" } else { "Off" },
            );
    }
}

impl<'a> LogicalDisk<'a> {
    pub(super) fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        let start = fields.u64()?;
        let size = fields.u64()?;
        let disk = fields.u32()?;
        let _struct_size = fields.u32()?;
        let drive_type = fields.u32()?;
        let letter = fields.wide_field(4)?;
        let _pad = fields.u32()?;
        let partition = fields.u32()?;
        let sectors_per_cluster = fields.u32()?;
        let bytes_per_sector = fields.u32()?;
        let _pad = fields.u32()?;
        let out = Self {
            start,
            size,
            disk,
            drive_type,
            letter,
            partition,
            sectors_per_cluster,
            bytes_per_sector,
            free_clusters: fields.u64()?,
            clusters: fields.u64()?,
            file_system: fields.wide_field(16)?,
            extent: fields.u32()?,
        };
        // Only since version 2.
        let _pad = fields.u32();
        Some(out)
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Drive", self.letter)
            .id("Disk", self.disk)
            .id("Partition", self.partition)
            .number("Start", self.start)
            .number("Size", self.size)
            .wide("File System", self.file_system);
    }
}

impl<'a> OpticalDisk<'a> {
    pub(super) fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        let disk = fields.u16()?;
        let bus = fields.u16()?;
        let device_type = fields.u16()?;
        let media_type = fields.u16()?;
        let _start = fields.u64()?;
        let size = fields.u64()?;
        // Free and all blocks, next writable address; sessions, tracks, bytes of a sector; two states.
        let _medium = fields.bytes(3 * 8 + 3 * 4 + 2 * 2)?;
        Some(Self {
            disk,
            bus,
            device_type,
            media_type,
            size,
            letter: fields.wide_text()?,
            file_system: fields.wide_text()?,
            device: fields.narrow_text()?,
            vendor: fields.narrow_text()?,
        })
    }

    pub(super) fn push(&self, pairs: &mut Pairs<'_>) {
        pairs
            .wide("Drive", self.letter)
            .narrow("Device", unpadded(self.device))
            .narrow("Vendor", unpadded(self.vendor))
            .wide("File System", self.file_system);
    }
}

fn unpadded(text: NarrowText<'_>) -> NarrowText<'_> {
    NarrowText(text.0.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::super::config::ConfigEvent;
    use super::super::made::{Made, decode};

    #[test]
    fn physical_disks() {
        let made = Made::new(true).u32(0).u32(512).u32(63).u32(255).u64(16_578);
        let made = made.u32(1).u32(2).u32(3).u32(4).field(256, "Virtual HD");
        let made = made.u32(2).u8(1).u8(0).field(3, "C").field(2, "");
        assert_eq!(made.bytes.len(), 568);
        let (event, operation, detail) = decode!(ConfigEvent, 0x0B0B, 2, &made);
        let ConfigEvent::PhysicalDisk(disk) = event else {
            panic!("{event:?}");
        };
        assert_eq!((disk.cylinders, disk.scsi), (16_578, [1, 2, 3, 4]));
        assert_eq!(operation, "Physical Disk");
        assert_eq!(
            detail,
            "Disk: 0, Model: Virtual HD, Partitions: 2, Boot Drive: C, Write Cache: On"
        );
    }

    #[test]
    fn logical_disks() {
        let made = Made::new(true).u64(368_050_176).u64(135_996_112_896);
        let made = made.u32(0).u32(112).u32(1).field(4, "C:").u32(0).u32(2);
        let made = made
            .u32(8)
            .u32(512)
            .u32(0)
            .u64(10)
            .u64(20)
            .field(16, "NTFS");
        let made = made.u32(0);
        let expected = "Drive: C:, Disk: 0, Partition: 2, Start: 368,050,176, \
                        Size: 135,996,112,896, File System: NTFS";
        let (_, operation, detail) = decode!(ConfigEvent, 0x0B0C, 1, &made);
        assert_eq!((operation, &*detail), ("Logical Disk", expected));
        let made = made.u32(0);
        assert_eq!(made.bytes.len(), 112);
        assert_eq!(decode!(ConfigEvent, 0x0B0C, 2, &made).2, expected);
    }

    #[test]
    fn optical_disks() {
        let made = Made::new(true).u16(0).u16(2).u16(5).u16(16).u64(0).u64(700);
        let made = made.raw(&[0; 40]).wide("D:").wide("UDF");
        let made = made.narrow("CD/ROM  ").narrow("Msft    ");
        let (event, operation, detail) = decode!(ConfigEvent, 0x0B12, 2, &made);
        assert!(matches!(event, ConfigEvent::OpticalDisk(disk) if disk.size == 700));
        assert_eq!(operation, "Optical Disk");
        assert_eq!(
            detail,
            "Drive: D:, Device: CD/ROM, Vendor: Msft, File System: UDF"
        );
    }
}
