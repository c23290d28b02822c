//! Call stacks of records, in full or by key.

use super::options::Stacks;
use super::pool::{Of, Pools};
use super::recorder::{Actor, Recorder};
use crate::etl::event::{Event, Stack};
use crate::pml::Bits;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Keys the kernel keeps; then the one that was used longest ago goes.
const KEPT: usize = 240;
/// A key goes a little before the event that needs its place.
const BEFORE: u64 = 20;

#[derive(Debug)]
struct Key {
    id: u32,
    address: u64,
    last_use: u64,
}

/// Keys of the stacks seen.
#[derive(Debug, Default)]
pub(super) struct StackKeys {
    keys: HashMap<Vec<u64>, Key>,
    by_use: BTreeMap<(u64, u32), Vec<u64>>,
    next: u32,
    /// Keys whose end, with their frames, is in the trace.
    ended: HashSet<u32>,
}

impl StackKeys {
    /// The key of these frames; a key that had to go is returned with its frames.
    fn key(
        &mut self,
        pools: &mut Pools,
        frames: &[u64],
        now: u64,
        last_use: u64,
    ) -> (u32, u64, Option<(u64, Vec<u64>)>) {
        if let Some(key) = self.keys.get_mut(frames) {
            let before = key.last_use;
            key.last_use = before.max(last_use);
            let (id, address) = (key.id, key.address);
            if let Some(frames) = self.by_use.remove(&(before, id)) {
                self.by_use.insert((before.max(last_use), id), frames);
            }
            return (id, address, None);
        }
        let mut gone = None;
        let oldest = self.by_use.first_key_value().map(|(k, _)| *k);
        if let Some((used, id)) = oldest
            && self.keys.len() >= KEPT
            && used + 2 * BEFORE < now
            && let Some(old) = self.by_use.remove(&(used, id))
            && let Some(key) = self.keys.remove(&old)
        {
            self.ended.insert(id);
            gone = Some((key.address, old));
        }
        let address = match &gone {
            Some((address, _)) => *address,
            None => pools.take(Of::StackKey),
        };
        let id = self.next;
        self.next += 1;
        self.by_use.insert((last_use, id), frames.to_vec());
        let key = Key {
            id,
            address,
            last_use,
        };
        self.keys.insert(frames.to_vec(), key);
        (id, address, gone)
    }

    /// The frames of this key are in the trace even if it has no end.
    pub(super) fn is_defined(&self, id: u32) -> bool {
        self.ended.contains(&id)
    }

    /// The keys left, in the order of their last use.
    pub(super) fn left(&self) -> Vec<(u64, Vec<u64>)> {
        let frames = self.by_use.values();
        frames
            .filter_map(|f| self.keys.get(f).map(|key| (key.address, f.clone())))
            .collect()
    }
}

/// The kernel's half of a stack.
pub(super) fn kernel_part(bits: Bits, stack: &[u64]) -> usize {
    let lowest = match bits {
        Bits::B64 => 0xFFFF_8000_0000_0000,
        Bits::B32 => 0x8000_0000,
    };
    stack.iter().take_while(|a| **a >= lowest).count()
}

impl Recorder<'_> {
    /// Writes the stack of the record at `of`; with keys, the key of the kernel's half.
    pub(super) fn stack(&mut self, cpu: u16, of: u64, by: Actor, stack: &[u64]) -> Option<u32> {
        if self.options.stacks == Stacks::None || stack.is_empty() {
            return None;
        }
        let split = kernel_part(self.bits, stack);
        let mut kernel_key = None;
        let (kernel, user) = stack.split_at(split);
        // The kernel's half comes at once, the user's when the thread goes back there.
        let later = 3 + self.rng.below(2_000);
        for (is_user, frames, at) in [(false, kernel, of + 1), (true, user, of + later)] {
            if frames.is_empty() {
                continue;
            }
            let Actor { pid, tid, .. } = by;
            if self.options.stacks == Stacks::Plain {
                let event = Stack::Plain {
                    of,
                    pid,
                    tid,
                    frames,
                };
                self.put(cpu, at, by, Event::Stack(event));
                continue;
            }
            let now = self.now;
            let (id, key, gone) = self.stack_keys.key(&mut self.pools, frames, now, at);
            if let Some((address, frames)) = gone {
                // Every use of the key's next stack is later, whatever comes next.
                let event = Event::Stack(Stack::KeyDelete(address, &frames));
                self.put(cpu, now - BEFORE, Actor::NOBODY, event);
            }
            if !is_user {
                kernel_key = Some(id);
            }
            let event = Stack::Reference {
                user: is_user,
                of,
                pid,
                tid,
                key,
            };
            self.put(cpu, at, by, Event::Stack(event));
        }
        kernel_key
    }
}
