//! What can be wrong with a PML file.

use crate::bytes::Truncated;

/// The tables behind the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Event index.
    Index,
    /// Process table.
    Processes,
    /// String table.
    Strings,
    /// Host and port names.
    Hosts,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Index => "event index",
            Self::Processes => "process table",
            Self::Strings => "string table",
            Self::Hosts => "host and port table",
        })
    }
}

/// A fault of a PML file. The first three mean that nothing can be read; the others are told as
/// warnings while the rest of the file is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PmlError {
    /// The file does not start as a Procmon log does.
    #[error("PML001 at offset 0x0: expected the Procmon signature 'PML_', found {found}")]
    NotPml {
        /// The first bytes.
        found: String,
    },
    /// A version other than 9.
    #[error("PML002 at offset 0x4: expected PML version 9, found version {found}. {hint}")]
    Version {
        /// The version the file names.
        found: u32,
        /// What the user can do.
        hint: &'static str,
    },
    /// The file ends inside the header.
    #[error("PML003 {0}: the file is cut inside its header")]
    Header(#[source] Truncated),
    /// The header has no offsets: Procmon did not finish the file.
    #[error(
        "PML004 at offset 0x240: expected the offsets of events and tables, found zeros: the log was not closed. Events are read one by one; open the log in Procmon once and save it to get process names"
    )]
    NotClosed,
    /// A table lies outside the file or does not hold what it says.
    #[error("PML005 at offset {offset:#x}: {table}: expected {expected}, found {found}")]
    Table {
        /// Which table.
        table: Table,
        /// Where it starts or should start.
        offset: u64,
        /// What belongs there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// An event record that does not fit its place.
    #[error("PML006 {0}")]
    Event(#[source] Truncated),
    /// Bytes between events that are no event.
    #[error(
        "PML007 at offset {offset:#x}: expected an event record, found {bytes} bytes that are none; skipped"
    )]
    Skipped {
        /// Where they start.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}
