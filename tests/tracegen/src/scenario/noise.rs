//! What a machine does anyway: events that must not change any finding.

use super::processes::Role;
use super::scene::{Scene, Shot};
use super::status::*;
use crate::pml::op::{
    Directory, FileOp, KeyInfo, NetworkOpen, QueryInfo, RegOp, Standard, Transfer, Value,
};

const ROLES: &[Role] = &[
    Role::Csrss,
    Role::Services,
    Role::Lsass,
    Role::SvchostDcom,
    Role::SvchostNet,
    Role::SvchostPnp,
    Role::Spoolsv,
    Role::MsMpEng,
    Role::SearchIndexer,
    Role::Explorer,
    Role::Teller,
    Role::Procmon,
    Role::TmsSvc,
    Role::AcmeAgent,
];

const FILES: &[&str] = &[
    "C:\\Windows\\System32\\kernel32.dll",
    "C:\\Windows\\System32\\de-DE\\user32.dll.mui",
    "C:\\Windows\\Prefetch\\SVCHOST.EXE-5A1C8D9B.pf",
    "C:\\Users\\schalter07\\AppData\\Local\\Temp\\~DF3A71.tmp",
    "C:\\Users\\schalter07\\Documents\\Kundenübersicht Größe.xlsx",
    "C:\\Users\\schalter07\\ドキュメント\\明細書.pdf",
    "C:\\ProgramData\\Microsoft\\Search\\Data\\Applications\\Windows\\Windows.edb",
    "C:\\Program Files\\Teller\\config\\teller.xml",
    "C:\\Windows\\Fonts\\segoeui.ttf",
    "C:\\Windows\\System32\\winevt\\Logs\\System.evtx",
    "C:\\Windows\\System32\\drivers.bak\\old.sys",
    "C:\\Windows\\System32\\config\\SYSTEM.LOG1",
    "C:\\Windows\\System32\\config\\DRIVERSOLD",
    "C:\\$Extend\\$UsnJrnl",
    "\\\\bank-fs01\\teller$\\forms\\einzahlung.frm",
    "\\Device\\NamedPipe\\lsass",
];

/// Driver-store paths that others read in passing.
const STORE_FILES: &[&str] = &[
    "C:\\Windows\\System32\\drivers\\etc\\hosts",
    "C:\\Windows\\INF\\machine.inf",
    "C:\\Windows\\System32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}\\ntprint.cat",
    "\\Device\\HarddiskVolume3\\Windows\\System32\\drivers\\volmgr.sys",
];

const KEYS: &[(&str, &str)] = &[
    (
        "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
        "CurrentBuild",
    ),
    (
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters",
        "Hostname",
    ),
    (
        "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\Advanced",
        "Hidden",
    ),
    (
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager",
        "PendingFileRenameOperations",
    ),
    ("HKCR\\.xlsx", "(Default)"),
    ("HKLM\\DRIVERSX\\Settings", "Level"),
    (
        "\\REGISTRY\\A\\{2a1f6d5e-3f0c-4b2e-9b57-2f3c6e1a0d44}\\Root",
        "Version",
    ),
];

/// `count` small groups of events between two moments (microseconds).
pub(crate) fn add(scene: &mut Scene, from: u64, to: u64, count: u64) {
    for _ in 0..count {
        let at = from + scene.rng.below(to - from);
        let drawn = *scene.rng.pick(ROLES);
        let role = if scene.runs(drawn, at) {
            drawn
        } else {
            Role::SvchostDcom
        };
        let shot = Shot::ok(at, role);
        match scene.rng.below(12) {
            0..=2 => file_group(scene, shot),
            3 => quick_open(scene, shot),
            4 => directory(scene, shot),
            5..=8 => registry_group(scene, shot),
            9 => failed_registry(scene, shot),
            10 => failed_file(scene, shot),
            _ => passing_reader(scene, shot),
        }
    }
}

fn file_group(scene: &mut Scene, shot: Shot<'_>) {
    let path = *scene.rng.pick(FILES);
    // The filters see most requests, wherever they go: presence outside the scope must not count.
    let drivers: &[&str] = match scene.rng.below(5) {
        0 => &["tmsflt.sys"],
        1 => &["acmebkp.sys"],
        2 => &["WdFilter.sys"],
        _ => &[],
    };
    scene.read_file(shot.with(drivers), path);
}

fn quick_open(scene: &mut Scene, shot: Shot<'_>) {
    let path = *scene.rng.pick(FILES);
    if scene.rng.one_in(3) {
        let info = NetworkOpen {
            allocation: 8192,
            end_of_file: 6144,
            ..NetworkOpen::default()
        };
        scene.file(shot, path, FileOp::QueryOpen(Some(info)));
    } else {
        scene.file(
            shot.status(FAST_IO_DISALLOWED),
            path,
            FileOp::QueryOpen(None),
        );
        scene.open(shot.later(40), path, 0x0010_0080, 7);
        let standard = Standard {
            allocation: 8192,
            end_of_file: 6144,
            links: 1,
            ..Standard::default()
        };
        scene.file(
            shot.later(80),
            path,
            FileOp::QueryInfo(QueryInfo::Standard(standard)),
        );
        scene.file(shot.later(110), path, FileOp::CloseFile);
    }
}

fn directory(scene: &mut Scene, shot: Shot<'_>) {
    let folder = "C:\\Program Files\\Teller\\plugins";
    let names = [".", "..", "barcode.dll", "Größe.dll"]
        .map(String::from)
        .to_vec();
    let query = |filter: Option<&str>, entries| {
        FileOp::QueryDirectory(Directory {
            class: 37,
            filter: filter.map(String::from),
            entries,
            buffer: 0x260,
        })
    };
    scene.open(shot, folder, 0x0010_0001, 7);
    scene.file(shot.later(50), folder, query(Some("*"), Some(names)));
    scene.file(
        shot.later(90).status(NO_MORE_FILES),
        folder,
        query(None, None),
    );
    scene.file(shot.later(120), folder, FileOp::CloseFile);
}

fn registry_group(scene: &mut Scene, shot: Shot<'_>) {
    let (key, name) = *scene.rng.pick(KEYS);
    let value = match scene.rng.below(5) {
        0 => Value::dword(scene.rng.below(1 << 20) as u32),
        1 => Value::sz("19045"),
        2 => Value::multi_sz(&[
            "\\??\\C:\\Windows\\Temp\\a",
            "",
            "\\??\\C:\\Windows\\Temp\\b",
        ]),
        3 => Value::binary(&[0, 1, 2, 0xFE, 0xFF]),
        _ => Value::expand_sz("%SystemRoot%\\system32"),
    };
    scene.read_value(shot, key, name, value);
    if scene.rng.one_in(4) {
        let cached = KeyInfo::Cached {
            written: scene.time(0),
            subkeys: 3,
            values: 9,
        };
        scene.reg(
            shot.later(20),
            key,
            RegOp::QueryKey {
                length: 40,
                info: cached,
            },
        );
    }
}

fn failed_registry(scene: &mut Scene, shot: Shot<'_>) {
    let (key, name) = *scene.rng.pick(KEYS);
    let path = format!("{key}\\{name}Ex");
    match scene.rng.below(3) {
        0 => scene.reg(
            shot.status(NAME_NOT_FOUND),
            &path,
            RegOp::QueryValue {
                length: 16,
                value: None,
            },
        ),
        1 => scene.reg(
            shot.status(BUFFER_OVERFLOW),
            &path,
            RegOp::QueryValue {
                length: 12,
                value: None,
            },
        ),
        _ => {
            let op = RegOp::EnumKey {
                length: 288,
                index: 3,
                info: KeyInfo::Failed(0),
            };
            scene.reg(shot.status(NO_MORE_ENTRIES), key, op);
        }
    }
}

fn failed_file(scene: &mut Scene, shot: Shot<'_>) {
    let path = *scene.rng.pick(FILES);
    match scene.rng.below(6) {
        0 => scene.open(shot.status(NAME_NOT_FOUND), path, 0x0012_0089, 7),
        1 => scene.open(shot.status(PATH_NOT_FOUND), path, 0x0012_0089, 7),
        2 => {
            let transfer = Transfer {
                offset: 65_536,
                length: 4096,
                done: None,
                irp_flags: 0x6_0900,
            };
            scene.file(shot.status(END_OF_FILE), path, FileOp::ReadFile(transfer));
        }
        3 => {
            let op = FileOp::CreateFileMapping {
                sync_type: 1,
                protection: 2,
            };
            scene.file(shot.status(LOCKED_WITH_ONLY_READERS), path, op);
        }
        4 => scene.file(shot.status(NO_EAS_ON_FILE), path, FileOp::QueryEa),
        // Self-protection at work, far from the driver store: no finding.
        _ => scene.open(
            shot.status(ACCESS_DENIED).with(&["tmsflt.sys"]),
            path,
            0x0012_0116,
            7,
        ),
    }
}

fn passing_reader(scene: &mut Scene, shot: Shot<'_>) {
    let path = *scene.rng.pick(STORE_FILES);
    // Only Microsoft's processes: what a third party reads here is part of the story, not of the noise.
    let role = *scene.rng.pick(&[
        Role::SvchostNet,
        Role::SvchostPnp,
        Role::MsMpEng,
        Role::System,
        Role::Spoolsv,
    ]);
    let drivers: &[&str] = match scene.rng.below(6) {
        0 => &["WdFilter.sys"],
        1 => &["luafv.sys"],
        // Procmon strips its own frames from most stacks: in a real log of 53,214 events 14 have one.
        2 if scene.rng.one_in(2) => &["PROCMON24.SYS"],
        _ => &[],
    };
    let role = if scene.runs(role, shot.at) {
        role
    } else {
        Role::System
    };
    scene.read_file(Shot { role, ..shot }.with(drivers), path);
}
