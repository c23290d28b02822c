//! Failing operations and conflicts through the binary.

use crate::common::{findings, repository};
use fltscope::etl::EtlTrace;
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::trace::{Batch, Class, Select, Trace, Want};
use serde_json::Value;
use std::path::Path;
use tracegen::scenario::{
    ConflictMeant, EtlOptions, boot_case_32, clean_case, held_case, held_case_32, held_trace,
    rfc3339,
};

fn analysed(bytes: &[u8], name: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    findings(&[path.to_str().unwrap()])
}

fn list<'a>(value: &'a Value, field: &str) -> &'a Vec<Value> {
    value[field].as_array().unwrap()
}

/// The time without the part below a microsecond, which the scenario leaves to chance.
fn micros(time: &Value) -> &str {
    let text = time.as_str().unwrap_or("none");
    text.get(..text.len().saturating_sub(2)).unwrap_or(text)
}

fn assert_conflicts(found: &Value, meant: &[ConflictMeant], access: bool) {
    let conflicts = list(found, "conflicts");
    let paths: Vec<_> = conflicts.iter().map(|c| c["path"].to_string()).collect();
    assert_eq!(conflicts.len(), meant.len(), "{paths:?}");
    assert_eq!(found["conflicts_more"], 0);
    for expected in meant {
        let conflict = conflicts
            .iter()
            .find(|c| c["path"] == *expected.path)
            .unwrap_or_else(|| panic!("{} is missing: {paths:?}", expected.path));
        assert_eq!(conflict["result"], expected.result);
        assert_eq!(conflict["refusals"], expected.refusals, "{}", expected.path);
        assert_eq!(conflict["victim"]["process"], "TiWorker.exe");
        let holders = list(conflict, "holders");
        assert_eq!(holders.len(), 1, "{}: {holders:?}", expected.path);
        let holder = &holders[0];
        assert_eq!(holder["process"], expected.holder);
        assert_eq!(holder["kind"], "process");
        assert_eq!(holder["third_party"], true);
        let sure = access || expected.sure_without_access;
        let certainty = if sure { "certain" } else { "possible" };
        assert_eq!(holder["certainty"], certainty, "{}", expected.path);
        assert_eq!(holder["access"].is_null(), !access);
        let other = holder["other_path"].as_str().map(str::to_lowercase);
        let other_meant = expected
            .other_path
            .as_deref()
            .map(|path| path[2..].to_lowercase());
        assert_eq!(other, other_meant);
        let until = rfc3339(expected.until);
        assert_eq!(micros(&holder["until"]), &until[..until.len() - 2]);
        // Open when the create ends, which takes less than a millisecond.
        assert!(holder["since"].as_str().unwrap() >= rfc3339(expected.since).as_str());
        assert!(holder["since"].as_str().unwrap() < rfc3339(expected.since + 10_000).as_str());
    }
}

#[test]
fn who_has_a_file_open_is_named() {
    let (case, meant) = held_case();
    let found = analysed(&case.bytes(), "held.pml");
    assert_conflicts(&found, &meant, true);
    let inf = &list(&found, "conflicts")[0];
    let deletion = serde_json::json!(["delete"]);
    assert_eq!(inf["holders"][0]["not_shared"], deletion);
    assert_eq!(inf["victim"]["rights"], deletion);
    let old = list(&found, "conflicts");
    let old = old
        .iter()
        .find(|c| c["result"] == "DELETE PENDING")
        .unwrap();
    assert_eq!(old["deleted_by"]["process"], "TiWorker.exe");
}

#[test]
fn a_32_bit_log_names_the_same() {
    let (case, meant) = held_case_32();
    assert_conflicts(&analysed(&case.bytes(), "held.pml"), &meant, true);
}

#[test]
fn a_trace_names_them_by_file_object() {
    for options in [
        EtlOptions::default(),
        EtlOptions {
            compressed: true,
            buffer_size: 8_192,
            ..EtlOptions::default()
        },
    ] {
        let (case, meant) = held_trace(options);
        assert_conflicts(&analysed(&case.bytes(), "held.etl"), &meant, false);
    }
}

#[test]
fn the_refused_hive_explains_the_failure() {
    let found = findings(&[&repository("traces/boot-log")]);
    let failing = &found["failing_operations"][0];
    assert_eq!(failing["operation"], "RegLoadKey");
    assert_eq!(failing["result"], "REGISTRY CORRUPT");
    assert_eq!(failing["code_match"], "unknown");
    assert_eq!(failing["before_failure_us"], Value::Null);
    assert_eq!(found["failing_operations_note"], Value::Null);
    let before = list(failing, "touched_before");
    let refused = before
        .iter()
        .find(|t| t["refused"] == true && t["process"] == "System");
    let refused = refused.expect("the kernel's own open is there");
    assert!(
        refused["path"]
            .as_str()
            .unwrap()
            .ends_with("config\\DRIVERS.LOG1")
    );
    assert_eq!(refused["relation"], "hive-file");
    let conflict = &found["conflicts"][0];
    assert_eq!(conflict["path"], refused["path"]);
    assert_eq!(conflict["victim"]["process"], "System");
    assert_eq!(conflict["holders"][0]["process"], "TmsSvc.exe");
    assert_eq!(conflict["holders"][0]["share"], serde_json::json!([]));
    assert_eq!(
        analysed(&boot_case_32().bytes(), "b.pml")["conflicts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn where_nothing_failed_that_is_said() {
    let found = analysed(&clean_case().bytes(), "clean.pml");
    assert_eq!(list(&found, "failing_operations").len(), 0);
    assert_eq!(list(&found, "conflicts").len(), 0);
    let note = &found["failing_operations_note"];
    assert!(
        note["text"]
            .as_str()
            .unwrap()
            .starts_with("None in this trace")
    );
    assert!(note["reasons"].to_string().contains("385200"));
}

#[test]
fn only_the_window_counts() {
    let window = "2026-05-12T06:41:42Z..2026-05-12T06:42:17Z";
    let found = findings(&[&repository("traces/boot-log"), "--window", window]);
    assert_eq!(list(&found, "conflicts").len(), 0);
    for failing in list(&found, "failing_operations") {
        assert_ne!(failing["result"], "REGISTRY CORRUPT");
    }
}

/// Compares what creates ask for with what their detail says; how many creates there are.
fn creates_agree(trace: &dyn Trace, with_access: bool) -> usize {
    let want = Want {
        detail: true,
        file_uses: true,
        ..Want::default()
    };
    let mut creates = 0;
    for unit in 0..trace.units() {
        let mut batch = Batch::default();
        let all = Select::default();
        trace.decode(unit, &want, &all, &mut batch).unwrap();
        assert_eq!(batch.file_uses.len(), batch.len());
        for row in 0..batch.len() {
            let file = batch.class[row] == Class::FileSystem;
            let used = batch.file_use(row);
            assert!(used.is_none() || file);
            let Some(create) = used.and_then(|used| used.create) else {
                continue;
            };
            assert_eq!(batch.operation[row], "CreateFile");
            assert_eq!(create.access.is_some(), with_access);
            assert_eq!(used.unwrap().object != 0, !with_access);
            let words = [(1, "Read"), (2, "Write"), (4, "Delete")];
            let words = words.iter().filter(|(bit, _)| create.share & bit != 0);
            let words: Vec<&str> = words.map(|(_, word)| *word).collect();
            let share = match words.is_empty() {
                true => "ShareMode: None".to_owned(),
                false => format!("ShareMode: {}", words.join(", ")),
            };
            let detail = batch.detail.get(row);
            assert!(detail.contains(&share), "{share}: {detail}");
            creates += 1;
        }
        let plain = Want::default();
        batch.clear();
        trace.decode(unit, &plain, &all, &mut batch).unwrap();
        assert!(batch.file_uses.is_empty());
    }
    creates
}

#[test]
fn creates_tell_what_they_ask_for() {
    let source = |bytes: Vec<u8>| Source::Memory(bytes.into());
    let pml = source(held_case().0.bytes());
    let pml = PmlTrace::from_source(pml, Path::new("a.pml"), &|_| ()).unwrap();
    assert!(creates_agree(&pml, true) > 100);
    let etl = source(held_trace(EtlOptions::default()).0.bytes());
    let etl = EtlTrace::from_source(etl, Path::new("a.etl"), &|_| ()).unwrap();
    assert!(creates_agree(&etl, false) > 100);
    let Some(folder) = crate::common::real_logs("creates_tell_what_they_ask_for") else {
        return;
    };
    for name in ["Tests32bitUTC.pml", "Tests64bitUTC.pml"] {
        let trace = PmlTrace::open(&folder.join(name), &|_| ()).unwrap();
        assert!(creates_agree(&trace, true) > 100, "{name}");
    }
}
