//! What records of a hook tell, found out once for each form of record.

use crate::etl::kernel::minifilter::{CallbackMoment, timed_len};
use crate::etl::keys::{StartAt, is_stack, start_at};
use crate::etl::record::Hook;

/// What kernel records of one form tell. Most tell nothing but times, which are read from the same places in all of them:
/// to ask first what a record is costs more than that, for no processor can guess it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tells {
    /// Where in the record it says when what it tells of began; its time stamp where it does not.
    pub(super) began_at: u16,
    /// The record has so many bytes, or does not say it.
    pub(super) began_least: u16,
    /// Where in the record the time stamp of another stands that it is the stack of; its own where it is none.
    pub(super) event_at: u16,
    /// Whether there is more than times.
    pub(super) more: More,
    /// Where in the record the routine of a callback stands, which begins or ends; 0 in other records.
    pub(super) routine_at: u16,
    /// With so many bytes a time stands in front of the routine.
    pub(super) timed_least: u16,
    /// Whether the callback ends.
    pub(super) ends: bool,
}

/// What a record tells besides times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum More {
    /// Nothing.
    #[default]
    Nothing,
    /// That operations have stacks, as an operation or as a stack: once that is known, nothing.
    Stacks,
    /// A span of time, or facts.
    Facts,
}

/// A file or registry operation.
pub(super) fn is_operation(hook: u16) -> bool {
    matches!(hook, 0x0440..=0x0452 | 0x090A..=0x0915 | 0x091A..=0x091D)
}

/// A deletion, a rename or a hard link, of which two records tell.
pub(super) fn is_told_twice(hook: u16) -> bool {
    matches!(hook, 0x0446 | 0x0447 | 0x044F..=0x0452)
}

impl Tells {
    /// For records of a hook whose payload lies at `header` and whose time stamp at `time_at`.
    pub(super) fn of(hook: Hook, wide: bool, header: u16, time_at: u16) -> Self {
        let (began_at, began_least, span) = match start_at(hook, wide) {
            StartAt::Nowhere => (time_at, 0, false),
            StartAt::First(least) => (header, header + u16::from(least), false),
            StartAt::Span(_) => (time_at, 0, true),
        };
        let moment = CallbackMoment::of_hook(hook.id).map(|(moment, _)| moment);
        let moment = moment.filter(|moment| *moment != CallbackMoment::Failure);
        Self {
            began_at,
            began_least,
            event_at: if is_stack(hook.id) { header } else { time_at },
            more: match hook.id {
                _ if span => More::Facts,
                id if has_facts(id) || is_told_twice(id) => More::Facts,
                id if is_operation(id) || is_stack(id) => More::Stacks,
                _ => More::Nothing,
            },
            routine_at: if moment.is_some() { header } else { 0 },
            timed_least: header + timed_len(wide),
            ends: moment == Some(CallbackMoment::Completion),
        }
    }

    /// The same where nobody asks for sums over the whole trace: of callbacks by routine, of samples, of handles.
    pub(super) fn without_sums(self, hook: u16) -> Self {
        let sums = matches!(hook, 0x0F2E | 0x0F48..=0x0F4A | 0x1120..=0x1127);
        Self {
            routine_at: 0,
            more: if sums { More::Nothing } else { self.more },
            ..self
        }
    }

    /// The same of records that tell more than times in any case.
    pub(super) fn always(self) -> Self {
        Self {
            more: More::Facts,
            ..self
        }
    }
}

/// Hooks that facts are read from.
fn has_facts(hook: u16) -> bool {
    matches!(
        hook,
        0x0301..=0x0304
            | 0x0327
            | 0x030A
            | 0x1402..=0x1404
            | 0x0400
            | 0x0420
            | 0x0423
            | 0x0424
            | 0x0464
            | 0x0465
            | 0x0501..=0x0504
            | 0x0916..=0x0919
            | 0x0B0A..=0x0B25
            | 0x0F2E
            | 0x0F48..=0x0F4A
            | 0x1120..=0x1127
            | 0x1822..=0x1824
    )
}
