//! The timeline of a case: what logs and traces tell of the update, on one axis.

use super::analyze::{Case, CaseInput, Options};
use super::clocks::{ClockFinding, Clocks, TracedBoot};
use super::logs::client_rows;
use super::schema::{Failure, Window};
use super::window::choose_window;
use crate::codes::procmon::write_result;
use crate::lang::Message;
use crate::say;
use crate::servicing::is_servicing_process;
use crate::trace::path::file_name;
use crate::trace::{Batch, Class, Filetime, Foreseen, Memo, Progress, Select, Want, for_each_unit};
use serde::Serialize;
use std::io;

/// The schema's name and version.
pub const SCHEMA: &str = "fltscope.window/1";

/// When the update failed, and what happened around it.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The failure that the logs name.
    pub failure: Option<Failure>,
    /// The window.
    pub window: Window,
    /// What happened, in order of time.
    pub rows: Vec<TimelineRow>,
    /// What to know before trusting the rest.
    pub warnings: Vec<Message>,
    /// The clocks of the servicing logs against those of the traces.
    pub clocks: Vec<ClockFinding>,
    /// The boot that each trace covers.
    pub boots: Vec<TracedBoot>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineRow {
    /// When.
    pub time: Filetime,
    /// In which file it stands.
    pub input: String,
    /// What kind of thing it is.
    pub kind: MarkerKind,
    /// What.
    pub text: Message,
}

/// Kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkerKind {
    /// A line of a log.
    Log,
    /// Start or end of the window or its parts, first and last servicing operation.
    Window,
    /// A servicing process starts or ends.
    Process,
    /// The servicing stack notes how far it is.
    ExecuteState,
    /// A hive is loaded or unloaded.
    Hive,
    /// An operation of a servicing process on a driver-store path fails.
    Failure,
}

/// Failed operations that are listed of each trace.
const FAILURES: usize = 20;
/// Sentences of the Windows Update client that are listed.
const CLIENT_ROWS: usize = 200;
/// Rows of any other kind that are listed of each trace.
const ROWS: usize = 2_000;

/// The timeline of a case.
///
/// # Errors
/// When a trace can no longer be read.
pub fn timeline(
    case: &Case<'_>,
    options: &Options,
    progress: &dyn Progress,
) -> io::Result<Timeline> {
    let mut warnings = Vec::new();
    let clocks = Clocks::find(case, options, progress)?;
    let clock = case.log_clock(options, Some(&clocks));
    let (window, logged) = choose_window(case, options, &clock, progress, &mut warnings)?;
    let boots = clocks.boots(case, &clock, logged.as_ref());
    warnings.extend(clocks.warnings(case, &clock, &boots));
    let failure = logged.map(|logged| logged.failure);
    let kind_of = |input: &str| match case.inputs.iter().any(|trace| trace.name == input) {
        true => MarkerKind::Window,
        false => MarkerKind::Log,
    };
    let mut rows: Vec<TimelineRow> = window
        .evidence
        .iter()
        .map(|row| TimelineRow {
            time: row.time,
            input: row.input.clone(),
            kind: kind_of(&row.input),
            text: row.text.clone(),
        })
        .collect();
    // Failures that are not the one the window is taken from.
    for other in case.logs.failures(&clock) {
        let known = |row: &TimelineRow| other.evidence.iter().any(|e| e.text == row.text);
        if !rows.iter().any(known) {
            rows.extend(other.evidence.into_iter().map(|row| TimelineRow {
                time: row.time,
                input: row.input,
                kind: MarkerKind::Log,
                text: row.text,
            }));
        }
    }
    for told in client_rows(&case.logs, None, None, CLIENT_ROWS) {
        rows.push(TimelineRow {
            time: told.time,
            input: told.input,
            kind: MarkerKind::Log,
            text: told.text,
        });
    }
    for input in &case.inputs {
        rows.extend(markers(input, options, progress)?);
    }
    rows.sort_by(|a, b| (a.time, a.kind, &a.input).cmp(&(b.time, b.kind, &b.input)));
    rows.dedup();
    Ok(Timeline {
        schema: SCHEMA,
        failure,
        window,
        rows,
        warnings,
        clocks: clocks.report(case, &clock, &boots),
        boots,
    })
}

/// Whether a registry path is the value in which the servicing stack notes how far it is.
fn is_execute_state(path: &str) -> bool {
    let name = file_name(path);
    name.eq_ignore_ascii_case("ExecuteState") && path.contains("Component Based Servicing")
}

/// Whether a hive is one that servicing loads: the driver database, the component store, the settings.
fn is_servicing_hive(key: &str, file: &str) -> bool {
    const HIVES: [&str; 3] = ["DRIVERS", "COMPONENTS", "SCHEMA"];
    let named = |name: &str| HIVES.iter().any(|hive| hive.eq_ignore_ascii_case(name));
    named(file_name(key)) || named(file_name(file))
}

/// What one trace tells.
fn markers(
    input: &CaseInput<'_>,
    options: &Options,
    progress: &dyn Progress,
) -> io::Result<Vec<TimelineRow>> {
    let scope = input.scope(options);
    let test = |class: Class, path: &str, target: &str| match class {
        Class::Process => is_servicing_process(file_name(path)),
        Class::Registry => {
            is_execute_state(path) || !target.is_empty() || scope.takes(class, path, target)
        }
        _ => scope.takes(class, path, target),
    };
    let memo = Memo::default();
    let select = Select {
        memo: Some(&memo),
        classes: vec![Class::Process, Class::Registry, Class::FileSystem],
        paths: Some(&test),
        // Of files, only those in scope.
        foreseen: Foreseen::Files,
        ..Select::default()
    };
    let want = Want {
        path: true,
        target: true,
        ..Want::default()
    };
    let trace = input.trace;
    let phase = progress.phase("Looking for markers", trace);
    let mut out = Vec::new();
    let mut failures = 0;
    for_each_unit(
        0..trace.units(),
        &*phase,
        |unit| {
            let mut batch = Batch::default();
            trace.decode(unit, &want, &select, &mut batch)?;
            let rows = 0..batch.len();
            Ok(rows
                .filter_map(|row| marker(input, options, &batch, row))
                .collect::<Vec<_>>())
        },
        |rows: Vec<TimelineRow>| {
            for row in rows {
                let failed = row.kind == MarkerKind::Failure;
                failures += usize::from(failed);
                if (!failed || failures <= FAILURES) && out.len() < ROWS {
                    out.push(row);
                }
            }
            Ok(())
        },
    )?;
    Ok(out)
}

fn marker(
    input: &CaseInput<'_>,
    options: &Options,
    batch: &Batch,
    row: usize,
) -> Option<TimelineRow> {
    let info = input.trace.info();
    let process = info.processes.get(batch.process[row] as usize);
    let who = process.map_or_else(
        || say!(en: "unknown process", zh: "未知进程"),
        |process| Message::verbatim(format!("{} ({})", process.name, process.pid)),
    );
    let (who, whom) = (who.en(), who.zh());
    let (path, target) = (batch.path.get(row), batch.target.get(row));
    let operation = batch.operation_full[row];
    let servicing = process.is_some_and(|process| is_servicing_process(&process.name));
    let failed = !options.rules.is_benign(batch.status[row]);
    let what = match operation {
        "Process Start" => Some((
            MarkerKind::Process,
            say!(en: "{who} starts", zh: "{whom} 启动"),
        )),
        "Process Exit" => Some((
            MarkerKind::Process,
            say!(en: "{who} ends", zh: "{whom} 结束"),
        )),
        "RegSetValue" if is_execute_state(path) => Some((
            MarkerKind::ExecuteState,
            say!(en: "{who} sets ExecuteState", zh: "{whom} 设置 ExecuteState"),
        )),
        "RegLoadKey" | "Hive Init" | "Hive Link" if is_servicing_hive(path, target) => Some((
            MarkerKind::Hive,
            say!(en: "{who} loads {path} from {target}", zh: "{whom} 从 {target} 加载 {path}"),
        )),
        "RegUnloadKey" | "Hive Destroy" if is_servicing_hive(path, target) => Some((
            MarkerKind::Hive,
            say!(en: "{who} unloads {path}", zh: "{whom} 卸载 {path}"),
        )),
        _ if servicing && failed && batch.class[row] != Class::Process => {
            let text = say!(en: "{who} {operation} {path}", zh: "{whom} {operation} {path}");
            Some((MarkerKind::Failure, text))
        }
        _ => None,
    };
    let (mut kind, mut text) = what?;
    if let Some(status) = batch.status[row].filter(|_| failed) {
        kind = MarkerKind::Failure;
        let mut result = String::new();
        write_result(status, &mut result);
        let (what, done) = (text.en(), text.zh());
        text = say!(en: "{what}: {result}", zh: "{done}：{result}");
    }
    Some(TimelineRow {
        time: batch.time[row],
        input: input.name.clone(),
        kind,
        text,
    })
}
