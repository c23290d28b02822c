//! `.gz` and `.zst`: one file, without a name of its own.

use super::LARGEST_WINDOW;
use super::spool::{Job, Taken};
use crate::trace::path::file_name;
use std::fs::File;
use std::io::{self, BufReader, Read};

/// Unpacks gzip, of one member or several.
pub fn unpack_gzip(file: File, job: &mut Job<'_>) -> io::Result<()> {
    unpack(
        flate2::read::MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file)),
        job,
    )
}

/// Unpacks Zstandard, of one frame or several.
pub fn unpack_zstd(file: File, job: &mut Job<'_>) -> io::Result<()> {
    let mut reader = zstd::stream::read::Decoder::new(file)?;
    reader.window_log_max(LARGEST_WINDOW.ilog2())?;
    unpack(reader, job)
}

const BUFFER: usize = 256 << 10;

fn unpack(mut reader: impl Read, job: &mut Job<'_>) -> io::Result<()> {
    // What stands before the ending is the name of the file inside.
    let name = file_name(job.archive());
    let lower = name.to_ascii_lowercase();
    let inner = [".gz", ".zst", ".gzip", ".zstd"]
        .iter()
        .find_map(|ending| lower.strip_suffix(ending))
        .and_then(|stem| name.get(..stem.len()))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name);
    match job.take_stream(inner, &mut reader)? {
        Taken::Lost(error) => Err(error),
        Taken::Partly | Taken::Whole => Ok(()),
    }
}
