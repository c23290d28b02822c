//! Lines of setupapi.dev.log.

use super::ink::Ink;
use super::{Lines, Log, Paper};

/// Writes setupapi.dev.log section by section.
#[derive(Debug, Clone)]
pub struct SetupWriter {
    paper: Paper,
    ink: Ink,
    lines: Lines,
    /// Scopes that are open: body lines are indented by five blanks for each.
    depth: usize,
}

impl SetupWriter {
    /// A log with its header, of a Windows `version` such as `10.0.19041`.
    pub fn new(paper: &Paper, version: &str) -> Self {
        let mut log = Self {
            paper: *paper,
            ink: Ink::default(),
            lines: Lines::default(),
            depth: 0,
        };
        log.header(version);
        log
    }

    /// What it is written on.
    pub fn paper(&self) -> &Paper {
        &self.paper
    }

    fn line(&mut self, text: &str) {
        self.lines.telling += u64::from(!text.is_empty());
        self.lines.blank += u64::from(text.is_empty());
        self.ink.line(&self.paper, text);
    }

    /// The header. Some logs have another one in their middle.
    pub fn header(&mut self, version: &str) {
        for line in [
            "[Device Install Log]",
            &format!("     OS Version = {version}"),
            "     Service Pack = 0.0",
            "     Suite = 0x0100",
            "     ProductType = 1",
            "     Architecture = amd64",
            "",
            "[BeginLog]",
            "",
        ] {
            self.line(line);
        }
    }

    /// The first section after a boot begins with the time of the boot.
    pub fn boot(&mut self, boot: u64) {
        let stamp = self.paper.slashed(boot);
        self.line(&format!("[Boot Session: {stamp}]"));
        self.line("");
    }

    /// A section opens.
    pub fn open(&mut self, time: u64, title: &str, command: &str) {
        self.depth = 0;
        self.ink.moment(time);
        self.line(&format!(">>>  [{title}]"));
        self.ink.moment(time);
        let stamp = self.paper.slashed(time);
        self.line(&format!(">>>  Section start {stamp}"));
        if !command.is_empty() {
            self.line(&format!("      cmd: {command}"));
        }
    }

    /// A section opens, in the words of Windows Vista.
    pub fn open_vista(&mut self, time: u64, title: &str) {
        self.depth = 0;
        self.ink.moment(time);
        let stamp = self.paper.slashed(time);
        self.line(&format!(">>>  [{title}]"));
        self.line(&format!(">>>  {stamp}: Section start"));
    }

    /// It closes: `SUCCESS`, `FAILURE(0x000003f1)`.
    pub fn close(&mut self, time: u64, status: &str) {
        self.ink.moment(time);
        let stamp = self.paper.slashed(time);
        self.line(&format!("<<<  Section end {stamp}"));
        self.line(&format!("<<<  [Exit status: {status}]"));
        self.line("");
        self.line("");
    }

    /// It closes, in the words of Windows Vista.
    pub fn close_vista(&mut self, time: u64, code: u32) {
        self.ink.moment(time);
        let stamp = self.paper.slashed(time);
        self.line(&format!("<<<  [{stamp}: Section end]"));
        self.line(&format!("<<<  [Exit Status(0x{code:08x})]"));
        self.line("");
    }

    /// It is never closed: the machine went down.
    pub fn break_off(&mut self) {
        self.depth = 0;
        self.line("");
    }

    fn body(&mut self, mark: &str, category: &str, text: &str) {
        let indent = " ".repeat(5 * self.depth);
        self.line(&format!("{mark:<5}{category}: {indent}{text}"));
    }

    /// A line.
    pub fn info(&mut self, category: &str, text: &str) {
        self.body("", category, text);
    }

    /// A warning: `!`.
    pub fn warning(&mut self, category: &str, text: &str) {
        self.body("!", category, text);
    }

    /// An error: `!!!`.
    pub fn error(&mut self, category: &str, text: &str) {
        self.body("!!!", category, text);
    }

    /// A line with its time.
    pub fn timed(&mut self, time: u64, category: &str, text: &str) {
        self.ink.moment(time);
        let stamp = self.paper.of_day(time);
        self.body("", category, &format!("{text} {stamp}"));
    }

    /// A scope opens: `{Publish Driver Package: C:\…\x.inf} 23:20:52.341`.
    pub fn scope(&mut self, time: u64, category: &str, name: &str) {
        self.timed(time, category, &format!("{{{name}}}"));
        self.depth += 1;
    }

    /// It closes: `{Publish Driver Package: exit(0x00000000)} 23:20:52.356`.
    pub fn scope_end(&mut self, time: u64, category: &str, name: &str, code: u32) {
        self.depth = self.depth.saturating_sub(1);
        self.timed(time, category, &format!("{{{name}: exit(0x{code:08x})}}"));
    }

    /// A line of any other form.
    pub fn raw(&mut self, text: &str) {
        self.line(text);
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
