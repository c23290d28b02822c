//! Whole files made by hand: what is read, what is lost, what is told.

use super::census::{Census, census};
use super::file::EtlFile;
use super::hooks;
use super::masks::REGISTRY;
use super::synth::{Head, ORIGIN, START, buffer, every_kind, full, perfinfo, trace, trace_header};
use super::{EtlError, EtlFacts, OpenError};
use crate::etl::EtlTrace;
use crate::input::view::Source;
use crate::trace::{Filetime, Trace as _};
use std::path::Path;
use std::sync::Arc;

pub fn open(bytes: &[u8]) -> Result<EtlFile, OpenError> {
    EtlFile::open(Source::Memory(Arc::from(bytes)))
}

pub fn read(bytes: &[u8]) -> (EtlFile, Census) {
    let file = open(bytes).unwrap_or_else(|error| panic!("{error}"));
    let census = census(&file, &|_| ()).unwrap();
    (file, census)
}

fn totals(census: &Census) -> (u64, u64, u64) {
    let records = census.records;
    (records.good, records.bad, records.skipped_bytes)
}

#[test]
fn a_whole_trace() {
    for packed in [false, true] {
        let (file, census) = read(&trace(5, packed).concat());
        assert_eq!(totals(&census), (2 + 5 * 39, 0, 0));
        assert_eq!((census.per_buffer[0], census.per_buffer[5]), (2, 39));
        assert_eq!(census.first_numbers()[..3], [0, 2, 41]);
        assert_eq!(census.compressed, if packed { 5 } else { 0 });
        assert!(file.faults().is_empty() && census.faults.is_empty());
        let hooks: u64 = census.hooks.values().sum();
        let providers: u64 = census.providers.values().sum();
        assert_eq!((hooks, providers), (2 + 5 * 18, 5 * 21));
        assert_eq!((census.hook_count(0x0910), census.cpus.len()), (30, 4));
        assert_eq!(census.names[&super::Guid([8; 16])], "abc");
        assert_eq!(census.items.get(&6), Some(&15));
        assert_eq!(census.first, Some(Filetime(START)));
        assert_eq!(census.last, Some(Filetime(START + 14_009)));
        assert!(census.masks.has(REGISTRY) && census.mask_changes.len() == 1);
        let header = file.header();
        assert_eq!(
            (header.session.as_str(), header.events_lost),
            ("NT Kernel Logger", 3)
        );
        assert_eq!((header.build, header.buffers_lost), (19_041, 2));
        assert_eq!(header.machine().utc_offset_minutes, Some(480));
        assert_eq!(file.end_drift(), Some(1_000));
    }
}

#[test]
fn the_32_bit_form_of_the_header() {
    let head = Head {
        wide: false,
        buffers: 1,
        frequency: 2_337_949,
        ..Head::default()
    };
    let records = [
        trace_header(&head),
        perfinfo(16, 0x0F2E, 2, ORIGIN + 2_337_949, &[]),
    ];
    let (file, census) = read(&buffer(4_096, 4, 0, &records));
    assert!(!file.header().wide());
    assert_eq!(file.header().log_file, "C:\\k.etl");
    assert_eq!(census.last, Some(Filetime(START + 10_000_000)));
}

#[test]
fn no_trace() {
    let code = |bytes: &[u8]| open(bytes).unwrap_err().to_string()[..6].to_owned();
    assert_eq!(code(b""), "ETL001");
    let text = "2023-05-23 10:23:06, Info                  CBS    Starting\r\n";
    assert_eq!(code(text.as_bytes()), "ETL001");
    assert_eq!(code(text.repeat(9).as_bytes()), "ETL001");
    assert_eq!(code(&[0; 5_000]), "ETL001");
    let whole = trace(1, false).concat();
    for len in [1, 71, 72, 79, 80, 200, 400] {
        assert_eq!(code(&whole[..len]), "ETL002", "{len}");
    }
    let mut other = whole.clone();
    other[72 + 6] = 1;
    assert_eq!(code(&other), "ETL001");
}

#[test]
fn a_session_that_was_not_stopped() {
    let head = Head {
        end: 0,
        buffers: 1,
        ..Head::default()
    };
    let mut buffers = trace(3, false);
    buffers[0] = buffer(4_096, 4, 0, &[trace_header(&head)]);
    let (file, census) = read(&buffers.concat());
    assert_eq!(totals(&census), (1 + 3 * 39, 0, 0));
    assert_eq!(file.faults(), [EtlError::NotClosed]);
    assert_eq!((file.end_drift(), file.end_time()), (None, None));
    // Zeros where data should be are a loss then, and only then.
    buffers.push(vec![0; 5_000]);
    let (file, census) = read(&buffers.concat());
    assert_eq!(totals(&census), (1 + 3 * 39, 0, 5_000));
    assert_eq!(file.faults().len(), 2);
    let mut closed = trace(3, false);
    closed.push(vec![0; 5_000]);
    let (file, census) = read(&closed.concat());
    assert_eq!(totals(&census), (2 + 3 * 39, 0, 0));
    assert!(file.faults().is_empty());
}

#[test]
fn damaged_buffer_headers() {
    let whole = trace(4, false);
    // A size of garbage: the records are still there, up to the next buffer.
    for size in [0_u32, 71, 200, 4_095, 8_192, 0x00FF_FFFF, u32::MAX] {
        for victim in [1, 2, 4] {
            let mut buffers = whole.clone();
            buffers[victim][..4].copy_from_slice(&size.to_le_bytes());
            let (file, census) = read(&buffers.concat());
            assert_eq!(totals(&census), (2 + 4 * 39, 0, 0), "{size:#x} in {victim}");
            assert_eq!(file.buffers().len(), 5, "{size:#x} in {victim}");
            // One that holds all data, and the last one that only seems cut, need no repair.
            let quiet = size == 4_095 || size == 8_192 && victim == 4;
            assert_eq!(file.damaged_buffers() == 0, quiet, "{size:#x} in {victim}");
        }
    }
    // The end of the data of garbage: unused bytes tell it.
    for filled in [0_u32, 71, 4_097, u32::MAX] {
        let mut buffers = whole.clone();
        buffers[2][0x30..0x34].copy_from_slice(&filled.to_le_bytes());
        let (file, census) = read(&buffers.concat());
        assert_eq!(
            (totals(&census).0, totals(&census).1),
            (2 + 4 * 39, 0),
            "{filled:#x}"
        );
        assert_eq!(file.damaged_buffers(), 1);
    }
    // A whole buffer of garbage, and two in a row.
    let mut buffers = whole.clone();
    buffers[2].fill(0xA5);
    let (_, census) = read(&buffers.concat());
    assert_eq!(totals(&census), (2 + 3 * 39, 0, 4_096));
    buffers[3].fill(0);
    let (file, census) = read(&buffers.concat());
    assert_eq!(totals(&census), (2 + 2 * 39, 0, 8_192));
    assert_eq!((file.missing_buffers(), file.faults().len()), (2, 2));
}

#[test]
fn a_compressed_buffer_is_found_again_at_any_place() {
    let mut buffers = trace(4, true);
    let lost = buffers[2].len() as u64 - 3;
    buffers[2][..72].fill(0xA5);
    buffers[2].truncate(lost as usize);
    let (file, census) = read(&buffers.concat());
    assert_eq!(totals(&census), (2 + 3 * 39, 0, lost));
    assert_eq!(file.missing_buffers(), 1);
    // A size of garbage costs nothing: the stream reaches to the next buffer.
    let mut buffers = trace(4, true);
    buffers[2][..4].copy_from_slice(&[0xFF; 4]);
    assert_eq!(totals(&read(&buffers.concat()).1), (2 + 4 * 39, 0, 0));
    // A stream that breaks gives what stands before the break.
    let mut buffers = trace(4, true);
    let half = buffers[2].len() / 2;
    buffers[2][half..].fill(0xFF);
    let (_, census) = read(&buffers.concat());
    let (good, bad, skipped) = totals(&census);
    assert!(good > 2 + 3 * 39 && good < 2 + 4 * 39 && skipped > 0);
    assert_eq!((bad, census.broken), (1, 1));
}

#[test]
fn behind_a_bad_record_the_walk_goes_on_where_records_follow_each_other() {
    let mut buffers = trace(3, false);
    let records: Vec<Vec<u8>> = (0..3).flat_map(|m| every_kind(3 + m)).collect();
    let end_of = |count: usize| {
        let bytes = super::synth::packed(&records[..count]);
        bytes.len().next_multiple_of(8)
    };
    let (start, end) = (end_of(10), end_of(11));
    buffers[2][72 + start + 3] = 0;
    let (_, census) = read(&buffers.concat());
    assert_eq!(
        totals(&census),
        (2 + 3 * 39 - 1, 1, (end - start) as u64),
        "{:?}",
        census.faults
    );
    assert_eq!(census.per_buffer, [2, 39, 38, 39]);
    let text = census.faults[0].to_string();
    let place = format!(
        "ETL011 at byte {:#x} of the buffer at offset 0x2000:",
        72 + start
    );
    assert!(text.starts_with(&place), "{text}");
}

#[test]
fn a_record_whose_size_is_too_large_hides_none() {
    let mut buffers = trace(3, false);
    let records: Vec<Vec<u8>> = (0..3).flat_map(|m| every_kind(3 + m)).collect();
    // A kernel record says that it reaches into the middle of the next one.
    let start = super::synth::packed(&records[..13])
        .len()
        .next_multiple_of(8);
    let size = &mut buffers[2][72 + start + 4..72 + start + 6];
    let wrong = u16::from_le_bytes([size[0], size[1]]) + 0x18;
    size.copy_from_slice(&wrong.to_le_bytes());
    let (_, census) = read(&buffers.concat());
    assert_eq!(census.records.good, 2 + 3 * 39, "{:?}", census.faults);
    assert_eq!(census.records.bad, 1);
}

#[test]
fn a_buffer_that_is_there_twice_counts_once() {
    let mut buffers = trace(3, false);
    buffers.push(buffers[2].clone());
    let (file, census) = read(&buffers.concat());
    assert_eq!(totals(&census).0, 2 + 3 * 39);
    assert_eq!(file.doubled_buffers(), 1);
    let text = file.faults()[0].to_string();
    assert!(text.starts_with("ETL012 at offset 0x4000"), "{text}");
}

#[test]
fn files_of_several_sizes_and_parts() {
    // A first buffer of 1,024 bytes, larger ones behind it than the header says, and a second file.
    let head = Head {
        buffers: 3,
        ..Head::default()
    };
    let mut buffers = vec![buffer(1_024, 4, 0, &[trace_header(&head)])];
    buffers.push(buffer(0x2_0000, 0, 1, &every_kind(1)));
    buffers.push(buffer(0x1_0000, 0, 2, &every_kind(2)));
    let (file, census) = read(&buffers.concat());
    assert_eq!((totals(&census), file.faults().len()), ((27, 0, 0), 0));
    let later = Head {
        start: START + 50_000_000,
        buffers: 1,
        ..Head::default()
    };
    buffers.push(buffer(1_024, 4, 0, &[trace_header(&later)]));
    let (file, census) = read(&buffers.concat());
    assert_eq!((totals(&census), file.parts().len()), ((28, 0, 0), 2));
    assert_eq!(census.last, Some(Filetime(START + 50_000_000)));
    assert_eq!(file.clock_of(2).filetime(ORIGIN), Filetime(START));
    assert_eq!(
        file.clock_of(3).filetime(ORIGIN),
        Filetime(START + 50_000_000)
    );
    assert_eq!(file.end_drift(), None);
}

#[test]
fn coverage_tells_not_recorded_from_not_there() {
    let note = |bytes: &[u8]| {
        let source = Source::Memory(bytes.into());
        let trace = EtlTrace::survey(source, Path::new("made.etl"), &|_| ()).unwrap();
        trace.info().coverage.clone()
    };
    // The sample's masks are all ones; its registry events are Query value.
    let found = note(&trace(1, false).concat());
    assert!(found.registry && !found.stacks && !found.file && !found.minifilter);
    assert_eq!((found.events_lost, found.buffers_lost), (3, 2));
    assert_eq!(
        found.notes,
        [
            "File-system activity was recorded, and none is in the trace.",
            "Minifilter activity was recorded, and none is in the trace.",
            "File and registry events have no stacks, so no driver can be tied to a file or registry operation by its frames.",
        ]
    );
    let head = Head {
        buffers: 1,
        mode: 2,
        end: START + 999 + 9_998_000 - 25_000_000,
        ..Head::default()
    };
    // File operations with the class GUID of their group, as tools that copy events write them.
    let class = hooks::group_of(0x0440).unwrap().guid.0;
    let create = full(20, class, 64, 2, ORIGIN, &[]);
    let found = note(&buffer(4_096, 4, 0, &[trace_header(&head), create]));
    assert!(found.file && !found.registry && !found.stacks);
    assert_eq!(found.notes[0], "Registry activity was not recorded.");
    assert!(
        found.notes[3].en().contains("2.50 s too late"),
        "{:?}",
        found.notes
    );
    assert!(found.notes[4].en().starts_with("The session wrote a ring"));
    let found = note(&buffer(4_096, 4, 0, &[trace_header(&Head::default())]));
    assert_eq!(found.notes, ["The trace holds no event."]);
}

#[test]
fn facts_are_in_order_and_named() {
    let (file, census) = read(&trace(2, true).concat());
    let facts = serde_json::to_value(EtlFacts::new(&file, &census)).unwrap();
    let first = serde_json::json!({"hook": "0x0000", "version": 2, "group": "EventTrace", "name": "Header", "count": 1});
    assert_eq!(facts["hooks"][0], first);
    assert_eq!(
        facts["providers"][0]["guid"],
        "07070707-0707-0707-0707-070707070707"
    );
    assert_eq!(facts["providers"][0]["count"], 24);
    assert_eq!(
        (&facts["providers"][1]["name"], &facts["mode"]),
        (&"abc".into(), &"0x04000001".into())
    );
    assert_eq!(facts["kernel_flag_words"][7], "0xffffffff");
    let buffers =
        serde_json::json!({"total": 3, "compressed": 2, "repaired": 0, "broken": 0, "missing": 0});
    assert_eq!(
        (&facts["buffers"], &facts["clock"]),
        (&buffers, &"performance counter".into())
    );
}

#[test]
fn rings_count_what_they_wrote_over() {
    let mut buffers = trace(3, false);
    for (mode, faults) in [(1, 1), (2, 0)] {
        let head = Head {
            mode,
            buffers: 900,
            ..Head::default()
        };
        buffers[0] = buffer(4_096, 4, 0, &[trace_header(&head)]);
        let (file, _) = read(&buffers.concat());
        assert_eq!(file.faults().len(), faults);
    }
}
