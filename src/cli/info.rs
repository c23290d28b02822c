//! `fltscope info`: what a trace holds.

use super::args::{GlobalArgs, InfoArgs};
use super::open::{OpenTrace, open_for_facts};
use super::output::{print, print_json};
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::{Observers, identify};
use crate::lang::Message;
use crate::report::info::{InfoReport, text};
use crate::visible::json::Layout;

/// Runs the command.
pub fn run(args: &InfoArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let bars = Bars::new(global.quiet);
    let opened = open_for_facts(&args.files, args.archives.options()?, &bars);
    if opened.traces.is_empty() {
        return Err(opened.nothing_usable());
    }
    opened.warn(global.reader().lang);
    for (at, (name, trace)) in opened.traces.iter().enumerate() {
        let info = trace.info();
        let drivers = identify(info, &Observers::default());
        let etl = match trace {
            OpenTrace::Etl(trace) => Some((trace.etl_facts(), &**trace)),
            OpenTrace::Pml(_) => None,
        };
        let etl = etl.as_ref().map(|(etl, facts)| (etl, *facts));
        let mut report = InfoReport::new(name, info, &drivers, etl);
        let notes = opened.part_notes.iter().filter(|note| note.trace == at);
        let lost = opened.input_notes.iter().filter(|note| note.input == *name);
        let notes = notes.map(|note| note.text.clone());
        let notes: Vec<Message> = notes.chain(lost.map(|note| note.text.clone())).collect();
        if !notes.is_empty() {
            report.warnings.to_mut().extend(notes);
        }
        if args.json {
            print_json(&report, Layout::Line)?;
            continue;
        }
        if at > 0 {
            print("\n")?;
        }
        print(&text(&report, &drivers, global.reader()))?;
    }
    Ok(opened.status().under_strict(args.strict, &opened.losses()))
}
