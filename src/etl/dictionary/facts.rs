//! The facts of a trace: those of its units, put together in file order.

use super::callbacks::Callbacks;
use super::collect::{MOST_PIDS, UnitFacts};
use super::images::{ImageRow, Images};
use super::lifetimes::Lifetimes;
use super::machine::MachineFacts;
use super::opened::Opened;
use super::processes::ProcessRows;
use super::refused::Refused;
use super::samples::{Handles, Samples};
use super::stacks::StackKeys;
use super::texts::{TextId, Texts};
use super::threads::Threads;
use super::twins::Twins;
use super::versions::Versions;
use super::volumes::Volumes;
use crate::etl::cuts::Cuts;
use crate::etl::selfdescribing::Collector;
use crate::etl::slices::BufferSpan;
use hashbrown::HashSet;

/// Everything that one pass finds.
#[derive(Debug, Default)]
pub struct Facts {
    /// Texts that the rows below name by number.
    pub texts: Texts,
    /// Processes.
    pub processes: ProcessRows,
    /// Process ids in headers of records.
    pub pids: HashSet<u32>,
    /// Threads.
    pub threads: Threads,
    /// Images.
    pub images: Images,
    /// Version information.
    pub versions: Versions,
    /// Drive letters.
    pub volumes: Volumes,
    /// Paths by file key.
    pub files: Lifetimes,
    /// Registry keys by KCB.
    pub keys: Lifetimes,
    /// Stacks by stack key.
    pub stacks: StackKeys,
    /// Processor samples.
    pub samples: Samples,
    /// Time between two samples, 100 ns; 0 where the trace does not say.
    pub interval: u32,
    /// Handles.
    pub handles: Handles,
    /// Callbacks of minifilters.
    pub callbacks: Callbacks,
    /// The machine.
    pub machine: MachineFacts,
    /// Descriptions of events.
    pub definitions: Collector,
    /// Operations that two records tell of, until they are put in order.
    pub(super) twins: Twins,
    /// Where slices may have no border: see [`Twins::finish`].
    pub uncut: Vec<(i64, i64)>,
    /// What each buffer covers.
    pub spans: Vec<BufferSpan>,
    /// Where each may be cut.
    pub cuts: Vec<Cuts>,
    /// Names that found no room.
    pub lost_names: u64,
    /// Whether the initiations of minifilter callbacks were recorded; without them a callback begins where its
    /// completion says.
    pub callback_starts: bool,
    /// Callbacks that refuse.
    pub refused: Refused,
    /// FileObjects that are opened with paths that may be asked for, where it was told which.
    pub opened: Opened,
    /// Whether ends of file operations were recorded.
    pub operation_ends: bool,
    /// Whether a file or registry operation has a stack.
    pub operation_stacks: bool,
}

impl Facts {
    /// Adds what the next unit of the file holds.
    pub fn absorb(&mut self, unit: UnitFacts<'_>) {
        let UnitFacts {
            facts: more,
            packed,
            files,
            keys,
            stacks,
            versions,
            ids,
            volumes,
            opening,
            ..
        } = unit;
        if let Some(opening) = opening {
            self.opened.add(opening);
        }
        let numbers: Vec<TextId> = more
            .texts
            .iter()
            .map(|text| {
                let number = self.texts.number(text);
                self.lost_names += u64::from(number.is_none());
                number.unwrap_or(TextId::MAX)
            })
            .collect();
        let number = |id: TextId| numbers.get(id as usize).copied().unwrap_or(TextId::MAX);
        self.lost_names += more.lost_names;
        for mut row in more.processes.into_rows() {
            row.name = number(row.name);
            row.command_line = number(row.command_line);
            row.user = number(row.user);
            self.processes.add(row);
        }
        let room = MOST_PIDS - self.pids.len().min(MOST_PIDS);
        self.pids.extend(more.pids.into_iter().take(room));
        self.threads.merge(more.threads);
        for row in more.images.rows() {
            let path = number(row.path);
            self.images.add(ImageRow { path, ..*row });
        }
        for (object, time, sign, name) in files {
            self.files.add(object, time, sign, number(name));
        }
        for (object, time, sign, name) in keys {
            self.keys.add(object, time, sign, number(name));
        }
        for (key, time, range) in stacks {
            self.stacks.add(key, time, packed.get(range).unwrap_or(&[]));
        }
        for (size, time_stamp, version) in versions {
            self.versions.add_file(size, time_stamp, version);
        }
        for (pid, base, size, time_stamp) in ids {
            self.versions.add_id(pid, base, size, time_stamp);
        }
        for (device, dos) in volumes {
            self.volumes.add(&device, &dos);
        }
        self.samples.merge(more.samples);
        if more.interval > 0 {
            self.interval = more.interval;
        }
        self.handles.merge(more.handles);
        self.callbacks.merge(more.callbacks);
        self.callback_starts |= more.callback_starts;
        self.refused.merge(more.refused);
        self.twins.merge(more.twins);
        self.operation_ends |= more.operation_ends;
        self.operation_stacks |= more.operation_stacks;
        self.machine.merge(more.machine);
        self.definitions.merge(more.definitions);
        self.spans.extend(more.spans);
        self.cuts.extend(more.cuts);
    }

    /// Time between two samples, 100 ns: a millisecond where the trace does not say.
    pub fn sample_interval(&self) -> u32 {
        match self.interval {
            0 => 10_000,
            told => told,
        }
    }

    /// Puts everything in order, so that it can be looked up.
    pub fn finish(&mut self) {
        self.threads.finish();
        self.refused.finish();
        self.uncut = std::mem::take(&mut self.twins).finish();
        self.keys.finish();
        self.stacks.finish();
        if !self.volumes.knows_letters() {
            let letter = self.machine.system_letter();
            for row in self.images.rows() {
                self.volumes.guess(self.texts.get(row.path), letter);
            }
        }
        let (texts, volumes) = (&mut self.texts, &self.volumes);
        let mut path = String::new();
        self.files.rename(|name| {
            path.clear();
            volumes.push(texts.get(name), &mut path);
            texts.number(&path).unwrap_or(name)
        });
        self.files.finish();
        self.opened.finish(&self.volumes);
    }
}
