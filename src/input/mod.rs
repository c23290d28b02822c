//! The files of a case: found in folders, told apart by their content.

pub mod archive;
pub mod cases;
pub mod shape;
pub mod split;
pub mod text;
pub mod view;

use crate::lang::Message;
use crate::say;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Procmon log.
    Pml,
    /// Windows trace log, as WPR writes it.
    Etl,
    /// CBS.log or CbsPersist_*.log.
    Cbs,
    /// setupapi.dev.log.
    SetupApi,
    /// An archive or compressed file.
    Archive,
    /// None of these.
    Other,
}

impl FileKind {
    /// What people call it.
    pub fn said(self) -> Message {
        match self {
            Self::Pml => say!(en: "Procmon log", zh: "Procmon 日志"),
            Self::Etl => say!(en: "Windows trace log (ETL)", zh: "Windows 跟踪日志（ETL）"),
            Self::Cbs => say!(en: "CBS log", zh: "CBS 日志"),
            Self::SetupApi => say!(en: "setupapi log", zh: "setupapi 日志"),
            Self::Archive => say!(en: "archive", zh: "压缩文件"),
            Self::Other => say!(en: "file of another kind", zh: "其他类型的文件"),
        }
    }
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// Whether the user named it, or it was found in a folder.
    pub named: bool,
}

/// A path that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct FindError {
    /// The path.
    pub path: String,
    /// What the system says.
    pub source: io::Error,
}

/// Folders inside folders that are looked into: enough for any case, and an end for loops of links.
const DEEPEST: usize = 32;

/// Finds the files that `paths` stand for: a folder for all files below it, in order of their names.
///
/// What cannot be read comes as errors beside the files that can.
pub fn find(paths: &[PathBuf]) -> (Vec<FoundFile>, Vec<FindError>) {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        visit(path, true, DEEPEST, &mut files, &mut errors);
    }
    (files, errors)
}

fn visit(
    path: &Path,
    named: bool,
    depth: usize,
    files: &mut Vec<FoundFile>,
    errors: &mut Vec<FindError>,
) {
    let mut fail = |source| {
        errors.push(FindError {
            path: path.display().to_string(),
            source,
        });
    };
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => return fail(error),
    };
    if !meta.is_dir() {
        return match kind_of(path) {
            Ok(kind) => files.push(FoundFile {
                path: path.to_owned(),
                kind,
                named,
            }),
            Err(error) => fail(error),
        };
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return fail(error),
    };
    let mut children: Vec<PathBuf> = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => children.push(entry.path()),
            Err(error) => fail(error),
        }
    }
    children.sort_by_key(|child| natural_key(child));
    if depth > 0 {
        for child in children {
            visit(&child, false, depth - 1, files, errors);
        }
    }
}

/// Procmon calls the parts of a split log `NAME.pml`, `NAME-1.pml`, …, `NAME-10.pml`: this key sorts
/// them in that order.
fn natural_key(path: &Path) -> (String, u64, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let (name, part) = match stem.rsplit_once('-') {
        Some((name, number)) if !number.is_empty() => match number.parse::<u64>() {
            Ok(number) => (name, number),
            Err(_) => (&*stem, 0),
        },
        _ => (&*stem, 0),
    };
    (name.to_lowercase(), part, ending.to_lowercase())
}

/// The kind of a file: by its first bytes, then by its name.
///
/// # Errors
/// When it cannot be read.
pub fn kind_of(path: &Path) -> io::Result<FileKind> {
    let mut head = Vec::with_capacity(shape::HEAD);
    File::open(path)?
        .take(shape::HEAD as u64)
        .read_to_end(&mut head)?;
    Ok(kind_by_content(&head).unwrap_or_else(|| kind_by_name(path)))
}

fn kind_by_content(head: &[u8]) -> Option<FileKind> {
    if head.starts_with(crate::pml::layout::MAGIC) {
        return Some(FileKind::Pml);
    }
    if crate::etl::is_etl(head) {
        return Some(FileKind::Etl);
    }
    if archive::is_archive(head) {
        return Some(FileKind::Archive);
    }
    shape::servicing_log(head)
}

fn kind_by_name(path: &Path) -> FileKind {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".pml"]) {
        FileKind::Pml
    } else if ends(&[".etl"]) {
        FileKind::Etl
    } else if name == "cbs.log" || (name.starts_with("cbspersist_") && ends(&[".log"])) {
        FileKind::Cbs
    } else if name.starts_with("setupapi.") && ends(&[".log"]) {
        FileKind::SetupApi
    } else if ends(&[".zip", ".gz", ".zst", ".7z", ".cab"]) {
        FileKind::Archive
    } else {
        FileKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_beats_the_name() {
        assert_eq!(kind_by_content(b"PML_\x09\0\0\0"), Some(FileKind::Pml));
        assert_eq!(
            kind_by_content(b"\xef\xbb\xbf2023-05-23 10:23:06, Info                  CBS    x"),
            Some(FileKind::Cbs)
        );
        assert_eq!(
            kind_by_content(b"[Device Install Log]\r\n"),
            Some(FileKind::SetupApi)
        );
        assert_eq!(kind_by_content(b"PK\x03\x04"), Some(FileKind::Archive));
        assert_eq!(kind_by_content(b""), None);
        assert_eq!(
            kind_by_name(Path::new("a/CbsPersist_2019.LOG")),
            FileKind::Cbs
        );
        assert_eq!(kind_by_name(Path::new("a/x.PML")), FileKind::Pml);
        assert_eq!(kind_by_name(Path::new("a/readme.txt")), FileKind::Other);
    }

    #[test]
    fn parts_of_a_split_log_come_in_order() {
        let mut names = ["b-10.pml", "b.pml", "b-2.pml", "a-x.pml", "b-1.pml"].map(PathBuf::from);
        names.sort_by_key(|path| natural_key(path));
        assert_eq!(
            names,
            ["a-x.pml", "b.pml", "b-1.pml", "b-2.pml", "b-10.pml"].map(PathBuf::from)
        );
    }
}
