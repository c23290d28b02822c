//! Profiling events: periodic samples of threads and processes. No export with them was at hand.

use super::field::{FieldSink, Value};
use super::text::push_decimal;
use crate::bytes::{u32_at, u64_at};
use crate::pml::record::Record;

/// Profiling operations.
mod op {
    pub const THREAD: u16 = 0;
    pub const PROCESS: u16 = 1;
}

pub(super) fn push_path(record: &Record<'_>, out: &mut String) {
    if record.operation() == op::THREAD {
        out.push_str("Thread ");
        push_decimal(out, record.tid().into());
    }
}

pub(super) fn detail<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    let block = record.detail();
    match record.operation() {
        op::THREAD => {
            let user = u32_at(block, 0)?;
            let kernel = u32_at(block, 4)?;
            sink.field("User Time", Value::SecondsWithUnit(user.into()));
            sink.field("Kernel Time", Value::SecondsWithUnit(kernel.into()));
            let switches = u32_at(block, 8)?;
            sink.field("Context Switches", Value::Grouped(switches.into()));
        }
        op::PROCESS => {
            sink.field("User Time", Value::SecondsWithUnit(u64_at(block, 0)?));
            sink.field("Kernel Time", Value::SecondsWithUnit(u64_at(block, 8)?));
            sink.field("Private Bytes", Value::Grouped(u64_at(block, 24)?));
            sink.field("Working Set", Value::Grouped(u64_at(block, 16)?));
        }
        _ => return None,
    }
    Some(())
}
