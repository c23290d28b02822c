//! From records to attempts: follows the driver operation queue through its failure and rollback.
//!
//! A queue *runs* from a start mark on. What fails in it makes it an attempt, which stays open while its rollback
//! goes on, over restarts and from one log into the next, until an end mark, or until another queue starts.

use super::{Aftermath, Collector, OtherFailure, REMARKS, push_last};
use crate::servicing::cbs::attempt::{ASSUMED, Attempt, GOES_ON, LoggedNtFailure};
use crate::servicing::cbs::event::{
    EndMark, ExecuteState, FailureMark, NtFailure, OtherCause, PackageOutcome, Phase, StartMark,
};
use crate::servicing::code::{asks_for_restart, is_failure};
use crate::servicing::mark::{Mark, kept};
use crate::trace::time::TICKS_PER_SECOND;

/// Attempts kept: the last ones. A machine that fails daily has some dozens in its logs.
const ATTEMPTS: usize = 500;
/// Lines of evidence kept with an attempt.
const EVIDENCE: usize = 24;
/// Failed NT operations kept with an attempt, and kept back for one that may begin.
const NT_FAILURES: usize = 16;
const RECENT: usize = 16;
/// A line about a failure belongs to the attempt before it when no more time has passed since its last line.
const TOGETHER: u64 = 600 * TICKS_PER_SECOND;

/// A run of the queue.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub start: Option<(Mark, StartMark)>,
    pub forward_line: bool,
    pub critical: Option<bool>,
    pub count: Option<u32>,
    pub update: Option<String>,
    pub bad: Option<Bad>,
    pub ended: bool,
    /// It is an attempt already.
    pub failed: bool,
}

/// The first package of a run that failed.
#[derive(Debug)]
pub(super) struct Bad {
    mark: Mark,
    code: u32,
    inf: Option<String>,
    pass: Option<u32>,
}

/// An attempt whose end is not met yet.
#[derive(Debug)]
pub(super) struct Open {
    pub attempt: Attempt,
    /// The best end so far.
    end: Option<(Mark, EndMark)>,
    /// A restart is to go on with it.
    pub restarted: bool,
    /// The pass that ended it is over: lines of later passes count only where they take the rollback up again.
    pub settled: bool,
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

impl Collector {
    /// What failed last and was undone for a time has been tried again: at once, or at the next start.
    pub(super) fn went_well(&mut self, mark: impl Fn() -> Mark) {
        let run = self.run.as_ref();
        let failed_again = run.is_some_and(|run| run.failed);
        let critical = run.and_then(|run| run.critical);
        let open = self.open.as_mut().map(|open| &mut open.attempt);
        if let Some(attempt) = open.or(self.attempts.back_mut())
            && !failed_again
            && self.boots_since <= 1
            && !attempt.is_final()
            // The critical queue and the other one are two.
            && critical.zip(attempt.critical).is_none_or(|(a, b)| a == b)
            && attempt.retried.is_none()
        {
            attempt.retried = Some(mark());
            note(attempt, mark());
        }
    }

    pub(super) fn service_start(&mut self) {
        self.done = None;
        let under_way = match &self.run {
            Some(run) if run.ended || run.failed || run.bad.is_some() => None,
            Some(run) => run.start.as_ref(),
            None => self
                .announced
                .as_ref()
                .filter(|(_, by)| *by == StartMark::Processing),
        };
        if let Some((mark, _)) = under_way {
            self.cut = Some(mark.clone());
        }
        self.settle_run();
        self.run = None;
        self.announced = None;
        self.phase = None;
        if let Some(open) = &mut self.open {
            open.settled |= open.end.is_some() && !open.restarted;
        }
    }

    pub(super) fn is_rolling_back(&self) -> bool {
        self.resumed
            || self
                .open
                .as_ref()
                .is_some_and(|open| open.attempt.final_rollback && !open.settled)
    }

    /// A queue will be processed.
    pub(super) fn announce(&mut self, mark: Mark, by: StartMark) {
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
    pub(super) fn start(&mut self, new: Run) {
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

    pub(super) fn package_failed(
        &mut self,
        mark: impl Fn() -> Mark,
        code: u32,
        inf: &str,
        pass: Option<u32>,
    ) {
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

    pub(super) fn queue_failed(
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
    pub(super) fn fail_open_run(&mut self, mark: impl Fn() -> Mark) {
        let waiting = |run: &Run| run.bad.is_some() && !run.failed;
        if self.run.as_ref().is_some_and(waiting) && !self.is_rolling_back() {
            let run = self.run.take().unwrap_or_default();
            self.fail(run, Some((mark(), FailureMark::State, None)), None, None);
        }
    }

    /// Ends a run: where a package failed and nothing tells how the queue went, it counts as failed.
    pub(super) fn settle_run(&mut self) {
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
            boot: self.machine.boot(),
            retried: None,
            last: None,
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

    pub(super) fn roll_back(&mut self, mark: impl Fn() -> Mark, for_good: bool) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.settled) {
            let attempt = &mut open.attempt;
            attempt.final_rollback |= for_good;
            if attempt.rollback_start.is_none() {
                attempt.rollback_start = Some(mark());
            }
            note(attempt, mark());
        }
    }

    pub(super) fn state(&mut self, mark: impl Fn() -> Mark, state: ExecuteState<'_>, set: bool) {
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

    pub(super) fn original_failure(
        &mut self,
        mark: impl Fn() -> Mark,
        retrieved: bool,
        code: Option<u32>,
    ) {
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

    pub(super) fn package(&mut self, mark: impl Fn() -> Mark, outcome: &PackageOutcome<'_>) {
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
        if by_queue || attempt.code == Some(code) {
            attempt.retried = None;
        }
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

    pub(super) fn end(&mut self, mark: impl Fn() -> Mark, by: EndMark, code: Option<u32>) {
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
    pub(super) fn close(&mut self) {
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

    pub(super) fn nt_failure(&mut self, mark: Mark, failure: &NtFailure<'_>) {
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
    let near = mark.time.distance(attempt.failure.0.time) <= GOES_ON;
    if near && attempt.last.as_ref().is_none_or(|last| last.at < mark.at) {
        attempt.last = Some(mark.clone());
    }
    let before = attempt.evidence.partition_point(|known| known.at < mark.at);
    let known = attempt.evidence.get(before);
    if attempt.evidence.len() < EVIDENCE && known.is_none_or(|known| known.at != mark.at) {
        attempt.evidence.insert(before, mark);
    }
}
