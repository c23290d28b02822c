//! Memory in proportion: the peak of a run, counted allocation by allocation, in a program of its own.
//!
//! What is stated: a run has at most [`FIXED`] bytes and [`PER_BYTE`] for each byte of a small input; that of a
//! large one does not grow with it; under a cap it stays within [`TIMES`] of the cap and what the trace describes.

use fltscope::drivers::{Observers, identify};
use fltscope::etl::EtlTrace;
use fltscope::export::csv::CsvStyle;
use fltscope::export::{Column, Filter, Table, TextFormat, write_text};
use fltscope::findings::{Case, CaseInput, Options, analyze};
use fltscope::input::view::Source;
use fltscope::pml::PmlTrace;
use fltscope::trace::room::set_cap;
use fltscope::trace::{Silent, Trace, Zone};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::sink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn more(bytes: usize) {
    let now = IN_USE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it is; the rest is counting.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        more(size);
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(place, layout, size) }
    }
}

/// The peak of what `work` has in memory, beyond what was there before.
fn peak_of(work: impl FnOnce()) -> usize {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    PEAK.load(Ordering::Relaxed) - before
}

/// Bytes for any input: units in flight, their texts, tables of names.
const FIXED: usize = 48 << 20;
/// Bytes for a byte of a small input, which is one unit or a few: rows hold what records repeat.
const PER_BYTE: usize = 48;
/// Bytes for a large log without a cap, on two threads: two row groups of Parquet are the largest part.
const MOST: usize = 320 << 20;
/// Bytes in flight for a byte of the cap.
const TIMES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Analyze,
    Csv,
    Ndjson,
    #[cfg(feature = "parquet")]
    Parquet,
}

const ALL: &[Work] = &[
    Work::Analyze,
    Work::Csv,
    Work::Ndjson,
    #[cfg(feature = "parquet")]
    Work::Parquet,
];

fn work_on(trace: &dyn Trace, work: Work) {
    if work == Work::Analyze {
        let case = Case {
            logs: Default::default(),
            inputs: vec![CaseInput {
                name: "x".into(),
                trace,
            }],
        };
        analyze(&case, &Options::default(), &Silent).unwrap();
        return;
    }
    let drivers = identify(trace.info(), &Observers::default());
    let columns = Column::defaults(true);
    let (filter, zone) = (Filter::default(), Zone::UTC);
    let tables = [Table::new(trace, &drivers, "x", &columns, &filter, &zone)];
    let style = CsvStyle::default();
    match work {
        Work::Ndjson => write_text(&tables, TextFormat::Ndjson, &mut sink(), &Silent),
        #[cfg(feature = "parquet")]
        Work::Parquet => fltscope::export::parquet::write(&tables, &mut sink(), &Silent),
        _ => write_text(&tables, TextFormat::Csv(&style), &mut sink(), &Silent),
    }
    .unwrap();
}

/// Opens and works; nothing, where the bytes are no trace.
fn run(source: Source, work: Work, is_pml: bool) {
    let path = Path::new("x");
    if is_pml {
        if let Ok(trace) = PmlTrace::from_source(source, path, &|_| ()) {
            work_on(&trace, work);
        }
    } else if let Ok(trace) = EtlTrace::from_source(source, path, &|_| ()) {
        work_on(&trace, work);
    }
}

/// Samples, whole and as bad as they come.
fn small_inputs() -> Vec<(String, Vec<u8>, bool)> {
    let mut out = Vec::new();
    for (path, is_pml) in [("boot_trace.pml", true), ("boot_trace.etl", false)] {
        let path = format!("{}/traces/boot-trace/{path}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).unwrap();
        out.push((
            format!("{path}, cut"),
            bytes[..bytes.len() / 2].to_vec(),
            is_pml,
        ));
        // Counts and sizes of all ones, wherever they stand.
        for (step, first) in [(997, 5), (61, 0x240), (8, 0x234), (4_001, 72)] {
            let mut bad = bytes.clone();
            for at in (first..bad.len()).step_by(step) {
                bad[at] = 0xFF;
            }
            out.push((format!("{path}, FF every {step}"), bad, is_pml));
        }
        let mut zeros = bytes.clone();
        let middle = bytes.len() / 4..bytes.len() / 2;
        zeros[middle].fill(0);
        out.push((format!("{path}, zeros"), zeros, is_pml));
        out.push((path, bytes, is_pml));
    }
    // Tables that say they are endless.
    let (name, log, _) = out
        .iter()
        .find(|(name, _, _)| name.ends_with(".pml"))
        .cloned()
        .unwrap();
    for field in [0x234, 0x248, 0x250, 0x258, 0x260, 0x3A0] {
        let mut bad = log.clone();
        let at = u64::from_le_bytes(bad[field..field + 8].try_into().unwrap()) as usize;
        if let Some(count) = bad.get_mut(at..at.saturating_add(4)) {
            count.fill(0xFF);
        }
        bad[0x234..0x238].fill(0xFF);
        out.push((format!("{name}, table at {field:#x}"), bad, true));
    }
    out
}

/// One test, for all count the same bytes.
#[test]
fn memory_stays_in_proportion() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build_global()
        .unwrap();
    for (name, bytes, is_pml) in small_inputs() {
        let len = bytes.len();
        for work in ALL {
            let source = Source::Memory(Arc::from(bytes.as_slice()));
            let peak = peak_of(|| run(source, *work, is_pml));
            let most = FIXED + PER_BYTE * len;
            assert!(
                peak <= most,
                "{name}, {work:?}: {peak} bytes, expected {most} at most"
            );
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let (half, whole) = (
        folder.path().join("half.pml"),
        folder.path().join("whole.pml"),
    );
    tracegen::big::write(16 << 20, &half).unwrap();
    tracegen::big::write(48 << 20, &whole).unwrap();
    let open = |path: &Path| {
        // As files larger than 64 MiB are: not mapped as a whole.
        let file = std::fs::File::open(path).unwrap();
        let len = file.metadata().unwrap().len();
        Source::File(file, len)
    };
    for work in ALL {
        let path = Path::new("x");
        let facts = peak_of(|| drop(PmlTrace::from_source(open(&whole), path, &|_| ()).unwrap()));
        let large = peak_of(|| run(open(&whole), *work, true));
        const CAP: usize = 8 << 20;
        set_cap(CAP as u64);
        let capped = peak_of(|| run(open(&whole), *work, true));
        let capped_small = peak_of(|| run(open(&half), *work, true));
        set_cap(u64::MAX);
        eprintln!("{work:?}: {large} bytes, {capped} under a cap of {CAP}; {facts} for the facts");
        assert!(
            capped <= facts + TIMES * CAP,
            "{work:?}: {capped} bytes under a cap of {CAP}, {facts} for the facts"
        );
        assert!(
            capped <= capped_small + capped_small / 2 + (2 << 20),
            "{work:?}: {capped_small} bytes for 16 MiB, {capped} for 48"
        );
        assert!(large <= MOST, "{work:?}: {large}");
        #[cfg(feature = "parquet")]
        if *work == Work::Parquet {
            assert!(
                capped < large / 2,
                "the cap has no effect: {large}, {capped}"
            );
        }
    }
}
