//! Servicing logs as files: told by their lines, and read in bounded memory and in linear time.

use fltscope::input::text::{Lines, TextOptions};
use fltscope::input::view::Source;
use fltscope::input::{FileKind, kind_of};
use fltscope::servicing::cbs::CbsReader;
use fltscope::servicing::setupapi::SetupReader;
use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};
use tracegen::logs::{Encoding, Paper, Story, big, cbs, setupapi};

/// Reads a CBS.log from a file; how long that took.
fn read(path: &Path) -> Duration {
    let started = Instant::now();
    let source = Source::open(path).unwrap();
    let mut reader = CbsReader::default();
    let ticked = Cell::new(0);
    let tick = |bytes| ticked.set(ticked.get() + bytes);
    reader
        .read("CBS.log", &source, &TextOptions::default(), &tick)
        .unwrap();
    let log = reader.finish();
    assert_eq!(ticked.get(), source.len());
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].inf.as_deref(), Some("oposdrv.inf"));
    assert!(log.files[0].text.warnings().is_empty());
    started.elapsed()
}

/// Megabytes a second.
fn speed(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// The most memory this process ever had, in bytes; `None` where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

#[test]
fn kinds_are_told_by_lines() {
    let folder = tempfile::tempdir().unwrap();
    for (n, encoding) in [
        Encoding::Utf8Mark,
        Encoding::Utf8,
        Encoding::Utf16LeMark,
        Encoding::Utf16Le,
        Encoding::Utf16BeMark,
        Encoding::Gbk,
    ]
    .into_iter()
    .enumerate()
    {
        let paper = Paper {
            encoding,
            ..Paper::default()
        };
        let story = Story::default();
        for (log, kind) in [
            (cbs(&story, &paper), FileKind::Cbs),
            (setupapi(&story, &paper), FileKind::SetupApi),
        ] {
            // A name that says nothing.
            let path = folder.path().join(format!("{n}-{kind:?}.txt"));
            std::fs::write(&path, log.bytes).unwrap();
            assert_eq!(kind_of(&path).unwrap(), kind, "{encoding:?}");
        }
    }
}

#[test]
fn time_grows_with_the_file_and_no_faster() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("CBS.log");
    let mut times = Vec::new();
    for megabytes in [1, 8] {
        big::cbs_to(megabytes << 20, Encoding::Utf8Mark, &path).unwrap();
        times.push((0..3).map(|_| read(&path)).min().unwrap());
    }
    // Eight times the bytes; ten times that is left for a busy machine.
    assert!(times[1] < times[0] * 80, "{times:?}");

    // Lines without an end, and nothing but line ends, NULs or first bytes of marks.
    for pattern in [
        &b"\n"[..],
        b"\0",
        b"2023-05-23 10:23:06, Info CBS ",
        b"\xff\xfe",
        b"E_X ",
        b"0x8 ",
        b">>>  [",
        b"{",
        b"'.inf",
    ] {
        let bytes = pattern.repeat((4 << 20) / pattern.len());
        let started = Instant::now();
        let source = Source::Memory(bytes.into());
        let mut reader = CbsReader::default();
        let options = TextOptions::default();
        reader.read("x", &source, &options, &|_| ()).unwrap();
        reader.finish();
        let mut reader = SetupReader::default();
        reader.read("x", &source, &options, &|_| ()).unwrap();
        reader.finish();
        let time = started.elapsed();
        assert!(time < Duration::from_secs(60), "{pattern:?} takes {time:?}");
    }
}

/// `cargo test --release servicing_logs -- --ignored --nocapture` prints the speed.
#[test]
#[ignore = "writes 100 MB, and its figures mean something in a release build only"]
fn a_hundred_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("CBS.log");
    let mut peaks = Vec::new();
    for (encoding, name) in [
        (Encoding::Utf8Mark, "UTF-8"),
        (Encoding::Utf16LeMark, "UTF-16"),
    ] {
        let bytes = big::cbs_to(100 << 20, encoding, &path).unwrap();
        let before = peak_memory();
        let time = (0..3).map(|_| read(&path)).min().unwrap();
        peaks.push(before.zip(peak_memory()));
        println!("CBS.log, {name}: {:.0} MB/s", speed(bytes, time));

        let started = Instant::now();
        let source = Source::open(&path).unwrap();
        let mut lines = Lines::open(&source, &TextOptions::default()).unwrap();
        while lines.next().unwrap().is_some() {}
        println!("lines alone: {:.0} MB/s", speed(bytes, started.elapsed()));
    }
    let story = setupapi(
        &Story::default(),
        &Paper {
            encoding: Encoding::Utf8,
            ..Paper::default()
        },
    )
    .bytes;
    let mut text = Vec::new();
    while text.len() < 100 << 20 {
        text.extend_from_slice(&story);
    }
    std::fs::write(&path, &text).unwrap();
    drop(text);
    let started = Instant::now();
    let source = Source::open(&path).unwrap();
    let mut reader = SetupReader::default();
    reader
        .read(
            "setupapi.dev.log",
            &source,
            &TextOptions::default(),
            &|_| (),
        )
        .unwrap();
    let log = reader.finish();
    println!(
        "setupapi.dev.log: {:.0} MB/s",
        speed(source.len(), started.elapsed())
    );
    assert!(log.failing().count() > 0);
    for (before, after) in peaks.into_iter().flatten() {
        println!("memory: {} KiB more than before", (after - before) >> 10);
        assert!(after - before < 32 << 20, "{before} -> {after}");
    }
}
