//! Levels through the binary: how far the evidence goes against whom.

use crate::common::{findings, repository};
use serde_json::Value;
use tracegen::logs::{Paper, cbs};
use tracegen::scenario::{EtlOptions, boot_story, clean_case, held_case, short_boot_trace};

fn analysed(bytes: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot_log.pml");
    std::fs::write(&path, bytes).unwrap();
    findings(&[path.to_str().unwrap()])
}

fn suspect<'a>(found: &'a Value, name: &str) -> &'a Value {
    let suspects = found["suspects"].as_array().unwrap();
    suspects
        .iter()
        .find(|suspect| suspect["name"] == name)
        .unwrap_or_else(|| panic!("{name} is no suspect: {suspects:?}"))
}

#[test]
fn the_sample_case_is_graded_by_its_evidence() {
    let found = findings(&[&repository("traces/boot-trace")]);
    let expected = [
        ("tmsflt.sys", 3, "Its own callback refused"),
        ("TmsSvc.exe", 3, "DRIVERS.LOG1"),
        ("acmebkp.sys", 2, "in the call"),
        ("AcmeAgent.exe", 2, "not shown"),
        ("tmsnet.sys", 1, "loaded"),
        ("PROCMON24.SYS", 0, "only watches"),
    ];
    for (name, level, reason) in expected {
        let suspect = suspect(&found, name);
        assert_eq!(suspect["level"], level, "{suspect}");
        assert!(
            suspect["reason"].as_str().unwrap().contains(reason),
            "{suspect}"
        );
    }
    // Drivers and the service of one vendor are one product; the strongest member speaks for it.
    let products = found["products"].as_array().unwrap();
    assert_eq!(products[0]["company"], "TMS Security Co., Ltd.");
    assert_eq!(products[0]["level"], 3);
    let members = products[0]["members"].as_array().unwrap();
    assert_eq!(members.len(), 3, "{members:?}");
    // Microsoft's own are nobody's suspects.
    let suspects = found["suspects"].as_array().unwrap();
    assert!(suspects.iter().all(|s| s["name"] != "WdFilter.sys"));
    // A level that says something points at its events.
    for suspect in suspects.iter().filter(|s| s["level"] == 3) {
        assert!(
            !suspect["evidence"].as_array().unwrap().is_empty(),
            "{suspect}"
        );
    }
}

#[test]
fn nothing_is_suspicion_where_nothing_failed() {
    let found = analysed(&clean_case().bytes());
    let suspects = found["suspects"].as_array().unwrap();
    assert!(!suspects.is_empty());
    assert!(
        suspects.iter().all(|s| s["level"].as_u64().unwrap() <= 2),
        "{suspects:?}"
    );
}

#[test]
fn whoever_held_what_servicing_was_refused_is_a_suspect() {
    let (case, meant) = held_case();
    let found = analysed(&case.bytes());
    for conflict in meant {
        let holder = suspect(&found, conflict.holder);
        assert!(holder["level"].as_u64().unwrap() >= 3, "{holder}");
    }
}

#[test]
fn a_callback_that_refuses_with_what_was_logged_is_proof() {
    let level = |error: u32, name: &str| {
        let folder = tempfile::tempdir().unwrap();
        let trace = short_boot_trace(EtlOptions::default());
        std::fs::write(folder.path().join("trace.etl"), trace.bytes()).unwrap();
        let mut story = boot_story();
        (story.error, story.error_name) = (error, name.to_owned());
        let log = cbs(&story, &Paper::default()).bytes;
        std::fs::write(folder.path().join("CBS.log"), log).unwrap();
        let found = findings(&[folder.path().to_str().unwrap()]);
        suspect(&found, "tmsflt.sys")["level"].as_u64().unwrap()
    };
    // STATUS_ACCESS_DENIED is what the filter of the story refuses with.
    assert_eq!(level(5, "ERROR_ACCESS_DENIED"), 4);
    assert_eq!(level(0x20, "ERROR_SHARING_VIOLATION"), 3);
}
