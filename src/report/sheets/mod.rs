//! The findings as sheets of a workbook.

mod causes;

use crate::export::columns::ColumnType::{Bool, Micros, Text, Time, U64};
use crate::export::small::{SmallColumn, SmallTable, Value};
use crate::findings::Findings;
use crate::trace::Filetime;
use crate::trace::time::parse_rfc3339;
use serde::Serialize;

/// The sheets and their names, but for the events.
pub fn sheets(findings: &Findings) -> Vec<(&'static str, SmallTable)> {
    vec![
        ("Findings", facts(findings)),
        ("Suspects", causes::suspects(findings)),
        ("Drivers", drivers(findings)),
        ("Evidence", evidence(findings)),
        ("Failing operations", causes::failing(findings)),
        ("Conflicts", causes::conflicts(findings)),
        ("Timeline", timeline(findings)),
        ("Processes", processes(findings)),
    ]
}

/// Time of the last event of the case.
pub fn last_event(findings: &Findings) -> Option<Filetime> {
    findings.inputs.iter().filter_map(|input| input.last).max()
}

fn text(text: &Option<String>) -> Value {
    Value::from(text.as_deref())
}

fn number(number: Option<u32>) -> Value {
    number.map_or(Value::Null, |number| Value::Number(u64::from(number)))
}

/// A value of `findings.json`, with the type it means.
fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_u64() {
            Some(number) => Value::Number(number),
            None => Value::Text(number.to_string()),
        },
        serde_json::Value::String(text) => match parse_rfc3339(text) {
            // Texts of traces may look like times; those of the findings have this length.
            Ok(time) if time.to_string() == *text => Value::Time(time),
            _ => text.as_str().into(),
        },
        other => Value::Text(other.to_string()),
    }
}

const FACTS: &[SmallColumn] = &[
    SmallColumn::new("section", Text, 14),
    SmallColumn::new("item", Text, 22),
    SmallColumn::new("value", Text, 110),
];

/// Facts in three columns, in the order of a report.
struct Facts(Vec<Vec<Value>>);

impl Facts {
    fn row(&mut self, section: &str, item: &str, value: Value) {
        if value != Value::Null {
            self.0.push(vec![section.into(), item.into(), value]);
        }
    }

    /// The fields of an object: those of `first` in that order, then the others; `but` are left out.
    fn object(&mut self, section: &str, object: &impl Serialize, first: &[&str], but: &[&str]) {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(object) else {
            return;
        };
        let listed = first.iter().filter_map(|key| fields.get_key_value(*key));
        let others = fields
            .iter()
            .filter(|(key, _)| !first.contains(&key.as_str()));
        for (key, value) in listed.chain(others) {
            if but.contains(&key.as_str()) {
                continue;
            }
            match value {
                serde_json::Value::Object(inner) => {
                    for (part, value) in inner {
                        self.row(section, &format!("{key}, {part}"), value_of(value));
                    }
                }
                serde_json::Value::Array(rows) => {
                    for value in rows {
                        self.row(section, key, value_of(value));
                    }
                }
                value => self.row(section, key, value_of(value)),
            }
        }
    }
}

fn facts(findings: &Findings) -> SmallTable {
    let mut out = Facts(Vec::new());
    out.row("About", "schema", findings.schema.into());
    out.row(
        "About",
        "times",
        "All times in this workbook are UTC. Excel shows them to the millisecond; time_exact has all that was recorded.".into(),
    );
    for driver in findings.flagged() {
        out.row(
            "Flagged",
            driver.verdict.as_str(),
            driver.name.as_str().into(),
        );
    }
    if findings.flagged().next().is_none() {
        out.row(
            "Flagged",
            "none",
            "No third-party driver is flagged.".into(),
        );
    }
    if let Some(failure) = &findings.failure {
        let first = [
            "code", "name", "meaning", "inf", "package", "time", "source", "line",
        ];
        out.object("Failure", failure, &first, &[]);
    }
    let first = ["start", "end", "source", "failure"];
    out.object("Window", &findings.window, &first, &["evidence"]);
    let first = ["name", "os", "build", "architecture", "utc_offset_minutes"];
    out.object("Machine", &findings.machine, &first, &[]);
    for (at, input) in findings.inputs.iter().enumerate() {
        let first = [
            "path", "kind", "bytes", "events", "first", "last", "warnings",
        ];
        out.object(&format!("Input {}", at + 1), input, &first, &[]);
    }
    let first = [
        "file",
        "registry",
        "minifilter",
        "stacks",
        "events_lost",
        "buffers_lost",
    ];
    out.object("Coverage", &findings.coverage, &first, &[]);
    if let Some(note) = &findings.failing_operations_note {
        out.object("Failing operations", note, &["text", "reasons"], &[]);
    }
    for warning in &findings.warnings {
        out.row("Warnings", "warning", warning.en().into());
    }
    SmallTable {
        columns: FACTS,
        rows: out.0,
    }
}

const DRIVERS: &[SmallColumn] = &[
    SmallColumn::new("name", Text, 22),
    SmallColumn::new("company", Text, 28),
    SmallColumn::new("verdict", Text, 12),
    SmallColumn::new("third_party", Bool, 12),
    SmallColumn::new("basis", Text, 12),
    SmallColumn::new("role", Text, 10),
    SmallColumn::new("touches", U64, 10),
    SmallColumn::new("minifilter", U64, 11),
    SmallColumn::new("file_stack", U64, 11),
    SmallColumn::new("registry_stack", U64, 14),
    SmallColumn::new("failures", U64, 10),
    SmallColumn::new("delays", U64, 10),
    SmallColumn::new("delay_us_max", Micros, 14),
    SmallColumn::new("delay_us_total", Micros, 14),
    SmallColumn::new("first", Time, 24),
    SmallColumn::new("last", Time, 24),
    SmallColumn::new("altitude", Text, 18),
    SmallColumn::new("group", Text, 26),
    SmallColumn::new("description", Text, 32),
    SmallColumn::new("version", Text, 18),
    SmallColumn::new("base", Text, 20),
    SmallColumn::new("size", U64, 12),
    SmallColumn::new("path", Text, 55),
];

fn drivers(findings: &Findings) -> SmallTable {
    let row = |driver: &crate::findings::schema::DriverFinding| {
        vec![
            driver.name.as_str().into(),
            text(&driver.company),
            driver.verdict.as_str().into(),
            driver.third_party.into(),
            driver.basis.as_str().into(),
            driver.role.as_str().into(),
            driver.touches.total().into(),
            driver.touches.minifilter.into(),
            driver.touches.file_stack.into(),
            driver.touches.registry_stack.into(),
            driver.failures.into(),
            driver.delays.into(),
            Value::micros(driver.delay_us_max),
            Value::micros(driver.delay_us_total),
            driver.first.into(),
            driver.last.into(),
            text(&driver.altitude),
            text(&driver.group),
            text(&driver.description),
            text(&driver.version),
            driver.base.as_str().into(),
            driver.size.into(),
            driver.path.as_str().into(),
        ]
    };
    SmallTable {
        columns: DRIVERS,
        rows: findings.drivers.iter().map(row).collect(),
    }
}

const EVIDENCE: &[SmallColumn] = &[
    SmallColumn::new("driver", Text, 22),
    SmallColumn::new("verdict", Text, 12),
    SmallColumn::new("reason", Text, 10),
    SmallColumn::new("time", Time, 24),
    SmallColumn::new("time_exact", Text, 29),
    SmallColumn::new("kind", Text, 15),
    SmallColumn::new("callback", Text, 10),
    SmallColumn::new("operation", Text, 22),
    SmallColumn::new("path", Text, 58),
    SmallColumn::new("target_path", Text, 40),
    SmallColumn::new("result", Text, 20),
    SmallColumn::new("status", Text, 13),
    SmallColumn::new("process", Text, 22),
    SmallColumn::new("pid", U64, 9),
    SmallColumn::new("tid", U64, 9),
    SmallColumn::new("duration_us", Micros, 14),
    SmallColumn::new("phase", Text, 10),
    SmallColumn::new("frames", Text, 50),
    SmallColumn::new("input", Text, 30),
    SmallColumn::new("event", U64, 12),
];

/// The name of a kind, phase or reason as `findings.json` has it.
fn name_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).map_or(Value::Null, |json| value_of(&json))
}

fn evidence(findings: &Findings) -> SmallTable {
    let mut rows = Vec::new();
    for driver in &findings.drivers {
        rows.extend(driver.evidence.iter().map(|row| {
            vec![
                driver.name.as_str().into(),
                driver.verdict.as_str().into(),
                name_of(&row.reason),
                Value::Time(row.time),
                row.time.to_string().as_str().into(),
                name_of(&row.kind),
                row.callback.map(|phase| phase.as_str()).into(),
                row.operation.into(),
                row.path.as_str().into(),
                text(&row.target_path),
                text(&row.result),
                text(&row.status),
                text(&row.process),
                number(row.pid),
                number(row.tid),
                row.duration_us.map_or(Value::Null, Value::micros),
                name_of(&row.phase),
                row.frames.join("; ").as_str().into(),
                row.input.as_str().into(),
                row.event.into(),
            ]
        }));
    }
    SmallTable {
        columns: EVIDENCE,
        rows,
    }
}

const TIMELINE: &[SmallColumn] = &[
    SmallColumn::new("time", Time, 24),
    SmallColumn::new("time_exact", Text, 29),
    SmallColumn::new("input", Text, 40),
    SmallColumn::new("text", Text, 110),
];

fn timeline(findings: &Findings) -> SmallTable {
    let rows = findings.window.evidence.iter().map(|row| {
        vec![
            Value::Time(row.time),
            row.time.to_string().as_str().into(),
            row.input.as_str().into(),
            row.text.en().into(),
        ]
    });
    SmallTable {
        columns: TIMELINE,
        rows: rows.collect(),
    }
}

const PROCESSES: &[SmallColumn] = &[
    SmallColumn::new("name", Text, 24),
    SmallColumn::new("pid", U64, 9),
    SmallColumn::new("company", Text, 30),
    SmallColumn::new("role", Text, 10),
    SmallColumn::new("touches", U64, 10),
    SmallColumn::new("failures", U64, 10),
    SmallColumn::new("path", Text, 58),
];

fn processes(findings: &Findings) -> SmallTable {
    let rows = findings.processes.iter().map(|process| {
        vec![
            process.name.as_str().into(),
            u64::from(process.pid).into(),
            process.company.trim().into(),
            process.role.into(),
            process.touches.into(),
            process.failures.into(),
            process.path.as_str().into(),
        ]
    });
    SmallTable {
        columns: PROCESSES,
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_types() {
        let json = serde_json::json!({
            "b": 7, "a": "2026-05-12T06:42:00.0000000Z", "t": "2026-05-12T06:42:00Z",
            "list": ["x", "y"], "inner": {"deep": true}, "none": null, "gone": 1,
        });
        let mut facts = Facts(Vec::new());
        facts.object("S", &json, &["b"], &["gone"]);
        let row = |item: &str, value| vec!["S".into(), item.into(), value];
        assert_eq!(
            facts.0,
            [
                row("b", Value::Number(7)),
                row(
                    "a",
                    Value::Time(parse_rfc3339("2026-05-12T06:42:00Z").unwrap())
                ),
                row("inner, deep", Value::Bool(true)),
                row("list", "x".into()),
                row("list", "y".into()),
                row("t", "2026-05-12T06:42:00Z".into()),
            ]
        );
    }
}
