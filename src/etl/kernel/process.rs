//! Processes: their start and end, those that ran before and after the trace, and their counters.

use super::fields::{Fields, NarrowText, WideText};
use super::sid::Sid;
use crate::trace::time::Filetime;

/// Hooks of process events.
pub mod hook {
    /// A process starts; the header names its creator.
    pub const START: u16 = 0x0301;
    /// A process ends.
    pub const END: u16 = 0x0302;
    /// A process that runs while process events are switched on.
    pub const RUNDOWN_START: u16 = 0x0303;
    /// A process that runs while they are switched off.
    pub const RUNDOWN_END: u16 = 0x0304;
    /// A process is told to end; the header names who does that.
    pub const TERMINATE: u16 = 0x030B;
    /// Counters of a process that ends.
    pub const COUNTERS: u16 = 0x0320;
    /// Counters of a process that runs at the end of the trace.
    pub const COUNTERS_RUNDOWN: u16 = 0x0321;
    /// A process that has ended and whose object still lives.
    pub const DEFUNCT: u16 = 0x0327;
}

/// What a row about a process says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessMoment {
    /// It starts.
    Start,
    /// It ends.
    End,
    /// It runs at a rundown before the events.
    RundownStart,
    /// It runs at a rundown behind the events.
    RundownEnd,
    /// It has ended before the rundown and its object still lives.
    Defunct,
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessRow<'a> {
    /// What happens to it.
    pub moment: ProcessMoment,
    /// Address of its object, unique at a time; from version 2 on.
    pub key: Option<u64>,
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// Session, `FFFFFFFF` for none; from version 1 on.
    pub session: Option<u32>,
    /// Exit status, 259 (`STATUS_PENDING`, 0x103) while it lives; from version 1 on.
    pub exit_status: Option<i32>,
    /// Physical address of its page directory; version 1, and from version 3 on.
    pub directory_base: Option<u64>,
    /// Flags ([`ProcessRow::WOW64`] and its like); from version 4 on.
    pub flags: Option<u32>,
    /// User.
    pub sid: Option<Sid<'a>>,
    /// File name of its image; old kernels cut it after 15 characters.
    pub image: NarrowText<'a>,
    /// Command line; from version 2 on.
    pub command_line: WideText<'a>,
    /// Full name of its package; from version 4 on.
    pub package: WideText<'a>,
    /// Application id inside the package; from version 4 on.
    pub application: WideText<'a>,
    /// When it ended; defunct processes from version 5 on.
    pub exit_time: Option<Filetime>,
}

/// What stands behind the SID.
struct Texts<'a> {
    image: NarrowText<'a>,
    command_line: WideText<'a>,
    package: WideText<'a>,
    application: WideText<'a>,
    exit_time: Option<Filetime>,
}

impl<'a> Texts<'a> {
    fn read(moment: ProcessMoment, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let image = fields.narrow_text()?;
        let mut text = |since: u16| {
            let text = (version >= since).then(|| fields.wide_text());
            text.flatten().unwrap_or_default()
        };
        let (command_line, package, application) = (text(2), text(4), text(4));
        let timed = version >= 5 && moment == ProcessMoment::Defunct;
        let exit_time = timed.then(|| fields.u64()).flatten();
        Some(Self {
            image,
            command_line,
            package,
            application,
            exit_time: exit_time.map(Filetime),
        })
    }
}

impl<'a> ProcessRow<'a> {
    /// The process has an application id; a name from public sources.
    pub const APPLICATION: u32 = 0x1;
    /// A 32-bit process on 64-bit Windows.
    pub const WOW64: u32 = 0x2;
    /// A protected process.
    pub const PROTECTED: u32 = 0x4;
    /// A packaged process; a name from public sources.
    pub const PACKAGED: u32 = 0x8;

    /// Reads a row of any version. Version 0 (`ptr` pid, `ptr` parent, SID, image) is not met in real files.
    pub fn parse(moment: ProcessMoment, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let mut row = Self {
            moment,
            key: None,
            pid: 0,
            parent_pid: 0,
            session: None,
            exit_status: None,
            directory_base: None,
            flags: None,
            sid: None,
            image: NarrowText::default(),
            command_line: WideText::default(),
            package: WideText::default(),
            application: WideText::default(),
            exit_time: None,
        };
        if version == 0 {
            row.pid = fields.ptr()? as u32;
            row.parent_pid = fields.ptr()? as u32;
        } else {
            let first = fields.ptr()?;
            if version == 1 {
                row.directory_base = Some(first);
            } else {
                row.key = Some(first);
            }
            row.pid = fields.u32()?;
            row.parent_pid = fields.u32()?;
            row.session = Some(fields.u32()?);
            row.exit_status = Some(fields.u32()?.cast_signed());
            if version >= 3 {
                row.directory_base = Some(fields.ptr()?);
            }
            if version >= 4 {
                row.flags = Some(fields.u32()?);
            }
        }
        let (sid, texts) = user_and_texts(moment, version, fields)?;
        row.sid = sid;
        row.image = texts.image;
        row.command_line = texts.command_line;
        row.package = texts.package;
        row.application = texts.application;
        row.exit_time = texts.exit_time;
        Some(row)
    }
}

/// Reads the SID and what stands behind it. Where "no SID" leaves bytes over, the field may be a zeroed
/// `TOKEN_USER` with a SID behind it, as test programs write it.
fn user_and_texts<'a>(
    moment: ProcessMoment,
    version: u16,
    fields: &mut Fields<'a>,
) -> Option<(Option<Sid<'a>>, Texts<'a>)> {
    let mut stored = *fields;
    let sid = Sid::read_user(&mut stored)?;
    let texts = Texts::read(moment, version, &mut stored);
    if sid.is_none() && (texts.is_none() || !stored.rest().is_empty()) {
        let mut zeroed = *fields;
        if let Some(sid) = Sid::read_behind_token(&mut zeroed)
            && let Some(texts) = Texts::read(moment, version, &mut zeroed)
            && zeroed.rest().is_empty()
        {
            *fields = zeroed;
            return Some((Some(sid), texts));
        }
    }
    *fields = stored;
    Some((sid, texts?))
}

/// Counters of a process: sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessCounters {
    /// Whether the process still runs, and the row stands in a rundown.
    pub running: bool,
    /// Process id.
    pub pid: u32,
    /// Page faults.
    pub page_faults: u32,
    /// Open handles.
    pub handles: u32,
    /// Most address space it had.
    pub peak_virtual: u64,
    /// Largest working set it had.
    pub peak_working_set: u64,
    /// Most page file it used.
    pub peak_page_file: u64,
    /// Most paged pool charged to it.
    pub peak_paged_pool: u64,
    /// Most non-paged pool charged to it.
    pub peak_non_paged_pool: u64,
    /// Address space.
    pub virtual_size: u64,
    /// Working set.
    pub working_set: u64,
    /// Page file.
    pub page_file: u64,
    /// Paged pool.
    pub paged_pool: u64,
    /// Non-paged pool.
    pub non_paged_pool: u64,
    /// Private memory.
    pub private: u64,
}

impl ProcessCounters {
    fn parse(running: bool, fields: &mut Fields<'_>) -> Option<Self> {
        let pid = fields.u32()?;
        let page_faults = fields.u32()?;
        let handles = fields.u32()?;
        let _reserved = fields.u32()?;
        Some(Self {
            running,
            pid,
            page_faults,
            handles,
            peak_virtual: fields.ptr()?,
            peak_working_set: fields.ptr()?,
            peak_page_file: fields.ptr()?,
            peak_paged_pool: fields.ptr()?,
            peak_non_paged_pool: fields.ptr()?,
            virtual_size: fields.ptr()?,
            working_set: fields.ptr()?,
            page_file: fields.ptr()?,
            paged_pool: fields.ptr()?,
            non_paged_pool: fields.ptr()?,
            private: fields.ptr()?,
        })
    }
}

/// An event of the process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEvent<'a> {
    /// A process and what happens to it.
    Row(ProcessRow<'a>),
    /// A process is told to end; its end comes later.
    Terminate {
        /// The process that is to end.
        pid: u32,
    },
    /// Counters of a process.
    Counters(ProcessCounters),
}

impl<'a> ProcessEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early.
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let moment = match hook {
            hook::START => ProcessMoment::Start,
            hook::END => ProcessMoment::End,
            hook::RUNDOWN_START => ProcessMoment::RundownStart,
            hook::RUNDOWN_END => ProcessMoment::RundownEnd,
            hook::DEFUNCT => ProcessMoment::Defunct,
            hook::TERMINATE => return Some(Self::Terminate { pid: fields.u32()? }),
            hook::COUNTERS | hook::COUNTERS_RUNDOWN => {
                let running = hook == hook::COUNTERS_RUNDOWN;
                return ProcessCounters::parse(running, fields).map(Self::Counters);
            }
            _ => return None,
        };
        ProcessRow::parse(moment, version, fields).map(Self::Row)
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
