//! How fast events become tables, against the time to read the file once.
//!
//! `cargo bench --bench export`: throughput is in bytes of the log, so the lines compare with `read`.

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use fltscope::drivers::{Observers, identify};
use fltscope::export::csv::CsvStyle;
use fltscope::export::{Column, Filter, Table, TextFormat, write_text};
use fltscope::pml::PmlTrace;
use fltscope::trace::{Batch, Select, Silent, Trace, Want, Zone, for_each_unit};
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

const LOG_BYTES: u64 = 64 << 20;

/// Reads the file and keeps nothing of it: no pass over the log can be faster.
fn read(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes += black_box(&buffer[..read]).len() as u64;
    }
}

/// Decodes all events on all threads.
fn decode(trace: &PmlTrace, want: &Want) -> io::Result<usize> {
    let select = Select::default();
    let mut events = 0;
    for_each_unit(
        0..trace.units(),
        &|_| (),
        |unit| {
            let mut batch = Batch::default();
            trace.decode(unit, want, &select, &mut batch)?;
            Ok(black_box(batch).len())
        },
        |len| {
            events += len;
            Ok(())
        },
    )?;
    Ok(events)
}

fn decoding(group: &mut BenchmarkGroup<'_, WallTime>, trace: &PmlTrace) {
    let nothing = Want::default();
    let everything = Want {
        path: true,
        target: true,
        detail: true,
        category: true,
        frames: fltscope::trace::Frames::All,
        file_uses: false,
        zone: Zone::UTC,
    };
    group.bench_function("decode, fixed part only", |b| {
        b.iter(|| decode(trace, &nothing).unwrap());
    });
    group.bench_function("decode, everything", |b| {
        b.iter(|| decode(trace, &everything).unwrap());
    });
}

fn writing(group: &mut BenchmarkGroup<'_, WallTime>, trace: &PmlTrace) {
    let drivers = identify(trace.info(), &Observers::default());
    let columns = Column::defaults(false);
    let filter = Filter::default();
    let zone = Zone::UTC;
    let table = Table::new(trace, &drivers, "big.pml", &columns, &filter, &zone);
    let tables = [table];
    let style = CsvStyle::default();
    for (name, format) in [
        ("CSV", TextFormat::Csv(&style)),
        ("NDJSON", TextFormat::Ndjson),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| write_text(&tables, format, &mut io::sink(), &Silent).unwrap());
        });
    }
    #[cfg(feature = "parquet")]
    group.bench_function("Parquet", |b| {
        b.iter(|| fltscope::export::parquet::write(&tables, &mut io::sink(), &Silent).unwrap());
    });
}

fn export(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.pml");
    let written = tracegen::big::write(LOG_BYTES, &path).unwrap();
    let trace = PmlTrace::open(&path, &|_| ()).unwrap();

    let mut group = criterion.benchmark_group("export");
    group
        .throughput(Throughput::Bytes(written.bytes))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    group.bench_function("read", |b| b.iter(|| read(&path).unwrap()));
    decoding(&mut group, &trace);
    writing(&mut group, &trace);
    group.finish();
}

criterion_group!(benches, export);
criterion_main!(benches);
