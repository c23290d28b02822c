//! Procmon's CSV export, byte for byte.
//!
//! UTF-8 with a byte order mark, CRLF behind every line, every field in quotes, a header line.

use super::Export;
use super::columns::{Of, ProcmonColumn};
use super::escape::{Csv, Escape as _};
use super::selection::Selection;
use super::values::{Values, push_of_process};
use crate::export::csv::BOM;
use crate::export::pool::write_units;
use crate::pml::Record;
use crate::trace::{Process, Progress, Trace as _};
use std::io::{self, Write};

/// Bytes that a row takes in a real log, roughly.
const ROW: usize = 512;

/// Writes the events of logs, one after the other, behind one header line; the number of rows written.
///
/// # Errors
/// When a log can no longer be read or `out` not be written.
pub fn write_csv(
    exports: &[Export<'_>],
    columns: &[ProcmonColumn],
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> io::Result<u64> {
    let mut written = 0;
    out.write_all(&header(columns))?;
    for export in exports {
        let rows = RowWriter::new(export, columns);
        let selection = Selection::new(export.trace, export.drivers, export.filter);
        let phase = progress.phase("Writing events", export.trace);
        written += write_units(selection.units(), &*phase, out, |unit, lines| {
            lines.reserve(export.trace.unit_len(unit) * ROW);
            let mut values = Values::new(export.trace, export.dialect, export.zone);
            selection.for_each(unit, |record| rows.push(record, &mut values, lines))
        })?;
    }
    out.flush()?;
    Ok(written)
}

fn header(columns: &[ProcmonColumn]) -> Vec<u8> {
    let mut out = BOM.as_bytes().to_vec();
    for (at, column) in columns.iter().enumerate() {
        open_field(at > 0, &mut out);
        Csv::push(column.name(), &mut out);
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[inline]
fn open_field(behind_another: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if behind_another { b",\"" } else { b"\"" });
}

/// A piece of a row.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    /// One field of the event.
    Event(ProcmonColumn),
    /// Neighbouring fields of the process, with their number among such pieces.
    Process(usize, &'a [ProcmonColumn]),
}

/// Writes rows. The fields of each process are rendered and quoted once: they are more than half of a row.
struct RowWriter<'a> {
    export: &'a Export<'a>,
    pieces: Vec<Piece<'a>>,
    fragments: Fragments,
}

impl<'a> RowWriter<'a> {
    fn new(export: &'a Export<'a>, columns: &'a [ProcmonColumn]) -> Self {
        let mut pieces = Vec::new();
        let mut runs = Vec::new();
        let mut first = 0;
        for run in columns.chunk_by(|a, b| a.of() == Of::Process && b.of() == Of::Process) {
            match run {
                [column] if column.of() == Of::Event => pieces.push(Piece::Event(*column)),
                _ => {
                    pieces.push(Piece::Process(runs.len(), run));
                    runs.push((first > 0, run));
                }
            }
            first += run.len();
        }
        Self {
            export,
            pieces,
            fragments: Fragments::new(&export.trace.info().processes, &runs),
        }
    }

    #[inline]
    fn push(&self, record: &Record<'_>, values: &mut Values<'a>, out: &mut Vec<u8>) {
        let position = self
            .export
            .trace
            .file()
            .processes
            .position(record.process_index());
        for (at, piece) in self.pieces.iter().enumerate() {
            match *piece {
                Piece::Event(column) => {
                    open_field(at > 0, out);
                    values.push::<Csv>(column, record, out);
                    out.push(b'"');
                }
                Piece::Process(run, columns) => {
                    if let Some(ready) = self.fragments.get(run, position) {
                        out.extend_from_slice(ready);
                    } else {
                        let processes = &self.export.trace.info().processes;
                        let process = position.and_then(|at| processes.get(at as usize));
                        push_run(at > 0, columns, process, out);
                    }
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn push_run(
    behind_another: bool,
    columns: &[ProcmonColumn],
    process: Option<&Process>,
    out: &mut Vec<u8>,
) {
    for (at, column) in columns.iter().enumerate() {
        open_field(behind_another || at > 0, out);
        push_of_process::<Csv>(*column, process, out);
        out.push(b'"');
    }
}

/// The rendered fields of processes, in one buffer.
///
/// Processes share their strings, so a hostile log of a few megabytes could ask for terabytes here: what does not
/// fit is rendered for each row.
#[derive(Debug, Default)]
struct Fragments {
    bytes: Vec<u8>,
    /// Start and end for each process and run, run by run.
    places: Vec<(usize, usize)>,
    runs: usize,
}

/// Bytes after which no more is rendered beforehand; the real logs need 60 KB.
const MOST_FRAGMENTS: usize = 64 << 20;

impl Fragments {
    fn new(processes: &[Process], runs: &[(bool, &[ProcmonColumn])]) -> Self {
        let mut out = Self {
            runs: runs.len(),
            ..Self::default()
        };
        for process in processes {
            if text_bytes(process) > MOST_FRAGMENTS {
                break;
            }
            for (behind_another, columns) in runs {
                let start = out.bytes.len();
                push_run(*behind_another, columns, Some(process), &mut out.bytes);
                out.places.push((start, out.bytes.len()));
            }
            if out.bytes.len() > MOST_FRAGMENTS {
                break;
            }
        }
        out
    }

    #[inline]
    fn get(&self, run: usize, position: Option<u32>) -> Option<&[u8]> {
        let place = position? as usize * self.runs + run;
        let (start, end) = *self.places.get(place)?;
        self.bytes.get(start..end)
    }
}

fn text_bytes(process: &Process) -> usize {
    process.name.len()
        + process.image_path.len()
        + process.command_line.len()
        + process.company.len()
        + process.version.len()
        + process.description.len()
        + process.user.len()
        + process.integrity.len()
}
