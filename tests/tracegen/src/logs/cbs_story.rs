//! The story as CBS.log tells it.

use super::{CbsWriter, Log, Paper, Phase, Story, Windows};

const SECOND: u64 = 10_000_000;

/// INFs of the queue before the one that fails.
pub(super) const OTHERS: [&str; 6] = [
    "ntprint.inf",
    "netrtwlane.inf",
    "usbstor.inf",
    "wpdmtp.inf",
    "hidserv.inf",
    "bthpan.inf",
];

/// CBS.log of a story.
pub fn cbs(story: &Story, paper: &Paper) -> Log {
    let mut log = CbsWriter::new(paper);
    let first = story.queue.unwrap_or(story.failure).min(story.failure) - 8 * SECOND;
    match story.phase {
        Phase::Startup => {
            service(&mut log, story, story.boot, first);
            startup(
                &mut log,
                story,
                first + SECOND,
                "CbsExecuteStateResolvePending",
            );
        }
        Phase::Shutdown => {
            // The boot before ran for a day.
            service(
                &mut log,
                story,
                story.boot - 86_400 * SECOND,
                first - SECOND,
            );
            log.info(first, "Shtd: Starting shutdown processing");
            log.info(
                first,
                "Shtd: current ExecuteState is CbsExecuteStateResolvePending",
            );
        }
    }
    log.filler(first + SECOND);
    queue(&mut log, story);
    if !story.fails() {
        done(&mut log, story, story.failure);
        return log.finish();
    }
    failure(&mut log, story);
    if let Some(end) = story.rollback_end {
        rollback(&mut log, story, end);
    }
    log.finish()
}

/// The service starts and loads the stack.
fn service(log: &mut CbsWriter, story: &Story, boot: u64, time: u64) {
    let modern = !matches!(story.windows, Windows::Vista | Windows::Seven);
    if modern {
        log.info(time, "TI: --- Initializing Trusted Installer ---");
        let boot = log.paper().millis(boot);
        log.info(time, &format!("TI: Last boot time: {boot}"));
    }
    log.info(time, "Starting TrustedInstaller initialization.");
    log.plain(time, "Ending TrustedInstaller initialization.");
    log.plain(time, "TrustedInstaller service starts successfully.");
    log.plain(
        time,
        "Winlogon: Registering for CreateSession notifications",
    );
    if modern {
        log.plain(time, "Starting TiWorker initialization.");
        let utc = log.paper().utc_millis(time);
        log.info(time, &format!("Universal Time is: {utc}"));
    }
    let version = match story.windows {
        Windows::Vista => "6.0.6002.18005",
        Windows::Seven => "6.1.7601.23505",
        Windows::EightOne => "6.3.9600.17246",
        Windows::Ten => "10.0.19041.4412",
        Windows::Eleven => "10.0.26100.8328",
    };
    log.info(
        time,
        &format!(
            "Loaded Servicing Stack v{version} with Core: C:\\Windows\\winsxs\\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_{version}_none_7dfa24947c9c0a36\\cbscore.dll"
        ),
    );
    log.reload();
    log.csi_stamped(
        time,
        &format!("WcpInitialize: wcp.dll version {version} (WinBuild.160101.0800)"),
    );
    log.plain(
        time,
        "Session: 31033558_1766032457 initialized by client WindowsUpdateAgent, external staging directory: (null), external registry directory: (null)",
    );
}

/// Startup processing begins in `state`.
fn startup(log: &mut CbsWriter, story: &Story, time: u64, state: &str) {
    log.info(
        time,
        "Startup: BlockTime: 10800000ms, BlockTimeIncrement: 900000ms",
    );
    log.info(time, &format!("Startup: current ExecuteState is {state}"));
    if story.queue.is_some() || state.contains("Rollback") {
        log.info(time, "Startup: Initializing driver operations queue.");
    }
    log.info(time, "Startup: Waiting for SC autostart event");
}

fn phase(story: &Story) -> &'static str {
    match story.phase {
        Phase::Startup => "Startup",
        Phase::Shutdown => "Shtd",
    }
}

/// The queue runs up to the INF that fails.
fn queue(log: &mut CbsWriter, story: &Story) {
    let phase = phase(story);
    let count = OTHERS.len() + 1;
    if let Some(time) = story.queue {
        match story.windows {
            Windows::Vista | Windows::Seven => {
                let package = &story.package;
                log.info(
                    time,
                    &format!("Doqe: Installing driver Update ID: {package}"),
                );
            }
            Windows::Eleven => {
                log.info(
                    time,
                    &format!("{phase}: Processing driver operations queue."),
                );
                log.info(
                    time,
                    &format!("Doqe: [Forward] Installing driver updates, Count {count}"),
                );
            }
            Windows::EightOne | Windows::Ten => {
                log.info(
                    time - SECOND,
                    &format!("{phase}: Processing non-critical driver operations queue"),
                );
                log.info(time, "Perf: Doqe: Install started.");
                log.info(
                    time,
                    &format!("Doqe: [Forward] Installing driver updates, Count {count}"),
                );
            }
        }
    }
    let from = story.queue.unwrap_or(story.failure - 5 * SECOND);
    let step = story.failure.saturating_sub(from) / (OTHERS.len() as u64 + 1);
    for (n, inf) in OTHERS.iter().enumerate() {
        let time = from + step * (n as u64 + 1);
        if !matches!(story.windows, Windows::Vista | Windows::Seven) {
            log.info(
                time,
                &format!(
                    "     INSTALL index: {}, phase: 1, result 0, inf: {inf}",
                    60 + n
                ),
            );
        }
        log.filler(time);
    }
}

fn failure(log: &mut CbsWriter, story: &Story) {
    let (time, code, phase) = (story.failure, story.code(), phase(story));
    let queue = match story.windows {
        Windows::EightOne | Windows::Ten => "non-critical driver operations queue.",
        _ => "driver operations queue.",
    };
    if matches!(story.windows, Windows::Vista | Windows::Seven) {
        let hr = story.hresult();
        log.error(
            time,
            &format!("Doqe: Failed processing queue with hr: {hr}"),
        );
    } else {
        log.csi_telling(
            time,
            "Error STATUS_SHARING_VIOLATION while executing operation CreateFile on [l:86]'\\SystemRoot\\System32\\config\\DRIVERS'",
        );
        log.info(
            time,
            &format!(
                "     INSTALL index: 69, phase: 1, result {}, inf: {}",
                story.error, story.inf
            ),
        );
        log.info(
            time,
            &format!(
                "Doqe: Recording result: {}, for Inf: {}",
                story.hresult(),
                story.inf
            ),
        );
        log.info(time, &format!("DriverUpdateInstallUpdates failed{code}"));
        log.info(
            time,
            &format!("Doqe: Failed installing driver updates{code}"),
        );
        if story.windows != Windows::Eleven {
            log.info(time, "Perf: Doqe: Install ended.");
        }
        log.info(time, &format!("Failed installing driver updates{code}"));
    }
    log.error(
        time,
        &format!("{phase}: Failed while processing {queue}{code}"),
    );
    if story.windows == Windows::Vista {
        log.info(
            time,
            "Shtd: Failure occurred during shutdown processing after drivers were processed.  Attempting to undo driver operations.  Driver operations will be tried again on startup of Trusted Installer",
        );
        return;
    }
    log.info(
        time,
        &format!("{phase}: Rolling back KTM, because drivers failed."),
    );
    if story.temporary {
        log.info(
            time,
            "SetProgressMessage: progressMessageStage: 4, ExecuteState: CbsExecuteStateStageDrivers, SubStage: 0",
        );
        log.info(
            time,
            "Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Temporary Rollback.",
        );
        return;
    }
    log.info(
        time,
        "Setting ExecuteState key to: CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed",
    );
    log.info(
        time,
        "SetProgressMessage: progressMessageStage: -1, ExecuteState: CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed, SubStage: 0",
    );
    log.info(
        time,
        "Progress: UI message updated. Operation type: Update. Stage: 1 out of 1. Rollback.",
    );
    let hr = story.hresult();
    log.info(
        time,
        &format!(
            "Setting original failure status: {hr}, last forward execute state: CbsExecuteStatePrimitives"
        ),
    );
}

/// From the failure to the end of the pass that ends the rollback.
fn rollback(log: &mut CbsWriter, story: &Story, end: u64) {
    let hr = story.hresult();
    if story.phase == Phase::Shutdown {
        log.info(
            story.failure + SECOND,
            "Shtd: Shutdown processing complete.",
        );
        log.info(story.failure + SECOND, "A restart has been initiated");
        let time = story.boot + 20 * SECOND;
        service(log, story, story.boot, time);
        let state = if story.temporary {
            "CbsExecuteStateStageDrivers"
        } else {
            "CbsExecuteStateStageDrivers | CbsExecuteStateFlagRollback | CbsExecuteStateFlagDriversFailed"
        };
        startup(log, story, time, state);
        if !story.temporary {
            log.info(
                time,
                &format!(
                    "Retrieved original failure status: {hr}, last forward execute state: CbsExecuteStatePrimitives"
                ),
            );
        }
    }
    if story.temporary {
        // Tried again, and done.
        let package = &story.package;
        log.info(end - 3 * SECOND, "Perf: Doqe: Install started.");
        log.info(
            end - 2 * SECOND,
            "Doqe: [Forward] Installing driver updates, Count 7",
        );
        log.info(end - SECOND, "Perf: Doqe: Install ended.");
        log.info(
            end,
            &format!("Startup: Package: {package} completed startup processing, new state: Installed, original: Staged, targeted: Installed.  hr = 0x0"),
        );
        done(log, story, end);
        return;
    }
    log.filler(end - 2 * SECOND);
    log.info(
        end - SECOND,
        &format!(
            "WER: Generating failure report for package: {}, status: {hr}, failure source: DOQ, start state: Staged, target state: Installed, client id: WindowsUpdateAgent",
            story.package
        ),
    );
    log.info(
        end - SECOND,
        &format!(
            "Startup: Package: {} completed startup processing, new state: Staged, original: Staged, targeted: Installed.  hr = {hr}",
            story.package
        ),
    );
    done(log, story, end);
}

/// The end of startup processing, however it went.
fn done(log: &mut CbsWriter, story: &Story, time: u64) {
    if !story.fails() {
        let phase = phase(story);
        log.info(time, "Perf: Doqe: Install ended.");
        log.info(
            time,
            &format!("{phase}: Driver operations completed successfully."),
        );
    }
    log.info(time, "Clearing original failure status");
    log.plain(time, "Doqe: Unlocking driver updates, Count 1336");
    log.info(time, "Setting ExecuteState key to: ExecuteStateNone");
    let later = time + 2 * SECOND;
    log.info(
        later,
        &format!(
            "Startup: Processing complete. [HRESULT = {} - {}]",
            story.hresult(),
            story.error_name
        ),
    );
    log.info(later, "Setting ServicingInProgress flag to 0");
    log.info(
        later,
        "Startup processing completed. [HRESULT = 0x00000000]",
    );
    log.info(
        later,
        "Winlogon: Deregistering for CreateSession notifications",
    );
    log.filler(later);
}
