//! `fltscope analyze --batch`: many cases, several at a time, and one summary over all of them.

use super::analyze::{Done, is_met, run_case};
use super::args::{AnalyzeArgs, GlobalArgs, ReportFormat};
use super::folder::ReportFolder;
use super::output::{print, print_json, warn};
use super::progress::Bars;
use super::{CliError, Status};
use crate::export::small::SmallTable;
use crate::export::xlsx::Book;
use crate::findings::Options;
use crate::input::cases::{FoundCase, find_cases};
use crate::lang::{Lang, Message};
use crate::report::batch::{CaseFacts, CaseRow, CaseStatus, in_short, summary_table, text};
use crate::say;
use crate::stop;
use crate::trace::room::is_capped;
use crate::visible::json::Layout;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Cases worked on at a time. Each uses all threads while it decodes; two or more fill the gaps in which one
/// opens files or writes its report. More would only need more memory.
const IN_FLIGHT: usize = 4;

/// Files over all cases; no case may be called so.
const SUMMARIES: &[&str] = &["summary.csv", "summary.parquet", "summary.xlsx"];

/// Runs the command.
pub fn run(args: &AnalyzeArgs, global: &GlobalArgs, options: &Options) -> Result<Status, CliError> {
    let out = args.out.as_deref();
    let real = out.and_then(|out| out.canonicalize().ok());
    let is_out = |input: &&PathBuf| real.is_some() && input.canonicalize().ok() == real;
    if let Some(input) = args.inputs.iter().find(is_out) {
        // Reports would lie among the cases, and be cases the next time.
        return Err(CliError::Usage(format!(
            "{} holds the cases: name another folder for the reports",
            input.display()
        )));
    }
    if let Some(folder) = out {
        ReportFolder::check(folder, &summaries(args), &args.inputs, args.force)?;
    }
    let found = find_cases(&args.inputs, out, SUMMARIES);
    if found.cases.is_empty() {
        return Err(CliError::input(found.errors.join("\n  ")));
    }
    let board = Board::new(found.cases.len(), global);
    let done = all_cases(&found.cases, args, global, options, &board);
    board.bar.finish_and_clear();
    for reason in found.errors.iter().chain(&found.loose) {
        warn(&Message::verbatim(reason.clone()), global.reader().lang);
    }
    let (rows, ends): (Vec<CaseRow>, Vec<End>) = done.into_iter().unzip();
    let losses: Vec<Message> = ends.iter().flat_map(|end| end.losses.clone()).collect();
    let table = summary_table(&rows);
    // A summary over a part of the cases would pass for the whole.
    stop::check()?;
    let files = match out {
        Some(folder) => write_summaries(folder, &rows, &table, args)?,
        None => Vec::new(),
    };
    match args.format {
        ReportFormat::Json => print_json(&table.json(), Layout::Pretty)?,
        ReportFormat::Text if global.quiet => {}
        ReportFormat::Text => print(&text(&rows, global.reader(), out, &files))?,
    }
    let whole = |row: &CaseRow| row.status == CaseStatus::Analysed;
    let status = if !found.errors.is_empty() || !rows.iter().all(whole) {
        Status::InputUnreadable
    } else if ends.iter().any(|end| end.met) {
        Status::FailOn
    } else {
        Status::Done
    };
    Ok(status.under_strict(args.strict, &losses))
}

/// The files over all cases that are asked for.
fn summaries(args: &AnalyzeArgs) -> Vec<&'static str> {
    let mut out = vec!["summary.csv"];
    if cfg!(feature = "parquet") {
        out.push("summary.parquet");
    }
    if args.xlsx {
        out.push("summary.xlsx");
    }
    out
}

fn write_summaries(
    folder: &Path,
    rows: &[CaseRow],
    table: &SmallTable,
    args: &AnalyzeArgs,
) -> Result<Vec<&'static str>, CliError> {
    let mut folder = ReportFolder::new(folder)?;
    folder.write("summary.csv", |out| out.write_all(&table.csv(args.bom)?))?;
    #[cfg(feature = "parquet")]
    folder.write("summary.parquet", |out| {
        crate::export::parquet::write_small(table, out)
    })?;
    if args.xlsx {
        let last = rows
            .iter()
            .filter_map(|row| row.facts.as_ref()?.window_end)
            .max();
        let mut book = Book::new(folder.path(), last)?;
        book.add_small("Summary", table)?;
        folder.write("summary.xlsx", |out| book.save(out))?;
    }
    folder.keep()?;
    Ok(summaries(args))
}

/// What decides the exit status, of a case.
#[derive(Default)]
struct End {
    /// It meets `--fail-on`.
    met: bool,
    /// What of its inputs is lost.
    losses: Vec<Message>,
}

/// Works through the cases; their rows in order, each with how it ended.
fn all_cases(
    cases: &[FoundCase],
    args: &AnalyzeArgs,
    global: &GlobalArgs,
    options: &Options,
    board: &Board,
) -> Vec<(CaseRow, End)> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, (CaseRow, End))>> = Mutex::new(Vec::with_capacity(cases.len()));
    // A cap on memory is one for all cases.
    let at_a_time = if is_capped() { 1 } else { IN_FLIGHT };
    let workers = at_a_time.min(rayon::current_num_threads()).min(cases.len());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at).filter(|_| !stop::is_requested()) else {
                return;
            };
            board.begins(&case.name);
            let row = one_case(case, args, global, options);
            board.ends(&row.0);
            lock(&done).push((at, row));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, row)| row).collect()
}

/// One case, whatever becomes of it.
fn one_case(
    case: &FoundCase,
    args: &AnalyzeArgs,
    global: &GlobalArgs,
    options: &Options,
) -> (CaseRow, End) {
    let folder = args.out.as_ref().map(|out| out.join(&case.name));
    let run = || {
        let bars = Bars::new(true);
        run_case(
            &case.inputs,
            folder.as_deref(),
            args,
            global,
            options,
            &bars,
        )
    };
    // A defect that one case brings to light must not cost the others their reports.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let path = case.inputs.first().map(|path| path.as_path());
    let mut row = CaseRow {
        case: case.name.clone(),
        path: path
            .map(Path::display)
            .map_or_else(String::new, |p| p.to_string()),
        status: CaseStatus::Analysed,
        reasons: Vec::new(),
        facts: None,
    };
    let mut end = End::default();
    match result {
        Ok(Ok(Done {
            findings,
            unreadable,
            losses,
        })) => {
            end.losses = losses;
            end.met = args.fail_on.is_some_and(|bound| is_met(bound, &findings));
            row.facts = Some(CaseFacts::of(&findings));
            if !unreadable.is_empty() {
                row.status = CaseStatus::Incomplete;
            }
            row.reasons = unreadable;
        }
        Ok(Err(stop)) => {
            row.status = match stop.unreadable {
                true => CaseStatus::Unreadable,
                false => CaseStatus::Failed,
            };
            row.reasons.push(stop.error.message());
        }
        Err(_) => {
            row.status = CaseStatus::Failed;
            row.reasons.push(say!(
                en: "an error inside fltscope, shown above: please report it with the log if you may",
                zh: "fltscope 内部错误，详见上文：如果可以，请连同日志一起报告",
            ));
        }
    }
    (row, end)
}

/// Shows how far the batch is: a bar with the cases in work, and a line for each that is done. On a terminal only.
struct Board {
    bar: ProgressBar,
    in_work: Mutex<Vec<String>>,
    lang: Lang,
}

impl Board {
    fn new(cases: usize, global: &GlobalArgs) -> Self {
        // indicatif draws nothing where stderr is no terminal.
        let target = match global.quiet {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(10),
        };
        let bar = ProgressBar::with_draw_target(Some(cases as u64), target).with_style(
            ProgressStyle::with_template("{bar:30} {pos} of {len} cases, {eta} left  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Self {
            bar,
            in_work: Mutex::default(),
            lang: global.reader().lang,
        }
    }

    fn begins(&self, case: &str) {
        let mut in_work = lock(&self.in_work);
        in_work.push(case.to_owned());
        self.bar.set_message(in_work.join(", "));
    }

    fn ends(&self, row: &CaseRow) {
        let mut in_work = lock(&self.in_work);
        in_work.retain(|case| *case != row.case);
        self.bar.set_message(in_work.join(", "));
        let line = format!("{}: {}", row.case, in_short(row, self.lang));
        // Lines go past anstream here, which would have dropped the colours that nobody wants.
        match anstream::AutoStream::choice(&std::io::stderr()) {
            anstream::ColorChoice::Never => {
                let plain = anstream::adapter::strip_str(&line).to_string();
                self.bar.println(plain);
            }
            _ => self.bar.println(line),
        }
        self.bar.inc(1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
