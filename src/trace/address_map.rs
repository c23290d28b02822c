//! From an address to the image that owned it at a time.

use super::time::Filetime;

/// An image's place: `[base, base + size)` from `loaded` on.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// When it was loaded; images that were there before the trace have time 0.
    pub loaded: Filetime,
    /// What the caller calls it.
    pub id: u32,
}

/// Address ranges of images, each with its owners over time. A look-up takes O(log n).
///
/// Drivers come and go, so two images may have had the same address: the one loaded last before the
/// event owns it; an event before all of them belongs to the first.
#[derive(Debug, Clone, Default)]
pub struct AddressMap {
    /// Starts of the elementary intervals, ascending; each reaches to the next start.
    starts: Vec<u64>,
    /// For each interval, its first owner in `owners`; one more at the end.
    first: Vec<u32>,
    owners: Vec<(Filetime, u32)>,
    bases: Vec<(u32, u64)>,
}

impl AddressMap {
    /// Builds the map. Ranges without a size are left out; a range that would run past the last address ends there.
    pub fn new(ranges: impl IntoIterator<Item = Range>) -> Self {
        let mut ranges: Vec<Range> = ranges.into_iter().filter(|range| range.size > 0).collect();
        ranges.sort_by_key(|range| (range.base, range.loaded, range.id));
        let mut cuts: Vec<u64> = ranges
            .iter()
            .flat_map(|range| [range.base, range.base.saturating_add(range.size)])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut out = Self {
            starts: Vec::with_capacity(cuts.len()),
            first: Vec::with_capacity(cuts.len() + 1),
            owners: Vec::with_capacity(ranges.len()),
            bases: ranges.iter().map(|range| (range.id, range.base)).collect(),
        };
        out.bases.sort_unstable();
        let mut next = 0;
        let mut open: Vec<Range> = Vec::new();
        for cut in cuts {
            open.retain(|range| range.base.saturating_add(range.size) > cut);
            while let Some(range) = ranges.get(next).filter(|range| range.base <= cut) {
                // Hostile input may nest thousands of images at one address; no real address has more than a few owners.
                if open.len() < MAX_OWNERS {
                    open.push(*range);
                }
                next += 1;
            }
            out.starts.push(cut);
            out.first.push(out.owners.len() as u32);
            let begin = out.owners.len();
            out.owners
                .extend(open.iter().map(|range| (range.loaded, range.id)));
            out.owners[begin..].sort_unstable();
        }
        out.first.push(out.owners.len() as u32);
        out
    }

    /// The image that owned `address` at `time`.
    #[inline]
    pub fn find(&self, address: u64, time: Filetime) -> Option<u32> {
        // The last interval is empty: its start is the end of all images.
        if address < *self.starts.first()? || address >= *self.starts.last()? {
            return None;
        }
        let after = self.starts.partition_point(|start| *start <= address);
        let interval = after.checked_sub(1)?;
        let owners = &self.owners[self.first[interval] as usize..self.first[interval + 1] as usize];
        match owners {
            [] => None,
            [(_, only)] => Some(*only),
            many => {
                let loaded = many.partition_point(|(loaded, _)| *loaded <= time);
                Some(many[loaded.saturating_sub(1)].1)
            }
        }
    }

    /// The image that owned `address` at `time` and the distance from its base.
    pub fn resolve(&self, address: u64, time: Filetime) -> Option<(u32, u64)> {
        let id = self.find(address, time)?;
        let at = self.bases.partition_point(|(other, _)| *other < id);
        let base = self.bases[at..]
            .iter()
            .take_while(|(other, _)| *other == id)
            .map(|(_, base)| *base)
            .filter(|base| *base <= address)
            .max()?;
        Some((id, address - base))
    }

    /// Whether no image is known.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

const MAX_OWNERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn range(id: u32, base: u64, size: u64, loaded: u64) -> Range {
        Range {
            base,
            size,
            loaded: Filetime(loaded),
            id,
        }
    }

    #[test]
    fn ends_are_exclusive_and_gaps_are_nobodys() {
        let map = AddressMap::new([
            range(0, 100, 10, 0),
            range(1, 110, 10, 0),
            range(2, 200, 0, 0),
        ]);
        let find = |address| map.find(address, Filetime(5));
        assert_eq!(find(99), None);
        assert_eq!(find(100), Some(0));
        assert_eq!(find(109), Some(0));
        assert_eq!(find(110), Some(1));
        assert_eq!(find(120), None);
        assert_eq!(find(200), None);
        assert_eq!(map.resolve(115, Filetime(5)), Some((1, 5)));
    }

    #[test]
    fn the_last_one_loaded_owns_the_address() {
        let map = AddressMap::new([range(0, 100, 50, 0), range(1, 120, 50, 10)]);
        assert_eq!(map.find(130, Filetime(9)), Some(0));
        assert_eq!(map.find(130, Filetime(10)), Some(1));
        assert_eq!(map.find(160, Filetime(0)), Some(1));
        assert_eq!(map.resolve(130, Filetime(11)), Some((1, 10)));
    }

    #[test]
    fn agrees_with_a_linear_search() {
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let ranges: Vec<Range> = (0..40)
            .map(|id| range(id, next(500), next(60), next(20)))
            .collect();
        let map = AddressMap::new(ranges.iter().copied());
        for address in 0..600 {
            for time in 0..20 {
                let inside = |r: &&Range| r.base <= address && address < r.base + r.size;
                let before = ranges
                    .iter()
                    .filter(inside)
                    .filter(|r| r.loaded.0 <= time)
                    .max_by_key(|r| (r.loaded, r.id));
                let expected = before
                    .or_else(|| {
                        ranges
                            .iter()
                            .filter(inside)
                            .min_by_key(|r| (r.loaded, r.id))
                    })
                    .map(|r| r.id);
                assert_eq!(map.find(address, Filetime(time)), expected);
            }
        }
    }
}
