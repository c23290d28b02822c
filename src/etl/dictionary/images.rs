//! Images: drivers and what processes have mapped, over time.

use super::texts::{TextId, Texts};
use super::versions::Versions;
use super::volumes::Volumes;
use crate::trace::path::file_name;
use crate::trace::{Filetime, KernelImage, Module};
use std::collections::HashMap;
use std::sync::Arc;

/// What a row says of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// It is mapped.
    There,
    /// It is being mapped.
    Load,
    /// It is being unmapped.
    Unload,
}

/// A row of an image.
#[derive(Debug, Clone, Copy)]
pub struct ImageRow {
    /// When.
    pub time: Filetime,
    /// What it says.
    pub presence: Presence,
    /// Process; 0 for drivers.
    pub pid: u32,
    /// First address.
    pub base: u64,
    /// Bytes of address space.
    pub size: u64,
    /// Link time in the PE header, seconds since 1970; 0 where the row does not say.
    pub time_stamp: u32,
    /// Path as traced.
    pub path: TextId,
}

/// Images that a process and the kernel had, with version information.
#[derive(Debug, Default)]
pub struct Images {
    rows: Vec<ImageRow>,
}

/// Rows that are kept. A boot trace has some 50,000.
const MOST: usize = 8_000_000;

impl Images {
    /// Adds a row.
    pub fn add(&mut self, row: ImageRow) {
        if self.rows.len() < MOST {
            self.rows.push(row);
        }
    }

    /// All rows.
    pub fn rows(&self) -> &[ImageRow] {
        &self.rows
    }

    /// The kernel's images: those of process 0, and whatever lies above the highest user address. System maps
    /// `ntdll.dll` as any process does: that is no kernel image.
    pub fn kernel(
        &self,
        texts: &Texts,
        versions: &Versions,
        volumes: &Volumes,
        highest_user: u64,
    ) -> Vec<KernelImage> {
        let mut rows: Vec<&ImageRow> = self
            .rows
            .iter()
            .filter(|row| row.pid == 0 || row.base > highest_user)
            .collect();
        // What was there from the start comes first, then what was loaded, by time.
        rows.sort_by_key(|row| (row.time, row.presence));
        let mut out: Vec<KernelImage> = Vec::new();
        let mut known: HashMap<(u64, TextId), usize> = HashMap::new();
        let mut latest: HashMap<u64, usize> = HashMap::new();
        for row in &rows {
            let place = (row.base, row.path);
            let loaded = (row.presence == Presence::Load).then_some(row.time);
            // It may come back to where another one has been since: the address is its own again from then on.
            let back = |at: usize| loaded.is_some() && latest.get(&row.base) != Some(&at);
            match known.get(&place).filter(|at| !back(**at)) {
                // The fullest row says the link time: that of an unload does not.
                Some(at) => {
                    let image = &mut out[*at];
                    if image.module.time_stamp == 0 && row.time_stamp != 0 {
                        image.module = module(row, texts, versions, volumes);
                    }
                }
                None => {
                    known.insert(place, out.len());
                    latest.insert(row.base, out.len());
                    out.push(KernelImage {
                        module: module(row, texts, versions, volumes),
                        loaded,
                    });
                }
            }
        }
        out
    }

    /// The images of user processes: for each row the process that had it, by `process_of` (pid and time).
    pub fn of_processes(
        &self,
        texts: &Texts,
        versions: &Versions,
        volumes: &Volumes,
        highest_user: u64,
        process_of: impl Fn(u32, Filetime) -> Option<u32>,
    ) -> HashMap<u32, Vec<Module>> {
        let mut out: HashMap<u32, Vec<Module>> = HashMap::new();
        let mut known: HashMap<(u32, u64, TextId), ()> = HashMap::new();
        let user = |row: &&ImageRow| row.pid != 0 && row.base <= highest_user;
        for row in self.rows.iter().filter(user) {
            let Some(process) = process_of(row.pid, row.time) else {
                continue;
            };
            if known.insert((process, row.base, row.path), ()).is_none() {
                out.entry(process)
                    .or_default()
                    .push(module(row, texts, versions, volumes));
            }
        }
        out
    }
}

fn module(row: &ImageRow, texts: &Texts, versions: &Versions, volumes: &Volumes) -> Module {
    let traced = texts.get(row.path);
    let mut path = String::with_capacity(traced.len());
    volumes.push(traced, &mut path);
    let version = versions.of(
        row.pid,
        row.base,
        row.size,
        row.time_stamp,
        file_name(traced),
    );
    let text = |take: fn(&super::versions::FileVersion) -> &Arc<str>| {
        version.map_or_else(|| Arc::from(""), |version| Arc::clone(take(version)))
    };
    Module {
        base: row.base,
        size: row.size,
        path: path.into(),
        version: text(|version| &version.version),
        company: text(|version| &version.company),
        description: text(|version| &version.description),
        time_stamp: match row.time_stamp {
            0 => versions.time_stamp(row.pid, row.base).unwrap_or(0),
            known => known,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_listed_once_a_place() {
        let mut texts = Texts::default();
        let path = texts
            .number("\\SystemRoot\\System32\\drivers\\a.sys")
            .unwrap();
        let ntdll = texts
            .number("\\Device\\HarddiskVolume2\\Windows\\System32\\ntdll.dll")
            .unwrap();
        let mut images = Images::default();
        let row = |time, presence, pid, base, time_stamp, path| ImageRow {
            time: Filetime(time),
            presence,
            pid,
            base,
            size: 4096,
            time_stamp,
            path,
        };
        const KERNEL: u64 = 0xffff_f800_0000_0000;
        images.add(row(50, Presence::Unload, 0, KERNEL, 0, path));
        images.add(row(10, Presence::Load, 0, KERNEL, 7, path));
        images.add(row(99, Presence::There, 0, KERNEL + 4096, 8, path));
        images.add(row(99, Presence::There, 12, 0x7ff6_0000_0000, 0, ntdll));
        images.add(row(5, Presence::There, 4, 0x7ff6_0000_0000, 0, ntdll));
        let mut volumes = Volumes::default();
        volumes.add("\\Device\\HarddiskVolume2\\", "C:\\");
        let versions = Versions::default();
        let found = images.kernel(&texts, &versions, &volumes, 0x7FFF_FFFF_FFFF);
        let seen: Vec<(u64, Option<u64>)> = found
            .iter()
            .map(|image| (image.module.base, image.loaded.map(|time| time.0)))
            .collect();
        assert_eq!(seen, [(KERNEL, Some(10)), (KERNEL + 4096, None)]);
        let other = texts
            .number("\\SystemRoot\\System32\\drivers\\b.sys")
            .unwrap();
        images.add(row(60, Presence::Load, 0, KERNEL, 9, other));
        images.add(row(70, Presence::Load, 0, KERNEL, 7, path));
        let found = images.kernel(&texts, &versions, &volumes, 0x7FFF_FFFF_FFFF);
        let at_first: Vec<Option<u64>> = found
            .iter()
            .filter(|image| image.module.base == KERNEL)
            .map(|image| image.loaded.map(|time| time.0))
            .collect();
        assert_eq!(at_first, [Some(10), Some(60), Some(70)]);
        let modules =
            images.of_processes(&texts, &versions, &volumes, 0x7FFF_FFFF_FFFF, |pid, _| {
                (pid == 12).then_some(3)
            });
        assert_eq!(modules[&3].len(), 1);
    }
}
