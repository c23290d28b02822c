//! `fltscope info`: what a trace holds.

use super::args::{GlobalArgs, InfoArgs};
use super::open::open_all;
use super::output::print;
use super::progress::Bars;
use super::{CliError, Status};
use crate::drivers::{Observers, identify};
use crate::report::info::{InfoReport, text};
use crate::trace::Trace as _;

/// Runs the command.
pub fn run(args: &InfoArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let bars = Bars::new(global.quiet);
    let opened = open_all(&args.files, &bars);
    if opened.traces.is_empty() {
        return Err(opened.nothing_usable());
    }
    opened.warn();
    for (at, (name, trace)) in opened.traces.iter().enumerate() {
        let info = trace.info();
        let drivers = identify(info, &Observers::default());
        let report = InfoReport::new(name, info, &drivers);
        if args.json {
            let mut line = serde_json::to_string(&report).map_err(std::io::Error::from)?;
            line.push('\n');
            print(&line)?;
        } else {
            if at > 0 {
                print("\n")?;
            }
            print(&text(&report, &drivers, &global.tz))?;
        }
    }
    Ok(opened.status())
}
