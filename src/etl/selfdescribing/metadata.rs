//! The definitions that a merge of traces writes for the events in it: `TRACE_EVENT_INFO` and
//! `EVENT_MAP_INFO`, in records of their own class.

use super::definition::{Amount, Definition, FieldDefinition, FieldList, Shape, event_name};
use super::maps::{MapKind, ValueMap};
use super::types::{InType, OutType};
use crate::bytes::{push_utf16, u8_at, u16_at, u32_at};
use crate::etl::guid::Guid;
use std::sync::Arc;

/// Opcode of a record with an event's definition.
pub const OPCODE_EVENT: u8 = 32;
/// Opcode of a record with a map.
pub const OPCODE_MAP: u8 = 33;

/// Characters of a name; longer ones are cut.
const LONGEST_NAME: usize = 512;
/// Characters of a message; longer ones are cut.
const LONGEST_MESSAGE: usize = 8 << 10;
/// Fields of an event; one with more is left out.
const MOST_FIELDS: usize = 1_024;
/// Entries of a map; more are left out.
const MOST_ENTRIES: usize = 1_024;

/// `TRACE_EVENT_INFO`. Texts are UTF-16 with a NUL at these offsets from its start, 0 for none.
mod event_at {
    /// GUID: class of the event, for classic events.
    pub const CLASS: usize = 16;
    /// u16: event id.
    pub const ID: usize = 32;
    /// u8: version.
    pub const VERSION: usize = 34;
    /// u8: opcode.
    pub const OPCODE: usize = 37;
    /// u32: where the definition comes from: 0 a manifest, 1 a class, 2 WPP, 3 TraceLogging.
    pub const SOURCE: usize = 48;
    /// u32: provider's name.
    pub const PROVIDER: usize = 52;
    /// u32: level's name.
    pub const LEVEL: usize = 56;
    /// u32: channel's name.
    pub const CHANNEL: usize = 60;
    /// u32: task's name.
    pub const TASK: usize = 68;
    /// u32: opcode's name.
    pub const OPCODE_NAME: usize = 72;
    /// u32: message.
    pub const MESSAGE: usize = 76;
    /// u32: event's own name, where the source is a manifest (not met).
    pub const NAME: usize = 92;
    /// u32: fields.
    pub const FIELDS: usize = 100;
    /// u32: fields that belong to no structure; they come first.
    pub const TOP: usize = 104;
    /// The fields.
    pub const FIELD: usize = 112;
}

/// One field of a `TRACE_EVENT_INFO` (`EVENT_PROPERTY_INFO`).
mod field_at {
    /// Size.
    pub const SIZE: usize = 24;
    /// u32: see the flags.
    pub const FLAGS: usize = 0;
    /// u32: name.
    pub const NAME: usize = 4;
    /// u16: in-type, or index of the structure's first field.
    pub const IN_TYPE: usize = 8;
    /// u16: out-type, or number of the structure's fields.
    pub const OUT_TYPE: usize = 10;
    /// u32: name of the map.
    pub const MAP: usize = 12;
    /// u16: number of elements, or index of the field that holds it.
    pub const COUNT: usize = 16;
    /// u16: length, or index of the field that holds it.
    pub const LENGTH: usize = 18;

    /// A structure.
    pub const FLAG_STRUCT: u32 = 0x01;
    /// The length is in another field.
    pub const FLAG_LENGTH_OF: u32 = 0x02;
    /// The number of elements is in another field.
    pub const FLAG_COUNT_OF: u32 = 0x04;
    /// An array, also where it has one element (not met).
    pub const FLAG_COUNT_FIXED: u32 = 0x20;
}

/// `EVENT_MAP_INFO`, behind the provider's GUID. Offsets count from its start.
mod map_at {
    /// Where it starts in the payload.
    pub const START: usize = 16;
    /// u32: name.
    pub const NAME: usize = 0;
    /// u32: see the flags.
    pub const FLAGS: usize = 4;
    /// u32: entries.
    pub const ENTRIES: usize = 8;
    /// The entries: u32 offset of the text, u32 number.
    pub const ENTRY: usize = 16;
    /// Size of an entry.
    pub const ENTRY_SIZE: usize = 8;

    /// Names of numbers: of a manifest, of a class.
    pub const FLAGS_VALUES: u32 = 0x01 | 0x08;
    /// Names of bits: of a manifest, of a class, of a class's flags.
    pub const FLAGS_BITS: u32 = 0x02 | 0x10 | 0x20;
}

/// What a definition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Provider, or class of a classic event.
    pub provider: Guid,
    /// Event id; opcode of a classic event.
    pub id: u16,
    /// Version.
    pub version: u16,
    /// Whether it is a classic event.
    pub classic: bool,
}

/// An event's definition as a record has it. Maps are records of their own, so only their names are here.
#[derive(Debug)]
pub(super) struct DefinedEvent {
    pub(super) provider: Guid,
    pub(super) definition: Definition,
    /// Fields, and the names of their maps.
    pub(super) maps: Vec<(usize, Box<str>)>,
}

/// The key of the definition in a payload; `None` for sources whose events describe themselves.
pub(super) fn key(payload: &[u8]) -> Option<Key> {
    match u32_at(payload, event_at::SOURCE)? {
        0 => Some(Key {
            provider: Guid::at(payload, 0)?,
            id: u16_at(payload, event_at::ID)?,
            version: u8_at(payload, event_at::VERSION)?.into(),
            classic: false,
        }),
        1 => Some(Key {
            provider: Guid::at(payload, event_at::CLASS)?,
            id: u8_at(payload, event_at::OPCODE)?.into(),
            version: u8_at(payload, event_at::VERSION)?.into(),
            classic: true,
        }),
        _ => None,
    }
}

/// Reads an event's definition.
pub(super) fn event(payload: &[u8]) -> Option<DefinedEvent> {
    let count = u32_at(payload, event_at::FIELDS)? as usize;
    let top = u32_at(payload, event_at::TOP)? as usize;
    if count > MOST_FIELDS || top > count {
        return None;
    }
    let name = |at| text(payload, u32_at(payload, at)? as usize, LONGEST_NAME);
    let mut fields = Vec::with_capacity(count);
    let mut maps = Vec::new();
    for at in 0..count {
        let (field, map) = field(payload, event_at::FIELD + at * field_at::SIZE)?;
        fields.push(field);
        maps.extend(map.map(|map| (at, map)));
    }
    let task = name(event_at::TASK);
    let opcode = name(event_at::OPCODE_NAME);
    let message = u32_at(payload, event_at::MESSAGE)? as usize;
    let own = match u32_at(payload, event_at::SOURCE)? {
        0 => name(event_at::NAME),
        _ => None,
    };
    Some(DefinedEvent {
        provider: Guid::at(payload, 0)?,
        definition: Definition {
            provider: name(event_at::PROVIDER).map(Arc::from),
            name: own.or_else(|| event_name(task.as_deref(), opcode.as_deref())),
            task,
            opcode,
            level: name(event_at::LEVEL),
            channel: name(event_at::CHANNEL),
            message: text(payload, message, LONGEST_MESSAGE),
            fields: Arc::new(FieldList::new(fields, top)),
        },
        maps,
    })
}

/// The field at `at` and the name of its map.
fn field(payload: &[u8], at: usize) -> Option<(FieldDefinition, Option<Box<str>>)> {
    let flags = u32_at(payload, at + field_at::FLAGS)?;
    let word = |of| u16_at(payload, at + of);
    let (first, second) = (word(field_at::IN_TYPE)?, word(field_at::OUT_TYPE)?);
    let name_at = u32_at(payload, at + field_at::NAME)? as usize;
    let map_at = u32_at(payload, at + field_at::MAP)? as usize;
    let (count, length) = (word(field_at::COUNT)?, word(field_at::LENGTH)?);
    let has = |flag| flags & flag != 0;
    let count = match count {
        index if has(field_at::FLAG_COUNT_OF) => Amount::Of(index),
        0 | 1 if !has(field_at::FLAG_COUNT_FIXED) => Amount::None,
        number => Amount::Fixed(number),
    };
    let name = text(payload, name_at, LONGEST_NAME).unwrap_or_default();
    if has(field_at::FLAG_STRUCT) {
        let shape = Shape::Struct {
            first,
            members: second,
        };
        return Some((FieldDefinition::new(name, shape, count), None));
    }
    let in_type = InType::of_definition(first);
    let out = OutType::of_definition(second);
    let shape = Shape::Value {
        in_type,
        out,
        length: match length {
            index if has(field_at::FLAG_LENGTH_OF) => Amount::Of(index),
            number => length_of(in_type, out, number),
        },
        map: None,
    };
    let map = text(payload, map_at, LONGEST_NAME);
    Some((FieldDefinition::new(name, shape, count), map))
}

/// A fixed length; 0 is none. An address has its size also where no length is given.
pub(super) fn length_of(in_type: Option<InType>, out: OutType, length: u16) -> Amount {
    match (in_type, out, length) {
        (Some(InType::Binary), OutType::Ipv6, 0) => Amount::Fixed(16),
        (_, _, 0) => Amount::None,
        (_, _, length) => Amount::Fixed(length),
    }
}

/// Provider, name and content of the map in a payload.
pub(super) fn map(payload: &[u8]) -> Option<(Guid, Box<str>, ValueMap)> {
    let provider = Guid::at(payload, 0)?;
    let map = payload.get(map_at::START..)?;
    let name = text(map, u32_at(map, map_at::NAME)? as usize, LONGEST_NAME)?;
    let flags = u32_at(map, map_at::FLAGS)?;
    let kind = if flags & map_at::FLAGS_BITS != 0 {
        MapKind::Bits
    } else if flags & map_at::FLAGS_VALUES != 0 {
        MapKind::Values
    } else {
        return None;
    };
    let count = u32_at(map, map_at::ENTRIES)? as usize;
    let mut entries = Vec::new();
    for at in 0..count.min(MOST_ENTRIES) {
        let at = map_at::ENTRY + at * map_at::ENTRY_SIZE;
        let (Some(start), Some(number)) = (u32_at(map, at), u32_at(map, at + 4)) else {
            break;
        };
        if let Some(text) = text(map, start as usize, LONGEST_NAME) {
            entries.push((number, text));
        }
    }
    Some((provider, name, ValueMap::new(kind, entries)))
}

/// The text at `start`, without the blank that Windows writes behind messages and the prefix of its own
/// names; `None` for no text.
fn text(bytes: &[u8], start: usize, longest: usize) -> Option<Box<str>> {
    let rest = bytes.get(start..).filter(|_| start != 0)?;
    let units = rest.chunks_exact(2).take(longest);
    let len = units.take_while(|unit| **unit != [0, 0]).count();
    let mut out = String::new();
    push_utf16(rest.get(..len * 2)?, &mut out);
    let text = out.trim_end();
    let text = text.strip_prefix("win:").unwrap_or(text);
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
pub(in crate::etl::selfdescribing) mod tests;
