//! Work on all units of a trace: side by side, results in order.

use super::room::{UNIT, room_for};
use super::source::Trace;
use crate::stop;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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

/// Runs `work` on every unit in `units` on all threads and hands the results to `take`, in order: whoever has the result
/// that is next takes it, one at a time.
///
/// A thread that is done goes on with the next unit at once, unless it would get too far ahead of `take`: a
/// few units a thread are in flight at most, fewer under a cap ([`super::room`]). So memory is bounded, and
/// what `take` sees does not depend on the number of threads. No thread is woken to take, none beside the workers
/// competes for their cores, and what a unit became is still in the cache of the core that made it.
///
/// # Errors
/// The first error of `work` (by unit) or of `take`, or [`stop::Stopped`]; nothing after it is taken.
pub fn for_each_unit<R: Send>(
    units: Range<usize>,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    mut take: impl FnMut(R) -> io::Result<()> + Send,
) -> io::Result<()> {
    let threads = threads().min(units.len());
    let room = room_for(threads * UNITS_PER_THREAD, UNIT);
    let threads = threads.min(room);
    let mut take = |result: io::Result<R>| {
        stop::check()?;
        take(result?)?;
        tick(1);
        Ok(())
    };
    if threads <= 1 {
        for unit in units {
            stop::check()?;
            take(work(unit))?;
        }
        return Ok(());
    }
    let line = Line::new(units.start, room, take);
    let next = AtomicUsize::new(units.start);
    let run = || {
        let _stop = StopOnPanic(&line);
        loop {
            let unit = next.fetch_add(1, Ordering::Relaxed);
            if unit >= units.end || !line.wait_for(unit) {
                return;
            }
            line.arrived(unit, work(unit));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
    line.outcome()
}

/// Units a thread may be ahead of the one that is taken next: enough that a slow one stops nobody.
const UNITS_PER_THREAD: usize = 2;

/// Results on their way into the order of their units.
struct Line<R, T> {
    queue: Mutex<Queue<R>>,
    moved: Condvar,
    room: usize,
    /// What to do with a result. Only who has set [`Queue::is_taken`] locks it.
    take: Mutex<T>,
}

struct Queue<R> {
    /// The unit that is taken next.
    next: usize,
    /// Results that came before their turn.
    early: BTreeMap<usize, io::Result<R>>,
    /// Whether somebody is at it.
    is_taken: bool,
    /// How many wait for room.
    waiting: usize,
    /// How it ended, once nothing more is taken.
    end: Option<io::Result<()>>,
}

impl<R> Queue<R> {
    fn take_next(&mut self) -> Option<io::Result<R>> {
        self.early.remove(&self.next)
    }
}

impl<R, T: FnMut(io::Result<R>) -> io::Result<()>> Line<R, T> {
    fn new(first: usize, room: usize, take: T) -> Self {
        Self {
            queue: Mutex::new(Queue {
                next: first,
                early: BTreeMap::new(),
                is_taken: false,
                waiting: 0,
                end: None,
            }),
            moved: Condvar::new(),
            room,
            take: Mutex::new(take),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue<R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `unit` is near enough; whether it is still wanted.
    fn wait_for(&self, unit: usize) -> bool {
        let mut queue = self.lock();
        queue.waiting += 1;
        let far = |queue: &mut Queue<R>| queue.end.is_none() && unit >= queue.next + self.room;
        let mut queue = self
            .moved
            .wait_while(queue, far)
            .unwrap_or_else(PoisonError::into_inner);
        queue.waiting -= 1;
        queue.end.is_none()
    }

    /// Adds the result of `unit`, and takes what is next in order unless somebody else is at it.
    fn arrived(&self, unit: usize, result: io::Result<R>) {
        let mut queue = self.lock();
        queue.early.insert(unit, result);
        if queue.is_taken {
            return;
        }
        queue.is_taken = true;
        while queue.end.is_none()
            && let Some(result) = queue.take_next()
        {
            drop(queue);
            let mut take = self.take.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = take(result);
            drop(take);
            queue = self.lock();
            match outcome {
                Ok(()) => queue.next += 1,
                Err(error) => queue.end = Some(Err(error)),
            }
            if queue.waiting > 0 {
                self.moved.notify_all();
            }
        }
        queue.is_taken = false;
    }

    fn outcome(self) -> io::Result<()> {
        let queue = self.queue.into_inner();
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        queue.end.unwrap_or(Ok(()))
    }

    /// Lets nobody wait for a unit that a panic has taken away.
    fn stop(&self) {
        self.lock().end.get_or_insert(Ok(()));
        self.moved.notify_all();
    }
}

/// Stops all when a panic unwinds through it.
struct StopOnPanic<'a, R, T: FnMut(io::Result<R>) -> io::Result<()>>(&'a Line<R, T>);

impl<R, T: FnMut(io::Result<R>) -> io::Result<()>> Drop for StopOnPanic<'_, R, T> {
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

    fn in_pool(threads: usize, test: impl FnOnce() + Send) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(test);
    }

    #[test]
    fn order_and_errors_do_not_depend_on_the_threads() {
        for threads in [1, 2, 7] {
            in_pool(threads, || {
                let ticks = AtomicU64::new(0);
                let mut seen = Vec::new();
                let result = for_each_unit(
                    0..1000,
                    &|n| {
                        ticks.fetch_add(n, Ordering::Relaxed);
                    },
                    |unit| match unit {
                        777 => Err(io::Error::other("777")),
                        unit => Ok(unit),
                    },
                    |unit| {
                        seen.push(unit);
                        Ok(())
                    },
                );
                assert_eq!(result.unwrap_err().to_string(), "777");
                assert_eq!(seen, (0..777).collect::<Vec<_>>());
                assert_eq!(ticks.into_inner(), 777);
                let refused = for_each_unit(0..1000, &|_| (), Ok, |unit| match unit {
                    5 => Err(io::Error::other("full")),
                    _ => Ok(()),
                });
                assert_eq!(refused.unwrap_err().to_string(), "full");
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
    fn nobody_gets_too_far_ahead() {
        in_pool(3, || {
            let (begun, taken) = (AtomicU64::new(0), AtomicU64::new(0));
            let work = |unit: usize| {
                let ahead = begun.fetch_add(1, Ordering::SeqCst) - taken.load(Ordering::SeqCst);
                assert!(ahead < 6, "{ahead}");
                if unit == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Ok(())
            };
            for_each_unit(0..200, &|_| (), work, |()| {
                taken.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
        });
    }

    #[test]
    fn a_panic_on_either_side_ends_the_run() {
        let fails_at_50 = |unit| {
            assert_ne!(unit, 50);
            Ok(())
        };
        in_pool(3, || {
            let worker = || for_each_unit(0..100, &|_| (), fails_at_50, |()| Ok(()));
            assert!(std::panic::catch_unwind(worker).is_err());
            let taker = || for_each_unit(0..100, &|_| (), Ok, fails_at_50);
            assert!(std::panic::catch_unwind(taker).is_err());
        });
    }
}
