//! The window: what the user says, or where servicing processes acted on driver-store paths.

use super::is_servicing_process;
use crate::findings::scope::TraceScope;
use crate::trace::time::parse_rfc3339;
use crate::trace::{Batch, Class, Filetime, Select, Tick, Trace, Want, for_each_unit};
use std::io;
use std::str::FromStr;

/// A window as the user gives it: `START..END`, either end left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserWindow {
    /// Start, inclusive.
    pub start: Option<Filetime>,
    /// End, inclusive.
    pub end: Option<Filetime>,
}

impl FromStr for UserWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (start, end) = text.split_once("..").ok_or_else(|| {
            format!("'{text}' is no window; write START..END, as 2026-05-12T06:41:00Z..2026-05-12T06:45:00Z, or leave an end open")
        })?;
        let side = |text: &str| match text.trim() {
            "" => Ok(None),
            text => parse_rfc3339(text).map(Some),
        };
        let window = Self {
            start: side(start)?,
            end: side(end)?,
        };
        match (window.start, window.end) {
            (Some(start), Some(end)) if end < start => Err(format!(
                "the window ends ({end}) before it starts ({start})"
            )),
            _ => Ok(window),
        }
    }
}

/// Servicing at work in a trace: the first and the last operation of a servicing process on a driver-store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicingSpan {
    /// The first.
    pub first: ServicingEvent,
    /// The last.
    pub last: ServicingEvent,
    /// How many there are.
    pub events: u64,
}

/// One such operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicingEvent {
    /// When.
    pub time: Filetime,
    /// Which process.
    pub process: String,
    /// Its id.
    pub pid: u32,
    /// What it did.
    pub operation: &'static str,
    /// On which path.
    pub path: String,
}

impl ServicingEvent {
    /// One line for people.
    pub fn text(&self) -> String {
        format!(
            "{} ({}) {} {}",
            self.process, self.pid, self.operation, self.path
        )
    }
}

/// Looks for servicing at work in a trace.
///
/// # Errors
/// When the trace can no longer be read.
pub fn servicing_span(
    trace: &dyn Trace,
    scope: TraceScope<'_>,
    tick: Tick<'_>,
) -> io::Result<Option<ServicingSpan>> {
    let info = trace.info();
    let servicing: Vec<bool> = info
        .processes
        .iter()
        .map(|process| is_servicing_process(&process.name))
        .collect();
    if !servicing.contains(&true) {
        return Ok(None);
    }
    let in_scope = |class: Class, path: &str, target: &str| scope.takes(class, path, target);
    let select = Select {
        classes: vec![Class::FileSystem, Class::Registry],
        processes: Some(servicing),
        paths: Some(&in_scope),
        ..Select::default()
    };
    let event = |batch: &Batch, row: usize| {
        let process = &info.processes[batch.process[row] as usize];
        ServicingEvent {
            time: batch.time[row],
            process: process.name.to_string(),
            pid: process.pid,
            operation: batch.operation_full[row],
            path: batch.path.get(row).to_owned(),
        }
    };
    let mut found: Option<ServicingSpan> = None;
    for_each_unit(
        0..trace.units(),
        tick,
        |unit| {
            let mut batch = Batch::default();
            trace.decode(unit, &Want::default(), &select, &mut batch)?;
            let rows = 0..batch.len();
            let first = rows.clone().min_by_key(|row| batch.time[*row]);
            let last = rows.rev().max_by_key(|row| batch.time[*row]);
            Ok(first.zip(last).map(|(first, last)| ServicingSpan {
                first: event(&batch, first),
                last: event(&batch, last),
                events: batch.len() as u64,
            }))
        },
        |part| {
            if let Some(part) = part {
                match &mut found {
                    None => found = Some(part),
                    Some(span) => span.widen(part),
                }
            }
            Ok(())
        },
    )?;
    Ok(found)
}

impl ServicingSpan {
    fn widen(&mut self, other: Self) {
        if other.first.time < self.first.time {
            self.first = other.first;
        }
        if other.last.time >= self.last.time {
            self.last = other.last;
        }
        self.events += other.events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_two_ends_or_fewer() {
        let window: UserWindow = "2026-05-12T06:41:00Z..2026-05-12T08:41:00.5+02:00"
            .parse()
            .unwrap();
        assert_eq!(window.end.unwrap().0 - window.start.unwrap().0, 5_000_000);
        let open: UserWindow = "..".parse().unwrap();
        assert_eq!((open.start, open.end), (None, None));
        let from: UserWindow = "2026-05-12T06:41:00Z..".parse().unwrap();
        assert!(from.start.is_some() && from.end.is_none());
        for bad in [
            "2026-05-12T06:41:00Z",
            "yesterday..",
            "2026-05-12T06:41:00Z..2026-05-12T06:40:00Z",
            "2026-05-12T06:41:00..2026-05-12T06:42:00",
        ] {
            assert!(bad.parse::<UserWindow>().is_err(), "{bad}");
        }
    }
}
