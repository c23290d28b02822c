//! Logs in, lines and attempts out.

use super::attempt::Attempt;
use super::collect::{Aftermath, Collector, OtherFailure};
use super::damage::Damage;
use super::event::Event;
use super::offsets::{OffsetBasis, Offsets};
use super::record::{Level, Record, StampCache};
use crate::input::text::{Lines, TextOptions, TextReport};
use crate::input::view::Source;
use crate::lang::Message;
use crate::say;
use crate::servicing::local_time::{LocalTime, number};
use crate::servicing::mark::{LineRef, place};
use crate::trace::Filetime;
use std::io;

/// What a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A record.
    Record(Record<'a>, Event<'a>),
    /// It goes on with the record before it.
    Continuation(&'a str),
    /// It starts like a record and is none: cut, or run over.
    Fragment(&'a str),
    /// Nothing but blanks.
    Blank,
}

/// How many lines of each kind a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Records.
    pub records: u64,
    /// Records of level Error.
    pub errors: u64,
    /// Lines that go on with a record.
    pub continuations: u64,
    /// Lines that start like a record and are none.
    pub fragments: u64,
    /// Blank lines.
    pub blank: u64,
}

/// A log that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CbsFile {
    /// Its name, as given.
    pub name: String,
    /// Its encoding, and what of its bytes could not be taken as they stand.
    pub text: TextReport,
    /// Its lines.
    pub lines: LineCounts,
    /// Stamps of the first and the last record.
    pub first_last: Option<(LocalTime, LocalTime)>,
    /// The places of these.
    pub first_last_at: Option<(LineRef, LineRef)>,
    /// It tells of an image that does not run, as what Setup and DISM write in Windows PE does: its clock is not that of
    /// the machine.
    pub offline: bool,
}

impl CbsFile {
    /// What a reader of the findings should know of the file, as sentences; none for a clean one.
    pub fn warnings(&self) -> Vec<Message> {
        let mut out = self.text.warnings();
        match self.lines.fragments {
            0 => {}
            1 => out.push(say!(
                en: "1 line starts like a record and is none",
                zh: "有 1 行开头像记录，但不是记录",
            )),
            more => out.push(say!(
                en: "{more} lines start like records and are none",
                zh: "有 {more} 行开头像记录，但不是记录",
            )),
        }
        if self.offline {
            out.push(say!(
                en: "it is about a Windows image that did not run (Setup, Windows PE): its clock and its boots tell nothing of the machine",
                zh: "该日志涉及未运行的 Windows 映像（安装程序、Windows PE）：其时钟和启动时间与本机无关",
            ));
        }
        if self.lines.records == 0 {
            out.push(say!(
                en: "no line of it is a record of a CBS log",
                zh: "其中没有一行是 CBS 日志的记录",
            ));
        }
        out
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
) -> io::Result<(TextReport, LineCounts)> {
    let mut counts = LineCounts::default();
    let mut cache = StampCache::default();
    let report = Lines::open(source, options)?.for_each(tick, |line| {
        let kind = classify(line.text, &mut cache);
        match &kind {
            Line::Record(record, _) => {
                counts.records += 1;
                counts.errors += u64::from(record.level == Level::Error);
            }
            Line::Continuation(_) => counts.continuations += 1,
            Line::Fragment(_) => counts.fragments += 1,
            Line::Blank => counts.blank += 1,
        }
        visit(place(&line), &kind);
    })?;
    Ok((report, counts))
}

fn classify<'a>(text: &'a str, cache: &mut StampCache) -> Line<'a> {
    if let Some(record) = Record::parse_stamped(text, cache) {
        return Line::Record(record, Event::of(&record));
    }
    let bytes = text.as_bytes();
    let dated = number(bytes, 0, 4).is_some() && bytes.get(4) == Some(&b'-');
    if dated {
        Line::Fragment(text)
    } else if text.trim_ascii().is_empty() {
        Line::Blank
    } else {
        Line::Continuation(text)
    }
}

/// What the logs of one machine say together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CbsLog {
    /// The logs, in the order of reading: [`LineRef::file`] is the place here.
    pub files: Vec<CbsFile>,
    /// Every failed run of the driver operation queue, in the order of reading.
    pub attempts: Vec<Attempt>,
    /// Attempts before these that were too many to be kept.
    pub attempts_dropped: u64,
    /// How far the clock was from UTC.
    pub offsets: Offsets,
    /// Failures that are no driver operation's: the last ones.
    pub other_failures: Vec<OtherFailure>,
    /// Rollbacks of failures from before the logs: the last ones.
    pub aftermaths: Vec<Aftermath>,
    /// When the kernel started, each time another time is given, with the line that gives it: the last ones.
    pub boots: Vec<(LineRef, LocalTime)>,
    /// What is said of driver packages that are damaged in the component store, in order: the first 1,000 changes.
    pub damages: Vec<Damage>,
    /// Version of the servicing stack, as it was loaded last.
    pub stack: Option<String>,
}

impl CbsLog {
    /// The attempts a window can be taken from: the confirmed ones or, where there is none, all.
    pub fn failing(&self) -> impl DoubleEndedIterator<Item = &Attempt> {
        let confirmed = self.attempts.iter().any(|attempt| attempt.confirmed);
        self.attempts
            .iter()
            .filter(move |attempt| attempt.confirmed || !confirmed)
    }

    /// The name of the log a line stands in.
    pub fn name(&self, line: LineRef) -> &str {
        let file = self.files.get(line.file as usize);
        file.map_or("", |file| &file.name)
    }
}

/// Reads logs one after the other: the archives by their names, CBS.log last (see [`reading_order`]). An attempt
/// may begin in one and end in the next.
#[derive(Debug, Default)]
pub struct CbsReader {
    collector: Collector,
    files: Vec<CbsFile>,
}

impl CbsReader {
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
        let before = self.files.last().and_then(|file| archive_end(&file.name));
        let collector = &mut self.collector;
        let machine = collector.machine.clone();
        let (mut offline, mut online) = (false, false);
        let mut first_last: Option<(LocalTime, LocalTime)> = None;
        let mut first_last_at: Option<(LineRef, LineRef)> = None;
        let (text, lines) = for_each_line(source, options, tick, |at, kind| {
            let at = LineRef { file: number, ..at };
            if let (Line::Continuation(text), Some((_, last))) = (kind, first_last) {
                collector.take_more(at, last, text);
            }
            let Line::Record(record, event) = kind else {
                return;
            };
            first_last_at = Some((first_last_at.map_or(at, |(first, _)| first), at));
            match &mut first_last {
                Some((_, last)) => *last = record.time,
                none => {
                    *none = Some((record.time, record.time));
                    if let Some(utc) = before {
                        collector
                            .machine
                            .offset(at, record.time, utc, OffsetBasis::ArchiveName);
                    }
                }
            }
            offline |= is_about_an_image(record.text);
            let passes = ["Startup: ", "Shtd: "];
            online |= *event == Event::ServiceStart
                || passes.iter().any(|pass| record.text.starts_with(pass));
            collector.take(at, record, event);
        })?;
        let offline = offline && !online;
        if offline {
            collector.machine = machine;
        }
        self.files.push(CbsFile {
            name: name.to_owned(),
            text,
            lines,
            first_last,
            first_last_at,
            offline,
        });
        Ok(())
    }

    /// What was found in all of them.
    pub fn finish(mut self) -> CbsLog {
        self.collector.finish();
        let found = self.collector;
        CbsLog {
            files: self.files,
            attempts: found.attempts.into(),
            attempts_dropped: found.attempts_dropped,
            offsets: found.machine.offsets,
            other_failures: found.others.into(),
            aftermaths: found.aftermaths.into(),
            boots: found.machine.boots.into(),
            damages: found.damages.list,
            stack: found.machine.stack,
        }
    }
}

/// What the servicing stack says when it works on an image. It does so on a running machine as well, where its service
/// writes to the same log.
fn is_about_an_image(text: &str) -> bool {
    text.starts_with("Setting core mode: CbsCoreModeOffline")
        || text.starts_with("Offline servicing, using stack version")
}

/// A key that sorts the names of logs in the order they were written: archives by the time in their names, and
/// CBS.log behind them.
pub fn reading_order(name: &str) -> (u64, String) {
    let stamp = archive_end(name).map_or(u64::MAX, |time| time.0);
    (stamp, name.to_ascii_lowercase())
}

/// The time in the name of an archive, `CbsPersist_20190224194543.log`: when it was closed, in UTC.
fn archive_end(name: &str) -> Option<Filetime> {
    let name = name.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let (_, stamp) = name.split_once("cbspersist_")?;
    let part = |at, len| number(stamp.as_bytes(), at, len);
    let date = (part(0, 4)?, part(4, 2)?, part(6, 2)?);
    let time = (part(8, 2)?, part(10, 2)?, part(12, 2)?);
    LocalTime::new(date, time, 0).map(|time| time.to_utc(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_sort_by_their_times() {
        let mut names = [
            "case/CBS.log",
            "case/CbsPersist_20190224194543.log",
            "PC1_CbsPersist_20181231000000.log",
            "CbsPersist_20190101000000.log",
        ];
        names.sort_by_key(|name| reading_order(name));
        assert_eq!(
            names,
            [
                "PC1_CbsPersist_20181231000000.log",
                "CbsPersist_20190101000000.log",
                "case/CbsPersist_20190224194543.log",
                "case/CBS.log",
            ]
        );
        let end = archive_end("CbsPersist_20190224194543.log").unwrap();
        assert_eq!(end.to_string(), "2019-02-24T19:45:43.0000000Z");
        assert_eq!(archive_end("CbsPersist_2019.log"), None);
        assert_eq!(archive_end("CbsPersist_20191324194543.log"), None);
    }
}
