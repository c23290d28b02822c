//! Names that traces bring along and that a table repeats in many rows: events and providers.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Names that are kept, and characters of one. Real traces have some thousands.
const MOST: usize = 1 << 16;
const LONGEST: usize = 256;

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// The same name for as long as the program runs: names are never given back, so their number is bounded. `other` stands
/// for those that find no room or are no names.
pub fn lasting(name: &str, other: &'static str) -> &'static str {
    if name.is_empty() || name.len() > LONGEST {
        return other;
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= MOST {
        return other;
    }
    let kept: &'static str = Box::leak(name.into());
    names.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let first = lasting("Session/Start", "Event");
        let again = lasting(&String::from("Session/Start"), "Event");
        assert!(std::ptr::eq(first, again));
        assert_eq!(lasting("", "Event"), "Event");
        assert_eq!(lasting(&"x".repeat(300), "Event"), "Event");
    }
}
