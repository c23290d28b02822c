//! Names of providers that a trace gives: in TraceLogging events, and in the definitions of a merge.

use super::guid::Guid;
use super::record::Classic;
use crate::bytes::{push_utf16, slice_at, u16_at, u32_at};

/// Names are no longer (bytes in UTF-8, units in UTF-16).
const LONGEST: usize = 512;
/// The opcode of an event's definition (`TRACE_EVENT_INFO`); another is that of a value map.
const EVENT_DEFINITION: u8 = 32;
/// u32 in the definition: where the provider's name starts, 0 for none.
const PROVIDER_NAME: usize = 48 + 4;

/// The provider's name in its traits: u16 size, then UTF-8 with NUL.
pub fn traits_name(provider: Guid, traits: &[u8]) -> Option<(Guid, String)> {
    let size = usize::from(u16_at(traits, 0)?).min(traits.len());
    let text = slice_at(traits, 2, size.checked_sub(2)?)?;
    let len = text.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(text.get(..len)?).ok()?;
    let fits = (1..=LONGEST).contains(&name.len());
    fits.then(|| (provider, name.to_owned()))
}

/// The provider and its name in the definition of one of its events.
pub fn defined_name(classic: &Classic, payload: &[u8]) -> Option<(Guid, String)> {
    if classic.opcode != EVENT_DEFINITION {
        return None;
    }
    let provider = Guid::at(payload, 0)?;
    let start = u32_at(payload, PROVIDER_NAME)? as usize;
    let text = payload.get(start..).filter(|_| start != 0)?;
    let mut units = text.chunks_exact(2);
    let len = units.position(|unit| unit == [0, 0])?;
    let mut name = String::new();
    push_utf16(&text[..len.min(LONGEST) * 2], &mut name);
    // Texts of definitions end with a blank.
    let name = name.trim_end();
    (!name.is_empty()).then(|| (provider, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_traits_and_definitions() {
        let guid = Guid([7; 16]);
        let name = traits_name(guid, b"\x06\0abc\0rest");
        assert_eq!(name, Some((guid, "abc".into())));
        assert_eq!(traits_name(guid, b"\x05\0abc\0"), None);
        assert_eq!(traits_name(guid, b"\x01\0"), None);
        let classic = Classic {
            class: Guid::NIL,
            opcode: EVENT_DEFINITION,
            version: 0,
        };
        let mut payload = vec![7; 16];
        payload.resize(56, 0);
        payload[PROVIDER_NAME] = 56;
        payload.extend(b"x\0 \0\0\0");
        assert_eq!(defined_name(&classic, &payload), Some((guid, "x".into())));
        payload.truncate(60);
        assert_eq!(defined_name(&classic, &payload), None);
        let map = Classic {
            opcode: 33,
            ..classic
        };
        assert_eq!(defined_name(&map, &payload), None);
    }
}
