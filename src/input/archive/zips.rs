//! `.zip`: also ZIP64, deflate64 as Windows Explorer writes it beyond 2 GB, encrypted, and cut.

use super::names::{NamePage, gbk, page_of};
use super::spool::{Entry, Job, Taken};
use super::{MOST_ENTRIES, directory, is_told, message_of, told, too_many};
use crate::lang::Message;
use crate::say;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use zip::ZipArchive;
use zip::read::{ZipFile, read_zipfile_from_stream};
use zip::result::ZipError;

const BUFFER: usize = 64 << 10;

/// Unpacks a zip.
pub fn unpack(mut file: File, job: &mut Job<'_>) -> io::Result<()> {
    let entries = directory::entries(&mut file)?;
    if entries > MOST_ENTRIES as u64 {
        return Err(too_many(entries));
    }
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let damage = match ZipArchive::new(&mut reader) {
        Ok(archive) => return unpack_whole(archive, job),
        Err(error) => error,
    };
    // The directory stands at the end: a zip that was cut has none, but its entries have headers of their own.
    reader.seek(SeekFrom::Start(0))?;
    unpack_cut(reader, &damage, job)
}

fn unpack_whole(
    mut archive: ZipArchive<&mut BufReader<File>>,
    job: &mut Job<'_>,
) -> io::Result<()> {
    if archive.len() > MOST_ENTRIES {
        return Err(too_many(archive.len() as u64));
    }
    if archive.has_duplicate_names() {
        job.note(&say!(
            en: "several entries have one name: the last of each is read",
            zh: "有多个条目同名：只读取其中最后一个"
        ));
    }
    let names = names(&archive);
    // A workbook or document is a zip as well, and holds no logs.
    if names.iter().any(|name| name == "[Content_Types].xml") {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..archive.len()).collect();
    order.sort_by_cached_key(|at| {
        names
            .get(*at)
            .map(|name| crate::input::natural_key(Path::new(name)))
    });
    let passwords = job.options().passwords.bytes();
    let mut locked = 0_u64;
    for at in order {
        let name = names.get(at).map_or("", String::as_str);
        let (size, is_locked) = match archive.by_index_data(at) {
            Ok(entry) if entry.is_dir() => continue,
            Ok(entry) => (entry.size(), entry.encrypted()),
            Err(error) => {
                job.entry_lost(name, &reason(&error));
                continue;
            }
        };
        let entry = Entry {
            name,
            size: Some(size),
        };
        if is_locked && passwords.is_empty() {
            locked += 1;
            continue;
        }
        let taken = match is_locked {
            false => taken(archive.by_index(at), &entry, job)?,
            true => unlock(&mut archive, at, &entry, &passwords, job)?,
        };
        if let Taken::Lost(error) = taken {
            job.entry_lost(name, &lost(&error));
        }
    }
    match locked {
        0 => {}
        1 => job.lost(&say!(
            en: "an entry is encrypted: give the password with --password-file FILE",
            zh: "有 1 个条目已加密：请用 --password-file FILE 提供密码"
        )),
        count => job.lost(&say!(
            en: "{count} entries are encrypted: give the password with --password-file FILE",
            zh: "有 {count} 个条目已加密：请用 --password-file FILE 提供密码"
        )),
    }
    Ok(())
}

/// The names of all entries, in the code page that those without a mark are in.
fn names<R: Read + Seek>(archive: &ZipArchive<R>) -> Vec<String> {
    let unmarked = (0..archive.len()).filter_map(|at| {
        let entry = archive.by_index_data(at).ok()?;
        let raw = entry.name_raw().to_vec();
        (!is_marked(&entry)).then_some(raw)
    });
    let unmarked: Vec<Vec<u8>> = unmarked.collect();
    let page = page_of(unmarked.iter().map(Vec::as_slice));
    let name = |at| {
        let Ok(entry) = archive.by_index_data(at) else {
            return format!("entry {at}");
        };
        let raw = entry.name_raw();
        match (std::str::from_utf8(raw), page) {
            (Ok(name), NamePage::Utf8) => name.to_owned(),
            (Ok(name), _) if is_marked(&entry) || raw.is_ascii() => name.to_owned(),
            (_, NamePage::Gbk) => gbk(raw),
            _ => entry.name().map_or_else(
                |_| String::from_utf8_lossy(raw).into_owned(),
                |name| name.into_owned(),
            ),
        }
    };
    (0..archive.len()).map(name).collect()
}

/// Whether an entry says that its name is UTF-8.
fn is_marked(entry: &zip::read::ZipFileEntry<'_>) -> bool {
    entry.flags().as_u16() & UTF8_NAME != 0
}

/// Bit 11 of the general purpose flags: names are UTF-8 (APPNOTE 4.4.4).
const UTF8_NAME: u16 = 1 << 11;

/// Takes an entry in, if it could be opened.
fn taken<R: Read>(
    opened: Result<ZipFile<'_, R>, ZipError>,
    entry: &Entry<'_>,
    job: &mut Job<'_>,
) -> io::Result<Taken> {
    match opened {
        Ok(mut file) => job.take(entry, &mut file),
        Err(error) => Ok(Taken::Lost(told(reason(&error)))),
    }
}

/// Tries the passwords on an entry. One that is wrong may pass the format's short check and shows at the end.
fn unlock<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    at: usize,
    entry: &Entry<'_>,
    passwords: &[Vec<u8>],
    job: &mut Job<'_>,
) -> io::Result<Taken> {
    let kept = job.taken();
    for password in passwords {
        match archive.by_index_decrypt(at, password) {
            Err(ZipError::InvalidPassword) => continue,
            opened => match taken(opened, entry, job)? {
                Taken::Whole => return Ok(Taken::Whole),
                Taken::Partly | Taken::Lost(_) => job.forget(kept),
            },
        }
    }
    Ok(Taken::Lost(told(wrong_password())))
}

/// What is said where none of the passwords opens what they should.
pub fn wrong_password() -> Message {
    say!(
        en: "encrypted, and no password of --password-file opens it (or it is damaged)",
        zh: "已加密，--password-file 中的密码都不正确（或文件已损坏）"
    )
}

/// Reads the entries of a zip without its directory, up to where it is cut.
fn unpack_cut(mut reader: BufReader<File>, damage: &ZipError, job: &mut Job<'_>) -> io::Result<()> {
    let mut entries = 0;
    while entries < MOST_ENTRIES {
        let mut file = match read_zipfile_from_stream(&mut reader) {
            Ok(Some(file)) => file,
            // The directory begins: all entries were there.
            Ok(None) => break,
            Err(_) => break,
        };
        entries += 1;
        if file.is_dir() {
            continue;
        }
        let raw = file.name_raw().to_vec();
        let name = match page_of([raw.as_slice()].into_iter()) {
            NamePage::Gbk => gbk(&raw),
            _ => file.name().map_or_else(
                |_| String::from_utf8_lossy(&raw).into_owned(),
                |name| name.into_owned(),
            ),
        };
        let entry = Entry {
            name: &name,
            size: Some(file.size()),
        };
        match job.take(&entry, &mut file)? {
            Taken::Whole => {}
            Taken::Partly => break,
            Taken::Lost(error) => {
                job.entry_lost(
                    &name,
                    &say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"),
                );
                break;
            }
        }
    }
    match entries {
        0 => Err(told(reason(damage))),
        _ => {
            job.lost(&say!(
                en: "cut or damaged: the directory at its end is missing, so only the entries before that are read",
                zh: "被截断或已损坏：末尾的目录缺失，只读取在此之前的条目"
            ));
            Ok(())
        }
    }
}

/// Why nothing of an entry could be taken in.
fn lost(error: &io::Error) -> Message {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ZipError>())
    {
        Some(error) => reason(error),
        None if is_told(error) => message_of(error),
        None => say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"),
    }
}

/// An error in plain words.
fn reason(error: &ZipError) -> Message {
    match error {
        ZipError::Io(error) => say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"),
        ZipError::InvalidArchive(error) => {
            say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}")
        }
        ZipError::CompressionMethodNotSupported(method) => say!(
            en: "packed by a method that is not read ({method}): unpack it first",
            zh: "压缩方法不受支持（{method}）：请先解压"
        ),
        ZipError::UnsupportedArchive(what) => say!(
            en: "not read ({what}): unpack it first",
            zh: "不支持读取（{what}）：请先解压"
        ),
        other => Message::verbatim(other.to_string()),
    }
}
