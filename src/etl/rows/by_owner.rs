//! Which file operations of a slice belong to wanted processes: those of their threads, and what else is on the same
//! FileObjects, which says what these are called.

use super::pairs::{KEPT, NO_OBJECT, Pair, Pairs, Verdicts, What};
use super::reach::Seen;
use crate::etl::gather::Place;
use crate::etl::kernel::Fields;
use crate::etl::kernel::file_io::{FileOperation, OperationEnd};
use crate::etl::kernel::file_io_addresses::OperationAddresses;
use crate::etl::kernel::registry::KeyEvent;
use crate::etl::link::Imports;
use crate::etl::record::{Hook, Record};
use crate::etl::sieve::Addressed;
use crate::etl::trace::EtlTrace;
use crate::trace::{Outcomes, Owners};

/// Judges by process and thread.
pub struct ByOwner<'a> {
    trace: &'a EtlTrace,
    imports: &'a Imports,
    owners: &'a Owners,
    outcomes: Outcomes,
    pairs: Pairs,
    /// IRPs of operations that tell something by how they ended, or by a second path.
    telling: Addressed,
    /// IRPs whose records are all kept.
    irps: Addressed,
}

impl<'a> ByOwner<'a> {
    /// For the records of a slice.
    pub fn new(
        trace: &'a EtlTrace,
        imports: &'a Imports,
        owners: &'a Owners,
        outcomes: Outcomes,
    ) -> Self {
        Self {
            trace,
            imports,
            owners,
            outcomes,
            pairs: Pairs::default(),
            telling: Addressed::default(),
            irps: imports.irps(),
        }
    }

    /// The number of a record that may be wanted, for [`ByOwner::finish`] to decide.
    #[inline]
    pub fn see(
        &mut self,
        seen: Seen,
        hook: Hook,
        record: &Record<'_>,
        place: Place,
    ) -> Option<u32> {
        let by_pid = record.pid().map(|pid| self.owners.pids.contains(&pid));
        let by_tid = |tid: Option<u32>| tid.map(|tid| self.owners.tids.contains(&tid));
        let mut fields = Fields::new(record.payload(), record.wide());
        let pair = match seen {
            Seen::File => {
                let version = hook.version.into();
                let Some(io) = OperationAddresses::of(hook.id, version, &mut fields) else {
                    return Some(KEPT);
                };
                let own = by_pid.or(by_tid(Some(io.tid))) == Some(true);
                if own && self.outcomes == Outcomes::Telling && self.tells(&io, place) {
                    self.telling.add(io.irp);
                }
                Pair {
                    object: io.file_object,
                    irp: io.irp,
                    key: own.into(),
                    what: What::File,
                }
            }
            Seen::End => {
                let Some(end) = OperationEnd::parse(&mut fields) else {
                    return Some(KEPT);
                };
                let own = by_pid.or(by_tid(record.tid())) == Some(true);
                let earlier = || {
                    let joined = &self.imports.joined;
                    joined.contains_key(&self.trace.number_at(place))
                };
                match self.outcomes {
                    Outcomes::All if own => return Some(KEPT),
                    Outcomes::Telling if !end.succeeded() => self.telling.add(end.irp),
                    _ => {}
                }
                if earlier() {
                    return Some(KEPT);
                }
                Pair {
                    object: NO_OBJECT,
                    irp: end.irp,
                    key: 0,
                    what: What::End,
                }
            }
            // Without process and thread it belongs to what runs on its processor.
            _ if by_pid.or(by_tid(record.tid())) == Some(false) => return None,
            Seen::Key if self.outcomes == Outcomes::Telling => {
                let key = KeyEvent::parse(hook.id, hook.version.into(), &mut fields);
                return key
                    .is_none_or(|key| key.status >= 0x8000_0000)
                    .then_some(KEPT);
            }
            _ => return Some(KEPT),
        };
        let known = self.pairs.find(&pair);
        Some(known.unwrap_or_else(|| self.pairs.add(pair, pair.key != 0)))
    }

    /// Whether an operation has a second path, or a later slice tells that it failed.
    fn tells(&self, io: &OperationAddresses, place: Place) -> bool {
        let late = || {
            let late = self.imports.late.get(&self.trace.number_at(place));
            late.and_then(|late| late.end)
        };
        matches!(
            io.operation,
            FileOperation::Rename
                | FileOperation::SetLink
                | FileOperation::RenamePath
                | FileOperation::SetLinkPath
        ) || !self.imports.late.is_empty() && late().is_some_and(|end| end.status >= 0x8000_0000)
    }

    /// Tells by number whether a record is taken, after all of the slice were seen.
    pub fn finish(self) -> Verdicts {
        let Self {
            pairs,
            outcomes,
            telling,
            mut irps,
            ..
        } = self;
        let mut objects = Addressed::default();
        for (pair, own) in pairs.iter() {
            if own && (outcomes == Outcomes::All || telling.holds(pair.irp)) {
                objects.add(pair.object);
            }
        }
        for (pair, _) in pairs.iter() {
            if objects.holds(pair.object) {
                irps.add(pair.irp);
            }
        }
        pairs.verdicts(|pair, _| objects.holds(pair.object) || irps.holds(pair.irp))
    }
}
