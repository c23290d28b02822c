//! The update at work: TrustedInstaller, TiWorker and poqexec on the driver store.

use super::processes::Role;
use super::scene::{Scene, Shot};
use super::status::*;
use crate::logs::{Log, LogWrite};
use crate::pml::op::{Create, FileOp, KeyInfo, QueryInfo, RegOp, SetInfo, Transfer, Value};

/// The package the update fails on.
pub(crate) const OPOS: &str = "oposdrv.inf_amd64_5f2c6d1e8a9b7c34";
pub(crate) const REPOSITORY: &str = "C:\\Windows\\System32\\DriverStore\\FileRepository";
pub(crate) const HIVE: &str = "C:\\Windows\\System32\\config\\DRIVERS";

/// INF, hash of its folder, payload.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("ntprint.inf", "1c5d8f3a6b7e9012", "ntprint.dll"),
    ("netrtwlane.inf", "8d0e7c6b5a493827", "rtwlane.sys"),
    ("usbstor.inf", "44a1b2c3d4e5f607", "usbstor.sys"),
    ("wpdmtp.inf", "a90b8c7d6e5f4031", "wpdmtpdr.dll"),
    ("hidserv.inf", "0f1e2d3c4b5a6978", "hidserv.dll"),
    ("bthpan.inf", "7b6a59483726150e", "bthpan.sys"),
];

/// The forward pass over the packages before the failing one: publish, then reflect.
pub(crate) fn forward(scene: &mut Scene, from: u64, to: u64, store_drivers: &[&str]) {
    let step = (to - from) / PACKAGES.len() as u64;
    for (n, (inf, hash, payload)) in PACKAGES.iter().enumerate() {
        let at = from + n as u64 * step;
        let folder = format!("{REPOSITORY}\\{inf}_amd64_{hash}");
        stage(scene, at, &folder, inf, payload);
        publish(scene, at + step / 3, inf, hash);
        reflect(scene, at + 2 * step / 3, &folder, payload, store_drivers);
    }
}

fn stage(scene: &mut Scene, at: u64, folder: &str, inf: &str, payload: &str) {
    let worker = Shot::ok(at, Role::TiWorker);
    let source = format!(
        "C:\\Windows\\WinSxS\\amd64_dual_{inf}_31bf3856ad364e35_10.0.19041.3743_none_5ab1c0de77e3f210"
    );
    let create = Create {
        access: 0x0010_0001,
        disposition: 2,
        options: 0x21,
        open_result: Some(2),
        ..Create::default()
    };
    scene.file(worker, folder, FileOp::CreateFile(create.clone()));
    scene.file(worker.later(80), folder, FileOp::CloseFile);
    let again = FileOp::CreateFile(Create {
        open_result: None,
        ..create
    });
    scene.file(worker.later(110).status(NAME_COLLISION), folder, again);
    for (n, name) in [inf, payload].iter().enumerate() {
        let shot = worker.later(500 + 2_000 * n as u64);
        let (from, to) = (format!("{source}\\{name}"), format!("{folder}\\{name}"));
        scene.open(shot, &from, 0x0010_0180, 7);
        // The source is in WinSxS: only the link's target is in the driver store.
        scene.file(
            shot.later(90),
            &from,
            FileOp::SetInfo(SetInfo::Link {
                replace: false,
                target: to.clone(),
            }),
        );
        scene.file(shot.later(200), &from, FileOp::CloseFile);
        scene.file(shot.later(240), &from, FileOp::IrpMjClose);
        scene.read_file(shot.later(300), &to);
        let mapping = FileOp::CreateFileMapping {
            sync_type: 1,
            protection: 2,
        };
        scene.file(
            shot.later(700).status(LOCKED_WITH_ONLY_READERS),
            &to,
            mapping,
        );
    }
}

fn publish(scene: &mut Scene, at: u64, inf: &str, hash: &str) {
    let worker = Shot::ok(at, Role::TiWorker);
    let published = format!("C:\\Windows\\INF\\{inf}");
    scene.open(
        worker.status(NAME_NOT_FOUND),
        &published.replace(".inf", ".PNF"),
        0x0012_0089,
        7,
    );
    scene.read_file(worker.later(100), &published);
    let write = Transfer {
        offset: 0,
        length: 2_950,
        done: Some(2_950),
        irp_flags: 0x6_0A00,
    };
    scene.file(worker.later(600), &published, FileOp::WriteFile(write));
    scene.file(worker.later(700), &published, FileOp::FlushBuffers);
    let log = "C:\\Windows\\INF\\setupapi.dev.log";
    let append = Transfer {
        offset: 1_048_576 + at as i64 % 4_096,
        length: 96,
        done: Some(96),
        irp_flags: 0x6_0A00,
    };
    if !scene.logs_apart {
        scene.file(worker.later(750), log, FileOp::WriteFile(append));
    }
    for (n, root) in [
        "HKLM\\DRIVERS\\DriverDatabase",
        "HKLM\\SYSTEM\\DriverDatabase",
    ]
    .iter()
    .enumerate()
    {
        let shot = worker.later(900 + 400 * n as u64);
        let key = format!("{root}\\DriverPackages\\{inf}_amd64_{hash}");
        let open = RegOp::CreateKey {
            access: 0xF_003F,
            granted: Some(0xF_003F),
            disposition: 1 + n as u32,
        };
        scene.reg(shot, &key, open);
        scene.reg(
            shot.later(30),
            &format!("{key}\\Version"),
            RegOp::SetValue(Value::binary(&[0, 0xFF, 9, 0])),
        );
        scene.reg(
            shot.later(60),
            &format!("{key}\\(Default)"),
            RegOp::SetValue(Value::sz(inf)),
        );
        let info = KeyInfo::Full {
            written: scene.time(at),
            subkeys: 2,
            values: 5,
        };
        scene.reg(shot.later(90), &key, RegOp::QueryKey { length: 512, info });
        scene.reg(shot.later(120), &key, RegOp::CloseKey);
    }
}

fn reflect(scene: &mut Scene, at: u64, folder: &str, payload: &str, store_drivers: &[&str]) {
    let worker = Shot::ok(at, Role::TiWorker);
    let from = format!("{folder}\\{payload}");
    if payload.ends_with(".sys") {
        let target = format!("C:\\Windows\\System32\\drivers\\{payload}");
        let temporary = format!("C:\\Windows\\WinSxS\\Temp\\InFlight\\{payload}");
        let rename = SetInfo::Rename {
            replace: true,
            target,
        };
        scene.file(
            worker.with(store_drivers),
            &temporary,
            FileOp::SetInfo(rename),
        );
    } else {
        scene.read_file(worker.with(store_drivers), &from);
    }
    let scan = Shot::ok(at + 900, Role::MsMpEng).with(&["WdFilter.sys"]);
    scene.open(scan, &from, 0x0012_0089, 7);
    scene.file(
        scan.later(60),
        &from,
        FileOp::QueryInfo(QueryInfo::Internal(0x0007_0000_0001_B2C4)),
    );
    scene.file(scan.later(90), &from, FileOp::CloseFile);
    let service = format!(
        "HKLM\\SYSTEM\\CurrentControlSet\\Services\\{}",
        payload.trim_end_matches(".sys")
    );
    scene.read_value(
        worker.later(1_500),
        &service,
        "ImagePath",
        Value::expand_sz("system32\\drivers\\x.sys"),
    );
}

/// How a write says where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appends {
    /// By its offset.
    #[default]
    AtOffset,
    /// To the end of the file, wherever that is.
    ToEnd,
}

/// The writes that bring the servicing logs to the disk, by TiWorker; those of its lifetime only.
pub(crate) fn log_files(scene: &mut Scene, cbs: &Log, setupapi: &Log, how: Appends) {
    let files = [
        ("C:\\Windows\\Logs\\CBS\\CBS.log", cbs),
        ("C:\\Windows\\INF\\setupapi.dev.log", setupapi),
    ];
    for (path, log) in files {
        log_writes(scene, path, &log.writes, how);
    }
}

fn log_writes(scene: &mut Scene, path: &str, writes: &[LogWrite], how: Appends) {
    for write in writes {
        let Some(at) = write.time.checked_sub(scene.boot) else {
            continue;
        };
        let at = at / 10;
        if !scene.runs(Role::TiWorker, at) || at > super::END {
            continue;
        }
        let transfer = Transfer {
            offset: match how {
                Appends::AtOffset => write.offset as i64,
                Appends::ToEnd => -1,
            },
            length: write.length,
            done: Some(write.length),
            irp_flags: 0x6_0A00,
        };
        scene.file(
            Shot::ok(at, Role::TiWorker),
            path,
            FileOp::WriteFile(transfer),
        );
    }
}

/// TrustedInstaller's own part: packages and sessions, hardly any driver store.
pub(crate) fn trusted_installer(scene: &mut Scene, from: u64, to: u64) {
    let mut at = from;
    while at < to {
        let shot = Shot::ok(at, Role::TrustedInstaller);
        let package = format!(
            "C:\\Windows\\servicing\\Packages\\Package_{}_for_KB5037768~31bf3856ad364e35.mum",
            at % 97
        );
        scene.read_file(shot, &package);
        scene.read_value(
            shot.later(800),
            "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing",
            "ExecuteState",
            Value::dword(3),
        );
        at += 1_400_000;
    }
    scene.read_file(
        Shot::ok(from + 500_000, Role::TrustedInstaller),
        "C:\\Windows\\INF\\setupapi.ev1",
    );
}

/// The queue of primitive operations, played forwards or back.
pub(crate) fn primitives(scene: &mut Scene, from: u64, to: u64, back: bool) {
    let step = (to - from) / (4 * PACKAGES.len() as u64);
    for n in 0..4 * PACKAGES.len() as u64 {
        let (inf, hash, payload) = PACKAGES[n as usize % PACKAGES.len()];
        let shot = Shot::ok(from + n * step, Role::Poqexec);
        let path = format!("{REPOSITORY}\\{inf}_amd64_{hash}\\{payload}");
        scene.open(shot, &path, 0x0011_0080, 7);
        if back {
            scene.file(
                shot.later(70),
                &path,
                FileOp::SetInfo(SetInfo::DispositionEx(3)),
            );
            scene.file(shot.later(120), &path, FileOp::CloseFile);
        } else {
            let target = format!("C:\\Windows\\WinSxS\\Temp\\PendingRenames\\{n:08x}.{payload}");
            scene.file(
                shot.later(70),
                &path,
                FileOp::SetInfo(SetInfo::RenameEx {
                    flags: 0x41,
                    target,
                }),
            );
            scene.file(shot.later(120), &path, FileOp::CloseFile);
        }
        let key = format!("HKLM\\DRIVERS\\DriverDatabase\\DriverInfFiles\\{inf}");
        let gone = if back {
            RegOp::DeleteKey
        } else {
            RegOp::DeleteValue
        };
        scene.reg(shot.later(180), &key, gone);
    }
    scene.reg(
        Shot::ok(to, Role::Poqexec),
        "HKLM\\DRIVERS",
        RegOp::FlushKey,
    );
}
