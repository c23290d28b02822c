//! How fast Procmon's own formats are written, on one thread and on all.
//!
//! `cargo bench --bench procmon_csv`: throughput is in bytes written.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fltscope::drivers::{Observers, identify};
use fltscope::export::Filter;
use fltscope::export::procmon::{Export, ProcmonColumn, likely_dialect, write_csv, write_xml};
use fltscope::pml::PmlTrace;
use fltscope::trace::{Silent, Trace as _, Zone};
use std::io::{self, Write};
use std::time::Duration;

const LOG_BYTES: u64 = 64 << 20;

/// Counts what is written and keeps nothing.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn csv(export: &Export<'_>) -> u64 {
    let mut out = Counter(0);
    write_csv(&[*export], ProcmonColumn::ALL, &mut out, &Silent).unwrap();
    out.0
}

fn xml(export: &Export<'_>, stacks: bool) -> u64 {
    let mut out = Counter(0);
    write_xml(export, &ProcmonColumn::SHOWN, stacks, &mut out, &Silent).unwrap();
    out.0
}

fn writing(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pml");
    tracegen::big::write(LOG_BYTES, &path).unwrap();
    let trace = PmlTrace::open(&path, &|_| ()).unwrap();
    let drivers = identify(trace.info(), &Observers::default());
    let export = Export {
        trace: &trace,
        drivers: &drivers,
        filter: &Filter::default(),
        dialect: likely_dialect(trace.info()),
        zone: &Zone::parse("Europe/Berlin").unwrap(),
    };
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();

    let mut group = criterion.benchmark_group("procmon");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Bytes(csv(&export)));
    group.bench_function("CSV, one thread", |b| {
        b.iter(|| one.install(|| csv(&export)));
    });
    group.bench_function("CSV, all threads", |b| b.iter(|| csv(&export)));
    for (name, stacks) in [
        ("XML, one thread", false),
        ("XML with stacks, one thread", true),
    ] {
        group.throughput(Throughput::Bytes(xml(&export, stacks)));
        group.bench_function(name, |b| {
            b.iter(|| one.install(|| xml(&export, stacks)));
        });
    }
    group.finish();
}

criterion_group!(benches, writing);
criterion_main!(benches);
