//! WPP messages: their text needs the driver's symbols, so number, source and bytes are all there is.

use super::guid::Guid;
use super::layout::message as at;
use crate::bytes::{i64_at, u16_at, u32_at};

/// The fields in front of a message's arguments. None of the real files at hand has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFields {
    /// Number in the source file.
    pub number: u16,
    /// Which fields are there.
    pub options: u16,
    /// Sequence number.
    pub sequence: Option<u32>,
    /// Component, in place of the source.
    pub component: Option<u32>,
    /// Source file.
    pub source: Option<Guid>,
    /// Time stamp.
    pub time: Option<i64>,
    /// Thread.
    pub tid: Option<u32>,
    /// Process.
    pub pid: Option<u32>,
    /// Where the arguments start.
    pub end: usize,
}

impl MessageFields {
    /// Reads the fields of a record; `None` when they do not fit.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let options = u16_at(bytes, at::OPTIONS)?;
        let has = |flag| options & flag != 0;
        let mut out = Self {
            number: u16_at(bytes, at::NUMBER)?,
            options,
            end: at::SIZE,
            ..Self::default()
        };
        if has(at::SEQUENCE) {
            out.sequence = Some(u32_at(bytes, out.end)?);
            out.end += 4;
        }
        if has(at::COMPONENT) {
            out.component = Some(u32_at(bytes, out.end)?);
            out.end += 4;
        } else if has(at::GUID) {
            out.source = Some(Guid::at(bytes, out.end)?);
            out.end += 16;
        }
        if has(at::TIME) {
            out.time = Some(i64_at(bytes, out.end)?);
            out.end += 8;
        }
        if has(at::SYSTEM) {
            out.tid = Some(u32_at(bytes, out.end)?);
            out.pid = Some(u32_at(bytes, out.end + 4)?);
            out.end += 8;
        }
        Some(out)
    }
}
