//! What the third-party drivers and processes do: the guilty one, and those that only look like it.

use super::processes::Role;
use super::scene::{Scene, Shot};
use super::servicing::{HIVE, OPOS, REPOSITORY};
use super::status::*;
use crate::pml::Op;
use crate::pml::op::{Basic, FileOp, ProcessOp, QueryInfo, RegOp, SetInfo, Transfer, Value};

const SECOND: u64 = 1_000_000;
const TMS: &[&str] = &["tmsflt.sys"];
const ACME: &[&str] = &["acmebkp.sys"];

/// The guilty driver: refusals, a delay, and the hive it holds.
pub(crate) fn tms(scene: &mut Scene, at: u64) {
    let worker = Shot::ok(at, Role::TiWorker).with(TMS);
    let folder = format!("{REPOSITORY}\\{OPOS}");
    let inf = format!("{folder}\\oposdrv.inf");
    scene.open(worker, &folder, 0x0010_0001, 7);
    // 2.347 s for an open that succeeds in the end, then one just below and one at the delay bound.
    scene.open(
        worker.later(1_000).lasting(23_470_000),
        &inf,
        0x0012_0089,
        7,
    );
    let library = format!("{folder}\\oposdrv.dll");
    scene.open(
        worker.later(3 * SECOND).lasting(9_999_999),
        &library,
        0x0012_0089,
        7,
    );
    scene.open(
        worker.later(4 * SECOND).lasting(10_000_000),
        &library,
        0x0012_0089,
        7,
    );
    for n in 0..3 {
        let shot = worker.later(5 * SECOND + n * 400_000).status(ACCESS_DENIED);
        scene.open(shot, &inf, 0x0012_0116, 0);
        let path = format!("\\??\\{folder}\\oposdrv.dll");
        scene.file(
            shot.later(900),
            &path,
            FileOp::SetInfo(SetInfo::DispositionEx(1)),
        );
    }
    // In scope through its target alone.
    let rename = SetInfo::Rename {
        replace: true,
        target: library.clone(),
    };
    let source = "C:\\Windows\\WinSxS\\Temp\\InFlight\\oposdrv.dll";
    scene.file(
        worker.later(6 * SECOND + 500_000).status(ACCESS_DENIED),
        source,
        FileOp::SetInfo(rename),
    );
    // A pending operation: its duration is garbage.
    let pending = worker
        .later(6 * SECOND + 600_000)
        .status(PENDING)
        .lasting(0xFFFF_8699_4A10_77E0);
    let transfer = Transfer {
        offset: 0,
        length: 4096,
        done: None,
        irp_flags: 0x6_0900,
    };
    scene.file(pending, &inf, FileOp::ReadFile(transfer));
    hive(scene, at + 7 * SECOND);
}

/// The service keeps the hive's log open, so the kernel cannot load the hive: 1009.
fn hive(scene: &mut Scene, at: u64) {
    let service = Shot::ok(at, Role::TmsSvc);
    let system = Shot::ok(at, Role::System).with(TMS);
    let worker = Shot::ok(at, Role::TiWorker).with(TMS);
    let log1 = format!("{HIVE}.LOG1");
    scene.open(service, &log1, 0x0012_0089, 0);
    scene.open(
        service.later(300).status(SHARING_VIOLATION),
        HIVE,
        0x0012_0089,
        0,
    );
    scene.open(
        system.later(40_000).status(SHARING_VIOLATION),
        &log1,
        0x0012_019F,
        0,
    );
    scene.open(
        system.later(60_000),
        &format!("{HIVE}.LOG2"),
        0x0012_019F,
        0,
    );
    let set = format!("{HIVE}{{53b39e88-18c4-11ea-a811-000d3aa4692b}}");
    scene.open(
        system.later(61_000),
        &format!("{set}.TM.blf"),
        0x0012_019F,
        0,
    );
    scene.open(
        system.later(62_000),
        &format!("{set}.TMContainer00000000000000000001.regtrans-ms"),
        0x0012_019F,
        0,
    );
    scene.reg(
        worker.later(90_000).status(REGISTRY_CORRUPT),
        "HKLM\\DRIVERS",
        RegOp::LoadKey(HIVE.into()),
    );
    let key = format!("HKLM\\DRIVERS\\DriverDatabase\\DriverPackages\\{OPOS}");
    for n in 0..2 {
        let shot = worker.later(120_000 + n * 250_000).status(REGISTRY_CORRUPT);
        scene.reg(
            shot,
            &key,
            RegOp::OpenKey {
                access: 0xF_003F,
                granted: None,
            },
        );
    }
    let deep =
        format!("\\REGISTRY\\MACHINE\\DRIVERS\\DriverDatabase\\DriverPackages\\{OPOS}\\Version");
    scene.reg(
        worker.later(700_000),
        &deep,
        RegOp::SetValue(Value::dword(9)),
    );
    scene.file(service.later(900_000), &log1, FileOp::CloseFile);
}

/// The service reads what servicing writes, as such services do.
pub(crate) fn tms_service(scene: &mut Scene, from: u64, to: u64) {
    let mut at = from;
    while at < to {
        scene.read_file(
            Shot::ok(at, Role::TmsSvc),
            &format!("{REPOSITORY}\\{OPOS}\\oposdrv.dll"),
        );
        at += 2_700_000;
    }
}

/// Other drivers that are there and do no harm.
pub(crate) fn bystanders(scene: &mut Scene, from: u64, to: u64) {
    let mut at = from;
    let mut n = 0;
    while at < to {
        let path = format!("{REPOSITORY}\\ntprint.inf_amd64_1c5d8f3a6b7e9012\\part{n}.gpd");
        scene.open(
            Shot::ok(at, Role::TiWorker).with(ACME),
            &path,
            0x0012_0089,
            7,
        );
        let probe = Shot::ok(at + 50_000, Role::AcmeAgent).with(ACME);
        scene.open(
            probe.status(NAME_NOT_FOUND),
            &path.replace(".gpd", ".bkp"),
            0x0012_0089,
            7,
        );
        n += 1;
        at += 3_900_000;
    }
    let shot = Shot::ok(from + 900_000, Role::AcmeAgent).with(ACME);
    // Waiting is the purpose of these two; how long is no delay.
    scene.file(
        shot.lasting(412_345_678),
        "C:\\Windows\\INF",
        FileOp::NotifyChangeDirectory(0x17),
    );
    let oplock = FileOp::FileSystemControl {
        code: 0x90240,
        input: 12,
        output: 24,
    };
    scene.file(
        shot.later(10_000).lasting(34_000_000),
        &format!("{REPOSITORY}\\{OPOS}"),
        oplock,
    );
    let benign = [
        NO_SUCH_FILE,
        IS_DIRECTORY,
        INVALID_PARAMETER,
        INVALID_DEVICE_REQUEST,
        CANCELLED,
        REPARSE,
    ];
    for (k, status) in benign.into_iter().enumerate() {
        let shot = shot.later(20_000 + 1_000 * k as u64).status(status);
        scene.open(
            shot,
            "C:\\WINDOWS\\SYSTEM32\\DRIVERSTORE\\en-US",
            0x0012_0089,
            7,
        );
    }
    let control = FileOp::FileSystemControl {
        code: 0x900A8,
        input: 0,
        output: 16_384,
    };
    scene.file(
        shot.later(40_000).status(NOT_REPARSE_POINT),
        "C:\\Windows\\INF",
        control,
    );
    let odd = Shot::ok(from + 2 * SECOND, Role::SvchostPnp).with(&["xyzmon.sys"]);
    scene.read_file(odd, "C:\\Windows\\System32\\drivers\\usbstor.sys");
    // In-box by its name alone: the log has no company for it.
    let virtualisation =
        Shot::ok(from + 2 * SECOND + 500_000, Role::SvchostPnp).with(&["luafv.sys"]);
    scene.read_file(virtualisation, "C:\\Windows\\INF\\usbstor.inf");
    // A Microsoft filter that is slow and one that refuses: reported, never flagged.
    let scan = Shot::ok(from + 3 * SECOND, Role::MsMpEng).with(&["WdFilter.sys"]);
    scene.open(
        scan.lasting(14_200_000),
        "C:\\Windows\\System32\\drivers\\bthpan.sys",
        0x0012_0089,
        7,
    );
    scene.open(
        scan.later(90_000).status(SHARING_VIOLATION),
        HIVE,
        0x0012_0089,
        7,
    );
}

/// A driver that System's module list does not have: its `Load Image` event comes first.
pub(crate) fn late_driver(scene: &mut Scene, at: u64) {
    let Some(late) = scene
        .machine
        .drivers
        .iter()
        .find(|d| d.late)
        .map(|d| d.module.clone())
    else {
        return;
    };
    let load = ProcessOp::LoadImage {
        base: late.base,
        size: late.size,
        path: late.path,
    };
    scene.add(Shot::ok(at, Role::System), Op::Process(load));
    let shot = Shot::ok(at + 2 * SECOND, Role::TiWorker).with(&["latefilt.sys"]);
    scene.read_file(shot, "C:\\Windows\\INF\\hidserv.inf");
    let key = "HKLM\\System\\DriverDatabase\\DeviceIds\\USB";
    scene.reg(
        shot.later(4_000),
        key,
        RegOp::OpenKey {
            access: 0x2_0019,
            granted: Some(0x2_0019),
        },
    );
}

/// Touches and refusals after the window: they count only where the whole log is analysed.
pub(crate) fn decoys(scene: &mut Scene, at: u64) {
    let path = format!("{REPOSITORY}\\{OPOS}\\oposdrv.inf");
    let explorer = Shot::ok(at, Role::Explorer);
    scene.open(
        explorer.with(TMS).status(ACCESS_DENIED),
        &path,
        0x0012_0116,
        7,
    );
    scene.open(
        explorer.later(SECOND).with(ACME).status(ACCESS_DENIED),
        &path,
        0x0012_0116,
        7,
    );
    scene.open(
        explorer.later(2 * SECOND).with(&["nvlddmkm.sys"]),
        &path,
        0x0012_0089,
        7,
    );
    let basic = Basic {
        attributes: 0x20,
        ..Basic::default()
    };
    scene.file(
        explorer.later(3 * SECOND).with(ACME),
        &path,
        FileOp::QueryInfo(QueryInfo::Basic(basic)),
    );
    scene.read_file(
        Shot::ok(at + 4 * SECOND, Role::AcmeAgent),
        "C:\\Windows\\INF\\machine.inf",
    );
}
