//! TraceLogging: events that bring names and types of their fields along, in extended data items.
//!
//! Item 11 is the schema: name of the event and its fields. Item 12 holds the traits of the provider: its
//! name and group. Events of EventSource with a manifest have item 12 as well.

use super::raw::Raw;
use super::types::{InType, OutType};
use super::value::Value;
use super::walk::{Budget, Group, Stop, Visitor};
use crate::bytes::{slice_at, u8_at, u16_at};
use crate::etl::guid::Guid;
use crate::etl::kernel::{Fields, NarrowText, WideText};
use crate::etl::layout::item;
use crate::etl::record::Record;

/// Bits of the in-type byte that are the type.
const TYPE: u8 = 0x1F;
/// In-type of a structure.
const STRUCT: u8 = 24;
/// Bits of the in-type byte that tell how many values there are.
const COUNT: u8 = 0x60;
/// As many as the schema says.
const COUNT_FIXED: u8 = 0x20;
/// As many as a u16 in front of the values says.
const COUNT_PAYLOAD: u8 = 0x40;
/// Flag of the in-type, out-type and tag bytes: another byte follows.
const MORE: u8 = 0x80;
/// Trait: group of providers, a GUID.
const TRAIT_GROUP: u8 = 1;
/// No name.
const UNNAMED: NarrowText<'static> = NarrowText(&[]);

/// Traits of a provider.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    /// Name of the provider.
    pub name: NarrowText<'a>,
    list: &'a [u8],
}

impl<'a> Traits<'a> {
    /// The traits in the items of an event.
    pub fn of(record: &Record<'a>) -> Option<Self> {
        let mut items = record.items();
        Self::parse(items.find(|item| item.kind == item::TYPE_TRAITS)?.data)
    }

    /// Reads the data of item 12.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let mut list = sized(data)?;
        let name = take_text(&mut list)?;
        Some(Self { name, list })
    }

    /// The group the provider belongs to.
    pub fn group(&self) -> Option<Guid> {
        let mut rest = self.list;
        loop {
            let size = usize::from(u16_at(rest, 0)?);
            if u8_at(rest, 2)? == TRAIT_GROUP && size >= 19 {
                return Guid::at(rest, 3);
            }
            // A step of less than its own header would not end.
            rest = rest.get(size.max(3)..)?;
        }
    }
}

/// Schema of an event.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// Name of the event.
    pub name: NarrowText<'a>,
    /// Tags of the event: 28 bits, whose meaning the provider knows.
    pub tags: u32,
    fields: &'a [u8],
}

impl<'a> Schema<'a> {
    /// The schema in the items of an event.
    pub fn of(record: &Record<'a>) -> Option<Self> {
        let mut items = record.items();
        Self::parse(items.find(|item| item.kind == item::TYPE_SCHEMA)?.data)
    }

    /// Reads the data of item 11.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let mut fields = sized(data)?;
        let tags = take_tags(&mut fields)?;
        let name = take_text(&mut fields)?;
        Some(Self { name, tags, fields })
    }

    /// The fields, those of structures behind theirs. Ends where the schema cannot be followed.
    pub fn fields(&self) -> SchemaFields<'a> {
        SchemaFields(self.fields)
    }

    /// Walks over the values of `payload` and leaves there what belongs to no field. Why it stopped before
    /// the last field, where it did.
    pub fn walk<V: Visitor<'a>>(
        &self,
        payload: &mut Fields<'a>,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        let mut walk = Walk {
            payload,
            visitor,
            budget: Budget::new(),
        };
        let mut schema = self.fields;
        while !schema.is_empty() {
            walk.field(&mut schema, 0)?;
        }
        Ok(())
    }
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count<'a> {
    /// One.
    One,
    /// An array of as many.
    Fixed(u16),
    /// An array, whose number stands in front of the values.
    Counted,
    /// Bytes in a form of the provider's own, described by these bytes (not met).
    Custom(&'a [u8]),
}

/// A field of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaField<'a> {
    /// Name.
    pub name: NarrowText<'a>,
    /// Number of the in-type, 0 to 31.
    pub in_type: u8,
    /// Number of the out-type, 0 to 127; of a structure the number of its members, which follow.
    pub out_type: u8,
    /// How many values.
    pub count: Count<'a>,
    /// Tags: 28 bits.
    pub tags: u32,
}

impl<'a> SchemaField<'a> {
    fn take(schema: &mut &'a [u8]) -> Option<Self> {
        let name = take_text(schema)?;
        let first = take_byte(schema)?;
        let second = match first & MORE {
            0 => 0,
            _ => take_byte(schema)?,
        };
        let tags = match second & MORE {
            0 => 0,
            _ => take_tags(schema)?,
        };
        let count = match first & COUNT {
            0 => Count::One,
            COUNT_FIXED => Count::Fixed(take_u16(schema)?),
            COUNT_PAYLOAD => Count::Counted,
            _ => {
                let size = take_u16(schema)?;
                let kind = slice_at(schema, 0, size.into())?;
                *schema = schema.get(size.into()..)?;
                Count::Custom(kind)
            }
        };
        Some(Self {
            name,
            in_type: first & TYPE,
            out_type: second & !MORE,
            count,
            tags,
        })
    }

    /// Whether it is a structure: its members follow it.
    pub fn is_struct(&self) -> bool {
        self.in_type == STRUCT
    }
}

/// The fields of a schema.
#[derive(Debug, Clone)]
pub struct SchemaFields<'a>(&'a [u8]);

impl<'a> Iterator for SchemaFields<'a> {
    type Item = SchemaField<'a>;

    fn next(&mut self) -> Option<SchemaField<'a>> {
        SchemaField::take(&mut self.0)
    }
}

struct Walk<'w, 'a, V> {
    payload: &'w mut Fields<'a>,
    visitor: &'w mut V,
    budget: Budget,
}

impl<'a, V: Visitor<'a>> Walk<'_, 'a, V> {
    /// The next field of `schema`, with its members.
    fn field(&mut self, schema: &mut &'a [u8], depth: u8) -> Result<(), Stop> {
        let field = SchemaField::take(schema).ok_or(Stop::Unknown)?;
        let len = match field.count {
            Count::One => return self.element(&field, field.name, schema, depth),
            Count::Fixed(len) => len,
            Count::Counted | Count::Custom(_) => self.payload.u16().ok_or(Stop::Cut)?,
        };
        if let Count::Custom(_) = field.count {
            return self.custom(&field, len, depth);
        }
        let out = OutType::of_schema(field.out_type);
        let is_text = out.joins_characters() && matches!(field.in_type, 3 | 4 | 6);
        if is_text {
            return self.characters(&field, out, len.into(), depth);
        }
        self.array(&field, len, schema, depth)
    }

    /// One value or structure.
    fn element(
        &mut self,
        field: &SchemaField<'a>,
        name: NarrowText<'a>,
        schema: &mut &'a [u8],
        depth: u8,
    ) -> Result<(), Stop> {
        self.budget.enter(depth)?;
        if !field.is_struct() {
            let in_type = InType::of_schema(field.in_type).ok_or(Stop::Unknown)?;
            let out = OutType::of_schema(field.out_type);
            let value = Value::read(in_type, out, None, self.payload).ok_or(Stop::Cut)?;
            self.visitor.value(depth, name, value);
            return Ok(());
        }
        self.visitor.open(depth, name, Group::Struct);
        let members = (0..field.out_type).try_for_each(|_| self.field(schema, depth + 1));
        self.visitor.close(depth, Group::Struct);
        members
    }

    fn array(
        &mut self,
        field: &SchemaField<'a>,
        len: u16,
        schema: &mut &'a [u8],
        depth: u8,
    ) -> Result<(), Stop> {
        self.budget.enter(depth)?;
        self.visitor.open(depth, field.name, Group::Array);
        let members = *schema;
        let elements = (0..len).try_for_each(|_| {
            *schema = members;
            self.element(field, UNNAMED, schema, depth + 1)
        });
        self.visitor.close(depth, Group::Array);
        elements?;
        if len == 0 && field.is_struct() {
            self.skip(field.out_type, schema)?;
        }
        Ok(())
    }

    /// An array of characters, which is one text.
    fn characters(
        &mut self,
        field: &SchemaField<'a>,
        out: OutType,
        len: usize,
        depth: u8,
    ) -> Result<(), Stop> {
        self.budget.enter(depth)?;
        let wide = field.in_type == 6;
        let size = if wide { len * 2 } else { len };
        let bytes = self.payload.bytes(size).ok_or(Stop::Cut)?;
        let raw = if wide {
            Raw::Wide(WideText(trim_wide(bytes)))
        } else {
            Raw::Narrow(NarrowText(trim(bytes)))
        };
        let map = None;
        self.visitor
            .value(depth, field.name, Value { raw, out, map });
        Ok(())
    }

    /// Data of a form of the provider's own: a number of bytes, and these.
    fn custom(&mut self, field: &SchemaField<'a>, len: u16, depth: u8) -> Result<(), Stop> {
        self.budget.enter(depth)?;
        let bytes = self.payload.bytes(len.into()).ok_or(Stop::Cut)?;
        let value = Value {
            raw: Raw::Bytes(bytes),
            out: OutType::Default,
            map: None,
        };
        self.visitor.value(depth, field.name, value);
        Ok(())
    }

    /// Passes over the fields of a structure of which there is none.
    fn skip(&mut self, members: u8, schema: &mut &'a [u8]) -> Result<(), Stop> {
        let mut left = u32::from(members);
        while left > 0 {
            self.budget.spend()?;
            let field = SchemaField::take(schema).ok_or(Stop::Unknown)?;
            left -= 1;
            if field.is_struct() {
                // A schema of 64 KiB has no more than 32 Ki fields, each with 127 members at most.
                left += u32::from(field.out_type);
            }
        }
        Ok(())
    }
}

/// What the u16 in front says belongs to the data, without it.
fn sized(data: &[u8]) -> Option<&[u8]> {
    let size = usize::from(u16_at(data, 0)?).min(data.len());
    data.get(2..size)
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let value = u16_at(bytes, 0)?;
    *bytes = bytes.get(2..)?;
    Some(value)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<NarrowText<'a>> {
    let end = memchr::memchr(0, bytes)?;
    let (text, rest) = bytes.split_at_checked(end)?;
    *bytes = rest.get(1..)?;
    Some(NarrowText(text))
}

/// Seven bits a byte, the highest first; what is missing of 28 bits is 0.
fn take_tags(bytes: &mut &[u8]) -> Option<u32> {
    let mut tags = 0;
    let mut shift = 21_u32;
    loop {
        let byte = take_byte(bytes)?;
        tags |= u32::from(byte & !MORE) << shift;
        if byte & MORE == 0 {
            return Some(tags);
        }
        shift = shift.saturating_sub(7);
    }
}

/// Without the NULs that fill up an array of characters.
fn trim(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    &bytes[..end.map_or(0, |last| last + 1)]
}

fn trim_wide(bytes: &[u8]) -> &[u8] {
    let units = bytes.chunks_exact(2);
    let end = units.clone().rposition(|unit| unit != [0, 0]);
    &bytes[..end.map_or(0, |last| (last + 1) * 2)]
}

#[cfg(test)]
#[path = "tracelogging_tests.rs"]
pub(in crate::etl::selfdescribing) mod tests;
