//! File operations and their ends.
//!
//! Version 2 (Windows Vista and 7) has the thread id as a pointer behind the IRP; version 3 (since Windows
//! 8) has it as a u32 behind the pointers.

use super::fields::{Fields, WideText};

/// End of a file operation; every other hook of this group starts one.
pub const OPERATION_END: u16 = 0x044C;

/// What a file event starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileOperation {
    /// Opens or makes a file: 0x0440.
    Create,
    /// Makes a file: 0x044E, not met in real files.
    CreateNew,
    /// The last handle is closed: 0x0441.
    Cleanup,
    /// The last reference is gone: 0x0442.
    Close,
    /// Reads: 0x0443.
    Read,
    /// Writes: 0x0444.
    Write,
    /// Sets an information class that has no event of its own: 0x0445.
    SetInformation,
    /// Marks for deletion or takes the mark back: 0x0446.
    Delete,
    /// Renames: 0x0447.
    Rename,
    /// Makes a hard link: 0x0452, not met in real files.
    SetLink,
    /// Marks for deletion, with the path: 0x044F. Comes beside a [`FileOperation::Delete`] with its IRP.
    DeletePath,
    /// Renames, with the new path: 0x0450. Comes beside a [`FileOperation::Rename`].
    RenamePath,
    /// Makes a hard link, with its path: 0x0451, not met in real files.
    SetLinkPath,
    /// Lists a directory: 0x0448.
    EnumerateDirectory,
    /// Waits for changes in a directory: 0x044D.
    NotifyDirectory,
    /// Flushes to disk: 0x0449.
    Flush,
    /// Queries an information class: 0x044A.
    QueryInformation,
    /// Sends a control code to the file system: 0x044B.
    FsControl,
}

impl FileOperation {
    /// The operation of a hook.
    #[inline]
    pub fn of_hook(hook: u16) -> Option<Self> {
        Some(match hook {
            0x0440 => Self::Create,
            0x0441 => Self::Cleanup,
            0x0442 => Self::Close,
            0x0443 => Self::Read,
            0x0444 => Self::Write,
            0x0445 => Self::SetInformation,
            0x0446 => Self::Delete,
            0x0447 => Self::Rename,
            0x0448 => Self::EnumerateDirectory,
            0x0449 => Self::Flush,
            0x044A => Self::QueryInformation,
            0x044B => Self::FsControl,
            0x044D => Self::NotifyDirectory,
            0x044E => Self::CreateNew,
            0x044F => Self::DeletePath,
            0x0450 => Self::RenamePath,
            0x0451 => Self::SetLinkPath,
            0x0452 => Self::SetLink,
            _ => return None,
        })
    }
}

/// What operations say beyond the file they work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRequest<'a> {
    /// Of [`FileOperation::Create`] and [`FileOperation::CreateNew`].
    Create {
        /// 0 supersede, 1 open, 2 create, 3 open or create, 4 overwrite, 5 overwrite or create.
        disposition: u8,
        /// Create options (`FILE_DIRECTORY_FILE` ..), 24 bits.
        options: u32,
        /// File attributes for a new file.
        attributes: u32,
        /// Share mode: 1 read, 2 write, 4 delete.
        share: u32,
        /// Path as the caller gave it: an NT path, or relative to a file that the event does not name.
        path: WideText<'a>,
    },
    /// Of reads and writes.
    Transfer {
        /// Where in the file, in bytes; may stand for "at the end" and the like (negative as `i64`).
        offset: u64,
        /// Bytes asked for.
        size: u32,
        /// IRP flags.
        flags: u32,
        /// More flags; from version 3 on, and not in every build.
        extra_flags: Option<u32>,
    },
    /// Of setting (deletes, renames and links included) and querying an information class.
    Information {
        /// `FILE_INFORMATION_CLASS`.
        class: u32,
        /// New size of a file (of a 32-bit machine its low half), or 1 to mark for deletion and 0 to take
        /// the mark back; 0 for the rest, and where the event has a path.
        extra: u64,
        /// The file that goes, or the new name, of the events with a path.
        path: WideText<'a>,
    },
    /// Of file system controls.
    Control {
        /// Control code.
        code: u32,
        /// As in [`FileRequest::Information`].
        extra: u64,
    },
    /// Of directory listings.
    Listing {
        /// Bytes of the caller's buffer.
        length: u32,
        /// `FILE_INFORMATION_CLASS`.
        class: u32,
        /// Where the listing goes on.
        index: u32,
        /// Pattern, empty for all.
        pattern: WideText<'a>,
    },
    /// Of directory notifications.
    Notification {
        /// Bytes of the caller's buffer.
        length: u32,
        /// Changes waited for (`FILE_NOTIFY_CHANGE_FILE_NAME` ..). The manifests call it an information
        /// class; the values met are these flags.
        filter: u32,
        /// Unused.
        index: u32,
        /// Unused.
        pattern: WideText<'a>,
    },
    /// Of the rest, which say no more.
    Plain,
}

/// The start of a file operation. What became of it stands in the [`OperationEnd`] with its IRP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIo<'a> {
    /// Operation.
    pub operation: FileOperation,
    /// IRP; of operations that minifilters see, their callback data.
    pub irp: u64,
    /// FileObject.
    pub file_object: u64,
    /// Key of the file, by which names go; creates have none.
    pub file_key: Option<u64>,
    /// Thread.
    pub tid: u32,
    /// The rest.
    pub request: FileRequest<'a>,
}

impl<'a> FileIo<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. A text
    /// that is missing is empty. Version 3 of a 32-bit machine is not met in real files, nor are the
    /// events with a path in version 2.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        use FileOperation as Op;
        let operation = Op::of_hook(hook)?;
        let offset = match operation {
            Op::Read | Op::Write => fields.u64()?,
            _ => 0,
        };
        let irp = fields.ptr()?;
        // The upper half of a thread id as a pointer holds nothing.
        let early_tid = if version >= 3 {
            0
        } else {
            fields.ptr()? as u32
        };
        let file_object = fields.ptr()?;
        let file_key = match operation {
            Op::Create | Op::CreateNew => None,
            _ => Some(fields.ptr()?),
        };
        let extra = match operation {
            Op::SetInformation
            | Op::Delete
            | Op::Rename
            | Op::SetLink
            | Op::DeletePath
            | Op::RenamePath
            | Op::SetLinkPath
            | Op::QueryInformation
            | Op::FsControl => fields.ptr()?,
            _ => 0,
        };
        let tid = if version >= 3 {
            fields.u32()?
        } else {
            early_tid
        };
        let request = match operation {
            Op::Create | Op::CreateNew => {
                let options = fields.u32()?;
                FileRequest::Create {
                    disposition: (options >> 24) as u8,
                    options: options & 0xFF_FFFF,
                    attributes: fields.u32()?,
                    share: fields.u32()?,
                    path: fields.wide_text().unwrap_or_default(),
                }
            }
            Op::Read | Op::Write => FileRequest::Transfer {
                offset,
                size: fields.u32()?,
                flags: fields.u32()?,
                extra_flags: if version >= 3 { fields.u32() } else { None },
            },
            Op::SetInformation | Op::Delete | Op::Rename | Op::SetLink | Op::QueryInformation => {
                FileRequest::Information {
                    class: fields.u32()?,
                    extra,
                    path: WideText::default(),
                }
            }
            Op::DeletePath | Op::RenamePath | Op::SetLinkPath => FileRequest::Information {
                class: fields.u32()?,
                extra,
                path: fields.wide_text().unwrap_or_default(),
            },
            Op::FsControl => FileRequest::Control {
                code: fields.u32()?,
                extra,
            },
            Op::EnumerateDirectory => FileRequest::Listing {
                length: fields.u32()?,
                class: fields.u32()?,
                index: fields.u32()?,
                pattern: fields.wide_text().unwrap_or_default(),
            },
            Op::NotifyDirectory => FileRequest::Notification {
                length: fields.u32()?,
                filter: fields.u32()?,
                index: fields.u32()?,
                pattern: fields.wide_text().unwrap_or_default(),
            },
            Op::Cleanup | Op::Close | Op::Flush => FileRequest::Plain,
        };
        Some(Self {
            operation,
            irp,
            file_object,
            file_key,
            tid,
            request,
        })
    }

    /// The path in the event: of a create as the caller gave it, of a delete the file, of a rename or link
    /// the new name. Empty for events without one.
    #[inline]
    pub fn path(&self) -> WideText<'a> {
        match self.request {
            FileRequest::Create { path, .. } | FileRequest::Information { path, .. } => path,
            _ => WideText::default(),
        }
    }
}

/// The end of a file operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationEnd {
    /// IRP of the operation.
    pub irp: u64,
    /// `IoStatus.Information`: bytes transferred, or what a create did.
    pub information: u64,
    /// NTSTATUS.
    pub status: u32,
}

impl OperationEnd {
    /// Reads the payload of [`OPERATION_END`], alike in all versions.
    #[inline]
    pub fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            irp: fields.ptr()?,
            information: fields.ptr()?,
            status: fields.u32()?,
        })
    }

    /// Whether the status is a success or an informational one.
    #[inline]
    pub fn succeeded(&self) -> bool {
        self.status < 0x8000_0000
    }
}

#[cfg(test)]
#[path = "file_io_tests.rs"]
mod tests;
