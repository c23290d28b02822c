//! Names written against the reader: what of them reaches the terminal, the page, the tables and the workbook.

use crate::common::{fltscope, stderr};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use tracegen::logs::{Paper, cbs, setupapi};
use tracegen::scenario::{EtlOptions, HOSTILE, hostile_case, hostile_story, short_boot_trace};

/// A case of hostile names.
fn case() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let story = hostile_story();
    let paper = Paper::default();
    fs::write(folder.path().join("hostile.pml"), hostile_case().bytes()).unwrap();
    fs::write(folder.path().join("CBS.log"), cbs(&story, &paper).bytes).unwrap();
    fs::write(
        folder.path().join("setupapi.dev.log"),
        setupapi(&story, &paper).bytes,
    )
    .unwrap();
    folder
}

/// Runs the program as on a terminal that shows colours.
fn coloured(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .args(args)
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

/// Characters no text for people may hold, line ends apart.
fn hidden(text: &str) -> Vec<char> {
    let acts = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().filter(acts).collect()
}

/// Our own colours taken out: SGR sequences of digits, as anstyle writes them.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(0);
        // 31 without more is the colour of a hostile name; ours are reset, bold, dim and bold with a colour.
        let known = ["0", "1", "2", "31", "32", "33"].contains(&&after[..end]);
        assert!(
            known && after[end..].starts_with('m'),
            "\\e[{}",
            &after[..end.max(1)]
        );
        rest = &after[end + 1..];
    }
    out + rest
}

#[test]
fn the_terminal() {
    let folder = case();
    let path = folder.path().to_str().unwrap();
    let log = folder.path().join("hostile.pml").display().to_string();
    let out = tempfile::tempdir().unwrap();
    let report = out.path().to_str().unwrap();
    for args in [
        &["analyze", path][..],
        &["analyze", path, "--format", "json"],
        &["window", path],
        &["window", path, "--json"],
        &["info", &log],
        &["info", &log, "--json"],
        &["drivers", &log],
        &["drivers", &log, "--third-party", "--format", "csv"],
        &["drivers", &log, "--format", "json"],
        &["analyze", "--batch", &log, "--out", report],
        &["analyze", "--batch", &log, "--format", "json"],
    ] {
        let output = coloured(args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
        for text in [&output.stdout, &output.stderr] {
            let text = without_colours(std::str::from_utf8(text).unwrap());
            assert_eq!(hidden(&text), [], "{args:?}\n{text}");
            assert!(
                !text.lines().any(|line| line.starts_with("error: forged")),
                "{args:?}"
            );
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let shown = match args.contains(&"--json") || args.contains(&"json") {
            true => "tms\\u202eflt\\u001b[31m.sys",
            false => "tms\\u{202e}flt\\u{1b}[31m.sys",
        };
        // The others tell of processes and files, or count.
        if ["analyze", "drivers"].contains(&args[0]) {
            assert!(text.contains(shown), "{args:?}\n{text}");
        }
    }
}

#[test]
fn messages_about_files_of_hostile_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x\u{202e}\u{1b}[2J.pml");
    if fs::write(&path, "no log").is_err() {
        return; // Windows has no such names.
    }
    for command in ["info", "analyze", "window", "drivers"] {
        let output = coloured(&[command, path.to_str().unwrap()]);
        let text = without_colours(&stderr(&output));
        assert!(text.contains("x\\u{202e}\\u{1b}[2J.pml"), "{text}");
        assert_eq!(hidden(&text), [], "{command}: {text}");
    }
}

/// A kernel trace whose names are patched: drivers and their companies are UTF-16 in it, processes bytes.
fn trace(folder: &Path) -> String {
    let path = folder.join("hostile.etl");
    let mut bytes = short_boot_trace(EtlOptions::default()).bytes();
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let mut patch = |from: Vec<u8>, to: Vec<u8>| {
        assert_eq!(from.len(), to.len());
        let places: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at..].starts_with(&from))
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(&to);
        }
    };
    patch(wide("tmsflt.sys"), wide("t\u{202e}\u{1b}[2J.sys"));
    patch(wide("TMS Security Co"), wide("=<b>Sec\u{9b}rity\u{7}Co"));
    patch(b"TmsSvc.exe".to_vec(), b"T\x1b[2Jc.exe".to_vec());
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn a_kernel_trace() {
    let folder = tempfile::tempdir().unwrap();
    let log = trace(folder.path());
    for args in [
        &["analyze", &log][..],
        &["window", &log],
        &["info", &log],
        &["info", &log, "--json"],
        &["drivers", &log],
        &["drivers", &log, "--format", "csv"],
    ] {
        let output = coloured(args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
        for text in [&output.stdout, &output.stderr] {
            let text = without_colours(std::str::from_utf8(text).unwrap());
            assert_eq!(hidden(&text), [], "{args:?}\n{text}");
        }
    }
    let shown = String::from_utf8(coloured(&["drivers", &log]).stdout).unwrap();
    assert!(shown.contains("t\\u{202e}\\u{1b}[2J.sys"), "{shown}");
}

#[test]
fn the_report() {
    let folder = case();
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name);
    let args = [
        "analyze",
        folder.path().to_str().unwrap(),
        "--quiet",
        "--xlsx",
        "--out",
    ];
    let output = fltscope(args.into_iter().chain([out.path().to_str().unwrap()]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = fs::read_to_string(at("report.html")).unwrap();
    assert_eq!(hidden(&page), []);
    assert!(!page.contains("<img") && !page.contains("<script>alert"));
    assert!(page.contains("tms\\u{202e}flt\\u{1b}[31m.sys"));
    assert!(page.contains("&lt;script&gt;alert"));
    for name in ["events.csv", "drivers.csv"] {
        let text = fs::read_to_string(at(name)).unwrap();
        assert_eq!(hidden(&text), [], "{name}");
        let mut rows = csv::Reader::from_path(at(name)).unwrap();
        let mut cells = 0;
        for row in rows.records() {
            for cell in &row.unwrap() {
                assert!(!cell.starts_with(['=', '+', '@', '-']), "{name}: {cell}");
                cells += usize::from(cell.starts_with("'=") || cell.starts_with("'+"));
            }
        }
        assert!(cells > 0, "{name}");
    }
    workbook(&at("report.xlsx"));
    // The values themselves are in the documents for programs.
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(at("findings.json")).unwrap()).unwrap();
    let names: Vec<&str> = json["drivers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&HOSTILE[1].1), "{names:?}");
    assert_eq!(json["machine"]["name"], HOSTILE[0].1);
    let raw = fs::read(at("findings.json")).unwrap();
    assert_eq!(hidden(std::str::from_utf8(&raw).unwrap()), []);
}

fn workbook(path: &Path) {
    let mut book = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut seen = 0;
    for at in 0..book.len() {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut book.by_index(at).unwrap(), &mut text).unwrap();
        let text = text.replace('\r', "");
        assert_eq!(hidden(&text), [], "part {at}");
        assert!(
            !text.contains("<f>") && !text.contains("<hyperlink"),
            "part {at}"
        );
        seen += text.matches("\\u{202e}flt\\u{1b}[31m.sys").count();
    }
    assert!(seen > 0);
}

#[test]
fn tables_for_programs_are_exact() {
    let folder = case();
    let log = folder.path().join("hostile.pml").display().to_string();
    let export = |format: &str| {
        let output = fltscope([
            "export",
            &log,
            "-o",
            "-",
            "--format",
            format,
            "--process",
            "*Tms*",
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = export("ndjson");
    let row: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(row["process"], HOSTILE[3].1);
    assert_eq!(row["company"], HOSTILE[2].1);
    // Control characters of the first block become blanks in a CSV, so that a line is a line.
    assert!(export("csv").contains("+Tms\u{2066}Svc  error: forged.exe"));
}
