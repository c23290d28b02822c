use super::super::{CANNOT_DELETE, DELETE_PENDING, SHARING_VIOLATION};
use super::*;

const READ: u32 = 0x0012_0089;
const DELETE: u32 = 0x0011_0080;

/// A story told operation by operation, a microsecond each.
#[derive(Default)]
struct Story {
    tracker: Tracker,
    now: u64,
}

impl Story {
    fn add(&mut self, pid: u32, operation: &'static str, names: (&str, &str), status: u32) {
        self.step(pid, operation, names, status, None, 0);
    }

    fn open(&mut self, pid: u32, name: &str, access: u32, share: u32, status: u32) {
        self.open_as(pid, name, (access, share), status, 0);
    }

    fn open_as(&mut self, pid: u32, name: &str, ask: (u32, u32), status: u32, object: u64) {
        let create = CreateRequest {
            access: (object == 0).then_some(ask.0),
            share: ask.1,
            disposition: 1,
            options: 0,
        };
        self.step(pid, "CreateFile", (name, ""), status, Some(create), object);
    }

    fn step(
        &mut self,
        pid: u32,
        operation: &'static str,
        (name, target): (&str, &str),
        status: u32,
        create: Option<CreateRequest>,
        object: u64,
    ) {
        self.now += 10;
        let third_party = pid == 66;
        self.tracker.step(&Step {
            operation,
            path: name,
            target_path: target,
            name,
            target,
            time: Filetime(self.now),
            end: Filetime(self.now + 1),
            status: Some(status),
            object,
            create,
            input: &"t.pml".into(),
            event: self.now,
            process: Some(if third_party { "TmsSvc.exe" } else { "x.exe" }),
            pid: Some(pid),
            company: if third_party { "TMS" } else { "" },
            third_party,
            tid: None,
            driver: (pid == 4).then_some(("tmsflt.sys", "TMS")),
            victim: pid == 1 && super::super::is_conflict(status),
        });
    }

    fn end(self) -> Vec<Conflict> {
        self.tracker.finish().0
    }
}

#[test]
fn a_scanner_that_shares_no_deletion() {
    let mut story = Story::default();
    story.open(66, "\\a", READ, 1, 0);
    story.open(7, "\\a", READ, 7, 0);
    story.open(1, "\\a", DELETE, 7, SHARING_VIOLATION);
    story.open(1, "\\a", DELETE, 7, SHARING_VIOLATION);
    story.add(66, "CloseFile", ("\\a", ""), 0);
    story.open(1, "\\a", DELETE, 7, 0);
    let conflicts = story.end();
    assert_eq!(conflicts.len(), 1);
    let conflict = &conflicts[0];
    assert_eq!(
        (conflict.refusals, &*conflict.result),
        (2, "SHARING VIOLATION")
    );
    assert_eq!(
        (conflict.first, conflict.last),
        (Filetime(30), Filetime(40))
    );
    assert_eq!(conflict.victim.rights, Some(Rights::DELETE));
    // The other reader shares all: it is not named.
    assert_eq!(conflict.holders.len(), 1);
    let holder = &conflict.holders[0];
    assert_eq!(holder.process.as_deref(), Some("TmsSvc.exe"));
    assert!(holder.third_party && holder.certainty == Certainty::Certain);
    assert_eq!(
        (holder.not_shared, holder.share),
        (Rights::DELETE, Rights(1))
    );
    assert_eq!(
        (holder.since, holder.until),
        (Filetime(11), Some(Filetime(50)))
    );
    assert_eq!(conflict.note, None);
}

#[test]
fn over_hard_links_and_renames() {
    let mut story = Story::default();
    story.open(66, "\\sxs\\a", READ, 1, 0);
    story.add(1, "SetLinkInformationFile", ("\\sxs\\a", "\\store\\a"), 0);
    story.add(
        7,
        "SetRenameInformationFile",
        ("\\store\\a", "\\store\\b"),
        0,
    );
    story.open(1, "\\store\\b", DELETE, 7, SHARING_VIOLATION);
    let conflicts = story.end();
    let holder = &conflicts[0].holders[0];
    assert_eq!(holder.other_path.as_deref(), Some("\\sxs\\a"));
    assert_eq!(holder.until, None);
}

#[test]
fn nobody_is_accused_without_a_conflict() {
    let mut story = Story::default();
    story.open(66, "\\a", READ, 7, 0);
    story.open(66, "\\b", READ, 0, SHARING_VIOLATION);
    story.open(66, "\\c", READ, 0, 0);
    story.add(66, "CloseFile", ("\\c", ""), 0);
    for name in ["\\a", "\\b", "\\c"] {
        story.open(1, name, DELETE, 7, SHARING_VIOLATION);
    }
    let conflicts = story.end();
    assert_eq!(conflicts.len(), 3);
    for conflict in conflicts {
        assert!(conflict.holders.is_empty(), "{}", conflict.path);
        assert!(conflict.note.is_some());
    }
}

#[test]
fn a_deleted_file_that_somebody_keeps_open() {
    let mut story = Story::default();
    story.open(66, "\\f\\a", READ, 7, 0);
    story.open(1, "\\f\\a", DELETE, 7, 0);
    story.add(1, "SetDispositionInformationFile", ("\\f\\a", ""), 0);
    story.add(1, "CloseFile", ("\\f\\a", ""), 0);
    story.open(1, "\\f\\a", READ, 7, DELETE_PENDING);
    story.add(
        1,
        "SetDispositionInformationFile",
        ("\\f", ""),
        DIRECTORY_NOT_EMPTY,
    );
    let conflicts = story.end();
    assert_eq!(conflicts.len(), 2);
    for conflict in &conflicts {
        assert_eq!(conflict.holders.len(), 1, "{}", conflict.path);
        assert_eq!(conflict.holders[0].certainty, Certainty::Certain);
        assert_eq!(conflict.holders[0].pid, Some(66));
    }
    let pending = conflicts.iter().find(|c| c.path == "\\f\\a").unwrap();
    assert_eq!(pending.deleted_by.as_ref().unwrap().pid, Some(1));
}

#[test]
fn a_section_outlives_its_handle() {
    let mut story = Story::default();
    story.open(66, "\\a", READ, 7, 0);
    story.add(66, "CreateFileMapping", ("\\a", ""), 0);
    story.add(66, "CloseFile", ("\\a", ""), 0);
    story.open(1, "\\a", DELETE, 7, 0);
    story.add(1, "SetDispositionInformationEx", ("\\a", ""), CANNOT_DELETE);
    let conflicts = story.end();
    let holders = &conflicts[0].holders;
    assert_eq!(holders.len(), 1);
    assert!(holders[0].mapped && holders[0].until == Some(Filetime(30)));
}

#[test]
fn without_the_access_it_is_possible() {
    let mut story = Story::default();
    story.open_as(66, "\\a", (READ, 1), 0, 0xF1);
    story.open_as(7, "\\a", (READ, 7), 0, 0xF2);
    story.open_as(1, "\\a", (DELETE, 7), SHARING_VIOLATION, 0xF3);
    story.step(7, "CloseFile", ("", ""), 0, None, 0xF1);
    let conflicts = story.end();
    let holders = &conflicts[0].holders;
    assert_eq!(holders.len(), 1);
    assert_eq!(holders[0].certainty, Certainty::Possible);
    assert_eq!(
        (holders[0].pid, holders[0].until),
        (Some(66), Some(Filetime(40)))
    );
}

#[test]
fn what_it_was_seen_to_do_makes_it_certain() {
    let mut story = Story::default();
    story.open_as(66, "\\a", (READ, 0), 0, 0xF1);
    story.step(66, "ReadFile", ("\\a", ""), 0, None, 0xF1);
    story.open_as(66, "\\b", (READ, 7), 0, 0xF2);
    story.step(66, "WriteFile", ("\\b", ""), 0, None, 0xF2);
    story.open_as(1, "\\a", (READ, 7), SHARING_VIOLATION, 0xF3);
    story.open_as(1, "\\b", (READ, 1), SHARING_VIOLATION, 0xF3);
    let conflicts = story.end();
    assert_eq!(conflicts.len(), 2);
    for conflict in &conflicts {
        assert_eq!(
            conflict.holders[0].certainty,
            Certainty::Certain,
            "{}",
            conflict.path
        );
    }
    assert_eq!(conflicts[1].holders[0].not_tolerated, Rights::WRITE);
}

#[test]
fn a_driver_that_opens_in_system() {
    let mut story = Story::default();
    story.open(4, "\\a", READ, 0, 0);
    story.open(1, "\\a", READ, 7, SHARING_VIOLATION);
    let conflicts = story.end();
    let holder = &conflicts[0].holders[0];
    assert_eq!(
        (holder.kind, holder.driver.as_deref()),
        ("driver", Some("tmsflt.sys"))
    );
    assert!(holder.third_party);
}
