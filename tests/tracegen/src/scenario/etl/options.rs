//! How a case is recorded.

use crate::etl::ClockType;

/// How call stacks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stacks {
    /// Not at all.
    None,
    /// In full behind each event.
    Plain,
    /// By key, defined when the key ends or at the end of the trace.
    #[default]
    Keyed,
}

/// Which minifilter events are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callbacks {
    /// Starts.
    pub init: bool,
    /// Ends.
    pub completion: bool,
    /// Failures.
    pub failure: bool,
}

/// Options of a recorded case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EtlOptions {
    /// Compressed buffers.
    pub compressed: bool,
    /// Bytes of a buffer.
    pub buffer_size: u32,
    /// Call stacks.
    pub stacks: Stacks,
    /// Minifilter events.
    pub callbacks: Callbacks,
    /// False: the machine died, so there is no end time, no end rundown, and no merge tool was run.
    pub finalised: bool,
    /// The slow operations are slow in a callback; false: in the file system.
    pub slow_callbacks: bool,
    /// Layouts of file operations, 2 or 3.
    pub file_io_version: u8,
    /// Which clock.
    pub clock: ClockType,
    /// Ticks a second of the performance counter.
    pub frequency: u64,
    /// Context switches, samples and handles.
    pub background: bool,
    /// Every record keeps its meaning in words, for the dump.
    pub meaning: bool,
}

impl Default for EtlOptions {
    /// Everything is recorded, and merged as WPR does.
    fn default() -> Self {
        Self {
            compressed: false,
            buffer_size: 65_536,
            stacks: Stacks::default(),
            callbacks: Callbacks {
                init: true,
                completion: true,
                failure: true,
            },
            finalised: true,
            slow_callbacks: true,
            file_io_version: 3,
            clock: ClockType::Qpc,
            frequency: 10_000_000,
            background: true,
            meaning: false,
        }
    }
}

impl EtlOptions {
    /// Words that [`EtlOptions::set`] knows.
    pub const WORDS: &'static [&'static str] = &[
        "compressed",
        "small-buffers",
        "plain-stacks",
        "no-stacks",
        "no-init",
        "no-completion",
        "no-failure",
        "no-callbacks",
        "unfinalised",
        "fast-callbacks",
        "file-v2",
        "system-time",
        "cycles",
        "odd-frequency",
        "no-background",
    ];

    /// Sets the option of a word; false for an unknown word.
    pub fn set(&mut self, word: &str) -> bool {
        match word {
            "compressed" => self.compressed = true,
            "small-buffers" => self.buffer_size = 4_096,
            "plain-stacks" => self.stacks = Stacks::Plain,
            "no-stacks" => self.stacks = Stacks::None,
            "no-init" => self.callbacks.init = false,
            "no-completion" => self.callbacks.completion = false,
            "no-failure" => self.callbacks.failure = false,
            "no-callbacks" => {
                self.callbacks = Callbacks {
                    init: false,
                    completion: false,
                    failure: false,
                };
            }
            "unfinalised" => self.finalised = false,
            "fast-callbacks" => self.slow_callbacks = false,
            "file-v2" => self.file_io_version = 2,
            "system-time" => self.clock = ClockType::SystemTime,
            "cycles" => self.clock = ClockType::Cycles,
            "odd-frequency" => self.frequency = 2_337_949,
            "no-background" => self.background = false,
            _ => return false,
        }
        true
    }
}
