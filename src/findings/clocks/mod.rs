//! The clocks of a case: how the wall clock of the servicing logs stands to the clock of the traces.
//!
//! Zone and UTC marks bring the stamps of a log to UTC. Where a trace shows the writes that brought the lines, it shows
//! the rest: seconds by which clocks differ, a wrong zone, and the instant of a line to 100 ns. The start of the kernel,
//! which logs and traces both tell, says whether they speak of the same boot.

pub mod boots;
mod estimate;
mod mapping;
mod report;
mod tell;

pub use boots::TracedBoot;
pub use report::{ClockFinding, ClockSource, FailureInstant};

use super::analyze::{Case, CaseInput, Options};
use super::logs::{LogClock, LoggedFailure};
use crate::input::view::Source;
use crate::servicing::{LineRef, LocalTime, Mark, is_servicing_process};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{
    Batch, Class, Filetime, Foreseen, LogWrite, Memo, Progress, Select, ServicingLog, Want,
    for_each_unit,
};
use estimate::Fit;
use mapping::{Candidate, Mapped, Mapping, Stamp};
use std::borrow::Cow;
use std::io;

/// What the writes in the traces of a case say of its logs.
#[derive(Debug, Default)]
pub struct Clocks {
    /// For each trace and log that fit each other, which trace, and how.
    mappings: Vec<(usize, Mapping)>,
    /// What the user says of the zone is another one than the writes show.
    contradicted: bool,
}

/// Farther from the time by zone no write is taken for the clock's fault: zones reach from UTC-12 to UTC+14.
const FARTHEST: i64 = 27 * 3_600 * TICKS_PER_SECOND as i64;
/// A difference up to half of a quarter of an hour is no other zone.
const SKEW: i64 = 450 * TICKS_PER_SECOND as i64;
/// Traces whose opening does not look for writes are looked through this long before and after the failure: 2 min, 1 min.
const BEFORE: u64 = 120 * TICKS_PER_SECOND;
const AFTER: u64 = 60 * TICKS_PER_SECOND;
/// A line whose write comes this long after its stamp was held back, in ticks: 60 s.
const HELD_BACK: u64 = 60 * TICKS_PER_SECOND;
/// Stamps of one moment.
const MOMENT: u64 = 20_000;

impl Clocks {
    /// Looks for the writes of the logs of a case.
    ///
    /// # Errors
    /// When a trace or a log can no longer be read.
    pub fn find(case: &Case<'_>, options: &Options, progress: &dyn Progress) -> io::Result<Self> {
        let mut out = Self::default();
        if case.logs.is_empty() || case.inputs.is_empty() {
            return Ok(out);
        }
        let clock = case.log_clock(options, None);
        let failures = case.logs.failures(&clock);
        let met = failures.iter().rposition(|failure| case.meets(failure));
        let failure = met.and_then(|at| failures.get(at)).or(failures.last());
        for (number, input) in case.inputs.iter().enumerate() {
            let writes = writes_of(case, input, &clock, failure, progress)?;
            for log in [ServicingLog::Cbs, ServicingLog::SetupApi] {
                let of_log: Vec<LogWrite> = writes
                    .iter()
                    .filter(|write| write.log == log)
                    .copied()
                    .collect();
                let candidates = candidates(case, log);
                let utc = |time: LocalTime| clock.setup_by_zone(time);
                if let Some(found) = mapping::map(log, &of_log, &candidates, &utc)?
                    && found.fit.shift.abs() <= FARTHEST
                {
                    out.mappings.push((number, found));
                }
            }
        }
        // The one that rests on most writes first.
        out.mappings
            .sort_by_key(|(number, found)| (std::cmp::Reverse(found.fit.used), *number));
        let first = out.mappings.first();
        out.contradicted = options.log_zone.is_some()
            && first.is_some_and(|(_, found)| found.fit.shift.abs() > SKEW);
        Ok(out)
    }

    /// Whether no write is believed.
    pub fn is_silent(&self) -> bool {
        self.contradicted || self.mappings.is_empty()
    }

    /// How far times of a log are to be moved, and by the writes of which log and trace that is known.
    fn fit(&self, log: ServicingLog) -> Option<(usize, ServicingLog, Fit)> {
        if self.contradicted {
            return None;
        }
        let own = self.mappings.iter().find(|(_, found)| found.log == log);
        // Both logs have the clock of one machine.
        let (_, first) = own.or(self.mappings.first())?;
        // What agrees with it and is known better says the same better.
        let same = self.mappings.iter();
        let same = same.filter(|(_, found)| mapping::agree(found.fit, first.fit));
        let (input, found) = same.min_by_key(|(_, found)| found.fit.error)?;
        Some((*input, found.log, found.fit))
    }

    /// Ticks that are to be added to a time of `log` by its zone.
    pub fn shift(&self, log: ServicingLog) -> i64 {
        self.fit(log).map_or(0, |(_, _, fit)| fit.shift)
    }

    /// The write that brought a line, where it was seen and was not held back; `utc` is the time by the stamp.
    pub fn written(&self, log: ServicingLog, mark: &Mark, utc: Filetime) -> Option<Filetime> {
        let (input, _, fit) = self.fit(log)?;
        let own = |(number, found): &&(usize, Mapping)| {
            found.log == log && (*number == input || mapping::agree(found.fit, fit))
        };
        let mappings = self.mappings.iter().filter(own);
        let mut writes = mappings.filter_map(|(_, found)| covering(&found.writes, mark.at));
        let write = writes.next()?;
        let early = utc.0.saturating_sub(fit.error.unsigned_abs() + MOMENT);
        let grain = match log {
            ServicingLog::Cbs => TICKS_PER_SECOND,
            ServicingLog::SetupApi => 0,
        };
        let late = utc.0.saturating_add(HELD_BACK);
        // A stamp behind it shows that the line waited for others.
        let waited =
            matches!(write.stamp, Some(Stamp::Full(last)) if last.minus(MOMENT) > mark.time);
        let within = match (log, write.stamp) {
            (ServicingLog::Cbs, _) | (_, Some(_)) => {
                let end = utc
                    .0
                    .saturating_add(grain + fit.error.unsigned_abs() + TICKS_PER_SECOND);
                write.time.0 <= end
            }
            // Lines without a stamp are written when they are made.
            (ServicingLog::SetupApi, None) => write.time.0 <= late,
        };
        (!waited && write.time.0 >= early && within).then_some(write.time)
    }
}

/// The write whose lines `at` is one of.
fn covering(writes: &[Mapped], at: LineRef) -> Option<&Mapped> {
    let place = (at.file, at.offset);
    let behind = writes.partition_point(|write| (write.file, write.offset) <= place);
    let write = writes.get(behind.checked_sub(1)?)?;
    let end = write.offset + u64::from(write.length);
    (write.file == at.file && at.offset < end).then_some(write)
}

/// The logs of one kind, with their bytes.
fn candidates<'a>(case: &'a Case<'_>, log: ServicingLog) -> Vec<Candidate<'a>> {
    let names: Vec<&str> = match log {
        ServicingLog::Cbs => {
            let files = case.logs.cbs.iter().flat_map(|log| &log.files);
            files.map(|file| file.name.as_str()).collect()
        }
        ServicingLog::SetupApi => {
            let files = case.logs.setup.iter().flat_map(|log| &log.files);
            files.map(|file| file.name.as_str()).collect()
        }
    };
    let source = |name: &str| -> Option<&'a Source> {
        let found = case.logs.sources.iter().find(|(known, _)| known == name);
        found.map(|(_, source)| source)
    };
    let numbered = names.iter().zip(0..);
    numbered
        .filter_map(|(name, file)| {
            let source = source(name)?;
            Some(Candidate { file, source })
        })
        .collect()
}

/// The writes to servicing logs in a trace: what opening it found, else those around the failure.
fn writes_of<'a>(
    case: &Case<'_>,
    input: &CaseInput<'a>,
    clock: &LogClock<'_>,
    failure: Option<&LoggedFailure>,
    progress: &dyn Progress,
) -> io::Result<Cow<'a, [LogWrite]>> {
    let info = input.trace.info();
    if let Some(writes) = &info.log_writes {
        return Ok(Cow::Borrowed(writes));
    }
    let none = Ok(Cow::Borrowed(&[][..]));
    let Some(failure) = failure else { return none };
    let ends = info.first.zip(info.last);
    let meets = ends.is_some_and(|(first, last)| failure.meets(first, last));
    let range = match meets {
        true => Some((failure.instant.minus(BEFORE), failure.instant.plus(AFTER))),
        // Another boot, or clocks that differ: where the boots are the same, the whole trace is worth a look.
        false if boots::zone_minutes(case).is_some() || clock.basis().is_none() => None,
        false => return none,
    };
    let processes: Vec<bool> = info
        .processes
        .iter()
        .map(|process| is_servicing_process(&process.name))
        .collect();
    if !processes.contains(&true) {
        return none;
    }
    let is_log = |_: Class, path: &str, _: &str| ServicingLog::of_path(path).is_some();
    let memo = Memo::default();
    let select = Select {
        memo: Some(&memo),
        from: range.map(|(from, _)| from),
        to: range.map(|(_, to)| to),
        classes: vec![Class::FileSystem],
        processes: Some(processes),
        paths: Some(&is_log),
        foreseen: Foreseen::FilesAndKeys,
        ..Select::default()
    };
    let want = Want {
        path: true,
        file_uses: true,
        ..Want::default()
    };
    let phase = progress.phase("Looking for writes to the logs", input.trace);
    let mut out = Vec::new();
    for_each_unit(
        0..input.trace.units(),
        &*phase,
        |unit| {
            let mut batch = Batch::default();
            input.trace.decode(unit, &want, &select, &mut batch)?;
            Ok((0..batch.len())
                .filter_map(|row| write_of(&batch, row))
                .collect::<Vec<_>>())
        },
        |found: Vec<LogWrite>| {
            let room = crate::trace::log_writes::MOST_WRITES - out.len();
            out.extend(found.into_iter().take(room));
            Ok(())
        },
    )?;
    out.sort_by_key(|write| write.time);
    Ok(Cow::Owned(out))
}

fn write_of(batch: &Batch, row: usize) -> Option<LogWrite> {
    let moved = batch.file_use(row)?.transfer?;
    let succeeded = batch.status[row].is_none_or(|status| status == 0);
    if batch.operation[row] != "WriteFile" || !succeeded {
        return None;
    }
    Some(LogWrite {
        time: batch.time[row],
        event: batch.event[row],
        log: ServicingLog::of_path(batch.path.get(row))?,
        offset: LogWrite::place(moved.offset),
        length: moved.length,
        process: batch.process[row],
    })
}
