//! How fast a Windows trace log is surveyed, exported and analysed.
//!
//! `cargo bench --bench etl`: throughput is in bytes of the file, so the lines of the compressed trace look slower than
//! they are.

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fltscope::drivers::{Observers, identify};
use fltscope::etl::EtlTrace;
use fltscope::export::csv::CsvStyle;
use fltscope::export::{Column, Filter, Table, TextFormat, write_text};
use fltscope::findings::{Case, CaseInput, Options, analyze};
use fltscope::input::view::Source;
use fltscope::trace::{Silent, Trace, Zone};
use std::io;
use std::time::Duration;

const TRACE_BYTES: u64 = 8 << 20;

fn etl(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for compressed in [false, true] {
        let name = if compressed { "compressed" } else { "plain" };
        let path = folder.path().join(format!("{name}.etl"));
        let written = tracegen::big_etl::write(TRACE_BYTES, &path, compressed).unwrap();
        let trace = EtlTrace::open(&path, &|_| ()).unwrap();
        let mut group = criterion.benchmark_group(format!("etl, {name}"));
        group
            .throughput(Throughput::Bytes(written.bytes))
            .sampling_mode(SamplingMode::Flat)
            .sample_size(10)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(3));
        // What `info` does.
        group.bench_function("survey", |b| {
            b.iter(|| EtlTrace::survey(Source::open(&path).unwrap(), &path, &|_| ()).unwrap());
        });
        group.bench_function("open: survey and joining slices", |b| {
            b.iter(|| EtlTrace::open(&path, &|_| ()).unwrap());
        });
        let drivers = identify(trace.info(), &Observers::default());
        let columns = Column::defaults(true);
        let filter = Filter::default();
        let zone = Zone::UTC;
        let tables = [Table::new(
            &trace, &drivers, "big.etl", &columns, &filter, &zone,
        )];
        let style = CsvStyle::default();
        group.bench_function("CSV", |b| {
            b.iter(|| {
                write_text(&tables, TextFormat::Csv(&style), &mut io::sink(), &Silent).unwrap()
            });
        });
        let case = Case {
            logs: fltscope::findings::CaseLogs::default(),
            inputs: vec![CaseInput {
                name: "big.etl".into(),
                trace: &trace,
            }],
        };
        let options = Options::default();
        group.bench_function("analyze", |b| {
            b.iter(|| analyze(&case, &options, &Silent).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, etl);
criterion_main!(benches);
