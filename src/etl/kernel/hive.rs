//! Hives, transactions, notifications and counters of the registry.
//!
//! But for counters and the control set none of these events is met in real files; their layouts are those
//! of the manifests, and of Windows' own symbols for transactions, notifications and counters.

use super::fields::{Fields, WideText};
use crate::etl::guid::Guid;

/// Hooks of registry events that are no operations on keys.
pub mod hook {
    /// A transaction is committed.
    pub const COMMIT: u16 = 0x091E;
    /// A transaction is prepared.
    pub const PREPARE: u16 = 0x091F;
    /// A transaction is rolled back.
    pub const ROLLBACK: u16 = 0x0920;
    /// Counters.
    pub const COUNTERS: u16 = 0x0922;
    /// The control set in use.
    pub const CONTROL_SET: u16 = 0x0923;
    /// A hive is made ready.
    pub const INIT: u16 = 0x0924;
    /// A hive is taken down.
    pub const DESTROY: u16 = 0x0925;
    /// A hive gets its place in the registry.
    pub const LINK: u16 = 0x0926;
    /// A hive that is loaded at the end of the trace.
    pub const RUNDOWN: u16 = 0x0927;
    /// A hive has changes that are not on disk.
    pub const DIRTY: u16 = 0x0928;
    /// A notification is asked for.
    pub const NOTIFY: u16 = 0x0930;
    /// A notification is given.
    pub const NOTIFY_DELIVER: u16 = 0x0931;
}

/// What becomes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMoment {
    /// It is committed.
    Commit,
    /// It is prepared.
    Prepare,
    /// It is rolled back.
    Rollback,
}

/// A transaction of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionEvent<'a> {
    /// What becomes of it.
    pub moment: TransactionMoment,
    /// When it began, in ticks of the trace's clock.
    pub time: i64,
    /// Transaction.
    pub transaction: Guid,
    /// NTSTATUS.
    pub status: u32,
    /// Units of work.
    pub units: u32,
    /// Hive.
    pub hive: WideText<'a>,
}

impl<'a> TransactionEvent<'a> {
    /// Reads the payload of one of the three hooks. Windows' symbols have the time in front of the GUID,
    /// the manifests have it behind the count; the length is the same, and a GUID shows itself by its
    /// variant bits.
    pub fn parse(hook: u16, fields: &mut Fields<'a>) -> Option<Self> {
        let moment = match hook {
            hook::COMMIT => TransactionMoment::Commit,
            hook::PREPARE => TransactionMoment::Prepare,
            hook::ROLLBACK => TransactionMoment::Rollback,
            _ => return None,
        };
        let mut late = *fields;
        let by_manifest = late.guid()?;
        let mut early = *fields;
        let first = early.i64()?;
        let by_symbols = early.guid()?;
        let time_is_late = is_uuid(by_manifest) && !is_uuid(by_symbols);
        let (transaction, mut rest) = if time_is_late {
            (by_manifest, late)
        } else {
            (by_symbols, early)
        };
        let status = rest.u32()?;
        let units = rest.u32()?;
        let time = if time_is_late { rest.i64()? } else { first };
        let hive = rest.wide_text().unwrap_or_default();
        *fields = rest;
        Some(Self {
            moment,
            time,
            transaction,
            status,
            units,
            hive,
        })
    }
}

/// Whether a GUID has the variant and one of the versions that Windows makes.
fn is_uuid(guid: Guid) -> bool {
    matches!((guid.0[7] >> 4, guid.0[8] >> 6), (1 | 4, 2))
}

/// Counters of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryCounters {
    /// Opened keys.
    pub opened_keys: u64,
    /// KCBs whose end is put off.
    pub delay_close_kcbs: u64,
    /// Pages of the registry's own memory.
    pub private_alloc_pages: u64,
    /// Free blocks in them.
    pub private_alloc_free: u64,
    /// Used blocks in them.
    pub private_alloc_used: u64,
    /// Look-ups of keys that the cache knew.
    pub lookup_cache_hit: u64,
    /// Look-ups that it did not know and the hive did.
    pub lookup_cache_miss_found: u64,
    /// Look-ups of keys that are not there.
    pub lookup_cache_miss_not_found: u64,
    /// Views of hives mapped.
    pub view_map: u64,
    /// Views of hives unmapped.
    pub view_unmap: u64,
    /// Hives made smaller.
    pub hive_shrink: u64,
}

impl RegistryCounters {
    /// Reads the payload of [`hook::COUNTERS`].
    pub fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            opened_keys: fields.u64()?,
            delay_close_kcbs: fields.u64()?,
            private_alloc_pages: fields.u64()?,
            private_alloc_free: fields.u64()?,
            private_alloc_used: fields.u64()?,
            lookup_cache_hit: fields.u64()?,
            lookup_cache_miss_found: fields.u64()?,
            lookup_cache_miss_not_found: fields.u64()?,
            view_map: fields.u64()?,
            view_unmap: fields.u64()?,
            hive_shrink: fields.u64()?,
        })
    }
}

/// A hive and what happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiveEvent<'a> {
    /// It is made ready.
    Init {
        /// Address of the hive.
        hive: u64,
        /// How it is made (`HINIT_*`).
        operation: u32,
        /// Tag of its memory.
        pool_tag: u32,
        /// Bytes.
        size: u32,
        /// File.
        file: WideText<'a>,
    },
    /// It is taken down.
    Destroy {
        /// Address of the hive.
        hive: u64,
        /// File.
        file: WideText<'a>,
        /// Place in the registry.
        link: WideText<'a>,
    },
    /// It gets its place in the registry.
    Link {
        /// Address of the hive.
        hive: u64,
        /// Place in the registry.
        link: WideText<'a>,
    },
    /// It is loaded at the end of the trace.
    Rundown {
        /// Bytes.
        size: u64,
        /// Address of the hive.
        hive: u64,
        /// Keys in memory.
        loaded_keys: u32,
        /// File.
        file: WideText<'a>,
        /// Place in the registry.
        link: WideText<'a>,
    },
    /// It has changes that are not on disk.
    Dirty {
        /// Address of the hive.
        hive: u64,
        /// Place in the registry.
        link: WideText<'a>,
        /// Why.
        reason: Option<u32>,
    },
}

impl<'a> HiveEvent<'a> {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early. Texts
    /// that are missing are empty.
    pub fn parse(hook: u16, fields: &mut Fields<'a>) -> Option<Self> {
        Some(match hook {
            hook::INIT => Self::Init {
                hive: fields.ptr()?,
                operation: fields.u32()?,
                pool_tag: fields.u32()?,
                size: fields.u32()?,
                file: fields.wide_text().unwrap_or_default(),
            },
            hook::DESTROY => Self::Destroy {
                hive: fields.ptr()?,
                file: fields.wide_text().unwrap_or_default(),
                link: fields.wide_text().unwrap_or_default(),
            },
            hook::LINK => Self::Link {
                hive: fields.ptr()?,
                link: fields.wide_text().unwrap_or_default(),
            },
            hook::RUNDOWN => Self::Rundown {
                size: fields.u64()?,
                hive: fields.ptr()?,
                loaded_keys: fields.u32()?,
                file: fields.wide_text().unwrap_or_default(),
                link: fields.wide_text().unwrap_or_default(),
            },
            hook::DIRTY => Self::Dirty {
                hive: fields.ptr()?,
                link: fields.wide_text().unwrap_or_default(),
                reason: fields.u32(),
            },
            _ => return None,
        })
    }

    /// Address of the hive.
    pub fn hive(&self) -> u64 {
        match *self {
            Self::Init { hive, .. }
            | Self::Destroy { hive, .. }
            | Self::Link { hive, .. }
            | Self::Rundown { hive, .. }
            | Self::Dirty { hive, .. } => hive,
        }
    }

    /// File, empty where the event does not name it.
    pub fn file(&self) -> WideText<'a> {
        match *self {
            Self::Init { file, .. } | Self::Destroy { file, .. } | Self::Rundown { file, .. } => {
                file
            }
            Self::Link { .. } | Self::Dirty { .. } => WideText::default(),
        }
    }

    /// Place in the registry, empty where the event does not name it.
    pub fn link(&self) -> WideText<'a> {
        match *self {
            Self::Destroy { link, .. }
            | Self::Link { link, .. }
            | Self::Rundown { link, .. }
            | Self::Dirty { link, .. } => link,
            Self::Init { .. } => WideText::default(),
        }
    }
}

/// A notification of changes below a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyNotification {
    /// Whether it is given; else it is asked for.
    pub delivered: bool,
    /// Address of the notification.
    pub notification: u64,
    /// KCB of the key.
    pub kcb: u64,
    /// How the caller is told.
    pub kind: u8,
    /// Whether keys below count as well.
    pub subtree: u8,
    /// Whether it stands for itself, and not beside another key's.
    pub primary: u8,
}

impl KeyNotification {
    /// Reads the payload of [`hook::NOTIFY`] or [`hook::NOTIFY_DELIVER`]; that the second is laid out as the
    /// first is said by one public source. Flags that are missing are 0.
    pub fn parse(hook: u16, fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            delivered: hook == hook::NOTIFY_DELIVER,
            notification: fields.ptr()?,
            kcb: fields.ptr()?,
            kind: fields.u8().unwrap_or(0),
            subtree: fields.u8().unwrap_or(0),
            primary: fields.u8().unwrap_or(0),
        })
    }
}

#[cfg(test)]
#[path = "hive_tests.rs"]
mod tests;
