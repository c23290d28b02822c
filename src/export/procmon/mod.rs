//! Procmon's own export formats, as Procmon writes them.
//!
//! The tables of [`crate::export`] say what a log holds; these say what Procmon prints, its slips included. They
//! are made from the records of a [`PmlTrace`], not from the event model, which has no place for slips.

mod clock;
mod columns;
mod csv;
mod dialect;
mod escape;
mod processes;
mod selection;
mod stack;
mod values;
mod xml;

pub use columns::ProcmonColumn;
pub use csv::write_csv;
pub use dialect::likely_dialect;
pub use xml::write_xml;

use super::Filter;
use crate::drivers::DriverList;
use crate::pml::PmlTrace;
use crate::pml::detail::Dialect;
use crate::trace::Zone;

/// A log on its way out.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// The log.
    pub trace: &'a PmlTrace,
    /// Its drivers: a filter may ask for them.
    pub drivers: &'a DriverList,
    /// Which events.
    pub filter: &'a Filter,
    /// The build of Procmon to write like.
    pub dialect: Dialect,
    /// The zone of the machine that exports.
    pub zone: &'a Zone,
}
