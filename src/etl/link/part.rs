//! What one slice tells the others.

use super::columns::{Columns, Operation, Stamp};
use super::early::{Early, Waiting, may_be_early};
use super::joining::{DoneOperation, Joining, Left, PlainOperation};
use super::latest::Latest;
use super::noted::{NotedHere, Noting};
use super::pairing::{CallbackKey, CallbackSign, Pairing, Standing};
use super::reused::Pool;
use super::stacks::Needed;
use super::{End, Family, Ref, Told};
use crate::etl::body::Body;
use crate::etl::dictionary::facts::Facts;
use crate::etl::file::EtlFile;
use crate::etl::gather::{Loaded, Order, Place, Placed, Position, Slots, Space, hook_of};
use crate::etl::kernel::file_io::{FileIo, FileOperation, OPERATION_END, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::keys::TimeKey;
use crate::etl::record::Record;
use crate::etl::records::Scratch;
use crate::etl::slices::Slice;
use crate::trace::path::is_whole;
use hashbrown::{HashMap, HashSet};
use std::io;
use std::ops::Range;

/// An end whose operation began before the slice.
#[derive(Debug)]
pub struct OrphanEnd {
    /// IRP of the operation.
    pub irp: u64,
    /// Number of the record.
    pub number: u64,
    /// Where it is.
    pub position: Position,
    /// The end.
    pub end: End,
    /// Thread of the record.
    pub tid: Option<u32>,
    /// Stack of the record.
    pub frames: Vec<u64>,
}

/// A record of a callback that is no initiation.
#[derive(Debug)]
pub struct CallbackRecord {
    /// What it says.
    pub sign: CallbackSign,
    /// Number of the record.
    pub number: u64,
    /// Its time, as a key.
    pub time: i64,
    /// Its time stamp.
    pub ticks: i64,
    /// Start of the callback, as a completion tells it, in ticks.
    pub began: Option<i64>,
    /// Status of a failure.
    pub status: u32,
    /// Its thread.
    pub tid: Option<u32>,
    /// Its stack.
    pub frames: Vec<u64>,
}

/// Records of a callback whose initiation is not in the slice.
#[derive(Debug)]
pub struct OrphanCallback {
    /// Which callback.
    pub key: CallbackKey,
    /// Whether another one of that key began in the slice before.
    pub begun_here: bool,
    /// The records, in order.
    pub records: Vec<CallbackRecord>,
}

/// A create.
#[derive(Debug, Clone)]
pub struct Create {
    /// Its path, in [`Part::paths`]; `None` where it is only read when it is asked for.
    pub path: Option<Range<usize>>,
    /// Its number.
    pub number: u64,
    /// Where it is.
    pub place: Place,
}

/// A slice, looked through by itself.
#[derive(Debug, Default)]
pub struct Part<'g> {
    /// Its buffers, and the space that they were gathered to.
    pub loaded: Option<(Loaded<'g>, Space<'g>)>,
    /// What is open at its end, as far as records were left to look at.
    pub pairing: Pairing<Ref>,
    /// Ends that belong to earlier slices.
    pub ends: Vec<OrphanEnd>,
    /// Callbacks that may belong to earlier slices.
    pub callbacks: Vec<OrphanCallback>,
    /// Stacks of records that stand in this slice by their time stamp and in an earlier one by their start.
    pub tails: Vec<(u32, u64, Vec<u64>)>,
    /// The last thread on each processor.
    pub threads: HashMap<u16, u32>,
    /// IRPs of operations that callbacks are called for.
    pub wanted: HashSet<u64>,
    /// New names of files whose rename or link has not ended, by IRP.
    pub names: HashMap<u64, String>,
    /// Numbers and stamps of callbacks that wait for their create.
    pub early: Early<(u64, Stamp)>,
    /// Where the first that is heard of an IRP here is a create: its FileObject, and its path.
    pub first_creates: HashMap<u64, (u64, String)>,
    /// FileObjects that are used here.
    pub used: Vec<u64>,
    /// FileObjects as this slice leaves them: closed, or open with a path and the number of the create.
    pub objects: Vec<(u64, Option<Create>)>,
    /// Paths of these.
    pub paths: String,
    /// Operations that began and ended here and are known by nothing else.
    pub operations: Vec<DoneOperation>,
    /// The same of those that nobody will ask for.
    pub plain: Vec<PlainOperation>,
    /// Marks of callbacks that began and ended here and are known by nothing else.
    pub closed: Vec<u64>,
    /// What was noted of it.
    pub noted: NotedHere,
    /// What its records are known by, where something is to be noted.
    pub columns: Option<Columns>,
}

/// What looking at a slice needs to know of the trace.
#[derive(Clone, Copy)]
pub struct Ground<'g> {
    /// The trace.
    pub file: &'g EtlFile,
    /// What it says.
    pub facts: &'g Facts,
    /// Its slices.
    pub slices: &'g [Slice],
    /// Number of the first record of each buffer.
    pub first_numbers: &'g [u64],
    /// What is to be noted.
    pub noting: Option<&'g Noting<'g>>,
    /// What is used for one slice after the other.
    pub pool: &'g Pool,
}

impl Ground<'_> {
    /// FileObject and path of a create that is over; `None` where the path is not whole.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn create_at(&self, place: Place) -> io::Result<Option<(u64, String)>> {
        let found = self.path_at(place)?;
        Ok(found.filter(|(_, path)| is_whole(path)))
    }

    /// FileObject and path of the create at a place.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn path_at(&self, place: Place) -> io::Result<Option<(u64, String)>> {
        if !self.file.is_compressed(place.buffer) {
            let mut bytes = [0; USUAL_CREATE];
            let len = self.file.read_data(place.buffer, place.at(), &mut bytes)?;
            if let Ok(record) = Record::parse(&bytes[..len]) {
                return Ok(self.path_of(&record));
            }
        }
        let held = self.file.hold_these(&[place.buffer])?;
        let mut scratch = Scratch::default();
        let buffer = place.buffer as usize;
        let records = self.file.records_held(buffer, &held, &mut scratch)?;
        let record = place.record(records.data());
        Ok(record.and_then(|record| self.path_of(&record)))
    }

    fn path_of(&self, record: &Record<'_>) -> Option<(u64, String)> {
        let hook = hook_of(record)?;
        let mut fields = Fields::new(record.payload(), record.wide());
        let io = FileIo::parse(hook.id, hook.version.into(), &mut fields)?;
        let mut path = String::new();
        push_path(self.facts, io.path(), &mut path);
        Some((io.file_object, path))
    }
}

/// Bytes that hold the record of almost any create.
const USUAL_CREATE: usize = 1 << 10;

impl<'g> Part<'g> {
    /// Looks through slice `at`.
    pub fn of(ground: Ground<'g>, at: usize) -> io::Result<Self> {
        let Ground {
            file,
            facts,
            slices,
            ..
        } = ground;
        let slice = &slices[at];
        let loaded = Loaded::new(file, slice, &facts.cuts, true)?;
        let mut space = loaded.space();
        let time = TimeKey::new(file);
        let entries = space.entries(false);
        let mut choice = Joining::new(ground, slice, entries);
        let slots = loaded.gather(ground.first_numbers, &mut space, &mut choice)?;
        let Left {
            entries,
            mut stacks,
            tails,
            threads,
            mut latest,
            wanted,
            operations,
            plain,
            callbacks,
            noted,
            columns,
            tools,
        } = choice.finish();
        ground.pool.keep_tools(tools);
        let records = slots.in_order(entries, |_| true);
        let mut out = Self {
            threads,
            pairing: Pairing::for_slice(),
            wanted,
            operations,
            plain,
            closed: callbacks,
            noted,
            columns: match ground.noting {
                Some(_) => Some(columns),
                None => {
                    ground.pool.keep_columns(columns);
                    None
                }
            },
            ..Self::default()
        };
        for index in 0..records.len() {
            if let Some(placed) = records.get(index, |_| 0) {
                let known = (facts, ground.noting, time);
                out.record(known, (at, records.order(index)), &placed, &mut latest);
            }
        }
        out.used.extend(latest.wanted());
        let noted: HashSet<u64> = out.noted.objects().collect();
        for (object, create) in latest.ends() {
            let create = create.map(|(place, number)| {
                // A path that nobody will ask for is hardly ever needed.
                let later = ground.noting.is_some()
                    && !noted.contains(&object)
                    && !file.is_compressed(place.buffer);
                Create {
                    path: (!later).then(|| out.push_create(facts, &slots, place)),
                    number,
                    place,
                }
            });
            out.objects.push((object, create));
        }
        let tails: Vec<Placed<'_>> = tails
            .into_iter()
            .filter_map(|(start, place)| {
                let placed = slots.at(place.position())?;
                Some(Placed { start, ..placed })
            })
            .collect();
        let orphans = || out.callbacks.iter().flat_map(|orphan| &orphan.records);
        let mut needed: HashSet<i64> = tails.iter().map(|tail| tail.ticks).collect();
        needed.extend(out.ends.iter().map(|orphan| orphan.end.ticks));
        needed.extend(orphans().map(|record| record.ticks));
        stacks.finish(&slots, Needed::these(&needed), |buffer, ticks| {
            time.of(buffer as usize, ticks)
        });
        let frames = |ticks, tid| {
            let mut frames = Vec::new();
            if !stacks.is_empty() {
                stacks.push(ticks, tid, false, &facts.stacks, &mut frames);
            }
            frames
        };
        for orphan in &mut out.ends {
            orphan.frames = frames(orphan.end.ticks, orphan.tid);
        }
        for orphan in &mut out.callbacks {
            for record in &mut orphan.records {
                record.frames = frames(record.ticks, record.tid);
            }
        }
        for tail in tails {
            let tid = tail.record.tid().or(Body::of(&tail).owner().1);
            let frames = frames(tail.ticks, tid);
            if !frames.is_empty() {
                let slice = slices.partition_point(|slice| slice.from <= tail.start);
                out.tails
                    .push((slice.max(1) as u32 - 1, tail.number, frames));
            }
        }
        if let Some(columns) = &mut out.columns {
            columns.take_stacks(stacks.into_noted(), |position, ticks| {
                time.of(loaded.buffer_of(position) as usize, ticks)
            });
            // A later slice may tell what these are called for.
            out.early.each(|waiting| columns.take(waiting.callback.1));
        }
        let entries = records.into_entries();
        space.keep(entries);
        out.loaded = ground.noting.is_some().then_some((loaded, space));
        Ok(out)
    }

    /// Keeps the path of the create at a place.
    fn push_create(&mut self, facts: &Facts, slots: &Slots<'_>, place: Place) -> Range<usize> {
        let from = self.paths.len();
        if let Some(placed) = slots.at(place.position())
            && let Some(hook) = placed.hook
        {
            let record = &placed.record;
            let mut fields = Fields::new(record.payload(), record.wide());
            if let Some(io) = FileIo::parse(hook.id, hook.version.into(), &mut fields) {
                push_path(facts, io.path(), &mut self.paths);
            }
        }
        from..self.paths.len()
    }

    /// IRPs of operations that began and ended here and are known by nothing else.
    pub fn done_irps(&self) -> impl Iterator<Item = u64> + '_ {
        let plain = self.plain.iter().map(|done| done.irp);
        self.operations.iter().map(|done| done.irp).chain(plain)
    }

    /// A path of [`Part::paths`].
    pub fn path(&self, range: Range<usize>) -> &str {
        self.paths.get(range).unwrap_or("")
    }

    #[inline]
    fn record(
        &mut self,
        (facts, noting, time): (&Facts, Option<&Noting<'_>>, TimeKey<'_>),
        (slice, order): (usize, Order),
        placed: &Placed<'_>,
        latest: &mut Latest,
    ) {
        let Some(hook) = placed.hook else { return };
        let record = &placed.record;
        let mut fields = Fields::new(record.payload(), record.wide());
        match hook.id {
            OPERATION_END => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return;
                };
                if let Some(columns) = &mut self.columns {
                    columns.left_end(end.irp, order);
                }
                self.names.remove(&end.irp);
                self.early.take(end.irp);
                // Of one that began and ended here, nothing more is to come.
                let known = self.pairing.knows_operation(end.irp);
                let first = self.pairing.end(end.irp);
                if let Some(first) = first {
                    match first.family {
                        Family::Create if !end.succeeded() => {
                            latest.fail(first.object, first.number);
                        }
                        Family::Close => latest.close(first.object, order),
                        _ => {}
                    }
                }
                if first.is_none() && !known {
                    self.ends.push(OrphanEnd {
                        irp: end.irp,
                        number: placed.number,
                        position: order.position(),
                        end: End {
                            ticks: placed.ticks,
                            status: end.status,
                            information: end.information,
                        },
                        tid: record.tid(),
                        frames: Vec::new(),
                    });
                }
            }
            0x0440..=0x0452 => {
                if let Some(io) = FileIo::parse(hook.id, hook.version.into(), &mut fields) {
                    if let (Some(columns), Some(noting)) = (&mut self.columns, noting) {
                        let family = family(io.operation);
                        let operation = Operation {
                            object: io.file_object,
                            irp: io.irp,
                            own: noting.is_own(record.pid(), Some(io.tid)) == Some(true),
                            creates: family == Family::Create,
                        };
                        columns.left_operation(operation, order);
                    }
                    self.operation(facts, slice, placed.number, &io);
                }
            }
            0x0460..=0x0465 => {
                if let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) {
                    self.callback((slice, order, time), placed, &callback);
                }
            }
            _ => {}
        }
    }

    fn operation(&mut self, facts: &Facts, slice: usize, number: u64, io: &FileIo<'_>) {
        let this = Ref {
            slice: slice as u32,
            number,
            object: io.file_object,
            tid: Some(io.tid),
            family: family(io.operation),
            told: told(io.operation),
        };
        self.early.take(io.irp);
        match io.operation {
            FileOperation::Create | FileOperation::CreateNew
                if !self.pairing.knows_operation(io.irp) =>
            {
                let mut path = String::new();
                push_path(facts, io.path(), &mut path);
                if is_whole(&path) {
                    self.first_creates.insert(io.irp, (io.file_object, path));
                }
            }
            _ => {}
        }
        let known = self.pairing.operation(io.irp);
        let twin = known.filter(|known| same_operation(known, &this));
        if matches!(
            io.operation,
            FileOperation::RenamePath | FileOperation::SetLinkPath
        ) {
            let mut name = String::new();
            push_path(facts, io.path(), &mut name);
            self.names.insert(io.irp, name);
        } else if twin.is_none() {
            self.names.remove(&io.irp);
        }
        let both = |twin| Ref {
            told: Told::Both,
            ..twin
        };
        self.pairing.start(io.irp, twin.map_or(this, both));
    }

    fn callback(
        &mut self,
        (slice, order, time): (usize, Order, TimeKey<'_>),
        placed: &Placed<'_>,
        callback: &MinifilterCallback,
    ) {
        let (key, sign) = key_of(callback);
        let irp = callback.callback_data;
        let known = self.pairing.known(irp);
        if known.is_none() && self.columns.is_none() {
            self.wanted.insert(irp);
        }
        let operation = known.flatten();
        let this = Ref {
            slice: slice as u32,
            number: placed.number,
            object: callback.file_object,
            tid: placed.record.tid().or(operation.and_then(|open| open.tid)),
            family: Family::Other,
            told: Told::Plain,
        };
        let may_be_early = operation.is_none() && may_be_early(key, callback.major_function);
        let stamp = Stamp {
            order,
            written: time.of(placed.buffer as usize, placed.ticks),
            cpu: placed.record.tid().is_none().then_some(placed.cpu),
        };
        if let Some(columns) = &mut self.columns {
            columns.left_callback(callback.file_object, irp, stamp);
        }
        let early = Waiting {
            callback: (placed.number, stamp),
            object: callback.file_object,
            known: known.is_some(),
        };
        if sign == CallbackSign::Init {
            self.pairing.open(key, sign, placed.start, this);
            if may_be_early {
                self.early.add(irp, early);
            }
            return;
        }
        let (standing, first) = self.pairing.callback_stood(key, sign, placed.start, this);
        if may_be_early && first.is_none() {
            self.early.add(irp, early);
        }
        let record = || CallbackRecord {
            sign,
            number: placed.number,
            time: placed.start,
            ticks: placed.ticks,
            began: callback.start_time,
            status: callback.status.unwrap_or(0),
            tid: placed.record.tid(),
            frames: Vec::new(),
        };
        match first {
            // It does not belong to the one that is open: it begins something new.
            None if standing == Standing::Open => {}
            None => self.callbacks.push(OrphanCallback {
                key,
                begun_here: standing == Standing::Closed,
                records: vec![record()],
            }),
            Some(first) => {
                let is_first = |orphan: &&mut OrphanCallback| {
                    orphan
                        .records
                        .first()
                        .is_some_and(|r| r.number == first.number)
                };
                let near = self.callbacks.iter_mut().rev().take(NEAR);
                if let Some(orphan) = near.into_iter().find(is_first) {
                    orphan.records.push(record());
                }
            }
        }
    }
}

/// The other record of a callback without initiation is near, if it is there at all.
const NEAR: usize = 256;

/// Which callback a record is about, and what it says of it.
#[inline]
pub fn key_of(callback: &MinifilterCallback) -> (CallbackKey, CallbackSign) {
    (CallbackKey::of(callback), callback.moment.into())
}

/// What an operation does, where two records may tell of it.
#[inline]
pub fn family(operation: FileOperation) -> Family {
    match operation {
        FileOperation::Create | FileOperation::CreateNew => Family::Create,
        FileOperation::Close => Family::Close,
        FileOperation::Delete | FileOperation::DeletePath => Family::Delete,
        FileOperation::Rename | FileOperation::RenamePath => Family::Rename,
        FileOperation::SetLink | FileOperation::SetLinkPath => Family::Link,
        _ => Family::Other,
    }
}

/// Which of the two records of an operation this is.
#[inline]
pub fn told(operation: FileOperation) -> Told {
    match operation {
        FileOperation::DeletePath | FileOperation::RenamePath | FileOperation::SetLinkPath => {
            Told::WithPath
        }
        _ => Told::Plain,
    }
}

/// Whether a record with the IRP of an open one tells of the same operation: it is the other one of the two that do. A
/// second one of a kind tells of a new operation, and the end of the one before was lost.
#[inline]
pub fn same_operation(open: &Ref, this: &Ref) -> bool {
    matches!(this.family, Family::Delete | Family::Rename | Family::Link)
        && open.family == this.family
        && open.object == this.object
        && open.told != Told::Both
        && open.told != this.told
}

/// Appends a path of a file operation, with the drive letter where it is known.
#[inline]
pub fn push_path(facts: &Facts, path: WideText<'_>, out: &mut String) {
    let from = out.len();
    path.push_to(out);
    facts.volumes.shorten(out, from);
}
