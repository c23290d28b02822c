//! DirectoryControl: listings and change notifications.

use super::entries::Entries;
use super::field::{FieldSink, Name, Value};
use super::file::{FileEvent, op};
use super::tables::{flags, names};
use super::{Dialect, Mode};
use crate::bytes::u8_at;
use crate::pml::record::Record;
use crate::pml::text::{Info, Text};

const QUERY: u8 = 1;
const NOTIFY: u8 = 2;

/// The pattern of a listing, from the tail: info and text.
#[inline]
pub(super) fn filter<'a>(event: &FileEvent<'a>) -> Option<Text<'a>> {
    if event.record.operation() != op::DIRECTORY || event.sub_operation() != QUERY {
        return None;
    }
    let text = Info::read(event.tail, 0)?.text(event.tail, 2);
    (!text.is_empty()).then_some(text)
}

/// Whether the event waits for a change in a directory.
#[inline]
pub(super) fn is_notification(record: &Record<'_>) -> bool {
    record.operation() == op::DIRECTORY && u8_at(record.detail(), 0) == Some(NOTIFY)
}

pub(super) fn detail<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    match event.sub_operation() {
        QUERY => listing(event, mode, sink),
        NOTIFY => {
            let wanted = event.slot_u32(1)?;
            sink.field("Filter", Value::Flags(wanted, &flags::NOTIFY_FILTER));
            Some(())
        }
        _ => None,
    }
}

/// The names in a listing of an information class; none for a class without names. Whether Procmon
/// lists the newest two is not known.
fn entries(class: u32, mode: Mode, bytes: &[u8]) -> Entries<'_> {
    let (len_at, name_at) = match class {
        1 => (60, 64),
        2 => (60, 68),
        3 => (60, 94),
        12 => (8, 12),
        37 => (60, 104),
        38 => (60, 80),
        60 if mode.is_clean() => (60, 88),
        63 if mode.is_clean() => (60, 114),
        _ => return Entries::new(&[], 0, 0),
    };
    Entries::new(bytes, len_at, name_at)
}

fn listing<S: FieldSink>(event: &FileEvent<'_>, mode: Mode, sink: &mut S) -> Option<()> {
    let class = event.slot_u32(2)?;
    let filter = filter(event);
    let mut entries = entries(class, mode, event.extra().unwrap_or(&[]));
    let class = Value::Named(class, &names::INFORMATION_CLASSES);
    let dialect = match mode {
        Mode::Procmon(dialect) => dialect,
        Mode::Clean => {
            sink.field("FileInformationClass", class);
            if let Some(filter) = filter {
                sink.field("Filter", Value::Text(filter));
            }
            for (number, entry) in (0..).zip(entries) {
                sink.put(Name::Number(number), Value::Text(entry));
            }
            return Some(());
        }
    };
    let class_slot = match dialect {
        Dialect::Early2020 => None,
        Dialect::Late2020 => Some(2),
        Dialect::Recent => Some(0),
    };
    let filter_slot = u32::from(class_slot == Some(0));
    for slot in 0_u32.. {
        if class_slot == Some(slot) {
            sink.field("FileInformationClass", class);
            if slot > filter_slot {
                // The entry whose turn it was is not printed at all.
                entries.next();
            }
        } else if let Some(filter) = filter.filter(|_| slot == filter_slot) {
            sink.field("Filter", Value::Text(filter));
        } else {
            sink.put(Name::Number(slot), Value::Text(entries.next()?));
        }
    }
    Some(())
}
