//! Payloads made for tests, field by field.

use super::Fields;
use std::fmt::Debug;

/// A payload that grows.
pub struct Made {
    pub bytes: Vec<u8>,
    pub wide: bool,
}

impl Made {
    pub fn new(wide: bool) -> Self {
        Self {
            bytes: Vec::new(),
            wide,
        }
    }

    fn put(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    pub fn u8(self, value: u8) -> Self {
        self.put(&[value])
    }

    pub fn u16(self, value: u16) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u32(self, value: u32) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u64(self, value: u64) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn raw(self, bytes: &[u8]) -> Self {
        self.put(bytes)
    }

    pub fn ptr(self, value: u64) -> Self {
        let len = if self.wide { 8 } else { 4 };
        self.put(&value.to_le_bytes()[..len])
    }

    pub fn narrow(self, text: &str) -> Self {
        self.put(text.as_bytes()).u8(0)
    }

    pub fn wide(self, text: &str) -> Self {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.put(&units).u16(0)
    }

    /// Text in a field of `units` characters.
    pub fn field(mut self, units: usize, text: &str) -> Self {
        let end = self.bytes.len() + units * 2;
        self = self.wide(text);
        self.bytes.resize(end, 0);
        self
    }

    pub fn fields(&self) -> Fields<'_> {
        Fields::new(&self.bytes, self.wide)
    }
}

/// Decodes a whole payload, which must be used up, and gives its operation and detail. All shorter
/// payloads are decoded as well, in both pointer sizes: nothing may panic, and what they give is put as
/// text.
pub fn whole<'a, T: Debug>(
    made: &'a Made,
    parse: impl Fn(&mut Fields<'a>) -> Option<T>,
    text: impl Fn(&T, &mut String) -> &'static str,
) -> (T, &'static str, String) {
    let mut out = String::new();
    for wide in [true, false] {
        for len in 0..=made.bytes.len() {
            let mut fields = Fields::new(&made.bytes[..len], wide);
            if let Some(event) = parse(&mut fields) {
                text(&event, &mut out);
            }
        }
    }
    let mut fields = made.fields();
    let event = parse(&mut fields).expect("a whole payload");
    assert!(fields.rest().is_empty(), "{} left", fields.rest().len());
    out.clear();
    let operation = text(&event, &mut out);
    (event, operation, out)
}

/// Decodes a payload of a hook with the decoder of a type that has `parse`, `operation` and
/// `push_detail`; see [`whole`].
macro_rules! decode {
    ($type:ty, $hook:expr, $version:expr, $made:expr) => {
        $crate::etl::kernel::made::whole(
            $made,
            |fields| <$type>::parse($hook, $version, fields),
            |event, out| {
                event.push_detail(out);
                event.operation()
            },
        )
    };
}
pub(super) use decode;
