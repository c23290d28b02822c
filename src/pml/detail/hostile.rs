//! Wrong bytes: nothing may panic, hang, overflow, or make text out of all proportion to the record.

use super::tests::record_bytes;
use super::*;
use crate::pml::operations::{operation_name, operation_name_full};
use crate::pml::record::Bits;
use crate::trace::time::Zone;

static UTC: Zone = Zone::UTC;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Bytes that are often small, so that lengths and offsets lead somewhere, and sometimes extreme.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let kind = self.below(4);
        let mut byte = || match (kind, self.below(8)) {
            (0, _) => self.next() as u8,
            (1, 0..=5) => 0,
            (1, _) => self.below(64) as u8,
            (2, 0..=3) => 0,
            (2, 4) => 0xFF,
            (2, _) => self.below(16) as u8,
            (_, 0) => 0x80,
            _ => 0xFF,
        };
        (0..len).map(|_| byte()).collect()
    }
}

const MODES: [Mode; 4] = [
    Mode::Clean,
    Mode::Procmon(Dialect::Early2020),
    Mode::Procmon(Dialect::Late2020),
    Mode::Procmon(Dialect::Recent),
];

/// Runs everything there is over one record.
fn decode(bytes: &[u8], len: usize, bits: Bits) {
    let Ok(record) = Record::parse(bytes, len, bits, 0) else {
        return;
    };
    let mut out = String::new();
    let _ = (operation_name(&record), operation_name_full(&record));
    let _ = (category(&record), waits_by_nature(&record));
    let _ = (image_load(&record), process_created(&record));
    let _ = (process_start(&record), create_parameters(&record));
    push_path(&record, &Hosts::default(), &mut out);
    push_target_path(&record, &mut out);
    for mode in MODES {
        let mut sink = DetailText::new(&mut out, &UTC);
        detail(&record, &Accounts::default(), mode, &mut sink);
    }
    finish_detail(&mut out);
    assert!(out.encode_utf16().count() <= text::DETAIL_LIMIT);
}

fn random_record(random: &mut Random, class: u16, operation: u16, sub: u8) -> Vec<u8> {
    let detail_len = random.below(220);
    let mut block = random.bytes(detail_len);
    if let Some(first) = block.first_mut() {
        *first = sub;
    }
    // Where the path's info word is, so that a tail is left in half of the records.
    for at in [0x2C, 0x40] {
        if random.below(2) == 0 && block.len() > at + 1 {
            block[at] = random.below(40) as u8;
            block[at + 1] = 0x80;
        }
    }
    let extra_len = random.below(200);
    let extra = random.bytes(extra_len);
    let extra = (random.below(4) > 0).then_some(extra.as_slice());
    record_bytes(class, operation, &block, extra)
}

#[test]
fn random_bytes_do_no_harm() {
    let mut random = Random(1);
    for bits in [Bits::B32, Bits::B64] {
        for class in 0..=7_u16 {
            let subs = if matches!(class, 3 | 6) { 0x50 } else { 12 };
            for operation in 0..=50_u16 {
                for sub in 0..subs {
                    let mut bytes = random_record(&mut random, class, operation, sub);
                    let len = bytes.len();
                    bytes.extend([0xEE; 3]);
                    // Sometimes the fixed part is wrong as well.
                    if random.below(8) == 0 {
                        let at = 0x28 + random.below(12);
                        bytes[at] = random.next() as u8;
                    }
                    decode(&bytes, len, bits);
                    decode(&bytes, random.below(len + 1), bits);
                }
            }
        }
    }
}

#[test]
fn every_cut_of_a_block_does_no_harm() {
    let mut random = Random(2);
    for operation in [19, 20, 23, 25, 26, 30, 32, 33, 37, 40] {
        for sub in 0..0x4B {
            let full = random.bytes(160);
            for len in (0..full.len()).step_by(3) {
                let mut block = full[..len].to_vec();
                for (at, byte) in [(0, sub), (0x40, 4), (0x41, 0x80)] {
                    if let Some(place) = block.get_mut(at) {
                        *place = byte;
                    }
                }
                let bytes = record_bytes(3, operation, &block, Some(&full[..len / 2]));
                decode(&bytes, bytes.len(), Bits::B64);
            }
        }
    }
}

#[test]
fn a_listing_makes_no_more_text_than_it_has_bytes() {
    let mut block = vec![0; 0x50];
    block[0] = 1;
    block[0x20] = 1;
    // Entries of the least size, each with a name said to fill all that follows.
    let mut extra = Vec::new();
    while extra.len() + 64 < 0xFFFF {
        let mut entry = [b'a'; 64];
        entry[..4].copy_from_slice(&64_u32.to_le_bytes());
        entry[60..].copy_from_slice(&u32::MAX.to_le_bytes());
        extra.extend(entry);
    }
    let bytes = record_bytes(3, 32, &block, Some(&extra));
    let record = Record::parse(&bytes, bytes.len(), Bits::B64, 0).unwrap();
    let mut out = String::new();
    let mut sink = DetailText::new(&mut out, &UTC);
    detail(&record, &Accounts::default(), Mode::Clean, &mut sink);
    assert!(out.starts_with("FileInformationClass: FileDirectoryInformation, 0: , 1: , "));
    assert!(out.len() < extra.len());
}

#[test]
fn a_text_without_end_is_followed_to_the_limit_only() {
    let mut block = vec![0x04, 0x80, 0, 0];
    block.extend(64_u32.to_le_bytes());
    block.extend(2_u32.to_le_bytes());
    block.extend(b"HKLM");
    for kind in [1_u32, 7] {
        let mut extra = 0_u32.to_le_bytes().to_vec();
        extra.extend(kind.to_le_bytes());
        extra.extend(u32::MAX.to_le_bytes());
        let mut bytes = record_bytes(2, 5, &block, Some(&extra));
        let len = bytes.len();
        bytes.extend(b"a\0".repeat(1 << 20));
        let record = Record::parse(&bytes, len, Bits::B64, 0).unwrap();
        let mut out = String::new();
        let mut sink = DetailText::new(&mut out, &UTC);
        detail(&record, &Accounts::default(), MODES[1], &mut sink);
        assert!(out.len() < 5_000);
        finish_detail(&mut out);
        assert_eq!(out.len(), text::DETAIL_LIMIT);
    }
}
