//! Counting by key, fast for the few keys that most records have, and without a bad case for hostile ones.

use hashbrown::HashMap;
use std::hash::Hash;

/// Slots in front of the map; a trace has some dozens of keys that matter.
const SLOTS: usize = 128;

/// Counts by key.
#[derive(Debug)]
pub struct Tally<K> {
    slots: Vec<Option<(K, u64)>>,
    map: HashMap<K, u64>,
}

impl<K: Copy + Eq + Hash> Default for Tally<K> {
    fn default() -> Self {
        Self {
            slots: vec![None; SLOTS],
            map: HashMap::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Tally<K> {
    /// Counts one for `key`; `mix` chooses its slot. Whether the key was not in its slot before: every
    /// key gives `true` the first time.
    #[inline]
    pub fn add(&mut self, key: K, mix: u64) -> bool {
        let slot =
            &mut self.slots[(mix.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57) as usize % SLOTS];
        match slot {
            Some((known, count)) if *known == key => {
                *count += 1;
                false
            }
            _ => {
                if let Some((known, count)) = slot.replace((key, 1)) {
                    *self.map.entry(known).or_default() += count;
                }
                true
            }
        }
    }

    /// Counts `count` for `key`.
    pub fn add_many(&mut self, key: K, count: u64) {
        if count > 0 {
            *self.map.entry(key).or_default() += count;
        }
    }

    /// The counts.
    pub fn into_map(mut self) -> HashMap<K, u64> {
        for (key, count) in self.slots.into_iter().flatten() {
            *self.map.entry(key).or_default() += count;
        }
        self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_share_a_slot_are_all_counted() {
        let mut tally = Tally::default();
        for n in 0..1_000_u32 {
            tally.add(n % 7, 0);
            tally.add(100 + n % 3, u64::from(n % 3));
        }
        let map = tally.into_map();
        assert_eq!(map.values().sum::<u64>(), 2_000);
        assert_eq!((map[&0], map[&6], map[&100]), (143, 142, 334));
    }
}
