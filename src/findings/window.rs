//! Choosing the window of an analysis.

use super::analyze::{Case, Options, WindowChoice};
use super::schema::{Window, WindowEvidence, WindowSource};
use crate::servicing::{ServicingSpan, servicing_span};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Filetime, Progress};
use std::io;

/// Time that a window from servicing activity reaches beyond it, on either side.
const MARGIN: u64 = 5 * TICKS_PER_SECOND;

/// The window, by the best source there is; what the user has to know goes into `warnings`.
///
/// # Errors
/// When a trace can no longer be read.
pub fn choose_window(
    case: &Case<'_>,
    options: &Options,
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> io::Result<Window> {
    let first = case
        .inputs
        .iter()
        .filter_map(|i| i.trace.info().first)
        .min();
    let last = case.inputs.iter().filter_map(|i| i.trace.info().last).max();
    let window = |start, end, source, evidence| Window {
        start,
        end,
        source,
        failure: None,
        attempt: None,
        rollback: None,
        evidence,
    };
    if let WindowChoice::User(user) = options.window {
        let (start, end) = (user.start.or(first), user.end.or(last));
        if start > last || (end.is_some() && end < first) {
            warnings.push(match (first, last) {
                (Some(first), Some(last)) => {
                    format!("The window does not meet the traces: they run from {first} to {last}.")
                }
                _ => "The traces hold no event.".to_owned(),
            });
        }
        return Ok(window(start, end, WindowSource::User, Vec::new()));
    }
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
        return Ok(window(start, end, WindowSource::Trace, evidence));
    }
    warnings.push(
        "No log places the failure and no servicing process acted on driver-store paths: the whole trace was looked at. Touches may have nothing to do with the update; narrow it with --window START..END."
            .to_owned(),
    );
    Ok(window(first, last, WindowSource::Whole, Vec::new()))
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
            format!("first servicing operation: {}", span.first.text()),
        ),
        row(
            span.last.time,
            format!(
                "last of {} servicing operations: {}",
                span.events,
                span.last.text()
            ),
        ),
    ]
}
