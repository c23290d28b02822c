//! Plain LZ77 (MS-XCA 2.3, without Huffman): greedy, with a few earlier places of each three bytes to choose from.

const MIN_MATCH: usize = 3;
/// Longer codes would need the 32-bit form, which no real trace has.
const MAX_MATCH: usize = 0xFFFF + MIN_MATCH;
const WINDOW: usize = 8_192;
const HASH_BITS: u32 = 13;
const NONE: u32 = u32::MAX;

/// A compressor; it keeps its tables between buffers.
#[derive(Debug, Clone)]
pub(crate) struct Compressor {
    /// Last place of each hash.
    head: Vec<u32>,
    /// The place before, of the same hash.
    previous: Vec<u32>,
    /// Places tried for each match.
    effort: usize,
}

impl Compressor {
    /// `effort` places are tried: 1 is fast, 32 small.
    pub(crate) fn new(effort: usize) -> Self {
        Self {
            head: vec![NONE; 1 << HASH_BITS],
            previous: Vec::new(),
            effort,
        }
    }

    /// Appends the stream of `data` to `out`.
    pub(crate) fn compress(&mut self, data: &[u8], out: &mut Vec<u8>) {
        self.head.fill(NONE);
        self.previous.clear();
        self.previous.resize(data.len(), NONE);
        let mut items = Items::new(out);
        let mut at = 0;
        while at < data.len() {
            let (distance, length) = self.longest(data, at);
            if length < MIN_MATCH {
                items.literal(data[at]);
                at += 1;
                continue;
            }
            items.found(distance, length);
            // Long runs repeat themselves: their beginning is enough to find them again.
            for place in at + 1..(at + length).min(at + 32) {
                self.note(data, place);
            }
            at += length;
        }
        items.finish();
    }

    fn longest(&mut self, data: &[u8], at: usize) -> (usize, usize) {
        let mut place = self.note(data, at);
        let limit = (data.len() - at).min(MAX_MATCH);
        let (mut distance, mut best) = (0, 0);
        for _ in 0..self.effort {
            if place == NONE || at - place as usize > WINDOW {
                break;
            }
            let from = place as usize;
            if best < limit && data[from + best] == data[at + best] {
                let length = common(&data[from..], &data[at..at + limit]);
                if length > best {
                    (distance, best) = (at - from, length);
                }
            }
            place = self.previous[from];
        }
        (distance, best)
    }

    /// Remembers a place and gives the one before it with the same hash.
    fn note(&mut self, data: &[u8], at: usize) -> u32 {
        let Some([a, b, c]) = data.get(at..at + 3).and_then(|s| s.first_chunk::<3>()) else {
            return NONE;
        };
        let word = u32::from_le_bytes([*a, *b, *c, 0]);
        let hash = (word.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize;
        let before = std::mem::replace(&mut self.head[hash], at as u32);
        self.previous[at] = before;
        before
    }
}

/// How long `b` repeats `a`; `a` may reach into `b`.
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    while let (Some(x), Some(y)) = (
        a.get(length..).and_then(|s| s.first_chunk::<8>()),
        b.get(length..).and_then(|s| s.first_chunk::<8>()),
    ) {
        let difference = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = a[length..].iter().zip(&b[length..]);
    length + rest.take_while(|(x, y)| x == y).count()
}

/// The stream under way: flags in line with the data, 32 items to a word.
struct Items<'a> {
    out: &'a mut Vec<u8>,
    flags_at: usize,
    flags: u32,
    count: u32,
    /// A byte whose high nibble is still free.
    nibble: Option<usize>,
}

impl<'a> Items<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        let flags_at = out.len();
        out.extend_from_slice(&[0; 4]);
        Self {
            out,
            flags_at,
            flags: 0,
            count: 0,
            nibble: None,
        }
    }

    fn literal(&mut self, byte: u8) {
        self.out.push(byte);
        self.item(0);
    }

    fn found(&mut self, distance: usize, length: usize) {
        let code = length - MIN_MATCH;
        let word = ((distance - 1) << 3 | code.min(7)) as u16;
        self.out.extend_from_slice(&word.to_le_bytes());
        if code >= 7 {
            self.long(code);
        }
        self.item(1);
    }

    /// What of a length code does not fit into the match: a nibble, a byte, a 16-bit number.
    fn long(&mut self, code: usize) {
        let low = (code - 7).min(15) as u8;
        match self.nibble.take() {
            Some(at) => self.out[at] |= low << 4,
            None => {
                self.nibble = Some(self.out.len());
                self.out.push(low);
            }
        }
        if code >= 22 {
            self.out.push((code - 22).min(255) as u8);
        }
        if code >= 22 + 255 {
            self.out.extend_from_slice(&(code as u16).to_le_bytes());
        }
    }

    fn item(&mut self, flag: u32) {
        self.flags = self.flags << 1 | flag;
        self.count += 1;
        if self.count == 32 {
            self.put_flags(self.flags);
            self.flags_at = self.out.len();
            self.out.extend_from_slice(&[0; 4]);
            (self.flags, self.count) = (0, 0);
        }
    }

    fn put_flags(&mut self, flags: u32) {
        self.out[self.flags_at..self.flags_at + 4].copy_from_slice(&flags.to_le_bytes());
    }

    /// Unused flags are 1, in a last word that may have no items at all.
    fn finish(mut self) {
        let unused = 32 - self.count;
        let flags = u64::from(self.flags) << unused | ((1 << unused) - 1);
        self.put_flags(flags as u32);
    }
}

/// Compresses `data` as a buffer's content is.
pub fn compress(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(32).compress(data, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Prng;

    /// The published algorithm, step by step.
    fn decompress(stream: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        let (mut at, mut flags, mut count) = (0, 0_u32, 0);
        let mut nibble: Option<usize> = None;
        loop {
            if count == 0 {
                flags = u32::from_le_bytes(stream[at..at + 4].try_into().unwrap());
                at += 4;
                count = 32;
            }
            count -= 1;
            if flags >> count & 1 == 0 {
                out.push(stream[at]);
                at += 1;
                continue;
            }
            if at == stream.len() {
                return out;
            }
            let word = usize::from(u16::from_le_bytes(stream[at..at + 2].try_into().unwrap()));
            at += 2;
            let mut length = word & 7;
            if length == 7 {
                length = match nibble.take() {
                    Some(place) => usize::from(stream[place] >> 4),
                    None => {
                        nibble = Some(at);
                        at += 1;
                        usize::from(stream[at - 1] & 15)
                    }
                };
                if length == 15 {
                    length = usize::from(stream[at]);
                    at += 1;
                    if length == 255 {
                        length =
                            usize::from(u16::from_le_bytes(stream[at..at + 2].try_into().unwrap()));
                        at += 2;
                        assert!(length >= 22);
                        length -= 22;
                    }
                    length += 15;
                }
                length += 7;
            }
            let from = out.len() - (word >> 3) - 1;
            for n in 0..length + 3 {
                out.push(out[from + n]);
            }
        }
    }

    fn check(data: &[u8]) -> usize {
        let stream = compress(data);
        assert!(decompress(&stream) == data, "{} bytes", data.len());
        stream.len()
    }

    #[test]
    fn what_was_packed_comes_out_again() {
        let mut rng = Prng::new(7);
        check(b"");
        check(b"ab");
        for size in [1, 31, 32, 33, 64, 300, 70_000] {
            let noise: Vec<u8> = (0..size).map(|_| rng.next_u64() as u8).collect();
            check(&noise);
            let dull: Vec<u8> = (0..size).map(|n| (n / 900) as u8).collect();
            check(&dull);
            let few: Vec<u8> = (0..size).map(|_| rng.below(3) as u8).collect();
            check(&few);
        }
    }

    #[test]
    fn every_form_of_a_length_is_used() {
        // 3 to 300 and a few longer: in the match, in a nibble, in a byte, in 16 bits.
        for length in (3..400).chain([65_538, 65_539, 200_000]) {
            let mut data = vec![1, 2, 3, 4];
            data.extend((0..length).map(|n| [1, 2, 3, 4][n % 4]));
            data.push(9);
            let size = check(&data);
            assert!(size < 60, "{length}: {size}");
        }
    }

    #[test]
    fn matches_reach_no_further_than_the_window() {
        let mut rng = Prng::new(8);
        let word: Vec<u8> = (0..50).map(|_| rng.next_u64() as u8).collect();
        for gap in [8_100, 8_142, 8_143, 9_000] {
            let mut data = word.clone();
            data.extend((0..gap).map(|_| rng.next_u64() as u8));
            data.extend(&word);
            check(&data);
        }
    }
}
