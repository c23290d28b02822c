//! Payloads of real traces: every record of the families below decodes and leaves no byte.

use crate::common::real_traces;
use fltscope::etl::hooks::hook_of_class;
use fltscope::etl::kernel::{
    Fields, FileIo, FileName, FileView, ImageEvent, MinifilterCallback, OPERATION_END,
    OperationEnd, ProcessEvent, RegistryEvent, ThreadEvent,
};
use fltscope::etl::{EtlFile, Record, RecordKind, Scratch};
use fltscope::input::view::Source;
use std::collections::BTreeMap;
use std::path::Path;

/// Hands every record with a hook, or a class that stands for one, to `each`: hook, version, record.
fn each_kernel_record(path: &Path, mut each: impl FnMut(u16, u16, &Record<'_>)) {
    let source = Source::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = EtlFile::open(source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut scratch = Scratch::default();
    for buffer in 0..file.buffers().len() {
        for record in file.records(buffer, &mut scratch).unwrap() {
            let record = record.unwrap();
            if let Some(hook) = record.hook() {
                each(hook.id, hook.version.into(), &record);
            } else if let Some(classic) = record.classic()
                && let Some(hook) = hook_of_class(classic.class, classic.opcode)
            {
                each(hook, classic.version, &record);
            }
        }
    }
}

/// Whether a hook belongs to one of the families.
fn is_covered(hook: u16) -> bool {
    matches!(hook >> 8, 0x03 | 0x04 | 0x05 | 0x09 | 0x14)
}

fn decodes(hook: u16, version: u16, fields: &mut Fields<'_>) -> bool {
    match hook >> 8 {
        0x03 if hook != 0x030A => ProcessEvent::parse(hook, version, fields).is_some(),
        0x03 | 0x14 => ImageEvent::parse(hook, version, fields).is_some(),
        0x05 => ThreadEvent::parse(hook, version, fields).is_some(),
        0x09 => RegistryEvent::parse(hook, version, fields).is_some(),
        _ => match hook {
            OPERATION_END => OperationEnd::parse(fields).is_some(),
            0x0400..=0x0424 => FileName::parse(hook, fields).is_some(),
            0x0425..=0x0428 => FileView::parse(hook, version, fields).is_some(),
            0x0460..=0x0465 => MinifilterCallback::parse(hook, fields).is_some(),
            _ => FileIo::parse(hook, version, fields).is_some(),
        },
    }
}

/// Hook, version and how many such records.
type Counts = &'static [(u16, u16, u64)];

#[rustfmt::skip]
const FILES: [(&str, Counts); 8] = [
    ("net.4.5.2.x64.etl", &[
        (0x0301, 4, 1), (0x0302, 4, 1), (0x0303, 4, 32), (0x0304, 4, 32), (0x030A, 2, 35), (0x0320, 2, 1),
        (0x0321, 2, 32), (0x0327, 4, 2), (0x0420, 2, 16), (0x0423, 2, 14), (0x0424, 2, 3054), (0x0501, 3, 9),
        (0x0502, 3, 15), (0x0503, 3, 670), (0x0504, 3, 664), (0x1402, 2, 32), (0x1403, 2, 1622 + 141),
        (0x1404, 2, 1625 + 141), (0x1421, 2, 1), (0x1422, 2, 1),
    ]),
    ("diaghub.kernel.1.etl", &[
        (0x0301, 4, 18), (0x0302, 4, 3), (0x0303, 4, 223), (0x0304, 4, 223), (0x030A, 3, 87), (0x030B, 2, 3),
        (0x0327, 5, 9), (0x1402, 3, 143), (0x1403, 3, 187), (0x1404, 3, 14830 + 187), (0x1421, 2, 1),
        (0x1422, 2, 1),
    ]),
    ("ShutdownPerfDiagLogger.etl", &[
        (0x0302, 4, 60), (0x0303, 4, 94), (0x0304, 4, 37), (0x030A, 3, 72), (0x030B, 2, 60), (0x0327, 5, 5),
        (0x0501, 3, 350), (0x0502, 3, 1032), (0x0503, 3, 1175), (0x0504, 3, 501), (0x1402, 3, 4791),
        (0x1403, 3, 6549 + 196), (0x1404, 3, 1952 + 193), (0x1421, 2, 1), (0x1422, 2, 1),
    ]),
    ("image_data_32_v2.etl", &[(0x030A, 2, 1), (0x1402, 2, 1), (0x1403, 2, 24)]),
    ("image_data_64_v0.etl", &[(0x030A, 0, 1), (0x1402, 0, 1), (0x1403, 0, 24)]),
    ("image_data_64_v1.etl", &[(0x030A, 1, 1), (0x1402, 1, 1), (0x1403, 1, 24)]),
    ("process_data_32_v3.etl", &[(0x0301, 3, 1), (0x0302, 3, 1), (0x0303, 3, 3), (0x0304, 3, 3)]),
    ("process_data_64_v2.etl", &[(0x0301, 2, 1), (0x0302, 2, 1), (0x0303, 2, 3), (0x0304, 2, 3)]),
];

/// Whether a 32-bit test program wrote payloads of a 64-bit machine into a 32-bit file.
fn is_written_wide(name: &str) -> bool {
    name.contains("_data_64_")
}

#[test]
fn every_payload_is_read_to_its_end() {
    let Some(folder) = real_traces("every_payload_is_read_to_its_end") else {
        return;
    };
    for (name, expected) in FILES {
        let mut counts = BTreeMap::new();
        each_kernel_record(&folder.join(name), |hook, version, record| {
            if !is_covered(hook) {
                return;
            }
            let wide = record.wide() || is_written_wide(name);
            let mut fields = Fields::new(record.payload(), wide);
            assert!(
                decodes(hook, version, &mut fields),
                "{name}: {hook:#06x} {version}"
            );
            assert_eq!(fields.rest(), b"", "{name}: {hook:#06x} {version}");
            *counts.entry((hook, version)).or_insert(0) += 1;
            // Cut payloads may or may not decode, but do no harm.
            for len in (0..record.payload().len()).step_by(7) {
                let mut fields = Fields::new(&record.payload()[..len], wide);
                decodes(hook, version, &mut fields);
            }
        });
        let expected = expected
            .iter()
            .map(|&(hook, version, count)| ((hook, version), count));
        assert_eq!(counts, expected.collect::<BTreeMap<_, _>>(), "{name}");
    }
}

/// Whether a text reads as one: no control characters, and none that could not be decoded.
fn reads_well(text: &str) -> bool {
    !text
        .chars()
        .any(|char| char.is_control() || char == char::REPLACEMENT_CHARACTER)
}

#[test]
fn texts_and_numbers_make_sense() {
    let Some(folder) = real_traces("texts_and_numbers_make_sense") else {
        return;
    };
    let mut counts = BTreeMap::new();
    for (name, _) in FILES {
        each_kernel_record(&folder.join(name), |hook, version, record| {
            let wide = record.wide() || is_written_wide(name);
            let fields = Fields::new(record.payload(), wide);
            let mut count = |what| *counts.entry(what).or_insert(0) += 1;
            match ProcessEvent::parse(hook, version, &mut fields.clone()) {
                Some(ProcessEvent::Row(row)) => {
                    let command_line = row.command_line.to_string();
                    assert!(reads_well(&row.image.to_string()) && reads_well(&command_line));
                    let sid = row.sid.map(|sid| sid.to_string());
                    if let Some(sid) = &sid {
                        assert!(sid.starts_with("S-1-5-"), "{sid}");
                    }
                    match (row.pid, &*row.image.to_string()) {
                        (4, image) => {
                            assert_eq!((image, sid.as_deref()), ("System", Some("S-1-5-18")));
                            count("rows of System");
                        }
                        (1776, "notepad.exe") => {
                            let user = "S-1-5-21-753675414-103939432-3550797041-1000";
                            assert_eq!(sid.as_deref(), Some(user));
                            assert_eq!(command_line, r#""C:\Windows\system32\notepad.exe" "#);
                            count("rows of notepad");
                        }
                        _ => {}
                    }
                    if let Some(time) = row.exit_time {
                        // Both traces are of 2020; a defunct process may have ended any time since boot.
                        assert!((2019..=2020).contains(&time.civil().year), "{name}: {time}");
                        count("exit times");
                    }
                }
                Some(ProcessEvent::Counters(counters)) => {
                    // What is charged against the page file is what is private.
                    assert_eq!(counters.private, counters.page_file);
                    count("counters");
                }
                _ => {}
            }
            if let Some(ImageEvent::Row(row)) =
                ImageEvent::parse(hook, version, &mut fields.clone())
            {
                let path = row.path.to_string();
                assert!(reads_well(&path) && path.contains('\\'), "{name}: {path}");
                let system = record.kind() == RecordKind::System;
                let rundown = matches!(hook, 0x1403 | 0x1404);
                if system && rundown {
                    // Drivers have a time stamp and no default base.
                    assert_eq!((row.pid, row.default_base), (Some(0), 0), "{path}");
                    assert!(row.base >> 47 == 0x1_FFFF && row.time_stamp != 0, "{path}");
                    count("drivers");
                }
            }
            if let Some(file) = FileName::parse(hook, &mut fields.clone()) {
                let path = file.path.to_string();
                assert!(reads_well(&path) && path.starts_with('\\'), "{path}");
                count("file names");
            }
            if let Some(ThreadEvent::Row(row)) =
                ThreadEvent::parse(hook, version, &mut fields.clone())
            {
                let addresses = row.addresses.unwrap();
                assert!(addresses.stack_base > addresses.stack_limit);
                assert!(addresses.user_stack_base >= addresses.user_stack_limit);
                assert!(
                    addresses
                        .priorities
                        .is_some_and(|of| of.base < 32 && of.io < 5)
                );
                assert!(reads_well(&row.name.to_string()));
                count(if row.name.is_empty() {
                    "threads"
                } else {
                    "threads with a name"
                });
            }
        });
    }
    let expected = [
        ("counters", 33),
        ("drivers", 1_045),
        ("exit times", 14),
        ("file names", 3_084),
        ("rows of System", 10),
        ("rows of notepad", 4),
        ("threads", 4_322),
        ("threads with a name", 94),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}
