//! Records of every kind: the dictionaries, the links between operations, callbacks and stacks, and rows.
#![no_main]

use fltscope::etl::EtlTrace;
use fltscope::trace::{Batch, Select, Trace, Want};
use fltscope_fuzz::Budget;
use fltscope_fuzz::around::{source, trace_with};
use std::path::Path;

const BUDGET: Budget = Budget {
    fixed: 64 << 20,
    per_byte: 512,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let bytes = trace_with(data);
    let Ok(trace) = EtlTrace::from_source(source(&bytes), Path::new("x.etl"), &|_| ()) else {
        return;
    };
    let want = Want {
        path: true,
        target: true,
        detail: true,
        category: true,
        file_uses: true,
        ..Want::default()
    };
    let mut rows = 0;
    for unit in 0..trace.units() {
        let mut batch = Batch::default();
        trace
            .decode(unit, &want, &Select::default(), &mut batch)
            .unwrap();
        rows += batch.len() as u64;
    }
    assert!(rows <= trace.info().records.good);
}));
