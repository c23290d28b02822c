//! Payloads of kernel events: layouts by hook and version, for both pointer sizes.
//!
//! Each family has a file with its layouts and, where a table shows more of it, one with its names. A
//! decoder reads a payload's [`Fields`] and leaves there what it did not read. Which header a record has
//! plays no part: any hook may come with any.

#[cfg(test)]
mod any_bytes;
pub mod config;
pub mod devices;
pub mod disk;
pub mod drives;
pub mod fault;
pub mod fields;
pub mod file_io;
pub mod file_io_addresses;
mod file_io_names;
pub mod file_name;
pub mod hive;
#[cfg(test)]
mod hostile;
pub mod image;
pub mod image_id;
#[cfg(test)]
mod made;
pub mod major_function;
pub mod merged;
pub mod minifilter;
pub mod network;
pub mod object;
mod pairs;
pub mod process;
mod process_names;
pub mod profile;
pub mod registry;
mod registry_names;
#[cfg(test)]
pub(crate) mod sample;
pub mod sid;
pub mod stack;
pub mod thread;
mod thread_names;
pub mod width;

pub use fields::{Fields, NarrowText, WideText};
pub use file_io::{FileIo, FileOperation, FileRequest, OPERATION_END, OperationEnd};
pub use file_io_names::OPERATION_END_NAME;
pub use file_name::{FileName, FileView};
pub use image::{ImageEvent, ImageRow};
pub use major_function::major_function_name;
pub use minifilter::MinifilterCallback;
pub use process::{ProcessCounters, ProcessEvent, ProcessRow};
pub use registry::{KeyEvent, KeyOperation, RegistryEvent};
pub use sid::Sid;
pub use thread::{ContextSwitch, ThreadEvent, ThreadRow};
