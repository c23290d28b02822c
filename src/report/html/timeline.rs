//! The picture of time: the traces with the window in them, and the window with the evidence in it.
//!
//! Places across are in percent, places down in pixels: the picture fits any width, and its text stays as
//! large as the page's.

use super::axis::{Axis, Label, percent};
use super::driver::evidence_id;
use super::text::{label, span};
use crate::findings::Findings;
use crate::findings::schema::{DriverFinding, Reason, Window};
use crate::lang::Lang;
use crate::report::reader::Reader;
use crate::tell;
use crate::trace::Filetime;
use serde::Serialize;
use std::collections::HashSet;

/// Lanes drawn; the table of flagged drivers has them all.
const LANES: usize = 30;
/// Traces drawn on a line of their own.
const TRACES: usize = 6;
/// Shortest bar, in percent.
const SHORTEST: f64 = 0.25;

const TRACE_STEP: f64 = 22.0;
const LANE_STEP: f64 = 40.0;

/// Both pictures; one is missing where there is nothing to draw.
#[derive(Debug, Serialize)]
pub struct Timeline {
    overview: Option<Overview>,
    detail: Option<Detail>,
    /// What the picture cannot show.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Overview {
    height: f64,
    /// The day on which it begins.
    day: String,
    length: String,
    labels: Vec<Label>,
    traces: Vec<Bar>,
    window: Option<Bar>,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: String,
    end: String,
    width: String,
    y: f64,
    text: String,
}

#[derive(Debug, Serialize)]
struct Detail {
    height: f64,
    length: String,
    labels: Vec<Label>,
    window: Bar,
    failure: Option<String>,
    servicing: Option<Lane>,
    lanes: Vec<Lane>,
}

/// A line of the picture: who, from when to when, and the evidence.
#[derive(Debug, Serialize)]
struct Lane {
    y: f64,
    name: String,
    facts: String,
    class: &'static str,
    href: String,
    start: String,
    end: String,
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Mark {
    x: String,
    end: Option<String>,
    class: &'static str,
    href: Option<String>,
    text: Option<String>,
}

impl Timeline {
    /// The picture of a case.
    ///
    /// The first `rows` evidence rows of a driver are on the page, so a mark can lead to them.
    pub fn new(
        findings: &Findings,
        flagged: &[&DriverFinding],
        rows: usize,
        reader: Reader<'_>,
    ) -> Self {
        let lang = reader.lang;
        let mut notes = Vec::new();
        let traced = traced(findings);
        let shown =
            traced.and_then(|traced| part_shown(&findings.window, traced, &mut notes, lang));
        if flagged.len() > LANES {
            notes.push(tell!(
                lang,
                en: "{LANES} of {all} flagged drivers are drawn, in the order of the findings.",
                zh: "共有 {all} 个被标记的驱动程序，按结果中的顺序绘制了 {LANES} 个。",
                all = flagged.len(),
            ));
        }
        Self {
            overview: traced.map(|traced| overview(findings, traced, shown, reader)),
            detail: shown.map(|shown| detail(findings, flagged, rows, shown, reader)),
            notes,
        }
    }
}

type Stretch = (Filetime, Filetime);

/// First and last event of all traces.
fn traced(findings: &Findings) -> Option<Stretch> {
    let first = findings.traces().filter_map(|input| input.first).min()?;
    let last = findings.traces().filter_map(|input| input.last).max()?;
    Some((first, last))
}

/// The part of the window that the traces cover. A window may reach years beyond them; what is drawn then is
/// the traces, and a sentence about the rest.
fn part_shown(
    window: &Window,
    traced: Stretch,
    notes: &mut Vec<String>,
    lang: Lang,
) -> Option<Stretch> {
    let (start, end) = (
        window.start.unwrap_or(traced.0),
        window.end.unwrap_or(traced.1),
    );
    if start > traced.1 || end < traced.0 {
        notes.push(tell!(
            lang,
            en: "The window ({start} to {end}) does not meet the traces, so there is nothing in it to draw.",
            zh: "时间窗口（{start} 至 {end}）与跟踪没有交集，因此没有可绘制的内容。",
        ));
        return None;
    }
    let before = traced.0.0.saturating_sub(start.0);
    let after = end.0.saturating_sub(traced.1.0);
    if before > 0 {
        notes.push(tell!(
            lang,
            en: "The window begins {length} before the first traced event.",
            zh: "时间窗口比跟踪的第一个事件早 {length}开始。",
            length = span(before, lang),
        ));
    }
    if after > 0 {
        notes.push(tell!(
            lang,
            en: "The window ends {length} after the last traced event.",
            zh: "时间窗口比跟踪的最后一个事件晚 {length}结束。",
            length = span(after, lang),
        ));
    }
    Some((start.max(traced.0), end.min(traced.1)))
}

fn bar(axis: &Axis, from: Filetime, to: Filetime, y: f64, text: String) -> Bar {
    let x = axis.place(from).min(100.0 - SHORTEST);
    let end = axis.place(to).max(x + SHORTEST);
    Bar {
        x: percent(x),
        end: percent(end),
        width: percent(end - x),
        y,
        text,
    }
}

fn overview(
    findings: &Findings,
    traced: Stretch,
    shown: Option<Stretch>,
    reader: Reader<'_>,
) -> Overview {
    let axis = Axis::new(traced.0, traced.1);
    let spans: Vec<(&str, Stretch)> = findings
        .traces()
        .filter_map(|input| Some((input.path.as_str(), (input.first?, input.last?))))
        .collect();
    // Many parts of a split log share a line; the table of inputs names them.
    let apart = spans.len() <= TRACES;
    let traces: Vec<Bar> = spans
        .iter()
        .enumerate()
        .map(|(at, (path, (first, last)))| {
            let line = if apart { at as f64 } else { 0.0 };
            let text = label(path.rsplit(['/', '\\']).next().unwrap_or(path));
            bar(&axis, *first, *last, line * TRACE_STEP, text)
        })
        .collect();
    let lines = if apart { traces.len() as f64 } else { 1.0 };
    Overview {
        height: lines * TRACE_STEP,
        day: traced
            .0
            .to_string()
            .chars()
            .take_while(|c| *c != 'T')
            .collect(),
        length: span(axis.ticks(), reader.lang),
        labels: axis.labels(reader.zone),
        traces,
        window: shown.map(|(start, end)| bar(&axis, start, end, 0.0, String::new())),
    }
}

fn detail(
    findings: &Findings,
    flagged: &[&DriverFinding],
    rows: usize,
    shown: Stretch,
    reader: Reader<'_>,
) -> Detail {
    let Reader { lang, zone } = reader;
    let axis = Axis::new(shown.0, shown.1).padded();
    let servicing = servicing(&findings.window, &axis, lang);
    let above = if servicing.is_some() { LANE_STEP } else { 0.0 };
    let lanes: Vec<Lane> = flagged
        .iter()
        .take(LANES)
        .enumerate()
        .map(|(at, driver)| {
            let y = above + at as f64 * LANE_STEP;
            lane(driver, at, rows, y, &axis, lang)
        })
        .collect();
    Detail {
        height: above + lanes.len() as f64 * LANE_STEP,
        length: span(shown.1.0 - shown.0.0, lang),
        labels: axis.labels(zone),
        window: bar(&axis, shown.0, shown.1, 0.0, String::new()),
        failure: findings
            .window
            .failure
            .filter(|time| shown.0 <= *time && *time <= shown.1)
            .map(|time| percent(axis.place(time))),
        servicing,
        lanes,
    }
}

fn servicing(window: &Window, axis: &Axis, lang: Lang) -> Option<Lane> {
    let first = window.evidence.iter().map(|row| row.time).min()?;
    let last = window.evidence.iter().map(|row| row.time).max()?;
    let mut places = HashSet::new();
    Some(Lane {
        y: 0.0,
        name: lang.pick("Servicing at work", "服务堆栈的活动").to_owned(),
        facts: tell!(
            lang,
            en: "{length}, first to last evidence",
            zh: "{length}，首条至末条证据",
            length = span(last.0 - first.0, lang),
        ),
        class: "servicing",
        href: "#window".to_owned(),
        start: percent(axis.place(first)),
        end: percent(axis.place(last)),
        marks: window
            .evidence
            .iter()
            .map(|row| Mark {
                x: percent(axis.place(row.time)),
                end: None,
                class: "place",
                href: None,
                text: Some(row.text.text(lang).to_owned()),
            })
            .filter(|mark| places.insert(mark.x.clone()))
            .collect(),
    })
}

fn lane(driver: &DriverFinding, at: usize, rows: usize, y: f64, axis: &Axis, lang: Lang) -> Lane {
    let place = |time: Option<Filetime>| percent(time.map_or(0.0, |time| axis.place(time)));
    Lane {
        y,
        name: label(&driver.name),
        facts: super::driver::counts(driver, lang),
        class: driver.verdict.as_str(),
        href: format!("#d{at}"),
        start: place(driver.first),
        end: place(driver.last),
        marks: marks(driver, at, rows, axis, lang),
    }
}

/// The listed evidence, one mark a place and reason: thousands of touches at one pixel are one tick.
fn marks(driver: &DriverFinding, at: usize, rows: usize, axis: &Axis, lang: Lang) -> Vec<Mark> {
    let mut places = HashSet::new();
    let mut out = Vec::new();
    for (number, row) in driver.evidence.iter().enumerate() {
        let place = axis.place(row.time);
        if !places.insert(((place * 3.0) as u32, row.reason)) {
            continue;
        }
        let length = (row.duration_us.unwrap_or(0.0) * 10.0) as u64;
        let (class, end) = match row.reason {
            Reason::Failure => ("failure", None),
            Reason::Delay => {
                let end = axis.place(row.time.plus(length)).max(place + SHORTEST);
                ("delay", Some(percent(end.min(100.0))))
            }
            Reason::Touch => ("touch", None),
        };
        let told = row.reason != Reason::Touch && number < rows;
        out.push(Mark {
            x: percent(place),
            end,
            class,
            href: told.then(|| format!("#{}", evidence_id(at, number))),
            text: told.then(|| {
                format!(
                    "{} {} {}, {}",
                    row.time,
                    row.operation,
                    row.result
                        .as_deref()
                        .unwrap_or(lang.pick("pending", "未完成")),
                    span(length, lang)
                )
            }),
        });
    }
    // Failures are drawn last, on top of the rest.
    out.reverse();
    out
}
