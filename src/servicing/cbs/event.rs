//! What records of CBS.log mean, as far as it matters for a failed update.
//!
//! The wording is that of Windows Vista to 11; where versions differ, every form is understood. A record that is
//! none of these is a [`Event::Message`].

use crate::servicing::local_time::LocalTime;
use crate::trace::Filetime;

/// When servicing was at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// While the system was up.
    Online,
    /// While it shut down (`Shtd:`).
    Shutdown,
    /// While it started (`Startup:`).
    Startup,
}

impl Phase {
    /// As findings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Shutdown => "shutdown",
            Self::Startup => "startup",
        }
    }
}

/// A line that says where a driver operation queue starts, most exact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StartMark {
    /// `Perf: Doqe: [Critical ]install started.`
    InstallStarted,
    /// `Doqe: [Forward] Installing driver updates, Count n`
    Forward,
    /// `Doqe: Installing driver Update ID: …` (Vista and 7).
    UpdateId,
    /// `Startup: Processing … driver operations queue`, `Shtd: Processing …`.
    Processing,
    /// `Startup: Initializing driver operations queue.`
    Initializing,
}

/// A line that says that a driver operation queue failed, most exact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureMark {
    /// `INSTALL index: …, result 1009, …` or `Doqe: Recording result: 0x800703f1, …`: the failing package.
    PackageResult,
    /// `DriverUpdateInstallUpdates failed`, `Failed installing driver updates`.
    DriverUpdate,
    /// `Startup: Failed … driver operations queue`, `Shtd: Failed …`.
    Queue,
    /// `Failed to notify PNP of possible OS version change`: what the queue does last.
    VersionNotice,
    /// `Rolling back KTM, because drivers failed.`
    KtmRollback,
    /// An execute state with the flag `DriversFailed`.
    State,
}

/// A line that says that a rollback is over, most exact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndMark {
    /// `Setting ExecuteState key to: ExecuteStateNone`
    StateNone,
    /// `Startup: Processing complete.`
    StartupProcessed,
    /// `Startup processing completed.` or `Setting ServicingInProgress flag to 0`
    StartupCompleted,
    /// `Winlogon: Deregistering for CreateSession notifications`, `Deregistering for Winlogon …` (Windows 8). Every
    /// session that repairs the store ends so, too, while the system is up.
    WinlogonReleased,
    /// `A restart has been initiated`: the log ends there, or the rollback goes on behind it.
    Restart,
}

/// What made an update fail that is no driver operation, or may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCause {
    /// The machine stopped, or the service crashed, while driver operations were under way.
    Interrupted,
    /// The primitive operation queue (files and registry).
    Primitives,
    /// The same, but its operations are tried again by SMSS: not lost yet.
    PrimitivesDeferred,
    /// An advanced installer of a component.
    AdvancedInstallers,
    /// The component store or a settings hive could not be loaded.
    Store,
    /// Servicing hung, and the boot after it undid the update.
    Hang,
}

/// A mark about restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// `Reboot mark set`
    MarkSet,
    /// `Reboot mark cleared`
    MarkCleared,
    /// `…, restart required …`
    Required,
    /// `A restart has been initiated`
    Initiated,
    /// `Setting reboot in progress flag`
    InProgress,
}

/// A state of execution: a name and flags, `A | B | C`. Names this program does not know are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecuteState<'a>(pub &'a str);

impl<'a> ExecuteState<'a> {
    /// The name of the state: `CbsExecuteStateStageDrivers`.
    pub fn name(self) -> &'a str {
        self.0.split('|').next().unwrap_or_default().trim()
    }

    fn has(self, flag: &str) -> bool {
        self.0.split('|').skip(1).any(|part| part.trim() == flag)
    }

    /// Nothing is pending.
    pub fn is_none(self) -> bool {
        matches!(self.name(), "ExecuteStateNone" | "CbsExecuteStateNone")
    }

    /// The update is being undone.
    pub fn is_rollback(self) -> bool {
        self.has("CbsExecuteStateFlagRollback")
    }

    /// The update is to be undone from the next pass on: `CbsExecuteStateInitiateRollback`.
    pub fn initiates_rollback(self) -> bool {
        self.name() == "CbsExecuteStateInitiateRollback"
    }

    /// Driver operations failed.
    pub fn drivers_failed(self) -> bool {
        self.has("CbsExecuteStateFlagDriversFailed")
    }

    /// Advanced installers failed.
    pub fn installers_failed(self) -> bool {
        self.has("CbsExecuteStateFlagAdvancedInstallersFailed")
    }
}

/// An NT operation of the component store that failed, with its object: what a trace of the same time shows too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtFailure<'a> {
    /// `STATUS_SHARING_VIOLATION`
    pub name: &'a str,
    /// Its number, where the name is known.
    pub status: Option<u32>,
    /// `CreateFile`
    pub operation: &'a str,
    /// The path as the log has it, `\SystemRoot\…` or `\??\C:\…`.
    pub path: &'a str,
}

/// What became of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageOutcome<'a> {
    /// `Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.2846.1.7`
    pub package: &'a str,
    /// HRESULT.
    pub code: Option<u32>,
    /// `DOQ` for the driver operation queue; absent on success and in some lines.
    pub failure_source: Option<&'a str>,
    /// Who asked for the change: `WindowsUpdateAgent`.
    pub client: Option<&'a str>,
}

/// What a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// `TI: It looks like TI crashed or was interrupted last time it was started`
    Interrupted,
    /// The service starts: `TI: --- Initializing Trusted Installer ---`, in Windows 7 `Starting TrustedInstaller
    /// initialization.`
    ServiceStart,
    /// `TI: Last boot time: …`: when the kernel started, often cut to half a second.
    LastBoot(LocalTime),
    /// `Universal Time is: …`
    UniversalTime(Filetime),
    /// `Loaded Servicing Stack v…`
    Stack(&'a str),
    /// `No startup processing required, …`
    NoStartup,
    /// A driver operation queue starts.
    QueueStart {
        /// By which line.
        by: StartMark,
        /// Whether it goes forward; `None` where the line does not say.
        forward: Option<bool>,
        /// Whether it is the queue of boot-critical drivers; `None` where the line does not say.
        critical: Option<bool>,
        /// Packages in it.
        count: Option<u32>,
        /// The update it installs (Vista and 7).
        update: Option<&'a str>,
    },
    /// `Perf: Doqe: Install ended.`, however it ended.
    QueueEnd,
    /// `… Driver operations completed successfully.`
    QueueDone,
    /// `INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf`
    PackageResult {
        /// `INSTALL`, `UNINSTALL`, `STAGE`, `UNSTAGE`.
        verb: &'a str,
        /// The pass over all packages: 1 publish, 2 reflect, 3 update devices.
        pass: u32,
        /// HRESULT; 0 is success.
        code: u32,
        /// File name of the INF.
        inf: &'a str,
    },
    /// `Doqe: Recording result: 0x80070003, for Inf: ntprint4.inf`
    InfResult {
        /// HRESULT; 0 is success.
        code: u32,
        /// File name of the INF.
        inf: &'a str,
    },
    /// A driver operation queue failed.
    QueueFailed {
        /// By which line.
        by: FailureMark,
        /// Where the line says it.
        phase: Option<Phase>,
        /// Whether it is the queue of boot-critical drivers; `None` where the line does not say.
        critical: Option<bool>,
        /// HRESULT.
        code: Option<u32>,
    },
    /// `Setting ExecuteState key to: …` (`set`) or `… current ExecuteState is …`.
    State {
        /// The state.
        state: ExecuteState<'a>,
        /// Whether it is set, or only told.
        set: bool,
    },
    /// `Progress: … Rollback.`
    Rollback {
        /// `Temporary Rollback`: the operations will be tried again, the update is not lost yet.
        temporary: bool,
    },
    /// `Setting original failure status: …` or, at the start of the next boot, `Retrieved …`.
    OriginalFailure {
        /// Whether it was read back.
        retrieved: bool,
        /// HRESULT; 0 where there was none.
        code: Option<u32>,
    },
    /// `Clearing original failure status`
    FailureCleared,
    /// What became of a package.
    Package(PackageOutcome<'a>),
    /// A line that ends a pass.
    End {
        /// Which.
        by: EndMark,
        /// HRESULT, where it has one.
        code: Option<u32>,
    },
    /// `Shtd: Shutdown processing complete.`
    ShutdownDone,
    /// A mark about restarts other than [`EndMark::Restart`].
    Reboot(Reboot),
    /// The update fails for another reason than drivers.
    Other {
        /// The reason.
        cause: OtherCause,
        /// HRESULT.
        code: Option<u32>,
    },
    /// A file of a driver package is damaged in the component store.
    Damage {
        /// The INF of the package.
        inf: &'a str,
        /// Whether it was repaired.
        repaired: bool,
    },
    /// An operation of the component store failed.
    NtFailure(NtFailure<'a>),
    /// Any other line of startup or shutdown processing.
    At(Phase),
    /// Any other record.
    Message,
}
