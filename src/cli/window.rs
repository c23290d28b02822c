//! `fltscope window`: when the update failed, and what happened around it.

use super::args::{GlobalArgs, WindowArgs};
use super::logs::read_logs;
use super::open::open_case;
use super::output::{print, print_json, warn};
use super::progress::Bars;
use super::{CliError, Status};
use crate::findings::timeline::timeline;
use crate::findings::{Case, CaseInput, Options};
use crate::input::text::TextOptions;
use crate::report::timeline::text;
use crate::visible::json::Layout;

/// Runs the command.
pub fn run(args: &WindowArgs, global: &GlobalArgs) -> Result<Status, CliError> {
    let bars = Bars::new(global.quiet);
    let options = Options {
        log_zone: args.log_tz.clone(),
        ..Options::default()
    };
    let asked = (&options.rules.scope, false);
    let mut opened = open_case(&args.inputs, args.archives.options()?, asked, &bars);
    let text_options = TextOptions {
        encoding: args.log_encoding,
        ..TextOptions::default()
    };
    let logs = read_logs(&mut opened, &text_options, &bars);
    if opened.traces.is_empty() && logs.is_empty() {
        return Err(opened.nothing_usable());
    }
    let lang = global.reader().lang;
    opened.warn(lang);
    let mut losses = logs.losses();
    for loss in &losses {
        warn(loss, lang);
    }
    losses.extend(opened.losses());
    let inputs = opened.traces.iter().map(|(name, trace)| CaseInput {
        name: name.clone(),
        trace: trace.trace(),
    });
    let case = Case {
        logs,
        inputs: inputs.collect(),
    };
    let found = timeline(&case, &options, &bars)?;
    if args.json {
        print_json(&found, Layout::Pretty)?;
    } else {
        print(&text(&found, global.reader()))?;
    }
    Ok(opened.status().under_strict(args.strict, &losses))
}
