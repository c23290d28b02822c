//! What a table shows of thread events.

use super::thread::{ThreadEvent, ThreadMoment};
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::pml::text::Text;
use crate::trace::time::Zone;

impl ThreadEvent<'_> {
    /// Name of the operation; Procmon's where it has one.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::Row(row) => match row.moment {
                ThreadMoment::Start => "Thread Create",
                ThreadMoment::End => "Thread Exit",
                ThreadMoment::RundownStart | ThreadMoment::RundownEnd => "Thread Rundown",
            },
            Self::ContextSwitch(_) => "Context Switch",
            Self::Ready(_) => "Ready Thread",
            Self::Name(_) => "Thread Name",
            Self::SpinLock(_) => "Spin Lock",
            Self::IoPriority(_) => "Thread I/O Priority",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        let decimal = |number: u32| Value::Decimal(number.into());
        match self {
            Self::Row(row) => {
                sink.field("Thread ID", decimal(row.tid));
                if !row.name.is_empty() {
                    sink.field("Name", Value::Text(Text::Utf16(row.name.0)));
                }
            }
            Self::ContextSwitch(switch) => {
                sink.field("New Thread ID", decimal(switch.new_tid));
                sink.field("Old Thread ID", decimal(switch.old_tid));
                let (reason, state) = (switch.wait_reason.into(), switch.old_state.into());
                sink.field("Wait Reason", Value::DecimalSigned(reason));
                sink.field("Old State", Value::DecimalSigned(state));
            }
            Self::Ready(ready) => sink.field("Thread ID", decimal(ready.tid)),
            Self::Name(named) => {
                sink.field("Thread ID", decimal(named.tid));
                sink.field("Name", Value::Text(Text::Utf16(named.name.0)));
            }
            Self::SpinLock(lock) => {
                sink.field("Thread ID", decimal(lock.tid));
                sink.field("Lock", Value::Hex(lock.lock));
                sink.field("Caller", Value::Hex(lock.caller));
                sink.field("Wait Cycles", Value::Grouped(lock.wait_cycles.into()));
            }
            Self::IoPriority(change) => {
                sink.field("Thread ID", decimal(change.tid));
                sink.field("Old Priority", decimal(change.old.into()));
                sink.field("New Priority", decimal(change.new.into()));
            }
        }
    }

    /// Appends the detail.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::kernel::sample::Sample;
    use crate::etl::kernel::thread::hook;
    use crate::pml::operations::PROCESS;

    fn texts(hook: u16, sample: &Sample) -> (&'static str, String) {
        let event = sample.whole(|fields| ThreadEvent::parse(hook, 2, fields));
        let mut detail = String::new();
        event.push_detail(&mut detail);
        (event.operation_name(), detail)
    }

    #[test]
    fn names_and_details() {
        let (name, detail) = texts(hook::START, &Sample::new(true).u32(4).u32(1_868));
        assert_eq!((name, &*detail), ("Thread Create", "Thread ID: 1868"));
        assert!(PROCESS.contains(&name) && PROCESS.contains(&"Thread Exit"));
        let named = Sample::new(true).u32(4).u32(8).wide_text("loader");
        let (name, detail) = texts(hook::SET_NAME, &named);
        assert_eq!(
            (name, &*detail),
            ("Thread Name", "Thread ID: 8, Name: loader")
        );
        let switch = Sample::new(true)
            .u32(8)
            .u32(0)
            .bytes(&[8, 0, 1, 0, 0xFF, 0, 2, 4]);
        let (name, detail) = texts(hook::CONTEXT_SWITCH, &switch.u32(1).u32(0));
        assert_eq!(name, "Context Switch");
        assert_eq!(
            detail,
            "New Thread ID: 8, Old Thread ID: 0, Wait Reason: -1, Old State: 2"
        );
    }
}
