//! Every command and option, once: help, man page and completions come from here.

use super::CliError;
use super::locale::system_language;
use crate::export::class_by_name;
use crate::input::archive::{MOST_UNPACKED, Passwords, UnpackOptions};
use crate::input::text::LogEncoding;
use crate::lang::Lang;
use crate::report::reader::Reader;
use crate::servicing::UserWindow;
use crate::trace::time::parse_rfc3339;
use crate::trace::{Class, Filetime, Zone};
use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Names the third-party filter driver behind a failed Windows update
#[derive(Debug, Parser)]
#[command(
    name = "fltscope",
    version,
    about,
    long_about = "Names the third-party filter driver behind a failed Windows update.\n\nReads Procmon boot logs (PML), WPR boot traces (ETL), CBS.log and setupapi.dev.log on any platform, finds the time of the failure, and shows which third-party kernel drivers had their hands in the driver store then: how often, with which failures and delays, in which callbacks and on which stacks.",
    after_help = "Start with:  fltscope analyze case/ --out report/",
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options that every command has
#[derive(Debug, clap::Args)]
pub struct GlobalArgs {
    /// Threads to use [default: one a core]
    #[arg(long, global = true, value_name = "N", help_heading = "Common options")]
    pub threads: Option<NonZeroUsize>,
    /// Most memory for events that are in work at a time, as 64M; what a trace describes comes on top (docs/inputs.md)
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size, help_heading = "Common options")]
    pub memory: Option<u64>,
    /// No progress, and no summary on the terminal
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
    /// Show times in this zone: UTC, local, Europe/Berlin, +08:00 (files hold UTC)
    #[arg(long, global = true, value_name = "ZONE", default_value = "UTC", value_parser = Zone::parse, help_heading = "Common options")]
    pub tz: Zone,
    /// Language of texts for people: en or zh [default: as the system has it]; JSON and tables are the same in both
    #[arg(long, global = true, value_name = "LANG", value_parser = parse_lang, help_heading = "Common options")]
    pub lang: Option<Lang>,
}

impl GlobalArgs {
    /// Who reads what is printed.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            lang: self.lang.unwrap_or_else(system_language),
            zone: &self.tz,
        }
    }
}

fn parse_lang(text: &str) -> Result<Lang, String> {
    match text.to_ascii_lowercase().as_str() {
        "en" => Ok(Lang::En),
        "zh" | "zh-cn" => Ok(Lang::Zh),
        _ => Err("there is en (English) and zh (Simplified Chinese)".to_owned()),
    }
}

/// The commands
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the drivers that touched the driver store while an update was serviced
    #[command(after_long_help = ANALYZE_EXAMPLES)]
    Analyze(AnalyzeArgs),
    /// Show when the update failed: what logs and traces tell of it, on one axis of time
    #[command(after_long_help = WINDOW_EXAMPLES)]
    Window(WindowArgs),
    /// Show what a trace holds: machine, time range, events, drivers, gaps
    #[command(after_long_help = INFO_EXAMPLES)]
    Info(InfoArgs),
    /// List the kernel modules of a trace: who made them, and where filters sit
    #[command(after_long_help = DRIVERS_EXAMPLES)]
    Drivers(DriversArgs),
    /// Write events as a table: CSV, Parquet or NDJSON, or as Procmon itself writes them
    #[command(after_long_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Print a completion script for a shell
    #[command(after_long_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page a command into a folder
    #[command(after_long_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

const ANALYZE_EXAMPLES: &str = "Examples:
  Analyse all logs of a case and write tables beside the findings:
    fltscope analyze case/ --out report/
  Look at two minutes only:
    fltscope analyze boot_log.pml --out report/ --window 2026-05-12T06:41:00Z..2026-05-12T06:43:00Z
  The logs were written in another zone than the traces say:
    fltscope analyze case/ --out report/ --log-tz +08:00
  In a script: exit status 3 when a third-party driver failed or delayed an operation:
    fltscope analyze case/ --out report/ --quiet --fail-on implicated
  Many machines, a folder or an archive each:
    fltscope analyze --batch cases/ --out reports/

Exit status: 0 analysed; 1 an input could not be read at all, or nothing usable was given;
2 usage; 3 analysed, and --fail-on was met. With --strict, 1 also when anything of an input is lost:
the output is there all the same.";

const WINDOW_EXAMPLES: &str = "Examples:
    fltscope window case/
    fltscope window CBS.log setupapi.dev.log boot_log.pml --log-tz +08:00
    fltscope window case/ --json | jq .window

Exit status: 0 done; 1 an input could not be read at all, or with --strict anything of one is lost; 2 usage.";

const INFO_EXAMPLES: &str = "Examples:
    fltscope info boot_log.pml
    fltscope info boot_log.pml --json | jq .coverage
  In a script: is the file whole?
    fltscope info boot_log.pml --json --strict

Exit status: 0 done; 1 an input could not be read at all, or with --strict anything of one is lost; 2 usage.";

const DRIVERS_EXAMPLES: &str = "Examples:
    fltscope drivers boot_log.pml --third-party
    fltscope drivers boot_log.pml --format csv > drivers.csv

Exit status: 0 done; 1 an input could not be read at all, or with --strict anything of one is lost; 2 usage.";

const EXPORT_EXAMPLES: &str = "Examples:
  Everything, for DuckDB or pandas:
    fltscope export boot_log.pml -o events.parquet
  What failed on the driver store with a third-party driver on the stack:
    fltscope export boot_log.pml -o events.csv --driver-store --failures --third-party --stacks
  One package, two processes, on the terminal:
    fltscope export boot_log.pml -o - --format csv --path '*\\oposdrv.inf*' --process 'ti*.exe' --process poqexec.exe
  What Procmon would save on a machine in Berlin, with columns of your choice:
    fltscope export boot_log.pml -o Logfile.CSV --format procmon-csv --tz Europe/Berlin --columns 'Time of Day,Operation,Path,Result'

Patterns: * matches any characters, ? one; case is ignored. The columns are described in docs/events.md,
Procmon's own in docs/procmon-csv.md.

Exit status: 0 written; 1 an input could not be read at all, or with --strict anything of one is lost; 2 usage.";

const COMPLETIONS_EXAMPLES: &str = "Examples:
    fltscope completions bash > ~/.local/share/bash-completion/completions/fltscope
    fltscope completions powershell >> $PROFILE";

const MAN_EXAMPLES: &str = "Examples:
    fltscope man > fltscope.1
    fltscope man --dir man/";

/// How archives among the inputs are opened
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    /// File with the passwords of encrypted archives, one a line; each is tried
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Archives")]
    pub password_file: Option<PathBuf>,
    /// Most that may come out of the archives of a case, as 200G [default: 64G]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Archives")]
    pub unpack_limit: Option<u64>,
}

impl ArchiveArgs {
    /// What was asked for; reads the passwords.
    ///
    /// # Errors
    /// When there are none to read.
    pub fn options(&self) -> Result<UnpackOptions, CliError> {
        let passwords = self.password_file.as_deref().map(Passwords::read);
        Ok(UnpackOptions {
            most: self.unpack_limit.unwrap_or(MOST_UNPACKED),
            passwords: passwords
                .transpose()
                .map_err(CliError::Usage)?
                .unwrap_or_default(),
        })
    }
}

/// Bytes, with K, M, G or T for powers of 1,024.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (_, unit) = text.split_at(digits.len());
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err("expected a size such as 200G, 500M or 4096".to_owned()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a size such as 200G, 500M or 4096".to_owned())
}

/// Arguments of `analyze`
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    /// Case folder, or any mix of traces (.pml, .etl) and servicing logs (CBS.log, setupapi.dev.log)
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,
    /// INPUT holds many cases: each of its sub-folders and archives is one; --out gets a folder a case and summary.csv
    #[arg(long)]
    pub batch: bool,
    /// Folder for findings.json, events.csv, events.parquet, drivers.csv and report.html; made if it is not there
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Replace files in --out that are not of an earlier report
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Time to look at: auto, or START..END (RFC 3339; an end may be left open)
    #[arg(long, value_name = "auto|START..END", default_value = "auto", value_parser = parse_window)]
    pub window: WindowArg,
    /// Time zone the servicing logs were written in: +08:00, Europe/Berlin; by default as the logs or traces show it
    #[arg(long, value_name = "OFFSET", value_parser = Zone::parse, allow_hyphen_values = true)]
    pub log_tz: Option<Zone>,
    /// Code page of servicing logs that are neither UTF-8 nor UTF-16: 936, 1252, gbk; by default as it looks
    #[arg(long, value_name = "NAME")]
    pub log_encoding: Option<LogEncoding>,
    /// TOML file that changes paths, observers, benign results or the delay bound
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Evidence rows for each driver in findings.json
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub evidence: usize,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write report.xlsx as well: findings, drivers, evidence and events as sheets of one workbook
    #[arg(long, requires = "out")]
    pub xlsx: bool,
    /// Exit with status 3 when a third-party driver is flagged so, or worse
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
    /// Start CSV files with a byte order mark, by which Excel knows UTF-8
    #[arg(long)]
    pub bom: bool,
    /// Exit with status 1 when anything of an input is lost: a bad record, skipped bytes, a cut file, a missing table or part
    #[arg(long)]
    pub strict: bool,
    /// How archives are opened
    #[command(flatten)]
    pub archives: ArchiveArgs,
}

/// Arguments of `window`
#[derive(Debug, clap::Args)]
pub struct WindowArgs {
    /// Case folder, or any mix of traces (.pml, .etl) and servicing logs (CBS.log, setupapi.dev.log)
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub inputs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Time zone the servicing logs were written in: +08:00, Europe/Berlin; by default as the logs or traces show it
    #[arg(long, value_name = "OFFSET", value_parser = Zone::parse, allow_hyphen_values = true)]
    pub log_tz: Option<Zone>,
    /// Code page of servicing logs that are neither UTF-8 nor UTF-16: 936, 1252, gbk; by default as it looks
    #[arg(long, value_name = "NAME")]
    pub log_encoding: Option<LogEncoding>,
    /// Exit with status 1 when anything of an input is lost: a bad record, skipped bytes, a cut file, a missing table or part
    #[arg(long)]
    pub strict: bool,
    /// How archives are opened
    #[command(flatten)]
    pub archives: ArchiveArgs,
}

/// `--window`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowArg {
    /// By the best source there is
    Auto,
    /// As given
    User(UserWindow),
}

fn parse_window(text: &str) -> Result<WindowArg, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(WindowArg::Auto);
    }
    text.parse().map(WindowArg::User)
}

/// Format of what `analyze` prints
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A summary for people
    Text,
    /// findings.json
    Json,
}

/// `--fail-on`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A third-party driver is implicated
    Implicated,
    /// A third-party driver touched the driver store
    Touched,
}

/// Arguments of `info`
#[derive(Debug, clap::Args)]
pub struct InfoArgs {
    /// Trace files
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Print one JSON object a file
    #[arg(long)]
    pub json: bool,
    /// Exit with status 1 when anything of an input is lost: a bad record, skipped bytes, a cut file, a missing table or part
    #[arg(long)]
    pub strict: bool,
    /// How archives are opened
    #[command(flatten)]
    pub archives: ArchiveArgs,
}

/// Arguments of `drivers`
#[derive(Debug, clap::Args)]
pub struct DriversArgs {
    /// Trace files
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Only drivers that are not Microsoft's
    #[arg(long)]
    pub third_party: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = DriversFormat::Text)]
    pub format: DriversFormat,
    /// Exit with status 1 when anything of an input is lost: a bad record, skipped bytes, a cut file, a missing table or part
    #[arg(long)]
    pub strict: bool,
    /// How archives are opened
    #[command(flatten)]
    pub archives: ArchiveArgs,
}

/// Format of what `drivers` prints
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriversFormat {
    /// A table for people
    Text,
    /// Comma-separated values
    Csv,
    /// A JSON array
    Json,
}

/// Arguments of `export`
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Trace files; the parts of a split log are put in the order of their numbers
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// File to write, its ending names the format; - for stdout
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Format, where the ending does not say it
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// Columns, in this order, with commas between them [default: all but stack; Procmon's, as it exports them]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Add the stack: a column of frames as driver.sys+0x1234, innermost first, or elements of procmon-xml
    #[arg(long)]
    pub stacks: bool,
    /// Build of Procmon to write like, for Procmon's own formats [default: 2020-07]
    #[arg(long, value_enum, value_name = "BUILD")]
    pub dialect: Option<ExportDialect>,
    /// Start a CSV with a byte order mark, by which Excel knows UTF-8
    #[arg(long)]
    pub bom: bool,
    /// Exit with status 1 when anything of an input is lost: a bad record, skipped bytes, a cut file, a missing table or part
    #[arg(long)]
    pub strict: bool,
    /// Only events from this time on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_rfc3339, help_heading = "Filters")]
    pub from: Option<Filetime>,
    /// Only events up to this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_rfc3339, help_heading = "Filters")]
    pub to: Option<Filetime>,
    /// Only this class: file, registry, process, network, profiling, ipc, minifilter, kernel, event
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = parse_class, help_heading = "Filters")]
    pub class: Vec<Class>,
    /// Only this operation, as CreateFile
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub operation: Vec<String>,
    /// Only processes whose name matches, as 'ti*.exe'
    #[arg(long, value_name = "PATTERN", help_heading = "Filters")]
    pub process: Vec<String>,
    /// Only this process id
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub pid: Vec<u32>,
    /// Only this thread id
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub tid: Vec<u32>,
    /// Only paths (or targets of renames and links) that match, as '*\oposdrv.inf*'
    #[arg(long, value_name = "PATTERN", help_heading = "Filters")]
    pub path: Vec<String>,
    /// Only this result, as 'ACCESS DENIED' or 0xC0000022
    #[arg(
        long,
        value_name = "RESULT",
        value_delimiter = ',',
        help_heading = "Filters"
    )]
    pub result: Vec<String>,
    /// Only operations that failed with a result that is not benign
    #[arg(long, help_heading = "Filters")]
    pub failures: bool,
    /// Only operations on driver-store paths
    #[arg(long, help_heading = "Filters")]
    pub driver_store: bool,
    /// Only operations with a third-party driver on the stack
    #[arg(long, help_heading = "Filters")]
    pub third_party: bool,
    /// TOML file that changes what --driver-store and --failures mean
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Filters")]
    pub rules: Option<PathBuf>,
    /// How archives are opened
    #[command(flatten)]
    pub archives: ArchiveArgs,
}

fn parse_class(name: &str) -> Result<Class, String> {
    class_by_name(name).ok_or_else(|| {
        "there is no class of that name; there are file, registry, process, network, profiling, ipc, minifilter, kernel, event"
            .to_owned()
    })
}

/// Format of a table
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values
    Csv,
    /// Apache Parquet
    Parquet,
    /// One JSON object a line
    Ndjson,
    /// The CSV that Procmon itself writes, byte for byte
    ProcmonCsv,
    /// The XML that Procmon itself writes
    ProcmonXml,
}

/// `--dialect`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportDialect {
    /// The build that recorded the log, by the driver it names
    Auto,
    /// Builds with PROCMON23.SYS: a directory listing does not name its information class
    #[value(name = "2020-03")]
    Early2020,
    /// Builds with PROCMON24.SYS: the information class stands third and hides an entry
    #[value(name = "2020-07")]
    Late2020,
    /// Builds since: the information class stands first; known from quoted lines only
    Recent,
}

/// Arguments of `completions`
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder for one page a command
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("4096", 4_096),
            ("1k", 1_024),
            ("200G", 200 << 30),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes));
        }
        for bad in ["", "G", "-1", "1.5G", "1X", "99999999999T"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
