//! Codes of the servicing stack, its delta engine and the Windows Update agent.
//!
//! No public header has the CBS and PSFX codes: the names are those of CBS logs and of Microsoft's support
//! pages. An empty name is a code that was seen in logs but is nowhere named.

/// Sorted by number, each number once: number, name, meaning.
pub(super) static ROWS: &[(u32, &str, &str)] = &[
    (
        0x000F0801,
        "CBS_S_BUSY",
        "Success code: servicing still working",
    ),
    (
        0x000F0803,
        "CBS_S_STACK_SHUTDOWN_REQUIRED",
        "Success code: servicing stack restarts itself",
    ),
    (
        0x800F0800,
        "CBS_E_INTERNAL_ERROR",
        "Internal servicing error",
    ),
    (
        0x800F0801,
        "CBS_E_NOT_INITIALIZED",
        "Servicing session not initialised",
    ),
    (
        0x800F0802,
        "CBS_E_ALREADY_INITIALIZED",
        "Servicing session is already initialised",
    ),
    (
        0x800F0803,
        "CBS_E_INVALID_PARAMETER",
        "Bad argument to the servicing interface",
    ),
    (
        0x800F0804,
        "CBS_E_OPEN_FAILED",
        "Package could not be opened",
    ),
    (0x800F0805, "CBS_E_INVALID_PACKAGE", "Not a usable package"),
    (0x800F0806, "CBS_E_PENDING", "Operations wait for a restart"),
    (
        0x800F0807,
        "CBS_E_NOT_INSTALLABLE",
        "Package cannot be installed here",
    ),
    (
        0x800F0808,
        "CBS_E_IMAGE_NOT_ACCESSIBLE",
        "Target image cannot be reached",
    ),
    (
        0x800F0809,
        "CBS_E_ARRAY_ELEMENT_MISSING",
        "Expected element is absent",
    ),
    (
        0x800F080A,
        "CBS_E_REESTABLISH_SESSION",
        "Session has to be set up again",
    ),
    (
        0x800F080B,
        "CBS_E_PROPERTY_NOT_AVAILABLE",
        "Property is not available",
    ),
    (
        0x800F080C,
        "CBS_E_UNKNOWN_UPDATE",
        "Update name unknown to the package",
    ),
    (
        0x800F080D,
        "CBS_E_MANIFEST_INVALID_ITEM",
        "Bad item in a package manifest",
    ),
    (
        0x800F080E,
        "CBS_E_MANIFEST_VALIDATION_DUPLICATE_ATTRIBUTES",
        "Package manifest repeats an attribute",
    ),
    (
        0x800F080F,
        "CBS_E_MANIFEST_VALIDATION_DUPLICATE_ELEMENT",
        "Package manifest repeats an element",
    ),
    (
        0x800F0810,
        "CBS_E_MANIFEST_VALIDATION_MISSING_REQUIRED_ATTRIBUTES",
        "Package manifest lacks an attribute",
    ),
    (
        0x800F0811,
        "CBS_E_MANIFEST_VALIDATION_MISSING_REQUIRED_ELEMENTS",
        "Package manifest lacks an element",
    ),
    (
        0x800F0812,
        "CBS_E_MANIFEST_VALIDATION_UPDATES_PARENT_MISSING",
        "Parent of an update is absent from the manifest",
    ),
    (
        0x800F0813,
        "CBS_E_INVALID_INSTALL_STATE",
        "Package is in a state the request does not allow",
    ),
    (
        0x800F0814,
        "CBS_E_INVALID_CONFIG_VALUE",
        "Bad configuration value",
    ),
    (
        0x800F0815,
        "CBS_E_INVALID_CARDINALITY",
        "Bad cardinality in a package manifest",
    ),
    (
        0x800F0816,
        "CBS_E_DPX_JOB_STATE_SAVED",
        "Extraction job was stopped and saved",
    ),
    (0x800F0817, "CBS_E_PACKAGE_DELETED", "Package is gone"),
    (
        0x800F0818,
        "CBS_E_IDENTITY_MISMATCH",
        "Package identity differs from its manifest",
    ),
    (
        0x800F0819,
        "CBS_E_DUPLICATE_UPDATENAME",
        "Update name is used twice",
    ),
    (
        0x800F081A,
        "CBS_E_INVALID_DRIVER_OPERATION_KEY",
        "Registry record of a queued driver operation is bad",
    ),
    (
        0x800F081B,
        "CBS_E_UNEXPECTED_PROCESSOR_ARCHITECTURE",
        "Package is for another architecture",
    ),
    (
        0x800F081C,
        "CBS_E_EXCESSIVE_EVALUATION",
        "Applicability was evaluated too often",
    ),
    (
        0x800F081D,
        "CBS_E_CYCLE_EVALUATION",
        "Applicability refers to itself",
    ),
    (
        0x800F081E,
        "CBS_E_NOT_APPLICABLE",
        "Package does not apply to this system",
    ),
    (
        0x800F081F,
        "CBS_E_SOURCE_MISSING",
        "Payload of a component is missing from the store and sources",
    ),
    (0x800F0820, "CBS_E_CANCEL", "Caller cancelled"),
    (
        0x800F0821,
        "CBS_E_ABORT",
        "Caller aborted, often a time-out of the client",
    ),
    (
        0x800F0822,
        "CBS_E_ILLEGAL_COMPONENT_UPDATE",
        "Component may not be updated this way",
    ),
    (
        0x800F0823,
        "CBS_E_NEW_SERVICING_STACK_REQUIRED",
        "A newer servicing stack is needed first",
    ),
    (
        0x800F0824,
        "CBS_E_SOURCE_NOT_IN_LIST",
        "Source path is not on the list of the package",
    ),
    (
        0x800F0825,
        "CBS_E_CANNOT_UNINSTALL",
        "Package cannot be removed",
    ),
    (
        0x800F0826,
        "CBS_E_PENDING_VICTIM",
        "Another pending operation stands in the way",
    ),
    (
        0x800F0827,
        "CBS_E_STACK_SHUTDOWN_REQUIRED",
        "Servicing stack has to restart itself",
    ),
    (
        0x800F0828,
        "CBS_E_INSUFFICIENT_DISK_SPACE",
        "Not enough disk space for servicing",
    ),
    (0x800F0829, "CBS_E_AC_POWER_REQUIRED", "Mains power wanted"),
    (
        0x800F082A,
        "CBS_E_STACK_UPDATE_FAILED_REBOOT_REQUIRED",
        "Servicing stack update failed, restart first",
    ),
    (
        0x800F082C,
        "CBS_E_DEPENDENT_FAILURE",
        "Failed because a related package failed",
    ),
    (
        0x800F082E,
        "CBS_E_NOT_ALLOWED_OFFLINE",
        "Not possible on an offline image",
    ),
    (
        0x800F082F,
        "CBS_E_EXCLUSIVE_WOULD_MERGE",
        "Exclusive package cannot be combined with pending ones",
    ),
    (
        0x800F0830,
        "CBS_E_IMAGE_UNSERVICEABLE",
        "Image is beyond servicing",
    ),
    (
        0x800F0831,
        "CBS_E_STORE_CORRUPTION",
        "Package store is inconsistent",
    ),
    (
        0x800F0832,
        "CBS_E_STORE_TOO_MUCH_CORRUPTION",
        "Too much damage to repair",
    ),
    (
        0x800F0840,
        "CBS_E_SESSION_CORRUPT",
        "Servicing session record is bad",
    ),
    (
        0x800F0841,
        "CBS_E_SESSION_INTERRUPTED",
        "Servicing session was broken off",
    ),
    (
        0x800F0842,
        "CBS_E_SESSION_FINALIZED",
        "Servicing session is already closed",
    ),
    (
        0x800F0843,
        "CBS_E_SESSION_READONLY",
        "Servicing session is read-only",
    ),
    (
        0x800F0845,
        "",
        "Set on every package when the pending transaction was cancelled at start-up",
    ),
    (
        0x800F0900,
        "CBS_E_XML_PARSER_FAILURE",
        "XML of a package could not be parsed",
    ),
    (
        0x800F0901,
        "CBS_E_MANIFEST_VALIDATION_MULTIPLE_UPDATE_COMPONENT_ON_SAME_FAMILY_NOT_ALLOWED",
        "Package updates two components of one family",
    ),
    (0x800F0902, "CBS_E_BUSY", "Servicing is busy"),
    (
        0x800F0903,
        "CBS_E_INVALID_RECALL",
        "Recall of a package is not valid",
    ),
    (
        0x800F0904,
        "CBS_E_MORE_THAN_ONE_ACTIVE_EDITION",
        "Image has more than one active edition",
    ),
    (
        0x800F0905,
        "CBS_E_NO_ACTIVE_EDITION",
        "Image has no active edition",
    ),
    (
        0x800F0906,
        "CBS_E_DOWNLOAD_FAILURE",
        "Payload could not be fetched",
    ),
    (
        0x800F0907,
        "CBS_E_GROUPPOLICY_DISALLOWED",
        "Policy forbids fetching the payload",
    ),
    (
        0x800F0908,
        "CBS_E_METERED_NETWORK",
        "No download over a metered connection",
    ),
    (
        0x800F0909,
        "CBS_E_PUBLIC_OBJECT_LEAK",
        "Client kept servicing objects open",
    ),
    (
        0x800F090B,
        "CBS_E_REPAIR_PACKAGE_CORRUPT",
        "Repair package is damaged",
    ),
    (
        0x800F090C,
        "CBS_E_COMPONENT_NOT_INSTALLED_BY_CBS",
        "Component was not installed by servicing",
    ),
    (
        0x800F090D,
        "CBS_E_MISSING_PACKAGE_MAPPING_INDEX",
        "Mapping of packages is absent",
    ),
    (
        0x800F090E,
        "CBS_E_EMPTY_PACKAGE_MAPPING_INDEX",
        "Mapping of packages is empty",
    ),
    (
        0x800F090F,
        "CBS_E_WINDOWS_UPDATE_SEARCH_FAILURE",
        "Search at Windows Update failed",
    ),
    (
        0x800F0910,
        "CBS_E_WINDOWS_AUTOMATIC_UPDATE_SETTING_DISALLOWED",
        "Settings forbid automatic updates",
    ),
    (
        0x800F0920,
        "CBS_E_HANG_DETECTED",
        "No progress seen since the last boot, servicing gave up and rolls back",
    ),
    (
        0x800F0921,
        "CBS_E_PRIMITIVES_FAILED",
        "File and registry operations of the transaction failed",
    ),
    (
        0x800F0922,
        "CBS_E_INSTALLERS_FAILED",
        "Advanced installers or generic commands failed, triggers rollback",
    ),
    (
        0x800F0923,
        "CBS_E_SAFEMODE_ENTERED",
        "Servicing stopped because of safe mode or incompatible driver/software",
    ),
    (0x800F0924, "CBS_E_SESSIONS_LEAKED", "Sessions left open"),
    (
        0x800F0925,
        "CBS_E_INVALID_EXECUTESTATE",
        "Stored execute state makes no sense",
    ),
    (
        0x800F0950,
        "CBS_E_INVALID_WINDOWS_UPDATE_COUNT",
        "Unexpected number of search results from Windows Update",
    ),
    (
        0x800F0954,
        "CBS_E_INVALID_WINDOWS_UPDATE_COUNT_WSUS",
        "WSUS offers no source for the feature",
    ),
    (
        0x800F0982,
        "PSFX_E_MATCHING_COMPONENT_NOT_FOUND",
        "Base component for a delta is absent",
    ),
    (
        0x800F0983,
        "PSFX_E_MATCHING_COMPONENT_DIRECTORY_MISSING",
        "Folder of the base component is absent",
    ),
    (
        0x800F0984,
        "PSFX_E_MATCHING_BINARY_MISSING",
        "Base file for a delta is absent",
    ),
    (
        0x800F0985,
        "PSFX_E_APPLY_REVERSE_DELTA_FAILED",
        "Reverse delta could not be applied",
    ),
    (
        0x800F0986,
        "PSFX_E_APPLY_FORWARD_DELTA_FAILED",
        "Forward delta could not be applied",
    ),
    (
        0x800F0988,
        "PSFX_E_INVALID_DELTA_COMBINATION",
        "Delta files do not fit together",
    ),
    (
        0x800F0989,
        "PSFX_E_REVERSE_DELTA_MISSING",
        "Reverse delta is absent",
    ),
    (
        0x800F0991,
        "PSFX_E_MISSING_PAYLOAD_FILE",
        "Payload file is absent",
    ),
    (
        0x8024000B,
        "WU_E_CALL_CANCELLED",
        "Windows Update agent: call cancelled",
    ),
    (
        0x80240016,
        "WU_E_INSTALL_NOT_ALLOWED",
        "Windows Update agent: another install runs or a restart is pending",
    ),
    (
        0x8024001E,
        "WU_E_SERVICE_STOP",
        "Windows Update agent: service was stopping",
    ),
    (
        0x80240022,
        "WU_E_ALL_UPDATES_FAILED",
        "Windows Update agent: every update of the batch failed",
    ),
    (
        0x80240023,
        "WU_E_EULAS_DECLINED",
        "Windows Update agent: licence terms were declined",
    ),
    (
        0x80240024,
        "WU_E_NO_UPDATE",
        "Windows Update agent: there is no update",
    ),
    (
        0x8024002E,
        "WU_E_WU_DISABLED",
        "Windows Update agent: access to an unmanaged server is not allowed",
    ),
    (
        0x80240034,
        "WU_E_DOWNLOAD_FAILED",
        "Windows Update agent: download failed",
    ),
    (
        0x80240FFF,
        "WU_E_UNEXPECTED",
        "Windows Update agent: unexpected failure",
    ),
    (
        0x80242006,
        "WU_E_UH_INVALIDMETADATA",
        "Windows Update agent: update metadata is bad",
    ),
    (
        0x80242009,
        "WU_E_UH_INCONSISTENT_FILE_NAMES",
        "Windows Update agent: file names differ from the metadata",
    ),
    (
        0x8024200B,
        "WU_E_UH_INSTALLERFAILURE",
        "Windows Update agent: the installer of an update failed",
    ),
    (
        0x8024200D,
        "WU_E_UH_NEEDANOTHERDOWNLOAD",
        "Windows Update agent: download the update again",
    ),
    (
        0x80242014,
        "WU_E_UH_POSTREBOOTSTILLPENDING",
        "Windows Update agent: after-restart work is not finished",
    ),
    (
        0x80242015,
        "WU_E_UH_POSTREBOOTRESULTUNKNOWN",
        "Windows Update agent: result of the after-restart work is unknown",
    ),
    (
        0x80242016,
        "WU_E_UH_POSTREBOOTUNEXPECTEDSTATE",
        "Windows Update agent: update is in an unexpected state after the restart, what a rollback looks like from WU",
    ),
    (
        0x80242017,
        "WU_E_UH_NEW_SERVICING_STACK_REQUIRED",
        "Windows Update agent: newer servicing stack needed",
    ),
    (
        0x80242FFF,
        "WU_E_UH_UNEXPECTED",
        "Windows Update agent: unexpected failure of an update handler",
    ),
];
