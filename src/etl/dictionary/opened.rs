//! FileObjects that are ever opened with a path that may be asked for. Callbacks on all others are of no concern to who
//! asks for such files, and there are many of these.

use super::volumes::Volumes;
use crate::etl::kernel::Fields;
use crate::etl::kernel::file_io::FileIo;
use crate::etl::kernel::file_io_addresses::OperationLayout;
use crate::etl::link::noted::Foresee;
use crate::etl::link::reused::Remembered;
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Sieve;
use crate::trace::path::{is_whole, starts_with_no_case};
use crate::trace::pool::Pool;

/// Operations that tell a path: opens, deletions, renames and links.
pub fn tells_path(hook: u16) -> bool {
    matches!(hook, 0x0440 | 0x044E..=0x0451)
}

/// What is remembered of paths, by one thread after the other.
pub type Known = Pool<Remembered<bool>>;

/// Finding them in a unit.
pub struct Opening<'f> {
    foresee: &'f dyn Foresee,
    known: &'f Known,
    paths: Remembered<bool>,
    objects: Vec<u64>,
    path: String,
}

impl<'f> Opening<'f> {
    /// For what will be asked for.
    pub fn new(foresee: &'f dyn Foresee, known: &'f Known) -> Self {
        Self {
            foresee,
            known,
            paths: known.take(),
            objects: Vec::new(),
            path: String::new(),
        }
    }

    /// The next record of a file operation.
    #[inline]
    pub fn see<'a>(&mut self, hook: Hook, record: &Record<'a>) {
        if !tells_path(hook.id) {
            return;
        }
        let (payload, version) = (record.payload(), hook.version.into());
        let mut fields = Fields::new(payload, record.wide());
        let parse = |fields: &mut Fields<'a>| FileIo::parse(hook.id, version, fields);
        // What stands behind a path need not be told from it where it is known already.
        let (object, text) = match OperationLayout::of(hook.id, version, record.wide()) {
            Some(layout) => {
                let known = layout.read(payload);
                (known.map(|io| io.file_object), layout.text(payload))
            }
            None => match parse(&mut fields.clone()) {
                Some(io) => (Some(io.file_object), io.path().0),
                None => (None, payload),
            },
        };
        let Some(object) = object else { return };
        let (foresee, path) = (self.foresee, &mut self.path);
        let may_be = self.paths.of(text, || {
            path.clear();
            if let Some(io) = parse(&mut fields) {
                io.path().push_to(path);
            }
            // A path that begins at an open folder may lead anywhere.
            !is_whole(path) || begins_at_link(path) || foresee.any_file(path)
        });
        if may_be {
            self.objects.push(object);
        }
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.known.give(std::mem::take(&mut self.paths));
    }
}

/// Whether a path begins at what stands for something else: nothing but the name that a volume has of old, or a folder.
fn begins_at_link(path: &str) -> bool {
    ["\\??\\", "\\SystemRoot\\"]
        .iter()
        .any(|link| starts_with_no_case(path, link))
}

/// FileObjects of a trace that are opened with a path that may be asked for, or get such a path later.
#[derive(Debug, Default)]
pub struct Opened {
    /// `None` where nobody said which.
    objects: Option<Vec<u64>>,
    sieve: Option<Sieve>,
}

/// FileObjects that are noted at most: 32 MiB of them. With more, a sieve keeps nothing back.
const MOST: usize = 4 << 20;

impl Opened {
    /// Adds those of the next unit.
    pub fn add(&mut self, mut unit: Opening<'_>) {
        let objects = self.objects.get_or_insert_default();
        let room = MOST + 1 - objects.len().min(MOST + 1);
        objects.extend(unit.objects.drain(..).take(room));
    }

    /// After all units. What devices stand for was not known when paths were looked at: where one stands for anything
    /// but the root of a drive or of the network, a path may be another one than it seemed.
    pub fn finish(&mut self, volumes: &Volumes) {
        let objects = self.objects.take();
        let fits = |objects: &Vec<u64>| objects.len() <= MOST && volumes.are_roots(begins_at_link);
        self.sieve = objects.filter(fits).map(|mut objects| {
            objects.sort_unstable();
            objects.dedup();
            let mut sieve = Sieve::with_room(objects.len());
            objects.iter().for_each(|object| sieve.add(*object));
            sieve
        });
    }

    /// Lets all of them pass, and few others; `None` where any may be one.
    pub fn sieve(&self) -> Option<&Sieve> {
        self.sieve.as_ref()
    }
}
