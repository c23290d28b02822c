//! setupapi.dev.log: encodings, sections, stamps, failures.
#![no_main]

use fltscope::input::text::TextOptions;
use fltscope::servicing::setupapi::SetupReader;
use fltscope_fuzz::{Budget, around::source};

const BUDGET: Budget = Budget {
    fixed: 32 << 20,
    per_byte: 256,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let mut reader = SetupReader::default();
    reader
        .read(
            "setupapi.dev.log",
            &source(data),
            &TextOptions::default(),
            &|_| (),
        )
        .unwrap();
    let log = reader.finish();
    for file in &log.files {
        assert!(file.text.lines <= data.len() as u64 + 1);
        file.warnings();
    }
    log.failing().count();
}));
