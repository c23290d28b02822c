//! Objects and handles (0x1120 to 0x1127). No public file has any.

use super::{Identity, perf_info, system};
use crate::etl::bytes::Out;
use serde::Serialize;

/// An event of the object manager.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Object<'a> {
    /// 0x1120.
    CreateHandle {
        /// Object.
        object: u64,
        /// Handle; bit 31 is set in the kernel's own.
        handle: u32,
        /// Index of the object's type.
        kind: u16,
    },
    /// 0x1121.
    CloseHandle {
        /// Object.
        object: u64,
        /// Handle.
        handle: u32,
        /// Index of the object's type.
        kind: u16,
    },
    /// 0x1122.
    DuplicateHandle {
        /// Object.
        object: u64,
        /// Handle it was made from.
        source: u32,
        /// Handle made.
        target: u32,
        /// Process that has it now.
        target_pid: u32,
        /// Index of the object's type.
        kind: u16,
        /// Process it came from.
        source_pid: u32,
    },
    /// 0x1124, 0x1125.
    TypeRundown {
        /// At the end of the session.
        end: bool,
        /// Index.
        kind: u16,
        /// Name.
        name: &'a str,
    },
    /// 0x1126, 0x1127.
    HandleRundown {
        /// At the end of the session.
        end: bool,
        /// Object.
        object: u64,
        /// Process.
        pid: u32,
        /// Handle.
        handle: u32,
        /// Index of the object's type.
        kind: u16,
        /// Name of the object.
        name: &'a str,
    },
}

impl Object<'_> {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::CreateHandle { .. } => system(0x1120, 2),
            Self::CloseHandle { .. } => system(0x1121, 2),
            Self::DuplicateHandle { .. } => system(0x1122, 2),
            Self::TypeRundown { end, .. } => perf_info(0x1124 + u16::from(*end), 2),
            Self::HandleRundown { end, .. } => perf_info(0x1126 + u16::from(*end), 2),
        }
    }

    pub(super) fn payload(&self, out: &mut Out) {
        match self {
            Self::CreateHandle {
                object,
                handle,
                kind,
            }
            | Self::CloseHandle {
                object,
                handle,
                kind,
            } => {
                out.ptr(*object);
                out.u32(*handle);
                out.u16(*kind);
                out.wide("");
            }
            Self::DuplicateHandle {
                object,
                source,
                target,
                target_pid,
                kind,
                source_pid,
            } => {
                out.ptr(*object);
                out.u32(*source);
                out.u32(*target);
                out.u32(*target_pid);
                out.u16(*kind);
                out.u32(*source_pid);
            }
            Self::TypeRundown { kind, name, .. } => {
                out.u16(*kind);
                out.u16(0);
                out.wide(name);
            }
            Self::HandleRundown {
                object,
                pid,
                handle,
                kind,
                name,
                ..
            } => {
                out.ptr(*object);
                out.u32(*pid);
                out.u32(*handle);
                out.u16(*kind);
                out.wide(name);
            }
        }
    }
}
