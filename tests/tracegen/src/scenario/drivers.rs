//! The kernel images of the machine.

use crate::pml::{Bits, Module};

/// A kernel image and what the scenario knows of it.
#[derive(Debug, Clone)]
pub struct Driver {
    /// Image, version information as the log has it.
    pub module: Module,
    /// Not among System's modules: a `Load Image` event tells of it.
    pub late: bool,
}

impl Driver {
    /// File name.
    pub fn name(&self) -> &str {
        self.module.path.rsplit('\\').next().unwrap_or_default()
    }

    /// The address lies in the image.
    pub fn holds(&self, address: u64) -> bool {
        let base = self.module.base;
        (base..base + u64::from(self.module.size)).contains(&address)
    }
}

const MS: &str = "Microsoft Corporation";
const MS_VERSION: &str = "10.0.19041.3636";

/// Path below C:\Windows, size, description. All are Microsoft's.
const IN_BOX: &[(&str, u32, &str)] = &[
    ("system32\\ntoskrnl.exe", 0x0104_6000, "NT Kernel & System"),
    (
        "system32\\hal.dll",
        0x6000,
        "Hardware Abstraction Layer DLL",
    ),
    (
        "System32\\drivers\\FLTMGR.SYS",
        0x72000,
        "Microsoft Filesystem Filter Manager",
    ),
    (
        "System32\\Drivers\\Ntfs.sys",
        0x2D_8000,
        "NT File System Driver",
    ),
    (
        "system32\\drivers\\wd\\WdFilter.sys",
        0x81000,
        "Microsoft antimalware file system filter driver",
    ),
    (
        "System32\\Drivers\\Wof.sys",
        0x3A000,
        "Windows Overlay Filter",
    ),
    (
        "System32\\drivers\\fileinfo.sys",
        0x1A000,
        "FileInfo Filter Driver",
    ),
    (
        "system32\\drivers\\wcifs.sys",
        0x35000,
        "Windows Container Isolation FS Filter Driver",
    ),
    (
        "system32\\drivers\\cldflt.sys",
        0x80000,
        "Cloud Files Mini Filter Driver",
    ),
    (
        "system32\\drivers\\bindflt.sys",
        0x25000,
        "Windows Bind Filter Driver",
    ),
    ("System32\\drivers\\tcpip.sys", 0x2E_C000, "TCP/IP Driver"),
    (
        "system32\\drivers\\ndis.sys",
        0x16_F000,
        "Network Driver Interface Specification (NDIS)",
    ),
    (
        "System32\\drivers\\netio.sys",
        0x98000,
        "Network I/O Subsystem",
    ),
    ("system32\\CI.dll", 0xE0000, "Code Integrity Module"),
    (
        "System32\\Drivers\\cng.sys",
        0xBB000,
        "Kernel Cryptography, Next Generation",
    ),
    (
        "System32\\drivers\\volmgr.sys",
        0x1B000,
        "Volume Manager Driver",
    ),
    (
        "System32\\drivers\\partmgr.sys",
        0x30000,
        "Partition driver",
    ),
    ("System32\\drivers\\disk.sys", 0x1C000, "PnP Disk Driver"),
    (
        "System32\\drivers\\storport.sys",
        0xB0000,
        "Microsoft Storage Port Driver",
    ),
    (
        "System32\\drivers\\stornvme.sys",
        0x2E000,
        "Microsoft NVM Express Storport Miniport Driver",
    ),
    (
        "System32\\win32k.sys",
        0x9A000,
        "Full/Desktop Multi-User Win32 Driver",
    ),
    (
        "System32\\win32kfull.sys",
        0x3B_5000,
        "Full/Desktop Win32k Kernel Driver",
    ),
    (
        "System32\\drivers\\dxgkrnl.sys",
        0x3A_5000,
        "DirectX Graphics Kernel",
    ),
];

/// Path, size, company, description, version.
const OTHERS: &[(&str, u32, &str, &str, &str)] = &[
    // An in-box driver whose version information the log does not have.
    (
        "C:\\Windows\\system32\\drivers\\luafv.sys",
        0x29000,
        "",
        "",
        "",
    ),
    (
        "C:\\Windows\\system32\\Drivers\\PROCMON24.SYS",
        0x1B000,
        "Sysinternals - www.sysinternals.com",
        "Process Monitor Driver",
        "3.94",
    ),
    (
        "C:\\Windows\\system32\\DRIVERS\\tmsflt.sys",
        0x38000,
        "TMS Security Co., Ltd.",
        "TMS Endpoint File Filter",
        "7.2.14.0",
    ),
    (
        "C:\\Windows\\System32\\drivers\\tmsnet.sys",
        0x21000,
        "TMS Security Co., Ltd.",
        "TMS Endpoint Network Filter",
        "7.2.14.0",
    ),
    (
        "C:\\Windows\\System32\\drivers\\acmebkp.sys",
        0x1F000,
        "Acme Backup Software",
        "Acme Change Tracking Filter",
        "4.1.0.220",
    ),
    (
        "C:\\Windows\\System32\\DriverStore\\FileRepository\\nv_dispi.inf_amd64_0c8f1d52ab7e9630\\nvlddmkm.sys",
        0x02D1_4000,
        "NVIDIA Corporation",
        "NVIDIA Windows Kernel Mode Driver, Version 551.61 ",
        "31.0.15.5161",
    ),
    ("C:\\ProgramData\\odd\\xyzmon.sys", 0xD000, "", "", ""),
];

/// Loaded while the log runs.
const LATE: &str = "C:\\Windows\\System32\\drivers\\latefilt.sys";

/// The images, laid out one behind the other.
pub fn drivers(bits: Bits) -> Vec<Driver> {
    let mut base = match bits {
        Bits::B64 => 0xFFFF_F803_4A20_0000,
        Bits::B32 => 0x8180_0000,
    };
    let mut place = |path: &str, size: u32| {
        let module = Module::new(base, size, path);
        base += u64::from(size).next_multiple_of(0x1_0000) + 0x1_0000;
        module
    };
    let mut all = Vec::new();
    for (path, size, description) in IN_BOX {
        let module =
            place(&format!("C:\\Windows\\{path}"), *size).named(MS, description, MS_VERSION);
        all.push(Driver {
            module,
            late: false,
        });
    }
    for (path, size, company, description, version) in OTHERS {
        let module = place(path, *size).named(company, description, version);
        all.push(Driver {
            module,
            late: false,
        });
    }
    all.push(Driver {
        module: place(LATE, 0x12000),
        late: true,
    });
    all
}
