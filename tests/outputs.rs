//! Outputs: whole or not there, never over something of the user's, and a run that is stopped.

use crate::common::{boot_log, fltscope, repository, stderr, stdout};
use std::fs;
use std::path::Path;
use std::process::Output;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn refused(output: &Output, code: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_report_replaces_reports_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/report");
    let log = boot_log();
    let run = |more: &[&str]| {
        let mut args = vec!["analyze", &log, "--quiet", "--out", out.to_str().unwrap()];
        args.extend(more);
        fltscope(args)
    };
    assert_eq!(run(&["--xlsx"]).status.code(), Some(0));
    let first = names(&out);
    assert_eq!(first.iter().filter(|name| name.starts_with('.')).count(), 0);
    fs::write(out.join("notes.txt"), "mine").unwrap();
    assert_eq!(run(&["--xlsx"]).status.code(), Some(0));
    assert_eq!(run(&[]).status.code(), Some(0));
    fs::write(out.join("drivers.csv"), "my,own,table\n").unwrap();
    let before = fs::read(out.join("findings.json")).unwrap();
    refused(
        &run(&[]),
        1,
        &["drivers.csv", "did not write it", "--force"],
    );
    assert_eq!(
        fs::read(out.join("drivers.csv")).unwrap(),
        b"my,own,table\n"
    );
    assert_eq!(fs::read(out.join("findings.json")).unwrap(), before);
    assert_eq!(run(&["--force"]).status.code(), Some(0));
    assert!(
        fs::read_to_string(out.join("drivers.csv"))
            .unwrap()
            .starts_with("name,")
    );
    assert_eq!(fs::read(out.join("notes.txt")).unwrap(), b"mine");
}

#[test]
fn outputs_are_never_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    fs::create_dir(&case).unwrap();
    let log = case.join("boot.pml");
    fs::copy(boot_log(), &log).unwrap();
    let before = fs::read(&log).unwrap();
    let (case_text, log_text) = (case.to_str().unwrap(), log.to_str().unwrap());
    let indirect = case.join("../case/boot.pml");
    let export =
        |input: &str, output: &str| fltscope(["export", input, "-o", output, "--format", "csv"]);
    refused(&export(log_text, log_text), 2, &[log_text]);
    refused(
        &export(log_text, indirect.to_str().unwrap()),
        2,
        &[log_text],
    );
    // Found in a folder, and by another name.
    refused(&export(case_text, log_text), 2, &[log_text]);
    let linked = folder.path().join("linked.csv");
    fs::hard_link(&log, &linked).unwrap();
    refused(
        &export(case_text, linked.to_str().unwrap()),
        2,
        &["linked.csv", "boot.pml"],
    );
    refused(
        &fltscope(["analyze", case_text, "--out", case_text]),
        2,
        &[case_text],
    );
    refused(
        &fltscope(["analyze", case_text, "--out", log_text]),
        1,
        &["expected a folder"],
    );
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(names(&case), ["boot.pml"]);
}

#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let log = boot_log();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let export = |output: &str| fltscope(["export", &log, "-o", output, "--format", "csv"]);
    refused(
        &export(&at("no/such/x.csv")),
        1,
        &["x.csv", "its folder is not there"],
    );
    refused(&export(&at("")), 1, &["found a folder"]);
    fs::write(at("locked.csv"), "old").unwrap();
    let mut mode = fs::metadata(at("locked.csv")).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(at("locked.csv"), mode).unwrap();
    refused(&export(&at("locked.csv")), 1, &["locked.csv", "read-only"]);
    assert_eq!(fs::read(at("locked.csv")).unwrap(), b"old");
    refused(
        &fltscope(["analyze", &log, "--out", &at("locked.csv/report")]),
        1,
        &["locked.csv"],
    );
    // An older export is replaced, as ever.
    fs::write(at("x.csv"), "old").unwrap();
    assert_eq!(export(&at("x.csv")).status.code(), Some(0));
    assert!(fs::read(at("x.csv")).unwrap().starts_with(b"event,"));
    assert_eq!(names(folder.path()), ["locked.csv", "x.csv"]);
    // Nothing is made for a case that cannot be read.
    let output = fltscope(["analyze", "no/such.pml", "--out", &at("report")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("report").exists());
}

#[test]
fn stdout_is_no_file() {
    let rows = stdout([
        "export",
        &repository("traces/clean/clean.pml"),
        "-o",
        "-",
        "--format",
        "csv",
    ]);
    assert!(rows.starts_with("event,"));
    assert!(!Path::new("-").exists());
}

#[cfg(unix)]
mod on_unix {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn devices_links_and_full_disks() {
        let folder = tempfile::tempdir().unwrap();
        let log = boot_log();
        let export = |output: &Path| {
            fltscope([
                "export",
                &log,
                "-o",
                output.to_str().unwrap(),
                "--format",
                "csv",
            ])
        };
        assert_eq!(export(Path::new("/dev/null")).status.code(), Some(0));
        if Path::new("/dev/full").exists() {
            refused(
                &export(Path::new("/dev/full")),
                1,
                &["/dev/full", "no space left"],
            );
        }
        let (file, link) = (folder.path().join("x.csv"), folder.path().join("link.csv"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(export(&link).status.code(), Some(0));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read(&file).unwrap().starts_with(b"event,"));
        let to_log = folder.path().join("to_log.csv");
        std::os::unix::fs::symlink(&log, &to_log).unwrap();
        refused(&export(&to_log), 2, &["to_log.csv"]);
    }

    /// A limit on the size of files stands for a disk that fills up in mid-file.
    #[test]
    fn nothing_half_written_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("report");
        let limited = |args: &str| {
            let script = format!("trap '' XFSZ; ulimit -f 100; exec \"$0\" {args}");
            Command::new("sh")
                .args(["-c", &script, env!("CARGO_BIN_EXE_fltscope")])
                .output()
                .unwrap()
        };
        let output = limited(&format!(
            "export '{}' -o '{}'",
            boot_log(),
            folder.path().join("x.csv").display()
        ));
        refused(&output, 1, &["x.csv", "nothing was written"]);
        let output = limited(&format!(
            "analyze '{}' --xlsx --out '{}'",
            boot_log(),
            out.display()
        ));
        refused(&output, 1, &["report"]);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        fs::create_dir(&out).unwrap();
        fs::write(
            out.join("findings.json"),
            "{\"schema\": \"fltscope.findings/1\", \"old\": 1}",
        )
        .unwrap();
        let output = limited(&format!(
            "analyze '{}' --out '{}'",
            boot_log(),
            out.display()
        ));
        refused(&output, 1, &["events.csv", "nothing was written"]);
        assert_eq!(names(&out), ["findings.json"]);
    }

    fn interrupt(child: &Child) {
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Starts the program with Ctrl-C as a terminal leaves it: a test that runs in the background may ignore it.
    #[cfg(target_os = "linux")]
    fn start(args: &[&str], place: &Path) -> Child {
        let mut all = vec![
            "--default-signal=INT,TERM,HUP",
            env!("CARGO_BIN_EXE_fltscope"),
        ];
        all.extend(args);
        Command::new("env")
            .args(all)
            .env("TMPDIR", place)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Interrupts a run once `began` says so; it must end within a second, with status 130.
    #[cfg(target_os = "linux")]
    fn stopped(mut child: Child, began: impl Fn() -> bool) {
        let start = Instant::now();
        while !began() {
            assert!(start.elapsed() < Duration::from_secs(60), "it never began");
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before it could be stopped"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        let asked = Instant::now();
        interrupt(&child);
        let status = child.wait().unwrap();
        let took = asked.elapsed();
        assert_eq!(status.code(), Some(130));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ctrl_c_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = tempfile::tempdir().unwrap();
        let log = folder.path().join("big.pml");
        tracegen::big::write(48 << 20, &log).unwrap();
        let text = log.to_str().unwrap();
        let some = |folder: &Path| !names(folder).is_empty();
        // While a table is written.
        let out = tempfile::tempdir().unwrap();
        let table = out.path().join("x.csv");
        let args = [
            "export",
            text,
            "-o",
            table.to_str().unwrap(),
            "--stacks",
            "--threads",
            "1",
        ];
        stopped(start(&args, place.path()), || {
            let Ok(entries) = fs::read_dir(out.path()) else {
                return false;
            };
            entries
                .flatten()
                .any(|entry| entry.metadata().is_ok_and(|meta| meta.len() > 0))
        });
        assert_eq!(names(out.path()), Vec::<String>::new());
        // While an archive is unpacked, and while what came out of it is read.
        let packed = folder.path().join("case.pml.zst");
        let file = fs::File::open(&log).unwrap();
        zstd::stream::copy_encode(file, fs::File::create(&packed).unwrap(), 1).unwrap();
        let report = folder.path().join("report");
        let args = [
            "analyze",
            packed.to_str().unwrap(),
            "--threads",
            "1",
            "--out",
            report.to_str().unwrap(),
        ];
        stopped(start(&args, place.path()), || some(place.path()));
        assert_eq!(names(place.path()), Vec::<String>::new());
        assert!(!report.exists());
    }
}
