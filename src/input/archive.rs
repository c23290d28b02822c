//! Traces inside `.zip`, `.gz` and `.zst` files: unpacked into a folder that goes when it is dropped.
//!
//! A trace is read from many places at once, so a compressed one is streamed to a temporary file first.
//! Names inside an archive are shown, never used as paths.

use super::{FileKind, kind_by_content, kind_by_name, shape};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file that came out of an archive.
#[derive(Debug)]
pub struct Unpacked {
    /// The archive's path with the name inside it: `case.zip/boot_log.pml`.
    pub name: String,
    /// Where it lies while the folder lives.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
}

/// The private folder that archives are unpacked into; it is removed when dropped.
#[derive(Debug, Default)]
pub struct Workspace {
    folder: Option<TempDir>,
    files: u64,
}

/// Archives inside archives that are opened: `case.zip` may hold `boot_log.pml.gz`.
const DEEPEST: u32 = 2;
/// From this size on an entry has to be worth its archive: see [`RATIO`].
const SMALL: u64 = 1 << 30;
/// A larger file that is this many times its archive is a bomb: traces shrink to a tenth, rarely to a fiftieth.
const RATIO: u64 = 1_000;

impl Workspace {
    fn new_file(&mut self) -> io::Result<(PathBuf, File)> {
        let folder = match &mut self.folder {
            Some(folder) => folder,
            none => none.insert(tempfile::Builder::new().prefix("fltscope-").tempdir()?),
        };
        self.files += 1;
        let path = folder.path().join(format!("{}", self.files));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok((path, file))
    }

    /// Unpacks the archive at `path`, shown as `name`: its traces and logs, in order.
    ///
    /// What cannot be unpacked comes as a sentence beside the files that can.
    pub fn unpack(&mut self, path: &Path, name: &str) -> (Vec<Unpacked>, Vec<String>) {
        let mut files = Vec::new();
        let mut errors = Vec::new();
        self.unpack_into(path, name, DEEPEST, &mut files, &mut errors);
        (files, errors)
    }

    fn unpack_into(
        &mut self,
        path: &Path,
        name: &str,
        depth: u32,
        files: &mut Vec<Unpacked>,
        errors: &mut Vec<String>,
    ) {
        let result = File::open(path).and_then(|mut file| {
            let mut magic = Vec::with_capacity(4);
            Read::by_ref(&mut file).take(4).read_to_end(&mut magic)?;
            file.seek(SeekFrom::Start(0))?;
            let size = file.metadata()?.len();
            match magic.as_slice() {
                [b'P', b'K', ..] => self.unpack_zip(file, name, depth, files, errors),
                [0x1f, 0x8b, ..] => {
                    let reader = flate2::read::MultiGzDecoder::new(BufReader::new(file));
                    self.unpack_stream(reader, name, size, depth, files, errors)
                }
                [0x28, 0xb5, 0x2f, 0xfd] => {
                    let reader = zstd::stream::read::Decoder::new(file)?;
                    self.unpack_stream(reader, name, size, depth, files, errors)
                }
                _ => Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "archives of this kind are not read (.zip, .gz and .zst are): unpack it first",
                )),
            }
        });
        if let Err(error) = result {
            errors.push(format!("{name}: {error}"));
        }
    }

    fn unpack_zip(
        &mut self,
        file: File,
        name: &str,
        depth: u32,
        files: &mut Vec<Unpacked>,
        errors: &mut Vec<String>,
    ) -> io::Result<()> {
        let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
        let mut order: Vec<(String, usize)> = (0..archive.len())
            .map(|at| {
                let entry = archive.name_for_index(at).and_then(Result::ok);
                let entry = entry.map_or_else(|| format!("entry {at}"), |name| name.into_owned());
                (entry, at)
            })
            .collect();
        order.sort_by_cached_key(|(entry, _)| super::natural_key(Path::new(entry)));
        for (entry_name, at) in order {
            let shown = format!("{name}/{entry_name}");
            let result = archive.by_index(at).map_err(io::Error::from);
            let mut entry = match result {
                Ok(entry) if entry.is_dir() => continue,
                Ok(entry) => entry,
                Err(error) => {
                    errors.push(format!("{shown}: {error}"));
                    continue;
                }
            };
            let packed = entry.compressed_size();
            let target = self.new_file()?;
            let copied = copy(&mut entry, target.1, packed);
            drop(entry);
            self.keep(copied, target.0, shown, depth, files, errors);
        }
        Ok(())
    }

    fn unpack_stream(
        &mut self,
        mut reader: impl Read,
        name: &str,
        packed: u64,
        depth: u32,
        files: &mut Vec<Unpacked>,
        errors: &mut Vec<String>,
    ) -> io::Result<()> {
        let target = self.new_file()?;
        let copied = copy(&mut reader, target.1, packed);
        let inner = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".zst"))
            .unwrap_or(name);
        // A stream has no name of its own: what stands before the ending is it.
        let shown = match inner == name {
            true => name.to_owned(),
            false => format!("{name}/{}", crate::trace::path::file_name(inner)),
        };
        self.keep(copied, target.0, shown, depth, files, errors);
        Ok(())
    }

    /// Takes an unpacked file in, or opens it where it is an archive itself.
    fn keep(
        &mut self,
        copied: io::Result<u64>,
        path: PathBuf,
        name: String,
        depth: u32,
        files: &mut Vec<Unpacked>,
        errors: &mut Vec<String>,
    ) {
        if let Err(error) = copied {
            // A cut archive still gives the first part of its file.
            errors.push(format!("{name}: {error}"));
        }
        let mut head = Vec::with_capacity(shape::HEAD);
        let read =
            File::open(&path).and_then(|file| file.take(shape::HEAD as u64).read_to_end(&mut head));
        if let Err(error) = read {
            errors.push(format!("{name}: {error}"));
            return;
        }
        let kind = kind_by_content(&head).unwrap_or_else(|| kind_by_name(Path::new(&name)));
        match kind {
            FileKind::Archive if depth > 1 => {
                self.unpack_into(&path, &name, depth - 1, files, errors);
                // What it held is unpacked; the space is better used for the next.
                let _ = std::fs::remove_file(&path);
            }
            FileKind::Other => {
                let _ = std::fs::remove_file(&path);
            }
            kind => files.push(Unpacked { name, path, kind }),
        }
    }
}

/// Copies a stream into a file, unless it grows beyond all measure.
fn copy(from: &mut impl Read, mut to: File, packed: u64) -> io::Result<u64> {
    let limit = SMALL.max(packed.saturating_mul(RATIO));
    let copied = io::copy(&mut from.take(limit), &mut to)?;
    to.flush()?;
    if copied == limit && from.read(&mut [0])? > 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "more than {limit} bytes come out of {packed}: no trace is packed so well, unpack it by hand if you trust it"
            ),
        ));
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn archives_inside_archives_are_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        let log = b"PML_\x09\0\0\0rest".as_slice();
        for (name, bytes) in [
            ("logs/b-1.pml", log.to_vec()),
            ("logs/b.pml", log.to_vec()),
            ("../../evil.txt", b"nothing".to_vec()),
            ("c.pml.gz", gz(log)),
        ] {
            zip.start_file(name, options).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        let mut workspace = Workspace::default();
        let (files, errors) = workspace.unpack(&path, "case.zip");
        assert_eq!(errors, Vec::<String>::new());
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "case.zip/logs/b.pml",
                "case.zip/logs/b-1.pml",
                "case.zip/c.pml.gz/c.pml"
            ]
        );
        assert!(files.iter().all(|file| file.kind == FileKind::Pml));
        assert_eq!(std::fs::read(&files[2].path).unwrap(), log);
        let place = files[0].path.parent().unwrap().to_owned();
        drop(workspace);
        assert!(!place.exists());
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        let mut bytes = gz(&[7; 100_000]);
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).unwrap();
        let (files, errors) = Workspace::default().unpack(&path, "x.pml.gz");
        assert_eq!(errors.len(), 1);
        assert_eq!(files.len(), 1, "what came out before the cut is kept");
        std::fs::write(&path, "PK\x03\x04 and nothing more").unwrap();
        let (files, errors) = Workspace::default().unpack(&path, "x.zip");
        assert_eq!((files.len(), errors.len()), (0, 1));
    }
}
