use super::*;
use crate::etl::synth::compress;
use proptest::prelude::*;

fn expand(input: &[u8], len: usize) -> (Vec<u8>, Outcome) {
    let mut out = vec![0; len];
    let (done, outcome) = decompress(input, &mut out);
    out.truncate(done);
    (out, outcome)
}

/// The two examples of MS-XCA, section 3.1.
#[test]
fn examples_of_the_specification() {
    let letters: Vec<u8> = (b'a'..=b'z').collect();
    let mut stream = vec![0x3f, 0, 0, 0];
    stream.extend(&letters);
    assert_eq!(expand(&stream, 26), (letters, Outcome::Full));
    let stream = [
        0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63, 0x17, 0x00, 0x0f, 0xff, 0x26, 0x01,
    ];
    assert_eq!(expand(&stream, 300), (b"abc".repeat(100), Outcome::Full));
    assert_eq!(compress(&b"abc".repeat(100)), stream);
}

#[test]
fn two_long_matches_share_a_byte_of_nibbles() {
    let mut data = b"abcd".repeat(5);
    data.extend(b"xyz1".repeat(5));
    data.extend(b"....".repeat(100_000));
    assert_eq!(expand(&compress(&data), data.len()), (data, Outcome::Full));
}

#[test]
fn streams_that_lie() {
    // A match before anything was written, and one that reaches too far back.
    assert_eq!(expand(&[0, 0, 0, 0x80, 0, 0], 9).1, Outcome::Distance);
    let far = [0, 0, 0, 0x40, b'a', 8, 0];
    assert_eq!(expand(&far, 9), (b"a".to_vec(), Outcome::Distance));
    // A 16-bit length that fits a shorter form.
    let short = [0, 0, 0, 0x40, b'a', 7, 0, 0x0F, 0xFF, 21, 0];
    assert_eq!(expand(&short, 9), (b"a".to_vec(), Outcome::Length));
    // A 32-bit length of 4 GiB writes no more than there is room for.
    let huge = [
        0, 0, 0, 0x40, b'a', 7, 0, 0x0F, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
    ];
    assert_eq!(expand(&huge, 1_000), (vec![b'a'; 1_000], Outcome::Full));
    assert_eq!(expand(&[], 1), (vec![], Outcome::Ended));
    assert_eq!(expand(&[], 0), (vec![], Outcome::Full));
}

/// Data with runs and repeats, as records have.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        (any::<u8>(), 0..400_usize).prop_map(|(byte, n)| vec![byte; n]),
        (0..20_u8, 1..60_usize).prop_map(|(byte, n)| (0..n as u8).map(|m| m % 23 + byte).collect()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_was_packed_comes_out(data in data()) {
        let stream = compress(&data);
        prop_assert_eq!(expand(&stream, data.len()), (data, Outcome::Full));
    }

    #[test]
    fn a_cut_stream_gives_a_prefix(data in data(), cut in any::<prop::sample::Index>()) {
        let stream = compress(&data);
        let (out, _) = expand(&stream[..cut.index(stream.len())], data.len());
        prop_assert!(data.starts_with(&out));
    }

    #[test]
    fn any_bytes_are_a_stream(input in proptest::collection::vec(any::<u8>(), 0..300), len in 0..2_000_usize) {
        let (out, outcome) = expand(&input, len);
        prop_assert!(outcome != Outcome::Full || out.len() == len);
    }
}
