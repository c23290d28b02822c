//! The compression of ETL buffers, beside a plain decoder written from its description (MS-XCA, 2.4.4).
#![no_main]

use fltscope::etl::compression::{Outcome, decompress};

/// Byte by byte, without any of the shortcuts; `None` where the stream is not valid or ends.
fn plain(input: &[u8], size: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut at = 0;
    let mut half: Option<usize> = None;
    let byte = |at: &mut usize| {
        let found = input.get(*at).copied();
        *at += 1;
        found
    };
    let word = |at: &mut usize| {
        let found = input
            .get(*at..*at + 2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]));
        *at += 2;
        found
    };
    let long = |at: &mut usize| {
        let found = input
            .get(*at..*at + 4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        *at += 4;
        found
    };
    let mut flags = 0;
    let mut left = 0;
    while out.len() < size {
        if left == 0 {
            let Some(more) = long(&mut at) else {
                return (out, false);
            };
            (flags, left) = (more, 32);
        }
        left -= 1;
        if flags >> left & 1 == 0 {
            let Some(literal) = byte(&mut at) else {
                return (out, false);
            };
            out.push(literal);
            continue;
        }
        let Some(pair) = word(&mut at) else {
            return (out, false);
        };
        let distance = usize::from(pair >> 3) + 1;
        let mut length = u64::from(pair & 7);
        if length == 7 {
            let nibble = match half.take() {
                None => {
                    half = Some(at);
                    byte(&mut at).map(|b| b & 15)
                }
                Some(place) => input.get(place).map(|b| b >> 4),
            };
            let Some(nibble) = nibble else {
                return (out, false);
            };
            length = u64::from(nibble);
            if length == 15 {
                let Some(more) = byte(&mut at) else {
                    return (out, false);
                };
                length = u64::from(more);
                if length == 255 {
                    let Some(more) = word(&mut at) else {
                        return (out, false);
                    };
                    length = u64::from(more);
                    if length == 0 {
                        let Some(more) = long(&mut at) else {
                            return (out, false);
                        };
                        length = u64::from(more);
                    }
                    if length < 15 + 7 {
                        return (out, false);
                    }
                    length -= 15 + 7;
                }
                length += 15;
            }
            length += 7;
        }
        if distance > out.len() {
            return (out, false);
        }
        for _ in 0..length + 3 {
            if out.len() == size {
                break;
            }
            out.push(out[out.len() - distance]);
        }
    }
    (out, true)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [low, high, input @ ..] = data else {
        return;
    };
    let size = usize::from(u16::from_le_bytes([*low, *high]));
    let mut out = vec![0xAA; size];
    let (done, outcome) = decompress(input, &mut out);
    let (expected, whole) = plain(input, size);
    assert_eq!(outcome == Outcome::Full, whole);
    assert_eq!(out[..done], expected);
});
