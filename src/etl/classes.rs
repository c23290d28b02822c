//! Classes of kernel events.

use crate::trace::Class;

/// The class of a kernel event.
#[inline]
pub fn class_of(hook: u16) -> Class {
    match hook {
        0x0460..=0x0465 => Class::Minifilter,
        0x0501..=0x0504 | 0x0548 => Class::Process,
        _ => match hook >> 8 {
            0x03 | 0x14 => Class::Process,
            0x04 => Class::FileSystem,
            0x06 | 0x08 => Class::Network,
            0x09 => Class::Registry,
            0x0F => Class::Profiling,
            _ => Class::Kernel,
        },
    }
}

/// Whether an event only tells a name: that of a file key or a KCB, or what is mapped. It is no operation.
#[inline]
pub fn tells_names(hook: u16) -> bool {
    matches!(hook, 0x0400..=0x0428 | 0x0916..=0x0919)
}
