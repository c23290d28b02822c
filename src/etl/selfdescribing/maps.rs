//! Names of numbers and of bits.

use crate::bytes::push_hex;

/// What numbers of a map mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// Each number has a name.
    Values,
    /// Each bit, or group of bits, has a name.
    Bits,
}

/// Names of the numbers or bits of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueMap {
    kind: MapKind,
    /// Ascending by number; of several with one number the first.
    entries: Vec<(u32, Box<str>)>,
}

impl ValueMap {
    /// A map of these names.
    pub fn new(kind: MapKind, mut entries: Vec<(u32, Box<str>)>) -> Self {
        // Stable: the first of several names of a number stays in front.
        entries.sort_by_key(|entry| entry.0);
        entries.dedup_by_key(|entry| entry.0);
        Self { kind, entries }
    }

    /// What its numbers mean.
    pub fn kind(&self) -> MapKind {
        self.kind
    }

    /// About the memory it takes.
    pub(super) fn size(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.1.len()).sum();
        texts + self.entries.len() * 32
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> Option<&str> {
        let at = self.entries.binary_search_by_key(&number, |entry| entry.0);
        self.entries.get(at.ok()?).map(|entry| &*entry.1)
    }

    /// Appends the names of `bits`: `A|B|0x40`, with the number of what has no name. `false`, and nothing is
    /// appended, where nothing has one.
    pub(super) fn push_name(&self, bits: u64, out: &mut String) -> bool {
        let whole = u32::try_from(bits).ok().and_then(|low| self.name(low));
        if let Some(name) = whole {
            out.push_str(name);
            return true;
        }
        if self.kind == MapKind::Values || bits == 0 {
            return false;
        }
        let start = out.len();
        let mut left = bits;
        for (mask, name) in &self.entries {
            let mask = u64::from(*mask);
            if mask != 0 && bits & mask == mask {
                if out.len() > start {
                    out.push('|');
                }
                out.push_str(name);
                left &= !mask;
            }
        }
        if left == bits {
            push_hex(bits, out);
        } else if left != 0 {
            out.push('|');
            push_hex(left, out);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ValueMap {
        fn text(&self, bits: u64) -> String {
            let mut out = String::new();
            match self.push_name(bits, &mut out) {
                true => out,
                false => format!("no name for {bits}"),
            }
        }
    }

    #[test]
    fn values_and_bits() {
        let entries = vec![
            (4, "D".into()),
            (1, "A".into()),
            (2, "B".into()),
            (1, "again".into()),
        ];
        let values = ValueMap::new(MapKind::Values, entries.clone());
        assert_eq!(values.text(1), "A");
        assert_eq!(values.text(3), "no name for 3");
        assert_eq!(values.text(0), "no name for 0");
        assert_eq!(values.text(0x1_0000_0001), "no name for 4294967297");
        let bits = ValueMap::new(MapKind::Bits, entries);
        assert_eq!(bits.text(7), "A|B|D");
        assert_eq!(bits.text(0x1_0000_0042), "B|0x100000040");
        assert_eq!(bits.text(0x40), "0x40");
        assert_eq!(bits.text(0), "no name for 0");
        let none = ValueMap::new(MapKind::Bits, vec![(0, "None".into()), (6, "Both".into())]);
        assert_eq!(none.text(0), "None");
        assert_eq!(none.text(7), "Both|0x1");
        assert_eq!(none.text(2), "0x2");
    }
}
