//! The fields of an event as one line of text.

use super::types::OutType;
use super::value::Value;
use super::walk::{Group, Visitor};
use crate::etl::kernel::NarrowText;

/// Longest text of an event in bytes; what would go beyond it is left out, with `…` in its place. The value
/// that crosses it is written whole.
pub const TEXT_LIMIT: usize = 64 << 10;

/// Writes `Name: value, Name: {Name: value}, Name: [value, value]` behind what a string already holds.
#[derive(Debug)]
pub struct FieldText<'o> {
    out: &'o mut String,
    start: usize,
    /// Nothing stands in front of the next value that it must be separated from.
    fresh: bool,
    /// Whether names of the outermost fields are written.
    named: bool,
    full: bool,
}

impl<'o> FieldText<'o> {
    /// Writes to the end of `out`, values with their names.
    pub fn new(out: &'o mut String) -> Self {
        let start = out.len();
        Self {
            out,
            start,
            fresh: true,
            named: true,
            full: false,
        }
    }

    /// The same without the names of the outermost fields.
    pub(super) fn unnamed(out: &'o mut String) -> Self {
        Self {
            named: false,
            ..Self::new(out)
        }
    }

    /// Writes what separates the next value and its name. Whether there is room for it.
    fn begin(&mut self, depth: u8, name: NarrowText<'_>) -> bool {
        if self.full {
            return false;
        }
        if !self.fresh {
            self.out.push_str(", ");
        }
        self.fresh = false;
        if self.out.len() - self.start > TEXT_LIMIT {
            self.out.push('…');
            self.full = true;
            return false;
        }
        if !name.0.is_empty() && (depth > 0 || self.named) {
            name.push_to(self.out);
            self.out.push_str(": ");
        }
        true
    }

    /// A value of this module's own making.
    pub(super) fn put(&mut self, name: &'static str, write: impl FnOnce(&mut String)) {
        if self.begin(0, NarrowText(name.as_bytes())) {
            write(self.out);
        }
    }
}

impl<'a> Visitor<'a> for FieldText<'_> {
    fn value(&mut self, depth: u8, name: NarrowText<'a>, value: Value<'a>) {
        if value.out != OutType::Hidden && self.begin(depth, name) {
            value.push_to(self.out);
        }
    }

    fn open(&mut self, depth: u8, name: NarrowText<'a>, group: Group) {
        if self.begin(depth, name) {
            self.out.push(match group {
                Group::Struct => '{',
                Group::Array => '[',
            });
            self.fresh = true;
        }
    }

    fn close(&mut self, _: u8, group: Group) {
        self.fresh = false;
        if !self.full {
            self.out.push(match group {
                Group::Struct => '}',
                Group::Array => ']',
            });
        }
    }
}
