//! Findings and facts as text for people.

pub mod activity;
pub mod batch;
pub mod drivers;
pub mod filters;
pub mod html;
pub mod info;
mod nouns;
pub mod reader;
pub mod sheets;
mod style;
pub mod summary;
pub mod timeline;
mod words;
