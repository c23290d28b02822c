//! fltscope reads Windows traces and names the third-party filter driver behind a failed update.
//!
//! ```text
//! bytes ─► decode ─► one event model ─► window + identity ─► touches ─► findings ─► tables, report
//! input      pml          trace            servicing, drivers   findings               export, report
//! ```
//!
//! Data goes one way, from left to right. A module knows what stands to its left and nothing to its
//! right: decoders know no rules, rules know no bytes, writers know no judgement, and only the
//! command line knows the terminal.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod bytes;
pub mod codes;
pub mod input;
pub mod pml;
pub mod trace;
