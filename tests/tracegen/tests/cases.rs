//! The cases: the same bytes every time, and a story that holds what it promises.

use std::path::{Path, PathBuf};
use tracegen::logs::{Encoding, Paper, Zone, cbs, setupapi};
use tracegen::scenario::{
    Case, DriverTruth, EtlOptions, Findings, boot_case, boot_case_32, boot_story, clean_case,
    short_boot_case, short_boot_trace,
};

fn driver<'a>(findings: &'a Findings, name: &str) -> &'a DriverTruth {
    findings
        .drivers
        .iter()
        .find(|d| d.name == name)
        .unwrap_or_else(|| panic!("{name} is missing"))
}

#[test]
fn a_case_is_the_same_every_time() {
    for case in [boot_case, clean_case, boot_case_32] {
        assert!(case().bytes() == case().bytes());
    }
}

/// Logs of a machine two hours ahead of UTC, as the header of the trace has it.
fn summer(encoding: Encoding) -> Paper {
    Paper {
        zone: Zone::hours(2),
        encoding,
        ..Paper::default()
    }
}

#[test]
fn committed_samples_are_what_the_generator_writes() {
    let traces: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces");
    let compressed = EtlOptions {
        compressed: true,
        ..EtlOptions::default()
    };
    for (bytes, file, limit) in [
        (boot_case().bytes(), "boot-log/boot_log.pml", 4 << 20),
        (clean_case().bytes(), "clean/clean.pml", 4 << 20),
        (
            short_boot_case().bytes(),
            "boot-trace/boot_trace.pml",
            400 << 10,
        ),
        (
            short_boot_trace(compressed).bytes(),
            "boot-trace/boot_trace.etl",
            400 << 10,
        ),
        (
            cbs(&boot_story(), &summer(Encoding::default())).bytes,
            "boot-trace/CBS.log",
            64 << 10,
        ),
        (
            setupapi(&boot_story(), &summer(Encoding::Gbk)).bytes,
            "boot-trace/setupapi.dev.log",
            64 << 10,
        ),
    ] {
        let committed = std::fs::read(traces.join(file)).unwrap();
        assert!(
            committed == bytes,
            "{file} is stale: run scripts/make_samples.sh"
        );
        assert!(committed.len() < limit);
    }
}

#[test]
fn the_boot_case_has_one_guilty_driver() {
    for case in [boot_case(), boot_case_32()] {
        let found = &case.truth.findings;
        let guilty: Vec<&str> = found
            .drivers
            .iter()
            .filter(|d| d.verdict == "implicated")
            .map(|d| d.name.as_str())
            .collect();
        assert_eq!(guilty, ["tmsflt.sys"]);
        let tms = driver(found, "tmsflt.sys");
        // Both bounds of a delay are in: 0.9999999 s is none, 1 s is one, 2.347 s is one.
        assert_eq!(
            (tms.failures, tms.delays, tms.delay_us_max),
            (11, 2, 2_347_000)
        );
        assert!(tms.file_stack > 0 && tms.registry_stack > 0);
        for (name, verdict, basis) in [
            ("acmebkp.sys", "touched", "company"),
            ("xyzmon.sys", "touched", "unknown"),
            ("latefilt.sys", "touched", "unknown"),
            ("nvlddmkm.sys", "loaded", "company"),
            ("tmsnet.sys", "loaded", "company"),
            ("luafv.sys", "touched", "inbox-name"),
            ("WdFilter.sys", "touched", "company"),
        ] {
            let d = driver(found, name);
            assert_eq!((d.verdict, d.basis), (verdict, basis), "{name}");
        }
        assert_eq!(driver(found, "PROCMON24.SYS").role, "observer");
        assert_eq!(driver(found, "PROCMON24.SYS").verdict, "loaded");
    }
}

#[test]
fn decoys_outside_the_window_change_the_verdicts_of_the_whole_log() {
    let truth = boot_case().truth;
    assert_eq!(driver(&truth.whole, "acmebkp.sys").verdict, "implicated");
    assert_eq!(driver(&truth.whole, "nvlddmkm.sys").verdict, "touched");
    assert!(truth.first < truth.window.start && truth.window.end < truth.last);
}

#[test]
fn the_clean_case_flags_nobody() {
    let truth = clean_case().truth;
    for findings in [&truth.findings, &truth.whole] {
        let flagged =
            |d: &&DriverTruth| d.third_party && d.role == "driver" && d.verdict != "loaded";
        assert_eq!(findings.drivers.iter().find(flagged).map(|d| &d.name), None);
        assert!(findings.processes.is_empty());
    }
    assert!(truth.servicing.is_some());
}

#[test]
fn events_are_in_time_order_and_refer_to_processes() {
    for Case { log, events, .. } in [boot_case(), clean_case(), boot_case_32()] {
        assert!(events.is_sorted_by_key(|e| e.time));
        for event in &events {
            assert!(log.processes().any(|(id, _)| id == event.process));
        }
    }
}

#[test]
fn a_big_log_has_the_size_asked_for() {
    let path = std::env::temp_dir().join(format!("tracegen-big-{}.pml", std::process::id()));
    let report = tracegen::big::write(3 << 20, &path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(size, report.bytes);
    assert!((3 << 20..9 << 20).contains(&size));
    assert!(report.events > 5_000);
}
