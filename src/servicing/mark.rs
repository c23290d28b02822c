//! Places in logs, and what they say.

use super::local_time::LocalTime;
use crate::input::text::Line;
use std::cmp::Ordering;

/// A line of one of the logs that are read together.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineRef {
    /// The log, by its place in the order of reading, from 0.
    pub file: u32,
    /// The line in it, from 1.
    pub line: u64,
    /// Where the line starts, in bytes from the start of the file.
    pub offset: u64,
}

impl LineRef {
    /// What tells lines apart: where one starts follows from that.
    fn key(self) -> (u32, u64) {
        (self.file, self.line)
    }
}

impl PartialEq for LineRef {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for LineRef {}

impl PartialOrd for LineRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LineRef {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// The place of a line in its log.
pub(super) fn place(line: &Line<'_>) -> LineRef {
    LineRef {
        file: 0,
        line: line.number,
        offset: line.offset,
    }
}

/// A line that says something, with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The stamp of the line: of CBS.log a whole second, of which the line may be any part; of setupapi.dev.log a
    /// millisecond.
    pub time: LocalTime,
    /// Where it stands.
    pub at: LineRef,
    /// Its text without stamp and columns, cut at 400 bytes.
    pub text: String,
}

/// Bytes of a text that are kept.
const LONGEST: usize = 400;

/// As much of `text` as is kept.
pub(super) fn kept(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// `text` up to the first of `stops`.
pub(super) fn until<'a>(text: &'a str, stops: &[char]) -> &'a str {
    text.split(stops).next().unwrap_or_default()
}

/// What stands behind `mark` in `text`.
pub(super) fn behind<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_texts_end_at_a_character() {
        assert_eq!(kept("short"), "short");
        let long = "ä".repeat(300);
        assert_eq!(kept(&long).len(), 400);
        assert_eq!(kept(&format!("x{long}")).len(), 399);
    }
}
