//! The first look at the records of a slice, in which most turn out to be of no concern to other slices: an operation or
//! callback that begins and ends in one buffer, where nothing else of the slice has its IRP or key.
//!
//! What is left is put in order of time and looked at record by record, with all that has the same IRP or key.

use super::Family;
use super::early::may_be_early;
use super::latest::Latest;
use super::noted::{NotedHere, Noting};
use super::pairing::{CallbackKey, CallbackSign};
use super::part::{Ground, family, key_of, push_path};
use super::stacks::SliceStacks;
use crate::etl::dictionary::collect::Facts;
use crate::etl::forms::Form;
use crate::etl::gather::{Choose, Entries, Order, Place, hook_of};
use crate::etl::kernel::Fields;
use crate::etl::kernel::file_io::{FileIo, FileOperation, OPERATION_END, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::thread::ContextSwitch;
use crate::etl::keys::{StartAt, TimeKey, is_stack, placing_start_at};
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Addressed;
use crate::etl::slices::Slice;
use crate::trace::path::is_whole;
use hashbrown::{HashMap, HashSet};

/// Callbacks, and operations, that can be open in a buffer without being left over. A processor nests some dozens.
const PLACES: usize = 256;

/// Room that is made in advance: more than most slices need.
const ROOM: usize = 1 << 14;

/// A callback that has begun in a buffer.
#[derive(Debug, Clone, Copy)]
struct BegunCallback {
    /// Its buffer and one; 0 for none.
    buffer: u64,
    key: CallbackKey,
    order: Order,
}

/// An operation that has begun in a buffer.
#[derive(Debug, Clone, Copy)]
struct BegunOperation {
    /// Its buffer and one; 0 for none.
    buffer: u64,
    irp: u64,
    object: u64,
    family: Family,
    order: Order,
    place: Place,
}

/// A callback that begins and ends in one buffer.
#[derive(Debug, Clone, Copy)]
struct DoneCallback {
    mark: u64,
    data: u64,
    orders: [Order; 2],
}

/// An operation that begins and ends in one buffer.
#[derive(Debug, Clone, Copy)]
pub struct DoneOperation {
    /// Its IRP.
    pub irp: u64,
    /// Order of its start.
    pub start: Order,
    /// Order of its end.
    pub end: Order,
    /// Where its start is.
    pub place: Place,
    /// What it does.
    pub family: Family,
    object: u64,
    succeeded: bool,
}

/// What is left of a slice after the first look.
#[derive(Debug)]
pub struct Left<'a> {
    /// The records that are to be looked at one by one.
    pub entries: Entries,
    /// Stacks.
    pub stacks: SliceStacks<'a>,
    /// Records that stand in this slice by their time stamp and in an earlier one by their start.
    pub tails: Vec<(i64, Place)>,
    /// The last thread on each processor.
    pub threads: HashMap<u16, u32>,
    /// FileObjects.
    pub latest: Latest,
    /// IRPs that callbacks are called for.
    pub wanted: HashSet<u64>,
    /// Operations that began and ended here and are none of the entries.
    pub operations: Vec<DoneOperation>,
    /// Marks of callbacks that began and ended here and are none of the entries.
    pub callbacks: Vec<u64>,
    /// What was noted.
    pub noted: NotedHere,
}

/// Chooses what takes part in what joins slices, and notes the stacks.
pub struct Joining<'s, 'a> {
    facts: &'s Facts,
    noting: Option<&'s Noting<'s>>,
    first_numbers: &'s [u64],
    slice: &'s Slice,
    time: TimeKey<'s>,
    entries: Entries,
    stacks: SliceStacks<'a>,
    tails: Vec<(i64, Place)>,
    /// The last context switch on each processor: its order, and the new thread.
    threads: HashMap<u16, (Order, u32)>,
    latest: Latest,
    wanted: HashSet<u64>,
    /// The IRP that was wanted last.
    asked: u64,
    begun_callbacks: Vec<BegunCallback>,
    begun_operations: Vec<BegunOperation>,
    done_callbacks: Vec<DoneCallback>,
    done_operations: Vec<DoneOperation>,
    /// Marks of callbacks, and IRPs, of which records are left.
    left_marks: Addressed,
    left_irps: Addressed,
    noted: NotedHere,
    path: String,
}

/// What a record is to [`Joining`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Nothing,
    Stack,
    Switch,
    Operation,
    End,
    Callback,
    /// It only has a start.
    Other,
}

/// What records of a form are to [`Joining`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Joins {
    kind: Kind,
    start: StartAt,
}

impl<'s, 'a> Joining<'s, 'a> {
    /// For the records of `slice`.
    pub fn new(ground: Ground<'s>, slice: &'s Slice, entries: Entries) -> Self {
        let nothing = Order::default();
        let key = CallbackKey {
            routine: 0,
            data: 0,
            phase: crate::trace::Phase::Pre,
        };
        Self {
            facts: ground.facts,
            noting: ground.noting,
            first_numbers: ground.first_numbers,
            slice,
            time: TimeKey::new(ground.file),
            entries,
            stacks: SliceStacks::default(),
            tails: Vec::new(),
            threads: HashMap::new(),
            latest: Latest::default(),
            wanted: HashSet::new(),
            asked: 0,
            begun_callbacks: vec![
                BegunCallback {
                    buffer: 0,
                    key,
                    order: nothing
                };
                PLACES
            ],
            begun_operations: vec![
                BegunOperation {
                    buffer: 0,
                    irp: 0,
                    object: 0,
                    family: Family::Other,
                    order: nothing,
                    place: Place::default(),
                };
                PLACES
            ],
            done_callbacks: Vec::with_capacity((slice.records / 4).min(ROOM)),
            done_operations: Vec::with_capacity((slice.records / 8).min(ROOM)),
            left_marks: Addressed::default(),
            left_irps: Addressed::default(),
            noted: NotedHere::default(),
            path: String::new(),
        }
    }

    fn care(&self, hook: Hook, wide: bool) -> Joins {
        let start = placing_start_at(hook, wide, self.facts.callback_starts);
        Joins {
            kind: match hook.id {
                id if is_stack(id) => Kind::Stack,
                0x0524 => Kind::Switch,
                OPERATION_END => Kind::End,
                0x0440..=0x0452 => Kind::Operation,
                0x0460..=0x0465 => Kind::Callback,
                _ if start != StartAt::Nowhere => Kind::Other,
                _ => Kind::Nothing,
            },
            start,
        }
    }

    #[inline]
    fn see(&mut self, place: Place, care: Joins, hook: Hook, ticks: i64, record: &Record<'_>) {
        let buffer = place.buffer as usize;
        let payload = record.payload();
        if care.kind == Kind::Stack {
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
        let order = Order::of(start, place);
        let mut fields = Fields::new(payload, record.wide());
        match care.kind {
            Kind::Callback => {
                if let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) {
                    self.callback(place, order, &callback);
                }
            }
            Kind::End => {
                if let Some(end) = OperationEnd::parse(&mut fields) {
                    self.end(place, order, &end);
                }
            }
            Kind::Operation => {
                if let Some(io) = FileIo::parse(hook.id, hook.version.into(), &mut fields) {
                    self.operation(place, order, &io);
                }
            }
            Kind::Switch => {
                let new_tid = crate::bytes::u32_at(payload, 0);
                if let (Some(tid), true) = (new_tid, payload.len() >= ContextSwitch::SIZE) {
                    let last = self.threads.entry(place.cpu).or_insert((order, tid));
                    if order >= last.0 {
                        *last = (order, tid);
                    }
                }
            }
            Kind::Nothing | Kind::Stack | Kind::Other => {}
        }
    }

    fn callback(&mut self, place: Place, order: Order, callback: &MinifilterCallback) {
        self.latest.want(callback.file_object);
        if let Some(noting) = self.noting
            && noting.keys.holds(callback.fs_context)
        {
            self.noted.keyed(callback.file_object, callback.fs_context);
        }
        let (key, sign) = key_of(callback);
        let here = u64::from(place.buffer) + 1;
        let operation = &self.begun_operations[place_of(key.data)];
        // Without initiations a callback stands where it began, which may be before the operation.
        let called_for =
            self.facts.callback_starts && operation.buffer == here && operation.irp == key.data;
        let created = called_for
            && operation.family == Family::Create
            && operation.object == callback.file_object;
        if !called_for && self.asked != key.data {
            self.asked = key.data;
            self.wanted.insert(key.data);
        }
        let mark = key.mark();
        let at = (mark >> 56) as usize % PLACES;
        let begun = self.begun_callbacks[at];
        let is_open = begun.buffer == here && begun.key == key;
        match sign {
            CallbackSign::Completion if is_open => {
                self.begun_callbacks[at].buffer = 0;
                self.done_callbacks.push(DoneCallback {
                    mark,
                    data: key.data,
                    orders: [begun.order, order],
                });
            }
            // One that may refuse, or waits for its create, is not done with when it ends.
            CallbackSign::Init
                if (created || !may_be_early(key, callback))
                    && !self.facts.refused.may_hold(mark) =>
            {
                if begun.buffer != 0 {
                    self.leave_callback(&begun);
                }
                self.begun_callbacks[at] = BegunCallback {
                    buffer: here,
                    key,
                    order,
                };
            }
            _ => {
                // What is open by that key is to be looked at together with it.
                if is_open {
                    self.begun_callbacks[at].buffer = 0;
                    self.leave_callback(&begun);
                }
                self.leave_callback(&BegunCallback {
                    buffer: here,
                    key,
                    order,
                });
            }
        }
    }

    fn leave_callback(&mut self, begun: &BegunCallback) {
        self.left_marks.add(begun.key.mark());
        self.left_irps.add(begun.key.data);
        self.entries.take_at(begun.order);
    }

    fn leave_operation(&mut self, irp: u64, order: Order) {
        self.left_irps.add(irp);
        self.entries.take_at(order);
    }

    fn operation(&mut self, place: Place, order: Order, io: &FileIo<'_>) {
        let creates = matches!(
            io.operation,
            FileOperation::Create | FileOperation::CreateNew
        );
        if creates {
            let number = self.number_at(place);
            self.latest.open(io.file_object, order, place, number);
        } else {
            self.latest.want(io.file_object);
            if io.operation == FileOperation::Close && !self.facts.operation_ends {
                self.latest.close(io.file_object, order);
            }
        }
        self.note(creates, io);
        let here = u64::from(place.buffer) + 1;
        let at = place_of(io.irp);
        let begun = self.begun_operations[at];
        let family = family(io.operation);
        // Two records tell of these.
        let twins = matches!(family, Family::Delete | Family::Rename | Family::Link);
        if begun.buffer != 0 && (!twins || begun.irp == io.irp) {
            self.begun_operations[at].buffer = 0;
            self.leave_operation(begun.irp, begun.order);
        }
        if twins || io.irp == 0 {
            self.leave_operation(io.irp, order);
            return;
        }
        self.begun_operations[at] = BegunOperation {
            buffer: here,
            irp: io.irp,
            object: io.file_object,
            family,
            order,
            place,
        };
    }

    fn number_at(&self, place: Place) -> u64 {
        let first = self.first_numbers.get(place.buffer as usize);
        first.copied().unwrap_or(0) + place.index()
    }

    /// Notes what may be asked for.
    fn note(&mut self, creates: bool, io: &FileIo<'_>) {
        let Some(noting) = self.noting else { return };
        match io.operation {
            FileOperation::DeletePath | FileOperation::RenamePath | FileOperation::SetLinkPath => {
                self.path.clear();
                push_path(self.facts, io.path(), &mut self.path);
                if (noting.test)(&self.path) {
                    self.noted.irp(io.irp);
                }
            }
            _ => {}
        }
        if creates {
            self.path.clear();
            push_path(self.facts, io.path(), &mut self.path);
            // A path that begins at an open folder gives way to the name of the file's key.
            if !is_whole(&self.path) {
                self.noted.partial(io.file_object);
            } else if (noting.test)(&self.path) {
                self.noted.opened(io.file_object, &self.path);
            }
        } else if let Some(key) = io.file_key.filter(|key| noting.keys.holds(*key)) {
            self.noted.keyed(io.file_object, key);
        }
    }

    fn end(&mut self, place: Place, order: Order, end: &OperationEnd) {
        let at = place_of(end.irp);
        let begun = self.begun_operations[at];
        if begun.buffer != u64::from(place.buffer) + 1 || begun.irp != end.irp {
            self.leave_operation(end.irp, order);
            return;
        }
        self.begun_operations[at].buffer = 0;
        self.done_operations.push(DoneOperation {
            irp: end.irp,
            object: begun.object,
            start: begun.order,
            end: order,
            place: begun.place,
            family: begun.family,
            succeeded: end.succeeded(),
        });
    }

    /// After all records were seen.
    pub fn finish(mut self) -> Left<'a> {
        for at in 0..PLACES {
            let (callback, operation) = (self.begun_callbacks[at], self.begun_operations[at]);
            if callback.buffer != 0 {
                self.leave_callback(&callback);
            }
            if operation.buffer != 0 {
                self.leave_operation(operation.irp, operation.order);
            }
        }
        let mut callbacks = Vec::with_capacity(self.done_callbacks.len());
        for done in &self.done_callbacks {
            if self.left_marks.holds(done.mark) {
                self.left_irps.add(done.data);
                done.orders
                    .iter()
                    .for_each(|order| self.entries.take_at(*order));
            } else {
                callbacks.push(done.mark);
            }
        }
        let mut operations = Vec::with_capacity(self.done_operations.len());
        for done in &std::mem::take(&mut self.done_operations) {
            if self.left_irps.holds(done.irp) {
                self.entries.take_at(done.start);
                self.entries.take_at(done.end);
                continue;
            }
            match done.family {
                Family::Create if !done.succeeded => {
                    let number = self.number_at(done.place);
                    self.latest.fail(done.object, number);
                }
                Family::Close => self.latest.close(done.object, done.end),
                _ => {}
            }
            operations.push(*done);
        }
        let threads = self.threads.into_iter().map(|(cpu, (_, tid))| (cpu, tid));
        Left {
            entries: self.entries,
            stacks: self.stacks,
            tails: self.tails,
            threads: threads.collect(),
            latest: self.latest,
            wanted: self.wanted,
            operations,
            callbacks,
            noted: self.noted,
        }
    }
}

#[inline]
fn place_of(irp: u64) -> usize {
    (irp.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % PLACES
}

impl<'a> Choose<'a> for Joining<'_, 'a> {
    type Care = Joins;

    fn meet(&mut self, form: &Form<()>) -> Joins {
        self.care(form.hook, form.wide())
    }

    #[inline(always)]
    fn kernel(&mut self, place: Place, form: &Form<Joins>, ticks: i64, record: Record<'a>) {
        self.see(place, form.care, form.hook, ticks, &record);
    }

    fn other(&mut self, place: Place, record: Record<'a>) {
        if let (Some(hook), Some(ticks)) = (hook_of(&record), record.time()) {
            let care = self.care(hook, record.wide());
            self.see(place, care, hook, ticks, &record);
        }
    }
}
