//! A choice of paths leaves out rows and changes none: records that cannot be in scope are passed over early, so what is
//! kept of the others must not depend on it.

use crate::common::{real_traces, stdout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tracegen::scenario::{EtlOptions, boot_trace, short_boot_trace};

/// Rows by the number of their record.
fn rows(path: &Path, more: &[&str]) -> BTreeMap<u64, Value> {
    let path = path.to_str().unwrap();
    let mut args = vec!["export", path, "-o", "-", "--format", "ndjson", "--quiet"];
    args.push("--stacks");
    args.extend(more);
    let text = stdout(args);
    text.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["event"].as_u64().unwrap(), row)
        })
        .collect()
}

/// Whether the driver-store rules of the README's kind take a row, by its texts alone.
fn in_scope(row: &Value) -> bool {
    let is_registry = row["class"] == "Registry";
    let operation = row["operation"].as_str().unwrap_or_default();
    // Records that only tell a name are no operation.
    if !(is_registry || row["class"] == "File System")
        || operation.starts_with("File Name")
        || operation.starts_with("KCB")
    {
        return false;
    }
    ["path", "target_path"].iter().any(|field| {
        let Some(path) = row[*field].as_str() else {
            return false;
        };
        let path = path.to_lowercase();
        let below = |root: &str, path: &str| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
        };
        if is_registry {
            return below(r"hklm\system\driverdatabase", &path) || below(r"hklm\drivers", &path);
        }
        let Some(path) = path.get(2..).filter(|_| path[1..].starts_with(':')) else {
            return false;
        };
        [
            r"\windows\system32\driverstore",
            r"\windows\system32\drivers",
            r"\windows\inf",
            r"\windows\system32\catroot",
        ]
        .iter()
        .any(|root| below(root, path))
    })
}

fn assert_scope_changes_no_row(path: &Path, what: &str) -> usize {
    let all = rows(path, &[]);
    let kept = rows(path, &["--driver-store"]);
    for (event, row) in &kept {
        assert_eq!(Some(row), all.get(event), "{what}: event {event}");
    }
    for (event, row) in &all {
        assert!(
            !in_scope(row) || kept.contains_key(event),
            "{what}: event {event} is left out: {row}"
        );
    }
    kept.len()
}

#[test]
fn generated_traces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.etl");
    let plain = EtlOptions::default;
    let cases = [
        ("plain", boot_trace(plain())),
        (
            "small buffers, compressed",
            short_boot_trace(EtlOptions {
                buffer_size: 8_192,
                compressed: true,
                ..plain()
            }),
        ),
        (
            "file I/O of Windows 7, not finalised",
            short_boot_trace(EtlOptions {
                file_io_version: 2,
                finalised: false,
                ..plain()
            }),
        ),
    ];
    for (what, case) in cases {
        std::fs::write(&path, case.bytes()).unwrap();
        assert!(assert_scope_changes_no_row(&path, what) > 100, "{what}");
    }
}

#[test]
fn real_files() {
    let Some(folder) = real_traces("real_files") else {
        return;
    };
    for name in ["diaghub.kernel.1.etl", "net.4.5.2.x64.etl"] {
        assert_scope_changes_no_row(&folder.join(name), name);
    }
}
