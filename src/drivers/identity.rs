//! The drivers of a trace: third party or not, on what basis, and in what role.

use super::tables::{Candidate, altitude_candidates, is_builtin_observer, is_inbox};
use crate::trace::address_map::Range;
use crate::trace::path::{FilePath, file_name, split_volume, strip_prefix_no_case};
use crate::trace::{AddressMap, Filetime, KernelImage, TraceInfo};
use globset::GlobSet;
use serde::Serialize;
use std::sync::Arc;

/// What the answer to "third party?" rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The company in the version information of the image.
    Company,
    /// No company is known; the file name is one of Windows' own, below `\Windows\System32`.
    InboxName,
    /// Nothing is known that would make it Microsoft's.
    Unknown,
}

impl Basis {
    /// As in `findings.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::InboxName => "inbox-name",
            Self::Unknown => "unknown",
        }
    }
}

/// What a driver is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A part of the machine.
    Driver,
    /// A tracing tool's driver: on every stack, never to blame.
    Observer,
}

impl Role {
    /// As in `findings.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Observer => "observer",
        }
    }
}

/// A kernel image with its identity.
#[derive(Debug, Clone)]
pub struct Driver {
    /// File name, as `tmsflt.sys`.
    pub name: String,
    /// Path as traced.
    pub path: Arc<str>,
    /// Company; empty where the trace has none.
    pub company: Arc<str>,
    /// Description; empty where the trace has none.
    pub description: Arc<str>,
    /// File version; empty where the trace has none.
    pub version: Arc<str>,
    /// First address.
    pub base: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Load time, `None` where it was loaded before the trace.
    pub loaded: Option<Filetime>,
    /// Whether it is anyone's but Microsoft's.
    pub third_party: bool,
    /// What that rests on.
    pub basis: Basis,
    /// Driver or observer.
    pub role: Role,
}

impl Driver {
    /// Whether it may be flagged: third party, and no observer.
    pub fn is_suspect(&self) -> bool {
        self.third_party && self.role == Role::Driver
    }

    /// Altitudes that filters with this file name have been given. A file name is not unique, so
    /// this is a list of candidates.
    pub fn altitudes(&self) -> &'static [Candidate] {
        altitude_candidates(&self.name)
    }

    /// The candidates' altitudes, highest first, `; ` between them; empty where none is known.
    pub fn altitude_text(&self) -> String {
        distinct(self.altitudes().iter().filter_map(|found| found.altitude))
    }

    /// The candidates' load order groups, `; ` between them; empty where none is known.
    pub fn group_text(&self) -> String {
        distinct(self.altitudes().iter().map(|found| found.group))
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for text in texts {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join("; ")
}

/// Which drivers only watch: Procmon's, and what a rules file adds.
#[derive(Debug, Clone)]
pub struct Observers {
    /// Whether Procmon's own driver counts.
    pub builtin: bool,
    /// Globs on the file name.
    pub names: GlobSet,
}

impl Default for Observers {
    fn default() -> Self {
        Self {
            builtin: true,
            names: GlobSet::empty(),
        }
    }
}

impl Observers {
    fn role(&self, name: &str) -> Role {
        if (self.builtin && is_builtin_observer(name)) || self.names.is_match(name) {
            Role::Observer
        } else {
            Role::Driver
        }
    }
}

/// The drivers of a trace and the map from kernel addresses to them.
#[derive(Debug, Clone, Default)]
pub struct DriverList {
    /// In the order of [`TraceInfo::kernel_images`]: an image's position is its id in `map`.
    pub list: Vec<Driver>,
    /// From an address to a position in `list`.
    pub map: AddressMap,
    /// Highest user-mode address.
    pub highest_user: u64,
    /// Where drivers that may be flagged have ever been: most frames are none of theirs, and a look at
    /// this smaller map says so.
    suspects: AddressMap,
}

impl DriverList {
    /// The driver that owned an address at a time, if it is one that may be flagged.
    #[inline]
    pub fn suspect_at(&self, address: u64, time: Filetime) -> Option<u32> {
        if address <= self.highest_user {
            return None;
        }
        self.suspects.find(address, time)?;
        self.at(address, time)
            .filter(|image| self.list[*image as usize].is_suspect())
    }

    /// The driver that owned a kernel address at a time; `None` for a user address.
    #[inline]
    pub fn at(&self, address: u64, time: Filetime) -> Option<u32> {
        if address <= self.highest_user {
            return None;
        }
        self.map.find(address, time)
    }
}

/// Identifies the kernel images of a trace.
pub fn identify(info: &TraceInfo, observers: &Observers) -> DriverList {
    let root = info.machine.system_root.as_deref().unwrap_or("C:\\Windows");
    let list: Vec<Driver> = info
        .kernel_images
        .iter()
        .map(|image| identify_one(image, root, observers))
        .collect();
    let ranges: Vec<Range> = list
        .iter()
        .zip(0..)
        .map(|(driver, id)| Range {
            base: driver.base,
            size: driver.size,
            loaded: driver.loaded.unwrap_or_default(),
            id,
        })
        .collect();
    let suspects = ranges
        .iter()
        .filter(|range| list[range.id as usize].is_suspect());
    DriverList {
        suspects: AddressMap::new(suspects.copied()),
        map: AddressMap::new(ranges),
        list,
        highest_user: info.highest_user,
    }
}

fn identify_one(image: &KernelImage, system_root: &str, observers: &Observers) -> Driver {
    let module = &image.module;
    let name = file_name(&module.path).to_owned();
    let (third_party, basis) = if module.company.trim().is_empty() {
        if is_inbox(&name) && in_system32(&module.path, system_root) {
            (false, Basis::InboxName)
        } else {
            (true, Basis::Unknown)
        }
    } else {
        (is_third_party_company(&module.company), Basis::Company)
    };
    Driver {
        role: observers.role(&name),
        name,
        path: Arc::clone(&module.path),
        company: Arc::clone(&module.company),
        description: Arc::clone(&module.description),
        version: Arc::clone(&module.version),
        base: module.base,
        size: module.size,
        loaded: image.loaded,
        third_party,
        basis,
    }
}

/// Whether a company is known and is not Microsoft, whose name is a word of its own: not `Microsoftware`.
pub fn is_third_party_company(company: &str) -> bool {
    let company = company.trim().to_ascii_lowercase();
    let mut words = company.split(|c: char| !c.is_alphanumeric());
    !company.is_empty() && !words.any(|word| word == "microsoft")
}

/// Whether a path lies below `\Windows\System32`, or its 32-bit counterpart: System has both copies of `ntdll.dll`.
fn in_system32(path: &str, system_root: &str) -> bool {
    let below_root = match split_volume(path) {
        FilePath::InSystemRoot(rest) => Some(rest),
        FilePath::Absolute(rest) => match split_volume(system_root) {
            FilePath::Absolute(root) => strip_prefix_no_case(rest, root.trim_end_matches('\\')),
            _ => strip_prefix_no_case(rest, "\\Windows"),
        },
        // Boot drivers are sometimes named relative to the Windows folder.
        FilePath::Other(rest) => return strip_prefix_no_case(rest, "System32\\").is_some(),
    };
    below_root.is_some_and(|rest| {
        ["\\System32\\", "\\SysWOW64\\"]
            .iter()
            .any(|folder| strip_prefix_no_case(rest, folder).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Module;

    fn image(path: &str, company: &str) -> KernelImage {
        KernelImage {
            module: Module {
                base: 0xFFFF_8000_0000_0000,
                size: 0x1000,
                path: path.into(),
                version: "".into(),
                company: company.into(),
                description: "".into(),
                time_stamp: 0,
            },
            loaded: None,
        }
    }

    #[test]
    fn who_made_it() {
        let judge = |path, company| {
            let driver = identify_one(&image(path, company), "C:\\Windows", &Observers::default());
            (driver.third_party, driver.basis)
        };
        assert_eq!(
            judge("C:\\Windows\\System32\\drivers\\tmsflt.sys", "TMS Security"),
            (true, Basis::Company)
        );
        assert_eq!(
            judge(
                "C:\\Windows\\System32\\drivers\\ntfs.sys",
                "MICROSOFT Corporation"
            ),
            (false, Basis::Company)
        );
        assert_eq!(
            judge("\\SystemRoot\\System32\\drivers\\Ntfs.sys", " "),
            (false, Basis::InboxName)
        );
        // An in-box name outside System32, and a foreign company under an in-box name.
        assert_eq!(
            judge("C:\\ProgramData\\ntfs.sys", ""),
            (true, Basis::Unknown)
        );
        assert_eq!(
            judge("C:\\Windows\\System32\\drivers\\ntfs.sys", "Evil Ltd"),
            (true, Basis::Company)
        );
        assert_eq!(
            judge("C:\\Windows\\System32\\drivers\\xyzmon.sys", ""),
            (true, Basis::Unknown)
        );
        for microsoft in [
            "Microsoft",
            "\u{a9} Microsoft Corp.",
            "Microsoft\u{ae} Windows",
        ] {
            assert!(!is_third_party_company(microsoft), "{microsoft}");
        }
        for other in ["Micros0ft Corporation", "Microsoftware Inc.", "Macrosoft"] {
            assert!(is_third_party_company(other), "{other}");
        }
    }

    #[test]
    fn procmon_only_watches() {
        let procmon = image(
            "C:\\Windows\\System32\\Drivers\\PROCMON24.SYS",
            "Sysinternals - www.sysinternals.com",
        );
        let driver = identify_one(&procmon, "C:\\Windows", &Observers::default());
        assert_eq!(driver.role, Role::Observer);
        assert!(!driver.is_suspect());
    }
}
