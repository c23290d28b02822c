//! What a table shows of registry events: Procmon's operation, category and detail, from its tables.

use super::hive::{HiveEvent, TransactionMoment};
use super::registry::{KeyEvent, KeyOperation as Op, RegistryEvent};
use crate::pml::detail::registry::{op, operation_category};
use crate::pml::detail::tables::{Names, Unknown, names};
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::pml::operations::registry_operation;
use crate::pml::text::Text;
use crate::trace::time::Zone;

/// `KEY_VALUE_INFORMATION_CLASS`, in the manner of [`names::KEY_CLASSES`].
static VALUE_CLASSES: Names = Names {
    names: &[
        (0, "Basic"),
        (1, "Full"),
        (2, "Partial"),
        (3, "FullAlign64"),
        (4, "PartialAlign64"),
        (5, "Layer"),
    ],
    unknown: Unknown::Number,
};

impl Op {
    /// Procmon's number of the operation; `None` for what it has none of.
    fn procmon(self) -> Option<u16> {
        Some(match self {
            Self::Create => op::CREATE_KEY,
            Self::Open => op::OPEN_KEY,
            Self::Delete => op::DELETE_KEY,
            Self::Query => op::QUERY_KEY,
            Self::SetValue => op::SET_VALUE,
            Self::DeleteValue => op::DELETE_VALUE,
            Self::QueryValue => op::QUERY_VALUE,
            Self::EnumerateKey => op::ENUM_KEY,
            Self::EnumerateValue => op::ENUM_VALUE,
            Self::QueryMultipleValues => op::QUERY_MULTIPLE_VALUES,
            Self::SetInformation => op::SET_INFO_KEY,
            Self::Flush => op::FLUSH_KEY,
            Self::Close => op::CLOSE_KEY,
            Self::SetSecurity => op::SET_KEY_SECURITY,
            Self::QuerySecurity => op::QUERY_KEY_SECURITY,
            Self::KcbCreate
            | Self::KcbDelete
            | Self::KcbRundownStart
            | Self::KcbRundownEnd
            | Self::Virtualize => return None,
        })
    }
}

impl KeyEvent<'_> {
    /// Name of the operation; Procmon's where it has one.
    pub fn operation_name(&self) -> &'static str {
        match self.operation {
            Op::KcbCreate => "KCB Create",
            Op::KcbDelete => "KCB Delete",
            Op::KcbRundownStart | Op::KcbRundownEnd => "KCB Rundown",
            Op::Virtualize => "Virtualize Key",
            other => other.procmon().map_or("", registry_operation),
        }
    }

    /// Category. Whether opening made a new key is not traced: it counts as reading.
    pub fn category(&self) -> &'static str {
        self.operation.procmon().map_or("", operation_category)
    }

    /// Hands the fields of the detail to `sink`. The status is the result of the event, the name of a value
    /// belongs to its path.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        match self.operation {
            Op::Query => sink.field("Query", Value::Named(self.index, &names::KEY_CLASSES)),
            Op::QueryValue => sink.field("Query", Value::Named(self.index, &VALUE_CLASSES)),
            Op::EnumerateKey | Op::EnumerateValue => {
                sink.field("Index", Value::Grouped(self.index.into()));
            }
            Op::SetInformation => {
                let class = Value::Named(self.index, &names::KEY_SET_CLASSES_ALL);
                sink.field("KeySetInformationClass", class);
            }
            operation if operation.names_kcb() => sink.field("KCB", Value::Hex(self.kcb)),
            _ => {}
        }
    }

    /// Appends the detail.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

impl RegistryEvent<'_> {
    /// Name of the operation; Procmon's where it has one.
    pub fn operation_name(&self) -> &'static str {
        match self {
            Self::Key(event) => event.operation_name(),
            Self::Transaction(event) => match event.moment {
                TransactionMoment::Commit => "Registry Transaction Commit",
                TransactionMoment::Prepare => "Registry Transaction Prepare",
                TransactionMoment::Rollback => "Registry Transaction Rollback",
            },
            Self::Counters(_) => "Registry Counters",
            Self::ControlSet(_) => "Registry Control Set",
            Self::Hive(event) => match event {
                HiveEvent::Init { .. } => "Hive Init",
                HiveEvent::Destroy { .. } => "Hive Destroy",
                HiveEvent::Link { .. } => "Hive Link",
                HiveEvent::Rundown { .. } => "Hive Rundown",
                HiveEvent::Dirty { .. } => "Hive Dirty",
            },
            Self::Notification(event) if event.delivered => "Registry Notification Delivery",
            Self::Notification(_) => "Registry Notification",
        }
    }

    /// Category.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Key(event) => event.category(),
            _ => "",
        }
    }

    /// Hands the fields of the detail to `sink`.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        match self {
            Self::Key(event) => event.detail(sink),
            Self::Transaction(event) => {
                sink.field("Units Of Work", Value::Grouped(event.units.into()));
                sink.field("Hive", Value::Text(Text::Utf16(event.hive.0)));
            }
            Self::Counters(counters) => {
                sink.field("Opened Keys", Value::Grouped(counters.opened_keys));
                sink.field("Views Mapped", Value::Grouped(counters.view_map));
                sink.field("Views Unmapped", Value::Grouped(counters.view_unmap));
            }
            Self::ControlSet(number) => {
                sink.field("Control Set", Value::Decimal((*number).into()));
            }
            Self::Hive(event) => {
                sink.field("Hive", Value::Hex(event.hive()));
                let (file, link) = (event.file(), event.link());
                if !file.is_empty() {
                    sink.field("Hive Path", Value::Text(Text::Utf16(file.0)));
                }
                if !link.is_empty() {
                    sink.field("Link", Value::Text(Text::Utf16(link.0)));
                }
                if let HiveEvent::Dirty {
                    reason: Some(reason),
                    ..
                } = event
                {
                    sink.field("Reason", Value::Decimal((*reason).into()));
                }
            }
            Self::Notification(event) => {
                sink.field("KCB", Value::Hex(event.kcb));
                sink.field("Watch Tree", Value::Bool(event.subtree != 0));
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
    use crate::etl::kernel::fields::WideText;
    use crate::etl::kernel::sample::Sample;

    fn event(operation: Op, index: u32) -> KeyEvent<'static> {
        KeyEvent {
            operation,
            start_time: None,
            elapsed: None,
            status: 0,
            index,
            kcb: 0xCAFE,
            name: WideText::default(),
        }
    }

    #[test]
    fn operations_and_categories_are_procmons() {
        for (operation, name, category) in [
            (Op::Create, "RegCreateKey", "Read"),
            (Op::Open, "RegOpenKey", "Read"),
            (Op::Delete, "RegDeleteKey", "Write"),
            (Op::Query, "RegQueryKey", "Read"),
            (Op::SetValue, "RegSetValue", "Write"),
            (Op::DeleteValue, "RegDeleteValue", "Write"),
            (Op::QueryValue, "RegQueryValue", "Read"),
            (Op::EnumerateKey, "RegEnumKey", "Read"),
            (Op::EnumerateValue, "RegEnumValue", "Read"),
            (Op::QueryMultipleValues, "RegQueryMultipleValueKey", "Read"),
            (Op::SetInformation, "RegSetInfoKey", "Write Metadata"),
            (Op::Flush, "RegFlushKey", ""),
            (Op::KcbCreate, "KCB Create", ""),
            (Op::KcbDelete, "KCB Delete", ""),
            (Op::KcbRundownStart, "KCB Rundown", ""),
            (Op::KcbRundownEnd, "KCB Rundown", ""),
            (Op::Virtualize, "Virtualize Key", ""),
            (Op::Close, "RegCloseKey", ""),
            (Op::SetSecurity, "RegSetKeySecurity", "Write Metadata"),
            (Op::QuerySecurity, "RegQueryKeySecurity", "Read Metadata"),
        ] {
            let event = event(operation, 0);
            assert_eq!((event.operation_name(), event.category()), (name, category));
        }
    }

    #[test]
    fn details_of_keys() {
        for (operation, index, expected) in [
            (Op::Query, 7, "Query: HandleTags"),
            (Op::QueryValue, 2, "Query: Partial"),
            (Op::QueryValue, 9, "Query: <Unknown: 9>"),
            (Op::EnumerateKey, 1_234, "Index: 1,234"),
            (
                Op::SetInformation,
                0,
                "KeySetInformationClass: KeyWriteTimeInformation",
            ),
            (Op::KcbRundownEnd, 0, "KCB: 0xcafe"),
            (Op::Open, 0, ""),
        ] {
            let mut out = String::new();
            event(operation, index).push_detail(&mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn details_of_the_rest() {
        let hive = Sample::new(true).ptr(0xAB);
        let file = r"\Device\HarddiskVolume2\Windows\System32\config\DRIVERS";
        for (hook, sample, name, detail) in [
            (
                0x0925,
                hive.clone()
                    .wide_text(file)
                    .wide_text(r"\REGISTRY\MACHINE\DRIVERS"),
                "Hive Destroy",
                format!(r"Hive: 0xab, Hive Path: {file}, Link: \REGISTRY\MACHINE\DRIVERS"),
            ),
            (
                0x0928,
                hive.clone().wide_text("x").u32(3),
                "Hive Dirty",
                "Hive: 0xab, Link: x, Reason: 3".to_owned(),
            ),
            (
                0x0923,
                Sample::new(true).u32(1),
                "Registry Control Set",
                "Control Set: 1".to_owned(),
            ),
            (
                0x0930,
                hive.ptr(0xCD).bytes(&[1, 1, 0]),
                "Registry Notification",
                "KCB: 0xcd, Watch Tree: True".to_owned(),
            ),
        ] {
            let event = sample.whole(|fields| RegistryEvent::parse(hook, 2, fields));
            let mut out = String::new();
            event.push_detail(&mut out);
            assert_eq!(
                (event.operation_name(), out, event.category()),
                (name, detail, "")
            );
        }
    }
}
