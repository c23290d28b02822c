//! All definitions of a trace. They may stand anywhere in it, also behind the events they describe, so they
//! are collected in a pass of their own.

use super::chunks::{Chunk, Chunks};
use super::definition::{Definition, Shape};
use super::maps::ValueMap;
use super::metadata::{self, Key, OPCODE_EVENT, OPCODE_MAP};
use super::{manifest, metadata::DefinedEvent};
use crate::etl::guid::Guid;
use crate::etl::layout::event;
use crate::etl::providers::EVENT_METADATA;
use crate::etl::record::{Record, RecordKind};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Bytes of memory for definitions, about; the largest real trace at hand needs 1 MB. More definitions are
/// not taken.
const ROOM: usize = 128 << 20;

/// Collects definitions, record by record; what was collected from later parts of a file is merged.
#[derive(Debug, Default)]
pub struct Collector {
    events: HashMap<Key, DefinedEvent>,
    maps: HashMap<(Guid, Box<str>), Arc<ValueMap>>,
    chunks: Chunks,
    taken: usize,
}

impl Collector {
    /// Looks at a record: definitions of a merge and pieces of manifests are taken.
    #[inline]
    pub fn add(&mut self, record: &Record<'_>) {
        match record.kind() {
            RecordKind::Full => self.add_classic(record),
            RecordKind::Event => {
                if let Some(chunk) = Chunk::of(record) {
                    self.chunks.add(&chunk);
                }
            }
            _ => {}
        }
    }

    fn add_classic(&mut self, record: &Record<'_>) {
        let Some(classic) = record.classic().filter(|c| c.class == EVENT_METADATA) else {
            return;
        };
        let payload = record.payload();
        match classic.opcode {
            OPCODE_EVENT => {
                let Some(key) = metadata::key(payload) else {
                    return;
                };
                if !self.events.contains_key(&key)
                    && let Some(event) = metadata::event(payload)
                {
                    self.take_event(key, event);
                }
            }
            OPCODE_MAP => {
                if let Some((provider, name, map)) = metadata::map(payload) {
                    self.take_map((provider, name), Arc::new(map));
                }
            }
            _ => {}
        }
    }

    fn take_event(&mut self, key: Key, event: DefinedEvent) {
        let maps: usize = event.maps.iter().map(|(_, name)| 32 + name.len()).sum();
        let size = size_of_definition(&event.definition) + maps;
        if let Entry::Vacant(place) = self.events.entry(key)
            && self.taken + size <= ROOM
        {
            self.taken += size;
            place.insert(event);
        }
    }

    fn take_map(&mut self, name: (Guid, Box<str>), map: Arc<ValueMap>) {
        let size = 64 + name.1.len() + map.size();
        if let Entry::Vacant(place) = self.maps.entry(name)
            && self.taken + size <= ROOM
        {
            self.taken += size;
            place.insert(map);
        }
    }

    /// Adds what was collected from a later part of the file. Of several definitions of one event the
    /// first stays.
    pub fn merge(&mut self, later: Self) {
        for (key, event) in later.events {
            self.take_event(key, event);
        }
        for (name, map) in later.maps {
            self.take_map(name, map);
        }
        self.chunks.merge(later.chunks);
    }

    /// The definitions, with manifests read and maps in their places. What a merge wrote goes before what
    /// manifests say.
    pub fn finish(self) -> Definitions {
        let mut out = Definitions::default();
        let mut taken = self.taken;
        // In an order of their own, so that names do not depend on the run.
        let mut events: Vec<_> = self.events.into_iter().collect();
        events.sort_by_key(|(key, _)| *key);
        for (key, mut event) in events {
            if let Some(fields) = Arc::get_mut(&mut event.definition.fields) {
                for (at, name) in event.maps {
                    if let Some(map) = self.maps.get(&(event.provider, name)) {
                        fields.set_map(at, map.clone());
                    }
                }
            }
            if let Some(name) = &event.definition.provider {
                out.note_provider(event.provider, name);
            }
            out.events.insert(key, event.definition);
        }
        for (provider, text) in self.chunks.finish() {
            let name = manifest::read(&text, |id, version, definition| {
                let key = Key {
                    provider,
                    id,
                    version: version.into(),
                    classic: false,
                };
                let size = size_of_definition(&definition);
                match out.events.entry(key) {
                    Entry::Vacant(place) if taken + size <= ROOM => {
                        taken += size;
                        place.insert(definition);
                    }
                    Entry::Vacant(_) => {}
                    Entry::Occupied(mut place) => name_like(place.get_mut(), definition),
                }
            });
            if let Some(name) = &name {
                out.note_provider(provider, name);
            }
        }
        out
    }
}

/// Names in `definition` what has no name there: Windows leaves out what a manifest's task says.
fn name_like(definition: &mut Definition, manifest: Definition) {
    if definition.name.is_none() {
        definition.name = manifest.name;
        definition.task = manifest.task;
        definition.opcode = manifest.opcode;
    }
    if definition.message.is_none() {
        definition.message = manifest.message;
    }
}

/// About the memory of a definition.
fn size_of_definition(definition: &Definition) -> usize {
    let texts = [
        &definition.name,
        &definition.task,
        &definition.opcode,
        &definition.level,
        &definition.channel,
        &definition.message,
    ];
    let texts: usize = texts
        .iter()
        .filter_map(|t| t.as_ref().map(|t| t.len()))
        .sum();
    // Events of a manifest share their fields.
    let fields = definition.fields.all().iter().map(|field| {
        let map = matches!(&field.shape, Shape::Value { map: Some(_), .. });
        96 + field.name.len() + usize::from(map) * 8
    });
    256 + texts + fields.sum::<usize>() / Arc::strong_count(&definition.fields).max(1)
}

/// The definitions of a trace.
#[derive(Debug, Default)]
pub struct Definitions {
    events: HashMap<Key, Definition>,
    providers: HashMap<Guid, Arc<str>>,
}

impl Definitions {
    /// How many events are defined.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The definition of a record.
    #[inline]
    pub fn of(&self, record: &Record<'_>) -> Option<&Definition> {
        if self.events.is_empty() {
            return None;
        }
        self.events.get(&key_of(record)?)
    }

    /// The definition with a key.
    pub fn get(&self, key: &Key) -> Option<&Definition> {
        self.events.get(key)
    }

    /// All definitions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Definition)> {
        self.events.iter()
    }

    /// The name of a provider, where one of its definitions or its manifest names it.
    pub fn provider_name(&self, provider: Guid) -> Option<&str> {
        self.providers.get(&provider).map(|name| &**name)
    }

    fn note_provider(&mut self, provider: Guid, name: &Arc<str>) {
        self.providers
            .entry(provider)
            .or_insert_with(|| name.clone());
    }
}

/// The key of a record's definition.
fn key_of(record: &Record<'_>) -> Option<Key> {
    if let Some(classic) = record.classic() {
        return Some(Key {
            provider: classic.class,
            id: classic.opcode.into(),
            version: classic.version,
            classic: true,
        });
    }
    let descriptor = record.descriptor()?;
    let classic = record.event_flags() & event::FLAG_CLASSIC != 0;
    Some(Key {
        provider: descriptor.provider,
        id: if classic {
            descriptor.opcode.into()
        } else {
            descriptor.id
        },
        version: descriptor.version.into(),
        classic,
    })
}

#[cfg(test)]
#[path = "definitions_tests.rs"]
mod tests;
