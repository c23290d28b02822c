//! What records mean, form by form.

use super::event::*;
use super::record::Record;
use super::wording::counted_string;
use crate::servicing::local_time::LocalTime;
use proptest::prelude::*;

fn event(component: &str, text: &str) -> String {
    let line = format!("2023-05-23 10:23:06, Info                  {component:<7}{text}");
    let record = Record::parse(&line).unwrap();
    format!("{:?}", Event::of(&record))
}

fn check(text: &str, expected: Event<'_>) {
    assert_eq!(event("CBS", text), format!("{expected:?}"), "{text}");
}

fn start(by: StartMark) -> (StartMark, Option<bool>, Option<bool>, Option<u32>) {
    (by, None, None, None)
}

fn check_start(
    text: &str,
    (by, forward, critical, count): (StartMark, Option<bool>, Option<bool>, Option<u32>),
) {
    let update = text.strip_prefix("Doqe: Installing driver Update ID: ");
    check(
        text,
        Event::QueueStart {
            by,
            forward,
            critical,
            count,
            update,
        },
    );
}

#[test]
fn starts_of_the_queue() {
    check_start(
        "Perf: Doqe: Critical install started.",
        (StartMark::InstallStarted, None, Some(true), None),
    );
    check_start(
        "Perf: Doqe: Install started.",
        (StartMark::InstallStarted, None, Some(false), None),
    );
    check_start(
        "Perf: Doqe: Uninstall started.",
        (StartMark::InstallStarted, None, Some(false), None),
    );
    check_start(
        "Doqe: [Forward] Installing driver updates, Count 675",
        (StartMark::Forward, Some(true), None, Some(675)),
    );
    check_start(
        "Doqe: [Rollback] Uninstalling driver updates, Count 2",
        (StartMark::Forward, Some(false), None, Some(2)),
    );
    check_start(
        "Doqe: Installing driver Update ID: Package_2_for_KB943899~31bf3856ad364e35~x86~~6.0.2.1",
        start(StartMark::UpdateId),
    );
    check_start(
        "Startup: Processing non-critical driver operations queue",
        (StartMark::Processing, None, Some(false), None),
    );
    check_start(
        "Shtd: Processing critical driver operations queue.",
        (StartMark::Processing, None, Some(true), None),
    );
    check_start(
        "Shtd: Processing driver operations queue.",
        start(StartMark::Processing),
    );
    check_start(
        "Startup: Initializing driver operations queue.",
        start(StartMark::Initializing),
    );
    check("Perf: Doqe: Install ended.", Event::QueueEnd);
    check("Perf: Doqe: Critical install ended.", Event::QueueEnd);
    check(
        "Startup: Driver operations completed successfully.",
        Event::QueueDone,
    );
    check(
        "Doqe: interactive driver operations completed but required a reboot.",
        Event::QueueDone,
    );
    check("Doqe: Unlocking driver updates, Count 1336", Event::Message);
}

#[test]
fn results_of_packages() {
    check(
        "     INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf",
        Event::PackageResult {
            verb: "INSTALL",
            pass: 1,
            code: 0x8007_0003,
            inf: "ntprint4.inf",
        },
    );
    check(
        "UNSTAGE index: 9, phase: 3, result 0, inf: a b.inf",
        Event::PackageResult {
            verb: "UNSTAGE",
            pass: 3,
            code: 0,
            inf: "a b.inf",
        },
    );
    check(
        "Doqe: Recording result: 0x800703f1, for Inf: oposdrv.inf",
        Event::InfResult {
            code: 0x8007_03F1,
            inf: "oposdrv.inf",
        },
    );
    for message in [
        "INSTALL index: 69, phase: 1",
        "INSTALL index: 69, phase: x, result 3, inf: a.inf",
        "Doqe: Recording result: none, for Inf: a.inf",
        "Doqe: Recording result: 0x800703f1",
    ] {
        check(message, Event::Message);
    }
}

#[test]
fn failures_of_the_queue() {
    let code = Some(0x8007_0003);
    let (hr, new) = (
        "[HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]",
        "HRESULT_FROM_WIN32(3)",
    );
    for (text, by, phase, critical) in [
        (format!("DriverUpdateInstallUpdates failed {hr}"), FailureMark::DriverUpdate, None, None),
        (format!("DriverUpdateStageUpdates failed: {new}"), FailureMark::DriverUpdate, None, None),
        (format!("Doqe: Failed installing driver updates {hr}"), FailureMark::DriverUpdate, None, None),
        (format!("Failed uninstalling driver updates {hr}"), FailureMark::DriverUpdate, None, None),
        ("Doqe: Failed processing queue with hr: 0x80070003".into(), FailureMark::DriverUpdate, None, None),
        (
            format!("Startup: Failed while processing non-critical driver operations queue. {hr}"),
            FailureMark::Queue, Some(Phase::Startup), Some(false),
        ),
        (
            format!("Startup: Failed executing critical driver operations queue {hr}"),
            FailureMark::Queue, Some(Phase::Startup), Some(true),
        ),
        // As pasted on a web page, with a blank lost and a dash found.
        (
            "Shtd: Failed while processing non-critical driver operationsqueue. [HRESULT = 0x80070003 – ERROR_PATH_NOT_FOUND]".into(),
            FailureMark::Queue, Some(Phase::Shutdown), Some(false),
        ),
        (
            "Shtd: Failed while processing driver operations queue. hr: 0x80070003".into(),
            FailureMark::Queue, Some(Phase::Shutdown), None,
        ),
        (
            format!("Startup: Failed while processing driver operations queue.: {new}"),
            FailureMark::Queue, Some(Phase::Startup), None,
        ),
        (
            "Doqe: Failed while processing driver operations queue interactively.: 0x80070003".into(),
            FailureMark::Queue, Some(Phase::Online), None,
        ),
        (format!("Doqi: Failed loading driver operations queue. {hr}"), FailureMark::Queue, None, None),
    ] {
        check(&text, Event::QueueFailed { by, phase, critical, code });
    }
    let ktm = |phase| Event::QueueFailed {
        by: FailureMark::KtmRollback,
        phase,
        critical: None,
        code: None,
    };
    check(
        "Startup: Rolling back KTM, because drivers failed.",
        ktm(Some(Phase::Startup)),
    );
    check(
        "Shtd: Rolling back KTM, because drivers failed.",
        ktm(Some(Phase::Shutdown)),
    );
    check("Rolling back KTM, because drivers failed.", ktm(None));
    check(
        "Failed to internally open package. [HRESULT = 0x800f0805]",
        Event::Message,
    );
    check(
        "Startup: Failed to something else",
        Event::At(Phase::Startup),
    );
}

#[test]
fn states() {
    let text = "CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed";
    let state = ExecuteState(text);
    assert_eq!(state.name(), "CbsExecuteStateStageDrivers");
    assert!(
        state.is_rollback()
            && state.drivers_failed()
            && !state.installers_failed()
            && !state.is_none()
    );
    check(
        &format!("Setting ExecuteState key to: {text}"),
        Event::State { state, set: true },
    );
    check(
        &format!("Startup: current ExecuteState is {text}"),
        Event::State { state, set: false },
    );
    check(
        &format!("SetProgressMessage: progressMessageStage: -1, ExecuteState: {text}, SubStage: 0"),
        Event::State { state, set: false },
    );
    check(
        "SetProgressMessage: progressMessageStage: 4, ExecuteState: CbsExecuteStateStageDrivers, SubStage: 0",
        Event::Rollback { temporary: true },
    );
    let none = ExecuteState("ExecuteStateNone");
    assert!(none.is_none() && !none.is_rollback());
    check(
        "Setting ExecuteState key to: ExecuteStateNone",
        Event::State {
            state: none,
            set: true,
        },
    );
    let resumed = ExecuteState("CbsExecuteStatePrimitives [2] | NewFlag");
    assert_eq!(resumed.name(), "CbsExecuteStatePrimitives [2]");
    check(
        "Shtd: current ExecuteState is CbsExecuteStatePrimitives [2] | NewFlag",
        Event::State {
            state: resumed,
            set: false,
        },
    );
    let installers = ExecuteState(
        "CbsExecuteStateInitiateRollback | CbsExecuteStateFlagAdvancedInstallersFailed",
    );
    assert!(installers.installers_failed() && !installers.drivers_failed());
}

#[test]
fn rollbacks_and_their_ends() {
    let progress = "Progress: UI message updated. Operation type: Update. Stage: 1 out of 1.";
    check(
        &format!("{progress} Rollback."),
        Event::Rollback { temporary: false },
    );
    check(
        &format!("{progress} Temporary Rollback."),
        Event::Rollback { temporary: true },
    );
    check(&format!("{progress} Percent progress: 30."), Event::Message);
    check(
        "Setting original failure status: 0x80070003, last forward execute state: CbsExecuteStatePrimitives",
        Event::OriginalFailure {
            retrieved: false,
            code: Some(0x8007_0003),
        },
    );
    check(
        "Retrieved original failure status: 0x0, last forward execute state: x",
        Event::OriginalFailure {
            retrieved: true,
            code: Some(0),
        },
    );
    check("Clearing original failure status", Event::FailureCleared);
    for (text, by, code) in [
        (
            "Startup: Processing complete. [HRESULT = 0x8007000d - X]",
            EndMark::StartupProcessed,
            Some(0x8007_000D),
        ),
        (
            "Startup processing completed. [HRESULT = 0x00000000]",
            EndMark::StartupCompleted,
            Some(0),
        ),
        (
            "Setting ServicingInProgress flag to 0",
            EndMark::StartupCompleted,
            None,
        ),
        (
            "Winlogon: Deregistering for CreateSession notifications",
            EndMark::WinlogonReleased,
            None,
        ),
        ("A restart has been initiated", EndMark::Restart, None),
    ] {
        check(text, Event::End { by, code });
    }
    check("Shtd: Shutdown processing complete.", Event::ShutdownDone);
    check(
        "Startup: Failed, restart required to try again.",
        Event::Reboot(Reboot::Required),
    );
    check(
        "Startup: Success, restart required to continue processing.",
        Event::Reboot(Reboot::Required),
    );
    check(
        "Setting reboot in progress flag",
        Event::Reboot(Reboot::InProgress),
    );
    check("Reboot mark set", Event::Reboot(Reboot::MarkSet));
    check("Reboot mark cleared", Event::Reboot(Reboot::MarkCleared));
}

#[test]
fn times_and_starts() {
    check(
        "TI: --- Initializing Trusted Installer ---",
        Event::ServiceStart,
    );
    check(
        "Starting TrustedInstaller initialization.",
        Event::ServiceStart,
    );
    check("Starting TiWorker initialization.", Event::Message);
    let time = |text| LocalTime::read(text, b'-').unwrap().0;
    check(
        "TI: Last boot time: 2023-05-23 10:22:49.500",
        Event::LastBoot(time("2023-05-23 10:22:49.500")),
    );
    check(
        "Universal Time is: 2023-05-23 16:22:57.451",
        Event::UniversalTime(time("2023-05-23 16:22:57.451").to_utc(0)),
    );
    check(
        "Loaded Servicing Stack v10.0.19041.2664 with Core: C:\\x.dll",
        Event::Stack("10.0.19041.2664"),
    );
    check(
        "No startup processing required, TrustedInstaller service was not set as autostart",
        Event::NoStartup,
    );
}

#[test]
fn packages() {
    check(
        "WER: Generating failure report for package: Package_for_RollupFix~31bf3856ad364e35~amd64~~14393.4889.1.2, status: 0x8007000d, failure source: DOQ, start state: Staged, target state: Installed, client id: WindowsUpdateAgent",
        Event::Package(PackageOutcome {
            package: "Package_for_RollupFix~31bf3856ad364e35~amd64~~14393.4889.1.2",
            code: Some(0x8007_000D),
            failure_source: Some("DOQ"),
            client: Some("WindowsUpdateAgent"),
        }),
    );
    check(
        "Reporting package change completion for package: P~x~~1.2, current: Absent, pending: Default, hotpatch status: DisabledBecauseNoHotpatchPackagesInitiated, status: 0x0, failure source: Not Applicable, reboot required: False, client id: DISM Package Manager Provider, initiated offline: False",
        Event::Package(PackageOutcome {
            package: "P~x~~1.2",
            code: Some(0),
            failure_source: None,
            client: Some("DISM Package Manager Provider"),
        }),
    );
    check(
        "Startup: Package: P~x~~1.2 completed startup processing, new state: Staged, original: Staged, targeted: Installed.  hr = 0x800703f1",
        Event::Package(PackageOutcome {
            package: "P~x~~1.2",
            code: Some(0x8007_03F1),
            failure_source: None,
            client: None,
        }),
    );
}

#[test]
fn other_causes() {
    let other = |cause, code| format!("{:?}", Event::Other { cause, code });
    check(
        "Startup: Failed while processing non-critical primitive operations queue. Non-critical primitives will be retried from SMSS. [HRESULT = 0x80070057 - E_INVALIDARG]",
        Event::Other {
            cause: OtherCause::PrimitivesDeferred,
            code: Some(0x8007_0057),
        },
    );
    check(
        "Shtd: Failed while processing critical primitive operations queue [HRESULT = 0x80070005]",
        Event::Other {
            cause: OtherCause::Primitives,
            code: Some(0x8007_0005),
        },
    );
    check(
        "Startup: A possible hang was detected on the last boot.",
        Event::Other {
            cause: OtherCause::Hang,
            code: Some(0x800F_0920),
        },
    );
    assert_eq!(
        event(
            "CSI",
            "00000e64 (F) Failed execution of queue item Installer: HTTP Installer ({g}) with HRESULT HRESULT_FROM_WIN32(1058).  Failure will not be ignored: A rollback will be initiated after all[gle=0x80004005]"
        ),
        other(OtherCause::AdvancedInstallers, Some(0x8007_0422))
    );
    assert_eq!(
        event(
            "CSI",
            "00005fcb (F) HRESULT_FROM_WIN32(1009) #45504955# from Windows::Rtl::LoadStore(...)[gle=0x800703f1]"
        ),
        other(OtherCause::Store, Some(0x8007_03F1))
    );
    assert_eq!(event("CSI", "00005fcb LoadStore of nothing"), "Message");
}

#[test]
fn operations_of_the_component_store() {
    let text = "0000002f Error STATUS_SHARING_VIOLATION while executing operation CreateFile on [l:126]'\\SystemRoot\\WinSxS\\amd64_x\\dnsapi.dll'";
    let expected = NtFailure {
        name: "STATUS_SHARING_VIOLATION",
        status: Some(0xC000_0043),
        operation: "CreateFile",
        path: "\\SystemRoot\\WinSxS\\amd64_x\\dnsapi.dll",
    };
    assert_eq!(
        event("CSI", text),
        format!("{:?}", Event::NtFailure(expected))
    );
    assert_eq!(
        counted_string("[l:12 ml:13]'SetupExecute'"),
        Some("SetupExecute")
    );
    assert_eq!(
        counted_string("[ml:26{13},l:24{12}]\"SetupExecute\" x"),
        Some("SetupExecute")
    );
    for bad in ["", "[l:12", "[l:12]SetupExecute", "[l:12]'", "SetupExecute"] {
        assert_eq!(counted_string(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text(text in "\\PC{0,120}", n in 0_usize..100) {
        event("CBS", &text);
        event("CSI", &format!("00000001 {text}"));
        event("CSI", &format!("00000001 Error {text}"));
        // Every form, cut anywhere and with something else behind.
        let forms = [
            "Perf: Doqe: Critical install started.",
            "Doqe: [Forward] Installing driver updates, Count 675",
            "INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf",
            "Doqe: Recording result: 0x800703f1, for Inf: oposdrv.inf",
            "Startup: Package: P completed, hr = 0x800703f1",
            "WER: Generating failure report for package: P, status: 0x8007000d, failure source: DOQ",
            "Startup: Failed while processing non-critical driver operations queue. [HRESULT = 0x80070003]",
            "TI: It looks like TI crashed or was interrupted last time it was started",
            "Universal Time is: 2023-05-23 16:22:57.451",
            "SetProgressMessage: progressMessageStage: 4, ExecuteState: A | B",
        ];
        for form in forms {
            let cut: String = form.chars().take(n).collect();
            event("CBS", &format!("{cut}{text}"));
        }
    }
}
