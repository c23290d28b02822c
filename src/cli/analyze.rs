//! `fltscope analyze`: from a case to findings.

use super::args::{AnalyzeArgs, FailOn, GlobalArgs, ReportFormat, WindowArg};
use super::folder::ReportFolder;
use super::logs::read_logs;
use super::open::{of_file, open_case};
use super::output::{not_an_input, print, print_whole, warn};
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::DriverList;
use crate::export::csv::CsvStyle;
use crate::export::xlsx::Book;
use crate::export::{Column, EventFiles, Filter, Table};
use crate::findings::{
    Case, CaseInput, Findings, Nobody, Options, Rules, Verdict, WindowChoice, analyze_before,
    identify_drivers,
};
use crate::input::text::TextOptions;
use crate::lang::Message;
use crate::report::sheets::{last_event, sheets};
use crate::report::{drivers::findings_csv, html, summary};
use crate::trace::Zone;
use crate::visible::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Runs the command.
pub fn run(args: &AnalyzeArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let options = options_of(args)?;
    if args.batch {
        return super::batch::run(args, global, &options);
    }
    let out = args.out.as_deref();
    let bars = Bars::new(global.quiet);
    let mut done =
        run_case(&args.inputs, out, args, global, &options, &bars).map_err(|stop| stop.error)?;
    for reason in &done.unreadable {
        warn(reason, global.reader().lang);
    }
    let findings = &mut done.findings;
    match args.format {
        ReportFormat::Json => print_whole(|out| write_json(findings, out))?,
        ReportFormat::Text if global.quiet => {}
        ReportFormat::Text => {
            let mut text = summary::text(findings, global.reader(), out);
            if args.xlsx {
                text.push_str(
                    global
                        .reader()
                        .lang
                        .pick("Workbook: report.xlsx\n", "工作簿：report.xlsx\n"),
                );
            }
            print(&text)?;
        }
    }
    // The summary tells of it at length.
    if global.quiet || args.format != ReportFormat::Text {
        for loss in &done.losses {
            warn(loss, global.reader().lang);
        }
    }
    let status = if !done.unreadable.is_empty() {
        Status::InputUnreadable
    } else if args.fail_on.is_some_and(|bound| is_met(bound, findings)) {
        Status::FailOn
    } else {
        Status::Done
    };
    Ok(status.under_strict(args.strict, &done.losses))
}

/// A case that was analysed, its files written.
pub struct Done {
    /// What was found.
    pub findings: Findings,
    /// Inputs that could not be read at all, with the reason.
    pub unreadable: Vec<Message>,
    /// What of the others is lost.
    pub losses: Vec<Message>,
}

/// Why a case was not analysed.
pub struct Stop {
    /// Whether that is because nothing in it can be read.
    pub unreadable: bool,
    /// What to tell.
    pub error: CliError,
}

impl<E: Into<CliError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self {
            unreadable: false,
            error: error.into(),
        }
    }
}

/// Analyses the case that `inputs` are together, and writes its files into `out`.
pub fn run_case(
    inputs: &[PathBuf],
    out: Option<&Path>,
    args: &AnalyzeArgs,
    global: &GlobalArgs,
    options: &Options,
    bars: &Bars,
) -> Result<Done, Stop> {
    if let Some(folder) = out {
        ReportFolder::check(folder, &files(args), inputs, args.force)?;
    }
    // Tables of events have whole stacks, evidence has drivers.
    let asked = (&options.rules.scope, out.is_some());
    let mut opened = open_case(inputs, args.archives.options()?, asked, bars);
    if let Some(folder) = out {
        for name in files(args) {
            not_an_input(&folder.join(name), &opened.found)?;
        }
    }
    let text = TextOptions {
        encoding: args.log_encoding,
        ..TextOptions::default()
    };
    let logs = read_logs(&mut opened, &text, bars);
    if opened.traces.is_empty() && logs.is_empty() {
        return Err(Stop {
            unreadable: true,
            error: opened.nothing_usable(),
        });
    }
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
    let drivers = identify_drivers(&case, options);
    let mut folder = out.map(ReportFolder::new).transpose()?;
    let mut findings = match &mut folder {
        Some(folder) => analyze_with_tables(folder, args, &case, &drivers, options, bars)?,
        None => {
            let take = &mut |_, ()| Ok(());
            analyze_before(&case, &drivers, options, bars, (&Nobody::default(), take))?
        }
    };
    let notes = opened.part_notes.iter().map(|note| note.text.clone());
    findings.warnings.extend(notes);
    for reason in opened.unreadable.iter().chain(&opened.passed_over) {
        findings.warnings.push(reason.clone());
    }
    for note in &opened.input_notes {
        match findings
            .inputs
            .iter_mut()
            .find(|input| input.path == note.input)
        {
            Some(input) => input.warnings.push(note.text.clone()),
            None => findings.warnings.push(of_file(&note.input, &note.text)),
        }
    }
    if let Some(folder) = folder {
        let case = (&case, &drivers[..]);
        write_folder(folder, (args, global), case, options, &mut findings, bars)?;
    }
    let mut losses = opened.losses();
    losses.extend(case.logs.losses());
    if !args.batch {
        let traces = opened.traces.iter_mut();
        traces.for_each(|(_, trace)| trace.leave_memory());
    }
    Ok(Done {
        losses,
        findings,
        unreadable: opened.unreadable,
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

/// Whether `--fail-on` is met.
pub fn is_met(bound: FailOn, findings: &Findings) -> bool {
    findings.flagged().any(|driver| match bound {
        FailOn::Implicated => driver.verdict == Verdict::Implicated,
        FailOn::Touched => true,
    })
}

/// Writes findings as JSON.
fn write_json(findings: &mut Findings, out: impl Write) -> io::Result<()> {
    let drivers = std::mem::take(&mut findings.drivers);
    let written = json::write_with_list(findings, ("drivers", &drivers), out);
    findings.drivers = drivers;
    written
}

/// Columns of the event tables, and zone of their times.
fn event_columns() -> (Vec<Column>, Zone) {
    (Column::defaults(true), Zone::UTC)
}

/// The event tables of a report over what passes `filter`.
fn event_tables<'a>(
    case: &'a Case<'a>,
    drivers: &'a [DriverList],
    filter: &'a Filter,
    (columns, zone): &'a (Vec<Column>, Zone),
) -> Vec<Table<'a>> {
    case.inputs
        .iter()
        .zip(drivers)
        .map(|(input, drivers)| {
            Table::new(input.trace, drivers, &input.name, columns, filter, zone)
        })
        .collect()
}

/// Analyses a case and writes the tables of the events that count, which are decoded once for both.
fn analyze_with_tables(
    folder: &mut ReportFolder,
    args: &AnalyzeArgs,
    case: &Case<'_>,
    drivers: &[DriverList],
    options: &Options,
    bars: &Bars,
) -> Result<Findings, CliError> {
    // The analysis itself knows which events count.
    let (filter, columns) = (Filter::default(), event_columns());
    let tables = event_tables(case, drivers, &filter, &columns);
    let style = CsvStyle {
        neutralise: true,
        bom: args.bom,
        ..CsvStyle::default()
    };
    let files = EventFiles::new(&tables, &style);
    let mut csv = folder.begin("events.csv")?;
    let mut parquet = match cfg!(feature = "parquet") {
        true => Some(folder.begin("events.parquet")?),
        false => None,
    };
    let mut work = || {
        let parquet = parquet.as_mut().map(|out| out as &mut (dyn Write + Send));
        let mut outputs = files.begin(&mut csv, parquet)?;
        let take = &mut |trace, rendered| outputs.write(trace, rendered);
        let findings = analyze_before(case, drivers, options, bars, (&files, take))?;
        outputs.finish()?;
        Ok(findings)
    };
    let result = work();
    let drafts = std::iter::once(csv).chain(parquet).collect();
    folder.add(drafts, result)
}

/// Writes what else goes into `--out`.
fn write_folder(
    mut folder: ReportFolder,
    (args, global): (&AnalyzeArgs, &GlobalArgs),
    (case, drivers): (&Case<'_>, &[DriverList]),
    options: &Options,
    findings: &mut Findings,
    bars: &Bars,
) -> Result<(), CliError> {
    if args.xlsx {
        let filter = Filter {
            from: findings.window.start,
            to: findings.window.end,
            driver_store: true,
            rules: options.rules.clone(),
            ..Filter::default()
        };
        let columns = event_columns();
        let tables = event_tables(case, drivers, &filter, &columns);
        let mut book = Book::new(folder.path(), last_event(findings))?;
        for (name, table) in sheets(findings) {
            book.add_small(name, &table)?;
        }
        book.add_events(&tables, bars)?;
        folder.write("report.xlsx", |out| book.save(out))?;
    }
    folder.write("drivers.csv", |out| {
        out.write_all(&findings_csv(findings, args.bom)?)
    })?;
    folder.write("report.html", |out| {
        out.write_all(html::page(findings, global.reader())?.as_bytes())
    })?;
    // Last, so that whoever waits for it finds the rest in place.
    folder.write("findings.json", |out| write_json(findings, out))?;
    folder.keep()
}

/// The files of a report.
fn files(args: &AnalyzeArgs) -> Vec<&'static str> {
    let mut out = vec!["events.csv", "drivers.csv", "report.html", "findings.json"];
    if cfg!(feature = "parquet") {
        out.push("events.parquet");
    }
    if args.xlsx {
        out.push("report.xlsx");
    }
    out
}
