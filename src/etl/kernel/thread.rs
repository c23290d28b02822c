//! Threads: their start and end, rundowns, names, context switches, priorities and spin locks.

use super::fields::{Fields, WideText};
use crate::bytes::{u8_at, u32_at};

/// Hooks of thread events.
pub mod hook {
    /// A thread starts; the header names its creator.
    pub const START: u16 = 0x0501;
    /// A thread ends.
    pub const END: u16 = 0x0502;
    /// A thread that runs while thread events are switched on.
    pub const RUNDOWN_START: u16 = 0x0503;
    /// A thread that runs while they are switched off.
    pub const RUNDOWN_END: u16 = 0x0504;
    /// A processor goes from one thread to another.
    pub const CONTEXT_SWITCH: u16 = 0x0524;
    /// A spin lock was contended.
    pub const SPIN_LOCK: u16 = 0x0529;
    /// A thread may run.
    pub const READY: u16 = 0x0532;
    /// The I/O priority of a thread changes.
    pub const SET_IO_PRIORITY: u16 = 0x0534;
    /// A thread gets a name.
    pub const SET_NAME: u16 = 0x0548;
}

/// What a row about a thread says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadMoment {
    /// It starts.
    Start,
    /// It ends.
    End,
    /// It runs at a rundown before the events.
    RundownStart,
    /// It runs at a rundown behind the events.
    RundownEnd,
}

/// A thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadRow<'a> {
    /// What happens to it.
    pub moment: ThreadMoment,
    /// Process it belongs to.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// Its addresses; not in version 0, and in version 1 not at its end.
    pub addresses: Option<ThreadAddresses>,
    /// Its name, empty where it has none; since Windows 10.
    pub name: WideText<'a>,
}

/// Addresses and priorities of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadAddresses {
    /// Highest address of the kernel stack.
    pub stack_base: u64,
    /// Lowest address of the kernel stack.
    pub stack_limit: u64,
    /// Highest address of the user stack, 0 for system threads.
    pub user_stack_base: u64,
    /// Lowest address of the user stack, 0 for system threads.
    pub user_stack_limit: u64,
    /// Where it starts; versions 1 and 2.
    pub start: Option<u64>,
    /// Processors it may run on; from version 3 on.
    pub affinity: Option<u64>,
    /// Where it starts, as the creator asked for.
    pub win32_start: u64,
    /// Thread environment block; from version 2 on.
    pub teb: Option<u64>,
    /// Tag of the service it works for; from version 2 on.
    pub service_tag: Option<u32>,
    /// Priorities and flags; from version 3 on.
    pub priorities: Option<ThreadPriorities>,
    /// Processor mode it waits in, -1 for none; version 1.
    pub wait_mode: Option<i8>,
}

/// Priorities and flags of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadPriorities {
    /// Base priority, 0 to 31.
    pub base: u8,
    /// Page priority, 0 to 7.
    pub page: u8,
    /// I/O priority, 0 to 4.
    pub io: u8,
    /// Flags.
    pub flags: u8,
}

impl ThreadAddresses {
    fn read(version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let stack_base = fields.ptr()?;
        let stack_limit = fields.ptr()?;
        let user_stack_base = fields.ptr()?;
        let user_stack_limit = fields.ptr()?;
        let fifth = fields.ptr()?;
        let win32_start = fields.ptr()?;
        let mut out = Self {
            stack_base,
            stack_limit,
            user_stack_base,
            user_stack_limit,
            start: (version < 3).then_some(fifth),
            affinity: (version >= 3).then_some(fifth),
            win32_start,
            teb: None,
            service_tag: None,
            priorities: None,
            wait_mode: None,
        };
        if version < 2 {
            out.wait_mode = Some(fields.u8()?.cast_signed());
            // The structure ends at a multiple of its pointers; the bytes hold what was there before.
            let _padding = fields.bytes(3);
            return Some(out);
        }
        out.teb = Some(fields.ptr()?);
        out.service_tag = Some(fields.u32()?);
        if version >= 3 {
            out.priorities = Some(ThreadPriorities {
                base: fields.u8()?,
                page: fields.u8()?,
                io: fields.u8()?,
                flags: fields.u8()?,
            });
        }
        Some(out)
    }
}

impl<'a> ThreadRow<'a> {
    /// Reads a row of any version. Versions 0 (u32 tid, u32 pid, in this order) and 4 (a name always) are
    /// not met in real files. Who the thread is counts most: a row that is cut behind that stays one.
    pub fn parse(moment: ThreadMoment, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let first = fields.u32()?;
        let second = fields.u32()?;
        let (pid, tid) = if version == 0 {
            (second, first)
        } else {
            (first, second)
        };
        let mut row = Self {
            moment,
            pid,
            tid,
            addresses: None,
            name: WideText::default(),
        };
        if version == 0 {
            return Some(row);
        }
        let mut rest = *fields;
        row.addresses = ThreadAddresses::read(version, &mut rest);
        if row.addresses.is_some() {
            if version >= 3 {
                row.name = rest.wide_text().unwrap_or_default();
            }
            *fields = rest;
        }
        Some(row)
    }
}

/// A processor goes from one thread to another. Thread 0 is the idle thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextSwitch {
    /// Thread that runs from now on.
    pub new_tid: u32,
    /// Thread that ran.
    pub old_tid: u32,
    /// Priority of the new thread.
    pub new_priority: i8,
    /// Priority of the old thread.
    pub old_priority: i8,
    /// Idle state the processor was in.
    pub previous_c_state: u8,
    /// Unused.
    pub spare: i8,
    /// Why the old thread waits (`KWAIT_REASON`).
    pub wait_reason: i8,
    /// Mode the old thread waits in: 0 kernel, 1 user.
    pub wait_mode: i8,
    /// State of the old thread (`KTHREAD_STATE`).
    pub old_state: i8,
    /// Processor the old thread would rather run on.
    pub ideal_processor: i8,
    /// How long the new thread waited, in clock ticks.
    pub new_wait_time: u32,
    /// Reserved.
    pub reserved: u32,
}

impl ContextSwitch {
    /// Size of the payload, at least.
    pub const SIZE: usize = 24;

    /// Reads the payload of [`hook::CONTEXT_SWITCH`], which has no pointer.
    #[inline]
    pub fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let bytes = fields.bytes(Self::SIZE)?;
        let signed = |at| u8_at(bytes, at).map(u8::cast_signed);
        Some(Self {
            new_tid: u32_at(bytes, 0)?,
            old_tid: u32_at(bytes, 4)?,
            new_priority: signed(8)?,
            old_priority: signed(9)?,
            previous_c_state: u8_at(bytes, 10)?,
            spare: signed(11)?,
            wait_reason: signed(12)?,
            wait_mode: signed(13)?,
            old_state: signed(14)?,
            ideal_processor: signed(15)?,
            new_wait_time: u32_at(bytes, 16)?,
            reserved: u32_at(bytes, 20)?,
        })
    }
}

/// A thread may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyThread {
    /// Thread.
    pub tid: u32,
    /// Why its priority is raised.
    pub adjust_reason: i8,
    /// By how much.
    pub adjust_increment: i8,
    /// Flags.
    pub flags: i8,
    /// Reserved.
    pub reserved: i8,
}

impl ReadyThread {
    /// Reads the payload of [`hook::READY`].
    #[inline]
    pub fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let bytes = fields.bytes(8)?;
        let signed = |at| u8_at(bytes, at).map(u8::cast_signed);
        Some(Self {
            tid: u32_at(bytes, 0)?,
            adjust_reason: signed(4)?,
            adjust_increment: signed(5)?,
            flags: signed(6)?,
            reserved: signed(7)?,
        })
    }
}

/// A contended spin lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpinLock {
    /// Address of the lock.
    pub lock: u64,
    /// Who takes it.
    pub caller: u64,
    /// When it was taken, in processor cycles.
    pub acquired: u64,
    /// When it was released, in processor cycles.
    pub released: u64,
    /// Cycles of waiting.
    pub wait_cycles: u32,
    /// Rounds of waiting.
    pub spins: u32,
    /// Thread.
    pub tid: u32,
    /// Interrupts in between.
    pub interrupts: u32,
    /// IRQL.
    pub irql: u8,
    /// Locks held.
    pub depth: u8,
    /// Flags.
    pub flags: u8,
}

impl SpinLock {
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let out = Self {
            lock: fields.ptr()?,
            caller: fields.ptr()?,
            acquired: fields.u64()?,
            released: fields.u64()?,
            wait_cycles: fields.u32()?,
            spins: fields.u32()?,
            tid: fields.u32()?,
            interrupts: fields.u32()?,
            irql: fields.u8()?,
            depth: fields.u8()?,
            flags: fields.u8()?,
        };
        let _reserved = fields.bytes(5);
        Some(out)
    }
}

/// The I/O priority of a thread changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoPriority {
    /// Thread.
    pub tid: u32,
    /// Priority it had.
    pub old: u8,
    /// Priority it gets.
    pub new: u8,
    /// Reserved.
    pub reserved: u16,
}

impl IoPriority {
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            tid: fields.u32()?,
            old: fields.u8()?,
            new: fields.u8()?,
            reserved: fields.u16()?,
        })
    }
}

/// A thread gets a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadName<'a> {
    /// Process it belongs to.
    pub pid: u32,
    /// Thread.
    pub tid: u32,
    /// The name.
    pub name: WideText<'a>,
}

impl<'a> ThreadName<'a> {
    fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            pid: fields.u32()?,
            tid: fields.u32()?,
            name: fields.wide_text().unwrap_or_default(),
        })
    }
}

/// An event of the thread group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadEvent<'a> {
    /// A thread and what happens to it.
    Row(ThreadRow<'a>),
    /// A processor goes from one thread to another.
    ContextSwitch(ContextSwitch),
    /// A thread may run.
    Ready(ReadyThread),
    /// A thread gets a name.
    Name(ThreadName<'a>),
    /// A contended spin lock.
    SpinLock(SpinLock),
    /// The I/O priority of a thread changes.
    IoPriority(IoPriority),
}

impl<'a> ThreadEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let moment = match hook {
            hook::CONTEXT_SWITCH => return ContextSwitch::parse(fields).map(Self::ContextSwitch),
            hook::READY => return ReadyThread::parse(fields).map(Self::Ready),
            hook::SET_NAME => return ThreadName::parse(fields).map(Self::Name),
            hook::SPIN_LOCK => return SpinLock::parse(fields).map(Self::SpinLock),
            hook::SET_IO_PRIORITY => return IoPriority::parse(fields).map(Self::IoPriority),
            hook::START => ThreadMoment::Start,
            hook::END => ThreadMoment::End,
            hook::RUNDOWN_START => ThreadMoment::RundownStart,
            hook::RUNDOWN_END => ThreadMoment::RundownEnd,
            _ => return None,
        };
        ThreadRow::parse(moment, version, fields).map(Self::Row)
    }
}

#[cfg(test)]
#[path = "thread_tests.rs"]
mod tests;
