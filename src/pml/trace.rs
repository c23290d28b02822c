//! A log behind the event model.

use super::detail::{self, Mode};
use super::error::PmlError;
use super::facts::{UnitFacts, tells};
use super::file::{OpenError, PmlFile, UNIT};
use super::hints;
use super::hosts::Accounts;
use super::operations::{UNKNOWN, class_of, operation_name, operation_name_full};
use super::record::{PENDING, Record};
use super::survey::{LoadedImage, Survey, survey};
use super::unit::Unit;
use crate::input::view::Source;
use crate::lang::Message;
use crate::say;
use crate::trace::log_writes::is_lazy_writer;
use crate::trace::path::strip_prefix_no_case;
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{
    Batch, Boot, BootBasis, Class, Coverage, CreateRequest, FileUse, Filetime, Frames, Job,
    KernelImage, Kind, Module, NO_PROCESS, Outcomes, Process, Records, SYSTEM, Select, Tick, Trace,
    TraceInfo, Want,
};
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// An open log and what its first pass found.
#[derive(Debug)]
pub struct PmlTrace {
    pub(super) file: PmlFile,
    pub(super) info: TraceInfo,
    pub(super) accounts: Accounts,
    pub(super) units: Vec<UnitFacts>,
}

impl PmlTrace {
    /// Opens the log at `path` and looks through it once; `tick` hears of each unit done.
    ///
    /// # Errors
    /// When the file cannot be read, or is no PML of version 9. Damage that leaves something to read
    /// is no error: it stands in [`TraceInfo::warnings`].
    pub fn open(path: &Path, tick: Tick<'_>) -> Result<Self, OpenError> {
        Self::from_source(Source::open(path)?, path, tick)
    }

    /// The same for bytes that are in memory or in a file opened before; `path` is what messages call it.
    ///
    /// # Errors
    /// As [`PmlTrace::open`].
    pub fn from_source(source: Source, path: &Path, tick: Tick<'_>) -> Result<Self, OpenError> {
        let mut file = PmlFile::open(source)?;
        let mut found = survey(&file, tick)?;
        if found.fitting < file.len() as u64
            && let Some(places) = file.mended()?
        {
            file.take_places(places, found.fitting);
            found = survey(&file, &|_| ())?;
        }
        hints::apply(std::mem::take(&mut found.hints), &mut file.processes);
        let mut accounts = Accounts::default();
        for (sid, number) in &found.accounts {
            if let Some(position) = file.processes.position(*number) {
                accounts.learn(sid, &file.processes.list[position as usize].user);
            }
        }
        let info = describe(&mut file, &found, path);
        Ok(Self {
            file,
            info,
            accounts,
            units: found.units,
        })
    }

    /// The log as a file: records by number. Its list of processes has become [`TraceInfo::processes`].
    pub fn file(&self) -> &PmlFile {
        &self.file
    }

    /// The records of unit `unit`: what [`Trace::decode`] makes its rows from.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn unit(&self, unit: usize) -> io::Result<Unit> {
        self.file.unit(numbers(unit))
    }

    /// Account names that the log explains.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    #[inline]
    fn push(
        &self,
        number: usize,
        record: &Record<'_>,
        want: &Want,
        select: &Select<'_>,
        out: &mut Batch,
    ) {
        let class = class_of(record.class());
        let process = self
            .file
            .processes
            .position(record.process_index())
            .unwrap_or(NO_PROCESS);
        let time = Filetime(record.time());
        if !select.takes(time, class, process, record.tid())
            || select.outcomes == Outcomes::Telling && !tells(record)
        {
            return;
        }
        if want.path || select.paths.is_some() {
            detail::push_path(record, &self.file.hosts, out.path.buffer());
        }
        if want.target || select.paths.is_some() {
            self.push_target(record, out);
        }
        if let Some(test) = select.paths
            && !test(class, out.path.open_row(), out.target.open_row())
        {
            out.path.drop_row();
            out.target.drop_row();
            return;
        }
        out.path.end_row();
        out.target.end_row();
        out.event.push(number as u64);
        out.time.push(time);
        out.class.push(class);
        let operation = operation_name(record);
        out.operation.push(operation);
        out.operation_full.push(match operation {
            UNKNOWN => operation_name_full(record),
            known => known,
        });
        out.process.push(process);
        out.tid.push(record.tid());
        out.status
            .push(Some(record.status()).filter(|status| *status != PENDING));
        out.duration.push(record.duration());
        out.waits.push(detail::waits_by_nature(record));
        if want.category {
            out.category.push(detail::category(record));
        }
        if want.detail {
            let mut text = detail::DetailText::new(out.detail.buffer(), &want.zone);
            detail::detail(record, &self.accounts, Mode::Clean, &mut text);
            out.detail.end_row();
        }
        match want.frames {
            Frames::None => {}
            Frames::Kernel => {
                let highest_user = self.info.highest_user;
                let kernel = record.frames().filter(|frame| *frame > highest_user);
                out.frames.push(kernel);
            }
            Frames::All => out.frames.push(record.frames()),
        }
        if want.file_uses {
            out.file_uses.push(file_use(class, record));
        }
    }
}

/// The events of a unit.
fn numbers(unit: usize) -> Range<usize> {
    let first = unit.saturating_mul(UNIT);
    first..first.saturating_add(UNIT)
}

/// What a file event says of its open file: the log holds no FileObject, only what creates ask for.
fn file_use(class: Class, record: &Record<'_>) -> Option<FileUse> {
    if class != Class::FileSystem {
        return None;
    }
    let create = detail::create_parameters(record).map(|create| CreateRequest {
        access: Some(create.access),
        share: create.share.into(),
        disposition: create.disposition,
        options: create.options,
    });
    Some(FileUse {
        object: 0,
        create,
        transfer: detail::transfer(record),
    })
}

impl PmlTrace {
    /// The target path, comparable to paths: the kernel's name of the Windows folder replaced by the folder.
    #[inline]
    fn push_target(&self, record: &Record<'_>, out: &mut Batch) {
        const SYSTEM_ROOT: &str = "\\SystemRoot";
        if !detail::push_target_path(record, out.target.buffer()) {
            return;
        }
        let root = &self.file.header().system_root;
        let below = strip_prefix_no_case(out.target.open_row(), SYSTEM_ROOT);
        if !root.is_empty() && below.is_some_and(|rest| rest.starts_with('\\')) {
            out.target.replace_start(SYSTEM_ROOT.len(), root);
        }
    }
}

impl Trace for PmlTrace {
    fn info(&self) -> &TraceInfo {
        &self.info
    }

    fn units(&self) -> usize {
        self.file.len().div_ceil(UNIT)
    }

    fn unit_len(&self, unit: usize) -> usize {
        self.file.len().saturating_sub(unit * UNIT).min(UNIT)
    }

    fn decode_all(&self, unit: usize, jobs: &mut [Job<'_>]) -> io::Result<()> {
        let held = self.units.get(unit);
        let may_hold = |job: &&mut Job<'_>| {
            held.is_none_or(|facts| facts.may_hold(job.select, &self.file.processes))
        };
        let mut records = None;
        for job in jobs.iter_mut().filter(may_hold) {
            let records = match &mut records {
                Some(records) => records,
                None => records.insert(self.file.unit_alone(numbers(unit))?),
            };
            if job.select.takes_all() {
                // Growing by doubling would touch twice the memory.
                job.batch.reserve(records.len(), job.want);
            }
            for at in 0..records.len() {
                if let Ok(record) = records.record(at) {
                    let number = records.first() + at;
                    self.push(number, &record, job.want, job.select, job.batch);
                }
            }
        }
        Ok(())
    }
}

fn describe(file: &mut PmlFile, found: &Survey, path: &Path) -> TraceInfo {
    let header = file.header();
    let highest_user = header.highest_user;
    let operations = found.operations();
    let has = |class| operations.iter().any(|count| count.class == class);
    // Records are lost that the header counts, or that must have been where the file has none.
    let lost = found.bad + file.missing_events().max(file.stretches());
    let boot = boot(&file.processes.list, found.first);
    let mut log_writes = found.log_writes.clone();
    for write in &mut log_writes {
        write.process = file.processes.position(write.process).unwrap_or(NO_PROCESS);
    }
    log_writes.retain(|write| {
        let process = file.processes.list.get(write.process as usize);
        process.is_none_or(|process| !is_lazy_writer(process.pid, &process.name))
    });
    let kernel_images = kernel_images(file, &found.images, highest_user);
    let coverage = Coverage {
        modules: kernel_images.iter().any(|image| image.loaded.is_none()),
        file: has(Class::FileSystem),
        registry: has(Class::Registry),
        minifilter: false,
        stacks: found.stacks,
        events_lost: lost,
        buffers_lost: 0,
        notes: notes(found, has(Class::FileSystem), has(Class::Registry)),
    };
    TraceInfo {
        path: path.to_owned(),
        kind: Kind::Pml,
        bytes: file.bytes(),
        records: Records {
            good: found.good,
            bad: found.bad + file.stretches(),
            skipped_bytes: found.bad_bytes + file.skipped_bytes(),
        },
        first: found.first,
        last: found.last,
        machine: header.machine(),
        operations,
        kernel_images,
        processes: std::mem::take(&mut file.processes.list),
        highest_user,
        coverage,
        boot,
        log_writes: Some(log_writes),
        warnings: warnings(file, found),
        missing: file.missing_events(),
    }
}

/// When the kernel started: with its process or, in a log that begins while the machine starts, shortly before.
fn boot(processes: &[Process], first: Option<Filetime>) -> Option<Boot> {
    let system = processes.iter().find(|process| process.pid == SYSTEM);
    let started = system.and_then(|system| system.start);
    if let Some(time) = started.filter(|time| time.0 != 0) {
        let basis = BootBasis::SystemProcess;
        return Some(Boot { time, basis });
    }
    let time = first?;
    let session_manager = processes
        .iter()
        .find(|process| process.name.eq_ignore_ascii_case("smss.exe"));
    let began = session_manager.and_then(|process| process.start)?;
    let basis = BootBasis::FirstEvent;
    (began >= time && began <= time.plus(BOOTS_WITHIN)).then_some(Boot { time, basis })
}

/// The session manager starts this soon after the first driver.
const BOOTS_WITHIN: u64 = 120 * TICKS_PER_SECOND;

fn notes(found: &Survey, has_files: bool, has_registry: bool) -> Vec<Message> {
    let mut notes = Vec::new();
    if found.good == 0 {
        notes.push(say!(en: "The log holds no event.", zh: "日志中没有任何事件。"));
        return notes;
    }
    if !has_files {
        notes.push(say!(
            en: "File-system activity was not recorded.",
            zh: "未记录文件系统活动。",
        ));
    }
    if !has_registry {
        notes.push(say!(
            en: "Registry activity was not recorded.",
            zh: "未记录注册表活动。",
        ));
    }
    if found.stacks {
        notes.push(say!(
            en: "Procmon sees I/O at altitude 385200: a filter whose callback has returned, or that works below it, leaves no frame on these stacks. No frame clears nobody.",
            zh: "Procmon 在高度 385200 处观察 I/O：回调已经返回的筛选器，或工作在其下方的筛选器，都不会在这些堆栈上留下帧。没有帧并不能排除任何驱动程序。",
        ));
    } else {
        notes.push(say!(
            en: "The events have no stacks, so no driver can be tied to an operation.",
            zh: "事件没有堆栈，因此无法将驱动程序与操作对应起来。",
        ));
    }
    notes.push(Coverage::no_callbacks_in_procmon());
    notes
}

fn warnings(file: &PmlFile, found: &Survey) -> Vec<Message> {
    let mut out: Vec<Message> = file.faults().map(PmlError::message).collect();
    if file.missing_events() > 0 {
        out.push(say!(
            en: "{missing} of {all} events are missing from the file",
            zh: "文件缺少 {all} 个事件中的 {missing} 个",
            missing = file.missing_events(),
            all = file.expected_events(),
        ));
    }
    if file.skipped_bytes() > 0 {
        out.push(say!(
            en: "{bytes} bytes between events could not be read",
            zh: "事件之间有 {bytes} 个字节无法读取",
            bytes = file.skipped_bytes(),
        ));
    }
    if found.bad > 0 {
        out.push(say!(
            en: "{bad} event records of {bytes} bytes could not be read",
            zh: "{bad} 条事件记录（共 {bytes} 个字节）无法读取",
            bad = found.bad,
            bytes = found.bad_bytes,
        ));
        out.extend(found.faults.iter().map(PmlError::message));
    }
    if !out.is_empty() {
        let unknown = |(number, _): &(&u32, &u64)| file.processes.position(**number).is_none();
        let orphans = || found.orphans.iter().filter(unknown);
        let events: u64 = orphans().map(|(_, events)| events).sum();
        if events > 0 {
            out.push(say!(
                en: "{events} events are of {processes} processes that neither the process table nor another event describes: they have no process name",
                zh: "{events} 个事件属于 {processes} 个进程，进程表和其他事件都没有描述这些进程：它们没有进程名称",
                processes = orphans().count(),
            ));
        }
    }
    out
}

/// The kernel images: System's modules, and what was loaded later.
///
/// In a 32-bit log System lists user-mode images as well; only what lies above the highest user
/// address is a kernel image.
fn kernel_images(file: &PmlFile, loaded: &[LoadedImage], highest_user: u64) -> Vec<KernelImage> {
    let mut out: Vec<KernelImage> = file
        .processes
        .list
        .iter()
        .filter(|process| process.pid == SYSTEM)
        .flat_map(|process| &process.modules)
        .filter(|module| module.base > highest_user)
        .map(|module| KernelImage {
            module: module.clone(),
            loaded: None,
        })
        .collect();
    let mut by_place: HashMap<(u64, String), usize> = HashMap::new();
    let mut by_path: HashMap<String, usize> = HashMap::new();
    let mut latest: HashMap<u64, usize> = HashMap::new();
    for (at, image) in out.iter().enumerate() {
        latest.insert(image.module.base, at);
        let path = image.module.path.to_ascii_lowercase();
        by_place.insert((image.module.base, path.clone()), at);
        by_path.entry(path).or_insert(at);
    }
    for image in loaded {
        let path = image.path.to_ascii_lowercase();
        let place = (image.base, path.clone());
        // Procmon lists System's modules when it saves, so a driver loaded during the log stands there too. It may
        // also come back to where another one has been since: the address is its own again from then on.
        let known = by_place.get(&place);
        if known.is_some() && known == latest.get(&image.base) {
            continue;
        }
        latest.insert(image.base, out.len());
        let empty: Arc<str> = Arc::from("");
        let mut module = by_path.get(&path).map_or_else(
            || Module {
                base: 0,
                size: 0,
                path: image.path.as_str().into(),
                version: Arc::clone(&empty),
                company: Arc::clone(&empty),
                description: empty,
                time_stamp: 0,
            },
            |at| out[*at].module.clone(),
        );
        module.base = image.base;
        module.size = image.size;
        by_place.insert(place, out.len());
        by_path.entry(path).or_insert(out.len());
        out.push(KernelImage {
            module,
            loaded: Some(image.time),
        });
    }
    out
}
