//! Text files of the traced machine: lines in bounded memory, whatever their encoding.
//!
//! Windows writes its logs as UTF-8, as UTF-16 or in the code page of the machine, and a crash leaves blocks of
//! NUL bytes in them. [`Lines`] reads all of that without holding the file: each line comes with its number and
//! its place, and what could not be read as it stands is counted in a [`TextReport`].

mod encoding;
mod lines;
mod report;

pub use encoding::LogEncoding;
pub use lines::{Line, Lines, TextOptions};
pub use report::{EncodingBasis, TextReport};

#[cfg(test)]
mod lines_tests;
