//! The minifilters of the machine: where they stand, and what they want to see.

use crate::scenario::Driver;

/// Major functions; the filter manager's own are negative bytes.
pub(super) mod major {
    pub(in super::super) const CREATE: u32 = 0x00;
    pub(in super::super) const CLOSE: u32 = 0x02;
    pub(in super::super) const READ: u32 = 0x03;
    pub(in super::super) const WRITE: u32 = 0x04;
    pub(in super::super) const QUERY_INFORMATION: u32 = 0x05;
    pub(in super::super) const SET_INFORMATION: u32 = 0x06;
    pub(in super::super) const QUERY_EA: u32 = 0x07;
    pub(in super::super) const SET_EA: u32 = 0x08;
    pub(in super::super) const FLUSH: u32 = 0x09;
    pub(in super::super) const QUERY_VOLUME: u32 = 0x0A;
    pub(in super::super) const DIRECTORY: u32 = 0x0C;
    pub(in super::super) const FS_CONTROL: u32 = 0x0D;
    pub(in super::super) const DEVICE_CONTROL: u32 = 0x0E;
    pub(in super::super) const LOCK: u32 = 0x11;
    pub(in super::super) const CLEANUP: u32 = 0x12;
    pub(in super::super) const QUERY_SECURITY: u32 = 0x14;
    pub(in super::super) const SET_SECURITY: u32 = 0x15;
    pub(in super::super) const NETWORK_QUERY_OPEN: u32 = 0xF2;
    pub(in super::super) const MOD_WRITE: u32 = 0xFD;
    pub(in super::super) const SECTION: u32 = 0xFF;
}

use major::*;

/// Everything; only a monitor wants that.
const ALL: &[u32] = &[
    CREATE,
    CLOSE,
    READ,
    WRITE,
    QUERY_INFORMATION,
    SET_INFORMATION,
    QUERY_EA,
    SET_EA,
    FLUSH,
    QUERY_VOLUME,
    DIRECTORY,
    FS_CONTROL,
    DEVICE_CONTROL,
    LOCK,
    CLEANUP,
    QUERY_SECURITY,
    SET_SECURITY,
    NETWORK_QUERY_OPEN,
    MOD_WRITE,
    SECTION,
];

/// Driver, altitude, callbacks before, callbacks after. The highest altitude sees a request first.
type Row = (&'static str, u32, &'static [u32], &'static [u32]);

const TABLE: &[Row] = &[
    (
        "bindflt.sys",
        409_800,
        &[CREATE, SET_INFORMATION, DIRECTORY],
        &[CREATE],
    ),
    ("PROCMON24.SYS", 385_200, ALL, ALL),
    ("latefilt.sys", 371_020, &[CREATE], &[]),
    (
        "tmsflt.sys",
        328_765,
        &[CREATE, WRITE, SET_INFORMATION, CLEANUP, SECTION],
        &[CREATE],
    ),
    (
        "WdFilter.sys",
        328_010,
        &[CREATE, WRITE, SET_INFORMATION, CLEANUP],
        &[CREATE, WRITE, CLEANUP],
    ),
    (
        "acmebkp.sys",
        287_610,
        &[CREATE, WRITE, SET_INFORMATION],
        &[CREATE],
    ),
    ("luafv.sys", 135_000, &[CREATE, SET_INFORMATION], &[CREATE]),
    (
        "Wof.sys",
        40_700,
        &[CREATE, READ, QUERY_INFORMATION, FS_CONTROL],
        &[CREATE],
    ),
    ("fileinfo.sys", 40_500, &[CREATE, CLEANUP], &[CREATE]),
];

/// A filter is attached so long after its driver was loaded: 30 ms.
pub(super) const ATTACHED_AFTER: u64 = 300_000;

/// A filter of the machine.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) driver: Driver,
    pre: &'static [u32],
    post: &'static [u32],
    /// It sees pipes and the network as well as disks.
    everywhere: bool,
    /// It is attached to the system volume.
    on_system_volume: bool,
    /// FILETIME from which on it is attached.
    pub(super) since: u64,
}

impl Filter {
    /// Address of its callback before or after an operation. Some filters have one routine for all.
    pub(super) fn routine(&self, major: u32, post: bool) -> u64 {
        let one_for_all = self.driver.name().eq_ignore_ascii_case("fileinfo.sys");
        let slot = if one_for_all { 0 } else { u64::from(major) };
        self.driver
            .module
            .at(0x2000 + slot * 0x80 + u64::from(post) * 0x40)
    }

    pub(super) fn wants(&self, major: u32, post: bool) -> bool {
        // Nothing can be done after a close.
        if post && major == CLOSE {
            return false;
        }
        if post { self.post } else { self.pre }.contains(&major)
    }

    pub(super) fn sees(&self, path: &str, time: u64) -> bool {
        let disk = path.starts_with("\\Device\\HarddiskVolume");
        time >= self.since && (self.everywhere || disk && self.on_system_volume)
    }
}

/// The filters from the highest altitude down. Where nothing fails, third parties watch other volumes.
pub(super) fn filters(
    drivers: &[Driver],
    since: u64,
    late: Option<u64>,
    failing: bool,
) -> Vec<Filter> {
    let mut list = Vec::new();
    for (name, _, pre, post) in TABLE {
        let Some(driver) = drivers.iter().find(|d| d.name() == *name) else {
            continue;
        };
        let since = match (driver.late, late) {
            (false, _) => since,
            (true, Some(loaded)) => loaded + ATTACHED_AFTER,
            (true, None) => continue,
        };
        let others = ["tmsflt.sys", "acmebkp.sys", "latefilt.sys"];
        list.push(Filter {
            driver: driver.clone(),
            pre,
            post,
            everywhere: *name == "PROCMON24.SYS",
            on_system_volume: failing || !others.contains(name),
            since,
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_down() {
        assert!(TABLE.is_sorted_by(|a, b| a.1 > b.1));
    }
}
