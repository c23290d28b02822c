//! Who made a kernel image, and is it one that only watches?

mod identity;
pub mod tables;

pub use identity::{Basis, Driver, DriverList, Observers, Role, identify, is_third_party_company};
