//! Call stacks (0x1820), and stacks by key (0x1822 to 0x1826).

use crate::etl::Clock;
use crate::etl::bytes::Out;
use serde::Serialize;

/// A stack event.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Stack<'a> {
    /// 0x1820: the stack of another record.
    Plain {
        /// FILETIME of that record, written as its clock value.
        of: u64,
        /// Process.
        pid: u32,
        /// Thread.
        tid: u32,
        /// Addresses, innermost first.
        frames: &'a [u64],
    },
    /// 0x1822. Not met in real files.
    KeyCreate(u64, &'a [u64]),
    /// 0x1823.
    KeyDelete(u64, &'a [u64]),
    /// 0x1824.
    KeyRundown(u64, &'a [u64]),
    /// 0x1825, 0x1826: the stack of another record is that of a key.
    Reference {
        /// The user-mode part.
        user: bool,
        /// FILETIME of that record.
        of: u64,
        /// Process.
        pid: u32,
        /// Thread.
        tid: u32,
        /// Key.
        key: u64,
    },
}

impl Stack<'_> {
    pub(super) fn hook(&self) -> u16 {
        match self {
            Self::Plain { .. } => 0x1820,
            Self::KeyCreate(..) => 0x1822,
            Self::KeyDelete(..) => 0x1823,
            Self::KeyRundown(..) => 0x1824,
            Self::Reference { user: false, .. } => 0x1825,
            Self::Reference { user: true, .. } => 0x1826,
        }
    }

    pub(super) fn payload(&self, out: &mut Out, clock: &Clock) {
        match self {
            Self::Plain { of, pid, tid, .. } | Self::Reference { of, pid, tid, .. } => {
                out.i64(clock.ticks(*of));
                out.u32(*pid);
                out.u32(*tid);
            }
            Self::KeyCreate(..) | Self::KeyDelete(..) | Self::KeyRundown(..) => {}
        }
        match self {
            Self::Reference { key, .. } => out.ptr(*key),
            Self::Plain { frames, .. } => frames.iter().for_each(|frame| out.ptr(*frame)),
            Self::KeyCreate(key, frames)
            | Self::KeyDelete(key, frames)
            | Self::KeyRundown(key, frames) => {
                out.ptr(*key);
                frames.iter().for_each(|frame| out.ptr(*frame));
            }
        }
    }
}
