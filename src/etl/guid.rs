//! GUIDs: names of providers and event classes.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A GUID in the byte order of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The GUID of zeros: no provider.
    pub const NIL: Self = Self([0; 16]);

    /// From the number that its hexadecimal digits spell: `2cb15d1d-5fc1-11d2-abe1-00a0c911f518` is
    /// `0x2cb15d1d_5fc1_11d2_abe1_00a0c911f518`.
    pub const fn new(digits: u128) -> Self {
        let b = digits.to_be_bytes();
        Self([
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
            b[14], b[15],
        ])
    }

    /// The 16 bytes at `at`.
    #[inline]
    pub fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let bytes = bytes.get(at..at.checked_add(16)?)?;
        bytes.try_into().ok().map(Self)
    }

    /// The number that [`Guid::new`] takes.
    pub const fn digits(self) -> u128 {
        u128::from_be_bytes(Self::new(u128::from_be_bytes(self.0)).0)
    }
}

impl Hash for Guid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_le_bytes(self.0));
    }
}

/// `2cb15d1d-5fc1-11d2-abe1-00a0c911f518`
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (digits >> 96) as u32,
            (digits >> 80) as u16,
            (digits >> 64) as u16,
            (digits >> 48) as u16,
            digits as u64 & 0xFFFF_FFFF_FFFF
        )
    }
}

impl serde::Serialize for Guid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_bytes() {
        let image = Guid::new(0x2cb15d1d_5fc1_11d2_abe1_00a0c911f518);
        assert_eq!(image.0[..6], [0x1d, 0x5d, 0xb1, 0x2c, 0xc1, 0x5f]);
        assert_eq!(image.to_string(), "2cb15d1d-5fc1-11d2-abe1-00a0c911f518");
        assert_eq!(Guid::new(image.digits()), image);
        assert_eq!(Guid::at(&image.0, 0), Some(image));
        assert_eq!(Guid::at(&image.0, 1), None);
        assert_eq!(Guid::at(&image.0, usize::MAX), None);
    }
}
