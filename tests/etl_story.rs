//! The sample cases as ETL traces, whose truth the generator knows, through the binary.

use crate::common::{findings, repository, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use tracegen::etl::ClockType;
use tracegen::scenario::{
    Callbacks, EtlCase, EtlOptions, Stacks, boot_trace, boot_trace_32, clean_trace,
};

/// What is compared of a driver: names in the truth and in the findings.
const FIELDS: [(&str, &str); 9] = [
    ("file_stack", "/touches/file_stack"),
    ("registry_stack", "/touches/registry_stack"),
    ("minifilter", "/touches/minifilter"),
    ("failures", "/failures"),
    ("delays", "/delays"),
    ("verdict", "/verdict"),
    ("role", "/role"),
    ("basis", "/basis"),
    ("third_party", "/third_party"),
];

/// Every difference between a findings document and what the generator meant.
fn differences(found: &Value, truth: &Value) -> Vec<String> {
    let list = |value: &Value| -> BTreeMap<String, Value> {
        let drivers = value["drivers"].as_array().unwrap().iter();
        drivers
            .map(|driver| {
                (
                    driver["name"].as_str().unwrap().to_lowercase(),
                    driver.clone(),
                )
            })
            .collect()
    };
    let (listed, meant) = (list(found), list(truth));
    assert!(!meant.is_empty());
    let mut out = Vec::new();
    for (name, expected) in &meant {
        let Some(driver) = listed.get(name) else {
            let touches = ["file_stack", "registry_stack", "minifilter"];
            let touches: u64 = touches
                .iter()
                .filter_map(|kind| expected[kind].as_u64())
                .sum();
            // Of Microsoft's own drivers those that do not touch are not listed.
            if expected["third_party"] == true || touches > 0 {
                out.push(format!("{name} is not listed"));
            }
            continue;
        };
        for (field, pointer) in FIELDS {
            let value = driver.pointer(pointer).unwrap_or(&Value::Null);
            if value != &expected[field] {
                out.push(format!(
                    "{name}: {field} is {value}, meant {}",
                    expected[field]
                ));
            }
        }
        for field in ["delay_us_max", "delay_us_total"] {
            let (value, meant) = (
                driver[field].as_f64().unwrap(),
                expected[field].as_f64().unwrap(),
            );
            if (value - meant).abs() > 0.05 {
                out.push(format!("{name}: {field} is {value}, meant {meant}"));
            }
        }
    }
    out.extend(
        listed
            .keys()
            .filter(|name| !meant.contains_key(*name))
            .map(|name| format!("{name} was not meant")),
    );
    out
}

fn check(case: &EtlCase, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot_trace.etl");
    std::fs::write(&path, case.bytes()).unwrap();
    let truth = serde_json::to_value(&case.truth).unwrap();
    let path = path.to_str().unwrap();
    let auto = findings(&[path]);
    assert_eq!(auto["inputs"][0]["events"], truth["records"], "{what}");
    assert_eq!(auto["window"]["source"], "trace", "{what}");
    let none: Vec<String> = Vec::new();
    assert_eq!(
        differences(&auto, &truth["findings"]),
        none,
        "{what}: servicing window"
    );
    let whole = findings(&[path, "--window", ".."]);
    assert_eq!(
        differences(&whole, &truth["whole"]),
        none,
        "{what}: whole trace"
    );
}

#[test]
fn the_boot_trace_is_found_as_it_was_written() {
    check(&boot_trace(EtlOptions::default()), "boot");
}

#[test]
fn a_32_bit_trace_is_found_as_it_was_written() {
    check(&boot_trace_32(EtlOptions::default()), "32 bits");
}

#[test]
fn however_it_was_recorded_the_truth_is_found() {
    let plain = EtlOptions::default;
    let callbacks = |init, completion, failure| Callbacks {
        init,
        completion,
        failure,
    };
    let cases = [
        (
            "compressed",
            EtlOptions {
                compressed: true,
                ..plain()
            },
        ),
        (
            "small buffers",
            EtlOptions {
                buffer_size: 8_192,
                ..plain()
            },
        ),
        (
            "plain stacks",
            EtlOptions {
                stacks: Stacks::Plain,
                ..plain()
            },
        ),
        (
            "no stacks",
            EtlOptions {
                stacks: Stacks::None,
                ..plain()
            },
        ),
        (
            "no initiations",
            EtlOptions {
                callbacks: callbacks(false, true, true),
                ..plain()
            },
        ),
        (
            "no completions",
            EtlOptions {
                callbacks: callbacks(true, false, true),
                ..plain()
            },
        ),
        (
            "no failures",
            EtlOptions {
                callbacks: callbacks(true, true, false),
                ..plain()
            },
        ),
        (
            "file I/O of Windows 7",
            EtlOptions {
                file_io_version: 2,
                ..plain()
            },
        ),
        (
            "slow file system",
            EtlOptions {
                slow_callbacks: false,
                ..plain()
            },
        ),
        (
            "not finalised",
            EtlOptions {
                finalised: false,
                ..plain()
            },
        ),
        (
            "system time",
            EtlOptions {
                clock: ClockType::SystemTime,
                ..plain()
            },
        ),
    ];
    for (what, options) in cases {
        check(&boot_trace(options), what);
    }
}

#[test]
fn a_clean_trace_flags_nobody() {
    check(&clean_trace(EtlOptions::default()), "clean");
}

#[test]
fn the_committed_trace_tells_the_story() {
    let found = findings(&[&repository("traces/boot-trace")]);
    assert_eq!(found["inputs"].as_array().unwrap().len(), 4);
    assert_eq!(found["failure"]["inf"], "oposdrv.inf");
    assert_eq!(found["window"]["source"], "logs");
    let first = &found["drivers"][0];
    assert_eq!(first["name"], "tmsflt.sys");
    assert_eq!(first["verdict"], "implicated");
    assert!(first["touches"]["minifilter"].as_u64().unwrap() > 0);
    let refused = first["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "minifilter" && row["reason"] == "failure");
    let refused = refused.unwrap();
    assert_eq!(refused["status"], "0xc0000022");
    assert_eq!(refused["process"], "TiWorker.exe");
    assert_eq!(refused["phase"], "attempt");
    assert!(
        refused["path"]
            .as_str()
            .unwrap()
            .starts_with("C:\\Windows\\System32\\DriverStore\\")
    );
}

#[test]
fn what_the_logged_code_stands_for_comes_first() {
    let found = findings(&[&repository("traces/boot-trace")]);
    let rows = found["drivers"][0]["evidence"].as_array().unwrap();
    // REGISTRY CORRUPT is what 0x800703f1 comes from; the refusals before it are the older ones.
    let fitting = rows.iter().filter(|row| row["status"] == "0xc000014c");
    let fitting = fitting.count();
    assert!(fitting >= 2, "{fitting}");
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row["status"] == "0xc000014c", number < fitting);
    }
    assert!(rows[fitting]["time"].as_str() < rows[0]["time"].as_str());

    // Both traces hold the operation: it is shown once.
    let text = stdout(["analyze", &repository("traces/boot-trace")]);
    let block = text.split("IMPLICATED tmsflt.sys").nth(1).unwrap();
    let block = block.split("more touches").next().unwrap();
    for line in ["RegOpenKey", "RegLoadKey", "IRP_MJ_CREATE"] {
        assert_eq!(block.matches(line).count(), 1, "{block}");
    }
}

#[test]
fn what_one_trace_lacks_and_the_other_holds_is_no_gap() {
    let lacks_callbacks = |found: &Value| {
        let notes = found["coverage"]["notes"].as_array().unwrap();
        notes.iter().any(|note| {
            note.as_str()
                .unwrap()
                .contains("holds no minifilter callbacks")
        })
    };
    let trace = repository("traces/boot-trace/boot_trace.etl");
    let log = repository("traces/boot-trace/boot_trace.pml");
    assert!(lacks_callbacks(&findings(&[&log])));
    assert!(!lacks_callbacks(&findings(&[&log, &trace])));
}
