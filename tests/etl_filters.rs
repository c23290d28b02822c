//! The table of minifilters of `info`, against the rows of the same callbacks that `export` joins one by one.

use crate::common::{fltscope, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use tracegen::etl::ClockType;
use tracegen::scenario::{Callbacks, EtlCase, EtlOptions, boot_trace, boot_trace_32};

/// Callbacks, refusals, time in all and longest.
type Sum = (u64, u64, Option<f64>, Option<f64>);

/// What `export` says, by filter: callbacks that ended, or all where none did.
fn by_rows(path: &str) -> BTreeMap<String, Sum> {
    let rows = stdout([
        "export",
        path,
        "--class",
        "minifilter",
        "--format",
        "ndjson",
        "-o",
        "-",
    ]);
    let rows: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let first = |row: &&Value| row["callback"].is_string();
    let ends = rows.iter().any(|row| row["filter_duration_us"].is_number());
    let mut out: BTreeMap<String, Sum> = BTreeMap::new();
    for row in rows.iter().filter(first) {
        let sum = out
            .entry(row["filter"].as_str().unwrap().into())
            .or_default();
        let took = row["filter_duration_us"].as_f64();
        sum.0 += u64::from(took.is_some() || !ends);
        sum.1 += u64::from(!row["status"].is_null());
        if let Some(took) = took {
            sum.2 = Some(sum.2.unwrap_or(0.0) + took);
            sum.3 = Some(sum.3.unwrap_or(0.0).max(took));
        }
    }
    out
}

/// What `info` says.
fn by_table(path: &str) -> BTreeMap<String, Sum> {
    let info: Value = serde_json::from_str(&stdout(["info", path, "--json"])).unwrap();
    let rows = info["minifilters"].as_array().unwrap().iter();
    rows.map(|row| {
        let number = |field: &str| row[field].as_u64().unwrap();
        let sum = (
            number("callbacks"),
            number("refused"),
            row["time_us"].as_f64(),
            row["longest_us"].as_f64(),
        );
        (row["name"].as_str().unwrap().to_owned(), sum)
    })
    .collect()
}

fn check(what: &str, case: &EtlCase) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.etl");
    std::fs::write(&path, case.bytes()).unwrap();
    let path = path.to_str().unwrap();
    let (rows, table) = (by_rows(path), by_table(path));
    assert!(rows.len() > 5, "{what}: {rows:?}");
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        table.keys().collect::<Vec<_>>(),
        "{what}"
    );
    for (name, rows) in &rows {
        let table = &table[name];
        assert_eq!((rows.0, rows.1), (table.0, table.1), "{what}: {name}");
        // Rows are rounded to 0.1 µs, one by one.
        let near = |a: Option<f64>, b: Option<f64>, room: f64| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= room,
            (a, b) => a == b,
        };
        let room = 0.1 * rows.0 as f64 + 0.1;
        assert!(
            near(rows.2, table.2, room),
            "{what}: {name}: {rows:?} {table:?}"
        );
        assert!(
            near(rows.3, table.3, 0.2),
            "{what}: {name}: {rows:?} {table:?}"
        );
    }
}

#[test]
fn the_table_of_minifilters_adds_up_what_rows_tell_one_by_one() {
    let with = |init: bool, completion: bool, failure: bool| EtlOptions {
        callbacks: Callbacks {
            init,
            completion,
            failure,
        },
        ..EtlOptions::default()
    };
    let plain = EtlOptions::default;
    let cases = [
        ("plain", plain()),
        ("no initiations", with(false, true, true)),
        ("no completions", with(true, false, true)),
        ("no failures", with(true, true, false)),
        (
            "compressed",
            EtlOptions {
                compressed: true,
                ..plain()
            },
        ),
        (
            "another frequency",
            EtlOptions {
                frequency: 2_441_441,
                ..plain()
            },
        ),
        (
            "cycles",
            EtlOptions {
                clock: ClockType::Cycles,
                ..plain()
            },
        ),
    ];
    for (what, options) in cases {
        check(what, &boot_trace(options));
    }
    check("32-bit", &boot_trace_32(plain()));
}

#[test]
fn people_see_first_which_filter_took_most_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.etl");
    std::fs::write(&path, boot_trace(EtlOptions::default()).bytes()).unwrap();
    let path = path.to_str().unwrap();
    let text = stdout(["info", path]);
    let table = text.split("Minifilter callbacks").nth(1).unwrap();
    let first = table.lines().nth(1).unwrap();
    assert!(
        first.contains("tmsflt.sys") && first.contains("TMS Security Co., Ltd."),
        "{table}"
    );
    let none = EtlOptions {
        callbacks: Callbacks {
            init: false,
            completion: false,
            failure: false,
        },
        ..EtlOptions::default()
    };
    std::fs::write(path, boot_trace(none).bytes()).unwrap();
    assert!(!stdout(["info", path]).contains("Minifilter callbacks"));
    let info: Value = serde_json::from_str(&stdout(["info", path, "--json"])).unwrap();
    assert_eq!(info["minifilters"], Value::Null);
    let log = fltscope(["info", &crate::common::boot_log(), "--json"]);
    let info: Value = serde_json::from_slice(&log.stdout).unwrap();
    assert_eq!(info["minifilters"], Value::Null);
}
