//! The log of the Windows Update client: TraceLogging events, each a component and one sentence.
//!
//! The event's name is the component (`Agent`, `ComApi`, `DownloadManager`), and its only field, `Info`, is the
//! sentence that `Get-WindowsUpdateLog` shows. Time, process and thread are those of the record.

use super::tracelogging::{Count, Schema};
use super::types::{InType, OutType};
use super::value::Value;
use crate::etl::guid::Guid;
use crate::etl::kernel::{Fields, NarrowText};

/// `WUTraceLogging`: the update client (`WindowsUpdate.*.etl`).
pub const CLIENT: Guid = Guid::new(0x0b7a6f19_47c4_454e_8c5c_e868d637e4d8);
/// `SIHTraceLogging`: the client that heals the update client (`SIH.*.etl`). Taken to write as that one does
/// where its events have the same single field.
pub const HEALING: Guid = Guid::new(0x9906081d_e45a_4f41_a53f_2ac2e0225de1);

/// Column that `Get-WindowsUpdateLog` gives to the component.
const COMPONENT_WIDTH: usize = 16;

/// A line of the log, without its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// What of the client speaks.
    pub component: NarrowText<'a>,
    /// What it says; always text.
    pub sentence: Value<'a>,
}

impl<'a> Line<'a> {
    /// The line that an event stands for: one of the providers here, whose only field is text.
    pub fn of(provider: Guid, schema: &Schema<'a>, payload: Fields<'a>) -> Option<Self> {
        if provider != CLIENT && provider != HEALING {
            return None;
        }
        let mut fields = schema.fields();
        let field = fields.next()?;
        if field.count != Count::One || fields.next().is_some() {
            return None;
        }
        let in_type = InType::of_schema(field.in_type).filter(|kind| kind.is_text())?;
        let mut payload = payload;
        let sentence = Value::read(in_type, OutType::Text, None, &mut payload)?;
        Some(Self {
            component: schema.name,
            sentence,
        })
    }

    /// Appends component and sentence in columns, as `Get-WindowsUpdateLog` does.
    pub fn push_to(&self, out: &mut String) {
        let start = out.len();
        self.component.push_to(out);
        let len = out[start..].chars().count();
        // At least one blank, also behind a name that fills the column.
        for _ in len..COMPONENT_WIDTH.max(len + 1) {
            out.push(' ');
        }
        self.sentence.push_to(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(provider: Guid, schema: &[u8], payload: &[u8]) -> Option<String> {
        let schema = Schema::parse(schema).unwrap();
        let line = Line::of(provider, &schema, Fields::new(payload, true))?;
        let mut out = String::new();
        line.push_to(&mut out);
        Some(out)
    }

    #[test]
    fn lines() {
        let agent = b"\x0f\0\0Agent\0Info\0\x01";
        let text = b"o\0k\0\0\0";
        assert_eq!(line(CLIENT, agent, text).unwrap(), "Agent           ok");
        let long = b"\x1b\0\0ComponentOfWindows\0I\0\x02";
        assert_eq!(
            line(HEALING, long, b"done").unwrap(),
            "ComponentOfWindows done"
        );
        assert_eq!(line(Guid::NIL, agent, text), None);
        assert_eq!(line(CLIENT, agent, b""), None);
        assert_eq!(line(CLIENT, b"\x0f\0\0Agent\0Info\0\x08", text), None);
        assert_eq!(
            line(CLIENT, b"\x12\0\0Agent\0Info\0\x01B\0\x08", text),
            None
        );
        assert_eq!(line(CLIENT, b"\x09\0\0Agent\0", text), None);
    }
}
