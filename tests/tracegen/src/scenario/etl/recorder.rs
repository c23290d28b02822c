//! What a kernel session would have recorded of a case: the state it takes to write it.

use super::files::Files;
use super::filters::{Filter, filters};
use super::keys::Keys;
use super::options::EtlOptions;
use super::pool::Pools;
use super::stacks::StackKeys;
use super::truth::Operation;
use crate::etl::event::Event as EtlEvent;
use crate::etl::{EtlBuilder, NOBODY, Record};
use crate::pml::op::ProcessOp;
use crate::pml::{Bits, Op, ProcId, Process};
use crate::prng::Prng;
use crate::scenario::{Case, Driver};
use std::collections::HashSet;

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) pid: u32,
    pub(super) tid: u32,
}

impl Actor {
    pub(super) const NOBODY: Self = Self {
        pid: NOBODY,
        tid: NOBODY,
    };
    /// The thread of System that runs the session.
    pub(super) const SESSION: Self = Self { pid: 4, tid: 312 };
}

/// A thread moves to another CPU after this, at the latest: 40 ms.
const SLICE: u64 = 400_000;
/// Operations that take longer than this may end on another CPU: 1 ms.
const LONG: u64 = 10_000;

pub(super) struct Recorder<'a> {
    pub(super) case: &'a Case,
    pub(super) options: &'a EtlOptions,
    pub(super) bits: Bits,
    pub(super) trace: EtlBuilder,
    pub(super) rng: Prng,
    /// Start of the event that is being recorded. What comes next starts no earlier.
    pub(super) now: u64,
    pub(super) drivers: Vec<Driver>,
    pub(super) filters: Vec<Filter>,
    pub(super) processes: Vec<(ProcId, Process)>,
    pub(super) pools: Pools,
    pub(super) files: Files,
    pub(super) keys: Keys,
    pub(super) stack_keys: StackKeys,
    pub(super) operations: Vec<Operation>,
    /// Files whose version information was told.
    pub(super) versions: HashSet<String>,
    /// Refusals so far, by position of the filter.
    pub(super) refusals: Vec<usize>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        case: &'a Case,
        bits: Bits,
        failing: bool,
        options: &'a EtlOptions,
        trace: EtlBuilder,
    ) -> Self {
        let drivers = crate::scenario::drivers::drivers(bits);
        let late = case.events.iter().find_map(|e| match &e.op {
            Op::Process(ProcessOp::LoadImage { base, .. })
                if drivers.iter().any(|d| d.late && d.module.base == *base) =>
            {
                Some(e.time)
            }
            _ => None,
        });
        let filters = filters(&drivers, trace.session().start, late, failing);
        let processes = case.log.processes().map(|(id, p)| (id, p.clone()));
        Self {
            bits,
            rng: Prng::new(9_001),
            now: trace.session().start,
            refusals: vec![0; filters.len()],
            filters,
            drivers,
            processes: processes.collect(),
            pools: Pools::new(bits),
            files: Files::default(),
            keys: Keys::default(),
            stack_keys: StackKeys::default(),
            operations: Vec::new(),
            versions: HashSet::new(),
            case,
            options,
            trace,
        }
    }

    pub(super) fn put(&mut self, cpu: u16, time: u64, by: Actor, event: EtlEvent<'_>) -> usize {
        self.trace
            .add(&Record::new(cpu, time, event).by(by.pid, by.tid))
    }

    /// The CPU a thread runs on.
    pub(super) fn cpu(&self, tid: u32, time: u64) -> u16 {
        let cpus = u64::from(self.trace.session().cpus);
        ((u64::from(tid) / 4 * 7 + time / SLICE) % cpus) as u16
    }

    /// The CPU a thread runs on at a moment of an operation that takes `duration`.
    pub(super) fn cpu_during(&self, tid: u32, start: u64, duration: u64, at: u64) -> u16 {
        self.cpu(tid, if duration > LONG { at } else { start })
    }

    pub(super) fn process(&self, id: ProcId) -> Option<&Process> {
        self.processes
            .iter()
            .find(|(i, _)| *i == id)
            .map(|(_, p)| p)
    }

    pub(super) fn actor(&self, id: ProcId, tid: u32) -> Actor {
        Actor {
            pid: self.process(id).map_or(NOBODY, |p| p.pid),
            tid,
        }
    }
}
