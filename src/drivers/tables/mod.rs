//! What is known of driver files by their name alone: which are Microsoft's, which altitudes were given out for
//! them, and which belong to the tracer itself.
//!
//! A name proves little. These tables answer where the trace holds no version information, and add to what it does
//! hold; they never overrule it.

mod altitude;
mod altitudes;
mod inbox;
mod inbox_names;
mod name;
mod observer;

pub use altitude::{altitude_cmp, group_of, is_altitude};
pub use altitudes::{Candidate, altitude_candidates};
pub use inbox::is_inbox;
pub use observer::{is_builtin_observer, observer_note};
