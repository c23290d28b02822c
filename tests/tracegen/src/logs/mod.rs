//! Text logs of servicing that fit a trace: CBS.log and setupapi.dev.log of every Windows version.
//!
//! A [`Story`] says what happened and when, in UTC; [`cbs`] and [`setupapi`] write it down on [`Paper`]: with the
//! clock, the zone and the encoding of a machine. All names and texts are made up in the form of the real ones.
//!
//! ```
//! use tracegen::logs::{Paper, Story, Zone, cbs};
//!
//! let mut paper = Paper::default();
//! paper.zone = Zone::hours(-6);
//! let log = cbs(&Story::default(), &paper);
//! assert!(String::from_utf8(log.bytes).unwrap().contains("Recording result: 0x800703f1, for Inf: oposdrv.inf"));
//! ```

pub mod big;
mod cbs;
mod cbs_story;
mod ink;
mod paper;
mod setupapi;
mod setupapi_story;
mod story;

pub use cbs::CbsWriter;
pub use cbs_story::cbs;
pub use ink::LogWrite;
pub use paper::{Encoding, Paper, Zone};
pub use setupapi::SetupWriter;
pub use setupapi_story::setupapi;
pub use story::{Phase, Story, Windows};

/// A log as it was written, with what a reader must find in it.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The file.
    pub bytes: Vec<u8>,
    /// Lines by kind, as they were meant.
    pub lines: Lines,
    /// How it was written, in order.
    pub writes: Vec<LogWrite>,
}

impl Log {
    /// The write that brought a line, from 1.
    pub fn write_of(&self, line: u64) -> Option<&LogWrite> {
        let mut writes = self.writes.iter();
        writes.find(|write| (write.line..write.line + write.lines).contains(&line))
    }

    /// Number of the first line that holds `text`, from 1.
    pub fn line_with(&self, text: &str) -> Option<u64> {
        let lines = String::from_utf8_lossy(&self.bytes);
        let at = lines.split('\n').position(|line| line.contains(text))?;
        Some(at as u64 + 1)
    }
}

/// How many lines of each kind were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Records, or lines of sections, that mean something to a reader of failures.
    pub telling: u64,
    /// Records, or lines of sections, that do not.
    pub plain: u64,
    /// Lines that go on with the one before.
    pub continuations: u64,
    /// Empty lines.
    pub blank: u64,
}
