//! Payloads for tests, field by field.

use super::fields::Fields;

/// `S-1-5-18`, the account of the system.
pub const SYSTEM_SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

/// A payload that is being put together.
#[derive(Debug, Clone)]
pub struct Sample {
    bytes: Vec<u8>,
    wide: bool,
}

impl Sample {
    pub fn new(wide: bool) -> Self {
        Self {
            bytes: Vec::new(),
            wide,
        }
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    pub fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A pointer; of a 32-bit payload its low half.
    pub fn ptr(self, value: u64) -> Self {
        if self.wide {
            self.u64(value)
        } else {
            self.u32(value as u32)
        }
    }

    /// UTF-16 text with its NUL.
    pub fn wide_text(mut self, text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        self.bytes.extend(units.flat_map(u16::to_le_bytes));
        self
    }

    /// 8-bit text with its NUL.
    pub fn narrow_text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).u8(0)
    }

    /// Its first `len` bytes.
    pub fn cut(&self, len: usize) -> Self {
        Self {
            bytes: self.bytes[..len].to_vec(),
            wide: self.wide,
        }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn fields(&self) -> Fields<'_> {
        Fields::new(&self.bytes, self.wide)
    }

    /// Decodes it and expects that no byte is left.
    pub fn whole<'a, T>(&'a self, parse: impl FnOnce(&mut Fields<'a>) -> Option<T>) -> T {
        let mut fields = self.fields();
        let event = parse(&mut fields).expect("an event");
        assert!(
            fields.rest().is_empty(),
            "{} bytes left",
            fields.rest().len()
        );
        event
    }

    /// The fewest bytes of it that decode; every shorter copy gives nothing, every longer one something.
    pub fn shortest<'a, T>(&'a self, parse: impl Fn(&mut Fields<'a>) -> Option<T>) -> usize {
        let decodes = |len: usize| parse(&mut Fields::new(&self.bytes[..len], self.wide)).is_some();
        let shortest = (0..=self.len())
            .find(|len| decodes(*len))
            .expect("an event");
        assert!((shortest..=self.len()).all(decodes));
        shortest
    }
}
