//! Comma-separated values: RFC 4180, UTF-8, one line an event.

use super::columns::Column;
use super::rows::{Cell, Rows, Table};
use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND, push_rfc3339_bytes};
use crate::trace::{Filetime, Kind, NO_PROCESS, Zone};
use crate::visible::visible;
use std::borrow::Cow;

/// How a CSV is written.
#[derive(Debug, Clone, Default)]
pub struct CsvStyle {
    /// Zone of the time columns.
    pub zone: Zone,
    /// Whether a cell that a spreadsheet would run as a formula is defused with a leading `'`.
    pub neutralise: bool,
    /// Whether the file starts with a byte order mark, by which Excel knows UTF-8.
    pub bom: bool,
}

/// The UTF-8 byte order mark.
pub const BOM: &str = "\u{feff}";

/// A table on its way into CSV.
///
/// Cells that depend on the process alone are written once a process and copied from then on: half
/// the bytes of a line with all columns.
pub struct CsvTable<'a> {
    table: &'a Table<'a>,
    style: &'a CsvStyle,
    parts: Vec<Part>,
}

/// A stretch of a line.
enum Part {
    /// A cell of the row.
    Cell(Column),
    /// A cell with a name from our own lists, in which nothing needs quotes. Names of ETL events may be the trace's own.
    Name(Column),
    /// A cell that is the same in all rows.
    Constant(Vec<u8>),
    /// Cells that depend on the process: their text by process, and at the end that of no process.
    Process(Vec<Vec<u8>>),
}

impl<'a> CsvTable<'a> {
    /// Bytes that a line with all columns has, about.
    pub const USUAL_LINE: usize = 640;

    /// Prepares the lines of a table.
    pub fn new(table: &'a Table<'a>, style: &'a CsvStyle) -> Self {
        let mut out = Self {
            table,
            style,
            parts: Vec::new(),
        };
        for run in table
            .columns
            .chunk_by(|a, b| a.is_of_process() && b.is_of_process())
        {
            let part = match run {
                [
                    column @ (Column::Class
                    | Column::Operation
                    | Column::OperationFull
                    | Column::Category),
                ] if table.trace.info().kind == Kind::Pml => Part::Name(*column),
                [Column::Source] => Part::Constant(table.trace.info().kind.as_str().into()),
                [Column::Input] => {
                    let mut text = Vec::new();
                    push_text(table.input, style.neutralise, &mut text);
                    Part::Constant(text)
                }
                [column] if !column.is_of_process() => Part::Cell(*column),
                columns => out.process_part(columns),
            };
            out.parts.push(part);
        }
        out
    }

    fn process_part(&self, columns: &[Column]) -> Part {
        let processes = self.table.trace.info().processes.len() as u32;
        let render = |position: u32| {
            let mut text = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                let cell = self.table.process_cell(*column, position);
                self.push_cell(cell, &mut Stamp::new(&self.style.zone), &mut text);
            }
            text
        };
        let mut texts: Vec<Vec<u8>> = (0..processes).map(&render).collect();
        texts.push(render(NO_PROCESS));
        Part::Process(texts)
    }

    /// The header line.
    pub fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.style.bom {
            out.extend_from_slice(BOM.as_bytes());
        }
        let names: Vec<&str> = self
            .table
            .columns
            .iter()
            .map(|column| column.name())
            .collect();
        out.extend_from_slice(names.join(",").as_bytes());
        out.push(b'\n');
        out
    }

    /// Writes the lines of the selected rows behind what `out` holds.
    pub fn lines(&self, rows: &Rows, out: &mut Vec<u8>) {
        let mut cell_text = String::new();
        let mut stamp = Stamp::new(&self.style.zone);
        for row in &rows.selected {
            for (at, part) in self.parts.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match part {
                    Part::Cell(column) => {
                        let cell = self
                            .table
                            .cell(*column, rows, *row as usize, &mut cell_text);
                        self.push_cell(cell, &mut stamp, out);
                    }
                    Part::Name(column) => {
                        let name = self.table.fixed_text(*column, rows, *row as usize);
                        out.extend_from_slice(name.as_bytes());
                    }
                    Part::Constant(text) => out.extend_from_slice(text),
                    Part::Process(texts) => {
                        let process = rows.batch.process[*row as usize] as usize;
                        out.extend_from_slice(&texts[process.min(texts.len() - 1)]);
                    }
                }
            }
            out.push(b'\n');
        }
    }

    #[inline]
    fn push_cell(&self, cell: Cell<'_>, stamp: &mut Stamp<'_>, out: &mut Vec<u8>) {
        match cell {
            Cell::Null => {}
            Cell::Text(text) => push_text(text, self.style.neutralise, out),
            Cell::Number(value) => {
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Cell::Bool(value) => out.extend_from_slice(if value { b"True" } else { b"False" }),
            Cell::Micros(ticks) => {
                out.extend_from_slice(itoa::Buffer::new().format(ticks / 10).as_bytes());
                out.extend_from_slice(&[b'.', b'0' + (ticks % 10) as u8]);
            }
            Cell::Time(time) => stamp.push(time, out),
        }
    }
}

/// Writes times. Those of one day share their date, and a log is rarely longer.
struct Stamp<'a> {
    zone: &'a Zone,
    day: u64,
    /// The date of `day`, as `2026-05-12T`.
    date: Vec<u8>,
}

impl<'a> Stamp<'a> {
    fn new(zone: &'a Zone) -> Self {
        Self {
            zone,
            day: u64::MAX,
            date: Vec::new(),
        }
    }

    #[inline]
    fn push(&mut self, time: Filetime, out: &mut Vec<u8>) {
        if !self.zone.is_utc() {
            push_rfc3339_bytes(out, time, self.zone);
            return;
        }
        let (day, clock) = (time.0 / TICKS_PER_DAY, time.0 % TICKS_PER_DAY);
        if day != self.day {
            self.day = day;
            self.date.clear();
            push_rfc3339_bytes(&mut self.date, time, self.zone);
            self.date.truncate(self.date.len() - CLOCK_LEN);
        }
        out.extend_from_slice(&self.date);
        let seconds = (clock / TICKS_PER_SECOND) as u32;
        let mut fraction = (clock % TICKS_PER_SECOND) as u32;
        let mut text = *b"00:00:00.0000000Z";
        for (at, value) in [
            (0, seconds / 3_600),
            (3, seconds / 60 % 60),
            (6, seconds % 60),
        ] {
            text[at] += (value / 10) as u8;
            text[at + 1] += (value % 10) as u8;
        }
        for digit in text[9..16].iter_mut().rev() {
            *digit += (fraction % 10) as u8;
            fraction /= 10;
        }
        out.extend_from_slice(&text);
    }
}

/// Length of `00:00:00.0000000Z`.
const CLOCK_LEN: usize = 17;

/// Writes a text as a cell, with quotes where it needs them.
#[inline]
fn push_text(text: &str, neutralise: bool, out: &mut Vec<u8>) {
    if !neutralise && is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_odd_text(&clean(text, neutralise), out);
    }
}

fn push_odd_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut quotes = memchr::memchr_iter(b'"', bytes).peekable();
    if quotes.peek().is_none() && memchr::memchr(b',', bytes).is_none() {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    let mut start = 0;
    for quote in quotes {
        // The quote itself comes again at the start of the next piece.
        out.extend_from_slice(&bytes[start..=quote]);
        start = quote;
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// Whether a text can stand in a line as it is. Blocks without a way out in the middle are what the
/// compiler turns into wide comparisons.
fn is_plain(text: &str) -> bool {
    !text.as_bytes().chunks(32).any(|block| {
        block.iter().fold(false, |found, byte| {
            found | (*byte < b' ') | (*byte == b',') | (*byte == b'"')
        })
    })
}

/// Whether a text has a control character below 0x20.
fn has_control(text: &str) -> bool {
    text.as_bytes().chunks(32).any(|block| {
        block
            .iter()
            .fold(false, |found, byte| found | (*byte < b' '))
    })
}

/// 100 ns ticks as microseconds with one digit behind the point.
pub fn push_micros(out: &mut String, ticks: u64) {
    let mut number = itoa::Buffer::new();
    out.push_str(number.format(ticks / 10));
    out.push('.');
    out.push(char::from(b'0' + (ticks % 10) as u8));
}

/// A cell on one line. Exact but for control characters, which become blanks; for people (`neutralise`) what hides is
/// shown, and a `'` stands in front of what a spreadsheet would run as a formula.
pub fn clean(text: &str, neutralise: bool) -> Cow<'_, str> {
    if neutralise {
        let shown = visible(text);
        return match text.starts_with(FORMULA) {
            true => Cow::Owned(format!("'{shown}")),
            false => shown,
        };
    }
    if !has_control(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| if c < ' ' { ' ' } else { c })
            .collect(),
    )
}

/// What a formula starts with; spreadsheets of East Asia take the wide forms for the narrow ones.
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_on_their_line_and_run_nothing() {
        assert_eq!(clean("a\r\nb", false), "a  b");
        assert_eq!(clean("=1+1", true), "'=1+1");
        assert_eq!(clean("=1+1", false), "=1+1");
        assert_eq!(clean("\t=1", true), "'\\u{9}=1");
        assert_eq!(clean("＝1+1", true), "'＝1+1");
        assert_eq!(clean("a\u{202e}b", true), "a\\u{202e}b");
        assert_eq!(clean("a\u{202e}b", false), "a\u{202e}b");
        let quoted = |text| {
            let mut out = Vec::new();
            push_text(text, false, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(quoted("\"\"x"), "\"\"\"\"\"x\"");
        assert_eq!(quoted("a\tb"), "a b");
        let utc = Zone::UTC;
        let mut stamp = Stamp::new(&utc);
        for ticks in [
            0,
            1,
            863_999_999_999,
            864_000_000_000,
            132_390_046_907_752_429,
            u64::MAX,
        ] {
            let mut text = Vec::new();
            stamp.push(Filetime(ticks), &mut text);
            assert_eq!(
                String::from_utf8(text).unwrap(),
                Filetime(ticks).to_string()
            );
        }
        let mut out = String::new();
        push_micros(&mut out, 123);
        assert_eq!(out, "12.3");
    }
}
