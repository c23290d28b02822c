//! Kernel group masks: which kernel events a session recorded.
//!
//! A session notes its masks after each change (hook 0x0005) and before it (hook 0x0020). Their union
//! tells "the registry was not recorded" from "nothing happened in the registry".

use super::layout::group_masks as at;
use crate::bytes::u32_at;

/// Eight words of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupMasks {
    /// The words.
    pub words: [u32; at::WORDS],
}

/// A flag of the kernel logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelFlag {
    /// Which word it stands in.
    pub word: usize,
    /// Its bit.
    pub bit: u32,
    /// Name.
    pub name: &'static str,
}

const fn flag(word: usize, bit: u32, name: &'static str) -> KernelFlag {
    KernelFlag { word, bit, name }
}

/// Registry operations.
pub const REGISTRY: KernelFlag = flag(0, 0x0002_0000, "registry");
/// Ends of file operations, with their status.
pub const FILE_IO: KernelFlag = flag(0, 0x0200_0000, "file I/O");
/// File operations.
pub const FILE_IO_INIT: KernelFlag = flag(0, 0x0400_0000, "file I/O init");
/// Starts of minifilter callbacks.
pub const MINIFILTER_INIT: KernelFlag = flag(4, 0x0008_0000, "minifilter init");
/// Ends of minifilter callbacks, with their duration.
pub const MINIFILTER: KernelFlag = flag(4, 0x0010_0000, "minifilter");
/// Minifilter callbacks of fast I/O.
pub const MINIFILTER_FAST_IO: KernelFlag = flag(4, 0x0020_0000, "minifilter fast I/O");
/// Minifilter callbacks that refuse.
pub const MINIFILTER_FAILURE: KernelFlag = flag(4, 0x0040_0000, "minifilter failure");
/// Image loads.
pub const IMAGE: KernelFlag = flag(0, 0x4, "image");
/// Processor samples.
pub const PROFILE: KernelFlag = flag(1, 0x2, "sampled profile");

/// Flags with a name, by word and bit. Names are those of the public descriptions.
pub const FLAGS: &[KernelFlag] = &[
    flag(0, 0x1, "process"),
    flag(0, 0x2, "thread"),
    IMAGE,
    flag(0, 0x8, "process counters"),
    flag(0, 0x10, "context switch"),
    flag(0, 0x20, "DPC"),
    flag(0, 0x40, "interrupt"),
    flag(0, 0x80, "system call"),
    flag(0, 0x100, "disk I/O"),
    flag(0, 0x200, "disk file names"),
    flag(0, 0x400, "disk I/O init"),
    flag(0, 0x800, "dispatcher"),
    flag(0, 0x1000, "page faults"),
    flag(0, 0x2000, "hard faults"),
    flag(0, 0x4000, "virtual alloc"),
    flag(0, 0x8000, "map file"),
    flag(0, 0x1_0000, "network"),
    REGISTRY,
    flag(0, 0x8_0000, "job"),
    flag(0, 0x10_0000, "ALPC"),
    flag(0, 0x20_0000, "split I/O"),
    flag(0, 0x80_0000, "driver"),
    FILE_IO,
    FILE_IO_INIT,
    flag(1, 0x1, "memory"),
    PROFILE,
    flag(1, 0x40, "pool"),
    flag(1, 0x2000, "priority"),
    flag(1, 0x1_0000, "spinlock"),
    flag(2, 0x40, "system call"),
    flag(2, 0x4000, "prefetch"),
    flag(2, 0x1_0000, "CPU configuration"),
    flag(2, 0x0100_0000, "registry hive"),
    flag(2, 0x0200_0000, "registry notification"),
    flag(4, 0x1, "optical I/O"),
    flag(4, 0x2, "optical I/O init"),
    flag(4, 0x40, "object handle"),
    flag(4, 0x80, "object lifetime"),
    MINIFILTER_INIT,
    MINIFILTER,
    MINIFILTER_FAST_IO,
    MINIFILTER_FAILURE,
];

impl GroupMasks {
    /// Reads the masks from a payload of hook 0x0005 or 0x0020, and the version of the kernel's events.
    pub fn parse(payload: &[u8]) -> Option<(Self, u32)> {
        let payload = payload.get(..at::SIZE)?;
        let mut words = [0; at::WORDS];
        for (n, word) in words.iter_mut().enumerate() {
            *word = u32_at(payload, n * 4)?;
        }
        Some((Self { words }, u32_at(payload, at::EVENT_VERSION)?))
    }

    /// Adds the flags of `other`.
    pub fn add(&mut self, other: Self) {
        for (word, more) in self.words.iter_mut().zip(other.words) {
            *word |= more;
        }
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: KernelFlag) -> bool {
        self.words
            .get(flag.word)
            .is_some_and(|word| word & flag.bit != 0)
    }

    /// Whether minifilter callbacks are recorded.
    pub fn has_minifilter(&self) -> bool {
        [
            MINIFILTER_INIT,
            MINIFILTER,
            MINIFILTER_FAST_IO,
            MINIFILTER_FAILURE,
        ]
        .into_iter()
        .any(|flag| self.has(flag))
    }

    /// Names of the flags that are set, and how many bits have none. The last word tells which groups
    /// of the system configuration to leave out, and is not counted.
    pub fn names(&self) -> (Vec<&'static str>, u32) {
        let set: Vec<&KernelFlag> = FLAGS.iter().filter(|flag| self.has(**flag)).collect();
        let bits: u32 = self.words[..6].iter().map(|word| word.count_ones()).sum();
        let names = set.iter().map(|flag| flag.name).collect();
        (names, bits.saturating_sub(set.len() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_a_real_trace() {
        // A PerfView session: process, thread, image, counters, disk, network, hard faults, profile.
        let mut payload = [0; at::SIZE];
        payload[..8].copy_from_slice(&[0x0F, 0x27, 0x01, 0, 2, 0, 0, 0]);
        payload[32] = 42;
        let (masks, version) = GroupMasks::parse(&payload).unwrap();
        assert_eq!(version, 42);
        assert!(masks.has(PROFILE) && !masks.has(REGISTRY) && !masks.has_minifilter());
        let (names, unknown) = masks.names();
        assert_eq!(names[0], "process");
        assert_eq!((names.len(), unknown), (10, 0));
        let mut all = GroupMasks::default();
        all.add(masks);
        all.add(GroupMasks {
            words: [0, 0, 0, 0, 0x0048_0000, 0, 0, 0],
        });
        assert!(all.has_minifilter() && all.has(PROFILE));
        assert_eq!(GroupMasks::parse(&payload[..35]), None);
    }
}
