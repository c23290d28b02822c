//! Events in columns: what a decoder fills and everything else reads.

use super::time::{Filetime, Zone};
use hashbrown::HashSet;
use serde::Serialize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// Event class, in Procmon's words where Procmon has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[repr(u8)]
pub enum Class {
    /// Processes, threads, images.
    Process,
    /// Registry.
    Registry,
    /// File system.
    #[serde(rename = "File System")]
    FileSystem,
    /// Network.
    Network,
    /// Profiling.
    Profiling,
    /// Pipes and mailslots in the logs of newer Procmon builds.
    #[serde(rename = "IPC")]
    Ipc,
    /// A class this program does not know.
    #[serde(rename = "<Unknown>")]
    Unknown,
    /// Callbacks of minifilters (ETL).
    Minifilter,
    /// Other events of the kernel logger (ETL).
    Kernel,
    /// Events of providers (ETL).
    Event,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 10] = [
        Self::Process,
        Self::Registry,
        Self::FileSystem,
        Self::Network,
        Self::Profiling,
        Self::Ipc,
        Self::Unknown,
        Self::Minifilter,
        Self::Kernel,
        Self::Event,
    ];

    /// As shown, `File System`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "Process",
            Self::Registry => "Registry",
            Self::FileSystem => "File System",
            Self::Network => "Network",
            Self::Profiling => "Profiling",
            Self::Ipc => "IPC",
            Self::Unknown => "<Unknown>",
            Self::Minifilter => "Minifilter",
            Self::Kernel => "Kernel",
            Self::Event => "Event",
        }
    }
}

/// A column of texts: one buffer and the end of each text in it.
#[derive(Debug, Default, Clone)]
pub struct TextColumn {
    text: String,
    ends: Vec<usize>,
}

impl TextColumn {
    /// Where the next text is written; [`TextColumn::end_row`] ends it.
    #[inline]
    pub fn buffer(&mut self) -> &mut String {
        &mut self.text
    }

    /// Ends the text of the row.
    #[inline]
    pub fn end_row(&mut self) {
        self.ends.push(self.text.len());
    }

    /// The text written since the last row ended.
    #[inline]
    pub fn open_row(&self) -> &str {
        &self.text[self.ends.last().copied().unwrap_or(0)..]
    }

    /// Replaces the first `len` bytes written since the last row ended.
    #[inline]
    pub fn replace_start(&mut self, len: usize, with: &str) {
        let start = self.ends.last().copied().unwrap_or(0);
        self.text.replace_range(start..start + len, with);
    }

    /// Takes back what was written since the last row ended.
    #[inline]
    pub fn drop_row(&mut self) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.text.truncate(end);
    }

    /// Text of row `row`; empty where the column was not asked for.
    #[inline]
    pub fn get(&self, row: usize) -> &str {
        let Some(&end) = self.ends.get(row) else {
            return "";
        };
        let start = match row {
            0 => 0,
            _ => self.ends[row - 1],
        };
        &self.text[start..end]
    }

    /// Makes room for `rows` more texts of `bytes` each.
    fn reserve(&mut self, rows: usize, bytes: usize) {
        self.text.reserve(rows * bytes);
        self.ends.reserve(rows);
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

/// A column of lists of addresses.
#[derive(Debug, Default, Clone)]
pub struct FramesColumn {
    frames: Vec<u64>,
    ends: Vec<usize>,
}

impl FramesColumn {
    /// Adds a row with these return addresses, innermost first.
    #[inline]
    pub fn push(&mut self, frames: impl Iterator<Item = u64>) {
        self.frames.extend(frames);
        self.ends.push(self.frames.len());
    }

    /// Return addresses of row `row`, innermost first; none where the column was not asked for.
    #[inline]
    pub fn get(&self, row: usize) -> &[u64] {
        let Some(&end) = self.ends.get(row) else {
            return &[];
        };
        let start = match row {
            0 => 0,
            _ => self.ends[row - 1],
        };
        &self.frames[start..end]
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.ends.clear();
    }
}

/// Which of a minifilter's two callbacks ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the operation.
    Pre,
    /// After it.
    Post,
}

impl Phase {
    /// As shown: `pre`, `post`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
        }
    }
}

/// A callback of a minifilter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callback {
    /// Address of the callback routine: the driver it lies in is the filter.
    pub routine: u64,
    /// Which callback.
    pub phase: Phase,
    /// Its own time in 100 ns; `None` where its end or its start was not traced.
    pub duration: Option<u64>,
    /// Major function of the operation, as `IRP_MJ_CREATE`.
    pub major_function: &'static str,
}

/// What a create asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateRequest {
    /// Desired access mask; `None` where the trace does not hold it (ETL).
    pub access: Option<u32>,
    /// Share mode: 1 read, 2 write, 4 delete.
    pub share: u32,
    /// 0 supersede, 1 open, 2 create, 3 open or create, 4 overwrite, 5 overwrite or create.
    pub disposition: u8,
    /// Create options (`FILE_DIRECTORY_FILE` ..), 24 bits.
    pub options: u32,
}

/// What a file operation says of the open file it works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileUse {
    /// FileObject; 0 where the trace does not hold it (PML).
    pub object: u64,
    /// The request, of a create.
    pub create: Option<CreateRequest>,
    /// Place and length, of a read or write.
    pub transfer: Option<Transfer>,
}

/// What a read or write moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Where in the file; negative for its end and the like.
    pub offset: i64,
    /// Bytes.
    pub length: u32,
}

/// No process record is known for the event.
pub const NO_PROCESS: u32 = u32::MAX;

/// The thread of the event is not known.
pub const NO_THREAD: u32 = u32::MAX;

/// A run of events as a struct of arrays; every column has a row an event, but for the texts and
/// frames that were not asked for.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// Index of the record in its file, from 0.
    pub event: Vec<u64>,
    /// Start of the operation.
    pub time: Vec<Filetime>,
    /// Event class.
    pub class: Vec<Class>,
    /// Operation, as `CreateFile`; `<Unknown>` where Procmon prints that.
    pub operation: Vec<&'static str>,
    /// Operation, with a name also for what is newer than the tracing tool's own list.
    pub operation_full: Vec<&'static str>,
    /// Position in the trace's list of processes, or [`NO_PROCESS`].
    pub process: Vec<u32>,
    /// Thread id, or [`NO_THREAD`].
    pub tid: Vec<u32>,
    /// NTSTATUS; `None` where the operation has no result (it was still pending at the end).
    pub status: Vec<Option<u32>>,
    /// Duration in 100 ns; `None` where the operation has not ended or the kind of event has none.
    pub duration: Vec<Option<u64>>,
    /// Whether the operation waits by nature, so that its duration is no delay.
    pub waits: Vec<bool>,
    /// Category, as `Read Metadata`; empty where there is none.
    pub category: Vec<&'static str>,
    /// Path as traced.
    pub path: TextColumn,
    /// Target of a rename or link.
    pub target: TextColumn,
    /// Detail.
    pub detail: TextColumn,
    /// Stack.
    pub frames: FramesColumn,
    /// Callbacks of minifilters; the column may be shorter than the others, see [`Batch::callback`].
    pub callbacks: Vec<Option<Callback>>,
    /// Providers of self-describing events; the column may be shorter than the others, see [`Batch::provider`].
    pub providers: Vec<&'static str>,
    /// What file operations say of the open file; empty where it was not asked for, see [`Batch::file_use`].
    pub file_uses: Vec<Option<FileUse>>,
}

impl Batch {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.event.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.event.is_empty()
    }

    /// The minifilter callback of row `row`; `None` for events of other classes.
    #[inline]
    pub fn callback(&self, row: usize) -> Option<&Callback> {
        self.callbacks.get(row)?.as_ref()
    }

    /// Provider of row `row`; empty for events of the kernel and of other kinds of trace.
    #[inline]
    pub fn provider(&self, row: usize) -> &'static str {
        self.providers.get(row).copied().unwrap_or_default()
    }

    /// What the file operation of row `row` says of its open file; `None` for other events, and where the column was
    /// not asked for.
    #[inline]
    pub fn file_use(&self, row: usize) -> Option<&FileUse> {
        self.file_uses.get(row)?.as_ref()
    }

    /// Makes room for `rows` more events with what is wanted of them, as long as it usually is.
    pub fn reserve(&mut self, rows: usize, want: &Want) {
        const TEXT: usize = 128;
        const FRAMES: usize = 16;
        self.event.reserve(rows);
        self.time.reserve(rows);
        self.class.reserve(rows);
        self.operation.reserve(rows);
        self.operation_full.reserve(rows);
        self.process.reserve(rows);
        self.tid.reserve(rows);
        self.status.reserve(rows);
        self.duration.reserve(rows);
        self.waits.reserve(rows);
        self.category.reserve(if want.category { rows } else { 0 });
        self.path.reserve(rows, if want.path { TEXT } else { 0 });
        self.target.reserve(rows, 0);
        self.detail
            .reserve(rows, if want.detail { TEXT } else { 0 });
        let frames = if want.frames == Frames::None {
            0
        } else {
            FRAMES
        };
        self.frames.frames.reserve(rows * frames);
        self.frames.ends.reserve(rows);
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.event.clear();
        self.time.clear();
        self.class.clear();
        self.operation.clear();
        self.operation_full.clear();
        self.process.clear();
        self.tid.clear();
        self.status.clear();
        self.duration.clear();
        self.waits.clear();
        self.category.clear();
        self.path.clear();
        self.target.clear();
        self.detail.clear();
        self.frames.clear();
        self.callbacks.clear();
        self.providers.clear();
        self.file_uses.clear();
    }
}

/// Which frames of a stack to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frames {
    /// None.
    #[default]
    None,
    /// Those above the highest user address: all it takes to find drivers, and a third of a stack.
    Kernel,
    /// All.
    All,
}

/// Which of the costly columns to decode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Want {
    /// [`Batch::path`].
    pub path: bool,
    /// [`Batch::target`].
    pub target: bool,
    /// [`Batch::detail`].
    pub detail: bool,
    /// [`Batch::category`].
    pub category: bool,
    /// [`Batch::frames`].
    pub frames: Frames,
    /// [`Batch::file_uses`].
    pub file_uses: bool,
    /// Zone of the times inside [`Batch::detail`].
    pub zone: Zone,
}

/// A test of an event by its class, path and target path.
pub type PathTest<'a> = &'a (dyn Fn(Class, &str, &str) -> bool + Sync);

/// Which events to decode, judged on the fixed part of a record and on its paths, before any other
/// text is made.
#[derive(Clone, Default)]
pub struct Select<'a> {
    /// Earliest time, inclusive.
    pub from: Option<Filetime>,
    /// Latest time, inclusive.
    pub to: Option<Filetime>,
    /// Classes; all where empty.
    pub classes: Vec<Class>,
    /// For each process of the trace, whether its events are wanted; all where `None`.
    pub processes: Option<Vec<bool>>,
    /// Thread ids; all where empty.
    pub tids: Vec<u32>,
    /// A test of class, path and target path. It implies that both paths are decoded.
    pub paths: Option<PathTest<'a>>,
    /// Which outcomes are wanted.
    pub outcomes: Outcomes,
    /// Whether `paths` may take a registry key of this path, or anything below it; it may take any where `None`.
    pub keys: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
    /// How far what is wanted was told when the trace was opened, so that a decoder can go by what it noted then.
    pub foreseen: Foreseen,
    /// What a decoder finds out once for all units of a pass.
    pub memo: Option<&'a Memo>,
}

/// How far a selection was foreseen when the trace was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Foreseen {
    /// Not at all.
    #[default]
    Nothing,
    /// It takes no file but those that were told.
    Files,
    /// It takes no file and no registry key but those that were told.
    FilesAndKeys,
}

/// Which outcomes of operations are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcomes {
    /// All.
    #[default]
    All,
    /// Failures, and what gives a file a second name. A decoder may leave out the others, it need not.
    Telling,
}

/// What a decoder finds out about a selection once and for all units: whether paths that it knows by number are wanted,
/// and which threads belong to wanted processes. One for each trace and selection.
#[derive(Debug, Default)]
pub struct Memo {
    paths: OnceLock<Box<[AtomicU8]>>,
    owners: OnceLock<Owners>,
}

/// Processes and threads by their ids, whenever these were theirs.
#[derive(Debug, Default)]
pub struct Owners {
    /// Ids of processes.
    pub pids: HashSet<u32>,
    /// Ids of threads.
    pub tids: HashSet<u32>,
}

impl Memo {
    /// Whether path `number` of `count` is wanted, which `test` says where it is not known yet.
    #[inline]
    pub fn path(&self, number: usize, count: usize, test: impl FnOnce() -> bool) -> bool {
        const WANTED: u8 = 2;
        let paths = self
            .paths
            .get_or_init(|| (0..count).map(|_| AtomicU8::new(0)).collect());
        let Some(known) = paths.get(number) else {
            return test();
        };
        // Whoever is first writes what all others would.
        match known.load(Ordering::Relaxed) {
            0 => {
                let wanted = test();
                known.store(1 + u8::from(wanted), Ordering::Relaxed);
                wanted
            }
            known => known == WANTED,
        }
    }

    /// Who is wanted, which `find` says the first time.
    pub fn owners(&self, find: impl FnOnce() -> Owners) -> &Owners {
        self.owners.get_or_init(find)
    }
}

impl Select<'_> {
    /// Whether it leaves out nothing by what events are, their times aside.
    pub fn takes_all(&self) -> bool {
        self.classes.is_empty()
            && self.processes.is_none()
            && self.tids.is_empty()
            && self.paths.is_none()
            && self.outcomes == Outcomes::All
    }

    /// Whether an event with these facts is wanted, its paths aside.
    #[inline]
    pub fn takes(&self, time: Filetime, class: Class, process: u32, tid: u32) -> bool {
        self.from.is_none_or(|from| time >= from)
            && self.to.is_none_or(|to| time <= to)
            && (self.classes.is_empty() || self.classes.contains(&class))
            && self
                .processes
                .as_ref()
                .is_none_or(|wanted| wanted.get(process as usize).copied().unwrap_or(false))
            && (self.tids.is_empty() || self.tids.contains(&tid))
    }
}
