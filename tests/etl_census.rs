//! The census of real traces: every figure of `golden/etl_census.json`, and what is left of cut copies.
//!
//! The figures were counted with this decoder and agree, each of them, with an independent decoder's
//! and with dissect.etl's record counts.

use fltscope::etl::{Census, EtlFile, census};
use fltscope::input::view::Source;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of real traces, or `None` where they are not at hand: then the test says so and ends.
fn real_traces(test: &str) -> Option<PathBuf> {
    let data = std::env::var_os("FLTSCOPE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = data.join("etl");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: {test}: no real traces at {} (set FLTSCOPE_DATA to their folder)",
        folder.display()
    );
    None
}

fn read(source: Source) -> (EtlFile, Census) {
    let file = EtlFile::open(source).unwrap_or_else(|error| panic!("{error}"));
    let census = census(&file, &|_| ()).unwrap();
    (file, census)
}

fn read_file(path: &Path) -> (EtlFile, Census) {
    read(Source::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn counts<K: Ord>(map: &BTreeMap<K, u64>, name: impl Fn(&K) -> String) -> Value {
    let entries = map.iter().map(|(key, count)| (name(key), json!(count)));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// A census in the form of the golden file.
fn figures(name: &str, file: &EtlFile, census: &Census) -> Value {
    let header = file.header();
    let types: BTreeMap<usize, u64> = census.types.iter().copied().enumerate().collect();
    let types = types.into_iter().filter(|(_, count)| *count > 0).collect();
    let (os, layout) = (header.os, header.layout);
    json!({
        "file": name,
        "bytes": file.bytes(),
        "buffers": file.buffers().len(),
        "compressed": census.compressed,
        "cpus": census.cpus.len(),
        "records": census.records,
        "types": counts(&types, ToString::to_string),
        "payload_bytes": census.payload_bytes,
        "items": counts(&census.items, ToString::to_string),
        "ticks": census.ticks,
        "last": census.last.map(|time| time.0),
        "steps_back": census.steps_back,
        "header": {
            "version": format!("{}.{}.{}.{}", os.0, os.1, layout.0, layout.1),
            "build": header.build,
            "pointer_size": header.pointer_size,
            "processors": header.processors,
            "mode": header.mode,
            "frequency": header.perf_frequency,
            "events_lost": header.events_lost,
            "boot": header.boot_time.0,
            "start": header.start_time.0,
            "end": header.end_time.0,
            "bias": header.time_zone.bias,
        },
        "hooks": counts(&census.hooks, |hook| format!("{:#06x}/{}", hook.id, hook.version)),
        "classic": counts(&census.classic, |c| format!("{}/{}/{}", c.class, c.opcode, c.version)),
        "providers": counts(&census.providers, ToString::to_string),
    })
}

#[test]
fn every_figure_is_the_golden_one() {
    let Some(folder) = real_traces("every_figure_is_the_golden_one") else {
        return;
    };
    let golden: Vec<Value> = serde_json::from_str(include_str!("golden/etl_census.json")).unwrap();
    for expected in &golden {
        let name = expected["file"].as_str().unwrap();
        let path = folder.join(name);
        if !path.is_file() {
            eprintln!("skipped: {name} is not in {}", folder.display());
            continue;
        }
        let (file, census) = read_file(&path);
        let found = figures(name, &file, &census);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&found[key], value, "{name}: {key}");
        }
        assert!(
            file.faults().is_empty() && census.faults.is_empty(),
            "{name}"
        );
        let hooks: u64 = census.hooks.values().sum();
        let providers: u64 = census.providers.values().sum();
        assert_eq!(hooks + providers, census.records.good, "{name}");
    }
}

/// Bytes of a copy, good records, buffers, bad records.
const CUTS: [(&str, usize, u64, usize, u64); 8] = [
    ("net.4.5.2.x64.etl", 1_219_851, 71_673, 103, 1),
    ("net.4.5.2.x64.etl", 2_439_701, 144_534, 212, 0),
    ("net.4.5.2.x64.etl", 3_659_551, 161_918, 289, 1),
    ("net.4.5.2.x64.etl", 4_879_301, 179_473, 360, 1),
    ("ShutdownPerfDiagLogger.etl", 802_817, 4_257, 13, 1),
    ("ShutdownPerfDiagLogger.etl", 1_605_633, 8_529, 25, 1),
    ("ShutdownPerfDiagLogger.etl", 2_408_449, 12_673, 37, 1),
    ("ShutdownPerfDiagLogger.etl", 3_211_164, 17_078, 49, 0),
];

#[test]
fn cut_copies_give_every_whole_record() {
    let Some(folder) = real_traces("cut_copies_give_every_whole_record") else {
        return;
    };
    for (name, len, good, buffers, bad) in CUTS {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let (file, census) = read(Source::Memory(Arc::from(&bytes[..len])));
        let found = (
            census.records.good,
            file.buffers().len(),
            census.records.bad,
        );
        assert_eq!(found, (good, buffers, bad), "{name} cut to {len}");
        // Whole buffers that are missing are told by their number, parts of one by their bytes.
        let lost = census.records.skipped_bytes > 0 || file.missing_buffers() > 0;
        assert_eq!(lost, len != 3_211_164, "{name} cut to {len}");
    }
}

#[test]
fn an_unfinished_header_changes_no_count() {
    let Some(folder) = real_traces("an_unfinished_header_changes_no_count") else {
        return;
    };
    for (name, records) in [
        ("net.4.5.2.x64.etl", 179_474),
        ("ShutdownPerfDiagLogger.etl", 17_078),
    ] {
        let mut bytes = std::fs::read(folder.join(name)).unwrap();
        // End time and buffers written, behind the headers of buffer and record.
        bytes[72 + 32 + 0x10..][..8].fill(0);
        bytes[72 + 32 + 0x24..][..4].fill(0);
        let (file, census) = read(Source::Memory(Arc::from(bytes)));
        assert_eq!((census.records.good, census.records.bad), (records, 0));
        assert_eq!(file.faults().len(), 1);
        assert!(file.faults()[0].to_string().starts_with("ETL003"));
    }
}

#[test]
fn clocks_names_and_flags_of_real_traces() {
    let Some(folder) = real_traces("clocks_names_and_flags_of_real_traces") else {
        return;
    };
    // A logger of the shutdown, started with the machine: its clock was set right after its start.
    let (file, census) = read_file(&folder.join("ShutdownPerfDiagLogger.etl"));
    assert_eq!(file.end_drift(), Some(17_618_359));
    assert_eq!(census.masks.names().0, ["process", "thread", "image"]);
    assert_eq!(census.mask_changes.len(), 5);
    assert_eq!(file.header().machine().utc_offset_minutes, Some(60));
    let (file, census) = read_file(&folder.join("net.4.5.2.x64.etl"));
    assert_eq!(file.end_drift(), None);
    assert_eq!(file.header().machine().utc_offset_minutes, Some(-420));
    assert_eq!(census.masks.words[..2], [0x1270F, 2]);
    assert!(!census.masks.has_minifilter());
    let kernel_file = census
        .names
        .values()
        .any(|name| name == "Microsoft-Windows-Kernel-File");
    assert!(kernel_file);
    let (_, census) = read_file(&folder.join("WindowsUpdate.etl"));
    assert_eq!(
        census.names.values().collect::<Vec<_>>(),
        ["WUTraceLogging"]
    );
}
