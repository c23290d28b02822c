//! GUIDs and the classes of the kernel's events.

use serde::{Serialize, Serializer};
use std::fmt;

/// A GUID in the order of its bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From the four groups of its text form: `00112233-4455-6677-8899-AABBCCDDEEFF`.
    pub const fn new(first: u32, second: u16, third: u16, rest: [u8; 8]) -> Self {
        let (a, b, c) = (
            first.to_le_bytes(),
            second.to_le_bytes(),
            third.to_le_bytes(),
        );
        let [d, e, f, g, h, i, j, k] = rest;
        Self([
            a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d, e, f, g, h, i, j, k,
        ])
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        let first = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let (second, third) = (
            u16::from_le_bytes([b[4], b[5]]),
            u16::from_le_bytes([b[6], b[7]]),
        );
        write!(
            f,
            "{first:08x}-{second:04x}-{third:04x}-{:02x}{:02x}-",
            b[8], b[9]
        )?;
        b[10..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const IMAGE: Guid = Guid::new(
    0x2CB1_5D1D,
    0x5FC1,
    0x11D2,
    [0xAB, 0xE1, 0, 0xA0, 0xC9, 0x11, 0xF5, 0x18],
);
const PROCESS_TAIL: [u8; 8] = [0x9D, 0xDA, 0, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C];

/// Event class of a kernel hook and its opcode there, as FULL headers name it.
pub(crate) fn class_of(hook: u16) -> (Guid, u8) {
    let opcode = hook as u8;
    // The load of an image belongs to the group of processes and to the class of images.
    if hook == 0x030A {
        return (IMAGE, opcode);
    }
    let guid = match hook >> 8 {
        0x00 => Guid::new(
            0x68FD_D900,
            0x4A3E,
            0x11D1,
            [0x84, 0xF4, 0, 0, 0xF8, 0x04, 0x64, 0xE3],
        ),
        0x01 => Guid::new(0x3D6F_A8D4, 0xFE05, 0x11D0, PROCESS_TAIL),
        0x02 => Guid::new(0x3D6F_A8D3, 0xFE05, 0x11D0, PROCESS_TAIL),
        0x03 => Guid::new(0x3D6F_A8D0, 0xFE05, 0x11D0, PROCESS_TAIL),
        0x04 => Guid::new(
            0x90CB_DC39,
            0x4A3E,
            0x11D1,
            [0x84, 0xF4, 0, 0, 0xF8, 0x04, 0x64, 0xE3],
        ),
        0x05 => Guid::new(0x3D6F_A8D1, 0xFE05, 0x11D0, PROCESS_TAIL),
        0x09 => Guid::new(
            0xAE53_722E,
            0xC863,
            0x11D2,
            [0x86, 0x59, 0, 0xC0, 0x4F, 0xA3, 0x21, 0xA1],
        ),
        0x0B => Guid::new(
            0x0185_3A65,
            0x418F,
            0x4F36,
            [0xAE, 0xFC, 0xDC, 0x0F, 0x1D, 0x2F, 0xD2, 0x35],
        ),
        0x0F => Guid::new(
            0xCE1D_BFB4,
            0x137E,
            0x4DA6,
            [0x87, 0xB0, 0x3F, 0x59, 0xAA, 0x10, 0x2C, 0xBC],
        ),
        0x11 => Guid::new(
            0x8949_7F50,
            0xEFFE,
            0x4440,
            [0x8C, 0xF2, 0xCE, 0x6B, 0x1C, 0xDC, 0xAC, 0xA7],
        ),
        0x14 => IMAGE,
        0x18 => Guid::new(
            0xDEF2_FE46,
            0x7BD6,
            0x4B80,
            [0xBD, 0x94, 0xF5, 0x7F, 0xE2, 0x0D, 0x0C, 0xE3],
        ),
        _ => Guid([0; 16]),
    };
    (guid, opcode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes() {
        let (file, opcode) = class_of(0x0440);
        assert_eq!(file.to_string(), "90cbdc39-4a3e-11d1-84f4-0000f80464e3");
        assert_eq!(
            (file.0[0], file.0[4], file.0[8], opcode),
            (0x39, 0x3E, 0x84, 64)
        );
        assert_eq!(
            class_of(0x030A).0.to_string(),
            "2cb15d1d-5fc1-11d2-abe1-00a0c911f518"
        );
        assert_eq!(
            class_of(0x0301).0.to_string(),
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c"
        );
        assert_eq!(
            class_of(0x090A).0.to_string(),
            "ae53722e-c863-11d2-8659-00c04fa321a1"
        );
        assert_eq!(
            class_of(0x1820).0.to_string(),
            "def2fe46-7bd6-4b80-bd94-f57fe20d0ce3"
        );
        assert_eq!(
            class_of(0x1120).0.to_string(),
            "89497f50-effe-4440-8cf2-ce6b1cdcaca7"
        );
        assert_eq!(
            class_of(0x0B0A).0.to_string(),
            "01853a65-418f-4f36-aefc-dc0f1d2fd235"
        );
        assert_eq!(
            class_of(0x0F2E).0.to_string(),
            "ce1dbfb4-137e-4da6-87b0-3f59aa102cbc"
        );
    }
}
