//! setupapi.dev.log: the log of device and driver installation.
//!
//! An update of Windows writes a few sections into it, with the times to the millisecond and the place of the
//! failure, among thousands of others. [`for_each_line`] says what each line is, [`SetupReader`] finds the
//! [`Section`]s that matter. Times are local; the log itself says nothing of the zone (see
//! [`cbs::Offsets::near`](crate::servicing::cbs::Offsets::near)).

mod collect;
mod line;
mod reader;
mod section;

pub use line::{Body, Content, Exit, Line, Severity};
pub use reader::{LineCounts, SetupFile, SetupLog, SetupReader, for_each_line};
pub use section::{LoggedError, Node, Pass, Section, SectionFailure};

#[cfg(test)]
mod real_tests;
#[cfg(test)]
mod story_tests;
