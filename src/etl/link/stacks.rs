//! The stacks of a slice, by the event they belong to.
//!
//! A stack names its event by time stamp and thread: equal for all of 23,762 stacks of two real traces.

use crate::bytes::ptr_at;
use crate::etl::dictionary::collect::is_kernel;
use crate::etl::dictionary::stacks::StackKeys;
use crate::etl::gather::{Position, Slots};
use crate::etl::kernel::Fields;
use crate::etl::kernel::stack::StackEvent;
use crate::etl::record::Record;
use crate::etl::sieve::Sieve;
use hashbrown::HashSet;

/// The user part of a stack, by its key.
pub const USER_STACK_REFERENCE: u16 = 0x1826;
/// A part of a stack, frame by frame.
const STACK: u16 = 0x1820;
/// Where its frames begin: behind time stamp, process and thread.
const FRAMES: usize = 16;

/// Whether a stack record is the user part of a stack.
#[inline]
pub fn is_user_part(hook: u16, payload: &[u8], wide: bool) -> bool {
    match hook {
        STACK => ptr_at(payload, FRAMES, wide).is_some_and(|frame| !is_kernel(frame, wide)),
        hook => hook == USER_STACK_REFERENCE,
    }
}

/// A stack and its event.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    /// Time stamp of the event, in ticks.
    event: i64,
    tid: u32,
    /// User part of a stack: it comes behind the kernel part.
    user: bool,
    /// When the stack was written, as a key.
    written: i64,
    wide: bool,
    stack: StackEvent<'a>,
}

/// A stack record that has not been looked into: the time stamp of its event, in ticks, and where it is. Small, for a
/// slice has thousands, and few are asked for.
type Noted = (i64, Position);

/// The events whose stacks are needed.
#[derive(Debug)]
pub enum Needed<'t> {
    /// All.
    All,
    /// Those with these time stamps, in ticks.
    These(&'t HashSet<i64>, Sieve),
}

impl<'t> Needed<'t> {
    /// The stacks of events with these time stamps.
    pub fn these(ticks: &'t HashSet<i64>) -> Self {
        let mut sieve = Sieve::default();
        ticks.iter().for_each(|ticks| sieve.add(*ticks as u64));
        Self::These(ticks, sieve)
    }

    #[inline]
    fn holds(&self, ticks: i64) -> bool {
        match self {
            Self::All => true,
            Self::These(these, sieve) => sieve.may_hold(ticks as u64) && these.contains(&ticks),
        }
    }
}

/// Stacks in order of their events.
#[derive(Debug, Default)]
pub struct SliceStacks<'a> {
    noted: Vec<Noted>,
    rows: Vec<Row<'a>>,
    /// The events of `rows`: most have no stack.
    events: Sieve,
}

impl<'a> SliceStacks<'a> {
    /// With space for what is noted.
    pub fn with(noted: Vec<Noted>) -> Self {
        Self {
            noted,
            ..Self::default()
        }
    }

    /// Notes a stack record (0x1820, 0x1825, 0x1826) of the event at `event` (ticks). Few are asked for in the end: the
    /// rest is not looked into.
    #[inline]
    pub fn note(&mut self, event: i64, position: Position) {
        self.noted.push((event, position));
    }

    /// What was noted.
    pub fn into_noted(self) -> Vec<Noted> {
        self.noted
    }

    fn add(&mut self, hook: u16, record: Record<'a>, written: i64) {
        let mut fields = Fields::new(record.payload(), record.wide());
        let Some(stack) = StackEvent::parse(hook, 0, &mut fields) else {
            return;
        };
        let (event, tid, user) = match &stack {
            StackEvent::Stack(stack) => {
                let user = is_user_part(hook, record.payload(), record.wide());
                (stack.event_time, stack.tid, user)
            }
            StackEvent::Reference(reference) => {
                (reference.event_time, reference.tid, reference.user)
            }
            StackEvent::Key(_) => return,
        };
        self.events.add(event as u64);
        self.rows.push(Row {
            event,
            tid,
            user,
            written,
            wide: record.wide(),
            stack,
        });
    }

    /// Takes the stacks of the events whose ticks are `needed`, and puts them in order; others are not found. `written`
    /// gives the key of a time stamp by its buffer.
    pub fn finish(
        &mut self,
        slots: &Slots<'a>,
        needed: Needed<'_>,
        written: impl Fn(u32, i64) -> i64,
    ) {
        for at in 0..self.noted.len() {
            let (event, position) = self.noted[at];
            if needed.holds(event)
                && let Some(placed) = slots.at(position)
                && let Some(hook) = placed.hook
            {
                let written = written(placed.buffer, placed.ticks);
                self.add(hook.id, placed.record, written);
            }
        }
        self.rows.sort_by_key(|row| (row.event, row.tid, row.user));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends the frames of the event at `ticks` on thread `tid`, innermost first, to `out`; without user parts where
    /// only the `kernel` part is wanted. An event whose thread is not known takes what has its time.
    pub fn push(
        &self,
        ticks: i64,
        tid: Option<u32>,
        kernel: bool,
        keys: &StackKeys,
        out: &mut Vec<u64>,
    ) {
        if !self.events.may_hold(ticks as u64) {
            return;
        }
        let from = self
            .rows
            .partition_point(|row| (row.event, row.tid) < (ticks, tid.unwrap_or(0)));
        let mine = self.rows[from..]
            .iter()
            .take_while(|row| row.event == ticks && tid.is_none_or(|tid| row.tid == tid));
        for row in mine {
            if kernel && row.user {
                continue;
            }
            let start = out.len();
            match &row.stack {
                StackEvent::Stack(stack) => out.extend(stack.frames.iter()),
                StackEvent::Reference(reference) => {
                    keys.push(reference.key, row.written, out);
                }
                StackEvent::Key(_) => {}
            }
            if kernel {
                let mut kept = start;
                for at in start..out.len() {
                    if is_kernel(out[at], row.wide) {
                        out[kept] = out[at];
                        kept += 1;
                    }
                }
                out.truncate(kept);
            }
        }
    }
}
