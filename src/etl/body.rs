//! What a record says: its payload, whatever family it is of.

use crate::etl::gather::Placed;
use crate::etl::hooks::{group_of, hook_name};
use crate::etl::kernel::config::ConfigEvent;
use crate::etl::kernel::disk::DiskEvent;
use crate::etl::kernel::fault::FaultEvent;
use crate::etl::kernel::file_io::{FileIo, OPERATION_END, OperationEnd};
use crate::etl::kernel::file_name::{FileName, FileView};
use crate::etl::kernel::image::ImageEvent;
use crate::etl::kernel::image_id::ImageRecord;
use crate::etl::kernel::merged::SystemRecord;
use crate::etl::kernel::minifilter::MinifilterCallback;
use crate::etl::kernel::network::NetworkEvent;
use crate::etl::kernel::object::ObjectEvent;
use crate::etl::kernel::process::ProcessEvent;
use crate::etl::kernel::profile::ProfileEvent;
use crate::etl::kernel::registry::{KeyEvent, KeyOperation, RegistryEvent};
use crate::etl::kernel::stack::StackEvent;
use crate::etl::kernel::thread::ThreadEvent;
use crate::etl::kernel::{Fields, OPERATION_END_NAME, major_function_name};
use crate::etl::link::End;
use crate::etl::providers::{IMAGE_ID, SYSTEM};

/// A payload.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// A file operation begins.
    File(FileIo<'a>),
    /// A file operation ends.
    FileEnd(OperationEnd),
    /// A minifilter's callback.
    Callback(MinifilterCallback),
    /// A registry operation, or the name of a KCB.
    Key(KeyEvent<'a>),
    /// Other events of the registry.
    Registry(RegistryEvent<'a>),
    /// A process.
    Process(ProcessEvent<'a>),
    /// A thread.
    Thread(ThreadEvent<'a>),
    /// An image.
    Image(ImageEvent<'a>),
    /// The name of a file key.
    FileName(FileName<'a>),
    /// A mapped file.
    FileView(FileView),
    /// Network.
    Network(NetworkEvent),
    /// Disk.
    Disk(DiskEvent),
    /// Page faults and virtual memory.
    Fault(FaultEvent),
    /// Samples, DPCs, ISRs, system calls.
    Profile(ProfileEvent<'a>),
    /// Handles and objects.
    Object(ObjectEvent<'a>),
    /// Stacks.
    Stack(StackEvent<'a>),
    /// The machine.
    Config(ConfigEvent<'a>),
    /// Identity of an image.
    ImageId(ImageRecord<'a>),
    /// What a merge says of the machine.
    System(SystemRecord<'a>),
    /// A kernel event whose payload is not read, or ends too early.
    Other,
    /// An event that is not the kernel's.
    Event,
}

impl<'a> Body<'a> {
    /// Reads the payload of a record.
    #[inline]
    pub fn of(placed: &Placed<'a>) -> Self {
        let record = &placed.record;
        let mut fields = Fields::new(record.payload(), record.wide());
        let fields = &mut fields;
        let Some(hook) = placed.hook else {
            return Self::of_class(placed, fields);
        };
        let (id, version) = (hook.id, u16::from(hook.version));
        let found = match id {
            OPERATION_END => OperationEnd::parse(fields).map(Self::FileEnd),
            0x0440..=0x0452 => FileIo::parse(id, version, fields).map(Self::File),
            0x0460..=0x0465 => MinifilterCallback::parse(id, fields).map(Self::Callback),
            0x0425..=0x0428 => FileView::parse(id, version, fields).map(Self::FileView),
            0x0400..=0x0424 => FileName::parse(id, fields).map(Self::FileName),
            0x0900..=0x09FF => match KeyOperation::of_hook(id) {
                Some(_) => KeyEvent::parse(id, version, fields).map(Self::Key),
                None => RegistryEvent::parse(id, version, fields).map(Self::Registry),
            },
            0x030A | 0x1400..=0x14FF => ImageEvent::parse(id, version, fields).map(Self::Image),
            0x0300..=0x03FF => ProcessEvent::parse(id, version, fields).map(Self::Process),
            0x0500..=0x05FF => ThreadEvent::parse(id, version, fields).map(Self::Thread),
            0x0100..=0x01FF => DiskEvent::parse(id, version, fields).map(Self::Disk),
            0x0200..=0x02FF => FaultEvent::parse(id, version, fields).map(Self::Fault),
            0x0600..=0x06FF | 0x0800..=0x08FF => {
                NetworkEvent::parse(id, version, fields).map(Self::Network)
            }
            0x0B00..=0x0BFF => ConfigEvent::parse(id, version, fields).map(Self::Config),
            0x0F00..=0x0FFF => ProfileEvent::parse(id, version, fields).map(Self::Profile),
            0x1100..=0x11FF => ObjectEvent::parse(id, version, fields).map(Self::Object),
            0x1800..=0x18FF => StackEvent::parse(id, version, fields).map(Self::Stack),
            _ => None,
        };
        found.unwrap_or(Self::Other)
    }

    fn of_class(placed: &Placed<'a>, fields: &mut Fields<'a>) -> Self {
        let Some(class) = placed.record.classic() else {
            return Self::Event;
        };
        let found = match class.class {
            IMAGE_ID => ImageRecord::parse(class.opcode, fields).map(Self::ImageId),
            SYSTEM => SystemRecord::parse(class.opcode, fields).map(Self::System),
            _ => None,
        };
        found.unwrap_or(Self::Event)
    }

    /// Name of what happened; `None` for events that the trace itself names.
    #[inline]
    pub fn operation(&self, placed: &Placed<'_>) -> Option<&'static str> {
        Some(match self {
            Self::File(io) => io.operation_name(),
            Self::FileEnd(_) => OPERATION_END_NAME,
            Self::Callback(callback) => {
                major_function_name(callback.major_function).unwrap_or("IRP_MJ_UNKNOWN")
            }
            Self::Key(event) => event.operation_name(),
            Self::Registry(event) => event.operation_name(),
            Self::Process(event) => event.operation_name(),
            Self::Thread(event) => event.operation_name(),
            Self::Image(event) => event.operation_name(),
            Self::FileName(event) => event.operation_name(),
            Self::FileView(event) => event.operation_name(),
            Self::Network(event) => event.operation(),
            Self::Disk(event) => event.operation(),
            Self::Fault(event) => event.operation(),
            Self::Profile(event) => event.operation(),
            Self::Object(event) => event.operation(),
            Self::Stack(event) => event.operation(),
            Self::Config(event) => event.operation(),
            Self::ImageId(event) => event.operation(),
            Self::System(event) => event.operation(),
            Self::Other => {
                let hook = placed.hook?.id;
                hook_name(hook).unwrap_or_else(|| group_of(hook).map_or("Unknown", |g| g.name))
            }
            Self::Event => return None,
        })
    }

    /// Read, Write, Read Metadata, Write Metadata, or nothing.
    #[inline]
    pub fn category(&self, end: Option<&OperationEnd>) -> &'static str {
        match self {
            Self::File(io) => io.category(end),
            Self::Key(event) => event.category(),
            Self::Registry(event) => event.category(),
            _ => "",
        }
    }

    /// Appends the detail; nothing for events that the trace itself describes.
    pub fn push_detail(&self, end: Option<&OperationEnd>, out: &mut String) {
        match self {
            Self::File(io) => io.push_detail(end, out),
            Self::FileEnd(event) => event.push_detail(out),
            Self::Callback(callback) => callback.push_detail(out),
            Self::Key(event) => event.push_detail(out),
            Self::Registry(event) => event.push_detail(out),
            Self::Process(event) => event.push_detail(out),
            Self::Thread(event) => event.push_detail(out),
            Self::Image(event) => event.push_detail(out),
            Self::FileName(event) => event.push_detail(out),
            Self::FileView(event) => event.push_detail(out),
            Self::Network(event) => event.push_detail(out),
            Self::Disk(event) => event.push_detail(out),
            Self::Fault(event) => event.push_detail(out),
            Self::Profile(event) => event.push_detail(out),
            Self::Object(event) => event.push_detail(out),
            Self::Stack(event) => event.push_detail(out),
            Self::Config(event) => event.push_detail(out),
            Self::ImageId(event) => event.push_detail(out),
            Self::System(event) => event.push_detail(out),
            Self::Other | Self::Event => {}
        }
    }

    /// The process and the thread that the payload names: those it tells of, or that asked for it.
    #[inline]
    pub fn owner(&self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::File(io) => (None, Some(io.tid)),
            Self::Process(ProcessEvent::Row(row)) => (Some(row.pid), None),
            Self::Process(ProcessEvent::Counters(row)) => (Some(row.pid), None),
            Self::Thread(ThreadEvent::Row(row)) => (Some(row.pid), Some(row.tid)),
            Self::Thread(ThreadEvent::Name(row)) => (Some(row.pid), Some(row.tid)),
            Self::Thread(ThreadEvent::ContextSwitch(switch)) => (None, Some(switch.new_tid)),
            Self::Thread(ThreadEvent::Ready(ready)) => (None, Some(ready.tid)),
            Self::Image(ImageEvent::Row(row)) => (row.pid, None),
            Self::FileView(view) => (Some(view.pid), None),
            Self::Network(event) => (Some(event.pid), None),
            Self::Disk(event) => (None, event.tid()),
            Self::Fault(FaultEvent::Hard(fault)) => (None, Some(fault.tid)),
            Self::Fault(FaultEvent::Virtual(range)) => (Some(range.pid), None),
            Self::Profile(ProfileEvent::Sample(sample)) => (None, Some(sample.tid)),
            Self::Profile(ProfileEvent::Counter(sample)) => (None, Some(sample.tid)),
            Self::Object(ObjectEvent::Handle(handle)) => (handle.pid, None),
            Self::Stack(StackEvent::Stack(stack)) => (Some(stack.pid), Some(stack.tid)),
            Self::Stack(StackEvent::Reference(stack)) => (Some(stack.pid), Some(stack.tid)),
            _ => (None, None),
        }
    }
}

/// The end of an operation as the layouts know it.
pub fn end_of(end: &End) -> OperationEnd {
    OperationEnd {
        irp: 0,
        information: end.information,
        status: end.status,
    }
}
