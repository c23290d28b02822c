//! Manifests that EventSource providers write into the stream, in pieces: event 65534, whose payload is a
//! header of 8 bytes and a part of the manifest's text.

use crate::bytes::{u8_at, u16_at};
use crate::etl::guid::Guid;
use crate::etl::layout::event;
use crate::etl::record::{Record, RecordKind};
use std::collections::{BTreeMap, HashMap};

/// Event id of a piece.
const ID: u16 = 65534;
/// Its opcode.
const OPCODE: u8 = 254;
/// Format of the manifest.
const FORMAT: u8 = 1;
/// Fourth byte of the header.
const MAGIC: u8 = 0x5B;
/// Size of the header.
const HEADER: usize = 8;
/// Bytes of all pieces that are kept; the largest real manifest at hand has 50 KB.
const ROOM: usize = 32 << 20;
/// Manifests of one provider, where its processes have different ones.
const MOST_MANIFESTS: usize = 8;
/// What a piece takes beside its text.
const OVERHEAD: usize = 128;

/// A piece of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Provider.
    pub provider: Guid,
    /// Process that wrote it; 0 where the record does not say.
    pub pid: u32,
    /// Major and minor version of the manifest's form.
    pub version: (u8, u8),
    /// Pieces of the whole manifest.
    pub total: u16,
    /// Which one this is, from 0.
    pub index: u16,
    /// Its text, UTF-8.
    pub text: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The piece in a record, if it is one.
    #[inline]
    pub fn of(record: &Record<'a>) -> Option<Self> {
        if record.kind() != RecordKind::Event
            || u16_at(record.bytes(), event::ID)? != ID
            || u8_at(record.bytes(), event::OPCODE)? != OPCODE
        {
            return None;
        }
        let payload = record.payload();
        let byte = |at| u8_at(payload, at);
        if byte(0)? != FORMAT || byte(3)? != MAGIC {
            return None;
        }
        let chunk = Self {
            provider: record.provider()?,
            pid: record.pid().unwrap_or(0),
            version: (byte(1)?, byte(2)?),
            total: u16_at(payload, 4)?,
            index: u16_at(payload, 6)?,
            text: payload.get(HEADER..)?,
        };
        (chunk.index < chunk.total).then_some(chunk)
    }
}

/// Which pieces belong together: processes write theirs at the same time.
type Set = (Guid, u32, (u8, u8), u16);

/// Pieces, and the manifests that are whole.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    sets: HashMap<Set, BTreeMap<u16, Box<[u8]>>>,
    whole: BTreeMap<Guid, Vec<Box<[u8]>>>,
    taken: usize,
}

impl Chunks {
    /// Takes a piece.
    pub(super) fn add(&mut self, chunk: &Chunk<'_>) {
        let set = (chunk.provider, chunk.pid, chunk.version, chunk.total);
        if !self.has(&set, chunk.index) && !self.is_known(chunk) {
            self.take(set, chunk.index, chunk.text.into());
        }
    }

    fn has(&self, set: &Set, index: u16) -> bool {
        self.sets
            .get(set)
            .is_some_and(|parts| parts.contains_key(&index))
    }

    /// Whether it is a manifest in one piece that another process wrote already.
    fn is_known(&self, chunk: &Chunk<'_>) -> bool {
        let whole = self.whole.get(&chunk.provider);
        chunk.total == 1 && whole.is_some_and(|all| all.iter().any(|text| **text == *chunk.text))
    }

    fn take(&mut self, set: Set, index: u16, text: Box<[u8]>) {
        let size = text.len() + OVERHEAD;
        if self.taken + size > ROOM {
            return;
        }
        let parts = self.sets.entry(set).or_default();
        if parts.contains_key(&index) {
            return;
        }
        self.taken += size;
        parts.insert(index, text);
        if parts.len() == usize::from(set.3) {
            self.join(&set);
        }
    }

    /// Makes a manifest of a set that is whole.
    fn join(&mut self, set: &Set) {
        let Some(parts) = self.sets.remove(set) else {
            return;
        };
        let count = parts.len();
        let text: Vec<u8> = parts.into_values().collect::<Vec<_>>().concat();
        self.taken = self.taken.saturating_sub(text.len() + count * OVERHEAD);
        self.keep(set.0, text.into());
    }

    fn keep(&mut self, provider: Guid, text: Box<[u8]>) {
        let size = text.len() + OVERHEAD;
        let known = self.whole.entry(provider).or_default();
        if known.len() < MOST_MANIFESTS && self.taken + size <= ROOM && !known.contains(&text) {
            self.taken += size;
            known.push(text);
        }
    }

    /// Adds what a later part of the file holds.
    pub(super) fn merge(&mut self, later: Self) {
        for (provider, texts) in later.whole {
            for text in texts {
                self.keep(provider, text);
            }
        }
        for (set, parts) in later.sets {
            for (index, text) in parts {
                self.take(set, index, text);
            }
        }
    }

    /// The manifests that are whole, by provider.
    pub(super) fn finish(self) -> Vec<(Guid, Box<[u8]>)> {
        let mut out = Vec::new();
        for (provider, mut texts) in self.whole {
            // Pieces come in any order, manifests should not: the longest knows the most events.
            texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            out.extend(texts.into_iter().map(|text| (provider, text)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::synth;

    fn record(provider: u8, total: u16, index: u16, text: &str) -> Vec<u8> {
        let mut payload = vec![1, 1, 0, 0x5B];
        payload.extend(total.to_le_bytes());
        payload.extend(index.to_le_bytes());
        payload.extend(text.bytes());
        let mut record = synth::event(19, [provider; 16], 65534, 0, &[], &payload);
        record[0x2D] = 254;
        record
    }

    fn add(chunks: &mut Chunks, record: &[u8]) {
        chunks.add(&Chunk::of(&Record::parse(record).unwrap()).unwrap());
    }

    fn texts(chunks: Chunks) -> Vec<(u8, String)> {
        let all = chunks.finish().into_iter();
        all.map(|(guid, text)| (guid.0[0], String::from_utf8(text.into()).unwrap()))
            .collect()
    }

    #[test]
    fn pieces_in_any_order() {
        let mut chunks = Chunks::default();
        add(&mut chunks, &record(2, 1, 0, "one"));
        add(&mut chunks, &record(1, 3, 2, "c"));
        add(&mut chunks, &record(2, 1, 0, "one"));
        add(&mut chunks, &record(1, 3, 0, "a"));
        add(&mut chunks, &record(1, 3, 0, "other"));
        let mut later = Chunks::default();
        add(&mut later, &record(1, 3, 1, "b"));
        add(&mut later, &record(2, 1, 0, "one"));
        add(&mut later, &record(3, 2, 1, "half"));
        chunks.merge(later);
        assert_eq!(texts(chunks), [(1, "abc".into()), (2, "one".into())]);
    }

    #[test]
    fn what_is_no_piece() {
        let whole = record(1, 2, 1, "x");
        assert!(Chunk::of(&Record::parse(&whole).unwrap()).is_some());
        for at in [0x28, 0x2D, 80, 83] {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!(Chunk::of(&Record::parse(&other).unwrap()), None, "{at:#x}");
        }
        let outside = record(1, 2, 2, "x");
        assert_eq!(Chunk::of(&Record::parse(&outside).unwrap()), None);
        let short = synth::event(19, [1; 16], 65534, 0, &[], &[1, 1, 0, 0x5B, 1, 0]);
        assert_eq!(Chunk::of(&Record::parse(&short).unwrap()), None);
    }

    #[test]
    fn there_is_a_bound() {
        let mut chunks = Chunks::default();
        let text = "x".repeat(60_000);
        for n in 0..1_000_u16 {
            add(&mut chunks, &record(n as u8, 1_000, n, &text));
        }
        assert!(chunks.taken <= ROOM);
        let pieces: usize = chunks.sets.values().map(BTreeMap::len).sum();
        assert!((500..600).contains(&pieces));
        // Many processes with a manifest each of their own.
        let mut chunks = Chunks::default();
        for n in 0..100 {
            add(&mut chunks, &record(1, 1, 0, &format!("{n}")));
        }
        assert_eq!(texts(chunks).len(), MOST_MANIFESTS);
    }
}
