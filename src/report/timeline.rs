//! The timeline of a case, as text.

use super::style::{BOLD, DIM, RED, clock, date_time, duration, paint, safe, zone_name};
use crate::findings::timeline::{MarkerKind, Timeline};
use crate::trace::{Filetime, Zone};
use std::fmt::Write as _;

/// The timeline for people.
pub fn text(timeline: &Timeline, zone: &Zone) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, timeline, zone);
    out
}

fn write_text(out: &mut String, timeline: &Timeline, zone: &Zone) -> std::fmt::Result {
    let window = &timeline.window;
    if let Some(failure) = &timeline.failure {
        let code = failure.code.as_deref().unwrap_or("no code");
        let inf = failure
            .inf
            .as_deref()
            .map_or_else(String::new, |inf| format!("{}, ", safe(inf)));
        let name = failure.name.as_deref().unwrap_or_default();
        writeln!(
            out,
            "{}  {inf}{code} {name} ({} line {})",
            paint(BOLD, "Failure "),
            failure.source,
            failure.line
        )?;
    }
    let mut span = |label: &str, start: Option<Filetime>, end: Option<Filetime>| match (start, end)
    {
        (Some(start), Some(end)) => writeln!(
            out,
            "{}  {} to {} {} ({})",
            paint(BOLD, label),
            date_time(start, zone),
            clock(end, zone),
            zone_name(zone, start),
            duration(end.0.saturating_sub(start.0) as f64 / 10.0)
        ),
        _ => Ok(()),
    };
    span("Window  ", window.start, window.end)?;
    let part = |part: Option<crate::findings::schema::Span>| {
        (part.map(|part| part.start), part.map(|part| part.end))
    };
    let (start, end) = part(window.attempt);
    span("Attempt ", start, end)?;
    let (start, end) = part(window.rollback);
    span("Rollback", start, end)?;
    writeln!(out)?;
    let mut day = None;
    for row in &timeline.rows {
        let stamp = date_time(row.time, zone);
        let today = stamp.split(' ').next().unwrap_or_default().to_owned();
        if day.as_ref() != Some(&today) {
            writeln!(out, "{}", paint(BOLD, &today))?;
            day = Some(today);
        }
        let file = row.input.rsplit(['/', '\\']).next().unwrap_or(&row.input);
        let text = match row.kind {
            MarkerKind::Failure => paint(RED, safe(row.text.en())),
            _ => safe(row.text.en()),
        };
        writeln!(
            out,
            "  {}  {}  {text}",
            clock(row.time, zone),
            paint(DIM, format!("{:<18}", safe(file)))
        )?;
    }
    for warning in &timeline.warnings {
        writeln!(
            out,
            "\n{} {}",
            paint(super::style::YELLOW, "Warning:"),
            safe(warning.en())
        )?;
    }
    Ok(())
}
