//! Places inside buffers where who looks for the records of one slice may begin or stop.
//!
//! At the border of two slices every processor has a buffer that reaches into both. To go through all of it twice would
//! cost a fifth of a pass.

use super::slices::Slice;

/// Cuts of a buffer at most. Each takes 24 bytes: of a buffer of 64 KiB, a third of a thousandth.
const CUTS: usize = 3;
/// Parts that a buffer is cut into.
pub const PARTS: usize = CUTS + 1;

/// A place between two records of a buffer.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Where the record behind it starts in the data.
    at: u32,
    /// Which of the good records of the buffer that is.
    index: u32,
    /// Latest time, as a key, that a record before it has or tells of.
    latest: i64,
    /// Earliest time that a record behind it has or tells of.
    earliest: i64,
}

/// The cuts of a buffer, in order.
#[derive(Debug, Clone, Copy)]
pub struct Cuts([Cut; CUTS]);

/// The part of a buffer's data that holds all records which concern a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Where its first record starts.
    pub from: usize,
    /// Which of the good records of the buffer that is.
    pub index: u32,
    /// Where it ends, which may be behind the end of the data.
    pub to: usize,
}

impl Within {
    /// All of a buffer.
    pub const ALL: Self = Self {
        from: 0,
        index: 0,
        to: usize::MAX,
    };
}

impl Cuts {
    /// None.
    pub const NONE: Self = Self(
        [Cut {
            at: u32::MAX,
            index: 0,
            latest: i64::MAX,
            earliest: i64::MIN,
        }; CUTS],
    );

    /// What of the buffer concerns a slice.
    pub fn within(&self, slice: &Slice) -> Within {
        let mut out = Within::ALL;
        for cut in &self.0 {
            if cut.latest < slice.from {
                (out.from, out.index) = (cut.at as usize, cut.index);
            }
            if cut.earliest >= slice.to {
                out.to = cut.at as usize;
                break;
            }
        }
        out.to = out.to.max(out.from);
        out
    }
}

/// Cutting of the buffer at hand.
#[derive(Debug)]
pub struct Cutting {
    cuts: Cuts,
    count: usize,
    /// Earliest time of the parts that were gone through.
    earliest: [i64; PARTS],
}

impl Default for Cutting {
    fn default() -> Self {
        Self {
            cuts: Cuts::NONE,
            count: 0,
            earliest: [i64::MAX; PARTS],
        }
    }
}

impl Cutting {
    /// Cuts in front of record `index`, which starts at `at`: the part before it tells of nothing before `earliest`, and
    /// all parts before it of nothing after `latest`.
    pub fn cut(&mut self, at: u32, index: u32, (earliest, latest): (i64, i64)) {
        let part = &mut self.earliest[self.count];
        *part = earliest.min(*part);
        // Where there is no room for more cuts, the last part goes on.
        if let Some(cut) = self.cuts.0.get_mut(self.count) {
            *cut = Cut {
                at,
                index,
                latest,
                earliest: i64::MIN,
            };
            self.count += 1;
        }
    }

    /// The cuts of a buffer whose last part tells of nothing before `earliest`, and begins with the next buffer.
    pub fn finish(&mut self, earliest: i64) -> Cuts {
        let mut cutting = std::mem::take(self);
        let last = &mut cutting.earliest[cutting.count];
        *last = earliest.min(*last);
        let mut behind = i64::MAX;
        for at in (0..cutting.count).rev() {
            behind = behind.min(cutting.earliest[at + 1]);
            cutting.cuts.0[at].earliest = behind;
        }
        cutting.cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from: i64, to: i64) -> Slice {
        Slice {
            from,
            to,
            buffers: Vec::new(),
            stack_buffers: Vec::new(),
            records: 0,
        }
    }

    #[test]
    fn a_slice_needs_what_tells_of_its_time() {
        let mut cutting = Cutting::default();
        cutting.cut(100, 10, (5, 20));
        cutting.cut(200, 20, (21, 40));
        cutting.cut(300, 30, (41, 60));
        // In the last part is the stack of an event in the third.
        let cuts = cutting.finish(58);
        let within = |from, to| {
            let found = cuts.within(&slice(from, to));
            (found.from, found.index, found.to)
        };
        assert_eq!(within(i64::MIN, i64::MAX), (0, 0, usize::MAX));
        assert_eq!(within(0, 21), (0, 0, 100));
        assert_eq!(within(0, 22), (0, 0, 200));
        assert_eq!(within(20, 41), (0, 0, 200));
        assert_eq!(within(21, 58), (100, 10, 300));
        assert_eq!(within(41, 59), (200, 20, usize::MAX));
        assert_eq!(within(61, 90), (300, 30, usize::MAX));
        // It may also lie further back.
        cutting.cut(100, 10, (5, 20));
        cutting.cut(200, 20, (21, 40));
        let cuts = cutting.finish(15);
        assert_eq!(cuts.within(&slice(0, 16)).to, usize::MAX);
        assert_eq!(cuts.within(&slice(0, 15)).to, 100);
        for at in 1..=5_u32 {
            let (from, to) = (i64::from(at) * 10, i64::from(at) * 10 + 9);
            cutting.cut(at * 100, at, (from, to));
        }
        let cuts = cutting.finish(60);
        assert_eq!(cuts.within(&slice(0, 41)).to, usize::MAX);
        assert_eq!(cuts.within(&slice(0, 40)).to, 300);
        let none = cutting.finish(0);
        assert_eq!(none.within(&slice(1, 2)), Within::ALL);
    }
}
