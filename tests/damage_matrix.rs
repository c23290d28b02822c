//! The damage matrix: every sample and small generated traces, each with every kind of damage. In each cell every
//! record that the damage does not touch must be read, and what is lost must be counted and told.
//!
//! The yardstick is the bytes of each record: what is intact is the same before and after, wherever it lies.

mod etl;
mod pml;
mod told;

use fltscope::trace::{Batch, Select, Trace, TraceInfo, Want};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

/// Records by their bytes, each with how often it occurs: a hash is enough to tell two apart.
#[derive(Debug, Default, Clone)]
pub struct Tally(HashMap<u64, u64>);

impl Tally {
    fn hash(bytes: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        hasher.finish()
    }

    pub fn add(&mut self, bytes: &[u8]) {
        *self.0.entry(Self::hash(bytes)).or_default() += 1;
    }

    pub fn has(&self, bytes: &[u8]) -> bool {
        self.0.contains_key(&Self::hash(bytes))
    }

    pub fn len(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many of these are not among `others`.
    pub fn missing_from(&self, others: &Self) -> u64 {
        let missing = |(key, count): (&u64, &u64)| {
            count.saturating_sub(others.0.get(key).copied().unwrap_or(0))
        };
        self.0.iter().map(missing).sum()
    }
}

/// What was done to a file.
#[derive(Debug, Clone)]
pub struct Damage {
    pub name: String,
    /// The damaged file.
    pub bytes: Vec<u8>,
    /// Bytes of the whole file that were changed, or are not there any more.
    pub touched: Vec<Range<usize>>,
}

impl Damage {
    pub fn new(name: impl Into<String>, bytes: Vec<u8>, touched: Vec<Range<usize>>) -> Self {
        Self {
            name: name.into(),
            bytes,
            touched,
        }
    }

    pub fn touches(&self, range: &Range<usize>) -> bool {
        let meets = |touched: &Range<usize>| touched.start < range.end && range.start < touched.end;
        self.touched.iter().any(meets)
    }

    /// The file ends at `len`.
    pub fn cut(whole: &[u8], len: usize) -> Self {
        let lost = len..whole.len();
        Self::new(
            format!("cut at {len:#x}"),
            whole[..len].to_vec(),
            vec![lost],
        )
    }

    /// Zeros, as a crash leaves them.
    pub fn zeros(whole: &[u8], range: Range<usize>) -> Self {
        let mut bytes = whole.to_vec();
        bytes[range.clone()].fill(0);
        Self::new(format!("zeros at {range:#x?}"), bytes, vec![range])
    }

    /// The file keeps its length, but its end was never written.
    pub fn zero_tail(whole: &[u8], from: usize) -> Self {
        Self::zeros(whole, from..whole.len())
    }

    /// Single bytes are changed.
    pub fn flips(whole: &[u8], seed: u64, count: usize, within: Range<usize>) -> Self {
        let mut bytes = whole.to_vec();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut touched = Vec::new();
        for _ in 0..count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = within.start + (state as usize >> 8) % within.len();
            bytes[at] ^= (state as u8) | 1;
            touched.push(at..at + 1);
        }
        Self::new(
            format!("{count} flips in {within:#x?}, seed {seed}"),
            bytes,
            touched,
        )
    }
}

/// Decodes all events and checks that they are as many as the facts say, for PML, or no more, for ETL (one operation,
/// one row).
pub fn decode_all(trace: &dyn Trace) -> u64 {
    let want = Want {
        path: true,
        target: true,
        detail: true,
        category: true,
        ..Want::default()
    };
    let mut rows = 0;
    for unit in 0..trace.units() {
        let mut batch = Batch::default();
        trace
            .decode(unit, &want, &Select::default(), &mut batch)
            .unwrap();
        rows += batch.len() as u64;
    }
    rows
}

/// What must hold of the facts of a damaged file, whatever the damage, when `lost` intact or damaged records of the
/// whole file are not read any more.
pub fn check_told(cell: &str, info: &TraceInfo, lost: u64) {
    let coverage = &info.coverage;
    if lost > 0 {
        assert!(
            !info.warnings.is_empty(),
            "{cell}: {lost} lost and not told"
        );
        assert!(info.loss().is_some(), "{cell}");
        let counted = info.records.bad
            + info.records.skipped_bytes
            + coverage.events_lost
            + coverage.buffers_lost;
        assert!(counted > 0, "{cell}: {lost} lost and not counted");
    }
    if info.records.bad + info.records.skipped_bytes > 0 {
        assert!(!info.warnings.is_empty(), "{cell}");
    }
}
