//! Events of user-mode and manifest providers: EVENT_HEADER records with extended data items.

use super::Provider;
use crate::etl::Guid;
use crate::etl::bytes::Out;
use serde::Serialize;

const CHANNEL: u8 = 11;
const ITEM_SCHEMA: u16 = 11;
const ITEM_TRAITS: u16 = 12;

/// Any event of a provider.
#[derive(Debug, Clone, Copy)]
pub struct Provided<'a> {
    /// Descriptor.
    pub provider: Provider,
    /// Extended data items: type and data.
    pub items: &'a [(u16, &'a [u8])],
    /// Payload.
    pub payload: &'a [u8],
}

/// A value of a field.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Value<'a> {
    /// 1: UTF-16 with a NUL.
    Utf16(&'a str),
    /// 2: 8-bit with a NUL.
    Ansi(&'a str),
    /// 22: UTF-16 with its length in front.
    CountedUtf16(&'a str),
    /// 23 with out-type 35: UTF-8 with its length in front.
    CountedUtf8(&'a str),
    /// 8.
    U32(u32),
    /// 10.
    U64(u64),
    /// 7 with out-type 15: an HRESULT.
    HResult(u32),
    /// 13.
    Bool(bool),
    /// 15.
    Guid(Guid),
    /// 17.
    FileTime(u64),
}

/// A field with its name.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Field<'a> {
    /// Name.
    pub name: &'a str,
    /// Value.
    pub value: Value<'a>,
}

/// A self-describing event.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TraceLogging<'a> {
    /// Provider.
    pub provider: Guid,
    /// Its name.
    pub provider_name: &'a str,
    /// Event name.
    pub name: &'a str,
    /// Level.
    pub level: u8,
    /// Keywords.
    pub keywords: u64,
    /// Fields.
    pub fields: &'a [Field<'a>],
}

impl TraceLogging<'_> {
    pub(super) fn provider(&self) -> Provider {
        Provider {
            channel: CHANNEL,
            level: self.level,
            keywords: self.keywords,
            ..Provider::new(self.provider, 0)
        }
    }

    pub(super) fn items(&self, out: &mut Out) {
        let mut schema = Out::new(out.bits);
        schema.u16(0);
        // No tags.
        schema.u8(0);
        text(&mut schema, self.name);
        for field in self.fields {
            text(&mut schema, field.name);
            let (kind, format) = field.value.types();
            schema.u8(kind | if format > 0 { 0x80 } else { 0 });
            if format > 0 {
                schema.u8(format);
            }
        }
        let size = schema.len() as u16;
        schema.patch_u16(0, size);
        let mut traits = Out::new(out.bits);
        traits.u16(0);
        text(&mut traits, self.provider_name);
        let size = traits.len() as u16;
        traits.patch_u16(0, size);
        items(
            out,
            &[(ITEM_SCHEMA, &schema.bytes), (ITEM_TRAITS, &traits.bytes)],
        );
    }

    pub(super) fn payload(&self, out: &mut Out) {
        self.fields
            .iter()
            .for_each(|field| field.value.payload(out));
    }
}

fn text(out: &mut Out, text: &str) {
    out.raw(text.as_bytes());
    out.u8(0);
}

impl Value<'_> {
    /// In-type and out-type.
    fn types(&self) -> (u8, u8) {
        match self {
            Self::Utf16(_) => (1, 0),
            Self::Ansi(_) => (2, 0),
            Self::CountedUtf16(_) => (22, 0),
            Self::CountedUtf8(_) => (23, 35),
            Self::U32(_) => (8, 0),
            Self::U64(_) => (10, 0),
            Self::HResult(_) => (7, 15),
            Self::Bool(_) => (13, 0),
            Self::Guid(_) => (15, 0),
            Self::FileTime(_) => (17, 0),
        }
    }

    fn payload(&self, out: &mut Out) {
        match self {
            Self::Utf16(v) => out.wide(v),
            Self::Ansi(v) => out.narrow(v),
            Self::CountedUtf16(v) => {
                let start = out.len();
                out.u16(0);
                out.wide(v);
                out.bytes.truncate(out.bytes.len() - 2);
                let size = (out.len() - start - 2) as u16;
                out.patch_u16(start, size);
            }
            Self::CountedUtf8(v) => {
                out.u16(v.len() as u16);
                out.raw(v.as_bytes());
            }
            Self::U32(v) | Self::HResult(v) => out.u32(*v),
            Self::U64(v) | Self::FileTime(v) => out.u64(*v),
            Self::Bool(v) => out.u32((*v).into()),
            Self::Guid(v) => out.guid(*v),
        }
    }
}

/// Writes extended data items, each at a multiple of 8.
pub(super) fn items(out: &mut Out, items: &[(u16, &[u8])]) {
    for (n, (kind, data)) in items.iter().enumerate() {
        let size = (8 + data.len()).next_multiple_of(8);
        out.u16(size as u16);
        out.u16(*kind);
        out.u16((n + 1 < items.len()).into());
        out.u16(data.len() as u16);
        out.raw(data);
        out.zeros(size - 8 - data.len());
    }
}
