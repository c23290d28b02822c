//! The sample cases, whose truth the generator knows, through the binary.

use crate::common::{boot_log, findings, fltscope, repository, stderr};
use serde_json::Value;
use std::collections::BTreeMap;
use tracegen::scenario::{Case, boot_case, boot_case_32, clean_case};

fn driver<'a>(findings: &'a Value, name: &str) -> &'a Value {
    findings["drivers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|driver| driver["name"] == name)
        .unwrap_or_else(|| panic!("{name} is not listed"))
}

/// Compares a findings document with what the generator meant, driver by driver and process by process.
fn assert_truth(found: &Value, truth: &Value, what: &str) {
    let listed: BTreeMap<String, &Value> = found["drivers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|driver| (driver["name"].as_str().unwrap().to_lowercase(), driver))
        .collect();
    let meant = truth["drivers"].as_array().unwrap();
    assert!(!meant.is_empty());
    for expected in meant {
        let name = expected["name"].as_str().unwrap().to_lowercase();
        let touches =
            expected["file_stack"].as_u64().unwrap() + expected["registry_stack"].as_u64().unwrap();
        let Some(driver) = listed.get(&name) else {
            assert!(
                expected["third_party"] == false && touches == 0,
                "{what}: {name} is not listed"
            );
            continue;
        };
        for (field, value) in [
            ("file_stack", &driver["touches"]["file_stack"]),
            ("registry_stack", &driver["touches"]["registry_stack"]),
            ("failures", &driver["failures"]),
            ("delays", &driver["delays"]),
            ("verdict", &driver["verdict"]),
            ("role", &driver["role"]),
            ("basis", &driver["basis"]),
            ("third_party", &driver["third_party"]),
        ] {
            assert_eq!(value, &expected[field], "{what}: {name}: {field}");
        }
        assert_eq!(
            driver["delay_us_max"].as_f64(),
            expected["delay_us_max"].as_f64(),
            "{what}: {name}: delay_us_max"
        );
    }
    let known: Vec<String> = meant
        .iter()
        .map(|driver| driver["name"].as_str().unwrap().to_lowercase())
        .collect();
    for name in listed.keys() {
        assert!(known.contains(name), "{what}: {name} was not meant");
    }
}

fn check(case: &Case, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, case.bytes()).unwrap();
    let truth = serde_json::to_value(&case.truth).unwrap();
    let path = path.to_str().unwrap();
    let auto = findings(&[path]);
    assert_truth(&auto, &truth["findings"], "servicing window");
    assert_eq!(auto["inputs"][0]["events"], truth["events"]);
    let whole = findings(&[path, "--window", ".."]);
    assert_truth(&whole, &truth["whole"], "whole log");
    assert_eq!(whole["window"]["source"], "user");
}

#[test]
fn the_boot_case_is_found_as_it_was_written() {
    check(&boot_case(), "boot_log.pml");
}

#[test]
fn a_32_bit_log_gives_the_same() {
    check(&boot_case_32(), "boot_log.pml");
}

#[test]
fn a_clean_case_flags_nobody() {
    check(&clean_case(), "clean.pml");
    let found = findings(&[&repository("traces/clean")]);
    let flagged = found["drivers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|driver| driver["third_party"] == true && driver["verdict"] != "loaded");
    assert_eq!(flagged.count(), 0);
}

#[test]
fn the_committed_sample_tells_the_story() {
    let found = findings(&[&repository("traces/boot-log")]);
    assert_eq!(found["schema"], "fltscope.findings/1");
    assert_eq!(found["window"]["source"], "trace");
    assert_eq!(found["window"]["start"], "2026-05-12T06:41:42.5000001Z");
    assert_eq!(found["window"]["failure"], Value::Null);
    assert_eq!(found["failure"], Value::Null);
    assert_eq!(found["drivers"][0]["name"], "tmsflt.sys");
    assert_eq!(found["drivers"][0]["verdict"], "implicated");
    assert_eq!(driver(&found, "PROCMON24.SYS")["role"], "observer");
    assert_eq!(driver(&found, "PROCMON24.SYS")["verdict"], "loaded");
    assert_eq!(driver(&found, "latefilt.sys")["basis"], "unknown");
    let worst = &found["drivers"][0]["evidence"][0];
    assert_eq!(worst["reason"], "failure");
    assert_eq!(worst["process"], "TiWorker.exe");
    assert!(
        worst["path"]
            .as_str()
            .unwrap()
            .contains("oposdrv.inf_amd64_")
    );
    let service = &found["processes"][0];
    assert_eq!(service["name"], "TmsSvc.exe");
    assert!(found["coverage"]["notes"].to_string().contains("385200"));
}

#[test]
fn evidence_is_limited_and_counts_are_not() {
    let all = findings(&[&boot_log()]);
    let few = findings(&[&boot_log(), "--evidence", "2"]);
    let (all, few) = (driver(&all, "tmsflt.sys"), driver(&few, "tmsflt.sys"));
    assert_eq!(few["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(few["evidence"][0], all["evidence"][0]);
    for field in ["touches", "failures", "delays", "paths"] {
        assert_eq!(few[field], all[field]);
    }
}

#[test]
fn a_window_cuts_to_both_its_ends() {
    let log = boot_log();
    let first = driver(&findings(&[&log]), "tmsflt.sys")["first"].clone();
    let at = first.as_str().unwrap();
    let only = findings(&[&log, "--window", &format!("{at}..{at}")]);
    assert_eq!(driver(&only, "tmsflt.sys")["touches"]["file_stack"], 1);
    let before = findings(&[&log, "--window", "..2020-01-01T00:00:00Z"]);
    assert_eq!(driver(&before, "tmsflt.sys")["verdict"], "loaded");
    assert!(before["warnings"].to_string().contains("does not meet"));
}

#[test]
fn rules_change_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    let run = |text: &str| {
        std::fs::write(&rules, text).unwrap();
        findings(&[&boot_log(), "--rules", rules.to_str().unwrap()])
    };
    let watched = run("[observers]\ndrivers = ['TMS*.sys']");
    assert_eq!(driver(&watched, "tmsflt.sys")["role"], "observer");
    assert_eq!(driver(&watched, "tmsflt.sys")["verdict"], "loaded");
    assert!(driver(&watched, "tmsflt.sys")["touches"]["file_stack"].as_u64() > Some(0));
    let benign = run(
        "delay_ms = 60000\n[benign]\nresults = ['ACCESS DENIED', 'SHARING VIOLATION', '0xC000014C', 'DELETE PENDING', 'CANNOT DELETE', 'USER MAPPED FILE']",
    );
    assert_eq!(driver(&benign, "tmsflt.sys")["verdict"], "touched");
    let every = run("[scope]\nfile = ['**']\nregistry = ['**']");
    assert!(
        driver(&every, "tmsflt.sys")["touches"]["file_stack"].as_u64()
            >= driver(&benign, "tmsflt.sys")["touches"]["file_stack"].as_u64()
    );
    std::fs::write(&rules, "scpe = 1").unwrap();
    let bad = fltscope(["analyze", &boot_log(), "--rules", rules.to_str().unwrap()]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(stderr(&bad).contains("rules.toml"));
}

#[test]
fn a_log_that_is_given_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("boot_log.pml");
    std::fs::copy(boot_log(), &log).unwrap();
    let (folder, log) = (folder.path().to_str().unwrap(), log.to_str().unwrap());
    let once = findings(&[log]);
    let twice = findings(&[log, folder, &format!("{folder}/./boot_log.pml")]);
    assert_eq!(twice["inputs"], once["inputs"]);
    assert_eq!(twice["drivers"], once["drivers"]);
    let warnings = twice["warnings"].as_array().unwrap();
    let told = |text: &&Value| text.as_str().unwrap().contains("read once");
    assert_eq!(warnings.iter().filter(told).count(), 2);
}

#[test]
fn two_logs_of_one_case_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["boot_log.pml", "boot_log-1.pml"] {
        std::fs::copy(boot_log(), folder.path().join(name)).unwrap();
    }
    let twice = findings(&[folder.path().to_str().unwrap()]);
    let once = findings(&[&boot_log()]);
    assert_eq!(twice["inputs"].as_array().unwrap().len(), 2);
    assert!(
        twice["inputs"][0]["path"]
            .as_str()
            .unwrap()
            .ends_with("boot_log.pml")
    );
    for name in ["tmsflt.sys", "acmebkp.sys", "ntoskrnl.exe"] {
        let of = |found: &Value| {
            driver(found, name)["touches"]["file_stack"]
                .as_u64()
                .unwrap()
        };
        assert_eq!(of(&twice), 2 * of(&once), "{name}");
    }
    assert_eq!(
        twice["drivers"].as_array().unwrap().len(),
        once["drivers"].as_array().unwrap().len()
    );
}
