//! A writer of Procmon logs (PML version 9), 32-bit and 64-bit.

mod builder;
mod bytes;
mod event;
mod header;
mod icons;
pub mod layout;
pub mod op;
mod process;
mod record;
mod stream;
mod tables;

pub use builder::{LogBuilder, SaturatedExtra};
pub use event::Event;
pub use op::Op;
pub use process::{Module, ProcId, Process};
pub use stream::StreamWriter;

/// Pointer size of a log. One flag of the header decides for every structure of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// 4-byte pointers: a log of an x86 Windows.
    B32,
    /// 8-byte pointers.
    B64,
}

impl Bits {
    /// Bytes of a pointer.
    pub fn ptr(self) -> usize {
        match self {
            Bits::B32 => 4,
            Bits::B64 => 8,
        }
    }
}
