//! Files: names by key (0x0400 family), operations (0x0440 to 0x0452) in both versions, their ends.

use super::{Identity, perf_info};
use crate::etl::bytes::Out;
use serde::Serialize;

/// A name of a file key.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum FileName<'a> {
    /// 0x0400.
    Name(u64, &'a str),
    /// 0x0420: the key begins.
    Create(u64, &'a str),
    /// 0x0423: the key ends.
    Delete(u64, &'a str),
    /// 0x0424: the key is there at the end of the session.
    Rundown(u64, &'a str),
}

impl FileName<'_> {
    pub(super) fn identity(&self, version: u8) -> Identity {
        let hook = match self {
            Self::Name(..) => 0x0400,
            Self::Create(..) => 0x0420,
            Self::Delete(..) => 0x0423,
            Self::Rundown(..) => 0x0424,
        };
        perf_info(hook, version.min(2))
    }

    pub(super) fn payload(&self, out: &mut Out) {
        let (Self::Name(key, path)
        | Self::Create(key, path)
        | Self::Delete(key, path)
        | Self::Rundown(key, path)) = self;
        out.ptr(*key);
        out.wide(path);
    }
}

/// The start of a file operation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct FileIo<'a> {
    /// Address of the request: the callback data of the minifilters that see it.
    pub irp: u64,
    /// File object.
    pub object: u64,
    /// Thread id.
    pub tid: u32,
    /// What is done.
    pub op: FileIoOp<'a>,
}

/// A file operation.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum FileIoOp<'a> {
    /// 0x0440.
    Create {
        /// Create options, the disposition in the top byte.
        options: u32,
        /// File attributes.
        attributes: u32,
        /// 1 read, 2 write, 4 delete.
        share: u32,
        /// Path as the caller gave it.
        path: &'a str,
    },
    /// 0x0441.
    Cleanup {
        /// File key.
        key: u64,
    },
    /// 0x0442.
    Close {
        /// File key.
        key: u64,
    },
    /// 0x0449.
    Flush {
        /// File key.
        key: u64,
    },
    /// 0x0443.
    Read(Transfer),
    /// 0x0444.
    Write(Transfer),
    /// 0x0445.
    SetInformation(Information),
    /// 0x0446.
    Delete(Information),
    /// 0x0447.
    Rename(Information),
    /// 0x0452.
    SetLink(Information),
    /// 0x044A.
    QueryInformation(Information),
    /// 0x044B, the class is the control code.
    FsControl(Information),
    /// 0x0448.
    DirEnum(Directory<'a>),
    /// 0x044D.
    DirNotify(Directory<'a>),
    /// 0x044F, with the path of the file.
    DeletePath(Information, &'a str),
    /// 0x0450, with the new path.
    RenamePath(Information, &'a str),
    /// 0x0451, with the path of the link.
    SetLinkPath(Information, &'a str),
}

/// Parameters of a read or write.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Transfer {
    /// File key.
    pub key: u64,
    /// File offset.
    pub offset: u64,
    /// Bytes asked for.
    pub size: u32,
    /// IRP flags.
    pub flags: u32,
}

/// Parameters of operations with an information class.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Information {
    /// File key.
    pub key: u64,
    /// New size, 1 for a delete mark, else 0.
    pub extra: u64,
    /// FILE_INFORMATION_CLASS or control code.
    pub class: u32,
}

/// Parameters of directory operations.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Directory<'a> {
    /// File key.
    pub key: u64,
    /// Caller's buffer.
    pub length: u32,
    /// Information class, or what is watched for.
    pub class: u32,
    /// File index.
    pub index: u32,
    /// Pattern.
    pub pattern: &'a str,
}

impl FileIoOp<'_> {
    pub(super) fn hook(&self) -> u16 {
        match self {
            Self::Create { .. } => 0x0440,
            Self::Cleanup { .. } => 0x0441,
            Self::Close { .. } => 0x0442,
            Self::Read(_) => 0x0443,
            Self::Write(_) => 0x0444,
            Self::SetInformation(_) => 0x0445,
            Self::Delete(_) => 0x0446,
            Self::Rename(_) => 0x0447,
            Self::DirEnum(_) => 0x0448,
            Self::Flush { .. } => 0x0449,
            Self::QueryInformation(_) => 0x044A,
            Self::FsControl(_) => 0x044B,
            Self::DirNotify(_) => 0x044D,
            Self::DeletePath(..) => 0x044F,
            Self::RenamePath(..) => 0x0450,
            Self::SetLinkPath(..) => 0x0451,
            Self::SetLink(_) => 0x0452,
        }
    }
}

impl FileIo<'_> {
    /// Version 2 has the thread as a pointer behind the request, version 3 as a number behind the pointers.
    pub(super) fn payload(&self, out: &mut Out, version: u8) {
        if let FileIoOp::Read(t) | FileIoOp::Write(t) = &self.op {
            out.u64(t.offset);
        }
        out.ptr(self.irp);
        if version < 3 {
            out.ptr(self.tid.into());
        }
        out.ptr(self.object);
        match &self.op {
            FileIoOp::Create { .. } => {}
            FileIoOp::Cleanup { key } | FileIoOp::Close { key } | FileIoOp::Flush { key } => {
                out.ptr(*key);
            }
            FileIoOp::Read(t) | FileIoOp::Write(t) => out.ptr(t.key),
            FileIoOp::SetInformation(i)
            | FileIoOp::Delete(i)
            | FileIoOp::Rename(i)
            | FileIoOp::SetLink(i)
            | FileIoOp::QueryInformation(i)
            | FileIoOp::FsControl(i)
            | FileIoOp::DeletePath(i, _)
            | FileIoOp::RenamePath(i, _)
            | FileIoOp::SetLinkPath(i, _) => {
                out.ptr(i.key);
                out.ptr(i.extra);
            }
            FileIoOp::DirEnum(d) | FileIoOp::DirNotify(d) => out.ptr(d.key),
        }
        if version >= 3 {
            out.u32(self.tid);
        }
        self.numbers(out, version);
    }

    fn numbers(&self, out: &mut Out, version: u8) {
        match &self.op {
            FileIoOp::Create {
                options,
                attributes,
                share,
                path,
            } => {
                out.u32(*options);
                out.u32(*attributes);
                out.u32(*share);
                out.wide(path);
            }
            FileIoOp::Cleanup { .. } | FileIoOp::Close { .. } | FileIoOp::Flush { .. } => {}
            FileIoOp::Read(t) | FileIoOp::Write(t) => {
                out.u32(t.size);
                out.u32(t.flags);
                if version >= 3 {
                    out.u32(0);
                }
            }
            FileIoOp::SetInformation(i)
            | FileIoOp::Delete(i)
            | FileIoOp::Rename(i)
            | FileIoOp::SetLink(i)
            | FileIoOp::QueryInformation(i)
            | FileIoOp::FsControl(i) => out.u32(i.class),
            FileIoOp::DeletePath(i, path)
            | FileIoOp::RenamePath(i, path)
            | FileIoOp::SetLinkPath(i, path) => {
                out.u32(i.class);
                out.wide(path);
            }
            FileIoOp::DirEnum(d) | FileIoOp::DirNotify(d) => {
                out.u32(d.length);
                out.u32(d.class);
                out.u32(d.index);
                out.wide(d.pattern);
            }
        }
    }
}

/// The end of the operation with the same request.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OperationEnd {
    /// Address of the request.
    pub irp: u64,
    /// IoStatus.Information.
    pub information: u64,
    /// NTSTATUS.
    pub status: u32,
}

impl OperationEnd {
    pub(super) fn payload(&self, out: &mut Out) {
        out.ptr(self.irp);
        out.ptr(self.information);
        out.u32(self.status);
    }
}
