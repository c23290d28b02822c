//! Real ETL traces through the event model: every record a row, in order of time, the same for any number of threads.

use crate::common::{etl_files, real_traces};
use fltscope::etl::EtlTrace;
use fltscope::trace::{Batch, Class, Frames, Select, Trace, Want};
use std::collections::BTreeMap;
use std::path::Path;

fn all() -> Want {
    Want {
        path: true,
        target: true,
        detail: true,
        category: true,
        frames: Frames::All,
        ..Want::default()
    }
}

fn rows(trace: &EtlTrace, want: &Want, select: &Select<'_>) -> Batch {
    let mut out = Batch::default();
    for unit in 0..trace.units() {
        trace.decode(unit, want, select, &mut out).unwrap();
    }
    out
}

fn open(path: &Path) -> EtlTrace {
    EtlTrace::open(path, &|_| ()).unwrap()
}

#[test]
fn every_record_is_a_row_and_rows_are_in_order() {
    let Some(folder) = real_traces("every_record_is_a_row_and_rows_are_in_order") else {
        return;
    };
    for path in etl_files(&folder) {
        let trace = open(&path);
        let batch = rows(&trace, &all(), &Select::default());
        let name = path.display();
        assert_eq!(batch.len() as u64, trace.info().records.good, "{name}");
        assert!(batch.time.is_sorted(), "{name}");
        let mut numbers = batch.event.clone();
        numbers.sort_unstable();
        assert!(numbers.iter().zip(0..).all(|(a, b)| *a == b), "{name}");
    }
}

#[test]
fn a_selection_gives_the_same_rows_as_all_of_them() {
    let Some(folder) = real_traces("a_selection_gives_the_same_rows_as_all_of_them") else {
        return;
    };
    let trace = open(&folder.join("net.4.5.2.x64.etl"));
    let batch = rows(&trace, &all(), &Select::default());
    let (from, to) = (batch.time[50_000], batch.time[120_000]);
    let select = Select {
        from: Some(from),
        to: Some(to),
        classes: vec![Class::Kernel, Class::Process],
        ..Select::default()
    };
    let some = rows(&trace, &all(), &select);
    let wanted: Vec<usize> = (0..batch.len())
        .filter(|row| (from..=to).contains(&batch.time[*row]))
        .filter(|row| matches!(batch.class[*row], Class::Kernel | Class::Process))
        .collect();
    assert!(wanted.len() > 1_000);
    assert_eq!(some.len(), wanted.len());
    for (at, row) in wanted.into_iter().enumerate() {
        assert_eq!(some.event[at], batch.event[row]);
        assert_eq!(some.path.get(at), batch.path.get(row));
        assert_eq!(some.detail.get(at), batch.detail.get(row));
        assert_eq!(some.frames.get(at), batch.frames.get(row));
        assert_eq!(some.process[at], batch.process[row]);
    }
}

/// Figures of the sheet of the format: 6.1, 8.1, 8.3, 8.5, and counts that were checked against dissect.etl.
#[test]
fn names_stacks_and_processes_are_found() {
    let Some(folder) = real_traces("names_stacks_and_processes_are_found") else {
        return;
    };
    let trace = open(&folder.join("net.4.5.2.x64.etl"));
    let info = trace.info();
    assert_eq!(info.machine.name.as_deref(), Some("BRIANROB-W8"));
    assert_eq!(info.machine.system_root.as_deref(), Some("C:\\Windows"));
    let batch = rows(&trace, &all(), &Select::default());
    let mut stacks: BTreeMap<&str, usize> = BTreeMap::new();
    for row in 0..batch.len() {
        let operation = batch.operation[row];
        // Every disk transfer and hard fault names a file that the trace names.
        if matches!(operation, "Disk Read" | "Disk Write" | "Hard Fault") {
            let path = batch.path.get(row);
            assert!(
                path.starts_with("C:\\") || path.starts_with("\\\\"),
                "{path}"
            );
            assert!(batch.duration[row].is_some_and(|duration| duration > 0));
        }
        if operation == "Sampled Profile" {
            let process = &info.processes[batch.process[row] as usize];
            assert!(!process.name.is_empty());
        }
        if !batch.frames.get(row).is_empty() && batch.class[row] != Class::Event {
            *stacks.entry(operation).or_default() += 1;
        }
    }
    let expected = [
        ("Disk Flush Init", 2),
        ("Disk Read Init", 1_208),
        ("Disk Write Init", 21),
        ("Hard Fault", 153),
        ("Load Image", 35),
        ("Sampled Profile", 6_318),
        ("Thread Create", 9),
    ];
    assert_eq!(stacks.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn rows_of_64_bit_processes_behind_32_bit_headers() {
    let test = "rows_of_64_bit_processes_behind_32_bit_headers";
    let Some(folder) = real_traces(test) else {
        return;
    };
    for name in [
        "image_data_64_v0.etl",
        "image_data_64_v1.etl",
        "image_data_32_v2.etl",
    ] {
        let batch = rows(&open(&folder.join(name)), &all(), &Select::default());
        let paths: Vec<&str> = (0..batch.len()).map(|row| batch.path.get(row)).collect();
        let images = paths.iter().filter(|path| path.starts_with("C:\\"));
        assert_eq!(images.count(), 26, "{name}: {paths:?}");
    }
    for name in ["process_data_64_v2.etl", "process_data_32_v3.etl"] {
        let trace = open(&folder.join(name));
        let named = |name: &str| trace.info().processes.iter().any(|p| &*p.name == name);
        assert!(named("smss.exe") && named("System"), "{name}");
    }
}

#[test]
fn drivers_of_real_traces() {
    let Some(folder) = real_traces("drivers_of_real_traces") else {
        return;
    };
    let shutdown = open(&folder.join("ShutdownPerfDiagLogger.etl"));
    let images = &shutdown.info().kernel_images;
    let kernel = images
        .iter()
        .filter(|image| image.module.base > shutdown.info().highest_user);
    assert_eq!(kernel.count(), 196);
    assert!(
        images
            .iter()
            .any(|image| image.module.file_name() == "SysmonDrv.sys")
    );
    let net = open(&folder.join("net.4.5.2.x64.etl"));
    let company = |name: &str| {
        let images = &net.info().kernel_images;
        let image = images
            .iter()
            .find(|image| image.module.file_name().eq_ignore_ascii_case(name));
        image.unwrap().module.company.to_string()
    };
    assert_eq!(company("ntoskrnl.exe"), "Microsoft Corporation");
    assert!(company("secdrv.sys").starts_with("Macrovision"));
}

#[test]
fn the_update_client_speaks_in_sentences() {
    let Some(folder) = real_traces("the_update_client_speaks_in_sentences") else {
        return;
    };
    let trace = open(&folder.join("WindowsUpdate.etl"));
    let batch = rows(&trace, &all(), &Select::default());
    let texts: Vec<&str> = (0..batch.len())
        .filter(|row| batch.provider(*row) == "WUTraceLogging")
        .map(|row| batch.detail.get(row))
        .collect();
    assert_eq!(texts.len(), 80);
    let sentences = texts.iter().filter(|text| text.contains(' ')).count();
    assert!(sentences > 70, "{sentences}");
    assert!(
        texts
            .iter()
            .all(|text| !text.is_empty() && !text.contains("Undecoded"))
    );
}
