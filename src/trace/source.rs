//! What a decoder offers: facts about a trace, and its events in units that can be decoded side by side.

use super::batch::{Batch, Class, Select, Want};
use super::log_writes::LogWrite;
use super::model::{KernelImage, Machine, Process};
use super::time::Filetime;
use crate::lang::Message;
use crate::say;
use serde::Serialize;
use std::io;
use std::path::PathBuf;

/// Kind of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Procmon log.
    Pml,
    /// Windows trace log.
    Etl,
}

impl Kind {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pml => "Procmon log",
            Self::Etl => "Windows trace log (ETL)",
        }
    }

    /// As in tables: `pml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pml => "pml",
            Self::Etl => "etl",
        }
    }
}

/// How many records were read, and what was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Whole records.
    pub good: u64,
    /// Records that have a place in the file and cannot be read.
    pub bad: u64,
    /// Bytes that should hold records and do not.
    pub skipped_bytes: u64,
}

/// How often an operation occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationCount {
    /// Event class.
    pub class: Class,
    /// Operation.
    pub operation: &'static str,
    /// Events.
    pub count: u64,
}

impl OperationCount {
    /// Counts in the order they are shown in: by class, most frequent operation first.
    pub fn in_order(sums: impl IntoIterator<Item = ((Class, &'static str), u64)>) -> Vec<Self> {
        let mut out: Vec<Self> = sums
            .into_iter()
            .map(|((class, operation), count)| Self {
                class,
                operation,
                count,
            })
            .collect();
        out.sort_by(|a, b| (a.class, b.count, a.operation).cmp(&(b.class, a.count, b.operation)));
        out
    }
}

/// Which evidence a trace holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Coverage {
    /// File-system events.
    pub file: bool,
    /// Registry events.
    pub registry: bool,
    /// Minifilter callbacks.
    pub minifilter: bool,
    /// Stacks on file or registry events.
    pub stacks: bool,
    /// Events the tracer lost, or that the file should hold and does not.
    pub events_lost: u64,
    /// Buffers the tracer lost.
    pub buffers_lost: u64,
    /// What the trace cannot show, in sentences.
    pub notes: Vec<Message>,
    /// Whether it lists kernel modules that were loaded before it began.
    pub modules: bool,
}

impl Coverage {
    /// The note that a Procmon log has in any case; beside a trace with callbacks it says nothing.
    pub fn no_callbacks_in_procmon() -> Message {
        say!(
            en: "A Procmon log holds no minifilter callbacks: which filter refused or delayed a request takes a WPR trace with the minifilter profile.",
            zh: "Procmon 日志不含微筛选器回调：要知道是哪个筛选器拒绝或延迟了请求，需要使用 Minifilter 配置文件的 WPR 跟踪。",
        )
    }
}

/// When the kernel of the traced machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// When, on the clock of the trace.
    pub time: Filetime,
    /// How that is known.
    pub basis: BootBasis,
}

/// How the start of the kernel is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootBasis {
    /// The header of the trace says it.
    Header,
    /// It is the start of the process System.
    SystemProcess,
    /// The log begins while the machine starts: its first event is some seconds later.
    FirstEvent,
}

/// What is known of a trace before its events are decoded.
#[derive(Debug, Clone)]
pub struct TraceInfo {
    /// The file.
    pub path: PathBuf,
    /// Its kind.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// Records read and lost.
    pub records: Records,
    /// Time of the first event.
    pub first: Option<Filetime>,
    /// Time of the last event.
    pub last: Option<Filetime>,
    /// The traced machine.
    pub machine: Machine,
    /// Events by class and operation, most first.
    pub operations: Vec<OperationCount>,
    /// Processes, in the trace's order.
    pub processes: Vec<Process>,
    /// Kernel images: loaded at the start, then those loaded later.
    pub kernel_images: Vec<KernelImage>,
    /// Highest user-mode address: a frame above it is a kernel frame.
    pub highest_user: u64,
    /// What evidence it holds.
    pub coverage: Coverage,
    /// When the kernel started, where the trace tells.
    pub boot: Option<Boot>,
    /// The writes to servicing logs; `None` where opening the trace does not look for them.
    pub log_writes: Option<Vec<LogWrite>>,
    /// What was wrong with the file.
    pub warnings: Vec<Message>,
    /// What the file should hold by its own count and does not: events of a Procmon log, buffers of an ETL file.
    pub missing: u64,
}

impl TraceInfo {
    /// What of the file is lost, in a sentence; `None` for a whole one.
    ///
    /// Events that the recording session dropped are no loss of the file: [`Coverage::events_lost`] counts both.
    pub fn loss(&self) -> Option<Message> {
        let Records {
            bad, skipped_bytes, ..
        } = self.records;
        let mut out: Vec<Message> = Vec::new();
        if bad + skipped_bytes > 0 {
            out.push(say!(
                en: "{bad} records, {bytes} bytes could not be read",
                zh: "{bad} 条记录、{bytes} 个字节无法读取",
                bytes = skipped_bytes,
            ));
        }
        match (self.missing, self.kind) {
            (0, _) => {}
            (events, Kind::Pml) => out.push(say!(
                en: "{events} events are missing",
                zh: "缺少 {events} 个事件",
            )),
            (buffers, Kind::Etl) => out.push(say!(
                en: "{buffers} buffers are missing",
                zh: "缺少 {buffers} 个缓冲区",
            )),
        }
        if out.is_empty() {
            out.extend(self.warnings.first().cloned());
        }
        let texts = |text: fn(&Message) -> &str, between| {
            let texts: Vec<&str> = out.iter().map(text).collect();
            texts.join(between)
        };
        let (en, zh) = (texts(Message::en, "; "), texts(Message::zh, "；"));
        (!out.is_empty()).then(|| say!(en: "damaged: {en}", zh: "已损坏：{zh}"))
    }
}

/// Which events of a unit are to be decoded, and where they go.
pub struct Job<'j> {
    /// The columns.
    pub want: &'j Want,
    /// The events.
    pub select: &'j Select<'j>,
    /// The batch that they are appended to.
    pub batch: &'j mut Batch,
}

/// A trace that can be read.
pub trait Trace: Sync {
    /// Facts about it.
    fn info(&self) -> &TraceInfo;

    /// Number of units its events come in; units are in time order.
    fn units(&self) -> usize;

    /// Whether units are in order of time, so that a search can stop. They are not where a file is damaged.
    fn in_order(&self) -> bool {
        true
    }

    /// Number of events in unit `unit`, read or not: for progress.
    fn unit_len(&self, unit: usize) -> usize;

    /// Appends the events of unit `unit` that each job selects to its batch, in order: several selections in one reading.
    ///
    /// Records that cannot be read are left out; [`TraceInfo::records`] counts them.
    ///
    /// # Errors
    /// When the file can no longer be read.
    fn decode_all(&self, unit: usize, jobs: &mut [Job<'_>]) -> io::Result<()>;

    /// The same for one selection.
    ///
    /// # Errors
    /// When the file can no longer be read.
    fn decode(
        &self,
        unit: usize,
        want: &Want,
        select: &Select<'_>,
        batch: &mut Batch,
    ) -> io::Result<()> {
        let job = Job {
            want,
            select,
            batch,
        };
        self.decode_all(unit, &mut [job])
    }
}
