//! The file header.

use super::Bits;
use super::bytes::Out;
use super::layout;

/// Where the sections of a finished log lie.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sections {
    pub(crate) events: u64,
    pub(crate) index: u64,
    pub(crate) processes: u64,
    pub(crate) strings: u64,
    pub(crate) icons: u64,
    pub(crate) hosts: u64,
}

/// What a header says of the machine and the file.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) bits: Bits,
    pub(crate) version: u32,
    pub(crate) computer: String,
    pub(crate) system_root: String,
    pub(crate) os: [u32; 3],
    pub(crate) service_pack: String,
    pub(crate) cpus: u32,
    pub(crate) ram: u64,
    pub(crate) highest_user: u64,
}

impl Header {
    pub(crate) fn new(bits: Bits) -> Self {
        Self {
            bits,
            version: 9,
            computer: "PC".into(),
            system_root: "C:\\Windows".into(),
            os: [10, 0, 19045],
            service_pack: String::new(),
            cpus: 4,
            ram: 8 << 30,
            highest_user: match bits {
                Bits::B64 => 0x7FFF_FFFE_FFFF,
                Bits::B32 => 0x7FFE_FFFF,
            },
        }
    }

    pub(crate) fn write(&self, count: u32, at: Sections) -> Vec<u8> {
        let mut out = Out::new(0);
        out.raw(layout::SIGNATURE);
        out.u32(self.version);
        out.u32((self.bits == Bits::B64).into());
        fixed(&mut out, &self.computer, 16);
        fixed(&mut out, &self.system_root, 260);
        out.u32(count);
        out.u64(0);
        for offset in [
            at.events,
            at.index,
            at.processes,
            at.strings,
            at.icons,
            self.highest_user,
        ] {
            out.u64(offset);
        }
        out.u32(0x11C);
        for v in self.os {
            out.u32(v);
        }
        out.u32(2);
        fixed(&mut out, &self.service_pack, 128);
        // Service pack 0.0, suite mask "single user terminal", workstation; the reserved byte is not always 0.
        out.raw(&[0, 0, 0, 0, 0, 1, 1, 0x3E]);
        out.u32(self.cpus);
        out.u64(self.ram);
        out.u64(layout::HEADER_SIZE);
        out.u64(at.hosts);
        debug_assert_eq!(out.len() as u64, layout::HEADER_SIZE);
        out.bytes
    }
}

/// A NUL-padded field of `units` UTF-16 units; the last one is always NUL.
fn fixed(out: &mut Out, text: &str, units: usize) {
    let mut left = units;
    for unit in text.encode_utf16().take(units - 1) {
        out.u16(unit);
        left -= 1;
    }
    for _ in 0..left {
        out.u16(0);
    }
}
