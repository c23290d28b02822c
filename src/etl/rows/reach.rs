//! Which file operations and callbacks of a slice a test of paths may take: all others need not be put in order.
//!
//! What is open in a slice is known by two addresses, that of the FileObject and that of the IRP (a minifilter's
//! callback data is the IRP of its operation). An operation is left out only if no record with its FileObject can have
//! a path that is wanted, and no record with its IRP has such a FileObject. So whatever is paired with a record that
//! is taken, or says what its FileObject is called, is still there.

//!
//! Where processes are wanted and not paths, it is the other way round: the operations of their threads are wanted, and
//! what else is on the same FileObjects says what these are called.

use crate::etl::gather::{Addresses, Place};
use crate::etl::kernel::file_io::{FileIo, FileOperation, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::link::Imports;
use crate::etl::link::part::push_path;
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Sieve;
use crate::etl::trace::EtlTrace;
use crate::trace::path::is_whole;
use crate::trace::{Class, Owners, PathTest, Select};
use hashbrown::HashSet;

/// FileObjects with their keys that were judged last.
const JUDGED: usize = 1 << 12;
/// Room for addresses from the start: as many as a slice usually has.
const USUAL: usize = 1 << 9;

/// Stands for the FileObject of a record that names none.
const NO_OBJECT: u64 = u64::MAX;
/// Stands for the FileObject of a record that is kept in any case.
const ALWAYS: u64 = u64::MAX - 1;

/// Of a record that is kept in any case.
pub const KEPT: Addresses = Addresses {
    object: ALWAYS,
    irp: 0,
};

/// What a record is to [`Reach`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    #[default]
    Other,
    /// An event of the registry.
    Key,
    /// A file operation.
    File,
    /// The end of one.
    End,
    /// A callback.
    Callback,
}

impl Seen {
    /// What records of a hook are.
    pub fn of(hook: u16) -> Self {
        match hook {
            0x044C => Self::End,
            0x0440..=0x0452 => Self::File,
            0x0460..=0x0465 => Self::Callback,
            0x0900..=0x09FF => Self::Key,
            _ => Self::Other,
        }
    }
}

/// What is wanted.
enum Wanted<'a> {
    Paths(PathTest<'a>),
    Owners(&'a Owners),
}

/// Addresses, most of which are not among them.
struct Addressed {
    set: HashSet<u64>,
    sieve: Sieve,
}

impl Default for Addressed {
    fn default() -> Self {
        Self {
            set: HashSet::with_capacity(USUAL),
            sieve: Sieve::default(),
        }
    }
}

impl Addressed {
    #[inline]
    fn add(&mut self, address: u64) {
        self.sieve.add(address);
        self.set.insert(address);
    }

    #[inline]
    fn holds(&self, address: u64) -> bool {
        self.sieve.may_hold(address) && self.set.contains(&address)
    }
}

/// What may be taken of a slice.
pub struct Reach<'a> {
    trace: &'a EtlTrace,
    imports: &'a Imports,
    select: &'a Select<'a>,
    wanted: Wanted<'a>,
    objects: Addressed,
    irps: Addressed,
    judged: Vec<(u64, u64)>,
    path: String,
}

impl<'a> Reach<'a> {
    /// For the records of a slice; `None` where nothing is left out.
    pub fn new(trace: &'a EtlTrace, imports: &'a Imports, select: &'a Select<'a>) -> Option<Self> {
        let wanted = match (select.paths, select.memo) {
            (Some(test), _) => {
                let all = test(Class::FileSystem, "", "") || test(Class::Minifilter, "", "");
                (!all).then_some(Wanted::Paths(test))
            }
            // Callbacks may only be known by what they were called for.
            (None, Some(memo)) if !select.classes.is_empty() => {
                let wanted = select.processes.as_deref()?;
                let callbacks = select.classes.contains(&Class::Minifilter);
                let owners = || trace.owners(wanted);
                (!callbacks).then(|| Wanted::Owners(memo.owners(owners)))
            }
            _ => None,
        }?;
        let mut irps = Addressed::default();
        let open = imports.operations.keys().chain(imports.names.keys());
        open.for_each(|irp| irps.add(*irp));
        let judged = match wanted {
            Wanted::Paths(_) => vec![(0, 0); JUDGED],
            Wanted::Owners(_) => Vec::new(),
        };
        Some(Self {
            trace,
            imports,
            select,
            wanted,
            objects: Addressed::default(),
            irps,
            judged,
            path: String::new(),
        })
    }

    /// Sees a record: its addresses if it may be wanted, which [`Reach::finish`] decides.
    #[inline]
    pub fn see(
        &mut self,
        seen: Seen,
        hook: Hook,
        record: &Record<'_>,
        place: Place,
    ) -> Option<Addresses> {
        match (&self.wanted, seen) {
            (_, Seen::Other) => Some(KEPT),
            (Wanted::Paths(_), Seen::Key) => Some(KEPT),
            (Wanted::Paths(_), _) => self.addresses(seen, hook, record, place),
            (Wanted::Owners(owners), _) => {
                let owners = *owners;
                self.addresses_of(owners, seen, hook, record, place)
            }
        }
    }

    /// Number of a record in the file.
    fn number(&self, place: Place) -> u64 {
        let first = self.trace.first_numbers().get(place.buffer as usize);
        first.copied().unwrap_or(0) + place.index()
    }

    /// Whether a record ends an operation of an earlier slice.
    fn ends_earlier(&self, place: Place) -> bool {
        self.imports.joined.contains_key(&self.number(place))
    }

    /// The path that a later slice tells of a callback.
    fn told_later(&self, place: Place) -> Option<u32> {
        let named = &self.imports.named;
        let path = (!named.is_empty()).then(|| named.get(&self.number(place)));
        path.flatten().copied()
    }

    /// Where paths are wanted.
    #[inline]
    fn addresses(
        &mut self,
        seen: Seen,
        hook: Hook,
        record: &Record<'_>,
        place: Place,
    ) -> Option<Addresses> {
        let mut fields = Fields::new(record.payload(), record.wide());
        let (object, key, irp) = match seen {
            Seen::Callback => {
                let callback = MinifilterCallback::parse(hook.id, &mut fields);
                let Some(callback) = callback else {
                    return Some(KEPT);
                };
                let (object, key) = (callback.file_object, callback.fs_context);
                // Its create is logged in a later slice.
                if let Some(path) = self.told_later(place)
                    && self.wants_name(true, path)
                {
                    self.irps.add(callback.callback_data);
                }
                (object, key, callback.callback_data)
            }
            Seen::End => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return Some(KEPT);
                };
                // What ends an operation of an earlier slice may free its FileObject.
                if self.ends_earlier(place) {
                    return Some(KEPT);
                }
                return Some(Addresses {
                    object: NO_OBJECT,
                    irp: end.irp,
                });
            }
            _ => {
                let io = FileIo::parse(hook.id, hook.version.into(), &mut fields);
                let Some(io) = io else {
                    return Some(KEPT);
                };
                match io.operation {
                    FileOperation::Create | FileOperation::CreateNew => {
                        self.opened(io.file_object, io.path());
                    }
                    // They have a path of their own.
                    FileOperation::DeletePath
                    | FileOperation::RenamePath
                    | FileOperation::SetLinkPath => self.irps.add(io.irp),
                    _ => {}
                }
                (io.file_object, io.file_key.unwrap_or(0), io.irp)
            }
        };
        self.judge(object, key);
        Some(Addresses { object, irp })
    }

    /// Where processes are wanted.
    fn addresses_of(
        &mut self,
        owners: &Owners,
        seen: Seen,
        hook: Hook,
        record: &Record<'_>,
        place: Place,
    ) -> Option<Addresses> {
        let by_pid = record.pid().map(|pid| owners.pids.contains(&pid));
        let by_tid = |tid: Option<u32>| tid.map(|tid| owners.tids.contains(&tid));
        let mut fields = Fields::new(record.payload(), record.wide());
        match seen {
            Seen::File => {
                let io = FileIo::parse(hook.id, hook.version.into(), &mut fields);
                let Some(io) = io else {
                    return Some(KEPT);
                };
                if by_pid.or(by_tid(Some(io.tid))) == Some(true) {
                    self.objects.add(io.file_object);
                    self.irps.add(io.irp);
                }
                Some(Addresses {
                    object: io.file_object,
                    irp: io.irp,
                })
            }
            Seen::End => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return Some(KEPT);
                };
                let own = by_pid.or(by_tid(record.tid())) == Some(true);
                if own || self.ends_earlier(place) {
                    return Some(KEPT);
                }
                Some(Addresses {
                    object: NO_OBJECT,
                    irp: end.irp,
                })
            }
            // Without process and thread it belongs to what runs on its processor.
            _ => (by_pid.or(by_tid(record.tid())) != Some(false)).then_some(KEPT),
        }
    }

    fn wants(&self, path: &str) -> bool {
        match self.wanted {
            Wanted::Paths(test) => {
                test(Class::FileSystem, path, "") || test(Class::Minifilter, path, "")
            }
            Wanted::Owners(_) => false,
        }
    }

    /// The same for a path with a number.
    fn wants_name(&self, opened: bool, number: u32) -> bool {
        let (names, opens) = (&self.trace.facts().texts, &self.trace.links().texts);
        let known = number as usize;
        let (path, place) = match opened {
            true => (opens.get(number), names.len() + known),
            false => (names.get(number), known),
        };
        match self.select.memo {
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
        }
        self.path = text;
    }

    /// Whether a FileObject may have a wanted path, by what it was called before the slice and by its key.
    #[inline]
    fn judge(&mut self, object: u64, key: u64) {
        let mix = (object ^ key.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let at = (mix >> 32) as usize % JUDGED;
        if self.judged[at] != (object, key) {
            self.judged[at] = (object, key);
            self.judge_new(object, key);
        }
    }

    fn judge_new(&mut self, object: u64, key: u64) {
        let before = self.imports.objects.get(&object);
        let wanted = before.is_some_and(|open| self.wants_name(true, open.path))
            || key != 0
                && self
                    .trace
                    .facts()
                    .files
                    .names(key)
                    .any(|name| self.wants_name(false, name));
        if wanted {
            self.objects.add(object);
        }
    }

    /// Tells whether a record with these addresses is taken, after all of them, which are `seen`, were seen.
    pub fn finish(mut self, seen: &[Addresses]) -> impl Fn(&Addresses) -> bool + use<> {
        for record in seen {
            if self.objects.holds(record.object) {
                self.irps.add(record.irp);
            }
        }
        let (objects, irps) = (self.objects, self.irps);
        move |record| {
            record.object == ALWAYS || irps.holds(record.irp) || objects.holds(record.object)
        }
    }
}
