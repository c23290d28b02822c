//! Files that somebody has open when servicing needs them: those who stand in the way, and those who only look like it.

use super::processes::Role;
use super::scene::{Scene, Shot};
use super::servicing::{OPOS, REPOSITORY};
use super::status::*;
use crate::pml::op::{FileOp, SetInfo};
use serde::Serialize;

const READ: u32 = 0x0012_0089;
const DELETE: u32 = 0x0011_0080;
const WRITE: u32 = 0x0012_019F;
const SECOND: u64 = 1_000_000;

/// A conflict that the case is meant to hold.
#[derive(Debug, Clone, Serialize)]
pub struct ConflictMeant {
    /// The file.
    pub path: String,
    /// Result as Procmon prints it.
    pub result: &'static str,
    /// How often servicing is refused so.
    pub refusals: u64,
    /// Who has the file open.
    pub holder: &'static str,
    /// By which name, where it is another one.
    pub other_path: Option<String>,
    /// When the open began, in FILETIME without the last digit.
    pub since: u64,
    /// When the close began, likewise.
    pub until: u64,
    /// Whether a trace without desired access can be sure of it.
    pub sure_without_access: bool,
}

/// Writes the case: the vendor's service shares too little twice, the backup agent keeps a deleted file open.
pub(crate) fn add(scene: &mut Scene, at: u64) -> Vec<ConflictMeant> {
    let worker = Shot::ok(at, Role::TiWorker);
    let service = Shot::ok(at, Role::TmsSvc);
    let agent = Shot::ok(at, Role::AcmeAgent);
    let folder = format!("{REPOSITORY}\\{OPOS}");
    let time = |scene: &Scene, micros: u64| scene.time(micros) / 10 * 10;
    let mut meant = Vec::new();

    // A scan of the INF shares reading only. Defender's own shares all, and a refused open holds nothing.
    let inf = format!("{folder}\\oposdrv.inf");
    scene.open(service, &inf, READ, 1);
    scene.open(Shot::ok(at + 400, Role::MsMpEng), &inf, READ, 7);
    scene.open(agent.later(900).status(SHARING_VIOLATION), &inf, WRITE, 0);
    for n in 0..3 {
        let shot = worker.later(SECOND + n * 100_000).status(SHARING_VIOLATION);
        scene.open(shot, &inf, DELETE, 7);
    }
    scene.file(service.later(2 * SECOND), &inf, FileOp::CloseFile);
    scene.file(
        Shot::ok(at + 2 * SECOND + 500, Role::MsMpEng),
        &inf,
        FileOp::CloseFile,
    );
    scene.open(worker.later(2 * SECOND + 900), &inf, DELETE, 7);
    scene.file(worker.later(2 * SECOND + 990), &inf, FileOp::CloseFile);
    meant.push(ConflictMeant {
        path: inf,
        result: "SHARING VIOLATION",
        refusals: 3,
        holder: "TmsSvc.exe",
        other_path: None,
        since: time(scene, at),
        until: time(scene, at + 2 * SECOND),
        sure_without_access: false,
    });

    // The same file by its name in the component store: servicing meets it by the link it has made.
    let at = at + 3 * SECOND;
    let (worker, service) = (Shot::ok(at, Role::TiWorker), Shot::ok(at, Role::TmsSvc));
    let source = "C:\\Windows\\WinSxS\\amd64_dual_oposdrv.inf_31bf3856ad364e35_10.0.19041.3743_none_5ab1c0de77e3f210\\oposdrv.dll";
    let linked = format!("{folder}\\oposdrv.dll");
    scene.open(service, source, READ, 1);
    scene.open(worker.later(500), source, 0x0010_0180, 7);
    let link = SetInfo::Link {
        replace: false,
        target: linked.clone(),
    };
    scene.file(worker.later(700), source, FileOp::SetInfo(link));
    scene.file(worker.later(900), source, FileOp::CloseFile);
    scene.open(
        worker.later(2_000).status(SHARING_VIOLATION),
        &linked,
        WRITE,
        7,
    );
    scene.file(service.later(SECOND), source, FileOp::CloseFile);
    let source = if scene.machine.bits == crate::pml::Bits::B32 {
        source.replace("amd64", "x86")
    } else {
        source.to_owned()
    };
    meant.push(ConflictMeant {
        path: linked,
        result: "SHARING VIOLATION",
        refusals: 1,
        holder: "TmsSvc.exe",
        other_path: Some(source),
        since: time(scene, at),
        until: time(scene, at + SECOND),
        sure_without_access: false,
    });

    // Everything is shared, so the file can be deleted: but it stays until the agent has done with it.
    let at = at + 2 * SECOND;
    let (worker, agent) = (Shot::ok(at, Role::TiWorker), Shot::ok(at, Role::AcmeAgent));
    let old = format!("{folder}\\oposdrv.PNF");
    scene.open(agent, &old, READ, 7);
    scene.open(worker.later(10_000), &old, DELETE, 7);
    let delete = FileOp::SetInfo(SetInfo::Disposition(true));
    scene.file(worker.later(10_200), &old, delete);
    scene.file(worker.later(10_400), &old, FileOp::CloseFile);
    for n in 0..2 {
        let shot = worker.later(20_000 + n * 50_000).status(DELETE_PENDING);
        scene.open(shot, &old, READ, 7);
    }
    scene.file(agent.later(SECOND), &old, FileOp::CloseFile);
    meant.push(ConflictMeant {
        path: old,
        result: "DELETE PENDING",
        refusals: 2,
        holder: "AcmeAgent.exe",
        other_path: None,
        since: time(scene, at),
        until: time(scene, at + SECOND),
        sure_without_access: true,
    });
    if scene.machine.bits == crate::pml::Bits::B32 {
        for conflict in &mut meant {
            conflict.path = conflict.path.replace("amd64", "x86");
        }
    }
    meant
}
