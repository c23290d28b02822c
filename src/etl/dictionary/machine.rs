//! The traced machine, as the trace describes it.

use crate::etl::header::TraceHeader;
use crate::etl::kernel::config::{ConfigEvent, OsVersion};
use crate::etl::kernel::merged::SystemRecord;
use crate::trace::Machine;
use crate::trace::model::windows_name;

/// What is found on the way.
#[derive(Debug, Default, Clone)]
pub struct MachineFacts {
    name: Option<String>,
    product: Option<String>,
    version: Option<OsVersion>,
    windows: Option<String>,
    processors: Option<u32>,
    memory_mb: Option<u32>,
    highest_user: Option<u64>,
    letters: Vec<char>,
}

impl MachineFacts {
    /// Adds what a configuration record says.
    pub fn add_config(&mut self, event: &ConfigEvent<'_>) {
        match event {
            ConfigEvent::Computer(computer) => {
                let name = computer.name.to_string();
                self.name = self.name.take().or((!name.is_empty()).then_some(name));
                self.processors = Some(computer.processors).filter(|count| *count > 0);
                self.memory_mb = Some(computer.memory_mb).filter(|size| *size > 0);
                let highest = computer.architecture.map(|a| a.highest_user_address);
                self.highest_user = highest.filter(|address| *address > 0);
            }
            ConfigEvent::LogicalDisk(disk) => {
                let letter = disk.letter.to_string().chars().next();
                self.letters
                    .extend(letter.filter(|c| c.is_ascii_alphabetic() && self.letters.len() < 26));
            }
            ConfigEvent::DeviceFamily(family) => self.version = Some(family.version),
            _ => {}
        }
    }

    /// Adds what a record of a merge says.
    pub fn add_system(&mut self, fact: &SystemRecord<'_>) {
        match fact {
            SystemRecord::Build(build) => self.product = Some(build.product.to_string()),
            SystemRecord::Paths(paths) => {
                let windows = paths.windows.to_string();
                self.windows = Some(windows.trim_end_matches('\\').to_owned());
            }
            SystemRecord::DeviceFamily(family) => self.version = Some(family.version),
            _ => {}
        }
    }

    /// Adds what was found elsewhere; what was known stays.
    pub fn merge(&mut self, other: Self) {
        self.name = self.name.take().or(other.name);
        self.product = self.product.take().or(other.product);
        self.version = self.version.or(other.version);
        self.windows = self.windows.take().or(other.windows);
        self.processors = self.processors.or(other.processors);
        self.memory_mb = self.memory_mb.or(other.memory_mb);
        self.highest_user = self.highest_user.or(other.highest_user);
        self.letters.extend(other.letters);
    }

    /// Letter of the system drive: that of the Windows folder, else C, else the only one there is.
    pub fn system_letter(&self) -> char {
        let named = self.windows.as_ref().and_then(|path| path.chars().next());
        let named = named.filter(char::is_ascii_alphabetic);
        named.unwrap_or_else(|| match self.letters.as_slice() {
            letters if letters.is_empty() || letters.contains(&'C') => 'C',
            [first, ..] => *first,
            [] => 'C',
        })
    }

    /// Highest user-mode address.
    pub fn highest_user(&self, wide: bool) -> u64 {
        // Without the record: half of what a pointer reaches.
        let usual = if wide { 0x7FFF_FFFF_FFFF } else { 0x7FFF_FFFF };
        self.highest_user.unwrap_or(usual)
    }

    /// The machine, with what the header says of it.
    pub fn machine(&self, header: &TraceHeader) -> Machine {
        let mut machine = header.machine();
        let (major, minor) = header.os;
        let name = windows_name(
            (u32::from(major), u32::from(minor), header.build),
            false,
            "",
        );
        machine.os = Some(match (&self.product, self.version) {
            (Some(product), _) if !product.is_empty() => {
                let number = name.rfind('(').map_or("", |at| &name[at..]);
                format!("{product} {number}").trim_end().to_owned()
            }
            _ => name,
        });
        machine.name = self.name.clone();
        machine.system_root = self.windows.clone().filter(|path| !path.is_empty());
        machine.processors = self.processors.or(machine.processors);
        machine.ram_bytes = self.memory_mb.map(|mb| u64::from(mb) << 20);
        machine
    }
}
