//! The definition of an event: names and types that a merge or a manifest wrote into the trace.

use super::maps::ValueMap;
use super::types::{InType, OutType};
use super::value::Value;
use super::walk::{Budget, Group, Stop, Visitor};
use crate::etl::kernel::{Fields, NarrowText};
use std::sync::Arc;

/// Fields of one definition whose number others take as their length or count. Real ones have one or two.
const SLOTS: usize = 16;
/// Outermost fields that a message can name.
const INSERTS: usize = 64;

/// A length or a number of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// The definition says none: one element; a length by the type.
    None,
    /// As many.
    Fixed(u16),
    /// As many as the field of this index says.
    Of(u16),
}

/// What a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A value.
    Value {
        /// How it lies in the payload; `None` for a type that is not known.
        in_type: Option<InType>,
        /// How it is meant.
        out: OutType,
        /// Length of text in characters and of binary data in bytes.
        length: Amount,
        /// Names of its numbers or bits.
        map: Option<Arc<ValueMap>>,
    },
    /// A structure of these fields.
    Struct {
        /// Index of the first.
        first: u16,
        /// How many.
        members: u16,
    },
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDefinition {
    /// Name.
    pub name: Box<str>,
    /// What it is.
    pub shape: Shape,
    /// How many there are: an array but for [`Amount::None`].
    pub count: Amount,
    /// Where its number is kept for the fields that need it.
    slot: Option<u8>,
}

impl FieldDefinition {
    /// A field.
    pub fn new(name: Box<str>, shape: Shape, count: Amount) -> Self {
        Self {
            name,
            shape,
            count,
            slot: None,
        }
    }
}

/// The fields of an event: the outermost ones, then those of structures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldList {
    fields: Vec<FieldDefinition>,
    top: usize,
}

impl FieldList {
    /// The first `top` of `fields` are the outermost.
    pub fn new(mut fields: Vec<FieldDefinition>, top: usize) -> Self {
        let mut slots = 0;
        for at in 0..fields.len() {
            let length = match &fields[at].shape {
                Shape::Value { length, .. } => *length,
                Shape::Struct { .. } => Amount::None,
            };
            for amount in [fields[at].count, length] {
                let Amount::Of(index) = amount else { continue };
                if let Some(field) = fields.get_mut(usize::from(index))
                    && field.slot.is_none()
                    && usize::from(slots) < SLOTS
                {
                    field.slot = Some(slots);
                    slots += 1;
                }
            }
        }
        let top = top.min(fields.len());
        Self { fields, top }
    }

    /// All fields.
    pub fn all(&self) -> &[FieldDefinition] {
        &self.fields
    }

    /// The outermost fields.
    pub fn top(&self) -> &[FieldDefinition] {
        &self.fields[..self.top]
    }

    /// Sets the map of field `at`.
    pub(super) fn set_map(&mut self, at: usize, to: Arc<ValueMap>) {
        if let Some(FieldDefinition {
            shape: Shape::Value { map, .. },
            ..
        }) = self.fields.get_mut(at)
        {
            *map = Some(to);
        }
    }

    /// Walks over the values of `payload` and leaves there what belongs to no field. Why it stopped before
    /// the last field, where it did.
    pub fn walk<'a, V: Visitor<'a>>(
        &'a self,
        payload: &mut Fields<'a>,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        let mut walk = Walk::new(&self.fields, payload);
        (0..self.top).try_for_each(|at| walk.field(at, 0, visitor))
    }

    /// Where each outermost field starts in a payload.
    pub(super) fn starts<'a>(&'a self, payload: Fields<'a>) -> Starts<'a> {
        let mut starts = Starts {
            list: self,
            fields: [None; INSERTS],
            slots: [0; SLOTS],
        };
        let mut payload = payload;
        let mut walk = Walk::new(&self.fields, &mut payload);
        for at in 0..self.top.min(INSERTS) {
            let start = *walk.payload;
            if walk.field(at, 0, &mut super::walk::Nothing).is_err() {
                break;
            }
            starts.fields[at] = Some(start);
        }
        starts.slots = walk.slots;
        starts
    }
}

/// Where the outermost fields of an event start: for messages, which name them in any order.
#[derive(Debug)]
pub(super) struct Starts<'a> {
    list: &'a FieldList,
    fields: [Option<Fields<'a>>; INSERTS],
    slots: [u64; SLOTS],
}

impl<'a> Starts<'a> {
    /// Walks over outermost field `at`; whether it is there.
    pub(super) fn visit<V: Visitor<'a>>(&self, at: usize, visitor: &mut V) -> bool {
        let Some(mut payload) = self.fields.get(at).copied().flatten() else {
            return false;
        };
        let mut walk = Walk::new(&self.list.fields, &mut payload);
        walk.slots = self.slots;
        walk.field(at, 0, visitor).is_ok()
    }
}

struct Walk<'w, 'a> {
    fields: &'a [FieldDefinition],
    payload: &'w mut Fields<'a>,
    slots: [u64; SLOTS],
    budget: Budget,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(fields: &'a [FieldDefinition], payload: &'w mut Fields<'a>) -> Self {
        Self {
            fields,
            payload,
            slots: [0; SLOTS],
            budget: Budget::new(),
        }
    }

    fn amount(&self, amount: Amount) -> Result<Option<usize>, Stop> {
        match amount {
            Amount::None => Ok(None),
            Amount::Fixed(number) => Ok(Some(number.into())),
            Amount::Of(index) => {
                let field = self.fields.get(usize::from(index));
                let slot = field.and_then(|field| field.slot).ok_or(Stop::Unknown)?;
                let number = self.slots.get(usize::from(slot)).copied().unwrap_or(0);
                usize::try_from(number).map(Some).map_err(|_| Stop::Cut)
            }
        }
    }

    fn field<V: Visitor<'a>>(&mut self, at: usize, depth: u8, visitor: &mut V) -> Result<(), Stop> {
        let field = self.fields.get(at).ok_or(Stop::Unknown)?;
        let name = NarrowText(field.name.as_bytes());
        let Some(count) = self.amount(field.count)? else {
            return self.element(field, name, depth, visitor);
        };
        self.budget.enter(depth)?;
        visitor.open(depth, name, Group::Array);
        let unnamed = NarrowText(&[]);
        let elements =
            (0..count).try_for_each(|_| self.element(field, unnamed, depth + 1, visitor));
        visitor.close(depth, Group::Array);
        elements
    }

    fn element<V: Visitor<'a>>(
        &mut self,
        field: &'a FieldDefinition,
        name: NarrowText<'a>,
        depth: u8,
        visitor: &mut V,
    ) -> Result<(), Stop> {
        self.budget.enter(depth)?;
        match &field.shape {
            Shape::Value {
                in_type,
                out,
                length,
                map,
            } => {
                let in_type = in_type.ok_or(Stop::Unknown)?;
                let length = self.amount(*length)?;
                let mut value =
                    Value::read(in_type, *out, length, self.payload).ok_or(Stop::Cut)?;
                value.map = map.as_deref();
                if let Some(slot) = field
                    .slot
                    .and_then(|slot| self.slots.get_mut(usize::from(slot)))
                {
                    *slot = value.number().unwrap_or(0);
                }
                visitor.value(depth, name, value);
                Ok(())
            }
            Shape::Struct { first, members } => {
                visitor.open(depth, name, Group::Struct);
                let first = usize::from(*first);
                let mut range = first..first + usize::from(*members);
                let members = range.try_for_each(|at| self.field(at, depth + 1, visitor));
                visitor.close(depth, Group::Struct);
                members
            }
        }
    }
}

/// The definition of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Name of the provider.
    pub provider: Option<Arc<str>>,
    /// Name of the event: its own, or of its task and opcode (`GarbageCollection/Start`).
    pub name: Option<Box<str>>,
    /// Name of the task.
    pub task: Option<Box<str>>,
    /// Name of the opcode.
    pub opcode: Option<Box<str>>,
    /// Name of the level.
    pub level: Option<Box<str>>,
    /// Name of the channel.
    pub channel: Option<Box<str>>,
    /// The sentence it stands for, with `%1` for the first field.
    pub message: Option<Box<str>>,
    /// Its fields.
    pub fields: Arc<FieldList>,
}

/// The name of an event by those of its task and opcode; an opcode that says nothing is left out.
pub(super) fn event_name(task: Option<&str>, opcode: Option<&str>) -> Option<Box<str>> {
    let opcode = opcode.filter(|opcode| *opcode != "Info");
    match (task, opcode) {
        (Some(task), Some(opcode)) => Some(format!("{task}/{opcode}").into()),
        (one, other) => one.or(other).map(Into::into),
    }
}

#[cfg(test)]
#[path = "definition_tests.rs"]
mod tests;
