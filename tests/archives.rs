//! Archives as engineers get them, by other programs and by hostile ones, through the binary.

use crate::common::{boot_log, fltscope, repository, stderr};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Runs the program with a place for temporary files of its own, in which nothing may be left.
fn run(args: &[&str]) -> Output {
    let place = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .args(args)
        .env("TMPDIR", place.path())
        .env("TEMP", place.path())
        .env("TMP", place.path())
        .output()
        .unwrap();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{args:?}");
    output
}

fn analyze(args: &[&str]) -> (Value, Option<i32>, String) {
    let mut all = vec!["analyze", "--format", "json", "--quiet"];
    all.extend(args);
    let output = run(&all);
    let found = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (found, output.status.code(), stderr(&output))
}

fn archive(name: &str) -> String {
    repository(&format!("tests/archives/{name}"))
}

fn secret() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("passwords.txt"), "other\r\nsecret\r\n").unwrap();
    fs::write(folder.path().join("wrong.txt"), "other\n").unwrap();
    folder
}

#[test]
fn archives_of_other_programs() {
    for (file, inside) in [
        ("deflate64.zip", "CBS.log"),
        ("lzma2.7z", "CBS.log"),
        (
            "CbsPersist_20260512064231.cab",
            "CbsPersist_20260512064231.log",
        ),
        ("names-gbk.zip", "网点12/日志.log"),
        ("names-cp437.zip", "Büro/Übersicht.log"),
    ] {
        let path = archive(file);
        let (found, code, text) = analyze(&[&path]);
        assert_eq!(code, Some(0), "{file}: {text}");
        assert_eq!(found["inputs"][0]["path"], format!("{path}/{inside}"));
        assert_eq!(found["inputs"][0]["kind"], "cbs");
        assert_eq!(found["failure"]["inf"], "oposdrv.inf", "{file}");
        assert_eq!(found["failure"]["code"], "0x800703f1", "{file}");
    }
}

#[test]
fn passwords_come_from_a_file() {
    let folder = secret();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for file in ["zipcrypto.zip", "aes256.zip", "aes.7z", "aes-names.7z"] {
        let path = archive(file);
        let (found, code, text) = analyze(&[&path, "--password-file", &at("passwords.txt")]);
        assert_eq!(
            (code, &found["failure"]["line"]),
            (Some(0), &Value::from(4)),
            "{file}: {text}"
        );
        let (_, code, text) = analyze(&[&path]);
        assert_eq!(code, Some(1), "{file}");
        assert!(
            text.contains("encrypted") && text.contains("--password-file FILE"),
            "{text}"
        );
        let (_, code, text) = analyze(&[&path, "--password-file", &at("wrong.txt")]);
        assert_eq!(code, Some(1), "{file}");
        assert!(
            text.contains("no password of --password-file opens it"),
            "{text}"
        );
    }
    let (_, code, text) = analyze(&[&archive("lzma2.7z"), "--password-file", &at("none.txt")]);
    assert_eq!(code, Some(2), "{text}");
    // Every command that takes inputs has the option.
    for command in ["analyze", "window", "info", "drivers", "export"] {
        let help = String::from_utf8(fltscope([command, "-h"]).stdout).unwrap();
        assert!(
            help.contains("--password-file") && help.contains("--unpack-limit"),
            "{command}"
        );
    }
}

#[test]
fn a_method_that_is_not_read_is_named() {
    let (_, code, text) = analyze(&[&archive("lzma.zip")]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains(
            "lzma.zip/CBS.log: packed by a method that is not read (14): unpack it first"
        ),
        "{text}"
    );
}

/// A zip of a case: the boot log packed, CBS logs in a cabinet, an archive too deep.
fn case_zip(folder: &Path) -> String {
    let log = fs::read(boot_log()).unwrap();
    let mut deep = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    deep.start_file("x.pml.zst", options).unwrap();
    deep.write_all(&zstd::encode_all(log.as_slice(), 1).unwrap())
        .unwrap();
    let deep = deep.finish().unwrap().into_inner();
    let path = folder.join("case.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in [
        (
            "PC/boot_log.pml.zst",
            zstd::encode_all(log.as_slice(), 1).unwrap(),
        ),
        (
            "PC/CBS/CbsPersist_20260512064231.cab",
            fs::read(archive("CbsPersist_20260512064231.cab")).unwrap(),
        ),
        ("PC/notes.txt", b"nothing".to_vec()),
        ("PC/more.zip", deep),
        ("../../climbs.pml", b"PML_\x09\0\0\0".to_vec()),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    path.display().to_string()
}

#[test]
fn a_case_is_found_in_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let zip = case_zip(folder.path());
    let (packed, code, text) = analyze(&[folder.path().to_str().unwrap()]);
    assert_eq!(code, Some(1), "climbs.pml is no log: {text}");
    let (plain, ..) = analyze(&[&boot_log()]);
    assert_eq!(
        packed["drivers"].as_array().unwrap().len(),
        plain["drivers"].as_array().unwrap().len()
    );
    let warnings = packed["warnings"].to_string();
    assert!(
        warnings.contains("more.zip/x.pml.zst: not opened"),
        "{warnings}"
    );
    assert!(warnings.contains("climbs out of the archive"), "{warnings}");
    let names: Vec<&str> = packed["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            format!("{zip}/PC/boot_log.pml.zst/boot_log.pml"),
            format!("{zip}/PC/CBS/CbsPersist_20260512064231.cab/CbsPersist_20260512064231.log"),
        ]
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_cut_archive_gives_what_is_left_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot_log.pml.zst");
    let packed = zstd::encode_all(fs::read(boot_log()).unwrap().as_slice(), 1).unwrap();
    fs::write(&path, &packed[..packed.len() * 3 / 4]).unwrap();
    let (found, code, text) = analyze(&[path.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{text}");
    assert!(found["inputs"][0]["events"].as_u64().unwrap() > 100);
    let warnings = found["inputs"][0]["warnings"].to_string();
    assert!(
        warnings.contains("Cut or damaged in its archive"),
        "{warnings}"
    );
    let info = run(&["info", "--json", path.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&info.stdout).contains("Cut or damaged in its archive"));
    assert!(
        stderr(&info).contains("Cut or damaged"),
        "{}",
        stderr(&info)
    );
}

#[test]
fn bombs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.pml.gz");
    let mut out =
        flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::best());
    out.write_all(b"PML_\x09\0\0\0").unwrap();
    for _ in 0..64 {
        out.write_all(&[0; 1 << 20]).unwrap();
    }
    out.finish().unwrap();
    let (_, code, text) = analyze(&[path.to_str().unwrap(), "--unpack-limit", "32M"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("more than 32.00 MiB") && text.contains("--unpack-limit"),
        "{text}"
    );
    let (_, code, _) = analyze(&[path.to_str().unwrap(), "--unpack-limit", "much"]);
    assert_eq!(code, Some(2));
}
