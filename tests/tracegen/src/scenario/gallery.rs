//! One event of nearly every kind the writer knows, on paths far from the driver store, so that a reader of
//! the sample meets them all.

use super::processes::Role;
use super::scene::{Scene, Shot};
use crate::pml::Op;
use crate::pml::op::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// S-1-5-18.
const SYSTEM_SID: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
/// S-1-16-16384.
const SYSTEM_INTEGRITY: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 16, 0, 0x40, 0, 0];
const FILE: &str = "C:\\Program Files\\Teller\\data\\kasse.db";
const KEY: &str = "HKLM\\SOFTWARE\\Banksoft\\Teller";

/// Adds them all from a moment on.
pub(crate) fn add(scene: &mut Scene, at: u64) {
    let mut shot = Shot::ok(at, Role::Teller);
    let ops = files(scene)
        .into_iter()
        .map(|op| Op::file(FILE, op))
        .chain(keys(scene).into_iter().map(|op| Op::reg(KEY, op)));
    for op in ops.collect::<Vec<_>>() {
        scene.add(shot, op);
        shot = shot.later(700);
    }
    for op in profiling() {
        scene.add(
            Shot {
                role: Role::Procmon,
                ..shot
            },
            op,
        );
        shot = shot.later(700);
    }
    network(scene, shot);
}

fn files(scene: &Scene) -> Vec<FileOp> {
    let t = scene.time(0);
    let basic = Basic {
        creation: t - 9_000_000,
        access: t - 5_000_000,
        write: t - 3_000_000,
        change: t,
        attributes: 0x21,
    };
    let standard = Standard {
        allocation: 1 << 33,
        end_of_file: (1 << 33) - 5,
        links: 2,
        ..Standard::default()
    };
    let name = "\\Program Files\\Teller\\data\\kasse.db".to_owned();
    let impersonated = Create {
        impersonating: Some(SYSTEM_SID.to_vec()),
        disposition: 2,
        attributes: 0x80,
        share: 0,
        allocation: 123_456_789_012,
        open_result: Some(2),
        ..Create::default()
    };
    let target = "C:\\Program Files\\Teller\\data\\kasse-Ü.old".to_owned();
    vec![
        FileOp::CreateFile(impersonated),
        FileOp::QueryInfo(QueryInfo::Basic(basic)),
        FileOp::QueryInfo(QueryInfo::Standard(standard)),
        FileOp::QueryInfo(QueryInfo::Internal(0x0012_0000_0000_3344)),
        FileOp::QueryInfo(QueryInfo::Ea(0)),
        FileOp::QueryInfo(QueryInfo::Name(name.clone())),
        FileOp::QueryInfo(QueryInfo::All {
            basic,
            standard,
            index: 0x1234_5678_9ABC,
            access: 0x0012_0089,
            name,
        }),
        FileOp::QueryInfo(QueryInfo::NetworkOpen(NetworkOpen {
            basic,
            allocation: 8192,
            end_of_file: 5000,
        })),
        FileOp::QueryInfo(QueryInfo::AttributeTag {
            attributes: 0x420,
            tag: 0xA000_0003,
        }),
        FileOp::QueryInfo(QueryInfo::Other {
            class: 0x30,
            answer: None,
        }),
        FileOp::SetInfo(SetInfo::Basic(basic)),
        FileOp::SetInfo(SetInfo::Rename {
            replace: true,
            target: target.clone(),
        }),
        FileOp::SetInfo(SetInfo::RenameEx {
            flags: 3,
            target: target.clone(),
        }),
        FileOp::SetInfo(SetInfo::Link {
            replace: false,
            target,
        }),
        FileOp::SetInfo(SetInfo::Disposition(true)),
        FileOp::SetInfo(SetInfo::Disposition(false)),
        FileOp::SetInfo(SetInfo::DispositionEx(0x13)),
        FileOp::SetInfo(SetInfo::Position(77)),
        FileOp::SetInfo(SetInfo::Allocation(1 << 34)),
        FileOp::SetInfo(SetInfo::EndOfFile(5_000_000_000)),
        FileOp::SetInfo(SetInfo::ValidDataLength(4096)),
        FileOp::WriteFile(Transfer {
            offset: 5 << 32,
            length: 4096,
            done: Some(4000),
            irp_flags: 0x4_0043,
        }),
        FileOp::ReadFile(Transfer {
            offset: 1 << 31,
            length: 4096,
            done: Some(4096),
            irp_flags: 0x6_0043,
        }),
        FileOp::CreateFileMapping {
            sync_type: 1,
            protection: 0x20,
        },
        FileOp::CreateFileMapping {
            sync_type: 0,
            protection: 0x204,
        },
        FileOp::LockFile {
            exclusive: true,
            fail_immediately: false,
            offset: 0x7F_FFFF_FFFF,
            length: 10,
        },
        FileOp::UnlockFileSingle {
            offset: 0x7F_FFFF_FFFF,
            length: 10,
        },
        FileOp::QuerySecurity(0x17),
        FileOp::SetSecurity(4),
        FileOp::QueryVolume(VolumeInfo::Volume {
            creation: t,
            serial: 0xA85A_5719,
            objects: true,
            label: "System".into(),
        }),
        FileOp::QueryVolume(VolumeInfo::Size {
            total: 7_708_671,
            available: 1_809_693,
        }),
        FileOp::QueryVolume(VolumeInfo::Device {
            device: 7,
            characteristics: 0x20,
        }),
        FileOp::QueryVolume(VolumeInfo::Attribute {
            flags: 0x03E7_06FF,
            name: "NTFS".into(),
        }),
        FileOp::QueryVolume(VolumeInfo::FullSize {
            total: 7_708_671,
            available: 1_809_594,
        }),
        FileOp::FileSystemControl {
            code: 0x900EB,
            input: 0,
            output: 0x140,
        },
        FileOp::FileSystemControl {
            code: 0x0011_C017,
            input: 64,
            output: 1024,
        },
        FileOp::DeviceIoControl {
            code: 0x004D_0008,
            input: 0,
            output: 0x208,
        },
        FileOp::SetEa,
        FileOp::AcquireForModWrite(0x6000),
        FileOp::Bare {
            operation: 15,
            sub: 0,
        },
        FileOp::Bare {
            operation: 14,
            sub: 0,
        },
        FileOp::NotifyChangeDirectory(0x13),
        FileOp::FlushBuffers,
        FileOp::CloseFile,
        FileOp::IrpMjClose,
    ]
}

fn keys(scene: &Scene) -> Vec<RegOp> {
    let written = scene.time(0);
    vec![
        RegOp::OpenKey {
            access: 0x0200_0000,
            granted: Some(0xF_003F),
        },
        RegOp::CreateKey {
            access: 0x2_001F,
            granted: Some(0x2_001F),
            disposition: 1,
        },
        RegOp::QueryKey {
            length: 64,
            info: KeyInfo::Basic {
                written,
                name: "Teller".into(),
            },
        },
        RegOp::QueryKey {
            length: 64,
            info: KeyInfo::Node {
                written,
                name: "Teller".into(),
            },
        },
        RegOp::QueryKey {
            length: 64,
            info: KeyInfo::Full {
                written,
                subkeys: 3,
                values: 7,
            },
        },
        RegOp::QueryKey {
            length: 140,
            info: KeyInfo::Name("\\REGISTRY\\MACHINE\\SOFTWARE\\Banksoft".into()),
        },
        RegOp::QueryKey {
            length: 40,
            info: KeyInfo::Cached {
                written,
                subkeys: 3,
                values: 7,
            },
        },
        RegOp::QueryKey {
            length: 4,
            info: KeyInfo::HandleTags(0x401),
        },
        RegOp::EnumKey {
            length: 288,
            index: 2,
            info: KeyInfo::Basic {
                written,
                name: "Größe".into(),
            },
        },
        RegOp::EnumValue {
            length: 220,
            index: 0,
            value: Some(("Zähler".into(), Value::dword(17))),
        },
        RegOp::EnumValue {
            length: 220,
            index: 1,
            value: Some(("Host".into(), Value::sz("bank-fs01"))),
        },
        RegOp::QueryValue {
            length: 144,
            value: Some(Value::qword(0x1_0000_0001)),
        },
        RegOp::QueryValue {
            length: 144,
            value: Some(Value::multi_sz(&["eins", "zwei"])),
        },
        RegOp::SetValue(Value::sz("Ümlaut")),
        RegOp::SetValue(Value::binary(&[1, 2, 3, 4, 5, 6])),
        RegOp::SetInfoKey {
            class: 0,
            data: written.to_le_bytes().to_vec(),
        },
        RegOp::SetInfoKey {
            class: 5,
            data: Vec::new(),
        },
        RegOp::RenameKey("Teller2".into()),
        RegOp::LoadKey("C:\\Users\\schalter07\\NTUSER.DAT".into()),
        RegOp::UnloadKey,
        RegOp::FlushKey,
        RegOp::QueryMultipleValue,
        RegOp::SetKeySecurity,
        RegOp::QueryKeySecurity,
        RegOp::DeleteValue,
        RegOp::DeleteKey,
        RegOp::CloseKey,
    ]
}

fn profiling() -> Vec<Op> {
    vec![
        Op::Profiling(Profiling::Thread {
            user: 156_250,
            kernel: 312_500,
            switches: 44,
        }),
        Op::Profiling(Profiling::Process {
            user: 1_562_500,
            kernel: 3_125_000,
            working_set: 21_000_000,
            private: 9_000_000,
        }),
        Op::Process(ProcessOp::Statistics(ExitRecord {
            status: 0,
            kernel: 9,
            user: 8,
            working_set: 7,
            ..ExitRecord::default()
        })),
        Op::Process(ProcessOp::ThreadCreate(6740)),
        Op::Process(ProcessOp::ThreadExit {
            status: -1_073_741_510,
            kernel: 156_250,
            user: 468_750,
        }),
    ]
}

fn network(scene: &mut Scene, shot: Shot<'_>) {
    let here = IpAddr::V4(Ipv4Addr::new(10, 20, 4, 17));
    let server = IpAddr::V4(Ipv4Addr::new(10, 20, 1, 5));
    let unnamed = IpAddr::V4(Ipv4Addr::new(10, 20, 1, 9));
    let here6 = IpAddr::V6(Ipv6Addr::new(0xFE80, 0, 0, 0, 0x51C3, 0x77, 0x2, 0x9A10));
    let group6 = IpAddr::V6(Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 1, 3));
    scene
        .machine
        .log
        .host(here, "BANK-PC-0417")
        .host(server, "bank-fs01.bank.example")
        .host(unnamed, "");
    scene
        .machine
        .log
        .port(445, true, "microsoft-ds")
        .port(5355, false, "llmnr");
    let pairs = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let seq = pairs(&[("seqnum", "0"), ("connid", "0")]);
    let rows = [
        (
            NetworkVerb::Connect,
            true,
            here,
            server,
            445,
            0,
            pairs(&[("mss", "1460"), ("seqnum", "0"), ("connid", "0")]),
        ),
        (
            NetworkVerb::Send,
            true,
            here,
            server,
            445,
            429,
            pairs(&[("startime", "244758"), ("endtime", "244759")]),
        ),
        (NetworkVerb::Receive, true, here, unnamed, 8443, 1_180, seq),
        (
            NetworkVerb::Send,
            false,
            here6,
            group6,
            5355,
            33,
            Vec::new(),
        ),
        (
            NetworkVerb::Disconnect,
            true,
            here,
            server,
            445,
            0,
            Vec::new(),
        ),
    ];
    for (n, (verb, tcp, source, destination, port, length, pairs)) in rows.into_iter().enumerate() {
        let event = Network {
            verb,
            tcp,
            source: SocketAddr::new(source, 49_948),
            destination: SocketAddr::new(destination, port),
            length,
            pairs,
        };
        scene.add(
            shot.later(900 * n as u64).with(&["tmsnet.sys"]),
            Op::Network(event),
        );
    }
}

/// Every process's own beginning, and poqexec's end.
pub(crate) fn lives(scene: &mut Scene) {
    let all: Vec<_> = scene
        .machine
        .log
        .processes()
        .map(|(id, p)| (id, p.clone()))
        .collect();
    for (id, p) in &all {
        let parent = all
            .iter()
            .find(|(_, q)| q.pid == p.parent_pid)
            .map_or(0x7FFF, |(i, _)| i.0);
        let record = CreateRecord {
            index: *id,
            pid: p.pid,
            parent_index: parent,
            parent_pid: p.parent_pid,
            session: p.session,
            is_64: p.is_64,
            created: p.start,
            auth_id: p.auth_id,
            user_sid: SYSTEM_SID.to_vec(),
            integrity_sid: SYSTEM_INTEGRITY.to_vec(),
            path: p.image_path.clone(),
            command_line: p.command_line.clone(),
        };
        let at = p.start.saturating_sub(scene.boot) / 10;
        if p.pid <= 4 {
            let op = Op::Process(ProcessOp::Defined(record));
            scene.add(Shot::ok(0, Role::System), op);
        } else if p.user.starts_with("NT AUTHORITY\\SYSTEM") {
            scene.add(
                Shot::ok(at, Role::Services),
                Op::Process(ProcessOp::Create(record)),
            );
        }
    }
    let start = ProcessOp::Start {
        parent_pid: 3_860,
        command_line: "poqexec.exe /noreboot /transaction \"C:\\Windows\\WinSxS\\pending.xml\""
            .into(),
        directory: "C:\\Windows\\System32\\".into(),
        environment: vec!["SystemRoot=C:\\Windows".into(), "ORT=Köln".into()],
    };
    scene.add(Shot::ok(76_000_500, Role::Poqexec), Op::Process(start));
    let exit = ExitRecord {
        status: -2_147_023_887,
        kernel: 12_345_678,
        user: 2_345_678,
        working_set: 4_194_304,
        peak_working_set: 5_242_880,
        private: 2_097_152,
        peak_private: 3_145_728,
    };
    scene.add(
        Shot::ok(84_990_000, Role::Poqexec),
        Op::Process(ProcessOp::Exit(exit)),
    );
}
