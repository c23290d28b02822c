//! The files of a case.

pub mod view;
