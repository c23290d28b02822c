//! The command line as a user meets it: help, exit statuses, outputs, filters.

use crate::common::{boot_log, fltscope, repository, stderr, stdout};
use std::process::{Command, Stdio};

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// The data lines of an export to stdout with these arguments.
fn exported(args: &[&str]) -> Vec<String> {
    let log = boot_log();
    let mut all = vec!["export", &log, "-o", "-", "--format", "csv", "--columns"];
    all.extend(args);
    stdout(all).lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn help_is_short_and_long() {
    let short = stdout(["-h"]);
    assert!(lines(&short).len() < 30, "{short}");
    for command in ["analyze", "info", "drivers", "export", "completions", "man"] {
        assert!(short.contains(command));
        let long = stdout([command, "--help"]);
        assert!(long.contains("Examples:"), "{command}");
        assert!(!stdout([command, "-h"]).contains("Examples:"), "{command}");
    }
    assert!(stdout(["--version"]).starts_with("fltscope "));
}

#[test]
fn completions_and_manual_come_by_command() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(
            stdout(["completions", shell]).contains("analyze"),
            "{shell}"
        );
    }
    assert!(stdout(["man"]).contains(".TH fltscope"));
    let folder = tempfile::tempdir().unwrap();
    stdout(["man", "--dir", folder.path().to_str().unwrap()]);
    assert!(folder.path().join("fltscope-analyze.1").is_file());
}

#[test]
fn exit_statuses() {
    let code = |args: &[&str]| fltscope(args).status.code();
    let log = boot_log();
    assert_eq!(code(&["analyze", &log]), Some(0));
    assert_eq!(code(&["analyze", "no/such/file.pml"]), Some(1));
    assert_eq!(code(&["info", "no/such/file.pml"]), Some(1));
    assert_eq!(code(&["analyze"]), Some(2));
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["analyze", &log, "--tz", "Mars/Base"]), Some(2));
    let backwards = "2026-05-12T06:42:00Z..2026-05-12T06:41:00Z";
    assert_eq!(code(&["analyze", &log, "--window", backwards]), Some(2));
    assert_eq!(code(&["analyze", &log, "--fail-on", "implicated"]), Some(3));
    assert_eq!(code(&["analyze", &log, "--fail-on", "touched"]), Some(3));
    let clean = repository("traces/clean");
    assert_eq!(code(&["analyze", &clean, "--fail-on", "touched"]), Some(0));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(code(&["analyze", empty.path().to_str().unwrap()]), Some(1));
    assert_eq!(code(&["export", &log, "-o", "events.xyz"]), Some(2));
    assert_eq!(
        code(&["export", &log, "-o", &log, "--format", "csv"]),
        Some(2)
    );
    assert_eq!(
        code(&[
            "export",
            &log,
            "-o",
            "-",
            "--format",
            "csv",
            "--columns",
            "nope"
        ]),
        Some(2)
    );
}

#[test]
fn one_bad_input_does_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.pml");
    std::fs::write(&bad, "no log").unwrap();
    let out = folder.path().join("out");
    let output = fltscope([
        "analyze",
        &boot_log(),
        bad.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("bad.pml"));
    let findings = std::fs::read_to_string(out.join("findings.json")).unwrap();
    assert!(findings.contains("tmsflt.sys") && findings.contains("PML001"));
}

#[test]
fn analyze_writes_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b");
    let text = stdout(["analyze", &boot_log(), "--out", out.to_str().unwrap()]);
    assert!(text.starts_with("IMPLICATED: tmsflt.sys"), "{text}");
    assert!(
        !text.contains('\x1b'),
        "no colour where stdout is no terminal"
    );
    let mut names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut expected = vec!["drivers.csv", "events.csv", "findings.json", "report.html"];
    if cfg!(feature = "parquet") {
        expected.insert(2, "events.parquet");
    }
    assert_eq!(names, expected);
    let events = std::fs::read_to_string(out.join("events.csv")).unwrap();
    assert!(events.starts_with("event,time,source,class,operation,path,target_path,result,status,duration_us,process,pid,tid,detail,category,drivers,"));
    let drivers = std::fs::read_to_string(out.join("drivers.csv")).unwrap();
    assert!(drivers.lines().nth(1).unwrap().starts_with("tmsflt.sys,"));
    assert_eq!(
        stdout([
            "analyze",
            &boot_log(),
            "--quiet",
            "--out",
            out.to_str().unwrap()
        ]),
        ""
    );
}

#[test]
fn output_is_the_same_for_any_number_of_threads() {
    let log = boot_log();
    let run = |threads: &str, format: &str| {
        stdout([
            "export",
            &log,
            "-o",
            "-",
            "--format",
            format,
            "--stacks",
            "--threads",
            threads,
        ])
    };
    for format in ["csv", "ndjson"] {
        let one = run("1", format);
        assert_eq!(one, run("4", format));
        assert!(lines(&one).len() > 5000);
    }
    let json = |threads: &str| stdout(["analyze", &log, "--format", "json", "--threads", threads]);
    assert_eq!(json("1"), json("5"));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = |threads: &str| {
        let path = folder.path().join(format!("{threads}.parquet"));
        stdout([
            "export",
            &boot_log(),
            "-o",
            path.to_str().unwrap(),
            "--threads",
            threads,
        ]);
        std::fs::read(path).unwrap()
    };
    let one = run("1");
    assert_eq!(&one[..4], b"PAR1");
    assert_eq!(one, run("4"));
}

#[test]
fn filters_take_what_they_say() {
    let all = exported(&["operation,process,path,result,class,pid,tid,time,drivers,target_path"]);
    let count = |test: &dyn Fn(&str) -> bool| all.iter().filter(|line| test(line)).count();
    let with = |args: &[&str]| {
        let mut full = vec!["operation,process,path,result,class,pid,tid,time,drivers,target_path"];
        full.extend(args);
        exported(&full)
    };
    assert_eq!(
        with(&["--operation", "createfile"]).len(),
        count(&|line| line.starts_with("CreateFile,"))
    );
    assert_eq!(
        with(&["--process", "ti*.EXE", "--process", "poqexec.exe"]).len(),
        count(&|line| line.contains(",TiWorker.exe,") || line.contains(",poqexec.exe,"))
    );
    assert_eq!(
        with(&["--result", "ACCESS DENIED,0xC0000043"]).len(),
        count(&|line| line.contains(",ACCESS DENIED,") || line.contains(",SHARING VIOLATION,"))
    );
    assert_eq!(
        with(&["--class", "registry"]).len(),
        count(&|line| line.contains(",Registry,"))
    );
    let package = with(&["--path", "*\\OPOSDRV.inf_amd64_*"]);
    assert!(!package.is_empty());
    assert_eq!(
        package.len(),
        count(&|line| line.to_lowercase().contains("\\oposdrv.inf_amd64_"))
    );
    let third = with(&["--third-party"]);
    assert!(!third.is_empty());
    assert!(third.iter().all(|line| line.contains(".sys")));
    let failures = with(&["--driver-store", "--failures", "--third-party"]);
    assert!(failures.iter().any(|line| line.contains("tmsflt.sys")));
    assert!(failures.iter().all(|line| !line.contains("SUCCESS")));
    let one = &with(&[
        "--from",
        "2026-05-12T06:42:00Z",
        "--to",
        "2026-05-12T06:42:01Z",
    ]);
    assert!(!one.is_empty() && one.len() < 200);
    assert!(one.iter().all(|line| line.contains("T06:42:0")));
    assert!(
        with(&["--pid", "4"])
            .iter()
            .all(|line| line.contains(",4,"))
    );
}

#[test]
fn times_are_shown_in_the_zone_and_selected_in_utc() {
    let shown = exported(&[
        "time",
        "--tz",
        "Asia/Shanghai",
        "--to",
        "2026-05-12T06:41:08Z",
    ]);
    assert!(shown[0].starts_with("2026-05-12T14:41:07.") && shown[0].ends_with("+08:00"));
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let text = stdout([
        "export",
        &boot_log(),
        "-o",
        "-",
        "--format",
        "csv",
        "--columns",
        "pid,Operation",
        "--stacks",
        "--bom",
    ]);
    assert!(text.starts_with("\u{feff}pid,operation,stack\n"));
    assert!(text.contains("ntoskrnl.exe+0x") && text.contains("ntdll.dll+0x"));
}

#[test]
fn info_and_drivers_say_what_is_there() {
    let log = boot_log();
    let info = stdout(["info", &log]);
    for text in [
        "BANK-PC-0417",
        "Windows 10 (10.0.19045)",
        "5,606 events",
        "CreateFile",
        "tmsflt.sys",
    ] {
        assert!(info.contains(text), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&stdout(["info", &log, "--json"])).unwrap();
    assert_eq!(json["schema"], "fltscope.info/1");
    assert_eq!(json["records"]["good"], 5606);
    assert_eq!(json["machine"]["name"], "BANK-PC-0417");
    let total: u64 = json["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["count"].as_u64().unwrap())
        .sum();
    assert_eq!(total, 5606);
    let third = stdout(["drivers", &log, "--third-party"]);
    assert!(third.contains("tmsflt.sys") && !third.contains("ntoskrnl.exe"));
    assert!(third.contains("observer"));
    let csv = stdout(["drivers", &log, "--format", "csv"]);
    assert!(
        csv.lines()
            .any(|line| line.contains("WdFilter.sys") && line.contains("328010"))
    );
    let json: serde_json::Value =
        serde_json::from_str(&stdout(["drivers", &log, "--format", "json"])).unwrap();
    assert!(json.as_array().unwrap().len() > 10);
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .env("LC_ALL", "C")
        .args([
            "export",
            &boot_log(),
            "-o",
            "-",
            "--format",
            "ndjson",
            "--stacks",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/events.csv");
    let output = fltscope(["export", &boot_log(), "-o", missing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("events.csv"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_in_the_way_of_the_output_stays() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("events.csv");
    std::fs::create_dir(&taken).unwrap();
    let output = fltscope(["export", &boot_log(), "-o", taken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(taken.is_dir());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    // Whoever may not write beside /dev/null could not tell: the program must succeed as well.
    stdout([
        "export",
        &boot_log(),
        "-o",
        "/dev/null",
        "--format",
        "csv",
        "--quiet",
    ]);
    assert!(
        std::fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[test]
fn files_of_other_kinds_get_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let message = |path: &str| {
        let output = fltscope(["info", path]);
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    assert!(message(&write("a.pml", b"Rar!\x1a\x07....")).contains("unpack it first"));
    assert!(message(&write("a.pml", b"7z\xbc\xaf....")).contains("cut or damaged"));
    assert!(message(&write("a.zip", b"PK\x03\x04....")).contains("a.zip"));
    assert!(message(&write("trace.etl", &[0; 100])).contains("ETL001"));
    assert!(message(&write("old.pml", b"PML_\x07\0\0\0")).contains("version 7"));
    assert!(message(&write("old.pml", b"PML_\x07\0\0\0")).contains("save it"));
    assert!(message(&write("empty.pml", b"")).contains("an empty file"));
    assert!(
        message(&write("text.txt", b"hello world")).contains("text that is no line of CBS.log")
    );
    let export = b"\xef\xbb\xbf\"Time of Day\",\"Process Name\",\"PID\"\r\n";
    assert!(message(&write("Logfile.CSV", export)).contains("save the log itself as .pml"));
    assert!(message(&write("System.evtx", b"ElfFile\0")).contains("event log"));
    assert!(message(&write("bytes.bin", &[1, 2, 3, 4])).contains("bytes 01 02 03 04"));
}

#[test]
fn compressed_logs_give_the_same_as_plain_ones() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::read(boot_log()).unwrap();
    let plain = stdout([
        "export",
        &boot_log(),
        "-o",
        "-",
        "--format",
        "csv",
        "--columns",
        "event,path,detail",
    ]);
    let zip_path = folder.path().join("case.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&zip_path).unwrap());
    zip.start_file(
        "logs/boot_log.pml",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    zip.write_all(&log).unwrap();
    zip.finish().unwrap();
    let gz_path = folder.path().join("boot_log.pml.gz");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&log).unwrap();
    std::fs::write(&gz_path, gz.finish().unwrap()).unwrap();
    let zst_path = folder.path().join("boot_log.pml.zst");
    std::fs::write(&zst_path, zstd::encode_all(log.as_slice(), 1).unwrap()).unwrap();
    for path in [zip_path, gz_path, zst_path] {
        let path = path.to_str().unwrap();
        let unpacked = stdout([
            "export",
            path,
            "-o",
            "-",
            "--format",
            "csv",
            "--columns",
            "event,path,detail",
        ]);
        assert!(unpacked == plain, "{path}");
        let found = crate::common::findings(&[path]);
        assert_eq!(found["drivers"][0]["name"], "tmsflt.sys");
        let shown = found["inputs"][0]["path"].as_str().unwrap();
        assert!(
            shown.starts_with(path) && shown.ends_with("boot_log.pml"),
            "{shown}"
        );
    }
}
