//! The stacks of a slice, by the event they belong to.
//!
//! A stack names its event by time stamp and thread: equal for all of 23,762 stacks of two real traces.

use crate::etl::dictionary::collect::is_kernel;
use crate::etl::dictionary::stacks::StackKeys;
use crate::etl::kernel::Fields;
use crate::etl::kernel::stack::StackEvent;
use crate::etl::record::Record;

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

/// Stacks in order of their events.
#[derive(Debug, Default)]
pub struct SliceStacks<'a> {
    rows: Vec<Row<'a>>,
}

impl<'a> SliceStacks<'a> {
    /// Adds a stack record (0x1820, 0x1825, 0x1826), written at `written` (a key).
    #[inline]
    pub fn add(&mut self, hook: u16, record: &Record<'a>, written: i64) {
        let mut fields = Fields::new(record.payload(), record.wide());
        let Some(stack) = StackEvent::parse(hook, 0, &mut fields) else {
            return;
        };
        let (event, tid, user) = match &stack {
            StackEvent::Stack(stack) => {
                let first = stack.frames.iter().next();
                let user = first.is_some_and(|frame| !is_kernel(frame, record.wide()));
                (stack.event_time, stack.tid, user)
            }
            StackEvent::Reference(reference) => {
                (reference.event_time, reference.tid, reference.user)
            }
            StackEvent::Key(_) => return,
        };
        self.rows.push(Row {
            event,
            tid,
            user,
            written,
            wide: record.wide(),
            stack,
        });
    }

    /// Puts the stacks in order; without this nothing is found.
    pub fn finish(&mut self) {
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
