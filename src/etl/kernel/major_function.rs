//! IRP major functions, and the filter manager's own, which count down from -1.

/// Major functions that file events stand for.
pub(crate) mod major {
    pub const CREATE: u8 = 0;
    pub const CLOSE: u8 = 2;
    pub const READ: u8 = 3;
    pub const WRITE: u8 = 4;
    pub const QUERY_INFORMATION: u8 = 5;
    pub const SET_INFORMATION: u8 = 6;
    pub const FLUSH_BUFFERS: u8 = 9;
    pub const DIRECTORY_CONTROL: u8 = 12;
    pub const FILE_SYSTEM_CONTROL: u8 = 13;
    pub const CLEANUP: u8 = 18;
}

/// Name of a major function, as the headers of Windows have it. The filter manager's own are bytes below
/// 0; events hold them with their sign (`FFFFFFFF` for -1) or, as a tolerance, without it (`FF`).
pub fn major_function_name(major: u32) -> Option<&'static str> {
    let byte = match major {
        0..=0xFF => major as u8,
        0xFFFF_FF80.. => major as u8,
        _ => return None,
    };
    if byte < 0x80 {
        return IRP.get(usize::from(byte)).copied();
    }
    let name = FILTER_MANAGER.get(usize::from(!byte)).copied()?;
    (!name.is_empty()).then_some(name)
}

/// By number.
static IRP: [&str; 28] = [
    "IRP_MJ_CREATE",
    "IRP_MJ_CREATE_NAMED_PIPE",
    "IRP_MJ_CLOSE",
    "IRP_MJ_READ",
    "IRP_MJ_WRITE",
    "IRP_MJ_QUERY_INFORMATION",
    "IRP_MJ_SET_INFORMATION",
    "IRP_MJ_QUERY_EA",
    "IRP_MJ_SET_EA",
    "IRP_MJ_FLUSH_BUFFERS",
    "IRP_MJ_QUERY_VOLUME_INFORMATION",
    "IRP_MJ_SET_VOLUME_INFORMATION",
    "IRP_MJ_DIRECTORY_CONTROL",
    "IRP_MJ_FILE_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CONTROL",
    "IRP_MJ_INTERNAL_DEVICE_CONTROL",
    "IRP_MJ_SHUTDOWN",
    "IRP_MJ_LOCK_CONTROL",
    "IRP_MJ_CLEANUP",
    "IRP_MJ_CREATE_MAILSLOT",
    "IRP_MJ_QUERY_SECURITY",
    "IRP_MJ_SET_SECURITY",
    "IRP_MJ_POWER",
    "IRP_MJ_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CHANGE",
    "IRP_MJ_QUERY_QUOTA",
    "IRP_MJ_SET_QUOTA",
    "IRP_MJ_PNP",
];

/// -1, -2 and so on; -8 to -12 are kept free. Older headers call -7 `IRP_MJ_NOTIFY_STREAM_FO_CREATION`.
static FILTER_MANAGER: [&str; 20] = [
    "IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION",
    "IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION",
    "IRP_MJ_ACQUIRE_FOR_MOD_WRITE",
    "IRP_MJ_RELEASE_FOR_MOD_WRITE",
    "IRP_MJ_ACQUIRE_FOR_CC_FLUSH",
    "IRP_MJ_RELEASE_FOR_CC_FLUSH",
    "IRP_MJ_QUERY_OPEN",
    "",
    "",
    "",
    "",
    "",
    "IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE",
    "IRP_MJ_NETWORK_QUERY_OPEN",
    "IRP_MJ_MDL_READ",
    "IRP_MJ_MDL_READ_COMPLETE",
    "IRP_MJ_PREPARE_MDL_WRITE",
    "IRP_MJ_MDL_WRITE_COMPLETE",
    "IRP_MJ_VOLUME_MOUNT",
    "IRP_MJ_VOLUME_DISMOUNT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_both_tables() {
        for (major, name) in [
            (0, Some("IRP_MJ_CREATE")),
            (u32::from(major::CLEANUP), Some("IRP_MJ_CLEANUP")),
            (27, Some("IRP_MJ_PNP")),
            (28, None),
            (0xFF, Some("IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION")),
            (u32::MAX, Some("IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION")),
            (-7_i32 as u32, Some("IRP_MJ_QUERY_OPEN")),
            (-8_i32 as u32, None),
            (-12_i32 as u32, None),
            (-13_i32 as u32, Some("IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE")),
            (-20_i32 as u32, Some("IRP_MJ_VOLUME_DISMOUNT")),
            (-21_i32 as u32, None),
            (0x1FF, None),
            (0xFFFF_FF00, None),
        ] {
            assert_eq!(major_function_name(major), name, "{major:#x}");
        }
    }
}
