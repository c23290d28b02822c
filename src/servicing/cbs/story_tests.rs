//! Whole logs: every version of Windows, every phase, every encoding, and logs that are damaged.

use super::*;
use crate::input::text::TextOptions;
use crate::input::view::Source;
use crate::servicing::{LineRef, LocalTime};
use crate::trace::Filetime;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracegen::logs::{CbsWriter, Encoding, Log, Paper, Phase as When, Story, Windows, Zone, cbs};

pub(super) const SECOND: u64 = 10_000_000;
const ALL: [Windows; 5] = [
    Windows::Vista,
    Windows::Seven,
    Windows::EightOne,
    Windows::Ten,
    Windows::Eleven,
];

fn source(bytes: &[u8]) -> Source {
    Source::Memory(Arc::from(bytes))
}

pub(super) fn read_all(files: &[(&str, &[u8])]) -> CbsLog {
    let mut reader = CbsReader::default();
    for (name, bytes) in files {
        let options = TextOptions::default();
        reader
            .read(name, &source(bytes), &options, &|_| ())
            .unwrap();
    }
    reader.finish()
}

pub(super) fn read(bytes: &[u8]) -> CbsLog {
    read_all(&[("CBS.log", bytes)])
}

pub(super) fn text(lines: &[&str]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| {
            let line = match line.split_once(' ') {
                Some((time, text)) if time.len() == 8 => {
                    format!("2026-05-12 {time}, Info                  CBS    {text}\r\n")
                }
                _ => format!("{line}\r\n"),
            };
            line.into_bytes()
        })
        .collect()
}

/// The span of an attempt by the offsets of the log.
pub(super) fn span(log: &CbsLog, attempt: &Attempt) -> AttemptSpan {
    attempt.span(|mark| {
        let minutes = log
            .offsets
            .at(mark.at, mark.time)
            .map_or(0, |offset| offset.minutes);
        mark.time.to_utc(minutes)
    })
}

/// CBS.log has whole seconds.
fn second(time: u64) -> Filetime {
    Filetime(time - time % SECOND)
}

#[test]
fn the_reference_case() {
    let story = Story::default();
    let paper = Paper {
        zone: Zone::hours(8),
        ..Paper::default()
    };
    let log = read(&cbs(&story, &paper).bytes);
    assert_eq!(log.attempts.len(), 1);
    let attempt = &log.attempts[0];
    assert_eq!(attempt.code, Some(0x8007_03F1));
    assert_eq!(attempt.inf.as_deref(), Some("oposdrv.inf"));
    assert_eq!(attempt.package.as_deref(), Some(&*story.package));
    assert_eq!(attempt.failure_source.as_deref(), Some("DOQ"));
    assert_eq!(attempt.client.as_deref(), Some("WindowsUpdateAgent"));
    assert_eq!((attempt.pass, attempt.count), (Some(1), Some(7)));
    assert_eq!(attempt.critical, Some(false));
    assert_eq!(attempt.phase, Some(Phase::Startup));
    assert_eq!(attempt.start.as_ref().unwrap().1, StartMark::InstallStarted);
    assert_eq!(attempt.failure.1, FailureMark::PackageResult);
    assert_eq!(attempt.rollback_end.as_ref().unwrap().1, EndMark::StateNone);
    assert!(attempt.final_rollback && !attempt.temporary_rollback && attempt.is_final());
    assert!(attempt.confirmed && !attempt.continued);
    let start = attempt.rollback_start.as_ref().unwrap();
    assert!(start.text.starts_with("Setting ExecuteState"));
    assert_eq!(attempt.boot.unwrap().to_string(), "2026-05-12 14:41:07.000");
    let span = span(&log, attempt);
    assert_eq!(span.start, second(story.queue.unwrap()));
    assert_eq!(span.failure, second(story.failure));
    assert_eq!(span.end, second(story.rollback_end.unwrap()));
    assert!(span.start_known && span.end_known);
    // What it is taken from, in the words of the log.
    let lines: Vec<&str> = attempt.evidence.iter().map(|mark| &*mark.text).collect();
    assert_eq!(lines[0], "Perf: Doqe: Install started.");
    assert_eq!(
        lines[1],
        "INSTALL index: 69, phase: 1, result 1009, inf: oposdrv.inf"
    );
    assert!(
        lines
            .last()
            .unwrap()
            .starts_with("Setting ExecuteState key to: ExecuteStateNone")
    );
    assert!(attempt.evidence.is_sorted_by_key(|mark| mark.at));
    let nt = &attempt.nt_failures[0];
    assert_eq!(
        (nt.status, &*nt.operation),
        (Some(0xC000_0043), "CreateFile")
    );
    assert_eq!(nt.path, "\\SystemRoot\\System32\\config\\DRIVERS");
    let offset = log
        .offsets
        .at(attempt.failure.0.at, attempt.failure.0.time)
        .unwrap();
    assert_eq!(
        (offset.minutes, offset.basis),
        (480, OffsetBasis::UniversalTime)
    );
    assert_eq!(
        log.offsets.near(attempt.failure.0.time).unwrap().minutes,
        480
    );
    assert_eq!(log.stack.as_deref(), Some("10.0.19041.4412"));
}

#[test]
fn every_version_phase_and_zone() {
    for windows in ALL {
        for phase in [When::Startup, When::Shutdown] {
            for zone in [Zone::hours(0), Zone::hours(-6), Zone { minutes: 345 }] {
                let mut story = Story {
                    windows,
                    phase,
                    ..Story::default()
                };
                if phase == When::Shutdown {
                    // The operations run in the shutdown before the boot.
                    story.queue = Some(story.boot - 90 * SECOND);
                    story.failure = story.boot - 60 * SECOND;
                }
                let what = format!("{windows:?} {phase:?} {zone:?}");
                let paper = Paper {
                    zone,
                    ..Paper::default()
                };
                let log = read(&cbs(&story, &paper).bytes);
                assert_eq!(log.attempts.len(), 1, "{what}");
                let attempt = &log.attempts[0];
                let span = span(&log, attempt);
                assert_eq!(attempt.code, Some(0x8007_03F1), "{what}");
                assert_eq!(span.start, second(story.queue.unwrap()), "{what}");
                assert_eq!(span.failure, second(story.failure), "{what}");
                assert_eq!(span.end, second(story.rollback_end.unwrap()), "{what}");
                assert!(span.start_known && span.end_known, "{what}");
                assert_eq!(attempt.package.as_deref(), Some(&*story.package), "{what}");
                let names = !matches!(windows, Windows::Vista | Windows::Seven);
                assert_eq!(
                    attempt.inf.as_deref(),
                    names.then_some("oposdrv.inf"),
                    "{what}"
                );
                let by_stamp = matches!(windows, Windows::Vista | Windows::Seven);
                let basis = if by_stamp {
                    OffsetBasis::CsiStamp
                } else {
                    OffsetBasis::UniversalTime
                };
                assert_eq!(log.offsets.changes().len(), 1, "{what}");
                assert_eq!(log.offsets.changes()[0].basis, basis, "{what}");
                let (continued, expected) = match phase {
                    When::Startup => (false, Phase::Startup),
                    When::Shutdown => (true, Phase::Shutdown),
                };
                assert_eq!(attempt.phase, Some(expected), "{what}");
                assert_eq!(attempt.continued, continued, "{what}");
            }
        }
    }
}

#[test]
fn every_line_is_known() {
    for windows in ALL {
        for phase in [When::Startup, When::Shutdown] {
            let mut story = Story {
                windows,
                phase,
                ..Story::default()
            };
            if phase == When::Shutdown {
                story.queue = Some(story.boot - 90 * SECOND);
                story.failure = story.boot - 60 * SECOND;
            }
            let Log { bytes, lines, .. } = cbs(&story, &Paper::default());
            let mut plain = 0;
            let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
            let (report, counts) = for_each_line(
                &source(&bytes),
                &TextOptions::default(),
                &|_| (),
                |_, line| {
                    if let Line::Record(_, event) = line {
                        plain += u64::from(matches!(event, Event::Message));
                        let name = format!("{event:?}");
                        *kinds
                            .entry(name.split([' ', '(']).next().unwrap().to_owned())
                            .or_default() += 1;
                    }
                },
            )
            .unwrap();
            assert_eq!(plain, lines.plain, "{windows:?} {kinds:?}");
            assert_eq!(counts.records, lines.plain + lines.telling);
            assert_eq!(counts.continuations, lines.continuations);
            assert_eq!((counts.blank, counts.fragments), (lines.blank, 0));
            assert_eq!(counts.records + counts.continuations, report.lines);
            assert!(report.warnings().is_empty());
        }
    }
}

#[test]
fn every_encoding() {
    let expected = read(&cbs(&Story::default(), &Paper::default()).bytes).attempts;
    for encoding in [
        Encoding::Utf8,
        Encoding::Utf16LeMark,
        Encoding::Utf16Le,
        Encoding::Utf16BeMark,
        Encoding::Gbk,
        Encoding::Windows1252,
    ] {
        for newline in ["\r\n", "\n"] {
            let paper = Paper {
                encoding,
                newline,
                ..Paper::default()
            };
            let mut log = CbsWriter::new(&paper);
            log.plain(tracegen::scenario::START, paper.device());
            let device = log.finish().bytes;
            let story = cbs(&Story::default(), &paper).bytes;
            let log = read(&story);
            assert_eq!(log.attempts, expected, "{encoding:?}");
            // With a line that ASCII cannot hold.
            let both = read_all(&[("a", &device), ("b", &story)]);
            assert_eq!(both.attempts.len(), 1, "{encoding:?}");
            let mut found = false;
            for_each_line(
                &source(&device),
                &TextOptions::default(),
                &|_| (),
                |_, line| {
                    found |=
                        matches!(line, Line::Record(record, _) if record.text == paper.device());
                },
            )
            .unwrap();
            assert!(found, "{encoding:?}");
        }
    }
}

#[test]
fn missing_ends_are_a_minute_away() {
    let story = Story {
        queue: None,
        rollback_end: None,
        ..Story::default()
    };
    for windows in ALL {
        let log = read(
            &cbs(
                &Story {
                    windows,
                    ..story.clone()
                },
                &Paper::default(),
            )
            .bytes,
        );
        assert_eq!(log.attempts.len(), 1, "{windows:?}");
        let attempt = &log.attempts[0];
        assert_eq!((&attempt.start, &attempt.rollback_end), (&None, &None));
        let span = span(&log, attempt);
        let failure = second(story.failure);
        assert_eq!(span.failure, failure);
        assert_eq!(span.start, failure.minus(60 * SECOND));
        assert_eq!(span.end, failure.plus(60 * SECOND));
        assert!(!span.start_known && !span.end_known);
    }
}

#[test]
fn a_clock_that_is_wrong_is_wrong_everywhere() {
    let story = Story::default();
    let paper = Paper {
        zone: Zone::hours(-3),
        skew_ms: -7_200_000,
        ..Paper::default()
    };
    let log = read(&cbs(&story, &paper).bytes);
    // Both stamps are of the same clock: the offset is the zone's.
    assert_eq!(log.offsets.changes()[0].minutes, -180);
    let span = span(&log, &log.attempts[0]);
    assert_eq!(span.failure, second(story.failure).minus(7_200 * SECOND));
}

#[test]
fn a_temporary_rollback_is_not_the_end() {
    for windows in [Windows::EightOne, Windows::Ten, Windows::Eleven] {
        let mut story = Story {
            windows,
            phase: When::Shutdown,
            temporary: true,
            ..Story::default()
        };
        story.queue = Some(story.boot - 90 * SECOND);
        story.failure = story.boot - 60 * SECOND;
        let log = read(&cbs(&story, &Paper::default()).bytes);
        assert_eq!(log.attempts.len(), 1, "{windows:?}");
        let attempt = &log.attempts[0];
        assert!(attempt.temporary_rollback && !attempt.final_rollback && !attempt.is_final());
        // The next queue ends the attempt: what it ends with is not the end of this rollback.
        assert_ne!(
            attempt.rollback_end.as_ref().map(|end| end.1),
            Some(EndMark::StateNone)
        );
        assert!(span(&log, attempt).end <= second(story.boot));
    }
}

#[test]
fn an_update_that_works() {
    for windows in ALL {
        let story = Story {
            windows,
            error: 0,
            ..Story::default()
        };
        let log = read(&cbs(&story, &Paper::default()).bytes);
        assert!(log.attempts.is_empty(), "{windows:?}");
        assert!(log.other_failures.is_empty() && log.aftermaths.is_empty());
    }
}

#[test]
fn several_attempts_in_several_logs() {
    const DAY: u64 = 86_400 * SECOND;
    let paper = Paper::default();
    let story = |days: u64, error: u32| {
        let first = Story::default();
        let later = |time: u64| time + days * DAY;
        Story {
            boot: later(first.boot),
            queue: first.queue.map(later),
            failure: later(first.failure),
            rollback_end: first.rollback_end.map(later),
            error,
            ..first
        }
    };
    let (first, second_, third) = (story(0, 1_009), story(7, 5), story(30, 0));
    let log = read_all(&[
        ("CbsPersist_20260519000000.log", &cbs(&first, &paper).bytes),
        (
            "CBS.log",
            &[cbs(&second_, &paper).bytes, cbs(&third, &paper).bytes].concat(),
        ),
    ]);
    let codes: Vec<_> = log.failing().map(|attempt| attempt.code.unwrap()).collect();
    assert_eq!(codes, [0x8007_03F1, 0x8007_0005]);
    assert_eq!(log.attempts[1].failure.0.at.file, 1);
    assert_eq!(log.name(log.attempts[1].failure.0.at), "CBS.log");
    assert_eq!(log.attempts[1].boot, Some(LocalTime(second_.boot)));
    assert_eq!(log.boots.len(), 3);
}

#[test]
fn an_attempt_goes_on_in_the_next_log() {
    let whole = cbs(&Story::default(), &Paper::default()).bytes;
    let expected = read(&whole).attempts.remove(0);
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for cut in 0..lines.len() {
        let (before, after) = (lines[..cut].concat(), lines[cut..].concat());
        let log = read_all(&[
            ("CbsPersist_20260512064200.log", &before),
            ("CBS.log", &after),
        ]);
        assert_eq!(log.attempts.len(), 1, "cut at line {cut}");
        let found = &log.attempts[0];
        assert_eq!(found.failure.0.time, expected.failure.0.time);
        assert_eq!(found.failure.0.text, expected.failure.0.text);
        let end = |attempt: &Attempt| {
            attempt
                .rollback_end
                .clone()
                .map(|(mark, by)| (mark.time, by))
        };
        assert_eq!(end(found), end(&expected));
        assert_eq!(found.package, expected.package);
    }
}

#[test]
fn only_the_aftermath_is_left() {
    let mut story = Story {
        phase: When::Shutdown,
        ..Story::default()
    };
    story.queue = Some(story.boot - 90 * SECOND);
    story.failure = story.boot - 60 * SECOND;
    let whole = String::from_utf8(cbs(&story, &Paper::default()).bytes).unwrap();
    let boot = whole.rfind("TI: --- Initializing").unwrap();
    let from = whole[..boot].rfind('\n').unwrap() + 1;
    let log = read(&whole.as_bytes()[from..]);
    assert!(log.attempts.is_empty());
    assert_eq!(log.aftermaths.len(), 1);
    let aftermath = &log.aftermaths[0];
    assert_eq!(aftermath.code, Some(0x8007_03F1));
    assert!(aftermath.drivers);
    assert_eq!(aftermath.package.as_deref(), Some(&*story.package));
}

#[test]
fn an_aftermath_has_an_end_too() {
    let first: &[&str] = &[
        "10:01:31 Retrieved original failure status: 0x80070005, last forward execute state: x",
        "10:01:40 Startup: Processing complete. [HRESULT = 0x80070bc2 - ERROR_SUCCESS_REBOOT_REQUIRED]",
        "10:02:30 TI: --- Initializing Trusted Installer ---",
        "10:02:31 Retrieved original failure status: 0x80070005, last forward execute state: x",
        "10:02:32 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
    ];
    let log = read(&text(first));
    assert_eq!((log.attempts.len(), log.aftermaths.len()), (0, 1));
    let log = read(&text(&[
        first,
        &[
            "10:02:40 Startup: Processing complete. [HRESULT = 0x80070005]",
            "10:02:50 Doqi: Failed loading driver operations queue. [HRESULT = 0x80070490 - ERROR_NOT_FOUND]",
        ],
    ]
    .concat()));
    assert_eq!((log.attempts.len(), log.aftermaths.len()), (1, 1));
    assert_eq!(log.attempts[0].code, Some(0x8007_0490));
}

#[test]
fn reports_of_other_packages_are_not_taken() {
    let lines = [
        "10:00:22 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        "10:00:23 WER: Generating failure report for package: A~1, status: 0x800f0922, failure source: AI, start state: Staged, target state: Installed, client id: X",
        "10:00:24 Startup: Package: B~1 completed startup processing, new state: Staged, original: Staged, targeted: Installed.  hr = 0x80070005",
        "10:00:25 WER: Generating failure report for package: C~1, status: 0x80070005, failure source: DOQ, start state: Staged, target state: Installed, client id: Y",
        "10:00:26 WER: Generating failure report for package: D~1, status: 0x80070005, failure source: DOQ, start state: Staged, target state: Installed, client id: Z",
    ];
    let package = |lines: &[&str]| read(&text(lines)).attempts[0].package.clone();
    assert_eq!(package(&lines[..2]), None);
    assert_eq!(package(&lines[..3]).as_deref(), Some("B~1"));
    let log = read(&text(&lines));
    let attempt = &log.attempts[0];
    assert_eq!(
        (attempt.package.as_deref(), attempt.client.as_deref()),
        (Some("C~1"), Some("Y"))
    );
}

#[test]
fn shutdown_fails_and_startup_fails_again() {
    let log = read(&text(&[
        "10:00:00 Shtd: Processing driver operations queue.",
        "10:00:01 Doqe: [Forward] Installing driver updates, Count 2",
        "10:00:09 INSTALL index: 1, phase: 2, result 32, inf: a.inf",
        "10:00:09 Doqe: Recording result: 0x80070020, for Inf: a.inf",
        "10:00:09 Shtd: Failed while processing driver operations queue. [HRESULT = 0x80070020 - ERROR_SHARING_VIOLATION]",
        "10:00:09 Shtd: Rolling back KTM, because drivers failed.",
        "10:00:09 Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Temporary Rollback.",
        "10:00:20 Shtd: Shutdown processing complete.",
        "10:01:30 TI: --- Initializing Trusted Installer ---",
        "10:01:30 TI: Last boot time: 2026-05-12 10:01:02.500",
        "10:01:31 Startup: Initializing driver operations queue.",
        "10:01:40 Doqe: [Forward] Installing driver updates, Count 2",
        "10:01:44 INSTALL index: 1, phase: 2, result 32, inf: a.inf",
        "10:01:44 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070020 - ERROR_SHARING_VIOLATION]",
        "10:01:44 Startup: Rolling back KTM, because drivers failed.",
        "10:01:45 Setting original failure status: 0x80070020, last forward execute state: CbsExecuteStatePrimitives",
        "10:01:50 A restart has been initiated",
        "10:02:30 TI: --- Initializing Trusted Installer ---",
        "10:02:31 Retrieved original failure status: 0x80070020, last forward execute state: CbsExecuteStatePrimitives",
        "10:02:40 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    let found: Vec<_> = log
        .failing()
        .map(|attempt| {
            (
                attempt.phase.unwrap(),
                attempt.is_final(),
                attempt.continued,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Phase::Shutdown, false, false),
            (Phase::Startup, true, true)
        ]
    );
    let lines: Vec<_> = log
        .attempts
        .iter()
        .map(|attempt| attempt.start.as_ref().unwrap().0.at.line)
        .collect();
    assert_eq!(lines, [2, 12]);
    let ends: Vec<_> = log
        .attempts
        .iter()
        .map(|attempt| attempt.rollback_end.clone().map(|end| end.0.at.line))
        .collect();
    assert_eq!(ends, [None, Some(20)]);
    assert_eq!(
        log.attempts[1].boot.unwrap().to_string(),
        "2026-05-12 10:01:02.500"
    );
}

#[test]
fn passes_without_a_line_between_them() {
    // Two passes whose service did not say that it starts.
    let failures = [
        "10:00:09 Shtd: Failed while processing driver operations queue. [HRESULT = 0x80070020]",
        "10:01:44 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
    ];
    let log = read(&text(&failures));
    let codes: Vec<_> = log
        .attempts
        .iter()
        .map(|attempt| attempt.code.unwrap())
        .collect();
    assert_eq!(codes, [0x8007_0020, 0x8007_0005]);
    // A queue that is announced is another try: what it ends with is not the end of the first.
    let log = read(&text(&[
        failures[0],
        "10:00:09 Progress: UI message updated. Stage: 1 out of 1. Temporary Rollback.",
        "10:01:40 Startup: Processing driver operations queue.",
        "10:01:50 Startup: Driver operations completed successfully.",
        "10:01:51 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].rollback_end, None);
}

#[test]
fn a_rollback_that_is_taken_up_again() {
    let first: &[&str] = &[
        "10:00:22 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        "10:00:22 Startup: Rolling back KTM, because drivers failed.",
        "10:00:23 Progress: UI message updated. Stage: 1 out of 1. Rollback.",
        "10:00:30 Startup: Processing complete. [HRESULT = 0x80070005]",
        "10:01:30 TI: --- Initializing Trusted Installer ---",
    ];
    for line in [
        "10:01:31 Retrieved original failure status: 0x80070005, last forward execute state: x",
        "10:01:31 Startup: current ExecuteState is CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
    ] {
        let log = read(&text(
            &[
                first,
                &[
                    line,
                    "10:01:40 Setting ExecuteState key to: ExecuteStateNone",
                ],
            ]
            .concat(),
        ));
        assert_eq!(log.attempts.len(), 1, "{line}");
        assert!(log.attempts[0].continued && log.aftermaths.is_empty());
        assert_eq!(log.attempts[0].rollback_end.as_ref().unwrap().0.at.line, 7);
    }
    // Another failure in a later pass is another attempt, by whichever line it shows.
    for line in [
        "10:01:44 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        "10:01:44 Setting ExecuteState key to: CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
        "10:01:44 INSTALL index: 1, phase: 2, result 32, inf: a.inf",
    ] {
        let log = read(&text(&[first, &[line]].concat()));
        let lines: Vec<_> = log
            .attempts
            .iter()
            .map(|attempt| attempt.failure.0.at.line)
            .collect();
        assert_eq!(lines, [1, 6], "{line}");
        assert_eq!(log.attempts[0].rollback_end.as_ref().unwrap().0.at.line, 4);
    }
    // What a rollback does to the queue is no failure of its own.
    let log = read(&text(&[
        first[0],
        first[2],
        "10:00:24 Perf: Doqe: Uninstall started.",
        "10:00:25 UNINSTALL index: 1, phase: 1, result 5, inf: a.inf",
        "10:00:25 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        "10:00:26 Doqe: [Rollback] Unstaging driver updates, Count 2",
        "10:00:31 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].inf, None);
    assert_eq!(log.attempts[0].rollback_end.as_ref().unwrap().0.at.line, 7);
}

#[test]
fn a_transaction_that_is_tried_again() {
    let log = read(&text(&[
        "10:00:01 Perf: Doqe: Install started.",
        "10:00:01 Doqe: [Forward] Installing driver updates, Count 2",
        "10:00:09 DriverUpdateInstallUpdates failed [HRESULT = 0x80071a90 - ERROR_TRANSACTIONAL_CONFLICT]",
        "10:00:09 Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Temporary Rollback.",
        "10:00:14 Doqe: [Forward] Installing driver updates, Count 2",
        "10:00:30 Perf: Doqe: Install ended.",
        "10:00:31 Shtd: Driver operations completed successfully.",
        "10:00:40 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].code, Some(0x8007_1A90));
    assert!(!log.attempts[0].is_final());
    assert_eq!(log.attempts[0].rollback_end, None);
}

#[test]
fn the_start_is_the_last_one_before_the_failure() {
    let log = read(&text(&[
        "10:00:00 Startup: Initializing driver operations queue.",
        "10:00:05 Perf: Doqe: Critical install started.",
        "10:00:05 Doqe: [Forward] Installing driver updates, Count 2",
        "10:00:06 INSTALL index: 1, phase: 1, result 0, inf: a.inf",
        "10:00:07 Perf: Doqe: Critical install ended.",
        "10:00:10 Perf: Doqe: Install started.",
        "10:00:11 Doqe: [Forward] Installing driver updates, Count 600",
        "10:00:20 INSTALL index: 1, phase: 1, result 3010, inf: b.inf",
        "10:00:21 Doqe: Recording result: 0x80070005, for Inf: c.inf",
        "10:00:22 Startup: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070005 - E_ACCESSDENIED]",
    ]));
    let attempt = &log.attempts[0];
    assert_eq!(attempt.start.as_ref().unwrap().0.at.line, 6);
    assert_eq!(
        (attempt.failure.0.at.line, attempt.inf.as_deref()),
        (9, Some("c.inf"))
    );
    assert_eq!((attempt.critical, attempt.count), (Some(false), Some(600)));

    // A queue that nothing ends, and another one.
    let log = read(&text(&[
        "10:00:01 Doqe: [Forward] Installing driver updates, Count 2",
        "10:00:14 Doqe: [Forward] Installing driver updates, Count 3",
        "10:00:20 Failed installing driver updates [HRESULT = 0x80070005]",
    ]));
    assert_eq!(log.attempts[0].start.as_ref().unwrap().0.at.line, 2);
    assert_eq!(log.attempts[0].count, Some(3));

    // Without a start of its own: what was announced.
    let log = read(&text(&[
        "10:00:00 Startup: Initializing driver operations queue.",
        "10:00:03 Startup: Processing driver operations queue.",
        "10:00:22 Startup: Failed while processing driver operations queue.: HRESULT_FROM_WIN32(5)",
    ]));
    let (mark, by) = log.attempts[0].start.as_ref().unwrap();
    assert_eq!((mark.at.line, *by), (2, StartMark::Processing));
    assert_eq!(log.attempts[0].failure.1, FailureMark::Queue);
    assert_eq!(log.attempts[0].code, Some(0x8007_0005));

    // The critical queue ended well: it is not the one that failed.
    let log = read(&text(&[
        "10:00:05 Perf: Doqe: Critical install started.",
        "10:00:07 Perf: Doqe: Critical install ended.",
        "10:00:22 Startup: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070005]",
    ]));
    assert_eq!(log.attempts[0].start, None);
}

#[test]
fn queues_whose_end_is_not_told() {
    // The machine went down.
    let log = read(&text(&[
        "10:00:05 Perf: Doqe: Install started.",
        "10:00:09 INSTALL index: 1, phase: 1, result 1009, inf: oposdrv.inf",
        "10:05:00 TI: --- Initializing Trusted Installer ---",
    ]));
    assert_eq!(log.attempts.len(), 1);
    assert!(log.attempts[0].confirmed);
    // A package failed, and nobody minded.
    let soft: &[&str] = &[
        "11:00:05 Perf: Doqe: Install started.",
        "11:00:09 INSTALL index: 1, phase: 3, result 1168, inf: soft.inf",
        "11:00:19 Perf: Doqe: Install ended.",
        "11:00:25 TI: --- Initializing Trusted Installer ---",
    ];
    let log = read(&text(soft));
    assert!(!log.attempts[0].confirmed);
    assert_eq!(log.failing().count(), 1);
    let hard: &[&str] = &[
        "10:00:09 INSTALL index: 1, phase: 1, result 1009, inf: oposdrv.inf",
        "10:00:22 Startup: Failed while processing driver operations queue. [HRESULT = 0x800703f1]",
    ];
    let log = read(&text(&[hard, soft].concat()));
    assert_eq!(log.attempts.len(), 2);
    let failing: Vec<_> = log
        .failing()
        .map(|attempt| attempt.inf.as_deref().unwrap())
        .collect();
    assert_eq!(failing, ["oposdrv.inf"]);
    // Or success was told.
    let done = ["11:00:20 Startup: Driver operations completed successfully."];
    let log = read(&text(&[&soft[..2], &done[..]].concat()));
    assert!(log.attempts.is_empty());
}

#[test]
fn ends_by_rank() {
    let failure: &[&str] = &[
        "10:00:05 Perf: Doqe: Install started.",
        "10:00:22 Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        "10:00:22 Startup: Rolling back KTM, because drivers failed.",
    ];
    for (tail, end) in [
        (
            &[
                "10:00:30 Startup: Processing complete. [HRESULT = 0x80070005]",
                "10:00:31 Startup processing completed. [HRESULT = 0x00000000]",
            ][..],
            Some(4),
        ),
        (
            &[
                "10:00:30 Startup processing completed.",
                "10:00:31 Setting ServicingInProgress flag to 0",
            ],
            Some(4),
        ),
        (
            &["10:00:30 Winlogon: Deregistering for CreateSession notifications"],
            Some(4),
        ),
        (&["10:00:30 A restart has been initiated"], Some(4)),
        (
            &[
                "10:00:30 Startup processing completed.",
                "10:00:31 Setting ExecuteState key to: ExecuteStateNone",
            ],
            Some(5),
        ),
        // Only after the restart it is over.
        (
            &[
                "10:00:30 Startup: Failed, restart required to try again.",
                "10:00:30 Startup: Processing complete. [HRESULT = 0x80070bc2 - ERROR_SUCCESS_REBOOT_REQUIRED]",
                "10:00:30 A restart has been initiated",
                "10:01:30 TI: --- Initializing Trusted Installer ---",
                "10:01:31 Retrieved original failure status: 0x80070005, last forward execute state: x",
                "10:01:40 Startup: Processing complete. [HRESULT = 0x80070005]",
            ],
            Some(9),
        ),
        // The pass ended; what a later pass ends with is another matter.
        (
            &[
                "10:00:30 Startup: Processing complete. [HRESULT = 0x80070005]",
                "10:01:30 TI: --- Initializing Trusted Installer ---",
                "10:01:40 Setting ExecuteState key to: ExecuteStateNone",
            ],
            Some(4),
        ),
        // The restart is the end, when nothing is left to do behind it.
        (
            &[
                "10:00:30 A restart has been initiated",
                "10:01:30 TI: --- Initializing Trusted Installer ---",
                "10:01:30 No startup processing required, TrustedInstaller service was not set as autostart",
                "12:01:40 Setting ExecuteState key to: ExecuteStateNone",
            ],
            Some(4),
        ),
        (&["10:00:30 Something else"], None),
    ] {
        let log = read(&text(&[failure, tail].concat()));
        assert_eq!(log.attempts.len(), 1, "{tail:?}");
        let found = log.attempts[0]
            .rollback_end
            .as_ref()
            .map(|end| end.0.at.line);
        assert_eq!(found, end, "{tail:?}");
    }
}

#[test]
fn other_rollbacks_are_no_attempts() {
    let log = read(&text(&[
        "10:00:05 Startup: Failed while processing critical primitive operations queue. [HRESULT = 0x80070005]",
        "2026-05-12 10:00:06, Error      [0x01803e] CSI    00000e64 (F) Failed execution of queue item Installer: HTTP Installer ({g}) with HRESULT HRESULT_FROM_WIN32(1058).  Failure will not be ignored: A rollback will be initiated[gle=0x80004005]",
        "10:00:07 Setting ExecuteState key to: CbsExecuteStateInitiateRollback | CbsExecuteStateFlagAdvancedInstallersFailed",
        "10:00:08 Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Rollback.",
        "10:00:09 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    assert!(log.attempts.is_empty());
    let causes: Vec<_> = log.other_failures.iter().map(|other| other.cause).collect();
    assert_eq!(
        causes,
        [
            OtherCause::Primitives,
            OtherCause::AdvancedInstallers,
            OtherCause::AdvancedInstallers
        ]
    );
}

#[test]
fn support_articles_are_logs_too() {
    // As Microsoft prints them: one blank between columns, a state flag as the only sign of the rollback.
    let lines = [
        "   2017-12-06 15:30:46, Info    CBS         INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf",
        "   2017-12-06 15:30:46, Info    CBS   Doqe: Recording result: 0x80070003, for Inf: ntprint4.inf",
        "   2017-12-06 15:30:46, Info    CBS   Perf: Doqe: Install ended.",
        "   2017-12-06 15:30:46, Error   CBS   Startup: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]",
        "   2017-12-06 15:30:46, Info    CBS   Startup: Rolling back KTM, because drivers failed.",
        "   2017-12-06 15:30:47, Info    CBS   Setting ExecuteState key to: CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
    ];
    let log = read(&text(&lines));
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].inf.as_deref(), Some("ntprint4.inf"));
    assert!(log.offsets.changes().is_empty());
    // The flag alone is a failure too.
    let log = read(&text(&lines[5..]));
    assert_eq!(log.attempts[0].failure.1, FailureMark::State);
}

#[test]
fn nul_blocks_and_cut_lines() {
    let story = Story::default();
    let whole = cbs(&story, &Paper::default()).bytes;
    let text = String::from_utf8(whole.clone()).unwrap();
    // A crash in the middle of the failing line: its rest is lost, the next lines tell.
    let at = text.find("Recording result").unwrap();
    let holed = [&whole[..at], &[0; 4_096], &whole[at + 60..]].concat();
    let log = read(&holed);
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].code, Some(0x8007_03F1));
    assert_eq!(log.files[0].text.nul_blocks, 1);
    // Every cut of the file: no attempt that is not there, the right code in the one that is.
    for cut in (0..whole.len()).step_by(97) {
        let log = read(&whole[..cut]);
        assert!(log.attempts.len() <= 1);
        for attempt in &log.attempts {
            assert_eq!(attempt.code, Some(0x8007_03F1), "{cut}");
            assert_eq!(
                attempt.failure.0.time,
                LocalTime(story.failure - story.failure % SECOND)
            );
        }
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let mut log = CbsWriter::new(&Paper::default());
    for n in 0..3_000 {
        let time = tracegen::scenario::START + n * 3_600 * SECOND;
        log.info(time, "Perf: Doqe: Install started.");
        for _ in 0..100 {
            log.csi_telling(
                time,
                "Error STATUS_ACCESS_DENIED while executing operation CreateFile on [l:2]'x'",
            );
        }
        log.info(
            time,
            "Startup: Failed while processing driver operations queue. [HRESULT = 0x80070005]",
        );
        for _ in 0..100 {
            log.info(time, "Progress: UI message updated. Rollback.");
        }
        log.info(time, "Setting ExecuteState key to: ExecuteStateNone");
    }
    let log = read(&log.finish().bytes);
    assert_eq!(log.attempts.len(), 500);
    assert_eq!(log.attempts_dropped, 2_500);
    let last = log.attempts.last().unwrap();
    assert!(last.evidence.len() <= 24 && last.nt_failures.len() == 16);
}

/// Everything a reader does must hold for any bytes.
fn through(bytes: &[u8]) -> CbsLog {
    let log = read(bytes);
    let file = &log.files[0];
    let lines = &file.lines;
    assert_eq!(
        lines.records + lines.continuations + lines.fragments + lines.blank,
        file.text.lines
    );
    for attempt in &log.attempts {
        let span = span(&log, attempt);
        assert!(span.start <= span.failure && span.failure <= span.end);
        assert!(
            attempt.failure.0.at
                >= LineRef {
                    line: 1,
                    ..LineRef::default()
                }
        );
        assert!(attempt.evidence.is_sorted_by_key(|mark| mark.at));
    }
    log
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        prop_assert!(through(&bytes).attempts.is_empty());
    }

    #[test]
    fn flipped_bytes(
        windows in 0..5_usize,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let story = Story { windows: ALL[windows], ..Story::default() };
        let mut bytes = cbs(&story, &Paper { filler: 2, ..Paper::default() }).bytes;
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        through(&bytes);
    }

    #[test]
    fn lines_in_any_order(
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..80),
        windows in 0..5_usize,
    ) {
        let paper = Paper { filler: 1, encoding: Encoding::Utf8, ..Paper::default() };
        let mut shutdown = Story { windows: ALL[windows], phase: When::Shutdown, ..Story::default() };
        shutdown.queue = Some(shutdown.boot - 90 * SECOND);
        shutdown.failure = shutdown.boot - 60 * SECOND;
        let mut temporary = shutdown.clone();
        temporary.temporary = true;
        let bytes = [
            cbs(&shutdown, &paper).bytes,
            cbs(&temporary, &paper).bytes,
            cbs(&Story::default(), &paper).bytes,
        ]
        .concat();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let mixed: Vec<u8> = order.iter().flat_map(|at| lines[at.index(lines.len())].to_vec()).collect();
        through(&mixed);
    }
}
