//! When the callbacks of an operation run. Times are 100 ns after the operation began.

use crate::prng::Prng;

/// The times of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Start and end of each callback: first those before the file system, then those after it.
    pub(super) callbacks: Vec<(u64, u64)>,
    /// When the file system has the request.
    pub(super) file_system: (u64, u64),
}

/// No callback takes longer unless it is the slow one: 2.5 µs.
const USUAL: u64 = 25;

/// Lays out `before + after` callbacks in `duration`, from `lead` on. The one numbered `slow` takes what the
/// others leave.
pub(super) fn lay_out(
    rng: &mut Prng,
    duration: u64,
    lead: u64,
    (before, after): (usize, usize),
    slow: Option<usize>,
) -> Schedule {
    let count = (before + after) as u64;
    let room = duration.saturating_sub(lead + 1);
    let share = room / (count + 1);
    let gap = u64::from(share >= 2);
    let lengths: Vec<u64> = (0..count)
        .map(|_| match share {
            0 | 1 => share,
            _ => 1 + rng.below((share - 1).min(USUAL)),
        })
        .collect();
    let used: u64 = lengths.iter().sum::<u64>() + gap * count;
    let left = room.saturating_sub(used);
    // What is left belongs to the file system; a slow callback leaves it a tenth of a millisecond.
    let (in_callback, in_file_system) = match slow {
        Some(_) => (left.saturating_sub(1_000), left.min(1_000)),
        None => (0, left),
    };
    let mut at = lead;
    let mut callbacks = Vec::with_capacity(lengths.len());
    let mut file_system = (0, 0);
    for n in 0..=lengths.len() {
        if n == before {
            file_system = (at, at + in_file_system);
            at += in_file_system;
        }
        if let Some(length) = lengths.get(n) {
            let length = length + if slow == Some(n) { in_callback } else { 0 };
            callbacks.push((at, at + length));
            at += length + gap;
        }
    }
    Schedule {
        callbacks,
        file_system,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_fit_into_their_operation() {
        let mut rng = Prng::new(1);
        for duration in (12..400).chain([23_470_000]) {
            for (before, after) in [(0, 0), (1, 0), (9, 7), (5, 0)] {
                let plan = lay_out(&mut rng, duration, 2, (before, after), None);
                assert_eq!(plan.callbacks.len(), before + after);
                let mut at = 2;
                for (start, end) in &plan.callbacks {
                    assert!(
                        at <= *start && start <= end && *end < duration,
                        "{duration}"
                    );
                    at = *end;
                }
                assert!(plan.file_system.0 <= plan.file_system.1);
            }
        }
    }

    #[test]
    fn a_slow_callback_takes_what_is_left() {
        let plan = lay_out(&mut Prng::new(1), 23_470_000, 2, (6, 5), Some(2));
        let (start, end) = plan.callbacks[2];
        assert!(end - start > 23_460_000 && end < 23_470_000);
        let others = plan.callbacks.iter().filter(|(s, e)| e - s <= USUAL);
        assert_eq!(others.count(), 10);
    }
}
