//! What is only counted: processor samples by place, handles by process and type.

use crate::trace::AddressMap;
use crate::trace::Filetime;
use hashbrown::HashMap;

/// Samples by page of code. Images begin at pages, so a page belongs to one driver at a time.
#[derive(Debug, Default)]
pub struct Samples {
    pages: HashMap<u64, u64>,
    /// Samples of the idle threads.
    pub idle: u64,
    /// Samples of code in user mode.
    pub user: u64,
    last: (u64, u64),
}

const PAGE: u32 = 12;
/// Pages of kernel code that are told apart; a machine has some 30,000.
const MOST: usize = 1 << 20;

impl Samples {
    /// Adds a sample.
    #[inline]
    pub fn add(&mut self, instruction: u64, idle: bool, kernel: bool) {
        if idle {
            self.idle += 1;
        } else if !kernel {
            self.user += 1;
        } else {
            let page = instruction >> PAGE;
            if page == self.last.0 {
                self.last.1 += 1;
                return;
            }
            self.put_last();
            self.last = (page, 1);
        }
    }

    fn put_last(&mut self) {
        let (page, count) = std::mem::take(&mut self.last);
        if count > 0 && (self.pages.len() < MOST || self.pages.contains_key(&page)) {
            *self.pages.entry(page).or_default() += count;
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, mut other: Self) {
        other.put_last();
        self.put_last();
        self.idle += other.idle;
        self.user += other.user;
        for (page, count) in other.pages {
            if self.pages.len() < MOST || self.pages.contains_key(&page) {
                *self.pages.entry(page).or_default() += count;
            }
        }
    }

    /// All samples in kernel mode, those of the idle threads aside.
    pub fn kernel(&self) -> u64 {
        self.pages.values().sum::<u64>() + self.last.1
    }

    /// Samples by kernel image, and those in none.
    pub fn by_image(&self, map: &AddressMap) -> (HashMap<u32, u64>, u64) {
        let mut out = HashMap::new();
        let mut nowhere = 0;
        let last = (self.last.1 > 0).then_some((&self.last.0, &self.last.1));
        for (page, count) in self.pages.iter().chain(last) {
            // Drivers come and go; a page is given to the last one that had it.
            match map.find(page << PAGE, Filetime(u64::MAX)) {
                Some(image) => *out.entry(image).or_default() += count,
                None => nowhere += count,
            }
        }
        (out, nowhere)
    }
}

/// What happened to the handles of a process and type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HandleCount {
    /// Handles opened.
    pub created: u64,
    /// Handles closed.
    pub closed: u64,
    /// Handles copied from another process or into one.
    pub duplicated: u64,
    /// Handles that were open when the session began or ended.
    pub open: u64,
}

impl HandleCount {
    fn add(&mut self, other: Self) {
        self.created += other.created;
        self.closed += other.closed;
        self.duplicated += other.duplicated;
        self.open += other.open;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.created + self.closed + self.duplicated + self.open
    }
}

/// Handles by process id and type of object, and the names of the types.
#[derive(Debug, Default)]
pub struct Handles {
    counts: HashMap<(u32, u16), HandleCount>,
    types: HashMap<u16, String>,
}

impl Handles {
    /// Adds to the count of a process and type.
    pub fn add(&mut self, pid: u32, kind: u16, count: HandleCount) {
        if self.counts.len() < MOST || self.counts.contains_key(&(pid, kind)) {
            self.counts.entry((pid, kind)).or_default().add(count);
        }
    }

    /// Adds the name of a type.
    pub fn name_type(&mut self, kind: u16, name: String) {
        self.types.entry(kind).or_insert(name);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        for ((pid, kind), count) in other.counts {
            self.add(pid, kind, count);
        }
        for (kind, name) in other.types {
            self.name_type(kind, name);
        }
    }

    /// Counts by process id and type, most first.
    pub fn in_order(&self) -> Vec<(u32, u16, HandleCount)> {
        let mut out: Vec<_> = self
            .counts
            .iter()
            .map(|((pid, kind), count)| (*pid, *kind, *count))
            .collect();
        out.sort_by_key(|(pid, kind, count)| (std::cmp::Reverse(count.total()), *pid, *kind));
        out
    }

    /// The name of a type, where the trace gives it.
    pub fn type_name(&self, kind: u16) -> Option<&str> {
        self.types.get(&kind).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::address_map::Range;

    #[test]
    fn samples_go_to_the_driver_of_their_page() {
        let mut samples = Samples::default();
        for n in 0..10 {
            samples.add(0x8000_0000 + n * 0x400, false, true);
        }
        samples.add(0x8000_0000, true, true);
        samples.add(0x1000, false, false);
        let mut sum = Samples::default();
        sum.merge(samples);
        let map = AddressMap::new([Range {
            base: 0x8000_0000,
            size: 0x2000,
            loaded: Filetime(0),
            id: 3,
        }]);
        let (by_image, nowhere) = sum.by_image(&map);
        assert_eq!((by_image[&3], nowhere), (8, 2));
        assert_eq!((sum.kernel(), sum.idle, sum.user), (10, 1, 1));
    }
}
