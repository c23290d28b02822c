//! Kernel addresses that are given out, returned, and given out again.

use crate::pml::Bits;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    /// Callback data: what file operations call the IRP.
    Request,
    Irp,
    FileObject,
    FileKey,
    Kcb,
    StackKey,
    Process,
}

const KINDS: usize = 7;

/// First address in a 64-bit and a 32-bit kernel, distance between two.
const PLACES: [(u64, u64, u64); KINDS] = [
    (0xFFFF_E50C_3E40_1230, 0x8A40_1230, 0x290),
    (0xFFFF_E50C_2F00_4A20, 0x8B00_4A20, 0x150),
    (0xFFFF_E50C_1A20_08E0, 0x8C20_08E0, 0x180),
    (0xFFFF_B98F_0C41_7170, 0xA041_7170, 0x4D0),
    (0xFFFF_A30D_5510_2B10, 0xB010_2B10, 0x130),
    (0xFFFF_C48E_0001_0040, 0xC401_0040, 0x100),
    (0xFFFF_E50C_0010_0080, 0x8900_0080, 0xA80),
];

/// The addresses of every kind.
#[derive(Debug)]
pub(super) struct Pools {
    bits: Bits,
    given: [u64; KINDS],
    free: [Vec<u64>; KINDS],
    returns: BinaryHeap<Reverse<(u64, Of, u64)>>,
}

impl Pools {
    pub(super) fn new(bits: Bits) -> Self {
        Self {
            bits,
            given: [0; KINDS],
            free: Default::default(),
            returns: BinaryHeap::new(),
        }
    }

    /// An address, the one returned last if there is any.
    pub(super) fn take(&mut self, of: Of) -> u64 {
        let n = of as usize;
        self.free[n].pop().unwrap_or_else(|| self.take_new(of))
    }

    /// An address that was never given out: what was there before the trace has no other's place.
    pub(super) fn take_new(&mut self, of: Of) -> u64 {
        let n = of as usize;
        let (wide, narrow, step) = PLACES[n];
        self.given[n] += 1;
        let first = match self.bits {
            Bits::B64 => wide,
            Bits::B32 => narrow,
        };
        first + (self.given[n] - 1) * step
    }

    /// The address is free from `time` on.
    pub(super) fn give_back(&mut self, of: Of, address: u64, time: u64) {
        self.returns.push(Reverse((time, of, address)));
    }

    /// Takes back what is free before `time`.
    pub(super) fn advance(&mut self, time: u64) {
        while let Some(Reverse((when, of, address))) = self.returns.peek().copied() {
            if when >= time {
                return;
            }
            self.returns.pop();
            self.free[of as usize].push(address);
        }
    }
}
