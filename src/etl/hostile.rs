//! Damage by chance: no panic, no hang, and nothing is counted that is not there.

use super::file_tests::{open, read};
use super::record::Record;
use super::records::Scratch;
use super::synth::trace;
use proptest::prelude::*;
use std::sync::OnceLock;

fn sample(packed: bool) -> &'static [Vec<u8>] {
    static SAMPLES: OnceLock<[Vec<Vec<u8>>; 2]> = OnceLock::new();
    &SAMPLES.get_or_init(|| [trace(6, false), trace(6, true)])[usize::from(packed)]
}

/// Records of the plain sample that end at or before `len`, and whether one crosses it.
fn whole_before(len: usize) -> (u64, u64) {
    let mut good = 0;
    for (n, buffer) in sample(false).iter().enumerate() {
        let mut at = 72;
        while let Ok(record) = Record::parse(&buffer[at..]) {
            let start = n * 4_096 + at;
            if start + record.bytes().len() > len {
                return (good, u64::from(start < len));
            }
            good += 1;
            at += record.stride();
        }
    }
    (good, 0)
}

/// Reads what can be read and checks what must hold for any bytes.
fn check(bytes: &[u8]) -> Option<(u64, u64)> {
    let file = open(bytes).ok()?;
    let census = super::census(&file, &|_| ()).unwrap();
    let records = census.records;
    let hooks: u64 = census.hooks.values().sum();
    let providers: u64 = census.providers.values().sum();
    assert_eq!(hooks + providers, records.good);
    assert_eq!(census.types.iter().sum::<u64>(), records.good);
    let per_buffer: u64 = census.per_buffer.iter().map(|n| u64::from(*n)).sum();
    assert_eq!(per_buffer, records.good);
    // No buffer without its header in the file, and none in two places.
    assert!(file.buffers().len() * 72 <= bytes.len());
    let mut end = 0;
    let mut scratch = Scratch::default();
    for number in 0..file.buffers().len() {
        let buffer = file.buffers()[number];
        assert!(buffer.offset >= end);
        end = buffer.offset + u64::from(buffer.len);
        assert!(end <= bytes.len() as u64);
        assert!(file.records(number, &mut scratch).unwrap().data_len() <= 16 << 20);
    }
    Some((records.good, records.bad))
}

proptest! {
    #[test]
    fn every_whole_record_before_a_cut_is_read(len in 0..7 * 4_096_usize) {
        let whole = sample(false).concat();
        if let Some(found) = check(&whole[..len]) {
            // A header that is cut is no buffer; the trace header itself must be there.
            prop_assert_eq!(found, whole_before(len));
        }
    }

    #[test]
    fn cuts_of_packed_files(cut in any::<prop::sample::Index>()) {
        let whole = sample(true).concat();
        let (good, bad) = check(&whole[..cut.index(whole.len())]).unwrap_or_default();
        prop_assert!(good <= 236 && bad <= 1);
    }

    #[test]
    fn flipped_bytes(
        packed in any::<bool>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = sample(packed).concat();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check(&bytes);
    }

    #[test]
    fn flipped_headers(
        packed in any::<bool>(),
        flips in proptest::collection::vec((1..7_usize, 0..72_usize, any::<u8>()), 1..12),
    ) {
        let mut buffers = sample(packed).to_vec();
        for (buffer, at, value) in flips {
            buffers[buffer][at] = value;
        }
        check(&buffers.concat());
    }

    #[test]
    fn buffers_in_any_order(packed in any::<bool>(), order in Just([1, 2, 3, 4, 5, 6]).prop_shuffle()) {
        let buffers = sample(packed);
        let mut bytes = buffers[0].clone();
        for n in order {
            bytes.extend(&buffers[n]);
        }
        let (_, straight) = read(&buffers.concat());
        let (_, census) = read(&bytes);
        prop_assert_eq!(census.records, straight.records);
        prop_assert_eq!(census.hooks, straight.hooks);
        prop_assert_eq!(census.providers, straight.providers);
        prop_assert_eq!((census.first, census.last), (straight.first, straight.last));
    }

    #[test]
    fn lost_buffers(packed in any::<bool>(), kept in proptest::collection::vec(any::<bool>(), 6)) {
        let buffers = sample(packed);
        let mut bytes = buffers[0].clone();
        for (buffer, _) in buffers[1..].iter().zip(&kept).filter(|(_, kept)| **kept) {
            bytes.extend(buffer);
        }
        let there = kept.iter().filter(|kept| **kept).count() as u64;
        let (file, census) = read(&bytes);
        prop_assert_eq!((census.records.good, census.records.bad), (2 + 39 * there, 0));
        prop_assert_eq!(file.missing_buffers(), 6 - there);
    }

    #[test]
    fn anything_behind_the_header(tail in proptest::collection::vec(any::<u8>(), 0..9_000)) {
        let mut bytes = sample(false)[0].clone();
        bytes.extend(tail);
        let (good, _) = check(&bytes).unwrap();
        prop_assert!(good >= 2);
    }
}
