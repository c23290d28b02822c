//! Decoders of what an event says beyond its fixed part: path, target, category and detail.
//!
//! Values are decoded here apart from their text ([`FieldSink`]); [`text`] turns them into Procmon's.
//! Nothing allocates: a decoder borrows from the record and hands its values on one by one. Every byte
//! of a record may be wrong: what does not fit its block is left out, and the detail gets shorter.

pub(crate) mod control;
pub(crate) mod create;
mod device;
mod directory;
mod entries;
pub mod field;
mod file;
pub(crate) mod file_information;
pub(crate) mod io;
mod network;
mod path;
mod process;
mod profiling;
pub(crate) mod registry;
mod rename;
pub mod tables;
pub mod text;
mod value;
mod volume;

pub use create::{Create, create_parameters};
pub use field::{FieldSink, Name, Value};
pub use io::{transfer, written_path};
pub use process::{
    ImageLoad, ProcessCreated, ProcessStart, image_load, process_created, process_start,
};
pub use text::{DetailText, finish_detail};

use super::hosts::{Accounts, Hosts};
use super::operations::class;
use super::record::Record;

/// How to treat what Procmon's own formatter gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What the log holds, for people and for further work: values from their true places, nothing read
    /// past the end of a block, and the fields Procmon does not print.
    Clean,
    /// What Procmon prints, slips included.
    Procmon(Dialect),
}

/// The builds of Procmon that print some details differently. A log does not say which one wrote it, and
/// the exporting build decides.
///
/// In a directory listing the fields are numbered slots, printed until one is missing; the builds
/// differ above all in which slot holds the information class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The older build of 2020: no slot holds the class.
    Early2020,
    /// The newer build of 2020: slot 2 holds it and hides the entry that would stand there.
    Late2020,
    /// Builds since: slot 0 holds it and slot 1 the filter; the `Access Filter` bit of security
    /// information has a name and streams are listed. Known from quoted lines, not from a whole export.
    Recent,
}

impl Mode {
    #[inline]
    fn is_clean(self) -> bool {
        self == Self::Clean
    }

    /// Whether what only the older builds leave out is wanted.
    #[inline]
    fn is_recent(self) -> bool {
        matches!(self, Self::Clean | Self::Procmon(Dialect::Recent))
    }
}

/// Appends the Path column: as stored, with the filter of a directory listing behind it, and as
/// `host:port -> host:port` for network events.
pub fn push_path(record: &Record<'_>, hosts: &Hosts, out: &mut String) {
    match record.class() {
        class::PROCESS => process::push_path(record, out),
        class::REGISTRY => registry::push_path(record, out),
        class::FILE | class::IPC => file::push_path(record, out),
        class::PROFILING => profiling::push_path(record, out),
        class::NETWORK => {
            network::push_path(record, hosts, out);
        }
        _ => {}
    }
}

/// Appends the path an event works towards: the new name of a renamed file or key, the name of a hard
/// link, the file of a loaded hive. Returns whether it has one.
///
/// The path is full and comparable to [`push_path`]'s, but for a name given relative to another open
/// folder, which the log does not name, or through the object manager (`\SystemRoot\..`).
pub fn push_target_path(record: &Record<'_>, out: &mut String) -> bool {
    let target = match record.class() {
        class::REGISTRY => registry::target(record),
        class::FILE | class::IPC => rename::target(record),
        _ => None,
    };
    let Some((folder, name)) = target.filter(|(_, name)| !name.is_empty()) else {
        return false;
    };
    path::push_target(folder, name, out);
    true
}

/// Whether a file event gives a file a second name: renames it or makes a hard link to it.
#[inline]
pub fn names_file_anew(record: &Record<'_>) -> bool {
    matches!(record.class(), class::FILE | class::IPC) && rename::target(record).is_some()
}

/// The Category column: `Read`, `Write`, `Read Metadata`, `Write Metadata` or nothing.
pub fn category(record: &Record<'_>) -> &'static str {
    match record.class() {
        class::REGISTRY => registry::category(record),
        class::FILE | class::IPC => file::category(record),
        _ => "",
    }
}

/// Hands the fields of the Detail column to `sink`, in Procmon's order.
pub fn detail<S: FieldSink>(record: &Record<'_>, accounts: &Accounts, mode: Mode, sink: &mut S) {
    // A decoder stops (`None`) where its block ends.
    let _ = match record.class() {
        class::PROCESS => process::detail(record, sink),
        class::REGISTRY => registry::detail(record, mode, sink),
        class::FILE | class::IPC => file::detail(record, accounts, mode, sink),
        class::PROFILING => profiling::detail(record, sink),
        class::NETWORK => network::detail(record, sink),
        _ => None,
    };
}

/// Whether an operation waits by nature, so that its duration says nothing about a delay: directory
/// notifications, oplock requests and the waiting for oplock breaks, and pipe controls.
pub fn waits_by_nature(record: &Record<'_>) -> bool {
    matches!(record.class(), class::FILE | class::IPC)
        && (directory::is_notification(record) || control::waits(record))
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
