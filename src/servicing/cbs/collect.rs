//! What has been found so far, and what each record adds to it.

mod queue;

use super::attempt::{Attempt, LoggedNtFailure};
use super::damage::{Damages, damage};
use super::event::{Event, OtherCause, Phase, Reboot, StartMark};
use super::machine::Machine;
use super::offsets::OffsetBasis;
use super::record::Record;
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{LineRef, Mark, kept};
use queue::{Open, Run};
use std::collections::VecDeque;

/// A failure of an update that is no driver operation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherFailure {
    /// What failed.
    pub cause: OtherCause,
    /// HRESULT.
    pub code: Option<u32>,
    /// The line.
    pub mark: Mark,
}

/// A rollback whose failure lies before the first log: all that is left is its aftermath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aftermath {
    /// The first line that tells of it.
    pub mark: Mark,
    /// The failure that was kept over the restart, as HRESULT.
    pub code: Option<u32>,
    /// Whether the log says that drivers failed.
    pub drivers: bool,
    /// The package, where its report follows.
    pub package: Option<String>,
}

/// Other failures and aftermaths kept: the last ones.
const REMARKS: usize = 200;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub machine: Machine,
    pub attempts: VecDeque<Attempt>,
    pub attempts_dropped: u64,
    pub others: VecDeque<OtherFailure>,
    pub aftermaths: VecDeque<Aftermath>,
    pub damages: Damages,
    phase: Option<Phase>,
    /// The last line that says that a queue will be processed, for runs without a start of their own.
    announced: Option<(Mark, StartMark)>,
    run: Option<Run>,
    open: Option<Open>,
    /// Starts of the machine since the last failure.
    boots_since: u32,
    /// Where the last queue began that went well.
    done: Option<(Mark, StartMark)>,
    /// The service says that it starts, and will say so once more.
    starting: bool,
    /// Where driver operations began that were under way when the service started anew.
    cut: Option<Mark>,
    /// A rollback from before the first log goes on.
    resumed: bool,
    recent: VecDeque<LoggedNtFailure>,
}

impl Collector {
    /// Takes in a record.
    pub fn take(&mut self, at: LineRef, record: &Record<'_>, event: &Event<'_>) {
        if let Some(utc) = record.csi.and_then(|csi| csi.utc) {
            self.machine
                .offset(at, record.time, utc, OffsetBasis::CsiStamp);
        }
        let mark = || Mark {
            time: record.time,
            at,
            text: kept(record.text),
        };
        if record.text.starts_with("Startup: ") {
            self.phase = Some(Phase::Startup);
        } else if record.text.starts_with("Shtd: ") {
            self.phase = Some(Phase::Shutdown);
        }
        match *event {
            Event::Message | Event::At(_) | Event::FailureCleared => {}
            Event::ShutdownDone => self.announced = None,
            Event::Reboot(reboot) => {
                if let Some(open) = self.open.as_mut().filter(|_| reboot == Reboot::Required) {
                    open.restarted = true;
                }
            }
            Event::ServiceStart => {
                // Newer versions say it twice, the older line behind the other.
                let first = record.text.starts_with("TI: ");
                if first || !self.starting {
                    self.machine.offsets.service_starts(at);
                }
                self.starting = first;
                self.service_start();
            }
            Event::Interrupted => {
                if let Some(mark) = self.cut.take() {
                    let cause = OtherCause::Interrupted;
                    let code = None;
                    let other = OtherFailure { cause, code, mark };
                    push_last(&mut self.others, other, REMARKS);
                }
            }
            Event::LastBoot(boot) => {
                self.boots_since += u32::from(self.machine.last_boot(at, boot));
            }
            Event::UniversalTime(utc) => {
                self.cut = None;
                self.machine
                    .offset(at, record.time, utc, OffsetBasis::UniversalTime);
            }
            Event::Stack(version) => self.machine.stack = Some(kept(version)),
            Event::NoStartup => {
                self.phase = Some(Phase::Online);
                self.settle_run();
                self.close();
                self.resumed = false;
            }
            Event::QueueStart {
                by,
                forward,
                critical,
                count,
                update,
            } => match by {
                StartMark::Processing | StartMark::Initializing => self.announce(mark(), by),
                _ if forward == Some(false) => self.roll_back(mark, false),
                _ if self.is_rolling_back() && forward.is_none() => {}
                _ => self.start(Run {
                    start: Some((mark(), by)),
                    forward_line: by == StartMark::Forward,
                    critical,
                    count,
                    update: update.map(kept),
                    ..Run::default()
                }),
            },
            Event::QueueEnd => {
                if let Some(run) = &mut self.run {
                    run.ended = true;
                }
            }
            Event::QueueDone => {
                self.went_well(mark);
                let announced = self.announced.take();
                let run = self.run.take().and_then(|run| run.start);
                self.done = run.or(announced);
            }
            Event::PackageResult {
                pass, code, inf, ..
            } => self.package_failed(mark, code, inf, Some(pass)),
            Event::InfResult { code, inf } => self.package_failed(mark, code, inf, None),
            Event::QueueFailed {
                by,
                phase,
                critical,
                code,
            } => self.queue_failed(mark(), by, phase, critical, code),
            Event::State { state, set } => self.state(mark, state, set),
            Event::Rollback { temporary } => {
                self.fail_open_run(mark);
                self.roll_back(mark, !temporary);
                if let Some(open) = self.open.as_mut().filter(|open| !open.settled) {
                    open.attempt.temporary_rollback |= temporary;
                }
            }
            Event::OriginalFailure { retrieved, code } => {
                self.original_failure(mark, retrieved, code);
            }
            Event::Package(outcome) => self.package(mark, &outcome),
            Event::End { by, code } => self.end(mark, by, code),
            Event::Other { cause, code } => {
                let mark = mark();
                push_last(
                    &mut self.others,
                    OtherFailure { cause, code, mark },
                    REMARKS,
                );
            }
            Event::NtFailure(failure) => self.nt_failure(mark(), &failure),
            Event::Damage { inf, repaired } => self.damages.add(inf, repaired, mark),
        }
    }

    /// Takes in a line that goes on with a record of that time.
    pub fn take_more(&mut self, at: LineRef, time: LocalTime, text: &str) {
        if let Some((inf, repaired)) = damage(text) {
            let mark = || Mark {
                time,
                at,
                text: kept(text.trim_ascii()),
            };
            self.damages.add(inf, repaired, mark);
        }
    }

    /// The logs are over.
    pub fn finish(&mut self) {
        self.settle_run();
        self.close();
    }
}

/// Adds what is newest, and takes out what is oldest where there is no room.
pub(super) fn push_last<T>(items: &mut VecDeque<T>, item: T, most: usize) {
    if items.len() >= most {
        items.pop_front();
    }
    items.push_back(item);
}
