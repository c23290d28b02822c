//! Levels through the binary: how far the evidence goes against whom.

use crate::common::{findings, repository};
use serde_json::Value;
use tracegen::logs::{Paper, Story, cbs};
use tracegen::pml::op::{Create, FileOp, SetInfo};
use tracegen::pml::{Bits, Event, LogBuilder, Op, Process};
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

#[test]
fn whoever_takes_away_what_servicing_then_misses_is_a_suspect() {
    const SECOND: u64 = 10_000_000;
    const INF: &str = "C:\\Windows\\System32\\DriverStore\\FileRepository\\oposdrv.inf_amd64_5f2c6d1e8a9b7c34\\oposdrv.inf";
    let story = Story {
        error: 2,
        error_name: "ERROR_FILE_NOT_FOUND".into(),
        ..Story::default()
    };
    let start = story.queue.unwrap();
    let judged = |removed: &str, company: &str| {
        let mut log = LogBuilder::new(Bits::B64);
        log.process(Process::new(4, 0, "System"));
        let worker = "C:\\Windows\\servicing\\TiWorker.exe";
        let worker = log.process(Process::new(3_860, 4, worker));
        let mut scanner = Process::new(2_900, 4, "C:\\Program Files\\Acme\\scan.exe");
        scanner.company = company.to_owned();
        let scanner = log.process(scanner);
        let missing = Create {
            open_result: None,
            ..Create::default()
        };
        let operations = [
            (
                1,
                scanner,
                0,
                removed,
                FileOp::SetInfo(SetInfo::Disposition(true)),
            ),
            (5, worker, 0xC000_0034, INF, FileOp::CreateFile(missing)),
        ];
        for (seconds, process, status, path, op) in operations {
            log.event(&Event {
                process,
                tid: 8,
                time: start + seconds * SECOND,
                duration: 1_000,
                status,
                stack: Vec::new(),
                op: Op::file(path, op),
            });
        }
        let folder = tempfile::tempdir().unwrap();
        log.write_to(folder.path().join("boot_log.pml")).unwrap();
        let lines = cbs(&story, &Paper::default()).bytes;
        std::fs::write(folder.path().join("CBS.log"), lines).unwrap();
        findings(&[folder.path().to_str().unwrap()])
    };
    let found = judged(INF, "Acme Ltd");
    let scanner = suspect(&found, "scan.exe");
    assert_eq!(scanner["level"], 3, "{scanner}");
    let reason = scanner["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("It deleted or renamed oposdrv.inf"),
        "{reason}"
    );
    // Another file of the package, or Windows' own.
    let found = judged(&INF.replace("drv.inf", "drv.dll"), "Acme Ltd");
    assert_eq!(suspect(&found, "scan.exe")["level"], 2);
    let found = judged(INF, "Microsoft Corporation");
    let suspects = found["suspects"].as_array().unwrap();
    assert!(suspects.iter().all(|suspect| suspect["name"] != "scan.exe"));
}
