//! What joins records over the borders of slices: an operation that ends in a later slice than it began, a file
//! that was opened in an earlier one.
//!
//! Each slice is looked through by itself, all side by side; then the borders are sewn together in order. What a
//! slice has to know of the others is little: it is kept, and makes slices independent from then on.

mod asking;
mod begun;
pub mod columns;
pub mod early;
mod joining;
mod latest;
pub mod noted;
pub mod objects;
pub mod pairing;
pub mod part;
pub mod reused;
pub mod stacks;

use super::dictionary::facts::Facts;
use super::dictionary::texts::{TextId, Texts};
use super::file::EtlFile;
use super::gather::{Loaded, Making, Order, Place, Position, Space};
use super::sieve::Addressed;
use super::slices::{Slice, slices};
use crate::trace::path::is_whole;
use crate::trace::room::is_capped;
use crate::trace::{Frames, Tick, for_each_unit};
use columns::{Before, Choosing, Chosen};
use early::Early;
use hashbrown::HashMap;
use joining::DoneOperation;
use noted::{Judged, Noted, Noting};
use objects::Opened;
use pairing::{CallbackSign, Pairing};
use part::{Ground, OrphanCallback, Part};
use reused::Pool;
use std::io;

/// Which record of which slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ref {
    /// The slice that its row belongs to.
    pub slice: u32,
    /// Number of the record in the file.
    pub number: u64,
    /// FileObject of a file operation.
    pub object: u64,
    /// Thread, where the record names it.
    pub tid: Option<u32>,
    /// What the operation does, where two records may tell of it.
    pub family: Family,
    /// Which of the two these are.
    pub told: Told,
}

/// Which records tell of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// The one that all operations have.
    Plain,
    /// The one with the path.
    WithPath,
    /// Both.
    Both,
}

/// What an operation does, as far as it matters here. Of deletions, renames and links the kernel tells twice: once as
/// of all operations, once with the path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// An open.
    Create,
    /// The last that is heard of a FileObject.
    Close,
    /// A deletion.
    Delete,
    /// A new name.
    Rename,
    /// A further name.
    Link,
    /// Any other operation.
    #[default]
    Other,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Time stamp, in ticks.
    pub ticks: i64,
    /// NTSTATUS.
    pub status: u32,
    /// `IoStatus.Information`.
    pub information: u64,
}

/// What later slices tell of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Late {
    /// End of the operation.
    pub end: Option<End>,
    /// End of the callback, in ticks.
    pub completed: Option<i64>,
    /// Start of the callback as its end tells it, in ticks.
    pub began: Option<i64>,
    /// Status the callback failed with.
    pub failure: Option<u32>,
    /// Stack.
    pub frames: Vec<u64>,
}

/// What a slice has to know of others.
#[derive(Debug, Default)]
pub struct Imports {
    /// Paths of files that it uses and that were opened before, by FileObject.
    pub objects: HashMap<u64, Opened>,
    /// What later slices tell of its records, by number of the record.
    pub late: HashMap<u64, Late>,
    /// Records that tell of something that began in an earlier slice, and what that is.
    pub joined: HashMap<u64, Ref>,
    /// Operations that callbacks are called for and that began in an earlier slice, by IRP.
    pub operations: HashMap<u64, Ref>,
    /// New names of files whose rename or link began in an earlier slice, by IRP.
    pub names: HashMap<u64, TextId>,
    /// Paths of callbacks whose create is logged in a later slice, by number of the record.
    pub named: HashMap<u64, TextId>,
    /// Threads that ran when it began, by processor.
    pub threads: Vec<(u16, u32)>,
}

impl Imports {
    /// The IRPs of what is open at the begin of the slice.
    pub fn irps(&self) -> Addressed {
        let mut out = Addressed::default();
        let open = self.operations.keys().chain(self.names.keys());
        open.for_each(|irp| out.add(*irp));
        out
    }
}

/// The slices of a trace and what joins them.
#[derive(Debug, Default)]
pub struct Links {
    /// The slices.
    pub slices: Vec<Slice>,
    /// Whether they are in order of time.
    pub in_order: bool,
    /// Names in [`Imports::objects`].
    pub texts: Texts,
    imports: Vec<Imports>,
    /// What was noted of each slice, where something was to be.
    noted: Option<Vec<Noted>>,
    /// The processes of which it may be asked what failed.
    own: Vec<bool>,
    /// Whether frames of stacks in user mode may be asked for.
    user_frames: bool,
    /// The keys of files that may be asked for.
    keys: Addressed,
}

static NOTHING: std::sync::LazyLock<Imports> = std::sync::LazyLock::new(Imports::default);

impl Links {
    /// Looks through a trace and joins its slices. `needed` tells whether it has records that have to be joined;
    /// slices have `target` bytes or more. With `noting` it serves only those who ask for what is noted.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn new(
        file: &EtlFile,
        facts: &Facts,
        first_numbers: &[u64],
        (needed, target): (bool, u64),
        noting: Option<&Noting<'_>>,
        tick: Tick<'_>,
    ) -> io::Result<Self> {
        let (slices, in_order) = slices(&facts.spans, &facts.uncut, target);
        let mut out = Self {
            slices,
            in_order,
            ..Self::default()
        };
        if !needed || out.slices.len() < 2 {
            return Ok(out);
        }
        let pool = Pool::default();
        let ground = Ground {
            file,
            facts,
            slices: &out.slices,
            first_numbers,
            noting,
            pool: &pool,
        };
        let mut sewing = Sewing {
            imports: out.slices.iter().map(|_| Imports::default()).collect(),
            ..Sewing::default()
        };
        let mut lists = Vec::new();
        let mut next = 0;
        let mut keeping = Keeping::default();
        for_each_unit(
            0..out.slices.len(),
            tick,
            |at| Part::of(ground, at),
            |mut part: Part| {
                let chosen = sewing.add(ground, next, &mut part)?;
                let mut noted = part.noted.finish(&mut sewing.texts);
                if let (Some(chosen), Some(loaded)) = (chosen, &part.loaded) {
                    noted.chosen = keeping.keep(chosen, loaded)?;
                }
                lists.push(noted);
                next += 1;
                Ok(())
            },
        )?;
        out.texts = sewing.texts;
        out.imports = sewing.imports;
        if let Some(noting) = noting {
            out.noted = Some(lists);
            out.own.clone_from(&noting.processes);
            out.user_frames = noting.user_frames;
            out.keys = noting.keys.clone();
        }
        Ok(out)
    }

    /// Whether it serves only those who ask for what was noted.
    pub fn is_partial(&self) -> bool {
        self.noted.is_some()
    }

    /// Whether callbacks with this FileObject and FsContext were joined: those on files that nobody will ask for were not.
    #[inline]
    pub fn knows_callback(&self, facts: &Facts, object: u64, context: u64) -> bool {
        let opened = facts.opened.sieve().filter(|_| self.is_partial());
        opened.is_none_or(|opened| opened.may_hold(object) || self.keys.holds(context))
    }

    /// Whether it knows the frames of stacks that are wanted.
    pub fn knows(&self, frames: Frames) -> bool {
        self.noted.is_none() || self.user_frames || frames != Frames::All
    }

    /// What was noted of slice `at`; `None` where nothing was to be.
    pub fn noted(&self, at: usize) -> Option<&Noted> {
        self.noted.as_ref()?.get(at)
    }

    /// Whether it is known what failed for these processes.
    pub fn knows_own(&self, processes: &[bool]) -> bool {
        let own = |at: usize| self.own.get(at) == Some(&true);
        let mut wanted = processes.iter().enumerate();
        self.noted.is_some() && wanted.all(|(at, wanted)| !wanted || own(at))
    }

    /// What slice `at` has to know of others.
    pub fn imports(&self, at: usize) -> &Imports {
        self.imports.get(at).unwrap_or_else(|| &NOTHING)
    }
}

/// Records that are listed at most because they may be asked for: 64 MiB of their places.
const MOST_LISTED: usize = 8 << 20;
/// Bytes of these that are copied at most.
const MOST_COPIED: usize = 64 << 20;

/// Keeps what is chosen of slices, within bounds.
#[derive(Default)]
struct Keeping {
    listed: usize,
    copied: usize,
    making: Making,
}

impl Keeping {
    /// Keeps the records at `chosen`, or at least their places.
    fn keep(
        &mut self,
        chosen: Box<[Position]>,
        (loaded, space): &(Loaded<'_>, Space<'_>),
    ) -> io::Result<Option<Chosen>> {
        if self.copied < MOST_COPIED && !is_capped() {
            // They are still in the cache, and hardly any page of the file is without one.
            let copied = loaded.copy(&chosen, space, &mut self.making)?;
            self.copied += copied.bytes();
            return Ok(Some(Chosen::Copied(copied)));
        }
        self.listed += chosen.len();
        Ok((self.listed <= MOST_LISTED).then_some(Chosen::At(chosen)))
    }
}

/// What is open between two slices, while they are sewn together.
#[derive(Default)]
struct Sewing {
    open: HashMap<u64, OpenFile>,
    pairing: Pairing<Ref>,
    threads: HashMap<u16, u32>,
    names: HashMap<u64, TextId>,
    early: Early<(u32, u64)>,
    texts: Texts,
    imports: Vec<Imports>,
    /// Those of `open` that may be asked for.
    wanted: Addressed,
    /// IRPs of operations on these.
    wanted_irps: Addressed,
    /// Paths in `texts` that may be asked for.
    judged: Judged,
}

/// A file that is open between two slices.
#[derive(Clone, Copy)]
struct OpenFile {
    /// Number of its create.
    number: u64,
    path: OpenPath,
}

/// Where the path of an open file is.
#[derive(Clone, Copy)]
enum OpenPath {
    Text(TextId),
    /// In its create, which is read if anybody asks for it.
    Create(Place),
}

impl Sewing {
    /// Goes on with slice `at`; which of its records may be asked for, where that is noted.
    fn add(
        &mut self,
        ground: Ground<'_>,
        at: usize,
        part: &mut Part,
    ) -> io::Result<Option<Box<[Position]>>> {
        let mut threads: Vec<(u16, u32)> = self.threads.iter().map(|(c, t)| (*c, *t)).collect();
        threads.sort_unstable();
        let imports = &mut self.imports[at];
        imports.threads = threads;
        self.name_early(ground, at, part)?;
        let mut choosing = self.choose(ground.pool, part);
        for object in &part.used {
            self.import_object(ground, at, *object)?;
        }
        for irp in &part.wanted {
            if let Some(operation) = self.pairing.operation(*irp) {
                self.import_object(ground, at, operation.object)?;
                let imports = &mut self.imports[at];
                imports.operations.insert(*irp, operation);
                if let Some(name) = self.names.get(irp) {
                    imports.names.insert(*irp, *name);
                }
            }
        }
        for orphan in std::mem::take(&mut part.ends) {
            if let Some(first) = self.pairing.end(orphan.irp) {
                self.wanted_irps.remove(orphan.irp);
                if let Some(choosing) = &mut choosing {
                    choosing.positions.push(orphan.position);
                }
                self.imports[at].joined.insert(orphan.number, first);
                self.names.remove(&orphan.irp);
                let open = self.open.get(&first.object);
                let failed = first.family == Family::Create
                    && orphan.end.status >= 0x8000_0000
                    && open.is_some_and(|open| open.number == first.number);
                if failed || first.family == Family::Close {
                    self.open.remove(&first.object);
                    self.wanted.remove(first.object);
                }
                let late = self.late(first);
                late.end = Some(orphan.end);
                late.frames.extend(orphan.frames);
            }
        }
        for orphan in std::mem::take(&mut part.callbacks) {
            self.callback(at, &mut part.pairing, orphan);
        }
        for (slice, number, frames) in std::mem::take(&mut part.tails) {
            let first = Ref {
                slice,
                ..Ref::of(number)
            };
            self.late(first).frames.extend(frames);
        }
        for (object, create) in &part.objects {
            let opened = create.as_ref().and_then(|create| {
                Some(OpenFile {
                    number: create.number,
                    path: match &create.path {
                        Some(path) => OpenPath::Text(self.texts.number(part.path(path.clone()))?),
                        None => OpenPath::Create(create.place),
                    },
                })
            });
            match opened {
                Some(opened) => drop(self.open.insert(*object, opened)),
                None => drop(self.open.remove(object)),
            }
        }
        // What has another operation now, or had one, has its name no longer.
        if !self.names.is_empty() {
            for irp in part.done_irps().chain(part.pairing.irps()) {
                self.names.remove(&irp);
            }
        }
        for (irp, name) in std::mem::take(&mut part.names) {
            if let Some(name) = self.texts.number(&name) {
                self.names.insert(irp, name);
            }
        }
        let pairing = std::mem::take(&mut part.pairing);
        if let Some(noting) = ground.noting {
            self.keep_wanted(noting, part, &pairing);
        }
        self.pairing.take_over(pairing);
        self.pairing.settle(part.done_irps(), &part.closed);
        self.threads.extend(std::mem::take(&mut part.threads));
        Ok(choosing.and_then(|choosing| choosing.list(ground.slices[at].records)))
    }

    /// Tells slice `at` of a file that was opened before it.
    fn import_object(&mut self, ground: Ground<'_>, at: usize, object: u64) -> io::Result<()> {
        let Some(open) = self.open.get_mut(&object) else {
            return Ok(());
        };
        let path = match open.path {
            OpenPath::Text(path) => path,
            OpenPath::Create(place) => {
                let path = ground.path_at(place)?.map(|(_, path)| path);
                let Some(path) = self.texts.number(&path.unwrap_or_default()) else {
                    return Ok(());
                };
                open.path = OpenPath::Text(path);
                path
            }
        };
        let number = open.number;
        let opened = Opened { path, number };
        self.imports[at].objects.insert(object, opened);
        Ok(())
    }

    /// Chooses which records of a slice may be asked for, and with that which files and operations it uses.
    fn choose(&self, pool: &Pool, part: &mut Part) -> Option<Choosing> {
        let mut columns = part.columns.take()?;
        let open = |object| {
            let open = self.open.get(&object);
            open.is_some_and(|open| match open.path {
                OpenPath::Text(path) => !self.texts.get(path).is_empty(),
                // One without a path is noted, for that may be any.
                OpenPath::Create(_) => true,
            })
        };
        let before = Before {
            wanted: &self.wanted,
            irps: &self.wanted_irps,
            has_operation: &|irp| self.pairing.operation(irp).is_some(),
            is_open: &open,
        };
        let mut choosing = Choosing::new(&mut columns, &part.operations, &part.noted, &before);
        pool.keep_columns(columns);
        part.used.clear();
        part.used.extend(choosing.used.drain());
        part.wanted = std::mem::take(&mut choosing.called_for);
        Some(choosing)
    }

    /// Keeps which of the open files, and operations on them, may be asked for, behind a slice.
    fn keep_wanted(&mut self, noting: &Noting<'_>, part: &Part, later: &Pairing<Ref>) {
        let may_be = |path: &str| !is_whole(path) || noting.file(path);
        for (object, _) in &part.objects {
            let open = self.open.get(object);
            let (texts, judged) = (&self.texts, &mut self.judged);
            let wanted = open.is_some_and(|open| match open.path {
                OpenPath::Text(path) => judged.wants(path, texts, may_be),
                OpenPath::Create(_) => false,
            });
            match wanted {
                true => self.wanted.add(*object),
                false => self.wanted.remove(*object),
            }
        }
        if !self.wanted_irps.is_empty() {
            for irp in part.done_irps().chain(later.irps()) {
                self.wanted_irps.remove(irp);
            }
        }
        let (names, texts, judged) = (&self.names, &self.texts, &mut self.judged);
        let mut names_wanted = |irp: &u64| {
            let name = names.get(irp);
            name.is_some_and(|name| judged.wants(*name, texts, may_be))
        };
        for (irp, first) in later.open_operations() {
            if self.wanted.holds(first.object) || names_wanted(&irp) {
                self.wanted_irps.add(irp);
            }
        }
    }

    /// Callbacks of earlier slices that waited for a create which this one logs, and those of this one that wait on.
    fn name_early(&mut self, ground: Ground<'_>, at: usize, part: &mut Part) -> io::Result<()> {
        let (imports, texts) = (&mut self.imports, &mut self.texts);
        // Of an IRP with records that were left to look at, all were.
        let mut done: HashMap<u64, (Order, Option<Place>)> = HashMap::new();
        if !self.early.is_empty() {
            let create = |one: &DoneOperation| (one.family == Family::Create).then_some(one.place);
            let operations = part.operations.iter();
            let operations = operations.map(|one| (one.irp, one.start, create(one)));
            let plain = part.plain.iter().map(|one| (one.irp, one.start, None));
            for (irp, start, create) in operations.chain(plain) {
                if self.early.waits(irp) {
                    let first = done.entry(irp).or_insert((start, create));
                    if start < first.0 {
                        *first = (start, create);
                    }
                }
            }
        }
        let mut named: HashMap<u64, (u64, String)> = HashMap::new();
        for (irp, (_, create)) in &done {
            if let Some(create) = *create
                && let Some((object, path)) = ground.create_at(create)?
            {
                named.insert(*irp, (object, path));
            }
        }
        self.early.sweep(|irp, waiting| {
            let create = part.first_creates.get(&irp).or_else(|| named.get(&irp));
            if let Some((object, path)) = create {
                let path = texts.number(path);
                for one in waiting.iter().filter(|one| one.object == *object) {
                    let (slice, number) = one.callback;
                    if let (Some(path), Some(there)) = (path, imports.get_mut(slice as usize)) {
                        there.named.insert(number, path);
                    }
                }
            }
            create.is_some() || part.pairing.knows_operation(irp) || done.contains_key(&irp)
        });
        for (irp, waiting) in part.early.drain() {
            // Called for an operation that began in an earlier slice.
            if waiting.known || self.pairing.operation(irp).is_none() {
                let callback = (at as u32, waiting.callback.0);
                self.early.add(
                    irp,
                    early::Waiting {
                        callback,
                        object: waiting.object,
                        known: waiting.known,
                    },
                );
            }
        }
        Ok(())
    }

    /// Looks what a callback without initiation in its slice belongs to.
    fn callback(&mut self, at: usize, local: &mut Pairing<Ref>, orphan: OrphanCallback) {
        for (place, record) in orphan.records.into_iter().enumerate() {
            let (key, sign, time) = (orphan.key, record.sign, record.time);
            let first = match place == 0 && orphan.begun_here {
                true => self.pairing.join_recent(key, sign, time),
                false => self.pairing.join(key, sign, time),
            };
            let Some(first) = first else {
                // Where the first of its records begins something new, the others are right as they are.
                if place == 0 {
                    return;
                }
                let this = Ref {
                    slice: at as u32,
                    ..Ref::of(record.number)
                };
                self.pairing
                    .callback(orphan.key, record.sign, record.time, this);
                continue;
            };
            if place == 0 {
                local.forget(orphan.key, |known| known.number == record.number);
            }
            self.imports[at].joined.insert(record.number, first);
            let late = self.late(first);
            match record.sign {
                CallbackSign::Failure => late.failure = late.failure.or(Some(record.status)),
                _ => {
                    late.completed = late.completed.or(Some(record.ticks));
                    late.began = late.began.or(record.began);
                }
            }
            late.frames.extend(record.frames);
        }
    }

    fn late(&mut self, first: Ref) -> &mut Late {
        let at = (first.slice as usize).min(self.imports.len() - 1);
        self.imports[at].late.entry(first.number).or_default()
    }
}

impl Ref {
    fn of(number: u64) -> Self {
        Self {
            slice: 0,
            number,
            object: 0,
            tid: None,
            family: Family::Other,
            told: Told::Plain,
        }
    }
}
