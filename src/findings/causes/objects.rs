//! What operations work on: files and keys by one name, however a path is written.

use crate::findings::scope::TraceScope;
use crate::trace::path::{FilePath, file_name, push_normalised, split_registry, split_volume};
use crate::trace::{Class, Foreseen};
use std::collections::HashSet;

/// The hive of the driver database, below the Windows folder.
const HIVE: &str = "\\system32\\config\\drivers";

/// Names of objects of one trace.
#[derive(Debug, Clone)]
pub struct Naming {
    /// The Windows folder without its volume, in lower case: `\windows`.
    root: String,
}

impl Naming {
    /// Names for a trace whose Windows folder is `system_root`.
    pub fn new(system_root: Option<&str>) -> Self {
        let root = match split_volume(system_root.unwrap_or("\\Windows")) {
            FilePath::Absolute(root) => root.trim_end_matches('\\'),
            _ => "\\Windows",
        };
        Self {
            root: root.to_ascii_lowercase(),
        }
    }

    /// The name of a path: without its volume, in lower case, a key with the short name of its root. `None` where the
    /// path names nothing: it is empty, or starts at a folder that the event does not tell.
    pub fn name(&self, class: Class, path: &str) -> Option<String> {
        let mut out = String::with_capacity(path.len());
        match class {
            Class::Registry => {
                let (root, rest) = split_registry(path);
                out.push_str(root);
                out.push_str(rest);
            }
            _ => {
                push_normalised(path, &self.root, &mut out);
                if !out.starts_with('\\') {
                    return None;
                }
            }
        }
        out.truncate(out.trim_end_matches('\\').len());
        out.make_ascii_lowercase();
        (!out.is_empty()).then_some(out)
    }

    /// Whether a name is the hive of the driver database or one of its logs.
    pub fn is_hive_file(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&*self.root);
        let rest = rest.and_then(|rest| rest.strip_prefix(HIVE));
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(".log") || rest.starts_with('{')
        })
    }
}

/// Whether a name is a key of the hive of the driver database.
pub fn is_hive_key(name: &str) -> bool {
    name.strip_prefix("hklm\\drivers")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// The objects that are followed.
#[derive(Debug, Clone, Default)]
pub struct ObjectSet {
    names: HashSet<String>,
    /// Hashes of the last parts of the names: most events are none of these, and this says so at little cost.
    leaves: HashSet<u64>,
    /// Folders that are followed with all below them.
    folders: HashSet<String>,
    /// Whether the hive's files are followed.
    pub hive: bool,
}

/// Names that are followed at most.
const MOST: usize = 20_000;

impl ObjectSet {
    /// Whether nothing is followed.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.folders.is_empty() && !self.hive
    }

    /// Follows an object. Returns false where there are too many.
    pub fn add(&mut self, name: &str) -> bool {
        if self.names.contains(name) {
            return true;
        }
        if self.names.len() >= MOST {
            return false;
        }
        self.leaves.insert(leaf_hash(name));
        self.names.insert(name.to_owned());
        true
    }

    /// Follows what lies in a folder.
    pub fn add_folder(&mut self, name: &str) {
        if self.folders.len() < MOST {
            self.folders.insert(name.to_owned());
        }
    }

    /// Whether the object of this name is followed.
    pub fn holds(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether an operation on `path` is on something that is followed.
    pub fn takes(&self, naming: &Naming, class: Class, path: &str) -> bool {
        let files = class != Class::Registry;
        let leaf = file_name(path);
        let may_be_hive = || {
            let start = leaf.as_bytes().get(..7);
            start.is_some_and(|start| start.eq_ignore_ascii_case(b"drivers"))
        };
        let hive = files && self.hive && may_be_hive();
        let folders = files && !self.folders.is_empty();
        let known = self.leaves.contains(&leaf_hash(path));
        if !known && !hive && !folders {
            return false;
        }
        let Some(name) = naming.name(class, path) else {
            return false;
        };
        (known && self.names.contains(&name))
            || (hive && naming.is_hive_file(&name))
            || (folders && self.in_folder(&name))
    }

    /// How far what is followed lies in scope, which is what traces are opened for.
    pub fn foreseen(&self, naming: &Naming, scope: TraceScope<'_>) -> Foreseen {
        let hive = || {
            [
                HIVE.to_owned(),
                format!("{HIVE}.log1"),
                format!("{HIVE}{{x}}.tm.blf"),
            ]
        };
        let is_file = |name: &str| name.starts_with('\\');
        let mut files = self.names.iter().filter(|name| is_file(name));
        let mut keys = self.names.iter().filter(|name| !is_file(name));
        let in_scope = files.all(|name| scope.file(name))
            // A scope that holds a folder by name may not hold what is in it.
            && self.folders.is_empty()
            && (!self.hive || hive().iter().all(|file| scope.file(&format!("{}{file}", naming.root))));
        match in_scope {
            false => Foreseen::Nothing,
            true if keys.all(|name| scope.key(name)) => Foreseen::FilesAndKeys,
            true => Foreseen::Files,
        }
    }

    fn in_folder(&self, name: &str) -> bool {
        let ends = name.bytes().enumerate().filter(|(_, byte)| *byte == b'\\');
        ends.filter_map(|(end, _)| name.get(..end))
            .any(|folder| self.folders.contains(folder))
    }
}

/// FNV-1a of what follows the last `\`, in lower case.
fn leaf_hash(path: &str) -> u64 {
    let leaf = file_name(path.trim_end_matches('\\'));
    leaf.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_all_spellings() {
        let naming = Naming::new(Some("C:\\WINDOWS"));
        for path in [
            "C:\\Windows\\INF\\A.inf",
            "\\SystemRoot\\inf\\a.inf",
            "\\??\\c:\\windows\\INF\\a.INF\\",
            "\\Device\\HarddiskVolume3\\Windows\\INF\\a.inf",
        ] {
            let name = naming.name(Class::FileSystem, path);
            assert_eq!(name.as_deref(), Some("\\windows\\inf\\a.inf"), "{path}");
        }
        let key = naming.name(Class::Registry, "\\REGISTRY\\MACHINE\\DRIVERS\\X");
        assert_eq!(key.as_deref(), Some("hklm\\drivers\\x"));
        assert!(is_hive_key("hklm\\drivers") && !is_hive_key("hklm\\driversx"));
        for path in ["", "C:", "a.inf", "\\\\server\\share\\a"] {
            let name = naming.name(Class::FileSystem, path);
            assert!(name.is_none() || path.starts_with("\\\\"), "{path}");
        }
    }

    #[test]
    fn in_scope_or_not() {
        let naming = Naming::new(None);
        let scope = crate::findings::scope::Scope::default();
        let foreseen = |set: &ObjectSet| set.foreseen(&naming, scope.on(None));
        let mut set = ObjectSet::default();
        set.add("\\windows\\inf\\a.inf");
        set.add("hklm\\drivers\\x");
        set.hive = true;
        assert_eq!(foreseen(&set), Foreseen::FilesAndKeys);
        set.add("hklm\\software\\x");
        assert_eq!(foreseen(&set), Foreseen::Files);
        let elsewhere = set.foreseen(&naming, scope.on(Some("C:\\WINNT")));
        assert_eq!(elsewhere, Foreseen::Nothing);
        let mut folder = set.clone();
        folder.add_folder("\\windows\\inf\\x");
        assert_eq!(foreseen(&folder), Foreseen::Nothing);
        set.add("\\windows\\winsxs\\a.inf");
        assert_eq!(foreseen(&set), Foreseen::Nothing);
    }

    #[test]
    fn only_what_is_followed_is_taken() {
        let naming = Naming::new(None);
        let mut set = ObjectSet::default();
        assert!(set.is_empty());
        set.add("\\windows\\inf\\a.inf");
        set.add("hklm\\drivers");
        set.add_folder("\\windows\\x");
        let takes = |set: &ObjectSet, path: &str| set.takes(&naming, Class::FileSystem, path);
        assert!(takes(&set, "D:\\WINDOWS\\inf\\A.INF"));
        assert!(takes(&set, "C:\\Windows\\X\\y\\z"));
        assert!(!takes(&set, "C:\\Windows\\X"));
        assert!(!takes(&set, "C:\\Windows\\a.inf"));
        assert!(set.takes(&naming, Class::Registry, "HKLM\\DRIVERS"));
        assert!(!takes(&set, "C:\\Windows\\System32\\config\\DRIVERS.LOG1"));
        set.hive = true;
        for name in ["DRIVERS", "DRIVERS.LOG1", "drivers{1-2}.TM.blf"] {
            let path = format!("C:\\Windows\\System32\\config\\{name}");
            assert!(takes(&set, &path), "{name}");
        }
        assert!(!takes(&set, "C:\\Windows\\System32\\config\\DRIVERSX"));
        assert!(!takes(&set, "C:\\Windows\\System32\\drivers"));
    }
}
