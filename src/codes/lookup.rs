//! Lookups in the sorted tables of this module.

/// The text of a number in a table sorted by number.
pub(super) fn by_number(
    table: &'static [(u32, &'static str)],
    number: u32,
) -> Option<&'static str> {
    let at = table.binary_search_by_key(&number, |row| row.0).ok()?;
    table.get(at).map(|row| row.1)
}

/// The number of a name, without regard to case. Tables are sorted by number, so this is a scan: it serves
/// what people type and the few names in logs, never a trace's events.
pub(super) fn by_name(table: &'static [(u32, &'static str)], name: &str) -> Option<u32> {
    table
        .iter()
        .find(|row| row.1.eq_ignore_ascii_case(name))
        .map(|row| row.0)
}
