//! Disk I/O (hooks 0x010A to 0x0110): requests at the disk, below all file systems and filters.
//!
//! The init event comes first and has a process and a thread in its header: those that ran, mostly but not
//! always those that asked. The event that ends the request has its place and duration, and no header
//! thread. Both have the IRP, and since version 3 the thread that asked.

use super::Fields;
use super::pairs::Pairs;
use crate::pml::detail::tables::flags::IO_FLAGS;
use crate::pml::detail::tables::names::PRIORITIES;

/// Bytes were read from or written to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Whether they were written.
    pub write: bool,
    /// Number of the disk.
    pub disk: u32,
    /// Flags of the IRP; its priority is in bits 17 to 19.
    pub irp_flags: u32,
    /// How many bytes.
    pub bytes: u32,
    /// Where, in bytes from the start of the disk.
    pub offset: u64,
    /// Key of the file, as in the events of file names; 0 for none.
    pub file_key: u64,
    /// The IRP; since version 2.
    pub irp: Option<u64>,
    /// Duration in ticks of the performance counter; since version 1.
    pub response: Option<u64>,
    /// Thread that asked; since version 3.
    pub tid: Option<u32>,
}

/// A disk wrote what its cache held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFlush {
    /// Number of the disk.
    pub disk: u32,
    /// Flags of the IRP.
    pub irp_flags: u32,
    /// Duration in ticks of the performance counter.
    pub response: u64,
    /// The IRP.
    pub irp: u64,
    /// Thread that asked; since version 3.
    pub tid: Option<u32>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// A read.
    Read,
    /// A write.
    Write,
    /// A flush.
    Flush,
}

/// A request starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskInit {
    /// What for.
    pub request: Request,
    /// The IRP.
    pub irp: u64,
    /// Thread that asked; since version 3.
    pub tid: Option<u32>,
}

/// A request is redirected (not met in real files).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirected {
    /// The IRP.
    pub irp: u64,
    /// Key of the file.
    pub file_key: u64,
}

/// An event of disk I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskEvent {
    /// 0x010A and 0x010B.
    Transfer(Transfer),
    /// 0x010E.
    Flush(DiskFlush),
    /// 0x010C, 0x010D and 0x010F.
    Init(DiskInit),
    /// 0x0110.
    Redirected(Redirected),
}

/// The thread that asked, which stands last since version 3.
#[inline]
fn thread(version: u16, fields: &mut Fields<'_>) -> Option<Option<u32>> {
    if version < 3 {
        return Some(None);
    }
    fields.u32().map(Some)
}

impl DiskEvent {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early.
    /// Versions 0 and 1 were not met in real files.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let request = match hook {
            0x010A | 0x010B => {
                return Transfer::parse(hook == 0x010B, version, fields).map(Self::Transfer);
            }
            0x010E => {
                return Some(Self::Flush(DiskFlush {
                    disk: fields.u32()?,
                    irp_flags: fields.u32()?,
                    response: fields.u64()?,
                    irp: fields.ptr()?,
                    tid: thread(version, fields)?,
                }));
            }
            0x0110 => {
                return Some(Self::Redirected(Redirected {
                    irp: fields.ptr()?,
                    file_key: fields.ptr()?,
                }));
            }
            0x010C => Request::Read,
            0x010D => Request::Write,
            0x010F => Request::Flush,
            _ => return None,
        };
        Some(Self::Init(DiskInit {
            request,
            irp: fields.ptr()?,
            tid: thread(version, fields)?,
        }))
    }

    /// Duration in ticks of the performance counter, of an event that ends a request.
    #[inline]
    pub fn response(&self) -> Option<u64> {
        match self {
            Self::Transfer(transfer) => transfer.response,
            Self::Flush(flush) => Some(flush.response),
            Self::Init(_) | Self::Redirected(_) => None,
        }
    }

    /// Thread that asked, where the payload has it.
    #[inline]
    pub fn tid(&self) -> Option<u32> {
        match self {
            Self::Transfer(transfer) => transfer.tid,
            Self::Flush(flush) => flush.tid,
            Self::Init(init) => init.tid,
            Self::Redirected(_) => None,
        }
    }

    /// Key of the file, where the event has one.
    #[inline]
    pub fn file_key(&self) -> Option<u64> {
        match self {
            Self::Transfer(transfer) => Some(transfer.file_key),
            Self::Redirected(redirected) => Some(redirected.file_key),
            Self::Flush(_) | Self::Init(_) => None,
        }
        .filter(|key| *key != 0)
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Transfer(transfer) if transfer.write => "Disk Write",
            Self::Transfer(_) => "Disk Read",
            Self::Flush(_) => "Disk Flush",
            Self::Init(init) => match init.request {
                Request::Read => "Disk Read Init",
                Request::Write => "Disk Write Init",
                Request::Flush => "Disk Flush Init",
            },
            Self::Redirected(_) => "Disk Redirected Init",
        }
    }

    /// Appends what the event says, without the duration, the thread and the file key.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Transfer(transfer) => {
                pairs
                    .id("Disk", transfer.disk)
                    .number("Offset", transfer.offset)
                    .number("Length", transfer.bytes);
                push_flags(transfer.irp_flags, &mut pairs);
                if let Some(irp) = transfer.irp {
                    pairs.hex("IRP", irp);
                }
            }
            Self::Flush(flush) => {
                pairs.id("Disk", flush.disk);
                push_flags(flush.irp_flags, &mut pairs);
                pairs.hex("IRP", flush.irp);
            }
            Self::Init(init) => {
                pairs.hex("IRP", init.irp);
            }
            Self::Redirected(redirected) => {
                pairs.hex("IRP", redirected.irp);
            }
        }
    }
}

fn push_flags(irp_flags: u32, pairs: &mut Pairs<'_>) {
    let io_flags = irp_flags & 0xE0_00FF;
    if io_flags != 0 {
        pairs.flags("I/O Flags", io_flags, &IO_FLAGS);
    }
    let priority = irp_flags >> 17 & 7;
    if priority != 0 {
        pairs.named("Priority", priority, &PRIORITIES);
    }
}

impl Transfer {
    #[inline]
    fn parse(write: bool, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let disk = fields.u32()?;
        let irp_flags = fields.u32()?;
        let bytes = fields.u32()?;
        // In version 1 a duration in coarse units.
        let _reserved = fields.u32()?;
        Some(Self {
            write,
            disk,
            irp_flags,
            bytes,
            offset: fields.u64()?,
            file_key: fields.ptr()?,
            irp: if version < 2 {
                None
            } else {
                Some(fields.ptr()?)
            },
            response: if version < 1 {
                None
            } else {
                Some(fields.u64()?)
            },
            tid: thread(version, fields)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    fn transfer(wide: bool) -> Made {
        let made = Made::new(wide).u32(1).u32(0x6_0043).u32(4_096).u32(77);
        made.u64(1_841_837_375_488).ptr(0x1000)
    }

    #[test]
    fn transfers_of_every_version() {
        for wide in [true, false] {
            let expected = Transfer {
                write: false,
                disk: 1,
                irp_flags: 0x6_0043,
                bytes: 4_096,
                offset: 1_841_837_375_488,
                file_key: 0x1000,
                irp: None,
                response: None,
                tid: None,
            };
            let (event, operation, detail) = decode!(DiskEvent, 0x010A, 0, &transfer(wide));
            assert_eq!(event, DiskEvent::Transfer(expected));
            assert_eq!((event.response(), event.tid()), (None, None));
            assert_eq!(operation, "Disk Read");
            let text = "Disk: 1, Offset: 1,841,837,375,488, Length: 4,096, \
                 I/O Flags: Non-cached, Paging I/O, Synchronous Paging I/O, Priority: Normal";
            assert_eq!(detail, text);
            let (event, _, _) = decode!(DiskEvent, 0x010A, 1, &transfer(wide).u64(9));
            assert_eq!(event.response(), Some(9));
            let made = transfer(wide).ptr(0x2000).u64(9);
            let (event, operation, detail) = decode!(DiskEvent, 0x010B, 2, &made);
            let expected = Transfer {
                write: true,
                irp: Some(0x2000),
                response: Some(9),
                ..expected
            };
            assert_eq!(event, DiskEvent::Transfer(expected));
            assert_eq!(operation, "Disk Write");
            assert_eq!(detail, format!("{text}, IRP: 0x2000"));
            let (event, _, _) = decode!(DiskEvent, 0x010B, 3, &made.u32(44));
            assert_eq!((event.tid(), event.file_key()), (Some(44), Some(0x1000)));
        }
    }

    #[test]
    fn sizes_are_those_of_the_format() {
        let size = |made: &Made| made.bytes.len();
        assert_eq!(size(&transfer(true).ptr(0).u64(0)), 48);
        assert_eq!(size(&transfer(true).ptr(0).u64(0).u32(0)), 52);
        let made = transfer(true).ptr(0).u64(0);
        assert_eq!(DiskEvent::parse(0x010A, 3, &mut made.fields()), None);
    }

    #[test]
    fn flushes_and_starts() {
        for wide in [true, false] {
            let made = Made::new(wide).u32(2).u32(0x6_0000).u64(1_881).ptr(16);
            let (event, operation, detail) = decode!(DiskEvent, 0x010E, 2, &made);
            assert_eq!((event.response(), event.file_key()), (Some(1_881), None));
            assert_eq!(operation, "Disk Flush");
            assert_eq!(detail, "Disk: 2, Priority: Normal, IRP: 0x10");
            let (event, _, _) = decode!(DiskEvent, 0x010E, 3, &made.u32(6));
            assert_eq!(event.tid(), Some(6));
            for (hook, name) in [
                (0x010C, "Disk Read Init"),
                (0x010D, "Disk Write Init"),
                (0x010F, "Disk Flush Init"),
            ] {
                let made = Made::new(wide).ptr(16);
                let (event, operation, detail) = decode!(DiskEvent, hook, 2, &made);
                assert_eq!((operation, &*detail), (name, "IRP: 0x10"));
                assert_eq!(event.response(), None);
                let (event, _, _) = decode!(DiskEvent, hook, 3, &made.u32(6));
                assert_eq!(event.tid(), Some(6));
            }
            let made = Made::new(wide).ptr(16).ptr(32);
            let (event, operation, _) = decode!(DiskEvent, 0x0110, 2, &made);
            assert_eq!(event.file_key(), Some(32));
            assert_eq!(operation, "Disk Redirected Init");
            assert_eq!(DiskEvent::parse(0x0111, 2, &mut made.fields()), None);
        }
    }
}
