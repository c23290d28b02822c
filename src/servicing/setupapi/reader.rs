//! Logs in, lines and sections out.

use super::collect::Collector;
use super::line::Line;
use super::section::Section;
use crate::input::text::{Lines, TextOptions, TextReport};
use crate::input::view::Source;
use crate::lang::Message;
use crate::say;
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{LineRef, place};
use crate::trace::time::TICKS_PER_DAY;
use std::io;

/// How many lines of each kind a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Lines of the head, and boot sessions.
    pub heads: u64,
    /// Starts and ends of sections.
    pub frames: u64,
    /// Lines in sections.
    pub bodies: u64,
    /// Lines of no known form.
    pub others: u64,
    /// Lines of a section that stand in none.
    pub strays: u64,
    /// Blank lines.
    pub blank: u64,
}

/// A log that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupFile {
    /// Its name, as given.
    pub name: String,
    /// Its encoding, and what of its bytes could not be taken as they stand.
    pub text: TextReport,
    /// Its lines.
    pub lines: LineCounts,
    /// The first and the last full stamp.
    pub first_last: Option<(LocalTime, LocalTime)>,
    /// Title of the section that it ends in: it was cut off, or copied while that went on.
    pub ends_in: Option<String>,
}

impl SetupFile {
    /// What a reader of the findings should know of the file, as sentences; none for a clean one.
    pub fn warnings(&self) -> Vec<Message> {
        let mut out = self.text.warnings();
        if self.lines.frames == 0 {
            out.push(say!(
                en: "no section starts or ends in it",
                zh: "其中没有任何节的开头或结尾",
            ));
        }
        if let Some(title) = &self.ends_in {
            out.push(say!(
                en: "it ends inside [{title}]: cut off, or copied while that went on",
                zh: "日志在 [{title}] 节内结束：被截断，或在该操作进行时复制",
            ));
        }
        out
    }
}

/// What the logs of one machine say together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupLog {
    /// The logs, in the order of reading: [`LineRef::file`] is the place here.
    pub files: Vec<SetupFile>,
    /// The sections of updates of Windows, in the order of reading: the last ones.
    pub sections: Vec<Section>,
    /// Other sections that failed, in the order of reading: the last ones.
    pub other_failures: Vec<Section>,
    /// Sections of all kinds.
    pub sections_total: u64,
    /// Sections like these that were too many to be kept.
    pub sections_dropped: u64,
    /// When the kernel started, for boots with a section: the last ones.
    pub boots: Vec<(LineRef, LocalTime)>,
    /// Version of Windows in the head read last: `10.0.19045`.
    pub os_version: Option<String>,
}

/// The packages that an update replaces are taken away in the next boot: within a day.
const CLEANED_WITHIN: u64 = TICKS_PER_DAY;

impl SetupLog {
    /// The failed sections of updates of Windows that a window can be taken from: those that stage or install
    /// drivers or, where none of these failed, those that take them away. What is taken away behind an installation that
    /// went well are the packages from before: that update is in.
    pub fn failing(&self) -> impl DoubleEndedIterator<Item = &Section> {
        let failed = |section: &&Section| section.failure.is_some() && section.is_driver_update();
        let brings = self
            .sections
            .iter()
            .filter(failed)
            .any(Section::brings_drivers);
        let mut installed = None;
        let old = self.sections.iter().map(move |section| {
            if !section.is_driver_update() {
                return false;
            }
            if section.brings_drivers() {
                let is_in = section.failure.is_none() && section.title == "Install Driver Updates";
                installed = section.start.filter(|_| is_in);
                return false;
            }
            let since = section.start.zip(installed);
            // What uninstalls may roll back what was installed.
            let since = since.filter(|_| section.title == "Unstage Driver Updates");
            since.is_some_and(|(start, installed)| start.distance(installed) <= CLEANED_WITHIN)
        });
        let old: Vec<bool> = old.collect();
        self.sections
            .iter()
            .zip(old)
            .filter(move |(section, old)| section.brings_drivers() || !brings && !old)
            .map(|(section, _)| section)
            .filter(failed)
    }

    /// The name of the log a line stands in.
    pub fn name(&self, line: LineRef) -> &str {
        let file = self.files.get(line.file as usize);
        file.map_or("", |file| &file.name)
    }
}

/// Goes through a log: `visit` gets each line with its place; the log counts as the first, 0.
///
/// `tick` hears of the bytes read, from time to time.
///
/// # Errors
/// When the file can no longer be mapped.
pub fn for_each_line(
    source: &Source,
    options: &TextOptions,
    tick: &dyn Fn(u64),
    mut visit: impl FnMut(LineRef, &Line<'_>),
) -> io::Result<TextReport> {
    Lines::open(source, options)?.for_each(tick, |line| {
        visit(place(&line), &Line::parse(line.text));
    })
}

/// Reads logs one after the other.
#[derive(Debug, Default)]
pub struct SetupReader {
    collector: Collector,
    files: Vec<SetupFile>,
}

impl SetupReader {
    /// Reads a log; `tick` hears of the bytes read, from time to time.
    ///
    /// # Errors
    /// When the file can no longer be mapped.
    pub fn read(
        &mut self,
        name: &str,
        source: &Source,
        options: &TextOptions,
        tick: &dyn Fn(u64),
    ) -> io::Result<()> {
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let collector = &mut self.collector;
        let mut counts = LineCounts::default();
        let mut first_last: Option<(LocalTime, LocalTime)> = None;
        let text = for_each_line(source, options, tick, |at, kind| {
            let at = LineRef { file: number, ..at };
            let placed = collector.take(at, kind);
            let count = match kind {
                Line::Header(_) | Line::Boot(_) => &mut counts.heads,
                Line::Blank => &mut counts.blank,
                Line::Other(_) => &mut counts.others,
                _ if !placed => &mut counts.strays,
                Line::Body(_) => &mut counts.bodies,
                _ => &mut counts.frames,
            };
            *count += 1;
            if let Line::Start(time) | Line::End(time) = kind {
                let (first, last) = first_last.get_or_insert((*time, *time));
                (*first, *last) = ((*first).min(*time), (*last).max(*time));
            }
        })?;
        let ends_in = self.collector.close();
        self.files.push(SetupFile {
            ends_in,
            name: name.to_owned(),
            text,
            lines: counts,
            first_last,
        });
        Ok(())
    }

    /// What was found in all of them.
    pub fn finish(mut self) -> SetupLog {
        self.collector.finish();
        let found = self.collector;
        SetupLog {
            files: self.files,
            sections: found.sections.into(),
            other_failures: found.others.into(),
            sections_total: found.sections_total,
            sections_dropped: found.sections_dropped,
            boots: found.boots.into(),
            os_version: found.os_version,
        }
    }
}
