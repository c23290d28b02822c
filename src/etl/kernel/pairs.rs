//! Details of kernel events, in the one form that details have: `Name: value, Name: value`.

use super::{NarrowText, WideText};
use crate::etl::guid::Guid;
use crate::pml::detail::tables::{FlagSet, Names};
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::pml::text::Text;
use crate::trace::time::Zone;

/// Payloads hold their times as ticks of the trace's clock: no value here depends on a zone.
static UTC: Zone = Zone::UTC;

/// Appends pairs to a string; texts that are empty are left out.
#[derive(Debug)]
pub(super) struct Pairs<'a>(DetailText<'a>);

impl<'a> Pairs<'a> {
    /// Appends to the end of `out`.
    pub(super) fn new(out: &'a mut String) -> Self {
        Self(DetailText::new(out, &UTC))
    }

    fn value(&mut self, name: &'static str, value: Value<'_>) -> &mut Self {
        self.0.field(name, value);
        self
    }

    /// A quantity, with thousands separators.
    pub(super) fn number(&mut self, name: &'static str, number: impl Into<u64>) -> &mut Self {
        self.value(name, Value::Grouped(number.into()))
    }

    /// An id or an index.
    pub(super) fn id(&mut self, name: &'static str, id: impl Into<u64>) -> &mut Self {
        self.value(name, Value::Decimal(id.into()))
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self, name: &'static str, number: impl Into<i64>) -> &mut Self {
        self.value(name, Value::DecimalSigned(number.into()))
    }

    /// An address, a handle, a status.
    pub(super) fn hex(&mut self, name: &'static str, number: impl Into<u64>) -> &mut Self {
        self.value(name, Value::Hex(number.into()))
    }

    /// Flags with their names.
    pub(super) fn flags(
        &mut self,
        name: &'static str,
        flags: u32,
        set: &'static FlagSet,
    ) -> &mut Self {
        self.value(name, Value::Flags(flags, set))
    }

    /// A number with a name.
    pub(super) fn named(
        &mut self,
        name: &'static str,
        number: u32,
        names: &'static Names,
    ) -> &mut Self {
        self.value(name, Value::Named(number, names))
    }

    /// A word of the format.
    pub(super) fn word(&mut self, name: &'static str, word: &str) -> &mut Self {
        self.value(name, Value::Str(word))
    }

    /// UTF-16 text.
    pub(super) fn wide(&mut self, name: &'static str, text: WideText<'_>) -> &mut Self {
        if text.is_empty() {
            return self;
        }
        self.value(name, Value::Text(Text::Utf16(text.0)))
    }

    /// 8-bit text.
    pub(super) fn narrow(&mut self, name: &'static str, text: NarrowText<'_>) -> &mut Self {
        match std::str::from_utf8(text.0) {
            Ok("") => self,
            Ok(text) => self.value(name, Value::Str(text)),
            Err(_) => self.value(name, Value::Text(Text::Ascii(text.0))),
        }
    }

    /// UTF-16 texts, each ended by a NUL.
    pub(super) fn list(&mut self, name: &'static str, texts: &[u8]) -> &mut Self {
        if texts.is_empty() {
            return self;
        }
        self.value(name, Value::Strings(texts))
    }

    /// Bytes in hexadecimal.
    pub(super) fn bytes(&mut self, name: &'static str, bytes: &[u8]) -> &mut Self {
        self.value(name, Value::Bytes(bytes))
    }

    /// A GUID.
    pub(super) fn guid(&mut self, name: &'static str, guid: Guid) -> &mut Self {
        self.value(name, Value::Str(&guid.to_string()))
    }
}
