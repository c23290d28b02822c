//! Payloads of kernel events: layouts by hook and version, for both pointer sizes.

pub mod fields;

pub use fields::{Fields, NarrowText, WideText};
