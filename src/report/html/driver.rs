//! Drivers on the page: who they are, and the section of a flagged one.

use super::super::nouns::{DELAY, FAILURE, MINIFILTER_CALLBACK, OPERATION, TOUCH};
use super::super::reader::Reader;
use super::super::style::{bytes, count, duration};
use super::super::words;
use super::reading::{Reading, Victims, readings, victims};
use super::text::{When, span};
use crate::drivers::Basis;
use crate::findings::schema::{DriverFinding, Evidence, PathCount, Reason, TouchKind};
use crate::findings::{Findings, Verdict};
use crate::lang::Lang;
use crate::tell;
use serde::Serialize;
use std::collections::HashMap;

/// Rows of mere touches that go on paper, a driver.
const ON_PAPER: usize = 10;
/// Frames shown of an operation, and other drivers named on its stack.
const FRAMES: usize = 8;

/// Who a driver is.
#[derive(Debug, Serialize)]
pub struct Brief<'a> {
    name: &'a str,
    path: &'a str,
    company: Option<&'a str>,
    description: Option<&'a str>,
    version: Option<&'a str>,
    altitude: Option<&'a str>,
    group: Option<&'a str>,
    verdict: Verdict,
    verdict_word: &'static str,
}

impl<'a> Brief<'a> {
    /// Of a driver.
    pub fn new(driver: &'a DriverFinding, lang: Lang) -> Self {
        let trimmed = |text: &'a Option<String>| text.as_deref().map(str::trim);
        Self {
            name: &driver.name,
            path: &driver.path,
            company: trimmed(&driver.company),
            description: trimmed(&driver.description),
            version: trimmed(&driver.version),
            altitude: trimmed(&driver.altitude),
            group: trimmed(&driver.group),
            verdict: driver.verdict,
            verdict_word: driver.verdict.word(lang),
        }
    }
}

/// A flagged driver's section.
#[derive(Debug, Serialize)]
pub struct Flagged<'a> {
    id: usize,
    driver: Brief<'a>,
    facts: Vec<(&'static str, String)>,
    sentence: String,
    readings: Vec<Reading>,
    victims: Victims,
    paths: Vec<&'a PathCount>,
    paths_more: u64,
    rows: Vec<Row<'a>>,
    rows_more: Option<String>,
    tails: usize,
}

/// An evidence row.
#[derive(Debug, Serialize)]
struct Row<'a> {
    id: String,
    when: When,
    row: &'a Evidence,
    kind: &'static str,
    /// The part of the window.
    phase: Option<&'a str>,
    /// Left out on paper.
    tail: bool,
    duration: Option<String>,
    frames: &'a [String],
    frames_more: usize,
    also: Vec<&'a str>,
}

/// Which flagged drivers stand on the stack of an operation, as far as evidence rows tell.
pub struct Stacks<'a>(HashMap<(&'a str, u64), Vec<&'a str>>);

impl<'a> Stacks<'a> {
    /// Of all flagged drivers.
    pub fn new(findings: &'a Findings) -> Self {
        let mut map: HashMap<(&str, u64), Vec<&str>> = HashMap::new();
        // Tracing tools and the file system's own drivers are on every stack: to name them would say nothing.
        for driver in findings.flagged() {
            for row in &driver.evidence {
                let names = map.entry((&row.input, row.event)).or_default();
                if !names.contains(&driver.name.as_str()) {
                    names.push(&driver.name);
                }
            }
        }
        Self(map)
    }

    fn besides(&self, driver: &str, row: &Evidence) -> Vec<&'a str> {
        let on_stack = self.0.get(&(row.input.as_str(), row.event));
        let others = on_stack
            .into_iter()
            .flatten()
            .filter(|name| **name != driver);
        others.take(FRAMES).copied().collect()
    }
}

/// The anchor of an evidence row: the driver's and the row's number.
pub fn evidence_id(driver: usize, row: usize) -> String {
    format!("d{driver}-e{row}")
}

/// Touches, failures and delays in a few words.
pub fn counts(driver: &DriverFinding, lang: Lang) -> String {
    let mut out = TOUCH.of(driver.touches.total(), lang);
    for (number, noun) in [(driver.failures, FAILURE), (driver.delays, DELAY)] {
        if number > 0 {
            out.push_str(lang.pick(", ", "，"));
            out.push_str(&noun.of(number, lang));
        }
    }
    out
}

/// Whose the driver is said to be, and why.
pub fn basis(driver: &DriverFinding, lang: Lang) -> &'static str {
    match (driver.basis, driver.third_party) {
        (Basis::Company, true) => lang.pick(
            "third party: its version information names this company",
            "第三方：其版本信息指明了这家公司",
        ),
        (Basis::Company, false) => lang.pick(
            "Microsoft's, by the company in its version information",
            "Microsoft，依据其版本信息中的公司",
        ),
        (Basis::InboxName, _) => lang.pick(
            "Microsoft's by its name and place: the trace has no company, but the name is one of Windows' own below System32",
            "Microsoft，依据名称和位置：跟踪中没有公司信息，但该名称属于 Windows 在 System32 下自带的驱动程序",
        ),
        (Basis::Unknown, _) => lang.pick(
            "third party until shown otherwise: the trace has no company, and the name is none of Windows' own",
            "在证明并非如此之前视为第三方：跟踪中没有公司信息，名称也不属于 Windows 自带的驱动程序",
        ),
    }
}

fn trimmed(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
}

fn facts(driver: &DriverFinding, reader: Reader<'_>) -> Vec<(&'static str, String)> {
    let Reader { lang, zone } = reader;
    let missing = || lang.pick("not in the trace", "跟踪中没有").to_owned();
    let altitude = driver.altitude.as_ref().map(|altitude| {
        let none = lang.pick("no group known", "没有已知的组");
        tell!(
            lang,
            en: "{altitude} ({group}), by file name: a candidate, not read from the machine",
            zh: "{altitude}（{group}），按文件名推断：仅供参考，并非从该计算机读取",
            group = driver.group.as_deref().unwrap_or(none),
        )
    });
    let touched = driver.first.zip(driver.last).map(|(first, last)| {
        let (first, last) = (first.to_string(), last.to_string());
        match zone.is_utc() || first == last {
            true => tell!(lang, en: "{first} to {last}", zh: "{first} 至 {last}"),
            false => tell!(lang, en: "{first} to {last} (UTC)", zh: "{first} 至 {last}（UTC）"),
        }
    });
    [
        (
            lang.pick("Company", "公司"),
            Some(trimmed(driver.company.as_ref()).unwrap_or_else(missing)),
        ),
        (
            lang.pick("Description", "描述"),
            Some(trimmed(driver.description.as_ref()).unwrap_or_else(missing)),
        ),
        (
            lang.pick("Version", "版本"),
            Some(trimmed(driver.version.as_ref()).unwrap_or_else(missing)),
        ),
        (lang.pick("Path", "路径"), Some(driver.path.clone())),
        (
            lang.pick("In memory", "内存位置"),
            Some(format!("{}, {}", driver.base, bytes(driver.size))),
        ),
        (
            lang.pick("Whose it is", "归属"),
            Some(basis(driver, lang).to_owned()),
        ),
        (
            lang.pick("Altitude", "高度"),
            Some(altitude.unwrap_or_else(|| {
                lang.pick(
                    "none known for this file name: it may be no minifilter at all, or an unlisted one",
                    "此文件名没有已知的高度：它可能根本不是微筛选器，也可能是未收录的微筛选器",
                )
                .to_owned()
            })),
        ),
        (lang.pick("First to last touch", "首次至末次触及"), touched),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

fn sentence(driver: &DriverFinding, lang: Lang) -> String {
    let touches = &driver.touches;
    let mut kinds = Vec::new();
    for (number, what) in [
        (touches.file_stack, lang.pick("file", "文件")),
        (touches.registry_stack, lang.pick("registry", "注册表")),
    ] {
        if number > 0 {
            let number = count(number);
            kinds.push(tell!(lang, en: "{number} {what}", zh: "{what} {number} 个"));
        }
    }
    let mut out: Vec<String> = Vec::new();
    if !kinds.is_empty() {
        out.push(tell!(
            lang,
            en: "Its code is on the stack of {operations} on driver-store paths ({kinds}).",
            zh: "在驱动程序存储路径上，它的代码位于 {operations}的堆栈上（{kinds}）。",
            operations = OPERATION.of(touches.file_stack + touches.registry_stack, lang),
            kinds = kinds.join(lang.pick(", ", "，")),
        ));
    }
    if touches.minifilter > 0 {
        out.push(tell!(
            lang,
            en: "It had {callbacks} there, {length} in all.",
            zh: "它在这些路径上有 {callbacks}，总计 {length}。",
            callbacks = MINIFILTER_CALLBACK.of(touches.minifilter, lang),
            length = span((driver.delay_us_total * 10.0) as u64, lang),
        ));
    }
    out.push(match driver.failures {
        0 => lang
            .pick("None of them failed.", "其中没有失败。")
            .to_owned(),
        failures => tell!(
            lang,
            en: "{failures} of them failed.",
            zh: "其中 {failures} 次失败。",
            failures = count(failures),
        ),
    });
    out.push(match driver.delays {
        0 => lang
            .pick("None reached the delay bound.", "没有达到延迟阈值的。")
            .to_owned(),
        delays => tell!(
            lang,
            en: "{delays} lasted as long as the delay bound (1 s without a rules file) or longer; the longest {longest}.",
            zh: "{delays} 次达到或超过延迟阈值（没有规则文件时为 1 秒）；最长 {longest}。",
            delays = count(delays),
            longest = duration(driver.delay_us_max, lang),
        ),
    });
    out.join(lang.pick(" ", ""))
}

pub fn flagged<'a>(
    findings: &'a Findings,
    at: usize,
    driver: &'a DriverFinding,
    rows: usize,
    paths: usize,
    stacks: &Stacks<'a>,
    reader: Reader<'_>,
) -> Flagged<'a> {
    let lang = reader.lang;
    let shown = &driver.evidence[..driver.evidence.len().min(rows)];
    let total = driver.touches.total();
    // The most telling rows come first, so what goes on paper is a beginning.
    let telling = shown
        .iter()
        .filter(|row| row.reason != Reason::Touch)
        .count();
    let on_paper = telling + ON_PAPER;
    Flagged {
        id: at,
        driver: Brief::new(driver, lang),
        facts: facts(driver, reader),
        sentence: sentence(driver, lang),
        readings: readings(driver, lang),
        victims: victims(findings, driver, lang),
        paths: driver.paths.iter().take(paths).collect(),
        paths_more: driver.paths_more + driver.paths.len().saturating_sub(paths) as u64,
        rows: shown
            .iter()
            .enumerate()
            .map(|(number, row)| Row {
                tail: number >= on_paper,
                ..evidence(at, number, row, driver, stacks, reader)
            })
            .collect(),
        tails: shown.len().saturating_sub(on_paper),
        rows_more: (total > shown.len() as u64).then(|| {
            tell!(
                lang,
                en: "{shown} of {touches}",
                zh: "{touches}中的 {shown} 次",
                shown = count(shown.len() as u64),
                touches = TOUCH.of(total, lang),
            )
        }),
    }
}

fn evidence<'a>(
    at: usize,
    number: usize,
    row: &'a Evidence,
    driver: &DriverFinding,
    stacks: &Stacks<'a>,
    reader: Reader<'_>,
) -> Row<'a> {
    let Reader { lang, zone } = reader;
    Row {
        id: evidence_id(at, number),
        when: When::new(row.time, zone),
        row,
        kind: match row.kind {
            TouchKind::Minifilter => match row.callback {
                Some(phase) => phase.callback(lang),
                None => lang.pick("callback", "回调"),
            },
            TouchKind::FileStack => lang.pick("file", "文件"),
            TouchKind::RegistryStack => lang.pick("registry", "注册表"),
        },
        phase: row.phase.map(|phase| words::phase(phase, lang)),
        tail: false,
        duration: row.duration_us.map(|us| duration(us, lang)),
        frames: &row.frames[..row.frames.len().min(FRAMES)],
        frames_more: row.frames.len().saturating_sub(FRAMES),
        also: match row.reason {
            Reason::Touch => Vec::new(),
            Reason::Failure | Reason::Delay => stacks.besides(&driver.name, row),
        },
    }
}
