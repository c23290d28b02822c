//! Many cases at once: one table over all of them, for people and as `summary.csv` and `summary.parquet`.

use super::nouns::CASE;
use super::reader::Reader;
use super::style::{BOLD, GREEN, RED, YELLOW, count, date_time, end_of, paint, safe};
use crate::export::columns::ColumnType::{Text, Time, U64};
use crate::export::small::{SmallColumn, SmallTable, Value};
use crate::findings::schema::{DriverFinding, Evidence};
use crate::findings::{Findings, Verdict};
use crate::lang::{Lang, Message};
use crate::tell;
use crate::trace::Filetime;
use std::fmt::{Result, Write as _};
use std::path::Path;

/// How a case of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseStatus {
    /// Everything in it was read.
    Analysed,
    /// An input of it could not be read; the rest was analysed.
    Incomplete,
    /// Nothing in it could be read.
    Unreadable,
    /// It was read, and its report could not be made.
    Failed,
}

impl CaseStatus {
    /// As in `summary.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analysed => "analysed",
            Self::Incomplete => "incomplete",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }
}

/// What the summary keeps of a case.
#[derive(Debug, Clone)]
pub struct CaseRow {
    /// Name of the case, and of its folder in `--out`.
    pub case: String,
    /// Where it was found.
    pub path: String,
    /// How it ended.
    pub status: CaseStatus,
    /// What could not be read or made, in sentences.
    pub reasons: Vec<Message>,
    /// What was found; nothing where nothing was read.
    pub facts: Option<CaseFacts>,
}

/// What was found in a case.
#[derive(Debug, Clone)]
pub struct CaseFacts {
    /// Computer name.
    pub machine: Option<String>,
    /// Where the window comes from, as in `findings.json`.
    pub window_source: String,
    /// Start of the window.
    pub window_start: Option<Filetime>,
    /// End of the window.
    pub window_end: Option<Filetime>,
    /// HRESULT of the failure that the logs name.
    pub failure_code: Option<String>,
    /// The driver package's INF.
    pub inf: Option<String>,
    /// Warnings of the findings and of all inputs.
    pub warnings: u64,
    /// The flagged drivers, worst first.
    pub drivers: Vec<FlaggedDriver>,
}

/// A flagged driver of a case.
#[derive(Debug, Clone)]
pub struct FlaggedDriver {
    /// File name.
    pub name: String,
    /// Company in its version information.
    pub company: Option<String>,
    /// The judgement.
    pub verdict: Verdict,
    /// Minifilter callbacks, file operations, registry operations.
    pub touches: [u64; 3],
    /// Touches that failed.
    pub failures: u64,
    /// Touches that were slow.
    pub delays: u64,
    /// Time of the most telling touch.
    pub evidence_time: Option<Filetime>,
    /// That touch in words.
    pub evidence: Option<String>,
}

impl CaseFacts {
    /// What the summary keeps of some findings.
    pub fn of(findings: &Findings) -> Self {
        let of_inputs: usize = findings.inputs.iter().map(|i| i.warnings.len()).sum();
        let source = serde_json::to_value(findings.window.source).unwrap_or_default();
        let failure = findings.failure.as_ref();
        Self {
            machine: findings.machine.name.clone(),
            window_source: source.as_str().unwrap_or_default().to_owned(),
            window_start: findings.window.start,
            window_end: findings.window.end,
            failure_code: failure.and_then(|failure| failure.code.clone()),
            inf: failure.and_then(|failure| failure.inf.clone()),
            warnings: (findings.warnings.len() + of_inputs) as u64,
            drivers: findings.flagged().map(FlaggedDriver::of).collect(),
        }
    }

    fn worst(&self) -> Option<Verdict> {
        self.drivers.iter().map(|driver| driver.verdict).min()
    }
}

impl FlaggedDriver {
    fn of(driver: &DriverFinding) -> Self {
        let first = driver.evidence.first();
        Self {
            name: driver.name.clone(),
            company: driver.company.as_deref().map(|text| text.trim().to_owned()),
            verdict: driver.verdict,
            touches: [
                driver.touches.minifilter,
                driver.touches.file_stack,
                driver.touches.registry_stack,
            ],
            failures: driver.failures,
            delays: driver.delays,
            evidence_time: first.map(|row| row.time),
            evidence: first.map(in_words),
        }
    }
}

/// `TiWorker.exe (3860) CreateFile ACCESS DENIED C:\Windows\INF\x.inf`.
fn in_words(row: &Evidence) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = match (&row.process, row.pid) {
        (Some(name), Some(pid)) => write!(out, "{name} ({pid}) "),
        (None, Some(pid)) => write!(out, "process {pid} "),
        _ => Ok(()),
    };
    out.push_str(row.operation);
    if let Some(phase) = row.callback {
        let _ = write!(out, " {}-operation callback", phase.as_str());
    }
    for text in [row.result.as_deref(), Some(row.path.as_str())] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.push(' ');
            out.push_str(text);
        }
    }
    out
}

/// Columns of `summary.csv`: a promise, as those of events.
const COLUMNS: &[SmallColumn] = &[
    SmallColumn::new("case", Text, 24),
    SmallColumn::new("path", Text, 40),
    SmallColumn::new("status", Text, 12),
    SmallColumn::new("reason", Text, 40),
    SmallColumn::new("window_source", Text, 14),
    SmallColumn::new("window_start", Time, 24),
    SmallColumn::new("window_end", Time, 24),
    SmallColumn::new("failure_code", Text, 13),
    SmallColumn::new("inf", Text, 20),
    SmallColumn::new("machine", Text, 18),
    SmallColumn::new("driver", Text, 20),
    SmallColumn::new("company", Text, 28),
    SmallColumn::new("verdict", Text, 12),
    SmallColumn::new("minifilter", U64, 10),
    SmallColumn::new("file_stack", U64, 10),
    SmallColumn::new("registry_stack", U64, 14),
    SmallColumn::new("failures", U64, 9),
    SmallColumn::new("delays", U64, 9),
    SmallColumn::new("evidence_time", Time, 24),
    SmallColumn::new("evidence", Text, 80),
    SmallColumn::new("warnings", U64, 9),
];

/// The summary as a table: a row a case and flagged driver, and one for a case without any.
pub fn summary_table(cases: &[CaseRow]) -> SmallTable {
    let mut rows = Vec::new();
    for case in cases {
        let drivers = case.facts.as_ref().map_or(&[][..], |facts| &facts.drivers);
        if drivers.is_empty() {
            rows.push(summary_row(case, None));
        }
        rows.extend(drivers.iter().map(|driver| summary_row(case, Some(driver))));
    }
    SmallTable {
        columns: COLUMNS,
        rows,
    }
}

fn summary_row(case: &CaseRow, driver: Option<&FlaggedDriver>) -> Vec<Value> {
    let facts = case.facts.as_ref();
    let reasons: Vec<&str> = case.reasons.iter().map(Message::en).collect();
    let mut reason = reasons.join("; ");
    if reason.is_empty() && driver.is_none() {
        reason.push_str("no third-party driver is flagged");
    }
    let number = |number: Option<u64>| number.map_or(Value::Null, Value::Number);
    let fact = |take: fn(&CaseFacts) -> Option<&str>| Value::from(facts.and_then(take));
    let touches = |kind: usize| number(driver.and_then(|d| d.touches.get(kind).copied()));
    vec![
        case.case.as_str().into(),
        case.path.as_str().into(),
        case.status.as_str().into(),
        reason.as_str().into(),
        fact(|facts| Some(&facts.window_source)),
        facts.and_then(|facts| facts.window_start).into(),
        facts.and_then(|facts| facts.window_end).into(),
        fact(|facts| facts.failure_code.as_deref()),
        fact(|facts| facts.inf.as_deref()),
        fact(|facts| facts.machine.as_deref()),
        driver.map(|driver| driver.name.as_str()).into(),
        driver.and_then(|driver| driver.company.as_deref()).into(),
        driver.map(|driver| driver.verdict.as_str()).into(),
        touches(0),
        touches(1),
        touches(2),
        number(driver.map(|driver| driver.failures)),
        number(driver.map(|driver| driver.delays)),
        driver.and_then(|driver| driver.evidence_time).into(),
        driver.and_then(|driver| driver.evidence.as_deref()).into(),
        number(facts.map(|facts| facts.warnings)),
    ]
}

/// A case in a few words, for whoever watches: `IMPLICATED tmsflt.sys`.
pub fn in_short(case: &CaseRow, lang: Lang) -> String {
    let Some(facts) = &case.facts else {
        let reason = case.reasons.first().map_or("", |reason| reason.text(lang));
        let reason = reason.lines().next().unwrap_or_default();
        let title = lang.pick("NOT READ", "未能读取");
        return paint(RED, format!("{title}  {}", safe(reason)));
    };
    match facts.worst() {
        None => paint(GREEN, lang.pick("none flagged", "无标记")),
        Some(worst) => {
            let names = facts.drivers.iter().filter(|d| d.verdict == worst);
            let names: Vec<String> = names.map(|driver| safe(&driver.name)).collect();
            let text = format!("{}  {}", worst.heading(lang), names.join(", "));
            paint(style_of(worst), text)
        }
    }
}

/// Where a window comes from, in a word.
fn source_word(source: &str, lang: Lang) -> &str {
    let zh = match source {
        "logs" => "日志",
        "trace" => "跟踪",
        "user" => "用户指定",
        "whole" => "整个跟踪",
        other => other,
    };
    lang.pick(source, zh)
}

fn style_of(verdict: Verdict) -> anstyle::Style {
    match verdict {
        Verdict::Implicated => RED,
        Verdict::Touched | Verdict::Loaded => YELLOW,
    }
}

/// The table over all cases for the terminal, with colours; `out` is the folder that the reports went into.
pub fn text(cases: &[CaseRow], reader: Reader<'_>, out: Option<&Path>, files: &[&str]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, cases, reader, out, files);
    text
}

fn write_text(
    to: &mut String,
    cases: &[CaseRow],
    reader: Reader<'_>,
    out: Option<&Path>,
    files: &[&str],
) -> Result {
    let lang = reader.lang;
    headline(to, cases, lang)?;
    table(to, cases, reader)?;
    by_driver(to, cases, lang)?;
    let told: Vec<(&CaseRow, &Message)> = cases
        .iter()
        .flat_map(|case| case.reasons.iter().map(move |reason| (case, reason)))
        .collect();
    if !told.is_empty() {
        writeln!(to, "\n{}", paint(YELLOW, lang.pick("Not read", "未能读取")))?;
        for (case, reason) in told {
            let reason = reason.text(lang);
            let reason: Vec<String> = reason.lines().map(|line| safe(line.trim())).collect();
            let colon = lang.pick(": ", "：");
            writeln!(to, "  - {}{colon}{}", safe(&case.case), reason.join("; "))?;
        }
    }
    if let Some(folder) = out {
        let written = tell!(
            lang,
            en: "Written to {folder}: {files}, and a folder a case",
            zh: "已写入 {folder}：{files}，以及每个案例一个文件夹",
            folder = safe(&folder.display().to_string()),
            files = files.join(", "),
        );
        writeln!(to, "\n{written}")?;
    }
    Ok(())
}

/// The first line: `12 cases: 3 implicated, 2 touched, 6 none flagged, 1 not read`.
fn headline(to: &mut String, cases: &[CaseRow], lang: Lang) -> Result {
    let is = |verdict| {
        let of = |case: &&CaseRow| case.facts.as_ref().is_some_and(|f| f.worst() == verdict);
        cases.iter().filter(of).count() as u64
    };
    let unread = cases.iter().filter(|case| case.facts.is_none()).count() as u64;
    let parts: Vec<String> = [
        (
            RED,
            is(Some(Verdict::Implicated)),
            lang.pick("implicated", "个涉嫌"),
        ),
        (
            YELLOW,
            is(Some(Verdict::Touched)),
            lang.pick("touched, not implicated", "个有触及但未涉嫌"),
        ),
        (GREEN, is(None), lang.pick("none flagged", "个无标记")),
        (RED, unread, lang.pick("not read", "个未能读取")),
    ]
    .into_iter()
    .filter(|(_, number, _)| *number > 0)
    .map(|(style, number, what)| paint(style, format!("{} {what}", count(number))))
    .collect();
    let all = paint(BOLD, CASE.of(cases.len() as u64, lang));
    let parts = parts.join(lang.pick(", ", "，"));
    writeln!(to, "{all}{}{parts}\n", lang.pick(": ", "："))
}

fn table(to: &mut String, cases: &[CaseRow], reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        lang.pick("CASE", "案例"),
        lang.pick("MACHINE", "计算机"),
        lang.pick("VERDICT", "判定"),
        lang.pick("DRIVER", "驱动程序"),
        lang.pick("COMPANY", "公司"),
        lang.pick("TOUCHES", "触及"),
        lang.pick("FAILURES", "失败"),
        lang.pick("DELAYS", "延迟"),
        lang.pick("FAILURE", "错误代码"),
        lang.pick("WINDOW", "时间窗口"),
        lang.pick("FROM", "依据"),
    ]);
    for case in cases {
        let Some(facts) = &case.facts else {
            let title = lang.pick("NOT READ", "未能读取").to_owned();
            table.add_row([safe(&case.case), String::new(), title]);
            continue;
        };
        // What is the same for all drivers of a case stands in its first row only.
        let mut machine = facts.machine.as_deref().map_or_else(String::new, safe);
        let mut source = source_word(&facts.window_source, lang).to_owned();
        let mut failure = facts.failure_code.clone().unwrap_or_default();
        let mut window = match (facts.window_start, facts.window_end) {
            (Some(start), Some(end)) => {
                // Tenths of microseconds are for the files.
                let short = |text: String| text.split('.').next().unwrap_or_default().to_owned();
                tell!(
                    lang,
                    en: "{start} to {end}",
                    zh: "{start} 至 {end}",
                    start = short(date_time(start, zone)),
                    end = short(end_of((start, end), zone)),
                )
            }
            _ => lang.pick("empty", "空").to_owned(),
        };
        let mut add = |verdict: String, driver: Option<&FlaggedDriver>| {
            let text =
                |take: &dyn Fn(&FlaggedDriver) -> String| driver.map_or_else(String::new, take);
            table.add_row([
                safe(&case.case),
                std::mem::take(&mut machine),
                verdict,
                text(&|driver| safe(&driver.name)),
                text(&|driver| driver.company.as_deref().map_or_else(String::new, safe)),
                text(&|driver| count(driver.touches.iter().sum())),
                text(&|driver| count(driver.failures)),
                text(&|driver| count(driver.delays)),
                std::mem::take(&mut failure),
                std::mem::take(&mut window),
                std::mem::take(&mut source),
            ]);
        };
        if facts.drivers.is_empty() {
            add(lang.pick("none flagged", "无标记").to_owned(), None);
        }
        for driver in &facts.drivers {
            add(driver.verdict.heading(lang), Some(driver));
        }
    }
    writeln!(to, "{}", table.trim_fmt())
}

/// Which driver was flagged in how many cases: over many machines this is the answer.
fn by_driver(to: &mut String, cases: &[CaseRow], lang: Lang) -> Result {
    struct Sum<'a> {
        driver: &'a FlaggedDriver,
        implicated: u64,
        touched: u64,
    }
    let mut sums: Vec<Sum<'_>> = Vec::new();
    for driver in cases
        .iter()
        .filter_map(|case| case.facts.as_ref())
        .flat_map(|f| &f.drivers)
    {
        let same = |sum: &Sum<'_>| {
            sum.driver.name.eq_ignore_ascii_case(&driver.name)
                && sum.driver.company == driver.company
        };
        let at = match sums.iter().position(same) {
            Some(at) => at,
            None => {
                sums.push(Sum {
                    driver,
                    implicated: 0,
                    touched: 0,
                });
                sums.len() - 1
            }
        };
        if let Some(sum) = sums.get_mut(at) {
            match driver.verdict {
                Verdict::Implicated => sum.implicated += 1,
                Verdict::Touched | Verdict::Loaded => sum.touched += 1,
            }
        }
    }
    if sums.is_empty() || cases.len() < 2 {
        return Ok(());
    }
    sums.sort_by(|a, b| {
        (b.implicated, b.touched, &a.driver.name).cmp(&(a.implicated, a.touched, &b.driver.name))
    });
    writeln!(
        to,
        "\n{}",
        paint(BOLD, lang.pick("By driver", "按驱动程序"))
    )?;
    for sum in sums {
        let company = sum.driver.company.as_deref();
        let company = company.unwrap_or(lang.pick("unknown company", "未知公司"));
        let mut parts = Vec::new();
        if sum.implicated > 0 {
            let cases = CASE.of(sum.implicated, lang);
            parts.push(tell!(lang, en: "implicated in {cases}", zh: "在 {cases}中涉嫌"));
        }
        if sum.touched > 0 {
            let cases = CASE.of(sum.touched, lang);
            parts.push(tell!(lang, en: "touched in {cases}", zh: "在 {cases}中有触及"));
        }
        writeln!(
            to,
            "  {}  {}{}{}",
            paint(BOLD, safe(&sum.driver.name)),
            safe(company),
            lang.pick(": ", "："),
            parts.join(lang.pick(", ", "，"))
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_summary_is_documented() {
        let page = include_str!("../../docs/summary.md");
        for column in COLUMNS {
            let row = format!("| `{}` |", column.name);
            assert!(page.contains(&row), "docs/summary.md lacks {row}");
        }
    }

    #[test]
    fn every_case_has_a_row_and_every_row_a_value_a_column() {
        let case = |facts| CaseRow {
            case: "a".into(),
            path: "cases/a".into(),
            status: CaseStatus::Unreadable,
            reasons: vec![Message::verbatim("one"), Message::verbatim("two")],
            facts,
        };
        let driver = |name: &str| FlaggedDriver {
            name: name.into(),
            company: None,
            verdict: Verdict::Touched,
            touches: [1, 2, 3],
            failures: 0,
            delays: 0,
            evidence_time: None,
            evidence: None,
        };
        let facts = CaseFacts {
            machine: None,
            window_source: "whole".into(),
            window_start: None,
            window_end: None,
            failure_code: None,
            inf: None,
            warnings: 1,
            drivers: vec![driver("a.sys"), driver("b.sys")],
        };
        let cases = [case(None), case(Some(facts))];
        let table = summary_table(&cases);
        assert_eq!(table.rows.len(), 3);
        assert!(table.rows.iter().all(|row| row.len() == COLUMNS.len()));
        let zone = crate::trace::Zone::UTC;
        let reader = |lang| Reader { lang, zone: &zone };
        let shown = text(&cases, reader(Lang::En), None, &[]);
        assert!(shown.contains("By driver") && shown.contains("b.sys"));
    }
}
