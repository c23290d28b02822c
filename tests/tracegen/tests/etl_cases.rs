//! Cases as kernel traces: the same bytes every time, and a story that holds what it promises.

use std::collections::{BTreeMap, HashMap, HashSet};
use tracegen::etl::Line;
use tracegen::scenario::{
    CallbackMeant, EtlCase, EtlDriverTruth, EtlFindings, EtlOptions, Group, START, Stacks,
    boot_case, boot_trace, boot_trace_32, clean_trace, short_boot_case, short_boot_trace,
};

fn with(words: &[&str]) -> EtlOptions {
    let mut options = EtlOptions::default();
    for word in words {
        assert!(options.set(word), "{word}");
    }
    options
}

fn driver<'a>(findings: &'a EtlFindings, name: &str) -> &'a EtlDriverTruth {
    findings
        .drivers
        .iter()
        .find(|d| d.name == name)
        .unwrap_or_else(|| panic!("{name} is missing"))
}

fn flagged(findings: &EtlFindings) -> Vec<(&str, &str)> {
    let third = findings.drivers.iter().filter(|d| d.third_party);
    third
        .filter(|d| d.verdict != "loaded")
        .map(|d| (d.name.as_str(), d.verdict))
        .collect()
}

fn hooks(case: &EtlCase) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for line in case.trace.lines() {
        if let Some(hook) = line.hook {
            *counts.entry(hook).or_default() += 1;
        }
    }
    counts
}

#[test]
fn a_case_is_the_same_every_time() {
    for words in [&[][..], &["compressed", "plain-stacks"], &["unfinalised"]] {
        assert!(short_boot_trace(with(words)).bytes() == short_boot_trace(with(words)).bytes());
    }
    assert!(boot_trace_32(with(&[])).bytes() == boot_trace_32(with(&[])).bytes());
}

#[test]
fn words_of_the_command_line_are_known() {
    for word in EtlOptions::WORDS {
        let mut options = EtlOptions::default();
        assert!(options.set(word), "{word}");
        assert_ne!(options, EtlOptions::default(), "{word}");
    }
    assert!(!EtlOptions::default().set("nonsense"));
}

#[test]
fn the_boot_trace_has_one_guilty_driver() {
    for case in [
        boot_trace(with(&[])),
        boot_trace_32(with(&[])),
        short_boot_trace(with(&[])),
    ] {
        let found = &case.truth.findings;
        let wanted = [
            ("tmsflt.sys", "implicated"),
            ("acmebkp.sys", "touched"),
            ("xyzmon.sys", "touched"),
            ("latefilt.sys", "touched"),
        ];
        assert_eq!(flagged(found), wanted);
        let tms = driver(found, "tmsflt.sys");
        // Seven refusals of its own; the other failures were met by its stacks and are the file system's.
        assert_eq!((tms.minifilter_failures, tms.failures), (7, 17));
        // A callback of 2.3 s, and two operations of a second and more.
        assert_eq!(
            (tms.minifilter_delays, tms.delays, tms.delay_us_max),
            (1, 3, 2_347_000.0)
        );
        assert!(tms.delay_us_total > 2_340_000.0);
        for name in [
            "tmsflt.sys",
            "acmebkp.sys",
            "latefilt.sys",
            "PROCMON24.SYS",
            "WdFilter.sys",
        ] {
            assert!(driver(found, name).minifilter > 20, "{name}");
        }
        assert_eq!(driver(found, "PROCMON24.SYS").verdict, "loaded");
        assert_eq!(driver(found, "xyzmon.sys").minifilter, 0);
        assert_eq!(driver(found, "luafv.sys").basis, "inbox-name");
        assert_eq!(driver(found, "WdFilter.sys").minifilter_delays, 1);
        let window = case.truth.window;
        let benign = case
            .operations
            .iter()
            .filter(|o| window.start < o.time && o.time < window.end);
        let benign = benign
            .flat_map(|o| &o.callbacks)
            .filter(|c| c.status == Some(0xC000_000D));
        assert_eq!(benign.count(), 1, "a callback that fails and harms nobody");
        // Behind the window another driver refuses as well.
        assert_eq!(
            driver(&case.truth.whole, "acmebkp.sys").verdict,
            "implicated"
        );
    }
}

#[test]
fn stack_touches_are_those_of_the_log() {
    let (log, trace) = (boot_case().truth, boot_trace(with(&[])).truth);
    assert_eq!(Some(trace.window), log.servicing.map(|_| log.window));
    for driver_of_log in log.findings.drivers.iter().filter(|d| d.third_party) {
        let d = driver(&trace.findings, &driver_of_log.name);
        let of_stacks = (
            d.failures - d.minifilter_failures,
            d.delays - d.minifilter_delays,
        );
        // The kernel has no event for the loading of a hive, which the log shows as a failure.
        let hive = u64::from(d.name == "tmsflt.sys");
        assert_eq!(d.file_stack, driver_of_log.file_stack, "{}", d.name);
        assert_eq!(
            d.registry_stack + hive,
            driver_of_log.registry_stack,
            "{}",
            d.name
        );
        assert_eq!(
            of_stacks,
            (driver_of_log.failures - hive, driver_of_log.delays),
            "{}",
            d.name
        );
    }
}

#[test]
fn the_clean_trace_flags_nobody() {
    let truth = clean_trace(with(&[])).truth;
    assert_eq!(flagged(&truth.findings), []);
    assert_eq!(flagged(&truth.whole), []);
    assert!(truth.servicing.is_some());
}

#[test]
fn what_is_not_recorded_is_not_found() {
    let tms = |words: &[&str]| {
        let case = short_boot_trace(with(words));
        driver(&case.truth.findings, "tmsflt.sys").clone()
    };
    let all = tms(&[]);
    let none = tms(&["no-callbacks"]);
    assert_eq!(
        (none.minifilter, none.minifilter_failures, none.file_stack),
        (0, 0, all.file_stack)
    );
    let no_init = tms(&["no-init"]);
    assert_eq!(
        (no_init.minifilter, no_init.minifilter_delays),
        (all.minifilter, 1)
    );
    let no_end = tms(&["no-completion"]);
    assert_eq!(
        (
            no_end.minifilter,
            no_end.minifilter_delays,
            no_end.minifilter_failures
        ),
        (all.minifilter, 0, 7)
    );
    let only_failures = tms(&["no-init", "no-completion"]);
    assert_eq!(
        (only_failures.minifilter, only_failures.minifilter_failures),
        (7, 7)
    );
    assert_eq!(tms(&["no-failure"]).minifilter_failures, 0);
    let no_stacks = tms(&["no-stacks"]);
    assert_eq!(
        (
            no_stacks.file_stack,
            no_stacks.registry_stack,
            no_stacks.minifilter
        ),
        (0, 0, all.minifilter)
    );
    assert_eq!(tms(&["fast-callbacks"]).minifilter_delays, 0);
    // Nobody looked into the files: a driver has no company, and only a name.
    let dead = short_boot_trace(with(&["unfinalised", "plain-stacks"]));
    assert_eq!(driver(&dead.truth.findings, "tmsflt.sys").basis, "unknown");
    assert_eq!(dead.truth.computer, None);
    assert!(dead.truth.findings.processes.is_empty());
}

#[test]
fn records_of_each_kind_are_there() {
    let counts = hooks(&boot_trace(with(&[])));
    let wanted = [
        0x0000, 0x0005, 0x0008, 0x0020, 0x010A, 0x010C, 0x0301, 0x0302, 0x0303, 0x0304, 0x030A,
        0x030B, 0x0420, 0x0423, 0x0424, 0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446,
        0x0447, 0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044F, 0x0450, 0x0451, 0x0452,
        0x0460, 0x0461, 0x0462, 0x0463, 0x0464, 0x0465, 0x0501, 0x0502, 0x0503, 0x0504, 0x0524,
        0x090A, 0x090B, 0x090C, 0x090D, 0x090E, 0x090F, 0x0910, 0x0911, 0x0912, 0x0915, 0x0916,
        0x0917, 0x0918, 0x0919, 0x091B, 0x0B0A, 0x0B0C, 0x0B0F, 0x0B21, 0x0F2E, 0x0F49, 0x0F4A,
        0x1120, 0x1121, 0x1124, 0x1125, 0x1127, 0x1402, 0x1403, 0x1404, 0x1823, 0x1824, 0x1825,
        0x1826,
    ];
    for hook in wanted {
        assert!(counts.contains_key(&hook), "{hook:#06x}");
    }
    let plain = hooks(&short_boot_trace(with(&["plain-stacks"])));
    assert!(plain.contains_key(&0x1820) && !plain.contains_key(&0x1825));
    let dead = hooks(&short_boot_trace(with(&["unfinalised"])));
    for hook in [0x0304, 0x0424, 0x0919, 0x0B0A, 0x1404, 0x1824] {
        assert!(!dead.contains_key(&hook), "{hook:#06x}");
    }
}

/// A field of a record: the payload begins at its own offset.
fn at(line: &Line, offset: usize, bytes: usize) -> u64 {
    let start = line.record.len() - 2 * line.payload_bytes + 2 * offset;
    (0..bytes).rev().fold(0, |value, n| {
        let digits = &line.record[start + 2 * n..start + 2 * n + 2];
        value << 8 | u64::from_str_radix(digits, 16).unwrap()
    })
}

fn by_time(case: &EtlCase) -> Vec<Line> {
    let mut lines = case.trace.lines();
    lines.sort_by_key(|line| line.ticks);
    lines
}

#[test]
fn operations_end_once_and_with_their_status() {
    let case = boot_trace(with(&[]));
    let mut open: HashMap<u64, i64> = HashMap::new();
    let mut ends = 0;
    for line in by_time(&case) {
        let Some(hook) = line.hook else { continue };
        match hook {
            0x044F..=0x0451 => assert!(
                open.contains_key(&at(&line, 0, 8)),
                "a path of no operation"
            ),
            0x0440..=0x0452 if hook != 0x044C => {
                let irp = at(
                    &line,
                    if matches!(hook, 0x0443 | 0x0444) {
                        8
                    } else {
                        0
                    },
                    8,
                );
                assert!(
                    open.insert(irp, line.ticks).is_none(),
                    "a request that is in use"
                );
            }
            0x044C => {
                assert!(open.remove(&at(&line, 0, 8)).is_some());
                ends += 1;
            }
            _ => {}
        }
    }
    // The one that is still pending.
    assert_eq!(open.len(), 1);
    let recorded = case
        .operations
        .iter()
        .filter(|o| o.recorded && o.group == Group::File);
    assert_eq!(recorded.count(), ends + 1);
}

#[test]
fn callbacks_go_down_by_altitude_and_come_back_up() {
    let case = short_boot_trace(with(&[]));
    let order = [
        "bindflt.sys",
        "PROCMON24.SYS",
        "latefilt.sys",
        "tmsflt.sys",
        "WdFilter.sys",
        "acmebkp.sys",
        "luafv.sys",
        "Wof.sys",
        "fileinfo.sys",
    ];
    let places: Vec<(u64, u64, usize)> = case
        .truth
        .whole
        .drivers
        .iter()
        .filter_map(|d| {
            Some((
                d.base,
                d.base + u64::from(d.size),
                order.iter().position(|o| *o == d.name)?,
            ))
        })
        .collect();
    let place = |routine: u64| {
        places
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&routine))
            .unwrap()
            .2
    };
    let mut several = 0;
    for operation in &case.operations {
        let (before, after): (Vec<&CallbackMeant>, Vec<&CallbackMeant>) = operation
            .callbacks
            .iter()
            .partition(|c| c.phase == tracegen::etl::event::Phase::Pre);
        assert!(
            before.is_sorted_by(|a, b| a.time <= b.time && place(a.routine) < place(b.routine))
        );
        assert!(after.is_sorted_by(|a, b| a.time <= b.time && place(a.routine) > place(b.routine)));
        let end = operation.duration.map(|d| operation.time + d);
        for callback in &operation.callbacks {
            let done = callback.time + callback.duration.unwrap();
            assert!(callback.time > operation.time || !operation.recorded);
            assert!(end.is_none_or(|end| done <= end));
        }
        // Who refuses before the file system is the last to be asked, and only those above hear of it.
        if let Some(n) = before.iter().position(|c| c.status.is_some()) {
            assert_eq!(n, before.len() - 1);
            assert!(
                after
                    .iter()
                    .all(|c| place(c.routine) < place(before[n].routine))
            );
        }
        if let Some(status) = operation.callbacks.iter().find_map(|c| c.status) {
            assert_eq!(operation.status, Some(status));
        }
        several += usize::from(before.len() > 5 && after.len() > 4);
    }
    assert!(several > 100, "{several}");
}

#[test]
fn the_switches_tell_who_runs() {
    let case = short_boot_trace(with(&[]));
    let mut running: HashMap<u16, u64> = HashMap::new();
    let mut completions = 0;
    for line in by_time(&case) {
        if line.hook == Some(0x0524) {
            let old = running.insert(line.cpu, at(&line, 0, 4)).unwrap_or(0);
            assert_eq!(old, at(&line, 4, 4), "record {}", line.index);
            continue;
        }
        // Rundowns of threads, and what was merged, speak of others; nobody's records of nobody.
        if line.index < 2
            || line.tid == u32::MAX
            || line.hook.is_none() && line.kind == 20
            || matches!(line.hook, Some(0x0503 | 0x0504))
        {
            continue;
        }
        assert_eq!(
            running.get(&line.cpu),
            Some(&u64::from(line.tid)),
            "record {}",
            line.index
        );
        completions += usize::from(matches!(line.hook, Some(0x0462 | 0x0463)));
    }
    assert!(completions > 1_000);
}

#[test]
fn stack_references_meet_one_event_and_a_key() {
    let case = short_boot_trace(with(&[]));
    let lines = by_time(&case);
    let events: HashSet<(u64, u32)> = lines
        .iter()
        .filter(|l| l.kind == 2 && matches!(l.hook.map(|h| h >> 8), Some(4 | 9)))
        .map(|l| (l.ticks as u64, l.tid))
        .collect();
    let ends: Vec<&Line> = lines
        .iter()
        .filter(|l| matches!(l.hook, Some(0x1823 | 0x1824)))
        .collect();
    let mut references = 0;
    for line in lines
        .iter()
        .filter(|l| matches!(l.hook, Some(0x1825 | 0x1826)))
    {
        assert!(events.contains(&(at(line, 0, 8), at(line, 12, 4) as u32)));
        let key = at(line, 16, 8);
        assert!(
            ends.iter()
                .any(|e| at(e, 0, 8) == key && e.ticks >= line.ticks)
        );
        references += 1;
    }
    assert!(references > 1_000);
    // Keys are used again for other stacks.
    let mut keys = HashSet::new();
    assert!(ends.iter().any(|e| !keys.insert(at(e, 0, 8))));
}

#[test]
fn addresses_are_used_again() {
    for hooks in [[0x0440, 0x0440], [0x0916, 0x0918], [0x0420, 0x0424]] {
        let case = boot_trace(with(&[]));
        let offset = match hooks[0] {
            0x0440 => 8,
            0x0916 => 16,
            _ => 0,
        };
        let mut names: HashMap<u64, HashSet<String>> = HashMap::new();
        for line in case
            .trace
            .lines()
            .iter()
            .filter(|l| l.hook.is_some_and(|h| hooks.contains(&h)))
        {
            let tail = line.record[line.record.len() - 40..].to_owned();
            names.entry(at(line, offset, 8)).or_default().insert(tail);
        }
        assert!(names.values().any(|n| n.len() > 1), "{:#x}", hooks[0]);
    }
}

#[test]
fn no_operation_straddles_an_end_of_the_window() {
    // So it makes no difference whether an operation counts by its start or its end.
    for case in [
        boot_trace(with(&[])),
        boot_trace_32(with(&[])),
        clean_trace(with(&[])),
        short_boot_trace(with(&[])),
    ] {
        let window = case.truth.window;
        for operation in case.operations.iter().filter(|o| !o.waits) {
            let end = operation.time + operation.duration.unwrap_or(0);
            for edge in [window.start, window.end] {
                assert!(!(operation.time < edge && edge <= end), "{operation:?}");
            }
        }
    }
}

#[test]
fn the_samples_have_third_party_addresses() {
    let case = boot_trace(with(&[]));
    let tms = driver(&case.truth.whole, "tmsflt.sys");
    let inside = tms.base..tms.base + u64::from(tms.size);
    let samples: Vec<Line> = case
        .trace
        .lines()
        .into_iter()
        .filter(|l| l.hook == Some(0x0F2E))
        .collect();
    let hits = samples
        .iter()
        .filter(|l| inside.contains(&at(l, 0, 8)))
        .count();
    assert!(
        hits > 40 && hits < samples.len() / 2,
        "{hits} of {}",
        samples.len()
    );
}

#[test]
fn the_trace_is_of_the_same_incident_as_the_log() {
    let (log, trace) = (short_boot_case(), short_boot_trace(with(&[])));
    assert!(trace.truth.first < START && trace.truth.last > log.truth.last);
    let times: HashSet<u64> = trace.operations.iter().map(|o| o.time).collect();
    let told = log
        .events
        .iter()
        .filter(|e| times.contains(&e.time))
        .count();
    // All but process, network and profiling events, and a few the kernel has no event for.
    assert!(
        told * 100 > log.events.len() * 85,
        "{told} of {}",
        log.events.len()
    );
    assert_eq!(trace.options.stacks, Stacks::Keyed);
}

#[test]
fn a_big_trace_has_the_size_asked_for() {
    for compressed in [false, true] {
        let name = format!("tracegen-big-{}-{compressed}.etl", std::process::id());
        let path = std::env::temp_dir().join(name);
        let report = tracegen::big_etl::write(3 << 20, &path, compressed).unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(size, report.bytes);
        assert!((3 << 20..9 << 20).contains(&size), "{size}");
        assert!(report.records > 40_000);
    }
}
