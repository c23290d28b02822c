//! A file operation as the kernel records it: its start and end, the callbacks of the filters in between, its
//! stack, handles and disk reads.

use super::files::Opened;
use super::filters::major;
use super::paths;
use super::pool::Of;
use super::recorder::{Actor, Recorder};
use super::schedule::{Schedule, lay_out};
use super::truth::{CallbackMeant, Group, Operation};
use crate::etl::event::{
    Callback, CallbackEvent, Directory, Disk, Event, FileIo, FileIoOp, Information, Object,
    OperationEnd, Phase, Transfer,
};
use crate::pml;
use crate::pml::op::{Create, FileOp, SetInfo};
use crate::scenario::status::{ACCESS_DENIED, CANCELLED, INVALID_DEVICE_REQUEST};
use crate::scenario::status::{INVALID_PARAMETER, PENDING};
use crate::scenario::truth::waits_by_nature;

/// Object type of files.
pub(super) const FILE_TYPE: u16 = 37;
/// An operation that takes so long has a slow callback if a filter is on its stack: 0.9 s.
const SLOW: u64 = 9_000_000;
/// Time of a request that is never answered until the file system has it.
const PENDING_ROOM: u64 = 300;

/// A callback to be written.
struct Planned {
    filter: usize,
    phase: Phase,
    /// It ends the operation.
    refusal: Option<u32>,
}

/// What an operation is written with.
struct Request<'a> {
    by: Actor,
    path: &'a str,
    opened: Opened,
    /// Callback data, which file operations call the IRP.
    data: u64,
    irp: u64,
    start: u64,
    duration: u64,
    ends: bool,
    status: u32,
    major: u32,
}

/// Major function of an operation; none where filters are not asked.
fn major_of(op: &FileOp) -> Option<u32> {
    Some(match op {
        FileOp::CreateFile(_) => major::CREATE,
        FileOp::CloseFile => major::CLEANUP,
        FileOp::IrpMjClose => major::CLOSE,
        FileOp::ReadFile(_) => major::READ,
        FileOp::WriteFile(_) => major::WRITE,
        FileOp::QueryInfo(_) => major::QUERY_INFORMATION,
        FileOp::SetInfo(_) => major::SET_INFORMATION,
        FileOp::QueryEa => major::QUERY_EA,
        FileOp::SetEa => major::SET_EA,
        FileOp::FlushBuffers => major::FLUSH,
        FileOp::QueryVolume(_) => major::QUERY_VOLUME,
        FileOp::QueryDirectory(_) | FileOp::NotifyChangeDirectory(_) => major::DIRECTORY,
        FileOp::FileSystemControl { .. } => major::FS_CONTROL,
        FileOp::DeviceIoControl { .. } => major::DEVICE_CONTROL,
        FileOp::QueryOpen(_) => major::NETWORK_QUERY_OPEN,
        FileOp::CreateFileMapping { .. } => major::SECTION,
        FileOp::LockFile { .. } | FileOp::UnlockFileSingle { .. } => major::LOCK,
        FileOp::QuerySecurity(_) => major::QUERY_SECURITY,
        FileOp::SetSecurity(_) => major::SET_SECURITY,
        FileOp::AcquireForModWrite(_) => major::MOD_WRITE,
        FileOp::Bare { .. } => return None,
    })
}

/// The records of an operation: the operation itself, and its path where that is told apart. The kernel has
/// no event for many operations; only filters see those.
fn records<'a>(
    op: &'a FileOp,
    key: u64,
    path: &'a str,
    target: &'a str,
) -> Option<(FileIoOp<'a>, Option<FileIoOp<'a>>)> {
    let info = |extra: u64, class: u32| Information { key, extra, class };
    let directory = |length, class, pattern| Directory {
        key,
        length,
        class,
        index: 0,
        pattern,
    };
    let one = match op {
        FileOp::CreateFile(c) => create(c, path),
        FileOp::CloseFile => FileIoOp::Cleanup { key },
        FileOp::IrpMjClose => FileIoOp::Close { key },
        FileOp::FlushBuffers => FileIoOp::Flush { key },
        FileOp::ReadFile(t) | FileOp::WriteFile(t) => {
            let transfer = Transfer {
                key,
                offset: t.offset as u64,
                size: t.length,
                flags: t.irp_flags,
            };
            match op {
                FileOp::ReadFile(_) => FileIoOp::Read(transfer),
                _ => FileIoOp::Write(transfer),
            }
        }
        FileOp::QueryInfo(i) => FileIoOp::QueryInformation(info(0, i.class().into())),
        FileOp::SetInfo(i) => return Some(set_information(i, key, path, target)),
        FileOp::QueryDirectory(d) => {
            let pattern = d.filter.as_deref().unwrap_or_default();
            FileIoOp::DirEnum(directory(d.buffer, d.class, pattern))
        }
        FileOp::NotifyChangeDirectory(watched) => FileIoOp::DirNotify(directory(32, *watched, "")),
        FileOp::FileSystemControl { code, .. } => FileIoOp::FsControl(info(0, *code)),
        _ => return None,
    };
    Some((one, None))
}

fn create<'a>(create: &Create, path: &'a str) -> FileIoOp<'a> {
    FileIoOp::Create {
        options: u32::from(create.disposition) << 24 | create.options & 0x00FF_FFFF,
        attributes: create.attributes.into(),
        share: create.share.into(),
        path,
    }
}

fn set_information<'a>(
    set: &SetInfo,
    key: u64,
    path: &'a str,
    target: &'a str,
) -> (FileIoOp<'a>, Option<FileIoOp<'a>>) {
    let info = |extra: u64| Information {
        key,
        extra,
        class: set.class().into(),
    };
    match set {
        SetInfo::Disposition(_) | SetInfo::DispositionEx(_) => {
            // The record with the path does not tell whether it is a deletion or its undoing.
            (
                FileIoOp::Delete(info(deletes(set).into())),
                Some(FileIoOp::DeletePath(info(0), path)),
            )
        }
        SetInfo::Rename { .. } | SetInfo::RenameEx { .. } => (
            FileIoOp::Rename(info(0)),
            Some(FileIoOp::RenamePath(info(0), target)),
        ),
        SetInfo::Link { .. } => (
            FileIoOp::SetLink(info(0)),
            Some(FileIoOp::SetLinkPath(info(0), target)),
        ),
        SetInfo::Allocation(size) | SetInfo::EndOfFile(size) => {
            (FileIoOp::SetInformation(info(*size as u64)), None)
        }
        _ => (FileIoOp::SetInformation(info(0)), None),
    }
}

fn deletes(set: &SetInfo) -> bool {
    match set {
        SetInfo::Disposition(delete) => *delete,
        SetInfo::DispositionEx(flags) => flags & 1 != 0,
        _ => false,
    }
}

/// Bytes done, or what an open did.
fn information(op: &FileOp) -> u64 {
    match op {
        FileOp::CreateFile(c) => c.open_result.unwrap_or(0).into(),
        FileOp::ReadFile(t) | FileOp::WriteFile(t) => t.done.unwrap_or(0).into(),
        _ => 0,
    }
}

impl Recorder<'_> {
    /// Records a file operation; `closed_later` says that its file's close is an event of its own.
    pub(super) fn file(&mut self, event: &pml::Event, path: &str, op: &FileOp, closed_later: bool) {
        let Some(major) = major_of(op) else {
            return;
        };
        let by = self.actor(event.process, event.tid);
        let path = paths::file(path);
        let start = event.time;
        let ends = event.status != PENDING;
        let duration = if ends { event.duration } else { PENDING_ROOM };
        let opened = match op {
            FileOp::CreateFile(c) if c.open_result.is_some() => {
                let cpu = self.cpu(by.tid, start);
                self.open_file(by, &path, start + 2, cpu)
            }
            // An open that fails leaves nothing behind.
            FileOp::CreateFile(_) => {
                let object = self.pools.take(Of::FileObject);
                self.pools
                    .give_back(Of::FileObject, object, start + duration);
                Opened::nothing(object, true)
            }
            // A query by name opens nothing: nobody tells what its object is called.
            FileOp::QueryOpen(_) => Opened::nothing(self.pools.take_new(Of::FileObject), false),
            _ => self.opened_file(by, &path),
        };
        let request = Request {
            by,
            path: &path,
            opened,
            data: self.pools.take(Of::Request),
            irp: self.pools.take(Of::Irp),
            start,
            duration,
            ends,
            status: event.status,
            major,
        };
        self.request(&request, event, op);
        if ends {
            self.after(event, op, &request, closed_later);
        }
    }

    fn request(&mut self, request: &Request<'_>, event: &pml::Event, op: &FileOp) {
        let Request {
            by,
            path,
            opened,
            data,
            start,
            duration,
            ..
        } = *request;
        let target = event.op.target().map(paths::file);
        let key = opened.key;
        let written = records(op, key, path, target.as_deref().unwrap_or_default());
        let cpu = self.cpu(by.tid, start);
        let end = start + duration;
        let last_cpu = self.cpu_during(by.tid, start, duration, end);
        let recorded = written.is_some();
        let mut lead = 1;
        let mut stack_id = None;
        if let Some((one, two)) = written {
            let object = opened.object;
            let io = |op| {
                Event::FileIo(FileIo {
                    irp: data,
                    object,
                    tid: by.tid,
                    op,
                })
            };
            self.put(cpu, start, by, io(one));
            if let Some(two) = two {
                self.put(cpu, start + 1, by, io(two));
                lead = 2;
            }
            stack_id = self.stack(cpu, start, by, &event.stack);
        }
        let (plan, slow) = self.plan(request, event);
        let before = plan.iter().filter(|p| p.phase == Phase::Pre).count();
        let schedule = lay_out(
            &mut self.rng,
            duration,
            lead,
            (before, plan.len() - before),
            slow,
        );
        let callbacks = self.callbacks(request, &plan, &schedule);
        self.disk(request, op, &schedule);
        if recorded && request.ends {
            let end_event = Event::OperationEnd(OperationEnd {
                irp: data,
                information: information(op),
                status: request.status,
            });
            self.put(last_cpu, end, by, end_event);
            // Some sessions walk the stack at the end of an operation as well.
            if paths::hash(path).is_multiple_of(7) {
                self.stack(last_cpu, end, by, &event.stack);
            }
        }
        if request.ends {
            self.pools.give_back(Of::Request, data, end);
            self.pools.give_back(Of::Irp, request.irp, end);
        }
        let named = opened.created || self.options.finalised && key != 0 || self.key_is_named(path);
        let ends = recorded && request.ends;
        self.operations.push(Operation {
            pid: by.pid,
            tid: by.tid,
            group: Group::File,
            time: start,
            record_time: start,
            path: path.to_owned(),
            named,
            target,
            recorded,
            status: ends.then_some(request.status),
            duration: ends.then_some(duration),
            waits: waits_by_nature(&event.op),
            stack: event.stack.clone(),
            stack_id,
            callbacks,
        });
    }

    /// Which filters are asked, in which order, and which of them refuses or dawdles.
    fn plan(&mut self, request: &Request<'_>, event: &pml::Event) -> (Vec<Planned>, Option<usize>) {
        let sees = |n: &usize, post: bool| {
            let filter = &self.filters[*n];
            filter.wants(request.major, post) && filter.sees(request.path, request.start)
        };
        let before: Vec<usize> = (0..self.filters.len()).filter(|n| sees(n, false)).collect();
        let mut after: Vec<usize> = (0..self.filters.len()).filter(|n| sees(n, true)).collect();
        after.reverse();
        let kernel = super::stacks::kernel_part(self.bits, &event.stack);
        let on_stack = |n: &usize| {
            let driver = &self.filters[*n].driver;
            event.stack[..kernel].iter().any(|a| driver.holds(*a))
        };
        let suspect = before.iter().copied().find(|n| on_stack(n));
        let planned = |phase| {
            move |filter: usize| Planned {
                filter,
                phase,
                refusal: None,
            }
        };
        let mut plan: Vec<Planned> = before.into_iter().map(planned(Phase::Pre)).collect();
        if !request.ends {
            return (plan, None);
        }
        let refuser = suspect.filter(|n| self.refuses(*n, request.status));
        let mut passed = after;
        if let Some(refuser) = refuser {
            let late = passed.contains(&refuser) && self.refuses_late(refuser, request.status);
            if !late {
                let place = plan.iter().position(|p| p.filter == refuser);
                plan.truncate(place.map_or(plan.len(), |p| p + 1));
                // Filters above the one that refuses see the end; the file system and those below see nothing.
                passed.retain(|n| *n < refuser);
                if let Some(last) = plan.last_mut() {
                    last.refusal = Some(request.status);
                }
            }
            plan.extend(passed.into_iter().map(planned(Phase::Post)));
            if late {
                let found = plan
                    .iter_mut()
                    .find(|p| p.filter == refuser && p.phase == Phase::Post);
                if let Some(found) = found {
                    found.refusal = Some(request.status);
                }
            }
        } else {
            plan.extend(passed.into_iter().map(planned(Phase::Post)));
        }
        let dawdles =
            request.duration >= SLOW && self.options.slow_callbacks && !waits_by_nature(&event.op);
        let slow = suspect.filter(|_| dawdles);
        let slow = slow.and_then(|n| plan.iter().position(|p| p.filter == n));
        (plan, slow)
    }

    /// The filter on the stack is the one that ended the operation: by denying it, or by not supporting it.
    fn refuses(&self, filter: usize, status: u32) -> bool {
        let harmless = [INVALID_PARAMETER, INVALID_DEVICE_REQUEST, CANCELLED];
        match self.filters[filter].driver.name() {
            "tmsflt.sys" => status == ACCESS_DENIED,
            "acmebkp.sys" => status == ACCESS_DENIED || harmless.contains(&status),
            _ => false,
        }
    }

    /// Most refuse at once; some open the file first, look at it, and take it back.
    fn refuses_late(&mut self, filter: usize, status: u32) -> bool {
        self.refusals[filter] += 1;
        let third = self.refusals[filter].is_multiple_of(3);
        status == ACCESS_DENIED && (third || self.filters[filter].driver.name() == "acmebkp.sys")
    }

    fn callbacks(
        &mut self,
        request: &Request<'_>,
        plan: &[Planned],
        schedule: &Schedule,
    ) -> Vec<CallbackMeant> {
        let wanted = self.options.callbacks;
        let mut meant = Vec::new();
        for (planned, (from, to)) in plan.iter().zip(&schedule.callbacks) {
            let (begin, end) = (request.start + from, request.start + to);
            let post = planned.phase == Phase::Post;
            let routine = self.filters[planned.filter].routine(request.major, post);
            let before_create = request.major == major::CREATE && !post;
            let callback = |event| {
                Event::Callback(Callback {
                    phase: planned.phase,
                    event,
                    routine,
                    object: request.opened.object,
                    context: if before_create { 0 } else { request.opened.key },
                    irp: request.irp,
                    data: request.data,
                    major: request.major,
                })
            };
            let cpu = |at| self.cpu_during(request.by.tid, request.start, request.duration, at);
            let (first_cpu, last_cpu) = (cpu(begin), cpu(end));
            if wanted.init {
                self.put(first_cpu, begin, request.by, callback(CallbackEvent::Init));
            }
            if wanted.completion {
                let event = CallbackEvent::Completion { initial: begin };
                self.put(last_cpu, end, request.by, callback(event));
            }
            let refusal = planned.refusal.filter(|_| wanted.failure);
            if let Some(status) = refusal {
                let event = CallbackEvent::Failure { status };
                self.put(last_cpu, end, request.by, callback(event));
            }
            if wanted.init || wanted.completion || refusal.is_some() {
                meant.push(CallbackMeant {
                    routine,
                    phase: planned.phase,
                    time: if wanted.init || wanted.completion {
                        begin
                    } else {
                        end
                    },
                    duration: wanted.completion.then_some(end - begin),
                    status: refusal,
                });
            }
        }
        meant
    }

    /// Some reads reach the disk.
    fn disk(&mut self, request: &Request<'_>, op: &FileOp, schedule: &Schedule) {
        let FileOp::ReadFile(transfer) = op else {
            return;
        };
        let (from, to) = schedule.file_system;
        if to - from < 20 || !self.rng.one_in(3) || transfer.done.is_none() {
            return;
        }
        let irp = self.pools.take(Of::Irp);
        let (by, begin, end) = (request.by, request.start + from + 4, request.start + to - 4);
        let cpu = self.cpu_during(by.tid, request.start, request.duration, begin);
        let init = Disk::Init {
            write: false,
            irp,
            tid: by.tid,
        };
        self.put(cpu, begin, by, Event::Disk(init));
        let offset = 0x1_4000_0000 + (request.opened.key & 0xFFF_F000);
        let done = Disk::Done {
            write: false,
            flags: transfer.irp_flags,
            bytes: transfer.length.next_multiple_of(4096),
            offset,
            key: request.opened.key,
            irp,
            response: end - begin,
            tid: by.tid,
        };
        // Whichever CPU the interrupt meets.
        let cpus = self.trace.session().cpus;
        self.put((cpu + 1) % cpus, end, Actor::NOBODY, Event::Disk(done));
        self.pools.give_back(Of::Irp, irp, end);
    }

    /// Handles come and go, deletions are remembered, and a cleanup is followed by a close.
    fn after(
        &mut self,
        event: &pml::Event,
        op: &FileOp,
        request: &Request<'_>,
        closed_later: bool,
    ) {
        let Request {
            by, path, opened, ..
        } = *request;
        let end = request.start + request.duration;
        let cpu = self.cpu_during(by.tid, request.start, request.duration, end);
        match op {
            FileOp::CreateFile(c) if c.open_result.is_some() => {
                if !self.options.background || by.pid == 4 {
                    return;
                }
                let handle = self.new_handle();
                let made = Object::CreateHandle {
                    object: opened.object,
                    handle,
                    kind: FILE_TYPE,
                };
                self.put(cpu, end + 1, by, Event::Object(made));
                self.change_file(by, path, opened.object, |o| o.handle = Some(handle));
            }
            FileOp::SetInfo(set) if event.status == 0 && deletes(set) => {
                self.change_file(by, path, opened.object, |o| o.deleted = true);
            }
            FileOp::CloseFile => {
                if let Some(handle) = opened.handle {
                    let gone = Object::CloseHandle {
                        object: opened.object,
                        handle,
                        kind: FILE_TYPE,
                    };
                    self.put(cpu, end + 1, by, Event::Object(gone));
                    self.change_file(by, path, opened.object, |o| o.handle = None);
                }
                if !closed_later {
                    let after = pml::Event {
                        time: end + 1_500 + self.rng.below(1_000),
                        duration: 20 + self.rng.below(40),
                        status: 0,
                        stack: Vec::new(),
                        op: event.op.clone(),
                        ..*event
                    };
                    self.close(&after, request);
                }
            }
            FileOp::IrpMjClose => self.close_file(by, path, opened, end, cpu),
            _ => {}
        }
    }

    /// The close behind a cleanup: the last reference to the file object goes.
    fn close(&mut self, event: &pml::Event, cleanup: &Request<'_>) {
        let request = Request {
            data: self.pools.take(Of::Request),
            irp: self.pools.take(Of::Irp),
            start: event.time,
            duration: event.duration,
            status: 0,
            major: major::CLOSE,
            ..*cleanup
        };
        self.request(&request, event, &FileOp::IrpMjClose);
        self.after(event, &FileOp::IrpMjClose, &request, true);
    }
}
