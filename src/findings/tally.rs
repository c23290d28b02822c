//! What drivers did in the window, added up: unit by unit of a trace, then trace by trace.

mod touched;

use super::schema::Touches;
use super::touch::Touch;
use crate::trace::Filetime;
use hashbrown::HashMap;
use std::sync::Arc;
use touched::Touched;

/// Paths by number, each held once.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    numbers: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
}

/// Paths counted one by one; touches of further ones are counted together. A case has thousands.
const MAX_PATHS: usize = 200_000;
/// The number of paths beyond [`MAX_PATHS`].
const OTHER_PATH: u32 = u32::MAX;

impl Paths {
    fn number(&mut self, path: &str) -> u32 {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        if self.list.len() >= MAX_PATHS {
            return OTHER_PATH;
        }
        let number = self.list.len() as u32;
        let path: Arc<str> = path.into();
        self.list.push(Arc::clone(&path));
        self.numbers.insert(path, number);
        number
    }

    /// The path of a number; `None` for the paths beyond the limit.
    pub fn get(&self, number: u32) -> Option<&str> {
        self.list.get(number as usize).map(|path| &**path)
    }
}

/// What a driver did in the window.
#[derive(Debug, Clone, Default)]
pub struct DriverTally {
    /// Touches by kind.
    pub touches: Touches,
    /// Touches that failed.
    pub failures: u64,
    /// Touches that were slow.
    pub delays: u64,
    /// Longest callback or delayed operation, 100 ns.
    pub longest: u64,
    /// All callbacks together, 100 ns.
    pub callbacks: u64,
    /// First touch.
    pub first: Option<Filetime>,
    /// Last touch.
    pub last: Option<Filetime>,
    /// The most telling touches, in order.
    pub evidence: Vec<Touch>,
}

impl DriverTally {
    /// Keeps the best `limit` touches. Called often, so it waits until there are twice as many.
    pub fn trim(&mut self, limit: usize, now: bool) {
        if self.evidence.len() > limit.saturating_mul(2) || now {
            self.evidence.sort_by_cached_key(Touch::rank);
            self.evidence.truncate(limit);
        }
    }

    fn merge(&mut self, other: Self, limit: usize) {
        self.touches.minifilter += other.touches.minifilter;
        self.touches.file_stack += other.touches.file_stack;
        self.touches.registry_stack += other.touches.registry_stack;
        self.failures += other.failures;
        self.delays += other.delays;
        self.longest = self.longest.max(other.longest);
        self.callbacks += other.callbacks;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.evidence.extend(other.evidence);
        self.trim(limit, false);
    }
}

/// Touches of a path and how many of them failed.
pub type Counts = (u64, u64);

/// What one unit of a trace holds on the window. Units are many and each has little: it is told as a list, and
/// counted by who adds units up.
#[derive(Debug, Default)]
pub struct UnitTally {
    drivers: Vec<(u32, DriverTally)>,
    /// For each driver of the case, one more than its place in `drivers`; 0 for none.
    places: Vec<u32>,
    /// Drivers and numbers of the paths they touched, and whether that failed, one by one.
    touched: Vec<(u32, u32, bool)>,
    /// The paths by number: where each ends in `texts`.
    ends: Vec<usize>,
    texts: String,
    /// Operations and failures of third parties' processes.
    processes: HashMap<u32, Counts>,
}

impl UnitTally {
    /// Nothing yet, in a case of so many drivers.
    pub fn new(drivers: usize) -> Self {
        Self {
            places: vec![0; drivers],
            ..Self::default()
        }
    }

    /// Adds a path; its number in the unit.
    pub fn add_path(&mut self, path: &str) -> u32 {
        self.texts.push_str(path);
        self.ends.push(self.texts.len());
        self.ends.len() as u32 - 1
    }

    /// What a driver did; a touch of a path by it is added.
    pub fn touch(&mut self, driver: u32, path: u32, failed: bool) -> &mut DriverTally {
        self.touched.push((driver, path, failed));
        let place = &mut self.places[driver as usize];
        if *place == 0 {
            self.drivers.push((driver, DriverTally::default()));
            *place = self.drivers.len() as u32;
        }
        &mut self.drivers[*place as usize - 1].1
    }

    /// Adds an operation of a third party's process.
    pub fn act(&mut self, process: u32, failed: bool) {
        add(
            self.processes.entry(process).or_default(),
            (1, failed.into()),
        );
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = starts.zip(&self.ends);
        ranges.map(|(start, end)| self.texts.get(start..*end).unwrap_or(""))
    }
}

/// What the traces of a case hold on the window.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// By driver of the case; those without a touch are missing.
    pub drivers: HashMap<u32, DriverTally>,
    /// The paths that they touched.
    pub paths: Paths,
    /// Touches by driver and number of the path.
    touched: Touched,
    /// Operations and failures of third parties' processes, by position in the trace's processes.
    pub processes: HashMap<u32, Counts>,
}

impl Tally {
    /// Adds what a unit holds.
    pub fn add(&mut self, unit: UnitTally, limit: usize) {
        let numbers: Vec<u32> = unit.paths().map(|path| self.paths.number(path)).collect();
        for (driver, path, failed) in unit.touched {
            let path = numbers.get(path as usize).copied().unwrap_or(OTHER_PATH);
            self.touched.add(driver, path, (1, failed.into()));
        }
        for (driver, one) in unit.drivers {
            self.drivers.entry(driver).or_default().merge(one, limit);
        }
        for (process, counts) in unit.processes {
            add(self.processes.entry(process).or_default(), counts);
        }
    }

    /// Adds what another trace holds; its processes, which are those of that trace, are given back.
    pub fn merge(&mut self, mut other: Self, limit: usize) -> HashMap<u32, Counts> {
        if self.drivers.is_empty() {
            let processes = std::mem::take(&mut other.processes);
            *self = other;
            return processes;
        }
        let paths = other.paths.list.iter();
        let numbers: Vec<u32> = paths.map(|path| self.paths.number(path)).collect();
        for (driver, path, counts) in other.touched.iter() {
            let path = numbers.get(path as usize).copied().unwrap_or(OTHER_PATH);
            self.touched.add(driver, path, counts);
        }
        for (driver, one) in other.drivers {
            self.drivers.entry(driver).or_default().merge(one, limit);
        }
        other.processes
    }

    /// Puts the evidence in order and cuts it to `limit` rows a driver.
    pub fn finish(&mut self, limit: usize) {
        for driver in self.drivers.values_mut() {
            driver.trim(limit, true);
        }
    }

    /// The paths that a driver touched, by number.
    pub fn paths_of(&self, driver: u32) -> Vec<(u32, Counts)> {
        self.touched.of(driver).collect()
    }
}

fn add(to: &mut Counts, more: Counts) {
    to.0 += more.0;
    to.1 += more.1;
}
