//! What the callbacks of each minifilter came to over a whole trace: a table of `info`.

use super::style::{BOLD, count, duration, filled, paint, safe};
use crate::drivers::DriverList;
use crate::etl::EtlTrace;
use crate::etl::dictionary::callbacks::CallbackSum;
use crate::lang::Lang;
use serde::Serialize;
use std::fmt::Write as _;

/// The callbacks of a minifilter, on whatever files.
#[derive(Debug, Clone, Serialize)]
pub struct FilterRow {
    /// File name of the driver; `None` for routines in no known image.
    pub name: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Whether it is anyone's but Microsoft's.
    pub third_party: bool,
    /// The altitudes that its name may have.
    pub altitude: Option<String>,
    /// Callbacks: their ends where the trace records them, else their initiations.
    pub callbacks: u64,
    /// Callbacks that ended the operation with a failure.
    pub refused: u64,
    /// Time in callbacks, µs; `None` where the trace does not tell it. Callbacks run side by side: it may be more than
    /// the time that passed.
    pub time_us: Option<f64>,
    /// The longest callback, µs.
    pub longest_us: Option<f64>,
}

/// The table, most time first; `None` where the trace has no callbacks.
pub fn filters(trace: &EtlTrace, drivers: &DriverList) -> Option<Vec<FilterRow>> {
    let callbacks = &trace.facts().callbacks;
    let ends = callbacks.have_ends();
    let (by_image, nowhere) = callbacks.by_image(&drivers.map);
    let row = |image: Option<u32>, sum: &CallbackSum| {
        let driver = image.and_then(|image| drivers.list.get(image as usize));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let us = |units| (sum.timed > 0).then(|| trace.span(units) as f64 / 10.0);
        FilterRow {
            name: driver.map(|driver| driver.name.clone()),
            company: driver.and_then(|driver| text(&driver.company)),
            third_party: driver.is_some_and(|driver| driver.third_party),
            altitude: driver.and_then(|driver| text(&driver.altitude_text())),
            callbacks: sum.count(ends),
            refused: sum.refused,
            time_us: us(sum.time),
            longest_us: us(sum.longest),
        }
    };
    let known = by_image.iter().map(|(image, sum)| row(Some(*image), sum));
    let rows = known.chain([row(None, &nowhere)]);
    let mut rows: Vec<FilterRow> = rows.filter(|row| row.callbacks + row.refused > 0).collect();
    rows.sort_by(|a, b| {
        let time = |row: &FilterRow| row.time_us.unwrap_or(0.0);
        let by_time = time(b).total_cmp(&time(a));
        by_time.then_with(|| (b.callbacks, &a.name).cmp(&(a.callbacks, &b.name)))
    });
    (!rows.is_empty()).then_some(rows)
}

/// Filters listed for people; `--json` has all.
const LISTED: usize = 20;

/// The table for people.
///
/// # Errors
/// Never: a `String` takes everything.
pub fn write_filters(out: &mut String, rows: &[FilterRow], lang: Lang) -> std::fmt::Result {
    let title = lang.pick("Minifilter callbacks", "微筛选器回调");
    // As wide as the columns below.
    let head = tell_columns(lang);
    writeln!(out, "\n{}{head}", paint(BOLD, filled(title, NAME + 2)))?;
    for row in rows.iter().take(LISTED) {
        let name = match &row.name {
            Some(name) => safe(name),
            None => lang
                .pick("in no known driver", "不在已知驱动程序中")
                .to_owned(),
        };
        let time = |us: Option<f64>| us.map_or_else(String::new, |us| duration(us, lang));
        write!(
            out,
            "  {}{}{}{}{}",
            filled(&name, NAME),
            right(&count(row.callbacks), CALLBACKS),
            right(&time(row.time_us), TIME),
            right(&time(row.longest_us), TIME),
            right(&count(row.refused), REFUSED),
        )?;
        match &row.company {
            Some(company) if row.third_party => writeln!(out, "  {}", safe(company))?,
            _ => writeln!(out)?,
        }
    }
    if rows.len() > LISTED {
        let more = rows.len() - LISTED;
        let told = crate::tell!(lang, en: "{more} more", zh: "另有 {more} 个");
        writeln!(out, "  {told}")?;
    }
    Ok(())
}

const NAME: usize = 30;
const CALLBACKS: usize = 12;
const TIME: usize = 12;
const REFUSED: usize = 9;

fn tell_columns(lang: Lang) -> String {
    [
        (lang.pick("callbacks", "回调次数"), CALLBACKS),
        (lang.pick("in all", "总时间"), TIME),
        (lang.pick("longest", "最长"), TIME),
        (lang.pick("refused", "拒绝"), REFUSED),
    ]
    .iter()
    .map(|(text, width)| right(text, *width))
    .collect()
}

/// Text at the right of a column.
fn right(text: &str, width: usize) -> String {
    use unicode_width::UnicodeWidthStr as _;
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}
