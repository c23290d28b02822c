//! What the targets share: a bound on memory, and files built around the bytes under test.
//!
//! A target that reads `n` bytes may have [`Budget`] in memory at a time: a fixed part and a multiple of `n`. What
//! goes beyond ends the run as a crash.

pub mod around;
pub mod case;
pub mod script;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CEILING: AtomicUsize = AtomicUsize::new(usize::MAX);
static TOLD: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn more(bytes: usize) {
    let now = IN_USE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
    if now > CEILING.load(Ordering::Relaxed) && !TOLD.swap(true, Ordering::Relaxed) {
        CEILING.store(usize::MAX, Ordering::Relaxed);
        // The panic is libFuzzer's crash, with the stack of who asked for the memory.
        panic!("{now} bytes are in use");
    }
}

fn less(bytes: usize) {
    IN_USE.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it is; the rest is counting.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        less(layout.size());
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        more(size);
        less(layout.size());
        unsafe { System.realloc(place, layout, size) }
    }
}

/// Memory that a target may use for an input.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes for any input.
    pub fixed: usize,
    /// Bytes a byte of input.
    pub per_byte: usize,
}

impl Budget {
    /// Runs `work` on `data`; more memory than the budget has at a time is a crash.
    pub fn spend(self, data: &[u8], work: impl FnOnce(&[u8])) {
        let before = IN_USE.load(Ordering::Relaxed);
        let room = self.fixed + self.per_byte * data.len();
        PEAK.store(before, Ordering::Relaxed);
        CEILING.store(before + room, Ordering::Relaxed);
        work(data);
        CEILING.store(usize::MAX, Ordering::Relaxed);
    }
}

/// The peak of the bytes in use since the last [`Budget::spend`] began.
pub fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}
