//! Manifests of EventSource providers: XML that defines events, their fields and maps.
//!
//! Parts refer to each other by name, and texts stand at the end, so all of it is read first. XML that
//! breaks off is used as far as it goes.

use super::definition::{Amount, Definition, FieldDefinition, FieldList, Shape, event_name};
use super::maps::{MapKind, ValueMap};
use super::metadata::length_of;
use super::types::{InType, OutType};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::collections::HashMap;
use std::sync::Arc;

/// Fields of a template; more are left out.
const MOST_FIELDS: usize = 1_024;
/// Elements that are read; the largest real manifest at hand has a thousand.
const MOST_ELEMENTS: u32 = 1 << 17;
/// Bytes of an attribute; longer ones are cut.
const LONGEST_VALUE: usize = 8 << 10;

/// Reads a manifest and hands on event id, version and definition of each of its events; the name of the
/// provider.
pub(super) fn read(text: &[u8], mut take: impl FnMut(u16, u8, Definition)) -> Option<Arc<str>> {
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut parts = Parts::default();
    let mut elements = 0;
    // Ends with the text, or where it is no XML.
    while elements < MOST_ELEMENTS
        && let Ok(event) = reader.read_event()
    {
        elements += u32::from(matches!(event, Event::Start(_) | Event::Empty(_)));
        match event {
            Event::Start(tag) => parts.open(&Tag(&tag), false),
            Event::Empty(tag) => parts.open(&Tag(&tag), true),
            Event::End(tag) => parts.close(tag.local_name().as_ref()),
            Event::Eof => break,
            _ => {}
        }
    }
    parts.finish(&mut take)
}

/// An element.
struct Tag<'a>(&'a BytesStart<'a>);

impl Tag<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let attribute = self.0.try_get_attribute(name).ok()??;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        let mut end = value.len().min(LONGEST_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        Some(value[..end].to_owned())
    }

    /// A name without the prefix of its namespace.
    fn local(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let local = value.rsplit_once(':').map(|(_, local)| local.to_owned());
        Some(local.unwrap_or(value))
    }
}

/// A number in decimal or, with `0x`, in hexadecimal.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[derive(Debug)]
struct EventPart {
    id: u16,
    version: u8,
    symbol: Option<String>,
    task: Option<String>,
    opcode: Option<String>,
    level: Option<String>,
    channel: Option<String>,
    template: Option<String>,
    message: Option<String>,
}

/// A field of a template, with names of what it refers to.
#[derive(Debug)]
struct DataPart {
    name: String,
    in_type: Option<String>,
    out: Option<String>,
    count: Option<String>,
    length: Option<String>,
    map: Option<String>,
    /// Fields of the structure that it is.
    members: Option<Vec<DataPart>>,
}

/// A map: its name, kind, and numbers with their texts.
#[derive(Debug)]
struct MapPart {
    name: String,
    kind: MapKind,
    entries: Vec<(u32, String)>,
}

#[derive(Debug, Default)]
struct Parts {
    provider: Option<String>,
    events: Vec<EventPart>,
    templates: Vec<(String, Vec<DataPart>)>,
    maps: Vec<MapPart>,
    strings: HashMap<String, String>,
    in_template: bool,
    in_struct: bool,
    /// Languages that were begun; texts are taken from the first.
    languages: u32,
    fields: usize,
}

impl Parts {
    fn open(&mut self, tag: &Tag<'_>, empty: bool) {
        let element = tag.0.local_name();
        match element.as_ref() {
            "provider" if self.provider.is_none() => self.provider = tag.get("name"),
            "event" => self.events.extend(event(tag)),
            "template" => {
                self.fields = 0;
                self.in_template = !empty;
                self.in_struct = false;
                self.templates
                    .push((tag.get("tid").unwrap_or_default(), Vec::new()));
            }
            "data" => self.add_field(data(tag)),
            "struct" => {
                let mut part = data(tag);
                part.members = Some(Vec::new());
                self.in_struct = false;
                self.add_field(part);
                self.in_struct = !empty;
            }
            "valueMap" => self.add_map(tag, MapKind::Values),
            "bitMap" => self.add_map(tag, MapKind::Bits),
            "map" => {
                let value = tag.get("value").and_then(|value| number(&value));
                let value = value.and_then(|value| u32::try_from(value).ok());
                if let (Some(value), Some(text)) = (value, tag.get("message"))
                    && let Some(map) = self.maps.last_mut()
                {
                    map.entries.push((value, text));
                }
            }
            "resources" => self.languages += 1,
            "string" if self.languages <= 1 => {
                if let (Some(id), Some(value)) = (tag.get("id"), tag.get("value")) {
                    self.strings.entry(id).or_insert(value);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, element: &str) {
        match element {
            "template" => self.in_template = false,
            "struct" => self.in_struct = false,
            _ => {}
        }
    }

    fn add_map(&mut self, tag: &Tag<'_>, kind: MapKind) {
        self.maps.push(MapPart {
            name: tag.get("name").unwrap_or_default(),
            kind,
            entries: Vec::new(),
        });
    }

    fn add_field(&mut self, part: DataPart) {
        self.fields += 1;
        if !self.in_template || self.fields > MOST_FIELDS {
            return;
        }
        let Some((_, fields)) = self.templates.last_mut() else {
            return;
        };
        match fields.last_mut() {
            Some(DataPart {
                members: Some(members),
                ..
            }) if self.in_struct => members.push(part),
            _ => fields.push(part),
        }
    }

    /// `$(string.id)` is the text of that id; anything else stands for itself.
    fn text(&self, text: &str) -> String {
        let id = text
            .strip_prefix("$(string.")
            .and_then(|rest| rest.strip_suffix(')'));
        let found = id.and_then(|id| self.strings.get(id));
        match (found, id) {
            (Some(text), _) => text.clone(),
            // A text that is missing: its id is what the provider called it.
            (None, Some(id)) => id.rsplit(['.', '_']).next().unwrap_or(id).to_owned(),
            (None, None) => text.to_owned(),
        }
    }

    fn finish(self, take: &mut impl FnMut(u16, u8, Definition)) -> Option<Arc<str>> {
        let mut maps: HashMap<&str, Arc<ValueMap>> = HashMap::new();
        for part in &self.maps {
            let entries = part.entries.iter();
            let entries = entries.map(|(number, text)| (*number, self.text(text).into()));
            let map = ValueMap::new(part.kind, entries.collect());
            maps.entry(&part.name).or_insert_with(|| Arc::new(map));
        }
        let mut templates: HashMap<&str, Arc<FieldList>> = HashMap::new();
        for (name, parts) in &self.templates {
            let list = || Arc::new(field_list(parts, &maps));
            templates.entry(name).or_insert_with(list);
        }
        let provider: Option<Arc<str>> = self.provider.as_deref().map(Arc::from);
        let none = Arc::new(FieldList::new(Vec::new(), 0));
        for event in &self.events {
            let template = event.template.as_deref();
            // Fields of a template that is missing are not known, which is not the same as none.
            let unknown = || Arc::new(field_list(&[unknown_field()], &maps));
            let fields = match template {
                Some(name) => templates.get(name).cloned().unwrap_or_else(unknown),
                None => none.clone(),
            };
            let (task, opcode) = (event.task.as_deref(), event.opcode.as_deref());
            let name = match (task, event.symbol.as_deref()) {
                (None, Some(symbol)) => Some(symbol.into()),
                _ => event_name(task, opcode),
            };
            let message = event.message.as_deref().map(|message| self.text(message));
            let definition = Definition {
                provider: provider.clone(),
                name,
                task: task.map(Into::into),
                opcode: opcode.map(Into::into),
                level: event.level.as_deref().map(Into::into),
                channel: event.channel.as_deref().map(Into::into),
                message: message.map(Into::into),
                fields,
            };
            take(event.id, event.version, definition);
        }
        provider
    }
}

fn event(tag: &Tag<'_>) -> Option<EventPart> {
    let number = |name| tag.get(name).and_then(|value| number(&value));
    Some(EventPart {
        id: u16::try_from(number("value")?).ok()?,
        version: u8::try_from(number("version").unwrap_or(0)).ok()?,
        symbol: tag.get("symbol"),
        task: tag.local("task"),
        opcode: tag.local("opcode"),
        level: tag.local("level"),
        channel: tag.get("channel"),
        template: tag.get("template"),
        message: tag.get("message"),
    })
}

fn data(tag: &Tag<'_>) -> DataPart {
    DataPart {
        name: tag.get("name").unwrap_or_default(),
        in_type: tag.local("inType"),
        out: tag.local("outType"),
        count: tag.get("count"),
        length: tag.get("length"),
        map: tag.get("map"),
        members: None,
    }
}

fn unknown_field() -> DataPart {
    DataPart {
        name: String::new(),
        in_type: None,
        out: None,
        count: None,
        length: None,
        map: None,
        members: None,
    }
}

/// The fields of a template: the outermost ones, then the members of its structures.
fn field_list(parts: &[DataPart], maps: &HashMap<&str, Arc<ValueMap>>) -> FieldList {
    let mut fields = Vec::new();
    let mut next_member = parts.len();
    for part in parts {
        let count = amount(part.count.as_deref(), parts, 0);
        let shape = match &part.members {
            None => shape(part, amount(part.length.as_deref(), parts, 0), maps),
            Some(members) => {
                let first = next_member;
                next_member += members.len();
                Shape::Struct {
                    first: index(first),
                    members: index(members.len()),
                }
            }
        };
        fields.push(FieldDefinition::new(
            part.name.as_str().into(),
            shape,
            count,
        ));
    }
    for members in parts.iter().filter_map(|part| part.members.as_deref()) {
        let first = fields.len();
        for member in members {
            // A member counts by another member, or by a field outside.
            let find = |text: Option<&str>| match amount(text, members, first) {
                Amount::None => amount(text, parts, 0),
                found => found,
            };
            let shape = shape(member, find(member.length.as_deref()), maps);
            let name = member.name.as_str().into();
            fields.push(FieldDefinition::new(
                name,
                shape,
                find(member.count.as_deref()),
            ));
        }
    }
    let top = parts.len();
    FieldList::new(fields, top)
}

fn shape(part: &DataPart, length: Amount, maps: &HashMap<&str, Arc<ValueMap>>) -> Shape {
    let in_type = part.in_type.as_deref().and_then(InType::of_manifest);
    let out = part
        .out
        .as_deref()
        .map_or(OutType::Default, OutType::of_manifest);
    let length = match length {
        Amount::None => length_of(in_type, out, 0),
        given => given,
    };
    Shape::Value {
        in_type,
        out,
        length,
        map: part.map.as_deref().and_then(|name| maps.get(name)).cloned(),
    }
}

/// A number, or the name of one of `fields`, the first of which has index `first`.
fn amount(text: Option<&str>, fields: &[DataPart], first: usize) -> Amount {
    let Some(text) = text else {
        return Amount::None;
    };
    if let Some(fixed) = number(text) {
        return u16::try_from(fixed).map_or(Amount::None, Amount::Fixed);
    }
    match fields.iter().position(|field| field.name == text) {
        Some(at) => Amount::Of(index(first + at)),
        None => Amount::None,
    }
}

/// An index; there are no more than [`MOST_FIELDS`].
fn index(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
