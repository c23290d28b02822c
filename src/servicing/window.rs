//! The window: what the user says, or where servicing processes acted on driver-store paths.

use super::is_servicing_process;
use crate::findings::scope::TraceScope;
use crate::trace::time::parse_rfc3339;
use crate::trace::{
    Batch, Class, Filetime, Foreseen, Memo, Select, Tick, Trace, Want, for_each_unit,
};
use std::io;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

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
    let memo = Memo::default();
    let select = Select {
        memo: Some(&memo),
        classes: vec![Class::FileSystem, Class::Registry],
        processes: Some(servicing),
        paths: Some(&in_scope),
        foreseen: Foreseen::FilesAndKeys,
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
    let rows_of = |unit: usize| -> io::Result<Batch> {
        let mut batch = Batch::default();
        trace.decode(unit, &Want::default(), &select, &mut batch)?;
        Ok(batch)
    };
    let units = trace.units();
    let stop = trace.in_order();
    let first = search(
        units,
        stop,
        tick,
        |unit| {
            let batch = rows_of(unit)?;
            let row = (0..batch.len()).min_by_key(|row| batch.time[*row]);
            Ok(row.map(|row| event(&batch, row)))
        },
        |new, known| new.time < known.time,
    )?;
    let Some(first) = first else {
        return Ok(None);
    };
    let last = search(
        units,
        stop,
        &|_| (),
        |place| {
            let batch = rows_of(units - 1 - place)?;
            let row = (0..batch.len()).rev().max_by_key(|row| batch.time[*row]);
            Ok(row.map(|row| event(&batch, row)))
        },
        |new, known| new.time > known.time,
    )?;
    Ok(last.map(|last| ServicingSpan { first, last }))
}

/// The first that `work` finds, where it may `stop` there, else the best of all that it finds.
fn search(
    units: usize,
    stop: bool,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<Option<ServicingEvent>> + Sync,
    better: impl Fn(&ServicingEvent, &ServicingEvent) -> bool + Sync,
) -> io::Result<Option<ServicingEvent>> {
    let mut out: Option<ServicingEvent> = None;
    let done = AtomicBool::new(false);
    for_each_unit(
        0..units,
        tick,
        |unit| match done.load(Ordering::Relaxed) {
            true => Ok(None),
            false => work(unit),
        },
        |found| {
            if let Some(new) = found
                && out
                    .as_ref()
                    .is_none_or(|known| !stop && better(&new, known))
            {
                out = Some(new);
                done.store(stop, Ordering::Relaxed);
            }
            Ok(())
        },
    )?;
    Ok(out)
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
