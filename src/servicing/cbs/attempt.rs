//! A failed run of the driver operation queue: from its start to the end of the rollback.

use super::event::{EndMark, FailureMark, Phase, StartMark};
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::Mark;
use crate::trace::Filetime;
use crate::trace::time::TICKS_PER_SECOND;

/// A driver operation queue whose result is a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The line the queue starts with, where the log has it.
    pub start: Option<(Mark, StartMark)>,
    /// The first line that tells of the failure.
    pub failure: (Mark, FailureMark),
    /// Why, as HRESULT: Win32 1009 is `0x800703F1`.
    pub code: Option<u32>,
    /// The INF that failed: `oposdrv.inf`.
    pub inf: Option<String>,
    /// The pass over all packages in which it failed: 1 publish, 2 reflect, 3 update devices.
    pub pass: Option<u32>,
    /// The package that was to be installed: `Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.2846.1.7`.
    pub package: Option<String>,
    /// What the report of the failure gives as its source; `DOQ` is the driver operation queue.
    pub failure_source: Option<String>,
    /// Who asked for the change: `WindowsUpdateAgent`.
    pub client: Option<String>,
    /// The last line about it within an hour of the failure.
    pub last: Option<Mark>,
    /// The line that says that the operations, tried again, went well.
    pub retried: Option<Mark>,
    /// When servicing was at work.
    pub phase: Option<Phase>,
    /// Whether it was the queue of boot-critical drivers.
    pub critical: Option<bool>,
    /// Packages in the queue.
    pub count: Option<u32>,
    /// When the kernel of that boot started, on the clock of the machine, by the last line before that says it.
    pub boot: Option<LocalTime>,
    /// The first line of the rollback.
    pub rollback_start: Option<Mark>,
    /// The line the rollback ends with.
    pub rollback_end: Option<(Mark, EndMark)>,
    /// Operations were undone only to be tried again: see [`Attempt::is_final`].
    pub temporary_rollback: bool,
    /// The update was undone for good.
    pub final_rollback: bool,
    /// The rollback went on after a restart.
    pub continued: bool,
    /// `false` where a package failed, and the queue then ended without a word of its result: such failures may be
    /// of no consequence.
    pub confirmed: bool,
    /// Operations of the component store that failed from shortly before the start on: the first ones.
    pub nt_failures: Vec<LoggedNtFailure>,
    /// The lines all this is taken from, in order: the first ones.
    pub evidence: Vec<Mark>,
}

/// An NT operation that failed, with the line that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedNtFailure {
    /// The line.
    pub mark: Mark,
    /// NTSTATUS, where its name is known.
    pub status: Option<u32>,
    /// `CreateFile`
    pub operation: String,
    /// The path as the log has it, `\SystemRoot\…` or `\??\C:\…`.
    pub path: String,
}

/// An attempt in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptSpan {
    /// Start of the queue, or [`ASSUMED`] before the failure.
    pub start: Filetime,
    /// The failure.
    pub failure: Filetime,
    /// End of the rollback; else [`ASSUMED`] after the failure or, where lines about it come later, the last of them.
    pub end: Filetime,
    /// Whether the log has the start.
    pub start_known: bool,
    /// Whether the log has the end.
    pub end_known: bool,
}

/// A rollback whose end is missing goes on to the last line about it within this time of the failure: an hour.
pub(super) const GOES_ON: u64 = 3_600 * TICKS_PER_SECOND;
/// Where a log does not say when the queue starts or the rollback ends, the window reaches this far: 60 s.
pub const ASSUMED: u64 = 60 * TICKS_PER_SECOND;

impl Attempt {
    /// The attempt in UTC; `utc` converts the stamp of a line, for lines may stand on either side of a change of
    /// the clocks. Start and end never lie on the wrong side of the failure.
    pub fn span(&self, utc: impl Fn(&Mark) -> Filetime) -> AttemptSpan {
        let failure = utc(&self.failure.0);
        let start = self.start.as_ref().map(|(mark, _)| utc(mark));
        let end = self.rollback_end.as_ref().map(|(mark, _)| utc(mark));
        let last = || {
            let last = self.last.as_ref().map(&utc);
            last.unwrap_or(failure).max(failure.plus(ASSUMED))
        };
        AttemptSpan {
            start: start.unwrap_or(failure.minus(ASSUMED)).min(failure),
            failure,
            end: end.unwrap_or_else(last).max(failure),
            start_known: start.is_some(),
            end_known: end.is_some(),
        }
    }

    /// Whether the update was lost with this failure, as far as the log shows it: not where the operations were
    /// only undone to be tried again.
    pub fn is_final(&self) -> bool {
        let reported = self.failure_source.as_deref() == Some("DOQ");
        self.final_rollback || !self.temporary_rollback || reported
    }
}
