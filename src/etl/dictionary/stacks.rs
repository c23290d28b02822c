//! Stacks that are written once and referred to by a key.
//!
//! Keys are used again. The definition of a reference is the first one of its key that comes after it: a stack is
//! written when its key is given up, or at the end of the session (1,909 and 1,012 times in a real trace).

use std::hash::BuildHasher as _;

/// Bytes of stacks that are kept, some 100 a stack.
const MOST_BYTES: usize = 768 << 20;

/// The definitions, each different stack held once and packed: neighbours on a stack lie near each other.
#[derive(Debug, Default)]
pub struct StackKeys {
    rows: Vec<(u64, i64, u32)>,
    packed: Vec<u8>,
    known: hashbrown::HashMap<u64, u32>,
    /// Definitions that found no room.
    pub lost: u64,
}

impl StackKeys {
    /// Adds the stack that key `key` had until `time` (a key of time).
    pub fn add(&mut self, key: u64, time: i64, packed: &[u8]) {
        let hash = self.known.hasher().hash_one(packed);
        let same = self.known.get(&hash).copied().filter(|at| {
            let at = *at as usize;
            self.packed.get(at..at + packed.len()) == Some(packed)
        });
        let at = match same {
            Some(at) => at,
            None => {
                let at = self.packed.len();
                let room = at + packed.len() <= MOST_BYTES;
                let Some(at) = u32::try_from(at).ok().filter(|_| room) else {
                    self.lost += 1;
                    return;
                };
                self.packed.extend_from_slice(packed);
                self.known.insert(hash, at);
                at
            }
        };
        self.rows.push((key, time, at));
    }

    /// Puts the definitions in order; without this nothing is found.
    pub fn finish(&mut self) {
        self.rows.sort_unstable();
        self.known = hashbrown::HashMap::new();
    }

    /// Appends the stack of a reference to `key` at `time`; whether there is one.
    pub fn push(&self, key: u64, time: i64, out: &mut Vec<u64>) -> bool {
        let at = self
            .rows
            .partition_point(|(k, t, _)| (*k, *t) < (key, time));
        let Some((_, _, at)) = self.rows.get(at).filter(|row| row.0 == key) else {
            return false;
        };
        unpack(self.packed.get(*at as usize..).unwrap_or(&[]), out);
        true
    }
}

/// Appends the frames, packed: their number, then the distance of each from the one before.
pub fn pack(frames: impl ExactSizeIterator<Item = u64>, out: &mut Vec<u8>) {
    push_number(frames.len() as u64, out);
    let mut last = 0_u64;
    for frame in frames {
        let step = frame.wrapping_sub(last).cast_signed();
        // The sign moves to the lowest bit, so that small steps stay short in both directions.
        push_number(((step << 1) ^ (step >> 63)).cast_unsigned(), out);
        last = frame;
    }
}

fn push_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn unpack(mut packed: &[u8], out: &mut Vec<u64>) {
    let mut next = || {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = packed.split_first()?;
            packed = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    };
    let Some(count) = next() else { return };
    let mut last = 0_u64;
    for _ in 0..count {
        let Some(step) = next() else { return };
        let step = (step >> 1).cast_signed() ^ -((step & 1).cast_signed());
        last = last.wrapping_add(step.cast_unsigned());
        out.push(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_the_next_one_of_the_key() {
        let stacks: [&[u64]; 3] = [
            &[
                0xffff_f800_1234_5678,
                0xffff_f800_1234_0000,
                0x7ff6_0000_1234,
            ],
            &[u64::MAX, 0, 1, u64::MAX],
            &[],
        ];
        let mut keys = StackKeys::default();
        for (at, frames) in stacks.iter().enumerate() {
            let mut packed = Vec::new();
            pack(frames.iter().copied(), &mut packed);
            keys.add(7, at as i64 * 100, &packed);
            keys.add(8, at as i64 * 100, &packed);
        }
        keys.finish();
        for (time, expected) in [(0, 0), (1, 1), (100, 1), (101, 2)] {
            let mut frames = Vec::new();
            assert!(keys.push(7, time, &mut frames));
            assert_eq!(frames, stacks[expected]);
        }
        let mut frames = Vec::new();
        assert!(!keys.push(7, 201, &mut frames) && !keys.push(9, 0, &mut frames));
        // Six definitions, three different stacks.
        assert!(keys.packed.len() < 60);
    }
}
