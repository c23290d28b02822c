//! How many entries a zip says it has, read before its directory is: that is held in memory as a whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// The end record and its comment, with room for the records of ZIP64 in front of it (APPNOTE 4.3.14 to 4.3.16).
const TAIL: u64 = (64 << 10) + 4_096;
const LOCATOR: &[u8] = b"PK\x06\x07";
const RECORD: &[u8] = b"PK\x06\x06";

/// The largest number of entries that any record of ZIP64 at the end names. Without one there are 65,535 at most.
///
/// # Errors
/// When the file cannot be read.
pub fn entries(file: &mut File) -> io::Result<u64> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail = read(file, size.saturating_sub(TAIL), TAIL)?;
    let mut most = 0;
    for at in 0..tail.len() {
        let rest = tail.get(at..).unwrap_or_default();
        if rest.starts_with(RECORD) {
            most = most.max(number(rest, 32));
        } else if rest.starts_with(LOCATOR) {
            let record = read(file, number(rest, 8), 56)?;
            if record.starts_with(RECORD) {
                most = most.max(number(&record, 32));
            }
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(most)
}

fn read(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // An offset beyond what the system can seek to leads nowhere.
    if file.seek(SeekFrom::Start(at)).is_ok() {
        file.take(length).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let field = bytes
        .get(at..at + 8)
        .and_then(|field| field.try_into().ok());
    field.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn records_are_found_at_the_end_and_by_their_locator() {
        let count = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            entries(&mut file).unwrap()
        };
        let mut record = [RECORD, &[0; 28], &1_234_567_u64.to_le_bytes(), &[0; 16]].concat();
        assert_eq!(count(&record), 1_234_567);
        let locator = [LOCATOR, &[0; 4], &0_u64.to_le_bytes(), &[0; 4]].concat();
        record.resize(200_000, 0);
        record.extend_from_slice(&locator);
        assert_eq!(count(&record), 1_234_567);
        let lost = [LOCATOR, &[0; 4], &u64::MAX.to_le_bytes()].concat();
        assert_eq!((count(&lost), count(b""), count(LOCATOR)), (0, 0, 0));
    }
}
