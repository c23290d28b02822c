//! Events whose fields the trace itself describes: TraceLogging events bring their schema along, manifest
//! events find theirs in the definitions that a merge or an EventSource provider wrote into the file.
//!
//! ```no_run
//! use fltscope::etl::selfdescribing::{Collector, Event};
//! # fn records() -> Vec<fltscope::etl::Record<'static>> { Vec::new() }
//! // Definitions may stand behind the events they describe.
//! let mut collector = Collector::default();
//! for record in records() {
//!     collector.add(&record);
//! }
//! let definitions = collector.finish();
//! let mut text = String::new();
//! for record in records() {
//!     if let Some(event) = Event::new(&record, &definitions) {
//!         text.clear();
//!         event.push_name(&mut text);
//!         text.push_str(": ");
//!         event.push_detail(&mut text);
//!         println!("{text}");
//!     }
//! }
//! ```

mod address;
mod chunks;
pub mod definition;
pub mod definitions;
pub mod event;
mod manifest;
pub mod maps;
mod message;
pub mod metadata;
pub mod raw;
pub mod text;
pub mod tracelogging;
pub mod types;
pub mod value;
pub mod walk;
pub mod windows_update;

pub use chunks::Chunk;
pub use definition::Definition;
pub use definitions::{Collector, Definitions};
pub use event::Event;
pub use metadata::Key;
pub use raw::Raw;
pub use text::FieldText;
pub use tracelogging::{Schema, Traits};
pub use types::{InType, OutType};
pub use value::Value;
pub use walk::{Group, Stop, Visitor, Walked};

#[cfg(test)]
mod hostile;
