//! The event tables of a report: CSV and Parquet of the same rows, which an analysis hands on as it decodes them.

use super::csv::{CsvStyle, CsvTable};
#[cfg(feature = "parquet")]
use super::parquet::ParquetTable;
use super::pool::Pool;
use super::rows::{Rows, Table};
use crate::findings::Onlooker;
use crate::trace::{Batch, Want};
use std::io::{self, Write};

/// Renders rows of the traces of a case, side by side.
pub struct EventFiles<'a> {
    tables: &'a [Table<'a>],
    csv: Vec<CsvTable<'a>>,
    rows: Pool<Rows>,
    lines: Pool<Vec<u8>>,
}

/// A unit of rows that is rendered.
#[derive(Debug)]
pub struct Rendered {
    lines: Vec<u8>,
    rows: Rows,
}

/// Where the rendered rows go.
pub struct EventOutputs<'a, 'o> {
    files: &'a EventFiles<'a>,
    csv: &'o mut (dyn Write + Send),
    #[cfg(feature = "parquet")]
    parquet: Option<ParquetTable<'o, 'a>>,
    /// The table that the last rows were of.
    last: Option<&'a Table<'a>>,
}

/// Rows of a row group in Parquet: with their stacks and details they take some 20 MiB.
#[cfg(feature = "parquet")]
const ROW_GROUP: usize = 16_384;

impl<'a> EventFiles<'a> {
    /// Prepares the tables, one for each trace of a case, all with the same columns.
    pub fn new(tables: &'a [Table<'a>], style: &'a CsvStyle) -> Self {
        let csv = tables.iter().map(|table| CsvTable::new(table, style));
        Self {
            csv: csv.collect(),
            tables,
            rows: Pool::default(),
            lines: Pool::default(),
        }
    }

    /// Begins to write CSV, and Parquet where there is an output for it.
    ///
    /// # Errors
    /// When an output cannot be written.
    pub fn begin<'o>(
        &'a self,
        csv: &'o mut (dyn Write + Send),
        parquet: Option<&'o mut (dyn Write + Send)>,
    ) -> io::Result<EventOutputs<'a, 'o>> {
        if let Some(table) = self.csv.first() {
            csv.write_all(&table.header())?;
        }
        #[cfg(not(feature = "parquet"))]
        debug_assert!(parquet.is_none());
        #[cfg(feature = "parquet")]
        let columns = self.tables.first().map_or(&[][..], |table| table.columns);
        Ok(EventOutputs {
            files: self,
            csv,
            #[cfg(feature = "parquet")]
            parquet: parquet
                .map(|out| ParquetTable::new(columns, ROW_GROUP, out))
                .transpose()?,
            last: None,
        })
    }
}

impl Onlooker for EventFiles<'_> {
    type Seen = Rendered;

    fn want(&self) -> Want {
        self.tables.first().map(Table::want).unwrap_or_default()
    }

    fn batch(&self) -> Batch {
        let mut rows = self.rows.take();
        let mut batch = std::mem::take(&mut rows.batch);
        self.rows.give(rows);
        batch.clear();
        batch
    }

    fn see(&self, trace: usize, batch: Batch) -> io::Result<Rendered> {
        let (mut rows, mut lines) = (self.rows.take(), self.lines.take());
        rows.clear();
        lines.clear();
        rows.batch = batch;
        if let (Some(table), Some(csv)) = (self.tables.get(trace), self.csv.get(trace)) {
            table.select(0, &mut rows);
            // Growing by doubling would touch twice the memory.
            lines.reserve(rows.selected.len() * CsvTable::USUAL_LINE);
            csv.lines(&rows, &mut lines);
        }
        Ok(Rendered { lines, rows })
    }
}

impl EventOutputs<'_, '_> {
    /// Writes rows of the trace that is number `trace` in the case.
    ///
    /// # Errors
    /// When an output cannot be written.
    pub fn write(&mut self, trace: usize, rendered: Rendered) -> io::Result<()> {
        let Rendered { lines, rows } = rendered;
        self.csv.write_all(&lines)?;
        self.files.lines.give(lines);
        let Some(table) = self.files.tables.get(trace) else {
            return Ok(());
        };
        if self.last.is_some_and(|last| !std::ptr::eq(last, table)) {
            self.end_group()?;
        }
        self.last = Some(table);
        #[cfg(feature = "parquet")]
        if let Some(parquet) = &mut self.parquet {
            return parquet.add(table, rows, &self.files.rows);
        }
        self.files.rows.give(rows);
        Ok(())
    }

    #[cfg_attr(not(feature = "parquet"), expect(clippy::unnecessary_wraps))]
    fn end_group(&mut self) -> io::Result<()> {
        #[cfg(feature = "parquet")]
        if let (Some(parquet), Some(table)) = (&mut self.parquet, self.last) {
            parquet.end_group(table, &self.files.rows)?;
        }
        Ok(())
    }

    /// Ends the files.
    ///
    /// # Errors
    /// When an output cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.end_group()?;
        #[cfg(feature = "parquet")]
        if let Some(parquet) = self.parquet {
            parquet.finish()?;
        }
        self.csv.flush()
    }
}
