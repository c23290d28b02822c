//! fltscope reads Windows traces and names the third-party filter driver behind a failed update.
//!
//! ```text
//! bytes ─► decode ─► one event model ─► window + identity ─► touches ─► findings ─► tables, report
//! input    pml, etl       trace            servicing, drivers   findings               export, report
//! ```
//!
//! Data goes one way, from left to right. A module knows what stands to its left and nothing to its
//! right: decoders know no rules, rules know no bytes, writers know no judgement, and only the
//! command line knows the terminal.
//!
//! # Example
//!
//! ```no_run
//! use fltscope::findings::{analyze, Case, CaseInput, Options};
//! use fltscope::pml::PmlTrace;
//! use fltscope::trace::Silent;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = PmlTrace::open("boot_log.pml".as_ref(), &|_| ())?;
//! let case = Case { inputs: vec![CaseInput { name: "boot_log.pml".into(), trace: &log }], logs: Default::default() };
//! let outcome = analyze(&case, &Options::default(), &Silent)?;
//! for driver in outcome.findings.flagged() {
//!     println!("{} {} {}", driver.name, driver.verdict.as_str(), driver.failures);
//! }
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod bytes;
pub mod cli;
pub mod codes;
pub mod drivers;
pub mod etl;
pub mod export;
pub mod findings;
pub mod guard;
pub mod input;
pub mod lang;
pub mod pml;
pub mod report;
pub mod servicing;
pub mod stop;
pub mod trace;
pub mod visible;
