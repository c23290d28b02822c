//! Which records of a slice may be wanted: all others need not be put in order.
//!
//! What is open in a slice is known by two addresses, that of the FileObject and that of the IRP (a minifilter's
//! callback data is the IRP of its operation). Each record is seen once, and gets the number of its addresses; when all
//! were seen, it is known of which numbers the records are taken.

use super::by_noted::ByNoted;
use super::by_owner::ByOwner;
use super::by_path::ByPath;
use super::pairs::{KEPT, Verdicts};
use crate::etl::gather::{Entries, Place};
use crate::etl::link::Links;
use crate::etl::record::{Hook, Record};
use crate::etl::trace::EtlTrace;
use crate::trace::{Class, Select};

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

/// What may be taken of a slice.
pub enum Reach<'a> {
    /// By a test of paths.
    Paths(Box<ByPath<'a>>),
    /// By what was noted.
    Noted(Box<ByNoted<'a>>),
    /// By process and thread.
    Owners(Box<ByOwner<'a>>),
}

impl<'a> Reach<'a> {
    /// For the records of a slice; `None` where nothing is left out.
    pub fn new(
        trace: &'a EtlTrace,
        links: &'a Links,
        at: usize,
        select: &'a Select<'a>,
    ) -> Option<Self> {
        let (imports, noted) = (links.imports(at), links.noted(at));
        match (select.paths, select.memo) {
            (Some(test), Some(memo)) if noted.is_some() => {
                let known = (links, imports, noted?);
                let noted = ByNoted::new(trace, known, (test, select.keys), memo)?;
                Some(Self::Noted(Box::new(noted)))
            }
            (Some(test), memo) => {
                let paths = ByPath::new(trace, (links, imports), test, memo)?;
                Some(Self::Paths(Box::new(paths)))
            }
            // Callbacks may only be known by what they were called for.
            (None, Some(memo)) if !select.classes.is_empty() => {
                let wanted = select.processes.as_deref()?;
                if select.classes.contains(&Class::Minifilter) {
                    return None;
                }
                let owners = memo.owners(|| trace.owners(wanted));
                let owned = ByOwner::new(trace, imports, owners, select.outcomes);
                Some(Self::Owners(Box::new(owned)))
            }
            _ => None,
        }
    }

    /// Sees a record, with the key of its start and its ticks: its number if it may be wanted, which [`Reach::finish`] decides.
    #[inline]
    pub fn see(
        &mut self,
        (seen, hook): (Seen, Hook),
        record: &Record<'_>,
        times: (i64, i64),
        place: Place,
    ) -> Option<u32> {
        match self {
            Self::Noted(noted) => noted.see((seen, hook), record, times, place),
            _ if seen == Seen::Other => Some(KEPT),
            Self::Paths(paths) => Some(paths.see(seen, hook, record, place)),
            Self::Owners(owners) => owners.see(seen, hook, record, place),
        }
    }

    /// Whether no file operation or callback of the slice can be wanted.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Noted(noted) if noted.is_idle())
    }

    /// Tells by number whether a record is taken, after all of the slice were seen; some are only taken now.
    pub fn finish(self, entries: &mut Entries) -> Verdicts {
        match self {
            Self::Noted(noted) => {
                noted.finish(entries);
                Verdicts::default()
            }
            Self::Paths(paths) => paths.finish(),
            Self::Owners(owners) => owners.finish(),
        }
    }
}
