//! Writes synthetic traces from a scenario, for the tests of fltscope.
//!
//! [`pml`] is the writer of Procmon logs, [`etl`] that of Windows trace logs, [`logs`] that of the text logs of
//! servicing, [`scenario`] the cases with what must be found in them.
//!
//! ```
//! use tracegen::pml::op::{Create, FileOp};
//! use tracegen::pml::{Bits, Event, LogBuilder, Module, Op, Process};
//!
//! let mut log = LogBuilder::new(Bits::B64);
//! let driver = Module::new(0xFFFF_F803_0000_0000, 0x1000, "C:\\Windows\\System32\\drivers\\x.sys").named("X", "", "");
//! let mut system = Process::new(4, 0, "System");
//! system.modules.push(driver.clone());
//! let process = log.process(system);
//! log.event(&Event {
//!     process,
//!     tid: 8,
//!     time: 134_230_416_670_000_000,
//!     duration: 170,
//!     status: 0xC000_0022,
//!     stack: vec![driver.at(0x20)],
//!     op: Op::file("C:\\Windows\\INF\\a.inf", FileOp::CreateFile(Create { open_result: None, ..Create::default() })),
//! });
//! assert!(log.finish().starts_with(b"PML_"));
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod big;
pub mod big_etl;
pub mod etl;
pub mod logs;
pub mod pml;
pub mod prng;
pub mod scenario;
