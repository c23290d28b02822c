//! Clocks and boots in sentences.

use super::boots::TracedBoot;
use super::report::{ClockFinding, ClockSource};
use crate::findings::Findings;
use crate::findings::logs::offset;
use crate::findings::schema::Window;
use crate::lang::Message;
use crate::say;
use crate::trace::{BootBasis, ServicingLog};

const QUARTER_US: i64 = 15 * 60 * 1_000_000;

impl ClockFinding {
    /// The clock of the log and what it is known by.
    pub fn sentence(&self) -> Message {
        let log = match self.log {
            "cbs" => ServicingLog::Cbs.name(),
            _ => ServicingLog::SetupApi.name(),
        };
        let quarters = (self.offset_us + QUARTER_US / 2).div_euclid(QUARTER_US);
        let zone = offset(i32::try_from(quarters * 15).unwrap_or(0));
        match (self.source, self.error_us) {
            (ClockSource::Writes, Some(error)) => {
                let rest = (self.offset_us - quarters * QUARTER_US) as f64 / 1e6;
                let (error, writes) = (error as f64 / 1e6, self.writes);
                let trace = self.trace.as_deref().unwrap_or_default();
                let of = match self.writes_log {
                    Some("cbs") => ServicingLog::Cbs.name(),
                    _ => ServicingLog::SetupApi.name(),
                };
                say!(
                    en: "{log}: {zone} {rest:+.4} s (±{error:.4} s), by {writes} writes to {of} in {trace} that brought its lines",
                    zh: "{log}：{zone} {rest:+.4} 秒（±{error:.4} 秒），依据 {trace} 中写入 {of} 各行的 {writes} 次写入",
                )
            }
            (ClockSource::LogTz, _) => say!(
                en: "{log}: {zone}, by --log-tz",
                zh: "{log}：{zone}，依据 --log-tz",
            ),
            (ClockSource::Log, _) => say!(
                en: "{log}: {zone}, by the UTC marks in CBS.log; seconds by which the clocks differ are not known",
                zh: "{log}：{zone}，依据 CBS.log 中的 UTC 标记；时钟之间秒级的差异未知",
            ),
            (ClockSource::Trace, _) => say!(
                en: "{log}: {zone}, by the time zone in a trace; seconds by which the clocks differ are not known",
                zh: "{log}：{zone}，依据跟踪中的时区；时钟之间秒级的差异未知",
            ),
            _ => say!(
                en: "{log}: taken for UTC, for nothing says its zone",
                zh: "{log}：按 UTC 处理，因为没有任何依据可以确定其时区",
            ),
        }
    }
}

impl TracedBoot {
    /// The boot that the trace covers, and whether it holds the attempt.
    pub fn sentence(&self) -> Message {
        let input = &self.input;
        let boot = match (self.time, self.basis) {
            (Some(time), Some(BootBasis::FirstEvent)) => say!(
                en: "{input}: begins in a boot, {time}",
                zh: "{input}：从启动过程中开始，{time}",
            ),
            (Some(time), _) => say!(
                en: "{input}: the boot of {time}",
                zh: "{input}：{time} 的启动",
            ),
            (None, _) => say!(
                en: "{input}: which boot it covers is not told",
                zh: "{input}：没有说明是哪次启动",
            ),
        };
        let (en, zh) = (boot.en(), boot.zh());
        let boot = match (&self.log, self.line, self.difference_us) {
            (Some(log), Some(line), Some(apart)) => {
                let apart = apart as f64 / 1e6;
                say!(
                    en: "{en}, which {log} names in line {line} ({apart:+.1} s)",
                    zh: "{zh}，{log} 第 {line} 行也记录了它（{apart:+.1} 秒）",
                )
            }
            _ => boot,
        };
        let (en, zh) = (boot.en(), boot.zh());
        match self.holds_attempt {
            Some(true) => say!(en: "{en}; it holds the attempt", zh: "{zh}；其中有安装尝试"),
            Some(false) => say!(
                en: "{en}; it does not hold the attempt",
                zh: "{zh}；其中没有安装尝试",
            ),
            None => boot,
        }
    }
}

impl Window {
    /// That the line of the failure was seen being written, where it was.
    pub fn written(&self) -> Option<Message> {
        let basis = self
            .failure_basis
            .as_ref()
            .filter(|basis| basis.basis == "write")?;
        let (input, line) = (&basis.input, basis.line);
        Some(say!(
            en: "line {line} of {input} was seen being written: the instant is that of the write, to 100 ns",
            zh: "{input} 第 {line} 行的写入已被跟踪到：该时刻即写入的时刻，精确到 100 纳秒",
        ))
    }
}

impl Findings {
    /// That no trace holds the failed attempt, where a log names one and there are traces: then they blame nobody.
    pub fn attempt_missing(&self) -> Option<Message> {
        let held = |boot: &TracedBoot| boot.holds_attempt == Some(false);
        (!self.boots.is_empty() && self.boots.iter().all(held)).then(|| {
            say!(
                en: "The failed attempt is in none of the traces: they can blame nobody for it",
                zh: "失败的安装尝试不在任何跟踪中：不能据此将失败归咎于任何一方",
            )
        })
    }
}
