//! How far two clocks are apart, from many pairs of times of which some are late or wrong.

use crate::trace::time::TICKS_PER_SECOND;

/// How the times of a log stand to the writes that brought its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    /// A stamp is cut to this: the line may be that much later.
    pub stamp: i64,
    /// A write follows its line within this, where it is not held back.
    pub delay: i64,
}

impl Grain {
    /// CBS.log: whole seconds, cut.
    pub const CBS: Self = Self {
        stamp: TICKS_PER_SECOND as i64,
        delay: 200_000,
    };
    /// setupapi.dev.log: milliseconds.
    pub const SETUP: Self = Self {
        stamp: 10_000,
        delay: 400_000,
    };
}

/// A constant difference between two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// What is to be added to a time of the log, in ticks.
    pub shift: i64,
    /// It may be wrong by this much, in ticks.
    pub error: i64,
    /// Pairs it rests on.
    pub used: usize,
}

/// Pairs that must agree before a difference is believed.
pub const FEWEST: usize = 3;
/// Times of one difference lie this near to it: 2 s.
const NEAR: i64 = 2 * TICKS_PER_SECOND as i64;

/// The difference that `distances` (time of the write minus stamp of its last line, in ticks) show; `None` where nearly
/// all of them do not agree on one.
///
/// The stamp of a line is cut, and its write comes after it, so each distance says that the difference is at most
/// itself and not more than the grain below: the difference that the most of them allow is taken, from the middle of
/// what they leave open. What is held back or comes from elsewhere does not move it.
pub fn fit(distances: &mut [i64], grain: Grain) -> Option<Fit> {
    distances.sort_unstable();
    let width = grain.stamp + grain.delay;
    let mut best = 0..0;
    let mut start = 0;
    for (end, distance) in distances.iter().enumerate() {
        while distance - distances[start] > width {
            start += 1;
        }
        if end + 1 - start > best.len() {
            best = start..end + 1;
        }
    }
    let used = &distances[best];
    let (first, last) = (*used.first()?, *used.last()?);
    let (shift, error) = if grain.stamp > grain.delay {
        // From `last - stamp` to `first`, as far as the writes are not late.
        let (low, high) = (last - grain.stamp, first);
        (i64::midpoint(low, high), (high - low).abs() / 2)
    } else {
        // The stamps say more than the writes' delays: half of the delays are smaller than the middle one.
        let middle = used[used.len() / 2] - grain.stamp / 2;
        let quarter = used[used.len() / 4];
        let three_quarters = used[used.len() * 3 / 4];
        (middle, (three_quarters - quarter) / 2 + grain.stamp / 2)
    };
    let near = |distance: &&i64| (**distance - shift - grain.stamp / 2).abs() <= NEAR;
    let agree = distances.iter().filter(near).count();
    let believed =
        used.len() >= FEWEST && 10 * agree >= 9 * distances.len() && 2 * used.len() >= agree;
    believed.then_some(Fit {
        shift,
        error,
        used: used.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: i64 = 10_000;
    const SECOND: i64 = 10_000_000;

    #[test]
    fn whole_seconds_are_cut() {
        // Lines all over the second: the difference is known to the gap between them.
        let mut distances: Vec<i64> = (0..100)
            .map(|n| -37 * SECOND / 10 + n * SECOND / 100)
            .collect();
        let found = fit(&mut distances, Grain::CBS).unwrap();
        assert!(
            (found.shift + 37 * SECOND / 10).abs() <= found.error,
            "{found:?}"
        );
        assert!(found.error <= 5 * MILLI);
        assert_eq!(found.used, 100);
        // All in one moment of a second: half a second is left open.
        let found = fit(&mut [0, 1, 2, 3], Grain::CBS).unwrap();
        assert!(found.error > 450 * MILLI && found.error <= 500 * MILLI);
    }

    #[test]
    fn what_comes_late_moves_nothing() {
        let mut distances: Vec<i64> = (0..200).map(|n| 5 * SECOND + n % 10 * MILLI / 10).collect();
        distances.extend([6 * SECOND, 6 * SECOND + 7, 40 * SECOND]);
        let found = fit(&mut distances, Grain::SETUP).unwrap();
        assert!(
            (found.shift - 5 * SECOND).abs() <= found.error + MILLI,
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_agree_is_not_believed() {
        assert_eq!(fit(&mut [], Grain::CBS), None);
        assert_eq!(fit(&mut [1, 2], Grain::CBS), None);
        let mut spread: Vec<i64> = (0..60).map(|n| n * SECOND).collect();
        assert_eq!(fit(&mut spread, Grain::CBS), None);
        assert_eq!(fit(&mut [0, 0, 0, 9 * SECOND], Grain::SETUP), None);
    }

    proptest! {
        #[test]
        fn the_truth_lies_within_the_error(
            shift in -50_000 * SECOND..50_000 * SECOND,
            lines in proptest::collection::vec((0..120 * SECOND, 0..10 * MILLI), 20..200),
        ) {
            let stamp = |grain: i64, time: i64| time.div_euclid(grain) * grain;
            for (grain, slack) in [(Grain::CBS, 10 * MILLI), (Grain::SETUP, 10 * MILLI)] {
                let mut distances: Vec<i64> = lines
                    .iter()
                    .map(|(time, delay)| time + delay + shift - stamp(grain.stamp, *time))
                    .collect();
                let found = fit(&mut distances, grain).unwrap();
                prop_assert!((found.shift - shift).abs() <= found.error + slack, "{found:?}");
            }
        }

        #[test]
        fn any_distances(mut distances in proptest::collection::vec(-1_i64 << 60..1 << 60, 0..50)) {
            fit(&mut distances, Grain::CBS);
            fit(&mut distances, Grain::SETUP);
        }
    }
}
