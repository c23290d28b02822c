//! What a busy machine records besides: samples of the profiler, and context switches.

use super::recorder::{Actor, Recorder};
use super::truth::{Group, Operation};
use crate::etl::Record;
use crate::etl::event::{Event, Profile, SwitchRow};

/// A CPU with nothing to do for so long is idle: 1 ms.
const IDLE_AFTER: u64 = 10_000;
/// Samples of a slow operation are so far apart: 50 ms.
const SAMPLES_APART: u64 = 500_000;
/// Every so manyth operation is met by a sample.
const SAMPLED: usize = 8;

impl Recorder<'_> {
    /// Samples: some operations as they go by, and slow ones again and again, in the driver that is slow.
    pub(super) fn samples(&mut self) {
        let operations = std::mem::take(&mut self.operations);
        for (n, operation) in operations.iter().enumerate() {
            let Some(duration) = operation.duration.filter(|_| !operation.waits) else {
                continue;
            };
            let slow = duration > SAMPLES_APART && operation.group == Group::File;
            let count = if slow { duration / SAMPLES_APART } else { 1 };
            if !slow && !n.is_multiple_of(SAMPLED) {
                continue;
            }
            for k in 0..count {
                let time = operation.time + duration * (2 * k + 1) / (2 * count);
                let instruction = self.instruction(operation, slow);
                let cpu = self.cpu_during(operation.tid, operation.time, duration, time);
                let event = Event::Profile(Profile::Sample {
                    instruction,
                    tid: operation.tid,
                    count: 1,
                });
                self.put(cpu, time, Actor::NOBODY, event);
            }
        }
        self.operations = operations;
    }

    fn instruction(&mut self, operation: &Operation, slow: bool) -> u64 {
        let longest = operation.callbacks.iter().max_by_key(|c| c.duration);
        match longest {
            Some(callback) if slow => callback.routine + self.rng.below(0x30),
            _ => match operation.stack.len() as u64 {
                0 => self.drivers[0]
                    .module
                    .at(0x18_0000 + self.rng.below(0x4000)),
                depth => operation.stack[self.rng.below(depth) as usize] + self.rng.below(0x20),
            },
        }
    }

    /// Puts a switch in front of every record of a thread that was not the CPU's, and one to the idle thread
    /// where nothing follows for a while.
    pub(super) fn switches(&mut self) {
        for cpu in 0..self.trace.session().cpus {
            let mut running = 0;
            let mut last = 0;
            for (number, time, tid) in self.trace.timeline(cpu) {
                if tid == running {
                    last = time;
                    continue;
                }
                if running != 0 && time > last + IDLE_AFTER {
                    let event = Event::Switch(switch(0, running));
                    let record = Record::new(cpu, last + 200, event);
                    self.trace.add(&record);
                    running = 0;
                }
                let event = Event::Switch(switch(tid, running));
                self.trace
                    .add_before(number, &Record::new(cpu, time, event));
                running = tid;
                last = time;
            }
        }
    }
}

fn switch(new: u32, old: u32) -> SwitchRow {
    SwitchRow {
        new,
        old,
        wait_reason: 6,
        old_state: if new == 0 { 5 } else { 1 },
        waited: u32::from(new != 0),
    }
}
