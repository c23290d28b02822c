//! Counting touches: which drivers stood on the stacks of operations on paths in scope, and which minifilters'
//! callbacks ran for them.

use super::failing::{Candidates, CodeMatch};
use super::rules::Rules;
use super::schema::{Reason, TouchKind, Touches, Window};
use super::scope::TraceScope;
use crate::drivers::{DriverList, is_third_party_company};
use crate::servicing::is_servicing_process;
use crate::trace::{
    Batch, Class, Filetime, Foreseen, Memo, NO_THREAD, PathTest, Phase, Process, Select, Trace,
};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::ops::RangeInclusive;
use std::sync::Arc;
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
    fn rank(&self) -> (Reason, Telling, bool, Reverse<u64>, usize, (usize, usize)) {
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

/// Paths by number, each held once.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    numbers: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
}

/// Paths counted one by one; touches of further ones are counted together. A case has thousands.
const MAX_PATHS: usize = 200_000;
/// The number of paths beyond [`MAX_PATHS`].
const OTHER_PATH: u32 = u32::MAX;

impl Paths {
    fn number(&mut self, path: &str) -> u32 {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        if self.list.len() >= MAX_PATHS {
            return OTHER_PATH;
        }
        let number = self.list.len() as u32;
        let path: Arc<str> = path.into();
        self.list.push(Arc::clone(&path));
        self.numbers.insert(path, number);
        number
    }

    /// The path of a number; `None` for the paths beyond the limit.
    pub fn get(&self, number: u32) -> Option<&str> {
        self.list.get(number as usize).map(|path| &**path)
    }
}

/// What a driver did in the window.
#[derive(Debug, Clone, Default)]
pub struct DriverTally {
    /// Touches by kind.
    pub touches: Touches,
    /// Touches that failed.
    pub failures: u64,
    /// Touches that were slow.
    pub delays: u64,
    /// Longest callback or delayed operation, 100 ns.
    pub longest: u64,
    /// All callbacks together, 100 ns.
    pub callbacks: u64,
    /// First touch.
    pub first: Option<Filetime>,
    /// Last touch.
    pub last: Option<Filetime>,
    /// Touches and failures by number of the path.
    pub paths: HashMap<u32, (u64, u64)>,
    /// The most telling touches, in order.
    pub evidence: Vec<Touch>,
}

impl DriverTally {
    fn count_path(&mut self, path: u32, touches: u64, failures: u64) {
        let count = self.paths.entry(path).or_default();
        count.0 += touches;
        count.1 += failures;
    }

    /// Keeps the best `limit` touches. Called often, so it waits until there are twice as many.
    fn trim(&mut self, limit: usize, now: bool) {
        if self.evidence.len() > limit.saturating_mul(2) || now {
            self.evidence.sort_by_cached_key(Touch::rank);
            self.evidence.truncate(limit);
        }
    }

    /// Adds what was found elsewhere, where path `n` is called `path_numbers[n]` here.
    fn merge(&mut self, other: Self, path_numbers: &[u32], limit: usize) {
        self.touches.minifilter += other.touches.minifilter;
        self.touches.file_stack += other.touches.file_stack;
        self.touches.registry_stack += other.touches.registry_stack;
        self.failures += other.failures;
        self.delays += other.delays;
        self.longest = self.longest.max(other.longest);
        self.callbacks += other.callbacks;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        for (path, (touches, failures)) in other.paths {
            let path = path_numbers.get(path as usize).copied();
            self.count_path(path.unwrap_or(OTHER_PATH), touches, failures);
        }
        self.evidence.extend(other.evidence);
        self.trim(limit, false);
    }
}

/// What the traces of a case hold on the window.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// By driver of the case; those without a touch are missing.
    pub drivers: HashMap<u32, DriverTally>,
    /// The paths that they touched.
    pub paths: Paths,
    /// Operations and failures of third parties' processes, by position in the trace's processes.
    pub processes: HashMap<u32, (u64, u64)>,
}

impl Tally {
    /// Adds what was found elsewhere; its processes, which are those of one trace, are given back.
    pub fn merge(&mut self, other: Self, limit: usize) -> HashMap<u32, (u64, u64)> {
        let numbers: Vec<u32> = other
            .paths
            .list
            .iter()
            .map(|path| self.paths.number(path))
            .collect();
        for (driver, one) in other.drivers {
            let sum = self.drivers.entry(driver).or_default();
            sum.merge(one, &numbers, limit);
        }
        other.processes
    }

    /// Puts the evidence in order and cuts it to `limit` rows a driver.
    pub fn finish(&mut self, limit: usize) {
        for driver in self.drivers.values_mut() {
            driver.trim(limit, true);
        }
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
    pub fn count(&self, unit: usize, batch: &Batch) -> Tally {
        let Self {
            counting,
            third_party,
            servicing,
            sated,
        } = self;
        counting.count(unit, batch, third_party, servicing, sated)
    }

    /// Adds the touches of the next unit to `sum`.
    pub fn take(&self, part: Tally, sum: &mut Tally) {
        let limit = self.counting.limit;
        for (process, (touches, failures)) in sum.merge(part, limit) {
            let count = sum.processes.entry(process).or_default();
            count.0 += touches;
            count.1 += failures;
        }
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
    ) -> Tally {
        let mut out = Tally::default();
        let mut by: Vec<u32> = Vec::new();
        for row in 0..batch.len() {
            let failed = !self.rules.is_benign(batch.status[row]);
            let process = batch.process[row];
            let callback = batch.callback(row);
            // A callback is no operation: the one it was called for has a row of its own.
            if callback.is_none() && third_party.get(process as usize) == Some(&true) {
                let count = out.processes.entry(process).or_default();
                count.0 += 1;
                count.1 += u64::from(failed);
            }
            self.drivers_of(batch, row, &mut by);
            if by.is_empty() {
                continue;
            }
            let path = out.paths.number(batch.path.get(row));
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
                let tally = out.drivers.entry(*driver).or_default();
                self.add(tally, batch, row, path, (failed, slow));
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
        path: u32,
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
        tally.count_path(path, 1, u64::from(failed));
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
