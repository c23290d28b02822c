//! Calls into crates that may panic on damaged data or a full disk: the panic becomes an error.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it is `otherwise`, and nothing is printed of it.
///
/// What `work` was changing must be thrown away after an error.
///
/// # Errors
/// Those of `work`, and `otherwise`.
pub fn guarded<T>(
    work: impl FnOnce() -> io::Result<T>,
    otherwise: impl FnOnce() -> io::Error,
) -> io::Result<T> {
    silence_inside();
    let before = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(before);
    result.unwrap_or_else(|_| Err(otherwise()))
}

/// Lets panics pass without a word where they are caught; all others are told as before.
fn silence_inside() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                told(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let broken = || io::Error::other("broken");
        assert_eq!(guarded(|| Ok(1), broken).unwrap(), 1);
        let failed = guarded(|| -> io::Result<()> { panic!("deep inside") }, broken);
        assert_eq!(failed.unwrap_err().to_string(), "broken");
        assert!(!INSIDE.get());
    }
}
