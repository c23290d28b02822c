//! Which records tell of one thing: an operation and its end, a callback's initiation, completion and failure.
//!
//! Addresses of IRPs and callback data are used again at once, so records pair in time order.

use crate::etl::kernel::minifilter::{CallbackAddresses, CallbackMoment, MinifilterCallback};
use crate::etl::sieve::Sieve;
use crate::trace::Phase;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// A callback of a minifilter, as all its records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackKey {
    /// Address of the routine.
    pub routine: u64,
    /// Address of the callback data.
    pub data: u64,
    /// Pre- or post-operation.
    pub phase: Phase,
}

impl CallbackKey {
    /// Of a record.
    #[inline]
    pub fn of(callback: &MinifilterCallback) -> Self {
        Self::new(callback.routine, callback.callback_data, callback.post)
    }

    /// Of the same, with less of the record read.
    #[inline]
    pub fn of_addresses(callback: &CallbackAddresses) -> Self {
        Self::new(callback.routine, callback.callback_data, callback.post)
    }

    fn new(routine: u64, data: u64, post: bool) -> Self {
        let phase = match post {
            true => Phase::Post,
            false => Phase::Pre,
        };
        Self {
            routine,
            data,
            phase,
        }
    }

    /// One number for it, which hardly any other has.
    #[inline]
    pub fn mark(&self) -> u64 {
        let mixed = self
            .data
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29);
        let mixed = mixed ^ self.routine ^ u64::from(self.phase == Phase::Post) << KERNEL;
        mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }
}

/// The bit that addresses in a kernel all have.
const KERNEL: u32 = 63;

impl Hash for CallbackKey {
    /// The phase is told by a bit that addresses in a kernel all have.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.routine ^ u64::from(self.phase == Phase::Post) << KERNEL);
        state.write_u64(self.data);
    }
}

/// What a minifilter record says of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackSign {
    /// It begins.
    Init,
    /// It is done.
    Completion,
    /// It refused.
    Failure,
}

impl From<CallbackMoment> for CallbackSign {
    fn from(moment: CallbackMoment) -> Self {
        match moment {
            CallbackMoment::Init => Self::Init,
            CallbackMoment::Completion => Self::Completion,
            CallbackMoment::Failure => Self::Failure,
        }
    }
}

/// Whether a callback has begun and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known of it.
    Unknown,
    /// It has begun.
    Open,
    /// It has begun and ended.
    Closed,
}

/// A record that others join: `R` is how the caller knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open<R> {
    first: R,
    completed: bool,
    failed: bool,
}

/// How long after the end of a callback its failure record may come, in units of time keys: 0.1 s by the usual clock.
pub const SOON: i64 = 1_000_000;
/// Callbacks that ended so recently, at most.
const RECENT: usize = 4_096;
/// Operations and callbacks that can be open at a time. A machine has some thousands; a trace whose ends were not
/// recorded would keep all.
const MOST_OPEN: usize = 1 << 20;

/// What is open at a moment; `None` for what was open and has been closed.
#[derive(Debug, Clone)]
pub struct Pairing<R> {
    operations: HashMap<u64, Option<R>>,
    callbacks: HashMap<CallbackKey, Option<Open<R>>>,
    recent: VecDeque<(i64, CallbackKey, Open<R>)>,
}

impl<R> Default for Pairing<R> {
    fn default() -> Self {
        Self {
            operations: HashMap::new(),
            callbacks: HashMap::new(),
            recent: VecDeque::new(),
        }
    }
}

impl<R: Copy> Pairing<R> {
    /// With room for what a slice usually has.
    pub fn for_slice() -> Self {
        Self {
            operations: HashMap::with_capacity(1 << 9),
            callbacks: HashMap::with_capacity(1 << 9),
            recent: VecDeque::new(),
        }
    }

    /// An operation begins with this IRP. Without one nothing can be told of its end.
    #[inline]
    pub fn start(&mut self, irp: u64, record: R) {
        if irp != 0 && self.operations.len() < MOST_OPEN {
            self.operations.insert(irp, Some(record));
        }
    }

    /// The operation that has this IRP.
    #[inline]
    pub fn operation(&self, irp: u64) -> Option<R> {
        self.operations.get(&irp).copied().flatten()
    }

    /// IRPs of all operations, also of those that have ended.
    pub fn irps(&self) -> impl Iterator<Item = u64> + '_ {
        self.operations.keys().copied()
    }

    /// All operations that have not ended.
    pub fn open_operations(&self) -> impl Iterator<Item = (u64, R)> + '_ {
        let open = self.operations.iter();
        open.filter_map(|(irp, operation)| Some((*irp, (*operation)?)))
    }

    /// What is known of this IRP: `None` nothing, `Some(None)` that its operation has ended.
    #[inline]
    pub fn known(&self, irp: u64) -> Option<Option<R>> {
        self.operations.get(&irp).copied()
    }

    /// The operation with this IRP ends; which it was.
    #[inline]
    pub fn end(&mut self, irp: u64) -> Option<R> {
        match self.operations.get_mut(&irp) {
            Some(operation) => operation.take(),
            None => {
                if self.operations.len() < MOST_OPEN {
                    self.operations.insert(irp, None);
                }
                None
            }
        }
    }

    /// A record of a callback at `time`: the first record of the same callback, or `None` if this is the first.
    #[inline]
    pub fn callback(
        &mut self,
        key: CallbackKey,
        sign: CallbackSign,
        time: i64,
        record: R,
    ) -> Option<R> {
        let first = self.join(key, sign, time);
        if first.is_none() {
            self.open(key, sign, time, record);
        }
        first
    }

    /// The same, with how the callback stood before.
    #[inline]
    pub fn callback_stood(
        &mut self,
        key: CallbackKey,
        sign: CallbackSign,
        time: i64,
        record: R,
    ) -> (Standing, Option<R>) {
        let (standing, first) = self.join_stood(key, sign, time);
        if first.is_none() {
            self.open(key, sign, time, record);
        }
        (standing, first)
    }

    /// The first record of the callback that a further record belongs to.
    #[inline]
    pub fn join(&mut self, key: CallbackKey, sign: CallbackSign, time: i64) -> Option<R> {
        match sign {
            CallbackSign::Init => None,
            _ => self.join_stood(key, sign, time).1,
        }
    }

    fn join_stood(
        &mut self,
        key: CallbackKey,
        sign: CallbackSign,
        time: i64,
    ) -> (Standing, Option<R>) {
        let standing = match self.callbacks.get_mut(&key) {
            None => Standing::Unknown,
            Some(None) => Standing::Closed,
            Some(entry @ Some(_)) => {
                let Some(open) = entry else {
                    return (Standing::Open, None);
                };
                let seen = match sign {
                    CallbackSign::Failure => &mut open.failed,
                    _ => &mut open.completed,
                };
                if std::mem::replace(seen, true) {
                    return (Standing::Open, None);
                }
                let open = *open;
                if open.completed {
                    *entry = None;
                    if !open.failed {
                        self.remember(time, key, open);
                    }
                }
                return (Standing::Open, Some(open.first));
            }
        };
        (standing, self.join_recent(key, sign, time))
    }

    /// The same among callbacks that are done.
    pub fn join_recent(&mut self, key: CallbackKey, sign: CallbackSign, time: i64) -> Option<R> {
        if sign != CallbackSign::Failure {
            return None;
        }
        let found = self
            .recent
            .iter()
            .rposition(|(_, known, _)| *known == key)?;
        if time.saturating_sub(self.recent[found].0) > SOON {
            return None;
        }
        self.recent.remove(found).map(|(_, _, open)| open.first)
    }

    /// Whether an operation with this IRP has begun or ended.
    #[inline]
    pub fn knows_operation(&self, irp: u64) -> bool {
        self.known(irp).is_some()
    }

    /// The first record of a callback.
    #[inline]
    pub fn open(&mut self, key: CallbackKey, sign: CallbackSign, time: i64, record: R) {
        let open = Open {
            first: record,
            completed: sign == CallbackSign::Completion,
            failed: sign == CallbackSign::Failure,
        };
        if open.completed {
            self.remember(time, key, open);
        } else if self.callbacks.len() < MOST_OPEN {
            self.callbacks.insert(key, Some(open));
        }
    }

    fn remember(&mut self, time: i64, key: CallbackKey, open: Open<R>) {
        let old = |(then, ..): &(i64, CallbackKey, Open<R>)| time.saturating_sub(*then) > SOON;
        while self.recent.len() >= RECENT || self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
        self.recent.push_back((time, key, open));
    }

    /// Gives up a callback that turned out to be a part of another one.
    pub fn forget(&mut self, key: CallbackKey, is_it: impl Fn(&R) -> bool) {
        let open = self.callbacks.get(&key).copied().flatten();
        if open.is_some_and(|open| is_it(&open.first)) {
            self.callbacks.remove(&key);
        }
        self.recent
            .retain(|(_, known, open)| *known != key || !is_it(&open.first));
    }

    /// Nothing is open any more of operations with these IRPs and of callbacks with these marks.
    pub fn settle(&mut self, irps: impl Iterator<Item = u64>, marks: &[u64]) {
        if !self.operations.is_empty() {
            for irp in irps {
                self.operations.remove(&irp);
            }
        }
        if self.callbacks.is_empty() {
            return;
        }
        let mut open = Sieve::default();
        for key in self.callbacks.keys() {
            open.add(key.mark());
        }
        let closed = marks.iter().copied().filter(|mark| open.may_hold(*mark));
        let closed: HashSet<u64> = closed.collect();
        if !closed.is_empty() {
            self.callbacks
                .retain(|key, _| !closed.contains(&key.mark()));
        }
    }

    /// Goes on to the end of a later stretch of time, which was looked at by itself.
    pub fn take_over(&mut self, later: Self) {
        for (irp, operation) in later.operations {
            match operation {
                Some(_) => self.operations.insert(irp, operation),
                None => self.operations.remove(&irp),
            };
        }
        for (key, open) in later.callbacks {
            match open {
                Some(_) => self.callbacks.insert(key, open),
                None => self.callbacks.remove(&key),
            };
        }
        for (time, key, open) in later.recent {
            self.remember(time, key, open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallbackSign::{Completion, Failure, Init};

    const KEY: CallbackKey = CallbackKey {
        routine: 1,
        data: 2,
        phase: Phase::Pre,
    };

    /// For each record the number of the one it joins.
    fn joined(signs: &[CallbackSign]) -> Vec<Option<usize>> {
        let mut pairing = Pairing::default();
        signs
            .iter()
            .enumerate()
            .map(|(at, sign)| pairing.callback(KEY, *sign, at as i64, at))
            .collect()
    }

    #[test]
    fn the_records_of_a_callback_come_in_any_order() {
        assert_eq!(joined(&[Init, Completion]), [None, Some(0)]);
        assert_eq!(
            joined(&[Init, Failure, Completion]),
            [None, Some(0), Some(0)]
        );
        assert_eq!(
            joined(&[Init, Completion, Failure]),
            [None, Some(0), Some(0)]
        );
        assert_eq!(
            joined(&[Init, Completion, Init, Completion, Failure]),
            [None, Some(0), None, Some(2), Some(2)]
        );
        assert_eq!(joined(&[Init, Init, Completion]), [None, None, Some(1)]);
    }

    #[test]
    fn what_was_not_traced_is_not_needed() {
        assert_eq!(joined(&[Completion, Completion]), [None, None]);
        assert_eq!(
            joined(&[Completion, Failure, Completion]),
            [None, Some(0), None]
        );
        assert_eq!(
            joined(&[Failure, Completion, Failure]),
            [None, Some(0), None]
        );
        assert_eq!(joined(&[Failure, Failure]), [None, None]);
    }

    #[test]
    fn operations_end_once() {
        let mut pairing = Pairing::default();
        pairing.start(7, 1);
        pairing.start(0, 2);
        assert_eq!(
            (pairing.operation(7), pairing.operation(0)),
            (Some(1), None)
        );
        assert_eq!((pairing.end(7), pairing.end(7)), (Some(1), None));
        let mut later = Pairing::default();
        later.start(7, 3);
        pairing.start(7, 2);
        pairing.take_over(later);
        assert_eq!(pairing.end(7), Some(3));
    }
}
