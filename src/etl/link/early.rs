//! Callbacks that run before the create they are called for is logged: until then their FileObject has no path, or that
//! of another file.

use super::pairing::CallbackKey;
use crate::trace::Phase;
use hashbrown::HashMap;

/// Major function of an open.
const IRP_MJ_CREATE: u32 = 0;
/// Callbacks that wait for one create: no machine has so many filters. Of more, the last are kept.
const MOST_WAITING: usize = 64;
/// IRPs for which callbacks wait at a time.
const MOST_IRPS: usize = 1 << 16;

/// A callback that waits: `R` is how the caller knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting<R> {
    /// The callback.
    pub callback: R,
    /// Its FileObject.
    pub object: u64,
    /// Whether something was known of the IRP in the stretch of time that was looked at.
    pub known: bool,
}

/// Callbacks that wait for their create, by IRP.
#[derive(Debug)]
pub struct Early<R> {
    waiting: HashMap<u64, Vec<Waiting<R>>>,
}

impl<R> Default for Early<R> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
        }
    }
}

/// Whether a callback that is called for no operation that is known may be one of a create that is still to come.
#[inline]
pub fn may_be_early(key: CallbackKey, major_function: u32) -> bool {
    key.phase == Phase::Pre && major_function == IRP_MJ_CREATE
}

impl<R: Copy> Early<R> {
    /// A callback waits.
    pub fn add(&mut self, irp: u64, waiting: Waiting<R>) {
        if irp == 0 || self.waiting.len() >= MOST_IRPS && !self.waiting.contains_key(&irp) {
            return;
        }
        let list = self.waiting.entry(irp).or_default();
        if list.len() >= MOST_WAITING {
            list.remove(0);
        }
        list.push(waiting);
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether any waits for this IRP.
    #[inline]
    pub fn waits(&self, irp: u64) -> bool {
        self.waiting.contains_key(&irp)
    }

    /// Those that waited for this IRP: whatever happens to it now, they wait no longer.
    #[inline]
    pub fn take(&mut self, irp: u64) -> Vec<Waiting<R>> {
        match self.waiting.is_empty() {
            true => Vec::new(),
            false => self.waiting.remove(&irp).unwrap_or_default(),
        }
    }

    /// Looks at every IRP: `goes` tells whether its callbacks wait no longer.
    pub fn sweep(&mut self, mut goes: impl FnMut(u64, &[Waiting<R>]) -> bool) {
        self.waiting.retain(|irp, list| !goes(*irp, list));
    }

    /// Looks at all that wait.
    pub fn each(&self, mut see: impl FnMut(&Waiting<R>)) {
        self.waiting.values().flatten().for_each(&mut see);
    }

    /// All that wait, by IRP, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, Waiting<R>)> {
        let lists = std::mem::take(&mut self.waiting).into_iter();
        lists.flat_map(|(irp, list)| list.into_iter().map(move |waiting| (irp, waiting)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_wait_by_irp() {
        let mut early = Early::default();
        let waiting = |callback| Waiting {
            callback,
            object: 1,
            known: false,
        };
        for callback in 0..100 {
            early.add(7, waiting(callback));
        }
        early.add(0, waiting(0));
        early.add(8, waiting(1));
        let taken = early.take(7);
        assert_eq!((taken.len(), taken[0].callback), (MOST_WAITING, 36));
        assert!(early.take(7).is_empty());
        early.sweep(|irp, list| irp == 8 && list.len() == 1);
        assert_eq!(early.drain().count(), 0);
    }
}
