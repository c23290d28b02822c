//! When servicing was at work: the window of an analysis and what places it.

pub mod cbs;
pub mod code;
mod local_time;
mod mark;
pub mod setupapi;
pub mod update_client;
mod window;

pub use local_time::LocalTime;
pub use mark::{LineRef, Mark};
pub use window::{ServicingSpan, UserWindow, servicing_span};

/// Processes that service Windows: they install updates, so what happens to them happens to the update.
const SERVICING: [&str; 6] = [
    "TrustedInstaller.exe",
    "TiWorker.exe",
    "poqexec.exe",
    "drvinst.exe",
    "wusa.exe",
    "DismHost.exe",
];

/// Whether a process of this name services Windows.
pub fn is_servicing_process(name: &str) -> bool {
    SERVICING
        .iter()
        .any(|servicing| servicing.eq_ignore_ascii_case(name))
}
