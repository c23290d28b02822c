//! `findings.json`, field by field. `docs/findings.md` is its description for readers; fields are only ever added.

use crate::drivers::{Basis, Role};
use crate::lang::Message;
use crate::say;
use crate::trace::{Coverage, Filetime, Kind, Machine, Records};
use serde::Serialize;

/// The schema's name and version.
pub const SCHEMA: &str = "fltscope.findings/1";

/// The whole document.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The files that were read.
    pub inputs: Vec<Input>,
    /// The traced machine.
    pub machine: MachineFacts,
    /// The failure that the logs name.
    pub failure: Option<Failure>,
    /// The time that was looked at.
    pub window: Window,
    /// Drivers: implicated, touched, loaded; inside a verdict by failures, delays, touches.
    pub drivers: Vec<DriverFinding>,
    /// Processes of third parties that acted on driver-store paths in the window.
    pub processes: Vec<ProcessFinding>,
    /// What the traces can and cannot show.
    pub coverage: Coverage,
    /// What the reader has to know before trusting the rest.
    pub warnings: Vec<Message>,
    /// Operations of servicing that may be the one that failed, most telling first.
    pub failing_operations: Vec<super::FailingOperation>,
    /// What to know of them, or why there is none.
    pub failing_operations_note: Option<super::FailingNote>,
    /// Who had objects open that servicing was refused.
    pub conflicts: Vec<super::Conflict>,
    /// Conflicts beyond those listed.
    pub conflicts_more: u64,
    /// Third-party drivers and processes by how far the evidence goes against them, most first.
    pub suspects: Vec<super::Suspect>,
    /// The same by vendor.
    pub products: Vec<super::Product>,
    /// The clocks of the servicing logs against those of the traces.
    pub clocks: Vec<super::ClockFinding>,
    /// The boot that each trace covers.
    pub boots: Vec<super::TracedBoot>,
}

/// Kind of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// Procmon log.
    Pml,
    /// Windows trace log.
    Etl,
    /// CBS.log or one of its archives.
    Cbs,
    /// setupapi.dev.log.
    SetupApi,
}

impl InputKind {
    /// As in `findings.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pml => "pml",
            Self::Etl => "etl",
            Self::Cbs => "cbs",
            Self::SetupApi => "setupapi",
        }
    }
}

impl From<Kind> for InputKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Pml => Self::Pml,
            Kind::Etl => Self::Etl,
        }
    }
}

/// What an input is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputRole {
    /// Its events are looked through.
    Trace,
    /// Its lines place the failure.
    Log,
    /// The Windows Update client tells in it how the update ended.
    UpdateClient,
}

/// A file that was read.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// Path as given or found.
    pub path: String,
    /// Kind.
    pub kind: InputKind,
    /// Size.
    pub bytes: u64,
    /// Events read.
    pub events: u64,
    /// Time of the first event.
    pub first: Option<Filetime>,
    /// Time of the last event.
    pub last: Option<Filetime>,
    /// What was wrong with it.
    pub warnings: Vec<Message>,
    /// What it is read for.
    pub role: InputRole,
    /// Records of a trace, read and lost; `null` for a log.
    pub records: Option<Records>,
}

impl Input {
    /// Whether it is a trace, and no log.
    pub fn is_trace(&self) -> bool {
        self.role == InputRole::Trace
    }
}

/// The traced machine.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MachineFacts {
    /// Computer name.
    pub name: Option<String>,
    /// Windows version in words.
    pub os: Option<String>,
    /// Build number.
    pub build: Option<u32>,
    /// `32-bit` or `64-bit`.
    pub architecture: Option<crate::trace::Architecture>,
    /// Local time's offset from UTC, minutes east.
    pub utc_offset_minutes: Option<i32>,
}

impl From<&Machine> for MachineFacts {
    fn from(machine: &Machine) -> Self {
        Self {
            name: machine.name.clone(),
            os: machine.os.clone(),
            build: machine.build,
            architecture: machine.architecture,
            utc_offset_minutes: machine.utc_offset_minutes,
        }
    }
}

/// The failure that the logs name.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// HRESULT, as `0x800703f1`.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
    /// The driver package's INF.
    pub inf: Option<String>,
    /// The update package.
    pub package: Option<String>,
    /// When.
    pub time: Option<Filetime>,
    /// `cbs` or `setupapi`.
    pub source: &'static str,
    /// Line in that log, from 1.
    pub line: u64,
}

impl Failure {
    /// The HRESULT as a number.
    pub fn hresult(&self) -> Option<u32> {
        hex(self.code.as_deref()?)
    }
}

/// The value of a code as the findings write it: `0x800703f1`.
pub fn hex(code: &str) -> Option<u32> {
    u32::from_str_radix(code.strip_prefix("0x")?, 16).ok()
}

/// Where a window comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowSource {
    /// CBS.log or setupapi.dev.log.
    Logs,
    /// Servicing activity in the trace.
    Trace,
    /// The user.
    User,
    /// Nothing better: the whole trace.
    Whole,
}

/// The time that was looked at; both ends belong to it.
#[derive(Debug, Clone, Serialize)]
pub struct Window {
    /// Its start.
    pub start: Option<Filetime>,
    /// Its end.
    pub end: Option<Filetime>,
    /// Where it comes from.
    pub source: WindowSource,
    /// Instant of the logged failure.
    pub failure: Option<Filetime>,
    /// From the start to the failure.
    pub attempt: Option<Span>,
    /// From the failure to the end.
    pub rollback: Option<Span>,
    /// What places the window.
    pub evidence: Vec<WindowEvidence>,
    /// What the instant of the failure rests on.
    pub failure_basis: Option<super::FailureInstant>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Start.
    pub start: Filetime,
    /// End.
    pub end: Filetime,
}

/// Something that places the window.
#[derive(Debug, Clone, Serialize)]
pub struct WindowEvidence {
    /// When.
    pub time: Filetime,
    /// In which file.
    pub input: String,
    /// What.
    pub text: Message,
}

/// What a driver is said to have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A third-party driver with a failure or a delay among its touches.
    Implicated,
    /// Touches, none of them a failure or a delay (of a third-party driver).
    Touched,
    /// No touch in the window, or an observer.
    Loaded,
}

impl Verdict {
    /// As in `findings.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implicated => "implicated",
            Self::Touched => "touched",
            Self::Loaded => "loaded",
        }
    }
}

/// Touches by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Touches {
    /// Minifilter callbacks.
    pub minifilter: u64,
    /// File operations with a frame of the driver.
    pub file_stack: u64,
    /// Registry operations with a frame of the driver.
    pub registry_stack: u64,
}

impl Touches {
    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.minifilter + self.file_stack + self.registry_stack
    }
}

/// A driver and what it did in the window.
#[derive(Debug, Clone, Serialize)]
pub struct DriverFinding {
    /// File name.
    pub name: String,
    /// Path as traced.
    pub path: String,
    /// Company in its version information.
    pub company: Option<String>,
    /// Description in its version information.
    pub description: Option<String>,
    /// File version.
    pub version: Option<String>,
    /// First address, as `0xfffff80012340000`.
    pub base: String,
    /// Bytes of address space.
    pub size: u64,
    /// Whether it is anyone's but Microsoft's.
    pub third_party: bool,
    /// What that rests on.
    pub basis: Basis,
    /// Driver or observer.
    pub role: Role,
    /// Altitudes that filters of this file name have been given, `; ` between candidates.
    pub altitude: Option<String>,
    /// Load order groups of these candidates.
    pub group: Option<String>,
    /// The judgement.
    pub verdict: Verdict,
    /// Touches by kind.
    pub touches: Touches,
    /// Touches that ended in a result that is not benign.
    pub failures: u64,
    /// Touches that lasted the delay bound or longer.
    pub delays: u64,
    /// Longest callback or delayed operation, microseconds.
    pub delay_us_max: f64,
    /// Sum of all callback times, microseconds.
    pub delay_us_total: f64,
    /// First touch.
    pub first: Option<Filetime>,
    /// Last touch.
    pub last: Option<Filetime>,
    /// Paths touched: most failures first, then most touches.
    pub paths: Vec<PathCount>,
    /// Paths touched beyond those listed.
    pub paths_more: u64,
    /// The most telling touches.
    pub evidence: Vec<Evidence>,
}

/// Touches of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathCount {
    /// The path.
    pub path: String,
    /// Touches.
    pub touches: u64,
    /// Failures among them.
    pub failures: u64,
}

/// Kind of a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TouchKind {
    /// A callback of a minifilter.
    Minifilter,
    /// A frame on the stack of a file operation.
    FileStack,
    /// A frame on the stack of a registry operation.
    RegistryStack,
}

/// Why a touch is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It failed.
    Failure,
    /// It was slow.
    Delay,
    /// It is one of the first.
    Touch,
}

/// A touch that is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// When the operation began.
    pub time: Filetime,
    /// In which file.
    pub input: String,
    /// Index of the record in that file, from 0.
    pub event: u64,
    /// Kind of touch.
    pub kind: TouchKind,
    /// Which callback of a minifilter it was: `pre` or `post`.
    pub callback: Option<crate::trace::Phase>,
    /// Operation.
    pub operation: &'static str,
    /// Path.
    pub path: String,
    /// Target of a rename or link.
    pub target_path: Option<String>,
    /// Result as Procmon prints it.
    pub result: Option<String>,
    /// NTSTATUS, as `0xc0000022`.
    pub status: Option<String>,
    /// Process.
    pub process: Option<String>,
    /// Its id.
    pub pid: Option<u32>,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// Duration, microseconds.
    pub duration_us: Option<f64>,
    /// Part of the window; `null` where no log names the failure.
    pub phase: Option<&'static str>,
    /// Why it is shown.
    pub reason: Reason,
    /// The driver's frames on the stack, innermost first, as `tmsflt.sys+0x1234`; of a callback, its routine.
    pub frames: Vec<String>,
}

/// A third party's process on driver-store paths.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessFinding {
    /// Image file name.
    pub name: String,
    /// Process id.
    pub pid: u32,
    /// Image path.
    pub path: String,
    /// Company.
    pub company: String,
    /// Always true: only third parties are listed.
    pub third_party: bool,
    /// `process`, or `observer` for Procmon itself.
    pub role: &'static str,
    /// File and registry operations on driver-store paths.
    pub touches: u64,
    /// Those with a result that is not benign.
    pub failures: u64,
}

impl Findings {
    /// The traces among the inputs.
    pub fn traces(&self) -> impl Iterator<Item = &Input> + Clone {
        self.inputs.iter().filter(|input| input.is_trace())
    }

    /// Why nobody can be seen, where that is so: then that nobody is seen says nothing at all.
    pub fn blind(&self) -> Option<Message> {
        if !self.traces().any(|input| input.events > 0) {
            return Some(say!(
                en: "none could be seen: the traces hold no event",
                zh: "本来就不可能看到任何驱动程序：跟踪中没有任何事件",
            ));
        }
        let seeing = self.coverage.stacks || self.coverage.minifilter;
        if !seeing {
            return Some(say!(
                en: "none could be seen: the traces hold neither stacks of file and registry operations nor minifilter callbacks",
                zh: "本来就不可能看到任何驱动程序：跟踪中既没有文件和注册表操作的堆栈，也没有微筛选器回调",
            ));
        }
        (!self.coverage.modules).then(|| {
            say!(
                en: "drivers that were loaded before the traces began could not be seen: the list of kernel modules is missing",
                zh: "跟踪开始之前加载的驱动程序不可能被看到：缺少内核模块列表",
            )
        })
    }

    /// The drivers that are flagged: third party, not `loaded`, observers aside.
    pub fn flagged(&self) -> impl Iterator<Item = &DriverFinding> {
        self.drivers.iter().filter(|driver| {
            driver.third_party && driver.role == Role::Driver && driver.verdict != Verdict::Loaded
        })
    }
}

impl DriverFinding {
    /// Evidence rows of one reason.
    pub fn evidence_of(&self, reason: Reason) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().filter(move |row| row.reason == reason)
    }
}
