//! Apache Parquet, through the writer of polars.
//!
//! Units of rows are collected until a row group is full; its columns are then encoded side by side. Only polars'
//! array and Parquet crates are used: its data frames would double the build for nothing gained here.

use super::columns::{Column, ColumnType};
use super::pool::Pool;
use super::rows::{Cell, Rows, Table};
use super::small::{SmallTable, Value};
use crate::codes::procmon::{result_text, write_result};
use crate::trace::NO_PROCESS;
use crate::trace::room::room_for;
use crate::trace::{Filetime, Progress, for_each_unit};
use polars_arrow::array::{
    Array, BooleanArray, DictionaryArray, MutableBinaryViewArray, PrimitiveArray,
};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, IntegerType, TimeUnit};
use polars_parquet::parquet::error::ParquetError;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, FileWriter, ParquetType,
    StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns, compress,
    fallible_streaming_iterator, get_dtype_encoding, to_parquet_schema,
};
use rayon::prelude::*;
use std::collections::HashMap;
use std::io::{self, Write};

/// Rows of a row group, at most, unless one unit has more: a few dozen megabytes while it is made. A unit is never split.
const ROW_GROUP: usize = 65_536;
/// Bytes of a row while its group is made.
const ROW: u64 = 2 << 10;

/// The pages of one column of a row group.
type Pages = Vec<CompressedPage>;

/// Writes units of rows as one Parquet file.
pub struct ParquetTable<'a, 't> {
    writer: FileWriter<&'a mut (dyn Write + Send)>,
    fields: Vec<ParquetType>,
    columns: &'t [Column],
    /// Rows of a row group, at most.
    most: usize,
    /// What the next row group is made of.
    parts: Vec<Rows>,
    waiting: usize,
    /// Rows written.
    pub written: u64,
}

impl<'a, 't> ParquetTable<'a, 't> {
    /// Begins a file with these columns in `out`, whose row groups have `most` rows.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(
        columns: &'t [Column],
        most: usize,
        out: &'a mut (dyn Write + Send),
    ) -> io::Result<Self> {
        let schema: ArrowSchema = columns
            .iter()
            .map(|column| field(*column))
            .map(|field| (field.name.clone(), field))
            .collect();
        let parquet = to_parquet_schema(&schema).map_err(failed)?;
        Ok(Self {
            writer: FileWriter::try_new(out, schema, options()).map_err(failed)?,
            fields: parquet.fields().to_vec(),
            columns,
            most: room_for(most, ROW),
            parts: Vec::new(),
            waiting: 0,
            written: 0,
        })
    }

    /// Adds a unit of rows of a table; `pool` gets back those that are written.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn add(&mut self, table: &Table<'_>, rows: Rows, pool: &Pool<Rows>) -> io::Result<()> {
        let more = rows.selected.len();
        if self.waiting > 0 && self.waiting + more > self.most {
            self.end_group(table, pool)?;
        }
        match more {
            0 => pool.give(rows),
            _ => self.parts.push(rows),
        }
        self.waiting += more;
        Ok(())
    }

    /// Writes the rows that wait, which are all of `table`: no row group has rows of two.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn end_group(&mut self, table: &Table<'_>, pool: &Pool<Rows>) -> io::Result<()> {
        let parts = std::mem::take(&mut self.parts);
        let count = std::mem::take(&mut self.waiting) as u64;
        if count == 0 {
            return Ok(());
        }
        let pages: Vec<Pages> = self
            .columns
            .par_iter()
            .with_max_len(1)
            .zip(&self.fields)
            .map(|(column, kind)| encode(&*array(table, *column, &parts)?, kind, options()))
            .collect::<io::Result<_>>()?;
        parts.into_iter().for_each(|rows| pool.give(rows));
        let columns = pages.iter().map(|pages| {
            Ok(DynStreamingIterator::new(
                fallible_streaming_iterator::convert(pages.iter().map(Ok)),
            ))
        });
        self.written += count;
        self.writer
            .write(count, DynIter::new(columns))
            .map_err(failed)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(mut self) -> io::Result<u64> {
        self.writer.end(None).map_err(failed)?;
        self.writer.into_inner().flush()?;
        Ok(self.written)
    }
}

/// Writes tables, one after the other, as one Parquet file; the number of rows written.
///
/// # Errors
/// When a trace can no longer be read or `out` not be written.
pub fn write(
    tables: &[Table<'_>],
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> io::Result<u64> {
    let columns = tables.first().map_or(&[][..], |table| table.columns);
    let mut file = ParquetTable::new(columns, ROW_GROUP, out)?;
    let pool: Pool<Rows> = Pool::default();
    for table in tables {
        let phase = progress.phase("Writing events", table.trace);
        for_each_unit(
            0..table.trace.units(),
            &*phase,
            |unit| table.take(unit, &pool),
            |rows| file.add(table, rows, &pool),
        )?;
        file.end_group(table, &pool)?;
    }
    file.finish()
}

fn options() -> WriteOptions {
    WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(ZstdLevel::try_new(1).ok()),
        data_page_size: None,
    }
}

/// Writes a small table as one row group.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_small(table: &SmallTable, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let schema: ArrowSchema = table
        .columns
        .iter()
        .map(|column| Field::new(column.name.into(), data_type(column.kind), true))
        .map(|field| (field.name.clone(), field))
        .collect();
    let options = options();
    let parquet = to_parquet_schema(&schema).map_err(failed)?;
    let mut writer = FileWriter::try_new(out, schema, options).map_err(failed)?;
    let pages: Vec<Pages> = table
        .columns
        .iter()
        .zip(parquet.fields())
        .enumerate()
        .map(|(at, (column, kind))| encode(&*small_array(table, at, column.kind), kind, options))
        .collect::<io::Result<_>>()?;
    if !table.rows.is_empty() {
        let columns = pages.iter().map(|pages| {
            Ok(DynStreamingIterator::new(
                fallible_streaming_iterator::convert(pages.iter().map(Ok)),
            ))
        });
        writer
            .write(table.rows.len() as u64, DynIter::new(columns))
            .map_err(failed)?;
    }
    writer.end(None).map_err(failed)?;
    writer.into_inner().flush()
}

/// The array of column `at` of a small table; a value of another type than the column's is absent.
fn small_array(table: &SmallTable, at: usize, kind: ColumnType) -> Box<dyn Array> {
    let values = table
        .rows
        .iter()
        .map(|row| row.get(at).unwrap_or(&Value::Null));
    let dtype = data_type(kind);
    match kind {
        ColumnType::Text => {
            let mut out = MutableBinaryViewArray::<str>::new();
            for value in values {
                match value {
                    Value::Text(text) => out.push(Some(text)),
                    _ => out.push_null(),
                }
            }
            out.freeze_with_dtype(dtype).boxed()
        }
        ColumnType::U64 => values
            .map(|value| match value {
                Value::Number(number) => Some(*number),
                _ => None,
            })
            .collect::<PrimitiveArray<u64>>()
            .to(dtype)
            .boxed(),
        ColumnType::U32 => values
            .map(|value| match value {
                Value::Number(number) => u32::try_from(*number).ok(),
                _ => None,
            })
            .collect::<PrimitiveArray<u32>>()
            .to(dtype)
            .boxed(),
        ColumnType::Micros => values
            .map(|value| match value {
                Value::Micros(ticks) => Some(*ticks as f64 / 10.0),
                _ => None,
            })
            .collect::<PrimitiveArray<f64>>()
            .to(dtype)
            .boxed(),
        ColumnType::Time => values
            .map(|value| match value {
                Value::Time(time) => Some(time.unix_nanos()),
                _ => None,
            })
            .collect::<PrimitiveArray<i64>>()
            .to(dtype)
            .boxed(),
        ColumnType::Bool => values
            .map(|value| match value {
                Value::Bool(truth) => Some(*truth),
                _ => None,
            })
            .collect::<BooleanArray>()
            .boxed(),
    }
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Encodes and compresses one column.
fn encode(array: &dyn Array, kind: &ParquetType, options: WriteOptions) -> io::Result<Pages> {
    let encodings = get_dtype_encoding(array.dtype());
    let mut pages = Vec::new();
    for column in
        array_to_columns(array.to_boxed(), kind.clone(), options, &encodings).map_err(failed)?
    {
        for page in column {
            let page = compress(page.map_err(failed)?, Vec::new(), options.compression)
                .map_err(|error: ParquetError| io::Error::other(error.to_string()))?;
            pages.push(page);
        }
    }
    Ok(pages)
}

fn data_type(kind: ColumnType) -> ArrowDataType {
    match kind {
        ColumnType::Text => ArrowDataType::Utf8View,
        ColumnType::U64 => ArrowDataType::UInt64,
        ColumnType::U32 => ArrowDataType::UInt32,
        ColumnType::Micros => ArrowDataType::Float64,
        ColumnType::Bool => ArrowDataType::Boolean,
        ColumnType::Time => ArrowDataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
    }
}

fn field(column: Column) -> Field {
    Field::new(column.name().into(), data_type(column.kind()), true)
}

/// Texts that repeat, each held once; a row is the number of its text.
///
/// The writer would find the repetition by itself, by hashing every cell; where a column's text
/// follows from the process or is one of a few names, that is most of the time it takes.
#[derive(Default)]
struct Repeated<'a> {
    numbers: HashMap<&'a str, u32>,
    texts: Vec<&'a str>,
    rows: Vec<Option<u32>>,
}

impl<'a> Repeated<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        })
    }

    fn finish(self) -> io::Result<Box<dyn Array>> {
        let texts = MutableBinaryViewArray::<str>::from_values_iter(self.texts.iter());
        let keys = PrimitiveArray::<u32>::from(self.rows);
        let kind = ArrowDataType::Dictionary(
            IntegerType::UInt32,
            Box::new(ArrowDataType::Utf8View),
            false,
        );
        DictionaryArray::try_new(kind, keys, texts.freeze().boxed())
            .map(|array| array.boxed())
            .map_err(failed)
    }
}

/// A text column that follows from the process.
fn process_texts(table: &Table<'_>, column: Column, parts: &[Rows]) -> io::Result<Box<dyn Array>> {
    let mut out = Repeated::default();
    let mut known: HashMap<u32, Option<u32>> = HashMap::new();
    let mut last = (NO_PROCESS, None);
    for (rows, row) in selected(parts) {
        let process = rows.batch.process[row];
        if process != last.0 {
            let number = *known.entry(process).or_insert_with(|| {
                match table.process_cell(column, process) {
                    Cell::Text(text) => Some(out.number(text)),
                    _ => None,
                }
            });
            last = (process, number);
        }
        out.rows.push(last.1);
    }
    out.finish()
}

/// A text column of few texts.
fn few_texts(table: &Table<'_>, column: Column, parts: &[Rows]) -> io::Result<Box<dyn Array>> {
    // Results without a name are numbers in text, which have to be kept somewhere.
    let mut odd: HashMap<u32, String> = HashMap::new();
    if column == Column::Result {
        for (rows, row) in selected(parts) {
            if let Some(status) = rows.batch.status[row].filter(|s| result_text(*s).is_none()) {
                odd.entry(status).or_insert_with(|| {
                    let mut text = String::new();
                    write_result(status, &mut text);
                    text
                });
            }
        }
    }
    let mut out = Repeated::default();
    let mut last: (&str, Option<u32>) = ("", None);
    for (rows, row) in selected(parts) {
        let number = match rows.batch.status[row].filter(|_| !odd.is_empty()) {
            Some(status) => odd.get(&status),
            None => None,
        };
        let text = match number {
            Some(text) => text.as_str(),
            None => table.fixed_text(column, rows, row),
        };
        if !std::ptr::eq(text, last.0) {
            last = (text, (!text.is_empty()).then(|| out.number(text)));
        }
        out.rows.push(last.1);
    }
    out.finish()
}

/// The selected rows of all parts, in order.
fn selected(parts: &[Rows]) -> impl Iterator<Item = (&Rows, usize)> {
    parts
        .iter()
        .flat_map(|rows| rows.selected.iter().map(move |row| (rows, *row as usize)))
}

/// The array of one column over the selected rows.
fn array(table: &Table<'_>, column: Column, parts: &[Rows]) -> io::Result<Box<dyn Array>> {
    let mut scratch = String::new();
    let kind = column.kind();
    let dtype = data_type(kind);
    Ok(match kind {
        ColumnType::Text if column.is_of_process() => process_texts(table, column, parts)?,
        ColumnType::Text if column.is_of_few_texts() => few_texts(table, column, parts)?,
        ColumnType::Text => {
            let mut out = MutableBinaryViewArray::<str>::new();
            for (rows, row) in selected(parts) {
                match table.cell(column, rows, row, &mut scratch) {
                    Cell::Text(text) => out.push(Some(text)),
                    _ => out.push_null(),
                }
            }
            out.freeze_with_dtype(dtype).boxed()
        }
        ColumnType::U64 => numbers(table, column, parts, |cell| match cell {
            Cell::Number(value) => Some(value),
            _ => None,
        })
        .to(dtype)
        .boxed(),
        ColumnType::U32 => numbers(table, column, parts, |cell| match cell {
            Cell::Number(value) => u32::try_from(value).ok(),
            _ => None,
        })
        .to(dtype)
        .boxed(),
        ColumnType::Micros => numbers(table, column, parts, |cell| match cell {
            Cell::Micros(ticks) => Some(ticks as f64 / 10.0),
            _ => None,
        })
        .to(dtype)
        .boxed(),
        ColumnType::Time => numbers(table, column, parts, |cell| match cell {
            Cell::Time(time) => Some(Filetime::unix_nanos(time)),
            _ => None,
        })
        .to(dtype)
        .boxed(),
        ColumnType::Bool => selected(parts)
            .map(
                |(rows, row)| match table.cell(column, rows, row, &mut scratch) {
                    Cell::Bool(value) => Some(value),
                    _ => None,
                },
            )
            .collect::<BooleanArray>()
            .boxed(),
    })
}

fn numbers<T: polars_arrow::types::NativeType>(
    table: &Table<'_>,
    column: Column,
    parts: &[Rows],
    take: impl Fn(Cell<'_>) -> Option<T>,
) -> PrimitiveArray<T> {
    let mut scratch = String::new();
    selected(parts)
        .map(|(rows, row)| take(table.cell(column, rows, row, &mut scratch)))
        .collect()
}
