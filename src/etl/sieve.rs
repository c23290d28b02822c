//! Sets of numbers that most numbers are not in, and that say so at once.

use hashbrown::HashSet;

/// Bits of a sieve at least.
const LEAST: usize = 1 << 15;
/// Bits of a sieve at most: 4 MiB.
const MOST: usize = 1 << 25;
/// Bits for each number that is expected.
const BITS_EACH: usize = 16;

/// Numbers, by one bit of each: those that are in a set all pass, and few others.
#[derive(Debug, Clone)]
pub struct Sieve {
    words: Vec<u64>,
    /// How far a product is shifted to be the number of a bit.
    shift: u32,
}

impl Default for Sieve {
    fn default() -> Self {
        Self::with_room(0)
    }
}

impl Sieve {
    /// For so many numbers.
    pub fn with_room(numbers: usize) -> Self {
        let bits = numbers.saturating_mul(BITS_EACH).clamp(LEAST, MOST);
        let bits = bits.next_power_of_two();
        Self {
            words: vec![0; bits / 64],
            shift: 64 - bits.ilog2(),
        }
    }

    /// Adds a number.
    #[inline]
    pub fn add(&mut self, number: u64) {
        let bit = self.bit_of(number);
        if let Some(word) = self.words.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Whether the number may have been added; false for none that was.
    #[inline]
    pub fn may_hold(&self, number: u64) -> bool {
        let bit = self.bit_of(number);
        let word = self.words.get(bit / 64).copied().unwrap_or(0);
        word >> (bit % 64) & 1 != 0
    }

    #[inline]
    fn bit_of(&self, number: u64) -> usize {
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

/// Addresses, most of which are not among them.
#[derive(Debug, Clone)]
pub struct Addressed {
    set: HashSet<u64>,
    sieve: Sieve,
    /// Addresses that passed through the sieve since it was made.
    passed: usize,
    /// How many it was made for.
    room: usize,
}

/// Room from the start: as many as a slice usually has.
const USUAL: usize = 1 << 9;

impl Default for Addressed {
    fn default() -> Self {
        Self {
            set: HashSet::with_capacity(USUAL),
            sieve: Sieve::default(),
            passed: 0,
            room: LEAST / BITS_EACH,
        }
    }
}

impl Addressed {
    /// For so many addresses.
    pub fn with_room(addresses: usize) -> Self {
        Self {
            set: HashSet::with_capacity(addresses),
            sieve: Sieve::with_room(addresses),
            passed: 0,
            room: addresses.max(LEAST / BITS_EACH),
        }
    }

    /// Adds an address.
    #[inline]
    pub fn add(&mut self, address: u64) {
        if !self.set.insert(address) {
            return;
        }
        self.passed += 1;
        match self.passed > self.room {
            true => self.renew(),
            false => self.sieve.add(address),
        }
    }

    /// Makes a sieve for twice as many as there are: what has gone is in the one before.
    #[cold]
    fn renew(&mut self) {
        self.room = (2 * self.set.len()).max(LEAST / BITS_EACH);
        self.sieve = Sieve::with_room(self.room);
        self.set.iter().for_each(|one| self.sieve.add(*one));
        self.passed = self.set.len();
    }

    /// Takes an address out.
    pub fn remove(&mut self, address: u64) {
        self.set.remove(&address);
    }

    /// Whether it was added.
    #[inline]
    pub fn holds(&self, address: u64) -> bool {
        self.sieve.may_hold(address) && self.set.contains(&address)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.set.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_gone_does_not_crowd_the_sieve() {
        let mut some = Addressed::default();
        for number in 0..400_000_u64 {
            some.add(number << 4);
            if number >= 100 {
                some.remove((number - 100) << 4);
            }
        }
        assert!((399_900..400_000).all(|number| some.holds(number << 4)));
        assert!(!(0..399_900).any(|number: u64| some.holds(number << 4)));
        let crowd = (0..10_000_u64).filter(|n| some.sieve.may_hold(n << 4 | 8));
        assert!(crowd.count() < 2_500);
        let mut many = Addressed::default();
        (0..200_000_u64).for_each(|number| many.add(number << 4));
        let crowd = (0..10_000_u64).filter(|n| many.sieve.may_hold(n << 4 | 8));
        assert!(crowd.count() < 2_500);
    }

    #[test]
    fn what_was_added_passes_and_little_else() {
        let mut sieve = Sieve::default();
        for number in 0..300_u64 {
            sieve.add(number << 4);
        }
        assert!((0..300).all(|number| sieve.may_hold(number << 4)));
        let others = (0..10_000_u64)
            .filter(|n| sieve.may_hold(n << 4 | 8))
            .count();
        assert!(others < 500, "{others}");
    }
}
