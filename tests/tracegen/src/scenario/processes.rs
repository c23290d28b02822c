//! The processes of the machine.

use crate::pml::{Bits, Module, Process};

/// A process by what it is in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Idle,
    System,
    Smss,
    Csrss,
    Wininit,
    Winlogon,
    Services,
    Lsass,
    SvchostDcom,
    SvchostNet,
    SvchostPnp,
    Spoolsv,
    MsMpEng,
    SearchIndexer,
    Explorer,
    TrustedInstaller,
    TiWorker,
    Poqexec,
    TmsSvc,
    AcmeAgent,
    Teller,
    Procmon,
}

const MS: &str = "Microsoft Corporation";
const MS_VERSION: &str = "10.0.19041.3636";
/// The folder TiWorker.exe and its libraries run from.
pub(crate) const STACK_FOLDER: &str = "C:\\Windows\\WinSxS\\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.3743_none_7e0f4b9cb2e0d5a1";
const TMS: &str = "TMS Security Co., Ltd.";
const TMS_FOLDER: &str = "C:\\Program Files\\TMS Security\\Endpoint";

/// Role, pid, parent, start in ms after boot, path, description. An empty company means Microsoft.
type Row = (
    Role,
    u32,
    u32,
    u64,
    &'static str,
    &'static str,
    &'static str,
);

const ROWS: &[Row] = &[
    (
        Role::Smss,
        412,
        4,
        900,
        "C:\\Windows\\System32\\smss.exe",
        "",
        "Windows Session Manager",
    ),
    (
        Role::Csrss,
        560,
        548,
        3_100,
        "C:\\Windows\\System32\\csrss.exe",
        "",
        "Client Server Runtime Process",
    ),
    (
        Role::Wininit,
        640,
        548,
        3_400,
        "C:\\Windows\\System32\\wininit.exe",
        "",
        "Windows Start-Up Application",
    ),
    (
        Role::Winlogon,
        704,
        632,
        3_500,
        "C:\\Windows\\System32\\winlogon.exe",
        "",
        "Windows Logon Application",
    ),
    (
        Role::Services,
        784,
        640,
        4_000,
        "C:\\Windows\\System32\\services.exe",
        "",
        "Services and Controller app",
    ),
    (
        Role::Lsass,
        792,
        640,
        4_050,
        "C:\\Windows\\System32\\lsass.exe",
        "",
        "Local Security Authority Process",
    ),
    (
        Role::SvchostDcom,
        920,
        784,
        4_600,
        "C:\\Windows\\System32\\svchost.exe",
        "",
        "Host Process for Windows Services",
    ),
    (
        Role::SvchostNet,
        1_076,
        784,
        5_000,
        "C:\\Windows\\System32\\svchost.exe",
        "",
        "Host Process for Windows Services",
    ),
    (
        Role::SvchostPnp,
        1_204,
        784,
        5_200,
        "C:\\Windows\\System32\\svchost.exe",
        "",
        "Host Process for Windows Services",
    ),
    (
        Role::Spoolsv,
        2_388,
        784,
        9_000,
        "C:\\Windows\\System32\\spoolsv.exe",
        "",
        "Spooler SubSystem App",
    ),
    (
        Role::MsMpEng,
        2_764,
        784,
        9_600,
        "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.24040.4-0\\MsMpEng.exe",
        "",
        "Antimalware Service Executable",
    ),
    (
        Role::SearchIndexer,
        5_120,
        784,
        24_000,
        "C:\\Windows\\System32\\SearchIndexer.exe",
        "",
        "Microsoft Windows Search Indexer",
    ),
    (
        Role::Explorer,
        6_032,
        5_976,
        28_000,
        "C:\\Windows\\explorer.exe",
        "",
        "Windows Explorer",
    ),
    (
        Role::TrustedInstaller,
        3_404,
        784,
        37_600,
        "C:\\Windows\\servicing\\TrustedInstaller.exe",
        "",
        "Windows Modules Installer",
    ),
    (
        Role::Poqexec,
        4_916,
        3_860,
        76_000,
        "C:\\Windows\\System32\\poqexec.exe",
        "",
        "Primitive Operations Queue Executor",
    ),
    (
        Role::TmsSvc,
        2_900,
        784,
        9_900,
        "C:\\Program Files\\TMS Security\\Endpoint\\TmsSvc.exe",
        TMS,
        "TMS Endpoint Service",
    ),
    (
        Role::AcmeAgent,
        3_012,
        784,
        10_400,
        "C:\\Program Files (x86)\\Acme\\Backup\\AcmeAgent.exe",
        "Acme Backup Software",
        "Acme Backup Agent",
    ),
    (
        Role::Teller,
        6_480,
        6_032,
        33_000,
        "C:\\Program Files\\Teller\\Schalter für Größe.exe",
        "Banksoft GmbH",
        "Teller Front End",
    ),
    (
        Role::Procmon,
        7_316,
        6_032,
        36_000,
        "C:\\Tools\\Procmon64.exe",
        "Sysinternals - www.sysinternals.com",
        "Process Monitor",
    ),
];

/// All processes, System first among those with modules. Start times count from `boot`.
pub(crate) fn all(bits: Bits, boot: u64) -> Vec<(Role, Process)> {
    let mut idle = Process::new(0, 0, "Idle");
    idle.virtualized = u32::MAX;
    idle.command_line.clear();
    let mut system = Process::new(4, 0, "System");
    system.start = boot;
    system.command_line.clear();
    let mut list = vec![(Role::Idle, idle), (Role::System, system)];
    let worker = format!("{STACK_FOLDER}\\TiWorker.exe");
    for (role, pid, parent, start, path, company, description) in ROWS {
        list.push((
            *role,
            process(
                bits,
                boot,
                (*pid, *parent, *start),
                path,
                company,
                description,
            ),
        ));
    }
    let mut ti = process(
        bits,
        boot,
        (3_860, 920, 38_400),
        &worker,
        "",
        "Windows Modules Installer Worker",
    );
    ti.command_line = format!("{worker} -Embedding");
    list.push((Role::TiWorker, ti));
    for (n, (role, process)) in list.iter_mut().enumerate() {
        process.is_64 = bits == Bits::B64 && *role != Role::AcmeAgent;
        finish(bits, *role, n as u64, process);
    }
    list
}

fn process(
    bits: Bits,
    boot: u64,
    ids: (u32, u32, u64),
    path: &str,
    company: &str,
    description: &str,
) -> Process {
    let (pid, parent, start) = ids;
    let path = if bits == Bits::B32 {
        path.replace(" (x86)", "").replace("amd64_", "x86_")
    } else {
        path.to_owned()
    };
    let mut p = Process::new(pid, parent, &path);
    p.start = boot + start * 10_000;
    p.company = if company.is_empty() {
        MS.into()
    } else {
        company.into()
    };
    p.version = if company.is_empty() {
        MS_VERSION.into()
    } else {
        "7.2.14.0".into()
    };
    p.description = description.into();
    p
}

fn finish(bits: Bits, role: Role, n: u64, p: &mut Process) {
    match role {
        Role::Idle | Role::System => return,
        Role::Explorer | Role::Teller | Role::Procmon => {
            p.user = "BANK\\schalter07".into();
            p.integrity = if role == Role::Procmon {
                "High".into()
            } else {
                "Medium".into()
            };
            p.auth_id = 0x0004_A81F;
            p.session = 1;
        }
        Role::SvchostNet => {
            p.user = "NT AUTHORITY\\LOCAL SERVICE".into();
            p.auth_id = 0x3E5;
        }
        Role::Poqexec => p.end = p.start + 9 * 10_000_000,
        Role::Csrss | Role::Winlogon => p.session = 1,
        _ => {}
    }
    p.modules = images(bits, role, n, p);
}

/// The executable, then ntdll, kernel32, kernelbase, then what the story needs.
fn images(bits: Bits, role: Role, n: u64, p: &Process) -> Vec<Module> {
    let (exe, system) = match bits {
        Bits::B64 => (0x7FF7_1000_0000 + n * 0x0100_0000, 0x7FFE_1000_0000),
        Bits::B32 => (0x0040_0000 + n * 0x1_0000, 0x7600_0000),
    };
    let dll = |slot: u64, size: u32, name: &str, description: &str| {
        Module::new(
            system + slot * 0x30_0000,
            size,
            format!("C:\\Windows\\System32\\{name}"),
        )
        .named(MS, description, MS_VERSION)
    };
    let mut list = vec![
        Module::new(exe, 0x8000, &p.image_path).named(&p.company, &p.description, &p.version),
        dll(3, 0x1F_8000, "ntdll.dll", "NT Layer DLL"),
        dll(2, 0xBF000, "kernel32.dll", "Windows NT BASE API Client DLL"),
        dll(
            1,
            0x2F_6000,
            "KernelBase.dll",
            "Windows NT BASE API Client DLL",
        ),
    ];
    if role == Role::TiWorker {
        for (slot, name) in [(4, "CbsCore.dll"), (5, "wcp.dll"), (6, "drvstore.dll")] {
            let path = format!("{STACK_FOLDER}\\{name}");
            list.push(
                Module::new(system + slot * 0x30_0000, 0x18_0000, path).named(
                    MS,
                    "Servicing library",
                    MS_VERSION,
                ),
            );
        }
        // A user-mode hook of the security product: third party, on the stack, and no driver.
        list.push(hook(bits));
    }
    if role == Role::TmsSvc {
        list.push(hook(bits));
    }
    list
}

fn hook(bits: Bits) -> Module {
    let base = if bits == Bits::B64 {
        0x7FFD_6A00_0000
    } else {
        0x6A00_0000
    };
    Module::new(base, 0x2_0000, format!("{TMS_FOLDER}\\tmshook.dll")).named(
        TMS,
        "TMS Endpoint Hook",
        "7.2.14.0",
    )
}

/// In a 32-bit log System lists user-mode images as well, so being in its list does not make a driver.
pub(crate) fn user_images_of_system() -> Vec<Module> {
    vec![
        Module::new(0x7690_0000, 0x18_0000, "C:\\Windows\\System32\\ntdll.dll").named(
            MS,
            "NT Layer DLL",
            MS_VERSION,
        ),
        hook(Bits::B32),
    ]
}
