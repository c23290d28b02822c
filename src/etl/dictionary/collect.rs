//! Gathering the facts of a unit, while its records pass by.

use super::facts::Facts;
use super::images::{ImageRow, Presence};
use super::lifetimes::Sign;
use super::opened::{Opening, tells_path};
use super::processes::{Event, ProcessRow};
use super::samples::HandleCount;
use super::stacks::pack;
use super::tells::{More, Tells, is_operation, is_told_twice};
use super::texts::TextId;
use super::threads::Life;
use super::versions::FileVersion;
use crate::bytes::{i64_at, ptr_at, u32_at};
use crate::etl::census::{BufferSum, Visitor};
use crate::etl::cuts::{Cuts, Cutting};
use crate::etl::file::EtlFile;
use crate::etl::forms::Form;
use crate::etl::gather::hook_of;
use crate::etl::kernel::config::ConfigEvent;
use crate::etl::kernel::file_io::OPERATION_END;
use crate::etl::kernel::file_io_addresses::OperationAddresses;
use crate::etl::kernel::file_name::{FileName, NameMoment};
use crate::etl::kernel::image::{ImageEvent, ImageMoment};
use crate::etl::kernel::image_id::ImageRecord;
use crate::etl::kernel::merged::SystemRecord;
use crate::etl::kernel::minifilter::{CallbackMoment, MinifilterCallback};
use crate::etl::kernel::object::{HandleChange, ObjectEvent};
use crate::etl::kernel::process::{ProcessEvent, ProcessMoment};
use crate::etl::kernel::profile::ProfileEvent;
use crate::etl::kernel::registry::{KeyEvent, KeyOperation};
use crate::etl::kernel::stack::StackEvent;
use crate::etl::kernel::thread::{ThreadEvent, ThreadMoment};
use crate::etl::kernel::{Fields, WideText};
use crate::etl::keys::{StartAt, TimeKey, is_stack, start_at, start_ticks};
use crate::etl::link::pairing::CallbackKey;
use crate::etl::link::part::{family, told};
use crate::etl::providers::{EVENT_METADATA, IMAGE_ID, SYSTEM};
use crate::etl::record::{Hook, Record, RecordKind};
use crate::etl::slices::BufferSpan;
use crate::trace::Filetime;

/// Process ids that are told apart.
pub(super) const MOST_PIDS: usize = 1 << 20;
/// Operations that a stack is looked for among, by the low bits of their time stamps.
const RECENT_OPERATIONS: usize = 1 << 10;
/// A manifest that comes in the stream of its events.
const MANIFEST_EVENT: u16 = 65_534;

/// The facts of a unit, while its records pass by.
pub struct UnitFacts<'f> {
    file: &'f EtlFile,
    time: TimeKey<'f>,
    pub(super) facts: Facts,
    /// Earliest start of what ends with a record of the buffer, as a key.
    began: i64,
    /// See [`BufferSpan::stacks_from`]; time stamps of other records in it change nothing.
    stacks_from: i64,
    /// Latest time that a record of the buffer tells of and that lies behind its own.
    ahead: i64,
    /// The span of the parts of the buffer that were gone through, and where it was cut.
    parts: (i64, i64),
    cutting: Cutting,
    /// Records that tell no more than this need not be looked at.
    known: More,
    /// Time stamps and threads of the last operations: their stacks follow soon.
    operations: Vec<(i64, u32)>,
    last_pid: u32,
    /// Whether ends of callbacks were met in the unit.
    callback_ends: bool,
    scratch: String,
    pub(super) packed: Vec<u8>,
    /// Rows whose order in the unit matters to nobody, but which name texts of the unit.
    pub(super) files: Vec<(u64, i64, Sign, TextId)>,
    pub(super) keys: Vec<(u64, i64, Sign, TextId)>,
    pub(super) stacks: Vec<(u64, i64, std::ops::Range<usize>)>,
    pub(super) versions: Vec<(u64, u32, FileVersion)>,
    pub(super) ids: Vec<(u32, u64, u64, u32)>,
    pub(super) volumes: Vec<(String, String)>,
    pub(super) opening: Option<Opening<'f>>,
}

impl<'f> UnitFacts<'f> {
    /// Nothing yet; with `opening` FileObjects are found that are opened with certain paths.
    pub fn new(file: &'f EtlFile, opening: Option<Opening<'f>>) -> Self {
        Self {
            file,
            opening,
            time: TimeKey::new(file),
            facts: Facts::default(),
            began: i64::MAX,
            stacks_from: i64::MAX,
            ahead: i64::MIN,
            parts: (i64::MAX, i64::MAX),
            cutting: Cutting::default(),
            known: More::Nothing,
            operations: vec![(i64::MIN, 0); RECENT_OPERATIONS],
            last_pid: u32::MAX,
            callback_ends: false,
            scratch: String::new(),
            packed: Vec::new(),
            files: Vec::new(),
            keys: Vec::new(),
            stacks: Vec::new(),
            versions: Vec::new(),
            ids: Vec::new(),
            volumes: Vec::new(),
        }
    }

    fn text(&mut self, text: WideText<'_>) -> TextId {
        self.scratch.clear();
        text.push_to(&mut self.scratch);
        self.scratch_text()
    }

    fn scratch_text(&mut self) -> TextId {
        let number = self.facts.texts.number(&self.scratch);
        self.facts.lost_names += u64::from(number.is_none());
        number.unwrap_or(TextId::MAX)
    }

    fn filetime(&self, buffer: usize, ticks: i64) -> Filetime {
        self.file.clock_of(buffer).filetime(ticks)
    }

    fn note_hook(&mut self, hook: u16) {
        match hook {
            OPERATION_END => self.facts.operation_ends = true,
            0x0460 | 0x0461 => self.facts.callback_starts = true,
            _ => {}
        }
    }

    /// What a kernel event tells; its hook is one of [`has_facts`].
    fn facts_of(&mut self, buffer: usize, hook: Hook, record: &Record<'_>, ticks: i64) {
        let mut fields = Fields::new(record.payload(), record.wide());
        let version = u16::from(hook.version);
        match hook.id {
            0x0301..=0x0304 | 0x0327 => self.process(buffer, hook, &mut fields, ticks),
            0x030A | 0x1402..=0x1404 => self.image(buffer, hook, &mut fields, ticks),
            0x0400 | 0x0420 | 0x0423 | 0x0424 => {
                if let Some(name) = FileName::parse(hook.id, &mut fields) {
                    let sign = match name.moment {
                        NameMoment::Create => Sign::Begin,
                        NameMoment::Delete => Sign::End,
                        NameMoment::Name | NameMoment::Rundown => Sign::Seen,
                    };
                    let path = self.text(name.path);
                    let time = self.time.of(buffer, ticks);
                    self.files.push((name.key, time, sign, path));
                }
            }
            0x0464 | 0x0465 => {
                if let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) {
                    let time = self.time.of(buffer, ticks);
                    self.facts.refused.add(&CallbackKey::of(&callback), time);
                    self.facts.callbacks.of(callback.routine).refused += 1;
                }
            }
            0x0501..=0x0504 => {
                if let Some(ThreadEvent::Row(thread)) =
                    ThreadEvent::parse(hook.id, version, &mut fields)
                {
                    let life = match thread.moment {
                        ThreadMoment::Start => Life::Start,
                        ThreadMoment::End => Life::End,
                        _ => Life::Alive,
                    };
                    let time = self.time.of(buffer, ticks);
                    self.facts.threads.add(thread.tid, time, life, thread.pid);
                    self.pid(thread.pid);
                }
            }
            0x0916..=0x0919 => {
                if let Some(event) = KeyEvent::parse(hook.id, version, &mut fields) {
                    let sign = match event.operation {
                        KeyOperation::KcbCreate => Sign::Begin,
                        KeyOperation::KcbDelete => Sign::End,
                        _ => Sign::Seen,
                    };
                    let path = self.text(event.name);
                    let time = self.time.of(buffer, ticks);
                    self.keys.push((event.kcb, time, sign, path));
                }
            }
            0x0B0A..=0x0B25 => {
                if let Some(event) = ConfigEvent::parse(hook.id, version, &mut fields) {
                    self.facts.machine.add_config(&event);
                }
            }
            0x0F2E | 0x0F48..=0x0F4A => {
                match ProfileEvent::parse(hook.id, version, &mut fields) {
                    Some(ProfileEvent::Sample(sample)) => {
                        let kernel = is_kernel(sample.instruction, record.wide());
                        let samples = &mut self.facts.samples;
                        samples.add(sample.instruction, sample.is_idle(), kernel);
                    }
                    // Source 0 is the timer.
                    Some(ProfileEvent::Interval(interval)) if interval.source == 0 => {
                        self.facts.interval = interval.new;
                    }
                    _ => {}
                }
            }
            0x1120..=0x1127 => {
                if let Some(event) = ObjectEvent::parse(hook.id, version, &mut fields) {
                    self.object(&event, record);
                }
            }
            0x1822..=0x1824 => {
                if let Some(StackEvent::Key(stack)) =
                    StackEvent::parse(hook.id, version, &mut fields)
                {
                    let from = self.packed.len();
                    pack(stack.frames.iter(), &mut self.packed);
                    let time = self.time.of(buffer, ticks);
                    self.stacks.push((stack.key, time, from..self.packed.len()));
                }
            }
            _ => {}
        }
    }

    fn process(&mut self, buffer: usize, hook: Hook, fields: &mut Fields<'_>, ticks: i64) {
        let version = u16::from(hook.version);
        let Some(ProcessEvent::Row(row)) = ProcessEvent::parse(hook.id, version, fields) else {
            return;
        };
        const WOW64: u32 = 2;
        let (name, user, command_line);
        self.scratch.clear();
        row.image.push_to(&mut self.scratch);
        name = self.scratch_text();
        self.scratch.clear();
        if let Some(sid) = row.sid {
            sid.push_to(&mut self.scratch);
        }
        user = self.scratch_text();
        command_line = self.text(row.command_line);
        let process = ProcessRow {
            time: self.filetime(buffer, ticks),
            event: match row.moment {
                ProcessMoment::Start => Event::Start,
                ProcessMoment::End => Event::End,
                _ => Event::There,
            },
            pid: row.pid,
            parent: row.parent_pid,
            session: row.session.unwrap_or(u32::MAX),
            is_64: row.flags.map(|flags| fields.wide() && flags & WOW64 == 0),
            name,
            command_line,
            user,
        };
        self.facts.processes.add(process);
    }

    fn image(&mut self, buffer: usize, hook: Hook, fields: &mut Fields<'_>, ticks: i64) {
        let version = u16::from(hook.version);
        let Some(ImageEvent::Row(row)) = ImageEvent::parse(hook.id, version, fields) else {
            return;
        };
        let path = self.text(row.path);
        let image = ImageRow {
            time: self.filetime(buffer, ticks),
            presence: match row.moment {
                ImageMoment::Load => Presence::Load,
                ImageMoment::Unload => Presence::Unload,
                _ => Presence::There,
            },
            // Version 0 names no process; what it describes is the process that writes it.
            pid: row.pid.unwrap_or(self.last_pid),
            base: row.base,
            size: row.size,
            time_stamp: row.time_stamp,
            path,
        };
        self.facts.images.add(image);
    }

    fn object(&mut self, event: &ObjectEvent<'_>, record: &Record<'_>) {
        let mut count = HandleCount::default();
        let (pid, kind) = match event {
            ObjectEvent::Handle(handle) => {
                match handle.change {
                    HandleChange::Create => count.created = 1,
                    HandleChange::Close => count.closed = 1,
                    HandleChange::RundownStart | HandleChange::RundownEnd => count.open = 1,
                }
                (handle.pid.or(record.pid()), handle.type_index)
            }
            ObjectEvent::Duplicate(handle) => {
                count.duplicated = 1;
                (Some(handle.target_pid), handle.type_index)
            }
            ObjectEvent::Type(kind) => {
                self.facts
                    .handles
                    .name_type(kind.type_index, kind.name.to_string());
                return;
            }
            _ => return,
        };
        let pid = pid.unwrap_or(u32::MAX);
        self.facts.handles.add(pid, kind.unwrap_or(0), count);
    }

    fn classic(&mut self, record: &Record<'_>) {
        let Some(class) = record.classic() else {
            return;
        };
        let mut fields = Fields::new(record.payload(), record.wide());
        match class.class {
            IMAGE_ID => match ImageRecord::parse(class.opcode, &mut fields) {
                Some(ImageRecord::Id(id)) => {
                    let at = id.image;
                    self.ids.push((at.pid, at.base, id.size, id.time_stamp));
                }
                Some(ImageRecord::Version(version)) => {
                    let text = |text: WideText<'_>| text.to_string().into();
                    let found = FileVersion {
                        original_name: text(version.original_name),
                        company: text(version.company),
                        description: text(version.description),
                        version: text(version.file_version),
                    };
                    let size = u64::from(version.size);
                    self.versions.push((size, version.time_stamp, found));
                }
                _ => {}
            },
            SYSTEM => match SystemRecord::parse(class.opcode, &mut fields) {
                Some(SystemRecord::Mapping(mapping)) => {
                    let pair = (mapping.nt.to_string(), mapping.dos.to_string());
                    self.volumes.push(pair);
                }
                Some(fact) => self.facts.machine.add_system(&fact),
                None => {}
            },
            EVENT_METADATA => self.facts.definitions.add(record),
            _ => {}
        }
    }

    #[inline]
    fn pid(&mut self, pid: u32) {
        if pid != self.last_pid {
            self.last_pid = pid;
            if self.facts.pids.len() < MOST_PIDS {
                self.facts.pids.insert(pid);
            }
        }
    }
}

/// Whether an address is the kernel's: the highest bit says so.
#[inline]
pub fn is_kernel(address: u64, wide: bool) -> bool {
    address >> (if wide { 63 } else { 31 }) != 0
}

impl UnitFacts<'_> {
    /// A callback begins, or ends after a span of time that may not be known.
    #[inline(always)]
    fn callback(&mut self, routine: u64, ends: bool, span: Option<i64>) {
        if !ends {
            // Of what ends later, the end is counted.
            if !self.callback_ends {
                self.facts.callbacks.of(routine).begun += 1;
            }
            return;
        }
        self.callback_ends = true;
        let sum = self.facts.callbacks.of(routine);
        sum.ended += 1;
        if let Some(span) = span {
            let span = u64::try_from(span).unwrap_or(0);
            sum.timed += 1;
            sum.time = sum.time.saturating_add(span);
            sum.longest = sum.longest.max(span);
        }
    }

    /// What a kernel event tells besides times, `tid` being the thread of its header or `u32::MAX`.
    fn tell(&mut self, buffer: usize, hook: Hook, record: &Record<'_>, (ticks, tid): (i64, u32)) {
        if is_operation(hook.id) {
            self.operations[slot_of(ticks)] = (ticks, tid);
            if let Some(opening) = &mut self.opening {
                opening.see(hook, record);
            }
            if is_told_twice(hook.id) {
                self.twin(buffer, hook, record, ticks);
            }
        } else if is_stack(hook.id) {
            if let Some(event) = i64_at(record.payload(), 0) {
                let (ticks, owner) = self.operations[slot_of(event)];
                let known = owner != u32::MAX;
                if ticks == event && (!known || u32_at(record.payload(), 12) == Some(owner)) {
                    self.facts.operation_stacks = true;
                    self.known = More::Stacks;
                }
            }
        } else {
            if let StartAt::Span(_) = start_at(hook, record.wide()) {
                self.began(buffer, hook, record, ticks);
            }
            self.facts_of(buffer, hook, record, ticks);
        }
    }

    /// One of the two records of an operation.
    fn twin(&mut self, buffer: usize, hook: Hook, record: &Record<'_>, ticks: i64) {
        let mut fields = Fields::new(record.payload(), record.wide());
        if let Some(io) = OperationAddresses::of(hook.id, hook.version.into(), &mut fields) {
            let what = (family(io.operation), told(io.operation));
            let time = self.time.of(buffer, ticks);
            self.facts.twins.add(time, (io.irp, io.file_object), what);
        }
    }

    fn callback_of(&mut self, buffer: usize, hook: Hook, record: &Record<'_>, ticks: i64) {
        let mut fields = Fields::new(record.payload(), record.wide());
        let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) else {
            return;
        };
        let start = start_ticks(hook, record.payload(), record.wide(), ticks);
        let span = start.map(|start| self.time.of(buffer, ticks) - self.time.of(buffer, start));
        match callback.moment {
            CallbackMoment::Init => self.callback(callback.routine, false, None),
            CallbackMoment::Completion => self.callback(callback.routine, true, span),
            CallbackMoment::Failure => {}
        }
    }

    /// A stack tells of an event behind itself, which only a damaged one does.
    #[cold]
    fn told_ahead(&mut self, event: i64) {
        self.ahead = self.ahead.max(event);
    }

    /// Ends a part of a buffer: the earliest time that its records tell of.
    fn end_of_part(&mut self) -> i64 {
        let began = std::mem::replace(&mut self.began, i64::MAX);
        let stacks_from = std::mem::replace(&mut self.stacks_from, i64::MAX);
        self.parts.0 = self.parts.0.min(began);
        self.parts.1 = self.parts.1.min(stacks_from);
        began.min(stacks_from)
    }

    fn began(&mut self, buffer: usize, hook: Hook, record: &Record<'_>, ticks: i64) {
        if let Some(start) = start_ticks(hook, record.payload(), record.wide(), ticks) {
            self.began = self.began.min(self.time.of(buffer, start));
        }
    }
}

impl Visitor for UnitFacts<'_> {
    type Care = Tells;

    fn meet(&mut self, form: &Form<()>) -> Tells {
        self.note_hook(form.hook.id);
        let tells = Tells::of(form.hook, form.wide(), form.header() as u16, form.time_at());
        match self.opening {
            Some(_) if tells_path(form.hook.id) => tells.always(),
            // Who analyses a trace shows none of the sums.
            Some(_) => tells.without_sums(form.hook.id),
            None => tells,
        }
    }

    #[inline(always)]
    fn kernel(&mut self, buffer: usize, form: &Form<Tells>, ticks: i64, record: &Record<'_>) {
        let pid = form.pid(record);
        if pid != self.last_pid && pid != u32::MAX {
            self.pid(pid);
        }
        let (tells, bytes) = (form.care, record.bytes());
        let began = i64_at(bytes, tells.began_at.into()).unwrap_or(ticks);
        let says = (bytes.len() >= tells.began_least.into()) & (began >= 1) & (began <= ticks);
        let began = if says { began } else { ticks };
        let event = i64_at(bytes, tells.event_at.into()).unwrap_or(ticks);
        let began = self.time.of(buffer, began);
        self.began = self.began.min(began);
        if tells.routine_at != 0 && bytes.len() + 8 >= tells.timed_least.into() {
            let at = tells.routine_at + 8 * u16::from(bytes.len() >= tells.timed_least.into());
            if let Some(routine) = ptr_at(bytes, at.into(), form.wide()) {
                let span = says.then(|| self.time.of(buffer, ticks) - began);
                self.callback(routine, tells.ends, span);
            }
        }
        let event = self.time.of(buffer, event);
        self.stacks_from = self.stacks_from.min(event);
        if event > self.time.of(buffer, ticks) {
            self.told_ahead(event);
        }
        if tells.more > self.known {
            self.tell(buffer, form.hook, record, (ticks, form.tid(record)));
        }
    }

    fn record(&mut self, buffer: usize, record: &Record<'_>) {
        // One without a time has no place in time: it goes where its buffer begins.
        let Some(ticks) = record.time() else {
            return;
        };
        self.began = self.began.min(self.time.of(buffer, ticks));
        if let Some(pid) = record.pid() {
            self.pid(pid);
        }
        match hook_of(record) {
            Some(hook) => {
                self.note_hook(hook.id);
                self.began(buffer, hook, record, ticks);
                self.callback_of(buffer, hook, record, ticks);
                if is_stack(hook.id)
                    && let Some(event) = i64_at(record.payload(), 0)
                {
                    let event = self.time.of(buffer, event);
                    self.stacks_from = self.stacks_from.min(event);
                    self.told_ahead(event);
                }
                let tid = record.tid().unwrap_or(u32::MAX);
                self.tell(buffer, hook, record, (ticks, tid));
            }
            None => match record.kind() {
                RecordKind::Full => self.classic(record),
                RecordKind::Event if is_manifest(record) => self.facts.definitions.add(record),
                _ => {}
            },
        }
    }

    fn end_part(&mut self, buffer: usize, at: u64, sum: &BufferSum) {
        let earliest = self.end_of_part();
        let latest = sum.range().map_or(i64::MAX, |(_, high)| high);
        let latest = self.time.of(buffer, latest).max(self.ahead);
        // Buffers have 16 MiB at most.
        self.cutting.cut(at as u32, sum.records, (earliest, latest));
    }

    fn end_buffer(&mut self, buffer: usize, sum: &BufferSum) {
        let earliest = self.end_of_part();
        let cuts = self.cutting.finish(earliest);
        self.facts.cuts.push(match sum.regular {
            true => cuts,
            false => Cuts::NONE,
        });
        self.ahead = i64::MIN;
        let (began, stacks_from) = std::mem::replace(&mut self.parts, (i64::MAX, i64::MAX));
        let mut span = BufferSpan {
            stacks_from,
            bytes: sum.bytes,
            records: sum.records,
            ..BufferSpan::EMPTY
        };
        if let Some((low, high)) = sum.range() {
            span.from = self.time.of(buffer, low).min(began);
            span.to = self.time.of(buffer, high);
        } else if sum.records > 0 {
            // None of its records has a time.
            let flushed = self.file.buffers().get(buffer).map_or(0, |b| b.flushed);
            span.from = self.time.of(buffer, flushed);
            span.to = span.from;
        }
        self.facts.spans.push(span);
    }
}

#[inline]
fn slot_of(ticks: i64) -> usize {
    ticks as usize % RECENT_OPERATIONS
}

#[inline]
fn is_manifest(record: &Record<'_>) -> bool {
    record
        .descriptor()
        .is_some_and(|descriptor| descriptor.id == MANIFEST_EVENT)
}
