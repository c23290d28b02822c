//! What is noted of each slice while slices are joined, for those who will ask for certain files only: which of its
//! FileObjects may have such a path. Whoever decodes a slice then passes over all others at once.

use crate::etl::dictionary::collect::Facts;
use crate::etl::dictionary::texts::{TextId, Texts};
use crate::etl::sieve::Addressed;
use hashbrown::HashMap;

/// Whether a path of a file may be asked for.
pub type FileTest<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// What may be asked for.
pub struct Noting<'a> {
    /// By path.
    pub test: FileTest<'a>,
    /// The keys of files that have such a path at any time.
    pub keys: Addressed,
}

impl<'a> Noting<'a> {
    /// For files whose paths pass a test; `None` where it takes what has no path.
    pub fn new(facts: &Facts, test: FileTest<'a>) -> Option<Self> {
        if test("") {
            return None;
        }
        let mut known: Vec<Option<bool>> = vec![None; facts.texts.len()];
        let mut wanted = |name: u32| match known.get_mut(name as usize) {
            Some(known) => *known.get_or_insert_with(|| test(facts.texts.get(name))),
            None => test(facts.texts.get(name)),
        };
        let keys: Vec<u64> = facts.files.addresses(&mut wanted).collect();
        let mut out = Addressed::with_room(keys.len());
        keys.into_iter().for_each(|key| out.add(key));
        Some(Self { test, keys: out })
    }
}

/// What is noted of a slice.
#[derive(Debug, Default)]
pub struct Noted {
    /// FileObjects that are opened in it with a path that may be asked for, and that path. Those opened before it are
    /// not among them.
    pub opened: Vec<(u64, TextId)>,
    /// FileObjects whose file has a key that may be asked for, and the key.
    pub keyed: Vec<(u64, u64)>,
    /// FileObjects that are opened with a path that begins at an open folder.
    pub partial: Vec<u64>,
    /// IRPs of operations that tell a second path which may be asked for.
    pub irps: Vec<u64>,
}

impl Noted {
    fn finish(&mut self) {
        fn once<T: Ord>(list: &mut Vec<T>) {
            list.sort_unstable();
            list.dedup();
            list.shrink_to_fit();
        }
        once(&mut self.opened);
        once(&mut self.keyed);
        once(&mut self.partial);
        once(&mut self.irps);
    }
}

/// Noting in progress.
#[derive(Debug, Default)]
pub struct NotedHere {
    out: Noted,
    /// Paths by which FileObjects are opened.
    paths: HashMap<String, Vec<u64>>,
    /// The FileObject and key that were noted last: an object has many records in a row.
    last: Option<(u64, u64)>,
}

impl NotedHere {
    /// A FileObject is opened with a path.
    pub fn opened(&mut self, object: u64, path: &str) {
        let objects = match self.paths.get_mut(path) {
            Some(objects) => objects,
            None => self.paths.entry(path.to_owned()).or_default(),
        };
        if objects.last() != Some(&object) {
            objects.push(object);
        }
    }

    /// A FileObject is used with a key.
    #[inline]
    pub fn keyed(&mut self, object: u64, key: u64) {
        if self.last != Some((object, key)) {
            self.last = Some((object, key));
            self.out.keyed.push((object, key));
        }
    }

    /// A FileObject is opened with a path that begins at an open folder.
    pub fn partial(&mut self, object: u64) {
        self.out.partial.push(object);
    }

    /// An operation tells a second path that may be asked for.
    pub fn irp(&mut self, irp: u64) {
        self.out.irps.push(irp);
    }

    /// Everything, each once, with paths by their numbers in `texts`.
    pub fn finish(self, texts: &mut Texts) -> Noted {
        let mut out = self.out;
        for (path, objects) in self.paths {
            match texts.number(&path) {
                Some(number) => out
                    .opened
                    .extend(objects.into_iter().map(|object| (object, number))),
                None => out.partial.extend(objects),
            }
        }
        out.finish();
        out
    }
}
