//! Flag words: names in the order in which Procmon takes the bits off.
//!
//! Many of the names were first collected and published by `eronnen/procmon-parser` (MIT); numbers and
//! order were checked against Procmon's own exports where those have a case.

use super::{Empty, FlagSet, Rest};

/// Access mask of a file or directory.
pub static FILE_ACCESS: FlagSet = FlagSet {
    names: &[
        (0x1f01ff, "All Access"),
        (0x1201bf, "Generic Read/Write/Execute"),
        (0x12019f, "Generic Read/Write"),
        (0x1200a9, "Generic Read/Execute"),
        (0x1201b6, "Generic Write/Execute"),
        (0x120089, "Generic Read"),
        (0x120116, "Generic Write"),
        (0x1200a0, "Generic Execute"),
        (0x1, "Read Data/List Directory"),
        (0x2, "Write Data/Add File"),
        (0x4, "Append Data/Add Subdirectory/Create Pipe Instance"),
        (0x8, "Read EA"),
        (0x10, "Write EA"),
        (0x20, "Execute/Traverse"),
        (0x40, "Delete Child"),
        (0x80, "Read Attributes"),
        (0x100, "Write Attributes"),
        (0x10000, "Delete"),
        (0x20000, "Read Control"),
        (0x40000, "Write DAC"),
        (0x80000, "Write Owner"),
        (0x100000, "Synchronize"),
        (0x1000000, "Access System Security"),
        (0x2000000, "Maximum Allowed"),
    ],
    separator: ", ",
    empty: Empty::NoneAndMask,
    rest: Rest::Hidden,
    generic: Some([0x120089, 0x120116, 0x1200a0, 0x1f01ff]),
};

/// Access mask of a registry key.
pub static KEY_ACCESS: FlagSet = FlagSet {
    names: &[
        (0xf003f, "All Access"),
        (0x2001f, "Read/Write"),
        (0x20019, "Read"),
        (0x20006, "Write"),
        (0x1, "Query Value"),
        (0x2, "Set Value"),
        (0x4, "Create Sub Key"),
        (0x8, "Enumerate Sub Keys"),
        (0x10, "Notify"),
        (0x20, "Create Link"),
        (0x300, "WOW64_Res"),
        (0x200, "WOW64_32Key"),
        (0x100, "WOW64_64Key"),
        (0x10000, "Delete"),
        (0x20000, "Read Control"),
        (0x40000, "Write DAC"),
        (0x80000, "Write Owner"),
        (0x100000, "Synchronize"),
        (0x1000000, "Access System Security"),
        (0x2000000, "Maximum Allowed"),
    ],
    separator: ", ",
    empty: Empty::NoneAndMask,
    rest: Rest::Hidden,
    generic: Some([0x20019, 0x20006, 0x20019, 0xf003f]),
};

/// Create options (`FILE_DIRECTORY_FILE` ..), also the mode of an open file.
pub static CREATE_OPTIONS: FlagSet = FlagSet {
    names: &[
        (0x1, "Directory"),
        (0x2, "Write Through"),
        (0x4, "Sequential Access"),
        (0x8, "No Buffering"),
        (0x10, "Synchronous IO Alert"),
        (0x20, "Synchronous IO Non-Alert"),
        (0x40, "Non-Directory File"),
        (0x80, "Create Tree Connection"),
        (0x100, "Complete If Oplocked"),
        (0x200, "No EA Knowledge"),
        (0x400, "Open for Recovery"),
        (0x800, "Random Access"),
        (0x1000, "Delete On Close"),
        (0x2000, "Open By ID"),
        (0x4000, "Open For Backup"),
        (0x8000, "No Compression"),
        (0x100000, "Reserve OpFilter"),
        (0x200000, "Open Reparse Point"),
        (0x400000, "Open No Recall"),
        (0x800000, "Open For Free Space Query"),
        (0x10000, "Open Requiring Oplock"),
        (0x20000, "Disallow Exclusive"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Hidden,
    generic: None,
};

/// File attributes, as letters without a separator.
pub static ATTRIBUTES: FlagSet = FlagSet {
    names: &[
        (0x1, "R"),
        (0x2, "H"),
        (0x4, "S"),
        (0x10, "D"),
        (0x20, "A"),
        (0x40, "D"),
        (0x80, "N"),
        (0x100, "T"),
        (0x200, "SF"),
        (0x400, "RP"),
        (0x800, "C"),
        (0x1000, "O"),
        (0x2000, "NCI"),
        (0x4000, "E"),
        (0x10000, "V"),
    ],
    separator: "",
    empty: Empty::Text("n/a"),
    rest: Rest::AfterBlank,
    generic: None,
};

/// Share mode.
pub static SHARE: FlagSet = FlagSet {
    names: &[(0x1, "Read"), (0x2, "Write"), (0x4, "Delete")],
    separator: ", ",
    empty: Empty::Text("None"),
    rest: Rest::Hidden,
    generic: None,
};

/// IRP flags of reads and writes.
pub static IO_FLAGS: FlagSet = FlagSet {
    names: &[
        (0x10, "Buffered"),
        (0x1, "Non-cached"),
        (0x2, "Paging I/O"),
        (0x4, "Synchronous"),
        (0x40, "Synchronous Paging I/O"),
        (0x400000, "Write Through"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Hidden,
    generic: None,
};

/// Completion filter of a directory notification.
pub static NOTIFY_FILTER: FlagSet = FlagSet {
    names: &[
        (0x1, "FILE_NOTIFY_CHANGE_FILE_NAME"),
        (0x2, "FILE_NOTIFY_CHANGE_DIR_NAME"),
        (0x3, "FILE_NOTIFY_CHANGE_NAME"),
        (0x4, "FILE_NOTIFY_CHANGE_ATTRIBUTES"),
        (0x8, "FILE_NOTIFY_CHANGE_SIZE"),
        (0x10, "FILE_NOTIFY_CHANGE_LAST_WRITE"),
        (0x20, "FILE_NOTIFY_CHANGE_LAST_ACCESS"),
        (0x40, "FILE_NOTIFY_CHANGE_CREATION"),
        (0x80, "FILE_NOTIFY_CHANGE_EA"),
        (0x100, "FILE_NOTIFY_CHANGE_SECURITY"),
        (0x200, "FILE_NOTIFY_CHANGE_STREAM_NAME"),
        (0x400, "FILE_NOTIFY_CHANGE_STREAM_SIZE"),
        (0x800, "FILE_NOTIFY_CHANGE_STREAM_WRITE"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Hidden,
    generic: None,
};

/// `SECURITY_INFORMATION`, with the names of the 2020 builds.
pub static SECURITY_INFORMATION: FlagSet = FlagSet {
    names: &[
        (0x1, "Owner"),
        (0x2, "Group"),
        (0x4, "DACL"),
        (0x8, "SACL"),
        (0x10, "Label"),
        (0x20, "Attribute"),
        (0x40, "Scope"),
        (0x80, "Process Trust Label"),
        (0x10000, "Backup"),
        (0x80000000, "DACL Protected"),
        (0x40000000, "SACL Protected"),
        (0x20000000, "DACL Unprotected"),
        (0x10000000, "SACL Unprotected"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Listed,
    generic: None,
};

/// `SECURITY_INFORMATION`, with the names of later builds.
pub static SECURITY_INFORMATION_NEWER: FlagSet = FlagSet {
    names: &[
        (0x1, "Owner"),
        (0x2, "Group"),
        (0x4, "DACL"),
        (0x8, "SACL"),
        (0x10, "Label"),
        (0x20, "Attribute"),
        (0x40, "Scope"),
        (0x80, "Process Trust Label"),
        (0x100, "Access Filter"),
        (0x10000, "Backup"),
        (0x80000000, "DACL Protected"),
        (0x40000000, "SACL Protected"),
        (0x20000000, "DACL Unprotected"),
        (0x10000000, "SACL Unprotected"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Listed,
    generic: None,
};

/// Attributes of a file system.
pub static FILE_SYSTEM_ATTRIBUTES: FlagSet = FlagSet {
    names: &[
        (0x2, "Case Preserved"),
        (0x1, "Case Sensitive"),
        (0x4, "Unicode"),
        (0x8, "ACLs"),
        (0x10, "Compression"),
        (0x40000, "Named Streams"),
        (0x20000, "EFS"),
        (0x10000, "Object IDs"),
        (0x80, "Reparse Points"),
        (0x40, "Sparse Files"),
        (0x20, "Quotas"),
        (0x200000, "Transactions"),
    ],
    separator: ", ",
    empty: Empty::Text(""),
    rest: Rest::Listed,
    generic: None,
};

/// `FILE_DISPOSITION_INFORMATION_EX.Flags`.
pub static DISPOSITION_FLAGS: FlagSet = FlagSet {
    names: &[
        (0x1, "FILE_DISPOSITION_DELETE"),
        (0x2, "FILE_DISPOSITION_POSIX_SEMANTICS"),
        (0x4, "FILE_DISPOSITION_FORCE_IMAGE_SECTION_CHECK"),
        (0x8, "FILE_DISPOSITION_ON_CLOSE"),
        (0x10, "FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE"),
    ],
    separator: ", ",
    empty: Empty::Text("FILE_DISPOSITION_DO_NOT_DELETE"),
    rest: Rest::Listed,
    generic: None,
};

/// `FILE_RENAME_INFORMATION.Flags` and `FILE_LINK_INFORMATION.Flags`, which share their bits.
pub static RENAME_FLAGS: FlagSet = FlagSet {
    names: &[
        (0x1, "REPLACE_IF_EXISTS"),
        (0x2, "POSIX_SEMANTICS"),
        (0x4, "SUPPRESS_PIN_STATE_INHERITANCE"),
        (0x8, "SUPPRESS_STORAGE_RESERVE_INHERITANCE"),
        (0x10, "NO_INCREASE_AVAILABLE_SPACE"),
        (0x20, "NO_DECREASE_AVAILABLE_SPACE"),
        (0x40, "IGNORE_READONLY_ATTRIBUTE"),
        (0x80, "FORCE_RESIZE_TARGET_SR"),
        (0x100, "FORCE_RESIZE_SOURCE_SR"),
    ],
    separator: ", ",
    empty: Empty::Text("0x0"),
    rest: Rest::Listed,
    generic: None,
};
