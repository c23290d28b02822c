//! What whole logs of real machines have that samples had not: Windows 10 1809 and 11 22H2, whose updates went well. The
//! failures are put into them.

use super::story_tests::{MILLI, SECOND, WORKER, plain, read, read_all};
use super::*;
use tracegen::logs::SetupWriter;
use tracegen::scenario::START;

/// Package folder of an INF.
fn folder(inf: &str) -> String {
    format!("C:\\Windows\\System32\\DriverStore\\FileRepository\\{inf}_x86_fbf0e39f069dae67\\{inf}")
}

/// A section up to the end of a pass that has times, full of warnings that mean nothing, as in a real log of Windows 10
/// 1809.
fn install_up_to_reflect(log: &mut SetupWriter, time: u64) {
    log.open(time, "Install Driver Updates", WORKER);
    let name = format!("Publish Driver Package: {}", folder("oposdrv.inf"));
    log.scope(time + SECOND, "sto", &name);
    log.warning(
        "idb",
        "Driver INF match for 'ufxsynopsys.inf' already exists under 'PCI\\VEN_8086&DEV_9D30'.",
    );
    log.warning("inf", "Driver package 'wpdmtp.inf' is NOT configurable.");
    log.scope_end(time + 2 * SECOND, "sto", "Publish Driver Package", 0);
    log.info("sto", "Driver update 'acpidev.inf' is already reflected.");
}

#[test]
fn a_pass_without_times() {
    let reflect = format!("Reflect Driver Package: {}", folder("disk.inf"));
    let mut log = SetupWriter::new(&plain(), "10.0.17763");
    install_up_to_reflect(&mut log, START);
    log.info("sto", &format!("{{{reflect}}}"));
    log.info("inf", "     {Configure Driver: disk.inf}");
    log.info("inf", "     {Configure Driver: exit(0x00000005)}");
    log.info("sto", "{Reflect Driver Package: exit(0x00000005)}");
    log.close(START + 9 * SECOND, "FAILURE(0x00000005)");
    // One whose lines with a time lie near.
    install_up_to_reflect(&mut log, START + 60 * SECOND);
    log.info("sto", &format!("{{{reflect}}}"));
    log.error("sto", "Failed to reflect. Error = 0x00000005");
    log.close(START + 62 * SECOND + 300 * MILLI, "FAILURE(0x00000005)");
    let log = read(&log.finish().bytes);
    let failures = log.failing().filter_map(|section| section.failure.as_ref());
    let times: Vec<_> = failures
        .map(|failure| {
            assert_eq!(failure.inf.as_deref(), Some("disk.inf"));
            assert_eq!(failure.pass, Some(Pass::Reflect));
            assert_eq!(failure.earliest_mark().time, failure.earliest);
            (failure.earliest.0 - START, failure.mark.time.0 - START)
        })
        .collect();
    let before = 62 * SECOND;
    assert_eq!(times, [(2 * SECOND, 9 * SECOND), (before, before)]);
}

#[test]
fn a_warning_names_the_inf_of_an_error_right_behind_it_only() {
    let failure = |end: &dyn Fn(&mut SetupWriter)| {
        let mut log = SetupWriter::new(&plain(), "10.0.17763");
        install_up_to_reflect(&mut log, START);
        end(&mut log);
        let log = read(&log.finish().bytes);
        let failing: Vec<&Section> = log.failing().collect();
        assert_eq!(failing.len(), 1);
        failing[0].failure.clone().unwrap()
    };
    let status = |log: &mut SetupWriter| log.close(START + 3 * SECOND, "FAILURE(0x000003f1)");
    let told = [
        failure(&|log| status(log)),
        failure(&|log| {
            log.error("sto", "Failed. Error = 0x000003F1");
            status(log);
        }),
        failure(&|log| {
            log.break_off();
            log.boot(START + 60 * SECOND);
        }),
        failure(&|log| {
            log.warning("idb", "Driver INF match for 'x.inf' already exists.");
            log.break_off();
            log.boot(START + 60 * SECOND);
        }),
    ];
    for failure in told {
        assert_eq!((failure.inf, failure.package), (None, None));
    }
    let by_name = failure(&|log| {
        log.error("sto", "Failed to publish 'OPOSDRV.INF'. Error = 0x000003F1");
        status(log);
    });
    assert_eq!(by_name.inf.as_deref(), Some("OPOSDRV.INF"));
    let behind = failure(&|log| {
        let path = folder("oposdrv.inf");
        log.warning("inf", &format!("Unable to load INF: '{path}'(000003f1)"));
        log.error("sto", "Failed. Error = 0x000003F1");
        status(log);
    });
    assert_eq!(behind.inf.as_deref(), Some("oposdrv.inf"));
    let package = behind.package.as_deref();
    assert_eq!(package, Some("oposdrv.inf_x86_fbf0e39f069dae67"));
    let before = failure(&|log| {
        let path = folder("oposdrv.inf");
        log.warning("inf", &format!("Unable to load INF: '{path}'(000003f1)"));
        log.info("sto", "No effective section names for 'wvpci.inf'.");
        log.error("sto", "Failed. Error = 0x000003F1");
        status(log);
    });
    assert_eq!(before.inf, None);
}

#[test]
fn an_update_of_devices_is_that_of_the_inf_in_the_queue() {
    // As in a real log of Windows 11 22H2, which goes well.
    let mut log = SetupWriter::new(&plain(), "10.0.22621");
    install_up_to_reflect(&mut log, START);
    log.info(
        "sto",
        &format!("{{Reflect Driver Package: {}}}", folder("bth.inf")),
    );
    log.info("sto", "{Reflect Driver Package: exit(0x00000000)}");
    let update = "Update Device Drivers: Bth.inf";
    log.scope(START + 3 * SECOND, "sto", update);
    log.info(
        "sto",
        "     {Update Device: USB\\VID_0BDA&PID_C123\\00e04c000001}",
    );
    log.info(
        "sto",
        "          Using driver package 'oem51.inf' that includes 'bth.inf'.",
    );
    let inner = folder("rtkfilter.inf");
    log.info(
        "sto",
        &format!("          {{Reflect Driver Package: {inner}}}"),
    );
    let whole = log.clone();
    log.error("sto", "Failed to copy. Error = 0x00000020");
    log.close(START + 4 * SECOND, "FAILURE(0x00000020)");
    let failure_of = |log: SetupWriter| {
        let log = read(&log.finish().bytes);
        let failing: Vec<&Section> = log.failing().collect();
        assert_eq!(failing.len(), 1);
        failing[0].failure.clone().unwrap()
    };
    let failure = failure_of(log);
    assert_eq!(failure.inf.as_deref(), Some("Bth.inf"));
    assert_eq!(failure.path, Some(inner));
    let package = failure.package.as_deref();
    assert_eq!(package, Some("rtkfilter.inf_x86_fbf0e39f069dae67"));
    assert_eq!(failure.pass, Some(Pass::Update));
    // The scope that fails has the name alone, a warning before it that of the package it replaces.
    let mut log = whole;
    log.info(
        "sto",
        "          {Reflect Driver Package: exit(0x00000000)}",
    );
    log.info("sto", "     {Update Device: exit(0x00000000)}");
    log.warning(
        "idb",
        "Last driver package 'bth.inf_amd64_ba9de8e39a62b029' using service 'BthUsb' needs reconfiguration.",
    );
    log.scope_end(START + 4 * SECOND, "sto", "Update Device Drivers", 0x3F1);
    log.close(START + 4 * SECOND, "FAILURE(0x000003f1)");
    let failure = failure_of(log);
    assert_eq!(failure.inf.as_deref(), Some("Bth.inf"));
    let package = failure.package.as_deref();
    assert_eq!(package, Some("bth.inf_x86_fbf0e39f069dae67"));
}

#[test]
fn an_update_that_went_well_did_not_fail() {
    let mut log = SetupWriter::new(&plain(), "10.0.22621");
    install_up_to_reflect(&mut log, START);
    log.error(
        "sto",
        "Unable to update all dependent driver configurations. Error = 0x00000002",
    );
    log.close(START + 4 * SECOND, "SUCCESS (REBOOT_REQUIRED)");
    // What it replaced is taken away in the next boot.
    log.boot(START + 60 * SECOND);
    log.open(START + 70 * SECOND, "Unstage Driver Updates", WORKER);
    log.close(START + 71 * SECOND, "FAILURE(0x00000005)");
    let old = log.clone();
    let found = read(&old.finish().bytes);
    assert_eq!((found.failing().count(), found.sections[0].errors), (0, 1));
    // An update that is taken out a week later counts by itself.
    let week = START + 7 * 86_400 * SECOND;
    log.open(week, "Uninstall Driver Updates", WORKER);
    log.close(week + SECOND, "FAILURE(0x00000005)");
    let found = read(&log.finish().bytes);
    let titles: Vec<&str> = found.failing().map(|section| &*section.title).collect();
    assert_eq!(titles, ["Uninstall Driver Updates"]);
}

#[test]
fn staging_names_its_package_inside() {
    let mut log = SetupWriter::new(&plain(), "10.0.17763");
    log.open(START, "Stage Driver Updates", WORKER);
    let source = "C:\\Windows\\WinSxS\\x86_dual_OposDrv.inf_31bf3856ad364e35_10.0.17763.7683_none_b2a4f69733dc849e\\OposDrv.inf";
    let stage = format!("Stage Driver Package: {source}");
    log.scope(START, "sto", &stage);
    log.info(
        "idb",
        "Created driver package object 'oposdrv.inf_x86_bd95a44b1060d2ea' in DRIVERS database node.",
    );
    log.scope_end(START, "sto", "Stage Driver Package", 0x20);
    log.close(START + SECOND, "FAILURE(0x00000020)");
    // Not that of the scope before.
    log.open(START + 5 * SECOND, "Stage Driver Updates", WORKER);
    log.scope(
        START + 5 * SECOND,
        "sto",
        "Stage Driver Package: C:\\a\\oposdrv.inf",
    );
    log.info(
        "idb",
        "Created driver package object 'oposdrv.inf_x86_bd95a44b1060d2ea' in DRIVERS database node.",
    );
    log.scope_end(START + 5 * SECOND, "sto", "Stage Driver Package", 0);
    log.scope(START + 5 * SECOND, "sto", &stage);
    log.scope_end(START + 5 * SECOND, "sto", "Stage Driver Package", 0x20);
    log.close(START + 6 * SECOND, "FAILURE(0x00000020)");
    let log = read(&log.finish().bytes);
    let failures = log.failing().filter_map(|section| section.failure.as_ref());
    let told: Vec<_> = failures.map(|f| (f.package.as_deref(), f.node)).collect();
    let package = Some("oposdrv.inf_x86_bd95a44b1060d2ea");
    assert_eq!(told, [(package, Some(Node::Drivers)), (None, None)]);
}

#[test]
fn a_log_that_ends_inside_a_section() {
    let mut log = SetupWriter::new(&plain(), "10.0.17763");
    install_up_to_reflect(&mut log, START);
    let open = log.clone().finish().bytes;
    let found = read(&open);
    assert_eq!(found.failing().count(), 0);
    let ends_in = found.files[0].ends_in.as_deref();
    assert_eq!(ends_in, Some("Install Driver Updates"));
    assert_eq!(found.files[0].warnings().len(), 1);
    // An error in it counts all the same; and the machine may have gone down in it.
    log.error("sto", "Failed. Error = 0x000003F1");
    assert_eq!(read(&log.finish().bytes).failing().count(), 1);
    let mut log = SetupWriter::new(&plain(), "10.0.17763");
    install_up_to_reflect(&mut log, START);
    log.break_off();
    log.boot(START + 60 * SECOND);
    let found = read(&log.finish().bytes);
    assert_eq!(found.failing().count(), 1);
    assert_eq!(found.files[0].ends_in, None);
    // The log was moved away, and the next one begins with the next start; or it is that of another day.
    let next = |boot| {
        let mut log = SetupWriter::new(&plain(), "10.0.17763");
        log.boot(boot);
        read_all(&[&open, &log.finish().bytes]).failing().count()
    };
    assert_eq!((next(START + 60 * SECOND), next(START - SECOND)), (1, 0));
    let mut log = SetupWriter::new(&plain(), "10.0.17763");
    log.open(START + 60 * SECOND, "Device Install - X", "");
    log.close(START + 61 * SECOND, "SUCCESS");
    assert_eq!(read_all(&[&open, &log.finish().bytes]).failing().count(), 0);
}

#[test]
fn an_error_behind_the_scope_that_failed() {
    let mut log = SetupWriter::new(&plain(), "10.0.19045");
    log.open(START, "Install Driver Updates", WORKER);
    let publish = format!("Publish Driver Package: {}", folder("oposdrv.inf"));
    log.scope(START + SECOND, "sto", &publish);
    log.scope_end(START + 2 * SECOND, "sto", "Publish Driver Package", 0x3F1);
    log.error(
        "sto",
        "Failed to install driver updates. Error = 0x000003F1",
    );
    log.close(START + 2 * SECOND, "FAILURE(0x000003f1)");
    let log = read(&log.finish().bytes);
    let failure = log.failing().next().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.inf.as_deref(), Some("oposdrv.inf"));
    assert_eq!(failure.pass, Some(Pass::Publish));
}
