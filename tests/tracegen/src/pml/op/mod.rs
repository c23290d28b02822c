//! Operations: their numbers and how their detail and extra blocks are laid out.

mod file;
mod info;
mod network;
mod process;
mod registry;

pub use file::{Create, Directory, FileOp, Transfer};
pub use info::{Basic, NetworkOpen, QueryInfo, SetInfo, Standard, VolumeInfo};
pub(crate) use network::address;
pub use network::{Network, NetworkVerb};
pub use process::{CreateRecord, ExitRecord, ProcessOp, Profiling};
pub use registry::{KeyInfo, RegOp, Value};

use super::Bits;
use super::bytes::Out;
use serde::Serialize;

/// Event class numbers.
pub mod class {
    /// Process and thread events.
    pub const PROCESS: u16 = 1;
    /// Registry.
    pub const REGISTRY: u16 = 2;
    /// File system.
    pub const FILE: u16 = 3;
    /// Profiling.
    pub const PROFILING: u16 = 4;
    /// Network.
    pub const NETWORK: u16 = 5;
}

/// What an event did.
#[derive(Debug, Clone, Serialize)]
pub enum Op {
    /// A file-system operation on a path.
    File(String, FileOp),
    /// A registry operation on a key or value path, as Procmon's driver writes it (`HKLM\…`).
    Registry(String, RegOp),
    /// A process event.
    Process(ProcessOp),
    /// A network event.
    Network(Network),
    /// A profiling event.
    Profiling(Profiling),
    /// Any bytes at all, for hostile and odd records.
    Raw {
        /// Event class.
        class: u16,
        /// Operation number.
        operation: u16,
        /// The detail block as it is.
        detail: Vec<u8>,
        /// The extra block without its size field.
        extra: Option<Vec<u8>>,
    },
}

impl Op {
    /// A file operation.
    pub fn file(path: impl Into<String>, op: FileOp) -> Self {
        Op::File(path.into(), op)
    }

    /// A registry operation.
    pub fn reg(path: impl Into<String>, op: RegOp) -> Self {
        Op::Registry(path.into(), op)
    }

    /// Event class and operation number.
    pub fn number(&self) -> (u16, u16) {
        match self {
            Op::File(_, f) => (class::FILE, f.number()),
            Op::Registry(_, r) => (class::REGISTRY, r.number()),
            Op::Process(p) => (class::PROCESS, p.number()),
            Op::Network(n) => (class::NETWORK, n.number()),
            Op::Profiling(p) => (class::PROFILING, p.number()),
            Op::Raw {
                class, operation, ..
            } => (*class, *operation),
        }
    }

    /// Sub-operation of a file operation: minor function or information class.
    pub fn sub(&self) -> Option<u8> {
        match self {
            Op::File(_, f) => Some(f.sub()),
            _ => None,
        }
    }

    /// The path as stored; none for operations that have none.
    pub fn path(&self) -> Option<&str> {
        match self {
            Op::File(p, _) | Op::Registry(p, _) => Some(p),
            Op::Process(p) => p.path(),
            _ => None,
        }
    }

    /// The second path of a rename or a link.
    pub fn target(&self) -> Option<&str> {
        match self {
            Op::File(_, FileOp::SetInfo(info)) => info.target(),
            _ => None,
        }
    }

    pub(crate) fn detail(&self, out: &mut Out, bits: Bits) {
        match self {
            Op::File(path, f) => f.detail(out, bits, path),
            Op::Registry(path, r) => r.detail(out, path),
            Op::Process(p) => p.detail(out, bits),
            Op::Network(n) => n.detail(out),
            Op::Profiling(p) => p.detail(out),
            Op::Raw { detail, .. } => out.raw(detail),
        }
    }

    /// Writes the data of the extra block and says whether there is one.
    pub(crate) fn extra(&self, out: &mut Out, bits: Bits) -> bool {
        match self {
            Op::File(_, f) => f.extra(out, bits),
            Op::Registry(_, r) => r.extra(out),
            Op::Raw { extra: Some(x), .. } => {
                out.raw(x);
                true
            }
            _ => false,
        }
    }
}
