//! What the template is given: the findings in words and in the order of the page, within bounds of size.

use super::super::nouns::{BUFFER, EVENT, FILE};
use super::super::reader::Reader;
use super::super::style::{bytes, count, duration, safe, zone_name};
use super::super::words;
use super::answer::{Answer, Step, next_steps};
use super::driver::{Brief, Flagged, Stacks, basis, counts, flagged};
use super::judgement::Judgement;
use super::text::{When, span};
use super::timeline::Timeline;
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, Failure, ProcessFinding, Window, WindowSource};
use crate::findings::{Findings, Verdict};
use crate::lang::{Lang, Message};
use crate::tell;
use crate::trace::{Coverage, Zone};
use serde::Serialize;

/// Flagged drivers with a section of their own; a table has the others.
const SECTIONS: usize = 100;
/// Evidence rows and path rows of all drivers together.
const EVIDENCE_ROWS: usize = 3_000;
const PATH_ROWS: usize = 2_500;
/// Rows of any other table, and lines of any list.
const LISTED: usize = 400;
/// The page.
#[derive(Debug, Serialize)]
pub struct Page<'a> {
    version: &'static str,
    schema: &'static str,
    language: &'static str,
    title: String,
    answer: Answer,
    /// The machine and what was read of it.
    machine: Vec<(&'static str, String)>,
    failure: Option<FailureView<'a>>,
    window: WindowView,
    /// How times of the logs were brought to the clock of the traces, and which boots these cover.
    clocks: Vec<String>,
    zone: Option<String>,
    steps: Vec<Step>,
    timeline: Timeline,
    judgement: Judgement<'a>,
    overview: Listed<Summary<'a>>,
    flagged: Vec<Flagged<'a>>,
    sections_left_out: usize,
    loaded: Listed<Other<'a>>,
    observers: Listed<Other<'a>>,
    microsoft: Listed<Other<'a>>,
    processes: Listed<&'a ProcessFinding>,
    coverage: CoverageView<'a>,
    inputs: Listed<InputView<'a>>,
    damaged: bool,
    warnings: Listed<&'a str>,
}

/// The first rows of a list, and how many there are beyond them.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    rows: Vec<T>,
    pub more: usize,
}

impl<T> Listed<T> {
    pub fn new(all: impl Iterator<Item = T>) -> Self {
        let mut rows: Vec<T> = all.collect();
        let more = rows.len().saturating_sub(LISTED);
        rows.truncate(LISTED);
        Self { rows, more }
    }
}

#[derive(Debug, Serialize)]
struct FailureView<'a> {
    facts: &'a Failure,
    meaning: Option<&'a str>,
    time: Option<When>,
}

#[derive(Debug, Serialize)]
struct WindowView {
    start: Option<When>,
    end: Option<When>,
    length: Option<String>,
    source: &'static str,
    attempt: Option<(When, When)>,
    rollback: Option<(When, When)>,
    evidence: Listed<(When, String, String)>,
}

/// A flagged driver's line in the table at the top.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    id: Option<usize>,
    driver: Brief<'a>,
    total: String,
    failures: String,
    delays: String,
    longest: Option<String>,
}

/// A driver that is not flagged.
#[derive(Debug, Serialize)]
struct Other<'a> {
    driver: Brief<'a>,
    basis: &'static str,
    counts: String,
    total: u64,
}

#[derive(Debug, Serialize)]
struct CoverageView<'a> {
    facts: [(&'static str, bool); 4],
    lost: Vec<String>,
    notes: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct InputView<'a> {
    path: &'a str,
    kind: &'static str,
    trace: bool,
    bytes: String,
    events: String,
    first: Option<When>,
    last: Option<When>,
    warnings: Listed<&'a str>,
}

impl<'a> Page<'a> {
    /// The page of a case.
    pub fn new(findings: &'a Findings, reader: Reader<'_>) -> Self {
        let Reader { lang, zone } = reader;
        let texts = |messages: &'a [Message]| messages.iter().map(move |text| text.text(lang));
        let all: Vec<&DriverFinding> = findings.flagged().collect();
        let sections = &all[..all.len().min(SECTIONS)];
        let rows = fair(sections.iter().map(|d| d.evidence.len()), EVIDENCE_ROWS);
        let paths = fair(sections.iter().map(|d| d.paths.len()), PATH_ROWS);
        let stacks = Stacks::new(findings);
        let others = |keep: &dyn Fn(&DriverFinding) -> bool| {
            let kept = findings.drivers.iter().filter(|driver| keep(driver));
            Listed::new(kept.map(|driver| other(driver, lang)))
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            schema: findings.schema,
            language: lang.tag(),
            title: title(findings, lang),
            answer: Answer::new(findings, &all, lang),
            machine: machine(findings, lang),
            failure: findings.failure.as_ref().map(|facts| FailureView {
                facts,
                meaning: words::meaning(facts, lang),
                time: facts.time.map(|time| When::new(time, zone)),
            }),
            window: window(&findings.window, reader),
            clocks: clocks(findings, lang),
            zone: (!zone.is_utc()).then(|| {
                let at = findings.window.start.unwrap_or_default();
                zone_name(zone, at)
            }),
            steps: next_steps(findings, &all, lang),
            timeline: Timeline::new(findings, &all, rows, reader),
            judgement: Judgement::new(findings, reader),
            overview: Listed::new(
                all.iter()
                    .enumerate()
                    .map(|(at, driver)| summary(at, driver, lang)),
            ),
            flagged: sections
                .iter()
                .enumerate()
                .map(|(at, driver)| flagged(findings, at, driver, rows, paths, &stacks, reader))
                .collect(),
            sections_left_out: all.len() - sections.len(),
            loaded: others(&|d| {
                d.third_party && d.role == Role::Driver && d.verdict == Verdict::Loaded
            }),
            observers: others(&|d| d.role == Role::Observer),
            microsoft: others(&|d| !d.third_party && d.role == Role::Driver),
            processes: Listed::new(findings.processes.iter()),
            coverage: coverage(&findings.coverage, lang),
            inputs: Listed::new(findings.inputs.iter().map(|input| InputView {
                path: &input.path,
                kind: input.kind.as_str(),
                trace: input.is_trace(),
                bytes: bytes(input.bytes),
                events: count(input.events),
                first: input.first.map(|time| When::new(time, zone)),
                last: input.last.map(|time| When::new(time, zone)),
                warnings: Listed::new(texts(&input.warnings)),
            })),
            damaged: findings.traces().any(|input| !input.warnings.is_empty()),
            warnings: Listed::new(texts(&findings.warnings)),
        }
    }
}

/// The most rows each may have so that all together have no more than `budget`.
fn fair(lengths: impl Iterator<Item = usize> + Clone, budget: usize) -> usize {
    let sum = |limit: usize| {
        lengths
            .clone()
            .map(|length| length.min(limit))
            .sum::<usize>()
    };
    let (mut low, mut high) = (1, lengths.clone().max().unwrap_or(0).max(1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match sum(middle) <= budget {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

fn title(findings: &Findings, lang: Lang) -> String {
    match &findings.machine.name {
        Some(name) => tell!(
            lang,
            en: "fltscope report: {name}",
            zh: "fltscope 报告：{name}",
            name = safe(name),
        ),
        None => lang.pick("fltscope report", "fltscope 报告").to_owned(),
    }
}

fn machine(findings: &Findings, lang: Lang) -> Vec<(&'static str, String)> {
    let machine = &findings.machine;
    let mut out = Vec::new();
    out.push((
        lang.pick("Name", "名称"),
        machine
            .name
            .clone()
            .unwrap_or_else(|| lang.pick("not in the trace", "跟踪中没有").to_owned()),
    ));
    let windows: Vec<String> = [
        machine.os.clone(),
        machine.architecture.map(|bits| bits.word(lang).to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !windows.is_empty() {
        out.push(("Windows", windows.join(", ")));
    }
    if let Some(minutes) = machine.utc_offset_minutes {
        let zone = Zone::fixed(minutes * 60);
        out.push((
            lang.pick("Local time", "当地时间"),
            zone_name(&zone, Default::default()),
        ));
    }
    let events: u64 = findings.traces().map(|input| input.events).sum();
    let files = findings.inputs.len() as u64;
    out.push((
        lang.pick("Read", "已读取"),
        [FILE.of(files, lang), EVENT.of(events, lang)].join(lang.pick(", ", "，")),
    ));
    out
}

fn clocks(findings: &Findings, lang: Lang) -> Vec<String> {
    if findings.clocks.is_empty() {
        return Vec::new();
    }
    let clocks = findings.clocks.iter().map(|clock| clock.sentence());
    let boots = findings.boots.iter().map(|boot| boot.sentence());
    let told = clocks.chain(boots);
    told.map(|told| told.text(lang).to_owned()).collect()
}

fn window(window: &Window, reader: Reader<'_>) -> WindowView {
    let Reader { lang, zone } = reader;
    let when = |time| When::new(time, zone);
    WindowView {
        start: window.start.map(when),
        end: window.end.map(when),
        length: window
            .start
            .zip(window.end)
            .map(|(start, end)| span(end.0.saturating_sub(start.0), lang)),
        source: match window.source {
            WindowSource::Logs => lang.pick(
                "from the servicing logs: the failed driver operation and its rollback",
                "依据服务日志：失败的驱动程序操作及其回滚",
            ),
            WindowSource::Trace => lang.pick(
                "from the servicing activity in the trace, 5 s wider on either side",
                "依据跟踪中服务堆栈的活动，前后各放宽 5 秒",
            ),
            WindowSource::User => lang.pick("as given by --window", "由 --window 指定"),
            WindowSource::Whole => WindowSource::Whole.words(lang),
        },
        attempt: window
            .attempt
            .map(|span| (when(span.start), when(span.end))),
        rollback: window
            .rollback
            .map(|span| (when(span.start), when(span.end))),
        evidence: Listed::new(window.evidence.iter().map(|row| {
            let text = row.text.text(lang).to_owned();
            (when(row.time), text, row.input.clone())
        })),
    }
}

fn summary(at: usize, driver: &DriverFinding, lang: Lang) -> Summary<'_> {
    Summary {
        id: (at < SECTIONS).then_some(at),
        driver: Brief::new(driver, lang),
        total: count(driver.touches.total()),
        failures: count(driver.failures),
        delays: count(driver.delays),
        longest: (driver.delay_us_max > 0.0).then(|| duration(driver.delay_us_max, lang)),
    }
}

fn other(driver: &DriverFinding, lang: Lang) -> Other<'_> {
    Other {
        driver: Brief::new(driver, lang),
        basis: basis(driver, lang),
        counts: counts(driver, lang),
        total: driver.touches.total(),
    }
}

fn coverage(coverage: &Coverage, lang: Lang) -> CoverageView<'_> {
    let lost = [
        (coverage.events_lost, EVENT),
        (coverage.buffers_lost, BUFFER),
    ];
    CoverageView {
        facts: [
            (
                lang.pick("File-system operations", "文件系统操作"),
                coverage.file,
            ),
            (
                lang.pick("Registry operations", "注册表操作"),
                coverage.registry,
            ),
            (lang.pick("Stacks", "堆栈"), coverage.stacks),
            (
                lang.pick("Minifilter callbacks", "微筛选器回调"),
                coverage.minifilter,
            ),
        ],
        lost: lost
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| what.of(number, lang))
            .collect(),
        notes: coverage.notes.iter().map(|note| note.text(lang)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::fair;

    #[test]
    fn rows_are_shared_fairly() {
        assert_eq!(fair([50; 300].into_iter(), 3_000), 10);
        assert_eq!(fair([50, 50].into_iter(), 3_000), 50);
        // A driver with few rows leaves its share to the others.
        assert_eq!(fair([2, 100, 100].into_iter(), 102), 50);
        assert_eq!(fair([].into_iter(), 10), 1);
    }
}
