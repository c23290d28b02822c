//! Many cases at once: what a case is, one report a case, one summary over all, exit statuses.

use crate::common::{boot_log, fltscope, repository, stderr, stdout};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with four cases: one to flag, one archive, one clean, one that cannot be read.
fn cases() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let make = |case: &str, file: &str, from: &str| {
        let path = folder.path().join(case).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(from, path).unwrap();
    };
    make("PC-9", "boot_log.pml", &boot_log());
    make(
        "PC-10",
        "deep/clean.pml",
        &repository("traces/clean/clean.pml"),
    );
    fs::create_dir(folder.path().join("PC-11")).unwrap();
    fs::write(folder.path().join("PC-11/bad.pml"), "no log").unwrap();
    let log = fs::read(boot_log()).unwrap();
    let packed = zstd::encode_all(log.as_slice(), 1).unwrap();
    fs::write(folder.path().join("pc-9.pml.zst"), packed).unwrap();
    folder
}

fn batch(folder: &Path, out: &Path, more: &[&str]) -> std::process::Output {
    let mut args = vec!["analyze", "--batch", folder.to_str().unwrap()];
    args.extend(["--out", out.to_str().unwrap()]);
    args.extend(more);
    fltscope(args)
}

/// The summary: its header and its rows.
fn summary(out: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(out.join("summary.csv")).unwrap();
    let header = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().map(str::to_owned).collect()
    });
    (header, rows.collect())
}

fn column<'a>(table: &'a (Vec<String>, Vec<Vec<String>>), name: &str) -> Vec<&'a str> {
    let at = table.0.iter().position(|column| column == name).unwrap();
    table.1.iter().map(|row| row[at].as_str()).collect()
}

#[test]
fn every_case_gets_its_report_and_its_rows() {
    let folder = cases();
    let out = folder.path().join("reports");
    let output = batch(folder.path(), &out, &[]);
    assert_eq!(output.status.code(), Some(1), "one case cannot be read");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("4 cases: 2 implicated, 1 none flagged, 1 not read"),
        "{text}"
    );
    assert!(text.contains("tmsflt.sys  TMS Security Co., Ltd.: implicated in 2 cases"));
    assert!(
        text.contains("bad.pml") && text.contains("PML001"),
        "{text}"
    );
    let table = summary(&out);
    let rows = |case: &str| {
        column(&table, "case")
            .iter()
            .filter(|c| **c == case)
            .count()
    };
    assert_eq!((rows("PC-10"), rows("PC-11")), (1, 1));
    assert_eq!(rows("PC-9"), rows("pc-9-2"));
    let mut seen = column(&table, "case");
    seen.dedup();
    assert_eq!(seen, ["PC-9", "PC-10", "PC-11", "pc-9-2"]);
    assert_eq!(column(&table, "status")[0], "analysed");
    assert_eq!(column(&table, "driver")[0], "tmsflt.sys");
    assert_eq!(column(&table, "verdict")[0], "implicated");
    assert_eq!(column(&table, "window_source")[0], "trace");
    assert_eq!(column(&table, "machine")[0], "BANK-PC-0417");
    assert!(column(&table, "evidence")[0].starts_with("TiWorker.exe ("));
    let at = |case: &str| {
        column(&table, "case")
            .iter()
            .position(|c| *c == case)
            .unwrap()
    };
    assert_eq!(
        column(&table, "reason")[at("PC-10")],
        "no third-party driver is flagged"
    );
    assert_eq!(column(&table, "status")[at("PC-11")], "unreadable");
    assert!(column(&table, "reason")[at("PC-11")].contains("bad.pml"));
    for case in ["PC-9", "pc-9-2", "PC-10"] {
        for file in ["findings.json", "report.html", "events.csv", "drivers.csv"] {
            assert!(out.join(case).join(file).is_file(), "{case}/{file}");
        }
    }
    assert_eq!(
        out.join("summary.parquet").is_file(),
        cfg!(feature = "parquet")
    );
}

#[test]
fn a_batch_says_of_a_case_what_analyze_says() {
    let folder = cases();
    let out = folder.path().join("reports");
    batch(folder.path(), &out, &["--quiet"]);
    let alone = folder.path().join("alone");
    let case = folder.path().join("PC-9");
    stdout([
        "analyze",
        case.to_str().unwrap(),
        "--out",
        alone.to_str().unwrap(),
    ]);
    for file in ["findings.json", "events.csv", "drivers.csv"] {
        let read = |folder: PathBuf| fs::read(folder.join(file)).unwrap();
        assert!(read(out.join("PC-9")) == read(alone.clone()), "{file}");
    }
    let findings: serde_json::Value =
        serde_json::from_slice(&fs::read(alone.join("findings.json")).unwrap()).unwrap();
    let table = summary(&out);
    let drivers = findings["drivers"].as_array().unwrap();
    for (at, case) in column(&table, "case").iter().enumerate() {
        if *case != "PC-9" {
            continue;
        }
        let name = column(&table, "driver")[at];
        let driver = drivers
            .iter()
            .find(|driver| driver["name"] == name)
            .unwrap();
        for (column_name, value) in [
            ("file_stack", &driver["touches"]["file_stack"]),
            ("registry_stack", &driver["touches"]["registry_stack"]),
            ("minifilter", &driver["touches"]["minifilter"]),
            ("failures", &driver["failures"]),
            ("delays", &driver["delays"]),
            ("evidence_time", &driver["evidence"][0]["time"]),
            ("verdict", &driver["verdict"]),
            ("window_start", &findings["window"]["start"]),
        ] {
            let shown = value.to_string();
            assert_eq!(
                column(&table, column_name)[at],
                shown.trim_matches('"'),
                "{name}"
            );
        }
    }
}

#[test]
fn exit_statuses_are_over_all_cases() {
    let folder = cases();
    let out = folder.path().join("reports");
    let code = |more: &[&str]| batch(folder.path(), &out, more).status.code();
    // What could not be read outweighs what was found, as with one case.
    assert_eq!(code(&["--fail-on", "touched"]), Some(1));
    fs::remove_dir_all(folder.path().join("PC-11")).unwrap();
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fail-on", "implicated"]), Some(3));
    fs::remove_dir_all(folder.path().join("PC-9")).unwrap();
    fs::remove_file(folder.path().join("pc-9.pml.zst")).unwrap();
    assert_eq!(code(&["--fail-on", "touched"]), Some(0));
    fs::remove_dir_all(folder.path().join("PC-10")).unwrap();
    let output = batch(folder.path(), &out, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("expected a folder or an archive a case"));
}

#[test]
fn reports_do_not_go_among_the_cases() {
    let folder = cases();
    let output = batch(folder.path(), folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name another folder"));
    assert!(!folder.path().join("summary.csv").exists());
}

#[test]
fn the_summary_is_the_same_for_any_number_of_threads() {
    let folder = cases();
    let run = |threads: &str| {
        let out = folder.path().join("reports");
        let text = batch(
            folder.path(),
            &out,
            &["--threads", threads, "--format", "json"],
        )
        .stdout;
        (text, fs::read(out.join("summary.csv")).unwrap())
    };
    let one = run("1");
    let rows: serde_json::Value = serde_json::from_slice(&one.0).unwrap();
    assert!(rows.as_array().unwrap().len() >= 4);
    assert!(one == run("5"));
}

#[test]
fn an_unwritable_report_does_not_stop_the_rest() {
    let folder = cases();
    let out = folder.path().join("reports");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("PC-10"), "a file where a folder should go").unwrap();
    let output = batch(folder.path(), &out, &[]);
    assert_eq!(output.status.code(), Some(1));
    let table = summary(&out);
    let at = column(&table, "case")
        .iter()
        .position(|c| *c == "PC-10")
        .unwrap();
    assert_eq!(column(&table, "status")[at], "failed");
    assert_eq!(column(&table, "driver")[0], "tmsflt.sys");
}

#[test]
fn several_inputs_without_batch_stay_one_case() {
    let folder = cases();
    let one = folder.path().join("PC-9");
    let two = folder.path().join("PC-10");
    let found = crate::common::findings(&[one.to_str().unwrap(), two.to_str().unwrap()]);
    assert_eq!(found["inputs"].as_array().unwrap().len(), 2);
}
