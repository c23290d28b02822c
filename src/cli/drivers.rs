//! `fltscope drivers`: the kernel modules of a trace.

use super::args::{DriversArgs, DriversFormat, GlobalArgs};
use super::open::open_for_facts;
use super::output::{print, print_json};
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::{Driver, Observers, identify};
use crate::report::drivers::{csv, json, text};
use crate::visible::json::Layout;

/// Runs the command.
pub fn run(args: &DriversArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let bars = Bars::new(global.quiet);
    let opened = open_for_facts(&args.files, args.archives.options()?, &bars);
    if opened.traces.is_empty() {
        return Err(opened.nothing_usable());
    }
    opened.warn(global.reader().lang);
    let all: Vec<(String, Vec<Driver>)> = opened
        .traces
        .iter()
        .map(|(name, trace)| {
            let mut list = identify(trace.info(), &Observers::default()).list;
            list.retain(|driver| driver.third_party || !args.third_party);
            (name.clone(), list)
        })
        .collect();
    match args.format {
        DriversFormat::Text => print(&text(&all, args.third_party, global.reader().lang))?,
        DriversFormat::Csv => print(&csv(&all)?)?,
        DriversFormat::Json => print_json(&json(&all), Layout::Pretty)?,
    }
    Ok(opened.status().under_strict(args.strict, &opened.losses()))
}
