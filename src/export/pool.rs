//! Buffers that go round: taken by a worker, given back by the writer.
//!
//! A unit of rows takes a megabyte or two. Without this every one of them is mapped, touched and
//! unmapped anew, which costs as much as rendering it.

use std::sync::{Mutex, PoisonError};

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T: Default> Pool<T> {
    /// A used buffer, or a new one. What it holds is for the caller to clear.
    pub fn take(&self) -> T {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    /// Gives a buffer back.
    pub fn give(&self, buffer: T) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }
}
