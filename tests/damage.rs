//! Damaged logs: what is intact is read, what is lost is counted, and nothing panics.

use crate::common::{boot_log, fltscope, stderr};
use fltscope::export::csv::CsvStyle;
use fltscope::export::{Column, Filter, Table, TextFormat, write_text};
use fltscope::findings::{Case, CaseInput, Options, analyze};
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::trace::{Silent, Trace, Zone};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tracegen::pml::layout;
use tracegen::scenario::boot_case;

/// A smaller log than the sample: the same case, whose event list is cut.
fn log() -> &'static [u8] {
    static LOG: OnceLock<Vec<u8>> = OnceLock::new();
    LOG.get_or_init(|| boot_case().bytes())
}

fn open(bytes: &[u8]) -> Result<PmlTrace, fltscope::pml::OpenError> {
    PmlTrace::from_source(
        Source::Memory(Arc::from(bytes)),
        Path::new("x.pml"),
        &|_| (),
    )
}

/// Opens, analyses and exports; the number of events read and rows written.
fn through(bytes: &[u8]) -> Option<(u64, u64)> {
    let trace = open(bytes).ok()?;
    let case = Case {
        logs: Default::default(),
        inputs: vec![CaseInput {
            name: "x.pml".into(),
            trace: &trace,
        }],
    };
    let outcome = analyze(&case, &Options::default(), &Silent).unwrap();
    serde_json::to_string(&outcome.findings).unwrap();
    let columns = Column::defaults(true);
    let filter = Filter::default();
    let zone = Zone::UTC;
    let table = Table::new(
        &trace,
        &outcome.drivers[0],
        "x.pml",
        &columns,
        &filter,
        &zone,
    );
    let style = CsvStyle::default();
    let rows = write_text(
        &[table],
        TextFormat::Csv(&style),
        &mut std::io::sink(),
        &Silent,
    )
    .unwrap();
    Some((trace.info().records.good, rows))
}

fn events(bytes: &[u8]) -> u64 {
    open(bytes).unwrap().info().records.good
}

/// What a crash leaves: events, and a header without offsets.
fn unclose(bytes: &mut Vec<u8>) {
    let at = layout::H_INDEX;
    let end = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    bytes[layout::H_EVENT_COUNT..layout::H_EVENT_COUNT + 4].fill(0);
    for at in layout::H_OFFSETS {
        bytes[at..at + 8].fill(0);
    }
    bytes.truncate(end as usize);
}

#[test]
fn a_log_that_was_not_closed_is_walked() {
    let mut bytes = log().to_vec();
    let whole = events(&bytes);
    unclose(&mut bytes);
    let trace = open(&bytes).unwrap();
    let info = trace.info();
    assert_eq!(info.records.good, whole);
    assert_eq!(info.records.skipped_bytes, 0);
    assert!(
        info.warnings[0].en().starts_with("PML004"),
        "{:?}",
        info.warnings
    );
    // Names come from the events that carry them.
    assert!(
        info.processes
            .iter()
            .any(|process| &*process.name == "TiWorker.exe")
    );
}

#[test]
fn a_cut_file_gives_every_whole_event_before_the_cut() {
    let bytes = log();
    let trace = open(bytes).unwrap();
    let file = trace.file();
    for cut in [
        layout_events() + 1,
        layout_events() + 5_000,
        bytes.len() / 3,
        bytes.len() / 2,
        bytes.len() * 3 / 4,
        bytes.len() - 1,
    ] {
        // An event is whole when the next one starts at or before the cut.
        let whole = (0..file.len())
            .filter(|number| {
                let end = file.offset(number + 1).unwrap_or(file.header().index);
                end <= cut as u64
            })
            .count() as u64;
        let cut_log = open(&bytes[..cut]).unwrap();
        let info = cut_log.info();
        assert_eq!(info.records.good, whole, "cut at {cut}");
        assert!(!info.warnings.is_empty(), "cut at {cut}");
        if whole < file.len() as u64 {
            assert_eq!(
                info.coverage.events_lost,
                file.len() as u64 - whole,
                "cut at {cut}"
            );
        }
    }
}

fn layout_events() -> usize {
    0x3A8
}

#[test]
fn zeroed_bytes_between_events_are_skipped_and_counted() {
    let mut bytes = log().to_vec();
    let file = open(&bytes).unwrap();
    let (from, to) = (
        file.file().offset(1000).unwrap() as usize,
        file.file().offset(1010).unwrap() as usize,
    );
    let whole = file.info().records.good;
    bytes[from..to].fill(0);
    // With its index, ten records are bad.
    let info = open(&bytes).unwrap();
    assert!(info.info().records.good >= whole - 10);
    // Without, the walk steps over them.
    unclose(&mut bytes);
    let walked = open(&bytes).unwrap();
    assert_eq!(walked.info().records.good, whole - 10);
    assert_eq!(walked.info().records.skipped_bytes, (to - from) as u64);
}

#[test]
fn an_empty_log_is_fine() {
    let bytes = tracegen::pml::LogBuilder::new(tracegen::pml::Bits::B64).finish();
    let trace = open(&bytes).unwrap();
    assert_eq!(trace.info().records.good, 0);
    assert!(trace.info().warnings.is_empty());
    assert_eq!(through(&bytes), Some((0, 0)));
}

#[test]
fn offsets_and_counts_that_point_outside_are_told() {
    for (at, name) in [
        (layout::H_INDEX, "event index"),
        (layout::H_PROCESSES, "process table"),
        (layout::H_STRINGS, "string table"),
        (layout::H_HOSTS, "host and port table"),
    ] {
        let mut bytes = log().to_vec();
        bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        let trace = open(&bytes).unwrap();
        let warnings = format!("{:?}", trace.info().warnings);
        assert!(warnings.contains(name), "{name}: {warnings}");
        assert_eq!(trace.info().records.good, events(log()), "{name}");
    }
    let mut bytes = log().to_vec();
    bytes[layout::H_EVENT_COUNT..layout::H_EVENT_COUNT + 4].fill(0xFF);
    let trace = open(&bytes).unwrap();
    assert_eq!(trace.info().records.good, events(log()));
    assert!(format!("{:?}", trace.info().warnings).contains("4294967295"));
}

#[test]
fn an_index_whose_entries_overlap_is_read_in_proportion() {
    let mut bytes = log().to_vec();
    let at = |bytes: &[u8], place: usize| {
        u64::from_le_bytes(bytes[place..place + 8].try_into().unwrap()) as usize
    };
    let (index, events) = (at(&bytes, layout::H_INDEX), events(&bytes) as usize);
    // Every entry names the first record.
    for entry in 0..events {
        let place = index + entry * 5;
        bytes[place..place + 5].copy_from_slice(&[0xA8, 3, 0, 0, 0]);
    }
    let (good, rows) = through(&bytes).unwrap();
    assert_eq!(good, rows);
    assert!(good > 0 && good <= events as u64);
    let info = open(&bytes).unwrap().info().records;
    assert_eq!(info.good + info.bad, events as u64);
}

#[test]
fn a_damaged_log_is_analysed_with_status_0() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pml");
    let bytes = std::fs::read(boot_log()).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let out = folder.path().join("out");
    let output = fltscope([
        "analyze",
        path.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let findings = std::fs::read_to_string(out.join("findings.json")).unwrap();
    assert!(findings.contains("PML005"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cut_anywhere_is_no_panic(cut in 0_usize..1_700_000) {
        let bytes = &log()[..cut.min(log().len())];
        if let Some((good, rows)) = through(bytes) {
            prop_assert_eq!(good, rows);
        }
    }

    #[test]
    fn flipped_bytes_are_no_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..400),
        tables in any::<bool>(),
    ) {
        let mut bytes = log().to_vec();
        // Half the runs damage the header and the tables, which are a small part of the file.
        let index = u64::from_le_bytes(bytes[0x248..0x250].try_into().unwrap()) as usize;
        for (at, value) in flips {
            let at = if tables {
                let places = 0x3A8 - 8 + bytes.len() - index;
                match at.index(places) {
                    low if low < 0x3A8 - 8 => low + 8,
                    high => index + high - (0x3A8 - 8),
                }
            } else {
                at.index(bytes.len())
            };
            bytes[at] ^= value;
        }
        if let Some((good, rows)) = through(&bytes) {
            prop_assert_eq!(good, rows);
        }
    }
}
