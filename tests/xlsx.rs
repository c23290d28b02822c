//! The workbook of an analysis: its sheets, real dates and numbers, texts that stay texts.
//! `scripts/check_xlsx.py` reads it with a reader of spreadsheets and compares every cell.

use crate::common::{boot_log, fltscope, repository, stdout};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use tracegen::pml::op::FileOp;
use tracegen::pml::{Bits, Event, LogBuilder, Op, Process};

/// The parts of a workbook by name.
fn parts(path: &Path) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut out = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        out.insert(file.name().unwrap().into_owned(), text);
    }
    out
}

fn analyze(input: &str, out: &Path, more: &[&str]) -> String {
    let mut args = vec!["analyze", input, "--xlsx", "--out", out.to_str().unwrap()];
    args.extend(more);
    stdout(args)
}

#[test]
fn the_workbook_has_its_sheets() {
    let folder = tempfile::tempdir().unwrap();
    let text = analyze(&boot_log(), folder.path(), &[]);
    assert!(text.ends_with("Workbook: report.xlsx\n"), "{text}");
    let parts = parts(&folder.path().join("report.xlsx"));
    let book = &parts["xl/workbook.xml"];
    let mut at = 0;
    for name in [
        "Findings",
        "Suspects",
        "Drivers",
        "Evidence",
        "Failing operations",
        "Conflicts",
        "Timeline",
        "Processes",
        "Events",
    ] {
        let found = book.find(&format!("<sheet name=\"{name}\"")).unwrap();
        assert!(found > at, "{name}");
        at = found;
    }
    for number in 1..=9 {
        let sheet = &parts[&format!("xl/worksheets/sheet{number}.xml")];
        assert!(sheet.contains("ySplit=\"1\"") && sheet.contains("state=\"frozen\""));
        assert!(sheet.contains("<autoFilter ref=\"A1:"), "sheet {number}");
        assert!(sheet.contains("<cols>"), "sheet {number}");
    }
    // As many rows as the CSV beside it.
    let csv = fs::read_to_string(folder.path().join("events.csv")).unwrap();
    let events = &parts["xl/worksheets/sheet9.xml"];
    assert_eq!(events.matches("<row ").count(), csv.lines().count());
    assert!(events.contains("time (UTC)") && events.contains("time_exact"));
    // 2026-05-12T06:42:16.0000001Z as a date: a number with the format of dates.
    assert!(events.contains("<v>46154.2793518"), "dates are numbers");
    assert!(
        parts["xl/styles.xml"].contains("yyyy\\-mm\\-dd")
            || parts["xl/styles.xml"].contains("yyyy-mm-dd")
    );
}

#[test]
fn causes_have_sheets_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    analyze(&repository("traces/boot-trace"), folder.path(), &[]);
    let found = fs::read_to_string(folder.path().join("findings.json")).unwrap();
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let parts = parts(&folder.path().join("report.xlsx"));
    let sheet = |number: u32| &parts[&format!("xl/worksheets/sheet{number}.xml")];
    let rows = |number: u32| sheet(number).matches("<row ").count() - 1;
    assert_eq!(rows(2), found["suspects"].as_array().unwrap().len());
    assert_eq!(
        rows(5),
        found["failing_operations"].as_array().unwrap().len()
    );
    let holders = |conflict: &serde_json::Value| conflict["holders"].as_array().unwrap().len();
    let conflicts = found["conflicts"].as_array().unwrap();
    let all: usize = conflicts.iter().map(|c| holders(c).max(1)).sum();
    assert!(all > 0);
    assert_eq!(rows(6), all);
    // The small sheets share their texts; check_xlsx.py compares them cell by cell.
    for text in ["strong suspicion", "REGISTRY CORRUPT", "certain"] {
        assert!(
            parts["xl/sharedStrings.xml"].contains(&format!(">{text}<")),
            "{text}"
        );
    }
}

#[test]
fn the_same_case_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = |threads: &str| {
        analyze(&boot_log(), folder.path(), &["--threads", threads]);
        fs::read(folder.path().join("report.xlsx")).unwrap()
    };
    let one = run("1");
    assert!(one == run("5"));
}

#[test]
fn no_text_of_a_trace_becomes_a_formula() {
    let path = |number: u32| {
        let name = [
            "=cmd|' /C calc'!A0",
            "+1",
            "-1",
            "@SUM(1)",
            "https://example.com",
            "_x0041_",
            "a\u{b}b",
            "{=1}",
        ];
        format!(
            "C:\\Windows\\INF\\{}{number}",
            name[number as usize % name.len()]
        )
    };
    let mut log = LogBuilder::new(Bits::B64);
    log.computer("=1+1");
    let process = log.process(Process::new(100, 4, "=HYPERLINK(1)"));
    for number in 0..16 {
        log.event(&Event {
            process,
            tid: 1,
            time: 134_231_461_000_000_000 + u64::from(number),
            duration: 10,
            status: 0,
            stack: Vec::new(),
            op: Op::file(path(number), FileOp::CloseFile),
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("=odd.pml");
    log.write_to(&file).unwrap();
    analyze(file.to_str().unwrap(), folder.path(), &[]);
    let parts = parts(&folder.path().join("report.xlsx"));
    let mut rows = 0;
    for (name, xml) in parts
        .iter()
        .filter(|(name, _)| name.contains("worksheets/sheet"))
    {
        assert!(!xml.contains("<f>") && !xml.contains("<f "), "{name}");
        assert!(!xml.contains("<hyperlink"), "{name}");
        rows += xml.matches("<row ").count();
    }
    assert!(rows > 16);
    assert!(!parts.keys().any(|name| name.contains("externalLink")));
    let events = &parts["xl/worksheets/sheet9.xml"];
    assert!(events.contains("=cmd|' /C calc'!A0"));
    // A literal escape stays what it is, and a control character is shown.
    assert!(events.contains("_x005F_x0041_") && events.contains(r"a\u{b}b"));
}

#[test]
fn a_batch_has_a_workbook_a_case_and_one_of_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let cases = folder.path().join("cases");
    fs::create_dir_all(cases.join("one")).unwrap();
    fs::copy(
        repository("traces/clean/clean.pml"),
        cases.join("one/clean.pml"),
    )
    .unwrap();
    let arguments = [
        "analyze",
        "--batch",
        cases.to_str().unwrap(),
        "--xlsx",
        "--quiet",
    ];
    stdout(
        arguments
            .iter()
            .copied()
            .chain(["--out", out.to_str().unwrap()]),
    );
    assert!(out.join("one/report.xlsx").is_file());
    let summary = parts(&out.join("summary.xlsx"));
    assert!(summary["xl/workbook.xml"].contains("<sheet name=\"Summary\""));
}

#[test]
fn a_workbook_needs_a_folder() {
    let output = fltscope(["analyze", &boot_log(), "--xlsx"]);
    assert_eq!(output.status.code(), Some(2));
}
