//! Which records of a slice are needed for the rows that are wanted.

use super::reach::{Reach, Seen};
use super::switches::Switches;
use crate::etl::classes::class_of;
use crate::etl::forms::Form;
use crate::etl::gather::{Choose, Entries, Order, Place, Space, hook_of};
use crate::etl::kernel::thread::ContextSwitch;
use crate::etl::keys::{StartAt, is_stack, placing_start_at};
use crate::etl::link::stacks::SliceStacks;
use crate::etl::record::{Hook, Record};
use crate::etl::slices::Slice;
use crate::etl::trace::EtlTrace;
use crate::trace::{Class, Select};

/// Chooses records, and notes the stacks among them.
pub struct Choice<'t, 'a> {
    trace: &'t EtlTrace,
    slice: &'t Slice,
    select: &'t Select<'t>,
    with_stacks: bool,
    /// Whether file operations or callbacks are wanted.
    files: bool,
    /// What was taken.
    pub entries: Entries,
    /// Context switches that are not wanted as rows.
    pub switches: Switches,
    /// Stacks.
    pub stacks: SliceStacks<'a>,
    /// What of the file operations and callbacks may be wanted.
    pub reach: Option<Reach<'t>>,
}

/// What records of a form are to [`Choice`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Care {
    stack: bool,
    take: bool,
    /// A context switch, of which only the new thread matters.
    switch: bool,
    start: StartAt,
    seen: Seen,
}

/// Whether file operations or callbacks are wanted.
pub fn reads_files(select: &Select<'_>) -> bool {
    let wants = |class| select.classes.is_empty() || select.classes.contains(&class);
    wants(Class::FileSystem) || wants(Class::Minifilter)
}

impl<'t> Choice<'t, '_> {
    /// For a slice: `select` with whether stacks are wanted.
    pub fn new(
        trace: &'t EtlTrace,
        slice: &'t Slice,
        (select, with_stacks): (&'t Select<'t>, bool),
        reach: Option<Reach<'t>>,
        space: &mut Space<'_>,
    ) -> Self {
        Self {
            trace,
            slice,
            select,
            with_stacks,
            files: reads_files(select),
            entries: space.entries(reach.is_some()),
            switches: Switches::default(),
            stacks: SliceStacks::default(),
            reach,
        }
    }

    fn wants(&self, class: Class) -> bool {
        self.select.classes.is_empty() || self.select.classes.contains(&class)
    }

    fn care(&self, hook: Hook, wide: bool) -> Care {
        // Others are understood by these.
        let wanted = self.wants(class_of(hook.id));
        let switch = hook.id == 0x0524;
        let tells = switch || self.files && matches!(hook.id, 0x0440..=0x0452);
        Care {
            stack: self.with_stacks && is_stack(hook.id),
            take: tells || wanted,
            switch: switch && !wanted,
            start: placing_start_at(hook, wide, self.trace.facts().callback_starts),
            seen: Seen::of(hook.id),
        }
    }

    #[inline]
    fn see(&mut self, place: Place, (care, hook): (Care, Hook), ticks: i64, record: &Record<'_>) {
        if care.stack
            && let Some(event) = crate::bytes::i64_at(record.payload(), 0)
            && self.slice.holds(self.trace.key(place.buffer, event))
        {
            self.stacks.note(event, place.position());
        }
        if !care.take {
            return;
        }
        let start = care.start.of(record.payload(), ticks).unwrap_or(ticks);
        let start = self.trace.key(place.buffer, start);
        if !self.slice.holds(start) {
            return;
        }
        if care.switch {
            let new_tid = crate::bytes::u32_at(record.payload(), 0);
            if let (Some(tid), true) = (new_tid, record.payload().len() >= ContextSwitch::SIZE) {
                self.switches.add(Order::of(start, place), place.cpu, tid);
            }
            return;
        }
        match &mut self.reach {
            None => self.entries.take(start, place),
            Some(reach) => {
                if let Some(number) = reach.see((care.seen, hook), record, (start, ticks), place) {
                    self.entries.take_with(start, place, number);
                }
            }
        }
    }
}

impl<'a> Choice<'_, 'a> {
    fn other(&mut self, place: Place, record: &Record<'a>) {
        // A record without a time goes where its buffer begins.
        let ticks = record.time();
        let ticks = ticks.unwrap_or_else(|| self.trace.buffer_start(place.buffer as usize));
        if let Some(hook) = hook_of(record) {
            let care = self.care(hook, record.wide());
            self.see(place, (care, hook), ticks, record);
        } else if self.wants(Class::Event) {
            let start = self.trace.key(place.buffer, ticks);
            if self.slice.holds(start) {
                self.entries.take(start, place);
            }
        }
    }
}

/// Selections that one reading can serve.
pub const AT_ONCE: usize = 3;

/// Chooses for several selections, [`AT_ONCE`] at most.
pub struct Choices<'t, 'a>(pub Vec<Choice<'t, 'a>>);

impl<'a> Choose<'a> for Choices<'_, 'a> {
    type Care = [Care; AT_ONCE];

    fn meet(&mut self, form: &Form<()>) -> Self::Care {
        let mut out = Self::Care::default();
        for (choice, out) in self.0.iter().zip(&mut out) {
            let care = choice.care(form.hook, form.wide());
            if care.stack || care.take {
                *out = care;
            }
        }
        out
    }

    #[inline(always)]
    fn kernel(&mut self, place: Place, form: &Form<Self::Care>, ticks: i64, record: Record<'a>) {
        for (choice, care) in self.0.iter_mut().zip(form.care) {
            if care.seen == Seen::Callback
                && let Some(Reach::Noted(noted)) = &choice.reach
                && noted.passes_over(form.hook, &record)
            {
                continue;
            }
            if care.stack || care.take {
                choice.see(place, (care, form.hook), ticks, &record);
            }
        }
    }

    fn other(&mut self, place: Place, record: Record<'a>) {
        for choice in &mut self.0 {
            choice.other(place, &record);
        }
    }
}
