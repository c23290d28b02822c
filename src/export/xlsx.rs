//! Excel workbooks: lists and the event table, with real dates and numbers.
//!
//! Sheets of events are written row by row into a temporary file, so memory does not grow with them. A text is
//! always written as a text: nothing from a trace can become a formula or a link, and what hides in it is shown.

use super::columns::{Column, ColumnType};
use super::pool::Pool;
use super::rows::{Cell, Rows, Table};
use super::small::{SmallTable, Value};
use crate::guard::guarded;
use crate::trace::time::TICKS_PER_DAY;
use crate::trace::{Filetime, Progress, for_each_unit};
use crate::visible::visible;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};
use std::io::{self, Write};
use std::path::Path;

/// Rows of a sheet, its header included: Excel's limit.
pub const MAX_ROWS: u32 = 1_048_576;
/// UTF-16 units of a cell: Excel's limit.
const MAX_TEXT: usize = 32_767;
/// What stands at the end of a text that was cut.
const CUT: &str = " … (cut here)";
/// From this number on doubles leave whole numbers out.
const EXACT: u64 = 1 << 53;

/// A workbook in the making.
pub struct Book {
    book: Workbook,
    header: Format,
    time: Format,
    wrapped: Format,
    limit: u32,
    rows: u64,
}

impl Book {
    /// An empty workbook; `folder` takes the temporary file of each sheet of events.
    ///
    /// `made` becomes its creation time: with a time from the case, the same case gives the same bytes.
    ///
    /// # Errors
    /// When `folder` cannot be used.
    pub fn new(folder: &Path, made: Option<Filetime>) -> io::Result<Self> {
        let mut book = Workbook::new();
        book.set_tempdir(folder).map_err(failed)?;
        let made = made.and_then(date_time).or_else(|| date_time(EXCEL_START));
        if let Some(made) = made {
            book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        }
        Ok(Self {
            book,
            header: Format::new()
                .set_bold()
                .set_background_color(Color::RGB(0xE7_E6_E6))
                .set_align(FormatAlign::Top),
            time: Format::new()
                .set_num_format("yyyy-mm-dd hh:mm:ss.000")
                .set_align(FormatAlign::Top),
            wrapped: Format::new().set_text_wrap().set_align(FormatAlign::Top),
            limit: MAX_ROWS,
            rows: 0,
        })
    }

    /// Adds a small table as a sheet. Columns of 60 characters and more are wrapped. Rows beyond what a sheet holds
    /// are left out.
    ///
    /// # Errors
    /// When a cell cannot be written.
    pub fn add_small(&mut self, name: &str, table: &SmallTable) -> io::Result<()> {
        let sheet = self.book.add_worksheet();
        let titles = table.columns.iter().map(|column| Title {
            name: column.name,
            kind: column.kind,
            width: column.width,
        });
        begin(sheet, name, titles, &self.header)?;
        let shown = (table.rows.len()).min(self.limit as usize - 1) as u32;
        for (row, values) in (1..=shown).zip(&table.rows) {
            for ((at, value), column) in (0..).zip(values).zip(table.columns) {
                let wrapped = (column.width >= WRAPPED).then_some(&self.wrapped);
                match value {
                    Value::Null => {}
                    Value::Text(text) => put_text(sheet, row, at, text, wrapped)?,
                    Value::Number(number) => put_number(sheet, row, at, *number)?,
                    Value::Micros(ticks) => put_micros(sheet, row, at, *ticks)?,
                    Value::Bool(truth) => {
                        sheet.write_boolean(row, at, *truth).map_err(failed)?;
                    }
                    Value::Time(time) => put_time(sheet, row, at, *time, &self.time)?,
                }
            }
        }
        finish(sheet, shown, table.columns.len())
    }

    /// Adds tables of events, one after the other, as one sheet or, where Excel's limit is met, as several:
    /// `Events`, `Events 2`, … Returns the number of rows.
    ///
    /// # Errors
    /// When a trace can no longer be read or a temporary file not be written.
    pub fn add_events(&mut self, tables: &[Table<'_>], progress: &dyn Progress) -> io::Result<u64> {
        guarded(|| self.add_event_sheets(tables, progress), no_room)
    }

    fn add_event_sheets(
        &mut self,
        tables: &[Table<'_>],
        progress: &dyn Progress,
    ) -> io::Result<u64> {
        let columns = tables.first().map_or(&[][..], |table| table.columns);
        let titles = event_titles(columns);
        let pool: Pool<Rows> = Pool::default();
        let mut sheets = 1;
        let mut sheet = self.event_sheet(sheets, &titles)?;
        let mut row = 0;
        let mut written = 0;
        let mut scratch = String::new();
        for table in tables {
            let phase = progress.phase("Writing the workbook", table.trace);
            for_each_unit(
                0..table.trace.units(),
                &*phase,
                |unit| table.take(unit, &pool),
                |rows| {
                    for selected in &rows.selected {
                        if row + 1 == self.limit {
                            finish(&mut sheet, row, titles.len())?;
                            sheets += 1;
                            let next = self.event_sheet(sheets, &titles)?;
                            self.book
                                .push_worksheet(std::mem::replace(&mut sheet, next));
                            row = 0;
                        }
                        row += 1;
                        written += 1;
                        let mut at = 0;
                        for column in columns {
                            let cell = table.cell(*column, &rows, *selected as usize, &mut scratch);
                            put_cell(&mut sheet, row, at, cell, &self.time)?;
                            at += 1;
                            if let (Column::Time, Cell::Time(time)) = (column, cell) {
                                put_text(&mut sheet, row, at, &time.to_string(), None)?;
                                at += 1;
                            }
                        }
                    }
                    pool.give(rows);
                    Ok(())
                },
            )?;
        }
        finish(&mut sheet, row, titles.len())?;
        self.book.push_worksheet(sheet);
        self.rows += written;
        Ok(written)
    }

    fn event_sheet(&mut self, number: u32, titles: &[Title]) -> io::Result<Worksheet> {
        let mut sheet = self
            .book
            .new_worksheet_with_constant_memory()
            .map_err(failed)?;
        let name = match number {
            1 => "Events".to_owned(),
            number => format!("Events {number}"),
        };
        begin(&mut sheet, &name, titles.iter().copied(), &self.header)?;
        Ok(sheet)
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn save(mut self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        // A sheet of more than 4 GB needs the large form of zip, which old readers do not know.
        self.book.use_zip_large_file(self.rows >= LARGE);
        guarded(
            || self.book.save_to_writer(&mut *out).map_err(failed),
            no_room,
        )?;
        out.flush()
    }
}

/// Rows from which on a sheet may have 4 GB: 8 KB a row, with stacks of a hundred frames.
const LARGE: u64 = 500_000;
/// Width from which on the texts of a small table are wrapped.
const WRAPPED: u16 = 60;
/// 1900-03-01: Excel counts a 29 February 1900, so dates before it are a day off.
const EXCEL_START: Filetime = Filetime((EPOCH_DAYS + 61) * TICKS_PER_DAY);
/// Days from 1601-01-01 to 1899-12-30, the day 0 of Excel.
const EPOCH_DAYS: u64 = 109_205;

/// The writer of sheets panics where its temporary file cannot be written, as on a full disk.
fn no_room() -> io::Error {
    io::Error::other("the workbook could not be written: is there room for temporary files?")
}

/// Head of a column.
#[derive(Debug, Clone, Copy)]
struct Title {
    name: &'static str,
    kind: ColumnType,
    width: u16,
}

/// The heads of the event table. Behind the time stands its text: Excel shows milliseconds of it and holds
/// microseconds.
fn event_titles(columns: &[Column]) -> Vec<Title> {
    let mut out = Vec::with_capacity(columns.len() + 1);
    for column in columns {
        out.push(Title {
            name: column.name(),
            kind: column.kind(),
            width: width(*column),
        });
        if *column == Column::Time {
            out.push(Title {
                name: "time_exact",
                kind: ColumnType::Text,
                width: 29,
            });
        }
    }
    out
}

fn width(column: Column) -> u16 {
    match column {
        Column::Path | Column::Stack => 70,
        Column::TargetPath | Column::Detail | Column::CommandLine | Column::ProcessPath => 45,
        Column::Time | Column::CompletionTime | Column::Company | Column::Description => 24,
        Column::Process | Column::Drivers | Column::User | Column::Input | Column::Operation => 22,
        Column::Result | Column::OperationFull | Column::Version | Column::MajorFunction => 20,
        _ => 12,
    }
}

/// Names the sheet and writes its header row.
fn begin(
    sheet: &mut Worksheet,
    name: &str,
    titles: impl Iterator<Item = Title>,
    header: &Format,
) -> io::Result<()> {
    sheet.set_name(name).map_err(failed)?;
    sheet.set_freeze_panes(1, 0).map_err(failed)?;
    for (at, title) in (0..).zip(titles) {
        sheet.set_column_width(at, title.width).map_err(failed)?;
        let name = match title.kind {
            ColumnType::Time => format!("{} (UTC)", title.name),
            _ => title.name.to_owned(),
        };
        sheet
            .write_string_with_format(0, at, name, header)
            .map_err(failed)?;
    }
    Ok(())
}

/// Puts the filter over all rows.
fn finish(sheet: &mut Worksheet, rows: u32, columns: usize) -> io::Result<()> {
    match u16::try_from(columns).ok().and_then(|n| n.checked_sub(1)) {
        Some(last) => sheet
            .autofilter(0, 0, rows, last)
            .map(|_| ())
            .map_err(failed),
        None => Ok(()),
    }
}

fn put_cell(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    cell: Cell<'_>,
    time_format: &Format,
) -> io::Result<()> {
    match cell {
        Cell::Null => Ok(()),
        Cell::Text(text) => put_text(sheet, row, at, text, None),
        Cell::Number(number) => put_number(sheet, row, at, number),
        Cell::Micros(ticks) => put_micros(sheet, row, at, ticks),
        Cell::Time(time) => put_time(sheet, row, at, time, time_format),
        Cell::Bool(truth) => sheet
            .write_boolean(row, at, truth)
            .map(|_| ())
            .map_err(failed),
    }
}

fn put_text(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    text: &str,
    format: Option<&Format>,
) -> io::Result<()> {
    let text = visible(text);
    let text = fitting(&text);
    match format {
        Some(format) => sheet.write_string_with_format(row, at, text, format),
        None => sheet.write_string(row, at, text),
    }
    .map(|_| ())
    .map_err(failed)
}

/// A text that fits into a cell.
fn fitting(text: &str) -> std::borrow::Cow<'_, str> {
    // No text has more UTF-16 units than bytes.
    if text.len() <= MAX_TEXT || text.encode_utf16().count() <= MAX_TEXT {
        return text.into();
    }
    let room = MAX_TEXT - CUT.encode_utf16().count();
    let mut units = 0;
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= room
    });
    let mut out: String = kept.collect();
    out.push_str(CUT);
    out.into()
}

/// A whole number; as a text where a cell cannot hold it exactly.
fn put_number(sheet: &mut Worksheet, row: u32, at: u16, number: u64) -> io::Result<()> {
    match number <= EXACT {
        true => sheet.write_number(row, at, number as f64),
        false => sheet.write_string(row, at, number.to_string()),
    }
    .map(|_| ())
    .map_err(failed)
}

fn put_micros(sheet: &mut Worksheet, row: u32, at: u16, ticks: u64) -> io::Result<()> {
    sheet
        .write_number(row, at, ticks as f64 / 10.0)
        .map(|_| ())
        .map_err(failed)
}

/// A point in time as a date; as a text where Excel has no date for it.
fn put_time(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    time: Filetime,
    format: &Format,
) -> io::Result<()> {
    match serial(time) {
        Some(days) => sheet.write_number_with_format(row, at, days, format),
        None => sheet.write_string(row, at, time.to_string()),
    }
    .map(|_| ())
    .map_err(failed)
}

/// Days since 1899-12-30, as Excel counts them; `None` outside the years it knows.
fn serial(time: Filetime) -> Option<f64> {
    if time < EXCEL_START || time.civil().year > 9_999 {
        return None;
    }
    let days = (time.0 / TICKS_PER_DAY).checked_sub(EPOCH_DAYS)?;
    Some(days as f64 + (time.0 % TICKS_PER_DAY) as f64 / TICKS_PER_DAY as f64)
}

fn date_time(time: Filetime) -> Option<ExcelDateTime> {
    let civil = time.civil();
    let year = u16::try_from(civil.year).ok()?;
    let date = ExcelDateTime::from_ymd(year, civil.month as u8, civil.day as u8).ok()?;
    date.and_hms(civil.hour as u16, civil.minute as u8, civil.second as u8)
        .ok()
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) | XlsxError::TempFileError(_, error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::time::parse_rfc3339;

    #[test]
    fn dates_are_those_of_excel() {
        let serial = |text| serial(parse_rfc3339(text).unwrap());
        assert_eq!(serial("1900-03-01T00:00:00Z"), Some(61.0));
        assert_eq!(serial("1900-02-28T23:59:59Z"), None);
        assert_eq!(serial("2026-05-12T12:00:00Z"), Some(46_154.5));
        assert_eq!(super::serial(Filetime(u64::MAX)), None);
        assert_eq!(super::serial(Filetime(0)), None);
    }

    #[test]
    fn events_beyond_the_limit_go_to_further_sheets() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/clean/clean.pml");
        let trace = crate::pml::PmlTrace::open(path.as_ref(), &|_| ()).unwrap();
        let drivers = crate::drivers::DriverList::default();
        let columns = [Column::Event, Column::Time, Column::Path];
        let (filter, utc) = (crate::export::Filter::default(), crate::trace::Zone::UTC);
        let table = Table::new(&trace, &drivers, "clean.pml", &columns, &filter, &utc);
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::new(folder.path(), None).unwrap();
        book.limit = 1_001;
        let rows = book.add_events(&[table], &crate::trace::Silent).unwrap();
        let sheets = rows.div_ceil(1_000);
        assert!(sheets > 2 && !rows.is_multiple_of(1_000), "{rows}");
        let mut bytes = Vec::new();
        book.save(&mut bytes).unwrap();
        let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let mut seen = 0;
        for number in 1..=sheets {
            let mut xml = String::new();
            let name = format!("xl/worksheets/sheet{number}.xml");
            let mut file = zip.by_name(&name).unwrap();
            io::Read::read_to_string(&mut file, &mut xml).unwrap();
            let in_sheet = xml.matches("<row ").count() as u64 - 1;
            assert_eq!(in_sheet, 1_000.min(rows - seen), "sheet {number}");
            let first = format!("<c r=\"A2\"><v>{seen}</v></c>");
            assert!(xml.contains(&first), "sheet {number} goes on at row {seen}");
            assert!(xml.contains(&format!("<autoFilter ref=\"A1:D{}\"", in_sheet + 1)));
            seen += in_sheet;
        }
        assert_eq!(seen, rows);
        // The temporary files had no names.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(fitting("short"), "short");
        let exact = "é".repeat(MAX_TEXT);
        assert_eq!(fitting(&exact), exact);
        for text in ["x".repeat(MAX_TEXT + 1), "😀".repeat(MAX_TEXT)] {
            let cut = fitting(&text);
            assert!(cut.ends_with(CUT));
            assert!((MAX_TEXT - 1..=MAX_TEXT).contains(&cut.encode_utf16().count()));
        }
    }
}
