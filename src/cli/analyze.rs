//! `fltscope analyze`: from a case to findings.

use super::args::{AnalyzeArgs, FailOn, GlobalArgs, ReportFormat, WindowArg};
use super::export::write_table;
use super::logs::read_logs;
use super::open::open_case;
use super::output::{print, write_file};
use super::progress::Bars;
use super::{CliError, Status};
use crate::export::csv::CsvStyle;
use crate::export::{Column, Filter, Format, Table};
use crate::findings::{
    Case, CaseInput, Findings, Options, Outcome, Rules, Verdict, WindowChoice, analyze,
};
use crate::input::text::TextOptions;
use crate::report::{drivers::findings_csv, html, summary};
use std::io;
use std::path::Path;

/// Runs the command.
pub fn run(args: &AnalyzeArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let options = options_of(args)?;
    let bars = Bars::new(global.quiet);
    let mut opened = open_case(&args.inputs, &bars);
    let text = TextOptions {
        encoding: args.log_encoding,
        ..TextOptions::default()
    };
    let logs = read_logs(&mut opened, &text, &bars);
    if opened.traces.is_empty() && logs.is_empty() {
        return Err(opened.nothing_usable());
    }
    opened.warn();
    let case = Case {
        logs,
        inputs: opened
            .traces
            .iter()
            .map(|(name, trace)| CaseInput {
                name: name.clone(),
                trace: trace.trace(),
            })
            .collect(),
    };
    let mut outcome = analyze(&case, &options, &bars)?;
    for reason in opened.unreadable.iter().chain(&opened.passed_over) {
        outcome.findings.warnings.push(reason.clone());
    }
    if let Some(folder) = &args.out {
        write_folder(folder, args, global, &case, &options, &outcome, &bars)?;
    }
    let findings = &outcome.findings;
    match args.format {
        ReportFormat::Json => print(&json(findings)?)?,
        ReportFormat::Text if global.quiet => {}
        ReportFormat::Text => print(&summary::text(findings, &global.tz, args.out.as_deref()))?,
    }
    Ok(if opened.status() != Status::Done {
        opened.status()
    } else if args.fail_on.is_some_and(|bound| is_met(bound, findings)) {
        Status::FailOn
    } else {
        Status::Done
    })
}

fn options_of(args: &AnalyzeArgs) -> Result<Options, CliError> {
    let rules = match &args.rules {
        Some(path) => Rules::read(path).map_err(|error| CliError::Usage(error.to_string()))?,
        None => Rules::default(),
    };
    Ok(Options {
        rules,
        window: match args.window {
            WindowArg::Auto => WindowChoice::Auto,
            WindowArg::User(window) => WindowChoice::User(window),
        },
        evidence: args.evidence,
        log_zone: args.log_tz.clone(),
    })
}

fn is_met(bound: FailOn, findings: &Findings) -> bool {
    findings.flagged().any(|driver| match bound {
        FailOn::Implicated => driver.verdict == Verdict::Implicated,
        FailOn::Touched => true,
    })
}

fn json(findings: &Findings) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(findings)?;
    text.push('\n');
    Ok(text)
}

/// Writes everything that goes into `--out`.
fn write_folder(
    folder: &Path,
    args: &AnalyzeArgs,
    global: &GlobalArgs,
    case: &Case<'_>,
    options: &Options,
    outcome: &Outcome,
    bars: &Bars,
) -> Result<(), CliError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| CliError::Input(format!("{}: {error}", folder.display())))?;
    let findings = &outcome.findings;
    let filter = Filter {
        from: findings.window.start,
        to: findings.window.end,
        driver_store: true,
        rules: options.rules.clone(),
        ..Filter::default()
    };
    let columns = Column::defaults(true);
    let utc = crate::trace::Zone::UTC;
    let tables: Vec<Table<'_>> = case
        .inputs
        .iter()
        .zip(&outcome.drivers)
        .map(|(input, drivers)| {
            Table::new(input.trace, drivers, &input.name, &columns, &filter, &utc)
        })
        .collect();
    let style = CsvStyle {
        neutralise: true,
        bom: args.bom,
        ..CsvStyle::default()
    };
    let mut formats = vec![(Format::Csv, "events.csv")];
    if cfg!(feature = "parquet") {
        formats.push((Format::Parquet, "events.parquet"));
    }
    for (format, name) in formats {
        write_file(&folder.join(name), |out| {
            write_table(&tables, format, &style, out, bars)
        })?;
    }
    write_file(&folder.join("drivers.csv"), |out| {
        out.write_all(&findings_csv(findings, args.bom)?)
    })?;
    write_file(&folder.join("report.html"), |out| {
        out.write_all(html::page(findings, &global.tz)?.as_bytes())
    })?;
    // Last, so that whoever waits for it finds the rest in place.
    write_file(&folder.join("findings.json"), |out| {
        out.write_all(json(findings)?.as_bytes())
    })
}
