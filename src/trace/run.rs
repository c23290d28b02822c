//! Work on all units of a trace: side by side, results in order.

use super::source::Trace;
use rayon::prelude::*;
use std::io;
use std::ops::Range;

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

/// Runs `work` on every unit in `units` on all threads and hands the results to `take`, in order.
///
/// Two groups of units are in flight at most: while one is worked on, the results of the group
/// before it are taken. So memory is bounded, and what `take` sees does not depend on the number of
/// threads.
///
/// # Errors
/// The first error of `work` (by unit) or of `take`; nothing after it is taken.
pub fn for_each_unit<R: Send>(
    units: Range<usize>,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    take: impl FnMut(R) -> io::Result<()> + Send,
) -> io::Result<()> {
    let group = rayon::current_num_threads() * UNITS_PER_THREAD;
    for_each_group(units, group, tick, work, take)
}

/// [`for_each_unit`] with `group` units in a group: fewer where a result is large, or `work` is
/// parallel in itself.
///
/// # Errors
/// As [`for_each_unit`].
pub fn for_each_group<R: Send>(
    units: Range<usize>,
    group: usize,
    tick: Tick<'_>,
    work: impl Fn(usize) -> io::Result<R> + Sync,
    mut take: impl FnMut(R) -> io::Result<()> + Send,
) -> io::Result<()> {
    let group = group.max(1);
    let mut ready: Vec<io::Result<R>> = Vec::new();
    let mut next = units.start;
    while next < units.end || !ready.is_empty() {
        let end = units.end.min(next + group);
        let begin = next;
        let done = std::mem::take(&mut ready);
        let finished = done.len() as u64;
        let (taken, made) = rayon::join(
            || done.into_iter().try_for_each(|result| take(result?)),
            || {
                (begin..end)
                    .into_par_iter()
                    .with_max_len(1)
                    .map(&work)
                    .collect::<Vec<_>>()
            },
        );
        taken?;
        tick(finished);
        ready = made;
        next = end;
    }
    Ok(())
}

/// Enough that a slow unit does not leave the other threads without work.
const UNITS_PER_THREAD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

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
            });
        }
    }
}
