//! One entry for all events that describe themselves, and for those that nothing describes: names, fields and
//! sentence of a record.

use super::chunks::Chunk;
use super::definition::Definition;
use super::definitions::Definitions;
use super::text::FieldText;
use super::tracelogging::{Schema, Traits};
use super::value::{push_bytes, push_unsigned};
use super::walk::{Visitor, Walked};
use super::{message, windows_update};
use crate::bytes::u8_at;
use crate::etl::guid::Guid;
use crate::etl::kernel::{Fields, NarrowText, WideText};
use crate::etl::layout::{event as at, full};
use crate::etl::providers::provider_name;
use crate::etl::record::{Record, RecordKind};

/// Bytes of a payload without a definition that are written.
const PAYLOAD_SHOWN: usize = 64;

/// What tells the fields of an event.
#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    /// Its own schema.
    Schema(Schema<'a>),
    /// Its schema, of the update client.
    Update(Schema<'a>, windows_update::Line<'a>),
    /// A definition elsewhere in the trace.
    Defined(&'a Definition),
    /// The payload is one text.
    Text(WideText<'a>),
    /// A piece of a manifest.
    Manifest(Chunk<'a>),
    /// Nothing.
    Unknown,
}

/// An event that is not the kernel logger's: of a provider, of a class, or a WPP message.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    record: Record<'a>,
    traits: Option<Traits<'a>>,
    provider: Guid,
    provider_name: Option<&'a str>,
    body: Body<'a>,
}

impl<'a> Event<'a> {
    /// The event in a record; `None` for records of the kernel logger.
    pub fn new(record: &Record<'a>, definitions: &'a Definitions) -> Option<Self> {
        let provider = record.provider()?;
        let schema = Schema::of(record);
        let body = if let Some(schema) = schema {
            let payload = Fields::new(record.payload(), record.wide());
            match windows_update::Line::of(provider, &schema, payload) {
                Some(line) => Body::Update(schema, line),
                None => Body::Schema(schema),
            }
        } else if record.event_flags() & at::FLAG_STRING_ONLY != 0 {
            let mut payload = Fields::new(record.payload(), record.wide());
            Body::Text(payload.wide_text().unwrap_or_default())
        } else if let Some(chunk) = Chunk::of(record) {
            Body::Manifest(chunk)
        } else {
            definitions.of(record).map_or(Body::Unknown, Body::Defined)
        };
        Some(Self {
            record: *record,
            traits: Traits::of(record),
            provider,
            provider_name: definitions.provider_name(provider),
            body,
        })
    }

    /// Name of the provider: by the event itself, the trace, or the providers that are known.
    pub fn provider_name(&self) -> Option<NarrowText<'a>> {
        if let Some(traits) = self.traits {
            return Some(traits.name);
        }
        let own = match self.body {
            Body::Defined(definition) => definition.provider.as_deref(),
            _ => None,
        };
        own.or(self.provider_name)
            .or_else(|| provider_name(self.provider))
            .map(name)
    }

    /// Group of the provider, where the event says one.
    pub fn provider_group(&self) -> Option<Guid> {
        self.traits?.group()
    }

    /// Name of the event.
    pub fn name(&self) -> Option<NarrowText<'a>> {
        match self.body {
            Body::Schema(schema) | Body::Update(schema, _) => Some(schema.name),
            Body::Defined(definition) => definition.name.as_deref().map(name),
            Body::Manifest(_) => Some(name("ManifestData")),
            Body::Text(_) | Body::Unknown => None,
        }
    }

    /// Its definition, where it has one that stands elsewhere in the trace: names of task, opcode, level
    /// and channel.
    pub fn definition(&self) -> Option<&'a Definition> {
        match self.body {
            Body::Defined(definition) => Some(definition),
            _ => None,
        }
    }

    /// Name of its level: by its definition, or Windows' own for the first five.
    pub fn level_name(&self) -> Option<&'a str> {
        let own = self.definition().and_then(|d| d.level.as_deref());
        let number = match self.record.kind() {
            RecordKind::Event => u8_at(self.record.bytes(), at::LEVEL),
            RecordKind::Full | RecordKind::Instance => u8_at(self.record.bytes(), full::LEVEL),
            _ => None,
        };
        own.or(match number? {
            1 => Some("Critical"),
            2 => Some("Error"),
            3 => Some("Warning"),
            4 => Some("Informational"),
            5 => Some("Verbose"),
            _ => None,
        })
    }

    /// Its schema, where it brings one along.
    pub fn schema(&self) -> Option<Schema<'a>> {
        match self.body {
            Body::Schema(schema) | Body::Update(schema, _) => Some(schema),
            _ => None,
        }
    }

    /// The line of the update client's log that it is.
    pub fn update_line(&self) -> Option<windows_update::Line<'a>> {
        match self.body {
            Body::Update(_, line) => Some(line),
            _ => None,
        }
    }

    /// Walks over its fields; `None` for an event that nothing describes.
    pub fn visit<V: Visitor<'a>>(&self, visitor: &mut V) -> Option<Walked<'a>> {
        let mut payload = Fields::new(self.record.payload(), self.record.wide());
        let stop = match self.body {
            Body::Schema(schema) | Body::Update(schema, _) => schema.walk(&mut payload, visitor),
            Body::Defined(definition) => definition.fields.walk(&mut payload, visitor),
            Body::Text(_) | Body::Manifest(_) | Body::Unknown => return None,
        };
        Some(Walked {
            stop: stop.err(),
            rest: payload.rest(),
        })
    }

    /// Appends the name of the event, or its number where it has none. The two ends of an activity have one
    /// name in TraceLogging, so `/Start` or `/Stop` is behind it.
    pub fn push_name(&self, out: &mut String) {
        match self.name().filter(|name| !name.0.is_empty()) {
            Some(name) => {
                name.push_to(out);
                let opcode = self.schema().and(self.record.descriptor());
                out.push_str(match opcode.map_or(0, |descriptor| descriptor.opcode) {
                    1 => "/Start",
                    2 => "/Stop",
                    _ => "",
                });
            }
            None => {
                let (word, number) = self.number();
                out.push_str(word);
                out.push(' ');
                push_unsigned(number.into(), out);
            }
        }
    }

    /// What tells events of the provider apart.
    fn number(&self) -> (&'static str, u16) {
        if let Some(classic) = self.record.classic() {
            return ("Opcode", classic.opcode.into());
        }
        if let Some(message) = self.record.message() {
            return ("Message", message.number);
        }
        ("Id", self.record.descriptor().map_or(0, |d| d.id))
    }

    /// Appends its fields: `Name: value, Name: value`. The sentence itself for the update client and for
    /// events that are one text; number, version and bytes for events that nothing describes.
    pub fn push_detail(&self, out: &mut String) {
        match self.body {
            Body::Update(_, line) => line.sentence.push_to(out),
            Body::Text(text) => text.push_to(out),
            Body::Manifest(chunk) => {
                let mut fields = FieldText::new(out);
                fields.put("Part", |out| {
                    push_unsigned(u64::from(chunk.index) + 1, out);
                    out.push_str(" of ");
                    push_unsigned(chunk.total.into(), out);
                });
                fields.put("Bytes", |out| push_unsigned(chunk.text.len() as u64, out));
            }
            Body::Unknown => self.push_unknown(out),
            Body::Schema(_) | Body::Defined(_) => {
                let mut fields = FieldText::new(out);
                let walked = self.visit(&mut fields);
                // Bytes that no field could be made of are evidence still.
                if let Some(walked) = walked
                    && walked.stop.is_some()
                    && !walked.rest.is_empty()
                {
                    fields.put("Undecoded", |out| {
                        push_bytes(walked.rest, PAYLOAD_SHOWN, out);
                    });
                }
            }
        }
    }

    fn push_unknown(&self, out: &mut String) {
        let (word, number) = self.number();
        let version = match self.record.kind() {
            RecordKind::Event => self.record.descriptor().map(|d| d.version.into()),
            _ => self.record.classic().map(|classic| classic.version),
        };
        let mut fields = FieldText::new(out);
        fields.put(word, |out| push_unsigned(number.into(), out));
        if let Some(version) = version {
            fields.put("Version", |out| push_unsigned(version.into(), out));
        }
        let payload = self.record.payload();
        if !payload.is_empty() {
            fields.put("Data", |out| push_bytes(payload, PAYLOAD_SHOWN, out));
        }
    }

    /// Appends the sentence the event stands for; `false`, and nothing is appended, where it stands for none.
    pub fn push_message(&self, out: &mut String) -> bool {
        match self.body {
            Body::Update(_, line) => line.sentence.push_to(out),
            Body::Text(text) => text.push_to(out),
            Body::Defined(definition) => {
                let Some(message) = &definition.message else {
                    return false;
                };
                let payload = Fields::new(self.record.payload(), self.record.wide());
                let starts = definition.fields.starts(payload);
                message::push_message(message, &starts, out);
            }
            Body::Schema(_) | Body::Manifest(_) | Body::Unknown => return false,
        }
        true
    }
}

fn name(text: &str) -> NarrowText<'_> {
    NarrowText(text.as_bytes())
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
