//! A Windows trace log: headers, the walk over buffers, decompression, the census.
#![no_main]

use fltscope::etl::{EtlFile, Scratch, census};
use fltscope_fuzz::{Budget, around::source};

// A compressed buffer may grow to 16 MiB, and two are worked on at a time.
const BUDGET: Budget = Budget {
    fixed: 96 << 20,
    per_byte: 64,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let Ok(file) = EtlFile::open(source(data)) else {
        return;
    };
    let mut end = 0;
    let mut scratch = Scratch::default();
    for (number, buffer) in file.buffers().iter().enumerate() {
        assert!(buffer.offset >= end);
        end = buffer.offset + u64::from(buffer.len);
        assert!(end <= data.len() as u64);
        assert!(file.records(number, &mut scratch).unwrap().data_len() <= 16 << 20);
    }
    drop(scratch);
    let census = census(&file, &|_| ()).unwrap();
    let hooks: u64 = census.hooks.values().sum();
    let providers: u64 = census.providers.values().sum();
    assert_eq!(hooks + providers, census.records.good);
}));
