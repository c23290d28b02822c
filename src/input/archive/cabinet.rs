//! `.cab`, as Windows packs old CBS logs: `CbsPersist_20260512064207.cab` holds `CbsPersist_20260512064207.log`.

use super::spool::{Entry, Job, Taken};
use super::{MOST_ENTRIES, told, too_many};
use crate::say;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Bytes decoded to reach all entries, in multiples of what may be unpacked: entries of a folder are packed behind
/// one another, and each is reached from the folder's start.
const MOST_WORK: u64 = 4;

/// Unpacks a cabinet: stored, MSZIP or LZX.
pub fn unpack(mut file: File, job: &mut Job<'_>) -> io::Result<()> {
    if continues(&mut file)? {
        return Err(told(say!(
            en: "one part of a set of several cabinets: unpack the set first, with expand.exe or extrac32.exe",
            zh: "这是一组多个 CAB 文件之一：请先用 expand.exe 或 extrac32.exe 解压整组文件"
        )));
    }
    let mut cabinet = cab::Cabinet::new(BufReader::new(file))?;
    let mut entries: Vec<(String, u64, u64)> = Vec::new();
    for folder in cabinet.folder_entries() {
        let mut before = 0_u64;
        for file in folder.file_entries() {
            let size = u64::from(file.uncompressed_size());
            entries.push((file.name().to_owned(), size, before));
            before += size;
        }
    }
    if entries.len() > MOST_ENTRIES {
        return Err(too_many(entries.len() as u64));
    }
    let mut work = job.options().most.saturating_mul(MOST_WORK);
    for (name, size, before) in entries {
        work = work.checked_sub(before + size).ok_or_else(|| {
            told(say!(
                en: "too many large entries behind one another: unpack it yourself",
                zh: "连续的大条目过多：请自行解压"
            ))
        })?;
        let entry = Entry {
            name: &name,
            size: Some(size),
        };
        let taken = match cabinet.read_file(&name) {
            Ok(mut reader) => job.take(&entry, &mut reader)?,
            Err(error) => Taken::Lost(error),
        };
        if let Taken::Lost(error) = taken {
            job.entry_lost(
                &name,
                &say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"),
            );
        }
    }
    Ok(())
}

/// Whether files of a cabinet begin in the one before it, or go on in the next.
fn continues(file: &mut File) -> io::Result<bool> {
    let mut header = [0; 32];
    file.read_exact(&mut header)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(header[30] & 3 != 0)
}
