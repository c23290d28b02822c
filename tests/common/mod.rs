//! What the tests share: the binary, the samples, the real data.
#![allow(dead_code)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program, in English whatever the machine speaks.
pub fn fltscope<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .env("LC_ALL", "C")
        .args(args)
        .output()
        .expect("the program starts")
}

/// Runs the program and expects success; its stdout.
pub fn stdout<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> String {
    let output = fltscope(args);
    assert!(
        output.status.success(),
        "exit {:?}\n{}",
        output.status.code(),
        stderr(&output)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What it said on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The findings of `analyze` with these arguments.
pub fn findings(args: &[&str]) -> Value {
    let mut all = vec!["analyze", "--format", "json", "--quiet"];
    all.extend(args);
    serde_json::from_str(&stdout(all)).expect("findings.json")
}

/// A file of the repository.
pub fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(path)
        .display()
        .to_string()
}

/// The sample case of the README's story.
pub fn boot_log() -> String {
    repository("traces/boot-log/boot_log.pml")
}

/// The folder of real logs, or `None` where they are not at hand: then the test says so and ends.
pub fn real_logs(test: &str) -> Option<PathBuf> {
    real_data(test, "pml")
}

/// The folder of real ETL traces, or `None` as for [`real_logs`].
pub fn real_traces(test: &str) -> Option<PathBuf> {
    real_data(test, "etl")
}

fn real_data(test: &str, kind: &str) -> Option<PathBuf> {
    let data = std::env::var_os("FLTSCOPE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let folder = data.join(kind);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: {test}: no real {kind} files at {} (set FLTSCOPE_DATA to their folder)",
        folder.display()
    );
    None
}

/// The ETL files of a folder, by name.
pub fn etl_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "etl"));
    files.sort();
    files
}
