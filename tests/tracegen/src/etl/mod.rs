//! A writer of Windows trace logs (ETL): buffers, records of every header kind, and typed kernel events.
//!
//! [`EtlBuilder`] collects records in any order and gives the bytes of a file, [`EtlStream`] writes one
//! larger than memory. A [`Session`] says what the trace header tells and how the file is made.
//!
//! ```
//! use tracegen::etl::event::{Event, FileIo, FileIoOp};
//! use tracegen::etl::{EtlBuilder, Record, Session};
//! use tracegen::pml::Bits;
//!
//! let start = 134_230_416_670_000_000;
//! let mut trace = EtlBuilder::new(Session::new(Bits::B64, start));
//! let create = FileIoOp::Create {
//!     options: 0x0100_0060,
//!     attributes: 0,
//!     share: 7,
//!     path: "\\Device\\HarddiskVolume3\\Windows\\INF\\a.inf",
//! };
//! let event = Event::FileIo(FileIo { irp: 0xFFFF_E50C_0000_1010, object: 0xFFFF_E50C_0000_2020, tid: 1_204, op: create });
//! trace.add(&Record::new(0, start + 250, event).by(428, 1_204));
//! assert_eq!(trace.finish().len(), 2 * 65_536);
//! ```

mod buffer;
mod builder;
mod bytes;
mod clock;
mod encode;
pub mod event;
mod guid;
pub mod layout;
mod lz77;
mod record;
mod session;
mod stream;
mod trace_header;

pub use builder::{EtlBuilder, Line};
pub use clock::{Clock, ClockType};
pub use guid::Guid;
pub use lz77::compress;
pub use record::{HeaderKind, NOBODY, Record};
pub use session::{Masks, Session, TimeZone};
pub use stream::EtlStream;
