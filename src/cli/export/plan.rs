//! What an export is to write, from what was typed.

use crate::cli::CliError;
use crate::cli::args::{ExportArgs, ExportDialect, ExportFormat};
use crate::export::procmon::{ProcmonColumn, likely_dialect};
use crate::export::{Column, Format};
use crate::pml::detail::Dialect;
use crate::trace::TraceInfo;

/// The form of an export.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// A table of our own.
    Table(Format, Vec<Column>),
    /// Procmon's CSV.
    ProcmonCsv(Vec<ProcmonColumn>),
    /// Procmon's XML.
    ProcmonXml(Vec<ProcmonColumn>),
}

/// Decides the form, and refuses options that it has no use for.
pub fn plan(args: &ExportArgs) -> Result<Plan, CliError> {
    let format = format_of(args)?;
    let procmon = matches!(format, ExportFormat::ProcmonCsv | ExportFormat::ProcmonXml);
    if args.dialect.is_some() && !procmon {
        return usage("--dialect is for --format procmon-csv and procmon-xml");
    }
    match format {
        ExportFormat::Csv => Ok(Plan::Table(Format::Csv, columns(args)?)),
        ExportFormat::Parquet => Ok(Plan::Table(Format::Parquet, columns(args)?)),
        ExportFormat::Ndjson => Ok(Plan::Table(Format::Ndjson, columns(args)?)),
        ExportFormat::ProcmonCsv if args.stacks => {
            usage("Procmon's CSV has no stacks; --format procmon-xml and --format csv have them")
        }
        ExportFormat::ProcmonCsv => {
            let columns = procmon_columns(args, "procmon-csv", ProcmonColumn::ALL)?;
            Ok(Plan::ProcmonCsv(columns))
        }
        ExportFormat::ProcmonXml if args.bom => usage("--bom is for CSV"),
        ExportFormat::ProcmonXml if args.files.len() > 1 => {
            usage("--format procmon-xml takes one file: each file numbers its processes anew")
        }
        ExportFormat::ProcmonXml => {
            let columns = procmon_columns(args, "procmon-xml", &ProcmonColumn::SHOWN)?;
            Ok(Plan::ProcmonXml(columns))
        }
    }
}

/// The build of Procmon to write a log like.
pub fn dialect(args: &ExportArgs, info: &TraceInfo) -> Dialect {
    match args.dialect {
        // Whoever exports today has a newer Procmon, whatever recorded the log.
        None | Some(ExportDialect::Late2020) => Dialect::Late2020,
        Some(ExportDialect::Early2020) => Dialect::Early2020,
        Some(ExportDialect::Auto) => likely_dialect(info),
        Some(ExportDialect::Recent) => Dialect::Recent,
    }
}

fn usage<T>(sentence: impl Into<String>) -> Result<T, CliError> {
    Err(CliError::Usage(sentence.into()))
}

fn format_of(args: &ExportArgs) -> Result<ExportFormat, CliError> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let name = args.output.to_string_lossy();
    match Format::by_ending(&name) {
        Some(Format::Csv) => Ok(ExportFormat::Csv),
        Some(Format::Parquet) => Ok(ExportFormat::Parquet),
        Some(Format::Ndjson) => Ok(ExportFormat::Ndjson),
        None => usage(format!(
            "the ending of {} names no format (.csv, .parquet, .ndjson); add --format",
            args.output.display()
        )),
    }
}

fn columns(args: &ExportArgs) -> Result<Vec<Column>, CliError> {
    if args.columns.is_empty() {
        return Ok(Column::defaults(args.stacks));
    }
    let mut columns = Vec::with_capacity(args.columns.len() + 1);
    for name in &args.columns {
        match Column::by_name(name) {
            Some(column) => columns.push(column),
            None => {
                let names = Column::ALL.iter().map(|column| column.name());
                let hint = match ProcmonColumn::by_name(name) {
                    Some(_) => " (it is a column of --format procmon-csv)",
                    None => "",
                };
                return usage(unknown_column(name, hint, names));
            }
        }
    }
    if args.stacks && !columns.contains(&Column::Stack) {
        columns.push(Column::Stack);
    }
    Ok(columns)
}

fn procmon_columns(
    args: &ExportArgs,
    format: &str,
    default: &[ProcmonColumn],
) -> Result<Vec<ProcmonColumn>, CliError> {
    if args.columns.is_empty() {
        return Ok(default.to_vec());
    }
    let find = |name: &String| {
        ProcmonColumn::by_name(name).ok_or_else(|| {
            let names = ProcmonColumn::ALL.iter().map(|column| column.name());
            CliError::Usage(unknown_column(name, &format!(" in {format}"), names))
        })
    };
    args.columns.iter().map(find).collect()
}

fn unknown_column(name: &str, hint: &str, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.collect();
    format!(
        "there is no column '{name}'{hint}; there are {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Args, Command};
    use clap::Parser as _;

    fn planned(options: &[&str]) -> Result<Plan, String> {
        let words = ["fltscope", "export", "log.pml"].iter().chain(options);
        let args = Args::try_parse_from(words).map_err(|error| error.to_string())?;
        match &args.command {
            Command::Export(args) => plan(args).map_err(|error| error.to_string()),
            _ => Err("not an export".to_owned()),
        }
    }

    #[test]
    fn columns_belong_to_their_format() {
        assert_eq!(
            planned(&["-o", "x.csv", "--columns", "Time,path"]).unwrap(),
            Plan::Table(Format::Csv, vec![Column::Time, Column::Path])
        );
        let procmon = ["-o", "x.csv", "--format", "procmon-csv", "--columns"];
        assert_eq!(
            planned(&[&procmon[..], &["date & time,PID"]].concat()).unwrap(),
            Plan::ProcmonCsv(vec![ProcmonColumn::DateTime, ProcmonColumn::Pid])
        );
        let wrong = planned(&["-o", "x.csv", "--columns", "Time of Day"]).unwrap_err();
        assert!(wrong.contains("'Time of Day' (it is a column of --format procmon-csv)"));
        let wrong = planned(&[&procmon[..], &["duration_us"]].concat()).unwrap_err();
        assert!(wrong.contains("no column 'duration_us' in procmon-csv; there are Time of Day,"));
    }

    #[test]
    fn options_belong_to_their_format() {
        let csv = ["-o", "x.csv", "--format", "procmon-csv"];
        let xml = ["-o", "x.xml", "--format", "procmon-xml"];
        assert!(planned(&[&csv[..], &["--dialect", "2020-03", "--bom"]].concat()).is_ok());
        assert!(planned(&[&csv[..], &["--stacks"]].concat()).is_err());
        assert!(planned(&[&xml[..], &["--stacks", "--dialect", "recent"]].concat()).is_ok());
        assert!(planned(&[&xml[..], &["--bom"]].concat()).is_err());
        assert!(planned(&[&xml[..], &["other.pml"]].concat()).is_err());
        assert!(planned(&["-o", "x.csv", "--dialect", "2020-07"]).is_err());
        assert!(planned(&["-o", "x.txt"]).is_err());
    }
}
