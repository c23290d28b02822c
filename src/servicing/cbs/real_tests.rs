//! What whole logs of real machines have that samples had not: Windows 8 to 11 25H2, and quoted failures.

use super::story_tests::{SECOND, read, read_all, span, text};
use super::*;
use crate::servicing::{LineRef, LocalTime};

#[test]
fn a_session_that_repairs_the_store_ends_no_rollback() {
    let online = [
        "06:00:00 No startup processing required, TrustedInstaller service was not set as autostart",
        "06:00:01 Doqe: [Forward] Installing driver updates, Count 2",
        "06:00:02 INSTALL index: 69, phase: 1, result 1009, inf: oposdrv.inf",
        "06:00:02 DriverUpdateInstallUpdates failed [HRESULT = 0x800703f1 - ERROR_BADDB]",
        "06:20:00 Reboot mark set",
        "06:30:00 Reboot mark cleared",
        "06:30:00 Winlogon: Simplifying Winlogon CreateSession notifications",
        "06:30:00 Winlogon: Deregistering for CreateSession notifications",
    ];
    let restart = [
        "06:40:00 TI: --- Initializing Trusted Installer ---",
        "06:40:01 Retrieved original failure status: 0x800703f1, last forward execute state: CbsExecuteStatePrimitives",
        "06:40:30 Setting ExecuteState key to: ExecuteStateNone",
    ];
    let log = read(&text(&[&online[..], &restart].concat()));
    assert_eq!((log.attempts.len(), log.aftermaths.len()), (1, 0));
    let attempt = &log.attempts[0];
    assert!(attempt.continued);
    let (end, by) = attempt.rollback_end.as_ref().unwrap();
    assert_eq!(
        (end.time.to_string().as_str(), *by),
        ("2026-05-12 06:40:30.000", EndMark::StateNone)
    );
    // Without the restart it is the only end there is.
    let log = read(&text(&online));
    let (_, by) = log.attempts[0].rollback_end.as_ref().unwrap();
    assert_eq!(*by, EndMark::WinlogonReleased);
}

#[test]
fn windows_8_gives_notifications_back_in_other_words() {
    let log = read(&text(&[
        "06:00:01 Startup: Processing driver operations queue.",
        "06:00:02 INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf",
        "06:00:02 Startup: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]",
        "06:06:30 Deregistering for Winlogon CreateSession notifications",
    ]));
    let (_, by) = log.attempts[0].rollback_end.as_ref().unwrap();
    assert_eq!(*by, EndMark::WinlogonReleased);
}

#[test]
fn a_log_about_an_image_tells_nothing_of_the_machine() {
    // As Setup writes it in Windows PE, where it is eight hours earlier whatever the machine's zone is.
    let image = [
        "05:00:00 TI: Last boot time: 2026-05-12 04:59:00.500",
        "05:00:00 Universal Time is: 2026-05-12 13:00:00.220",
        "05:00:00 Setting core mode: CbsCoreModeOffline",
        "05:00:00 Loaded Servicing Stack v10.0.17763.1 with Core: X:\\Sources\\cbscore.dll",
    ];
    let own = [
        "06:00:00 TI: --- Initializing Trusted Installer ---",
        "06:00:00 TI: Last boot time: 2026-05-12 05:59:00.500",
        "06:00:00 Universal Time is: 2026-05-12 04:00:00.220",
        "06:00:00 Setting core mode: CbsCoreModeOffline",
    ];
    let alone = read(&text(&image));
    assert!(alone.offsets.changes().is_empty() && alone.boots.is_empty());
    assert_eq!((alone.stack, alone.files[0].offline), (None, true));
    assert_eq!(alone.files[0].warnings().len(), 1);
    for order in [[&image[..], &own], [&own, &image]] {
        let [first, second] = order.map(text);
        let log = read_all(&[("CbsPersist.log", &first), ("CBS.log", &second)]);
        let minutes: Vec<i32> = log.offsets.changes().iter().map(|c| c.minutes).collect();
        assert_eq!((minutes, log.boots.len()), (vec![120], 1));
    }
}

#[test]
fn a_machine_that_stops_while_drivers_are_installed() {
    let queue = [
        "08:47:36 Shtd: Processing driver operations queue.",
        "08:47:37 Perf: Doqe: Install started.",
        "08:47:37 Doqe: [Forward] Installing driver updates, Count 3",
    ];
    let ended = [
        "08:47:39 Perf: Doqe: Install ended.",
        "08:47:40 Shtd: Driver operations completed",
    ];
    let restart = [
        "08:51:55 TI: --- Initializing Trusted Installer ---",
        "08:51:55 TI: Last boot time: 2026-05-12 08:51:33.500",
        "08:51:55 Starting TrustedInstaller initialization.",
        "08:51:55 TI: It looks like TI crashed or was interrupted last time it was started",
        "08:51:56 Universal Time is: 2026-05-12 06:51:56.138",
    ];
    let others = |parts: &[&[&str]]| {
        let log = read(&text(&parts.concat()));
        assert!(log.attempts.is_empty());
        let others = log.other_failures.into_iter();
        others
            .map(|other| (other.cause, other.mark.at.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(others(&[&queue, &restart]), [(OtherCause::Interrupted, 2)]);
    assert_eq!(others(&[&queue, &ended, &restart]), []);
    // The next start knows nothing of it any more.
    assert_eq!(
        others(&[&queue, &restart[..3], &restart[4..], &restart]),
        []
    );
}

#[test]
fn a_boot_in_another_zone_is_brought_to_utc_by_its_own_mark() {
    let log = read(&text(&[
        "12:02:55 TI: --- Initializing Trusted Installer ---",
        "12:02:55 TI: Last boot time: 2026-05-12 12:02:30.500",
        "12:02:59 Universal Time is: 2026-05-12 19:02:59.138",
        "13:23:26 TI: --- Initializing Trusted Installer ---",
        "13:23:26 TI: Last boot time: 2026-05-12 13:17:43.500",
        "13:23:26 Starting TrustedInstaller initialization.",
        "13:23:28 Universal Time is: 2026-05-12 19:23:28.138",
    ]));
    let minutes = |(at, _): &(LineRef, LocalTime)| log.offsets.at_line(*at).unwrap().minutes;
    assert_eq!(
        log.boots.iter().map(minutes).collect::<Vec<_>>(),
        [-420, -360]
    );
}

#[test]
fn what_is_tried_again_and_goes_well_is_known() {
    let failed = [
        "03:10:01 Shtd: Processing driver operations queue, Count 600.",
        "03:10:01 Doqe: [Forward] Installing driver updates, Count 600",
        "03:10:09 DriverUpdateInstallUpdates failed [HRESULT = 0x80071a2d - ERROR_TRANSACTION_NOT_ACTIVE]",
        "03:10:09 Progress: UI message updated. Operation type: Update. Stage: 0 out of 0. Temporary Rollback.",
    ];
    let again = &failed[..2];
    let well = ["03:10:35 Shtd: Driver operations completed successfully."];
    let retried = |parts: &[&[&str]]| {
        let log = read(&text(&parts.concat()));
        let last = log.attempts.last().unwrap();
        assert!(!last.is_final());
        last.retried.as_ref().map(|mark| mark.at.line)
    };
    assert_eq!(retried(&[&failed, again, &well]), Some(7));
    let reported = [
        "03:12:30 WER: Generating failure report for package: P, status: 0x80071a2d, failure source: DOQ, client id: WindowsUpdateAgent",
    ];
    let log = read(&text(&[&failed[..], again, &well, &reported].concat()));
    assert!(log.attempts[0].is_final() && log.attempts[0].retried.is_none());
    // Of the two queues, the other one.
    let critical = ["03:12:05 Perf: Doqe: Critical install started."];
    let plain = ["03:10:00 Perf: Doqe: Install started."];
    assert_eq!(retried(&[&plain, &failed[1..], &critical, &well]), None);
    assert_eq!(retried(&[&plain, &failed[1..], &plain, &well]), Some(6));
    assert_eq!(retried(&[&failed, again]), None);
    // Another update, two starts later.
    let boots = [
        "04:00:00 TI: --- Initializing Trusted Installer ---",
        "04:00:00 TI: Last boot time: 2026-05-12 03:59:30.500",
        "05:00:00 TI: --- Initializing Trusted Installer ---",
        "05:00:00 TI: Last boot time: 2026-05-12 04:59:30.500",
    ];
    assert_eq!(retried(&[&failed, &boots[..2], again, &well]), Some(9));
    assert_eq!(retried(&[&failed, &boots, again, &well]), None);
    assert_eq!(retried(&[&failed, &failed]), None);
    assert_eq!(retried(&[&well, &failed]), None);
}

#[test]
fn what_the_queue_does_first_and_last_fails_too() {
    let log = read(&text(&[
        "03:10:01 Shtd: Processing driver operations queue, Count 600.",
        "03:10:20 Shtd: Driver operations completed successfully.",
        "03:10:22 Shtd: Failed to notify PNP of possible OS version change. [HRESULT = 0x800703f1 - ERROR_BADDB]",
        "03:10:23 Setting ExecuteState key to: CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
    ]));
    let attempt = &log.attempts[0];
    assert_eq!(attempt.code, Some(0x8007_03F1));
    assert_eq!(attempt.phase, Some(Phase::Shutdown));
    assert_eq!(attempt.start.as_ref().unwrap().0.at.line, 1);
    // Only what comes behind the queue is that one's: of another, nothing tells where it began.
    let log = read(&text(&[
        "03:10:01 Shtd: Processing driver operations queue, Count 600.",
        "03:10:20 Shtd: Driver operations completed successfully.",
        "03:10:22 Shtd: Failed while processing non-critical driver operations queue. [HRESULT = 0x800703f1 - ERROR_BADDB]",
    ]));
    assert_eq!(log.attempts[0].start, None);
    // One that undoes nothing.
    let log = read(&text(&[
        "03:10:01 Startup: Processing driver operations queue, Count 600.",
        "03:10:20 Startup: Driver operations completed successfully.",
        "03:10:22 Startup: Failed to notify PNP of possible OS version change. [HRESULT = 0x80070005 - E_ACCESSDENIED]",
        "03:10:23 Setting ExecuteState key to: ExecuteStateNone",
    ]));
    assert!(log.attempts.is_empty());
    let log = read(&text(&[
        "03:10:01 Failed opening driver update context [HRESULT = 0x800703f1 - ERROR_BADDB]",
    ]));
    assert_eq!(log.attempts[0].code, Some(0x8007_03F1));
}

#[test]
fn a_rollback_without_an_end_goes_on_as_long_as_it_is_told_of() {
    let failed = [
        "15:21:14 INSTALL index: 194, phase: 2, result 13, inf: mshdc.inf",
        "15:21:14 Startup: Failed executing critical driver operations queue [HRESULT = 0x8007000d - ERROR_INVALID_DATA]",
    ];
    let later = [
        "15:22:46 Retrieved original failure status: 0x8007000d, last forward execute state: CbsExecuteStatePrimitives",
    ];
    let much_later = [
        "17:22:46 Retrieved original failure status: 0x8007000d, last forward execute state: CbsExecuteStatePrimitives",
    ];
    let length = |parts: &[&[&str]]| {
        let log = read(&text(&parts.concat()));
        let span = span(&log, &log.attempts[0]);
        assert!(!span.end_known);
        (span.end.0 - span.failure.0) / SECOND
    };
    assert_eq!(length(&[&failed]), 60);
    assert_eq!(length(&[&failed, &later]), 92);
    assert_eq!(length(&[&failed, &much_later]), 60);
    let many: Vec<String> = (0..59)
        .map(|n| format!("15:{n:02}:50 Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Rollback."))
        .collect();
    let many: Vec<&str> = many[22..].iter().map(String::as_str).collect();
    assert_eq!(length(&[&failed, &many]), 37 * 60 + 36);
}

#[test]
fn the_time_of_the_last_boot_drifts() {
    let log = read(&text(&[
        "10:01:24 TI: Last boot time: 2026-05-11 21:05:41.584",
        "11:59:37 TI: Last boot time: 2026-05-11 21:05:43.670",
        "12:59:37 TI: Last boot time: 2026-05-11 21:05:55.670",
        "13:01:00 TI: Last boot time: 2026-05-11 21:06:09.670",
        "13:10:00 TI: Last boot time: 2026-05-12 13:08:27.500",
    ]));
    let boots: Vec<String> = log.boots.iter().map(|(_, time)| time.to_string()).collect();
    assert_eq!(
        boots,
        ["2026-05-11 21:05:41.584", "2026-05-12 13:08:27.500"]
    );
}
