//! The string table that process and module records refer to by number.

use super::error::{PmlError, Table};
use crate::bytes::{push_utf16, slice_at, u32_at};
use crate::lang::Message;
use crate::say;
use std::sync::Arc;

/// The strings of a log, by number.
#[derive(Debug, Clone)]
pub struct Strings {
    strings: Vec<Arc<str>>,
    empty: Arc<str>,
}

impl Default for Strings {
    fn default() -> Self {
        Self {
            strings: Vec::new(),
            empty: Arc::from(""),
        }
    }
}

impl Strings {
    /// Reads the table from `bytes`, which start at file offset `offset`.
    ///
    /// A string that does not fit is empty; the error says how many there are of those.
    pub fn parse(bytes: &[u8], offset: u64) -> (Self, Option<PmlError>) {
        let table_error = |expected: Message, found: Message| PmlError::Table {
            table: Table::Strings,
            offset,
            expected,
            found,
        };
        let mut out = Self::default();
        let Some(count) = u32_at(bytes, 0) else {
            let found = say!(en: "{bytes} bytes", zh: "{bytes} 个字节", bytes = bytes.len());
            return (
                out,
                Some(table_error(
                    say!(en: "a count of strings", zh: "字符串数"),
                    found,
                )),
            );
        };
        // An entry takes 4 bytes: no count above that is worth memory.
        let held = (bytes.len() - 4) / 4;
        let readable = (count as usize).min(held);
        let mut bad = count as usize - readable;
        out.strings.reserve(readable);
        // Strings do not overlap, so together they are no longer than the table; a made-up table in
        // which they do must not grow beyond all measure.
        let mut budget = bytes.len().saturating_mul(2);
        let first = 4 + readable * 4;
        for number in 0..readable {
            let text = string_at(bytes, number, first, &mut budget);
            bad += usize::from(text.is_none());
            out.strings
                .push(text.unwrap_or_else(|| Arc::clone(&out.empty)));
        }
        // A whole table has the empty string at least.
        let error = (bad > 0 || count == 0).then(|| {
            table_error(
                say!(en: "{count} whole strings", zh: "{count} 个完整的字符串"),
                say!(
                    en: "{whole} (the rest read as empty)",
                    zh: "{whole} 个（其余按空字符串读取）",
                    whole = count as usize - bad,
                ),
            )
        });
        (out, error)
    }

    /// String number `number`; empty where there is none.
    pub fn get(&self, number: u32) -> Arc<str> {
        Arc::clone(self.strings.get(number as usize).unwrap_or(&self.empty))
    }
}

/// String `number` of a table whose strings begin at `first`.
fn string_at(bytes: &[u8], number: usize, first: usize, budget: &mut usize) -> Option<Arc<str>> {
    let at = u32_at(bytes, 4 + number * 4)? as usize;
    let size = u32_at(bytes, at)? as usize;
    // Where a crash left zeros, offsets are 0, and so are sizes, which only string 0 may have.
    if at < first || size == 0 && number > 0 {
        return None;
    }
    let mut raw = slice_at(bytes, at + 4, size)?;
    *budget = budget.checked_sub(size)?;
    // The size counts the NUL.
    if let [head @ .., 0, 0] = raw {
        raw = head;
    }
    let mut text = String::with_capacity(raw.len() / 2);
    push_utf16(raw, &mut text);
    // No string holds a NUL: this one is damaged.
    (!text.contains('\0')).then(|| text.into())
}

/// Whether `bytes` begin as a whole table does: the strings follow their offsets.
pub fn begins_here(bytes: &[u8]) -> bool {
    u32_at(bytes, 0).is_some_and(|count| {
        let first = 4 + u64::from(count) * 4;
        count > 0 && u32_at(bytes, 4).map(u64::from) == Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_overlap_do_not_multiply() {
        const STRINGS: u32 = 1000;
        let start = 4 + STRINGS * 4;
        let size = 20_000_u32;
        let mut table = STRINGS.to_le_bytes().to_vec();
        for _ in 0..STRINGS {
            table.extend(start.to_le_bytes());
        }
        table.extend(size.to_le_bytes());
        table.extend(std::iter::repeat_n(b'x', size as usize));
        let (strings, error) = Strings::parse(&table, 0);
        let bytes: usize = (0..STRINGS).map(|number| strings.get(number).len()).sum();
        assert!(bytes < table.len() * 4 && bytes > 0);
        assert!(error.is_some());
    }
}
