//! The servicing logs of a case place the failure: through the binary, with logs and traces of one generated story.

use crate::common::{findings, fltscope, stderr};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tracegen::logs::{Encoding, Paper, Phase, Story, Windows, Zone, cbs, setupapi};
use tracegen::scenario::{EtlOptions, START, boot_story, short_boot_case, short_boot_trace};

const SECOND: u64 = 10_000_000;

/// A folder with the Procmon log of the story.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("boot_log.pml"),
        short_boot_case().bytes(),
    )
    .unwrap();
    folder
}

fn write(folder: &Path, name: &str, bytes: Vec<u8>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn paper(hours: i32) -> Paper {
    Paper {
        zone: Zone::hours(hours),
        ..Paper::default()
    }
}

fn analyze(folder: &TempDir, more: &[&str]) -> Value {
    let mut args = vec![folder.path().to_str().unwrap()];
    args.extend(more);
    findings(&args)
}

fn time(filetime: u64) -> String {
    fltscope::trace::Filetime(filetime).to_string()
}

/// The start of the second a time lies in: CBS.log says no more.
fn second(filetime: u64) -> String {
    time(filetime / SECOND * SECOND)
}

fn warned(found: &Value, text: &str) -> bool {
    let warnings = found["warnings"].as_array().unwrap();
    warnings
        .iter()
        .any(|warning| warning.as_str().unwrap().contains(text))
}

#[test]
fn both_logs_place_the_failure() {
    let (folder, story) = (folder(), boot_story());
    write(folder.path(), "CBS.log", cbs(&story, &paper(8)).bytes);
    write(
        folder.path(),
        "setupapi.dev.log",
        setupapi(&story, &paper(8)).bytes,
    );
    let found = analyze(&folder, &[]);
    let failure = &found["failure"];
    assert_eq!(failure["code"], "0x800703f1");
    assert_eq!(failure["name"], "ERROR_BADDB");
    assert_eq!(failure["inf"], "oposdrv.inf");
    assert_eq!(failure["source"], "cbs");
    assert_eq!(failure["package"], story.package.as_str());
    let window = &found["window"];
    assert_eq!(window["source"], "logs");
    assert_eq!(window["start"], second(story.queue.unwrap()).as_str());
    assert_eq!(window["end"], second(story.rollback_end.unwrap()).as_str());
    // setupapi.dev.log tells the millisecond.
    let instant = window["failure"].as_str().unwrap();
    assert_eq!(instant[..19], second(story.failure)[..19]);
    assert_ne!(instant, second(story.failure));
    assert_eq!(failure["time"], window["failure"]);
    assert_eq!(window["attempt"]["end"], window["failure"]);
    assert_eq!(window["rollback"]["start"], window["failure"]);
    let kinds: Vec<&str> = found["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["pml", "cbs", "setupapi"]);
    for driver in found["drivers"].as_array().unwrap() {
        for row in driver["evidence"].as_array().unwrap() {
            let before = row["time"].as_str() < Some(instant);
            let phase = if before { "attempt" } else { "rollback" };
            assert_eq!(row["phase"], phase, "{row}");
        }
    }
    assert_eq!(found["drivers"][0]["name"], "tmsflt.sys");
    assert_eq!(found["drivers"][0]["verdict"], "implicated");
}

#[test]
fn one_log_is_enough() {
    let (first, second_case, story) = (folder(), folder(), boot_story());
    write(first.path(), "CBS.log", cbs(&story, &paper(-5)).bytes);
    let found = analyze(&first, &[]);
    assert_eq!(found["window"]["source"], "logs");
    assert_eq!(found["window"]["failure"], second(story.failure).as_str());
    write(
        second_case.path(),
        "dev.txt",
        setupapi(&story, &paper(0)).bytes,
    );
    // The content tells the kind, and nothing tells the zone.
    let found = analyze(&second_case, &[]);
    assert_eq!(found["failure"]["source"], "setupapi");
    assert_eq!(found["failure"]["code"], "0x800703f1");
    assert_eq!(found["window"]["source"], "logs");
    assert!(warned(&found, "--log-tz"));
}

#[test]
fn the_zone_comes_from_the_user_the_log_or_the_trace() {
    let story = boot_story();
    let wanted = second(story.queue.unwrap());
    // What a log without marks of its own is written in: the trace's header says +02:00.
    let silent = Story {
        windows: Windows::Seven,
        ..story.clone()
    };
    let etl = tempfile::tempdir().unwrap();
    let trace = short_boot_trace(EtlOptions::default());
    write(etl.path(), "boot_trace.etl", trace.bytes());
    write(
        etl.path(),
        "setupapi.dev.log",
        setupapi(&silent, &paper(2)).bytes,
    );
    let found = analyze(&etl, &[]);
    assert_eq!(found["window"]["source"], "logs", "{}", found["warnings"]);
    // What the user says goes before what the log says of itself.
    let wrong = folder();
    write(wrong.path(), "CBS.log", cbs(&story, &paper(8)).bytes);
    assert_eq!(analyze(&wrong, &[])["window"]["start"], wanted.as_str());
    let found = analyze(&wrong, &["--log-tz", "+08:00"]);
    assert_eq!(found["window"]["start"], wanted.as_str());
    let found = analyze(&wrong, &["--log-tz=-03:00"]);
    assert_eq!(found["window"]["source"], "trace");
    assert!(
        warned(&found, "does not meet the traces"),
        "{}",
        found["warnings"]
    );
    assert_eq!(found["failure"]["inf"], "oposdrv.inf");
    assert_eq!(found["window"]["attempt"], Value::Null);
}

#[test]
fn missing_lines_are_replaced_by_a_minute() {
    let (folder, story) = (folder(), boot_story());
    let story = Story {
        queue: None,
        rollback_end: None,
        ..story
    };
    write(folder.path(), "CBS.log", cbs(&story, &paper(0)).bytes);
    let found = analyze(&folder, &[]);
    let failure = story.failure / SECOND * SECOND;
    assert_eq!(
        found["window"]["start"],
        time(failure - 60 * SECOND).as_str()
    );
    assert_eq!(found["window"]["end"], time(failure + 60 * SECOND).as_str());
    assert!(warned(
        &found,
        "does not say when the driver operation queue started"
    ));
}

#[test]
fn an_attempt_before_the_traced_boot_is_said_to_be_one() {
    let folder = folder();
    let story = Story {
        phase: Phase::Shutdown,
        boot: START,
        queue: Some(START - 200 * SECOND),
        failure: START - 180 * SECOND,
        rollback_end: Some(START - 150 * SECOND),
        ..boot_story()
    };
    write(folder.path(), "CBS.log", cbs(&story, &paper(1)).bytes);
    let found = analyze(&folder, &[]);
    assert_eq!(found["window"]["source"], "trace");
    assert_eq!(found["failure"]["code"], "0x800703f1");
    assert!(warned(&found, "Shtd:"), "{}", found["warnings"]);
}

#[test]
fn logs_of_success_and_logs_alone() {
    let with_trace = folder();
    let fine = Story {
        error: 0,
        ..boot_story()
    };
    write(with_trace.path(), "CBS.log", cbs(&fine, &paper(0)).bytes);
    let found = analyze(&with_trace, &[]);
    assert_eq!(found["failure"], Value::Null);
    assert_eq!(found["window"]["source"], "trace");
    assert!(warned(&found, "no failed driver operation"));
    let alone = tempfile::tempdir().unwrap();
    write(alone.path(), "CBS.log", cbs(&boot_story(), &paper(0)).bytes);
    let found = analyze(&alone, &[]);
    assert_eq!(found["failure"]["inf"], "oposdrv.inf");
    assert_eq!(found["drivers"].as_array().unwrap().len(), 0);
    assert!(warned(&found, "no trace"), "{}", found["warnings"]);
    assert_eq!(found["window"]["source"], "logs");
    assert_eq!(found["window"]["attempt"]["end"], found["failure"]["time"]);
    let summary = crate::common::stdout(["analyze", alone.path().to_str().unwrap()]);
    assert!(summary.starts_with("No trace was given"), "{summary}");
}

#[test]
fn a_user_window_keeps_the_logged_failure() {
    let (folder, story) = (folder(), boot_story());
    write(folder.path(), "CBS.log", cbs(&story, &paper(0)).bytes);
    let found = analyze(&folder, &["--window", ".."]);
    assert_eq!(found["window"]["source"], "user");
    assert_eq!(found["window"]["failure"], second(story.failure).as_str());
    assert_eq!(
        found["window"]["attempt"]["end"],
        second(story.failure).as_str()
    );
}

#[test]
fn logs_in_any_encoding_and_in_archives() {
    let story = boot_story();
    for encoding in [
        Encoding::Utf16LeMark,
        Encoding::Utf16BeMark,
        Encoding::Gbk,
        Encoding::Utf8,
    ] {
        let folder = folder();
        let sheet = Paper {
            encoding,
            ..paper(8)
        };
        write(folder.path(), "CBS.log", cbs(&story, &sheet).bytes);
        let found = analyze(&folder, &[]);
        assert_eq!(
            found["window"]["start"],
            second(story.queue.unwrap()).as_str(),
            "{encoding:?}"
        );
    }
    let folder = folder();
    let bytes = cbs(&story, &paper(8)).bytes;
    let path = folder.path().join("CBS.log.zst");
    std::fs::write(&path, zstd::encode_all(bytes.as_slice(), 1).unwrap()).unwrap();
    let found = analyze(&folder, &[]);
    assert_eq!(found["window"]["source"], "logs", "{}", found["warnings"]);
}

#[test]
fn what_cannot_be_a_zone_or_a_code_page_is_usage() {
    for option in ["--log-tz=Mars/Base", "--log-encoding=klingon"] {
        let output = fltscope(["analyze", "x.pml", option]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
}

#[test]
fn the_timeline_has_logs_and_traces_on_one_axis() {
    let case = crate::common::repository("traces/boot-trace");
    let output = fltscope(["window", &case, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["schema"], "fltscope.window/1");
    assert_eq!(found["window"]["source"], "logs");
    let rows = found["rows"].as_array().unwrap();
    let times: Vec<&str> = rows
        .iter()
        .map(|row| row["time"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted());
    let has = |kind: &str, text: &str| {
        rows.iter()
            .any(|row| row["kind"] == kind && row["text"].as_str().unwrap().contains(text))
    };
    assert!(has("log", "Perf: Doqe: Install started."));
    assert!(has("process", "poqexec.exe (4916) starts"));
    assert!(has("failure", "oposdrv.inf: ACCESS DENIED"));
    assert!(has(
        "failure",
        "loads HKLM\\DRIVERS from C:\\Windows\\System32\\config\\DRIVERS"
    ));
    let text = crate::common::stdout(["window", &case]);
    assert!(
        text.contains("Rollback  2026-05-12 06:42:18.4010000"),
        "{text}"
    );
}

#[test]
fn the_update_client_is_a_witness_and_no_trace() {
    let Some(real) = crate::common::real_traces("the_update_client_is_a_witness_and_no_trace")
    else {
        return;
    };
    let client = real.join("WindowsUpdate.etl");
    // The log ends a day after the update of this story failed.
    let day = fltscope::trace::time::parse_rfc3339("2025-10-08T12:00:00Z")
        .unwrap()
        .0;
    let story = Story {
        boot: day,
        queue: Some(day + 40 * SECOND),
        failure: day + 60 * SECOND,
        rollback_end: Some(day + 80 * SECOND),
        ..boot_story()
    };
    let case = tempfile::tempdir().unwrap();
    write(case.path(), "CBS.log", cbs(&story, &paper(0)).bytes);
    std::fs::copy(&client, case.path().join("WindowsUpdate.etl")).unwrap();
    let found = analyze(&case, &[]);
    let inputs = found["inputs"].as_array().unwrap();
    let input = inputs.iter().find(|input| input["kind"] == "etl").unwrap();
    assert_eq!(input["role"], "update-client");
    assert_eq!(input["events"], 82);
    assert_eq!(found["window"]["source"], "logs");
    assert!(warned(&found, "there is no trace"), "{}", found["warnings"]);
    let evidence = found["window"]["evidence"].to_string();
    for sentence in [
        "final update deployment job 8785BF2C-5AE7-460E-BEC0-37D6CF6CF71F result = 0x00000000",
        "Install call complete (succeeded = 1",
        "Reboot required = False",
    ] {
        assert!(evidence.contains(sentence), "{evidence}");
    }
    let timeline = crate::common::stdout(["window", case.path().to_str().unwrap()]);
    assert!(timeline.contains("Reboot required = False"), "{timeline}");
    // Alone it is all there is to look at.
    let alone = findings(&[client.to_str().unwrap()]);
    assert_eq!(alone["inputs"][0]["role"], "trace");
}

#[test]
fn the_committed_case_of_an_attempt_before_the_boot() {
    let found = findings(&[&crate::common::repository("traces/attempt-before-boot")]);
    assert_eq!(found["failure"]["inf"], "oposdrv.inf");
    assert_eq!(found["boots"][0]["holds_attempt"], false);
    assert!(warned(&found, "Shtd:"), "{}", found["warnings"]);
    assert!(found["drivers"][0]["verdict"] == "implicated");
    for suspect in found["suspects"].as_array().unwrap() {
        assert!(suspect["level"].as_u64() <= Some(2), "{suspect}");
    }
    for clock in found["clocks"].as_array().unwrap() {
        assert_eq!(clock["source"], "writes", "{clock}");
        let offset = clock["offset_us"].as_i64().unwrap();
        assert!((offset - 7_203_700_000).abs() < 5_000, "{clock}");
    }
}

#[test]
fn another_reason_than_drivers_is_told() {
    let lines = |text: &[&str]| -> Vec<u8> {
        let record =
            |text: &&str| format!("2026-05-12 06:42:18, Info                  CBS    {text}\r\n");
        text.iter().map(record).collect::<String>().into_bytes()
    };
    let told = |log: Vec<u8>| {
        let folder = folder();
        write(folder.path(), "CBS.log", log);
        let found = analyze(&folder, &[]);
        assert_eq!(found["failure"], Value::Null);
        found["warnings"].to_string()
    };
    let installers = told(lines(&[
        "TI: --- Initializing Trusted Installer ---",
        "Setting ExecuteState key to: CbsExecuteStateInitiateRollback | CbsExecuteStateFlagAdvancedInstallersFailed",
    ]));
    assert!(
        installers
            .contains("line 2 (2026-05-12 06:42:18.000, local): an advanced installer failed"),
        "{installers}"
    );
    // The installers failed because servicing hung: that comes first, with its code.
    let hung = told(lines(&[
        "Startup: A possible hang was detected on the last boot. [HRESULT = 0x800f0920 - CBS_E_HANG_DETECTED]",
        "Startup: No progress detected while needing to process the advanced operation queue, rolling back and cancelling the transaction. [HRESULT = 0x80004005 - E_FAIL]",
        "Setting ExecuteState key to: CbsExecuteStateInitiateRollback | CbsExecuteStateFlagAdvancedInstallersFailed",
    ]));
    assert!(
        hung.contains("line 1 (2026-05-12 06:42:18.000, local): servicing hung (0x800f0920)"),
        "{hung}"
    );
    let before = told(lines(&[
        "TI: --- Initializing Trusted Installer ---",
        "Startup: current ExecuteState is CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
        "Retrieved original failure status: 0x800703f1, last forward execute state: CbsExecuteStatePrimitives",
    ]));
    assert!(
        before.contains("failure (0x800703f1) lies before the first log"),
        "{before}"
    );
}

#[test]
fn setupapi_names_the_inf_that_cbs_does_not() {
    // The public case of a missing INF: CBS.log has the code alone.
    let cbs = "2026-05-12 06:42:17, Info                  CBS    Doqe: [Forward] Installing driver updates, Count 646\r\n\
               2026-05-12 06:42:18, Info                  CBS    DriverUpdateInstallUpdates failed [HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]\r\n\
               2026-05-12 06:42:18, Error                 CBS    Shtd: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]\r\n";
    let setup = |code: &str| {
        format!(
            ">>>  [Install Driver Updates]\r\n\
             >>>  Section start 2026/05/12 06:42:17.850\r\n      \
             cmd: C:\\WINDOWS\\winsxs\\x\\TiWorker.exe -Embedding\r\n\
             !!!  sto: Failed to get version info for driver update 'C:\\x\\netathrx.inf'. Error = {code}\r\n\
             <<<  Section end 2026/05/12 06:42:18.350\r\n\
             <<<  [Exit status: FAILURE({code})]\r\n"
        )
    };
    let found = |code: &str| {
        let folder = folder();
        write(folder.path(), "CBS.log", cbs.into());
        write(folder.path(), "setupapi.dev.log", setup(code).into());
        analyze(&folder, &["--log-tz", "+00:00"])
    };
    let same = found("0x00000003");
    assert_eq!(same["failure"]["inf"], "netathrx.inf");
    assert_eq!(same["failure"]["source"], "cbs");
    assert_eq!(same["failure"]["time"], "2026-05-12T06:42:18.0000000Z");
    let evidence = same["window"]["evidence"].to_string();
    assert!(evidence.contains("netathrx.inf"), "{evidence}");
    // Another failure of the same moment is not this one.
    let other = found("0x00000005");
    assert_eq!(other["failure"]["inf"], Value::Null);
}

#[test]
fn a_pass_without_times_sharpens_nothing() {
    // As in a real log of Windows 10 1809: no line of the pass Reflect has a time.
    let cbs = "2026-05-12 06:42:07, Info                  CBS    Perf: Doqe: Install started.\r\n\
               2026-05-12 06:42:17, Info                  CBS    INSTALL index: 69, phase: 2, result 5, inf: disk.inf\r\n\
               2026-05-12 06:42:18, Info                  CBS    DriverUpdateInstallUpdates failed [HRESULT = 0x80070005 - E_ACCESSDENIED]\r\n\
               2026-05-12 06:42:30, Info                  CBS    Setting ExecuteState key to: ExecuteStateNone\r\n";
    let setup = |published: &str| {
        format!(
            ">>>  [Install Driver Updates]\r\n\
             >>>  Section start 2026/05/12 06:42:07.850\r\n      \
             cmd: C:\\WINDOWS\\winsxs\\x\\TiWorker.exe -Embedding\r\n     \
             sto: {{Publish Driver Package: C:\\x\\disk.inf_x86_fbf0e39f069dae67\\disk.inf}} 06:42:09.000\r\n     \
             sto: {{Publish Driver Package: exit(0x00000000)}} 06:42:{published}\r\n     \
             sto: {{Reflect Driver Package: C:\\x\\disk.inf_x86_fbf0e39f069dae67\\disk.inf}}\r\n     \
             sto: {{Reflect Driver Package: exit(0x00000005)}}\r\n\
             <<<  Section end 2026/05/12 06:42:17.401\r\n\
             <<<  [Exit status: FAILURE(0x00000005)]\r\n"
        )
    };
    let found = |with_cbs: bool, published: &str| {
        let folder = folder();
        if with_cbs {
            write(folder.path(), "CBS.log", cbs.into());
        }
        write(folder.path(), "setupapi.dev.log", setup(published).into());
        analyze(&folder, &["--log-tz", "+00:00"])
    };
    let both = found(true, "10.304");
    assert_eq!(both["window"]["failure"], "2026-05-12T06:42:17.0000000Z");
    assert_eq!(both["window"]["failure_basis"]["grain_us"], 1_000_000);
    let alone = found(false, "10.304");
    assert_eq!(alone["failure"]["inf"], "disk.inf");
    assert_eq!(alone["window"]["failure"], "2026-05-12T06:42:17.4010000Z");
    assert_eq!(alone["window"]["failure_basis"]["grain_us"], 7_097_000);
    // Where the lines around it lie near, it does, as any other.
    let near = found(true, "16.804");
    assert_eq!(near["window"]["failure"], "2026-05-12T06:42:16.8040000Z");
}

#[test]
fn a_package_that_is_damaged_in_the_store_is_told() {
    let story = boot_story();
    let log = String::from_utf8(
        cbs(
            &story,
            &Paper {
                encoding: Encoding::Utf8,
                ..paper(8)
            },
        )
        .bytes,
    )
    .unwrap();
    let damage = "(p)\tCSI Payload Corrupt\t(n)\t\t\tamd64_dual_oposdrv.inf_31bf3856ad364e35_10.0.19041.1_none_ce08706bd9a54426\\oposdrv.dll\r\n";
    let found = |log: String| {
        let folder = folder();
        write(folder.path(), "CBS.log", log.into());
        analyze(&folder, &[])
    };
    let (head, rest) = log.split_once("\r\n").unwrap();
    let before = found(format!("{head}\r\n{damage}{rest}"));
    assert!(warned(&before, "line 2"));
    assert!(warned(&before, "in the component store before the failure"));
    let after = found(format!("{log}{damage}"));
    assert!(warned(&after, "in the component store after the failure"));
    // What was repaired in between is sound.
    let fixed = damage.replace("(n)\t\t\t", "(w)\t(Fixed)\t");
    let repaired = found(format!("{head}\r\n{damage}{fixed}{rest}"));
    assert!(!warned(&repaired, "component store"));
    let other = found(format!(
        "{log}{}",
        damage.replace("oposdrv.inf", "other.inf")
    ));
    assert!(!warned(&other, "component store"));
    // It takes nothing back of what was found.
    assert_eq!(before["drivers"][0]["verdict"], "implicated");
}

#[test]
fn what_cbs_log_leaves_open_is_told() {
    let line = |time: &str, text: &str| {
        format!("2026-05-12 {time}, Info                  CBS    {text}\r\n")
    };
    let found = |lines: &[(&str, &str)]| {
        let folder = folder();
        let log: String = lines.iter().map(|(time, text)| line(time, text)).collect();
        write(folder.path(), "CBS.log", log.into());
        analyze(&folder, &["--log-tz", "+00:00"])
    };
    let failed = [
        (
            "06:42:10",
            "Shtd: Processing driver operations queue, Count 600.",
        ),
        (
            "06:42:12",
            "DriverUpdateInstallUpdates failed [HRESULT = 0x80071a2d - ERROR_TRANSACTION_NOT_ACTIVE]",
        ),
        (
            "06:42:12",
            "Progress: UI message updated. Operation type: Update. Stage: 0 out of 0. Temporary Rollback.",
        ),
    ];
    let open = found(&failed);
    assert!(warned(&open, "temporary one"));
    assert!(warned(&open, "CBS.log names no INF"));
    let again = [
        (
            "06:42:15",
            "Shtd: Processing driver operations queue, Count 600.",
        ),
        (
            "06:42:35",
            "Shtd: Driver operations completed successfully.",
        ),
    ];
    let well = found(&[&failed[..], &again].concat());
    assert!(warned(&well, "tried again and went well"));
    let queue = found(&[(
        "06:42:12",
        "Doqi: Failed loading driver operations queue. [HRESULT = 0x80070490 - ERROR_NOT_FOUND]",
    )]);
    assert!(warned(&queue, "could not be loaded"));
    assert!(!warned(&queue, "names no INF") && !warned(&queue, "temporary"));
}
