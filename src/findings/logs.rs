//! What the servicing logs of a case say of the failure: when, why, and how long around it servicing was at work.

use super::clocks::{Clocks, FailureInstant};
use super::schema::{Failure, Input, InputKind, InputRole, WindowEvidence};
use crate::codes::hresult;
use crate::input::view::Source;
use crate::lang::Message;
use crate::say;
use crate::servicing::cbs::{Attempt, CbsLog, OffsetEvidence, Phase};
use crate::servicing::setupapi::{Section, SectionFailure, SetupLog};
use crate::servicing::update_client::UpdateClientLog;
use crate::servicing::{LineRef, LocalTime, Mark};
use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND};
use crate::trace::{Filetime, ServicingLog, Zone};

/// The servicing logs of a case.
#[derive(Debug, Default)]
pub struct CaseLogs {
    /// CBS.log and its archives.
    pub cbs: Option<CbsLog>,
    /// setupapi.dev.log.
    pub setup: Option<SetupLog>,
    /// Logs of the Windows Update client.
    pub update_client: Vec<UpdateClientLog>,
    /// The bytes of each log, by the name messages use.
    pub sources: Vec<(String, Source)>,
}

impl CaseLogs {
    /// Which of the logs are damaged, in sentences.
    pub fn losses(&self) -> Vec<Message> {
        let cbs = self.cbs.iter().flat_map(|log| &log.files);
        let setup = self.setup.iter().flat_map(|log| &log.files);
        let files = cbs.map(|file| (&file.name, &file.text));
        let client = self.update_client.iter().filter_map(|log| {
            let loss = log.loss.as_ref()?;
            let (name, en, zh) = (&log.name, loss.en(), loss.zh());
            Some(say!(en: "{name}: {en}", zh: "{name}：{zh}"))
        });
        files
            .chain(setup.map(|file| (&file.name, &file.text)))
            .filter(|(_, text)| !text.is_whole())
            .map(|(name, text)| {
                say!(
                    en: "{name}: damaged: {lines} lines with bytes that are no text, {nul} NUL bytes, {cut} bytes of lines too long",
                    zh: "{name}：已损坏：{lines} 行含有非文本字节，{nul} 个 NUL 字节，过长的行有 {cut} 个字节",
                    lines = text.replaced_lines,
                    nul = text.nul_bytes,
                    cut = text.cut_bytes,
                )
            })
            .chain(client)
            .collect()
    }
}

/// How the wall clock of the logs is brought to UTC.
///
/// By zone first; what writes in the traces show beyond that comes on top.
#[derive(Debug, Clone, Copy)]
pub struct LogClock<'a> {
    /// As the user says.
    pub zone: Option<&'a Zone>,
    /// Minutes east of UTC, by a trace.
    pub trace_minutes: Option<i32>,
    /// The CBS log, which may show its own offset.
    pub cbs: Option<&'a CbsLog>,
    /// What the writes in the traces say.
    pub exact: Option<&'a Clocks>,
}

/// What the zone of the logs is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneSource {
    /// The user says it.
    User,
    /// CBS.log shows UTC itself.
    Log,
    /// The header of a trace.
    Trace,
    /// Nothing: UTC is assumed.
    None,
}

impl LogClock<'_> {
    /// What the conversion rests on, where it rests on anything.
    pub fn basis(&self) -> Option<String> {
        let shown = self.cbs.and_then(|log| log.offsets.changes().last());
        if self.zone.is_some() {
            Some("--log-tz".to_owned())
        } else if let Some(shown) = shown {
            Some(format!(
                "{} in CBS.log ({})",
                shown.basis.as_str(),
                offset(shown.minutes)
            ))
        } else {
            self.trace_minutes
                .map(|minutes| format!("the time zone in the trace ({})", offset(minutes)))
        }
    }

    /// What the zone is known by.
    pub fn zone_source(&self) -> ZoneSource {
        let shown = self
            .cbs
            .is_some_and(|log| !log.offsets.changes().is_empty());
        match (self.zone, self.trace_minutes) {
            (Some(_), _) => ZoneSource::User,
            _ if shown => ZoneSource::Log,
            (None, Some(_)) => ZoneSource::Trace,
            (None, None) => ZoneSource::None,
        }
    }

    fn shifted(&self, time: Filetime, log: ServicingLog) -> Filetime {
        let shift = self.exact.map_or(0, |exact| exact.shift(log));
        Filetime(time.0.saturating_add_signed(shift))
    }

    /// UTC of a line of a CBS log: of its write, where a trace shows it, else by its stamp.
    pub fn cbs(&self, mark: &Mark) -> Filetime {
        let utc = self.cbs_by_stamp(mark);
        self.written(ServicingLog::Cbs, mark, utc).unwrap_or(utc)
    }

    /// UTC of a failure in setupapi.dev.log: of the write of its line, where a trace shows it, else by the lines with a time
    /// around it.
    pub fn setup_failure(&self, failed: &SectionFailure) -> Filetime {
        let earliest = failed.earliest_mark();
        let utc = self.setup(earliest.time);
        self.written(ServicingLog::SetupApi, &earliest, utc)
            .unwrap_or_else(|| self.setup(failed.mark.time))
    }

    /// When a trace shows that a line was written; `utc` is the time by its stamp.
    pub fn written(&self, log: ServicingLog, mark: &Mark, utc: Filetime) -> Option<Filetime> {
        self.exact?.written(log, mark, utc)
    }

    /// UTC of a line of a CBS log by its stamp: the start of the second it is of.
    pub fn cbs_by_stamp(&self, mark: &Mark) -> Filetime {
        self.shifted(self.cbs_by_zone(mark), ServicingLog::Cbs)
    }

    fn cbs_by_zone(&self, mark: &Mark) -> Filetime {
        let shown = self.cbs.and_then(|log| log.offsets.at(mark.at, mark.time));
        self.by_zone(mark.time, shown)
    }

    /// UTC of a time by what the user says of the zone, else by the offset that the log shows, else by the trace.
    fn by_zone(&self, time: LocalTime, shown: Option<&OffsetEvidence>) -> Filetime {
        match (self.zone, shown) {
            (Some(zone), _) => time.to_utc_in(zone),
            (None, Some(shown)) => time.to_utc(shown.minutes),
            (None, None) => time.to_utc(self.trace_minutes.unwrap_or(0)),
        }
    }

    /// UTC of a time that a line of a CBS log tells, by the offset at that line.
    pub fn cbs_at_line(&self, time: LocalTime, line: LineRef) -> Filetime {
        let shown = self.cbs.and_then(|log| log.offsets.at_line(line));
        self.shifted(self.by_zone(time, shown), ServicingLog::Cbs)
    }

    /// UTC of a time in setupapi.dev.log, which shows no offset itself.
    pub fn setup(&self, time: LocalTime) -> Filetime {
        self.shifted(self.setup_by_zone(time), ServicingLog::SetupApi)
    }

    /// UTC of a time in any of the logs by the zone alone.
    pub fn setup_by_zone(&self, time: LocalTime) -> Filetime {
        let shown = self.cbs.and_then(|log| log.offsets.near(time));
        self.by_zone(time, shown)
    }

    /// Minutes east of UTC that the logs show last.
    pub fn minutes(&self) -> Option<i32> {
        let shown = self.cbs.and_then(|log| log.offsets.changes().last());
        shown.map(|shown| shown.minutes)
    }
}

/// `UTC+02:00`
pub fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A failure that a log tells of, and the time around it.
#[derive(Debug, Clone)]
pub struct LoggedFailure {
    /// The failure.
    pub failure: Failure,
    /// Start of the attempt.
    pub start: Filetime,
    /// The instant of the failure.
    pub instant: Filetime,
    /// End of the rollback.
    pub end: Filetime,
    /// When servicing was at work.
    pub phase: Option<Phase>,
    /// The lines that place it.
    pub evidence: Vec<WindowEvidence>,
    /// What is assumed, in sentences.
    pub notes: Vec<Message>,
    /// What the instant rests on.
    pub basis: FailureInstant,
}

impl LoggedFailure {
    /// Whether its window has a moment in common with `first..=last`.
    pub fn meets(&self, first: Filetime, last: Filetime) -> bool {
        self.start <= last && first <= self.end
    }

    /// Whether its attempt, which ends with the failure, has a moment in common with `first..=last`.
    pub fn attempt_meets(&self, first: Filetime, last: Filetime) -> bool {
        // The line may be of any part of its second.
        // Where it is coarser, the instant is the latest it can have been.
        let grain = self.basis.grain_us.clamp(0, CBS_GRAIN).unsigned_abs() * 10;
        self.start <= last && first <= self.instant.plus(grain)
    }
}

/// What a stamp of CBS.log cuts off, in microseconds.
const CBS_GRAIN: i64 = 1_000_000;
/// setupapi.dev.log sharpens the instant of a failure in CBS.log this near to it.
const NEAR: u64 = 3 * TICKS_PER_SECOND;

impl CaseLogs {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cbs.is_none() && self.setup.is_none()
    }

    /// Every failed driver operation that the logs tell of, in their order.
    pub fn failures(&self, clock: &LogClock<'_>) -> Vec<LoggedFailure> {
        let cbs = self.cbs.iter().flat_map(|log| {
            log.failing()
                .map(move |attempt| self.by_cbs(log, attempt, clock))
        });
        let out: Vec<LoggedFailure> = cbs.collect();
        if !out.is_empty() {
            return out;
        }
        let setup = self.setup.iter().flat_map(|log| {
            log.failing()
                .filter_map(move |section| by_setup(log, section, clock))
        });
        setup.collect()
    }

    fn by_cbs(&self, log: &CbsLog, attempt: &Attempt, clock: &LogClock<'_>) -> LoggedFailure {
        let span = attempt.span(|mark| clock.cbs(mark));
        let mark = &attempt.failure.0;
        let mut out = LoggedFailure {
            failure: Failure {
                inf: attempt.inf.clone(),
                package: attempt.package.clone(),
                ..failure(attempt.code, span.failure, "cbs", mark.at.line)
            },
            start: span.start,
            instant: span.failure,
            end: span.end,
            phase: attempt.phase,
            evidence: attempt
                .evidence
                .iter()
                .map(|mark| row(log.name(mark.at), clock.cbs(mark), mark))
                .collect(),
            notes: Vec::new(),
            basis: basis(log.name(mark.at), mark, ServicingLog::Cbs, clock),
        };
        if !span.start_known {
            out.notes.push(say!(
                en: "CBS.log does not say when the driver operation queue started: 60 s before the failure are looked at.",
                zh: "CBS.log 没有记录驱动程序操作队列何时开始：检查失败之前的 60 秒。",
            ));
        }
        if !span.end_known {
            out.notes.push(say!(
                en: "CBS.log does not say when the rollback ended: 60 s after the failure are looked at, and what it tells of the rollback later.",
                zh: "CBS.log 没有记录回滚何时结束：检查失败之后的 60 秒，以及日志此后仍提到回滚的时间。",
            ));
        }
        out.notes.extend(tried_again(log, attempt));
        out.notes.extend(without_inf(attempt, self.setup.is_some()));
        if clock.zone.is_none() {
            out.notes.extend(clock_change(log, mark));
        }
        if let Some(setup) = &self.setup {
            sharpen(&mut out, setup, clock);
        }
        let inf = out.failure.inf.as_deref();
        out.notes
            .extend(inf.and_then(|inf| damaged(log, inf, mark)));
        out.evidence.sort_by_key(|row| row.time);
        out
    }
}

/// What became of operations that were undone only to be tried again.
fn tried_again(log: &CbsLog, attempt: &Attempt) -> Option<Message> {
    if attempt.is_final() {
        return None;
    }
    Some(match &attempt.retried {
        Some(mark) => {
            let (name, line, time) = (log.name(mark.at), mark.at.line, mark.time);
            say!(
                en: "This failure was undone for a time only: {name}, line {line} ({time}, local), says that the driver operations were tried again and went well: see whether the update is in.",
                zh: "此次失败只是临时回滚：{name} 第 {line} 行（本地时间 {time}）显示驱动程序操作已重试并成功：请确认更新是否已安装。",
            )
        }
        None => say!(
            en: "The rollback was a temporary one: the driver operations were to be tried again, at the next start at the latest. CBS.log does not tell how that went.",
            zh: "这是一次临时回滚：驱动程序操作本应重试，最迟在下次启动时。CBS.log 没有记录其结果。",
        ),
    })
}

/// Why CBS.log names no INF, and where one is named.
fn without_inf(attempt: &Attempt, with_setup: bool) -> Option<Message> {
    let text = &attempt.failure.0.text;
    if text.contains("loading driver operations queue") {
        return Some(say!(
            en: "The queue of driver operations could not be loaded: no driver package was reached. A key below HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\DriverOperations could not be read.",
            zh: "无法加载驱动程序操作队列：尚未处理任何驱动程序包。HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\DriverOperations 下的某个键无法读取。",
        ));
    }
    (attempt.inf.is_none() && !with_setup).then(|| {
        say!(
            en: "CBS.log names no INF: setupapi.dev.log (C:\\Windows\\INF) may.",
            zh: "CBS.log 没有给出 INF：setupapi.dev.log（C:\\Windows\\INF）中可能有。",
        )
    })
}

/// That the failing package is damaged in the component store, which is a reason of its own.
fn damaged(log: &CbsLog, inf: &str, failed: &Mark) -> Option<Message> {
    let of_it = || {
        let damages = log.damages.iter();
        damages.filter(|damage| damage.inf.eq_ignore_ascii_case(inf))
    };
    // What was repaired before is sound.
    let before = of_it().rfind(|damage| damage.mark.at < failed.at);
    let before = before.filter(|damage| !damage.repaired);
    let found = before.or_else(|| {
        let mut behind = of_it().filter(|damage| failed.at < damage.mark.at);
        behind.find(|damage| !damage.repaired)
    })?;
    let (name, line, time) = (log.name(found.mark.at), found.mark.at.line, found.mark.time);
    Some(match found.mark.at < failed.at {
        true => say!(
            en: "{name}, line {line} ({time}, local): a file of {inf} was found damaged in the component store before the failure. That alone can make its update fail, whoever touches it: repair the store (DISM /RestoreHealth) before you blame a driver.",
            zh: "{name} 第 {line} 行（本地时间 {time}）：失败之前已发现组件存储中 {inf} 的一个文件损坏。仅此一点就可能使其更新失败，与谁访问它无关：在将问题归咎于某个驱动程序之前，请先修复组件存储（DISM /RestoreHealth）。",
        ),
        false => say!(
            en: "{name}, line {line} ({time}, local): a file of {inf} was found damaged in the component store after the failure. If it was so before, that alone can have made its update fail: repair the store (DISM /RestoreHealth) before you blame a driver.",
            zh: "{name} 第 {line} 行（本地时间 {time}）：失败之后发现组件存储中 {inf} 的一个文件损坏。如果此前已是如此，仅此一点就可能使其更新失败：在将问题归咎于某个驱动程序之前，请先修复组件存储（DISM /RestoreHealth）。",
        ),
    })
}

/// That the clock of the machine was set to another zone within a day of a line.
fn clock_change(log: &CbsLog, mark: &Mark) -> Option<Message> {
    let (last, next) = log.offsets.change_near(mark.time, TICKS_PER_DAY)?;
    let (before, after) = (offset(last.minutes), offset(next.minutes));
    let (name, line) = (log.name(next.at), next.at.line);
    Some(say!(
        en: "The time zone of the machine changed from {before} to {after} before {name} line {line}, near the failure: its lines are placed accordingly.",
        zh: "在 {name} 第 {line} 行之前、失败前后，计算机时区由 {before} 改为 {after}：各行的时间已据此换算。",
    ))
}

/// Takes over the instant of a failed section that is the same failure. Where CBS.log names no INF, that of a section
/// which failed at the same time with the same code is taken over instead.
fn sharpen(out: &mut LoggedFailure, log: &SetupLog, clock: &LogClock<'_>) {
    let code = out.failure.hresult();
    let near = log.failing().filter_map(|section| {
        let failed = section.failure.as_ref()?;
        let same = match (&failed.inf, &out.failure.inf) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            // The section keeps the low word of a code at least.
            (Some(_), None) => {
                let codes = failed.code.zip(code);
                codes.is_some_and(|(a, b)| a & 0xFFFF == b & 0xFFFF)
            }
            (None, _) => false,
        };
        let time = clock.setup_failure(failed);
        let (start, end) = section.span()?;
        let (start, end) = (clock.setup(start), clock.setup(end));
        // CBS.log has whole seconds, and tells of the failure when the section has ended.
        let inside = start <= out.instant.plus(NEAR) && out.instant <= end.plus(NEAR);
        (same && inside).then_some((time.0.abs_diff(out.instant.0), time, failed))
    });
    let Some((_, time, failed)) = near.min_by_key(|(distance, ..)| *distance) else {
        return;
    };
    let name = log.name(failed.mark.at);
    if out.failure.inf.is_none() {
        out.failure.inf.clone_from(&failed.inf);
    } else if setup_basis(name, failed, clock).grain_us < CBS_GRAIN {
        out.instant = time.max(out.start).min(out.end);
        out.failure.time = Some(out.instant);
        out.basis = setup_basis(name, failed, clock);
    }
    out.evidence.push(row(name, time, &failed.mark));
}

/// The same of a failed section, whose lines with a time may lie apart.
fn setup_basis(name: &str, failed: &SectionFailure, clock: &LogClock<'_>) -> FailureInstant {
    let mut out = basis(name, &failed.earliest_mark(), ServicingLog::SetupApi, clock);
    let apart = failed.mark.time.distance(failed.earliest);
    if out.basis == "stamp" && apart > 0 {
        out.grain_us = i64::try_from(apart / 10).unwrap_or(i64::MAX);
    }
    out
}

/// What the time of a line rests on.
fn basis(name: &str, mark: &Mark, log: ServicingLog, clock: &LogClock<'_>) -> FailureInstant {
    let (utc, grain_us) = match log {
        ServicingLog::Cbs => (clock.cbs_by_stamp(mark), CBS_GRAIN),
        ServicingLog::SetupApi => (clock.setup(mark.time), 1_000),
    };
    let written = clock.written(log, mark, utc).is_some();
    FailureInstant {
        input: name.to_owned(),
        line: mark.at.line,
        basis: if written { "write" } else { "stamp" },
        grain_us: if written { 0 } else { grain_us },
    }
}

fn by_setup(log: &SetupLog, section: &Section, clock: &LogClock<'_>) -> Option<LoggedFailure> {
    let failed = section.failure.as_ref()?;
    let (start, end) = section.span()?;
    let (start, end) = (clock.setup(start), clock.setup(end));
    let end = end.max(start);
    let name = log.name(failed.mark.at);
    let basis = setup_basis(name, failed, clock);
    let instant = clock.setup_failure(failed);
    let (start, end) = (start.min(instant), end.max(instant));
    let (first, last) = (section.first.line, section.last.line);
    let title = &section.title;
    let line = |time, text: Message| WindowEvidence {
        time,
        input: name.to_owned(),
        text,
    };
    Some(LoggedFailure {
        failure: Failure {
            inf: failed.inf.clone(),
            package: None,
            ..failure(failed.code, instant, "setupapi", failed.mark.at.line)
        },
        start,
        instant,
        end,
        phase: None,
        evidence: vec![
            line(
                start,
                say!(
                    en: "line {first}: [{title}]",
                    zh: "第 {first} 行：[{title}]",
                ),
            ),
            row(name, instant, &failed.mark),
            line(
                end,
                match section.is_broken_off() {
                    true => say!(
                        en: "line {last}: last of [{title}], which was never ended",
                        zh: "第 {last} 行：[{title}] 的最后一行，该节没有结尾",
                    ),
                    false => say!(
                        en: "line {last}: end of [{title}]",
                        zh: "第 {last} 行：[{title}] 结束",
                    ),
                },
            ),
        ],
        notes: Vec::new(),
        basis,
    })
}

fn failure(code: Option<u32>, time: Filetime, source: &'static str, line: u64) -> Failure {
    Failure {
        code: code.map(|code| format!("{code:#010x}")),
        name: code.and_then(hresult::name).map(str::to_owned),
        meaning: code.and_then(hresult::meaning).map(str::to_owned),
        inf: None,
        package: None,
        time: Some(time),
        source,
        line,
    }
}

fn row(input: &str, time: Filetime, mark: &Mark) -> WindowEvidence {
    WindowEvidence {
        time,
        input: input.to_owned(),
        text: say!(
            en: "line {line}: {said}",
            zh: "第 {line} 行：{said}",
            line = mark.at.line,
            said = mark.text.trim(),
        ),
    }
}

/// The logs as inputs of the case.
pub fn log_inputs(logs: &CaseLogs, clock: &LogClock<'_>) -> Vec<Input> {
    let bytes = |name: &str| {
        let found = logs.sources.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, source)| source.len())
    };
    let mut out = Vec::new();
    for file in logs.cbs.iter().flat_map(|log| &log.files) {
        let ends = file.first_last.zip(file.first_last_at);
        let utc = |time, at| {
            clock.cbs_by_stamp(&Mark {
                time,
                at,
                text: String::new(),
            })
        };
        out.push(Input {
            path: file.name.clone(),
            kind: InputKind::Cbs,
            role: InputRole::Log,
            bytes: bytes(&file.name),
            events: file.lines.records,
            first: ends.map(|((first, _), (at, _))| utc(first, at)),
            last: ends.map(|((_, last), (_, at))| utc(last, at)),
            warnings: file.warnings(),
            records: None,
        });
    }
    for file in logs.setup.iter().flat_map(|log| &log.files) {
        out.push(Input {
            path: file.name.clone(),
            kind: InputKind::SetupApi,
            role: InputRole::Log,
            bytes: bytes(&file.name),
            events: file.lines.heads + file.lines.frames + file.lines.bodies + file.lines.others,
            first: file.first_last.map(|(first, _)| clock.setup(first)),
            last: file.first_last.map(|(_, last)| clock.setup(last)),
            warnings: file.warnings(),
            records: None,
        });
    }
    for log in &logs.update_client {
        out.push(Input {
            path: log.name.clone(),
            kind: InputKind::Etl,
            role: InputRole::UpdateClient,
            bytes: log.bytes,
            events: log.events,
            first: log.first,
            last: log.last,
            warnings: log.warnings.clone(),
            records: Some(log.records),
        });
    }
    out
}

/// What the update client told of results and restarts between two times, of failures first where there is more than
/// `most`; in order of time.
pub fn client_rows(
    logs: &CaseLogs,
    from: Option<Filetime>,
    to: Option<Filetime>,
    most: usize,
) -> Vec<WindowEvidence> {
    let mut rows: Vec<(bool, WindowEvidence)> = logs
        .update_client
        .iter()
        .flat_map(|log| {
            log.sentences.iter().map(|sentence| {
                let text = format!("{}: {}", sentence.component, sentence.text);
                let row = WindowEvidence {
                    time: sentence.time,
                    input: log.name.clone(),
                    text: Message::verbatim(text),
                };
                (sentence.failed, row)
            })
        })
        .filter(|(_, row)| from.is_none_or(|from| row.time >= from))
        .filter(|(_, row)| to.is_none_or(|to| row.time <= to))
        .collect();
    rows.sort_by_key(|(failed, row)| (!failed, row.time));
    rows.truncate(most);
    let mut rows: Vec<WindowEvidence> = rows.into_iter().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| row.time);
    rows
}
