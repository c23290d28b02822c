//! Comma-separated values: RFC 4180, UTF-8, one line an event.

use super::columns::Column;
use super::pieces::{self, Marks, Stamp};
use super::rows::{Cell, Rows, Table};
use crate::trace::{Kind, NO_PROCESS, Zone};
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
    /// What stands before the first cell of a row.
    first: Between,
    /// The cells that differ from row to row, each with what follows it.
    cells: Vec<(Column, Between)>,
    /// Whether the names of operations come from our own lists. Those of ETL events may be the trace's own.
    own_names: bool,
    usual: Option<Usual>,
}

/// What stands between two cells of a row: commas, and cells that need not be rendered anew.
enum Between {
    /// A comma.
    Comma,
    /// The same in all rows.
    Constant(Vec<u8>),
    /// What depends on the process: by process, and at the end that of no process.
    Process(Vec<Vec<u8>>),
}

impl Between {
    fn push(&mut self, text: &[u8]) {
        match self {
            Self::Comma => *self = Self::Constant([b",", text].concat()),
            Self::Constant(before) if before.is_empty() && text == b"," => *self = Self::Comma,
            Self::Constant(before) => before.extend_from_slice(text),
            Self::Process(texts) => texts
                .iter_mut()
                .for_each(|before| before.extend_from_slice(text)),
        }
    }

    #[inline(always)]
    fn write(&self, process: u32, out: &mut Vec<u8>) {
        match self {
            Self::Comma => out.push(b','),
            Self::Constant(text) => out.extend_from_slice(text),
            Self::Process(texts) => {
                out.extend_from_slice(&texts[(process as usize).min(texts.len() - 1)]);
            }
        }
    }
}

impl Default for Between {
    fn default() -> Self {
        Self::Constant(Vec::new())
    }
}

/// Tables whose lines are written without asking for each cell what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usual {
    /// All columns of a Procmon log but the stack.
    Pml,
    /// All columns of a Procmon log.
    PmlStacks,
}

/// A line with these cells, one behind the other: the tests of what each one is are made when this is compiled.
macro_rules! usual_lines {
    ($($usual:ident $function:ident [$($column:ident)*])*) => {
        impl Usual {
            /// The one with these cells.
            fn of(cells: &[(Column, Between)]) -> Option<Self> {
                let columns = || cells.iter().map(|(column, _)| *column);
                $(if columns().eq([$(Column::$column),*]) {
                    return Some(Self::$usual);
                })*
                None
            }
        }

        impl CsvTable<'_> {
            $(fn $function(&self, rows: &Rows, row: usize, kept: &mut Kept<'_>, out: &mut Vec<u8>) {
                let process = rows.batch.process[row];
                let mut cells = self.cells.iter();
                $(if let Some((_, between)) = cells.next() {
                    self.push(Column::$column, rows, row, kept, out);
                    between.write(process, out);
                })*
            })*
        }
    };
}

usual_lines! {
    Pml push_pml [
        Event Time Class Operation Path TargetPath Result Status DurationUs Tid Detail Category Drivers RelativeUs
        CompletionTime OperationFull
    ]
    PmlStacks push_pml_stacks [
        Event Time Class Operation Path TargetPath Result Status DurationUs Tid Detail Category Drivers RelativeUs
        CompletionTime OperationFull Stack
    ]
}

/// What is kept from row to row.
struct Kept<'a> {
    stamp: Stamp<'a>,
    scratch: String,
}

impl<'a> CsvTable<'a> {
    /// Bytes that a line with all columns has, and some more: what is not used is never touched.
    pub const USUAL_LINE: usize = 768;

    /// Prepares the lines of a table.
    pub fn new(table: &'a Table<'a>, style: &'a CsvStyle) -> Self {
        let mut out = Self {
            table,
            style,
            first: Between::default(),
            cells: Vec::new(),
            own_names: table.trace.info().kind == Kind::Pml,
            usual: None,
        };
        for (at, run) in table
            .columns
            .chunk_by(|a, b| a.is_of_process() && b.is_of_process())
            .enumerate()
        {
            if at > 0 {
                out.last().push(b",");
            }
            match run {
                [column] if !column.is_of_process() => out.add(*column),
                columns => out.add_process(columns),
            }
        }
        out.last().push(b"\n");
        out.usual = Usual::of(&out.cells);
        out
    }

    /// What stands behind the last cell so far.
    fn last(&mut self) -> &mut Between {
        match self.cells.last_mut() {
            Some((_, between)) => between,
            None => &mut self.first,
        }
    }

    fn add(&mut self, column: Column) {
        let info = self.table.trace.info();
        match column {
            // What a Procmon log does not have.
            Column::Filter
            | Column::Callback
            | Column::FilterDurationUs
            | Column::MajorFunction
            | Column::Provider
                if info.kind == Kind::Pml => {}
            Column::Source => self.last().push(info.kind.as_str().as_bytes()),
            Column::Input => {
                let mut text = Vec::new();
                push_text(self.table.input, self.style.neutralise, &mut text);
                self.last().push(&text);
            }
            column => self.cells.push((column, Between::default())),
        }
    }

    fn add_process(&mut self, columns: &[Column]) {
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
        let mut texts: Vec<Vec<u8>> = (0..processes).map(render).collect();
        texts.push(render(NO_PROCESS));
        let last = self.last();
        match last {
            // Two runs of such cells are apart by others, but those may be constant.
            Between::Process(before) => {
                for (before, text) in before.iter_mut().zip(&texts) {
                    before.extend_from_slice(text);
                }
            }
            Between::Comma | Between::Constant(_) => {
                let mut before = Vec::new();
                last.write(NO_PROCESS, &mut before);
                for text in &mut texts {
                    text.splice(..0, before.iter().copied());
                }
                *last = Between::Process(texts);
            }
        }
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
        let mut kept = Kept {
            stamp: Stamp::new(&self.style.zone),
            scratch: String::new(),
        };
        for row in &rows.selected {
            let row = *row as usize;
            let process = rows.batch.process[row];
            self.first.write(process, out);
            match self.usual {
                Some(Usual::Pml) => self.push_pml(rows, row, &mut kept, out),
                Some(Usual::PmlStacks) => self.push_pml_stacks(rows, row, &mut kept, out),
                None => {
                    for (column, between) in &self.cells {
                        self.push(*column, rows, row, &mut kept, out);
                        between.write(process, out);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn push(
        &self,
        column: Column,
        rows: &Rows,
        row: usize,
        kept: &mut Kept<'_>,
        out: &mut Vec<u8>,
    ) {
        match column {
            // Nothing in them needs quotes.
            Column::Class | Column::Operation | Column::OperationFull | Column::Category
                if self.own_names =>
            {
                out.extend_from_slice(self.table.fixed_text(column, rows, row).as_bytes());
            }
            column => {
                let cell = self.table.cell(column, rows, row, &mut kept.scratch);
                self.push_cell(cell, &mut kept.stamp, out);
            }
        }
    }

    #[inline(always)]
    fn push_cell(&self, cell: Cell<'_>, stamp: &mut Stamp<'_>, out: &mut Vec<u8>) {
        match cell {
            Cell::Null => {}
            Cell::Text(text) => push_text(text, self.style.neutralise, out),
            Cell::Number(value) => pieces::number(value, out),
            Cell::Bool(value) => out.extend_from_slice(if value { b"True" } else { b"False" }),
            Cell::Micros(ticks) => pieces::micros(ticks, out),
            Cell::Time(time) => stamp.push(time, out),
        }
    }
}

/// Writes a text as a cell, with quotes where it needs them.
#[inline(never)]
fn push_text(text: &str, neutralise: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let marks = Marks::of(bytes);
    if neutralise {
        push_odd_text(&clean(text, true), out);
    } else if marks.is_none() {
        out.extend_from_slice(bytes);
    } else if marks.is_commas() {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
    } else {
        push_odd_text(&clean(text, false), out);
    }
}

#[cold]
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
    if !Marks::of(text.as_bytes()).has_control() {
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
        let mut out = String::new();
        push_micros(&mut out, 123);
        assert_eq!(out, "12.3");
    }
}
