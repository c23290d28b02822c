//! How often each driver touched each path: a table that stays in the cache while millions of touches are counted.

use super::{Counts, OTHER_PATH};
use hashbrown::HashMap;

/// Drivers that stand together: of one path, one cache line. The filters of a machine are not many, and most of them
/// touch whatever is touched.
const TOGETHER: usize = 16;

/// Touches by path and driver.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// Blocks that a path may have.
    width: usize,
    /// For each path, its blocks: one more than the place in `blocks`, 0 for none.
    places: Vec<u32>,
    /// Touches of one path by drivers that stand together. They stop at the largest number, which no trace has.
    blocks: Vec<[u32; TOGETHER]>,
    /// Touches by driver that failed, with the path in front; few do.
    failed: HashMap<(u32, u32), u64>,
    /// Touches of paths beyond those that are counted one by one, by driver.
    others: HashMap<u32, u64>,
}

impl Touched {
    /// Makes room for so many drivers; the table has to be empty where they become more.
    pub fn make_room(&mut self, drivers: usize) {
        let width = drivers.div_ceil(TOGETHER);
        debug_assert!(self.places.is_empty() || width <= self.width);
        self.width = self.width.max(width);
    }

    /// A driver touched a path, by number, so many times.
    #[inline]
    pub fn add(&mut self, driver: u32, path: u32, (touches, failed): Counts) {
        if failed > 0 {
            *self.failed.entry((path, driver)).or_default() += failed;
        }
        if path == OTHER_PATH {
            *self.others.entry(driver).or_default() += touches;
            return;
        }
        let place = path as usize * self.width + driver as usize / TOGETHER;
        if place >= self.places.len() {
            self.places.resize((path as usize + 1) * self.width, 0);
        }
        let block = match self.places[place] {
            0 => {
                self.blocks.push([0; TOGETHER]);
                self.places[place] = self.blocks.len() as u32;
                self.blocks.len() - 1
            }
            known => known as usize - 1,
        };
        let count = &mut self.blocks[block][driver as usize % TOGETHER];
        *count = count.saturating_add(touches.try_into().unwrap_or(u32::MAX));
    }

    /// The paths that a driver touched, as they rise, then those beyond, each with counts.
    pub fn of(&self, driver: u32) -> impl Iterator<Item = (u32, Counts)> + '_ {
        let (at, within) = (driver as usize / TOGETHER, driver as usize % TOGETHER);
        let places = self.places.iter().skip(at).step_by(self.width.max(1));
        let blocks = places.enumerate().filter(|(_, block)| **block > 0);
        let touches = blocks.map(move |(path, block)| {
            let touches = self.blocks[*block as usize - 1][within];
            (path as u32, touches.into())
        });
        let others = self.others.get(&driver).copied().unwrap_or(0);
        let touches = touches.chain(std::iter::once((OTHER_PATH, others)));
        touches
            .filter(|(_, touches)| *touches > 0)
            .map(move |(path, touches)| {
                let failed = self.failed.get(&(path, driver)).copied();
                (path, (touches, failed.unwrap_or(0)))
            })
    }

    /// Driver, path and counts of all that was touched: paths as they rise, then those beyond.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, Counts)> + '_ {
        let failed = |path, driver| self.failed.get(&(path, driver)).copied().unwrap_or(0);
        let blocks = self.places.iter().enumerate().filter(|(_, at)| **at > 0);
        let counts = blocks.flat_map(move |(place, at)| {
            let (path, first) = (place / self.width, place % self.width * TOGETHER);
            let touches = self.blocks[*at as usize - 1].into_iter().enumerate();
            touches
                .filter(|(_, touches)| *touches > 0)
                .map(move |(at, touches)| ((first + at) as u32, path as u32, touches.into()))
        });
        let others = self.others.iter();
        let others = others.map(|(driver, touches)| (*driver, OTHER_PATH, *touches));
        counts
            .chain(others)
            .map(move |(driver, path, touches)| (driver, path, (touches, failed(path, driver))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn what_is_added_is_told(
            touches in proptest::collection::vec((0..40_u32, 0..30_u32, 1..5_u64, any::<bool>()), 0..300),
        ) {
            let mut table = Touched::default();
            table.make_room(40);
            let mut expected: BTreeMap<(u32, u32), Counts> = BTreeMap::new();
            for (driver, path, touches, failed) in touches {
                let path = if path == 29 { OTHER_PATH } else { path * path };
                let counts = (touches, u64::from(failed));
                table.add(driver, path, counts);
                let known = expected.entry((path, driver)).or_default();
                *known = (known.0 + counts.0, known.1 + counts.1);
            }
            let told = table.iter().map(|(driver, path, counts)| ((path, driver), counts));
            let count = table.iter().count();
            prop_assert_eq!(told.collect::<BTreeMap<_, _>>(), expected.clone());
            prop_assert_eq!(count, expected.len());
            for driver in 0..40 {
                let told: Vec<(u32, Counts)> = table.of(driver).collect();
                let of_driver = expected.iter().filter(|((_, one), _)| *one == driver);
                let expected: Vec<_> = of_driver.map(|((path, _), counts)| (*path, *counts)).collect();
                prop_assert_eq!(told, expected);
            }
        }
    }
}
