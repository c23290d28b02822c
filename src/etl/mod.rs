//! Windows trace logs (ETL): the container, its clock, and its records of every kind.
//!
//! [`EtlFile`] is the file: trace header, buffers, and the records of each buffer. [`census()`] counts
//! what it holds. Payloads are not looked into here.
//!
//! ```no_run
//! use fltscope::etl::{census, EtlFile, Scratch};
//! use fltscope::input::view::Source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = EtlFile::open(Source::open("boot.etl".as_ref())?)?;
//! println!("{:?}", census(&file, &|_| ())?.records);
//! let mut scratch = Scratch::default();
//! for buffer in 0..file.buffers().len() {
//!     for record in file.records(buffer, &mut scratch)?.flatten() {
//!         let time = record.time().map(|ticks| file.clock_of(buffer).filetime(ticks));
//!         println!("{time:?} {:?} {} bytes", record.hook(), record.payload().len());
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod body;
pub mod buffer;
pub mod census;
pub mod classes;
pub mod clock;
pub mod compression;
pub mod coverage;
pub mod cuts;
pub mod dictionary;
pub mod error;
pub mod facts;
pub mod file;
pub mod forms;
pub mod gather;
pub mod guid;
pub mod header;
pub mod hooks;
pub mod info;
pub mod items;
pub mod kernel;
mod keynames;
pub mod keys;
pub mod layout;
pub mod link;
pub mod masks;
pub mod message;
mod provider_names;
pub mod providers;
pub mod record;
pub mod records;
pub mod rows;
pub mod selfdescribing;
mod sieve;
pub mod slices;
mod tally;
pub mod time_zone;
pub mod trace;
mod unpacked;
mod walk;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod synth;

pub use census::{Census, census};
pub use clock::Clock;
pub use coverage::coverage;
pub use error::{EtlError, OpenError};
pub use facts::EtlFacts;
pub use file::{EtlFile, Part};
pub use guid::Guid;
pub use header::{TraceHeader, is_etl};
pub use link::noted::Foresee;
pub use record::{Classic, Descriptor, Hook, Record, RecordKind};
pub use records::{Records, Scratch};
pub use trace::EtlTrace;
