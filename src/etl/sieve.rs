//! A small set that says of most numbers at once that they are not in it.

const BITS: usize = 1 << 15;

/// Numbers, by one bit of each: those that are in a set all pass, and few others.
#[derive(Debug, Clone)]
pub struct Sieve(Vec<u64>);

impl Default for Sieve {
    fn default() -> Self {
        Self(vec![0; BITS / 64])
    }
}

impl Sieve {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, number: u64) {
        let bit = bit_of(number);
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether the number may have been added; false for none that was.
    #[inline]
    pub fn may_hold(&self, number: u64) -> bool {
        let bit = bit_of(number);
        self.0[bit / 64] >> (bit % 64) & 1 != 0
    }
}

#[inline]
fn bit_of(number: u64) -> usize {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 49) as usize % BITS
}

#[cfg(test)]
mod tests {
    use super::*;

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
