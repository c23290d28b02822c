//! A large CBS.log for timing and memory tests, written as it is made.

use super::{CbsWriter, Encoding, Paper, Story, cbs};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a CBS.log of at least `bytes` bytes: months of lines that mean nothing, and one failed update at the end.
/// Returns its size.
pub fn cbs_to(bytes: u64, encoding: Encoding, path: &Path) -> io::Result<u64> {
    let story = Story::default();
    let mut paper = Paper {
        encoding,
        filler: 10_000,
        ..Paper::default()
    };
    let mut out = BufWriter::new(File::create(path)?);
    let mut written = 0;
    let mut time = story.boot - 90 * 86_400 * 10_000_000;
    while written < bytes {
        let mut log = CbsWriter::new(&paper);
        log.filler(time);
        let chunk = log.finish().bytes;
        out.write_all(&chunk)?;
        written += chunk.len() as u64;
        time += 3_600 * 10_000_000;
        // A mark stands at the start only.
        paper.encoding = match paper.encoding {
            Encoding::Utf8Mark => Encoding::Utf8,
            Encoding::Utf16LeMark => Encoding::Utf16Le,
            other => other,
        };
    }
    paper.filler = 40;
    let end = cbs(&story, &paper).bytes;
    out.write_all(&end)?;
    out.flush()?;
    Ok(written + end.len() as u64)
}
