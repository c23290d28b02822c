//! What one slice tells the others.

use super::early::{Early, Waiting, may_be_early};
use super::objects::Objects;
use super::pairing::{CallbackKey, CallbackSign, Pairing, Standing};
use super::stacks::{Needed, SliceStacks};
use super::{End, Family, Ref};
use crate::etl::body::Body;
use crate::etl::dictionary::collect::Facts;
use crate::etl::file::EtlFile;
use crate::etl::forms::Form;
use crate::etl::gather::{Choose, Entries, Loaded, Order, Place, Placed, hook_of};
use crate::etl::kernel::file_io::{FileIo, FileOperation, OPERATION_END, OperationEnd};
use crate::etl::kernel::minifilter::{CallbackMoment, MinifilterCallback};
use crate::etl::kernel::thread::ContextSwitch;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::keys::{StartAt, TimeKey, is_stack, placing_start_at};
use crate::etl::record::{Hook, Record};
use crate::etl::slices::Slice;
use crate::trace::Phase;
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

/// A slice, looked through by itself.
#[derive(Debug, Default)]
pub struct Part {
    /// Paths of its files.
    pub objects: Objects,
    /// What is open at its end.
    pub pairing: Pairing<Ref>,
    /// Ends that belong to earlier slices.
    pub ends: Vec<OrphanEnd>,
    /// Callbacks that may belong to earlier slices.
    pub callbacks: Vec<OrphanCallback>,
    /// Stacks of records that stand in this slice by their time stamp and in an earlier one by their start.
    pub tails: Vec<(u32, u64, Vec<u64>)>,
    /// The last thread on each processor.
    pub threads: HashMap<u16, u32>,
    /// IRPs of operations that callbacks are called for and that did not begin here.
    pub wanted: HashSet<u64>,
    /// New names of files whose rename or link has not ended, by IRP.
    pub names: HashMap<u64, String>,
    /// Numbers of callbacks that wait for their create.
    pub early: Early<u64>,
    /// Where the first that is heard of an IRP here is a create: its FileObject, and its path in `objects`.
    pub first_creates: HashMap<u64, (u64, Range<usize>)>,
}

/// Whether a record takes part in what joins slices.
#[inline]
fn joins(hook: u16) -> bool {
    matches!(hook, 0x0440..=0x0452 | 0x0460..=0x0465)
}

/// Chooses what takes part in what joins slices, and notes the stacks.
struct Joining<'s, 'a> {
    slice: &'s Slice,
    time: TimeKey<'s>,
    callback_starts: bool,
    stacks: SliceStacks<'a>,
    /// Records that stand in this slice by their time stamp and in an earlier one by their start.
    tails: Vec<(i64, Place)>,
    /// The last context switch on each processor: its order, and the new thread.
    threads: HashMap<u16, (Order, u32)>,
}

/// What records are to [`Joining`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Joins {
    stack: bool,
    joins: bool,
    /// A context switch.
    switch: bool,
    start: StartAt,
}

impl Joining<'_, '_> {
    fn care(&self, hook: Hook, wide: bool) -> Joins {
        Joins {
            stack: is_stack(hook.id),
            joins: joins(hook.id),
            switch: hook.id == 0x0524,
            start: placing_start_at(hook, wide, self.callback_starts),
        }
    }

    #[inline]
    fn see(
        &mut self,
        entries: &mut Entries,
        place: Place,
        care: Joins,
        ticks: i64,
        record: &Record<'_>,
    ) {
        let buffer = place.buffer as usize;
        let payload = record.payload();
        if care.stack {
            let event = crate::bytes::i64_at(payload, 0);
            if let Some(event) = event.filter(|at| self.slice.holds(self.time.of(buffer, *at))) {
                self.stacks.note(event, place);
            }
            return;
        }
        let key = self.time.of(buffer, ticks);
        let start = care.start.of(payload, ticks);
        let start = start.map_or(key, |start| self.time.of(buffer, start));
        if start < self.slice.from && self.slice.holds(key) {
            self.tails.push((start, place));
        }
        if !self.slice.holds(start) {
            return;
        }
        if care.switch {
            let new_tid = crate::bytes::u32_at(payload, 0);
            if let (Some(tid), true) = (new_tid, payload.len() >= ContextSwitch::SIZE) {
                let order = entries.pass(start);
                let last = self.threads.entry(place.cpu).or_insert((order, tid));
                if order >= last.0 {
                    *last = (order, tid);
                }
            }
        } else if care.joins {
            entries.take(start, place);
        }
    }
}

impl<'a> Choose<'a> for Joining<'_, 'a> {
    type Care = Joins;

    fn meet(&mut self, form: &Form<()>) -> Joins {
        self.care(form.hook, form.wide())
    }

    #[inline(always)]
    fn kernel(
        &mut self,
        entries: &mut Entries,
        place: Place,
        form: &Form<Joins>,
        ticks: i64,
        record: Record<'a>,
    ) {
        self.see(entries, place, form.care, ticks, &record);
    }

    fn other(&mut self, entries: &mut Entries, place: Place, record: Record<'a>) {
        if let (Some(hook), Some(ticks)) = (hook_of(&record), record.time()) {
            let care = self.care(hook, record.wide());
            self.see(entries, place, care, ticks, &record);
        }
    }
}

impl Part {
    /// Looks through slice `at`.
    pub fn of(
        file: &EtlFile,
        facts: &Facts,
        slices: &[Slice],
        at: usize,
        first_numbers: &[u64],
    ) -> io::Result<Self> {
        let slice = &slices[at];
        let loaded = Loaded::new(file, slice, true)?;
        let mut space = loaded.space();
        let mut choice = Joining {
            slice,
            time: TimeKey::new(file),
            callback_starts: facts.callback_starts,
            stacks: SliceStacks::default(),
            tails: Vec::new(),
            threads: HashMap::new(),
        };
        let mut records = loaded.gather(first_numbers, &mut space, &mut choice)?;
        let Joining {
            time,
            mut stacks,
            tails,
            threads,
            ..
        } = choice;
        records.sort(|_| true);
        let threads = threads.into_iter().map(|(cpu, (_, tid))| (cpu, tid));
        let mut out = Self {
            threads: threads.collect(),
            pairing: Pairing::for_slice(),
            ..Self::default()
        };
        for index in 0..records.len() {
            if let Some(placed) = records.get(index, |_| 0) {
                out.record(facts, at, &placed);
            }
        }
        let tails: Vec<Placed<'_>> = tails
            .into_iter()
            .filter_map(|(start, place)| {
                let placed = records.at(place)?;
                Some(Placed { start, ..placed })
            })
            .collect();
        let orphans = || out.callbacks.iter().flat_map(|orphan| &orphan.records);
        let mut needed: HashSet<i64> = tails.iter().map(|tail| tail.ticks).collect();
        needed.extend(out.ends.iter().map(|orphan| orphan.end.ticks));
        needed.extend(orphans().map(|record| record.ticks));
        stacks.finish(&records, Needed::these(&needed), |buffer, ticks| {
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
        Ok(out)
    }

    #[inline]
    fn record(&mut self, facts: &Facts, slice: usize, placed: &Placed<'_>) {
        let Some(hook) = placed.hook else { return };
        let record = &placed.record;
        let mut fields = Fields::new(record.payload(), record.wide());
        match hook.id {
            OPERATION_END => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return;
                };
                self.names.remove(&end.irp);
                self.early.take(end.irp);
                // Of one that began and ended here, nothing more is to come.
                let known = self.pairing.knows_operation(end.irp);
                let first = self.pairing.end(end.irp);
                if let Some(first) = first {
                    match first.family {
                        Family::Create if !end.succeeded() => {
                            self.objects.fail(first.object, first.number, None);
                        }
                        Family::Close => self.objects.close(first.object),
                        _ => {}
                    }
                }
                if first.is_none() && !known {
                    self.ends.push(OrphanEnd {
                        irp: end.irp,
                        number: placed.number,
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
                    self.operation(facts, slice, placed.number, &io);
                }
            }
            0x0460..=0x0465 => {
                if let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) {
                    self.objects.want(callback.file_object);
                    self.callback(slice, placed, &callback);
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
        };
        self.early.take(io.irp);
        match io.operation {
            FileOperation::Create | FileOperation::CreateNew => {
                let path = self.objects.set(io.file_object, number, |out| {
                    push_path(facts, io.path(), out)
                });
                if is_whole(self.objects.path(path.clone()))
                    && !self.pairing.knows_operation(io.irp)
                {
                    self.first_creates.insert(io.irp, (io.file_object, path));
                }
            }
            // Its callbacks run until it ends: the name goes with the end, where ends are recorded.
            FileOperation::Close if !facts.operation_ends => {
                self.objects.want(io.file_object);
                self.objects.close(io.file_object);
            }
            FileOperation::RenamePath | FileOperation::SetLinkPath => {
                self.objects.want(io.file_object);
                let mut name = String::new();
                push_path(facts, io.path(), &mut name);
                self.names.insert(io.irp, name);
            }
            _ => self.objects.want(io.file_object),
        }
        let known = self.pairing.operation(io.irp);
        if known.is_none_or(|known| !same_operation(&known, &this)) {
            self.pairing.start(io.irp, this);
        }
    }

    fn callback(&mut self, slice: usize, placed: &Placed<'_>, callback: &MinifilterCallback) {
        let (key, sign) = key_of(callback);
        let irp = callback.callback_data;
        let known = self.pairing.known(irp);
        if known.is_none() {
            self.wanted.insert(irp);
        }
        let operation = known.flatten();
        let this = Ref {
            slice: slice as u32,
            number: placed.number,
            object: callback.file_object,
            tid: placed.record.tid().or(operation.and_then(|open| open.tid)),
            family: Family::Other,
        };
        let may_be_early = operation.is_none() && may_be_early(key, callback);
        let early = Waiting {
            callback: placed.number,
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
    let key = CallbackKey {
        routine: callback.routine,
        data: callback.callback_data,
        phase: if callback.post {
            Phase::Post
        } else {
            Phase::Pre
        },
    };
    let sign = match callback.moment {
        CallbackMoment::Init => CallbackSign::Init,
        CallbackMoment::Completion => CallbackSign::Completion,
        CallbackMoment::Failure => CallbackSign::Failure,
    };
    (key, sign)
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

/// Whether a record with the IRP of an open one tells of the same operation.
#[inline]
pub fn same_operation(open: &Ref, this: &Ref) -> bool {
    matches!(this.family, Family::Delete | Family::Rename | Family::Link)
        && open.family == this.family
        && open.object == this.object
}

/// Appends a path of a file operation, with the drive letter where it is known.
#[inline]
pub fn push_path(facts: &Facts, path: WideText<'_>, out: &mut String) {
    let from = out.len();
    path.push_to(out);
    facts.volumes.shorten(out, from);
}
