//! Open files, from create to cleanup and close, under whatever names they have.
//!
//! A trace with FileObjects tells exactly which open file an operation works on. A Procmon log does not: there an open
//! file is known by process and path, and of several the one opened last is taken to go first.

use super::access::{Rights, Sharing};
use crate::trace::Filetime;
use std::collections::HashMap;
use std::sync::Arc;

/// Open files that are kept; further ones are counted and not followed.
const MOST_OPEN: usize = 1 << 16;
/// The same of one file.
const MOST_OF_FILE: usize = 1 << 10;
/// Names that are kept.
const MOST_NAMES: usize = 1 << 17;
/// Closed handles of one file whose file object is still there, as that of a mapped file.
const MOST_CLEANED: usize = 16;

/// A file, whatever it is called.
pub type FileId = u32;

/// What a process or driver has open. `H` is what the caller knows of it.
#[derive(Debug, Clone)]
pub struct Handle<H> {
    /// Number of the open, ascending.
    pub number: u64,
    /// Process id.
    pub pid: Option<u32>,
    /// Name it was opened by.
    pub name: Arc<str>,
    /// FileObject; 0 where the trace does not hold it.
    pub object: u64,
    /// Access and share mode.
    pub sharing: Sharing,
    /// What it was seen to do.
    pub seen: Rights,
    /// When the create had ended.
    pub since: Filetime,
    /// Whether the file was mapped by it.
    pub mapped: bool,
    /// When the last handle was closed. From then on it stands in nobody's way but for what is mapped.
    pub cleaned: Option<Filetime>,
    /// The rest.
    pub holder: H,
}

#[derive(Debug)]
struct File<H> {
    handles: Vec<Handle<H>>,
}

/// How a handle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// [`Handle::number`].
    pub number: u64,
    /// Whether the file object went, not just the last handle.
    pub closed: bool,
}

/// What to open.
#[derive(Debug, Clone)]
pub struct Opening<H> {
    /// Process id.
    pub pid: Option<u32>,
    /// FileObject, or 0.
    pub object: u64,
    /// Access and share mode.
    pub sharing: Sharing,
    /// When the create had ended.
    pub since: Filetime,
    /// The rest.
    pub holder: H,
}

/// The open files of a case.
#[derive(Debug)]
pub struct Handles<H> {
    files: HashMap<FileId, File<H>>,
    names: HashMap<Arc<str>, FileId>,
    /// Names that files had before they were renamed: a close may still use them.
    former: HashMap<Arc<str>, FileId>,
    objects: HashMap<u64, FileId>,
    next_file: FileId,
    next_handle: u64,
    open: usize,
    /// Opens that found no room.
    pub dropped: u64,
}

impl<H> Default for Handles<H> {
    fn default() -> Self {
        Self {
            files: HashMap::new(),
            names: HashMap::new(),
            former: HashMap::new(),
            objects: HashMap::new(),
            next_file: 0,
            next_handle: 0,
            open: 0,
            dropped: 0,
        }
    }
}

impl<H> Handles<H> {
    /// Forgets files and what is open; numbers go on.
    pub fn forget(&mut self) {
        *self = Self {
            next_file: self.next_file,
            next_handle: self.next_handle,
            dropped: self.dropped,
            ..Self::default()
        };
    }

    /// The file that has a name now; a new one where none is known.
    fn file(&mut self, name: &str) -> Option<FileId> {
        if let Some(file) = self.names.get(name) {
            return Some(*file);
        }
        if self.names.len() >= MOST_NAMES {
            return None;
        }
        let file = self.next_file;
        self.next_file = self.next_file.checked_add(1)?;
        self.names.insert(name.into(), file);
        Some(file)
    }

    /// A file is opened.
    pub fn open(&mut self, name: &str, opening: Opening<H>) {
        // A FileObject that is created again has been closed, whether that was recorded or not.
        if opening.object != 0 {
            self.close_object(opening.object);
        }
        if self.open >= MOST_OPEN {
            self.dropped += 1;
            return;
        }
        let Some(file) = self.file(name) else {
            self.dropped += 1;
            return;
        };
        let full = |file: &File<H>| file.handles.len() >= MOST_OF_FILE;
        if self.files.get(&file).is_some_and(full) {
            self.dropped += 1;
            return;
        }
        let number = self.next_handle;
        self.next_handle += 1;
        if opening.object != 0 {
            self.objects.insert(opening.object, file);
        }
        self.open += 1;
        let handles = &mut self.files.entry(file).or_insert(File {
            handles: Vec::new(),
        });
        handles.handles.push(Handle {
            number,
            pid: opening.pid,
            name: name.into(),
            object: opening.object,
            sharing: opening.sharing,
            seen: Rights::default(),
            since: opening.since,
            mapped: false,
            cleaned: None,
            holder: opening.holder,
        });
    }

    /// The last handle is closed.
    pub fn cleanup(
        &mut self,
        name: &str,
        pid: Option<u32>,
        object: u64,
        time: Filetime,
    ) -> Option<Ended> {
        let file = self.find(name, object)?;
        let handles = &mut self.files.get_mut(&file)?.handles;
        let at = handles
            .iter()
            .rposition(|handle| handle.cleaned.is_none() && is_it(handle, pid, object))?;
        let handle = handles.get_mut(at)?;
        handle.cleaned = Some(time);
        let ended = Ended {
            number: handle.number,
            closed: false,
        };
        // Without FileObjects it is not known whose close comes when; only what is mapped is worth waiting for.
        let waits = object != 0 || handle.mapped;
        let cleaned = handles.iter().filter(|handle| handle.cleaned.is_some());
        if !waits {
            self.remove(file, at);
        } else if cleaned.count() > MOST_CLEANED {
            let oldest = handles.iter().position(|handle| handle.cleaned.is_some());
            if let Some(oldest) = oldest {
                self.remove(file, oldest);
            }
        }
        Some(ended)
    }

    /// The file object goes.
    pub fn close(&mut self, name: &str, object: u64) -> Option<Ended> {
        if object != 0 {
            return self.close_object(object);
        }
        let file = self.find(name, 0)?;
        let handles = &self.files.get(&file)?.handles;
        let at = handles.iter().position(|handle| handle.cleaned.is_some())?;
        self.remove(file, at)
    }

    fn close_object(&mut self, object: u64) -> Option<Ended> {
        let file = self.objects.get(&object).copied()?;
        let handles = &self.files.get(&file)?.handles;
        let at = handles.iter().position(|handle| handle.object == object)?;
        self.remove(file, at)
    }

    fn remove(&mut self, file: FileId, at: usize) -> Option<Ended> {
        let handles = &mut self.files.get_mut(&file)?.handles;
        if at >= handles.len() {
            return None;
        }
        let handle = handles.remove(at);
        if handles.is_empty() {
            self.files.remove(&file);
        }
        if handle.object != 0 {
            self.objects.remove(&handle.object);
        }
        self.open = self.open.saturating_sub(1);
        Some(Ended {
            number: handle.number,
            closed: true,
        })
    }

    fn find(&self, name: &str, object: u64) -> Option<FileId> {
        if object != 0 {
            return self.objects.get(&object).copied();
        }
        let by = |names: &HashMap<Arc<str>, FileId>| names.get(name).copied();
        let open = |file: &FileId| self.files.contains_key(file);
        by(&self.names)
            .filter(open)
            .or_else(|| by(&self.former).filter(open))
    }

    /// An open file is read or written.
    pub fn used(&mut self, object: u64, rights: Rights) {
        let file = self.objects.get(&object);
        let Some(file) = file.and_then(|file| self.files.get_mut(file)) else {
            return;
        };
        let mut handles = file.handles.iter_mut();
        if let Some(handle) = handles.find(|handle| handle.object == object) {
            handle.seen = Rights(handle.seen.0 | rights.0);
        }
    }

    /// A section of the file is made.
    pub fn map(&mut self, name: &str, pid: Option<u32>, object: u64) {
        let file = self.find(name, object);
        let Some(file) = file.and_then(|file| self.files.get_mut(&file)) else {
            return;
        };
        let mut handles = file.handles.iter_mut().rev();
        if let Some(handle) = handles.find(|handle| is_it(handle, pid, object)) {
            handle.mapped = true;
        }
    }

    /// A file gets another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        let Some(file) = self.file(from) else {
            return;
        };
        if self.names.len() >= MOST_NAMES || self.former.len() >= MOST_NAMES {
            return;
        }
        self.names.remove(from);
        self.names.insert(to.into(), file);
        self.former.insert(from.into(), file);
    }

    /// A file gets a further name.
    pub fn link(&mut self, name: &str, further: &str) {
        if self.names.len() < MOST_NAMES
            && let Some(file) = self.file(name)
        {
            self.names.insert(further.into(), file);
        }
    }

    /// The file that has a name now, if it is known.
    pub fn known(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    /// What is open of a file at a moment, in the order of opening.
    pub fn holders(&self, file: FileId, at: Filetime) -> impl Iterator<Item = &Handle<H>> {
        let file = self.files.get(&file);
        file.into_iter()
            .flat_map(|file| &file.handles)
            .filter(move |handle| handle.since <= at)
    }

    /// What is open below a folder, by the names that files were opened with.
    pub fn below<'a>(
        &'a self,
        folder: &'a str,
        at: Filetime,
    ) -> impl Iterator<Item = &'a Handle<H>> {
        let inside = move |name: &str| {
            let rest = name.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with('\\'))
        };
        self.files
            .values()
            .flat_map(|file| &file.handles)
            .filter(move |handle| handle.since <= at && inside(&handle.name))
    }
}

fn is_it<H>(handle: &Handle<H>, pid: Option<u32>, object: u64) -> bool {
    match object {
        0 => handle.pid == pid,
        object => handle.object == object,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(pid: u32, object: u64, since: u64) -> Opening<&'static str> {
        Opening {
            pid: Some(pid),
            object,
            sharing: Sharing {
                rights: None,
                share: Rights(0),
            },
            since: Filetime(since),
            holder: "",
        }
    }

    fn pids(handles: &Handles<&'static str>, name: &str, at: u64) -> Vec<u32> {
        let Some(file) = handles.known(name) else {
            return Vec::new();
        };
        handles
            .holders(file, Filetime(at))
            .filter(|handle| handle.cleaned.is_none())
            .filter_map(|handle| handle.pid)
            .collect()
    }

    #[test]
    fn by_process_and_path_the_last_goes_first() {
        let mut handles = Handles::default();
        handles.open("\\a", opening(1, 0, 10));
        handles.open("\\a", opening(2, 0, 20));
        handles.open("\\a", opening(1, 0, 30));
        assert_eq!(pids(&handles, "\\a", 25), [1, 2]);
        assert_eq!(pids(&handles, "\\a", 30), [1, 2, 1]);
        let ended = handles.cleanup("\\a", Some(1), 0, Filetime(40));
        assert_eq!(ended.unwrap().number, 2);
        assert_eq!(handles.cleanup("\\a", Some(3), 0, Filetime(41)), None);
        handles.cleanup("\\a", Some(1), 0, Filetime(42));
        handles.cleanup("\\a", Some(2), 0, Filetime(43));
        assert_eq!(pids(&handles, "\\a", 50), [0; 0]);
        assert_eq!(handles.open, 0);
    }

    #[test]
    fn by_file_object_whoever_closes() {
        let mut handles = Handles::default();
        handles.open("\\a", opening(1, 0xA, 10));
        handles.open("\\a", opening(1, 0xB, 20));
        // Another process has the handle by then.
        handles.cleanup("", Some(9), 0xA, Filetime(30));
        let file = handles.known("\\a").unwrap();
        let open: Vec<_> = handles.holders(file, Filetime(40)).collect();
        assert_eq!(open[0].cleaned, Some(Filetime(30)));
        assert_eq!(open[1].cleaned, None);
        let closed = handles.close("", 0xA).unwrap();
        assert_eq!((closed.number, closed.closed), (0, true));
        // The address is used again, though nobody saw the close.
        handles.open("\\b", opening(2, 0xB, 50));
        assert_eq!(pids(&handles, "\\a", 60), [0; 0]);
        assert_eq!(pids(&handles, "\\b", 60), [2]);
    }

    #[test]
    fn names_come_and_go() {
        let mut handles = Handles::default();
        handles.open("\\a", opening(1, 0, 10));
        handles.link("\\a", "\\store\\a");
        handles.rename("\\a", "\\b");
        handles.open("\\a", opening(2, 0, 20));
        assert_eq!(pids(&handles, "\\b", 30), [1]);
        assert_eq!(pids(&handles, "\\store\\a", 30), [1]);
        assert_eq!(pids(&handles, "\\a", 30), [2]);
        assert_eq!(handles.below("\\store", Filetime(30)).count(), 0);
        handles.cleanup("\\b", Some(1), 0, Filetime(40));
        assert_eq!(pids(&handles, "\\b", 50), [0; 0]);
        handles.open("\\c", opening(3, 0, 60));
        handles.rename("\\c", "\\d");
        assert!(handles.cleanup("\\c", Some(3), 0, Filetime(70)).is_some());
    }

    #[test]
    fn what_is_mapped_outlives_its_handle() {
        let mut handles = Handles::default();
        handles.open("\\a", opening(1, 0, 10));
        handles.map("\\a", Some(1), 0);
        handles.cleanup("\\a", Some(1), 0, Filetime(20));
        let file = handles.known("\\a").unwrap();
        let mapped = handles.holders(file, Filetime(30)).next().unwrap();
        assert!(mapped.mapped && mapped.cleaned.is_some());
        assert!(handles.close("\\a", 0).unwrap().closed);
        assert_eq!(handles.holders(file, Filetime(40)).count(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut handles = Handles::default();
        for pid in 0..MOST_OF_FILE as u32 + 5 {
            handles.open("\\a", opening(pid, 0, 1));
        }
        assert_eq!(handles.dropped, 5);
        for number in 0..MOST_OPEN as u64 {
            let name = format!("\\{}", number / 64);
            handles.open(&name, opening(1, 1 + number, 1));
        }
        assert_eq!(handles.open, MOST_OPEN);
        assert_eq!(handles.dropped, 5 + MOST_OF_FILE as u64);
        for number in 0..40 {
            handles.cleanup("", None, 1 + number, Filetime(2));
        }
        assert_eq!(handles.open, MOST_OPEN - 40 + MOST_CLEANED);
    }
}
