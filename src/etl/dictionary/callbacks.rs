//! Callbacks of minifilters, counted and added up by their routines.

use crate::trace::AddressMap;
use crate::trace::Filetime;
use hashbrown::HashMap;

/// What the callbacks of a routine come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallbackSum {
    /// Initiations. They are counted where a trace records no ends of callbacks, else only some are.
    pub begun: u64,
    /// Ends.
    pub ended: u64,
    /// Ends that say when the callback began.
    pub timed: u64,
    /// Callbacks that refused.
    pub refused: u64,
    /// Time in all, in units of time keys (see [`TimeKey`](crate::etl::keys::TimeKey)).
    pub time: u64,
    /// The longest, in the same.
    pub longest: u64,
}

impl CallbackSum {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.begun += other.begun;
        self.ended += other.ended;
        self.timed += other.timed;
        self.refused += other.refused;
        self.time = self.time.saturating_add(other.time);
        self.longest = self.longest.max(other.longest);
    }

    /// How many callbacks there were, in a trace that records ends of callbacks or not.
    pub fn count(&self, ends: bool) -> u64 {
        match ends {
            true => self.ended,
            false => self.begun,
        }
    }
}

/// Places for routines that were met lately. All filters of a machine together have some hundreds.
const PLACES: usize = 512;
/// Routines that are told apart; a damaged trace has any.
const MOST: usize = 1 << 16;

/// Callbacks by address of their routine.
#[derive(Debug, Default)]
pub struct Callbacks {
    /// What was met lately: to ask the map of a record each would take as long as all else that is done with it.
    lately: Vec<(u64, CallbackSum)>,
    sums: HashMap<u64, CallbackSum>,
    /// Those of routines that found no room.
    others: CallbackSum,
}

impl Callbacks {
    /// What is known of a routine, to be added to.
    #[inline(always)]
    pub fn of(&mut self, routine: u64) -> &mut CallbackSum {
        if self.lately.is_empty() {
            self.lately.resize(PLACES, (0, CallbackSum::default()));
        }
        let at = (routine.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize % PLACES;
        if self.lately[at].0 != routine {
            self.make_place(at, routine);
        }
        &mut self.lately[at].1
    }

    #[cold]
    fn make_place(&mut self, at: usize, routine: u64) {
        let (old, sum) = std::mem::replace(&mut self.lately[at], (routine, CallbackSum::default()));
        self.put(old, &sum);
    }

    fn put(&mut self, routine: u64, sum: &CallbackSum) {
        if *sum == CallbackSum::default() {
            return;
        }
        match self.sums.len() < MOST || self.sums.contains_key(&routine) {
            true => self.sums.entry(routine).or_default().add(sum),
            false => self.others.add(sum),
        }
    }

    fn put_all(&mut self) {
        for (routine, sum) in std::mem::take(&mut self.lately) {
            self.put(routine, &sum);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, mut other: Self) {
        other.put_all();
        self.put_all();
        for (routine, sum) in &other.sums {
            self.put(*routine, sum);
        }
        self.others.add(&other.others);
    }

    /// Whether the trace records ends of callbacks.
    pub fn have_ends(&self) -> bool {
        self.others.ended > 0 || self.sums.values().any(|sum| sum.ended > 0)
    }

    /// Sums by kernel image, and those of routines in none. Drivers come and go; a routine is given to the last one that
    /// had its address.
    pub fn by_image(&self, map: &AddressMap) -> (HashMap<u32, CallbackSum>, CallbackSum) {
        let mut out: HashMap<u32, CallbackSum> = HashMap::new();
        let mut nowhere = self.others;
        for (routine, sum) in &self.sums {
            match map.find(*routine, Filetime(u64::MAX)) {
                Some(image) => out.entry(image).or_default().add(sum),
                None => nowhere.add(sum),
            }
        }
        (out, nowhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routines_are_counted_whatever_places_they_share() {
        let mut units = [Callbacks::default(), Callbacks::default()];
        for round in 0..10_u64 {
            for routine in 0..3_000_u64 {
                let sum = units[(round % 2) as usize].of(0xFFFF_F800_0000_0000 + routine * 0x40);
                sum.ended += 1;
                sum.time += routine;
                sum.longest = sum.longest.max(routine + round);
            }
        }
        let mut all = Callbacks::default();
        units.into_iter().for_each(|unit| all.merge(unit));
        assert_eq!(all.sums.len(), 3_000);
        for (routine, sum) in &all.sums {
            let number = (routine & 0xFFFF_FFFF) / 0x40;
            assert_eq!((sum.count(true), sum.time), (10, 10 * number));
            assert_eq!(sum.longest, number + 9);
        }
    }

    #[test]
    fn routines_without_room_are_counted_together() {
        let mut all = Callbacks::default();
        let many = MOST as u64 + 5_000;
        (1..=many).for_each(|routine| all.of(routine).begun += 1);
        all.merge(Callbacks::default());
        assert_eq!(all.sums.len(), MOST);
        assert_eq!(all.others.count(all.have_ends()), 5_000);
    }
}
