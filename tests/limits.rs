//! The limits that docs/inputs.md states, where a test of them is cheap.

use crate::common::{fltscope, stderr, stdout};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use tracegen::pml::op::{Create, FileOp};
use tracegen::pml::{Bits, Event, LogBuilder, Op, Process, layout};
use tracegen::scenario::{START, short_boot_case};

/// Moves everything behind the header by `by` bytes; the hole costs no disk.
#[cfg(unix)]
fn write_moved(log: &[u8], by: u64, path: &std::path::Path) {
    let mut header = log[..layout::HEADER_SIZE as usize].to_vec();
    let u64_at = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
    for at in layout::H_OFFSETS {
        header[at..at + 8].copy_from_slice(&(u64_at(at) + by).to_le_bytes());
    }
    let mut rest = log[layout::HEADER_SIZE as usize..].to_vec();
    let index = (u64_at(layout::H_INDEX) - layout::HEADER_SIZE) as usize;
    let count = u32::from_le_bytes(log[layout::H_EVENT_COUNT..][..4].try_into().unwrap()) as usize;
    for entry in rest[index..index + 5 * count].chunks_exact_mut(5) {
        let mut offset = [0; 8];
        offset[..5].copy_from_slice(entry);
        let moved = u64::from_le_bytes(offset) + by;
        entry.copy_from_slice(&moved.to_le_bytes()[..5]);
    }
    let mut file = File::create(path).unwrap();
    file.write_all(&header).unwrap();
    file.seek(SeekFrom::Start(layout::HEADER_SIZE + by))
        .unwrap();
    file.write_all(&rest).unwrap();
}

#[test]
#[cfg(unix)]
fn records_beyond_4_gib_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (
        folder.path().join("near.pml"),
        folder.path().join("far.pml"),
    );
    let log = short_boot_case().bytes();
    std::fs::write(&near, &log).unwrap();
    write_moved(&log, 9 << 30, &far);
    assert!(far.metadata().unwrap().len() > 9 << 30);
    let csv = |path: &std::path::Path| {
        stdout([
            "export",
            path.to_str().unwrap(),
            "-o",
            "-",
            "--format",
            "csv",
            "--stacks",
        ])
    };
    assert!(csv(&far).replace("far.pml", "near.pml") == csv(&near));
    let info = fltscope(["info", "--json", "--strict", far.to_str().unwrap()]);
    assert_eq!(info.status.code(), Some(0), "{}", stderr(&info));
}

#[test]
fn the_longest_path_and_a_deep_stack_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pml");
    let long = format!("C:\\{}", "x".repeat(32_767 - 3));
    let mut log = LogBuilder::new(Bits::B64);
    let process = log.process(Process::new(44, 4, "a.exe"));
    let frames: Vec<u64> = (0..60_000)
        .map(|n| 0xFFFF_F803_0000_0000 + 16 * n)
        .collect();
    log.event(&Event {
        process,
        tid: 8,
        time: START,
        duration: 1,
        status: 0,
        stack: frames,
        op: Op::file(&long, FileOp::CreateFile(Create::default())),
    });
    log.write_to(&path).unwrap();
    let text = stdout([
        "export",
        path.to_str().unwrap(),
        "-o",
        "-",
        "--format",
        "ndjson",
        "--stacks",
    ]);
    let row: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(row["path"], long);
    let stack = row["stack"].as_str().map(|stack| stack.split(';').count());
    let stack = stack.or_else(|| row["stack"].as_array().map(Vec::len));
    assert_eq!(stack, Some(60_000));
}

#[test]
fn many_processes_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pml");
    let mut log = LogBuilder::new(Bits::B64);
    for number in 0..20_000 {
        log.process(Process::new(4 * number + 8, 4, &format!("p{number}.exe")));
    }
    log.write_to(&path).unwrap();
    let info = stdout(["info", "--json", path.to_str().unwrap()]);
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["processes"], 20_000);
}
