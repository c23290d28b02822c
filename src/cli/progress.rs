//! Progress bars on stderr, on a terminal only.

use crate::trace::{Progress, Trace};
use crate::visible::visible;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Shows a bar for each pass, unless told to be quiet or stderr is no terminal.
pub struct Bars {
    quiet: bool,
}

impl Bars {
    /// Bars, or none.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A bar over `units` steps; it goes away when dropped.
    pub fn bar(&self, message: String, units: u64) -> Bar {
        // indicatif draws nothing where stderr is no terminal.
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let message = visible(&message).into_owned();
        let bar = ProgressBar::with_draw_target(Some(units), target).with_message(message);
        if units == 0 {
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.enable_steady_tick(Duration::from_millis(100));
        } else {
            bar.set_style(
                ProgressStyle::with_template("{msg:40} {bar:30} {percent:>3}% {eta}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
        }
        Bar(bar)
    }
}

/// One bar.
pub struct Bar(ProgressBar);

impl Bar {
    /// Counts units that are done.
    pub fn tick(&self, units: u64) {
        self.0.inc(units);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bars {
    fn phase<'a>(&'a self, name: &str, trace: &dyn Trace) -> Box<dyn Fn(u64) + Sync + 'a> {
        let file = trace.info().path.file_name().unwrap_or_default();
        let bar = self.bar(
            format!("{name}, {}", file.to_string_lossy()),
            trace.units() as u64,
        );
        Box::new(move |units| bar.tick(units))
    }
}
