//! What is noted of each slice while slices are joined, for those who will ask for certain files only: which of its
//! FileObjects may have such a path. Whoever decodes a slice then passes over all others at once.

use super::columns::Chosen;
use crate::etl::dictionary::facts::Facts;
use crate::etl::dictionary::lifetimes::Lifetimes;
use crate::etl::dictionary::texts::{TextId, Texts};
use crate::etl::sieve::{Addressed, Sieve};
use crate::trace::{Owners, Process};
use hashbrown::HashMap;

/// Tells before a trace is opened what will be asked for.
pub trait Foresee: Sync {
    /// Whether events on a file may be asked for by its path; `root` is the Windows folder of the traced machine.
    fn file(&self, root: Option<&str>, path: &str) -> bool;

    /// Whether [`Foresee::file`] may take a file whatever the Windows folder is, and whatever letters the drives have:
    /// `path` is as it stands in the trace. It is asked before the trace has told either.
    fn any_file(&self, path: &str) -> bool;

    /// Whether events on a registry key, or on anything below it, may be asked for by its path.
    fn key(&self, path: &str) -> bool;

    /// Whether frames of stacks in user mode may be asked for.
    fn user_frames(&self) -> bool;

    /// Whether it may be asked what failed for a process.
    fn process(&self, process: &Process) -> bool;
}

/// What may be asked for.
pub struct Noting<'a> {
    foresee: &'a dyn Foresee,
    root: Option<&'a str>,
    /// The keys of files that may be asked for at any time.
    pub keys: Addressed,
    /// FileObjects that are ever opened with a path that may be asked for, where that is known.
    opened: Option<&'a Sieve>,
    /// KCBs that have a name at any time which may be asked for.
    named_kcbs: Addressed,
    /// KCBs that have other names at all times.
    other_kcbs: Addressed,
    /// Whether frames of stacks in user mode may be asked for.
    pub user_frames: bool,
    /// The processes of which it may be asked what failed.
    pub processes: Vec<bool>,
    /// Their ids, and those of their threads.
    pub owners: Owners,
}

impl<'a> Noting<'a> {
    /// For what `foresee` tells; `None` where it takes what has no path. `owners` finds the ids of processes.
    pub fn new(
        facts: &'a Facts,
        (foresee, root): (&'a dyn Foresee, Option<&'a str>),
        processes: &[Process],
        owners: impl Fn(&[bool]) -> Owners,
    ) -> Option<Self> {
        if foresee.file(root, "") {
            return None;
        }
        let texts = &facts.texts;
        let keys = addresses(&facts.files, texts, |path| foresee.file(root, path));
        let named_kcbs = addresses(&facts.keys, texts, |path| foresee.key(path));
        let always = facts.keys.always_named();
        let others: Vec<u64> = always.filter(|kcb| !named_kcbs.holds(*kcb)).collect();
        let mut other_kcbs = Addressed::with_room(others.len());
        others.into_iter().for_each(|kcb| other_kcbs.add(kcb));
        let processes: Vec<bool> = processes
            .iter()
            .map(|process| foresee.process(process))
            .collect();
        Some(Self {
            foresee,
            root,
            keys,
            opened: facts.opened.sieve(),
            named_kcbs,
            other_kcbs,
            user_frames: foresee.user_frames(),
            owners: owners(&processes),
            processes,
        })
    }

    /// Whether a file may be asked for.
    pub fn file(&self, path: &str) -> bool {
        self.foresee.file(self.root, path)
    }

    /// Whether a FileObject may be opened with a path that may be asked for, at any time.
    #[inline]
    pub fn may_open(&self, object: u64) -> bool {
        self.opened.is_none_or(|opened| opened.may_hold(object))
    }

    /// Whether a file may be asked for, at any time, by the FileObject and FsContext of a callback.
    #[inline]
    pub fn may_hold(&self, object: u64, context: u64) -> bool {
        self.may_open(object) || self.keys.holds(context)
    }

    /// Whether something is of a process of which it may be asked what failed, by the ids of process and thread; `None`
    /// where both are unknown.
    #[inline]
    pub fn is_own(&self, pid: Option<u32>, tid: Option<u32>) -> Option<bool> {
        let by_pid = pid.map(|pid| self.owners.pids.contains(&pid));
        by_pid.or_else(|| tid.map(|tid| self.owners.tids.contains(&tid)))
    }

    /// Whether events of a KCB may be asked for; `None` where more than its address is to be looked at.
    pub fn key_of(&self, kcb: u64) -> Option<bool> {
        match kcb {
            0 => None,
            kcb if self.named_kcbs.holds(kcb) => Some(true),
            kcb if self.other_kcbs.holds(kcb) => Some(false),
            _ => None,
        }
    }

    /// Whether a registry key may be asked for.
    pub fn key(&self, path: &str) -> bool {
        self.foresee.key(path)
    }
}

/// Whether texts are wanted, each tested once.
#[derive(Debug, Default)]
pub struct Judged(Vec<Option<bool>>);

impl Judged {
    /// Whether a text of `texts` passes a test.
    pub fn wants(&mut self, text: TextId, texts: &Texts, test: impl FnOnce(&str) -> bool) -> bool {
        if self.0.len() < texts.len() {
            self.0.resize(texts.len(), None);
        }
        let test = || test(texts.get(text));
        match self.0.get_mut(text as usize) {
            Some(known) => *known.get_or_insert_with(test),
            None => test(),
        }
    }
}

fn addresses(names: &Lifetimes, texts: &Texts, test: impl Fn(&str) -> bool) -> Addressed {
    let mut judged = Judged::default();
    let found = names.addresses(|name| judged.wants(name, texts, &test));
    let found: Vec<u64> = found.collect();
    let mut out = Addressed::with_room(found.len());
    found.into_iter().for_each(|address| out.add(address));
    out
}

/// What is noted of a slice.
#[derive(Debug, Default)]
pub struct Noted {
    /// FileObjects that are opened in it with a path that may be asked for, and that path. Those opened before it are
    /// not among them.
    pub opened: Vec<(u64, TextId)>,
    /// FileObjects whose file has a key that may be asked for, and the key.
    pub keyed: Vec<(u64, u64)>,
    /// FileObjects that are opened with a path that begins at an open folder, or get a second path that may be asked for.
    pub partial: Vec<u64>,
    /// IRPs of operations that tell a second path which may be asked for.
    pub irps: Vec<u64>,
    /// The records that may be asked for; `None` where they are too many to be listed.
    pub chosen: Option<Chosen>,
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

    /// A FileObject is opened with a path that begins at an open folder, or gets a second path that may be asked for.
    pub fn partial(&mut self, object: u64) {
        self.out.partial.push(object);
    }

    /// FileObjects that were noted so far.
    pub fn objects(&self) -> impl Iterator<Item = u64> + '_ {
        let opened = self.paths.values().flatten().copied();
        let keyed = self.out.keyed.iter().map(|(object, _)| *object);
        opened.chain(keyed).chain(self.out.partial.iter().copied())
    }

    /// IRPs that were noted so far.
    pub fn irps(&self) -> impl Iterator<Item = &u64> {
        self.out.irps.iter()
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
