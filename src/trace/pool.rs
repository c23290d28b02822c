//! What is used for one unit after the other: to make it anew each time takes as long as to fill it.

use std::sync::{Mutex, PoisonError};

/// Things that are not in use.
#[derive(Debug, Default)]
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T: Default> Pool<T> {
    /// A used one, or a new one. What it holds is for the caller to clear.
    pub fn take(&self) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pop().unwrap_or_default()
    }

    /// Gives one back.
    pub fn give(&self, one: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(one);
    }
}
