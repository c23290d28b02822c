//! The event model that every decoder produces and everything behind it reads.

pub mod address_map;
pub mod batch;
pub mod log_writes;
pub mod model;
pub mod names;
pub mod path;
pub mod pool;
pub mod room;
pub mod run;
pub mod source;
pub mod time;

pub use address_map::AddressMap;
pub use batch::{
    Batch, Callback, Class, CreateRequest, FileUse, Foreseen, Frames, Memo, NO_PROCESS, NO_THREAD,
    Outcomes, Owners, PathTest, Phase, Select, Transfer, Want,
};
pub use log_writes::{LogWrite, ServicingLog};
pub use model::{Architecture, KernelImage, Machine, Module, Process, SYSTEM};
pub use run::{Progress, Silent, Tick, for_each_unit, set_threads};
pub use source::{Boot, BootBasis, Coverage, Job, Kind, OperationCount, Records, Trace, TraceInfo};
pub use time::{Filetime, Zone};
