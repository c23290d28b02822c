//! Registry operations, and the names of keys by their control block (KCB).

use super::fields::{Fields, WideText};
use super::hive::{self, HiveEvent, KeyNotification, RegistryCounters, TransactionEvent};
use crate::bytes::{ptr_at, u32_at};
use crate::etl::record::Hook;

/// What a registry event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOperation {
    /// Makes or opens a key: 0x090A.
    Create,
    /// Opens a key: 0x090B.
    Open,
    /// Deletes a key: 0x090C.
    Delete,
    /// Queries a key: 0x090D.
    Query,
    /// Sets a value: 0x090E.
    SetValue,
    /// Deletes a value: 0x090F.
    DeleteValue,
    /// Queries a value: 0x0910.
    QueryValue,
    /// Lists sub-keys: 0x0911.
    EnumerateKey,
    /// Lists values: 0x0912.
    EnumerateValue,
    /// Queries several values: 0x0913.
    QueryMultipleValues,
    /// Sets an information class of a key: 0x0914.
    SetInformation,
    /// Flushes a key: 0x0915.
    Flush,
    /// A KCB gets a name: 0x0916.
    KcbCreate,
    /// A KCB ends: 0x0917.
    KcbDelete,
    /// A KCB that lives at a rundown before the events: 0x0918.
    KcbRundownStart,
    /// A KCB that lives at a rundown behind the events: 0x0919.
    KcbRundownEnd,
    /// A key is virtualized: 0x091A.
    Virtualize,
    /// A key is closed: 0x091B.
    Close,
    /// Sets the security of a key: 0x091C.
    SetSecurity,
    /// Queries the security of a key: 0x091D.
    QuerySecurity,
}

impl KeyOperation {
    /// The operation of a hook.
    #[inline]
    pub fn of_hook(hook: u16) -> Option<Self> {
        Some(match hook {
            0x090A => Self::Create,
            0x090B => Self::Open,
            0x090C => Self::Delete,
            0x090D => Self::Query,
            0x090E => Self::SetValue,
            0x090F => Self::DeleteValue,
            0x0910 => Self::QueryValue,
            0x0911 => Self::EnumerateKey,
            0x0912 => Self::EnumerateValue,
            0x0913 => Self::QueryMultipleValues,
            0x0914 => Self::SetInformation,
            0x0915 => Self::Flush,
            0x0916 => Self::KcbCreate,
            0x0917 => Self::KcbDelete,
            0x0918 => Self::KcbRundownStart,
            0x0919 => Self::KcbRundownEnd,
            0x091A => Self::Virtualize,
            0x091B => Self::Close,
            0x091C => Self::SetSecurity,
            0x091D => Self::QuerySecurity,
            _ => return None,
        })
    }

    /// Whether the event only gives or takes the name of a KCB, and nobody does anything.
    #[inline]
    pub fn names_kcb(self) -> bool {
        matches!(
            self,
            Self::KcbCreate | Self::KcbDelete | Self::KcbRundownStart | Self::KcbRundownEnd
        )
    }
}

/// A registry operation, stamped when it ended, or the name of a KCB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEvent<'a> {
    /// Operation.
    pub operation: KeyOperation,
    /// When it began, in ticks of the trace's clock; from version 2 on, and not for names of KCBs.
    pub start_time: Option<i64>,
    /// How long it took, in a unit that is not documented; versions 0 and 1.
    pub elapsed: Option<i64>,
    /// NTSTATUS.
    pub status: u32,
    /// Information class of a query, position of an enumeration; 0 in version 0.
    pub index: u32,
    /// KCB: the key itself, of [`KeyOperation::Create`] and [`KeyOperation::Open`] the key the name is
    /// relative to, 0 where the name is whole. Addresses of KCBs are used again.
    pub kcb: u64,
    /// Of creating and opening the path below the KCB, or the whole path (`\Registry\Machine\..`); of
    /// values their name, empty for the default one; of KCB names the whole path; else empty.
    pub name: WideText<'a>,
}

impl<'a> KeyEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. A name
    /// that is missing is empty. Version 0 is not met in real files.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let operation = KeyOperation::of_hook(hook)?;
        if version < 2 {
            return Self::parse_old(operation, version, fields);
        }
        let start_time = fields.i64()?;
        let status = fields.u32()?;
        let index = fields.u32()?;
        let kcb = fields.ptr()?;
        Some(Self {
            operation,
            start_time: (start_time != 0).then_some(start_time),
            elapsed: None,
            status,
            index,
            kcb,
            name: fields.wide_text().unwrap_or_default(),
        })
    }

    /// KCB and status of an operation, where they can be had for two loads.
    #[inline]
    pub fn kcb_and_status(hook: Hook, payload: &[u8], wide: bool) -> Option<(u64, u32)> {
        let known = hook.version >= 2 && KeyOperation::of_hook(hook.id).is_some();
        let kcb = known.then(|| ptr_at(payload, 16, wide)).flatten()?;
        Some((kcb, u32_at(payload, 8)?))
    }

    #[cold]
    fn parse_old(operation: KeyOperation, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        // The status is a pointer's width of which 32 bits count.
        let status = fields.ptr()? as u32;
        let kcb = fields.ptr()?;
        let elapsed = fields.i64()?;
        let index = if version == 0 { 0 } else { fields.u32()? };
        Some(Self {
            operation,
            start_time: None,
            elapsed: Some(elapsed),
            status,
            index,
            kcb,
            name: fields.wide_text().unwrap_or_default(),
        })
    }
}

/// An event of the registry group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryEvent<'a> {
    /// An operation, or the name of a KCB.
    Key(KeyEvent<'a>),
    /// A transaction of the registry.
    Transaction(TransactionEvent<'a>),
    /// Counters of the registry.
    Counters(RegistryCounters),
    /// Number of the control set in use.
    ControlSet(u32),
    /// A hive and what happens to it.
    Hive(HiveEvent<'a>),
    /// A notification of changes.
    Notification(KeyNotification),
}

impl<'a> RegistryEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. The
    /// layout of 0x0921 (mount hive) is not known.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<Self> {
        if KeyOperation::of_hook(hook).is_some() {
            return KeyEvent::parse(hook, version, fields).map(Self::Key);
        }
        Self::parse_rare(hook, fields)
    }

    #[cold]
    fn parse_rare(hook: u16, fields: &mut Fields<'a>) -> Option<Self> {
        match hook {
            hive::hook::COMMIT..=hive::hook::ROLLBACK => {
                TransactionEvent::parse(hook, fields).map(Self::Transaction)
            }
            hive::hook::COUNTERS => RegistryCounters::parse(fields).map(Self::Counters),
            hive::hook::CONTROL_SET => fields.u32().map(Self::ControlSet),
            hive::hook::INIT..=hive::hook::DIRTY => HiveEvent::parse(hook, fields).map(Self::Hive),
            hive::hook::NOTIFY | hive::hook::NOTIFY_DELIVER => {
                KeyNotification::parse(hook, fields).map(Self::Notification)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
