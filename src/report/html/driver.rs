//! Drivers on the page: who they are, and the section of a flagged one.

use super::super::style::{bytes, count, duration, plural};
use super::reading::{Reading, Victims, readings, victims};
use super::text::{When, span};
use crate::drivers::Basis;
use crate::findings::schema::{DriverFinding, Evidence, PathCount, Reason, TouchKind};
use crate::findings::{Findings, Verdict};
use crate::trace::{Phase, Zone};
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
}

impl<'a> Brief<'a> {
    /// Of a driver.
    pub fn new(driver: &'a DriverFinding) -> Self {
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
pub fn counts(driver: &DriverFinding) -> String {
    let mut out = plural(driver.touches.total(), "touch");
    for (number, noun) in [(driver.failures, "failure"), (driver.delays, "delay")] {
        if number > 0 {
            out.push_str(", ");
            out.push_str(&plural(number, noun));
        }
    }
    out
}

/// Whose the driver is said to be, and why.
pub fn basis(driver: &DriverFinding) -> String {
    match (driver.basis, driver.third_party) {
        (Basis::Company, true) => "third party: its version information names this company",
        (Basis::Company, false) => "Microsoft's, by the company in its version information",
        (Basis::InboxName, _) => {
            "Microsoft's by its name and place: the trace has no company, but the name is one of Windows' own below System32"
        }
        (Basis::Unknown, _) => {
            "third party until shown otherwise: the trace has no company, and the name is none of Windows' own"
        }
    }
    .to_owned()
}

fn trimmed(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
}

fn facts(driver: &DriverFinding, zone: &Zone) -> Vec<(&'static str, String)> {
    let missing = || "not in the trace".to_owned();
    let altitude = driver.altitude.as_ref().map(|altitude| {
        let group = driver.group.as_deref().unwrap_or("no group known");
        format!("{altitude} ({group}), by file name: a candidate, not read from the machine")
    });
    let touched = driver.first.zip(driver.last).map(|(first, last)| {
        let (first, last) = (first.to_string(), last.to_string());
        match zone.is_utc() || first == last {
            true => format!("{first} to {last}"),
            false => format!("{first} to {last} (UTC)"),
        }
    });
    [
        (
            "Company",
            Some(trimmed(driver.company.as_ref()).unwrap_or_else(missing)),
        ),
        (
            "Description",
            Some(trimmed(driver.description.as_ref()).unwrap_or_else(missing)),
        ),
        (
            "Version",
            Some(trimmed(driver.version.as_ref()).unwrap_or_else(missing)),
        ),
        ("Path", Some(driver.path.clone())),
        (
            "In memory",
            Some(format!("{}, {}", driver.base, bytes(driver.size))),
        ),
        ("Whose it is", Some(basis(driver))),
        (
            "Altitude",
            Some(altitude.unwrap_or_else(|| {
                "none known for this file name: it may be no minifilter at all, or an unlisted one"
                    .to_owned()
            })),
        ),
        ("First to last touch", touched),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

fn sentence(driver: &DriverFinding) -> String {
    let touches = &driver.touches;
    let mut kinds = Vec::new();
    for (number, what) in [
        (touches.file_stack, "file"),
        (touches.registry_stack, "registry"),
    ] {
        if number > 0 {
            kinds.push(format!("{} {what}", count(number)));
        }
    }
    let mut out = String::new();
    if !kinds.is_empty() {
        let stacks = touches.file_stack + touches.registry_stack;
        out = format!(
            "Its code is on the stack of {} on driver-store paths ({}).",
            plural(stacks, "operation"),
            kinds.join(", ")
        );
    }
    if touches.minifilter > 0 {
        let callbacks = plural(touches.minifilter, "minifilter callback");
        out.push_str(&format!(
            " It had {callbacks} there, {} in all.",
            span((driver.delay_us_total * 10.0) as u64)
        ));
    }
    out.push_str(&match driver.failures {
        0 => " None of them failed.".to_owned(),
        1 => " 1 of them failed.".to_owned(),
        failures => format!(" {} of them failed.", count(failures)),
    });
    out.push_str(&match driver.delays {
        0 => " None reached the delay bound.".to_owned(),
        delays => format!(
            " {} lasted as long as the delay bound (1 s without a rules file) or longer; the longest {}.",
            count(delays),
            duration(driver.delay_us_max)
        ),
    });
    out.trim().to_owned()
}

pub fn flagged<'a>(
    findings: &'a Findings,
    at: usize,
    driver: &'a DriverFinding,
    rows: usize,
    paths: usize,
    stacks: &Stacks<'a>,
    zone: &Zone,
) -> Flagged<'a> {
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
        driver: Brief::new(driver),
        facts: facts(driver, zone),
        sentence: sentence(driver),
        readings: readings(driver),
        victims: victims(findings, driver),
        paths: driver.paths.iter().take(paths).collect(),
        paths_more: driver.paths_more + driver.paths.len().saturating_sub(paths) as u64,
        rows: shown
            .iter()
            .enumerate()
            .map(|(number, row)| Row {
                tail: number >= on_paper,
                ..evidence(at, number, row, driver, stacks, zone)
            })
            .collect(),
        tails: shown.len().saturating_sub(on_paper),
        rows_more: (total > shown.len() as u64).then(|| {
            format!(
                "{} of {}",
                count(shown.len() as u64),
                plural(total, "touch")
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
    zone: &Zone,
) -> Row<'a> {
    Row {
        id: evidence_id(at, number),
        when: When::new(row.time, zone),
        row,
        kind: match row.kind {
            TouchKind::Minifilter => match row.callback {
                Some(Phase::Pre) => "pre-operation callback",
                Some(Phase::Post) => "post-operation callback",
                None => "callback",
            },
            TouchKind::FileStack => "file",
            TouchKind::RegistryStack => "registry",
        },
        tail: false,
        duration: row.duration_us.map(duration),
        frames: &row.frames[..row.frames.len().min(FRAMES)],
        frames_more: row.frames.len().saturating_sub(FRAMES),
        also: match row.reason {
            Reason::Touch => Vec::new(),
            Reason::Failure | Reason::Delay => stacks.besides(&driver.name, row),
        },
    }
}
