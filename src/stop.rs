//! Ending early: the wish to stop, and what has to be removed before the process may end.
//!
//! Whoever works through many units asks [`check`] between them, so a run that is to stop ends as it would by an
//! error: maps are closed, folders removed. What is on disk for the time of the run stands in a list as well, for
//! the case that the work does not come to such a point in time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static LITTER: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What [`check`] fails with.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("stopped before the end")]
pub struct Stopped;

/// Asks everybody to stop.
pub fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// Whether everybody was asked to stop.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Asked between units of work.
///
/// # Errors
/// [`Stopped`], once it was asked for.
#[inline]
pub fn check() -> io::Result<()> {
    match is_requested() {
        true => Err(io::Error::other(Stopped)),
        false => Ok(()),
    }
}

/// A file or folder that must not outlive the process; it is in the list until this is dropped.
#[derive(Debug)]
pub struct Litter(PathBuf);

impl Litter {
    /// Makes a file or folder that goes when the process is stopped. `make` says where it is.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn make<T>(make: impl FnOnce() -> io::Result<(T, PathBuf)>) -> io::Result<(T, Self)> {
        // Made under the lock: nothing appears while `remove_all` is at work, nor after it.
        let mut litter = LITTER.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, path) = make()?;
        litter.push(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Litter {
    fn drop(&mut self) {
        let mut litter = LITTER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = litter.iter().position(|path| *path == self.0) {
            litter.swap_remove(at);
        }
    }
}

/// Removes all that is in the list and lets nothing new be made: only to be followed by the end of the process.
pub fn remove_all() {
    let litter = LITTER.lock().unwrap_or_else(PoisonError::into_inner);
    for path in litter.iter() {
        remove(path);
    }
    std::mem::forget(litter);
}

fn remove(path: &Path) {
    // A file that others still hold may be in the way of the first try, or made behind it.
    for _ in 0..2 {
        let _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
        if !path.exists() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_no_longer_in_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let listed = |path: &PathBuf| LITTER.lock().unwrap().contains(path);
        let make = || {
            fs::write(&path, "x")?;
            Ok(((), path.clone()))
        };
        let ((), litter) = Litter::make(make).unwrap();
        assert!(listed(&path));
        drop(litter);
        assert!(!listed(&path) && path.exists());
        let refused =
            Litter::make(|| -> io::Result<((), PathBuf)> { Err(io::Error::other(Stopped)) });
        assert!(refused.is_err());
        remove(&path);
        assert!(!path.exists());
        fs::create_dir_all(folder.path().join("d/e")).unwrap();
        remove(&folder.path().join("d"));
        assert!(!folder.path().join("d").exists());
    }
}
