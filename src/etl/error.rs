//! What can be wrong with an ETL file.

use crate::bytes::Truncated;
use std::io;

/// Why a trace could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is no trace this decoder reads.
    #[error("{0}")]
    Format(#[from] EtlError),
}

/// A fault of an ETL file. The first two mean that nothing can be read; the others are told as
/// warnings while the rest of the file is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EtlError {
    /// The file does not start as a trace does.
    #[error(
        "ETL001 at offset {offset:#x}: expected {expected}, found {found}: this is no ETL file"
    )]
    NotEtl {
        /// Where.
        offset: u64,
        /// What a trace has there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The file ends inside the trace header.
    #[error("ETL002 {0}: the file is cut inside its header")]
    Header(#[source] Truncated),
    /// The session that wrote the file did not end it.
    #[error(
        "ETL003 at offset 0x0: expected the end time of the session, found 0: the session was not stopped (a crash, or the file was copied while it ran). Events of its last seconds may be missing, and so are the names that Windows writes at the end"
    )]
    NotClosed,
    /// The header counts more buffers than there are.
    #[error(
        "ETL004 at offset 0x0: expected {expected} buffers, found {found}: the file is cut or damaged"
    )]
    MissingBuffers {
        /// What the header says.
        expected: u64,
        /// What the file holds.
        found: u64,
    },
    /// A buffer header that contradicts the file.
    #[error("ETL005 at offset {offset:#x}: expected {expected}, found {found}; {outcome}")]
    Buffer {
        /// Where the buffer starts.
        offset: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
        /// What was done about it.
        outcome: &'static str,
    },
    /// Bytes between the buffers that are no buffer.
    #[error(
        "ETL006 at offset {offset:#x}: expected a buffer, found {bytes} bytes that are none; skipped"
    )]
    Skipped {
        /// Where they start.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// The file ends inside its last buffer.
    #[error(
        "ETL007 at offset {offset:#x}: expected a buffer of {need} bytes, found {have}: the file is cut. The records before the cut are read"
    )]
    Cut {
        /// Where the buffer starts.
        offset: u64,
        /// Bytes of the buffer that hold data.
        need: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// A compressed buffer that does not give what its header says.
    #[error(
        "ETL008 at offset {offset:#x}: expected {expected} bytes of records in a compressed buffer, found {found}: {reason}"
    )]
    Compressed {
        /// Where the buffer starts.
        offset: u64,
        /// What the header says.
        expected: u64,
        /// What came out.
        found: u64,
        /// Why it ended.
        reason: &'static str,
    },
    /// Something that should be a record and is none: the rest of the buffer cannot be read.
    #[error(
        "ETL009 at byte {within:#x} of the buffer at offset {offset:#x}: expected {expected}, found {found}; the rest of the buffer is dropped"
    )]
    Record {
        /// Where the buffer starts in the file.
        offset: u64,
        /// Where the record starts in the buffer, after decompression.
        within: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A record whose size holds and whose inside does not.
    #[error(
        "ETL010 at byte {within:#x} of the buffer at offset {offset:#x}: expected {expected}, found {found}; the record is dropped"
    )]
    Inside {
        /// Where the buffer starts in the file.
        offset: u64,
        /// Where the record starts in the buffer, after decompression.
        within: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

impl EtlError {
    /// Whether the rest of the buffer is lost with it.
    pub fn ends_buffer(&self) -> bool {
        !matches!(self, Self::Inside { .. })
    }
}
