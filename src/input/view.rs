//! Read-only views of a file: the one place with a memory map.
//!
//! A trace is mapped piece by piece, each piece only while it is worked on, so that the memory of a
//! run does not grow with the file, and the same code serves bytes held in memory (tests, fuzzing).
#![allow(unsafe_code)]

use memmap2::MmapOptions;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// A file up to this size is mapped once and whole: mapping and unmapping it piece by piece would take
/// a good part of the time its events take.
const MAPPED_WHOLE: u64 = 64 << 20;

/// The bytes of an input, in a file or in memory.
#[derive(Debug)]
pub enum Source {
    /// A file on disk and its length when it was opened.
    File(File, u64),
    /// A small file, mapped.
    Mapped(Arc<memmap2::Mmap>),
    /// Bytes in memory.
    Memory(Arc<[u8]>),
}

impl Source {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the operating system says; a folder is an error as well.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "expected a file, found a folder",
            ));
        }
        if (1..=MAPPED_WHOLE).contains(&meta.len()) {
            return Ok(Self::Mapped(Arc::new(map(&file, 0, meta.len())?)));
        }
        Ok(Self::File(file, meta.len()))
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Mapped(map) => map.len() as u64,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes at `offset` to `out`; how many there are. For pieces that are read once, one after the other:
    /// to copy 64 KiB costs half of what it costs to map them, and they are then in the cache of the core.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let Self::File(file, _) = self else {
            let bytes = self.held(offset..offset.saturating_add(out.len() as u64));
            let bytes = bytes.unwrap_or(&[]);
            out[..bytes.len()].copy_from_slice(bytes);
            return Ok(bytes.len());
        };
        let mut done = 0;
        while done < out.len() {
            match read_at(file, &mut out[done..], offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(more) => done += more,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    /// The bytes of `range`, cut to those that are there, where they need not be read; `None` for a file that is not
    /// mapped.
    pub fn held(&self, range: Range<u64>) -> Option<&[u8]> {
        let bytes: &[u8] = match self {
            Self::File(..) => return None,
            Self::Mapped(map) => map,
            Self::Memory(bytes) => bytes,
        };
        let end = range.end.min(bytes.len() as u64);
        let start = range.start.min(end);
        bytes.get(start as usize..end as usize)
    }

    /// A view of `range`, cut to the bytes that are there.
    ///
    /// # Errors
    /// When the operating system refuses to map the file.
    pub fn view(&self, range: Range<u64>) -> io::Result<View> {
        let end = range.end.min(self.len());
        let start = range.start.min(end);
        match self {
            Self::File(file, _) if start < end => Ok(View::Mapped(map(file, start, end - start)?)),
            Self::File(..) => Ok(View::Memory(Arc::from([]), 0..0)),
            Self::Mapped(map) => Ok(View::Part(Arc::clone(map), start as usize..end as usize)),
            Self::Memory(bytes) => Ok(View::Memory(
                Arc::clone(bytes),
                start as usize..end as usize,
            )),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, offset)
}

#[cfg(windows)]
fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, offset)
}

fn map(file: &File, start: u64, len: u64) -> io::Result<memmap2::Mmap> {
    let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    // SAFETY: the map is private to this process and read-only. The input must not be changed while
    // it is read, which the documentation asks of the user; all reads are bounds-checked against the
    // mapped length and nothing is assumed of the contents.
    unsafe { MmapOptions::new().offset(start).len(len).map(file) }
}

/// A piece of a [`Source`].
#[derive(Debug)]
pub enum View {
    /// Mapped from the file.
    Mapped(memmap2::Mmap),
    /// A part of a mapped file.
    Part(Arc<memmap2::Mmap>, Range<usize>),
    /// A part of bytes in memory.
    Memory(Arc<[u8]>, Range<usize>),
}

impl Deref for View {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Part(map, range) => &map[range.clone()],
            Self::Memory(bytes, range) => &bytes[range.clone()],
        }
    }
}
