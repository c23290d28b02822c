//! Counting touches: which drivers stood on the stacks of operations on paths in scope, and which minifilters'
//! callbacks ran for them.

use super::failing::{Candidates, CodeMatch};
use super::rules::Rules;
use super::schema::{Reason, TouchKind, Window};
use super::scope::TraceScope;
use super::tally::{DriverTally, Tally, UnitTally};
use crate::drivers::{DriverList, is_third_party_company};
use crate::servicing::is_servicing_process;
use crate::trace::{
    Batch, Class, Filetime, Foreseen, Memo, NO_THREAD, PathTest, Phase, Process, Select, Trace,
};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

/// An operation that is kept as evidence against a driver.
#[derive(Debug, Clone)]
pub struct Touch {
    /// Which trace of the case.
    pub trace: usize,
    /// Record in it.
    pub event: u64,
    /// Unit of the trace and row in it: the order of time. Numbers of ETL records are not in that order.
    place: (usize, usize),
    /// Start.
    pub time: Filetime,
    /// Kind.
    pub kind: TouchKind,
    /// Which callback it is.
    pub callback: Option<Phase>,
    /// Why it is kept.
    pub reason: Reason,
    /// Operation.
    pub operation: &'static str,
    /// Path.
    pub path: String,
    /// Target path.
    pub target: String,
    /// NTSTATUS.
    pub status: Option<u32>,
    /// Position in the trace's processes.
    pub process: u32,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// 100 ns.
    pub duration: Option<u64>,
    /// What it says of the failed update.
    telling: Telling,
    /// The driver's frames: image position and offset, innermost first.
    pub frames: Vec<(u32, u64)>,
}

/// What a failure says of the failed update, most first; all else says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// Servicing was refused with a result that the logged code stands for, before it rolled back.
    Code,
    /// Servicing was refused before it rolled back.
    Servicing,
    /// Servicing was refused in the rollback, which is a consequence.
    Rollback,
    /// Somebody else was refused, or nobody was.
    Other,
}

impl Touch {
    /// Most telling first: failures by [`Telling`], those of its own callback before those it only stood on the
    /// stack of; longest delays; first touches.
    pub fn rank(&self) -> impl Ord + use<> {
        let slowness = match self.reason {
            Reason::Delay => self.duration.unwrap_or(0),
            _ => 0,
        };
        (
            self.reason,
            self.telling,
            self.reason == Reason::Failure && self.kind != TouchKind::Minifilter,
            Reverse(slowness),
            self.trace,
            self.place,
        )
    }
}

/// What counting needs to know of a trace.
pub struct Counting<'a> {
    /// Number of the trace in the case.
    pub number: usize,
    /// The trace.
    pub trace: &'a dyn Trace,
    /// Its drivers.
    pub drivers: &'a DriverList,
    /// For each of its kernel images, the driver of the case.
    pub merged: &'a [u32],
    /// Drivers in the case.
    pub driver_count: usize,
    /// Paths that count.
    pub scope: TraceScope<'a>,
    /// Rules.
    pub rules: &'a Rules,
    /// The window.
    pub window: RangeInclusive<Filetime>,
    /// When servicing tried and when it rolled back.
    pub phases: &'a Window,
    /// Results that the logged code stands for.
    pub candidates: Option<&'a Candidates>,
    /// Evidence kept for a driver.
    pub limit: usize,
}

/// Counting in progress.
pub struct Counter<'c, 'a> {
    counting: &'c Counting<'a>,
    /// For each process, whether it is a third party's.
    third_party: Vec<bool>,
    /// For each process, whether it services Windows.
    servicing: Vec<bool>,
    /// Drivers that have all the first touches they need: later units need not copy more.
    sated: Vec<AtomicBool>,
}

impl<'a> Counting<'a> {
    /// The events that count: `test` is that of [`Counting::counts`], `keys` of [`TraceScope::key_or_below`].
    pub fn select<'s>(
        &self,
        test: PathTest<'s>,
        keys: &'s (dyn Fn(&str) -> bool + Sync),
        memo: &'s Memo,
    ) -> Select<'s> {
        Select {
            memo: Some(memo),
            from: Some(*self.window.start()),
            to: Some(*self.window.end()),
            classes: TraceScope::CLASSES.to_vec(),
            paths: Some(test),
            keys: Some(keys),
            foreseen: Foreseen::FilesAndKeys,
            ..Select::default()
        }
    }

    /// Whether an event with these paths counts.
    pub fn counts(&self, class: Class, path: &str, target: &str) -> bool {
        self.scope.takes(class, path, target)
    }

    /// Begins to count.
    pub fn begin(&self) -> Counter<'_, 'a> {
        let processes = || self.trace.info().processes.iter();
        Counter {
            counting: self,
            third_party: processes()
                .map(|process| is_third_party_company(&process.company))
                .collect(),
            servicing: processes()
                .map(|process: &Process| is_servicing_process(&process.name))
                .collect(),
            sated: (0..self.driver_count).map(|_| false.into()).collect(),
        }
    }
}

impl Counter<'_, '_> {
    /// Counts the touches of a unit.
    pub fn count(&self, unit: usize, batch: &Batch) -> UnitTally {
        let Self {
            counting,
            third_party,
            servicing,
            sated,
        } = self;
        counting.count(unit, batch, third_party, servicing, sated)
    }

    /// Adds the touches of the next unit to `sum`.
    pub fn take(&self, part: UnitTally, sum: &mut Tally) {
        let limit = self.counting.limit;
        sum.add(part, limit);
        for (number, driver) in &sum.drivers {
            let others = driver.failures + driver.delays;
            let enough = driver.touches.total().saturating_sub(others);
            if enough >= limit as u64
                && let Some(sated) = self.sated.get(*number as usize)
            {
                sated.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Counting<'_> {
    fn count(
        &self,
        unit: usize,
        batch: &Batch,
        third_party: &[bool],
        servicing: &[bool],
        sated: &[AtomicBool],
    ) -> UnitTally {
        let mut out = UnitTally::new(self.driver_count);
        let mut by: Vec<u32> = Vec::new();
        let mut paths: HashMap<&str, u32> = HashMap::with_capacity(batch.len() / 4);
        let mut last: Option<(&str, u32)> = None;
        for row in 0..batch.len() {
            let failed = !self.rules.is_benign(batch.status[row]);
            let process = batch.process[row];
            let callback = batch.callback(row);
            // A callback is no operation: the one it was called for has a row of its own.
            if callback.is_none() && third_party.get(process as usize) == Some(&true) {
                out.act(process, failed);
            }
            self.drivers_of(batch, row, &mut by);
            if by.is_empty() {
                continue;
            }
            let text = batch.path.get(row);
            let path = match last {
                // An operation and the callbacks for it follow one another.
                Some((known, number)) if known == text => number,
                _ => *paths.entry(text).or_insert_with(|| out.add_path(text)),
            };
            last = Some((text, path));
            let slow = match callback {
                Some(callback) => self.rules.is_delay(callback.duration, false),
                None => self.rules.is_delay(batch.duration[row], batch.waits[row]),
            };
            let servicing = servicing.get(process as usize) == Some(&true);
            let reason = match (failed, slow) {
                (true, _) => Reason::Failure,
                (false, true) => Reason::Delay,
                (false, false) => Reason::Touch,
            };
            for driver in &by {
                let tally = out.touch(*driver, path, failed);
                self.add(tally, batch, row, (failed, slow));
                let enough = tally.touches.total() > self.limit as u64
                    || sated[*driver as usize].load(Ordering::Relaxed);
                if reason != Reason::Touch || !enough {
                    let telling = self.telling(batch, row, reason, servicing);
                    let touch = self.touch(*driver, batch, (unit, row), reason, telling);
                    tally.evidence.push(touch);
                    tally.trim(self.limit, false);
                }
            }
        }
        out
    }

    /// The drivers that touch by a row, each once: the filter of a callback, or those on the stack.
    fn drivers_of(&self, batch: &Batch, row: usize, out: &mut Vec<u32>) {
        out.clear();
        let time = batch.time[row];
        let mut add = |address| {
            if let Some(image) = self.drivers.at(address, time) {
                let driver = self.merged[image as usize];
                if !out.contains(&driver) {
                    out.push(driver);
                }
            }
        };
        match batch.callback(row) {
            Some(callback) => add(callback.routine),
            None => {
                let frames = batch.frames.get(row).iter().copied();
                let kernel = frames.filter(|frame| *frame > self.drivers.highest_user);
                kernel.for_each(add);
            }
        }
    }

    fn add(
        &self,
        tally: &mut DriverTally,
        batch: &Batch,
        row: usize,
        (failed, slow): (bool, bool),
    ) {
        let time = batch.time[row];
        match kind_of(batch, row) {
            TouchKind::Minifilter => tally.touches.minifilter += 1,
            TouchKind::FileStack => tally.touches.file_stack += 1,
            TouchKind::RegistryStack => tally.touches.registry_stack += 1,
        }
        tally.failures += u64::from(failed);
        tally.delays += u64::from(slow);
        if let Some(callback) = batch.callback(row) {
            let own = callback.duration.unwrap_or(0);
            tally.callbacks += own;
            tally.longest = tally.longest.max(own);
        } else if slow {
            tally.longest = tally.longest.max(batch.duration[row].unwrap_or(0));
        }
        tally.first = Some(tally.first.map_or(time, |first| first.min(time)));
        tally.last = tally.last.max(Some(time));
    }

    fn touch(
        &self,
        driver: u32,
        batch: &Batch,
        place: (usize, usize),
        reason: Reason,
        telling: Telling,
    ) -> Touch {
        let row = place.1;
        let time = batch.time[row];
        let callback = batch.callback(row);
        let frames = match callback {
            Some(callback) => self.own_frames(&[callback.routine], time, driver),
            None => self.own_frames(batch.frames.get(row), time, driver),
        };
        Touch {
            trace: self.number,
            event: batch.event[row],
            place,
            time,
            kind: kind_of(batch, row),
            callback: callback.map(|callback| callback.phase),
            reason,
            operation: batch.operation_full[row],
            path: batch.path.get(row).to_owned(),
            target: batch.target.get(row).to_owned(),
            status: batch.status[row],
            process: batch.process[row],
            tid: Some(batch.tid[row]).filter(|tid| *tid != NO_THREAD),
            duration: callback.map_or(batch.duration[row], |callback| callback.duration),
            telling,
            frames,
        }
    }

    fn telling(&self, batch: &Batch, row: usize, reason: Reason, servicing: bool) -> Telling {
        if reason != Reason::Failure || !servicing {
            return Telling::Other;
        }
        if self.phases.phase_of(batch.time[row]) == Some("rollback") {
            return Telling::Rollback;
        }
        let fits = |status| self.candidates.and_then(|codes| codes.fits(status));
        match batch.status[row].and_then(fits) {
            Some(CodeMatch::Exact | CodeMatch::Family) => Telling::Code,
            _ => Telling::Servicing,
        }
    }

    fn own_frames(&self, frames: &[u64], time: Filetime, driver: u32) -> Vec<(u32, u64)> {
        frames
            .iter()
            .filter(|frame| **frame > self.drivers.highest_user)
            .filter_map(|frame| self.drivers.map.resolve(*frame, time))
            .filter(|(image, _)| self.merged[*image as usize] == driver)
            .take(MAX_FRAMES)
            .collect()
    }
}

fn kind_of(batch: &Batch, row: usize) -> TouchKind {
    match batch.class[row] {
        Class::Minifilter => TouchKind::Minifilter,
        Class::Registry => TouchKind::RegistryStack,
        _ => TouchKind::FileStack,
    }
}

/// Frames of a driver shown with an evidence row.
const MAX_FRAMES: usize = 8;
