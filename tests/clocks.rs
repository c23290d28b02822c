//! The clocks of logs and traces, and the boots they tell of: through the binary, with clocks that the generator sets.

use crate::common::{findings, stdout};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use tracegen::logs::{Log, Paper, Phase, Story, Windows, Zone, cbs, setupapi};
use tracegen::scenario::{
    Appends, EtlOptions, START, boot_story, logged_case, short_boot_case, trace_of,
};

const SECOND: u64 = 10_000_000;

/// Logs of a machine two hours ahead of UTC whose clock is fast.
fn logs(story: &Story, minutes: i32, skew_ms: i64) -> (Log, Log) {
    let paper = Paper {
        zone: Zone { minutes },
        skew_ms,
        ..Paper::default()
    };
    let plain = Paper {
        encoding: tracegen::logs::Encoding::Gbk,
        ..paper
    };
    (cbs(story, &paper), setupapi(story, &plain))
}

/// What is put into a case.
#[derive(Clone, Copy, Default)]
struct With {
    pml: bool,
    etl: bool,
    cbs: bool,
    setup: bool,
    how: Appends,
}

const PML: With = With {
    pml: true,
    etl: false,
    cbs: true,
    setup: true,
    how: Appends::AtOffset,
};
const ETL: With = With {
    pml: false,
    etl: true,
    ..PML
};

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn case(cbs: &Log, setup: &Log, with: With) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let case = logged_case(cbs, setup, with.how);
    if with.pml {
        write(folder.path(), "boot.pml", &case.bytes());
    }
    if with.etl {
        let trace = trace_of(&case, EtlOptions::default());
        write(folder.path(), "boot.etl", &trace.bytes());
    }
    if with.cbs {
        write(folder.path(), "CBS.log", &cbs.bytes);
    }
    if with.setup {
        write(folder.path(), "setupapi.dev.log", &setup.bytes);
    }
    folder
}

fn analyze(folder: &TempDir, more: &[&str]) -> Value {
    let mut args = vec![folder.path().to_str().unwrap()];
    args.extend(more);
    findings(&args)
}

fn ticks(time: &Value) -> i64 {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    fltscope::trace::time::parse_rfc3339(text).unwrap().0 as i64
}

fn clock<'a>(found: &'a Value, log: &str) -> &'a Value {
    let clocks = found["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["log"] == log);
    clock.unwrap_or_else(|| panic!("no clock of {log}: {clocks:?}"))
}

/// That the offset of a log was found, `offset_us` being the true one.
#[track_caller]
fn assert_offset(found: &Value, log: &str, offset_us: i64, within_us: i64) {
    let clock = clock(found, log);
    assert_eq!(clock["source"], "writes", "{clock} {}", found["warnings"]);
    let (offset, error) = (
        clock["offset_us"].as_i64().unwrap(),
        clock["error_us"].as_i64().unwrap(),
    );
    assert!(error <= within_us, "{clock}");
    // Writes come some microseconds after the stamps.
    assert!((offset - offset_us).abs() <= error + 2_000, "{clock}");
    assert!(clock["writes"].as_u64().unwrap() >= 20, "{clock}");
}

/// That a time is that of the write of a line, to the microsecond the generator knows.
#[track_caller]
fn assert_written(time: &Value, log: &Log, line: u64) {
    let written = log.write_of(line).unwrap().time as i64;
    assert!(
        (ticks(time) - written).abs() <= 20,
        "{time} is not {written}"
    );
}

/// The last line that says that the package failed, in setupapi.dev.log.
fn failing_line(setup: &Log) -> u64 {
    setup.line_with("!!!  idb:").unwrap()
}

#[test]
fn seconds_and_zone_come_from_the_writes() {
    for (minutes, skew_ms) in [(120, 0), (120, 3_700), (-300, -8_250), (345, 61_000)] {
        let (cbs, setup) = logs(&boot_story(), minutes, skew_ms);
        let offset = i64::from(minutes) * 60_000_000 + skew_ms * 1_000;
        for with in [PML, ETL] {
            let found = analyze(&case(&cbs, &setup, with), &[]);
            assert_offset(&found, "setupapi", offset, 3_000);
            assert_offset(&found, "cbs", offset, 500_000);
            assert_eq!(clock(&found, "cbs")["zone_source"], "log");
            // The line in setupapi.dev.log was seen being written.
            let window = &found["window"];
            assert_eq!(window["source"], "logs");
            assert_written(&window["failure"], &setup, failing_line(&setup));
            assert_eq!(window["failure_basis"]["basis"], "write", "{window}");
            assert_eq!(window["failure_basis"]["grain_us"], 0);
            assert_eq!(found["failure"]["time"], window["failure"]);
            assert_written(
                &window["start"],
                &cbs,
                cbs.line_with("Install started").unwrap(),
            );
            let end = cbs.line_with("key to: ExecuteStateNone").unwrap();
            if with.pml {
                assert_written(&window["end"], &cbs, end);
            }
            assert_eq!(found["drivers"][0]["name"], "tmsflt.sys");
            assert_eq!(found["drivers"][0]["verdict"], "implicated");
        }
    }
}

#[test]
fn each_log_alone_is_enough() {
    let (cbs, setup) = logs(&boot_story(), 60, 2_345);
    let offset = 3_600_000_000 + 2_345_000;
    let only_cbs = With {
        setup: false,
        ..PML
    };
    let found = analyze(&case(&cbs, &setup, only_cbs), &[]);
    assert_offset(&found, "cbs", offset, 500_000);
    let line = found["failure"]["line"].as_u64().unwrap();
    assert_written(&found["window"]["failure"], &cbs, line);
    // Nothing says the zone but the writes.
    let only_setup = With { cbs: false, ..PML };
    let found = analyze(&case(&cbs, &setup, only_setup), &[]);
    assert_offset(&found, "setupapi", offset, 3_000);
    assert_eq!(clock(&found, "setupapi")["zone_source"], "utc");
    assert_eq!(found["window"]["source"], "logs");
    assert!(
        !found["warnings"].to_string().contains("--log-tz"),
        "{}",
        found["warnings"]
    );
}

#[test]
fn procmon_log_and_trace_together_have_one_clock() {
    let (cbs, setup) = logs(&boot_story(), 120, 5_000);
    let both = With { etl: true, ..PML };
    let found = analyze(&case(&cbs, &setup, both), &[]);
    assert_offset(&found, "cbs", 7_205_000_000, 500_000);
    assert!(
        !found["warnings"]
            .to_string()
            .contains("clocks of the traces differ")
    );
    let boots = found["boots"].as_array().unwrap();
    assert_eq!(boots.len(), 2);
    for boot in boots {
        assert_eq!(boot["holds_attempt"], true);
        assert!(
            boot["difference_us"].as_i64().unwrap().abs() < 1_500_000,
            "{boot}"
        );
        assert!(boot["line"].as_u64().is_some());
    }
    assert_eq!(boots[1]["basis"], "system-process");
    assert_eq!(boots[0]["basis"], "header");
}

#[test]
fn writes_to_the_end_of_the_file_find_their_place() {
    let (cbs, setup) = logs(&boot_story(), 120, 3_700);
    let with = With {
        how: Appends::ToEnd,
        ..PML
    };
    let found = analyze(&case(&cbs, &setup, with), &[]);
    assert_offset(&found, "cbs", 7_203_700_000, 500_000);
    assert_offset(&found, "setupapi", 7_203_700_000, 3_000);
}

#[test]
fn a_log_that_was_moved_away_is_found_in_its_archive() {
    let (cbs, setup) = logs(&boot_story(), 120, 3_700);
    let folder = case(&cbs, &setup, With { cbs: false, ..PML });
    write(folder.path(), "CbsPersist_20260512070000.log", &cbs.bytes);
    // The log that was begun after it.
    let later = Story {
        boot: START + 86_400 * SECOND,
        queue: Some(START + 86_460 * SECOND),
        failure: START + 86_480 * SECOND,
        rollback_end: Some(START + 86_500 * SECOND),
        error: 0,
        ..boot_story()
    };
    let (newer, _) = logs(&later, 120, 3_700);
    write(folder.path(), "CBS.log", &newer.bytes);
    let found = analyze(&folder, &[]);
    assert_offset(&found, "cbs", 7_203_700_000, 500_000);
}

#[test]
fn writes_that_do_not_fit_the_log_say_nothing() {
    let (cbs, setup) = logs(&boot_story(), 120, 3_700);
    // The logs at hand are of another machine, whose update failed at the same time.
    let paper = Paper {
        zone: Zone { minutes: 120 },
        filler: 37,
        ..Paper::default()
    };
    let folder = case(
        &cbs,
        &setup,
        With {
            cbs: false,
            setup: false,
            ..PML
        },
    );
    write(
        folder.path(),
        "CBS.log",
        &tracegen::logs::cbs(&boot_story(), &paper).bytes,
    );
    let found = analyze(&folder, &[]);
    let clock = clock(&found, "cbs");
    assert_eq!(clock["source"], "log", "{clock}");
    assert_eq!(clock["error_us"], Value::Null);
    assert_eq!(clock["writes"], 0);
    assert_eq!(clock["offset_us"], 7_200_000_000_i64);
    assert_eq!(found["window"]["failure_basis"]["basis"], "stamp");
    assert_eq!(found["window"]["failure_basis"]["grain_us"], 1_000_000);
}

#[test]
fn what_the_user_says_of_the_zone_stands_and_writes_refine_it() {
    let (cbs, setup) = logs(&boot_story(), 120, 3_700);
    let folder = case(&cbs, &setup, PML);
    let found = analyze(&folder, &["--log-tz", "+02:00"]);
    assert_offset(&found, "cbs", 7_203_700_000, 500_000);
    assert_eq!(clock(&found, "cbs")["zone_source"], "log-tz");
    let found = analyze(&folder, &["--log-tz", "+01:00"]);
    assert_eq!(clock(&found, "cbs")["source"], "log-tz");
    assert_eq!(clock(&found, "cbs")["offset_us"], 3_600_000_000_i64);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("--log-tz is believed"), "{warnings}");
}

#[test]
fn a_zone_that_the_log_itself_has_wrong_is_set_right() {
    // The header of the trace says +02:00; the log, which shows no UTC, was written at +01:00.
    let story = Story {
        windows: Windows::Seven,
        ..boot_story()
    };
    let (cbs, setup) = logs(&story, 60, 0);
    let folder = case(&cbs, &setup, With { cbs: false, ..ETL });
    let found = analyze(&folder, &[]);
    assert_offset(&found, "setupapi", 3_600_000_000, 3_000);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("the writes are believed"), "{warnings}");
}

#[test]
fn the_boot_tells_of_another_zone() {
    let (_, setup) = logs(&boot_story(), 480, 0);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "boot.pml", &short_boot_case().bytes());
    write(folder.path(), "setupapi.dev.log", &setup.bytes);
    let found = analyze(&folder, &[]);
    // Without writes UTC is assumed, and what would explain the boots is told.
    assert_eq!(clock(&found, "setupapi")["source"], "utc");
    assert_eq!(found["window"]["source"], "trace");
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("--log-tz=+08:00"), "{warnings}");
    assert_eq!(found["boots"][0]["log"], Value::Null);
    let found = analyze(&folder, &["--log-tz=+08:00"]);
    assert_eq!(found["window"]["source"], "logs");
    assert_eq!(found["boots"][0]["difference_us"], 0);
    assert!(!found["warnings"].to_string().contains("--log-tz"));
}

/// A failure in the shutdown before the boot of the traces.
fn shutdown(end: u64) -> Story {
    Story {
        phase: Phase::Shutdown,
        boot: START,
        queue: Some(START - 200 * SECOND),
        failure: START - 180 * SECOND,
        rollback_end: Some(end),
        ..boot_story()
    }
}

#[test]
fn a_trace_without_the_attempt_blames_nobody() {
    // The rollback ends before the traces begin, or goes on in them.
    for (end, source) in [
        (START - 150 * SECOND, "trace"),
        (START + 60 * SECOND, "logs"),
    ] {
        let (cbs, setup) = logs(&shutdown(end), 120, 0);
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "boot.pml", &short_boot_case().bytes());
        write(folder.path(), "CBS.log", &cbs.bytes);
        write(folder.path(), "setupapi.dev.log", &setup.bytes);
        let found = analyze(&folder, &[]);
        assert_eq!(found["window"]["source"], source);
        assert_eq!(found["failure"]["inf"], "oposdrv.inf");
        let boot = &found["boots"][0];
        assert_eq!(boot["holds_attempt"], false, "{boot}");
        let warnings = found["warnings"].to_string();
        assert!(
            warnings.contains("Shtd:") && warnings.contains("nobody in"),
            "{warnings}"
        );
        let suspects = found["suspects"].as_array().unwrap();
        assert!(!suspects.is_empty());
        for suspect in suspects {
            assert!(suspect["level"].as_u64() <= Some(2), "{suspect}");
        }
        for product in found["products"].as_array().unwrap() {
            assert!(product["level"].as_u64() <= Some(2), "{product}");
        }
        // The first line of the summary says it, and so does the page.
        let out = folder.path().join("out");
        let text = stdout([
            "analyze",
            "--quiet",
            "--out",
            out.to_str().unwrap(),
            folder.path().to_str().unwrap(),
        ]);
        assert_eq!(text, "");
        let text = stdout(["analyze", folder.path().to_str().unwrap()]);
        let first = text.lines().next().unwrap();
        assert!(
            first.contains("attempt is in none of the traces"),
            "{first}"
        );
        let page = std::fs::read_to_string(out.join("report.html")).unwrap();
        assert!(page.contains("attempt is in none of the traces"));
    }
}

#[test]
fn the_timeline_tells_of_clocks_and_boots() {
    let (cbs, setup) = logs(&boot_story(), 120, 3_700);
    let folder = case(&cbs, &setup, PML);
    let path = folder.path().to_str().unwrap();
    let json: Value = serde_json::from_str(&stdout(["window", "--json", path])).unwrap();
    assert_offset(&json, "cbs", 7_203_700_000, 500_000);
    assert_eq!(json["boots"][0]["holds_attempt"], true);
    let text = stdout(["window", path]);
    assert!(text.contains("Clock"), "{text}");
    assert!(text.contains("+3.7"), "{text}");
    let summary = stdout(["analyze", path]);
    assert!(summary.contains("Clock"), "{summary}");
    assert!(summary.contains("seen being written"), "{summary}");
}

#[test]
fn the_page_tells_the_clocks_as_the_summary_does() {
    let folder = tempfile::tempdir().unwrap();
    let case = crate::common::repository("traces/boot-trace");
    let out = folder.path().to_str().unwrap();
    let summary = stdout(["analyze", &case, "--out", out]);
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    let (_, section) = page.split_once("<h3 id=\"clocks\">").unwrap();
    let section = section.replace("&#x2f;", "/");
    for line in summary.lines() {
        let told = line
            .strip_prefix("Clock    ")
            .or(line.strip_prefix("Boot     "));
        if let Some(told) = told {
            let words = told.split(" in ").next().unwrap();
            assert!(section.contains(words), "{words}");
        }
    }
    assert!(summary.contains("\nClock    ") && summary.contains("\nBoot     "));
}
