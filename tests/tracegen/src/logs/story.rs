//! What happened to an update, and when.

use crate::scenario::START;

/// Which servicing stack writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Windows {
    /// Windows Vista: codes as `hr: 0x…`.
    Vista,
    /// Windows 7: no line with the universal time.
    Seven,
    /// Windows 8.1.
    EightOne,
    /// Windows 10, and 11 up to 23H2.
    #[default]
    Ten,
    /// Windows 11 24H2 and later: shorter sentences, codes behind a colon.
    Eleven,
}

/// Where the driver operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// In the shutdown before a boot.
    Shutdown,
    /// In the boot.
    #[default]
    Startup,
}

/// An update whose driver operations fail, or do not. All times are FILETIMEs in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Which servicing stack writes.
    pub windows: Windows,
    /// When the kernel of the boot started in which the operations run, or that follows the shutdown they run in.
    pub boot: u64,
    /// When the driver operation queue starts; `None` leaves out the lines that say so.
    pub queue: Option<u64>,
    /// When it fails; where it does not, when it ends.
    pub failure: u64,
    /// When the rollback is over; `None` cuts the logs before.
    pub rollback_end: Option<u64>,
    /// Where the operations run.
    pub phase: Phase,
    /// The INF that fails.
    pub inf: String,
    /// Hash in the name of its package folder, 16 hexadecimal digits.
    pub hash: String,
    /// Win32 error; 0: nothing fails.
    pub error: u32,
    /// Its name as the log has it.
    pub error_name: String,
    /// The package of the update.
    pub package: String,
    /// The operations are undone only to be tried again.
    pub temporary: bool,
}

impl Default for Story {
    /// `oposdrv.inf` fails with 1009 in a boot at [`START`].
    fn default() -> Self {
        const SECOND: u64 = 10_000_000;
        Self {
            windows: Windows::Ten,
            boot: START,
            queue: Some(START + 41 * SECOND),
            failure: START + 64 * SECOND,
            rollback_end: Some(START + 84 * SECOND),
            phase: Phase::Startup,
            inf: "oposdrv.inf".into(),
            hash: "5f2c6d1e8a9b7c34".into(),
            error: 1_009,
            error_name: "ERROR_BADDB".into(),
            package: "Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.4412.1.7".into(),
            temporary: false,
        }
    }
}

impl Story {
    /// `0x800703f1`
    pub fn hresult(&self) -> String {
        format!("0x{:08x}", self.hresult_number())
    }

    /// The error as HRESULT.
    pub fn hresult_number(&self) -> u32 {
        match self.error {
            0 => 0,
            error => 0x8007_0000 | error,
        }
    }

    /// `oposdrv.inf_amd64_5f2c6d1e8a9b7c34`
    pub fn package_folder(&self) -> String {
        format!("{}_amd64_{}", self.inf, self.hash)
    }

    /// Whether the queue fails.
    pub fn fails(&self) -> bool {
        self.error != 0
    }

    /// The end of a sentence about a failure: ` [HRESULT = 0x800703f1 - ERROR_BADDB]`.
    pub(super) fn code(&self) -> String {
        let (code, name) = (self.hresult(), &self.error_name);
        match self.windows {
            Windows::Vista => format!(" hr: {code}"),
            Windows::Eleven => format!(": HRESULT_FROM_WIN32({})", self.error),
            _ => format!(" [HRESULT = {code} - {name}]"),
        }
    }
}
