//! Drivers of tracing tools.

use super::name::{cmp_ignore_case, strip_prefix_ignore_case};
use std::cmp::Ordering;

/// Whether the file is Process Monitor's own driver, `PROCMON*.SYS`: its name carries the generation of the driver.
/// It lies in the path of every operation it records, so it is never a suspect.
pub fn is_builtin_observer(file_name: &str) -> bool {
    let Some(rest) = strip_prefix_ignore_case(file_name, "procmon") else {
        return false;
    };
    rest.len()
        .checked_sub(4)
        .and_then(|at| rest.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(".sys"))
}

/// Drivers that watch too, but stay suspects: some keep files open or can be renamed, and a rules file can name them.
const NOTES: [(&str, &str); 7] = [
    ("dbgv.sys", "Sysinternals DebugView"),
    ("dtrace.sys", "DTrace on Windows"),
    ("fdrtrace.sys", "Microsoft tracing filter"),
    ("filetrace.sys", "Windows file trace filter"),
    ("minispy.sys", "WDK sample that logs file operations"),
    (
        "sysmondrv.sys",
        "Sysinternals Sysmon, which can archive deleted files and so keep them open",
    ),
    ("traceext.sys", "trace extension of DTrace on Windows"),
];

/// What a report may say about a driver known to watch: information only, see [`is_builtin_observer`].
pub fn observer_note(file_name: &str) -> Option<&'static str> {
    NOTES
        .iter()
        .find(|row| cmp_ignore_case(row.0, file_name) == Ordering::Equal)
        .map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_of_procmon() {
        for name in [
            "PROCMON24.SYS",
            "procmon23.sys",
            "Procmon11.sys",
            "procmon.sys",
        ] {
            assert!(is_builtin_observer(name), "{name}");
        }
    }

    #[test]
    fn nothing_else() {
        for name in [
            "SysmonDrv.sys",
            "procmon24.exe",
            "procmon",
            "procmonsys",
            "xprocmon24.sys",
            "procmon\u{e9}sys",
            "",
        ] {
            assert!(!is_builtin_observer(name), "{name}");
        }
    }

    #[test]
    fn notes_do_not_clear_a_driver() {
        assert!(observer_note("SysmonDrv.SYS").is_some());
        assert!(!is_builtin_observer("SysmonDrv.SYS"));
        assert_eq!(observer_note("ntfs.sys"), None);
    }
}
