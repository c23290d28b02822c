//! Operations that two records tell of: deletions, renames and hard links, once as of all operations and once with the
//! path. No border between slices goes between the two, for either alone would pass for an operation of its own: unless a slice
//! would become many times as large for it, or the trace is read by place instead of time.

use crate::etl::link::{Family, Told};

/// One of the two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Twin {
    irp: u64,
    /// As a key.
    time: i64,
    object: u64,
    family: Family,
    told: Told,
}

/// The records of such operations in a trace.
#[derive(Debug, Default)]
pub struct Twins(Vec<Twin>);

/// Records that are kept, 32 MiB of them. Behind them a border may part two, which shows as one row too many.
const MOST: usize = 1 << 20;

impl Twin {
    /// Whether both records tell of one operation, `later` being the later one.
    fn is_of_one_with(&self, later: &Self) -> bool {
        (self.irp, self.object, self.family) == (later.irp, later.object, later.family)
            && self.told != later.told
    }
}

impl Twins {
    /// A record of an operation with `irp` on `object`, at `time` (a key).
    pub fn add(&mut self, time: i64, (irp, object): (u64, u64), (family, told): (Family, Told)) {
        if self.0.len() < MOST {
            self.0.push(Twin {
                irp,
                time,
                object,
                family,
                told,
            });
        }
    }

    /// Adds those of another stretch.
    pub fn merge(&mut self, other: Self) {
        let room = MOST - self.0.len();
        self.0.extend(other.0.into_iter().take(room));
    }

    /// The stretches of time in which the trace may not be cut, apart from one another and in order: a border lies behind
    /// the first time and not behind the second.
    pub fn finish(mut self) -> Vec<(i64, i64)> {
        self.0.sort_unstable();
        let mut gaps = Vec::new();
        let mut rest = self.0.as_slice();
        while let [first, more @ ..] = rest {
            rest = more;
            if let [second, behind @ ..] = more
                && first.is_of_one_with(second)
            {
                // Addresses of IRPs are used again at once: the next may be of another operation.
                rest = behind;
                if first.time < second.time {
                    gaps.push((first.time, second.time));
                }
            }
        }
        gaps.sort_unstable();
        gaps.dedup_by(|next, last| {
            let meets = next.0 < last.1;
            if meets {
                last.1 = last.1.max(next.1);
            }
            meets
        });
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_records_of_an_operation_are_found() {
        let rename = |told| (Family::Rename, told);
        let mut twins = Twins::default();
        twins.add(130, (7, 1), rename(Told::WithPath));
        let mut more = Twins::default();
        more.add(100, (7, 1), rename(Told::Plain));
        more.add(125, (8, 2), rename(Told::Plain));
        more.add(140, (8, 2), rename(Told::WithPath));
        // Another file, the same kind twice, and one moment.
        more.add(300, (9, 3), rename(Told::Plain));
        more.add(310, (9, 4), rename(Told::WithPath));
        more.add(400, (9, 5), rename(Told::Plain));
        more.add(410, (9, 5), rename(Told::Plain));
        more.add(500, (10, 6), (Family::Delete, Told::Plain));
        more.add(500, (10, 6), (Family::Delete, Told::WithPath));
        twins.merge(more);
        let gaps = twins.finish();
        assert_eq!(gaps, [(100, 140)]);
    }
}
