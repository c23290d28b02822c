//! Work on all units of a trace: side by side, results in order.

use super::room::{UNIT, room_for};
use super::source::Trace;
use crate::stop;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

/// Called with the number of units done, in order.
pub type Tick<'a> = &'a (dyn Fn(u64) + Sync);

/// Told of passes over a trace, so that somebody waiting sees them.
pub trait Progress: Sync {
    /// A pass over `trace` begins; what is returned hears of each unit done and ends the pass when dropped.
    fn phase<'a>(&'a self, name: &str, trace: &dyn Trace) -> Box<dyn Fn(u64) + Sync + 'a>;
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase<'a>(&'a self, _: &str, _: &dyn Trace) -> Box<dyn Fn(u64) + Sync + 'a> {
        Box::new(|_| ())
    }
}

/// Number of threads for [`for_each_unit`] where it does not run in a pool of its own; 0 while nobody has set it.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads of the process.
pub fn set_threads(threads: NonZero<usize>) {
    THREADS.store(threads.get(), Ordering::Relaxed);
    // A second call in one process (tests) keeps the first pool: the result is the same.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build_global();
}

/// How many threads there are to work with. The pool would know as well, but to ask it starts it, and most runs never
/// need it.
pub fn threads() -> usize {
    if rayon::current_thread_index().is_some() {
        return rayon::current_num_threads();
    }
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
            THREADS.store(threads, Ordering::Relaxed);
            threads
        }
        threads => threads,
    }
}

/// Runs `work` on every unit in `units` on all threads and hands the results to `take`, in order.
///
/// A thread that is done takes the next unit at once, unless it would get too far ahead of `take`: a
/// few units a thread are in flight at most, fewer under a cap ([`super::room`]). So memory is bounded, and
/// what `take` sees does not depend on the number of threads.
///
/// # Errors
/// The first error of `work` (by unit) or of `take`, or [`stop::Stopped`]; nothing after it is taken.
pub fn for_each_unit<R: Send>(
    units: Range<usize>,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    mut take: impl FnMut(R) -> io::Result<()>,
) -> io::Result<()> {
    let threads = threads().min(units.len());
    let room = room_for(threads * UNITS_PER_THREAD, UNIT);
    let threads = threads.min(room);
    if threads <= 1 {
        for unit in units {
            stop::check()?;
            take(work(unit)?)?;
            tick(1);
        }
        return Ok(());
    }
    let line = Line::new(units.start, room);
    let next = AtomicUsize::new(units.start);
    let (results, arrived) = mpsc::channel();
    std::thread::scope(|scope| {
        let _stop = StopOnPanic(&line);
        for _ in 0..threads {
            let (results, line, next, work) = (results.clone(), &line, &next, &work);
            scope.spawn(move || {
                let _stop = StopOnPanic(line);
                loop {
                    let unit = next.fetch_add(1, Ordering::Relaxed);
                    if unit >= units.end || !line.wait_for(unit) {
                        return;
                    }
                    if results.send((unit, work(unit))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        let outcome = in_order(units.start, &arrived, |result| {
            stop::check()?;
            take(result?)?;
            line.taken();
            tick(1);
            Ok(())
        });
        // Whoever waits for room would wait for ever.
        line.stop();
        outcome
    })
}

/// Units a thread may be ahead of the one that is taken next: enough that a slow one stops nobody.
const UNITS_PER_THREAD: usize = 2;

/// Takes results in the order of their units, whatever order they arrive in.
fn in_order<R>(
    first: usize,
    arrived: &mpsc::Receiver<(usize, R)>,
    mut take: impl FnMut(R) -> io::Result<()>,
) -> io::Result<()> {
    let mut early = BTreeMap::new();
    let mut expected = first;
    for (unit, result) in arrived {
        early.insert(unit, result);
        while let Some(result) = early.remove(&expected) {
            take(result)?;
            expected += 1;
        }
    }
    Ok(())
}

/// How far the results have been taken, and who waits for room.
struct Line {
    /// The unit that is taken next; `None` once nothing more is.
    next: Mutex<Option<usize>>,
    moved: Condvar,
    room: usize,
}

impl Line {
    fn new(first: usize, room: usize) -> Self {
        Self {
            next: Mutex::new(Some(first)),
            moved: Condvar::new(),
            room,
        }
    }

    /// Waits until `unit` is near enough; whether it is still wanted.
    fn wait_for(&self, unit: usize) -> bool {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let near = self
            .moved
            .wait_while(next, |next| {
                next.is_some_and(|next| unit >= next + self.room)
            })
            .unwrap_or_else(PoisonError::into_inner);
        near.is_some()
    }

    fn set(&self, change: impl FnOnce(&mut Option<usize>)) {
        change(&mut self.next.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }

    fn taken(&self) {
        self.set(|next| *next = next.map(|next| next + 1));
    }

    fn stop(&self) {
        self.set(|next| *next = None);
    }
}

/// Lets nobody wait for a unit that a panic has taken away.
struct StopOnPanic<'a>(&'a Line);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Runs `work`, which is parallel in itself, on one item after the other, while `take` gets the result before it.
///
/// # Errors
/// As [`for_each_unit`].
pub fn for_each_in_turn<R: Send>(
    items: Range<usize>,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    mut take: impl FnMut(R) -> io::Result<()> + Send,
) -> io::Result<()> {
    let mut made = None;
    for item in items {
        stop::check()?;
        let before = made.take();
        let (taken, result) = rayon::join(|| before.map_or(Ok(()), &mut take), || work(item));
        taken?;
        made = Some(result?);
        tick(1);
    }
    made.map_or(Ok(()), take)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn order_and_errors_do_not_depend_on_the_threads() {
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let ticks = AtomicU64::new(0);
                let mut seen = Vec::new();
                let result = for_each_unit(
                    0..1000,
                    &|n| {
                        ticks.fetch_add(n, Ordering::Relaxed);
                    },
                    |unit| {
                        if unit == 777 {
                            Err(io::Error::other("777"))
                        } else {
                            Ok(unit)
                        }
                    },
                    |unit| {
                        seen.push(unit);
                        Ok(())
                    },
                );
                assert_eq!(result.unwrap_err().to_string(), "777");
                assert_eq!(seen, (0..777).collect::<Vec<_>>());
                for_each_unit(0..0, &|_| (), Ok, |_| Ok(())).unwrap();
                let mut in_turn = Vec::new();
                let refused = for_each_in_turn(0..9, &|_| (), Ok, |item| {
                    in_turn.push(item);
                    if item == 5 {
                        Err(io::Error::other("full"))
                    } else {
                        Ok(())
                    }
                });
                assert_eq!(refused.unwrap_err().to_string(), "full");
                assert_eq!(in_turn, (0..6).collect::<Vec<_>>());
            });
        }
    }

    #[test]
    fn a_panic_on_either_side_ends_the_run() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        pool.install(|| {
            let worker = std::panic::catch_unwind(|| {
                for_each_unit(
                    0..100,
                    &|_| (),
                    |unit| {
                        assert_ne!(unit, 50);
                        Ok(())
                    },
                    |()| Ok(()),
                )
            });
            assert!(worker.is_err());
            let taker = std::panic::catch_unwind(|| {
                for_each_unit(0..100, &|_| (), Ok, |unit| {
                    assert_ne!(unit, 50);
                    Ok(())
                })
            });
            assert!(taker.is_err());
        });
    }
}
