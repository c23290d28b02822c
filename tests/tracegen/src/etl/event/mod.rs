//! Events: what each is called in a file, and how its payload is laid out.

mod config;
mod disk;
mod file;
mod image;
mod merged;
mod minifilter;
mod object;
mod process;
mod profile;
mod registry;
mod session;
mod stack;
mod thread;
mod tracelogging;

pub use config::{Config, LogicalDisk, Machine};
pub use disk::Disk;
pub use file::{Directory, FileIo, FileIoOp, FileName, Information, OperationEnd, Transfer};
pub use image::Image;
pub use merged::{FileVersion, Merged};
pub use minifilter::{Callback, CallbackEvent, Phase};
pub use object::Object;
pub use process::ProcessRow;
pub use profile::Profile;
pub use registry::{Registry, RegistryOp};
pub use session::SessionEvent;
pub use stack::Stack;
pub use thread::{SwitchRow, ThreadRow};
pub use tracelogging::{Field, Provided, TraceLogging, Value};

use super::bytes::Out;
use super::encode::Context;
use super::{Guid, HeaderKind};
use serde::Serialize;

/// Where in its life a process, thread or image is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Moment {
    /// It begins: start, load.
    Begin,
    /// It ends: end, unload.
    End,
    /// It was there when the session began.
    RundownBegin,
    /// It was there when the session ended.
    RundownEnd,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
pub enum Event<'a> {
    /// The session itself.
    #[serde(skip)]
    Session(SessionEvent<'a>),
    /// 0x0301 to 0x0304.
    Process(Moment, ProcessRow<'a>),
    /// 0x030B, the process that is terminated.
    Terminate(u32),
    /// 0x0501 to 0x0504.
    Thread(Moment, ThreadRow<'a>),
    /// 0x0524.
    Switch(SwitchRow),
    /// 0x030A, 0x1402 to 0x1404.
    Image(Moment, Image<'a>),
    /// 0x0400, 0x0420, 0x0423, 0x0424.
    FileName(FileName<'a>),
    /// 0x0440 to 0x0452 but for the end.
    FileIo(FileIo<'a>),
    /// 0x044C.
    OperationEnd(OperationEnd),
    /// 0x0460 to 0x0465.
    Callback(Callback),
    /// 0x090A to 0x091D.
    Registry(Registry<'a>),
    /// 0x1820, 0x1822 to 0x1826.
    Stack(Stack<'a>),
    /// 0x1120 to 0x1127.
    Object(Object<'a>),
    /// 0x010A to 0x010D.
    Disk(Disk),
    /// 0x0F2E, 0x0F49, 0x0F4A.
    Profile(Profile<'a>),
    /// 0x0B0A, 0x0B0C, 0x0B21.
    Config(Config<'a>),
    /// What a merge tool adds.
    Merged(Merged<'a>),
    /// A self-describing event.
    TraceLogging(TraceLogging<'a>),
    /// Any event of a provider.
    #[serde(skip)]
    Provided(Provided<'a>),
    /// Any kernel event at all.
    #[serde(skip)]
    Kernel {
        /// Hook.
        hook: u16,
        /// Version.
        version: u8,
        /// Header.
        header: HeaderKind,
        /// Payload.
        payload: &'a [u8],
    },
    /// Any classic event at all.
    #[serde(skip)]
    Class {
        /// Class.
        class: Guid,
        /// Opcode.
        opcode: u8,
        /// Version.
        version: u16,
        /// Payload.
        payload: &'a [u8],
    },
}

/// What the header says of an event.
pub(crate) enum Identity {
    Kernel {
        hook: u16,
        version: u8,
        header: HeaderKind,
    },
    Class {
        class: Guid,
        opcode: u8,
        version: u16,
    },
    Provider(Provider),
}

/// Event descriptor and provider of an EVENT_HEADER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// Provider.
    pub provider: Guid,
    /// Event id.
    pub id: u16,
    /// Version.
    pub version: u8,
    /// Channel; 11 is TraceLogging.
    pub channel: u8,
    /// Level; 4 is information.
    pub level: u8,
    /// Opcode.
    pub opcode: u8,
    /// Task.
    pub task: u16,
    /// Keywords.
    pub keywords: u64,
    /// Activity.
    pub activity: Guid,
}

impl Provider {
    /// Information of a provider, without an activity.
    pub fn new(provider: Guid, id: u16) -> Self {
        Self {
            provider,
            id,
            version: 0,
            channel: 0,
            level: 4,
            opcode: 0,
            task: 0,
            keywords: 0,
            activity: Guid([0; 16]),
        }
    }
}

fn system(hook: u16, version: u8) -> Identity {
    Identity::Kernel {
        hook,
        version,
        header: HeaderKind::System,
    }
}

fn perf_info(hook: u16, version: u8) -> Identity {
    Identity::Kernel {
        hook,
        version,
        header: HeaderKind::PerfInfo,
    }
}

impl Event<'_> {
    pub(crate) fn identity(&self, context: &Context) -> Identity {
        match self {
            Self::Session(e) => e.identity(),
            Self::Process(moment, _) => process::identity(*moment),
            Self::Terminate(_) => system(0x030B, 2),
            Self::Thread(moment, _) => thread::identity(*moment),
            Self::Switch(_) => perf_info(0x0524, 2),
            Self::Image(moment, e) => e.identity(*moment),
            Self::FileName(e) => e.identity(context.file_io_version),
            Self::FileIo(e) => system(e.op.hook(), context.file_io_version),
            Self::OperationEnd(_) => system(0x044C, context.file_io_version),
            Self::Callback(e) => e.identity(context.file_io_version),
            Self::Registry(e) => system(e.op.hook(), 2),
            Self::Stack(e) => perf_info(e.hook(), 2),
            Self::Object(e) => e.identity(),
            Self::Disk(e) => e.identity(),
            Self::Profile(e) => e.identity(),
            Self::Config(e) => e.identity(),
            Self::Merged(e) => e.identity(),
            Self::TraceLogging(e) => Identity::Provider(e.provider()),
            Self::Provided(e) => Identity::Provider(e.provider),
            Self::Kernel {
                hook,
                version,
                header,
                ..
            } => Identity::Kernel {
                hook: *hook,
                version: *version,
                header: *header,
            },
            Self::Class {
                class,
                opcode,
                version,
                ..
            } => Identity::Class {
                class: *class,
                opcode: *opcode,
                version: *version,
            },
        }
    }

    /// The header names a thread that did not cause the record.
    pub(crate) fn is_hearsay(&self) -> bool {
        matches!(
            self,
            Self::Merged(_) | Self::Thread(Moment::RundownBegin | Moment::RundownEnd, _)
        )
    }

    pub(crate) fn has_items(&self) -> bool {
        match self {
            Self::TraceLogging(_) => true,
            Self::Provided(e) => !e.items.is_empty(),
            _ => false,
        }
    }

    /// The extended data items of an EVENT_HEADER.
    pub(crate) fn items(&self, out: &mut Out) {
        match self {
            Self::TraceLogging(e) => e.items(out),
            Self::Provided(e) => tracelogging::items(out, e.items),
            _ => {}
        }
    }

    pub(crate) fn payload(&self, out: &mut Out, context: &Context) {
        match self {
            Self::Session(e) => e.payload(out),
            Self::Process(_, row) => row.payload(out),
            Self::Terminate(pid) => out.u32(*pid),
            Self::Thread(_, row) => row.payload(out),
            Self::Switch(row) => row.payload(out),
            Self::Image(_, e) => e.payload(out),
            Self::FileName(e) => e.payload(out),
            Self::FileIo(e) => e.payload(out, context.file_io_version),
            Self::OperationEnd(e) => e.payload(out),
            Self::Callback(e) => e.payload(out, &context.clock),
            Self::Registry(e) => e.payload(out, &context.clock),
            Self::Stack(e) => e.payload(out, &context.clock),
            Self::Object(e) => e.payload(out),
            Self::Disk(e) => e.payload(out, &context.clock),
            Self::Profile(e) => e.payload(out),
            Self::Config(e) => e.payload(out),
            Self::Merged(e) => e.payload(out),
            Self::TraceLogging(e) => e.payload(out),
            Self::Provided(Provided { payload, .. })
            | Self::Kernel { payload, .. }
            | Self::Class { payload, .. } => out.raw(payload),
        }
    }
}
