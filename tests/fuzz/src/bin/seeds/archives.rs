//! Archives of each kind, by this program and by others.

use crate::Corpus;
use std::io::{self, Write as _};
use std::path::Path;

/// A zip with one entry, stored.
pub fn stored_zip(name: &str, data: &[u8]) -> Vec<u8> {
    let crc = !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let size = data.len() as u32;
    let mut sizes = crc.to_le_bytes().to_vec();
    sizes.extend(size.to_le_bytes());
    sizes.extend(size.to_le_bytes());
    sizes.extend((name.len() as u16).to_le_bytes());
    let mut out = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0".to_vec();
    out.extend(&sizes);
    out.extend([0, 0]);
    out.extend(name.as_bytes());
    out.extend(data);
    let start = out.len() as u32;
    out.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\x21\0");
    out.extend(&sizes);
    out.extend([0; 16]);
    out.extend(name.as_bytes());
    let directory = out.len() as u32 - start;
    out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend(directory.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// Adds archives around `log`.
pub fn add(corpus: &Corpus, name: &str, log: &[u8]) -> io::Result<()> {
    let zip = stored_zip(name, log);
    corpus.add("archive", "log.zip", &zip)?;
    corpus.add("archive", "nested.zip", &stored_zip("inner.zip", &zip))?;
    corpus.add("archive", "climbs.zip", &stored_zip("../../x.log", log))?;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(log)?;
    let gz = packed.finish()?;
    corpus.add("archive", "log.gz", &gz)?;
    corpus.add("archive", "log-in-zip.gz", &stored_zip("CBS.log.gz", &gz))?;
    corpus.add("archive", "log.zst", &zstd::encode_all(log, 3)?)?;
    // As other programs write them.
    let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("../archives");
    for entry in std::fs::read_dir(others)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".md") {
            let bytes = std::fs::read(entry.path())?;
            corpus.add("archive", &name, &bytes)?;
            corpus.add(
                "archive",
                &format!("{name}-in-zip"),
                &stored_zip(&name, &bytes),
            )?;
        }
    }
    Ok(())
}
