//! Driver file names of Microsoft.

use super::inbox_names::NAMES;
use super::name::{cmp_ignore_case, strip_prefix_ignore_case};

/// Prefixes of the copies Windows makes of the boot disk's stack for crash dumps and hibernation. No file of that
/// name exists, so a trace never knows their company.
const COPIES: [&str; 2] = ["dump_", "hiber_"];

/// Whether a kernel image of this file name comes from Microsoft.
///
/// Only the name is judged: ask where the trace knows no company, and only for an image below
/// `\Windows\System32\`.
pub fn is_inbox(file_name: &str) -> bool {
    let original = COPIES
        .iter()
        .find_map(|prefix| strip_prefix_ignore_case(file_name, prefix));
    is_listed(file_name) || original.is_some_and(is_listed)
}

fn is_listed(file_name: &str) -> bool {
    NAMES
        .binary_search_by(|name| cmp_ignore_case(name, file_name))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::altitudes::altitude_candidates;
    use super::*;

    #[test]
    fn names_of_microsoft() {
        for name in [
            "WDFILTER.SYS",
            "ntoskrnl.exe",
            "hal.dll",
            "Ntfs.sys",
            "fltMgr.sys",
            "tcpip.sys",
            "Wdf01000.sys",
            "win32kfull.sys",
            "mcupdate_GenuineIntel.dll",
            "Microsoft.Uev.AgentDriver.sys",
            "bfs.sys",
            "mrxsmb20.sys",
        ] {
            assert!(is_inbox(name), "{name}");
        }
    }

    #[test]
    fn names_of_others() {
        for name in [
            "tmsflt.sys",
            "PROCMON24.SYS",
            "SysmonDrv.sys",
            "minispy.sys",
            "scanner.sys",
            "iaStorAC.sys",
            "CSAgent.sys",
            "ntfs.sys.bak",
            "ntfs",
            "",
        ] {
            assert!(!is_inbox(name), "{name}");
        }
    }

    #[test]
    fn crash_dump_copies_are_as_their_original() {
        assert!(is_inbox("dump_storahci.sys"));
        assert!(is_inbox("Dump_diskdump.sys"));
        assert!(is_inbox("dump_dumpfve.sys"));
        assert!(is_inbox("hiber_stornvme.sys"));
        assert!(!is_inbox("dump_iaStorAC.sys"));
        assert!(!is_inbox("dump_"));
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_complete() {
        assert!(NAMES.is_sorted_by(|a, b| a < b));
        for name in NAMES {
            assert!(
                !name.bytes().any(|byte| byte.is_ascii_uppercase()),
                "{name}"
            );
            let image = [".sys", ".dll", ".exe"]
                .iter()
                .any(|end| name.ends_with(end));
            assert!(
                image && name.is_ascii() && !name.contains(['\\', ' ']),
                "{name}"
            );
        }
        assert!(NAMES.len() > 550);
    }

    #[test]
    fn no_vendor_has_an_altitude_under_an_in_box_name() {
        for name in NAMES {
            for candidate in altitude_candidates(name) {
                assert!(candidate.microsoft, "{name} {candidate:?}");
            }
        }
    }
}
