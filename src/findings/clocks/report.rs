//! The clocks and boots of a case, as findings tell them.

use super::boots::{self, TracedBoot, traced};
use super::{Clocks, SKEW};
use crate::findings::analyze::Case;
use crate::findings::logs::{LogClock, LoggedFailure, ZoneSource, offset};
use crate::lang::Message;
use crate::say;
use crate::servicing::{LocalTime, Mark};
use crate::trace::ServicingLog;
use serde::Serialize;

/// What the offset of a log's clock rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockSource {
    /// The writes in a trace that brought lines of the log.
    Writes,
    /// `--log-tz`.
    LogTz,
    /// UTC marks in the log itself.
    Log,
    /// The time zone in the header of a trace.
    Trace,
    /// Nothing: taken for UTC.
    Utc,
}

impl From<ZoneSource> for ClockSource {
    fn from(source: ZoneSource) -> Self {
        match source {
            ZoneSource::User => Self::LogTz,
            ZoneSource::Log => Self::Log,
            ZoneSource::Trace => Self::Trace,
            ZoneSource::None => Self::Utc,
        }
    }
}

/// The clock of a log against that of the traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockFinding {
    /// `cbs` or `setupapi`.
    pub log: &'static str,
    /// What is taken from a time of the log to have it on the clock of the traces, in microseconds: its offset from UTC,
    /// and what its clock is fast by.
    pub offset_us: i64,
    /// What the offset rests on.
    pub source: ClockSource,
    /// It may be wrong by this much, in microseconds; `null` where only the zone is known.
    pub error_us: Option<i64>,
    /// What the zone alone rests on.
    pub zone_source: ClockSource,
    /// The part of the offset that the zone does not explain, in microseconds; `null` without writes.
    pub skew_us: Option<i64>,
    /// Writes that agree on it.
    pub writes: u64,
    /// Writes to that log in the trace, as far as it was looked through.
    pub writes_seen: u64,
    /// The log whose writes they are, `cbs` or `setupapi`: both have one clock.
    pub writes_log: Option<&'static str>,
    /// The trace that shows them.
    pub trace: Option<String>,
    /// How far the time of the boot by this log, brought to UTC, lies behind that by a trace, in microseconds; `null`
    /// where they name no boot in common.
    pub boot_difference_us: Option<i64>,
}

impl Clocks {
    /// The clock of each kind of log.
    pub fn report(
        &self,
        case: &Case<'_>,
        clock: &LogClock<'_>,
        boots: &[TracedBoot],
    ) -> Vec<ClockFinding> {
        let mut out = Vec::new();
        for log in [ServicingLog::Cbs, ServicingLog::SetupApi] {
            let Some(at) = last_mark(case, log) else {
                continue;
            };
            let utc = match log {
                ServicingLog::Cbs => clock.cbs_by_stamp(&at),
                ServicingLog::SetupApi => clock.setup(at.time),
            };
            let fit = self.fit(log);
            let shift = |(.., fit): &(usize, ServicingLog, super::Fit)| fit.shift;
            let zone: ClockSource = clock.zone_source().into();
            let of_log = |boot: &&TracedBoot| {
                boot.log
                    .as_deref()
                    .is_some_and(|name| is_of(case, log, name))
            };
            let mapping = fit.and_then(|(input, log, _)| {
                let found = self.mappings.iter();
                let mut found =
                    found.filter(|(number, found)| *number == input && found.log == log);
                found.next().map(|(_, found)| found)
            });
            out.push(ClockFinding {
                log: log.as_str(),
                offset_us: (at.time.0 as i64 - utc.0 as i64) / 10,
                source: if fit.is_some() {
                    ClockSource::Writes
                } else {
                    zone
                },
                error_us: fit.map(|(.., fit)| (fit.error + 9) / 10),
                zone_source: zone,
                skew_us: fit.as_ref().map(|fit| -shift(fit) / 10),
                writes: fit.map_or(0, |(.., fit)| fit.used as u64),
                writes_seen: mapping.map_or(0, |mapping| mapping.seen as u64),
                writes_log: fit.map(|(_, log, _)| log.as_str()),
                trace: fit.and_then(|(input, ..)| Some(case.inputs.get(input)?.name.clone())),
                boot_difference_us: boots
                    .iter()
                    .find(of_log)
                    .and_then(|boot| boot.difference_us),
            });
        }
        out
    }

    /// The boots that the traces cover, and whether they hold the attempt.
    pub fn boots(
        &self,
        case: &Case<'_>,
        clock: &LogClock<'_>,
        logged: Option<&LoggedFailure>,
    ) -> Vec<TracedBoot> {
        let boots: Vec<_> = boots::logged(case)
            .map(|boot| {
                let utc = match boot.by_cbs {
                    true => clock.cbs_at_line(boot.time, boot.at),
                    false => clock.setup(boot.time),
                };
                (boot, utc)
            })
            .collect();
        let inputs = case.inputs.iter();
        inputs
            .map(|input| {
                let info = input.trace.info();
                let holds = logged.map(|logged| {
                    let ends = info.first.zip(info.last);
                    ends.is_some_and(|(first, last)| logged.attempt_meets(first, last))
                });
                traced(input, &boots, holds)
            })
            .collect()
    }

    /// What is to be known of the clocks, in sentences.
    pub fn warnings(
        &self,
        case: &Case<'_>,
        clock: &LogClock<'_>,
        boots: &[TracedBoot],
    ) -> Vec<Message> {
        let mut out = Vec::new();
        if self.is_silent() {
            out.extend(other_zone(case, boots));
        }
        let Some((input, first)) = self.mappings.first() else {
            return out;
        };
        let trace = &case.inputs[*input].name;
        let (log, writes) = (first.log.name(), first.fit.used);
        let off = apart(first.fit.shift);
        if self.contradicted {
            out.push(say!(
                en: "{writes} writes to {log} in {trace} show that its times are {off} off what --log-tz says: --log-tz is believed. Leave it out to go by the writes.",
                zh: "{trace} 中对 {log} 的 {writes} 次写入表明，其时间与 --log-tz 所指定的相差 {off}：以 --log-tz 为准。去掉该选项即以写入为准。",
            ));
        } else if first.fit.shift.abs() > SKEW && clock.zone_source() != ZoneSource::None {
            out.push(say!(
                en: "{writes} writes to {log} in {trace} show that its times are {off} off what its zone says: the writes are believed.",
                zh: "{trace} 中对 {log} 的 {writes} 次写入表明，其时间与时区所示相差 {off}：以写入为准。",
            ));
        }
        for (other, found) in &self.mappings {
            if !super::mapping::agree(first.fit, found.fit) {
                let (log, other) = (found.log.name(), &case.inputs[*other].name);
                let off = apart(found.fit.shift - first.fit.shift);
                out.push(say!(
                    en: "The clocks of the traces differ: by the writes to {log}, {other} is {off} off {trace}, which the window goes by.",
                    zh: "各跟踪的时钟不一致：按对 {log} 的写入，{other} 与 {trace} 相差 {off}，时间窗口以后者为准。",
                ));
            }
        }
        out
    }
}

/// That the boot of a log would be that of a trace in another zone than the one in use.
fn other_zone(case: &Case<'_>, boots: &[TracedBoot]) -> Option<Message> {
    let joined = boots.iter().any(|boot| boot.difference_us.is_some());
    let minutes = boots::zone_minutes(case).filter(|_| !joined)?;
    let zone = offset(minutes);
    let option = zone.trim_start_matches("UTC");
    Some(say!(
        en: "The logs and the traces name the same time of boot if the logs were written in {zone}: try --log-tz={option}.",
        zh: "如果日志是按 {zone} 写的，日志与跟踪的启动时间就一致：请尝试 --log-tz={option}。",
    ))
}

/// `3.700 s`, `2 h 0 min`
fn apart(ticks: i64) -> String {
    let seconds = ticks.unsigned_abs() as f64 / 1e7;
    match ticks.abs() > SKEW {
        true => format!("{:.2} h", seconds / 3_600.0),
        false => format!("{seconds:.3} s"),
    }
}

fn is_of(case: &Case<'_>, log: ServicingLog, name: &str) -> bool {
    match log {
        ServicingLog::Cbs => {
            let mut files = case.logs.cbs.iter().flat_map(|log| &log.files);
            files.any(|file| file.name == name)
        }
        ServicingLog::SetupApi => {
            let mut files = case.logs.setup.iter().flat_map(|log| &log.files);
            files.any(|file| file.name == name)
        }
    }
}

/// The last failure in a log, else its last stamp.
fn last_mark(case: &Case<'_>, log: ServicingLog) -> Option<Mark> {
    let last = |time: LocalTime, file: usize| Mark {
        time,
        at: crate::servicing::LineRef {
            file: u32::try_from(file).unwrap_or(u32::MAX),
            line: u64::MAX,
            offset: u64::MAX,
        },
        text: String::new(),
    };
    match log {
        ServicingLog::Cbs => {
            let log = case.logs.cbs.as_ref()?;
            let failed = log.failing().next_back();
            let failed = failed.map(|attempt| attempt.failure.0.clone());
            failed.or_else(|| {
                let mut files = log.files.iter().enumerate().rev();
                files.find_map(|(at, file)| Some(last(file.first_last?.1, at)))
            })
        }
        ServicingLog::SetupApi => {
            let log = case.logs.setup.as_ref()?;
            let failed = log.failing().next_back();
            let failed = failed.and_then(|section| Some(section.failure.as_ref()?.mark.clone()));
            failed.or_else(|| {
                let mut files = log.files.iter().enumerate().rev();
                files.find_map(|(at, file)| Some(last(file.first_last?.1, at)))
            })
        }
    }
}

/// The instant of the logged failure and how exactly it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureInstant {
    /// The log whose line it is.
    pub input: String,
    /// The line.
    pub line: u64,
    /// `write`: the line was seen being written; `stamp`: by its stamp.
    pub basis: &'static str,
    /// How much later it may be, in microseconds: what the stamp cuts off.
    pub grain_us: i64,
}
