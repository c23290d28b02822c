//! Records of every kind: the dictionaries, the links between operations, callbacks and stacks, and rows.
#![no_main]

use fltscope::etl::{EtlTrace, Foresee};
use fltscope::trace::{Batch, Class, Foreseen, Frames, Memo, Process, Select, Trace, Want};
use fltscope_fuzz::around::{source, trace_with};
use fltscope_fuzz::{Budget, script};
use std::path::Path;

const BUDGET: Budget = Budget {
    fixed: 64 << 20,
    per_byte: 512,
};

fn is_some(path: &str) -> bool {
    path.len() % 3 == 1
}

struct Some7;

impl Foresee for Some7 {
    fn file(&self, _: Option<&str>, path: &str) -> bool {
        is_some(path)
    }

    fn any_file(&self, path: &str) -> bool {
        self.file(None, path)
    }

    fn user_frames(&self) -> bool {
        true
    }

    fn key(&self, path: &str) -> bool {
        is_some(path)
    }

    fn process(&self, process: &Process) -> bool {
        process.pid % 8 == 0
    }
}

/// Rows of all units.
fn rows(trace: &EtlTrace) -> u64 {
    selected(trace, &Select::default())
}

fn selected(trace: &EtlTrace, select: &Select<'_>) -> u64 {
    let want = Want {
        path: true,
        target: true,
        detail: true,
        category: true,
        frames: Frames::All,
        file_uses: true,
        ..Want::default()
    };
    let mut rows = 0;
    for unit in 0..trace.units() {
        let mut batch = Batch::default();
        trace.decode(unit, &want, select, &mut batch).unwrap();
        rows += batch.len() as u64;
    }
    rows
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let bytes = match data.strip_prefix(&script::MARK) {
        Some(script) => script::trace(script),
        None => trace_with(data),
    };
    let Ok(mut trace) = EtlTrace::from_source(source(&bytes), Path::new("x.etl"), &|_| ()) else {
        return;
    };
    let whole = rows(&trace);
    assert!(whole <= trace.info().records.good);
    // The same in the smallest slices: what is open at a border is carried over it.
    trace.link(1, &|_| ()).unwrap();
    if trace.units() > 1 {
        assert_eq!(rows(&trace), whole);
    }
    // And for who asks for some files only.
    let (some, path) = (Some(&Some7 as &dyn Foresee), Path::new("x.etl"));
    let Ok(mut trace) = EtlTrace::survey_for(source(&bytes), path, some, &|_| ()) else {
        return;
    };
    trace.link_noting(1, Some(&Some7), &|_| ()).unwrap();
    let test = |_: Class, path: &str, target: &str| is_some(path) || is_some(target);
    let memo = Memo::default();
    let select = Select {
        paths: Some(&test),
        classes: vec![Class::FileSystem, Class::Registry, Class::Minifilter],
        foreseen: Foreseen::FilesAndKeys,
        memo: Some(&memo),
        ..Select::default()
    };
    assert!(selected(&trace, &select) <= whole);
}));
