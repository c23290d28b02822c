//! Counting touches: which drivers stood on the stacks of operations on paths in scope.

use super::rules::Rules;
use super::schema::{Reason, TouchKind, Touches};
use super::scope::TraceScope;
use crate::drivers::{DriverList, is_third_party_company};
use crate::servicing::is_servicing_process;
use crate::trace::{
    Batch, Class, Filetime, NO_PROCESS, Process, Select, Tick, Trace, Want, for_each_unit,
};
use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;

/// An operation that is kept as evidence against a driver.
#[derive(Debug, Clone)]
pub struct Touch {
    /// Which trace of the case.
    pub trace: usize,
    /// Record in it.
    pub event: u64,
    /// Start.
    pub time: Filetime,
    /// Kind.
    pub kind: TouchKind,
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
    /// Thread.
    pub tid: u32,
    /// 100 ns.
    pub duration: Option<u64>,
    /// Whether a servicing process was at work.
    pub servicing: bool,
    /// The driver's frames: image position and offset, innermost first.
    pub frames: Vec<(u32, u64)>,
}

impl Touch {
    /// Most telling first: failures of servicing, other failures, longest delays, first touches.
    fn rank(&self) -> (Reason, bool, std::cmp::Reverse<u64>, Filetime, usize, u64) {
        let slowness = match self.reason {
            Reason::Delay => self.duration.unwrap_or(0),
            _ => 0,
        };
        (
            self.reason,
            self.reason == Reason::Failure && !self.servicing,
            std::cmp::Reverse(slowness),
            self.time,
            self.trace,
            self.event,
        )
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
    /// Longest delayed operation, 100 ns.
    pub longest: u64,
    /// First touch.
    pub first: Option<Filetime>,
    /// Last touch.
    pub last: Option<Filetime>,
    /// Touches and failures by path.
    pub paths: HashMap<Box<str>, (u64, u64)>,
    /// Touches of paths beyond [`MAX_PATHS`].
    pub other_paths: u64,
    /// The most telling touches, in order.
    pub evidence: Vec<Touch>,
}

/// Paths counted one by one for a driver; the rest is counted together. A case has a few thousand at most.
pub const MAX_PATHS: usize = 100_000;

impl DriverTally {
    fn count_path(&mut self, path: &str, touches: u64, failures: u64) {
        if let Some(count) = self.paths.get_mut(path) {
            count.0 += touches;
            count.1 += failures;
        } else if self.paths.len() < MAX_PATHS {
            self.paths.insert(path.into(), (touches, failures));
        } else {
            self.other_paths += touches;
        }
    }

    /// Keeps the best `limit` touches. Called often, so it waits until there are twice as many.
    fn trim(&mut self, limit: usize, now: bool) {
        if self.evidence.len() > limit * 2 || now {
            self.evidence.sort_by_cached_key(Touch::rank);
            self.evidence.truncate(limit);
        }
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self, limit: usize) {
        self.touches.minifilter += other.touches.minifilter;
        self.touches.file_stack += other.touches.file_stack;
        self.touches.registry_stack += other.touches.registry_stack;
        self.failures += other.failures;
        self.delays += other.delays;
        self.longest = self.longest.max(other.longest);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.other_paths += other.other_paths;
        for (path, (touches, failures)) in other.paths {
            self.count_path(&path, touches, failures);
        }
        self.evidence.extend(other.evidence);
        self.trim(limit, false);
    }

    /// Puts the evidence in order and cuts it to `limit`.
    pub fn finish(&mut self, limit: usize) {
        self.trim(limit, true);
    }
}

/// What the traces of a case hold on the window.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// By driver of the case.
    pub drivers: Vec<DriverTally>,
    /// Operations and failures of third parties' processes, by position in the trace's processes.
    pub processes: HashMap<u32, (u64, u64)>,
    /// Operations on paths in scope.
    pub events: u64,
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
    /// Evidence kept for a driver.
    pub limit: usize,
}

impl Counting<'_> {
    /// Counts the touches of one trace.
    ///
    /// # Errors
    /// When the trace can no longer be read.
    pub fn run(&self, tick: Tick<'_>) -> io::Result<Tally> {
        let in_scope =
            |class: Class, path: &str, target: &str| self.scope.takes(class, path, target);
        let select = Select {
            from: Some(*self.window.start()),
            to: Some(*self.window.end()),
            classes: vec![Class::FileSystem, Class::Registry],
            paths: Some(&in_scope),
            ..Select::default()
        };
        let want = Want {
            frames: true,
            ..Want::default()
        };
        let third_party: Vec<bool> = self
            .trace
            .info()
            .processes
            .iter()
            .map(|process| is_third_party_company(&process.company))
            .collect();
        let servicing: Vec<bool> = self
            .trace
            .info()
            .processes
            .iter()
            .map(|process: &Process| is_servicing_process(&process.name))
            .collect();
        let mut out = Tally {
            drivers: vec![DriverTally::default(); self.driver_count],
            ..Tally::default()
        };
        for_each_unit(
            0..self.trace.units(),
            tick,
            |unit| {
                let mut batch = Batch::default();
                self.trace.decode(unit, &want, &select, &mut batch)?;
                Ok(self.count(&batch, &third_party, &servicing))
            },
            |part: Tally| {
                out.events += part.events;
                for (sum, one) in out.drivers.iter_mut().zip(part.drivers) {
                    sum.merge(one, self.limit);
                }
                for (process, (touches, failures)) in part.processes {
                    let sum = out.processes.entry(process).or_default();
                    sum.0 += touches;
                    sum.1 += failures;
                }
                Ok(())
            },
        )?;
        for driver in &mut out.drivers {
            driver.finish(self.limit);
        }
        Ok(out)
    }

    fn count(&self, batch: &Batch, third_party: &[bool], servicing: &[bool]) -> Tally {
        let mut out = Tally {
            drivers: Vec::new(),
            ..Tally::default()
        };
        if batch.is_empty() {
            return out;
        }
        out.drivers
            .resize(self.driver_count, DriverTally::default());
        let mut on_stack: Vec<u32> = Vec::new();
        for row in 0..batch.len() {
            out.events += 1;
            let failed = !self.rules.is_benign(batch.status[row]);
            let process = batch.process[row];
            if third_party.get(process as usize) == Some(&true) {
                let count = out.processes.entry(process).or_default();
                count.0 += 1;
                count.1 += u64::from(failed);
            }
            let time = batch.time[row];
            on_stack.clear();
            for frame in batch.frames.get(row) {
                if let Some(image) = self.drivers.at(*frame, time) {
                    let driver = self.merged[image as usize];
                    if !on_stack.contains(&driver) {
                        on_stack.push(driver);
                    }
                }
            }
            let at_work = process != NO_PROCESS && servicing[process as usize];
            for driver in &on_stack {
                self.add(
                    &mut out.drivers[*driver as usize],
                    *driver,
                    batch,
                    row,
                    failed,
                    at_work,
                );
            }
        }
        out
    }

    fn add(
        &self,
        tally: &mut DriverTally,
        driver: u32,
        batch: &Batch,
        row: usize,
        failed: bool,
        servicing: bool,
    ) {
        let time = batch.time[row];
        let kind = if batch.class[row] == Class::FileSystem {
            tally.touches.file_stack += 1;
            TouchKind::FileStack
        } else {
            tally.touches.registry_stack += 1;
            TouchKind::RegistryStack
        };
        let slow = self.rules.is_delay(batch.duration[row], batch.waits[row]);
        tally.failures += u64::from(failed);
        tally.delays += u64::from(slow);
        if slow {
            tally.longest = tally.longest.max(batch.duration[row].unwrap_or(0));
        }
        tally.first = Some(tally.first.map_or(time, |first| first.min(time)));
        tally.last = tally.last.max(Some(time));
        let path = batch.path.get(row);
        tally.count_path(path, 1, u64::from(failed));
        let reason = match (failed, slow) {
            (true, _) => Reason::Failure,
            (false, true) => Reason::Delay,
            (false, false) => Reason::Touch,
        };
        // First touches are few and come first: once there are enough, later ones need no copy.
        if reason == Reason::Touch && tally.touches.total() > self.limit as u64 {
            return;
        }
        tally.evidence.push(Touch {
            trace: self.number,
            event: batch.event[row],
            time,
            kind,
            reason,
            operation: batch.operation_full[row],
            path: path.to_owned(),
            target: batch.target.get(row).to_owned(),
            status: batch.status[row],
            process: batch.process[row],
            tid: batch.tid[row],
            duration: batch.duration[row],
            servicing,
            frames: self.own_frames(batch.frames.get(row), time, driver),
        });
        tally.trim(self.limit, false);
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

/// Frames of a driver shown with an evidence row.
const MAX_FRAMES: usize = 8;
