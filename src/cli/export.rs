//! `fltscope export`: events as a table, or in Procmon's own formats.

mod plan;

use super::args::{ExportArgs, GlobalArgs};
use super::open::{OpenTrace, of_file, open_all};
use super::output::{check_writable, not_an_input, warn, write_file};
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::{DriverList, identify};
use crate::export::csv::CsvStyle;
use crate::export::procmon::{Export, write_csv, write_xml};
use crate::export::{Filter, Format, Table, TextFormat, write_text};
use crate::findings::Rules;
use crate::trace::{Progress, Trace as _};
use plan::Plan;
use std::io::{self, Write};

/// Runs the command.
pub fn run(args: &ExportArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let plan = plan::plan(args)?;
    let filter = filter_of(args)?;
    let stdout = args.output.as_os_str() == "-";
    if !stdout {
        not_an_input(&args.output, &args.files)?;
        check_writable(&args.output)?;
    }
    let scope = filter.driver_store.then_some(&filter.rules.scope);
    let (bars, lang) = (Bars::new(global.quiet), global.reader().lang);
    let opened = open_all(&args.files, args.archives.options()?, scope, &bars);
    // A table with a file missing would pass for the whole.
    if opened.traces.is_empty() || opened.status() != Status::Done {
        return Err(opened.nothing_usable());
    }
    if !stdout {
        not_an_input(&args.output, &opened.found)?;
    }
    for reason in &opened.passed_over {
        warn(reason, lang);
    }
    for note in &opened.input_notes {
        warn(&of_file(&note.input, &note.text), lang);
    }
    let losses = opened.losses();
    opened.warn_of_losses(lang);
    for note in opened.part_notes.iter().filter(|note| !note.is_loss) {
        warn(&note.text, lang);
    }
    let traces = &opened.traces;
    if matches!(plan, Plan::ProcmonXml(_)) && traces.len() > 1 {
        return Err(CliError::Usage(format!(
            "procmon-xml takes one log, {} were given: its process numbers are those of one log",
            traces.len()
        )));
    }
    if let (Plan::ProcmonXml(_) | Plan::ProcmonCsv(_), Some(name)) = (&plan, first_etl(traces)) {
        return Err(CliError::Usage(format!(
            "Procmon's own formats take Procmon logs only: {name} is a Windows trace log"
        )));
    }
    let drivers: Vec<DriverList> = traces
        .iter()
        .map(|(_, trace)| identify(trace.info(), &filter.rules.observers))
        .collect();
    let job = Job {
        args,
        global,
        filter: &filter,
        traces,
        drivers: &drivers,
    };
    let write = |out: &mut (dyn Write + Send)| job.write(&plan, out, &bars);
    let rows = if stdout {
        write(&mut io::stdout())?
    } else {
        write_file(&args.output, write)?
    };
    if !global.quiet && !stdout {
        let _ = writeln!(
            anstream::stderr(),
            "{rows} events written to {}",
            args.output.display()
        );
    }
    Ok(Status::Done.under_strict(args.strict, &losses))
}

/// The first of the traces that is no Procmon log.
fn first_etl(traces: &[(String, OpenTrace)]) -> Option<&str> {
    let etl = |(_, trace): &&(String, OpenTrace)| matches!(trace, OpenTrace::Etl(_));
    traces.iter().find(etl).map(|(name, _)| name.as_str())
}

/// An export that is ready to be written.
struct Job<'a> {
    args: &'a ExportArgs,
    global: &'a GlobalArgs,
    filter: &'a Filter,
    traces: &'a [(String, OpenTrace)],
    drivers: &'a [DriverList],
}

impl Job<'_> {
    fn write(
        &self,
        plan: &Plan,
        out: &mut (dyn Write + Send),
        progress: &dyn Progress,
    ) -> io::Result<u64> {
        match plan {
            Plan::Table(format, columns) => {
                let tables: Vec<Table<'_>> = self
                    .traces
                    .iter()
                    .zip(self.drivers)
                    .map(|((name, trace), drivers)| {
                        Table::new(
                            trace.trace(),
                            drivers,
                            name,
                            columns,
                            self.filter,
                            &self.global.tz,
                        )
                    })
                    .collect();
                let style = CsvStyle {
                    zone: self.global.tz.clone(),
                    neutralise: false,
                    bom: self.args.bom,
                };
                write_table(&tables, *format, &style, out, progress)
            }
            Plan::ProcmonCsv(columns) => {
                let exports: Vec<Export<'_>> = self.exports().collect();
                write_csv(&exports, columns, out, progress)
            }
            // The plan takes one file for this form.
            Plan::ProcmonXml(columns) => self.exports().next().map_or(Ok(0), |export| {
                write_xml(&export, columns, self.args.stacks, out, progress)
            }),
        }
    }

    fn exports(&self) -> impl Iterator<Item = Export<'_>> {
        self.traces
            .iter()
            .zip(self.drivers)
            .filter_map(|((_, trace), drivers)| match trace {
                OpenTrace::Pml(trace) => Some((&**trace, drivers)),
                OpenTrace::Etl(_) => None,
            })
            .map(|(trace, drivers)| Export {
                trace,
                drivers,
                filter: self.filter,
                dialect: plan::dialect(self.args, trace.info()),
                zone: &self.global.tz,
            })
    }
}

/// Writes tables in a format.
pub fn write_table(
    tables: &[Table<'_>],
    format: Format,
    style: &CsvStyle,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> io::Result<u64> {
    match format {
        Format::Csv => write_text(tables, TextFormat::Csv(style), out, progress),
        Format::Ndjson => write_text(tables, TextFormat::Ndjson, out, progress),
        #[cfg(feature = "parquet")]
        Format::Parquet => crate::export::parquet::write(tables, out, progress),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this fltscope was built without Parquet (cargo feature 'parquet')",
        )),
    }
}

fn filter_of(args: &ExportArgs) -> Result<Filter, CliError> {
    let rules = match &args.rules {
        Some(path) => Rules::read(path).map_err(|error| CliError::Usage(error.to_string()))?,
        None => Rules::default(),
    };
    let mut filter = Filter {
        from: args.from,
        to: args.to,
        classes: args.class.clone(),
        operations: args.operation.clone(),
        pids: args.pid.clone(),
        tids: args.tid.clone(),
        failures: args.failures,
        driver_store: args.driver_store,
        third_party: args.third_party,
        rules,
        ..Filter::default()
    };
    filter
        .set_processes(&args.process)
        .map_err(CliError::Usage)?;
    filter.set_paths(&args.path).map_err(CliError::Usage)?;
    filter.set_results(&args.result).map_err(CliError::Usage)?;
    Ok(filter)
}
