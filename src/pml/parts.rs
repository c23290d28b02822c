//! The parts of one log: Procmon splits a large one into files of their own header, tables and events.
//!
//! What one part tells, the others may lack: a part that Procmon did not close has no tables at all. So the parts
//! tell each other of processes, drivers and accounts. No split log was among the real files; what is joined here
//! is joined only where the parts themselves agree.

use super::PmlTrace;
use super::header::Header;
use crate::trace::{Filetime, KernelImage, Module, Process};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Header {
    /// Whether two headers describe the same machine, as far as a restart leaves it.
    pub fn is_same_machine(&self, other: &Self) -> bool {
        let facts = |header: &Self| {
            (
                header.bits,
                header.os,
                header.processors,
                header.ram,
                header.highest_user,
                header.product_type,
            )
        };
        facts(self) == facts(other)
            && self.computer.eq_ignore_ascii_case(&other.computer)
            && self.system_root.eq_ignore_ascii_case(&other.system_root)
            && self.service_pack == other.service_pack
    }
}

/// Lets the parts of one log, in their order, tell each other what they know.
///
/// - Processes with the same id and start time are one: what a part does not say of it, another does.
/// - A number by which events call a process names the same process in all parts, unless any two parts disagree.
/// - A driver that one part lists at an address is there in all parts, unless a part has another one there.
pub fn join(parts: &mut [&mut PmlTrace]) {
    fill_processes(parts);
    share_numbers(parts);
    share_images(parts);
    share_accounts(parts);
}

/// What names a process over all parts: its id and its start.
type Identity = (u32, Filetime);

fn identity(process: &Process) -> Option<Identity> {
    Some((process.pid, process.start?))
}

fn fill_processes(parts: &mut [&mut PmlTrace]) {
    let mut known: HashMap<Identity, Process> = HashMap::new();
    for process in parts.iter().flat_map(|part| &part.info.processes) {
        let Some(identity) = identity(process) else {
            continue;
        };
        match known.get_mut(&identity) {
            Some(merged) => fill(merged, process),
            None => {
                known.insert(identity, process.clone());
            }
        }
    }
    for process in parts.iter_mut().flat_map(|part| &mut part.info.processes) {
        if let Some(merged) = identity(process).and_then(|identity| known.get(&identity)) {
            fill(process, merged);
        }
    }
}

/// Fills what is not known of a process from what is known of it elsewhere.
fn fill(process: &mut Process, from: &Process) {
    fn text(to: &mut Arc<str>, from: &Arc<str>) {
        if to.is_empty() && !from.is_empty() {
            *to = Arc::clone(from);
        }
    }
    text(&mut process.integrity, &from.integrity);
    text(&mut process.user, &from.user);
    text(&mut process.name, &from.name);
    text(&mut process.image_path, &from.image_path);
    text(&mut process.command_line, &from.command_line);
    text(&mut process.company, &from.company);
    text(&mut process.version, &from.version);
    text(&mut process.description, &from.description);
    process.parent_pid = process.parent_pid.or(from.parent_pid);
    process.auth_id = process.auth_id.or(from.auth_id);
    process.session = process.session.or(from.session);
    process.end = process.end.or(from.end);
    process.virtualized = process.virtualized.or(from.virtualized);
    process.is_64 = process.is_64.or(from.is_64);
    if process.modules.is_empty() && !from.modules.is_empty() {
        process.modules.clone_from(&from.modules);
    }
}

/// Gives every part the processes that only others have, under the numbers they have there.
fn share_numbers(parts: &mut [&mut PmlTrace]) {
    let mut known: BTreeMap<u32, Process> = BTreeMap::new();
    for part in parts.iter() {
        for (position, process) in part.info.processes.iter().enumerate() {
            let Some(number) = part.file.processes.number(position) else {
                continue;
            };
            let Some(other) = known.get(&number) else {
                known.insert(number, process.clone());
                continue;
            };
            let starts = (process.start, other.start);
            let other_start = matches!(starts, (Some(a), Some(b)) if a != b);
            if other.pid != process.pid || other_start {
                // The parts count for themselves: a number says nothing beyond its part.
                return;
            }
        }
    }
    for part in parts {
        for (number, process) in &known {
            part.adopt(*number, process);
        }
    }
}

impl PmlTrace {
    /// Adds a process that only another part knows, unless `number` is taken.
    fn adopt(&mut self, number: u32, process: &Process) {
        let table = &mut self.file.processes;
        if table.position(number).is_some() {
            return;
        }
        // The list of the table became that of the facts; positions are those of both.
        std::mem::swap(&mut table.list, &mut self.info.processes);
        table.add(number, process.clone());
        std::mem::swap(&mut table.list, &mut self.info.processes);
    }
}

/// What names a driver over all parts: its first address and its path in lower case.
type Place = (u64, String);

fn place(image: &KernelImage) -> Place {
    (image.module.base, image.module.path.to_ascii_lowercase())
}

fn share_images(parts: &mut [&mut PmlTrace]) {
    let lists: Vec<Vec<KernelImage>> = parts
        .iter()
        .map(|part| part.info.kernel_images.clone())
        .collect();
    let firsts: Vec<Option<Filetime>> = parts.iter().map(|part| part.info.first).collect();
    // The best that any part says of a file: an image loaded while a part was written has no version information.
    let mut by_path: HashMap<String, &Module> = HashMap::new();
    for image in lists.iter().flatten() {
        let module = by_path
            .entry(image.module.path.to_ascii_lowercase())
            .or_insert(&image.module);
        if module.company.is_empty() && !image.module.company.is_empty() {
            *module = &image.module;
        }
    }
    for (number, part) in parts.iter_mut().enumerate() {
        let own = &mut part.info.kernel_images;
        let mut places: HashMap<Place, ()> = own.iter().map(|image| (place(image), ())).collect();
        let there: BTreeMap<u64, u64> = own
            .iter()
            .filter(|image| image.loaded.is_none())
            .map(|image| (image.module.base, end(&image.module)))
            .collect();
        for (other, list) in lists.iter().enumerate() {
            if other == number {
                continue;
            }
            for image in list {
                let mut image = image.clone();
                if other > number {
                    // A later part says nothing of what was there before it.
                    image.loaded = image.loaded.or(firsts.get(other).copied().flatten());
                } else if overlaps(&there, &image.module) {
                    continue;
                }
                if places.insert(place(&image), ()).is_none() {
                    own.push(image);
                }
            }
        }
        for image in own {
            let module = &mut image.module;
            let best = by_path.get(&module.path.to_ascii_lowercase());
            if let Some(best) =
                best.filter(|best| module.company.is_empty() && !best.company.is_empty())
            {
                module.company = Arc::clone(&best.company);
                module.version = Arc::clone(&best.version);
                module.description = Arc::clone(&best.description);
            }
        }
    }
}

fn end(module: &Module) -> u64 {
    module.base.saturating_add(module.size)
}

/// Whether one of the images `there`, ends by bases, lies where `module` does.
fn overlaps(there: &BTreeMap<u64, u64>, module: &Module) -> bool {
    let before = there.range(..end(module)).next_back();
    before.is_some_and(|(_, other_end)| *other_end > module.base)
}

fn share_accounts(parts: &mut [&mut PmlTrace]) {
    let known: Vec<_> = parts.iter().map(|part| part.accounts.clone()).collect();
    for part in parts {
        for accounts in &known {
            part.accounts.learn_all(accounts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, start: u64, company: &str) -> Process {
        Process {
            start: Some(Filetime(start)),
            company: company.into(),
            ..Process::unknown(pid)
        }
    }

    #[test]
    fn what_is_known_is_kept_and_what_is_not_is_filled() {
        let mut one = process(7, 1, "");
        one.session = Some(3);
        let mut two = process(7, 1, "Acme");
        (two.session, two.end) = (Some(9), Some(Filetime(5)));
        fill(&mut one, &two);
        assert_eq!(&*one.company, "Acme");
        assert_eq!((one.session, one.end), (Some(3), Some(Filetime(5))));
        assert_ne!(identity(&one), identity(&process(7, 2, "")));
        assert_eq!(identity(&Process::unknown(7)), None);
    }

    #[test]
    fn images_overlap_by_their_bytes() {
        let there = BTreeMap::from([(100, 200), (300, 400)]);
        let module = |base, size| Module {
            base,
            size,
            path: "".into(),
            version: "".into(),
            company: "".into(),
            description: "".into(),
            time_stamp: 0,
        };
        for (base, size, expected) in [
            (0, 100, false),
            (0, 101, true),
            (199, 1, true),
            (200, 100, false),
            (200, 101, true),
            (150, 10, true),
            (400, u64::MAX, false),
        ] {
            assert_eq!(
                overlaps(&there, &module(base, size)),
                expected,
                "{base} {size}"
            );
        }
    }
}
