//! Numbers, times and texts of a CSV line, written in place: a line has thirty of them, and a call and a copy for each
//! would cost as much as decoding the event.

use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND, push_rfc3339_bytes};
use crate::trace::{Filetime, Zone};

/// The numbers from 00 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut out = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        out[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    out
};

/// Most digits of a number.
const DIGITS: usize = 20;

/// Appends a number in decimal.
#[inline]
pub fn number(value: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; DIGITS]);
    let len = write_number(value, &mut out[start..]);
    out.truncate(start + len);
}

/// Appends 100 ns ticks as microseconds with one digit behind the point.
#[inline]
pub fn micros(ticks: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; DIGITS + 2]);
    let len = write_number(ticks / 10, &mut out[start..]);
    out[start + len] = b'.';
    out[start + len + 1] = b'0' + (ticks % 10) as u8;
    out.truncate(start + len + 2);
}

/// Writes the digits of a number to the start of `text`, which has room for them; how many there are.
#[inline]
fn write_number(value: u64, text: &mut [u8]) -> usize {
    let len = value.checked_ilog10().unwrap_or(0) as usize + 1;
    let text = &mut text[..len];
    let (mut rest, mut at) = (value, len);
    while at >= 2 {
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if at == 1 {
        text[0] = b'0' + rest as u8;
    }
    len
}

/// Length of a time with the offset of its zone.
const LONGEST: usize = 33;
/// Where its fraction starts.
const FRACTION: usize = 20;

/// Writes times as RFC 3339. Those of one second share all but the fraction, and the next event is rarely later.
pub struct Stamp<'a> {
    zone: &'a Zone,
    second: u64,
    /// The text of a time in `second`.
    text: [u8; LONGEST],
    len: usize,
}

impl<'a> Stamp<'a> {
    /// Times in `zone`.
    pub fn new(zone: &'a Zone) -> Self {
        Self {
            zone,
            second: u64::MAX,
            text: [0; LONGEST],
            len: 0,
        }
    }

    /// Appends a time.
    #[inline]
    pub fn push(&mut self, time: Filetime, out: &mut Vec<u8>) {
        let (second, fraction) = (time.0 / TICKS_PER_SECOND, time.0 % TICKS_PER_SECOND);
        if second != self.second && !self.begin(second) {
            push_rfc3339_bytes(out, time, self.zone);
            return;
        }
        let start = out.len();
        out.extend_from_slice(&self.text);
        let fraction = fraction as usize;
        let digits = &mut out[start + FRACTION..start + FRACTION + 7];
        digits[..2].copy_from_slice(&PAIRS[fraction / 100_000]);
        digits[2..4].copy_from_slice(&PAIRS[fraction / 1_000 % 100]);
        digits[4..6].copy_from_slice(&PAIRS[fraction / 10 % 100]);
        digits[6] = b'0' + (fraction % 10) as u8;
        out.truncate(start + self.len);
    }

    /// Whether the times of a second have a text of the usual form, which is then at hand.
    fn begin(&mut self, second: u64) -> bool {
        // No zone has a time before the first one.
        if second < TICKS_PER_DAY / TICKS_PER_SECOND {
            return false;
        }
        let mut text = Vec::with_capacity(LONGEST + 4);
        push_rfc3339_bytes(&mut text, Filetime(second * TICKS_PER_SECOND), self.zone);
        let is_usual = text.get(FRACTION - 1) == Some(&b'.') && text.len() <= LONGEST;
        if is_usual {
            self.second = second;
            self.len = text.len();
            self.text[..text.len()].copy_from_slice(&text);
        }
        is_usual
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// What a text has that a line does not take as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    comma: bool,
    quote: bool,
    control: bool,
}

impl Marks {
    /// Looks at a text once.
    #[inline]
    pub fn of(text: &[u8]) -> Self {
        let Some(last) = text.last_chunk() else {
            return text
                .iter()
                .fold(Self::default(), |found, byte| found.and(&[*byte]));
        };
        // Some of the last block is looked at twice, which does no harm.
        let blocks = text[..text.len() - 1].as_chunks::<BLOCK>().0;
        let found = blocks
            .iter()
            .fold(Self::default(), |found, block| found.and(block));
        found.and::<BLOCK>(last)
    }

    /// Adds a block: without a way out in the middle, which the compiler turns into wide comparisons.
    #[inline(always)]
    fn and<const N: usize>(self, block: &[u8; N]) -> Self {
        let any = |test: fn(u8) -> bool| block.iter().fold(false, |any, byte| any | test(*byte));
        Self {
            comma: self.comma | any(|byte| byte == b','),
            quote: self.quote | any(|byte| byte == b'"'),
            control: self.control | any(|byte| byte < b' '),
        }
    }

    /// Whether there is none.
    #[inline]
    pub fn is_none(self) -> bool {
        !self.comma && !self.quote && !self.control
    }

    /// Whether there is nothing but commas.
    #[inline]
    pub fn is_commas(self) -> bool {
        self.comma && !self.quote && !self.control
    }

    /// Whether there is a control character below 0x20.
    #[inline]
    pub fn has_control(self) -> bool {
        self.control
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::time::push_rfc3339;

    #[test]
    fn numbers_of_any_length() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let numbers = powers.flat_map(|power| [power - 1, power, power + 1, power / 3]);
        for number in numbers.chain([u64::MAX]) {
            let mut out = b"x".to_vec();
            super::number(number, &mut out);
            assert_eq!(out, format!("x{number}").as_bytes());
            let mut out = Vec::new();
            super::micros(number, &mut out);
            assert_eq!(out, format!("{}.{}", number / 10, number % 10).as_bytes());
        }
    }

    #[test]
    fn times_of_any_second_and_zone() {
        for zone in [
            Zone::UTC,
            Zone::fixed(19_800),
            Zone::fixed(-18_000),
            Zone::parse("Europe/Berlin").unwrap(),
        ] {
            let mut stamp = Stamp::new(&zone);
            for ticks in [
                0,
                1,
                9_999_999,
                10_000_000,
                863_999_999_999,
                864_000_000_000,
                132_390_046_907_752_429,
                132_390_046_907_752_430,
                132_480_576_000_000_000,
                2_650_467_744_000_000_000,
                u64::MAX,
            ] {
                let (mut text, mut expected) = (Vec::new(), String::new());
                stamp.push(Filetime(ticks), &mut text);
                push_rfc3339(&mut expected, Filetime(ticks), &zone);
                assert_eq!(String::from_utf8(text).unwrap(), expected);
            }
        }
    }

    #[test]
    fn marks_are_seen_at_every_place() {
        for len in 0..50 {
            let plain = vec![b'a'; len];
            assert!(Marks::of(&plain).is_none());
            for at in 0..len {
                let with = |byte| {
                    let mut text = plain.clone();
                    text[at] = byte;
                    Marks::of(&text)
                };
                assert!(with(b',').is_commas());
                assert!(with(b'"').quote && !with(b'"').comma);
                assert!(with(b'\t').has_control() && with(0).has_control());
                assert!(with(0x7F).is_none() && with(0xC3).is_none());
            }
        }
    }
}
