//! A Procmon log: header, tables, index or walk, the first pass.
#![no_main]

use fltscope::pml::PmlTrace;
use fltscope::trace::Trace as _;
use fltscope_fuzz::{Budget, around::source};
use std::path::Path;

const BUDGET: Budget = Budget {
    fixed: 32 << 20,
    per_byte: 64,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let Ok(trace) = PmlTrace::from_source(source(data), Path::new("x.pml"), &|_| ()) else {
        return;
    };
    let info = trace.info();
    // Records do not overlap, a place in the index is five bytes, and a stretch of loss is a record at least.
    assert!(info.records.skipped_bytes <= 2 * data.len() as u64 + (64 << 20));
    assert!(info.records.good <= data.len() as u64);
    assert!(info.records.bad + info.records.skipped_bytes == 0 || !info.warnings.is_empty());
}));
