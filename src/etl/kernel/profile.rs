//! Samples, interrupts, system calls and marks (hooks 0x0Fxx).

use super::pairs::Pairs;
use super::{Fields, NarrowText, WideText};

/// What a processor ran when it was interrupted to be sampled. Most samples may be of the idle thread (0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Address of the instruction.
    pub instruction: u64,
    /// Thread that ran.
    pub tid: u32,
    /// Samples this one stands for.
    pub count: u16,
    /// Bit 0: in a DPC, bit 1: in an ISR; bits 3 to 7: priority of the thread.
    pub flags: u8,
    /// What the public descriptions call the rank; 0 in real files.
    pub rank: u8,
}

/// What a processor ran when a counter of its own was full (not met in real files).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterSample {
    /// Address of the instruction.
    pub instruction: u64,
    /// Thread that ran.
    pub tid: u32,
    /// Number of the counter.
    pub source: u16,
}

/// What an interval of samples is told for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalChange {
    /// It was set (not met in real files).
    Set,
    /// The session began.
    RundownStart,
    /// The session ended.
    RundownEnd,
}

/// How often samples are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval<'a> {
    /// What it is told for.
    pub change: IntervalChange,
    /// What the samples follow: 0 is the timer.
    pub source: u32,
    /// The interval from now on: in 100 ns, or in events of a counter.
    pub new: u32,
    /// The interval before.
    pub old: u32,
    /// Name of the source; since version 3.
    pub name: WideText<'a>,
}

/// When spinlocks are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpinLocks {
    /// Spins from which on.
    pub spin_threshold: u32,
    /// Every how many contentions.
    pub contention_rate: u32,
    /// Every how many acquisitions.
    pub acquire_rate: u32,
    /// Time of holding from which on; since version 3.
    pub hold_threshold: Option<u32>,
}

/// An interrupt was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupt {
    /// When, in ticks of the trace's clock; the record's time is the end.
    pub initial_time: i64,
    /// Address of the service routine.
    pub routine: u64,
    /// What the routine returned: 1 if the interrupt was its own.
    pub returned: u32,
    /// Vector; since version 2.
    pub vector: Option<u16>,
    /// Number of the message, of an interrupt that is one.
    pub message: Option<u32>,
}

/// Kinds of deferred procedure calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DpcKind {
    /// An ordinary one.
    Plain,
    /// One that may run in a thread.
    Threaded,
    /// One of a timer.
    Timer,
}

/// A deferred procedure call ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dpc {
    /// Its kind.
    pub kind: DpcKind,
    /// When, in ticks of the trace's clock; the record's time is the end.
    pub initial_time: i64,
    /// Address of the routine.
    pub routine: u64,
}

/// An event of samples, interrupts, system calls and marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileEvent<'a> {
    /// 0x0F2E.
    Sample(Sample),
    /// 0x0F2F.
    Counter(CounterSample),
    /// 0x0F48 to 0x0F4A.
    Interval(Interval<'a>),
    /// 0x0F4B.
    SpinLocks(SpinLocks),
    /// 0x0F33: address of the service.
    SystemCallEnter(u64),
    /// 0x0F34: NTSTATUS.
    SystemCallExit(u32),
    /// 0x0F43, and 0x0F32 for one that is a message.
    Interrupt(Interrupt),
    /// 0x0F42, 0x0F44, 0x0F45.
    Dpc(Dpc),
    /// 0x0F22, also with a FULL header: a word of whoever recorded the trace.
    Mark(NarrowText<'a>),
}

impl<'a> ProfileEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early.
    /// Versions below 2 were not met in real files.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let interval = |change, fields: &mut Fields<'a>| {
            Some(Self::Interval(Interval {
                change,
                source: fields.u32()?,
                new: fields.u32()?,
                old: fields.u32()?,
                name: fields.wide_text().unwrap_or_default(),
            }))
        };
        let dpc = |kind, fields: &mut Fields<'a>| {
            Some(Self::Dpc(Dpc {
                kind,
                initial_time: fields.i64()?,
                routine: fields.ptr()?,
            }))
        };
        match hook {
            0x0F2E => Some(Self::Sample(Sample {
                instruction: fields.ptr()?,
                tid: fields.u32()?,
                count: fields.u16()?,
                flags: if version < 2 { 0 } else { fields.u8()? },
                rank: if version < 2 { 0 } else { fields.u8()? },
            })),
            0x0F2F => {
                let sample = CounterSample {
                    instruction: fields.ptr()?,
                    tid: fields.u32()?,
                    source: fields.u16()?,
                };
                let _reserved = fields.u16();
                Some(Self::Counter(sample))
            }
            0x0F48 => interval(IntervalChange::Set, fields),
            0x0F49 => interval(IntervalChange::RundownStart, fields),
            0x0F4A => interval(IntervalChange::RundownEnd, fields),
            0x0F4B => Some(Self::SpinLocks(SpinLocks {
                spin_threshold: fields.u32()?,
                contention_rate: fields.u32()?,
                acquire_rate: fields.u32()?,
                hold_threshold: fields.u32(),
            })),
            0x0F33 => Some(Self::SystemCallEnter(fields.ptr()?)),
            0x0F34 => Some(Self::SystemCallExit(fields.u32()?)),
            0x0F32 | 0x0F43 => {
                Interrupt::parse(hook == 0x0F32, version, fields).map(Self::Interrupt)
            }
            0x0F42 => dpc(DpcKind::Threaded, fields),
            0x0F44 => dpc(DpcKind::Plain, fields),
            0x0F45 => dpc(DpcKind::Timer, fields),
            0x0F22 => fields.narrow_text().map(Self::Mark),
            _ => None,
        }
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Sample(_) => "Sampled Profile",
            Self::Counter(_) => "Counter Sample",
            Self::Interval(interval) => match interval.change {
                IntervalChange::Set => "Set Profile Interval",
                IntervalChange::RundownStart | IntervalChange::RundownEnd => "Profile Interval",
            },
            Self::SpinLocks(_) => "Spinlock Settings",
            Self::SystemCallEnter(_) => "System Call Enter",
            Self::SystemCallExit(_) => "System Call Exit",
            Self::Interrupt(_) => "ISR",
            Self::Dpc(dpc) => match dpc.kind {
                DpcKind::Plain => "DPC",
                DpcKind::Threaded => "Threaded DPC",
                DpcKind::Timer => "Timer DPC",
            },
            Self::Mark(_) => "Mark",
        }
    }

    /// Appends what the event says, without threads and starts.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Sample(sample) => {
                pairs
                    .hex("Instruction", sample.instruction)
                    .number("Count", sample.count)
                    .id("Priority", sample.priority());
                if let Some(mode) = sample.mode() {
                    pairs.word("Mode", mode);
                }
            }
            Self::Counter(sample) => {
                pairs
                    .hex("Instruction", sample.instruction)
                    .id("Source", sample.source);
            }
            Self::Interval(interval) => {
                pairs
                    .id("Source", interval.source)
                    .wide("Name", interval.name)
                    .number("Interval", interval.new)
                    .number("Old Interval", interval.old);
            }
            Self::SpinLocks(locks) => {
                pairs
                    .number("Spin Threshold", locks.spin_threshold)
                    .number("Contention Rate", locks.contention_rate)
                    .number("Acquire Rate", locks.acquire_rate);
                if let Some(threshold) = locks.hold_threshold {
                    pairs.number("Hold Threshold", threshold);
                }
            }
            Self::SystemCallEnter(address) => {
                pairs.hex("Address", *address);
            }
            Self::SystemCallExit(status) => {
                pairs.hex("Status", *status);
            }
            Self::Interrupt(interrupt) => {
                pairs.hex("Routine", interrupt.routine);
                if let Some(vector) = interrupt.vector {
                    pairs.id("Vector", vector);
                }
                pairs.id("Returned", interrupt.returned);
                if let Some(message) = interrupt.message {
                    pairs.id("Message", message);
                }
            }
            Self::Dpc(dpc) => {
                pairs.hex("Routine", dpc.routine);
            }
            Self::Mark(text) => {
                pairs.narrow("Text", *text);
            }
        }
    }
}

impl Sample {
    /// Whether the processor had nothing to do: the idle thread ran, and no DPC or ISR in it.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.tid == 0 && self.flags & 3 == 0
    }

    /// Priority of the thread.
    #[inline]
    pub fn priority(&self) -> u8 {
        self.flags >> 3
    }

    /// Whether a DPC or an ISR was interrupted.
    pub fn mode(&self) -> Option<&'static str> {
        match self.flags & 3 {
            0 => None,
            1 => Some("DPC"),
            2 => Some("ISR"),
            _ => Some("DPC, ISR"),
        }
    }
}

impl Interrupt {
    #[inline]
    fn parse(is_message: bool, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let initial_time = fields.i64()?;
        let routine = fields.ptr()?;
        let (returned, vector) = if version < 2 {
            (fields.u32()?, None)
        } else {
            (fields.u8()?.into(), Some(fields.u16()?))
        };
        // An old form of 32-bit systems ends before it.
        let _reserved = fields.u8();
        let message = if is_message {
            Some(fields.u32()?)
        } else {
            None
        };
        Some(Self {
            initial_time,
            routine,
            returned,
            vector,
            message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    #[test]
    fn samples() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(0xFFD0_3003).u32(3_780).u16(1);
            let (event, operation, detail) = decode!(ProfileEvent, 0x0F2E, 1, &made);
            let expected = Sample {
                instruction: 0xFFD0_3003,
                tid: 3_780,
                count: 1,
                flags: 0,
                rank: 0,
            };
            assert_eq!(event, ProfileEvent::Sample(expected));
            assert_eq!(operation, "Sampled Profile");
            assert_eq!(detail, "Instruction: 0xffd03003, Count: 1, Priority: 0");
            let made = made.u8(0x59).u8(3);
            let (event, _, detail) = decode!(ProfileEvent, 0x0F2E, 2, &made);
            let expected = Sample {
                flags: 0x59,
                rank: 3,
                ..expected
            };
            assert_eq!(event, ProfileEvent::Sample(expected));
            assert!(detail.ends_with("Priority: 11, Mode: DPC"), "{detail}");
            let made = Made::new(wide).ptr(16).u32(4).u16(7).u16(0);
            let (_, operation, detail) = decode!(ProfileEvent, 0x0F2F, 2, &made);
            assert_eq!(operation, "Counter Sample");
            assert_eq!(detail, "Instruction: 0x10, Source: 7");
        }
    }

    #[test]
    fn modes_of_samples() {
        let mode = |flags| {
            let sample = Sample {
                instruction: 0,
                tid: 0,
                count: 1,
                flags,
                rank: 0,
            };
            (sample.mode(), sample.is_idle())
        };
        let expected = [
            (None, true),
            (Some("DPC"), false),
            (Some("ISR"), false),
            (Some("DPC, ISR"), false),
        ];
        assert_eq!([0x58, 1, 2, 3].map(mode), expected);
    }

    #[test]
    fn intervals_and_settings() {
        let made = Made::new(true).u32(0).u32(10_000).u32(1_221);
        for (hook, name) in [
            (0x0F48, "Set Profile Interval"),
            (0x0F49, "Profile Interval"),
            (0x0F4A, "Profile Interval"),
        ] {
            let (_, operation, detail) = decode!(ProfileEvent, hook, 2, &made);
            assert_eq!(operation, name);
            assert_eq!(detail, "Source: 0, Interval: 10,000, Old Interval: 1,221");
        }
        let (_, _, detail) = decode!(ProfileEvent, 0x0F49, 3, &made.wide("Timer"));
        assert_eq!(
            detail,
            "Source: 0, Name: Timer, Interval: 10,000, Old Interval: 1,221"
        );
        let made = Made::new(true).u32(1).u32(2).u32(1_000);
        let (_, operation, detail) = decode!(ProfileEvent, 0x0F4B, 2, &made);
        assert_eq!(operation, "Spinlock Settings");
        let expected = "Spin Threshold: 1, Contention Rate: 2, Acquire Rate: 1,000";
        assert_eq!(detail, expected);
        let (_, _, detail) = decode!(ProfileEvent, 0x0F4B, 3, &made.u32(4));
        assert_eq!(detail, format!("{expected}, Hold Threshold: 4"));
    }

    #[test]
    fn interrupts() {
        for wide in [true, false] {
            let start = || Made::new(wide).u64(5_000).ptr(0x8B8C_A90E);
            let made = start().u8(1).u16(176).u8(0);
            let (event, operation, detail) = decode!(ProfileEvent, 0x0F43, 2, &made);
            let expected = Interrupt {
                initial_time: 5_000,
                routine: 0x8B8C_A90E,
                returned: 1,
                vector: Some(176),
                message: None,
            };
            assert_eq!(event, ProfileEvent::Interrupt(expected));
            assert_eq!(operation, "ISR");
            assert_eq!(detail, "Routine: 0x8b8ca90e, Vector: 176, Returned: 1");
            let made = made.u32(9);
            let (_, _, detail) = decode!(ProfileEvent, 0x0F32, 2, &made);
            let expected = "Routine: 0x8b8ca90e, Vector: 176, Returned: 1, Message: 9";
            assert_eq!(detail, expected);
            // Without the reserved byte, and the form before Vista.
            decode!(ProfileEvent, 0x0F43, 2, &start().u8(1).u16(176));
            let (_, _, detail) = decode!(ProfileEvent, 0x0F43, 1, &start().u32(1));
            assert_eq!(detail, "Routine: 0x8b8ca90e, Returned: 1");
            for (hook, name) in [
                (0x0F42, "Threaded DPC"),
                (0x0F44, "DPC"),
                (0x0F45, "Timer DPC"),
            ] {
                let (_, operation, detail) = decode!(ProfileEvent, hook, 2, &start());
                assert_eq!((operation, &*detail), (name, "Routine: 0x8b8ca90e"));
            }
        }
    }

    #[test]
    fn system_calls_and_marks() {
        let made = Made::new(false).ptr(0x82A7_874F);
        let (_, operation, detail) = decode!(ProfileEvent, 0x0F33, 2, &made);
        assert_eq!(operation, "System Call Enter");
        assert_eq!(detail, "Address: 0x82a7874f");
        let made = Made::new(true).u32(0xC000_0022);
        let (_, operation, detail) = decode!(ProfileEvent, 0x0F34, 2, &made);
        assert_eq!(operation, "System Call Exit");
        assert_eq!(detail, "Status: 0xc0000022");
        let made = Made::new(true).narrow("Début");
        let (_, operation, detail) = decode!(ProfileEvent, 0x0F22, 0, &made);
        assert_eq!((operation, &*detail), ("Mark", "Text: Début"));
        assert_eq!(ProfileEvent::parse(0x0F47, 2, &mut made.fields()), None);
    }
}
