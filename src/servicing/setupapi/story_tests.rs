//! Whole logs: every version of Windows, every encoding, and logs that are damaged.

use super::*;
use crate::input::text::TextOptions;
use crate::input::view::Source;
use crate::servicing::LocalTime;
use proptest::prelude::*;
use std::sync::Arc;
use tracegen::logs::{Encoding, Paper, Phase as When, SetupWriter, Story, Windows, Zone, setupapi};
use tracegen::scenario::START;

pub(super) const SECOND: u64 = 10_000_000;
pub(super) const MILLI: u64 = 10_000;
pub(super) const WORKER: &str = "C:\\Windows\\winsxs\\amd64_x\\TiWorker.exe -Embedding";

pub(super) fn read_all(files: &[&[u8]]) -> SetupLog {
    let mut reader = SetupReader::default();
    for bytes in files {
        let source = Source::Memory(Arc::from(*bytes));
        reader
            .read(
                "setupapi.dev.log",
                &source,
                &TextOptions::default(),
                &|_| (),
            )
            .unwrap();
    }
    reader.finish()
}

pub(super) fn read(bytes: &[u8]) -> SetupLog {
    read_all(&[bytes])
}

pub(super) fn plain() -> Paper {
    Paper {
        encoding: Encoding::Utf8,
        ..Paper::default()
    }
}

#[test]
fn the_reference_case() {
    let story = Story::default();
    let paper = Paper {
        zone: Zone::hours(8),
        encoding: Encoding::Gbk,
        ..Paper::default()
    };
    let log = read(&setupapi(&story, &paper).bytes);
    let local = |time: u64| LocalTime(time + 8 * 3_600 * SECOND);
    let failing: Vec<&Section> = log.failing().collect();
    assert_eq!(failing.len(), 1);
    let section = failing[0];
    assert_eq!(section.title, "Install Driver Updates");
    assert!(
        section
            .command
            .as_ref()
            .unwrap()
            .ends_with("TiWorker.exe -Embedding")
    );
    assert_eq!(
        (section.updates, section.transaction.as_deref()),
        (Some(7), Some("CbsDriversAndPrimitives"))
    );
    assert_eq!(
        section.span(),
        Some((
            local(story.queue.unwrap()),
            local(story.failure + 40 * MILLI)
        ))
    );
    assert_eq!(section.exit, Some(Exit::Failure(1_009)));
    assert_eq!((section.errors, section.warnings), (2, 0));
    assert_eq!(section.boot, Some(local(story.boot)));
    assert_eq!(section.pass, Some(Pass::Publish));
    assert!(section.open_scopes.is_empty());
    let failure = section.failure.as_ref().unwrap();
    assert_eq!(failure.code, Some(0x8007_03F1));
    assert_eq!(failure.inf.as_deref(), Some("oposdrv.inf"));
    assert_eq!(failure.package.as_deref(), Some(&*story.package_folder()));
    assert_eq!(
        (failure.pass, failure.node),
        (Some(Pass::Publish), Some(Node::Drivers))
    );
    assert_eq!(failure.scope.as_deref(), Some("Publish Driver Package"));
    let before = "oposdrv.inf_amd64_00000000000000aa";
    assert_eq!(failure.replaces.as_deref(), Some(before));
    assert_eq!(failure.mark.time, local(story.failure + MILLI));
    assert!(
        failure
            .mark
            .text
            .starts_with("Failed to publish driver package")
    );
    assert_eq!(
        failure.mark.at,
        section.first_error.as_ref().unwrap().mark.at
    );
    let last = section.last_error.as_ref().unwrap();
    assert_eq!(
        (last.code, last.mark.time),
        (Some(0x8007_03F1), local(story.failure + 20 * MILLI))
    );
    assert!(section.first.line < failure.mark.at.line && failure.mark.at.line < section.last.line);
    // The rollback, and what is around it.
    let titles: Vec<&str> = log.sections.iter().map(|section| &*section.title).collect();
    assert_eq!(
        titles,
        [
            "Disable Device Install",
            "Stage Driver Updates",
            "Install Driver Updates",
            "Unstage Driver Updates",
            "Enable Device Install"
        ]
    );
    assert!(
        log.sections
            .iter()
            .filter(|section| section.failure.is_some())
            .count()
            == 1
    );
    assert_eq!(log.os_version.as_deref(), Some("10.0.19045"));
    assert_eq!(log.boots.len(), 2);
    assert_eq!(log.files[0].text.code_page, Some("GBK"));
}

#[test]
fn every_version_phase_and_encoding() {
    for windows in [
        Windows::Vista,
        Windows::Seven,
        Windows::EightOne,
        Windows::Ten,
        Windows::Eleven,
    ] {
        for phase in [When::Startup, When::Shutdown] {
            for encoding in [
                Encoding::Utf8,
                Encoding::Utf8Mark,
                Encoding::Utf16Le,
                Encoding::Utf16LeMark,
                Encoding::Utf16BeMark,
                Encoding::Gbk,
                Encoding::Windows1252,
            ] {
                let story = Story {
                    windows,
                    phase,
                    ..Story::default()
                };
                let paper = Paper {
                    encoding,
                    ..Paper::default()
                };
                let written = setupapi(&story, &paper);
                let log = read(&written.bytes);
                let what = format!("{windows:?} {phase:?} {encoding:?}");
                let section = log.failing().next().unwrap();
                let failure = section.failure.as_ref().unwrap();
                assert_eq!(failure.code, Some(0x8007_03F1), "{what}");
                assert_eq!(failure.inf.as_deref(), Some("oposdrv.inf"), "{what}");
                // Every line is known.
                let lines = log.files[0].lines;
                assert_eq!((lines.others, lines.strays), (0, 0), "{what}");
                assert_eq!(
                    lines.heads + lines.frames + lines.bodies,
                    written.lines.telling,
                    "{what}"
                );
                assert_eq!(lines.blank, written.lines.blank, "{what}");
                assert_eq!(log.files[0].text.replaced_lines, 0, "{what}");
            }
        }
    }
}

#[test]
fn an_update_that_works() {
    let log = read(
        &setupapi(
            &Story {
                error: 0,
                ..Story::default()
            },
            &plain(),
        )
        .bytes,
    );
    assert_eq!(log.failing().count(), 0);
    assert!(log.other_failures.is_empty());
    assert_eq!(log.sections[2].exit, Some(Exit::RestartRequired));
    assert_eq!(log.sections[2].pass, Some(Pass::Reflect));
}

/// The section of the public case of a missing INF.
fn missing_inf(log: &mut SetupWriter, time: u64) {
    log.open(time, "Install Driver Updates", WORKER);
    log.warning(
        "inf",
        "Unable to load INF: 'C:\\WINDOWS\\System32\\DriverStore\\FileRepository\\netathrx.inf_amd64_220db23f5419ea8d\\netathrx.inf'(00000003)",
    );
    log.error(
        "sto",
        "Failed to get version info for driver update '...\\netathrx.inf'. Error = 0x00000003",
    );
    log.close(time + SECOND, "FAILURE(0x00000003)");
}

#[test]
fn an_error_without_a_scope() {
    let mut log = SetupWriter::new(&plain(), "10.0.18363");
    missing_inf(&mut log, START);
    let log = read(&log.finish().bytes);
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(
        (failure.code, failure.inf.as_deref()),
        (Some(0x8007_0003), Some("netathrx.inf"))
    );
    // Neither the line nor any behind the start has a time: it happened before the next one that has.
    assert_eq!(failure.mark.time, LocalTime(START + SECOND));
    assert_eq!(failure.mark.at.line, 14);
    // The error has the name alone, the warning before it the path.
    assert_eq!(
        failure.package.as_deref(),
        Some("netathrx.inf_amd64_220db23f5419ea8d")
    );
}

#[test]
fn the_status_keeps_only_a_part_of_the_code() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Setup Root Device - Install", "");
    log.scope(START, "set", "Install Root Device: ROOT\\MPIO\\0001");
    log.error("set", "Could not create a device information element for device ROOT\\MPIO\\0001. HRESULT = 0x800f0207");
    log.timed(START, "set", "{Install Root Device - exit(0x800f0207)}");
    log.close(START, "FAILURE(0x00000207)");
    // An error of no consequence before the one that counts; only scopes tell.
    log.open(START, "Install Driver Updates", WORKER);
    log.scope(START, "sig", "_VERIFY_FILE_SIGNATURE");
    log.timed(START, "sig", "{_VERIFY_FILE_SIGNATURE exit(0x800b0109)}");
    log.scope(
        START + SECOND,
        "sto",
        "Reflect Driver Package: C:\\W\\x.inf_amd64_220db23f5419ea8d\\x.inf",
    );
    log.scope_end(START + SECOND, "sto", "Reflect Driver Package", 0xE000_0247);
    log.close(START + 2 * SECOND, "FAILURE(0xe0000247)");
    let log = read(&log.finish().bytes);
    assert_eq!(log.other_failures.len(), 1);
    let other = log.other_failures[0].failure.as_ref().unwrap();
    assert_eq!(other.code, Some(0x800F_0207));
    assert_eq!(log.other_failures[0].instance.as_deref(), Some("Install"));
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.code, Some(0x800F_0247));
    assert_eq!(
        (failure.inf.as_deref(), failure.pass),
        (Some("x.inf"), Some(Pass::Reflect))
    );
    assert_eq!(
        failure.package.as_deref(),
        Some("x.inf_amd64_220db23f5419ea8d")
    );
    assert_eq!(failure.mark.time, LocalTime(START + SECOND));
}

#[test]
fn sections_that_are_never_closed() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Install Driver Updates", WORKER);
    log.scope(
        START + 5 * SECOND,
        "sto",
        "Publish Driver Package: C:\\W\\x.inf_amd64_220db23f5419ea8d\\x.inf",
    );
    log.break_off();
    log.boot(START + 60 * SECOND);
    log.open(START + 70 * SECOND, "Device Install - X", "");
    let log = read(&log.finish().bytes);
    let section = log.failing().next().unwrap();
    assert!(section.is_broken_off());
    assert_eq!(section.open_scopes, ["Publish Driver Package"]);
    assert_eq!(
        section.span(),
        Some((LocalTime(START), LocalTime(START + 5 * SECOND)))
    );
    let failure = section.failure.as_ref().unwrap();
    assert_eq!(
        (failure.code, failure.inf.as_deref()),
        (None, Some("x.inf"))
    );
    assert_eq!(failure.mark.text, "Install Driver Updates broke off");
    // The other one broke off too, and is nobody's concern.
    assert_eq!(log.sections_total, 2);
    assert!(log.other_failures.is_empty());
}

#[test]
fn what_is_taken_away_counts_only_by_itself() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Unstage Driver Updates", WORKER);
    log.close(START, "FAILURE(0x00000005)");
    let alone = log.clone();
    assert_eq!(read(&alone.finish().bytes).failing().count(), 1);
    missing_inf(&mut log, START + SECOND);
    let log = read(&log.finish().bytes);
    let titles: Vec<&str> = log.failing().map(|section| &*section.title).collect();
    assert_eq!(titles, ["Install Driver Updates"]);
    // A check of the driver store is none.
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Verify Driver Store Integrity", WORKER);
    log.close(START, "FAILURE(0x00000005)");
    assert_eq!(read(&log.finish().bytes).failing().count(), 0);
    // A device that fails, or somebody else's tool with the same title, is no update.
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Install Driver Updates", "C:\\tools\\mine.exe");
    log.close(START, "FAILURE(0x00000005)");
    let log = read(&log.finish().bytes);
    assert_eq!((log.failing().count(), log.other_failures.len()), (0, 1));
}

#[test]
fn what_an_update_begins_with_is_no_attempt() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Disable Device Install", WORKER);
    log.close(START, "FAILURE(0x00000005)");
    let log = read(&log.finish().bytes);
    assert_eq!((log.sections.len(), log.failing().count()), (1, 0));
}

#[test]
fn a_section_ends_once() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.raw(">>>  [Install Driver Updates]");
    log.raw("<<<  Section end 2026/05/12 06:41:07.000");
    log.raw("!!!  sto: Behind the end. Error = 0x00000005");
    log.raw("<<<  [Exit status: FAILURE(0x00000005)]");
    let log = read(&log.finish().bytes);
    assert_eq!(log.files[0].lines.strays, 2);
    assert_eq!((log.sections[0].errors, log.sections[0].exit), (0, None));
}

#[test]
fn deep_scopes_end_where_they_began() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Install Driver Updates", WORKER);
    for depth in 0..20 {
        log.scope(START, "sto", &format!("Scope {depth}"));
    }
    for depth in (16..20).rev() {
        log.scope_end(START, "sto", &format!("Scope {depth}"), 0);
    }
    log.error("sto", "Failed");
    log.close(START, "FAILURE(0x00000005)");
    let log = read(&log.finish().bytes);
    let failure = log.sections[0].failure.as_ref().unwrap();
    assert_eq!(
        (failure.scope.as_deref(), failure.code),
        (Some("Scope 15"), Some(0x8007_0005))
    );
}

#[test]
fn vista_has_other_frames() {
    let mut log = SetupWriter::new(&plain(), "6.0.6002");
    log.open_vista(START, "Stage Driver Updates");
    log.error("sto", "Failed to stage. Error = 0xE0000247");
    log.close_vista(START + SECOND, 0xE000_0247);
    log.raw("     sto: a line that stands in no section");
    log.raw("free text");
    let log = read(&log.finish().bytes);
    let section = log.failing().next().unwrap();
    assert_eq!(
        section.span(),
        Some((LocalTime(START), LocalTime(START + SECOND)))
    );
    assert_eq!(section.failure.as_ref().unwrap().code, Some(0x800F_0247));
    assert_eq!(
        (log.files[0].lines.strays, log.files[0].lines.others),
        (1, 1)
    );
}

#[test]
fn midnight_in_a_section() {
    // 2026-05-13 00:00 UTC.
    let midnight = START - START % (86_400 * SECOND) + 86_400 * SECOND;
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(midnight - SECOND, "Install Driver Updates", WORKER);
    log.timed(midnight + 5 * MILLI, "sto", "behind midnight");
    log.error("sto", "Failed. Error = 0x00000020");
    log.close(midnight + SECOND, "FAILURE(0x00000020)");
    let log = read(&log.finish().bytes);
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.mark.time, LocalTime(midnight + 5 * MILLI));
}

#[test]
fn the_database_node_is_found_in_any_log() {
    let story = Story::default();
    let whole = String::from_utf8(setupapi(&story, &plain()).bytes).unwrap();
    let at = whole.find(">>>  [Install Driver Updates]").unwrap();
    let log = read_all(&[&whole.as_bytes()[at..], &whole.as_bytes()[..at]]);
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.node, Some(Node::Drivers));
    let log = read(&whole.as_bytes()[at..]);
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(
        (failure.node, failure.inf.as_deref()),
        (None, Some("oposdrv.inf"))
    );
}

#[test]
fn a_head_in_the_middle_and_nul_blocks() {
    let story = setupapi(&Story::default(), &plain()).bytes;
    let twice = [&story[..], &[0; 1_000], &story[..]].concat();
    let log = read(&twice);
    assert_eq!(log.failing().count(), 2);
    assert_eq!(log.files[0].text.nul_bytes, 1_000);
    assert_eq!(log.files[0].lines.strays, 0);
    for cut in (0..story.len()).step_by(89) {
        let log = read(&story[..cut]);
        for section in log.failing() {
            let failure = section.failure.as_ref().unwrap();
            assert!(failure.code.is_none_or(|code| code == 0x8007_03F1), "{cut}");
        }
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    for n in 0..3_000 {
        missing_inf(&mut log, START + n * SECOND);
        log.open(START + n * SECOND, "Device Install - X", "");
        for depth in 0..60 {
            log.scope(START, "dvi", &format!("Scope {depth}"));
        }
        log.close(START, "FAILURE(0x00000003)");
    }
    let log = read(&log.finish().bytes);
    assert_eq!((log.sections.len(), log.other_failures.len()), (1_000, 200));
    assert_eq!((log.sections_total, log.sections_dropped), (6_000, 4_800));
    assert!(log.other_failures[0].open_scopes.len() == 16);
}

fn through(bytes: &[u8]) {
    let log = read(bytes);
    let lines = log.files[0].lines;
    let total =
        lines.heads + lines.frames + lines.bodies + lines.others + lines.strays + lines.blank;
    assert_eq!(total, log.files[0].text.lines);
    for section in log.sections.iter().chain(&log.other_failures) {
        assert!(section.first <= section.last);
        if let Some((start, end)) = section.span() {
            assert!(start <= end);
        }
        if let Some(failure) = &section.failure {
            assert!(section.first <= failure.mark.at && failure.mark.at <= section.last);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        through(&bytes);
    }

    #[test]
    fn flipped_bytes(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = setupapi(&Story::default(), &plain()).bytes;
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        through(&bytes);
    }

    #[test]
    fn lines_in_any_order(order in proptest::collection::vec(any::<prop::sample::Index>(), 0..120)) {
        let bytes = setupapi(&Story::default(), &Paper { filler: 10, ..plain() }).bytes;
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let mixed: Vec<u8> = order.iter().flat_map(|at| lines[at.index(lines.len())].to_vec()).collect();
        through(&mixed);
    }
}
