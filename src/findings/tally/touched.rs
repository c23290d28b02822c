//! How often each driver touched each path: tables that stay in the cache while millions of touches are counted.

use super::{Counts, OTHER_PATH};
use hashbrown::HashMap;

/// Drivers that stand together: of one path, one cache line. The filters of a machine are not many, and most of them
/// touch whatever is touched.
const TOGETHER: usize = 16;

/// Touches by driver and path. It takes as much memory as there are touches, however many drivers and paths are known.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    groups: Vec<Group>,
    /// Touches by driver and path that failed; few do.
    failed: HashMap<(u32, u32), u64>,
    /// Touches of paths beyond those that are counted one by one, by driver.
    others: HashMap<u32, u64>,
}

/// Drivers that stand together.
#[derive(Debug, Clone, Default)]
struct Group {
    /// For each path that one of them touched, its place among `blocks`.
    places: HashMap<u32, u32>,
    /// Paths, and how often each driver touched them. Counts stop at the largest number, which no trace has.
    blocks: Vec<(u32, [u32; TOGETHER])>,
}

impl Touched {
    /// A driver touched a path, by number, so many times.
    #[inline]
    pub fn add(&mut self, driver: u32, path: u32, (touches, failed): Counts) {
        if failed > 0 {
            *self.failed.entry((driver, path)).or_default() += failed;
        }
        if path == OTHER_PATH {
            *self.others.entry(driver).or_default() += touches;
            return;
        }
        let (group, within) = (driver as usize / TOGETHER, driver as usize % TOGETHER);
        if group >= self.groups.len() {
            self.groups.resize_with(group + 1, Group::default);
        }
        let Group { places, blocks } = &mut self.groups[group];
        let place = *places.entry(path).or_insert_with(|| {
            blocks.push((path, [0; TOGETHER]));
            blocks.len() as u32 - 1
        });
        let count = &mut blocks[place as usize].1[within];
        *count = count.saturating_add(touches.try_into().unwrap_or(u32::MAX));
    }

    /// The paths that a driver touched, each with counts, in no order.
    pub fn of(&self, driver: u32) -> impl Iterator<Item = (u32, Counts)> + '_ {
        let (group, within) = (driver as usize / TOGETHER, driver as usize % TOGETHER);
        let blocks = self
            .groups
            .get(group)
            .map_or(&[][..], |group| &group.blocks);
        let touches = blocks
            .iter()
            .map(move |(path, touches)| (*path, u64::from(touches[within])));
        let others = self.others.get(&driver).copied().unwrap_or(0);
        let touches = touches.chain(std::iter::once((OTHER_PATH, others)));
        touches
            .filter(|(_, touches)| *touches > 0)
            .map(move |(path, touches)| {
                let failed = self.failed.get(&(driver, path)).copied();
                (path, (touches, failed.unwrap_or(0)))
            })
    }

    /// Driver, path and counts of all that was touched, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, Counts)> + '_ {
        let grouped = (self.groups.len() * TOGETHER) as u32;
        let beyond = self.others.keys().copied();
        let drivers = (0..grouped).chain(beyond.filter(move |driver| *driver >= grouped));
        drivers.flat_map(|driver| {
            self.of(driver)
                .map(move |(path, counts)| (driver, path, counts))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn many_drivers_and_paths_take_what_their_touches_take() {
        let mut table = Touched::default();
        for number in 0..10_000 {
            table.add(number * 10, number * 20, (1, 0));
        }
        let blocks: usize = table.groups.iter().map(|group| group.blocks.len()).sum();
        assert_eq!((blocks, table.iter().count()), (10_000, 10_000));
    }

    proptest! {
        #[test]
        fn what_is_added_is_told(
            touches in proptest::collection::vec((0..40_u32, 0..30_u32, 1..5_u64, any::<bool>()), 0..300),
        ) {
            let mut table = Touched::default();
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
                let told: BTreeMap<u32, Counts> = table.of(driver).collect();
                let of_driver = expected.iter().filter(|((_, one), _)| *one == driver);
                let expected: BTreeMap<_, _> = of_driver.map(|((path, _), counts)| (*path, *counts)).collect();
                prop_assert_eq!(told, expected);
            }
        }
    }
}
