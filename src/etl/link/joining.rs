//! The first look at the records of a slice, in which most turn out to be of no concern to other slices: an operation or
//! callback that begins and ends on one processor, where nothing else of the slice has its IRP or key.
//!
//! What is left is put in order of time and looked at record by record, with all that has the same IRP or key.

use super::Family;
use super::asking::Asking;
use super::begun::{Begun, BegunCallback, BegunOperation};
use super::columns::{CallbackRow, Columns, Stamp};
use super::early::may_be_early;
use super::latest::Latest;
use super::noted::{NotedHere, Noting};
use super::pairing::{CallbackKey, CallbackSign, SOON};
use super::part::{Ground, family, push_path};
use super::reused::{PathKind, Tools};
use super::stacks::{SliceStacks, USER_STACK_REFERENCE, is_user_part};
use crate::etl::classes::{class_of, tells_names};
use crate::etl::dictionary::facts::Facts;
use crate::etl::forms::Form;
use crate::etl::gather::{Choose, Entries, Order, Place, hook_of};
use crate::etl::kernel::file_io::{FileIo, FileOperation, OPERATION_END, OperationEnd};
use crate::etl::kernel::file_io_addresses::{OperationAddresses, OperationLayout};
use crate::etl::kernel::minifilter::{CallbackAddresses, MinifilterCallback};
use crate::etl::kernel::registry::KeyOperation;
use crate::etl::kernel::thread::ContextSwitch;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::keys::{StartAt, TimeKey, is_stack, placing_start_at};
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Addressed;
use crate::etl::slices::Slice;
use crate::trace::Class;
use crate::trace::path::is_whole;
use hashbrown::{HashMap, HashSet};

/// Processors that are told apart.
const MOST_CPUS: u16 = 512;

/// Room that is made in advance: more than most slices need.
const ROOM: usize = 1 << 14;

/// A callback that begins and ends on one processor.
#[derive(Debug, Clone, Copy)]
struct DoneCallback {
    mark: u64,
    /// The numbers of its two records among all callbacks of the slice.
    numbers: [u32; 2],
}

/// An operation that begins and ends on one processor.
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
    /// FileObject.
    pub object: u64,
    /// Whether it is of a process of which it may be asked what failed.
    pub own: bool,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// An operation that begins and ends on one processor and that nobody will ask for.
#[derive(Debug, Clone, Copy)]
pub struct PlainOperation {
    /// Its IRP.
    pub irp: u64,
    /// Order of its start.
    pub start: Order,
    /// Order of its end.
    end: Order,
}

impl DoneOperation {
    /// Whether it is one by which it is known what a FileObject is called.
    pub fn opens_or_closes(&self) -> bool {
        matches!(self.family, Family::Create | Family::Close)
    }
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
    /// The same of those that nobody will ask for.
    pub plain: Vec<PlainOperation>,
    /// Marks of callbacks that began and ended here and are none of the entries.
    pub callbacks: Vec<u64>,
    /// What was noted.
    pub noted: NotedHere,
    /// What may be asked for is found here.
    pub columns: Columns,
    /// To be given back.
    pub tools: Tools,
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
    tools: Tools,
    /// Which of the processors is that of the buffer at hand.
    at: usize,
    /// The buffer at hand.
    buffer: u32,
    done_callbacks: Vec<DoneCallback>,
    done_operations: Vec<DoneOperation>,
    done_plain: Vec<PlainOperation>,
    /// Marks of callbacks, and IRPs, of which records are left.
    left_marks: Addressed,
    left_irps: Addressed,
    noted: NotedHere,
    columns: Columns,
    path: String,
    asking: Asking<'s>,
    /// Whether user parts of stacks may be asked for.
    user_frames: bool,
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
    /// An event of the registry.
    Key,
    /// It may be asked for in any case.
    Taken,
    /// It only has a start.
    Other,
}

/// What records of a form are to [`Joining`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Joins {
    kind: Kind,
    start: StartAt,
    /// Of operations, where that is known.
    layout: Option<OperationLayout>,
}

impl<'s, 'a> Joining<'s, 'a> {
    /// For the records of `slice`.
    pub fn new(ground: Ground<'s>, slice: &'s Slice, entries: Entries) -> Self {
        let mut columns = ground.pool.columns();
        Self {
            facts: ground.facts,
            noting: ground.noting,
            first_numbers: ground.first_numbers,
            slice,
            time: TimeKey::new(ground.file),
            entries,
            stacks: SliceStacks::with(columns.space_for_stacks()),
            tails: Vec::new(),
            threads: HashMap::new(),
            latest: Latest::default(),
            wanted: HashSet::new(),
            asked: 0,
            tools: ground.pool.tools(),
            at: 0,
            buffer: u32::MAX,
            done_callbacks: Vec::with_capacity((slice.records / 4).min(ROOM)),
            done_operations: Vec::with_capacity((slice.records / 8).min(ROOM)),
            done_plain: Vec::with_capacity((slice.records / 8).min(ROOM)),
            left_marks: Addressed::default(),
            left_irps: Addressed::default(),
            noted: NotedHere::default(),
            columns,
            asking: Asking::new(ground.noting),
            user_frames: ground.noting.is_none_or(|noting| noting.user_frames),
            path: String::new(),
        }
    }

    fn care(&self, hook: Hook, wide: bool) -> Joins {
        let start = placing_start_at(hook, wide, self.facts.callback_starts);
        let noted = self.noting.is_some() && !tells_names(hook.id);
        let keyed = noted && KeyOperation::of_hook(hook.id).is_some();
        let asked = matches!(class_of(hook.id), Class::FileSystem | Class::Registry);
        Joins {
            kind: match hook.id {
                USER_STACK_REFERENCE if !self.user_frames => Kind::Nothing,
                id if is_stack(id) => Kind::Stack,
                0x0524 => Kind::Switch,
                OPERATION_END => Kind::End,
                0x0440..=0x0452 => Kind::Operation,
                0x0460..=0x0465 => Kind::Callback,
                _ if keyed => Kind::Key,
                _ if noted && asked => Kind::Taken,
                _ if start != StartAt::Nowhere => Kind::Other,
                _ => Kind::Nothing,
            },
            start,
            layout: OperationLayout::of(hook.id, hook.version.into(), wide),
        }
    }

    #[inline(always)]
    fn stack(&mut self, place: Place, hook: Hook, record: &Record<'_>) {
        let (payload, buffer) = (record.payload(), place.buffer as usize);
        let event = crate::bytes::i64_at(payload, 0);
        if let Some(event) = event.filter(|at| self.slice.holds(self.time.of(buffer, *at)))
            && (self.user_frames || !is_user_part(hook.id, payload, record.wide()))
        {
            self.stacks.note(event, place.position());
        }
    }

    #[inline(never)]
    fn see(&mut self, place: Place, care: Joins, hook: Hook, ticks: i64, record: &Record<'_>) {
        let buffer = place.buffer as usize;
        let payload = record.payload();
        let key = self.time.of(buffer, ticks);
        let start = care.start.of(payload, ticks);
        let start = start.map_or(key, |start| self.time.of(buffer, start));
        if start < self.slice.from && self.slice.holds(key) {
            self.tails.push((start, place));
        }
        if !self.slice.holds(start) {
            return;
        }
        if place.buffer != self.buffer {
            self.go_to(place);
        }
        let order = Order::of(start, place);
        let mut fields = Fields::new(payload, record.wide());
        let stamp = || Stamp {
            order,
            written: key,
            cpu: record.tid().is_none().then_some(place.cpu),
        };
        match care.kind {
            Kind::Callback => {
                let wide = record.wide();
                if let Some(callback) = MinifilterCallback::addresses(hook.id, payload, wide) {
                    let row = CallbackRow {
                        object: callback.file_object,
                        data: callback.callback_data,
                        order,
                    };
                    let number = self.columns.callback(row, key, stamp().cpu);
                    self.callback((number, order), &callback);
                }
            }
            Kind::End => {
                if let Some(end) = OperationEnd::parse(&mut fields) {
                    self.end(order, &end);
                }
            }
            Kind::Operation => {
                let io = match care.layout {
                    Some(layout) => layout.read(payload),
                    None => OperationAddresses::of(hook.id, hook.version.into(), &mut fields),
                };
                if let Some(io) = io {
                    let own = self.asking.is_own(record.pid(), Some(io.tid)) == Some(true);
                    let plain = !own && self.is_plain(&io);
                    if !plain {
                        self.note(&io, || {
                            let mut fields = Fields::new(payload, record.wide());
                            let io = FileIo::parse(hook.id, hook.version.into(), &mut fields);
                            io.map(|io| io.path()).unwrap_or_default()
                        });
                    }
                    self.operation(place, order, &io, (own, plain));
                }
            }
            Kind::Key => {
                let asking = &mut self.asking;
                if asking.takes_key(self.facts, &mut self.tools, (hook, record, key)) {
                    self.columns.take(stamp());
                }
            }
            Kind::Switch => {
                let new_tid = crate::bytes::u32_at(payload, 0);
                if let (Some(tid), true) = (new_tid, payload.len() >= ContextSwitch::SIZE) {
                    let last = self.threads.entry(place.cpu).or_insert((order, tid));
                    if order >= last.0 {
                        *last = (order, tid);
                    }
                    if self.noting.is_some() {
                        self.columns.switch(place.cpu, order);
                    }
                }
            }
            Kind::Taken => self.columns.take(stamp()),
            Kind::Nothing | Kind::Stack | Kind::Other => {}
        }
    }

    /// Goes on with another buffer.
    #[cold]
    fn go_to(&mut self, place: Place) {
        self.buffer = place.buffer;
        let begun = &mut self.tools.begun;
        // A damaged file names any processor.
        let cpu = place.cpu % MOST_CPUS;
        let known = begun.iter().position(|one| one.is_of(cpu));
        self.at = known.unwrap_or(begun.len());
        if known.is_none() {
            begun.push(Begun::new(cpu));
        }
    }

    /// Whether a callback may be one of a file that may be asked for; of others, nothing needs to be known.
    #[inline]
    fn may_be_asked_for(&self, payload: &[u8], wide: bool) -> bool {
        self.noting.is_none_or(|noting| {
            let file = MinifilterCallback::file(payload, wide);
            file.is_none_or(|(object, context)| noting.may_hold(object, context))
        })
    }

    fn callback(&mut self, (number, order): (u32, Order), callback: &CallbackAddresses) {
        match self.noting {
            None => self.latest.want(callback.file_object),
            Some(noting) if noting.keys.holds(callback.fs_context) => {
                self.noted.keyed(callback.file_object, callback.fs_context);
            }
            Some(_) => {}
        }
        let (key, sign) = (CallbackKey::of_addresses(callback), callback.moment.into());
        let Some(tables) = self.tools.begun.get_mut(self.at) else {
            return;
        };
        let operation = *tables.operation(key.data);
        // Without initiations a callback stands where it began, which may be before the operation.
        let called_for = self.facts.callback_starts && operation.open && operation.irp == key.data;
        let created = called_for
            && operation.family == Family::Create
            && operation.object == callback.file_object;
        if !called_for && self.asked != key.data && self.noting.is_none() {
            self.asked = key.data;
            self.wanted.insert(key.data);
        }
        let mark = key.mark();
        let place = tables.callback(mark);
        let begun = *place;
        let is_open = begun.open && begun.mark == mark;
        let this = BegunCallback {
            mark,
            number,
            open: true,
        };
        let begun_before = || {
            let row = self.columns.row(begun.number);
            row.is_some_and(|row| row.order < order)
        };
        match sign {
            // One that refused may say so when it has ended.
            CallbackSign::Completion
                if is_open && begun_before() && !refuses_soon(self.facts, mark, order) =>
            {
                place.open = false;
                self.done_callbacks.push(DoneCallback {
                    mark,
                    numbers: [begun.number, number],
                });
            }
            // One that waits for its create is not done with when it ends.
            CallbackSign::Init if created || !may_be_early(key, callback.major_function) => {
                *place = this;
                if begun.open {
                    self.leave_callback(&begun);
                }
            }
            _ => {
                // What is open by that key is to be looked at together with it.
                if is_open {
                    place.open = false;
                    self.leave_callback(&begun);
                }
                self.leave_callback(&this);
            }
        }
    }

    fn leave_callback(&mut self, begun: &BegunCallback) {
        self.left_marks.add(begun.mark);
        self.take_callback(begun.number);
    }

    /// Takes a callback to be looked at, and all that has its IRP.
    fn take_callback(&mut self, number: u32) {
        if let Some(row) = self.columns.row(number) {
            self.left_irps.add(row.data);
            self.entries.take_at(row.order);
        }
    }

    fn leave_operation(&mut self, irp: u64, order: Order) {
        self.left_irps.add(irp);
        self.entries.take_at(order);
    }

    /// Whether an operation of no process that may be asked about is one that nobody will ask for, whatever else the slice
    /// holds: its FileObject is never opened with a path that may be asked for, its file never has such a name, and it
    /// tells nothing of what FileObjects are called.
    #[inline]
    fn is_plain(&self, io: &OperationAddresses) -> bool {
        let other = |key| {
            self.noting
                .is_some_and(|noting| !noting.may_hold(io.file_object, key))
        };
        family(io.operation) == Family::Other && io.file_key.is_some_and(other)
    }

    fn operation(
        &mut self,
        place: Place,
        order: Order,
        io: &OperationAddresses,
        (own, plain): (bool, bool),
    ) {
        let creates = matches!(
            io.operation,
            FileOperation::Create | FileOperation::CreateNew
        );
        if creates {
            let number = self.number_at(place);
            self.latest.open(io.file_object, order, place, number);
        } else {
            if self.noting.is_none() {
                self.latest.want(io.file_object);
            }
            if io.operation == FileOperation::Close && !self.facts.operation_ends {
                self.latest.close(io.file_object, order);
            }
        }
        let Some(tables) = self.tools.begun.get_mut(self.at) else {
            return;
        };
        let known = tables.operation(io.irp);
        let begun = *known;
        let family = family(io.operation);
        // Two records tell of these.
        let twins = matches!(family, Family::Delete | Family::Rename | Family::Link);
        let gives_way = begun.open && (!twins || begun.irp == io.irp);
        if gives_way {
            known.open = false;
        }
        let left = twins || io.irp == 0;
        if !left {
            *known = BegunOperation {
                open: true,
                irp: io.irp,
                object: io.file_object,
                family,
                order,
                place,
                own,
                plain,
            };
        }
        if gives_way {
            self.leave_operation(begun.irp, begun.order);
        }
        if left {
            self.leave_operation(io.irp, order);
        }
    }

    fn number_at(&self, place: Place) -> u64 {
        let first = self.first_numbers.get(place.buffer as usize);
        first.copied().unwrap_or(0) + place.index()
    }

    /// Notes what may be asked for; `path_of` reads the path that the record tells.
    #[inline]
    fn note<'p>(&mut self, io: &OperationAddresses, path_of: impl FnOnce() -> WideText<'p>) {
        let Some(noting) = self.noting else { return };
        let opened = match io.operation {
            FileOperation::DeletePath | FileOperation::RenamePath | FileOperation::SetLinkPath => {
                self.path.clear();
                push_path(self.facts, path_of(), &mut self.path);
                if noting.file(&self.path) {
                    self.noted.irp(io.irp);
                    // Whatever the file is called before.
                    self.noted.partial(io.file_object);
                }
                None
            }
            FileOperation::Create | FileOperation::CreateNew => {
                if !noting.may_open(io.file_object) {
                    return;
                }
                Some(path_of())
            }
            _ => None,
        };
        if let Some(opened) = opened {
            let (facts, path) = (self.facts, &mut self.path);
            let kind = self.tools.paths.of(opened.0, || {
                path.clear();
                push_path(facts, opened, path);
                match is_whole(path) {
                    false => PathKind::Partial,
                    true if noting.file(path) => PathKind::Wanted,
                    true => PathKind::Other,
                }
            });
            match kind {
                // A path that begins at an open folder gives way to the name of the file's key.
                PathKind::Partial => self.noted.partial(io.file_object),
                PathKind::Wanted => {
                    self.path.clear();
                    push_path(self.facts, opened, &mut self.path);
                    self.noted.opened(io.file_object, &self.path);
                }
                PathKind::Other => {}
            }
        } else if let Some(key) = io.file_key.filter(|key| noting.keys.holds(*key)) {
            self.noted.keyed(io.file_object, key);
        }
    }

    fn end(&mut self, order: Order, end: &OperationEnd) {
        let Some(tables) = self.tools.begun.get_mut(self.at) else {
            return;
        };
        let known = tables.operation(end.irp);
        let begun = *known;
        if !begun.open || begun.irp != end.irp || begun.order >= order {
            self.leave_operation(end.irp, order);
            return;
        }
        known.open = false;
        if begun.plain {
            self.done_plain.push(PlainOperation {
                irp: end.irp,
                start: begun.order,
                end: order,
            });
            return;
        }
        self.done_operations.push(DoneOperation {
            irp: end.irp,
            object: begun.object,
            start: begun.order,
            end: order,
            place: begun.place,
            family: begun.family,
            own: begun.own,
            succeeded: end.succeeded(),
        });
    }

    /// After all records were seen.
    pub fn finish(mut self) -> Left<'a> {
        let mut begun = std::mem::take(&mut self.tools.begun);
        for tables in &mut begun {
            let (callbacks, operations) = tables.take_open();
            callbacks.iter().for_each(|one| self.leave_callback(one));
            for one in operations {
                self.leave_operation(one.irp, one.order);
            }
        }
        self.tools.begun = begun;
        let mut callbacks = Vec::with_capacity(self.done_callbacks.len());
        for done in &std::mem::take(&mut self.done_callbacks) {
            if self.left_marks.holds(done.mark) {
                for number in done.numbers {
                    self.take_callback(number);
                }
            } else {
                callbacks.push(done.mark);
            }
        }
        let mut plain = std::mem::take(&mut self.done_plain);
        plain.retain(|done| {
            let left = self.left_irps.holds(done.irp);
            if left {
                self.entries.take_at(done.start);
                self.entries.take_at(done.end);
            }
            !left
        });
        let mut operations = std::mem::take(&mut self.done_operations);
        operations.retain(|done| {
            if self.left_irps.holds(done.irp) {
                self.entries.take_at(done.start);
                self.entries.take_at(done.end);
                return false;
            }
            match done.family {
                Family::Create if !done.succeeded => {
                    let number = self.number_at(done.place);
                    self.latest.fail(done.object, number);
                }
                Family::Close => self.latest.close(done.object, done.end),
                _ => {}
            }
            true
        });
        let threads = self.threads.into_iter().map(|(cpu, (_, tid))| (cpu, tid));
        Left {
            entries: self.entries,
            stacks: self.stacks,
            tails: self.tails,
            threads: threads.collect(),
            latest: self.latest,
            wanted: self.wanted,
            operations,
            plain,
            callbacks,
            noted: self.noted,
            columns: self.columns,
            tools: self.tools,
        }
    }
}

/// Whether a callback that ends there may be told to have refused then.
#[inline]
fn refuses_soon(facts: &Facts, mark: u64, end: Order) -> bool {
    let time = end.start();
    facts
        .refused
        .may_hold(mark, time, time.saturating_add(SOON))
}

impl<'a> Choose<'a> for Joining<'_, 'a> {
    type Care = Joins;

    fn meet(&mut self, form: &Form<()>) -> Joins {
        self.care(form.hook, form.wide())
    }

    #[inline(always)]
    fn kernel(&mut self, place: Place, form: &Form<Joins>, ticks: i64, record: Record<'a>) {
        match form.care.kind {
            Kind::Stack => self.stack(place, form.hook, &record),
            // Half of the records of a trace, few of which may be asked for.
            Kind::Callback if !self.may_be_asked_for(record.payload(), record.wide()) => {}
            _ => self.see(place, form.care, form.hook, ticks, &record),
        }
    }

    fn other(&mut self, place: Place, record: Record<'a>) {
        if let (Some(hook), Some(ticks)) = (hook_of(&record), record.time()) {
            let care = self.care(hook, record.wide());
            match care.kind {
                Kind::Stack => self.stack(place, hook, &record),
                _ => self.see(place, care, hook, ticks, &record),
            }
        }
    }
}
