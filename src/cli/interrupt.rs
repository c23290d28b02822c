//! Ctrl-C, and being told to end: no temporary file stays, and the status says so.

use crate::stop;
use std::thread::sleep;
use std::time::Duration;

/// Exit status of a run that was stopped: that of shells for Ctrl-C.
pub const STOPPED: u8 = 130;

/// Time in which the work may end by itself. It asks between units of milliseconds; where it does not get to that
/// (a sheet being packed, a large log being read), it is cut off.
const GRACE: Duration = Duration::from_millis(500);

/// Catches Ctrl-C, and on Unix `SIGTERM` and `SIGHUP`, on Windows the closing of the console.
///
/// Where the parent chose to ignore these (`nohup`), they stay ignored.
pub fn catch() {
    // A second call in one process (tests) finds the first handler in place.
    let _ = ctrlc::try_set_handler(|| {
        stop::request();
        sleep(GRACE);
        stop::remove_all();
        std::process::exit(i32::from(STOPPED));
    });
}
