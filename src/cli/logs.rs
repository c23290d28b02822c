//! Reading the servicing logs of a case.

use super::open::{Opened, of_file};
use super::progress::Bars;
use crate::findings::CaseLogs;
use crate::input::FileKind;
use crate::input::text::TextOptions;
use crate::input::view::Source;
use crate::lang::Message;
use crate::servicing::cbs::{CbsReader, reading_order};
use crate::servicing::setupapi::SetupReader;
use crate::servicing::update_client::UpdateClientLog;
use std::io;

/// Reads the logs that were found; those that cannot be read join the unreadable inputs.
pub fn read_logs(opened: &mut Opened, options: &TextOptions, bars: &Bars) -> CaseLogs {
    let mut out = CaseLogs::default();
    let mut files = std::mem::take(&mut opened.logs);
    // Archives first, by the time in their names: an attempt may begin in one and end in CBS.log.
    files.sort_by_cached_key(|file| reading_order(&file.name));
    let (mut cbs, mut setup) = (CbsReader::default(), SetupReader::default());
    for file in files {
        let bar = bars.bar(format!("Reading {}", file.name), 0);
        let read = || -> io::Result<Source> { Source::open(&file.path) };
        let tick = |bytes| bar.tick(bytes);
        let done = read().and_then(|source| {
            match file.kind {
                FileKind::SetupApi => setup.read(&file.name, &source, options, &tick)?,
                _ => cbs.read(&file.name, &source, options, &tick)?,
            }
            out.sources.push((file.name.clone(), source));
            Ok(())
        });
        if let Err(error) = done {
            let error = Message::verbatim(error.to_string());
            opened.unreadable.push(of_file(&file.name, &error));
        }
    }
    let (cbs, setup) = (cbs.finish(), setup.finish());
    let logs = !cbs.files.is_empty() || !setup.files.is_empty();
    for (name, trace) in opened.take_update_client_logs(logs) {
        let bar = bars.bar(format!("Reading {name}"), 0);
        let unreadable = name.clone();
        match UpdateClientLog::read(name, &trace, &|units| bar.tick(units)) {
            Ok(log) => out.update_client.push(log),
            Err(error) => {
                let error = Message::verbatim(error.to_string());
                opened.unreadable.push(of_file(&unreadable, &error));
            }
        }
    }
    out.cbs = (!cbs.files.is_empty()).then_some(cbs);
    out.setup = (!setup.files.is_empty()).then_some(setup);
    out
}
