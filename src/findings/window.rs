//! Choosing the window of an analysis.

use super::analyze::{Case, Options, WindowChoice};
use super::logs::LoggedFailure;
use super::schema::{Failure, Span, Window, WindowEvidence, WindowSource};
use crate::lang::Message;
use crate::say;
use crate::servicing::cbs::Phase;
use crate::servicing::{ServicingSpan, UserWindow, servicing_span};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Filetime, Progress};
use std::io;

/// Time that a window from servicing activity reaches beyond it, on either side.
const MARGIN: u64 = 5 * TICKS_PER_SECOND;

/// The window, by the best source there is, and the failure that the logs name; what the user has to know goes into
/// `warnings`.
///
/// # Errors
/// When a trace can no longer be read.
pub fn choose_window(
    case: &Case<'_>,
    options: &Options,
    progress: &dyn Progress,
    warnings: &mut Vec<Message>,
) -> io::Result<(Window, Option<Failure>)> {
    let (first, last) = case.ends();
    let logged = logged_failure(case, options, warnings);
    let mut window = match (options.window, &logged) {
        (WindowChoice::User(user), _) => user_window(user, (first, last), warnings),
        (WindowChoice::Auto, Some(logged)) if first.is_none() || case.meets(logged) => {
            warnings.extend(logged.notes.iter().cloned());
            if first.is_none() {
                warnings.push(elsewhere(logged, (first, last)));
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
    Ok((window, logged.map(|logged| logged.failure)))
}

/// The failure that counts: of several the last that meets a trace, else the last.
fn logged_failure(
    case: &Case<'_>,
    options: &Options,
    warnings: &mut Vec<Message>,
) -> Option<LoggedFailure> {
    let clock = case.log_clock(options);
    let mut failures = case.logs.failures(&clock);
    if !case.logs.is_empty() && clock.basis().is_none() {
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
        }
        return None;
    }
    let met = failures.iter().rposition(|failure| case.meets(failure));
    let chosen = met.unwrap_or(failures.len() - 1);
    Some(failures.swap_remove(chosen))
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
            zh: "失败记录于被跟踪的启动之前的关机过程（Shtd:）中：跟踪显示的是此后发生的事情，而不是安装尝试本身，不能据此归咎于其中的任何一方。请跟踪再次进行安装尝试的启动，或跟踪关机过程本身。",
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
        }
    }

    /// Notes the instant of the failure, which parts the window in two where it lies inside.
    fn place(&mut self, logged: &LoggedFailure) {
        let failure = logged.instant;
        self.failure = Some(failure);
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
