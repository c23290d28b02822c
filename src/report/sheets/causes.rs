//! What stands behind a finding, as sheets: levels, operations that failed, who had files open.

use super::{name_of, number, text};
use crate::export::columns::ColumnType::{Bool, Text, Time, U64};
use crate::export::small::{SmallColumn, SmallTable, Value};
use crate::findings::{Conflict, Findings, Holder, Rights};
use crate::lang::Message;

const SUSPECTS: &[SmallColumn] = &[
    SmallColumn::new("level", U64, 8),
    SmallColumn::new("level_name", Text, 22),
    SmallColumn::new("kind", Text, 10),
    SmallColumn::new("name", Text, 24),
    SmallColumn::new("pid", U64, 9),
    SmallColumn::new("company", Text, 30),
    SmallColumn::new("reason", Text, 100),
    SmallColumn::new("evidence", Text, 60),
];

/// The graded drivers and processes; `evidence` names events as `file#number`.
pub fn suspects(findings: &Findings) -> SmallTable {
    let rows = findings.suspects.iter().map(|suspect| {
        let events = suspect.evidence.iter();
        let events: Vec<String> = events
            .map(|event| format!("{}#{}", event.input, event.event))
            .collect();
        vec![
            u64::from(suspect.level).into(),
            suspect.level_name.into(),
            suspect.kind.into(),
            suspect.name.as_str().into(),
            number(suspect.pid),
            text(&suspect.company),
            suspect.reason.en().into(),
            events.join("; ").as_str().into(),
        ]
    });
    SmallTable {
        columns: SUSPECTS,
        rows: rows.collect(),
    }
}

const FAILING: &[SmallColumn] = &[
    SmallColumn::new("time", Time, 24),
    SmallColumn::new("time_exact", Text, 29),
    SmallColumn::new("operation", Text, 22),
    SmallColumn::new("path", Text, 58),
    SmallColumn::new("target_path", Text, 40),
    SmallColumn::new("result", Text, 20),
    SmallColumn::new("status", Text, 13),
    SmallColumn::new("code_match", Text, 12),
    // Negative where the log's clock is behind: a column of durations holds none.
    SmallColumn::new("before_failure_us", Text, 18),
    SmallColumn::new("repeats", U64, 9),
    SmallColumn::new("process", Text, 22),
    SmallColumn::new("pid", U64, 9),
    SmallColumn::new("tid", U64, 9),
    SmallColumn::new("inf_path", Bool, 9),
    SmallColumn::new("inf_thread", Bool, 11),
    SmallColumn::new("last_before_failure", Bool, 19),
    SmallColumn::new("input", Text, 30),
    SmallColumn::new("event", U64, 12),
];

/// The operations of servicing that may be the one that failed.
pub fn failing(findings: &Findings) -> SmallTable {
    let rows = findings.failing_operations.iter().map(|row| {
        let before = row.before_failure_us.map(|micros| format!("{micros:.1}"));
        vec![
            Value::Time(row.time),
            row.time.to_string().as_str().into(),
            row.operation.into(),
            row.path.as_str().into(),
            text(&row.target_path),
            row.result.as_str().into(),
            row.status.as_str().into(),
            name_of(&row.code_match),
            text(&before),
            row.repeats.into(),
            text(&row.process),
            number(row.pid),
            number(row.tid),
            row.inf_path.into(),
            row.inf_thread.into(),
            row.last_before_failure.into(),
            row.input.as_str().into(),
            row.event.into(),
        ]
    });
    SmallTable {
        columns: FAILING,
        rows: rows.collect(),
    }
}

const CONFLICTS: &[SmallColumn] = &[
    SmallColumn::new("first", Time, 24),
    SmallColumn::new("first_exact", Text, 29),
    SmallColumn::new("path", Text, 58),
    SmallColumn::new("result", Text, 20),
    SmallColumn::new("status", Text, 13),
    SmallColumn::new("refusals", U64, 10),
    SmallColumn::new("victim", Text, 22),
    SmallColumn::new("victim_pid", U64, 11),
    SmallColumn::new("operation", Text, 22),
    SmallColumn::new("victim_rights", Text, 20),
    SmallColumn::new("victim_share", Text, 20),
    SmallColumn::new("holder", Text, 24),
    SmallColumn::new("holder_pid", U64, 11),
    SmallColumn::new("holder_kind", Text, 12),
    SmallColumn::new("company", Text, 30),
    SmallColumn::new("third_party", Bool, 12),
    SmallColumn::new("certainty", Text, 11),
    SmallColumn::new("holder_rights", Text, 20),
    SmallColumn::new("holder_share", Text, 20),
    SmallColumn::new("not_shared", Text, 20),
    SmallColumn::new("not_tolerated", Text, 20),
    SmallColumn::new("mapped", Bool, 9),
    SmallColumn::new("since", Time, 24),
    SmallColumn::new("until", Time, 24),
    SmallColumn::new("note", Text, 60),
    SmallColumn::new("input", Text, 30),
    SmallColumn::new("event", U64, 12),
    SmallColumn::new("holder_input", Text, 30),
    SmallColumn::new("holder_event", U64, 12),
];

/// The conflicts, a row a holder; one without a holder is a row as well.
pub fn conflicts(findings: &Findings) -> SmallTable {
    let rows = findings.conflicts.iter().flat_map(|conflict| {
        let mut rows: Vec<Vec<Value>> = conflict
            .holders
            .iter()
            .map(|holder| conflict_row(conflict, Some(holder)))
            .collect();
        if rows.is_empty() {
            rows.push(conflict_row(conflict, None));
        }
        rows
    });
    SmallTable {
        columns: CONFLICTS,
        rows: rows.collect(),
    }
}

fn conflict_row(conflict: &Conflict, holder: Option<&Holder>) -> Vec<Value> {
    let victim = &conflict.victim;
    let name = holder.and_then(|holder| holder.driver.as_ref().or(holder.process.as_ref()));
    let of = |value: fn(&Holder) -> Value| holder.map_or(Value::Null, value);
    vec![
        Value::Time(conflict.first),
        conflict.first.to_string().as_str().into(),
        conflict.path.as_str().into(),
        conflict.result.as_str().into(),
        conflict.status.as_str().into(),
        conflict.refusals.into(),
        text(&victim.process),
        number(victim.pid),
        victim.operation.into(),
        rights(victim.rights),
        rights(victim.share),
        name.map(String::as_str).into(),
        of(|holder| number(holder.pid)),
        of(|holder| holder.kind.into()),
        of(|holder| text(&holder.company)),
        of(|holder| holder.third_party.into()),
        of(|holder| name_of(&holder.certainty)),
        of(|holder| rights(holder.rights)),
        of(|holder| rights(Some(holder.share))),
        of(|holder| rights(Some(holder.not_shared))),
        of(|holder| rights(Some(holder.not_tolerated))),
        of(|holder| holder.mapped.into()),
        of(|holder| Value::Time(holder.since)),
        of(|holder| holder.until.into()),
        Value::from(conflict.note.as_ref().map(Message::en)),
        victim.input.as_str().into(),
        victim.event.into(),
        of(|holder| holder.input.as_str().into()),
        of(|holder| holder.event.into()),
    ]
}

/// `read; write`, as `findings.json` lists them; `none` tells an empty share mode from one that is not known.
fn rights(rights: Option<Rights>) -> Value {
    let Some(rights) = rights else {
        return Value::Null;
    };
    if rights.is_none() {
        return "none".into();
    }
    let words: Vec<&str> = rights.words().collect();
    words.join("; ").as_str().into()
}
