//! The second language: Chinese for people, the same bytes for programs.

use crate::common::{boot_log, repository, stderr};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};
use tracegen::pml::op::{Create, FileOp};
use tracegen::pml::{Bits, Event, LogBuilder, Module, Op, Process};

/// What stays as it is in Chinese: names of products, files, formats, options and units.
const NAMES: &[&str] = &[
    "findings.json",
    "report.html",
    "drivers.csv",
    "events.csv",
    "events.parquet",
    "report.xlsx",
    "setupapi.dev.log",
    "CBS.log",
    "fltscope.findings/1",
    "fltscope export --stacks",
    "fltscope",
    "Procmon",
    "PROCMON…",
    "Services\\",
    "\\Instances",
    "Altitude",
    "Microsoft",
    "TrustedInstaller",
    "System32",
    "SYSTEM",
    "System",
    "Windows",
    "Minifilter",
    "HKLM\\DRIVERS",
    "config\\DRIVERS*",
    "config\\DRIVERS",
    "--window START..END",
    "--window",
    "--log-tz",
    "--log-encoding",
    "STATUS_REGISTRY_CORRUPT",
    "PATH NOT FOUND",
    "WPR",
    "PML_",
    "PML",
    "ETL",
    "INF",
    "DLL",
    "UTC",
    "MiB",
    "KiB",
    "GBK",
    "NUL",
    "UTF",
    "Shtd:",
    "cbs",
    "setupapi",
    "zip",
    "gzip",
];
/// Keys of the findings whose texts are sentences in English.
const SENTENCES: &[&str] = &[
    "reason",
    "reasons",
    "note",
    "notes",
    "warnings",
    "meaning",
    "level_name",
];

fn run(locale: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fltscope"))
        .env("LC_ALL", locale)
        .args(args)
        .output()
        .expect("the program starts")
}

fn stdout(locale: &str, args: &[&str]) -> String {
    let output = run(locale, args);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Every text of the findings that is data: names, paths, results, lines of logs.
fn data(of: &Value, out: &mut Vec<String>) {
    match of {
        Value::String(text) => {
            let quoted = [
                "line ",
                "first servicing operation",
                "last servicing operation",
            ];
            let quoted = quoted.iter().any(|start| text.starts_with(start));
            let line = text.split_once(": ").filter(|_| quoted);
            out.push(
                line.map_or(text.as_str(), |(_, said)| said)
                    .trim()
                    .to_owned(),
            );
            out.extend(text.rsplit(['/', '\\']).next().map(str::to_owned));
        }
        Value::Array(all) => all.iter().for_each(|one| data(one, out)),
        Value::Object(all) => {
            let told = all
                .iter()
                .filter(|(key, _)| !SENTENCES.contains(&key.as_str()));
            told.for_each(|(_, one)| data(one, out));
        }
        _ => {}
    }
}

/// What people read of a page: its texts without code, and the texts in attributes.
fn readable(page: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut skipped = 0;
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        match name {
            "style" | "script" | "pre" | "code" => skipped += 1,
            "/style" | "/script" | "/pre" | "/code" => skipped -= 1,
            _ => {}
        }
        for attribute in [
            "data-l",
            "data-what",
            "data-filter",
            "data-all",
            "data-first",
            "aria-label",
        ] {
            let value = tag
                .split_once(&format!(" {attribute}=\""))
                .and_then(|(_, rest)| rest.split_once('"'));
            out.extend(value.map(|(value, _)| value.replace(['%', 'w', 'n', 'a'], "")));
        }
        if skipped == 0 && !text.trim().is_empty() {
            out.push(text.to_owned());
        }
    }
    out
}

/// The words of a text that are neither data nor names.
fn english<'a>(text: &str, data: &[String], left: &'a mut String) -> Option<&'a str> {
    *left = text
        .replace("&#x27;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#x2f;", "/");
    for known in data {
        if known.len() > 1 && left.contains(known) {
            *left = left.replace(known, "·");
        }
    }
    // Numbers in hexadecimal and codes of faults are no words.
    left.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            let letters = word.chars().filter(char::is_ascii_alphabetic).count();
            letters > 1
                && !["0x", "PML0", "ETL0"]
                    .iter()
                    .any(|start| word.starts_with(start))
        })
}

/// Analyses in both languages; nothing but the page may differ, and page and summary must be Chinese.
fn chinese(inputs: &[&str], more: &[&str], answer: &str) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let out_text = out.display().to_string();
    let analyse = |lang: &str| {
        let mut args = vec!["analyze", "--out", &out_text, "--xlsx", "--lang", lang];
        args.extend(inputs.iter().chain(more));
        let summary = stdout("C", &args);
        let read = |name: &str| std::fs::read(out.join(name)).unwrap();
        let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
        for name in ["findings.json", "drivers.csv", "events.csv", "report.xlsx"] {
            files.push((name, read(name)));
        }
        (
            summary,
            String::from_utf8(read("report.html")).unwrap(),
            files,
        )
    };
    let (_, english_page, english_files) = analyse("en");
    let (summary, page, files) = analyse("zh");
    for (one, other) in english_files.iter().zip(&files) {
        assert!(one == other, "{} differs", one.0);
    }
    assert!(english_page.contains("<html lang=\"en\""));
    assert!(page.contains("<html lang=\"zh-CN\""));
    assert!(summary.starts_with(answer), "{summary}");

    let found: Value = serde_json::from_slice(&files[0].1).unwrap();
    let mut known: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    known.push(out_text.clone());
    data(&found, &mut known);
    for driver in found["drivers"].as_array().unwrap() {
        // The page has companies and versions without blanks around them, and shortens nothing that is so short.
        known.extend(
            ["company", "version", "description"]
                .iter()
                .filter_map(|key| Some(driver[key].as_str()?.trim().to_owned())),
        );
    }
    known.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let mut left = String::new();
    let texts = readable(&page);
    let told: Vec<String> = texts
        .iter()
        .map(String::as_str)
        .chain(summary.lines())
        .filter_map(|text| {
            let word = english(text, &known, &mut left)?;
            Some(format!("{word}: {}", text.trim()))
        })
        .collect();
    assert!(told.is_empty(), "English is left:\n{}", told.join("\n"));
}

#[test]
fn page_and_summary_are_chinese_and_the_files_for_programs_the_same() {
    chinese(
        &[&boot_log()],
        &["--tz", "Asia/Shanghai"],
        "涉嫌：tmsflt.sys",
    );
    chinese(&[&repository("traces/boot-trace")], &[], "涉嫌：tmsflt.sys");
    let clean = repository("traces/clean/clean.pml");
    chinese(
        &[&clean],
        &["--window", "2026-01-01T00:00:00Z..2026-01-01T00:01:00Z"],
        "时间窗口内的驱动程序存储操作上没有看到第三方驱动程序",
    );
    let logs = ["CBS.log", "setupapi.dev.log"]
        .map(|name| repository(&format!("traces/boot-trace/{name}")));
    chinese(
        &[&logs[0], &logs[1]],
        &[],
        "没有提供跟踪：仅凭日志无法指明驱动程序",
    );
}

#[test]
fn damage_is_told_in_chinese() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let pml = std::fs::read(boot_log()).unwrap();
    let etl = std::fs::read(repository("traces/boot-trace/boot_trace.etl")).unwrap();
    let mut flipped = etl.clone();
    flipped
        .iter_mut()
        .skip(5_000)
        .step_by(997)
        .for_each(|byte| *byte ^= 0x5A);
    let mut spoiled = pml.clone();
    spoiled
        .iter_mut()
        .skip(5_000)
        .step_by(1_997)
        .for_each(|byte| *byte ^= 0xFF);
    let inputs = [
        written("cut.pml", &pml[..pml.len() * 2 / 3]),
        written("cut.etl", &etl[..etl.len() * 2 / 3]),
        written("flipped.etl", &flipped),
        written("spoiled.pml", &spoiled),
        written(
            "mixed.log",
            b"2026-05-12 06:42:18, Info                  CBS    Exec\r\n2026-05 cut\r\n",
        ),
    ];
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    chinese(&inputs, &[], "");
}

#[test]
fn the_locale_chooses_and_the_option_wins() {
    let log = boot_log();
    let text = |locale: &str, more: &[&str]| {
        let mut args = vec!["info", log.as_str()];
        args.extend(more);
        stdout(locale, &args)
    };
    assert!(text("zh_CN.UTF-8", &[]).contains("个事件"));
    assert!(text("zh_TW.UTF-8", &[]).contains("个事件"));
    for english in [
        text("C", &[]),
        text("POSIX", &[]),
        text("en_US.UTF-8", &[]),
        text("zh_CN.UTF-8", &["--lang", "en"]),
    ] {
        assert!(
            english.contains(" events") && english.is_ascii(),
            "{english}"
        );
    }
    assert_eq!(text("C", &["--lang", "zh"]), text("zh_CN.UTF-8", &[]));
    assert_eq!(text("zh_CN.UTF-8", &["--json"]), text("C", &["--json"]));
    assert_eq!(
        run("C", &["info", &log, "--lang", "de"]).status.code(),
        Some(2)
    );
}

#[test]
fn every_command_for_people_speaks_chinese() {
    let log = boot_log();
    let said = |args: &[&str]| stdout("zh_CN.UTF-8", args);
    assert!(said(&["drivers", &log]).contains("高度"));
    assert!(said(&["window", &log]).contains("时间窗口"));
    assert_eq!(
        said(&["window", &log, "--json"]),
        stdout("C", &["window", &log, "--json"])
    );
    assert_eq!(
        said(&["drivers", &log, "--format", "csv"]),
        stdout("C", &["drivers", &log, "--format", "csv"])
    );
    let folder = tempfile::tempdir().unwrap();
    for case in ["a", "b"] {
        let path = folder.path().join("cases").join(case);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::copy(&log, path.join("boot_log.pml")).unwrap();
    }
    let cases = folder.path().join("cases").display().to_string();
    let out = folder.path().join("out");
    let batch = |locale: &str| {
        let text = stdout(
            locale,
            &[
                "analyze",
                "--batch",
                &cases,
                "--out",
                &out.display().to_string(),
            ],
        );
        (
            text,
            std::fs::read(Path::new(&out).join("summary.csv")).unwrap(),
        )
    };
    let (text, summary) = batch("zh_CN.UTF-8");
    assert!(
        text.starts_with("2 个案例：2 个涉嫌") && text.contains("按驱动程序"),
        "{text}"
    );
    assert_eq!(summary, batch("C").1);
}

#[test]
fn columns_of_tables_align_in_chinese() {
    let text = stdout("zh_CN.UTF-8", &["drivers", &boot_log(), "--third-party"]);
    // A Chinese character takes two columns of a terminal.
    let width = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii() { 1 } else { 2 })
            .sum::<usize>()
    };
    let places: Vec<usize> = text
        .lines()
        .filter_map(|line| {
            line.find("路径")
                .or_else(|| line.find("C:\\"))
                .map(|at| width(&line[..at]))
        })
        .collect();
    assert!(
        places.len() > 2 && places.iter().all(|place| *place == places[0]),
        "{text}"
    );
}

/// Names as machines of Chinese users have them; one character is beyond the first plane of Unicode.
const FLAWED: &str = "安全防护𠮷.sys";
const VENDOR: &str = "北京某某安全技术有限公司";
const INF: &str =
    "C:\\Windows\\System32\\DriverStore\\FileRepository\\打印机驱动.inf_amd64_5f2c\\打印机驱动.dll";

/// A log in which a driver of a Chinese vendor stands on a refused open.
fn log_with_chinese_names(path: &Path) {
    const START: u64 = 134_230_416_670_000_000;
    let mut log = LogBuilder::new(Bits::B64);
    log.computer("财务部-电脑01");
    let driver = Module::new(
        0xFFFF_F803_0000_0000,
        0x1000,
        format!("C:\\Windows\\System32\\drivers\\{FLAWED}"),
    )
    .named(VENDOR, "文件系统微筛选器", "7.2.14.0");
    let mut system = Process::new(4, 0, "System");
    system.modules.push(driver.clone());
    log.process(system);
    let worker = log.process(Process::new(
        3_860,
        4,
        "C:\\Windows\\servicing\\TiWorker.exe",
    ));
    let mut scanner = Process::new(2_900, 4, "C:\\Program Files\\某某安全\\杀毒服务.exe");
    scanner.company = VENDOR.to_owned();
    let scanner = log.process(scanner);
    for (n, process, status) in [(0, scanner, 0), (1, worker, 0xC000_0022), (2, worker, 0)] {
        let create = Create {
            open_result: None,
            ..Create::default()
        };
        log.event(&Event {
            process,
            tid: 8,
            time: START + n * 10_000_000,
            duration: 1_000,
            status,
            stack: vec![driver.at(0x20)],
            op: Op::file(INF, FileOp::CreateFile(create)),
        });
    }
    log.write_to(path).unwrap();
}

#[test]
fn chinese_names_stay_whole_everywhere() {
    // Kept, to be looked at in a browser and in office programs.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("中文案例");
    std::fs::create_dir_all(&folder).unwrap();
    let log = folder.join("启动日志.pml");
    log_with_chinese_names(&log);
    let out = folder.join("报告");
    let (log, out_text) = (log.display().to_string(), out.display().to_string());
    let args = [
        "analyze", &log, "--out", &out_text, "--xlsx", "--bom", "--lang", "zh",
    ];
    let summary = stdout("C", &args);
    let text = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let mut all = vec![("summary", summary)];
    for name in ["findings.json", "report.html", "events.csv", "drivers.csv"] {
        all.push((name, text(name)));
    }
    let mut book =
        zip::ZipArchive::new(std::fs::File::open(out.join("report.xlsx")).unwrap()).unwrap();
    let mut cells = String::new();
    for at in 0..book.len() {
        book.by_index(at)
            .unwrap()
            .read_to_string(&mut cells)
            .unwrap();
    }
    all.push(("report.xlsx", cells));
    for (name, text) in &all {
        // JSON writes a backslash twice.
        let path = "打印机驱动.inf_amd64_5f2c";
        assert!(text.contains(FLAWED), "{name}");
        assert!(*name == "drivers.csv" || text.contains(path), "{name}");
        assert!(*name == "events.csv" || text.contains(VENDOR), "{name}");
        assert!(!text.contains('\u{fffd}'), "{name}");
    }
    assert!(all[0].1.contains("计算机    财务部-电脑01"), "{}", all[0].1);
    for name in ["events.csv", "drivers.csv"] {
        assert!(text(name).starts_with('\u{feff}'), "{name}");
    }
}

#[test]
fn errors_are_told_in_the_same_language() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pml");
    std::fs::write(&path, b"PML_\x08\0\0\0").unwrap();
    let path = path.display().to_string();
    let told = |locale: &str| {
        let output = run(locale, &["info", &path]);
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    let chinese = told("zh_CN.UTF-8");
    assert!(
        chinese.starts_with("错误: ") && chinese.contains("应为 PML 版本 9"),
        "{chinese}"
    );
    assert!(told("C").contains("expected PML version 9"));
}
