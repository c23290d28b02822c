//! Which file operations and callbacks of a slice a test of paths may take.
//!
//! An operation is left out only if no record with its FileObject can have a path that is wanted, and no record with its
//! IRP has such a FileObject. So whatever is paired with a record that is taken, or says what its FileObject is called,
//! is still there. A callback has the FileObject of its operation: where that is called otherwise, the IRP alone, which
//! the kernel gives to one operation after the other, does not keep it.

use super::pairs::{KEPT, NO_OBJECT, Pair, Pairs, Verdicts, What};
use super::reach::Seen;
use crate::etl::gather::Place;
use crate::etl::kernel::file_io::{FileIo, FileOperation, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::link::part::push_path;
use crate::etl::link::{Imports, Links};
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Addressed;
use crate::etl::trace::EtlTrace;
use crate::trace::path::is_whole;
use crate::trace::{Class, Memo, PathTest};

/// Judges by paths.
pub struct ByPath<'a> {
    trace: &'a EtlTrace,
    links: &'a Links,
    imports: &'a Imports,
    test: PathTest<'a>,
    memo: Option<&'a Memo>,
    pairs: Pairs,
    /// FileObjects that may have a wanted path.
    objects: Addressed,
    /// FileObjects that were opened in the slice with another path.
    others: Addressed,
    /// IRPs whose records are all kept: they have paths of their own, or began in an earlier slice.
    irps: Addressed,
    path: String,
}

impl<'a> ByPath<'a> {
    /// For the records of a slice; `None` where the test takes what has no path.
    pub fn new(
        trace: &'a EtlTrace,
        (links, imports): (&'a Links, &'a Imports),
        test: PathTest<'a>,
        memo: Option<&'a Memo>,
    ) -> Option<Self> {
        if test(Class::FileSystem, "", "") || test(Class::Minifilter, "", "") {
            return None;
        }
        Some(Self {
            trace,
            links,
            imports,
            test,
            memo,
            pairs: Pairs::default(),
            objects: Addressed::default(),
            others: Addressed::default(),
            irps: imports.irps(),
            path: String::new(),
        })
    }

    /// The number of a record, for [`ByPath::finish`] to decide.
    #[inline]
    pub fn see(&mut self, seen: Seen, hook: Hook, record: &Record<'_>, place: Place) -> u32 {
        let mut fields = Fields::new(record.payload(), record.wide());
        let pair = match seen {
            Seen::Callback => {
                let Some(callback) = MinifilterCallback::parse(hook.id, &mut fields) else {
                    return KEPT;
                };
                // Its create is logged in a later slice.
                if let Some(path) = self.told_later(place)
                    && self.wants_name(true, path)
                {
                    self.irps.add(callback.callback_data);
                }
                Pair {
                    object: callback.file_object,
                    irp: callback.callback_data,
                    key: callback.fs_context,
                    what: What::Callback,
                }
            }
            Seen::End => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return KEPT;
                };
                // What ends an operation of an earlier slice may free its FileObject.
                if self
                    .imports
                    .joined
                    .contains_key(&self.trace.number_at(place))
                {
                    return KEPT;
                }
                Pair {
                    object: NO_OBJECT,
                    irp: end.irp,
                    key: 0,
                    what: What::End,
                }
            }
            Seen::File => {
                let Some(io) = FileIo::parse(hook.id, hook.version.into(), &mut fields) else {
                    return KEPT;
                };
                match io.operation {
                    FileOperation::Create | FileOperation::CreateNew => {
                        self.opened(io.file_object, io.path());
                    }
                    FileOperation::DeletePath
                    | FileOperation::RenamePath
                    | FileOperation::SetLinkPath => {
                        self.irps.add(io.irp);
                        self.named_anew(io.file_object, io.path());
                    }
                    _ => {}
                }
                Pair {
                    object: io.file_object,
                    irp: io.irp,
                    key: io.file_key.unwrap_or(0),
                    what: What::File,
                }
            }
            Seen::Key | Seen::Other => return KEPT,
        };
        match self.pairs.find(&pair) {
            Some(number) => number,
            None => {
                let named = self.judge(&pair);
                self.pairs.add(pair, named)
            }
        }
    }

    /// The path that a later slice tells of a callback.
    #[inline]
    fn told_later(&self, place: Place) -> Option<u32> {
        let named = &self.imports.named;
        let path = (!named.is_empty()).then(|| named.get(&self.trace.number_at(place)));
        path.flatten().copied()
    }

    fn wants(&self, path: &str) -> bool {
        (self.test)(Class::FileSystem, path, "") || (self.test)(Class::Minifilter, path, "")
    }

    /// The same for a path with a number.
    fn wants_name(&self, opened: bool, number: u32) -> bool {
        let (names, opens) = (&self.trace.facts().texts, &self.links.texts);
        let known = number as usize;
        let (path, place) = match opened {
            true => (opens.get(number), names.len() + known),
            false => (names.get(number), known),
        };
        match self.memo {
            Some(memo) if known < if opened { opens.len() } else { names.len() } => {
                memo.path(place, names.len() + opens.len(), || self.wants(path))
            }
            _ => self.wants(path),
        }
    }

    /// A file is opened with a path.
    fn opened(&mut self, object: u64, path: WideText<'_>) {
        let mut text = std::mem::take(&mut self.path);
        text.clear();
        push_path(self.trace.facts(), path, &mut text);
        // A path that begins at an open folder gives way to the name of the file's key.
        if !is_whole(&text) || self.wants(&text) {
            self.objects.add(object);
        } else {
            self.others.add(object);
        }
        self.path = text;
    }

    /// A file gets a second path: if that one is wanted, so is whatever it is called before.
    fn named_anew(&mut self, object: u64, path: WideText<'_>) {
        let mut text = std::mem::take(&mut self.path);
        text.clear();
        push_path(self.trace.facts(), path, &mut text);
        if self.wants(&text) {
            self.objects.add(object);
        }
        self.path = text;
    }

    /// Whether a FileObject may have a wanted path, by what it was called before the slice and by its key, is noted; whether
    /// it has any is the answer.
    fn judge(&mut self, pair: &Pair) -> bool {
        if pair.what == What::End {
            return false;
        }
        let before = self.imports.objects.get(&pair.object).map(|open| open.path);
        let mut named = before.is_some_and(|path| !self.links.texts.get(path).is_empty());
        let mut wanted = before.is_some_and(|path| self.wants_name(true, path));
        if pair.key != 0 && !wanted {
            let mut names = self.trace.facts().files.names(pair.key);
            wanted = names.any(|name| {
                named = true;
                self.wants_name(false, name)
            });
        }
        if wanted {
            self.objects.add(pair.object);
        }
        named
    }

    /// Tells by number whether a record is taken, after all of the slice were seen.
    pub fn finish(self) -> Verdicts {
        let Self {
            pairs,
            objects,
            others,
            irps: own,
            ..
        } = self;
        let mut irps = Addressed::default();
        for (pair, _) in pairs.iter() {
            if objects.holds(pair.object) {
                irps.add(pair.irp);
            }
        }
        pairs.verdicts(|pair, named| {
            let other = named || others.holds(pair.object);
            objects.holds(pair.object)
                || own.holds(pair.irp)
                || irps.holds(pair.irp) && !(pair.what == What::Callback && other)
        })
    }
}
