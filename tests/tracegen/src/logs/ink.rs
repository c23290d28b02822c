//! The writes that bring a log to the disk.

use super::Paper;
use serde::Serialize;

/// A write of some lines at the end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LogWrite {
    /// When, as a FILETIME in UTC on the clock of the kernel.
    pub time: u64,
    /// Where in the file.
    pub offset: u64,
    /// Bytes.
    pub length: u32,
    /// The first of its lines, from 1.
    pub line: u64,
    /// How many lines it brings.
    pub lines: u64,
}

/// Keeps the text of a log and how it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Ink {
    /// The text.
    pub(super) text: String,
    /// The time of the line at hand; lines without one have that of the line before.
    pub(super) now: u64,
    writes: Vec<LogWrite>,
    lines: u64,
    at: u64,
    /// Ticks from the stamp of a line to its write.
    behind: u64,
}

/// A line is written 30 µs after it was stamped, and the next one of the same moment another 20 µs later.
const FIRST: u64 = 300;
const NEXT: u64 = 200;
/// Every so many lines, one is written together with the one before.
const TOGETHER: u64 = 7;

impl Ink {
    /// From here on lines are of another moment.
    pub(super) fn moment(&mut self, time: u64) {
        if time != self.now {
            (self.now, self.behind) = (time, FIRST);
        }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, paper: &Paper, text: &str) {
        let mark = paper.encode("").len() as u64;
        if self.at == 0 {
            self.at = mark;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.text.push_str(paper.newline);
        let length = paper.encode(&self.text[start..]).len() as u64 - mark;
        self.lines += 1;
        self.behind += NEXT;
        match self.writes.last_mut() {
            Some(last) if self.lines.is_multiple_of(TOGETHER) && last.time >= self.now => {
                last.length += length as u32;
                last.lines += 1;
            }
            _ => self.writes.push(LogWrite {
                time: self.now + self.behind,
                offset: self.at,
                length: length as u32,
                line: self.lines,
                lines: 1,
            }),
        }
        self.at += length;
    }

    /// How it was written.
    pub(super) fn into_writes(self) -> Vec<LogWrite> {
        self.writes
    }
}
