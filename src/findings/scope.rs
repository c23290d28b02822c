//! Which paths count: the driver store, or what a rules file says.

use crate::etl::Foresee;
use crate::servicing::is_servicing_process;
use crate::trace::path::{
    FilePath, file_name, split_registry, split_volume, starts_with_no_case, strip_prefix_no_case,
};
use crate::trace::{Class, Process, SYSTEM, ServicingLog};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Folders below the Windows folder whose files count, with the folder itself.
const FOLDERS: [&str; 4] = [
    "\\System32\\DriverStore",
    "\\System32\\drivers",
    "\\INF",
    "\\System32\\CatRoot",
];
/// The folder of the hives.
const CONFIG: &str = "\\System32\\config\\";
/// The hive of the driver database; its logs and transaction files count as well.
const HIVE: &str = "DRIVERS";
/// Registry keys that count, with what lies below them.
const KEYS: [&str; 2] = ["HKLM\\SYSTEM\\DriverDatabase", "HKLM\\DRIVERS"];

/// The paths that count as driver-store paths.
#[derive(Debug, Clone)]
pub struct Scope {
    builtin_files: bool,
    builtin_keys: bool,
    files: PathGlobs,
    keys: PathGlobs,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            builtin_files: true,
            builtin_keys: true,
            files: PathGlobs::default(),
            keys: PathGlobs::default(),
        }
    }
}

/// Globs on normalised paths.
#[derive(Debug, Clone, Default)]
struct PathGlobs {
    set: GlobSet,
    everything: bool,
}

impl PathGlobs {
    fn new(patterns: &[String]) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(path_glob(pattern)?);
            // The key or folder itself belongs to what is named by `key\**`.
            if let Some(itself) = pattern.strip_suffix("\\**") {
                set.add(path_glob(itself)?);
            }
        }
        Ok(Self {
            set: set.build()?,
            everything: patterns.iter().any(|pattern| pattern == "**"),
        })
    }

    fn is_match(&self, parts: &[&str]) -> bool {
        if self.everything {
            return true;
        }
        if self.set.is_empty() {
            return false;
        }
        let mut path = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            path.extend(part.chars().map(|c| if c == '\\' { '/' } else { c }));
        }
        self.set.is_match(&path)
    }
}

/// A glob on a path with `\` between its parts: `*` stays inside a part, `**` does not, case is ignored.
fn path_glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(&pattern.replace('\\', "/"))
        .case_insensitive(true)
        .literal_separator(true)
        .backslash_escape(false)
        .build()
}

impl Scope {
    /// The built-in lists with more patterns, or (`extend` false) with a list replaced where patterns for it are given.
    ///
    /// # Errors
    /// When a pattern is no glob.
    pub fn new(
        extend: bool,
        files: Option<&[String]>,
        keys: Option<&[String]>,
    ) -> Result<Self, globset::Error> {
        Ok(Self {
            builtin_files: extend || files.is_none(),
            builtin_keys: extend || keys.is_none(),
            files: PathGlobs::new(files.unwrap_or(&[]))?,
            keys: PathGlobs::new(keys.unwrap_or(&[]))?,
        })
    }

    /// Whether a file path may count in some trace, whatever its Windows folder is.
    pub fn any_file(&self, path: &str) -> bool {
        let mut folders = path.bytes().enumerate().filter(|(_, byte)| *byte == b'\\');
        self.files.everything
            || !self.files.set.is_empty()
            || self.builtin_files && folders.any(|(at, _)| in_driver_store(&path[at..]))
    }

    /// The scope on the paths of a trace whose Windows folder is `system_root`.
    pub fn on<'a>(&'a self, system_root: Option<&'a str>) -> TraceScope<'a> {
        let root = match split_volume(system_root.unwrap_or("\\Windows")) {
            FilePath::Absolute(root) => root.trim_end_matches('\\'),
            _ => "\\Windows",
        };
        TraceScope { scope: self, root }
    }
}

/// A [`Scope`] for the paths of one trace.
#[derive(Debug, Clone, Copy)]
pub struct TraceScope<'a> {
    scope: &'a Scope,
    root: &'a str,
}

impl TraceScope<'_> {
    /// The classes of events that may count.
    pub const CLASSES: [Class; 3] = [Class::FileSystem, Class::Registry, Class::Minifilter];

    /// Whether an operation of this class with this path and target path counts.
    #[inline]
    pub fn takes(&self, class: Class, path: &str, target: &str) -> bool {
        match class {
            Class::FileSystem | Class::Minifilter => {
                self.file(path) || (!target.is_empty() && self.file(target))
            }
            // The target of a registry operation is a key (rename) or a hive file (load).
            Class::Registry => {
                self.key(path) || (!target.is_empty() && (self.key(target) || self.file(target)))
            }
            _ => false,
        }
    }

    /// Whether a file path counts.
    pub fn file(&self, path: &str) -> bool {
        let split = split_volume(path);
        let below = match split {
            FilePath::InSystemRoot(rest) => Some(rest),
            FilePath::Absolute(rest) => strip_prefix_no_case(rest, self.root)
                .filter(|rest| rest.is_empty() || rest.starts_with('\\')),
            FilePath::Other(_) => None,
        };
        if self.scope.builtin_files && below.is_some_and(in_driver_store) {
            return true;
        }
        match split {
            FilePath::Absolute(rest) | FilePath::Other(rest) => {
                self.scope.files.is_match(&[rest])
                    // A rules file writes \Windows whatever the folder is called on this machine.
                    || below.is_some_and(|below| {
                        !self.root.eq_ignore_ascii_case("\\Windows")
                            && self.scope.files.is_match(&["\\Windows", below])
                    })
            }
            FilePath::InSystemRoot(rest) => {
                self.scope.files.is_match(&[self.root, rest])
                    || self.scope.files.is_match(&["\\Windows", rest])
            }
        }
    }

    /// Whether a registry path counts.
    pub fn key(&self, path: &str) -> bool {
        let (root, rest) = split_registry(path);
        if self.scope.builtin_keys && KEYS.iter().any(|key| key_holds(key, root, rest)) {
            return true;
        }
        self.scope.keys.is_match(&[root, rest])
    }

    /// Whether a registry path counts, or may with something behind it.
    pub fn key_or_below(&self, path: &str) -> bool {
        let (root, rest) = split_registry(path);
        // A key that is named by its end alone may be any.
        let unknown = root.is_empty() && !starts_with_no_case(rest, "HK");
        // A part of a path at its end need not be a whole name.
        let leads_to = |key: &&str| {
            let tail = match starts_with_no_case(key, root) {
                true => &key[root.len()..],
                false => return false,
            };
            starts_with_no_case(tail, rest.trim_end_matches('\\'))
        };
        unknown
            || !self.scope.keys.set.is_empty()
            || self.scope.keys.everything
            || self.scope.builtin_keys
                && (KEYS.iter().any(|key| key_holds(key, root, rest)) || KEYS.iter().any(leads_to))
    }
}

/// What an analysis or an export of driver-store events may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The paths that count.
    pub scope: &'a Scope,
    /// Whether stacks are wanted with their frames in user mode.
    pub user_frames: bool,
}

impl Foresee for Asked<'_> {
    /// What counts, the logs of servicing, and INF files wherever they lie: who works on one is looked for.
    fn file(&self, root: Option<&str>, path: &str) -> bool {
        self.scope.on(root).file(path)
            || ServicingLog::of_path(path).is_some()
            || names_an_inf(path)
    }

    fn any_file(&self, path: &str) -> bool {
        self.scope.any_file(path) || ServicingLog::of_path(path).is_some() || names_an_inf(path)
    }

    fn key(&self, path: &str) -> bool {
        self.scope.on(None).key_or_below(path) || names_an_inf(path)
    }

    fn user_frames(&self) -> bool {
        self.user_frames
    }

    fn process(&self, process: &Process) -> bool {
        is_servicing_process(&process.name) || process.pid == SYSTEM
    }
}

/// Whether a path has the name of some INF file in it.
fn names_an_inf(path: &str) -> bool {
    let dots = path.bytes().enumerate().filter(|(_, byte)| *byte == b'.');
    let mut endings = dots.filter_map(|(at, _)| path.get(at..at + 4));
    endings.any(|ending| ending.eq_ignore_ascii_case(".inf"))
}

/// Whether `rest`, a path below the Windows folder, lies in the driver store.
fn in_driver_store(rest: &str) -> bool {
    if FOLDERS.iter().any(|folder| is_or_below(rest, folder)) {
        return true;
    }
    strip_prefix_no_case(rest, CONFIG).is_some_and(is_hive)
}

/// Whether a path is the hive of the driver database, a log or a transaction file of it, in whatever Windows folder.
pub(super) fn is_driver_hive(path: &str) -> bool {
    path.rsplit_once('\\').is_some_and(|(folder, file)| {
        file_name(folder).eq_ignore_ascii_case("config") && is_hive(file)
    })
}

fn is_hive(file: &str) -> bool {
    match strip_prefix_no_case(file, HIVE) {
        Some("") => true,
        Some(companion) => {
            let name = companion.split('\\').next().unwrap_or(companion);
            let lower = name.to_ascii_lowercase();
            lower.starts_with(".log")
                || (lower.starts_with(['{', '.']) && lower.ends_with(".regtrans-ms"))
                || (lower.starts_with('{') && lower.ends_with("}.tm.blf"))
        }
        None => false,
    }
}

fn is_or_below(path: &str, folder: &str) -> bool {
    strip_prefix_no_case(path, folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

fn key_holds(key: &str, root: &str, rest: &str) -> bool {
    let below = match root {
        "" => strip_prefix_no_case(rest, key),
        _ if starts_with_no_case(key, root) => strip_prefix_no_case(rest, &key[root.len()..]),
        _ => None,
    };
    below.is_some_and(|below| below.is_empty() || below.starts_with('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_hive_is_known_in_whatever_windows_folder() {
        for path in [
            "C:\\Windows\\System32\\config\\DRIVERS",
            "\\Device\\HarddiskVolume3\\WINNT\\system32\\Config\\drivers.LOG1",
        ] {
            assert!(is_driver_hive(path), "{path}");
        }
        for path in [
            "C:\\Windows\\System32\\config\\SYSTEM",
            "C:\\Windows\\System32\\config\\drivers.txt",
            "C:\\Temp\\DRIVERS.LOG1",
            "DRIVERS",
        ] {
            assert!(!is_driver_hive(path), "{path}");
        }
    }

    #[test]
    fn the_driver_store_in_all_its_spellings() {
        let scope = Scope::default();
        let scope = scope.on(Some("C:\\WINDOWS"));
        for path in [
            "C:\\Windows\\System32\\DriverStore\\FileRepository\\oposdrv.inf_amd64_1\\oposdrv.inf",
            "c:\\windows\\system32\\driverstore",
            "C:\\Windows\\INF\\",
            "\\Device\\HarddiskVolume2\\Windows\\INF\\oem1.inf",
            "\\SystemRoot\\System32\\drivers\\x.sys",
            "%SystemRoot%\\inf\\x.inf",
            "\\??\\D:\\Windows\\System32\\CatRoot\\{F750E6C3}\\x.cat",
            "C:\\Windows\\System32\\config\\DRIVERS",
            "C:\\Windows\\System32\\config\\drivers.LOG1",
            "C:\\Windows\\System32\\config\\DRIVERS{a}.TM.blf",
            "C:\\Windows\\System32\\config\\DRIVERS.regtrans-ms",
            "C:\\Windows\\System32\\config\\DRIVERS{a}.TMContainer00000000000000000001.regtrans-ms",
        ] {
            assert!(scope.file(path), "{path}");
        }
        for path in [
            "",
            "C:\\Windows\\System32\\CatRoot2\\edb.log",
            "C:\\Windows\\INFX",
            "C:\\Windows.old\\INF\\x.inf",
            "C:\\Windows\\System32\\config\\DRIVERSX",
            "C:\\Windows\\System32\\config\\SYSTEM",
            "C:\\Data\\Windows\\INF\\x.inf",
            "\\\\server\\Windows\\INF",
        ] {
            assert!(!scope.file(path), "{path}");
        }
        for path in [
            "HKLM\\System\\DriverDatabase",
            "HKLM\\DRIVERS\\DriverDatabase\\Version",
            "\\REGISTRY\\MACHINE\\DRIVERS",
            "\\Registry\\Machine\\System\\DriverDatabase\\DeviceIds",
        ] {
            assert!(scope.key(path), "{path}");
        }
        for path in [
            "HKLM\\SYSTEM",
            "HKLM\\DRIVERSX",
            "HKCU\\DRIVERS",
            "",
            "HKLM",
        ] {
            assert!(!scope.key(path), "{path}");
        }
    }

    #[test]
    fn what_may_lead_to_a_key_in_scope() {
        let scope = Scope::default();
        let scope = scope.on(None);
        for path in [
            "HKLM",
            "HKLM\\SYSTEM",
            "hklm\\system\\driverdatabase",
            "\\REGISTRY\\MACHINE\\DRIVERS\\DriverDatabase\\Version",
            "HKLM\\DRIV",
            "",
            "Version",
        ] {
            assert!(scope.key_or_below(path), "{path}");
        }
        for path in [
            "HKCU",
            "HKLM\\SOFTWARE",
            "HKLM\\SYSTEM\\Select",
            "HKLM\\DRIVERSX",
        ] {
            assert!(!scope.key_or_below(path), "{path}");
        }
        let keys = ["HKCU\\Software\\**".to_owned()];
        let more = Scope::new(true, None, Some(&keys)).unwrap();
        assert!(more.on(None).key_or_below("HKLM\\SOFTWARE"));
    }

    #[test]
    fn the_windows_folder_is_the_traces_own() {
        let scope = Scope::default();
        let nt = scope.on(Some("D:\\WINNT"));
        assert!(nt.file("D:\\WINNT\\INF\\x.inf"));
        assert!(nt.file("\\SystemRoot\\INF\\x.inf"));
        assert!(!nt.file("D:\\Windows\\INF\\x.inf"));
        let rules = Scope::new(true, Some(&["\\Windows\\Temp\\**".into()]), None).unwrap();
        assert!(rules.on(Some("D:\\WINNT")).file("D:\\WINNT\\Temp\\a"));
    }

    #[test]
    fn rules_extend_or_replace() {
        let files = ["\\Windows\\System32\\spool\\**".to_owned()];
        let keys = ["HKLM\\SYSTEM\\*\\Services\\**".to_owned()];
        let more = Scope::new(true, Some(&files), Some(&keys)).unwrap();
        let more = more.on(None);
        assert!(more.file("C:\\Windows\\System32\\spool\\drivers\\x"));
        assert!(more.file("C:\\windows\\system32\\SPOOL"));
        assert!(more.file("C:\\Windows\\INF\\x.inf"));
        assert!(more.key("\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\x\\Start"));
        assert!(more.key("HKLM\\System\\CurrentControlSet\\Services"));
        assert!(!more.key("HKLM\\System\\a\\b\\Services\\x"));
        let only = Scope::new(false, Some(&files), None).unwrap();
        let only = only.on(None);
        assert!(!only.file("C:\\Windows\\INF\\x.inf"));
        assert!(only.key("HKLM\\DRIVERS"));
        let all = Scope::new(true, Some(&["**".to_owned()]), None).unwrap();
        let all = all.on(None);
        assert!(all.takes(Class::FileSystem, "", ""));
        assert!(!all.takes(Class::Registry, "HKCU", ""));
        assert!(!all.takes(Class::Process, "", ""));
    }

    #[test]
    fn a_target_in_scope_counts() {
        let scope = Scope::default();
        let scope = scope.on(None);
        assert!(scope.takes(
            Class::FileSystem,
            "C:\\Windows\\WinSxS\\x\\oposdrv.dll",
            "C:\\Windows\\System32\\DriverStore\\FileRepository\\x\\oposdrv.dll"
        ));
    }
}
