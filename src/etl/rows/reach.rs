//! Which file operations and callbacks of a slice a test of paths may take: all others need not be put in order.
//!
//! What is open in a slice is known by two addresses, that of the FileObject and that of the IRP (a minifilter's
//! callback data is the IRP of its operation). An operation is left out only if no record with its FileObject can have
//! a path that is wanted, and no record with its IRP has such a FileObject. So whatever is paired with a record that
//! is taken, or says what its FileObject is called, is still there.

use crate::etl::kernel::file_io::{FileIo, FileOperation, OPERATION_END, OperationEnd};
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::{Fields, WideText};
use crate::etl::link::Imports;
use crate::etl::link::part::push_path;
use crate::etl::record::{Hook, Record};
use crate::etl::trace::EtlTrace;
use crate::trace::path::is_whole;
use crate::trace::{Class, PathTest, Select};
use hashbrown::HashSet;

/// FileObjects with their keys that were judged last.
const JUDGED: usize = 1 << 11;

/// Stands for the FileObject of a record that names none.
const NO_OBJECT: u64 = u64::MAX;

/// The addresses of a record: FileObject and IRP.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    object: u64,
    irp: u64,
    /// It is kept in any case.
    always: bool,
}

/// What may be taken of a slice.
pub struct Reach<'a> {
    trace: &'a EtlTrace,
    imports: &'a Imports,
    test: PathTest<'a>,
    /// Addresses of the records that were seen, in the order they came.
    seen: Vec<Addresses>,
    objects: HashSet<u64>,
    irps: HashSet<u64>,
    judged: Vec<(u64, u64)>,
    path: String,
}

impl<'a> Reach<'a> {
    /// For the records of a slice; `None` where paths leave nothing out.
    pub fn new(
        trace: &'a EtlTrace,
        imports: &'a Imports,
        select: &Select<'a>,
        records: usize,
    ) -> Option<Self> {
        let test = select.paths?;
        let everything = test(Class::FileSystem, "", "") || test(Class::Minifilter, "", "");
        let irps = imports.operations.keys().chain(imports.names.keys());
        (!everything).then(|| Self {
            trace,
            imports,
            test,
            seen: Vec::with_capacity(records),
            objects: HashSet::new(),
            irps: irps.copied().collect(),
            judged: vec![(0, 0); JUDGED],
            path: String::new(),
        })
    }

    /// Sees a record; number `number` of the file.
    #[inline]
    pub fn see(&mut self, hook: Option<Hook>, record: &Record<'_>, number: u64) {
        let addresses = hook.and_then(|hook| self.addresses(hook, record, number));
        self.seen.push(addresses.unwrap_or(Addresses {
            object: NO_OBJECT,
            irp: 0,
            always: true,
        }));
    }

    /// `None` for a record that is neither of a file operation nor of a callback.
    #[inline]
    fn addresses(&mut self, hook: Hook, record: &Record<'_>, number: u64) -> Option<Addresses> {
        let mut fields = Fields::new(record.payload(), record.wide());
        let (object, key, irp, always) = match hook.id {
            0x0460..=0x0465 => {
                let callback = MinifilterCallback::parse(hook.id, &mut fields)?;
                let (object, key) = (callback.file_object, callback.fs_context);
                (object, key, callback.callback_data, false)
            }
            // What ends an operation of an earlier slice may free its FileObject.
            OPERATION_END => {
                let end = OperationEnd::parse(&mut fields)?;
                (
                    NO_OBJECT,
                    0,
                    end.irp,
                    self.imports.joined.contains_key(&number),
                )
            }
            0x0440..=0x0452 => {
                let io = FileIo::parse(hook.id, hook.version.into(), &mut fields)?;
                match io.operation {
                    FileOperation::Create | FileOperation::CreateNew => {
                        self.opened(io.file_object, io.path());
                    }
                    // They have a path of their own.
                    FileOperation::DeletePath
                    | FileOperation::RenamePath
                    | FileOperation::SetLinkPath => {
                        self.irps.insert(io.irp);
                    }
                    _ => {}
                }
                (io.file_object, io.file_key.unwrap_or(0), io.irp, false)
            }
            _ => return None,
        };
        self.judge(object, key);
        Some(Addresses {
            object,
            irp,
            always,
        })
    }

    fn wants(&self, path: &str) -> bool {
        (self.test)(Class::FileSystem, path, "") || (self.test)(Class::Minifilter, path, "")
    }

    /// A file is opened with a path.
    fn opened(&mut self, object: u64, path: WideText<'_>) {
        let mut text = std::mem::take(&mut self.path);
        text.clear();
        push_path(self.trace.facts(), path, &mut text);
        // A path that begins at an open folder gives way to the name of the file's key.
        if !is_whole(&text) || self.wants(&text) {
            self.objects.insert(object);
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
        let links = self.trace.links();
        let before = self.imports.objects.get(&object);
        let facts = self.trace.facts();
        let wanted = before.is_some_and(|open| self.wants(links.texts.get(open.path)))
            || key != 0
                && facts
                    .files
                    .names(key)
                    .any(|name| self.wants(facts.texts.get(name)));
        if wanted {
            self.objects.insert(object);
        }
    }

    /// For each record that was seen, in that order, whether it may be taken.
    pub fn finish(mut self) -> impl FnMut() -> bool {
        for record in &self.seen {
            if self.objects.contains(&record.object) {
                self.irps.insert(record.irp);
            }
        }
        let (seen, objects, irps) = (self.seen, self.objects, self.irps);
        let mut seen = seen.into_iter();
        move || {
            seen.next().is_none_or(|record| {
                record.always || irps.contains(&record.irp) || objects.contains(&record.object)
            })
        }
    }
}
