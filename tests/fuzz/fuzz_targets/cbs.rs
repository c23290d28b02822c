//! CBS.log: encodings, lines, sessions, failures.
#![no_main]

use fltscope::input::text::TextOptions;
use fltscope::servicing::cbs::CbsReader;
use fltscope_fuzz::{Budget, around::source};

const BUDGET: Budget = Budget {
    fixed: 32 << 20,
    per_byte: 256,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let mut reader = CbsReader::default();
    for name in ["CbsPersist_20190224194543.log", "CBS.log"] {
        reader
            .read(name, &source(data), &TextOptions::default(), &|_| ())
            .unwrap();
    }
    let log = reader.finish();
    for file in &log.files {
        assert!(file.text.lines <= data.len() as u64 + 1);
        file.warnings();
    }
    log.failing().count();
}));
