//! What the decoders hand out: named values, apart from any text form.

use super::tables::{FlagSet, Names};
use crate::pml::text::Text;
use crate::trace::time::Filetime;

/// Receives the fields of an event's detail, in Procmon's order.
pub trait FieldSink {
    /// Takes one field.
    fn put(&mut self, name: Name<'_>, value: Value<'_>);

    /// Takes one field with a fixed name.
    #[inline]
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        self.put(Name::Fixed(name), value);
    }
}

/// Name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// A name of the format.
    Fixed(&'static str),
    /// A number, as the entries of a directory listing have.
    Number(u32),
    /// A name from the log, as network events have.
    Stored(Text<'a>),
}

/// Value of a field, with what is needed to print it and no more.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Text of the format.
    Str(&'a str),
    /// Text from the log.
    Text(Text<'a>),
    /// A quantity, printed with thousands separators.
    Grouped(u64),
    /// A quantity that may be negative, printed with thousands separators.
    GroupedSigned(i64),
    /// A plain number.
    Decimal(u64),
    /// A plain number that may be negative.
    DecimalSigned(i64),
    /// A number that is printed in hexadecimal.
    Hex(u64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Time(Filetime),
    /// A duration in 100 ns, printed as seconds without the unit.
    Seconds(u64),
    /// A duration in 100 ns, printed as seconds with the unit.
    SecondsWithUnit(u64),
    /// Flags and their names.
    Flags(u32, &'static FlagSet),
    /// A number and its name.
    Named(u32, &'static Names),
    /// An I/O control code.
    Control(u32),
    /// Page protection of a section.
    Protection(u32),
    /// Bytes in hexadecimal, with a blank between two.
    Bytes(&'a [u8]),
    /// An object id: bytes in hexadecimal without blanks.
    Id(&'a [u8]),
    /// A volume serial number, printed in two halves.
    Serial(u32),
    /// UTF-16LE strings, each ended by a NUL; the list ends with an empty one or with the bytes.
    Strings(&'a [u8]),
    /// Environment variables: UTF-16LE strings, each ended by a NUL.
    Variables(&'a [u8]),
    /// New name of a file or key; printed as a full path where `folder` says what it is relative to.
    Target {
        /// Folder of the old name, where the new one is relative to it, else empty.
        folder: Text<'a>,
        /// The name as the caller gave it.
        name: Text<'a>,
    },
    /// An account.
    Account {
        /// Its name, if the log explains it.
        name: Option<&'a str>,
        /// Its binary SID.
        sid: &'a [u8],
    },
}
