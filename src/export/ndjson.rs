//! One JSON object a line, a key a column; an absent value is `null`.

use super::csv::push_micros;
use super::rows::{Cell, Rows, Table};
use crate::trace::time::push_rfc3339;
use std::io::{self, Write};

/// The lines of the selected rows, behind what `out` holds.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn lines(table: &Table<'_>, rows: &Rows, mut out: &mut Vec<u8>) -> io::Result<()> {
    let keys: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let open = if at == 0 { '{' } else { ',' };
            format!("{open}\"{}\":", column.name())
        })
        .collect();
    let mut scratch = String::new();
    let mut field = String::new();
    let mut number = itoa::Buffer::new();
    for row in &rows.selected {
        for (key, column) in keys.iter().zip(table.columns) {
            out.extend_from_slice(key.as_bytes());
            match table.cell(*column, rows, *row as usize, &mut scratch) {
                Cell::Null => out.extend_from_slice(b"null"),
                Cell::Text(text) => serde_json::to_writer(&mut out, text)?,
                Cell::Number(value) => out.extend_from_slice(number.format(value).as_bytes()),
                Cell::Bool(value) => write!(out, "{value}")?,
                Cell::Micros(ticks) => {
                    field.clear();
                    push_micros(&mut field, ticks);
                    out.extend_from_slice(field.as_bytes());
                }
                Cell::Time(time) => {
                    field.clear();
                    push_rfc3339(&mut field, time, table.zone);
                    serde_json::to_writer(&mut out, &field)?;
                }
            }
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}
