//! Names of event classes and operations, as Procmon prints them.
//!
//! Many of the names were first collected and published by `eronnen/procmon-parser` (MIT), the first
//! public description of the format.

use super::record::Record;
use crate::bytes::{u8_at, u16_at};
use crate::trace::Class;

/// Event classes as stored in a record.
pub mod class {
    /// Processes, threads and images.
    pub const PROCESS: u16 = 1;
    /// Registry.
    pub const REGISTRY: u16 = 2;
    /// Files, directories, volumes and devices.
    pub const FILE: u16 = 3;
    /// Periodic samples.
    pub const PROFILING: u16 = 4;
    /// TCP and UDP.
    pub const NETWORK: u16 = 5;
    /// Named pipes and mailslots (newer builds); laid out as [`FILE`].
    pub const IPC: u16 = 6;
}

/// What Procmon prints for a number it has no name for.
pub const UNKNOWN: &str = "<Unknown>";

/// The class of a stored class number.
pub fn class_of(stored: u16) -> Class {
    match stored {
        class::PROCESS => Class::Process,
        class::REGISTRY => Class::Registry,
        class::FILE => Class::FileSystem,
        class::PROFILING => Class::Profiling,
        class::NETWORK => Class::Network,
        class::IPC => Class::Ipc,
        _ => Class::Unknown,
    }
}

/// Name of an event class.
#[inline]
pub fn class_name(class: u16) -> &'static str {
    match class {
        class::PROCESS => "Process",
        class::REGISTRY => "Registry",
        class::FILE => "File System",
        class::PROFILING => "Profiling",
        class::NETWORK => "Network",
        class::IPC => "IPC",
        _ => UNKNOWN,
    }
}

/// Name of the operation, its sub-operation included, exactly as the builds of 2020 print it:
/// sub-operations that Windows got later are `<Unknown>`.
#[inline]
pub fn operation_name(record: &Record<'_>) -> &'static str {
    name(record, false)
}

/// Name of the operation, with names for the sub-operations that [`operation_name`] does not know,
/// formed in Procmon's manner from the names of the information classes.
#[inline]
pub fn operation_name_full(record: &Record<'_>) -> &'static str {
    name(record, true)
}

fn name(record: &Record<'_>, full: bool) -> &'static str {
    let operation = usize::from(record.operation());
    let listed = |names: &[&'static str]| names.get(operation).copied().unwrap_or(UNKNOWN);
    match record.class() {
        class::PROCESS => listed(&PROCESS),
        class::REGISTRY => listed(&REGISTRY),
        class::FILE | class::IPC => {
            let sub = || u8_at(record.detail(), 0);
            file_name(record.operation(), sub, full).unwrap_or(UNKNOWN)
        }
        class::PROFILING => listed(&PROFILING),
        class::NETWORK => {
            let tcp = u16_at(record.detail(), 0).unwrap_or(0) & 4 != 0;
            listed(if tcp { &TCP } else { &UDP })
        }
        _ => UNKNOWN,
    }
}

/// Name of the file operation with an IRP major function, or a pseudo one of the filter manager's
/// (-1 to -20, as a byte), and a minor function or information class. A sub-operation without a name
/// gives the name of the major function.
#[inline]
pub(crate) fn file_operation(major: u8, sub: Option<u8>) -> &'static str {
    let operation = u16::from(major.wrapping_add(20));
    file_name(operation, || sub, true)
        .or_else(|| FILE.get(usize::from(operation)).copied())
        .unwrap_or(UNKNOWN)
}

/// Name of the registry operation with Procmon's number.
#[inline]
pub(crate) fn registry_operation(operation: u16) -> &'static str {
    REGISTRY
        .get(usize::from(operation))
        .copied()
        .unwrap_or(UNKNOWN)
}

/// Sub-operations of a file operation, ascending.
type SubNames = &'static [(u8, &'static str)];

fn file_name(operation: u16, sub: impl FnOnce() -> Option<u8>, full: bool) -> Option<&'static str> {
    let (known, newer): (SubNames, SubNames) = match operation {
        25 => (&QUERY_FILE, &QUERY_FILE_NEWER),
        26 => (&SET_FILE, &SET_FILE_NEWER),
        30 => (&QUERY_VOLUME, &QUERY_VOLUME_NEWER),
        31 => (&SET_VOLUME, &SET_VOLUME_NEWER),
        32 => (&DIRECTORY, &[]),
        37 => (&LOCK, &[]),
        47 => (&PLUG_AND_PLAY, &[]),
        _ => return FILE.get(usize::from(operation)).copied(),
    };
    let sub = sub()?;
    let find = |names: SubNames| {
        let at = names.binary_search_by_key(&sub, |(own, _)| *own).ok()?;
        Some(names[at].1)
    };
    find(known).or_else(|| if full { find(newer) } else { None })
}

/// Process operations by number.
pub(crate) static PROCESS: [&str; 10] = [
    "Process Defined",
    "Process Create",
    "Process Exit",
    "Thread Create",
    "Thread Exit",
    "Load Image",
    "Thread Profile",
    "Process Start",
    "Process Statistics",
    "System Statistics",
];

/// Registry operations by number.
static REGISTRY: [&str; 18] = [
    "RegOpenKey",
    "RegCreateKey",
    "RegCloseKey",
    "RegQueryKey",
    "RegSetValue",
    "RegQueryValue",
    "RegEnumValue",
    "RegEnumKey",
    "RegSetInfoKey",
    "RegDeleteKey",
    "RegDeleteValue",
    "RegFlushKey",
    "RegLoadKey",
    "RegUnloadKey",
    "RegRenameKey",
    "RegQueryMultipleValueKey",
    "RegSetKeySecurity",
    "RegQueryKeySecurity",
];

/// Profiling operations by number.
static PROFILING: [&str; 3] = [
    "Thread Profiling",
    "Process Profiling",
    "Debug Output Profiling",
];

/// Network operations by number, over TCP.
static TCP: [&str; 10] = [
    "TCP Unknown",
    "TCP Other",
    "TCP Send",
    "TCP Receive",
    "TCP Accept",
    "TCP Connect",
    "TCP Disconnect",
    "TCP Reconnect",
    "TCP Retransmit",
    "TCP TCPCopy",
];

/// Network operations by number, over UDP.
static UDP: [&str; 10] = [
    "UDP Unknown",
    "UDP Other",
    "UDP Send",
    "UDP Receive",
    "UDP Accept",
    "UDP Connect",
    "UDP Disconnect",
    "UDP Reconnect",
    "UDP Retransmit",
    "UDP TCPCopy",
];

/// File operations by number: 0 to 19 are the filter manager's pseudo major functions counted
/// down from 0xFF, from 20 on the IRP major functions. 3 and 5 are the fast-I/O forms of writing and reading.
static FILE: [&str; 48] = [
    "VolumeDismount",
    "VolumeMount",
    "FASTIO_MDL_WRITE_COMPLETE",
    "WriteFile",
    "FASTIO_MDL_READ_COMPLETE",
    "ReadFile",
    "QueryOpen",
    "FASTIO_CHECK_IF_POSSIBLE",
    "IRP_MJ_12",
    "IRP_MJ_11",
    "IRP_MJ_10",
    "IRP_MJ_9",
    "IRP_MJ_8",
    "FASTIO_NOTIFY_STREAM_FO_CREATION",
    "FASTIO_RELEASE_FOR_CC_FLUSH",
    "FASTIO_ACQUIRE_FOR_CC_FLUSH",
    "FASTIO_RELEASE_FOR_MOD_WRITE",
    "FASTIO_ACQUIRE_FOR_MOD_WRITE",
    "FASTIO_RELEASE_FOR_SECTION_SYNCHRONIZATION",
    "CreateFileMapping",
    "CreateFile",
    "CreatePipe",
    "IRP_MJ_CLOSE",
    "ReadFile",
    "WriteFile",
    "QueryInformationFile",
    "SetInformationFile",
    "QueryEAFile",
    "SetEAFile",
    "FlushBuffersFile",
    "QueryVolumeInformation",
    "SetVolumeInformation",
    "DirectoryControl",
    "FileSystemControl",
    "DeviceIoControl",
    "InternalDeviceIoControl",
    "Shutdown",
    "LockUnlockFile",
    "CloseFile",
    "CreateMailSlot",
    "QuerySecurityFile",
    "SetSecurityFile",
    "Power",
    "SystemControl",
    "DeviceChange",
    "QueryFileQuota",
    "SetFileQuota",
    "PlugAndPlay",
];

/// QueryInformationFile by information class.
static QUERY_FILE: [(u8, &str); 37] = [
    (0x4, "QueryBasicInformationFile"),
    (0x5, "QueryStandardInformationFile"),
    (0x6, "QueryFileInternalInformationFile"),
    (0x7, "QueryEaInformationFile"),
    (0x9, "QueryNameInformationFile"),
    (0xe, "QueryPositionInformationFile"),
    (0x12, "QueryAllInformationFile"),
    (0x14, "QueryEndOfFile"),
    (0x16, "QueryStreamInformationFile"),
    (0x1c, "QueryCompressionInformationFile"),
    (0x1d, "QueryId"),
    (0x1f, "QueryMoveClusterInformationFile"),
    (0x22, "QueryNetworkOpenInformationFile"),
    (0x23, "QueryAttributeTagFile"),
    (0x25, "QueryIdBothDirectory"),
    (0x27, "QueryValidDataLength"),
    (0x28, "QueryShortNameInformationFile"),
    (0x2b, "QueryIoPiorityHint"),
    (0x2e, "QueryLinks"),
    (0x30, "QueryNormalizedNameInformationFile"),
    (0x31, "QueryNetworkPhysicalNameInformationFile"),
    (0x32, "QueryIdGlobalTxDirectoryInformation"),
    (0x33, "QueryIsRemoteDeviceInformation"),
    (0x34, "QueryAttributeCacheInformation"),
    (0x35, "QueryNumaNodeInformation"),
    (0x36, "QueryStandardLinkInformation"),
    (0x37, "QueryRemoteProtocolInformation"),
    (0x38, "QueryRenameInformationBypassAccessCheck"),
    (0x39, "QueryLinkInformationBypassAccessCheck"),
    (0x3a, "QueryVolumeNameInformation"),
    (0x3b, "QueryIdInformation"),
    (0x3c, "QueryIdExtdDirectoryInformation"),
    (0x3e, "QueryHardLinkFullIdInformation"),
    (0x3f, "QueryIdExtdBothDirectoryInformation"),
    (0x43, "QueryDesiredStorageClassInformation"),
    (0x44, "QueryStatInformation"),
    (0x45, "QueryMemoryPartitionInformation"),
];

/// The same, for classes [`QUERY_FILE`] does not have.
static QUERY_FILE_NEWER: [(u8, &str); 14] = [
    (0x8, "QueryAccessInformation"),
    (0x10, "QueryModeInformation"),
    (0x11, "QueryAlignmentInformation"),
    (0x15, "QueryAlternateNameInformation"),
    (0x17, "QueryPipeInformation"),
    (0x18, "QueryPipeLocalInformation"),
    (0x19, "QueryPipeRemoteInformation"),
    (0x2f, "QueryProcessIdsUsingFileInformation"),
    (0x46, "QueryStatLxInformation"),
    (0x47, "QueryCaseSensitiveInformation"),
    (0x48, "QueryLinkInformationEx"),
    (0x49, "QueryLinkInformationExBypassAccessCheck"),
    (0x4a, "QueryStorageReservedIdInformation"),
    (0x4b, "QueryCaseSensitiveInformationForceAccessCheck"),
];

/// SetInformationFile by information class.
static SET_FILE: [(u8, &str); 15] = [
    (0x4, "SetBasicInformationFile"),
    (0xa, "SetRenameInformationFile"),
    (0xb, "SetLinkInformationFile"),
    (0xd, "SetDispositionInformationFile"),
    (0xe, "SetPositionInformationFile"),
    (0x13, "SetAllocationInformationFile"),
    (0x14, "SetEndOfFileInformationFile"),
    (0x16, "SetFileStreamInformation"),
    (0x17, "SetPipeInformation"),
    (0x27, "SetValidDataLengthInformationFile"),
    (0x28, "SetShortNameInformation"),
    (0x3d, "SetReplaceCompletionInformation"),
    (0x40, "SetDispositionInformationEx"),
    (0x41, "SetRenameInformationEx"),
    (0x42, "SetRenameInformationExBypassAccessCheck"),
];

/// The same, for classes [`SET_FILE`] does not have.
static SET_FILE_NEWER: [(u8, &str); 13] = [
    (0x10, "SetModeInformation"),
    (0x1e, "SetCompletionInformation"),
    (0x1f, "SetMoveClusterInformation"),
    (0x29, "SetIoCompletionNotificationInformation"),
    (0x2b, "SetIoPriorityHint"),
    (0x38, "SetRenameInformationBypassAccessCheck"),
    (0x39, "SetLinkInformationBypassAccessCheck"),
    (0x43, "SetDesiredStorageClassInformation"),
    (0x47, "SetCaseSensitiveInformation"),
    (0x48, "SetLinkInformationEx"),
    (0x49, "SetLinkInformationExBypassAccessCheck"),
    (0x4a, "SetStorageReservedIdInformation"),
    (0x4b, "SetCaseSensitiveInformationForceAccessCheck"),
];

/// QueryVolumeInformation by information class.
static QUERY_VOLUME: [(u8, &str); 8] = [
    (0x1, "QueryInformationVolume"),
    (0x2, "QueryLabelInformationVolume"),
    (0x3, "QuerySizeInformationVolume"),
    (0x4, "QueryDeviceInformationVolume"),
    (0x5, "QueryAttributeInformationVolume"),
    (0x6, "QueryControlInformationVolume"),
    (0x7, "QueryFullSizeInformationVolume"),
    (0x8, "QueryObjectIdInformationVolume"),
];

/// The same, for classes [`QUERY_VOLUME`] does not have.
static QUERY_VOLUME_NEWER: [(u8, &str); 6] = [
    (0x9, "QueryDriverPathInformationVolume"),
    (0xa, "QueryVolumeFlagsInformationVolume"),
    (0xb, "QuerySectorSizeInformationVolume"),
    (0xc, "QueryDataCopyInformationVolume"),
    (0xd, "QueryMetadataSizeInformationVolume"),
    (0xe, "QueryFullSizeInformationExVolume"),
];

/// SetVolumeInformation by information class.
static SET_VOLUME: [(u8, &str); 3] = [
    (0x1, "SetControlInformationVolume"),
    (0x2, "SetLabelInformationVolume"),
    (0x8, "SetObjectIdInformationVolume"),
];

/// The same, for classes [`SET_VOLUME`] does not have.
static SET_VOLUME_NEWER: [(u8, &str); 1] = [(0xa, "SetVolumeFlagsInformationVolume")];

/// DirectoryControl by minor function.
static DIRECTORY: [(u8, &str); 2] = [(0x1, "QueryDirectory"), (0x2, "NotifyChangeDirectory")];

/// LockUnlockFile by minor function.
static LOCK: [(u8, &str); 4] = [
    (0x1, "LockFile"),
    (0x2, "UnlockFileSingle"),
    (0x3, "UnlockFileAll"),
    (0x4, "UnlockFileByKey"),
];

/// PlugAndPlay by minor function.
static PLUG_AND_PLAY: [(u8, &str); 24] = [
    (0x0, "StartDevice"),
    (0x1, "QueryRemoveDevice"),
    (0x2, "RemoveDevice"),
    (0x3, "CancelRemoveDevice"),
    (0x4, "StopDevice"),
    (0x5, "QueryStopDevice"),
    (0x6, "CancelStopDevice"),
    (0x7, "QueryDeviceRelations"),
    (0x8, "QueryInterface"),
    (0x9, "QueryCapabilities"),
    (0xa, "QueryResources"),
    (0xb, "QueryResourceRequirements"),
    (0xc, "QueryDeviceText"),
    (0xd, "FilterResourceRequirements"),
    (0xf, "ReadConfig"),
    (0x10, "WriteConfig"),
    (0x11, "Eject"),
    (0x12, "SetLock"),
    (0x13, "QueryId"),
    (0x14, "QueryPnpDeviceState"),
    (0x15, "QueryBusInformation"),
    (0x16, "DeviceUsageNotification"),
    (0x17, "SurpriseRemoval"),
    (0x18, "QueryLegacyBusInformation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_operations_are_ascending() {
        let all: [SubNames; 11] = [
            &QUERY_FILE,
            &QUERY_FILE_NEWER,
            &SET_FILE,
            &SET_FILE_NEWER,
            &QUERY_VOLUME,
            &QUERY_VOLUME_NEWER,
            &SET_VOLUME,
            &SET_VOLUME_NEWER,
            &DIRECTORY,
            &LOCK,
            &PLUG_AND_PLAY,
        ];
        for table in all {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn classes_have_names() {
        assert_eq!(class_name(class::IPC), "IPC");
        assert_eq!(class_name(0), UNKNOWN);
        assert_eq!(class_name(7), UNKNOWN);
    }
}
