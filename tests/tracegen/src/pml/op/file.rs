//! File-system operations (class 3).
//!
//! Every detail block starts alike: sub-operation, IRP flags, callback flags, six parameter slots (the
//! driver's FLT_PARAMETERS), path. What an operation adds stands behind the path ("tail") or in the extra block.

use super::info::{NetworkOpen, QueryInfo, SetInfo, VolumeInfo};
use crate::pml::Bits;
use crate::pml::bytes::Out;
use serde::Serialize;

/// Parameters of a CreateFile.
#[derive(Debug, Clone, Serialize)]
pub struct Create {
    /// Desired access.
    pub access: u32,
    /// 0 Supersede, 1 Open, 2 Create, 3 OpenIf, 4 Overwrite, 5 OverwriteIf.
    pub disposition: u8,
    /// Create options, 24 bits.
    pub options: u32,
    /// File attributes.
    pub attributes: u16,
    /// 1 read, 2 write, 4 delete.
    pub share: u16,
    /// Initial allocation.
    pub allocation: i64,
    /// SID of the impersonated account, in binary.
    pub impersonating: Option<Vec<u8>>,
    /// 0 Superseded, 1 Opened, 2 Created, 3 Overwritten, 4 Exists, 5 DoesNotExist; none when it failed.
    pub open_result: Option<u32>,
}

impl Default for Create {
    /// A read of an existing file that succeeded.
    fn default() -> Self {
        Self {
            access: 0x0012_0089,
            disposition: 1,
            options: 0x60,
            attributes: 0,
            share: 7,
            allocation: 0,
            impersonating: None,
            open_result: Some(1),
        }
    }
}

/// Parameters of a ReadFile or WriteFile.
#[derive(Debug, Clone, Serialize)]
pub struct Transfer {
    /// File offset.
    pub offset: i64,
    /// Bytes asked for.
    pub length: u32,
    /// Bytes done; none when it failed.
    pub done: Option<u32>,
    /// IRP flags: I/O flags in 0xE000FF, priority in bits 17..20.
    pub irp_flags: u32,
}

/// Parameters of a QueryDirectory.
#[derive(Debug, Clone, Serialize)]
pub struct Directory {
    /// FILE_INFORMATION_CLASS: 1, 2, 3, 12, 37 or 38 have entries here.
    pub class: u32,
    /// File name filter.
    pub filter: Option<String>,
    /// Names found; none when it failed.
    pub entries: Option<Vec<String>>,
    /// Size of the caller's buffer. The extra block is filled up to it with junk, as the driver copies it whole.
    pub buffer: u32,
}

/// A file-system operation.
#[derive(Debug, Clone, Serialize)]
pub enum FileOp {
    /// 20.
    CreateFile(Create),
    /// 38 (IRP_MJ_CLEANUP).
    CloseFile,
    /// 22.
    IrpMjClose,
    /// 23.
    ReadFile(Transfer),
    /// 24.
    WriteFile(Transfer),
    /// 25.
    QueryInfo(QueryInfo),
    /// 26.
    SetInfo(SetInfo),
    /// 27.
    QueryEa,
    /// 28.
    SetEa,
    /// 29.
    FlushBuffers,
    /// 30.
    QueryVolume(VolumeInfo),
    /// 32, sub-operation 1.
    QueryDirectory(Directory),
    /// 32, sub-operation 2, with the notify filter.
    NotifyChangeDirectory(u32),
    /// 33.
    FileSystemControl {
        /// Control code.
        code: u32,
        /// Bytes in.
        input: u32,
        /// Bytes out.
        output: u32,
    },
    /// 34.
    DeviceIoControl {
        /// Control code.
        code: u32,
        /// Bytes in.
        input: u32,
        /// Bytes out.
        output: u32,
    },
    /// 6, the fast path of an attribute query.
    QueryOpen(Option<NetworkOpen>),
    /// 19.
    CreateFileMapping {
        /// 0 other, 1 create section.
        sync_type: u32,
        /// PAGE_*.
        protection: u32,
    },
    /// 37, sub-operation 1.
    LockFile {
        /// Exclusive.
        exclusive: bool,
        /// Do not wait.
        fail_immediately: bool,
        /// Offset.
        offset: i64,
        /// Length.
        length: i64,
    },
    /// 37, sub-operation 2.
    UnlockFileSingle {
        /// Offset.
        offset: i64,
        /// Length.
        length: i64,
    },
    /// 40, with the SECURITY_INFORMATION asked for.
    QuerySecurity(u32),
    /// 41.
    SetSecurity(u32),
    /// 17, with the ending offset.
    AcquireForModWrite(i64),
    /// Any other operation without parameters, such as the FASTIO_* ones.
    Bare {
        /// Operation number.
        operation: u16,
        /// Sub-operation.
        sub: u8,
    },
}

/// Values of the six slots; the fourth and later ones hold kernel pointers in real logs.
struct Slots([u64; 6]);

const KERNEL_POINTER: u64 = 0xFFFF_8699_42BC_E210;

impl FileOp {
    pub(crate) fn number(&self) -> u16 {
        match self {
            Self::QueryOpen(_) => 6,
            Self::AcquireForModWrite(_) => 17,
            Self::CreateFileMapping { .. } => 19,
            Self::CreateFile(_) => 20,
            Self::IrpMjClose => 22,
            Self::ReadFile(_) => 23,
            Self::WriteFile(_) => 24,
            Self::QueryInfo(_) => 25,
            Self::SetInfo(_) => 26,
            Self::QueryEa => 27,
            Self::SetEa => 28,
            Self::FlushBuffers => 29,
            Self::QueryVolume(_) => 30,
            Self::QueryDirectory(_) | Self::NotifyChangeDirectory(_) => 32,
            Self::FileSystemControl { .. } => 33,
            Self::DeviceIoControl { .. } => 34,
            Self::LockFile { .. } | Self::UnlockFileSingle { .. } => 37,
            Self::CloseFile => 38,
            Self::QuerySecurity(_) => 40,
            Self::SetSecurity(_) => 41,
            Self::Bare { operation, .. } => *operation,
        }
    }

    /// Minor function or information class.
    pub(crate) fn sub(&self) -> u8 {
        match self {
            Self::QueryInfo(i) => i.class(),
            Self::SetInfo(i) => i.class(),
            Self::QueryVolume(i) => i.class(),
            Self::QueryDirectory(_) | Self::LockFile { .. } => 1,
            Self::NotifyChangeDirectory(_) | Self::UnlockFileSingle { .. } => 2,
            Self::Bare { sub, .. } => *sub,
            _ => 0,
        }
    }

    /// 4: FS-filter callback, 2: fast I/O, 9: IRP with a system buffer.
    fn callback_flags(&self) -> u32 {
        match self {
            Self::CreateFileMapping { .. } | Self::AcquireForModWrite(_) => 4,
            Self::QueryOpen(_) | Self::LockFile { .. } | Self::UnlockFileSingle { .. } => 2,
            Self::Bare { operation, .. } if *operation < 20 => 4,
            Self::FileSystemControl { .. } | Self::ReadFile(_) => 1,
            _ => 9,
        }
    }

    fn irp_flags(&self) -> u32 {
        match self {
            Self::CreateFile(_) => 0x884,
            Self::ReadFile(t) | Self::WriteFile(t) => t.irp_flags,
            Self::CreateFileMapping { .. }
            | Self::LockFile { .. }
            | Self::UnlockFileSingle { .. } => 0,
            Self::QueryInfo(_) | Self::QueryVolume(_) => 0x6_0870,
            _ => 0x6_0800,
        }
    }

    fn slots(&self, bits: Bits) -> Slots {
        let mut s = [0, 0, 0, KERNEL_POINTER, 0, 0];
        match self {
            Self::CreateFile(c) => {
                s[0] = KERNEL_POINTER;
                s[1] = u64::from(c.disposition) << 24 | u64::from(c.options & 0x00FF_FFFF);
                s[2] = u64::from(c.share) << 16 | u64::from(c.attributes);
                s[3] = 0;
                s[5] = c.allocation as u64;
            }
            Self::ReadFile(t) | Self::WriteFile(t) => {
                s[0] = t.length.into();
                s[2] = t.offset as u64;
            }
            Self::QueryInfo(_) | Self::QueryVolume(_) => {
                s[0] = 0x68;
                s[1] = self.sub().into();
            }
            Self::SetInfo(_) => {
                s[0] = 0x28;
                s[1] = self.sub().into();
                s[3] = 0;
            }
            Self::QueryDirectory(d) => {
                s[0] = d.buffer.into();
                s[1] = if d.filter.is_some() {
                    KERNEL_POINTER + 0x40
                } else {
                    0
                };
                s[2] = d.class.into();
                s[3] = 0;
                s[4] = KERNEL_POINTER;
            }
            Self::NotifyChangeDirectory(filter) => {
                s[0] = 0x20;
                s[1] = (*filter).into();
                s[3] = 0;
            }
            Self::FileSystemControl {
                code,
                input,
                output,
            }
            | Self::DeviceIoControl {
                code,
                input,
                output,
            } => {
                s[0] = (*output).into();
                s[1] = (*input).into();
                s[2] = (*code).into();
            }
            Self::CreateFileMapping {
                sync_type,
                protection,
            } => match bits {
                // Two 32-bit fields: one slot of a 64-bit log, two of a 32-bit one.
                Bits::B64 => {
                    s[0] = u64::from(*protection) << 32 | u64::from(*sync_type);
                    s[1] = KERNEL_POINTER + 0x100;
                }
                Bits::B32 => {
                    s[0] = (*sync_type).into();
                    s[1] = (*protection).into();
                }
            },
            Self::LockFile { offset, .. } | Self::UnlockFileSingle { offset, .. } => {
                s[0] = KERNEL_POINTER;
                s[2] = *offset as u64;
            }
            Self::QuerySecurity(mask) | Self::SetSecurity(mask) => {
                s[0] = (*mask).into();
                s[1] = KERNEL_POINTER;
            }
            _ => {}
        }
        Slots(s)
    }

    /// A2 is a 64-bit number in these, so in a 32-bit log it covers A2 and A3.
    fn wide_a2(&self) -> bool {
        matches!(
            self,
            Self::ReadFile(_)
                | Self::WriteFile(_)
                | Self::LockFile { .. }
                | Self::UnlockFileSingle { .. }
        )
    }

    pub(crate) fn detail(&self, out: &mut Out, bits: Bits, path: &str) {
        out.u8(self.sub());
        out.junk(7);
        out.u32(self.irp_flags());
        out.u32(self.callback_flags());
        let base = out.len();
        let Slots(slots) = self.slots(bits);
        for value in &slots[..5] {
            out.ptr(bits, *value);
        }
        out.u64(slots[5]);
        if self.wide_a2() {
            out.patch_u64(base + 2 * bits.ptr(), slots[2]);
        }
        if let Self::LockFile {
            exclusive,
            fail_immediately,
            ..
        } = self
        {
            let at = base + 2 * bits.ptr() + 8 + bits.ptr();
            out.bytes[at] = (*fail_immediately).into();
            out.bytes[at + 1] = (*exclusive).into();
        }
        out.info(path);
        out.junk(2);
        out.text(path);
        self.tail(out, bits);
        out.junk(2);
    }

    fn tail(&self, out: &mut Out, bits: Bits) {
        match self {
            Self::CreateFile(c) => {
                let sid = c.impersonating.as_deref().unwrap_or_default();
                out.u32(c.access);
                out.u8(sid.len() as u8);
                out.junk(3);
                out.raw(sid);
            }
            Self::SetInfo(info) => info.tail(out, bits),
            Self::QueryDirectory(d) => {
                // Unlike a path, the filter is UTF-16 even where ASCII would do.
                let filter = d.filter.as_deref().unwrap_or_default();
                out.u16(filter.encode_utf16().count() as u16);
                out.utf16(filter);
            }
            Self::LockFile { length, .. } | Self::UnlockFileSingle { length, .. } => {
                out.u64(*length as u64)
            }
            Self::AcquireForModWrite(end) => out.u64(*end as u64),
            _ => {}
        }
    }

    pub(crate) fn extra(&self, out: &mut Out, bits: Bits) -> bool {
        match self {
            Self::CreateFile(Create {
                open_result: Some(r),
                ..
            }) => out.ptr(bits, u64::from(*r)),
            Self::ReadFile(Transfer { done: Some(n), .. })
            | Self::WriteFile(Transfer { done: Some(n), .. }) => {
                out.ptr(bits, u64::from(*n));
            }
            Self::QueryInfo(info) => return info.write(out),
            Self::QueryVolume(info) => return info.write(out),
            Self::QueryOpen(Some(info)) => info.write(out),
            Self::QueryDirectory(d) => return d.entries(out),
            _ => return false,
        }
        true
    }
}

impl Directory {
    /// Where the name's length and the name stand in an entry of this class.
    fn shape(&self) -> (usize, usize) {
        match self.class {
            1 => (60, 64),
            2 => (60, 68),
            12 => (8, 12),
            37 => (60, 104),
            38 => (60, 80),
            _ => (60, 94),
        }
    }

    fn entries(&self, out: &mut Out) -> bool {
        let Some(names) = &self.entries else {
            return false;
        };
        let (size_at, name_at) = self.shape();
        let first = out.len();
        for (i, name) in names.iter().enumerate() {
            let start = out.len();
            out.u32(0);
            out.junk(size_at - 4);
            out.u32(2 * name.encode_utf16().count() as u32);
            out.junk(name_at - size_at - 4);
            out.utf16(name);
            if i + 1 < names.len() {
                out.junk((8 - (out.len() - start) % 8) % 8);
                let next = (out.len() - start) as u32;
                out.patch_u32(start, next);
            }
        }
        let used = out.len() - first;
        out.junk((self.buffer as usize).saturating_sub(used));
        true
    }
}
