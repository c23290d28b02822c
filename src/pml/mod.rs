//! Procmon logs (PML version 9, 32-bit and 64-bit).
//!
//! [`PmlFile`] is the file: header, tables and records by event number. [`PmlTrace`] is the same log
//! behind the event model of [`crate::trace`].

pub mod detail;
pub mod error;
mod facts;
pub mod file;
pub mod header;
mod hints;
pub mod hosts;
pub mod layout;
pub mod operations;
pub mod parts;
mod places;
pub mod processes;
pub mod record;
pub mod strings;
mod survey;
pub mod text;
mod trace;
mod unit;
mod walk;

pub use error::PmlError;
pub use file::{OpenError, PmlFile};
pub use places::Places;
pub use record::{Bits, Record};
pub use trace::PmlTrace;
pub use unit::Unit;
