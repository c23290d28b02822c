//! Choosing the window of an analysis.

use super::analyze::{Case, Options, WindowChoice};
use super::logs::{LogClock, LoggedFailure, client_rows};
use super::schema::{Span, Window, WindowEvidence, WindowSource};
use crate::lang::Message;
use crate::say;
use crate::servicing::cbs::{CbsLog, OtherCause, OtherFailure, Phase};
use crate::servicing::{ServicingSpan, UserWindow, servicing_span};
use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND};
use crate::trace::{Filetime, Progress};
use std::io;

/// Time that a window from servicing activity reaches beyond it, on either side.
const MARGIN: u64 = 5 * TICKS_PER_SECOND;
/// The update client tells the result of an update within this time after it: one day.
const TOLD_WITHIN: u64 = TICKS_PER_DAY;
/// Sentences of the update client that are evidence of a window.
const CLIENT_ROWS: usize = 12;

/// The window, by the best source there is, and the failure that the logs name; what the user has to know goes into
/// `warnings`.
///
/// # Errors
/// When a trace can no longer be read.
pub fn choose_window(
    case: &Case<'_>,
    options: &Options,
    clock: &LogClock<'_>,
    progress: &dyn Progress,
    warnings: &mut Vec<Message>,
) -> io::Result<(Window, Option<LoggedFailure>)> {
    let (first, last) = case.ends();
    let logged = logged_failure(case, clock, warnings);
    let mut window = match (options.window, &logged) {
        (WindowChoice::User(user), _) => user_window(user, (first, last), warnings),
        (WindowChoice::Auto, Some(logged)) if first.is_none() || case.meets(logged) => {
            warnings.extend(logged.notes.iter().cloned());
            if first.is_none() {
                warnings.push(elsewhere(logged, (first, last)));
            } else {
                warnings.extend(rollback_only(case, logged));
            }
            Window {
                evidence: logged.evidence.clone(),
                ..Window::new(Some(logged.start), Some(logged.end), WindowSource::Logs)
            }
        }
        (WindowChoice::Auto, logged) => {
            if let Some(logged) = logged {
                warnings.push(elsewhere(logged, (first, last)));
            }
            by_traces(case, options, progress, (first, last), warnings)?
        }
    };
    if let Some(logged) = &logged {
        window.place(logged);
    }
    let to = window.end.map(|end| end.plus(TOLD_WITHIN));
    let rows = client_rows(&case.logs, window.start, to, CLIENT_ROWS);
    window.evidence.extend(rows);
    window.evidence.sort_by_key(|row| row.time);
    Ok((window, logged))
}

/// The failure that counts: of several the last that meets a trace, else the last.
fn logged_failure(
    case: &Case<'_>,
    clock: &LogClock<'_>,
    warnings: &mut Vec<Message>,
) -> Option<LoggedFailure> {
    let mut failures = case.logs.failures(clock);
    let shown = clock.exact.is_some_and(|exact| !exact.is_silent());
    if !case.logs.is_empty() && clock.basis().is_none() && !shown {
        warnings.push(say!(
            en: "Nothing says what time zone the servicing logs were written in: they are taken for UTC. Give it with --log-tz, as +08:00.",
            zh: "无法确定服务日志所用的时区：按 UTC 处理。请用 --log-tz 指定，例如 +08:00。",
        ));
    }
    if failures.is_empty() {
        if !case.logs.is_empty() {
            warnings.push(say!(
                en: "The servicing logs tell of no failed driver operation.",
                zh: "服务日志中没有失败的驱动程序操作。",
            ));
            warnings.extend(case.logs.cbs.as_ref().and_then(other_reason));
        }
        return None;
    }
    let met = failures.iter().rposition(|failure| case.meets(failure));
    let chosen = met.unwrap_or(failures.len() - 1);
    Some(failures.swap_remove(chosen))
}

/// That the traces have nothing of the attempt, where they have a part of its rollback only.
fn rollback_only(case: &Case<'_>, logged: &LoggedFailure) -> Option<Message> {
    let infos = || case.inputs.iter().map(|input| input.trace.info());
    let held = infos().any(|info| {
        let ends = info.first.zip(info.last);
        ends.is_some_and(|(first, last)| logged.attempt_meets(first, last))
    });
    if held {
        return None;
    }
    let before = infos().filter_map(|info| info.first).min() > Some(logged.instant);
    Some(match (before, logged.phase) {
        (true, Some(Phase::Shutdown)) => say!(
            en: "The attempt failed during the shutdown (Shtd:) before the boot that was traced: the traces show its rollback only, and nobody in them can be blamed for it. Trace a boot in which the attempt is made again, or the shutdown itself.",
            zh: "安装尝试在被跟踪的启动之前的关机过程（Shtd:）中失败：跟踪只显示其回滚，不能据此将失败归咎于其中的任何一方。请跟踪再次进行安装尝试的启动，或跟踪关机过程本身。",
        ),
        (true, _) => say!(
            en: "The attempt failed before the traces begin: they show its rollback only, and nobody in them can be blamed for it. Trace a boot in which the attempt is made again.",
            zh: "安装尝试在跟踪开始之前失败：跟踪只显示其回滚，不能据此将失败归咎于其中的任何一方。请跟踪再次进行安装尝试的启动。",
        ),
        (false, _) => say!(
            en: "The traces show nothing of the attempt, only a part of its rollback: nobody in them can be blamed for it.",
            zh: "跟踪中没有安装尝试，只有其回滚的一部分：不能据此将失败归咎于其中的任何一方。",
        ),
    })
}

/// Lines of one pass of servicing lie no further apart: 10 min.
const SAME_PASS: u64 = 600 * TICKS_PER_SECOND;

/// Why the update failed where no driver operation did, or did so before the first log.
fn other_reason(log: &CbsLog) -> Option<Message> {
    let code = |code: Option<u32>| code.map_or_else(String::new, |code| format!(" ({code:#010x})"));
    let deferred = |other: &&OtherFailure| other.cause == OtherCause::PrimitivesDeferred;
    if let Some(other) = log
        .other_failures
        .iter()
        .rev()
        .find(|other| !deferred(other))
    {
        // The line that says why stands before the one that says what follows: that a hang makes installers fail, too.
        let mut before = log.other_failures.iter().rev();
        let told = before.find(|before| {
            let explains = before.cause == other.cause || before.cause == OtherCause::Hang;
            let near = other.mark.time.distance(before.mark.time) <= SAME_PASS;
            explains && near && before.code.is_some()
        });
        let other = told.unwrap_or(other);
        let time = other.mark.time;
        let (name, line) = (log.name(other.mark.at), other.mark.at.line);
        let code = code(other.code);
        let (en, zh) = match other.cause {
            OtherCause::Primitives | OtherCause::PrimitivesDeferred => (
                "the primitive operations (files and registry) failed",
                "基元操作（文件和注册表）失败",
            ),
            OtherCause::AdvancedInstallers => ("an advanced installer failed", "高级安装程序失败"),
            OtherCause::Store => (
                "the component store or a settings hive could not be loaded",
                "无法加载组件存储或设置配置单元",
            ),
            OtherCause::Hang => ("servicing hung", "服务过程挂起"),
            OtherCause::Interrupted => {
                return Some(say!(
                    en: "{name}, line {line} ({time}, local): driver operations began that were never ended: the machine stopped, or the service crashed, while they were under way.",
                    zh: "{name} 第 {line} 行（本地时间 {time}）：驱动程序操作开始后一直没有结束：在此期间计算机关机或断电，或服务崩溃。",
                ));
            }
        };
        return Some(say!(
            en: "{name}, line {line} ({time}, local): {en}{code}. That is another reason than a driver operation.",
            zh: "{name} 第 {line} 行（本地时间 {time}）：{zh}{code}。这是驱动程序操作以外的原因。",
        ));
    }
    let aftermath = log.aftermaths.last()?;
    let (name, line) = (log.name(aftermath.mark.at), aftermath.mark.at.line);
    let code = code(aftermath.code);
    Some(say!(
        en: "{name}, line {line}: a rollback goes on whose failure{code} lies before the first log. Add the CbsPersist log from before it.",
        zh: "{name} 第 {line} 行：正在继续回滚，其失败{code}发生在第一个日志之前。请补充在此之前的 CbsPersist 日志。",
    ))
}

/// Why the window of the logs is not used.
fn elsewhere(logged: &LoggedFailure, ends: (Option<Filetime>, Option<Filetime>)) -> Message {
    let (Some(first), Some(last)) = ends else {
        return say!(
            en: "The logs place the failure, but there is no trace: no driver can be named.",
            zh: "日志给出了失败的时间，但没有跟踪：无法指明任何驱动程序。",
        );
    };
    let (start, end) = (logged.start, logged.end);
    let why = match logged.phase {
        Some(Phase::Shutdown) if logged.end < first => say!(
            en: "The failure was logged during the shutdown (Shtd:) before the boot that was traced: the trace shows what came after, not the attempt, and nobody in it can be blamed for it. Trace a boot in which the attempt is made again, or the shutdown itself.",
            zh: "失败记录于被跟踪的启动之前的关机过程（Shtd:）中：跟踪显示的是此后发生的事情，而不是安装尝试本身，不能据此将失败归咎于其中的任何一方。请跟踪再次进行安装尝试的启动，或跟踪关机过程本身。",
        ),
        _ if logged.end < first => say!(
            en: "The attempt lies before the trace begins: the trace shows what came after.",
            zh: "安装尝试发生在跟踪开始之前：跟踪显示的是此后发生的事情。",
        ),
        _ => say!(
            en: "The attempt lies behind the end of the trace.",
            zh: "安装尝试发生在跟踪结束之后。",
        ),
    };
    let (why, reason) = (why.en(), why.zh());
    say!(
        en: "The window of the logs ({start} to {end}) does not meet the traces ({first} to {last}). {why} If the clocks are to blame, give the time zone of the logs with --log-tz.",
        zh: "日志给出的时间窗口（{start} 至 {end}）与跟踪（{first} 至 {last}）没有交集。{reason}如果是时钟不一致所致，请用 --log-tz 指定日志的时区。",
    )
}

fn user_window(
    user: UserWindow,
    (first, last): (Option<Filetime>, Option<Filetime>),
    warnings: &mut Vec<Message>,
) -> Window {
    let (start, end) = (user.start.or(first), user.end.or(last));
    if start > last || (end.is_some() && end < first) {
        warnings.push(match (first, last) {
            (Some(first), Some(last)) => say!(
                en: "The window does not meet the traces: they run from {first} to {last}.",
                zh: "时间窗口与跟踪没有交集：跟踪的范围是 {first} 至 {last}。",
            ),
            _ => say!(en: "The traces hold no event.", zh: "跟踪中没有任何事件。"),
        });
    }
    Window::new(start, end, WindowSource::User)
}

/// The window by servicing activity, or the whole trace.
fn by_traces(
    case: &Case<'_>,
    options: &Options,
    progress: &dyn Progress,
    (first, last): (Option<Filetime>, Option<Filetime>),
    warnings: &mut Vec<Message>,
) -> io::Result<Window> {
    let mut evidence = Vec::new();
    let mut span: Option<(Filetime, Filetime)> = None;
    for input in &case.inputs {
        let phase = progress.phase("Looking for servicing", input.trace);
        let found = servicing_span(input.trace, input.scope(options), &*phase)?;
        let Some(found) = found else { continue };
        span = Some(match span {
            None => (found.first.time, found.last.time),
            Some((start, end)) => (start.min(found.first.time), end.max(found.last.time)),
        });
        evidence.extend(span_evidence(&input.name, &found));
    }
    if let Some((start, end)) = span {
        evidence.sort_by_key(|row| row.time);
        let (start, end) = (Some(start.minus(MARGIN)), Some(end.plus(MARGIN)));
        return Ok(Window {
            evidence,
            ..Window::new(start, end, WindowSource::Trace)
        });
    }
    if first.is_none() {
        return Ok(Window::new(None, None, WindowSource::Whole));
    }
    warnings.push(say!(
        en: "No log places the failure and no servicing process acted on driver-store paths: the whole trace was looked at. Touches may have nothing to do with the update; narrow it with --window START..END.",
        zh: "没有日志给出失败的时间，也没有服务堆栈进程操作驱动程序存储路径：因此检查了整个跟踪。所见的触及可能与更新无关；请用 --window START..END 缩小范围。",
    ));
    Ok(Window::new(first, last, WindowSource::Whole))
}

impl Window {
    fn new(start: Option<Filetime>, end: Option<Filetime>, source: WindowSource) -> Self {
        Self {
            start,
            end,
            source,
            failure: None,
            attempt: None,
            rollback: None,
            evidence: Vec::new(),
            failure_basis: None,
        }
    }

    /// Notes the instant of the failure, which parts the window in two where it lies inside.
    fn place(&mut self, logged: &LoggedFailure) {
        let failure = logged.instant;
        self.failure = Some(failure);
        self.failure_basis = Some(logged.basis.clone());
        if let (Some(start), Some(end)) = (self.start, self.end)
            && (start..=end).contains(&failure)
        {
            self.attempt = Some(Span {
                start,
                end: failure,
            });
            self.rollback = Some(Span {
                start: failure,
                end,
            });
        }
    }

    /// The part of the window that a time lies in.
    pub fn phase_of(&self, time: Filetime) -> Option<&'static str> {
        let (attempt, rollback) = (self.attempt?, self.rollback?);
        if (attempt.start..=attempt.end).contains(&time) {
            Some("attempt")
        } else if (rollback.start..=rollback.end).contains(&time) {
            Some("rollback")
        } else {
            None
        }
    }
}

fn span_evidence(input: &str, span: &ServicingSpan) -> [WindowEvidence; 2] {
    let row = |time, text| WindowEvidence {
        time,
        input: input.to_owned(),
        text,
    };
    [
        row(
            span.first.time,
            say!(
                en: "first servicing operation: {operation}",
                zh: "服务堆栈的第一个操作：{operation}",
                operation = span.first.text(),
            ),
        ),
        row(
            span.last.time,
            say!(
                en: "last servicing operation: {operation}",
                zh: "服务堆栈的最后一个操作：{operation}",
                operation = span.last.text(),
            ),
        ),
    ]
}
