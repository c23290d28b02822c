//! The same answer, byte for byte, whatever the number of threads, the cap on memory, and how the input is had.

use crate::common::{repository, stderr};
use fltscope::drivers::{Observers, identify};
use fltscope::etl::EtlTrace;
use fltscope::export::csv::CsvStyle;
use fltscope::export::{Column, Filter, Table, TextFormat, write_text};
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::trace::{Silent, Trace, Zone};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// What a run writes, by file name.
type Written = BTreeMap<String, Vec<u8>>;

/// Columns of a table: all but the input's name. `--stacks` adds another.
fn columns() -> String {
    let names = Column::defaults(false).into_iter().map(Column::name);
    let names: Vec<&str> = names.filter(|name| *name != "input").collect();
    names.join(",")
}

/// How a run is made.
struct Way {
    name: &'static str,
    /// The input's file name.
    input: &'static str,
    options: &'static [&'static str],
}

const TRACES: [(&str, &str); 2] = [
    ("traces/boot-trace/boot_trace.pml", "t.pml"),
    ("traces/boot-trace/boot_trace.etl", "t.etl"),
];

fn ways(plain: &'static str) -> Vec<Way> {
    let way = |name, input, options| Way {
        name,
        input,
        options,
    };
    let [gz, zst, zip] = match plain {
        "t.pml" => ["t.pml.gz", "t.pml.zst", "t.pml.zip"],
        _ => ["t.etl.gz", "t.etl.zst", "t.etl.zip"],
    };
    vec![
        way("one thread", plain, &["--threads", "1"]),
        way("five threads", plain, &["--threads", "5"]),
        way("gzip", gz, &["--threads", "2"]),
        way("zstd", zst, &[]),
        way("zip", zip, &[]),
    ]
}

/// Lays out the trace plain and packed.
fn lay_out(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    fs::write(folder.join(format!("{name}.gz")), gz.finish().unwrap()).unwrap();
    let zst = zstd::encode_all(bytes, 1).unwrap();
    fs::write(folder.join(format!("{name}.zst")), zst).unwrap();
    let file = fs::File::create(folder.join(format!("{name}.zip"))).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(name, options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap();
}

fn run(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .env("LC_ALL", "C")
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    output.stdout
}

/// The name of the input, which differs, becomes the same.
fn without_name(bytes: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let short = name.rsplit('/').next().unwrap_or(name);
            let text = text.replace(name, "INPUT");
            // As the page writes it.
            let text = text.replace(&name.replace('/', "&#x2f;"), "INPUT");
            text.replace(short, "INPUT").into_bytes()
        }
        Err(_) => bytes.to_vec(),
    }
}

/// Runs `analyze` and every `export`; what they write and print.
fn written(folder: &Path, way: &Way) -> Written {
    let mut out = Written::new();
    let mut args = vec![
        "analyze", way.input, "--out", "report", "--force", "--format", "json",
    ];
    args.extend(way.options);
    let findings = run(folder, &args);
    let value: serde_json::Value = serde_json::from_slice(&findings).unwrap();
    let name = value["inputs"][0]["path"].as_str().unwrap().to_owned();
    out.insert("stdout".into(), without_name(&findings, &name));
    for entry in fs::read_dir(folder.join("report")).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        let file = entry.file_name().to_string_lossy().into_owned();
        out.insert(file, without_name(&bytes, &name));
    }
    fs::remove_dir_all(folder.join("report")).unwrap();
    let mut formats = vec!["csv", "parquet", "ndjson"];
    if way.input.starts_with("t.pml") {
        formats.extend(["procmon-csv", "procmon-xml"]);
    }
    for format in formats {
        let mut args = vec![
            "export", way.input, "-o", "events", "--format", format, "--stacks",
        ];
        if format == "procmon-csv" {
            args.pop();
        }
        let columns = columns();
        if !format.starts_with("procmon") {
            args.extend(["--columns", &columns]);
        }
        args.extend(way.options);
        run(folder, &args);
        let bytes = fs::read(folder.join("events")).unwrap();
        out.insert(format!("export {format}"), without_name(&bytes, &name));
    }
    out
}

#[test]
fn threads_and_packing_change_no_byte() {
    for (path, name) in TRACES {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), name, &fs::read(repository(path)).unwrap());
        let plain = Way {
            name: "plain",
            input: name,
            options: &[],
        };
        let expected = written(folder.path(), &plain);
        assert!(expected.len() >= 9, "{:?}", expected.keys());
        for way in ways(name) {
            let found = written(folder.path(), &way);
            let names = |written: &Written| written.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&found), names(&expected), "{name}, {}", way.name);
            for (file, bytes) in &expected {
                // Its column `input` names the file, which differs: see `export parquet`.
                if file == "events.parquet" && way.input != name {
                    continue;
                }
                assert!(
                    found[file] == *bytes,
                    "{name}, {}: {file} differs",
                    way.name
                );
            }
        }
    }
}

#[test]
fn a_cap_on_memory_changes_no_row() {
    let folder = tempfile::tempdir().unwrap();
    for (path, name) in TRACES {
        fs::copy(repository(path), folder.path().join(name)).unwrap();
        let export = |options: &[&str]| {
            let mut args = vec!["export", name, "-o", "-", "--format", "csv"];
            args.extend(options);
            run(folder.path(), &args)
        };
        let expected = export(&[]);
        assert!(export(&["--memory", "1M"]) == expected, "{name}");
        assert!(
            export(&["--memory", "32M", "--threads", "3"]) == expected,
            "{name}"
        );
        let findings = |options: &[&str]| {
            let mut args = vec!["analyze", name, "--format", "json"];
            args.extend(options);
            run(folder.path(), &args)
        };
        assert!(findings(&["--memory", "1M"]) == findings(&[]), "{name}");
    }
}

/// All events as CSV.
fn csv(trace: &dyn Trace) -> Vec<u8> {
    let drivers = identify(trace.info(), &Observers::default());
    let columns = Column::defaults(true);
    let (filter, zone) = (Filter::default(), Zone::UTC);
    let table = Table::new(trace, &drivers, "x", &columns, &filter, &zone);
    let mut out = Vec::new();
    let style = CsvStyle::default();
    write_text(&[table], TextFormat::Csv(&style), &mut out, &Silent).unwrap();
    out
}

#[test]
fn mapped_read_or_in_memory_is_the_same() {
    for (path, name) in TRACES {
        let path = repository(path);
        let path = Path::new(&path);
        let bytes = fs::read(path).unwrap();
        let file = fs::File::open(path).unwrap();
        let sources = [
            Source::open(path).unwrap(),
            Source::File(file, bytes.len() as u64),
            Source::Memory(Arc::from(bytes)),
        ];
        let texts = sources.map(|source| match name {
            "t.pml" => csv(&PmlTrace::from_source(source, path, &|_| ()).unwrap()),
            _ => csv(&EtlTrace::from_source(source, path, &|_| ()).unwrap()),
        });
        assert!(texts[0].len() > 10_000);
        assert!(texts[0] == texts[1] && texts[0] == texts[2], "{name}");
    }
}
