//! Stacks (hooks 0x1820 to 0x1826).
//!
//! A stack follows the event it belongs to: the same raw time stamp and thread join them. It comes as a
//! whole, or as a reference to a key whose frames the trace defines once. Keys are used again: the right
//! definition is the first deletion or rundown of the key at or after the reference.

use super::Fields;
use super::pairs::Pairs;
use crate::bytes::ptr_at;

/// Addresses of a stack, innermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    wide: bool,
}

impl<'a> Frames<'a> {
    /// All whole pointers that are left.
    #[inline]
    fn parse(fields: &mut Fields<'a>) -> Option<Self> {
        let wide = fields.wide();
        let width = width(wide);
        let len = fields.rest().len() / width * width;
        let bytes = fields.bytes(len)?;
        Some(Self { bytes, wide })
    }

    /// How many.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() / width(self.wide)
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The addresses, innermost first. Frames of kernel and user mode may be mixed.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + use<'a> {
        let wide = self.wide;
        let frames = self.bytes.chunks_exact(width(wide));
        // Each chunk is one pointer, so the default is never taken.
        frames.map(move |frame| ptr_at(frame, 0, wide).unwrap_or_default())
    }
}

#[inline]
fn width(wide: bool) -> usize {
    if wide { 8 } else { 4 }
}

/// A stack of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack<'a> {
    /// Time stamp of the event, in ticks of the trace's clock.
    pub event_time: i64,
    /// Process of the event.
    pub pid: u32,
    /// Thread of the event.
    pub tid: u32,
    /// The frames: those of kernel mode and those of user mode may come as two stacks.
    pub frames: Frames<'a>,
}

/// When a key is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyDefinition {
    /// From now on (not met in real files).
    Create,
    /// Up to now.
    Delete,
    /// Up to now, which is the end of the session.
    Rundown,
}

/// The frames of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackKey<'a> {
    /// When.
    pub definition: KeyDefinition,
    /// The key.
    pub key: u64,
    /// The frames.
    pub frames: Frames<'a>,
}

/// A part of an event's stack, by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackReference {
    /// Whether it is the user-mode part. The kernel-mode part is a record of its own.
    pub user: bool,
    /// Time stamp of the event, in ticks of the trace's clock.
    pub event_time: i64,
    /// Process of the event.
    pub pid: u32,
    /// Thread of the event.
    pub tid: u32,
    /// The key of the frames.
    pub key: u64,
}

/// An event of stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackEvent<'a> {
    /// 0x1820.
    Stack(Stack<'a>),
    /// 0x1822 to 0x1824.
    Key(StackKey<'a>),
    /// 0x1825 and 0x1826.
    Reference(StackReference),
}

impl<'a> StackEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early. All
    /// versions are alike.
    #[inline]
    pub fn parse(hook: u16, _version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let definition = match hook {
            0x1820 => {
                return Some(Self::Stack(Stack {
                    event_time: fields.i64()?,
                    pid: fields.u32()?,
                    tid: fields.u32()?,
                    frames: Frames::parse(fields)?,
                }));
            }
            0x1825 | 0x1826 => {
                return Some(Self::Reference(StackReference {
                    user: hook == 0x1826,
                    event_time: fields.i64()?,
                    pid: fields.u32()?,
                    tid: fields.u32()?,
                    key: fields.ptr()?,
                }));
            }
            0x1822 => KeyDefinition::Create,
            0x1823 => KeyDefinition::Delete,
            0x1824 => KeyDefinition::Rundown,
            _ => return None,
        };
        Some(Self::Key(StackKey {
            definition,
            key: fields.ptr()?,
            frames: Frames::parse(fields)?,
        }))
    }

    /// Name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Stack(_) => "Stack",
            Self::Key(_) => "Stack Key",
            Self::Reference(_) => "Stack Reference",
        }
    }

    /// Appends what the event says, without the addresses.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        match self {
            Self::Stack(stack) => pairs
                .id("Event Ticks", stack.event_time.cast_unsigned())
                .id("PID", stack.pid)
                .id("Thread ID", stack.tid)
                .number("Frames", stack.frames.len() as u64),
            Self::Key(key) => pairs
                .hex("Key", key.key)
                .word(
                    "Definition",
                    match key.definition {
                        KeyDefinition::Create => "Create",
                        KeyDefinition::Delete => "Delete",
                        KeyDefinition::Rundown => "Rundown",
                    },
                )
                .number("Frames", key.frames.len() as u64),
            Self::Reference(reference) => pairs
                .id("Event Ticks", reference.event_time.cast_unsigned())
                .id("PID", reference.pid)
                .id("Thread ID", reference.tid)
                .hex("Key", reference.key)
                .word("Mode", if reference.user { "User" } else { "Kernel" }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    #[test]
    fn frames_of_both_pointer_sizes() {
        for wide in [true, false] {
            let made = Made::new(wide).u64(5_000).u32(4).u32(9);
            let made = made.ptr(0x8290_1234).ptr(0x7712_0000);
            let (event, operation, detail) = decode!(StackEvent, 0x1820, 2, &made);
            let StackEvent::Stack(stack) = event else {
                panic!("{event:?}");
            };
            assert_eq!((stack.event_time, stack.pid, stack.tid), (5_000, 4, 9));
            assert_eq!((stack.frames.len(), stack.frames.is_empty()), (2, false));
            let frames: Vec<u64> = stack.frames.iter().collect();
            assert_eq!(frames, [0x8290_1234, 0x7712_0000]);
            assert_eq!(stack.frames.iter().next_back(), Some(0x7712_0000));
            assert_eq!(operation, "Stack");
            assert_eq!(detail, "Event Ticks: 5000, PID: 4, Thread ID: 9, Frames: 2");
        }
    }

    #[test]
    fn half_a_frame_is_left() {
        for wide in [true, false] {
            let made = Made::new(wide).ptr(7).ptr(8).raw(&[1, 2, 3]);
            let mut fields = made.fields();
            let event = StackEvent::parse(0x1824, 2, &mut fields).unwrap();
            assert!(matches!(event, StackEvent::Key(key) if key.frames.iter().eq([8])));
            assert_eq!(fields.rest(), [1, 2, 3]);
        }
        let made = Made::new(true).u64(1).u32(2).u32(3);
        let (event, _, _) = decode!(StackEvent, 0x1820, 2, &made);
        assert!(matches!(event, StackEvent::Stack(stack) if stack.frames.is_empty()));
    }

    #[test]
    fn keys_and_references() {
        let made = Made::new(true).ptr(0xFFFF_FA83_033E_DB10).ptr(1);
        for (hook, definition) in [(0x1822, "Create"), (0x1823, "Delete"), (0x1824, "Rundown")] {
            let (_, operation, detail) = decode!(StackEvent, hook, 2, &made);
            assert_eq!(operation, "Stack Key");
            let expected = format!("Key: 0xfffffa83033edb10, Definition: {definition}, Frames: 1");
            assert_eq!(detail, expected);
        }
        let made = Made::new(false).u64(7).u32(4).u32(9).ptr(0x10);
        let (event, operation, detail) = decode!(StackEvent, 0x1826, 2, &made);
        assert!(matches!(event, StackEvent::Reference(reference) if reference.user));
        assert_eq!(operation, "Stack Reference");
        assert_eq!(
            detail,
            "Event Ticks: 7, PID: 4, Thread ID: 9, Key: 0x10, Mode: User"
        );
        let (event, _, _) = decode!(StackEvent, 0x1825, 2, &made);
        assert!(matches!(event, StackEvent::Reference(reference) if !reference.user));
        assert_eq!(StackEvent::parse(0x1821, 2, &mut made.fields()), None);
    }
}
