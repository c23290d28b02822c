//! How an experienced engineer reads the results among a driver's evidence, and what would make it sure.

use super::super::style::{count, duration, plural};
use crate::findings::Findings;
use crate::findings::schema::{DriverFinding, Evidence, Reason, hex};
use crate::servicing::is_servicing_process;
use serde::Serialize;
use std::collections::BTreeMap;

/// One kind of failure or delay among the evidence rows.
#[derive(Debug, Serialize)]
pub struct Reading {
    result: String,
    rows: String,
    reading: &'static str,
    check: &'static str,
}

/// Who met the failures.
#[derive(Debug, Serialize)]
pub struct Victims {
    list: Vec<String>,
    caution: Option<&'static str>,
}

/// Reading of a status, and what to look at to be sure.
fn meaning(status: u32) -> (&'static str, &'static str) {
    match status {
        0xc000_0022 => (
            "Refused. A self-protection filter or a registry callback does this; so does a foreign access control list.",
            "Servicing runs as SYSTEM or TrustedInstaller and is rarely refused on its own files: read the object's access list. If the same request succeeds with the product gone, it was no access list.",
        ),
        0xc000_0043 => (
            "Somebody held the file open without sharing. The holder need not be this driver.",
            "Look for who opened the file before and closed it after, and compare the share modes of both opens.",
        ),
        0xc000_0056 | 0xc000_0101 => (
            "A deleted file was still open somewhere: a scanner, an indexer, a backup.",
            "The holder is who closes it last.",
        ),
        0xc000_0121 => (
            "The file could not be deleted: it is mapped as an image, or read-only.",
            "Look for image loads of this file.",
        ),
        0xc000_0243 | 0xc000_0054 => (
            "The file was still mapped or locked when it was to be replaced.",
            "Look for who mapped or locked it: scanners do.",
        ),
        0xc000_014c | 0xc000_014d | 0xc000_0425 => (
            "A registry hive could not be loaded, flushed or kept. On HKLM\\DRIVERS this is the road to 0x800703f1.",
            "Look for opens of config\\DRIVERS and its logs just before, and who made them; check the hive itself.",
        ),
        0xc000_0906 | 0xc000_0907 => (
            "A scanner called the file infected, or took it away.",
            "The product's own log names file and rule.",
        ),
        _ => (
            "No common pattern of interference: read the rows.",
            "Compare with a run in which the update works.",
        ),
    }
}

/// The failures of the listed rows by result, most first; then the delays.
pub fn readings(driver: &DriverFinding) -> Vec<Reading> {
    let mut by_status: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    for row in driver.evidence_of(Reason::Failure) {
        let key = (number(row), row.result.as_deref().unwrap_or("no result"));
        *by_status.entry(key).or_default() += 1;
    }
    let mut failures: Vec<_> = by_status.into_iter().collect();
    failures.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let mut out: Vec<Reading> = failures
        .into_iter()
        .map(|((status, result), rows)| {
            let (reading, check) = meaning(status);
            Reading {
                result: result.to_owned(),
                rows: count(rows),
                reading,
                check,
            }
        })
        .collect();
    if driver.delays > 0 {
        out.push(Reading {
            result: format!("slow, up to {}", duration(driver.delay_us_max)),
            rows: count(driver.delays),
            reading: "The whole operation took this long, with the driver's code on its stack. Disk, an oplock or another driver may have taken the time.",
            check: "Minifilter callback times (a WPR trace with the minifilter profile) tell the driver's own share.",
        });
    }
    out
}

fn number(row: &Evidence) -> u32 {
    row.status.as_deref().and_then(hex).unwrap_or(0)
}

/// The processes that met the listed failures and delays, and what their choice says.
pub fn victims(findings: &Findings, driver: &DriverFinding) -> Victims {
    let mut by_name: BTreeMap<(&str, Kind), u64> = BTreeMap::new();
    let telling = driver
        .evidence
        .iter()
        .filter(|row| row.reason != Reason::Touch);
    for row in telling {
        let name = row.process.as_deref().unwrap_or("unknown process");
        *by_name
            .entry((name, kind(findings, driver, row)))
            .or_default() += 1;
    }
    let any = |kind| by_name.keys().any(|(_, found)| *found == kind);
    let caution = match () {
        () if by_name.is_empty() => None,
        () if any(Kind::Servicing) => None,
        () if any(Kind::System) => Some(
            "No servicing process met these failures; the System process did, which also works on behalf of others, hives above all.",
        ),
        () if by_name.keys().all(|(_, found)| *found == Kind::Own) => Some(
            "Only processes of the driver's own company met these failures. Who is refused is as a rule who lost, so this weighs little.",
        ),
        () => Some(
            "No servicing process met these failures. That weighs less: who is refused on these files is often a bystander.",
        ),
    };
    let mut list: Vec<_> = by_name.into_iter().collect();
    list.sort_by_key(|((_, kind), rows)| (*kind, std::cmp::Reverse(*rows)));
    Victims {
        list: list
            .into_iter()
            .take(12)
            .map(|((name, kind), rows)| format!("{name}{}: {}", kind.note(), plural(rows, "row")))
            .collect(),
        caution,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Servicing,
    System,
    Other,
    Own,
}

impl Kind {
    fn note(self) -> &'static str {
        match self {
            Self::Servicing => " (servicing)",
            Self::System => " (the kernel's own process)",
            Self::Other => "",
            Self::Own => " (same company as the driver)",
        }
    }
}

fn kind(findings: &Findings, driver: &DriverFinding, row: &Evidence) -> Kind {
    let name = row.process.as_deref().unwrap_or_default();
    let own = findings.processes.iter().any(|process| {
        Some(process.pid) == row.pid
            && process.name == name
            && driver.company.as_deref().map(str::trim) == Some(process.company.trim())
    });
    match () {
        () if is_servicing_process(name) => Kind::Servicing,
        () if row.pid == Some(4) => Kind::System,
        () if own => Kind::Own,
        () => Kind::Other,
    }
}
