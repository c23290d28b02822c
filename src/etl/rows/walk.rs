//! Going through the records of a slice in order of time, with what is open at each moment.

use super::kept::{Kept, Role};
use crate::etl::body::Body;
use crate::etl::classes::{class_of, tells_names};
use crate::etl::gather::Placed;
use crate::etl::kernel::file_io::{FileIo, FileOperation, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::registry::{KeyEvent, KeyOperation};
use crate::etl::kernel::thread::ThreadEvent;
use crate::etl::link::objects::{Known, Objects};
use crate::etl::link::pairing::{CallbackSign, Pairing};
use crate::etl::link::part::{family, key_of, push_path, same_operation};
use crate::etl::link::{End, Family, Imports, Ref};
use crate::etl::trace::EtlTrace;
use crate::trace::path::split_registry;
use crate::trace::{Class, Filetime, NO_PROCESS, NO_THREAD, Select};
use hashbrown::HashMap;
use std::ops::Range;

/// Something that is open, and its row.
#[derive(Debug, Clone, Copy)]
struct Open {
    record: Ref,
    /// Position among the rows that were taken.
    row: Option<u32>,
}

/// A walk through a slice.
pub struct Walk<'a> {
    trace: &'a EtlTrace,
    select: &'a Select<'a>,
    imports: &'a Imports,
    objects: Objects,
    pairing: Pairing<Open>,
    renames: HashMap<u64, (u64, Range<usize>)>,
    /// Thread on each processor.
    threads: HashMap<u16, u32>,
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

impl<'a> Walk<'a> {
    /// Begins with what earlier slices left open.
    pub fn new(trace: &'a EtlTrace, select: &'a Select<'a>, imports: &'a Imports) -> Self {
        Self {
            trace,
            select,
            imports,
            objects: Objects::default(),
            pairing: Pairing::default(),
            renames: HashMap::new(),
            threads: imports.threads.iter().copied().collect(),
            arena: String::new(),
            rows: Vec::new(),
        }
    }

    /// Takes the next record, which is number `at` of those gathered.
    #[inline]
    pub fn record(&mut self, at: u32, placed: &Placed<'_>) {
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
            None => self.threads.get(&placed.cpu).copied(),
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

    #[inline]
    fn takes(&self, placed: &Placed<'_>, class: Class, owner: Owner) -> bool {
        let time = self.filetime(placed);
        self.select.takes(time, class, owner.process, owner.tid)
    }

    /// Keeps a row whose path and target were written behind `from` and `to` of the arena, if they are wanted.
    fn keep(
        &mut self,
        at: u32,
        class: Class,
        role: Role,
        owner: Owner,
        (from, to): (usize, usize),
    ) -> Option<u32> {
        if let Some(test) = self.select.paths {
            let wanted =
                role != Role::Further && test(class, &self.arena[from..to], &self.arena[to..]);
            if !wanted {
                self.arena.truncate(from);
                return None;
            }
        }
        self.rows.push(Kept {
            record: at,
            role,
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
        });
        Some(self.rows.len() as u32 - 1)
    }

    fn further(&mut self, at: u32, placed: &Placed<'_>, class: Class, owner: Owner) {
        if self.takes(placed, class, owner) {
            let end = self.arena.len();
            self.keep(at, class, Role::Further, owner, (end, end));
        }
    }

    /// Appends the path of a file to the arena.
    fn push_file(&mut self, object: u64, key: u64, placed: &Placed<'_>) {
        let imported = |object: u64| {
            let number = self.imports.objects.get(&object)?;
            Some(self.trace.links().texts.get(*number))
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
            Some(number) => {
                let from = self.arena.len();
                self.arena.push_str(facts.texts.get(number));
                facts.volumes.shorten(&mut self.arena, from);
            }
            None => self.arena.push_str(by_object.unwrap_or("")),
        }
    }

    fn file(&mut self, at: u32, placed: &Placed<'_>, io: &FileIo<'_>) {
        let facts = self.trace.facts();
        let creates = matches!(
            io.operation,
            FileOperation::Create | FileOperation::CreateNew
        );
        if creates {
            self.objects
                .set(io.file_object, |out| push_path(facts, io.path(), out));
        }
        let record = Ref {
            slice: 0,
            number: placed.number,
            object: io.file_object,
            tid: Some(io.tid),
            family: family(io.operation),
        };
        let owner = self.owner(placed, (None, Some(io.tid)));
        let known = self.pairing.operation(io.irp);
        let twin = known.filter(|known| same_operation(&known.record, &record));
        if let Some(twin) = twin {
            self.add_path(twin, io);
            self.further(at, placed, Class::FileSystem, owner);
        } else {
            let taken = self.takes(placed, Class::FileSystem, owner);
            let row = if taken {
                let from = self.arena.len();
                self.push_file(io.file_object, io.file_key.unwrap_or(0), placed);
                if self.arena.len() == from && io.operation == FileOperation::DeletePath {
                    push_path(facts, io.path(), &mut self.arena);
                }
                let to = self.arena.len();
                if matches!(record.family, Family::Rename | Family::Link) {
                    push_path(facts, io.path(), &mut self.arena);
                }
                self.keep(at, Class::FileSystem, Role::First, owner, (from, to))
            } else {
                None
            };
            self.pairing.start(io.irp, Open { record, row });
        }
        match io.operation {
            FileOperation::Close => self.objects.close(io.file_object),
            FileOperation::RenamePath => {
                let from = self.arena.len();
                push_path(facts, io.path(), &mut self.arena);
                let name = from..self.arena.len();
                self.renames.insert(io.irp, (io.file_object, name));
            }
            _ => {}
        }
    }

    /// The second record of one operation has the path that the first has not.
    fn add_path(&mut self, first: Open, io: &FileIo<'_>) {
        let Some(row) = first.row.and_then(|row| self.rows.get_mut(row as usize)) else {
            return;
        };
        if row.target.is_empty() && matches!(first.record.family, Family::Rename | Family::Link) {
            let from = self.arena.len();
            push_path(self.trace.facts(), io.path(), &mut self.arena);
            row.target = from..self.arena.len();
        }
    }

    fn file_end(&mut self, at: u32, placed: &Placed<'_>, end: &OperationEnd) {
        if let Some((object, name)) = self.renames.remove(&end.irp)
            && end.succeeded()
        {
            let arena = &self.arena;
            self.objects.set(object, |out| out.push_str(&arena[name]));
        }
        let first = self.pairing.end(end.irp);
        let tid = placed.record.tid();
        if let Some(row) = first.and_then(|open| self.rows.get_mut(open.row? as usize)) {
            row.end = Some(End {
                ticks: placed.ticks,
                status: end.status,
                information: end.information,
            });
            row.end_stack = Some((placed.ticks, tid));
        }
        let first = match first {
            Some(open) => open.record.tid,
            None => self.imports.joined.get(&placed.number).copied().flatten(),
        };
        let tid = tid.or(first);
        let owner = self.owner(placed, (None, tid));
        self.further(at, placed, Class::FileSystem, owner);
    }

    fn callback(&mut self, at: u32, placed: &Placed<'_>, callback: &MinifilterCallback) {
        let (key, sign) = key_of(callback);
        // The callback data is what the operation is called by in its own events.
        let irp = callback.callback_data;
        let operation = match self.pairing.knows_operation(irp) {
            true => self.pairing.operation(irp).map(|open| open.record),
            false => self.imports.operations.get(&irp).copied(),
        };
        let first = self.pairing.join(key, sign, placed.start);
        let joined = self.imports.joined.get(&placed.number);
        let tid = placed.record.tid();
        let known = operation
            .and_then(|operation| operation.tid)
            .or(first.and_then(|open| open.record.tid))
            .or(joined.copied().flatten());
        let owner = self.owner(placed, (None, tid.or(known)));
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
            self.further(at, placed, Class::Minifilter, owner);
            return;
        }
        let mut row = None;
        if self.takes(placed, Class::Minifilter, owner) {
            let from = self.arena.len();
            self.push_file(callback.file_object, callback.fs_context, placed);
            if let (true, Some(open)) = (self.arena.len() == from, operation) {
                self.push_file(open.object, 0, placed);
            }
            let to = self.arena.len();
            row = self.keep(at, Class::Minifilter, Role::First, owner, (from, to));
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
        };
        let open = Open { record, row };
        self.pairing.callback(key, sign, placed.start, open);
    }

    fn other(&mut self, at: u32, placed: &Placed<'_>, class: Class, body: &Body<'_>) {
        let names = placed.hook.is_some_and(|hook| tells_names(hook.id));
        let classes = &self.select.classes;
        if !classes.is_empty() && !classes.contains(&class) || names && self.select.paths.is_some()
        {
            return;
        }
        let owner = self.owner(placed, body.owner());
        if !self.takes(placed, class, owner) {
            return;
        }
        let from = self.arena.len();
        self.push_path(placed, body, owner);
        let to = self.arena.len();
        self.push_target(body);
        self.keep(at, class, Role::Event, owner, (from, to));
    }

    fn push_path(&mut self, placed: &Placed<'_>, body: &Body<'_>, owner: Owner) {
        use crate::etl::kernel::disk::DiskEvent;
        use crate::etl::kernel::fault::FaultEvent;
        use crate::etl::kernel::image::ImageEvent;
        use crate::etl::kernel::process::ProcessEvent;
        use crate::etl::kernel::registry::RegistryEvent;
        let facts = self.trace.facts();
        match body {
            Body::Key(event) => self.push_key(placed, event),
            Body::Registry(RegistryEvent::Hive(hive)) => {
                let from = self.arena.len();
                hive.link().push_to(&mut self.arena);
                shorten_key(&mut self.arena, from);
            }
            Body::Process(ProcessEvent::Row(row)) => {
                let image = self.trace.image_path(owner.process);
                if image.is_empty() {
                    row.image.push_to(&mut self.arena);
                } else {
                    self.arena.push_str(image);
                }
            }
            Body::Image(ImageEvent::Row(row)) => push_path(facts, row.path, &mut self.arena),
            Body::FileName(name) => push_path(facts, name.path, &mut self.arena),
            Body::FileView(view) => self.push_file(0, view.key, placed),
            Body::Network(event) => event.push_path(&mut self.arena),
            Body::Disk(event) => {
                if let Some(key) = DiskEvent::file_key(event) {
                    self.push_file(0, key, placed);
                }
            }
            Body::Fault(FaultEvent::Hard(fault)) => self.push_file(0, fault.file_key, placed),
            _ => {}
        }
    }

    fn push_target(&mut self, body: &Body<'_>) {
        use crate::etl::kernel::registry::RegistryEvent;
        if let Body::Registry(RegistryEvent::Hive(hive)) = body {
            push_path(self.trace.facts(), hive.file(), &mut self.arena);
        }
    }

    /// Appends the key of a registry event, and the value where it is about one.
    fn push_key(&mut self, placed: &Placed<'_>, event: &KeyEvent<'_>) {
        use KeyOperation as Op;
        let from = self.arena.len();
        let facts = self.trace.facts();
        let time = self.trace.key(placed.buffer, placed.ticks);
        if !event.operation.names_kcb()
            && event.kcb != 0
            && let Some(number) = facts.keys.find(event.kcb, time)
        {
            self.arena.push_str(facts.texts.get(number));
        }
        let value = matches!(
            event.operation,
            Op::SetValue | Op::DeleteValue | Op::QueryValue
        );
        if value || !event.name.is_empty() {
            if self.arena.len() > from {
                self.arena.push('\\');
            }
            match event.name.is_empty() {
                true => self.arena.push_str("(Default)"),
                false => event.name.push_to(&mut self.arena),
            }
        }
        shorten_key(&mut self.arena, from);
    }
}

/// Puts the short name of the root in place of the kernel's in the key that `out` ends with from `from` on.
fn shorten_key(out: &mut String, from: usize) {
    let (short, rest) = split_registry(&out[from..]);
    if !short.is_empty() {
        let long = out.len() - from - rest.len();
        out.replace_range(from..from + long, short);
    }
}

/// Whether a path begins at a volume, and not at an open folder.
fn is_whole(path: &str) -> bool {
    path.starts_with('\\') || path.as_bytes().get(1) == Some(&b':')
}
