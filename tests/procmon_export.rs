//! Procmon's own export formats: against Procmon's files where they are at hand, and by themselves.

use crate::common::{boot_log, fltscope, real_logs, repository, stderr, stdout};
use fltscope::drivers::{Observers, identify};
use fltscope::export::Filter;
use fltscope::export::procmon::{Export, ProcmonColumn, write_csv, write_xml};
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::pml::detail::Dialect;
use fltscope::trace::time::parse_rfc3339;
use fltscope::trace::{Silent, Trace as _, Zone};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tracegen::pml::op::{Create, FileOp};
use tracegen::pml::{Bits, Event, LogBuilder, Op, Process};
use tracegen::scenario::{boot_case, boot_case_32};

/// Name and SHA-256 of each of Procmon's files: in the form of `sha256sum`.
const GOLDEN: &str = include_str!("golden/procmon_csv.sha256");

fn golden() -> Vec<(&'static str, &'static str)> {
    GOLDEN
        .lines()
        .map(|line| line.split_once("  ").expect("hash, two blanks, name"))
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut out, byte| {
            write!(out, "{byte:02x}").unwrap();
            out
        })
}

/// `export` to stdout in Procmon's CSV.
fn procmon_csv(log: &str, options: &[&str]) -> Vec<u8> {
    let mut args = vec!["export", log, "-o", "-", "--format", "procmon-csv"];
    args.extend(options);
    let output = fltscope(args);
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout
}

/// The names in the header line of a CSV.
fn header(csv: &[u8]) -> String {
    let line = csv.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap();
    line.trim_start_matches('\u{feff}').replace('"', "")
}

#[test]
fn the_golden_file_is_well_formed() {
    let rows = golden();
    assert_eq!(rows.len(), 4);
    for (hash, name) in rows {
        assert_eq!(hash.len(), 64, "{name}");
        assert!(
            hash.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert!(name.ends_with(".csv"));
    }
}

#[test]
fn real_logs_come_out_as_procmon_wrote_them() {
    let Some(folder) = real_logs("real_logs_come_out_as_procmon_wrote_them") else {
        return;
    };
    for (hash, name) in golden() {
        let theirs = std::fs::read(folder.join(name)).unwrap();
        let log = folder.join(name).with_extension("pml");
        // The order of the columns was the user's choice.
        let ours = procmon_csv(
            log.to_str().unwrap(),
            &["--columns", &header(&theirs), "--dialect", "auto"],
        );
        let differs = ours
            .iter()
            .zip(&theirs)
            .position(|(our, their)| our != their);
        assert_eq!(differs, None, "{name}: first difference");
        assert_eq!(ours.len(), theirs.len(), "{name}: bytes");
        assert_eq!(sha256(&ours), hash, "{name}");
    }
}

#[test]
fn real_logs_have_the_default_columns_and_a_dialect_each() {
    let Some(folder) = real_logs("real_logs_have_the_default_columns_and_a_dialect_each") else {
        return;
    };
    for (name, dialect) in [
        ("Tests64bitUTC", "2020-07"),
        ("UTC64Filesystem", "2020-07"),
        ("UTC64Registry", "2020-07"),
        ("Tests32bitUTC", "2020-03"),
    ] {
        let log = folder.join(name).with_extension("pml");
        let log = log.to_str().unwrap();
        let csv = folder.join(name).with_extension("csv");
        let theirs = std::fs::read(csv).unwrap();
        let columns = header(&theirs);
        let plain = procmon_csv(log, &["--columns", &columns, "--dialect", dialect]);
        assert!(plain == theirs, "{name} as {dialect}");
        if name != "Tests32bitUTC" {
            assert!(procmon_csv(log, &[]) == theirs, "{name} without options");
        }
    }
}

#[test]
fn threads_make_no_difference() {
    for log in [boot_log(), repository("traces/clean/clean.pml")] {
        for options in [
            &["--format", "procmon-csv"][..],
            &["--format", "procmon-xml", "--stacks"],
        ] {
            let run = |threads| {
                let mut args = vec!["export", &log, "-o", "-", "--threads", threads];
                args.extend(options);
                fltscope(args).stdout
            };
            let one = run("1");
            assert!(!one.is_empty());
            assert!(one == run("4"), "{log} {options:?}");
        }
    }
}

#[test]
fn the_file_has_procmons_form() {
    let csv = String::from_utf8(procmon_csv(&boot_log(), &[])).unwrap();
    let names: Vec<&str> = ProcmonColumn::ALL
        .iter()
        .map(|column| column.name())
        .collect();
    assert!(csv.starts_with("\u{feff}\"Time of Day\",\"Process Name\",\"PID\","));
    assert_eq!(header(csv.as_bytes()), names.join(","));
    assert!(csv.ends_with("\"\r\n"));
    assert_eq!(csv.matches('\n').count(), csv.matches("\"\r\n").count());
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let records = stdout(["info", &boot_log(), "--json"]);
    let records: serde_json::Value = serde_json::from_str(&records).unwrap();
    let good = records
        .pointer("/records/good")
        .and_then(serde_json::Value::as_u64);
    let read = rows
        .records()
        .map(|row| assert_eq!(row.unwrap().len(), 27))
        .count() as u64;
    assert_eq!(Some(read), good);
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let columns = [
        "--columns",
        "operation,PID,process name,Date & Time,Path,PID,Event Class",
    ];
    let csv = String::from_utf8(procmon_csv(&boot_log(), &columns)).unwrap();
    assert_eq!(
        header(csv.as_bytes()),
        "Operation,PID,Process Name,Date & Time,Path,PID,Event Class"
    );
    let all = procmon_csv(&boot_log(), &[]);
    let mut all = csv::Reader::from_reader(&all[..]);
    let names = all.headers().unwrap().clone();
    let at = |name: &str| {
        names
            .iter()
            .position(|n| n.trim_matches(['\u{feff}', '"']) == name)
            .unwrap()
    };
    let mut chosen = csv::Reader::from_reader(csv.as_bytes());
    let order = [
        "Operation",
        "PID",
        "Process Name",
        "Date & Time",
        "Path",
        "PID",
        "Event Class",
    ]
    .map(at);
    let mut rows = 0;
    for (chosen, all) in chosen.records().zip(all.records()) {
        let (chosen, all) = (chosen.unwrap(), all.unwrap());
        assert!(chosen.iter().eq(order.iter().map(|at| &all[*at])));
        rows += 1;
    }
    assert!(rows > 5_000);
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for (options, told) in [
        (
            &["--format", "procmon-csv", "--columns", "Path,Nonsense"][..],
            "no column 'Nonsense'",
        ),
        (
            &["--format", "procmon-csv", "--columns", "duration_us"],
            "there are Time of Day, ",
        ),
        (
            &["--format", "csv", "--columns", "Time of Day"],
            "a column of --format procmon-csv",
        ),
        (
            &["--format", "csv", "--dialect", "2020-03"],
            "--dialect is for",
        ),
        (&["--format", "procmon-csv", "--stacks"], "no stacks"),
        (&["--format", "procmon-xml", "--bom"], "--bom is for CSV"),
        (&["--format", "procmon-csv", "--dialect", "1999"], "2020-07"),
        (
            &["--format", "procmon-csv", "--tz", "Mars/Base"],
            "no time zone",
        ),
    ] {
        let log = boot_log();
        let mut args = vec!["export", log.as_str(), "-o", "-"];
        args.extend(options);
        let output = fltscope(args);
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(
            stderr(&output).contains(told),
            "{options:?}: {}",
            stderr(&output)
        );
        assert!(output.stdout.is_empty(), "{options:?}");
    }
}

#[test]
fn a_filter_leaves_rows_as_they_are() {
    let all = procmon_csv(&boot_log(), &[]);
    let all = std::str::from_utf8(&all).unwrap();
    let rows: Vec<&str> = all.split_inclusive("\r\n").collect();
    for (options, field) in [
        (&["--class", "registry"][..], "\"Registry\""),
        (&["--operation", "CreateFile"], "\"CreateFile\""),
        (&["--result", "SHARING VIOLATION"], "\"SHARING VIOLATION\""),
    ] {
        let some = procmon_csv(&boot_log(), options);
        let some = std::str::from_utf8(&some).unwrap();
        let expected: String = std::iter::once(&rows[0])
            .chain(rows[1..].iter().filter(|row| row.contains(field)))
            .copied()
            .collect();
        assert!(some == expected, "{options:?}");
        assert!(some.lines().count() > 1, "{options:?}");
    }
    // Conditions that take more than the fixed part of a record.
    for options in [
        &["--third-party", "--failures"][..],
        &["--driver-store"],
        &["--path", "*\\oposdrv.inf*"],
        &[
            "--from",
            "2026-05-12T06:42:00Z",
            "--to",
            "2026-05-12T06:42:10Z",
        ],
    ] {
        let some = procmon_csv(&boot_log(), options);
        let some: Vec<&str> = std::str::from_utf8(&some)
            .unwrap()
            .split_inclusive("\r\n")
            .collect();
        let mut next = rows.iter();
        assert!(
            some.iter().all(|row| next.any(|other| other == row)),
            "{options:?}"
        );
        assert!(some.len() > 1 && some.len() < rows.len(), "{options:?}");
    }
}

/// A log of one process with events at these times, each lasting a second.
fn log_at(times: &[&str]) -> Vec<u8> {
    let mut log = LogBuilder::new(Bits::B64);
    let process = log.process(Process::new(8, 4, "C:\\x.exe"));
    for time in times {
        log.event(&Event {
            process,
            tid: 12,
            time: parse_rfc3339(time).unwrap().0,
            duration: 10_000_000,
            status: 0,
            stack: Vec::new(),
            op: Op::file("C:\\a \"b\"", FileOp::CreateFile(Create::default())),
        });
    }
    log.finish()
}

#[test]
fn times_are_those_of_the_exporting_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dst.pml");
    // Clocks in Berlin go from 2 to 3 at 01:00 UTC.
    let times = [
        "2026-03-28T23:30:00Z",
        "2026-03-29T00:59:59.5Z",
        "2026-03-29T01:00:00Z",
    ];
    std::fs::write(&path, log_at(&times)).unwrap();
    let columns = "Time of Day,Date & Time,Relative Time,Duration,Completion Time,Path";
    let options = ["--columns", columns, "--tz", "Europe/Berlin"];
    let csv = procmon_csv(path.to_str().unwrap(), &options);
    let rows = [
        "\"12:30:00.0000000 AM\",\"3/29/2026 12:30:00 AM\",\"00:00:00.0000000\",\"1.0000000\",\"12:30:01.0000000 AM\",\"C:\\a \"\"b\"\"\"\r\n",
        "\"1:59:59.5000000 AM\",\"3/29/2026 1:59:59 AM\",\"01:29:59.5000000\",\"1.0000000\",\"3:00:00.5000000 AM\",\"C:\\a \"\"b\"\"\"\r\n",
        "\"3:00:00.0000000 AM\",\"3/29/2026 3:00:00 AM\",\"01:30:00.0000000\",\"1.0000000\",\"3:00:01.0000000 AM\",\"C:\\a \"\"b\"\"\"\r\n",
    ];
    let text = String::from_utf8(csv).unwrap();
    assert_eq!(text.split_once("\r\n").unwrap().1, rows.concat());
    // A filter does not move the origin of the relative time.
    let later = [&options[..], &["--from", "2026-03-29T01:00:00Z"]].concat();
    let csv = procmon_csv(path.to_str().unwrap(), &later);
    assert!(String::from_utf8(csv).unwrap().ends_with(rows[2]));
}

#[test]
fn dialects_differ_in_listings_only() {
    let outputs = ["2020-03", "2020-07", "recent"]
        .map(|dialect| procmon_csv(&boot_log(), &["--dialect", dialect]));
    let outputs = outputs.map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(outputs[1].as_bytes(), procmon_csv(&boot_log(), &[]));
    for other in [&outputs[0], &outputs[2]] {
        let differing = outputs[1]
            .lines()
            .zip(other.lines())
            .filter(|(a, b)| a != b);
        let rows: Vec<(&str, &str)> = differing.collect();
        assert!(!rows.is_empty());
        for (row, _) in rows {
            let known = [
                "\"QueryDirectory\"",
                "SecurityFile\"",
                "\"QueryStreamInformationFile\"",
            ];
            assert!(
                known.iter().any(|operation| row.contains(operation)),
                "{row}"
            );
        }
    }
}

#[test]
fn xml_has_the_lists_that_programs_look_for() {
    let run = |options: &[&str]| {
        let log = boot_log();
        let mut args = vec!["export", log.as_str(), "-o", "-", "--format", "procmon-xml"];
        args.extend(options);
        stdout(args)
    };
    let plain = run(&[]);
    assert!(plain.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<procmon><processlist><process>\r\n<ProcessIndex>"
    ));
    assert!(plain.contains("\r\n</processlist><eventlist>\r\n<event>\r\n<ProcessIndex>"));
    assert!(plain.ends_with("</event>\r\n</eventlist></procmon>\r\n"));
    assert!(!plain.contains("<stack>"));
    let events = plain.matches("<event>").count();
    let stacks = run(&["--stacks"]);
    assert_eq!(stacks.matches("<stack>").count(), events);
    assert!(stacks.contains("\\tmsflt.sys</path>\r\n<location>tmsflt.sys + 0x"));
    let chosen = run(&["--columns", "Date & Time,TID", "--class", "network"]);
    let first = chosen.split("<event>\r\n").nth(1).unwrap();
    let lines: Vec<&str> = first.lines().collect();
    assert!(
        lines[1].starts_with("<Date___Time>5/12/2026 6:4"),
        "{first}"
    );
    assert!(lines[2].starts_with("<TID>"), "{first}");
    assert_eq!(lines[3], "</event>");
}

/// The boot case as a 64-bit and as a 32-bit machine records it.
fn samples() -> &'static [Vec<u8>; 2] {
    static LOGS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    LOGS.get_or_init(|| [boot_case().bytes(), boot_case_32().bytes()])
}

/// Both exports of these bytes, with the number of whole records; `None` where they are no log at all.
fn exported(bytes: Vec<u8>, dialect: Dialect) -> Option<(u64, Vec<u8>, Vec<u8>)> {
    let source = Source::Memory(Arc::from(bytes));
    let trace = PmlTrace::from_source(source, Path::new("x.pml"), &|_| ()).ok()?;
    let drivers = identify(trace.info(), &Observers::default());
    let export = Export {
        trace: &trace,
        drivers: &drivers,
        filter: &Filter::default(),
        dialect,
        zone: &Zone::fixed(-12_600),
    };
    let (mut csv, mut xml) = (Vec::new(), Vec::new());
    let rows = write_csv(&[export], ProcmonColumn::ALL, &mut csv, &Silent).unwrap();
    let events = write_xml(&export, &ProcmonColumn::SHOWN, true, &mut xml, &Silent).unwrap();
    assert_eq!(rows, events);
    assert_eq!(rows, trace.info().records.good);
    Some((rows, csv, xml))
}

/// Every row is a line with all its fields, whatever they hold.
fn assert_sound(rows: u64, csv: &[u8], xml: &[u8]) {
    let lines = csv.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(lines, rows + 1);
    let mut reader = csv::Reader::from_reader(csv);
    let mut read = 0;
    for row in reader.records() {
        assert_eq!(row.unwrap().len(), ProcmonColumn::ALL.len());
        read += 1;
    }
    assert_eq!(read, rows);
    let xml = std::str::from_utf8(xml).unwrap();
    let in_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    assert!(xml.chars().all(in_xml));
    assert_eq!(xml.matches("<event>").count() as u64, rows);
    assert_eq!(xml.matches("</event>").count() as u64, rows);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Bytes of records (details, extra blocks, their headers) and of the tables behind them are changed.
    #[test]
    fn changed_bytes_give_a_row_or_a_counted_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4_000),
        narrow in any::<bool>(),
        late in any::<bool>(),
    ) {
        const HEADER: usize = 0x3A8;
        let mut bytes = samples()[usize::from(narrow)].clone();
        for (index, value) in changes {
            let at = HEADER + index.index(bytes.len() - HEADER);
            bytes[at] = value;
        }
        let dialect = if late { Dialect::Late2020 } else { Dialect::Early2020 };
        if let Some((rows, csv, xml)) = exported(bytes, dialect) {
            assert_sound(rows, &csv, &xml);
        }
    }
}

#[test]
fn an_untouched_log_is_sound() {
    for dialect in [Dialect::Early2020, Dialect::Late2020, Dialect::Recent] {
        for sample in samples() {
            let (rows, csv, xml) = exported(sample.clone(), dialect).unwrap();
            assert!(rows > 5_000);
            assert_sound(rows, &csv, &xml);
        }
    }
}
