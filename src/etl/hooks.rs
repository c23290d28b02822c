//! Names of kernel events: groups (the high byte of a hook) and hooks.
//!
//! Group names and GUIDs are those of the MOF classes; hooks are named in the words of the same.
//! An event of the kernel may also come with a FULL header, its group's GUID and its type as opcode.

use super::guid::Guid;

/// A group of kernel events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// High byte of the hooks.
    pub id: u8,
    /// Name.
    pub name: &'static str,
    /// Class GUID.
    pub guid: Guid,
}

const fn group(id: u8, name: &'static str, guid: u128) -> Group {
    Group {
        id,
        name,
        guid: Guid::new(guid),
    }
}

/// All groups with a name, by id.
pub const GROUPS: &[Group] = &[
    group(0x00, "EventTrace", 0x68fdd900_4a3e_11d1_84f4_0000f80464e3),
    group(0x01, "DiskIo", 0x3d6fa8d4_fe05_11d0_9dda_00c04fd7ba7c),
    group(0x02, "PageFault", 0x3d6fa8d3_fe05_11d0_9dda_00c04fd7ba7c),
    group(0x03, "Process", 0x3d6fa8d0_fe05_11d0_9dda_00c04fd7ba7c),
    group(0x04, "FileIo", 0x90cbdc39_4a3e_11d1_84f4_0000f80464e3),
    group(0x05, "Thread", 0x3d6fa8d1_fe05_11d0_9dda_00c04fd7ba7c),
    group(0x06, "TcpIp", 0x9a280ac0_c8e0_11d1_84e2_00c04fb998a2),
    group(0x07, "Job", 0x3282fc76_feed_498e_8aa7_e70f459d430e),
    group(0x08, "UdpIp", 0xbf3a50c5_a9c9_4988_a005_2df0b7c80f80),
    group(0x09, "Registry", 0xae53722e_c863_11d2_8659_00c04fa321a1),
    group(0x0A, "DbgPrint", 0x13976d09_a327_438c_950b_7f03192815c7),
    group(0x0B, "SystemConfig", 0x01853a65_418f_4f36_aefc_dc0f1d2fd235),
    group(0x0E, "Pool", 0x0268a8b6_74fd_4302_9dd0_6e8f1795c0cf),
    group(0x0F, "PerfInfo", 0xce1dbfb4_137e_4da6_87b0_3f59aa102cbc),
    group(0x10, "Heap", 0x222962ab_6180_4b88_a825_346b75f2a24a),
    group(0x11, "Object", 0x89497f50_effe_4440_8cf2_ce6b1cdcaca7),
    group(0x12, "Power", 0xe43445e0_0903_48c3_b878_ff0fccebdd04),
    group(0x14, "Image", 0x2cb15d1d_5fc1_11d2_abe1_00a0c911f518),
    group(0x15, "DPC", 0xb2d14872_7c5b_463d_8419_ee9bf7d23e04),
    group(0x17, "CritSec", 0x3ac66736_cc59_4cff_8115_8df50e39816b),
    group(0x18, "StackWalk", 0xdef2fe46_7bd6_4b80_bd94_f57fe20d0ce3),
    group(0x1A, "ALPC", 0x45d8cccd_539f_4b72_a8b7_5c683142609a),
    group(0x1B, "SplitIo", 0xd837ca92_12b9_44a5_ad6a_3a65b3578aa8),
    group(0x1C, "ThreadPool", 0xc861d0e2_a2c1_4d36_9f9c_970bab943a12),
];

/// The group of a hook. One event stands in another group than its hook says: 0x030A is an image load.
pub fn group_of(hook: u16) -> Option<&'static Group> {
    let id = match hook {
        IMAGE_LOAD => 0x14,
        _ => (hook >> 8) as u8,
    };
    GROUPS.iter().find(|group| group.id == id)
}

/// The group of a class GUID.
pub fn group_of_class(class: Guid) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.guid == class)
}

/// The hook of an event that has its group's GUID and its type as opcode.
pub fn hook_of_class(class: Guid, opcode: u8) -> Option<u16> {
    let group = group_of_class(class)?;
    match (group.id, opcode) {
        (0x14, 10) => Some(IMAGE_LOAD),
        (id, opcode) => Some(u16::from(id) << 8 | u16::from(opcode)),
    }
}

/// Image load.
pub const IMAGE_LOAD: u16 = 0x030A;
/// Group masks after a change.
pub const GROUP_MASKS: u16 = 0x0005;
/// Group masks before a change.
pub const GROUP_MASKS_BEFORE: u16 = 0x0020;

/// The name of a hook in its group.
pub fn hook_name(hook: u16) -> Option<&'static str> {
    let at = HOOKS.binary_search_by_key(&hook, |(id, _)| *id).ok()?;
    Some(HOOKS[at].1)
}

/// Hooks with a name, ascending.
#[rustfmt::skip]
pub(crate) const HOOKS: &[(u16, &str)] = &[
    (0x0000, "Header"), (0x0005, "Group masks"), (0x0008, "Rundown complete"),
    (0x0020, "Group masks before change"), (0x0040, "Logger module RSDS"), (0x0041, "Logger module NB10"),
    (0x0042, "Build lab"), (0x0043, "Binary path"), (0x0050, "Partition info"),
    (0x010A, "Read"), (0x010B, "Write"), (0x010C, "Read init"), (0x010D, "Write init"), (0x010E, "Flush"),
    (0x010F, "Flush init"), (0x0110, "Redirected init"),
    (0x020A, "Transition fault"), (0x020B, "Demand-zero fault"), (0x020C, "Copy on write"),
    (0x020D, "Guard page fault"), (0x020E, "Hard page fault"), (0x020F, "Access violation"),
    (0x0220, "Hard fault"), (0x0262, "Virtual alloc"), (0x0263, "Virtual free"),
    (0x0301, "Start"), (0x0302, "End"), (0x0303, "Rundown start"), (0x0304, "Rundown end"), (0x030A, "Load"),
    (0x030B, "Terminate"), (0x0320, "Counters"), (0x0321, "Counters rundown"), (0x0323, "In-swap"),
    (0x0324, "Freeze"), (0x0325, "Thaw"), (0x0326, "Boot phase start"), (0x0327, "Defunct"),
    (0x0328, "Set affinity"), (0x0370, "Debug event"),
    (0x0400, "Name"), (0x0420, "File create"), (0x0423, "File delete"), (0x0424, "File rundown"),
    (0x0425, "Map file"), (0x0426, "Unmap file"), (0x0427, "Map file rundown start"),
    (0x0428, "Map file rundown end"), (0x0440, "Create"), (0x0441, "Cleanup"), (0x0442, "Close"),
    (0x0443, "Read"), (0x0444, "Write"), (0x0445, "Set information"), (0x0446, "Delete"), (0x0447, "Rename"),
    (0x0448, "Directory enumeration"), (0x0449, "Flush"), (0x044A, "Query information"), (0x044B, "FS control"),
    (0x044C, "Operation end"), (0x044D, "Directory notification"), (0x044E, "Create new"),
    (0x044F, "Delete path"), (0x0450, "Rename path"), (0x0451, "Set link path"), (0x0452, "Set link"),
    (0x0460, "Minifilter pre-operation init"), (0x0461, "Minifilter post-operation init"),
    (0x0462, "Minifilter pre-operation completion"), (0x0463, "Minifilter post-operation completion"),
    (0x0464, "Minifilter pre-operation failure"), (0x0465, "Minifilter post-operation failure"),
    (0x0501, "Start"), (0x0502, "End"), (0x0503, "Rundown start"), (0x0504, "Rundown end"),
    (0x0524, "Context switch"), (0x0529, "Spin lock"), (0x0532, "Ready thread"), (0x0534, "Set I/O priority"),
    (0x0548, "Set name"),
    (0x060A, "Send"), (0x060B, "Receive"), (0x060C, "Connect"), (0x060D, "Disconnect"), (0x060E, "Retransmit"),
    (0x060F, "Accept"), (0x0610, "Reconnect"), (0x0612, "Copy"), (0x061A, "Send IPv6"), (0x061B, "Receive IPv6"),
    (0x061C, "Connect IPv6"), (0x061D, "Disconnect IPv6"), (0x061E, "Retransmit IPv6"), (0x061F, "Accept IPv6"),
    (0x0620, "Reconnect IPv6"), (0x0622, "Copy IPv6"),
    (0x080A, "Send"), (0x080B, "Receive"), (0x081A, "Send IPv6"), (0x081B, "Receive IPv6"),
    (0x090A, "Create key"), (0x090B, "Open key"), (0x090C, "Delete key"), (0x090D, "Query key"),
    (0x090E, "Set value"), (0x090F, "Delete value"), (0x0910, "Query value"), (0x0911, "Enumerate key"),
    (0x0912, "Enumerate value"), (0x0913, "Query multiple values"), (0x0914, "Set information"),
    (0x0915, "Flush"), (0x0916, "KCB create"), (0x0917, "KCB delete"), (0x0918, "KCB rundown begin"),
    (0x0919, "KCB rundown end"), (0x091A, "Virtualize"), (0x091B, "Close key"), (0x091C, "Set security"),
    (0x091D, "Query security"), (0x091E, "Transaction commit"), (0x091F, "Transaction prepare"),
    (0x0920, "Transaction rollback"), (0x0921, "Mount hive"), (0x0922, "Counters"), (0x0923, "Configuration"),
    (0x0924, "Hive init"), (0x0925, "Hive destroy"), (0x0926, "Hive link"), (0x0927, "Hive rundown end"),
    (0x0928, "Hive dirty"), (0x0930, "Change notification"), (0x0931, "Change notification end"),
    (0x0B0A, "CPU"), (0x0B0B, "Physical disk"), (0x0B0C, "Logical disk"), (0x0B0D, "Network card"),
    (0x0B0E, "Video"), (0x0B0F, "Services"), (0x0B10, "Power"), (0x0B11, "Network"), (0x0B12, "Optical disk"),
    (0x0B13, "Video"), (0x0B15, "IRQ"), (0x0B16, "PnP device"), (0x0B17, "IDE channel"), (0x0B18, "NUMA nodes"),
    (0x0B19, "Platform"), (0x0B1A, "Processor groups"), (0x0B1B, "Processor numbers"), (0x0B1C, "DPI"),
    (0x0B1D, "Code integrity"), (0x0B1E, "Machine id"), (0x0B1F, "Defragmentation"), (0x0B21, "Device family"),
    (0x0B22, "Flight ids"), (0x0B23, "Processors"),
    (0x0F22, "Mark"), (0x0F2E, "Sampled profile"), (0x0F2F, "Counter sample"), (0x0F32, "ISR (MSI)"),
    (0x0F33, "System call enter"), (0x0F34, "System call exit"), (0x0F42, "Threaded DPC"), (0x0F43, "ISR"),
    (0x0F44, "DPC"), (0x0F45, "Timer DPC"), (0x0F48, "Set profile interval"),
    (0x0F49, "Profile interval rundown start"), (0x0F4A, "Profile interval rundown end"),
    (0x1120, "Create handle"), (0x1121, "Close handle"), (0x1122, "Duplicate handle"),
    (0x1124, "Type rundown start"), (0x1125, "Type rundown end"), (0x1126, "Handle rundown start"),
    (0x1127, "Handle rundown end"), (0x1130, "Create object"), (0x1131, "Delete object"),
    (0x1132, "Reference object"), (0x1133, "Dereference object"),
    (0x1402, "Unload"), (0x1403, "Rundown start"), (0x1404, "Rundown end"), (0x1421, "Kernel base"),
    (0x1422, "Hypercall page"),
    (0x1820, "Stack"), (0x1822, "Key create"), (0x1823, "Key delete"), (0x1824, "Key rundown"),
    (0x1825, "Kernel stack reference"), (0x1826, "User stack reference"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_find_each_other() {
        assert!(HOOKS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(GROUPS.is_sorted_by(|a, b| a.id < b.id));
        for (hook, _) in HOOKS {
            let group = group_of(*hook).unwrap();
            if *hook != IMAGE_LOAD {
                assert_eq!(hook_of_class(group.guid, *hook as u8), Some(*hook));
            }
        }
        assert_eq!(hook_name(0x0301), Some("Start"));
        assert_eq!(hook_name(0x0052), None);
        assert_eq!(group_of(IMAGE_LOAD).unwrap().name, "Image");
        assert_eq!(
            hook_of_class(group_of(0x1402).unwrap().guid, 10),
            Some(IMAGE_LOAD)
        );
        assert_eq!(hook_of_class(Guid::NIL, 1), None);
    }
}
