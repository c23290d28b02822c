//! From records to attempts: follows the driver operation queue through its failure and rollback.
//!
//! A queue *runs* from a start mark on. What fails in it makes it an attempt, which stays open while its rollback
//! goes on, over restarts and from one log into the next, until an end mark, or until another queue starts.

use super::attempt::{ASSUMED, Attempt, LoggedNtFailure};
use super::damage::{Damage, damaged_inf};
use super::event::{
    EndMark, Event, ExecuteState, FailureMark, NtFailure, OtherCause, PackageOutcome, Phase,
    Reboot, StartMark,
};
use super::offsets::{OffsetBasis, OffsetEvidence, Offsets};
use super::record::Record;
use crate::servicing::code::{asks_for_restart, is_failure};
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{LineRef, Mark, kept};
use crate::trace::time::TICKS_PER_SECOND;
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

/// Attempts kept: the last ones. A machine that fails daily has some dozens in its logs.
const ATTEMPTS: usize = 500;
/// Other failures and aftermaths kept: the last ones.
const REMARKS: usize = 200;
/// Lines of evidence kept with an attempt.
const EVIDENCE: usize = 24;
/// Failed NT operations kept with an attempt, and kept back for one that may begin.
const NT_FAILURES: usize = 16;
const RECENT: usize = 16;
/// The time of the last boot is reckoned from what has passed since by another clock: it was 2 s off after 4 h on
/// Windows 10. Times that lie no further apart in lines that follow one another are of one boot; the first is nearest.
const SAME_BOOT: u64 = 15 * TICKS_PER_SECOND;
/// A line about a failure belongs to the attempt before it when no more time has passed since its last line.
const TOGETHER: u64 = 600 * TICKS_PER_SECOND;

/// A run of the queue.
#[derive(Debug, Default)]
struct Run {
    start: Option<(Mark, StartMark)>,
    forward_line: bool,
    critical: Option<bool>,
    count: Option<u32>,
    update: Option<String>,
    bad: Option<Bad>,
    ended: bool,
    /// It is an attempt already.
    failed: bool,
}

/// The first package of a run that failed.
#[derive(Debug)]
struct Bad {
    mark: Mark,
    code: u32,
    inf: Option<String>,
    pass: Option<u32>,
}

/// An attempt whose end is not met yet.
#[derive(Debug)]
struct Open {
    attempt: Attempt,
    /// The best end so far.
    end: Option<(Mark, EndMark)>,
    /// A restart is to go on with it.
    restarted: bool,
    /// The pass that ended it is over: lines of later passes count only where they take the rollback up again.
    settled: bool,
}

impl Open {
    /// The rollback goes on after a restart: the ends before it were none.
    fn take_up(&mut self) {
        self.attempt.continued = true;
        self.end = None;
        self.restarted = false;
        self.settled = false;
    }
}

/// What a log tells of the machine.
#[derive(Debug)]
pub(super) struct KnownClock {
    offsets: Offsets,
    boots: VecDeque<(LineRef, LocalTime)>,
    boot: Option<LocalTime>,
    last_boot: Option<LocalTime>,
    stack: Option<String>,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub offsets: Offsets,
    pub attempts: VecDeque<Attempt>,
    pub attempts_dropped: u64,
    pub others: VecDeque<OtherFailure>,
    pub aftermaths: VecDeque<Aftermath>,
    pub boots: VecDeque<(LineRef, LocalTime)>,
    pub damages: VecDeque<Damage>,
    pub stack: Option<String>,
    phase: Option<Phase>,
    boot: Option<LocalTime>,
    /// The same as the last line has it.
    last_boot: Option<LocalTime>,
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
            self.offset(at, record.time, utc, OffsetBasis::CsiStamp);
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
                    self.offsets.service_starts(at);
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
                let same = self
                    .last_boot
                    .is_some_and(|last| last.distance(boot) <= SAME_BOOT);
                if !same {
                    push_last(&mut self.boots, (at, boot), REMARKS);
                    self.boot = Some(boot);
                    self.boots_since += 1;
                }
                self.last_boot = Some(boot);
            }
            Event::UniversalTime(utc) => {
                self.cut = None;
                self.offset(at, record.time, utc, OffsetBasis::UniversalTime);
            }
            Event::Stack(version) => self.stack = Some(kept(version)),
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
            Event::Damaged(inf) => self.damaged(mark(), inf),
        }
    }

    /// Takes in a line that goes on with a record of that time.
    pub fn take_more(&mut self, at: LineRef, time: LocalTime, text: &str) {
        if let Some(inf) = damaged_inf(text) {
            let text = kept(text.trim_ascii());
            self.damaged(Mark { time, at, text }, inf);
        }
    }

    fn damaged(&mut self, mark: Mark, inf: &str) {
        let known = self.damages.iter();
        let known = known.filter(|known| known.inf.eq_ignore_ascii_case(inf));
        // The first line is the one before a failure.
        if known.count() == 0 {
            let inf = kept(inf);
            push_last(&mut self.damages, Damage { inf, mark }, REMARKS);
        }
    }

    /// What is known of the clock and the boots of the machine.
    pub fn clock(&self) -> KnownClock {
        KnownClock {
            offsets: self.offsets.clone(),
            boots: self.boots.clone(),
            boot: self.boot,
            last_boot: self.last_boot,
            stack: self.stack.clone(),
        }
    }

    /// Goes back to what was known.
    pub fn set_clock(&mut self, known: KnownClock) {
        self.offsets = known.offsets;
        self.boots = known.boots;
        self.boot = known.boot;
        self.last_boot = known.last_boot;
        self.stack = known.stack;
    }

    /// Takes in the time in UTC that a line shows.
    pub fn offset(
        &mut self,
        at: LineRef,
        local: LocalTime,
        utc: crate::trace::Filetime,
        basis: OffsetBasis,
    ) {
        if let Some(evidence) = OffsetEvidence::new(local, utc, at, basis) {
            self.offsets.add(evidence);
        }
    }

    /// What failed last and was undone for a time has been tried again: at once, or at the next start.
    fn went_well(&mut self, mark: impl Fn() -> Mark) {
        let failed_again = self.run.as_ref().is_some_and(|run| run.failed);
        let open = self.open.as_mut().map(|open| &mut open.attempt);
        if let Some(attempt) = open.or(self.attempts.back_mut())
            && !failed_again
            && self.boots_since <= 1
            && !attempt.is_final()
            && attempt.retried.is_none()
        {
            attempt.retried = Some(mark());
            note(attempt, mark());
        }
    }

    /// The logs are over.
    pub fn finish(&mut self) {
        self.settle_run();
        self.close();
    }

    fn service_start(&mut self) {
        self.done = None;
        if let Some(run) = self
            .run
            .take_if(|run| !run.ended && !run.failed && run.bad.is_none())
        {
            self.cut = run.start.map(|(mark, _)| mark);
        }
        self.settle_run();
        self.run = None;
        self.announced = None;
        self.phase = None;
        if let Some(open) = &mut self.open {
            open.settled |= open.end.is_some() && !open.restarted;
        }
    }

    fn is_rolling_back(&self) -> bool {
        self.resumed
            || self
                .open
                .as_ref()
                .is_some_and(|open| open.attempt.final_rollback && !open.settled)
    }

    /// A queue will be processed.
    fn announce(&mut self, mark: Mark, by: StartMark) {
        if self.is_rolling_back() {
            return;
        }
        self.settle_run();
        // What was undone is tried again.
        self.close();
        if by == StartMark::Processing || self.announced.is_none() {
            self.announced = Some((mark, by));
        }
    }

    /// A queue starts.
    fn start(&mut self, new: Run) {
        if let Some(run) = &mut self.run {
            let same = !run.ended && !run.failed && run.bad.is_none() && run.start.is_some();
            if same && !(run.forward_line && new.forward_line) {
                run.forward_line |= new.forward_line;
                run.critical = run.critical.or(new.critical);
                run.count = run.count.or(new.count);
                // The one it is at is the one it fails with.
                run.update = new.update.or(run.update.take());
                return;
            }
        }
        self.settle_run();
        self.close();
        self.resumed = false;
        self.run = Some(new);
    }

    fn package_failed(&mut self, mark: impl Fn() -> Mark, code: u32, inf: &str, pass: Option<u32>) {
        if !is_failure(code) || self.is_rolling_back() {
            return;
        }
        if self
            .run
            .as_ref()
            .is_some_and(|run| run.ended && !run.failed)
        {
            self.settle_run();
        }
        let inf = (!inf.is_empty()).then(|| kept(inf));
        let run = self.run.get_or_insert_with(Run::default);
        if run.failed {
            if let Some(open) = &mut self.open {
                open.attempt.inf = open.attempt.inf.take().or(inf);
                note(&mut open.attempt, mark());
            }
            return;
        }
        match &mut run.bad {
            Some(bad) => {
                bad.inf = bad.inf.take().or(inf);
                bad.pass = bad.pass.or(pass);
            }
            none => {
                *none = Some(Bad {
                    mark: mark(),
                    code,
                    inf,
                    pass,
                });
            }
        }
    }

    fn queue_failed(
        &mut self,
        mark: Mark,
        by: FailureMark,
        phase: Option<Phase>,
        critical: Option<bool>,
        code: Option<u32>,
    ) {
        if self.is_rolling_back() {
            // A consequence, or the same failure told once more.
            if let Some(open) = &mut self.open {
                note(&mut open.attempt, mark);
            }
            return;
        }
        if let (Some(run), Some(open)) = (&self.run, &mut self.open) {
            let attempt = &mut open.attempt;
            let last = attempt.evidence.last().unwrap_or(&attempt.failure.0).time;
            let same_phase = phase.is_none_or(|phase| attempt.phase.is_none_or(|of| of == phase));
            if run.failed && same_phase && mark.time.distance(last) <= TOGETHER {
                attempt.phase = attempt.phase.or(phase);
                attempt.critical = attempt.critical.or(critical);
                attempt.code = attempt.code.or(code);
                attempt.confirmed = true;
                note(attempt, mark);
                return;
            }
        }
        // A queue that ended without a word is not the one that failed, where both are called by name.
        let other = self.run.as_ref().is_some_and(|run| {
            let named = run.critical.zip(critical);
            run.failed || run.ended && run.bad.is_none() && named.is_some_and(|(a, b)| a != b)
        });
        let run = if other { None } else { self.run.take() };
        self.fail(
            run.unwrap_or_default(),
            Some((mark, by, code)),
            phase,
            critical,
        );
    }

    /// The run has a failing package, and servicing reacts to it.
    fn fail_open_run(&mut self, mark: impl Fn() -> Mark) {
        let waiting = |run: &Run| run.bad.is_some() && !run.failed;
        if self.run.as_ref().is_some_and(waiting) && !self.is_rolling_back() {
            let run = self.run.take().unwrap_or_default();
            self.fail(run, Some((mark(), FailureMark::State, None)), None, None);
        }
    }

    /// Ends a run: where a package failed and nothing tells how the queue went, it counts as failed.
    fn settle_run(&mut self) {
        if let Some(run) = self.run.take()
            && run.bad.is_some()
            && !run.failed
        {
            self.fail(run, None, None, None);
            self.run = None;
        }
    }

    /// Makes an attempt of a run.
    fn fail(
        &mut self,
        mut run: Run,
        line: Option<(Mark, FailureMark, Option<u32>)>,
        phase: Option<Phase>,
        critical: Option<bool>,
    ) {
        self.close();
        self.boots_since = 0;
        let announced = self.announced.take();
        // What the queue did last fails when it has ended.
        let behind = line
            .as_ref()
            .is_some_and(|line| line.1 == FailureMark::VersionNotice);
        let done = self.done.take().filter(|_| behind);
        let start = run.start.take().or(announced).or(done);
        let (bad_mark, code, inf, pass) = match run.bad.take() {
            Some(bad) => (Some(bad.mark), Some(bad.code), bad.inf, bad.pass),
            None => (None, None, None, None),
        };
        let confirmed = line.is_some() || !run.ended;
        let code = code.or(line.as_ref().and_then(|line| line.2));
        let line = line.map(|(mark, by, _)| (mark, by));
        let failure = match (bad_mark, &line) {
            (Some(mark), _) => (mark, FailureMark::PackageResult),
            (None, Some(line)) => line.clone(),
            // A run is settled only with a failed package.
            (None, None) => return,
        };
        let from = start
            .as_ref()
            .map_or_else(|| failure.0.time.minus(ASSUMED), |(mark, _)| mark.time);
        let nt_failures = self.recent.drain(..).filter(|nt| nt.mark.time >= from);
        let mut attempt = Attempt {
            code,
            inf,
            pass,
            package: run.update.take(),
            failure_source: None,
            client: None,
            phase: phase.or(self.phase),
            critical: run.critical.or(critical),
            count: run.count,
            boot: self.boot,
            retried: None,
            rollback_start: None,
            rollback_end: None,
            temporary_rollback: false,
            final_rollback: false,
            continued: false,
            confirmed,
            nt_failures: nt_failures.collect(),
            evidence: Vec::new(),
            start,
            failure,
        };
        if let Some((mark, _)) = attempt.start.clone() {
            note(&mut attempt, mark);
        }
        let failure = attempt.failure.0.clone();
        note(&mut attempt, failure);
        if let Some((mark, _)) = line {
            note(&mut attempt, mark);
        }
        self.run = Some(Run {
            failed: true,
            ..run
        });
        self.open = Some(Open {
            attempt,
            end: None,
            restarted: false,
            settled: false,
        });
    }

    fn roll_back(&mut self, mark: impl Fn() -> Mark, for_good: bool) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.settled) {
            let attempt = &mut open.attempt;
            attempt.final_rollback |= for_good;
            if attempt.rollback_start.is_none() {
                attempt.rollback_start = Some(mark());
            }
            note(attempt, mark());
        }
    }

    fn state(&mut self, mark: impl Fn() -> Mark, state: ExecuteState<'_>, set: bool) {
        if state.is_none() {
            if set {
                self.settle_run();
                self.end(mark, EndMark::StateNone, None);
                self.resumed = false;
            }
            return;
        }
        if !(state.is_rollback() || state.initiates_rollback()) {
            return;
        }
        if let Some(open) = self.open.as_mut().filter(|open| open.settled) {
            // A pass that finds the rollback in its state goes on with it.
            if state.drivers_failed() && !set {
                open.take_up();
            }
        }
        let none_goes_on = self.open.as_ref().is_none_or(|open| open.settled);
        if state.drivers_failed() && none_goes_on && !self.resumed {
            if set {
                let run = self.run.take().filter(|run| !run.failed);
                let line = (mark(), FailureMark::State, None);
                self.fail(run.unwrap_or_default(), Some(line), None, None);
            } else {
                self.resume(mark(), None, true);
                return;
            }
        } else if state.installers_failed() && set {
            let other = OtherFailure {
                cause: OtherCause::AdvancedInstallers,
                code: None,
                mark: mark(),
            };
            push_last(&mut self.others, other, REMARKS);
        }
        self.roll_back(mark, true);
    }

    fn original_failure(&mut self, mark: impl Fn() -> Mark, retrieved: bool, code: Option<u32>) {
        if !code.is_some_and(is_failure) {
            return;
        }
        self.fail_open_run(&mark);
        let Some(open) = &mut self.open else {
            if retrieved {
                self.resume(mark(), code, false);
            }
            return;
        };
        open.attempt.code = open.attempt.code.or(code);
        if retrieved {
            open.take_up();
        }
        self.roll_back(mark, true);
    }

    /// A rollback goes on whose failure is in none of the logs.
    fn resume(&mut self, mark: Mark, code: Option<u32>, drivers: bool) {
        match self.aftermaths.back_mut().filter(|_| self.resumed) {
            Some(same) => {
                same.code = same.code.or(code);
                same.drivers |= drivers;
            }
            None => {
                let package = None;
                let new = Aftermath {
                    mark,
                    code,
                    drivers,
                    package,
                };
                push_last(&mut self.aftermaths, new, REMARKS);
            }
        }
        self.resumed = true;
    }

    fn package(&mut self, mark: impl Fn() -> Mark, outcome: &PackageOutcome<'_>) {
        // A package that is in when the machine has started had its drivers installed.
        if outcome.code == Some(0) && self.phase == Some(Phase::Startup) {
            self.went_well(&mark);
        }
        let Some(code) = outcome.code.filter(|code| is_failure(*code)) else {
            return;
        };
        let by_queue = outcome.failure_source == Some("DOQ");
        if self.open.is_none() && self.resumed {
            if let Some(aftermath) = self.aftermaths.back_mut() {
                aftermath.drivers |= by_queue;
                if aftermath.package.is_none() {
                    aftermath.package = Some(kept(outcome.package));
                }
            }
            return;
        }
        // The report may come behind the end of the rollback.
        let attempt = match &mut self.open {
            Some(open) => Some(&mut open.attempt),
            None => self.attempts.back_mut(),
        };
        let Some(attempt) = attempt else { return };
        let told = attempt.failure_source.as_deref() == Some("DOQ");
        if told || !(by_queue || attempt.code == Some(code)) {
            return;
        }
        if by_queue || attempt.package.is_none() {
            attempt.package = Some(kept(outcome.package));
        }
        if let Some(source) = outcome.failure_source {
            attempt.failure_source = Some(kept(source));
        }
        if let Some(client) = outcome.client {
            attempt.client = Some(kept(client));
        }
        attempt.code = attempt.code.or(Some(code));
        note(attempt, mark());
    }

    fn end(&mut self, mark: impl Fn() -> Mark, by: EndMark, code: Option<u32>) {
        let goes_on = by == EndMark::Restart || code.is_some_and(asks_for_restart);
        if matches!(by, EndMark::StartupProcessed | EndMark::StartupCompleted) {
            self.announced = None;
            self.resumed &= goes_on;
        }
        if by == EndMark::StartupCompleted {
            self.phase = Some(Phase::Online);
        }
        let Some(open) = self.open.as_mut().filter(|open| !open.settled) else {
            return;
        };
        open.restarted |= goes_on;
        if code.is_some_and(asks_for_restart) {
            return;
        }
        if open.end.as_ref().is_none_or(|end| by < end.1) {
            open.end = Some((mark(), by));
        }
        // The notifications of logon are given back last of all. While the system is up, any session that repairs the store
        // gives them back: then it is the weakest of ends, and the rollback may go on behind it.
        let last =
            open.end.as_ref().is_some_and(|end| end.1 < by) || self.phase != Some(Phase::Online);
        let released = by == EndMark::WinlogonReleased && last && !open.restarted;
        if by == EndMark::StateNone || released {
            self.close();
            self.run = None;
        }
    }

    /// Ends the open attempt with the best end there is.
    fn close(&mut self) {
        let Some(Open {
            mut attempt, end, ..
        }) = self.open.take()
        else {
            return;
        };
        // What is told when all is done fails the update only where something is undone for it.
        if attempt.failure.1 == FailureMark::VersionNotice && attempt.rollback_start.is_none() {
            return;
        }
        if let Some((mark, _)) = &end {
            // The end is evidence whatever there is before it.
            attempt.evidence.truncate(EVIDENCE - 1);
            note(&mut attempt, mark.clone());
        }
        attempt.rollback_end = end;
        if self.attempts.len() == ATTEMPTS {
            self.attempts_dropped += 1;
        }
        push_last(&mut self.attempts, attempt, ATTEMPTS);
    }

    fn nt_failure(&mut self, mark: Mark, failure: &NtFailure<'_>) {
        let logged = LoggedNtFailure {
            mark,
            status: failure.status,
            operation: kept(failure.operation),
            path: kept(failure.path),
        };
        match &mut self.open {
            Some(open) if open.attempt.nt_failures.len() < NT_FAILURES => {
                open.attempt.nt_failures.push(logged);
            }
            Some(_) => {}
            None => push_last(&mut self.recent, logged, RECENT),
        }
    }
}

/// Adds a line to the evidence, once and at its place.
fn note(attempt: &mut Attempt, mark: Mark) {
    let before = attempt.evidence.partition_point(|known| known.at < mark.at);
    let known = attempt.evidence.get(before);
    if attempt.evidence.len() < EVIDENCE && known.is_none_or(|known| known.at != mark.at) {
        attempt.evidence.insert(before, mark);
    }
}

fn push_last<T>(items: &mut VecDeque<T>, item: T, most: usize) {
    if items.len() >= most {
        items.pop_front();
    }
    items.push_back(item);
}
