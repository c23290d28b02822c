//! An ETL trace behind the event model.

use super::census::{Census, census_with};
use super::coverage::{FILE_OPERATIONS, MINIFILTER_CALLBACKS, STACKS};
use super::dictionary::collect::UnitFacts;
use super::dictionary::facts::Facts;
use super::dictionary::opened::{Known, Opening};
use super::dictionary::processes::ProcessIndex;
use super::error::OpenError;
use super::facts::EtlFacts;
use super::file::EtlFile;
use super::gather::{Place, Placed};
use super::guid::Guid;
use super::info::describe;
use super::keys::TimeKey;
use super::link::Links;
use super::link::noted::{Foresee, Noting};
use super::providers::provider_name;
use super::rows;
use super::selfdescribing::{Definitions, Event};
use super::slices::{Slice, target};
use crate::input::view::Source;
use crate::trace::names::lasting;
use crate::trace::path::file_name;
use crate::trace::{
    Filetime, Job, KernelImage, NO_PROCESS, Owners, Process, Tick, Trace, TraceInfo,
};
use std::io;
use std::path::Path;
use std::sync::OnceLock;

/// An open trace and what its first passes found.
#[derive(Debug)]
pub struct EtlTrace {
    file: EtlFile,
    census: Census,
    facts: Facts,
    definitions: Definitions,
    index: ProcessIndex,
    first_numbers: Vec<u64>,
    links: Links,
    /// What joins slices for who asks for more than was foreseen.
    all_links: OnceLock<Result<Links, (io::ErrorKind, String)>>,
    target: u64,
    info: TraceInfo,
}

impl EtlTrace {
    /// Opens the trace at `path`, gathers its facts and joins its slices; `tick` hears of each unit done.
    ///
    /// # Errors
    /// When the file cannot be read or is no trace. Damage that leaves something to read is no error: it stands in
    /// [`TraceInfo::warnings`].
    pub fn open(path: &Path, tick: Tick<'_>) -> Result<Self, OpenError> {
        Self::from_source(Source::open(path)?, path, tick)
    }

    /// Opens a trace for who will ask for nothing but what `foresee` tells: see
    /// [`Select::foreseen`](crate::trace::Select::foreseen). Whoever asks for more has to wait while slices are joined
    /// again. Sums over the whole trace, which only `info` shows, are left out of its facts.
    ///
    /// # Errors
    /// As [`EtlTrace::open`].
    pub fn open_for(
        source: Source,
        path: &Path,
        foresee: &dyn Foresee,
        tick: Tick<'_>,
    ) -> Result<Self, OpenError> {
        let mut out = Self::survey_for(source, path, Some(foresee), tick)?;
        out.link_noting(target(&out.facts.spans), Some(foresee), tick)?;
        Ok(out)
    }

    /// [`EtlTrace::open`] for bytes that are in memory or in a file opened before.
    ///
    /// # Errors
    /// As [`EtlTrace::open`].
    pub fn from_source(source: Source, path: &Path, tick: Tick<'_>) -> Result<Self, OpenError> {
        let mut out = Self::survey(source, path, tick)?;
        out.link(target(&out.facts.spans), tick)?;
        Ok(out)
    }

    /// Gathers the facts only: enough for everything but [`Trace::decode`], which then finds no events.
    ///
    /// # Errors
    /// As [`EtlTrace::open`].
    pub fn survey(source: Source, path: &Path, tick: Tick<'_>) -> Result<Self, OpenError> {
        Self::survey_for(source, path, None, tick)
    }

    /// The same for who will ask for nothing but what is told, as [`EtlTrace::open_for`] does.
    ///
    /// # Errors
    /// As [`EtlTrace::open`].
    pub fn survey_for(
        source: Source,
        path: &Path,
        foresee: Option<&dyn Foresee>,
        tick: Tick<'_>,
    ) -> Result<Self, OpenError> {
        let known = Known::default();
        let opening = || foresee.map(|foresee| Opening::new(foresee, &known));
        let file = EtlFile::open(source)?;
        let mut facts = Facts::default();
        let census = census_with(
            &file,
            tick,
            || UnitFacts::new(&file, opening()),
            |unit| facts.absorb(unit),
        )?;
        facts.finish();
        let definitions = std::mem::take(&mut facts.definitions).finish();
        let mut pids: Vec<u32> = facts.pids.iter().copied().collect();
        pids.sort_unstable();
        let rows = std::mem::take(&mut facts.processes);
        let (mut processes, index) = rows.into_processes(&facts.texts, &pids);
        let kernel = name_images(&file, &facts, &mut processes, &index);
        let info = describe(&file, &census, &facts, processes, kernel, path);
        Ok(Self {
            first_numbers: census.first_numbers(),
            file,
            census,
            facts,
            definitions,
            index,
            links: Links::default(),
            all_links: OnceLock::new(),
            target: 0,
            info,
        })
    }

    /// Cuts the trace into slices of `target` bytes of records or more and joins them, as opening does with a target that
    /// suits the trace. Where the cuts lie shows in no answer, which is what tests use this for.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn link(&mut self, target: u64, tick: Tick<'_>) -> io::Result<()> {
        self.link_noting(target, None, tick)
    }

    /// The same for who will ask for nothing but what is told, as [`EtlTrace::open_for`] does.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn link_noting(
        &mut self,
        target: u64,
        foresee: Option<&dyn Foresee>,
        tick: Tick<'_>,
    ) -> io::Result<()> {
        self.target = target;
        self.all_links = OnceLock::new();
        let root = self.info.machine.system_root.as_deref();
        let noting = foresee.and_then(|foresee| {
            let owners = |wanted: &[bool]| self.owners(wanted);
            Noting::new(&self.facts, (foresee, root), &self.info.processes, owners)
        });
        self.links = self.join(noting.as_ref(), tick)?;
        Ok(())
    }

    fn join(&self, noting: Option<&Noting<'_>>, tick: Tick<'_>) -> io::Result<Links> {
        let joined = [
            FILE_OPERATIONS,
            MINIFILTER_CALLBACKS,
            STACKS,
            0x0524..=0x0524,
        ];
        let needed = joined
            .into_iter()
            .any(|hooks| self.census.count_of(hooks) > 0);
        Links::new(
            &self.file,
            &self.facts,
            &self.first_numbers,
            (needed, self.target),
            noting,
            tick,
        )
    }

    /// The trace as a file: buffers and records.
    pub fn file(&self) -> &EtlFile {
        &self.file
    }

    /// What the records are.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// What the trace says of names, images, threads and stacks.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Facts that only ETL has, for `info`.
    pub fn etl_facts(&self) -> EtlFacts {
        EtlFacts::new(&self.file, &self.census)
    }

    /// Descriptions of events that the trace holds.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Whether it is the log of the Windows Update client: sentences of its providers, and nothing of the kernel but
    /// what the session tells of itself.
    pub fn is_update_client_log(&self) -> bool {
        use super::selfdescribing::windows_update::{CLIENT, HEALING};
        let own = |(guid, _): &(&Guid, &u64)| **guid == CLIENT || **guid == HEALING;
        let providers = &self.census.providers;
        let sentences: u64 = providers.iter().filter(own).map(|(_, count)| count).sum();
        let all: u64 = providers.values().sum();
        // Hooks of group 0 are those of the session itself.
        let kernel = self.census.hooks.keys().any(|hook| hook.id >> 8 != 0);
        sentences > 0 && 2 * sentences >= all && !kernel
    }

    /// Slices and what joins them, for who asks for nothing but what was foreseen.
    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    /// Slices and what joins them, for any selection: the slices are the same, what joins them is looked for the first
    /// time that it is asked for where only some of it was foreseen.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub(super) fn all_links(&self) -> io::Result<&Links> {
        if !self.links.is_partial() {
            return Ok(&self.links);
        }
        let all = self.all_links.get_or_init(|| {
            let links = self.join(None, &|_| ());
            links.map_err(|error| (error.kind(), error.to_string()))
        });
        all.as_ref()
            .map_err(|(kind, text)| io::Error::new(*kind, text.clone()))
    }

    /// For a process that ends: what joins the slices is left to the system to take back, which it does at once. List by
    /// list it takes as long as a tenth of a pass.
    pub fn leave_links(&mut self) {
        std::mem::forget(std::mem::take(&mut self.links));
    }

    /// Number in the file of the record at a place.
    #[inline]
    pub(super) fn number_at(&self, place: Place) -> u64 {
        let first = self.first_numbers.get(place.buffer as usize);
        first.copied().unwrap_or(0) + place.index()
    }

    /// Number of the first record of each buffer.
    pub(super) fn first_numbers(&self) -> &[u64] {
        &self.first_numbers
    }

    /// Highest user-mode address.
    pub(super) fn highest_user(&self) -> u64 {
        self.info.highest_user
    }

    /// The key of a time stamp.
    #[inline]
    pub(super) fn key(&self, buffer: u32, ticks: i64) -> i64 {
        TimeKey::new(&self.file).of(buffer as usize, ticks)
    }

    /// UTC of the start of a record.
    #[inline]
    pub(super) fn filetime_of(&self, placed: &Placed<'_>) -> Filetime {
        self.filetime(placed.start, placed.buffer as usize)
    }

    /// UTC of a key.
    #[inline]
    fn filetime(&self, key: i64, buffer: usize) -> Filetime {
        match self.file.parts() {
            [_] => self.file.clock_of(buffer).filetime(key),
            _ => Filetime(u64::try_from(key).unwrap_or(0)),
        }
    }

    /// A span of time in 100 ns, of one in units of keys.
    pub fn span(&self, units: u64) -> u64 {
        match self.file.parts() {
            [_] => {
                let ticks = i64::try_from(units).unwrap_or(i64::MAX);
                u64::try_from(self.file.clock().span(ticks)).unwrap_or(0)
            }
            _ => units,
        }
    }

    /// Where a buffer begins, in ticks, for records without a time.
    pub(super) fn buffer_start(&self, buffer: usize) -> i64 {
        let span = self.facts.spans.get(buffer);
        match (self.file.parts(), span) {
            ([_], Some(span)) => span.from,
            _ => self.file.buffers().get(buffer).map_or(0, |b| b.flushed),
        }
    }

    /// Whether a slice may hold events between two times.
    pub(super) fn may_hold(
        &self,
        slice: &Slice,
        from: Option<Filetime>,
        to: Option<Filetime>,
    ) -> bool {
        let buffer = slice.buffers.first().map_or(0, |buffer| *buffer as usize);
        let starts =
            slice.from != i64::MIN && to.is_some_and(|to| self.filetime(slice.from, buffer) > to);
        let ends =
            slice.to != i64::MAX && from.is_some_and(|from| self.filetime(slice.to, buffer) < from);
        !starts && !ends
    }

    /// Position of the process that had an id at a time.
    #[inline]
    pub(super) fn process_at(&self, pid: u32, time: Filetime) -> Option<u32> {
        self.index.find(pid, time)
    }

    /// The ids of processes of which some are `wanted`, and of their threads.
    pub(super) fn owners(&self, wanted: &[bool]) -> Owners {
        let processes = self.info.processes.iter().zip(wanted);
        let pids = processes.filter(|(_, wanted)| **wanted);
        let pids: hashbrown::HashSet<u32> = pids.map(|(process, _)| process.pid).collect();
        let tids = self.facts.threads.of_processes(|pid| pids.contains(&pid));
        Owners {
            tids: tids.collect(),
            pids,
        }
    }

    /// Image path of a process; empty where it is not known.
    pub(super) fn image_path(&self, process: u32) -> &str {
        let process = self.info.processes.get(process as usize);
        process.map_or("", |process| &process.image_path)
    }

    /// Name of a provider or class, `scratch` being used for it: by the event, else by the trace or by a list, else its
    /// GUID.
    pub(super) fn provider(
        &self,
        class: Option<Guid>,
        event: Option<&Event<'_>>,
        scratch: &mut String,
    ) -> &'static str {
        scratch.clear();
        if let Some(name) = event.and_then(Event::provider_name) {
            name.push_to(scratch);
        } else if let Some(class) = class {
            match provider_name(class) {
                Some(name) => return name,
                None => {
                    use std::fmt::Write as _;
                    // Writing to a String cannot fail.
                    let _ = write!(scratch, "{class}");
                }
            }
        }
        lasting(scratch, "")
    }
}

/// Gives processes their images, with path and version of their own, and gives the kernel's images.
fn name_images(
    file: &EtlFile,
    facts: &Facts,
    processes: &mut [Process],
    index: &ProcessIndex,
) -> Vec<KernelImage> {
    let highest = facts.machine.highest_user(file.header().wide());
    let (texts, versions, volumes) = (&facts.texts, &facts.versions, &facts.volumes);
    let modules = facts
        .images
        .of_processes(texts, versions, volumes, highest, |pid, time| {
            index.find(pid, time)
        });
    for (process, modules) in modules {
        let Some(process) = processes.get_mut(process as usize) else {
            continue;
        };
        // Old versions of Windows cut the name of a process to 15 characters.
        let own = modules.iter().find(|module| {
            let name = file_name(&module.path);
            let cut = name.get(..process.name.len().min(name.len()));
            let same = name.eq_ignore_ascii_case(&process.name);
            let starts = process.name.len() >= 14
                && cut.is_some_and(|cut| cut.eq_ignore_ascii_case(&process.name));
            !name.is_empty() && (same || starts)
        });
        if let Some(own) = own {
            process.image_path = own.path.clone();
            process.company = own.company.clone();
            process.version = own.version.clone();
            process.description = own.description.clone();
            if process.name.len() < file_name(&own.path).len() {
                process.name = file_name(&own.path).into();
            }
        }
        process.modules = modules;
    }
    facts.images.kernel(texts, versions, volumes, highest)
}

impl Trace for EtlTrace {
    fn info(&self) -> &TraceInfo {
        &self.info
    }

    fn units(&self) -> usize {
        self.links.slices.len()
    }

    fn in_order(&self) -> bool {
        self.links.in_order
    }

    fn unit_len(&self, unit: usize) -> usize {
        self.links.slices.get(unit).map_or(0, |slice| slice.records)
    }

    fn decode_all(&self, unit: usize, jobs: &mut [Job<'_>]) -> io::Result<()> {
        debug_assert!(NO_PROCESS as usize >= self.info.processes.len());
        rows::decode(self, unit, jobs)
    }
}
