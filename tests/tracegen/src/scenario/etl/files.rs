//! File objects, and the keys by which names are told.

use super::paths::{self, hash};
use super::pool::Of;
use super::recorder::{Actor, Recorder};
use crate::etl::event::{Event, FileName};
use std::collections::HashMap;

/// 0.2 ms.
const DELAY: u64 = 2_000;

/// An open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) object: u64,
    pub(super) key: u64,
    /// Its create is in the trace; else it was opened before.
    pub(super) created: bool,
    pub(super) handle: Option<u32>,
    /// It goes when its last handle does.
    pub(super) deleted: bool,
}

impl Opened {
    /// A file object that does not last.
    pub(super) fn nothing(object: u64, created: bool) -> Self {
        Self {
            object,
            key: 0,
            created,
            handle: None,
            deleted: false,
        }
    }
}

#[derive(Debug)]
struct Key {
    address: u64,
    path: String,
    /// A record tells its name when it begins.
    named: bool,
}

/// Files in use.
#[derive(Debug, Default)]
pub(super) struct Files {
    open: HashMap<(u32, String), Vec<Opened>>,
    keys: HashMap<String, Key>,
    /// Names that a record told when their key ended, and when that was.
    ended: Vec<(String, u64)>,
    handles: u32,
}

impl Files {
    /// Handles left open: process, object, handle, path. In the order of the objects.
    pub(super) fn left(&self) -> Vec<(u32, u64, u32, String)> {
        let mut list: Vec<_> = self
            .open
            .iter()
            .flat_map(|((pid, path), opened)| {
                let path = self.keys.get(path).map_or(path, |key| &key.path);
                opened.iter().filter_map(move |o| {
                    o.handle
                        .map(|handle| (*pid, o.object, handle, path.clone()))
                })
            })
            .collect();
        list.sort_by_key(|(pid, object, ..)| (*pid, *object));
        list
    }

    /// A record behind `time` tells the name of a key with this path.
    pub(super) fn ends_named(&self, path: &str, time: u64) -> bool {
        let path = path.to_lowercase();
        self.ended.iter().any(|(p, end)| *p == path && *end >= time)
    }

    /// Names of the keys left, in the order of the keys.
    pub(super) fn names(&self) -> Vec<(u64, String)> {
        let mut list: Vec<_> = self
            .keys
            .values()
            .map(|key| (key.address, key.path.clone()))
            .collect();
        list.sort();
        list
    }
}

impl Recorder<'_> {
    /// The key of a path. Where a create makes it, half of the keys are named at once.
    fn file_key(&mut self, path: &str, created: Option<(u64, u16)>) -> u64 {
        let name = path.to_lowercase();
        if let Some(key) = self.files.keys.get(&name) {
            return key.address;
        }
        let address = match created {
            Some(_) => self.pools.take(Of::FileKey),
            None => self.pools.take_new(Of::FileKey),
        };
        let named = created.is_some() && hash(path).is_multiple_of(2);
        if let (true, Some((time, cpu))) = (named, created) {
            let event = Event::FileName(FileName::Create(address, path));
            self.put(cpu, time, Actor::NOBODY, event);
        }
        let key = Key {
            address,
            path: path.to_owned(),
            named,
        };
        self.files.keys.insert(name, key);
        address
    }

    /// The key has a name in the trace even if that has no end.
    pub(super) fn key_is_named(&self, path: &str) -> bool {
        self.files
            .keys
            .get(&path.to_lowercase())
            .is_some_and(|key| key.named)
    }

    /// A new file object, open from `time` on.
    pub(super) fn open_file(&mut self, by: Actor, path: &str, time: u64, cpu: u16) -> Opened {
        let key = self.file_key(path, Some((time, cpu)));
        let opened = Opened {
            object: self.pools.take(Of::FileObject),
            key,
            created: true,
            handle: None,
            deleted: false,
        };
        self.remember(by, path, opened);
        opened
    }

    /// The file object an operation is on: the one opened last, else one from before the trace.
    pub(super) fn opened_file(&mut self, by: Actor, path: &str) -> Opened {
        let place = (by.pid, path.to_lowercase());
        if let Some(opened) = self.files.open.get(&place).and_then(|list| list.last()) {
            return *opened;
        }
        let opened = Opened {
            object: self.pools.take_new(Of::FileObject),
            key: self.file_key(path, None),
            created: false,
            handle: None,
            deleted: false,
        };
        self.remember(by, path, opened);
        opened
    }

    fn remember(&mut self, by: Actor, path: &str, opened: Opened) {
        let place = (by.pid, path.to_lowercase());
        self.files.open.entry(place).or_default().push(opened);
    }

    /// Changes an open file.
    pub(super) fn change_file(
        &mut self,
        by: Actor,
        path: &str,
        object: u64,
        change: impl FnOnce(&mut Opened),
    ) {
        let list = self.files.open.get_mut(&(by.pid, path.to_lowercase()));
        if let Some(opened) = list
            .into_iter()
            .flatten()
            .find(|opened| opened.object == object)
        {
            change(opened);
        }
    }

    /// The number of a new handle.
    pub(super) fn new_handle(&mut self) -> u32 {
        self.files.handles += 1;
        0x40 + 4 * (self.files.handles % 500)
    }

    /// The file object ends; a deleted file's key ends with it. Nobody gets their addresses at once.
    pub(super) fn close_file(
        &mut self,
        by: Actor,
        path: &str,
        opened: Opened,
        time: u64,
        cpu: u16,
    ) {
        let name = path.to_lowercase();
        if let Some(list) = self.files.open.get_mut(&(by.pid, name.clone())) {
            list.retain(|o| o.object != opened.object);
        }
        self.pools
            .give_back(Of::FileObject, opened.object, time + DELAY);
        if !opened.deleted {
            return;
        }
        if let Some(key) = self.files.keys.remove(&name) {
            let event = Event::FileName(FileName::Delete(key.address, &key.path));
            self.put(cpu, time + 1, Actor::NOBODY, event);
            self.pools.give_back(Of::FileKey, key.address, time + DELAY);
            self.files.ended.push((name, time + 1));
        }
    }

    /// Names that are told at the end of the session.
    pub(super) fn file_rundown(&mut self, time: u64) {
        for (n, (address, path)) in self.files.names().into_iter().enumerate() {
            let event = Event::FileName(FileName::Rundown(address, &path));
            self.put(0, time + n as u64 * 3, Actor::NOBODY, event);
        }
        // Files that nobody touched while the trace ran have names too.
        for (n, name) in ["$Mft", "$LogFile", "pagefile.sys", "Windows\\bootstat.dat"]
            .iter()
            .enumerate()
        {
            let path = format!("{}\\{name}", paths::VOLUME);
            let address = self.pools.take_new(Of::FileKey);
            let event = Event::FileName(FileName::Rundown(address, &path));
            self.put(1, time + n as u64 * 5, Actor::NOBODY, event);
        }
    }
}
