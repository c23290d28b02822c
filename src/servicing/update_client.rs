//! The log of the Windows Update client (`WindowsUpdate.*.etl`): a further witness of how an update ended.
//!
//! Its events are sentences. Of these, the ones about results and restarts are kept. Their wording is that of a real log
//! of Windows 11 and of quotations from Windows 10; a sentence that is worded otherwise is passed over.

use super::code::{find_code, is_failure};
use super::mark::{behind, kept, until};
use crate::etl::EtlTrace;
use crate::trace::{Batch, Filetime, Select, Tick, Trace, Want, for_each_unit};
use std::io;

/// What the client tells of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A result, as HRESULT; `None` where it only counts successes and failures.
    Result(Option<u32>),
    /// Whether a restart is needed; `None` where it is not yet decided.
    Restart(Option<bool>),
}

/// A sentence of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// When, in UTC.
    pub time: Filetime,
    /// What of the client speaks: `ComApi`, `Agent`, `Reporter`.
    pub component: &'static str,
    /// What it says.
    pub text: String,
    /// What that is about.
    pub told: Told,
    /// Whether it tells of a failure.
    pub failed: bool,
}

/// A log of the client.
#[derive(Debug, Clone, Default)]
pub struct UpdateClientLog {
    /// Its name, as given.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its events.
    pub events: u64,
    /// Time of its first event.
    pub first: Option<Filetime>,
    /// Time of its last event.
    pub last: Option<Filetime>,
    /// Minutes that the clock of its machine is ahead of UTC, by its header.
    pub utc_offset_minutes: Option<i32>,
    /// What was wrong with it.
    pub warnings: Vec<crate::lang::Message>,
    /// Its records, read and lost.
    pub records: crate::trace::Records,
    /// What of it is lost, in a sentence.
    pub loss: Option<crate::lang::Message>,
    /// The sentences that are kept, in order of time.
    pub sentences: Vec<Sentence>,
}

/// Sentences that are kept of a log.
const SENTENCES: usize = 2_000;

impl UpdateClientLog {
    /// Reads a trace that is a log of the client.
    ///
    /// # Errors
    /// When the trace can no longer be read.
    pub fn read(name: String, trace: &EtlTrace, tick: Tick<'_>) -> io::Result<Self> {
        let info = trace.info();
        let want = Want {
            detail: true,
            ..Want::default()
        };
        let mut sentences = Vec::new();
        for_each_unit(
            0..trace.units(),
            tick,
            |unit| {
                let mut batch = Batch::default();
                trace.decode(unit, &want, &Select::default(), &mut batch)?;
                let rows = 0..batch.len();
                Ok(rows
                    .filter_map(|row| sentence(&batch, row))
                    .collect::<Vec<_>>())
            },
            |found: Vec<Sentence>| {
                let room = SENTENCES - sentences.len();
                sentences.extend(found.into_iter().take(room));
                Ok(())
            },
        )?;
        Ok(Self {
            name,
            bytes: info.bytes,
            events: info.records.good,
            first: info.first,
            last: info.last,
            utc_offset_minutes: info.machine.utc_offset_minutes,
            warnings: info.warnings.clone(),
            records: info.records,
            loss: info.loss(),
            sentences,
        })
    }
}

fn sentence(batch: &Batch, row: usize) -> Option<Sentence> {
    let text = batch.detail.get(row);
    let (told, failed) = told(text)?;
    Some(Sentence {
        time: batch.time[row],
        component: batch.operation[row],
        text: kept(text.trim()),
        told,
        failed,
    })
}

/// What a sentence tells of a result or a restart, and whether something failed.
fn told(text: &str) -> Option<(Told, bool)> {
    let text = text.trim();
    if let Some(needed) = text.strip_prefix("Reboot required = ") {
        let needed = until(needed, &[' ', ',', '.']).eq_ignore_ascii_case("true");
        return Some((Told::Restart(Some(needed)), false));
    }
    if let Some(counts) = text.strip_prefix("Install call complete (") {
        // succeeded = 1, succeeded with errors = 0, failed = 0, cancelled = 0, unaccounted = 0
        let count = |name: &str| {
            let number = counts.split(',').find_map(|part| {
                let (key, value) = part.split_once('=')?;
                (key.trim() == name)
                    .then(|| value.trim().trim_end_matches(')').parse::<u64>().ok())?
            });
            number.unwrap_or(0)
        };
        let failed = count("failed") > 0 || count("succeeded with errors") > 0;
        return Some((Told::Result(None), failed));
    }
    let result = text.contains("final update deployment job")
        || text.contains("All federated installs have completed")
        || text.starts_with("PostReboot: ") && text.contains("hr = ");
    if result {
        let code = find_code(text)?.hresult;
        return Some((Told::Result(Some(code)), is_failure(code)));
    }
    let status = behind(text, "reboot status = ")?;
    let needed = match until(status, &[' ', ',', '.']) {
        "unspecified" => None,
        status => Some(!status.eq_ignore_ascii_case("never")),
    };
    Some((Told::Restart(needed), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_restarts() {
        for (text, expected) in [
            (
                "Reboot required = False",
                Some((Told::Restart(Some(false)), false)),
            ),
            (
                "Reboot required = True",
                Some((Told::Restart(Some(true)), false)),
            ),
            (
                "Install call complete (succeeded = 1, succeeded with errors = 0, failed = 0, cancelled = 0, unaccounted = 0",
                Some((Told::Result(None), false)),
            ),
            (
                "Install call complete (succeeded = 0, succeeded with errors = 0, failed = 1, cancelled = 0, unaccounted = 0)",
                Some((Told::Result(None), true)),
            ),
            (
                "WU client deploy call id 38DB9848 final update deployment job 8785BF2C result = 0x00000000.",
                Some((Told::Result(Some(0)), false)),
            ),
            (
                "WU client deploy call id 38DB9848 final update deployment job 8785BF2C result = 0x800703F1.",
                Some((Told::Result(Some(0x8007_03F1)), true)),
            ),
            (
                "* END *   All federated installs have completed. ClientId = Update;ScanForUpdates (cV = a.1), hr = 0x00000000",
                Some((Told::Result(Some(0)), false)),
            ),
            (
                "PostReboot: Added updateID BFA4977C-5863-44FC-AC7D-06E149EA6980.1, hr = 0x00242015",
                Some((Told::Result(Some(0x0024_2015)), false)),
            ),
            (
                "Deploy call 38DB : NotifyClient (33728)(0) called with Deployment callback code = Call complete, reboot status = unspecified",
                Some((Told::Restart(None), false)),
            ),
            (
                "Reschedule the tasks in callback work item if they are waiting to execute.",
                None,
            ),
            ("*FAILED* [80070002] file = fileutil.cpp, line = 1099", None),
            ("", None),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
