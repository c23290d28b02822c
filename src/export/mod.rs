//! Tables of events: CSV, Parquet and NDJSON, and Procmon's own formats.

pub mod columns;
pub mod csv;
pub mod files;
pub mod filter;
pub mod ndjson;
#[cfg(feature = "parquet")]
pub mod parquet;
mod pieces;
mod pool;
pub mod procmon;
pub mod rows;
pub mod small;
pub mod xlsx;

pub use columns::{Column, ColumnType};
pub use files::EventFiles;
pub use filter::{Filter, class_by_name};
pub use rows::{Rows, Table};

use crate::trace::Progress;
use csv::{CsvStyle, CsvTable};
use pool::{Pool, write_units};
use std::io::{self, Write};

/// A table format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// The format that a file name's ending stands for.
    pub fn by_ending(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// Writes tables, one after the other, as one text file; the number of rows written.
///
/// # Errors
/// When a trace can no longer be read or `out` not be written.
pub fn write_text(
    tables: &[Table<'_>],
    format: TextFormat<'_>,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> io::Result<u64> {
    if let (TextFormat::Csv(style), Some(table)) = (format, tables.first()) {
        out.write_all(&CsvTable::new(table, style).header())?;
    }
    let mut written = 0;
    let pool: Pool<Rows> = Pool::default();
    for table in tables {
        let phase = progress.phase("Writing events", table.trace);
        let csv = match format {
            TextFormat::Csv(style) => Some(CsvTable::new(table, style)),
            TextFormat::Ndjson => None,
        };
        written += write_units(table.trace.units(), &*phase, out, |unit, lines| {
            let rows = table.take(unit, &pool)?;
            // Growing by doubling would touch twice the memory.
            lines.reserve(rows.selected.len() * CsvTable::USUAL_LINE);
            match &csv {
                Some(csv) => csv.lines(&rows, lines),
                None => ndjson::lines(table, &rows, lines)?,
            }
            let count = rows.selected.len() as u64;
            pool.give(rows);
            Ok(count)
        })?;
    }
    out.flush()?;
    Ok(written)
}

/// A text format with its style.
#[derive(Debug, Clone, Copy)]
pub enum TextFormat<'a> {
    /// Comma-separated values.
    Csv(&'a CsvStyle),
    /// One JSON object a line.
    Ndjson,
}
