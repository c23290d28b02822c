//! The story as setupapi.dev.log tells it.

use super::cbs_story::OTHERS;
use super::{Log, Paper, Phase, SetupWriter, Story, Windows};

const SECOND: u64 = 10_000_000;
const MILLI: u64 = 10_000;
const REPOSITORY: &str = "C:\\Windows\\System32\\DriverStore\\FileRepository";

/// setupapi.dev.log of a story.
pub fn setupapi(story: &Story, paper: &Paper) -> Log {
    let version = match story.windows {
        Windows::Vista => "6.0.6002",
        Windows::Seven => "6.1.7601",
        Windows::EightOne => "6.3.9600",
        Windows::Ten => "10.0.19045",
        Windows::Eleven => "10.0.26100",
    };
    let mut log = SetupWriter::new(paper, version);
    let before = story.boot - 2 * 86_400 * SECOND;
    log.boot(before);
    noise(&mut log, before + 60 * SECOND);
    if story.phase == Phase::Startup {
        log.boot(story.boot);
    }
    let queue = story.queue.unwrap_or(story.failure - 5 * SECOND);
    let worker = worker(version);
    log.open(queue - 6 * SECOND, "Disable Device Install", &worker);
    log.info("ump", "DeviceInstall service is not started.");
    log.close(queue - 6 * SECOND, "SUCCESS");
    stage(&mut log, story, queue - 5 * SECOND, &worker);
    install(&mut log, story, queue, &worker);
    if story.phase == Phase::Shutdown {
        log.boot(story.boot);
    }
    if let Some(end) = story.rollback_end {
        if story.fails() && !story.temporary {
            unstage(&mut log, story, end - 3 * SECOND, &worker);
        }
        log.open(end, "Enable Device Install", &worker);
        log.info("ump", "Device install status = 0x00000000");
        log.close(end, "SUCCESS");
    }
    log.finish()
}

fn worker(version: &str) -> String {
    let stack = format!(
        "amd64_microsoft-windows-servicingstack_31bf3856ad364e35_{version}.4412_none_7dfa24947c9c0a36"
    );
    // Windows 7 has no TiWorker: the service does the work itself.
    if version.starts_with("6.0") || version.starts_with("6.1") {
        "C:\\Windows\\servicing\\TrustedInstaller.exe".into()
    } else {
        format!("C:\\Windows\\winsxs\\{stack}\\TiWorker.exe -Embedding")
    }
}

/// What such a log is full of.
fn noise(log: &mut SetupWriter, time: u64) {
    log.open(
        time,
        "Device Install (Hardware initiated) - SWD\\PRINTENUM\\{1C5D8F3A-6B7E-9012-8D0E-7C6B5A493827}",
        "",
    );
    log.scope(time, "dvi", "Build Driver List");
    log.info("dvi", "Searching for hardware ID(s):");
    let device = log.paper().device();
    log.info("dvi", device);
    log.scope_end(time + MILLI, "dvi", "Build Driver List", 0);
    log.info("sig", "Signer Score  = 0x0D000003 (Inbox)");
    log.scope(time + MILLI, "sig", "_VERIFY_FILE_SIGNATURE");
    log.warning(
        "sig",
        "Verifying file against specific (valid) catalog failed! (0x800b0109)",
    );
    log.timed(
        time + 2 * MILLI,
        "sig",
        "{_VERIFY_FILE_SIGNATURE exit(0x800b0109)}",
    );
    log.info("ndv", "Waiting for device post-install to complete.");
    log.raw("     ...: Co-installer line of a vendor");
    log.close(time + SECOND, "SUCCESS");
    for n in 0..log.paper().filler as u64 / 10 {
        let at = time + (n + 2) * SECOND;
        log.open(at, "Device Installation Restrictions Policy Check", "");
        log.close(at, "SUCCESS");
    }
}

fn folder(inf: &str, hash: &str) -> String {
    format!("{REPOSITORY}\\{inf}_amd64_{hash}")
}

fn summary(log: &mut SetupWriter, count: usize) {
    log.info("sto", "Image State        = Specialized");
    log.info("sto", "Image Architecture = amd64");
    log.info("sto", "Transaction        = CbsDriversAndPrimitives");
    log.info("sto", &format!("Driver Updates     = {count}"));
}

fn stage(log: &mut SetupWriter, story: &Story, time: u64, worker: &str) {
    log.open(time, "Stage Driver Updates", worker);
    summary(log, OTHERS.len() + 1);
    let source = format!(
        "C:\\Windows\\WinSxS\\amd64_dual_{0}_31bf3856ad364e35_10.0.19041.3743_none_5ab1c0de77e3f210\\{0}",
        story.inf
    );
    log.warning("inf", "DriverVer directive incomplete");
    let name = format!("Stage Driver Package: {source}");
    log.scope(time + 100 * MILLI, "sto", &name);
    let (folder, package) = (folder(&story.inf, &story.hash), story.package_folder());
    log.info(
        "flq",
        &format!("Hardlinking '{source}' to '{folder}\\{}'.", story.inf),
    );
    let name = format!("Register Driver Package: {folder}\\{}", story.inf);
    log.scope(time + 101 * MILLI, "idb", &name);
    log.info(
        "idb",
        &format!("Created driver package object '{package}' in DRIVERS database node."),
    );
    log.info(
        "idb",
        &format!(
            "Driver INF file object '{}' already exists in DRIVERS database node.",
            story.inf
        ),
    );
    log.scope_end(time + 102 * MILLI, "idb", "Register Driver Package", 0);
    log.scope_end(time + 103 * MILLI, "sto", "Stage Driver Package", 0);
    log.close(time + SECOND, "SUCCESS");
}

fn install(log: &mut SetupWriter, story: &Story, time: u64, worker: &str) {
    log.open(time, "Install Driver Updates", worker);
    summary(log, OTHERS.len() + 1);
    let step = story.failure.saturating_sub(time) / (OTHERS.len() as u64 + 1);
    for (n, inf) in OTHERS.iter().enumerate() {
        let at = time + step * (n as u64 + 1);
        publish(log, at, inf, &format!("{n:016x}"), 0);
    }
    publish(log, story.failure, &story.inf, &story.hash, story.error);
    if story.fails() {
        log.close(
            story.failure + 40 * MILLI,
            &format!("FAILURE(0x{:08x})", story.error),
        );
        return;
    }
    // No line of this pass has a time.
    let package = folder(&story.inf, &story.hash);
    let path = format!("{package}\\{}", story.inf);
    log.info("sto", &format!("{{Reflect Driver Package: {path}}}"));
    log.info("inf", &format!("     {{Configure Driver: {}}}", story.inf));
    log.info("inf", "          {Add Service: opos}");
    log.info("inf", "          {Add Service: exit(0x00000000)}");
    log.info("inf", "     {Configure Driver: exit(0x00000000)}");
    log.info("sto", "{Reflect Driver Package: exit(0x00000000)}");
    log.close(story.failure, "SUCCESS (REBOOT_REQUIRED)");
}

fn publish(log: &mut SetupWriter, time: u64, inf: &str, hash: &str, error: u32) {
    let package = format!("{inf}_amd64_{hash}");
    let name = format!("Publish Driver Package: {}\\{inf}", folder(inf, hash));
    log.scope(time, "sto", &name);
    log.info("sto", &format!("Driver Package = {package}"));
    log.scope(time + MILLI, "idb", &name);
    if error == 0 {
        log.info(
            "idb",
            &format!("Driver package '{package}' is already active."),
        );
    } else {
        log.info(
            "idb",
            &format!(
                "Changing active driver package from '{inf}_amd64_00000000000000aa' to '{package}'."
            ),
        );
        log.error(
            "idb",
            &format!("Failed to publish driver package '{package}'. Error = 0x{error:08X}"),
        );
    }
    log.scope_end(time + 20 * MILLI, "idb", "Publish Driver Package", error);
    if error != 0 {
        log.error(
            "sto",
            &format!(
                "Failed to publish driver update '{}\\{inf}'. Error = 0x{error:08X}",
                folder(inf, hash)
            ),
        );
    }
    log.scope_end(time + 30 * MILLI, "sto", "Publish Driver Package", error);
}

fn unstage(log: &mut SetupWriter, story: &Story, time: u64, worker: &str) {
    log.open(time, "Unstage Driver Updates", worker);
    summary(log, OTHERS.len() + 1);
    let name = format!(
        "Unstage Driver Package: {}\\{}",
        folder(&story.inf, &story.hash),
        story.inf
    );
    log.scope(time + 10 * MILLI, "sto", &name);
    log.scope(time + 11 * MILLI, "sto", "DRIVERSTORE DELETE BEGIN");
    log.scope_end(time + 12 * MILLI, "sto", "DRIVERSTORE DELETE BEGIN", 0);
    log.info("dvi", "Flushed DRIVERS registry hive.");
    log.scope_end(time + 20 * MILLI, "sto", "Unstage Driver Package", 0);
    log.close(time + SECOND, "SUCCESS");
}
