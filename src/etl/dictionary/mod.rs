//! What a trace says of its processes, threads, images, names and stacks, gathered in one pass.
//!
//! Many of these facts stand at the end of a trace, behind everything that needs them.

pub mod callbacks;
pub mod collect;
pub mod facts;
pub mod images;
pub mod lifetimes;
pub mod machine;
pub mod opened;
pub mod processes;
pub mod refused;
pub mod samples;
pub mod stacks;
pub mod tells;
pub mod texts;
pub mod threads;
pub mod twins;
pub mod versions;
pub mod volumes;
