//! Slices of time: the units in which the events of a trace come out in time order.
//!
//! Each processor fills buffers of its own, so the events of one moment lie in many of them. Inside a buffer
//! and over the buffers of one processor time stamps never go back (33 real files). A slice names the buffers
//! that reach into it; each of its events lies in one of these.

/// The span of time that the records of a buffer cover, and their bytes. Times are keys: ticks of the clock, or
/// 100 ns of UTC in a file of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferSpan {
    /// Earliest start of an operation in it: some records stand at the end of theirs.
    pub from: i64,
    /// Latest time stamp.
    pub to: i64,
    /// Earliest event that a stack in it belongs to; stacks come after their events, at times by 0.4 s.
    pub stacks_from: i64,
    /// Bytes of records.
    pub bytes: u64,
    /// Records.
    pub records: u32,
}

impl BufferSpan {
    /// A buffer without records.
    pub const EMPTY: Self = Self {
        from: i64::MAX,
        to: i64::MIN,
        stacks_from: i64::MAX,
        bytes: 0,
        records: 0,
    };

    fn is_empty(&self) -> bool {
        self.from > self.to
    }
}

/// A stretch of time, `from` inclusive to `to` exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Its start.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Buffers that hold records of it, ascending.
    pub buffers: Vec<u32>,
    /// Further buffers that hold stacks of its events.
    pub stack_buffers: Vec<u32>,
    /// About how many records it has.
    pub records: usize,
}

impl Slice {
    /// Whether a time lies in it.
    #[inline]
    pub fn holds(&self, time: i64) -> bool {
        self.from <= time && time < self.to
    }
}

/// Bytes of records in a slice, at least: enough to make its borders cheap, little enough to hold several in memory.
pub const TARGET: u64 = 1 << 20;
/// The same in a large trace.
pub const LARGE_TARGET: u64 = 2 << 20;
/// Slices of a trace that is large.
const MANY: u64 = 256;
/// Slices that are so many times as large as they should be are cut wherever they end.
const UNCUT: u64 = 8;
/// Bytes of records of a slice, at most, with all buffers that reach into it.
const LARGEST: u64 = 256 << 20;
/// Buffers of a slice, at most.
const MOST_BUFFERS: usize = 1 << 20;
/// Slices in which the same bytes are read more often than this give way to slices by place.
const REREADS: u64 = 8;

/// The `target` that suits a trace.
pub fn target(spans: &[BufferSpan]) -> u64 {
    let all: u64 = spans.iter().map(|span| span.bytes).sum();
    (all / MANY).clamp(TARGET, LARGE_TARGET)
}

/// The slices of a trace, of `target` bytes or more, and whether they are in time order: a file that is damaged or made so that all of its
/// buffers reach over all of its time is taken in file order instead, which bounds the work. No border goes through the
/// stretches of time in `uncut` (see [`Facts::uncut`]), unless the slice would become many times as large for it.
///
/// [`Facts::uncut`]: super::dictionary::facts::Facts::uncut
pub fn slices(spans: &[BufferSpan], uncut: &[(i64, i64)], target: u64) -> (Vec<Slice>, bool) {
    let by_time = by_time(spans, uncut, target);
    let bytes = |slice: &Slice| -> u64 {
        let buffers = slice.buffers.iter().chain(&slice.stack_buffers);
        buffers.map(|buffer| spans[*buffer as usize].bytes).sum()
    };
    let (mut read, mut largest) = (0_u64, 0);
    for bytes in by_time.iter().map(bytes) {
        read = read.saturating_add(bytes);
        largest = largest.max(bytes);
    }
    let all: u64 = spans.iter().map(|span| span.bytes).sum();
    let often = read > all.saturating_mul(REREADS).max(TARGET * REREADS);
    let most = |slice: &Slice| slice.buffers.len() + slice.stack_buffers.len();
    let many = by_time.iter().any(|slice| most(slice) > MOST_BUFFERS);
    if !often && !many && largest <= LARGEST {
        return (by_time, true);
    }
    (by_place(spans), false)
}

fn by_time(spans: &[BufferSpan], uncut: &[(i64, i64)], target: u64) -> Vec<Slice> {
    let mut order: Vec<u32> = (0..spans.len() as u32)
        .filter(|at| !spans[*at as usize].is_empty())
        .collect();
    order.sort_by_key(|at| (spans[*at as usize].to, *at));
    // At a border, every processor has a buffer that lies on both sides: a slice must be larger than these together.
    let largest = spans.iter().map(|span| span.bytes).max().unwrap_or(0);
    let target = target.max(largest * 4);
    let mut borders = vec![i64::MIN];
    let (mut bytes, mut records, mut counts) = (0, 0, Vec::new());
    for at in &order {
        let span = &spans[*at as usize];
        bytes += span.bytes;
        records += span.records as usize;
        let border = span.to.saturating_add(1);
        let fits =
            bytes >= target && !cuts_one(uncut, border) || bytes >= target.saturating_mul(UNCUT);
        if fits && Some(&border) > borders.last() {
            borders.push(border);
            counts.push(records);
            (bytes, records) = (0, 0);
        }
    }
    counts.push(records);
    borders.push(i64::MAX);
    let mut out: Vec<Slice> = borders
        .windows(2)
        .zip(counts)
        .map(|(ends, records)| Slice {
            from: ends[0],
            to: ends[1],
            buffers: Vec::new(),
            stack_buffers: Vec::new(),
            records,
        })
        .collect();
    let slice_of = |time: i64| borders.partition_point(|border| *border <= time).max(1) - 1;
    let mut pairs = 0_usize;
    for (at, span) in spans
        .iter()
        .enumerate()
        .filter(|(_, span)| !span.is_empty())
    {
        let (first, last) = (slice_of(span.from), slice_of(span.to).min(out.len() - 1));
        let stacks = slice_of(span.stacks_from.min(span.from));
        pairs += last + 1 - stacks.min(first);
        // The caller gives this up: the lists need not be complete, only large.
        if pairs > MOST_PAIRS {
            return vec![whole(spans); REREADS as usize + 1];
        }
        for slice in &mut out[first..=last] {
            slice.buffers.push(at as u32);
        }
        for slice in &mut out[stacks.min(first)..first] {
            slice.stack_buffers.push(at as u32);
        }
    }
    out.retain(|slice| !slice.buffers.is_empty());
    out
}

/// Whether a border goes through a stretch of time that is not to be cut: it lies behind its start and not behind its end.
fn cuts_one(uncut: &[(i64, i64)], border: i64) -> bool {
    let behind = uncut.partition_point(|(from, _)| *from < border);
    let stretch = behind.checked_sub(1).and_then(|at| uncut.get(at));
    stretch.is_some_and(|(_, to)| border <= *to)
}

/// Entries in the lists of all slices together.
const MOST_PAIRS: usize = 50_000_000;

fn whole(spans: &[BufferSpan]) -> Slice {
    Slice {
        from: i64::MIN,
        to: i64::MAX,
        buffers: (0..spans.len() as u32).collect(),
        stack_buffers: Vec::new(),
        records: 0,
    }
}

/// Runs of buffers as they lie in the file; the time of a slice is then no bound.
fn by_place(spans: &[BufferSpan]) -> Vec<Slice> {
    let mut out: Vec<Slice> = Vec::new();
    let mut bytes = TARGET;
    for (at, span) in spans.iter().enumerate() {
        let full = |slice: &Slice| slice.buffers.len() >= MOST_BUFFERS;
        if bytes >= TARGET || out.last().is_some_and(full) {
            bytes = 0;
            out.push(Slice {
                from: i64::MIN,
                to: i64::MAX,
                buffers: Vec::new(),
                stack_buffers: Vec::new(),
                records: 0,
            });
        }
        bytes += span.bytes;
        if let Some(slice) = out.last_mut() {
            slice.buffers.push(at as u32);
            slice.records += span.records as usize;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: i64, stacks_from: i64) -> BufferSpan {
        BufferSpan {
            from,
            to,
            stacks_from,
            bytes: TARGET / 4,
            records: 10,
        }
    }

    #[test]
    fn every_buffer_is_in_the_slices_it_reaches_into() {
        // Two processors; the second fills a buffer in the time the first fills four.
        let mut spans: Vec<BufferSpan> = (0..40)
            .map(|n| span(n * 10, n * 10 + 9, i64::MAX))
            .collect();
        spans.extend((0..10).map(|n| span(n * 40, n * 40 + 39, n * 40 - 30)));
        let (slices, ordered) = slices(&spans, &[], TARGET);
        assert!(ordered && slices.len() > 5);
        assert_eq!(slices[0].from, i64::MIN);
        assert_eq!(slices.last().unwrap().to, i64::MAX);
        for pair in slices.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
        for time in 0..400 {
            let slice = slices.iter().find(|slice| slice.holds(time)).unwrap();
            for (at, span) in spans.iter().enumerate() {
                let inside = span.from <= time && time <= span.to;
                assert!(!inside || slice.buffers.contains(&(at as u32)));
                let stack = span.stacks_from <= time && time <= span.to;
                let listed = slice.buffers.iter().chain(&slice.stack_buffers);
                assert!(!stack || listed.clone().any(|b| *b == at as u32));
            }
        }
        let records: usize = slices.iter().map(|slice| slice.records).sum();
        assert_eq!(records, 500);
    }

    #[test]
    fn no_border_goes_through_what_is_not_to_be_cut() {
        let uncut = [(100, 140), (140, 141), (300, 310)];
        let cut = (0..400).filter(|border| cuts_one(&uncut, *border));
        let expected = (101..=141).chain(301..=310);
        assert!(cut.eq(expected));
        assert!(!cuts_one(&[], 5));
        let spans: Vec<BufferSpan> = (0..40)
            .map(|n| span(n * 10, n * 10 + 9, i64::MAX))
            .collect();
        let borders = |uncut: &[(i64, i64)]| -> Vec<i64> {
            let (slices, _) = slices(&spans, uncut, TARGET);
            slices.iter().skip(1).map(|slice| slice.from).collect()
        };
        assert_eq!(borders(&[])[..3], [40, 80, 120]);
        assert_eq!(borders(&[(35, 40), (85, 91)])[..3], [50, 100, 140]);
        // A stretch that reaches over everything is cut in the end.
        assert_eq!(borders(&[(0, 1_000)]), [320]);
    }

    #[test]
    fn buffers_that_all_reach_over_everything_are_read_once() {
        let spans: Vec<BufferSpan> = (0..4_000)
            .map(|n| span(0, 1_000_000 + n, i64::MAX))
            .collect();
        let (slices, ordered) = slices(&spans, &[], TARGET);
        assert!(!ordered);
        let listed: usize = slices.iter().map(|slice| slice.buffers.len()).sum();
        assert_eq!(listed, 4_000);
        assert!(super::slices(&[], &[], TARGET).0.is_empty());
        assert!(
            super::slices(&[BufferSpan::EMPTY], &[], TARGET)
                .0
                .is_empty()
        );
    }
}
