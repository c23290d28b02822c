//! Numbers with a name each.
//!
//! Many of the names were first collected and published by `eronnen/procmon-parser` (MIT); numbers and
//! order were checked against Procmon's own exports where those have a case.

use super::{Names, Unknown};

/// What a create request wants.
pub static DISPOSITIONS: Names = Names {
    names: &[
        (0, "Supersede"),
        (1, "Open"),
        (2, "Create"),
        (3, "OpenIf"),
        (4, "Overwrite"),
        (5, "OverwriteIf"),
    ],
    unknown: Unknown::Text("<unknown>"),
};

/// What a create request did.
pub static OPEN_RESULTS: Names = Names {
    names: &[
        (0, "Superseded"),
        (1, "Opened"),
        (2, "Created"),
        (3, "Overwritten"),
        (4, "Exists"),
        (5, "DoesNotExist"),
    ],
    unknown: Unknown::Text("<unknown>"),
};

/// I/O priority hint, 0 for none.
pub static PRIORITIES: Names = Names {
    names: &[
        (1, "Very Low"),
        (2, "Low"),
        (3, "Normal"),
        (4, "High"),
        (5, "Critical"),
    ],
    unknown: Unknown::Hex,
};

/// `FS_FILTER_SECTION_SYNC_TYPE`.
pub static SYNC_TYPES: Names = Names {
    names: &[(0, "SyncTypeOther"), (1, "SyncTypeCreateSection")],
    unknown: Unknown::WordAndHex,
};

/// Alignment a device asks for.
pub static ALIGNMENTS: Names = Names {
    names: &[
        (0, "Byte"),
        (1, "Word"),
        (3, "Long"),
        (7, "Quad"),
        (15, "Octa"),
        (31, "32 Byte"),
        (63, "64 Byte"),
        (127, "128 Byte"),
        (255, "256 Byte"),
        (511, "512 Byte"),
    ],
    unknown: Unknown::Hex,
};

/// `KEY_INFORMATION_CLASS`, as Procmon shortens it.
pub static KEY_CLASSES: Names = Names {
    names: &[
        (0, "Basic"),
        (1, "Node"),
        (2, "Full"),
        (3, "Name"),
        (4, "Cached"),
        (5, "Flags"),
        (6, "Virtualization"),
        (7, "HandleTags"),
        (8, "Trust"),
        (9, "Layer"),
    ],
    unknown: Unknown::Number,
};

/// `KEY_SET_INFORMATION_CLASS`, with the names Procmon knows.
pub static KEY_SET_CLASSES: Names = Names {
    names: &[
        (0, "KeyWriteTimeInformation"),
        (1, "KeyWow64FlagsInformation"),
        (5, "KeySetHandleTagsInformation"),
    ],
    unknown: Unknown::Number,
};

/// `KEY_SET_INFORMATION_CLASS`, with every name.
pub static KEY_SET_CLASSES_ALL: Names = Names {
    names: &[
        (0, "KeyWriteTimeInformation"),
        (1, "KeyWow64FlagsInformation"),
        (2, "KeyControlFlagsInformation"),
        (3, "KeySetVirtualizationInformation"),
        (4, "KeySetDebugInformation"),
        (5, "KeySetHandleTagsInformation"),
        (6, "KeySetLayerInformation"),
    ],
    unknown: Unknown::Number,
};

/// Type of registry data.
pub static VALUE_TYPES: Names = Names {
    names: &[
        (0, "REG_NONE"),
        (1, "REG_SZ"),
        (2, "REG_EXPAND_SZ"),
        (3, "REG_BINARY"),
        (4, "REG_DWORD"),
        (5, "REG_DWORD_BIG_ENDIAN"),
        (6, "REG_LINK"),
        (7, "REG_MULTI_SZ"),
        (8, "REG_RESOURCE_LIST"),
        (9, "REG_FULL_RESOURCE_DESCRIPTOR"),
        (10, "REG_RESOURCE_REQUIREMENTS_LIST"),
        (11, "REG_QWORD"),
    ],
    unknown: Unknown::Number,
};

/// `FILE_INFORMATION_CLASS`, with the names of the 2020 builds (the last five are theirs, and wrong).
pub static INFORMATION_CLASSES: Names = Names {
    names: &[
        (0, "Unknown"),
        (1, "FileDirectoryInformation"),
        (2, "FileFullDirectoryInformation"),
        (3, "FileBothDirectoryInformation"),
        (4, "FileBasicInformation"),
        (5, "FileStandardInformation"),
        (6, "FileInternalInformation"),
        (7, "FileEaInformation"),
        (8, "FileAccessInformation"),
        (9, "FileNameInformation"),
        (10, "FileRenameInformation"),
        (11, "FileLinkInformation"),
        (12, "FileNamesInformation"),
        (13, "FileDispositionInformation"),
        (14, "FilePositionInformation"),
        (15, "FileFullEaInformation"),
        (16, "FileModeInformation"),
        (17, "FileAlignmentInformation"),
        (18, "FileAllInformation"),
        (19, "FileAllocationInformation"),
        (20, "FileEndOfFileInformation"),
        (21, "FileAlternateNameInformation"),
        (22, "FileStreamInformation"),
        (23, "FilePipeInformation"),
        (24, "FilePipeLocalInformation"),
        (25, "FilePipeRemoteInformation"),
        (26, "FileMailslotQueryInformation"),
        (27, "FileMailslotSetInformation"),
        (28, "FileCompressionInformation"),
        (29, "FileObjectIdInformation"),
        (30, "FileCompletionInformation"),
        (31, "FileMoveClusterInformation"),
        (32, "FileQuotaInformation"),
        (33, "FileReparsePointInformation"),
        (34, "FileNetworkOpenInformation"),
        (35, "FileAttributeTagInformation"),
        (36, "FileTrackingInformation"),
        (37, "FileIdBothDirectoryInformation"),
        (38, "FileIdFullDirectoryInformation"),
        (39, "FileValidDataLengthInformation"),
        (40, "FileShortNameInformation"),
        (41, "FileIoCompletionNotificationInformation"),
        (42, "FileIoStatusBlockRangeInformation"),
        (43, "FileIoPriorityHintInformation"),
        (44, "FileSfioReserveInformation"),
        (45, "FileSfioVolumeInformation"),
        (46, "FileHardLinkInformation"),
        (47, "FileProcessIdsUsingFileInformation"),
        (48, "FileNormalizedNameInformation"),
        (49, "FileNetworkPhysicalNameInformation"),
        (50, "FileIdGlobalTxDirectoryInformation"),
        (51, "FileIsRemoteDeviceInformation"),
        (52, "FileUnusedInformation"),
        (53, "FileNumaNodeInformation"),
        (54, "FileStandardLinkInformation"),
        (55, "FileRemoteProtocolInformation"),
        (56, "FileRenameInformationBypassAccessCheck"),
        (57, "FileLinkInformationBypassAccessCheck"),
        (58, "FileVolumeNameInformation"),
        (59, "FileIdInformation"),
        (60, "FileIdExtdDirectoryInformation"),
        (61, "FileReplaceCompletionInformation"),
        (62, "FileHardLinkFullIdInformation"),
        (63, "FileIdExtdBothDirectoryInformation"),
        (64, "FileDispositionInformationEx"),
        (65, "FileRenameInformationEx"),
        (66, "FileRenameInformationExBypassAccessCheck"),
        (67, "FileDesiredStorageClassInformation"),
        (68, "FileStatInformation"),
        (69, "FileMemoryPartitionInformation"),
        (70, "FileMaximumInformation"),
        (71, "SeShutdownPrivilege"),
        (72, "SeChangeNotifyPrivilege"),
        (73, "SeUndockPrivilege"),
        (74, "SeIncreaseWorkingSetPrivilege"),
        (75, "SeTimeZonePrivilege"),
    ],
    unknown: Unknown::Number,
};
