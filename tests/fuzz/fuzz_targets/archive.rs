//! Archives: told by content, unpacked into a private folder, nested ones as well.
#![no_main]

use fltscope::input::archive::{UnpackOptions, Workspace};
use fltscope_fuzz::Budget;

// A decoder may ask for 1 GiB for its window (docs/inputs.md).
const BUDGET: Budget = Budget {
    fixed: 1 << 30,
    per_byte: 64,
};

/// Bytes that may come out of an archive.
const MOST: u64 = 16 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case");
    std::fs::write(&path, data).unwrap();
    // A mutated size may ask for gigabytes of zeros: what is looked for here shows with less.
    let options = UnpackOptions {
        most: MOST,
        ..UnpackOptions::default()
    };
    let mut workspace = Workspace::new(options);
    for file in workspace.unpack(&path, "case").files {
        // Nothing is written beside the private folder.
        assert!(!file.path.starts_with(folder.path()));
        assert!(file.path.is_file());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}));
