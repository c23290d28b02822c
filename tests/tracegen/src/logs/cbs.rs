//! Lines of CBS.log.

use super::ink::Ink;
use super::{Lines, Log, Paper};

/// Writes CBS.log line by line.
#[derive(Debug, Clone)]
pub struct CbsWriter {
    paper: Paper,
    ink: Ink,
    lines: Lines,
    /// Number of the next record of the component store.
    record: u32,
    fillers: usize,
}

impl CbsWriter {
    /// An empty log.
    pub fn new(paper: &Paper) -> Self {
        Self {
            paper: *paper,
            ink: Ink::default(),
            lines: Lines::default(),
            record: 1,
            fillers: 0,
        }
    }

    /// What it is written on.
    pub fn paper(&self) -> &Paper {
        &self.paper
    }

    fn line(&mut self, text: &str) {
        self.ink.line(&self.paper, text);
    }

    /// A record in the columns of the log: level and component as they are given.
    pub fn record(&mut self, time: u64, level: &str, component: &str, text: &str) {
        self.ink.moment(time);
        let stamp = self.paper.seconds(time);
        self.line(&format!("{stamp}, {level:<22}{component:<7}{text}"));
    }

    /// A record of the package engine that a reader must understand.
    pub fn info(&mut self, time: u64, text: &str) {
        self.lines.telling += 1;
        self.record(time, "Info", "CBS", text);
    }

    /// The same, of level Error.
    pub fn error(&mut self, time: u64, text: &str) {
        self.lines.telling += 1;
        self.record(time, "Error", "CBS", text);
    }

    /// A record of the package engine that means nothing.
    pub fn plain(&mut self, time: u64, text: &str) {
        self.lines.plain += 1;
        self.record(time, "Info", "CBS", text);
    }

    /// A record of the component store, with its time in UTC.
    pub fn csi_stamped(&mut self, time: u64, text: &str) {
        self.lines.plain += 1;
        let utc = self.paper.utc_csi(time);
        let number = self.next_record();
        self.record(time, "Info", "CSI", &format!("{number:08x}@{utc} {text}"));
    }

    /// A record of the component store that means nothing.
    pub fn csi(&mut self, time: u64, text: &str) {
        self.lines.plain += 1;
        let number = self.next_record();
        self.record(time, "Info", "CSI", &format!("{number:08x} {text}"));
    }

    /// A record of the component store that a reader must understand.
    pub fn csi_telling(&mut self, time: u64, text: &str) {
        self.csi(time, text);
        self.lines.plain -= 1;
        self.lines.telling += 1;
    }

    /// A failure of the component store, with its context code.
    pub fn csi_error(&mut self, time: u64, context: u32, text: &str) {
        self.lines.telling += 1;
        let number = self.next_record();
        let level = format!("{:<11}[0x{context:06x}] ", "Error");
        self.record(time, &level, "CSI", &format!("{number:08x} (F) {text}"));
    }

    /// A line that goes on with the record before.
    pub fn continuation(&mut self, text: &str) {
        self.lines.continuations += 1;
        self.line(text);
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.lines.blank += 1;
        self.line("");
    }

    /// What a log is full of: `paper.filler` lines that mean nothing.
    pub fn filler(&mut self, time: u64) {
        for _ in 0..self.paper.filler {
            self.fillers += 1;
            let n = self.fillers;
            match n % 10 {
                0 => self.continuation(&format!(
                    "CSIPERF:AIDONE;{{aa5a1d6c-0000-4b5e-{n:04x}-000000000000}};Component{n};{n}us"
                )),
                1..=4 => self.csi(
                    time,
                    &format!("Direct SIL provider: Number of files opened: {n}."),
                ),
                5 => self.plain(
                    time,
                    &format!(
                        "Appl: detectParent: parent found: Microsoft-Windows-Part{n}-Package~31bf3856ad364e35~amd64~~10.0.19041.{n}, state: Superseded"
                    ),
                ),
                6 => self.plain(
                    time,
                    "Failed to internally open package. [HRESULT = 0x800f0805 - CBS_E_INVALID_PACKAGE]",
                ),
                7 => self.plain(time, &format!("Lock: New lock added: CCbsWorker{n}, level: 5, total lock:3")),
                8 => {
                    self.lines.plain += 1;
                    self.record(time, "Info", "DPX", "Started DPX phase: Resume and Download Job");
                }
                _ => self.plain(time, &format!("Exec: Package staged: Part{n}, session: 31033558_{n}")),
            }
        }
    }

    fn next_record(&mut self) -> u32 {
        self.record += 1;
        self.record - 1
    }

    /// The component store is loaded again: its records are numbered from 1.
    pub fn reload(&mut self) {
        self.record = 1;
    }

    /// The file.
    pub fn finish(self) -> Log {
        Log {
            bytes: self.paper.encode(&self.ink.text),
            lines: self.lines,
            writes: self.ink.into_writes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Encoding;
    use crate::scenario::START;

    #[test]
    fn columns() {
        let paper = Paper {
            encoding: Encoding::Utf8,
            ..Paper::default()
        };
        let mut log = CbsWriter::new(&paper);
        log.info(START, "Text");
        log.csi_error(START, 0x18003, "Text");
        let text = String::from_utf8(log.finish().bytes).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            lines[0],
            "2026-05-12 06:41:07, Info                  CBS    Text"
        );
        assert_eq!(
            lines[1],
            "2026-05-12 06:41:07, Error      [0x018003] CSI    00000001 (F) Text"
        );
    }
}
