//! Small tables that are held in memory: summaries and lists, as CSV, Parquet or sheets of a workbook.

use super::columns::ColumnType;
use super::csv::{BOM, clean, push_micros};
use crate::trace::Filetime;
use serde::{Serialize, Serializer};
use std::io;

/// A value of a small table.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent.
    Null,
    /// Text.
    Text(String),
    /// Number.
    Number(u64),
    /// 100 ns ticks, shown as microseconds.
    Micros(u64),
    /// Point in time.
    Time(Filetime),
    /// Truth.
    Bool(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        match text.trim().is_empty() {
            true => Self::Null,
            false => Self::Text(text.to_owned()),
        }
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Option<Filetime>> for Value {
    fn from(time: Option<Filetime>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }
}

impl Value {
    /// Microseconds from a number of them.
    pub fn micros(micros: f64) -> Self {
        Self::Micros((micros * 10.0).round() as u64)
    }
}

/// A column of a small table: its name, the type of its values, and the characters that most of them fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallColumn {
    /// Its name.
    pub name: &'static str,
    /// Type of its values; any may be absent.
    pub kind: ColumnType,
    /// Width in a sheet, characters.
    pub width: u16,
}

impl SmallColumn {
    /// A column.
    pub const fn new(name: &'static str, kind: ColumnType, width: u16) -> Self {
        Self { name, kind, width }
    }
}

/// A small table. Every row has a value a column.
#[derive(Debug, Clone)]
pub struct SmallTable {
    /// The columns.
    pub columns: &'static [SmallColumn],
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl SmallTable {
    /// The table as CSV; cells that a spreadsheet would run as a formula are defused.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn csv(&self, bom: bool) -> io::Result<Vec<u8>> {
        let start = match bom {
            true => BOM.as_bytes().to_vec(),
            false => Vec::new(),
        };
        let mut out = csv::Writer::from_writer(start);
        out.write_record(self.columns.iter().map(|column| column.name))?;
        for row in &self.rows {
            let cells = row.iter().map(|value| match value {
                Value::Null => String::new(),
                Value::Text(text) => clean(text, true).into_owned(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Time(time) => time.to_string(),
                Value::Micros(ticks) => {
                    let mut text = String::new();
                    push_micros(&mut text, *ticks);
                    text
                }
            });
            out.write_record(cells)?;
        }
        out.into_inner().map_err(|error| error.into_error())
    }

    /// The table as an array of objects.
    pub fn json(&self) -> impl Serialize + '_ {
        let rows = self.rows.iter();
        let rows: Vec<JsonRow<'_>> = rows.map(|row| JsonRow(self.columns, row)).collect();
        rows
    }
}

/// A row as an object whose keys are in the order of the columns.
struct JsonRow<'a>(&'a [SmallColumn], &'a [Value]);

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.0.iter().zip(self.1);
        serializer.collect_map(cells.map(|(column, value)| (column.name, value)))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Time(time) => time.serialize(serializer),
            Self::Micros(ticks) => serializer.serialize_f64(*ticks as f64 / 10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[SmallColumn] = &[
        SmallColumn::new("a", ColumnType::Text, 10),
        SmallColumn::new("b", ColumnType::Micros, 10),
        SmallColumn::new("c", ColumnType::Time, 10),
    ];

    #[test]
    fn every_kind_of_value_has_its_text() {
        let table = SmallTable {
            columns: COLUMNS,
            rows: vec![
                vec!["=1+1".into(), Value::micros(1.25), Value::Time(Filetime(0))],
                vec![" ".into(), Value::Null, Value::from(None::<&str>)],
            ],
        };
        let csv = String::from_utf8(table.csv(true).unwrap()).unwrap();
        assert_eq!(
            csv,
            "\u{feff}a,b,c\n'=1+1,1.3,1601-01-01T00:00:00.0000000Z\n,,\n"
        );
        let json = serde_json::to_value(table.json()).unwrap();
        assert_eq!(json[0]["a"], "=1+1");
        assert_eq!(json[1]["c"], serde_json::Value::Null);
    }
}
