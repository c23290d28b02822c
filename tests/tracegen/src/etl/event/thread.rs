//! Threads (0x0501 to 0x0504), version 3, and context switches (0x0524).

use super::{Identity, Moment, system};
use crate::etl::bytes::Out;
use serde::Serialize;

/// A thread as the kernel tells it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ThreadRow<'a> {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Base of its kernel stack.
    pub stack: u64,
    /// Base of its user stack.
    pub user_stack: u64,
    /// CPUs it may run on.
    pub affinity: u64,
    /// Start address in the process.
    pub start: u64,
    /// Thread environment block.
    pub teb: u64,
    /// Tag of its service.
    pub service: u32,
    /// Name; none writes no field, as Windows 7 and 8 do.
    pub name: Option<&'a str>,
}

pub(super) fn identity(moment: Moment) -> Identity {
    let hook = match moment {
        Moment::Begin => 0x0501,
        Moment::End => 0x0502,
        Moment::RundownBegin => 0x0503,
        Moment::RundownEnd => 0x0504,
    };
    system(hook, 3)
}

impl ThreadRow<'_> {
    pub(super) fn payload(&self, out: &mut Out) {
        out.u32(self.pid);
        out.u32(self.tid);
        out.ptr(self.stack);
        out.ptr(self.stack.saturating_sub(0x6000));
        out.ptr(self.user_stack);
        out.ptr(self.user_stack.saturating_sub(0x1_0000));
        out.ptr(self.affinity);
        out.ptr(self.start);
        out.ptr(self.teb);
        out.u32(self.service);
        // Base, page and I/O priority, flags.
        out.raw(&[8, 5, 2, 0]);
        if let Some(name) = self.name {
            out.wide(name);
        }
    }
}

/// A context switch: whoever is named here runs on the record's CPU.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SwitchRow {
    /// Thread that runs now; 0 is the idle thread.
    pub new: u32,
    /// Thread that ran before.
    pub old: u32,
    /// Why the old one waits.
    pub wait_reason: u8,
    /// State of the old one: 5 waiting, 1 ready.
    pub old_state: u8,
    /// How long the new one waited, in clock interrupts.
    pub waited: u32,
}

impl SwitchRow {
    pub(super) fn payload(&self, out: &mut Out) {
        out.u32(self.new);
        out.u32(self.old);
        let priority = |tid| if tid == 0 { 0 } else { 8 };
        // Priorities, previous C-state, spare, wait reason and mode, state, ideal CPU.
        out.raw(&[
            priority(self.new),
            priority(self.old),
            1,
            0,
            self.wait_reason,
            0,
            self.old_state,
            0,
        ]);
        out.u32(self.waited);
        out.u32(0);
    }
}
