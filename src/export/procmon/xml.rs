//! Procmon's XML export: processes with their modules, events, and stacks where they are wanted.
//!
//! There was no file of Procmon's to compare with: elements, their order and their values are those that programs
//! read which were written for it (`docs/procmon-xml.md`).

use super::Export;
use super::columns::{Of, ProcmonColumn};
use super::escape::{Escape as _, Xml};
use super::processes::{close, line, open, push_address, push_number, push_text, write_processes};
use super::selection::Selection;
use super::stack::Modules;
use super::values::{Values, push_of_process};
use crate::export::pool::write_units;
use crate::pml::Record;
use crate::trace::{Filetime, Progress, Trace as _};
use std::io::{self, Write};

/// Writes a log as one XML document; the number of events written.
///
/// # Errors
/// When the log can no longer be read or `out` not be written.
pub fn write_xml(
    export: &Export<'_>,
    columns: &[ProcmonColumn],
    stacks: bool,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> io::Result<u64> {
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<procmon><processlist>")?;
    write_processes(export.trace, out)?;
    out.write_all(b"</processlist><eventlist>\r\n")?;
    let events = EventWriter {
        export,
        columns: columns
            .iter()
            .map(|column| (*column, column.element()))
            .collect(),
        modules: stacks.then(|| Modules::new(export.trace)),
    };
    let selection = Selection::new(export.trace, export.drivers, export.filter);
    let phase = progress.phase("Writing events", export.trace);
    let written = write_units(selection.units(), &*phase, out, |unit, lines| {
        let mut values = Values::new(export.trace, export.dialect, export.zone);
        selection.for_each(unit, |record| events.push(record, &mut values, lines))
    })?;
    out.write_all(b"</eventlist></procmon>\r\n")?;
    out.flush()?;
    Ok(written)
}

struct EventWriter<'a> {
    export: &'a Export<'a>,
    columns: Vec<(ProcmonColumn, String)>,
    /// Where frames are wanted.
    modules: Option<Modules<'a>>,
}

impl<'a> EventWriter<'a> {
    fn push(&self, record: &Record<'_>, values: &mut Values<'a>, out: &mut Vec<u8>) {
        let number = record.process_index();
        let position = self.export.trace.file().processes.position(number);
        let processes = &self.export.trace.info().processes;
        let process = position.and_then(|at| processes.get(at as usize));
        line("<event>", out);
        push_number("ProcessIndex", number.into(), out);
        for (column, element) in &self.columns {
            open(element, out);
            match column.of() {
                Of::Event => values.push::<Xml>(*column, record, out),
                Of::Process => push_of_process::<Xml>(*column, process, out),
            }
            close(element, out);
        }
        if let Some(modules) = &self.modules {
            push_stack(record, modules, position, out);
        }
        line("</event>", out);
    }
}

fn push_stack(record: &Record<'_>, modules: &Modules<'_>, process: Option<u32>, out: &mut Vec<u8>) {
    let time = Filetime(record.time());
    line("<stack>", out);
    for (depth, address) in record.frames().enumerate() {
        let module = modules.at(address, process, time);
        line("<frame>", out);
        push_number("depth", depth as u64, out);
        open("address", out);
        push_address(address, out);
        close("address", out);
        push_text("path", module.map_or("", |(module, _)| &module.path), out);
        open("location", out);
        match module {
            Some((module, offset)) => {
                Xml::push(module.file_name(), out);
                out.extend_from_slice(b" + ");
                push_address(offset, out);
            }
            None => push_address(address, out),
        }
        close("location", out);
        line("</frame>", out);
    }
    line("</stack>", out);
}
