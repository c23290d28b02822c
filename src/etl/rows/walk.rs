//! Going through the records of a slice in order of time, with what is open at each moment.

pub mod paths;

use super::kept::{Kept, Role};
use super::switches::Switches;
use crate::etl::body::Body;
use crate::etl::classes::{class_of, tells_names};
use crate::etl::gather::{Order, Placed};
use crate::etl::kernel::file_io::{FileIo, FileOperation, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::thread::ThreadEvent;
use crate::etl::link::early::{Early, Waiting, may_be_early};
use crate::etl::link::objects::{Known, Objects};
use crate::etl::link::pairing::{CallbackSign, Pairing};
use crate::etl::link::part::{family, key_of, push_path, same_operation, told};
use crate::etl::link::{End, Family, Imports, Links, Ref, Told};
use crate::etl::trace::EtlTrace;
use crate::trace::path::is_whole;
use crate::trace::{Class, Filetime, NO_PROCESS, NO_THREAD, Select};
use hashbrown::HashMap;
use std::ops::Range;

/// Something that is open, and its row.
#[derive(Debug, Clone, Copy)]
struct Open {
    record: Ref,
    /// Position among the rows that were taken.
    row: Option<u32>,
    at: Gathered,
}

/// A record that was gathered.
#[derive(Debug, Clone, Copy)]
struct Gathered {
    /// Which it is.
    number: u32,
    /// Its time stamp, in ticks.
    ticks: i64,
}

/// A walk through a slice.
pub struct Walk<'a> {
    trace: &'a EtlTrace,
    links: &'a Links,
    select: &'a Select<'a>,
    imports: &'a Imports,
    objects: Objects,
    pairing: Pairing<Open>,
    /// New names of files whose rename or link has not ended, in the arena, by IRP.
    names: HashMap<u64, Range<usize>>,
    /// What files were called where the first record of a rename or link did not become a row, in the arena, by IRP:
    /// the second, which has the new name, may.
    former: HashMap<u64, Range<usize>>,
    /// Rows of callbacks that wait for their create.
    early: Early<u32>,
    /// Thread on each processor, by the context switches that are rows.
    threads: HashMap<u16, u32>,
    /// The other context switches.
    switches: &'a Switches,
    /// Where the record at hand stands among all.
    order: Order,
    /// Paths of the rows.
    pub arena: String,
    /// The rows that were taken, in order.
    pub rows: Vec<Kept>,
}

/// Who an event belongs to.
#[derive(Debug, Clone, Copy)]
struct Owner {
    process: u32,
    tid: u32,
}

/// A row that may be kept.
struct NewRow {
    record: Gathered,
    class: Class,
    role: Role,
    /// Process and thread that the payload names.
    named: (Option<u32>, Option<u32>),
    /// Its owner, where it has been found already.
    owner: Option<Owner>,
    /// Its path may still come.
    early: bool,
}

impl<'a> Walk<'a> {
    /// Begins with what earlier slices left open.
    pub fn new(
        trace: &'a EtlTrace,
        select: &'a Select<'a>,
        (links, at): (&'a Links, usize),
        switches: &'a Switches,
    ) -> Self {
        let imports = links.imports(at);
        Self {
            links,
            switches,
            order: Order::default(),
            trace,
            select,
            imports,
            objects: Objects::default(),
            pairing: Pairing::for_slice(),
            names: HashMap::new(),
            former: HashMap::new(),
            early: Early::default(),
            threads: imports.threads.iter().copied().collect(),
            arena: String::new(),
            rows: Vec::new(),
        }
    }

    /// Takes the next record, which is number `at` of those gathered.
    #[inline]
    pub fn record(&mut self, at: u32, order: Order, placed: &Placed<'_>) {
        self.order = order;
        let at = Gathered {
            number: at,
            ticks: placed.ticks,
        };
        let class = placed.hook.map_or(Class::Event, |hook| class_of(hook.id));
        let body = Body::of(placed);
        match &body {
            Body::File(io) => self.file(at, placed, io),
            Body::FileEnd(end) => self.file_end(at, placed, end),
            Body::Callback(callback) => self.callback(at, placed, callback),
            _ => {
                if let Body::Thread(ThreadEvent::ContextSwitch(switch)) = &body {
                    self.threads.insert(placed.cpu, switch.new_tid);
                }
                self.other(at, placed, class, &body);
            }
        }
    }

    /// Process and thread of an event, by what header and payload say, else by what ran on the processor.
    #[inline]
    fn owner(&self, placed: &Placed<'_>, named: (Option<u32>, Option<u32>)) -> Owner {
        let (pid, tid) = named;
        let header = (placed.record.pid(), placed.record.tid());
        // A payload that names a process tells of that one, whoever wrote the event.
        let tid = tid.or(match pid {
            Some(_) => None,
            None => header.1,
        });
        let tid = tid.or_else(|| match pid {
            Some(_) => None,
            None => {
                let switched = self.switches.before(self.order, placed.cpu);
                switched.or_else(|| self.threads.get(&placed.cpu).copied())
            }
        });
        let time = self.filetime(placed);
        let by_thread = || {
            let key = self.trace.key(placed.buffer, placed.ticks);
            tid.and_then(|tid| self.trace.facts().threads.process_of(tid, key))
        };
        let pid = pid.or(header.0).or_else(by_thread);
        let process = pid.and_then(|pid| self.trace.process_at(pid, time));
        Owner {
            process: process.unwrap_or(NO_PROCESS),
            tid: tid.unwrap_or(NO_THREAD),
        }
    }

    #[inline]
    fn filetime(&self, placed: &Placed<'_>) -> Filetime {
        self.trace.filetime_of(placed)
    }

    /// Whether an event is wanted, its paths aside; with its owner, if that decides. To find the owner of every event
    /// costs more than to test the paths of those that are left.
    #[inline]
    fn admits(
        &self,
        placed: &Placed<'_>,
        class: Class,
        named: (Option<u32>, Option<u32>),
    ) -> Option<Option<Owner>> {
        let time = self.filetime(placed);
        let select = self.select;
        if select.processes.is_none() && select.tids.is_empty() {
            let admitted = select.takes(time, class, NO_PROCESS, NO_THREAD);
            return admitted.then_some(None);
        }
        let owner = self.owner(placed, named);
        let admitted = select.takes(time, class, owner.process, owner.tid);
        admitted.then_some(Some(owner))
    }

    /// Keeps a row whose path and target were written behind `from` and `to` of the arena, if they are wanted.
    fn keep(
        &mut self,
        placed: &Placed<'_>,
        row: NewRow,
        (from, to): (usize, usize),
    ) -> Option<u32> {
        if let Some(test) = self.select.paths
            && !row.early
            && !test(row.class, &self.arena[from..to], &self.arena[to..])
        {
            self.arena.truncate(from);
            return None;
        }
        let owner = row.owner.unwrap_or_else(|| self.owner(placed, row.named));
        self.rows.push(Kept {
            record: row.record.number,
            ticks: row.record.ticks,
            role: row.role,
            process: owner.process,
            tid: owner.tid,
            path: from..to,
            target: to..self.arena.len(),
            end: None,
            end_stack: None,
            completed: None,
            began: None,
            more_stacks: [None; 2],
            failure: None,
            early: row.early,
        });
        Some(self.rows.len() as u32 - 1)
    }

    /// Keeps a record that tells more of another row; it has no path, so no test of paths takes it.
    fn further(
        &mut self,
        record: Gathered,
        placed: &Placed<'_>,
        class: Class,
        named: (Option<u32>, Option<u32>),
    ) {
        if self.select.paths.is_some() {
            return;
        }
        if let Some(owner) = self.admits(placed, class, named) {
            let end = self.arena.len();
            let row = NewRow {
                record,
                class,
                role: Role::Further,
                named,
                owner,
                early: false,
            };
            self.keep(placed, row, (end, end));
        }
    }

    /// Appends the path of a file to the arena.
    fn push_file(&mut self, object: u64, key: u64, placed: &Placed<'_>) {
        let imported = |object: u64| {
            let open = self.imports.objects.get(&object)?;
            Some(self.links.texts.get(open.path))
        };
        let by_object = match self.objects.get(object) {
            Known::Path(path) => Some(path),
            Known::Closed => None,
            Known::Before => imported(object),
        };
        if let Some(path) = by_object.filter(|path| is_whole(path)) {
            self.arena.push_str(path);
            return;
        }
        // A key names the file as it is called in the end; a create as it was called then.
        let facts = self.trace.facts();
        let time = self.trace.key(placed.buffer, placed.ticks);
        let by_key = (key != 0).then(|| facts.files.find(key, time)).flatten();
        match by_key {
            Some(number) => self.arena.push_str(facts.texts.get(number)),
            None => self.arena.push_str(by_object.unwrap_or("")),
        }
    }

    fn file(&mut self, at: Gathered, placed: &Placed<'_>, io: &FileIo<'_>) {
        let facts = self.trace.facts();
        let creates = matches!(
            io.operation,
            FileOperation::Create | FileOperation::CreateNew
        );
        if creates {
            self.objects.set(io.file_object, placed.number, |out| {
                push_path(facts, io.path(), out)
            });
        }
        let waiting = self.early.take(io.irp);
        if creates && !waiting.is_empty() {
            self.name_early(waiting, io);
        }
        let record = Ref {
            slice: 0,
            number: placed.number,
            object: io.file_object,
            tid: Some(io.tid),
            family: family(io.operation),
            told: told(io.operation),
        };
        let named = (None, Some(io.tid));
        let known = self.pairing.operation(io.irp);
        let twin = known.filter(|known| same_operation(&known.record, &record));
        if let Some(mut twin) = twin {
            match twin.row {
                Some(row) => self.add_path(row, record.family, io),
                // The second record has the new name, which may be what is wanted.
                None => twin.row = self.operation(twin.at, placed, io, (&record, named)),
            }
            self.former.remove(&io.irp);
            twin.record.told = Told::Both;
            self.pairing.start(io.irp, twin);
            self.further(at, placed, Class::FileSystem, named);
        } else {
            // The name that an operation of this IRP gave is no longer of concern, also where its end was lost.
            self.names.remove(&io.irp);
            self.former.remove(&io.irp);
            let row = self.operation(at, placed, io, (&record, named));
            if row.is_none() && matches!(record.family, Family::Rename | Family::Link) {
                let from = self.arena.len();
                self.push_file(io.file_object, io.file_key.unwrap_or(0), placed);
                self.former.insert(io.irp, from..self.arena.len());
            }
            self.pairing.start(io.irp, Open { record, row, at });
        }
        match io.operation {
            // Its callbacks run until it ends: the name goes with the end, where ends are recorded.
            FileOperation::Close if !facts.operation_ends => {
                self.objects.close(io.file_object);
            }
            FileOperation::RenamePath | FileOperation::SetLinkPath => {
                let from = self.arena.len();
                push_path(facts, io.path(), &mut self.arena);
                self.names.insert(io.irp, from..self.arena.len());
            }
            _ => {}
        }
    }

    /// Takes the row of a file operation, if it is wanted.
    fn operation(
        &mut self,
        at: Gathered,
        placed: &Placed<'_>,
        io: &FileIo<'_>,
        (record, named): (&Ref, (Option<u32>, Option<u32>)),
    ) -> Option<u32> {
        let owner = self.admits(placed, Class::FileSystem, named)?;
        let facts = self.trace.facts();
        let from = self.arena.len();
        match self.former.get(&io.irp) {
            Some(path) => self.arena.extend_from_within(path.clone()),
            None => self.push_file(io.file_object, io.file_key.unwrap_or(0), placed),
        }
        if self.arena.len() == from && io.operation == FileOperation::DeletePath {
            push_path(facts, io.path(), &mut self.arena);
        }
        let to = self.arena.len();
        if matches!(record.family, Family::Rename | Family::Link) {
            push_path(facts, io.path(), &mut self.arena);
        }
        let row = NewRow {
            record: at,
            class: Class::FileSystem,
            role: Role::First,
            named,
            owner,
            early: false,
        };
        self.keep(placed, row, (from, to))
    }

    /// The second record of one operation has the path that the first has not.
    fn add_path(&mut self, row: u32, family: Family, io: &FileIo<'_>) {
        let Some(row) = self.rows.get_mut(row as usize) else {
            return;
        };
        if row.target.is_empty() && matches!(family, Family::Rename | Family::Link) {
            let from = self.arena.len();
            push_path(self.trace.facts(), io.path(), &mut self.arena);
            row.target = from..self.arena.len();
        }
    }

    /// The create that earlier callbacks were called for: it has the path that their FileObject had not yet.
    fn name_early(&mut self, waiting: Vec<Waiting<u32>>, io: &FileIo<'_>) {
        let from = self.arena.len();
        push_path(self.trace.facts(), io.path(), &mut self.arena);
        if !is_whole(&self.arena[from..]) {
            self.arena.truncate(from);
            return;
        }
        let path = from..self.arena.len();
        for one in waiting {
            if one.object == io.file_object
                && let Some(row) = self.rows.get_mut(one.callback as usize)
            {
                row.path = path.clone();
            }
        }
    }

    /// The rows that are wanted: those whose path was waited for are tested now.
    pub fn finish(&mut self) {
        let Some(test) = self.select.paths else {
            return;
        };
        let arena = &self.arena;
        self.rows.retain(|row| {
            let text = |range: &Range<usize>| &arena[range.clone()];
            !row.early || test(Class::Minifilter, text(&row.path), text(&row.target))
        });
    }

    fn file_end(&mut self, at: Gathered, placed: &Placed<'_>, end: &OperationEnd) {
        self.names.remove(&end.irp);
        self.early.take(end.irp);
        let first = self.pairing.end(end.irp);
        let joined = self.imports.joined.get(&placed.number).copied();
        let operation = first.map(|open| open.record).or(joined);
        match operation {
            // What could not be opened is never closed: its FileObject is free for another file.
            Some(create) if create.family == Family::Create && !end.succeeded() => {
                let before = self.imports.objects.get(&create.object).copied();
                self.objects.fail(create.object, create.number, before);
            }
            Some(close) if close.family == Family::Close => self.objects.close(close.object),
            _ => {}
        }
        let tid = placed.record.tid();
        if let Some(row) = first.and_then(|open| self.rows.get_mut(open.row? as usize)) {
            row.end = Some(End {
                ticks: placed.ticks,
                status: end.status,
                information: end.information,
            });
            row.end_stack = Some((placed.ticks, tid));
        }
        let tid = tid.or(operation.and_then(|operation| operation.tid));
        self.further(at, placed, Class::FileSystem, (None, tid));
    }

    /// Appends the new name of the file that an operation renames or links.
    fn push_new_name(&mut self, irp: u64) {
        if let Some(name) = self.names.get(&irp) {
            self.arena.extend_from_within(name.clone());
        } else if !self.pairing.knows_operation(irp)
            && let Some(name) = self.imports.names.get(&irp)
        {
            self.arena.push_str(self.links.texts.get(*name));
        }
    }

    fn callback(&mut self, at: Gathered, placed: &Placed<'_>, callback: &MinifilterCallback) {
        let (key, sign) = key_of(callback);
        // The callback data is what the operation is called by in its own events.
        let irp = callback.callback_data;
        let operation = match self.pairing.known(irp) {
            Some(known) => known.map(|open| open.record),
            None => self.imports.operations.get(&irp).copied(),
        };
        let first = self.pairing.join(key, sign, placed.start);
        let joined = self.imports.joined.get(&placed.number);
        let tid = placed.record.tid();
        let known = operation
            .and_then(|operation| operation.tid)
            .or(first.and_then(|open| open.record.tid))
            .or(joined.and_then(|first| first.tid));
        let named = (None, tid.or(known));
        if first.is_some() || joined.is_some() {
            if let Some(row) = first.and_then(|open| self.rows.get_mut(open.row? as usize)) {
                match sign {
                    CallbackSign::Failure => row.failure = Some(callback.status.unwrap_or(0)),
                    _ => {
                        row.completed = Some(placed.ticks);
                        row.began = callback.start_time;
                    }
                }
                let free = row.more_stacks.iter_mut().find(|stack| stack.is_none());
                if let Some(free) = free {
                    *free = Some((placed.ticks, tid));
                }
            }
            self.further(at, placed, Class::Minifilter, named);
            return;
        }
        let mut row = None;
        if let Some(owner) = self.admits(placed, Class::Minifilter, named) {
            let from = self.arena.len();
            // The kernel may log a create behind the first callbacks that it makes, also in a later slice.
            let early = operation.is_none() && may_be_early(key, callback.major_function);
            let told = self.imports.named.get(&placed.number).filter(|_| early);
            match told {
                Some(path) => self.arena.push_str(self.links.texts.get(*path)),
                None => self.push_file(callback.file_object, callback.fs_context, placed),
            }
            let early = early && told.is_none();
            if let (true, Some(open)) = (self.arena.len() == from, operation) {
                self.push_file(open.object, 0, placed);
            }
            let to = self.arena.len();
            self.push_new_name(irp);
            let new = NewRow {
                record: at,
                class: Class::Minifilter,
                role: Role::First,
                named,
                owner,
                early,
            };
            row = self.keep(placed, new, (from, to));
            if let (true, Some(row)) = (early, row) {
                let waiting = Waiting {
                    callback: row,
                    object: callback.file_object,
                    known: true,
                };
                self.early.add(irp, waiting);
            }
        }
        if let Some(row) = row.and_then(|row| self.rows.get_mut(row as usize)) {
            match sign {
                CallbackSign::Init => {}
                CallbackSign::Completion => row.completed = Some(placed.ticks),
                CallbackSign::Failure => row.failure = Some(callback.status.unwrap_or(0)),
            }
        }
        let record = Ref {
            slice: 0,
            number: placed.number,
            object: callback.file_object,
            tid: tid.or(operation.and_then(|operation| operation.tid)),
            family: Family::Other,
            told: Told::Plain,
        };
        let open = Open { record, row, at };
        self.pairing.callback(key, sign, placed.start, open);
    }

    fn other(&mut self, at: Gathered, placed: &Placed<'_>, class: Class, body: &Body<'_>) {
        let names = placed.hook.is_some_and(|hook| tells_names(hook.id));
        let classes = &self.select.classes;
        if !classes.is_empty() && !classes.contains(&class) || names && self.select.paths.is_some()
        {
            return;
        }
        let named = body.owner();
        let Some(owner) = self.admits(placed, class, named) else {
            return;
        };
        let from = self.arena.len();
        self.push_path(placed, body, named);
        let to = self.arena.len();
        self.push_target(body);
        let row = NewRow {
            record: at,
            class,
            role: Role::Event,
            named,
            owner,
            early: false,
        };
        self.keep(placed, row, (from, to));
    }
}
