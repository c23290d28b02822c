//! CBS.log and its archives CbsPersist_….log: the log of the servicing stack.
//!
//! Reading and judging are apart. [`for_each_line`] goes through a log and says what each line is; [`CbsReader`]
//! follows the driver operation queue through one log or several and finds every failed run, an [`Attempt`]:
//!
//! ```no_run
//! use fltscope::input::text::TextOptions;
//! use fltscope::input::view::Source;
//! use fltscope::servicing::cbs::CbsReader;
//!
//! # fn main() -> std::io::Result<()> {
//! let mut reader = CbsReader::default();
//! let source = Source::open("CBS.log".as_ref())?;
//! reader.read("CBS.log", &source, &TextOptions::default(), &|_| ())?;
//! let log = reader.finish();
//! for attempt in log.failing() {
//!     let offset = log.offsets.at(attempt.failure.0.at, attempt.failure.0.time).map_or(0, |offset| offset.minutes);
//!     let span = attempt.span(|mark| mark.time.to_utc(offset));
//!     println!("{} {:?} {:?}", span.failure, attempt.code, attempt.inf);
//! }
//! # Ok(())
//! # }
//! ```

mod attempt;
mod collect;
mod damage;
mod event;
mod machine;
mod offsets;
mod reader;
mod record;
mod wording;

pub use attempt::{ASSUMED, Attempt, AttemptSpan, LoggedNtFailure};
pub use collect::{Aftermath, OtherFailure};
pub use damage::Damage;
pub use event::{
    EndMark, Event, ExecuteState, FailureMark, NtFailure, OtherCause, PackageOutcome, Phase,
    Reboot, StartMark,
};
pub use offsets::{OffsetBasis, OffsetEvidence, Offsets};
pub use reader::{CbsFile, CbsLog, CbsReader, Line, LineCounts, for_each_line, reading_order};
pub use record::{Component, Csi, Level, Record};

#[cfg(test)]
mod event_tests;
#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod story_tests;
