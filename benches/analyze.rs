//! How fast a log is opened and analysed, against the time to read the file once (`--bench export`, `read`).
//!
//! `cargo bench --bench analyze`: throughput is in bytes of the log.

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fltscope::findings::{Case, CaseInput, Options, WindowChoice, analyze};
use fltscope::pml::PmlTrace;
use fltscope::servicing::UserWindow;
use fltscope::trace::Silent;
use std::time::Duration;

const LOG_BYTES: u64 = 64 << 20;

fn analysis(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pml");
    let written = tracegen::big::write(LOG_BYTES, &path).unwrap();
    let trace = PmlTrace::open(&path, &|_| ()).unwrap();
    let case = Case {
        logs: Default::default(),
        inputs: vec![CaseInput {
            name: "big.pml".into(),
            trace: &trace,
        }],
    };
    let automatic = Options::default();
    let whole = Options {
        window: WindowChoice::User(UserWindow {
            start: None,
            end: None,
        }),
        ..Options::default()
    };

    let mut group = criterion.benchmark_group("analyze");
    group
        .throughput(Throughput::Bytes(written.bytes))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    group.bench_function("open and survey", |b| {
        b.iter(|| PmlTrace::open(&path, &|_| ()).unwrap());
    });
    // Two passes: one looks for the window, one counts.
    group.bench_function("analyze, window from servicing", |b| {
        b.iter(|| analyze(&case, &automatic, &Silent).unwrap());
    });
    group.bench_function("analyze, whole log", |b| {
        b.iter(|| analyze(&case, &whole, &Silent).unwrap());
    });
    group.finish();
}

criterion_group!(benches, analysis);
criterion_main!(benches);
