//! The drivers of a case: those of its traces, each once.

use super::analyze::Case;
use crate::drivers::{Driver, DriverList};
use crate::trace::path::push_normalised;
use std::collections::HashMap;

/// The drivers of a case: those of its traces, merged by file name and path.
pub struct MergedDrivers<'a> {
    /// The drivers, in the order in which the traces name them.
    pub drivers: Vec<&'a Driver>,
    /// For each trace, the driver of each of its kernel images.
    pub of_image: Vec<Vec<u32>>,
}

impl<'a> MergedDrivers<'a> {
    /// Merges the lists of the traces of a case.
    pub fn new(case: &Case<'_>, lists: &'a [DriverList]) -> Self {
        let mut out = Self {
            drivers: Vec::new(),
            of_image: Vec::new(),
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        for (input, list) in case.inputs.iter().zip(lists) {
            let root = input.trace.info().machine.system_root.as_deref();
            let root = root.unwrap_or("C:\\Windows");
            let ids = list
                .list
                .iter()
                .map(|driver| {
                    let id = *known.entry(identity_key(driver, root)).or_insert_with(|| {
                        out.drivers.push(driver);
                        out.drivers.len() as u32 - 1
                    });
                    // The trace that knows the company knows the driver best.
                    let kept = &mut out.drivers[id as usize];
                    if kept.company.is_empty() && !driver.company.is_empty() {
                        *kept = driver;
                    }
                    id
                })
                .collect();
            out.of_image.push(ids);
        }
        out
    }
}

/// The normalised path in lower case; a driver without one is known by its name.
fn identity_key(driver: &Driver, system_root: &str) -> String {
    let mut key = String::new();
    let mut root = String::new();
    push_normalised(system_root, "", &mut root);
    push_normalised(&driver.path, &root, &mut key);
    key.make_ascii_lowercase();
    key
}
