//! Which file operations and callbacks of a slice a test of paths may take, by what was noted when slices were joined: most
//! records are passed over after one look at their FileObject.
//!
//! What is left out is what [`super::by_path`] leaves out, and for the same reasons.

use super::pairs::KEPT;
use super::reach::Seen;
use crate::etl::classes::tells_names;
use crate::etl::gather::{Entries, Place};
use crate::etl::kernel::Fields;
use crate::etl::kernel::file_io::{FileOperation, OperationEnd};
use crate::etl::kernel::file_io_addresses::OperationAddresses;
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::registry::{KeyEvent, KeyOperation};
use crate::etl::keynames::push_key;
use crate::etl::link::noted::Noted;
use crate::etl::link::{Imports, Links};
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::{Addressed, Sieve};
use crate::etl::trace::EtlTrace;
use crate::trace::{Class, Memo, PathTest};

/// A record that is taken if its IRP turns out to be wanted.
#[derive(Debug, Clone, Copy)]
struct Later {
    irp: u64,
    /// FileObject of a callback, which has no other path.
    object: Option<u64>,
    start: i64,
    place: Place,
}

type KeyTest<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// Judges by what was noted.
pub struct ByNoted<'a> {
    trace: &'a EtlTrace,
    links: &'a Links,
    imports: &'a Imports,
    test: PathTest<'a>,
    keys: Option<KeyTest<'a>>,
    memo: &'a Memo,
    /// FileObjects that may have a wanted path.
    objects: Addressed,
    /// FileObjects that were opened in the slice with another path.
    others: Addressed,
    /// IRPs whose records are all kept: they have paths of their own, or began in an earlier slice.
    own_irps: Addressed,
    /// How many of these were noted.
    irps_noted: usize,
    /// IRPs of operations on wanted FileObjects.
    irps: Addressed,
    /// Numbers of records that tell of something in an earlier slice.
    joined: Sieve,
    /// Whether callbacks are named in later slices by a wanted path.
    told_later: bool,
    /// FileObjects that were found to have another path, by address.
    known: Box<[u64; KNOWN]>,
    later: Vec<Later>,
    path: String,
}

/// Places for FileObjects that are known to have another path.
const KNOWN: usize = 512;

#[inline]
fn known_at(object: u64) -> usize {
    (object.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize % KNOWN
}

impl<'a> ByNoted<'a> {
    /// For the records of a slice; `None` where the test takes what has no path.
    pub fn new(
        trace: &'a EtlTrace,
        (links, imports, noted): (&'a Links, &'a Imports, &'a Noted),
        (test, keys): (PathTest<'a>, Option<KeyTest<'a>>),
        memo: &'a Memo,
    ) -> Option<Self> {
        if test(Class::FileSystem, "", "") || test(Class::Minifilter, "", "") {
            return None;
        }
        let mut out = Self {
            trace,
            links,
            imports,
            test,
            keys,
            memo,
            objects: Addressed::default(),
            others: Addressed::default(),
            own_irps: imports.irps(),
            irps_noted: noted.irps.len(),
            irps: Addressed::default(),
            joined: Sieve::default(),
            told_later: false,
            // Not the address of anything.
            known: Box::new([u64::MAX; KNOWN]),
            later: Vec::with_capacity(1 << 12),
            path: String::new(),
        };
        for (object, path) in &noted.opened {
            if out.wants_opened(*path) {
                out.objects.add(*object);
            }
        }
        for (object, key) in &noted.keyed {
            let mut names = trace.facts().files.names(*key);
            if names.any(|name| out.wants_name(name)) {
                out.objects.add(*object);
            }
        }
        noted
            .partial
            .iter()
            .for_each(|object| out.objects.add(*object));
        noted.irps.iter().for_each(|irp| out.own_irps.add(*irp));
        for (object, open) in &imports.objects {
            if out.wants_opened(open.path) {
                out.objects.add(*object);
            }
        }
        imports
            .joined
            .keys()
            .for_each(|number| out.joined.add(*number));
        out.told_later = imports.named.values().any(|path| out.wants_opened(*path));
        Some(out)
    }

    /// Whether a path by which a file was opened is wanted.
    fn wants_opened(&self, number: u32) -> bool {
        let opens = &self.links.texts;
        self.wants(number as usize, || opens.get(number))
    }

    /// Whether the name of a file's key is wanted.
    fn wants_name(&self, number: u32) -> bool {
        let known = self.links.texts.len() + number as usize;
        self.wants(known, || self.trace.facts().texts.get(number))
    }

    fn wants(&self, number: usize, path: impl Fn() -> &'a str) -> bool {
        let count = self.links.texts.len() + 2 * self.trace.facts().texts.len();
        self.memo.path(number, count, || {
            let path = path();
            (self.test)(Class::FileSystem, path, "") || (self.test)(Class::Minifilter, path, "")
        })
    }

    /// Whether no file operation or callback of the slice can be wanted.
    pub fn is_idle(&self) -> bool {
        // What is open from before is only kept for what it does to FileObjects that are wanted.
        self.objects.is_empty()
            && self.irps_noted == 0
            && self.imports.names.is_empty()
            && !self.told_later
    }

    /// The number of a record that is taken; of others it may be found later that they are.
    #[inline]
    pub fn see(
        &mut self,
        (seen, hook): (Seen, Hook),
        record: &Record<'_>,
        (start, ticks): (i64, i64),
        place: Place,
    ) -> Option<u32> {
        let mut fields = Fields::new(record.payload(), record.wide());
        match seen {
            Seen::Callback => {
                let callback = MinifilterCallback::parse(hook.id, &mut fields)?;
                let (object, context) = (callback.file_object, callback.fs_context);
                if !self
                    .links
                    .knows_callback(self.trace.facts(), object, context)
                {
                    return None;
                }
                if self.objects.holds(callback.file_object) {
                    self.irps.add(callback.callback_data);
                    return Some(KEPT);
                }
                if self.told_later && self.is_told_later(place) {
                    self.own_irps.add(callback.callback_data);
                    return Some(KEPT);
                }
                if !self.told_later && self.has_other_path(&callback) {
                    return self.own_irps.holds(callback.callback_data).then_some(KEPT);
                }
                self.later.push(Later {
                    irp: callback.callback_data,
                    object: Some(callback.file_object),
                    start,
                    place,
                });
                None
            }
            Seen::End => {
                let end = OperationEnd::parse(&mut fields)?;
                let number = self.trace.number_at(place);
                // What ends an operation of an earlier slice may free its FileObject.
                if self.joined.may_hold(number) && self.imports.joined.contains_key(&number) {
                    return Some(KEPT);
                }
                self.by_irp(end.irp, start, place)
            }
            Seen::File => {
                let io = OperationAddresses::of(hook.id, hook.version.into(), &mut fields)?;
                if self.objects.holds(io.file_object) {
                    self.irps.add(io.irp);
                    return Some(KEPT);
                }
                if matches!(
                    io.operation,
                    FileOperation::Create | FileOperation::CreateNew
                ) {
                    self.others.add(io.file_object);
                }
                self.by_irp(io.irp, start, place)
            }
            Seen::Key => self.wants_key(hook, record, ticks, place).then_some(KEPT),
            Seen::Other => Some(KEPT),
        }
    }

    /// Whether an event of the registry may be wanted: one of a key is by its path.
    fn wants_key(&mut self, hook: Hook, record: &Record<'_>, ticks: i64, place: Place) -> bool {
        if tells_names(hook.id) {
            return false;
        }
        let mut fields = Fields::new(record.payload(), record.wide());
        let (id, version) = (hook.id, hook.version.into());
        let key = KeyOperation::of_hook(id).and_then(|_| KeyEvent::parse(id, version, &mut fields));
        let Some(event) = key else {
            return true;
        };
        let time = self.trace.key(place.buffer, ticks);
        if let Some(test) = self.keys
            && event.kcb != 0
            && !event.operation.names_kcb()
            && let Some(name) = self.trace.facts().keys.find(event.kcb, time)
        {
            let names = self.trace.facts().texts.len();
            let before = self.links.texts.len() + names;
            let text = || test(self.trace.facts().texts.get(name));
            if !self.memo.path(before + name as usize, before + names, text) {
                return false;
            }
        }
        self.path.clear();
        push_key(self.trace.facts(), time, &event, &mut self.path);
        (self.test)(Class::Registry, &self.path, "")
    }

    /// Whether a callback is none of those that are wanted, told by its addresses alone where that is easy.
    #[inline(always)]
    pub fn passes_over(&self, hook: Hook, record: &Record<'_>) -> bool {
        let found = MinifilterCallback::addresses(hook.id, record.payload(), record.wide());
        let Some(callback) = found else {
            return false;
        };
        let object = callback.file_object;
        self.known[known_at(object)] == object
            && !self.objects.holds(object)
            && !self.own_irps.holds(callback.callback_data)
    }

    #[inline]
    fn by_irp(&mut self, irp: u64, start: i64, place: Place) -> Option<u32> {
        if self.irps.holds(irp) || self.own_irps.holds(irp) {
            return Some(KEPT);
        }
        self.later.push(Later {
            irp,
            object: None,
            start,
            place,
        });
        None
    }

    /// Whether the FileObject of a callback is called otherwise, whatever its operation works on.
    #[inline]
    fn has_other_path(&mut self, callback: &MinifilterCallback) -> bool {
        let object = callback.file_object;
        let at = known_at(object);
        if self.known[at] == object {
            return true;
        }
        let opened = |object| {
            let open = self.imports.objects.get(&object);
            open.is_some_and(|open| !self.links.texts.get(open.path).is_empty())
        };
        if self.others.holds(object) || opened(object) {
            self.known[at] = object;
            return true;
        }
        self.has_other_key(callback.fs_context)
    }

    fn has_other_key(&self, key: u64) -> bool {
        key != 0 && self.trace.facts().files.names(key).next().is_some()
    }

    /// Whether a later slice tells a wanted path of a callback.
    #[cold]
    fn is_told_later(&self, place: Place) -> bool {
        let path = self.imports.named.get(&self.trace.number_at(place));
        path.is_some_and(|path| self.wants_opened(*path))
    }

    /// Takes what was left open, after all records of the slice were seen.
    pub fn finish(self, entries: &mut Entries) {
        for later in &self.later {
            let by_operation = || {
                self.irps.holds(later.irp)
                    && !later.object.is_some_and(|object| self.others.holds(object))
            };
            if self.own_irps.holds(later.irp) || by_operation() {
                entries.take(later.start, later.place);
            }
        }
    }
}
