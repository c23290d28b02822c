//! Page faults and virtual memory (hooks 0x020A to 0x020F, 0x0220, 0x0262, 0x0263).

use super::Fields;
use super::pairs::Pairs;

/// How a page fault was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The page was still in memory.
    Transition,
    /// A page of zeros was given.
    DemandZero,
    /// A shared page was copied.
    CopyOnWrite,
    /// A guard page was touched.
    GuardPage,
    /// The page was read from a disk; see [`HardFault`] for the read.
    Hard,
    /// There is no page.
    AccessViolation,
}

/// A page fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFault {
    /// How it was met.
    pub kind: FaultKind,
    /// Address that was touched.
    pub address: u64,
    /// Address of the instruction.
    pub program_counter: u64,
}

/// A page was read from a file to meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HardFault {
    /// When the read began, in ticks of the trace's clock; the record's time is its end.
    pub initial_time: i64,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Address that was touched.
    pub address: u64,
    /// Key of the file, as in the events of file names.
    pub file_key: u64,
    /// Thread that touched it.
    pub tid: u32,
    /// Bytes that were read.
    pub bytes: u32,
}

/// A range of addresses is allocated or freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualRange {
    /// Whether it is freed.
    pub free: bool,
    /// Its start.
    pub base: u64,
    /// Its bytes.
    pub size: u64,
    /// Process whose addresses they are.
    pub pid: u32,
    /// `MEM_COMMIT` (0x1000) and `MEM_RESERVE` (0x2000), or `MEM_DECOMMIT` (0x4000) and `MEM_RELEASE` (0x8000).
    pub flags: u32,
}

/// An event of page faults and virtual memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultEvent {
    /// 0x020A to 0x020F.
    Page(PageFault),
    /// 0x0220.
    Hard(HardFault),
    /// 0x0262 and 0x0263.
    Virtual(VirtualRange),
}

impl FaultEvent {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early. All
    /// versions are alike.
    #[inline]
    pub fn parse(hook: u16, _version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let kind = match hook {
            0x0220 => {
                return Some(Self::Hard(HardFault {
                    initial_time: fields.i64()?,
                    offset: fields.u64()?,
                    address: fields.ptr()?,
                    file_key: fields.ptr()?,
                    tid: fields.u32()?,
                    bytes: fields.u32()?,
                }));
            }
            0x0262 | 0x0263 => {
                return Some(Self::Virtual(VirtualRange {
                    free: hook == 0x0263,
                    base: fields.ptr()?,
                    size: fields.ptr()?,
                    pid: fields.u32()?,
                    flags: fields.u32()?,
                }));
            }
            0x020A => FaultKind::Transition,
            0x020B => FaultKind::DemandZero,
            0x020C => FaultKind::CopyOnWrite,
            0x020D => FaultKind::GuardPage,
            0x020E => FaultKind::Hard,
            0x020F => FaultKind::AccessViolation,
            _ => return None,
        };
        Some(Self::Page(PageFault {
            kind,
            address: fields.ptr()?,
            program_counter: fields.ptr()?,
        }))
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Page(fault) => match fault.kind {
                FaultKind::Transition => "Transition Fault",
                FaultKind::DemandZero => "Demand Zero Fault",
                FaultKind::CopyOnWrite => "Copy On Write",
                FaultKind::GuardPage => "Guard Page Fault",
                FaultKind::Hard => "Hard Page Fault",
                FaultKind::AccessViolation => "Access Violation",
            },
            Self::Hard(_) => "Hard Fault",
            Self::Virtual(range) if range.free => "Virtual Free",
            Self::Virtual(_) => "Virtual Alloc",
        }
    }

    /// Appends what the event says; of a hard fault without its start, thread and file key.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Page(fault) => pairs
                .hex("Address", fault.address)
                .hex("Program Counter", fault.program_counter),
            Self::Hard(fault) => pairs
                .number("Offset", fault.offset)
                .number("Length", fault.bytes)
                .hex("Address", fault.address),
            Self::Virtual(range) => pairs
                .hex("Address", range.base)
                .number("Size", range.size)
                .id("PID", range.pid)
                .hex("Flags", range.flags),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    #[test]
    fn faults_by_kind() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(0x7738_8E2D).ptr(0x1234);
            for (hook, name) in [
                (0x020A, "Transition Fault"),
                (0x020B, "Demand Zero Fault"),
                (0x020C, "Copy On Write"),
                (0x020D, "Guard Page Fault"),
                (0x020E, "Hard Page Fault"),
                (0x020F, "Access Violation"),
            ] {
                let (_, operation, detail) = decode!(FaultEvent, hook, 2, &made);
                assert_eq!(operation, name);
                assert_eq!(detail, "Address: 0x77388e2d, Program Counter: 0x1234");
            }
            assert_eq!(FaultEvent::parse(0x0210, 2, &mut made.fields()), None);
        }
    }

    #[test]
    fn hard_faults() {
        for (wide, size) in [(true, 40), (false, 32)] {
            let made = Made::new(wide).u64(1_957_965_277).u64(708_096);
            let made = made
                .ptr(0xADC0_42EC)
                .ptr(0x005F_C620)
                .u32(1_016)
                .u32(13_312);
            assert_eq!(made.bytes.len(), size);
            let (event, operation, detail) = decode!(FaultEvent, 0x0220, 2, &made);
            let expected = HardFault {
                initial_time: 1_957_965_277,
                offset: 708_096,
                address: 0xADC0_42EC,
                file_key: 0x005F_C620,
                tid: 1_016,
                bytes: 13_312,
            };
            assert_eq!(event, FaultEvent::Hard(expected));
            assert_eq!(operation, "Hard Fault");
            assert_eq!(
                detail,
                "Offset: 708,096, Length: 13,312, Address: 0xadc042ec"
            );
        }
    }

    #[test]
    fn virtual_memory() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(0x3B_4000).ptr(0xF000);
            let made = made.u32(6_148).u32(0x4000);
            let (event, operation, detail) = decode!(FaultEvent, 0x0263, 2, &made);
            assert!(matches!(event, FaultEvent::Virtual(range) if range.free));
            assert_eq!(operation, "Virtual Free");
            assert_eq!(
                detail,
                "Address: 0x3b4000, Size: 61,440, PID: 6148, Flags: 0x4000"
            );
            assert_eq!(decode!(FaultEvent, 0x0262, 2, &made).1, "Virtual Alloc");
        }
    }
}
