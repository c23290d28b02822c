//! `fltscope info`: what a trace holds.

use super::args::{GlobalArgs, InfoArgs};
use super::open::open_for_info;
use super::output::print;
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::{Observers, identify};
use crate::etl::EtlFacts;
use crate::report::info::{InfoReport, text};
use crate::trace::{Trace as _, TraceInfo};

/// Runs the command.
pub fn run(args: &InfoArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let bars = Bars::new(global.quiet);
    let opened = open_for_info(&args.files, &bars);
    if opened.traces.is_empty() && opened.censuses.is_empty() {
        return Err(opened.nothing_usable());
    }
    opened.warn();
    let mut printed = 0;
    let mut show = |name: &str, info: &TraceInfo, etl: Option<&EtlFacts>| {
        let drivers = identify(info, &Observers::default());
        let report = InfoReport::new(name, info, &drivers, etl);
        if args.json {
            let mut line = serde_json::to_string(&report).map_err(std::io::Error::from)?;
            line.push('\n');
            return print(&line);
        }
        if printed > 0 {
            print("\n")?;
        }
        printed += 1;
        print(&text(&report, &drivers, &global.tz))
    };
    for at in 0..=opened.traces.len() {
        for etl in opened.censuses.iter().filter(|etl| etl.position == at) {
            show(&etl.name, &etl.info, Some(&etl.facts))?;
        }
        if let Some((name, trace)) = opened.traces.get(at) {
            show(name, trace.info(), None)?;
        }
    }
    Ok(opened.status())
}
