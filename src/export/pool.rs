//! Buffers that go round: taken by a worker, given back by the writer.
//!
//! A unit of rows takes a megabyte or two. Without this every one of them is mapped, touched and
//! unmapped anew, which costs as much as rendering it.

use crate::trace::{Tick, for_each_unit};
use std::io::{self, Write};

pub use crate::trace::pool::Pool;

/// Renders units side by side into buffers that go round, and writes them in order.
///
/// `render` gets a unit and an empty buffer, and says how many rows it wrote; so does this function.
///
/// # Errors
/// When `render` fails or `out` cannot be written.
pub fn write_units(
    units: usize,
    tick: Tick<'_>,
    out: &mut (dyn Write + Send),
    render: impl Fn(usize, &mut Vec<u8>) -> io::Result<u64> + Sync,
) -> io::Result<u64> {
    let pool: Pool<Vec<u8>> = Pool::default();
    let mut written = 0;
    for_each_unit(
        0..units,
        tick,
        |unit| {
            let mut text = pool.take();
            text.clear();
            let rows = render(unit, &mut text)?;
            Ok((rows, text))
        },
        |(rows, text)| {
            written += rows;
            out.write_all(&text)?;
            pool.give(text);
            Ok(())
        },
    )?;
    Ok(written)
}
