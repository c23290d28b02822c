//! Real Procmon logs against Procmon's own CSV of each.

use crate::common::{real_logs, stdout};
use std::collections::HashMap;
use std::path::Path;

const LOGS: [&str; 4] = [
    "Tests64bitUTC",
    "Tests32bitUTC",
    "UTC64Filesystem",
    "UTC64Registry",
];

type Row = HashMap<String, String>;

/// The rows of Procmon's CSV.
fn procmon_rows(path: &Path) -> Vec<Row> {
    let bytes = std::fs::read(path).unwrap();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    rows(bytes)
}

fn rows(bytes: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            names
                .iter()
                .cloned()
                .zip(record.iter().map(str::to_owned))
                .collect()
        })
        .collect()
}

#[test]
fn every_row_equals_procmons() {
    let Some(folder) = real_logs("every_row_equals_procmons") else {
        return;
    };
    for name in LOGS {
        let log = folder.join(format!("{name}.pml"));
        let ours = rows(
            stdout([
                "export",
                log.to_str().unwrap(),
                "-o",
                "-",
                "--format",
                "csv",
            ])
            .as_bytes(),
        );
        let theirs = procmon_rows(&folder.join(format!("{name}.csv")));
        assert_eq!(ours.len(), theirs.len(), "{name}: rows");
        for (number, (our, their)) in ours.iter().zip(&theirs).enumerate() {
            for (column, procmon) in [
                ("class", "Event Class"),
                ("operation", "Operation"),
                ("path", "Path"),
                ("result", "Result"),
                ("category", "Category"),
                ("process", "Process Name"),
                ("pid", "PID"),
                ("tid", "TID"),
                ("process_path", "Image Path"),
                ("user", "User"),
                ("company", "Company"),
                ("description", "Description"),
                ("version", "Version"),
                ("integrity", "Integrity"),
                ("parent_pid", "Parent PID"),
                ("session", "Session"),
                ("auth_id", "Authentication ID"),
                ("virtualized", "Virtualized"),
                ("architecture", "Architecture"),
            ] {
                assert_eq!(
                    our[column], their[procmon],
                    "{name}: row {number}: {column}"
                );
            }
            assert_eq!(our["event"], number.to_string());
            let duration = match their["Duration"].as_str() {
                "" => String::new(),
                seconds => {
                    let ticks: u64 = seconds.replace('.', "").parse().unwrap();
                    format!("{}.{}", ticks / 10, ticks % 10)
                }
            };
            assert_eq!(
                our["duration_us"], duration,
                "{name}: row {number}: duration"
            );
            let fraction = their["Time of Day"]
                .split(['.', ' '])
                .nth(1)
                .unwrap()
                .to_owned();
            assert!(
                our["time"].ends_with(&format!(".{fraction}Z")),
                "{name}: row {number}"
            );
        }
    }
}

#[test]
fn all_formats_hold_all_events() {
    let Some(folder) = real_logs("all_formats_hold_all_events") else {
        return;
    };
    for name in LOGS {
        let log = folder.join(format!("{name}.pml"));
        let log = log.to_str().unwrap();
        let info: serde_json::Value =
            serde_json::from_str(&stdout(["info", log, "--json"])).unwrap();
        let events = info["records"]["good"].as_u64().unwrap();
        let csv_rows = procmon_rows(&folder.join(format!("{name}.csv"))).len() as u64;
        assert_eq!(events, csv_rows, "{name}");
        assert_eq!(info["records"]["bad"], 0, "{name}");
        assert_eq!(info["warnings"].as_array().unwrap().len(), 0, "{name}");
        let json = stdout(["export", log, "-o", "-", "--format", "ndjson", "--stacks"]);
        assert_eq!(json.lines().count() as u64, events, "{name}");
        for line in json.lines().step_by(997) {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn touches_are_those_of_an_independent_count() {
    let Some(folder) = real_logs("touches_are_those_of_an_independent_count") else {
        return;
    };
    // Counted with procmon-parser; scripts/recount.py does it again.
    let expected: [(&str, &[(&str, u64)]); 4] = [
        (
            "UTC64Filesystem",
            &[("FLTMGR.SYS", 400), ("ntoskrnl.exe", 400)],
        ),
        (
            "Tests64bitUTC",
            &[
                ("CI.dll", 13),
                ("FLTMGR.SYS", 13),
                ("ntoskrnl.exe", 13),
                ("WdFilter.sys", 1),
            ],
        ),
        ("UTC64Registry", &[]),
        ("Tests32bitUTC", &[]),
    ];
    for (name, drivers) in expected {
        let log = folder.join(format!("{name}.pml"));
        let found = crate::common::findings(&[log.to_str().unwrap(), "--window", ".."]);
        let touching: Vec<(String, u64)> = found["drivers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|driver| {
                let touches = &driver["touches"];
                let total = touches["file_stack"].as_u64().unwrap()
                    + touches["registry_stack"].as_u64().unwrap();
                (driver["name"].as_str().unwrap().to_owned(), total)
            })
            .filter(|(_, total)| *total > 0)
            .collect();
        let expected: Vec<(String, u64)> = drivers
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        assert_eq!(touching, expected, "{name}");
    }
}
