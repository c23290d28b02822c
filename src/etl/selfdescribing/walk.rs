//! What walking over the fields of an event gives, one after the other and without a copy.

use super::value::Value;
use crate::etl::kernel::NarrowText;

/// Structures and arrays inside each other; deeper ones end the walk. Real events have one level.
pub const MAX_DEPTH: u8 = 16;
/// Values, structures and arrays of one event. A payload has fewer bytes than this, so only elements that
/// take none come near it.
pub const MAX_VALUES: u32 = 1 << 17;

/// What holds other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Named values.
    Struct,
    /// Values of one kind, without names.
    Array,
}

/// Takes the fields of an event, in order. Elements of arrays have an empty name.
pub trait Visitor<'a> {
    /// A value, `depth` groups deep.
    fn value(&mut self, depth: u8, name: NarrowText<'a>, value: Value<'a>);
    /// A group begins: what follows lies inside it, one deeper, until it is closed.
    fn open(&mut self, depth: u8, name: NarrowText<'a>, group: Group);
    /// The group that was opened last ends; also where the payload ended inside it.
    fn close(&mut self, depth: u8, group: Group);
}

/// Takes nothing: for walks that only want to know where fields start and end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl<'a> Visitor<'a> for Nothing {
    fn value(&mut self, _: u8, _: NarrowText<'a>, _: Value<'a>) {}
    fn open(&mut self, _: u8, _: NarrowText<'a>, _: Group) {}
    fn close(&mut self, _: u8, _: Group) {}
}

/// Why a walk stopped before the last field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The payload ended inside or before a field.
    Cut,
    /// A field of a type that is not known, or a definition that cannot be followed.
    Unknown,
    /// Too deep or too many: no real event comes here.
    Bound,
}

/// What became of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked<'a> {
    /// Why it stopped, where it did.
    pub stop: Option<Stop>,
    /// What of the payload belongs to no field that was read.
    pub rest: &'a [u8],
}

impl Walked<'_> {
    /// Whether fields and payload ended together.
    pub fn is_exact(&self) -> bool {
        self.stop.is_none() && self.rest.is_empty()
    }
}

/// Steps that are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget(u32);

impl Budget {
    pub(super) fn new() -> Self {
        Self(MAX_VALUES)
    }

    pub(super) fn spend(&mut self) -> Result<(), Stop> {
        self.0 = self.0.checked_sub(1).ok_or(Stop::Bound)?;
        Ok(())
    }

    /// Spends one for something `depth` groups deep.
    pub(super) fn enter(&mut self, depth: u8) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Bound);
        }
        self.spend()
    }
}
