//! The findings as a tired engineer reads them on a terminal: the answer in ten seconds.

use super::style::{
    BOLD, DIM, GREEN, RED, YELLOW, bytes, clock, count, date_time, duration, paint, plural, safe,
    zone_name,
};
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, Evidence, Reason, WindowSource};
use crate::findings::{Findings, Verdict};
use crate::lang::Message;
use crate::say;
use crate::trace::Zone;
use std::fmt::{Result, Write as _};
use std::path::Path;

/// Evidence rows shown for a driver.
const EVIDENCE_SHOWN: usize = 3;
/// Servicing evidence and driver names shown in one place.
const LISTED: usize = 8;

/// The summary, with colours; `out` is the folder that the files went into.
pub fn text(findings: &Findings, zone: &Zone, out: Option<&Path>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, findings, zone, out);
    text
}

fn write_summary(to: &mut String, findings: &Findings, zone: &Zone, out: Option<&Path>) -> Result {
    answer(to, findings)?;
    inputs(to, findings, zone)?;
    failure(to, findings, zone)?;
    window(to, findings, zone)?;
    judgement(to, findings, zone)?;
    for driver in findings.flagged() {
        flagged(to, driver, zone)?;
    }
    others(to, findings)?;
    list(
        to,
        "What these traces cannot show",
        BOLD,
        &findings.coverage.notes,
    )?;
    list(to, "Warnings", YELLOW, &findings.warnings)?;
    let notes = |traces: bool| -> Vec<Message> {
        let inputs = findings.inputs.iter();
        let inputs = inputs.filter(|input| input.kind.is_trace() == traces);
        inputs
            .flat_map(|input| {
                let warnings = input.warnings.iter();
                warnings.map(move |warning| {
                    let (path, en, zh) = (&input.path, warning.en(), warning.zh());
                    say!(en: "{path}: {en}", zh: "{path}：{zh}")
                })
            })
            .collect()
    };
    list(to, "Damaged traces", YELLOW, &notes(true))?;
    list(to, "How the logs were read", YELLOW, &notes(false))?;
    if let Some(folder) = out {
        writeln!(
            to,
            "\nWritten to {}: report.html, findings.json, drivers.csv, events.csv{}",
            safe(&folder.display().to_string()),
            if cfg!(feature = "parquet") {
                ", events.parquet"
            } else {
                ""
            }
        )?;
    }
    Ok(())
}

/// The first line: who stood in the way.
fn answer(to: &mut String, findings: &Findings) -> Result {
    let names = |verdict| {
        findings
            .flagged()
            .filter(move |driver| driver.verdict == verdict)
            .map(|driver| safe(&driver.name))
            .collect::<Vec<_>>()
    };
    let implicated = names(Verdict::Implicated);
    let touched = names(Verdict::Touched);
    let answer = match (implicated.is_empty(), touched.is_empty()) {
        (false, _) => paint(
            RED,
            format!(
                "IMPLICATED: {}: in callbacks or on stacks of driver-store operations that failed or were slow",
                implicated.join(", ")
            ),
        ),
        (true, false) => paint(
            YELLOW,
            format!(
                "TOUCHED, not implicated: {}: in callbacks or on stacks of driver-store operations, none of which failed or was slow",
                touched.join(", ")
            ),
        ),
        (true, true) if findings.traces().next().is_none() => {
            paint(YELLOW, "No trace was given: logs alone name no driver")
        }
        (true, true) if findings.blind().is_some() => paint(
            YELLOW,
            format!(
                "No third-party driver is seen: {}",
                findings.blind().unwrap_or_default()
            ),
        ),
        (true, true) => paint(
            GREEN,
            "No third-party driver is seen on a driver-store operation in the window",
        ),
    };
    writeln!(to, "{answer}\n")
}

fn inputs(to: &mut String, findings: &Findings, zone: &Zone) -> Result {
    let machine = &findings.machine;
    let facts: Vec<String> = [
        machine.name.as_deref().map(safe),
        machine.os.clone(),
        machine.architecture.map(|bits| bits.as_str().to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !facts.is_empty() {
        writeln!(to, "{}  {}", paint(BOLD, "Machine"), facts.join(", "))?;
    }
    for input in &findings.inputs {
        let (label, noun) = match input.kind.is_trace() {
            true => ("Traces", "event"),
            false => ("Logs  ", "line"),
        };
        write!(
            to,
            "{}   {}, {}, {}",
            paint(BOLD, label),
            safe(&input.path),
            bytes(input.bytes),
            plural(input.events, noun)
        )?;
        if let (Some(first), Some(last)) = (input.first, input.last) {
            write!(
                to,
                ", {} to {} {}",
                date_time(first, zone),
                clock(last, zone),
                zone_name(zone, first)
            )?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Suspects and conflicts shown.
const LEVELS: usize = 3;

/// What the servicing logs name.
fn failure(to: &mut String, findings: &Findings, zone: &Zone) -> Result {
    let Some(failure) = &findings.failure else {
        return Ok(());
    };
    let mut what: Vec<String> = Vec::new();
    what.extend(failure.inf.as_deref().map(safe));
    let code = failure.code.clone().unwrap_or_else(|| "no code".to_owned());
    what.push(match &failure.name {
        Some(name) => format!("{code} {name}"),
        None => code,
    });
    if let Some(time) = failure.time {
        let zone_name = zone_name(zone, time);
        what.push(format!("at {} {zone_name}", date_time(time, zone)));
    }
    what.push(format!("{} line {}", failure.source, failure.line));
    writeln!(to, "{}  {}", paint(BOLD, "Failure"), what.join(", "))?;
    if let Some(meaning) = &failure.meaning {
        writeln!(to, "         {}", paint(DIM, safe(meaning)))?;
    }
    Ok(())
}

/// How far the evidence goes, by product, and what failed.
fn judgement(to: &mut String, findings: &Findings, zone: &Zone) -> Result {
    for suspect in findings
        .suspects
        .iter()
        .filter(|s| s.level >= 3)
        .take(LEVELS)
    {
        writeln!(
            to,
            "{}  {}: {}",
            paint(BOLD, format!("Level {}", suspect.level)),
            paint(
                RED,
                format!("{}, {}", safe(&suspect.name), suspect.level_name)
            ),
            safe(suspect.reason.en())
        )?;
    }
    if let Some(failing) = findings.failing_operations.first() {
        writeln!(
            to,
            "{}   {}  {}  {}: {}",
            paint(BOLD, "Failed"),
            clock(failing.time, zone),
            failing.operation,
            safe(&failing.path),
            paint(RED, &failing.result)
        )?;
    }
    for conflict in findings.conflicts.iter().take(LEVELS) {
        let mut holders: Vec<String> = conflict
            .holders
            .iter()
            .filter_map(|holder| {
                let name = holder.driver.as_ref().or(holder.process.as_ref())?;
                Some(match holder.pid {
                    Some(pid) if holder.driver.is_none() => format!("{} ({pid})", safe(name)),
                    _ => safe(name),
                })
            })
            .collect();
        // One that opened the file more than once holds it as often.
        holders.sort();
        holders.dedup();
        if !holders.is_empty() {
            writeln!(
                to,
                "{}  {}: {} while {} had it open",
                paint(BOLD, "In use "),
                safe(&conflict.path),
                paint(RED, &conflict.result),
                holders.join(", ")
            )?;
        }
    }
    Ok(())
}

fn window(to: &mut String, findings: &Findings, zone: &Zone) -> Result {
    let window = &findings.window;
    let source = match window.source {
        WindowSource::Logs => "the servicing logs: the failed driver operation and its rollback",
        WindowSource::Trace => "servicing activity in the trace, 5 s wider on either side",
        WindowSource::User => "--window",
        WindowSource::Whole => "the whole trace, for want of anything better",
    };
    write!(to, "{}   ", paint(BOLD, "Window"))?;
    match (window.start, window.end) {
        (Some(start), Some(end)) => writeln!(
            to,
            "{} to {} {} ({}), from {source}",
            date_time(start, zone),
            clock(end, zone),
            zone_name(zone, start),
            duration(end.0.saturating_sub(start.0) as f64 / 10.0)
        )?,
        _ => writeln!(to, "empty: the traces hold no event")?,
    }
    for row in window.evidence.iter().take(LISTED) {
        writeln!(
            to,
            "         {}",
            paint(
                DIM,
                format!("{}  {}", clock(row.time, zone), safe(row.text.en()))
            )
        )?;
    }
    Ok(())
}

/// Touches by kind: `12 callbacks, 3 file, 1 registry`.
fn kinds(driver: &DriverFinding) -> String {
    let touches = &driver.touches;
    let stacks = format!(
        "{} file, {} registry",
        count(touches.file_stack),
        count(touches.registry_stack)
    );
    match touches.minifilter {
        0 => stacks,
        callbacks => format!("{}, {stacks}", plural(callbacks, "callback")),
    }
}

fn flagged(to: &mut String, driver: &DriverFinding, zone: &Zone) -> Result {
    let style = match driver.verdict {
        Verdict::Implicated => RED,
        Verdict::Touched | Verdict::Loaded => YELLOW,
    };
    writeln!(
        to,
        "\n{} {}  {}",
        paint(style, driver.verdict.as_str().to_uppercase()),
        paint(BOLD, safe(&driver.name)),
        maker(driver)
    )?;
    let mut counts = vec![plural(driver.touches.total(), "touch"), kinds(driver)];
    counts.push(paint_if(
        driver.failures > 0,
        plural(driver.failures, "failure"),
    ));
    counts.push(paint_if(
        driver.delays > 0,
        if driver.delays > 0 {
            format!(
                "{} (longest {})",
                plural(driver.delays, "delay"),
                duration(driver.delay_us_max)
            )
        } else {
            plural(0, "delay")
        },
    ));
    writeln!(to, "  {}", counts.join("; "))?;
    if let Some(altitude) = &driver.altitude {
        writeln!(
            to,
            "  altitude {altitude}{}, by file name",
            driver
                .group
                .as_ref()
                .map_or_else(String::new, |group| format!(" ({group})"))
        )?;
    }
    for row in driver.evidence.iter().take(EVIDENCE_SHOWN) {
        evidence(to, row, zone)?;
    }
    let more = driver.touches.total().saturating_sub(EVIDENCE_SHOWN as u64);
    if more > 0 {
        writeln!(
            to,
            "  {}",
            paint(DIM, format!("… and {}", plural(more, "more touch")))
        )?;
    }
    Ok(())
}

fn paint_if(condition: bool, text: String) -> String {
    if condition { paint(RED, text) } else { text }
}

fn maker(driver: &DriverFinding) -> String {
    let company = driver
        .company
        .as_deref()
        .map_or_else(|| "unknown company".to_owned(), |c| safe(c.trim()));
    let mut about: Vec<String> = Vec::new();
    about.extend(driver.description.as_deref().map(|text| safe(text.trim())));
    about.extend(driver.version.as_deref().map(|text| safe(text.trim())));
    match about.is_empty() {
        true => format!("{company}, {}", safe(&driver.path)),
        false => format!("{company}  ({})", about.join(" ")),
    }
}

fn evidence(to: &mut String, row: &Evidence, zone: &Zone) -> Result {
    // A callback that was not refused has no result of its own.
    let none = if row.callback.is_some() {
        ""
    } else {
        "pending"
    };
    let result = row.result.as_deref().unwrap_or(none);
    let mark = match row.reason {
        Reason::Failure => paint(RED, result),
        Reason::Delay => {
            let after = format!(
                "{result} after {}",
                duration(row.duration_us.unwrap_or(0.0))
            );
            paint(RED, after.trim_start())
        }
        Reason::Touch => result.to_owned(),
    };
    let process = match (&row.process, row.pid) {
        (Some(name), Some(pid)) => format!("{} ({pid})", safe(name)),
        (None, Some(pid)) => format!("process {pid}"),
        _ => "unknown process".to_owned(),
    };
    writeln!(
        to,
        "  {}  {}{}  {process}  {mark}",
        clock(row.time, zone),
        row.operation,
        match row.callback {
            Some(phase) => format!(" {}-operation callback", phase.as_str()),
            None => String::new(),
        }
    )?;
    writeln!(to, "      {}", safe(&row.path))?;
    if let Some(target) = &row.target_path {
        writeln!(to, "      -> {}", safe(target))?;
    }
    if !row.frames.is_empty() {
        let place = if row.callback.is_some() {
            "routine"
        } else {
            "stack"
        };
        writeln!(
            to,
            "      {}",
            paint(DIM, format!("{place}: {}", safe(&row.frames.join(", "))))
        )?;
    }
    Ok(())
}

/// Who else was there: third parties without a touch, observers, Microsoft's own.
fn others(to: &mut String, findings: &Findings) -> Result {
    let names = |keep: &dyn Fn(&DriverFinding) -> bool| -> Vec<String> {
        findings
            .drivers
            .iter()
            .filter(|driver| keep(driver))
            .map(|driver| match driver.touches.total() {
                0 => safe(&driver.name),
                touches => format!("{} {}", safe(&driver.name), count(touches)),
            })
            .collect()
    };
    let loaded =
        names(&|d| d.third_party && d.role == Role::Driver && d.verdict == Verdict::Loaded);
    let observers = names(&|d| d.role == Role::Observer);
    let microsoft = names(&|d| !d.third_party && d.role == Role::Driver);
    writeln!(to)?;
    for (title, names) in [
        ("Third party, loaded, no touch seen", loaded),
        ("Observers (never flagged)", observers),
        ("Microsoft's, touches", microsoft),
    ] {
        if !names.is_empty() {
            let shown = names.len().min(LISTED);
            let more = match names.len() - shown {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            writeln!(to, "{title}: {}{more}", names[..shown].join(", "))?;
        }
    }
    for process in findings.processes.iter().take(LISTED) {
        writeln!(
            to,
            "Third-party process: {} ({}), {}: {} on driver-store paths, {}",
            safe(&process.name),
            process.pid,
            safe(process.company.trim()),
            plural(process.touches, "operation"),
            plural(process.failures, "failure")
        )?;
    }
    Ok(())
}

fn list(to: &mut String, title: &str, style: anstyle::Style, rows: &[Message]) -> Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{}", paint(style, title))?;
    for row in rows {
        writeln!(to, "  - {}", safe(row.en()))?;
    }
    Ok(())
}
