//! What a user is told of damage: in JSON, on stderr, and by the exit status under `--strict`.

use super::Damage;
use crate::common::{fltscope, repository, stderr};
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn run(args: &[&str], path: &Path) -> std::process::Output {
    let mut all: Vec<&std::ffi::OsStr> = args.iter().map(AsRef::as_ref).collect();
    all.push(path.as_os_str());
    fltscope(all)
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    let read = |path: &str| std::fs::read(repository(path)).unwrap();
    let pml = read("traces/boot-trace/boot_trace.pml");
    let etl = read("traces/boot-trace/boot_trace.etl");
    let half = |bytes: &[u8]| Damage::cut(bytes, bytes.len() / 2 + 1).bytes;
    let hole = |bytes: &[u8]| {
        let at = bytes.len() / 3;
        Damage::zeros(bytes, at..at + 4_096).bytes
    };
    vec![
        ("cut.pml", half(&pml)),
        ("hole.pml", hole(&pml)),
        ("cut.etl", half(&etl)),
        ("hole.etl", hole(&etl)),
    ]
}

#[test]
fn losses_are_counted_in_json_and_told_on_stderr() {
    let files = Files::new();
    for (name, bytes) in damaged() {
        let path = files.write(name, &bytes);
        let output = run(&["info", "--json"], &path);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(
            stderr(&output).contains("damaged"),
            "{name}: {}",
            stderr(&output)
        );
        let info = json(&output);
        let missing = match name {
            "cut.pml" => "events are missing",
            "cut.etl" => "buffers are missing",
            _ => "could not be read",
        };
        assert!(stderr(&output).contains(missing), "{}", stderr(&output));
        let records = &info["records"];
        assert!(records["bad"].as_u64().unwrap() > 0, "{name}: {records}");
        assert!(
            records["skipped_bytes"].as_u64().unwrap() > 0,
            "{name}: {records}"
        );
        assert!(info["events_lost"].as_u64().unwrap() > 0, "{name}");
        assert!(!info["warnings"].as_array().unwrap().is_empty(), "{name}");

        let output = run(&["analyze", "--quiet", "--format", "json"], &path);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(
            stderr(&output).contains("damaged"),
            "{name}: {}",
            stderr(&output)
        );
        let findings = json(&output);
        let input = &findings["inputs"][0];
        assert_eq!(&input["records"], records, "{name}");
        assert!(!input["warnings"].as_array().unwrap().is_empty(), "{name}");
        assert!(
            findings["coverage"]["events_lost"].as_u64().unwrap() > 0,
            "{name}"
        );
        let text = run(&["analyze"], &path);
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        assert!(text.contains("Damaged traces"), "{name}: {text}");
    }
}

#[test]
fn strict_turns_any_loss_into_status_1_after_the_output() {
    let files = Files::new();
    let whole = files.write(
        "whole.pml",
        &std::fs::read(repository("traces/boot-trace/boot_trace.pml")).unwrap(),
    );
    let out = files.folder.path().join("events.csv");
    let report = files.folder.path().join("report");
    let (out_arg, report_arg) = (out.to_str().unwrap(), report.to_str().unwrap());
    let commands: [&[&str]; 5] = [
        &["info", "--json"],
        &["drivers"],
        &["window"],
        &["export", "-o", out_arg],
        &["analyze", "--out", report_arg],
    ];
    for (name, bytes) in damaged() {
        let path = files.write(name, &bytes);
        for command in commands {
            let _ = std::fs::remove_file(&out);
            let _ = std::fs::remove_dir_all(&report);
            let plain = run(command, &path);
            assert_eq!(
                plain.status.code(),
                Some(0),
                "{command:?} {name}: {}",
                stderr(&plain)
            );
            let _ = std::fs::remove_file(&out);
            let _ = std::fs::remove_dir_all(&report);
            let strict = [command, &["--strict"]].concat();
            let output = run(&strict, &path);
            assert_eq!(
                output.status.code(),
                Some(1),
                "{strict:?} {name}: {}",
                stderr(&output)
            );
            assert_eq!(output.stdout, plain.stdout, "{strict:?} {name}");
            match command[0] {
                "export" => assert!(out.is_file(), "{name}"),
                "analyze" => assert!(report.join("findings.json").is_file(), "{name}"),
                _ => assert!(!output.stdout.is_empty(), "{strict:?} {name}"),
            }
            let output = run(&strict, &whole);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{strict:?} whole: {}",
                stderr(&output)
            );
        }
    }
}

#[test]
fn a_damaged_log_is_a_loss_as_well() {
    let files = Files::new();
    let mut bytes = std::fs::read(repository("traces/boot-trace/CBS.log")).unwrap();
    let at = bytes.len() / 2;
    bytes[at..at + 2_000].fill(0);
    let path = files.write("CBS.log", &bytes);
    let output = run(&["window"], &path);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("2000 NUL bytes"),
        "{}",
        stderr(&output)
    );
    let output = run(&["window", "--strict"], &path);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_missing_part_is_a_loss() {
    let files = Files::new();
    let log = std::fs::read(repository("traces/boot-trace/boot_trace.pml")).unwrap();
    let first = files.write("boot.pml", &log);
    let third = files.write("boot-2.pml", &log);
    let args = [first.as_os_str(), third.as_os_str()];
    let run = |strict: &[&str]| {
        let mut all: Vec<&std::ffi::OsStr> = vec!["info".as_ref(), "--json".as_ref()];
        all.extend(
            strict
                .iter()
                .map(|arg| -> &std::ffi::OsStr { arg.as_ref() }),
        );
        all.extend(args);
        fltscope(all)
    };
    assert_eq!(run(&[]).status.code(), Some(0));
    let strict = run(&["--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        stderr(&strict).contains("boot-1.pml"),
        "{}",
        stderr(&strict)
    );
}

/// A log whose list of modules is lost still names drivers that were loaded late: that is no answer.
#[test]
fn a_lost_list_of_modules_is_told_where_the_answer_stands() {
    let files = Files::new();
    for (sample, seen) in [("boot-log/boot_log", true), ("clean/clean", false)] {
        let whole = std::fs::read(repository(&format!("traces/{sample}.pml"))).unwrap();
        let index = u64::from_le_bytes(whole[0x248..0x250].try_into().unwrap()) as usize;
        let mut bytes = whole[..index].to_vec();
        for (at, len) in [(0x234, 4), (0x240, 0x28), (0x3A0, 8)] {
            bytes[at..at + len].fill(0);
        }
        let path = files.write("unclosed.pml", &bytes);
        let findings = json(&run(&["analyze", "--quiet", "--format", "json"], &path));
        assert_eq!(findings["coverage"]["modules"], false, "{sample}");
        let text = run(&["analyze"], &path);
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        let lost = "list of kernel modules is";
        assert!(text.contains(lost), "{sample}: {text}");
        if !seen {
            let answer = text.lines().next().unwrap_or_default();
            assert!(answer.contains(lost), "{sample}: {answer}");
        }
        let path = files.write("whole.pml", &whole);
        let findings = json(&run(&["analyze", "--quiet", "--format", "json"], &path));
        assert_eq!(findings["coverage"]["modules"], true, "{sample}");
        assert!(!findings.to_string().contains(lost), "{sample}");
    }
}
