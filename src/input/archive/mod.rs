//! Logs inside archives: unpacked into a private folder that goes when it is dropped, or when the process is stopped.
//!
//! A trace is read from many places at once, so a packed one is streamed into a file first; only logs are, told by
//! their first bytes and then by their name. Names inside an archive are shown, never used as paths. What comes out
//! of an archive is bounded three ways: against what it was packed in, over a whole run, and by the room on the disk.

mod cabinet;
mod directory;
mod names;
mod passwords;
mod sevenz;
mod spool;
mod stream;
#[cfg(test)]
mod tests;
mod zips;

pub use names::is_device;
pub use passwords::Passwords;

use super::FileKind;
use crate::guard::guarded;
use crate::lang::Message;
use crate::say;
use crate::stop::Litter;
use spool::Job;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A log that came out of an archive.
#[derive(Debug)]
pub struct Unpacked {
    /// The archive's path with the name inside it: `case.zip/boot_log.pml`.
    pub name: String,
    /// Where it lies while the workspace lives.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// What was lost of it, in sentences.
    pub notes: Vec<Message>,
}

/// What an archive holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The logs, in order of their names.
    pub files: Vec<Unpacked>,
    /// What cannot be read, in sentences that begin with the name.
    pub errors: Vec<Message>,
    /// What is worth telling and costs nothing, in such sentences.
    pub notes: Vec<Message>,
}

/// How archives are unpacked.
#[derive(Debug, Clone)]
pub struct UnpackOptions {
    /// Bytes that may come out of all archives of a case together.
    pub most: u64,
    /// Passwords to try.
    pub passwords: Passwords,
}

impl Default for UnpackOptions {
    fn default() -> Self {
        Self {
            most: MOST_UNPACKED,
            passwords: Passwords::default(),
        }
    }
}

/// Bytes that come out of the archives of a case, unless more is asked for: a boot trace of an hour has a tenth.
pub const MOST_UNPACKED: u64 = 64 << 30;
/// Archives inside archives that are opened: `case.zip` may hold `CbsPersist_20260512.cab`.
const DEEPEST: u32 = 2;
/// From this size on, what comes out of an archive has to be in proportion to it: see [`RATIO`].
const SMALL: u64 = 1 << 30;
/// An archive that holds this many times its size is a bomb: traces shrink to a tenth, rarely to a fiftieth.
const RATIO: u64 = 1_000;
/// Memory a decoder may take for its window, or an archive for its directory: 7-Zip's strongest setting takes a
/// quarter.
const LARGEST_WINDOW: u64 = 1 << 30;
/// Entries that are looked at. A case has a hundred.
const MOST_ENTRIES: usize = 100_000;

/// The private folder that archives are unpacked into; it is removed when dropped.
#[derive(Debug)]
pub struct Workspace {
    options: UnpackOptions,
    small: u64,
    folder: Option<(TempDir, Litter)>,
    files: u64,
    unpacked: u64,
}

/// How an archive is packed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Zip,
    SevenZip,
    Cabinet,
    Gzip,
    Zstandard,
    /// Known, and not read here.
    Foreign(&'static str),
}

impl Packing {
    fn of(head: &[u8]) -> Option<Self> {
        const MAGICS: [(&[u8], Packing); 10] = [
            (b"PK\x03\x04", Packing::Zip),
            (b"PK\x05\x06", Packing::Zip),
            (b"7z\xbc\xaf", Packing::SevenZip),
            (b"MSCF", Packing::Cabinet),
            (b"\x1f\x8b", Packing::Gzip),
            (b"\x28\xb5\x2f\xfd", Packing::Zstandard),
            (b"Rar!\x1a\x07", Packing::Foreign("RAR")),
            (b"\xfd7zXZ\0", Packing::Foreign("xz")),
            (b"BZh", Packing::Foreign("bzip2")),
            // A zip in several files begins so.
            (b"PK\x07\x08", Packing::Zip),
        ];
        if let Some((_, packing)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(*packing);
        }
        match head {
            // A frame that may be skipped stands in front, as pzstd writes it.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstandard),
            _ if head.get(257..262) == Some(b"ustar") => Some(Self::Foreign("tar")),
            _ => None,
        }
    }
}

/// Whether a file that begins so is an archive, be it one that is read here or not.
pub fn is_archive(head: &[u8]) -> bool {
    Packing::of(head).is_some()
}

impl Workspace {
    /// A workspace without a folder: it is made for the first file.
    pub fn new(options: UnpackOptions) -> Self {
        Self {
            options,
            small: SMALL,
            folder: None,
            files: 0,
            unpacked: 0,
        }
    }

    /// The folder that files are unpacked into.
    fn folder(&mut self) -> io::Result<&Path> {
        if self.folder.is_none() {
            let made = Litter::make(|| {
                let folder = private_folder()?;
                let path = folder.path().to_owned();
                Ok((folder, path))
            });
            let made = made.map_err(|error| {
                let place = std::env::temp_dir();
                let place = place.display();
                told(say!(
                    en: "no folder can be made in {place}: {error}; set {TEMP} to a folder with more room, or unpack the archive yourself",
                    zh: "无法在 {place} 中创建文件夹：{error}；请将 {TEMP} 设为空间足够的文件夹，或自行解压"
                ))
            })?;
            self.folder = Some(made);
        }
        let folder = self.folder.as_ref().map(|(folder, _)| folder.path());
        folder.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn new_file(&mut self) -> io::Result<(PathBuf, File)> {
        self.files += 1;
        let path = self.files.to_string();
        let path = self.folder()?.join(path);
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// Unpacks the archive at `path`, shown as `name`: its logs, in order of their names.
    ///
    /// What cannot be unpacked comes as a sentence beside the files that can.
    pub fn unpack(&mut self, path: &Path, name: &str) -> Contents {
        let mut out = Contents::default();
        self.unpack_into(path, name, 1, &mut out);
        out
    }

    fn unpack_into(&mut self, path: &Path, name: &str, level: u32, out: &mut Contents) {
        let mut spooled = Vec::new();
        let result = open(path).and_then(|(file, packing, size)| {
            let budget = self.small.max(size.saturating_mul(RATIO));
            let mut job = Job::new(self, name, level, budget, out, &mut spooled);
            let unpack = || match packing {
                Some(Packing::Zip) => zips::unpack(file, &mut job),
                Some(Packing::SevenZip) => sevenz::unpack(file, &mut job),
                Some(Packing::Cabinet) => cabinet::unpack(file, &mut job),
                Some(Packing::Gzip) => stream::unpack_gzip(file, &mut job),
                Some(Packing::Zstandard) => stream::unpack_zstd(file, &mut job),
                Some(Packing::Foreign(kind)) => Err(told(say!(
                    en: "expected .zip, .7z, .cab, .gz or .zst, found {kind}, which is not read: unpack it first",
                    zh: "应为 .zip、.7z、.cab、.gz 或 .zst，实际是 {kind}，不支持读取：请先解压"
                ))),
                None => Err(told(say!(
                    en: "expected an archive by its name, found something else",
                    zh: "按名称应为压缩文件，内容却不是"
                ))),
            };
            guarded(unpack, || {
                told(say!(en: "damaged: it cannot be unpacked", zh: "已损坏，无法解压"))
            })
        });
        if let Err(error) = result {
            let told = match is_volume(name) {
                true => say!(
                    en: "one of the files of an archive in several: join them first (copy /b x.001+x.002 x)",
                    zh: "这是分卷压缩文件之一：请先合并各分卷（copy /b x.001+x.002 x）"
                ),
                false => message_of(&error),
            };
            out.errors.push(of(name, &told));
        }
        spooled.sort_by_cached_key(|file| super::natural_key(Path::new(&file.name)));
        for file in spooled {
            if file.kind != FileKind::Archive {
                out.files.push(file);
                continue;
            }
            out.notes.extend(file.notes);
            self.unpack_into(&file.path, &file.name, level + 1, out);
            // What it held is unpacked; the room is better used for the next.
            let _ = std::fs::remove_file(&file.path);
        }
    }
}

/// Whether a name is that of a volume: `case.7z.001`, `case.zip.001`.
fn is_volume(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.len() == 3 && ending.bytes().all(|byte| byte.is_ascii_digit())
}

/// Opens an archive: its start says how it is packed.
fn open(path: &Path) -> io::Result<(File, Option<Packing>, u64)> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(512);
    Read::by_ref(&mut file).take(512).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let size = file.metadata()?.len();
    Ok((file, Packing::of(&head), size))
}

/// The variable that says where temporary files go.
const TEMP: &str = if cfg!(windows) { "TEMP" } else { "TMPDIR" };

/// A folder in the system's place for temporary files that nobody else may look into. On Windows that place is the
/// user's own.
fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("fltscope-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

/// An error that is a sentence of ours.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.en())]
struct Told(Message);

fn told(sentence: Message) -> io::Error {
    io::Error::other(Told(sentence))
}

/// Whether an error is one of ours.
fn is_told(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Told>())
}

/// What an error says.
fn message_of(error: &io::Error) -> Message {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Told(sentence)) => sentence.clone(),
        None => Message::verbatim(error.to_string()),
    }
}

/// An archive of more than [`MOST_ENTRIES`] entries.
fn too_many(entries: u64) -> io::Error {
    told(say!(
        en: "expected a few logs, found {entries} entries: unpack it yourself",
        zh: "应为少量日志，实际有 {entries} 个条目：请自行解压"
    ))
}

/// A sentence about the entry or archive `name`.
fn of(name: &str, sentence: &Message) -> Message {
    let (en, zh) = (sentence.en(), sentence.zh());
    say!(en: "{name}: {en}", zh: "{name}：{zh}")
}
