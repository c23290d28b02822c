//! `info` on Windows trace logs, through the binary.

use crate::common::{fltscope, stderr, stdout};
use serde_json::Value;

/// An ETL file of one buffer: the trace header event and `events` empty kernel events.
fn trace(events: u16) -> Vec<u8> {
    const BUFFER: usize = 4096;
    let mut out = vec![0_u8; 72];
    let record = |hook: u16, payload: &[u8]| {
        let size = 32 + payload.len();
        let mut bytes = Vec::with_capacity(size + 7);
        bytes.extend([2, 0, 2, 0xC0]);
        bytes.extend((size as u16).to_le_bytes());
        bytes.extend(hook.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(1_000_i64.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(payload);
        bytes.resize(size.next_multiple_of(8), 0);
        bytes
    };
    let mut header = vec![0_u8; 0x118];
    header[0..4].copy_from_slice(&(BUFFER as u32).to_le_bytes());
    header[4..8].copy_from_slice(&[10, 0, 1, 5]);
    header[8..12].copy_from_slice(&19_045_u32.to_le_bytes());
    header[0x0C] = 2;
    header[0x10..0x18].copy_from_slice(&133_600_000_010_000_000_u64.to_le_bytes());
    header[0x24] = 1;
    header[0x2C] = 8;
    header[0x100..0x108].copy_from_slice(&10_000_000_u64.to_le_bytes());
    header[0x108..0x110].copy_from_slice(&133_600_000_000_000_000_u64.to_le_bytes());
    header[0x110] = 1;
    for text in ["NT Kernel Logger", "C:\\boot.etl"] {
        header.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        header.extend([0, 0]);
    }
    out.extend(record(0, &header));
    for _ in 0..events {
        out.extend(record(0x0462, &[0; 16]));
    }
    let filled = out.len() as u32;
    out[0..4].copy_from_slice(&(BUFFER as u32).to_le_bytes());
    out[0x30..0x34].copy_from_slice(&filled.to_le_bytes());
    out[0x36] = 4;
    out.resize(BUFFER, 0xFF);
    out
}

#[test]
fn info_counts_the_records_of_an_etl_trace() {
    let folder = tempfile::tempdir().unwrap();
    // The content tells the kind, whatever the name is.
    let path = folder.path().join("trace.bin");
    std::fs::write(&path, trace(3)).unwrap();
    let path = path.to_str().unwrap();
    let info: Value = serde_json::from_str(&stdout(["info", path, "--json"])).unwrap();
    assert_eq!(info["kind"], "etl");
    assert_eq!(info["records"]["good"], 4);
    assert_eq!(info["records"]["bad"], 0);
    assert_eq!(info["machine"]["build"], 19_045);
    assert_eq!(info["first"], "2024-05-12T15:06:40.0000000Z");
    assert_eq!(info["processes"], 1);
    assert_eq!(info["drivers"]["total"], 0);
    assert_eq!(info["coverage"]["minifilter"], true);
    assert_eq!(info["etl"]["session"], "NT Kernel Logger");
    let counted = |list: &Value| -> u64 {
        let rows = list.as_array().unwrap().iter();
        rows.map(|row| row["count"].as_u64().unwrap()).sum()
    };
    assert_eq!(
        counted(&info["etl"]["hooks"]) + counted(&info["etl"]["providers"]),
        4
    );
    assert_eq!(counted(&info["classes"]), 4);
    let text = stdout(["info", path]);
    assert!(
        text.contains("NT Kernel Logger") && text.contains("Minifilter"),
        "{text}"
    );
}

#[test]
fn a_cut_trace_gives_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.etl");
    let whole = trace(3);
    let filled = whole.iter().rposition(|byte| *byte != 0xFF).unwrap() + 1;
    std::fs::write(&path, &whole[..filled - 20]).unwrap();
    let info: Value =
        serde_json::from_str(&stdout(["info", path.to_str().unwrap(), "--json"])).unwrap();
    assert_eq!(info["records"]["good"], 3);
    assert!(info["warnings"].to_string().contains("ETL"), "{info}");
}

#[test]
fn procmons_own_formats_are_for_procmon_logs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot.etl");
    std::fs::write(&path, trace(1)).unwrap();
    let (path, out) = (path.to_str().unwrap(), folder.path().join("x.csv"));
    let args = [
        "export",
        path,
        "--format",
        "procmon-csv",
        "-o",
        out.to_str().unwrap(),
    ];
    let output = fltscope(args);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("Procmon logs only"),
        "{}",
        stderr(&output)
    );
    assert!(!out.exists());
}
