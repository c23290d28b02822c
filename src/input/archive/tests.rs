//! Archives made here, good and hostile.

use super::*;
use std::io::Write;

const LOG: &[u8] = b"PML_\x09\0\0\0rest";

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn cab_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = cab::CabinetBuilder::new();
    let folder = builder.add_folder(cab::CompressionType::MsZip);
    for (name, _) in entries {
        folder.add_file(*name);
    }
    let mut writer = builder.build(io::Cursor::new(Vec::new())).unwrap();
    for (_, bytes) in entries {
        writer
            .next_file()
            .unwrap()
            .unwrap()
            .write_all(bytes)
            .unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workspace, and what it finds in an archive of these bytes.
fn unpacked(name: &str, bytes: &[u8], workspace: &mut Workspace) -> Contents {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    std::fs::write(&path, bytes).unwrap();
    workspace.unpack(&path, name)
}

fn names(contents: &Contents) -> Vec<&str> {
    contents
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect()
}

#[test]
fn archives_inside_archives_are_opened_once() {
    let inner = zip_of(&[("x.pml", LOG), ("deep.pml.gz", &gz(LOG))]);
    let case = zip_of(&[
        ("logs/b-1.pml", LOG),
        ("logs/b.pml", LOG),
        ("readme.txt", b"nothing"),
        ("c.pml.gz", &gz(LOG)),
        ("d.cab", &cab_of(&[("CbsPersist_1.pml", LOG)])),
        ("e.zip", &inner),
    ]);
    let mut workspace = Workspace::new(UnpackOptions::default());
    let contents = unpacked("case.zip", &case, &mut workspace);
    assert_eq!(contents.errors, Vec::<Message>::new());
    assert_eq!(
        names(&contents),
        [
            "case.zip/logs/b.pml",
            "case.zip/logs/b-1.pml",
            "case.zip/c.pml.gz/c.pml",
            "case.zip/d.cab/CbsPersist_1.pml",
            "case.zip/e.zip/x.pml",
        ]
    );
    assert_eq!(contents.notes.len(), 1, "{:?}", contents.notes);
    assert!(
        contents.notes[0]
            .en()
            .starts_with("case.zip/e.zip/deep.pml.gz: not opened")
    );
    for file in &contents.files {
        assert_eq!(std::fs::read(&file.path).unwrap(), LOG);
    }
    let place = contents.files[0].path.parent().unwrap().to_owned();
    // Nothing else lies there: neither the inner archives nor what is no log.
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 5);
    drop(workspace);
    assert!(!place.exists());
}

#[test]
fn names_that_lead_out_are_told() {
    let case = zip_of(&[
        ("../../evil.pml", LOG),
        (r"C:\Windows\x.pml", LOG),
        ("CON.pml", LOG),
        ("evil.pml", LOG),
    ]);
    let mut workspace = Workspace::new(UnpackOptions::default());
    let contents = unpacked("case.zip", &case, &mut workspace);
    let mut found = names(&contents);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "case.zip/Windows/x.pml",
            "case.zip/_CON.pml",
            "case.zip/evil (2).pml",
            "case.zip/evil.pml",
        ]
    );
    assert_eq!(contents.notes.len(), 4, "{:?}", contents.notes);
    assert_eq!(contents.errors, Vec::<Message>::new());
}

#[test]
fn large_forms_and_stored_entries() {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let stored = options.compression_method(zip::CompressionMethod::Stored);
    for (name, options) in [
        ("a.pml", options.large_file(true)),
        ("b.pml", stored.large_file(true)),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(LOG).unwrap();
    }
    let zip64 = zip.finish().unwrap().into_inner();
    let mut workspace = Workspace::new(UnpackOptions::default());
    let contents = unpacked("x.zip", &zip64, &mut workspace);
    assert_eq!(names(&contents), ["x.zip/a.pml", "x.zip/b.pml"]);
    // Members and frames behind one another, and a frame that is to be skipped in front.
    let members = [gz(LOG), gz(b"more")].concat();
    let contents = unpacked("x.pml.gz", &members, &mut workspace);
    assert_eq!(
        std::fs::read(&contents.files[0].path).unwrap(),
        [LOG, b"more"].concat()
    );
    let frame = zstd::encode_all(LOG, 1).unwrap();
    let frames = [b"\x50\x2a\x4d\x18\x04\0\0\0skip".as_slice(), &frame, &frame].concat();
    let contents = unpacked("x.pml.zst", &frames, &mut workspace);
    assert_eq!(
        std::fs::read(&contents.files[0].path).unwrap(),
        [LOG, LOG].concat()
    );
}

#[test]
fn damage_costs_what_is_damaged() {
    let mut workspace = Workspace::new(UnpackOptions::default());
    let long: Vec<u8> = LOG
        .iter()
        .copied()
        .chain((0..90_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8))
        .collect();
    let mut cut = gz(&long);
    cut.truncate(cut.len() / 2);
    let contents = unpacked("x.pml.gz", &cut, &mut workspace);
    assert_eq!((contents.files.len(), contents.errors.len()), (1, 0));
    assert!(
        contents.files[0].notes[0]
            .en()
            .contains("bytes come out of it")
    );
    let contents = unpacked("x.zip", b"PK\x03\x04 and nothing more", &mut workspace);
    assert_eq!((contents.files.len(), contents.errors.len()), (0, 1));
    // A zip cut behind its second entry still has the headers of both.
    let case = zip_of(&[("a.pml", LOG), ("b.pml", &long), ("c.pml", &long)]);
    let third = (0..case.len()).rfind(|at| case[*at..].starts_with(b"PK\x03\x04"));
    let third = third.unwrap();
    let contents = unpacked("x.zip", &case[..third + 60], &mut workspace);
    assert_eq!(names(&contents)[..2], ["x.zip/a.pml", "x.zip/b.pml"]);
    assert_eq!(std::fs::read(&contents.files[1].path).unwrap(), long);
    assert!(
        contents
            .errors
            .iter()
            .any(|error| error.en().contains("directory at its end is missing"))
    );
    let cab = cab_of(&[("a.pml", &long)]);
    let contents = unpacked("x.cab", &cab[..cab.len() / 2], &mut workspace);
    assert!(contents.files.iter().all(|file| !file.notes.is_empty()));
    assert_eq!(
        contents.files.len() + contents.errors.len(),
        1,
        "{contents:?}"
    );
}

#[test]
fn no_damage_is_fatal() {
    let log: Vec<u8> = LOG.iter().copied().cycle().take(3_000).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archives/lzma2.7z");
    let whole = [
        ("x.zip", zip_of(&[("a.pml", &log), ("b/c.pml", &log)])),
        ("x.cab", cab_of(&[("a.pml", &log), ("b.pml", &log)])),
        ("x.pml.gz", gz(&log)),
        ("x.pml.zst", zstd::encode_all(log.as_slice(), 1).unwrap()),
        ("x.7z", std::fs::read(path).unwrap()),
    ];
    let mut workspace = Workspace::new(UnpackOptions::default());
    for (name, bytes) in whole {
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            unpacked(name, &flipped, &mut workspace);
            if at % 3 == 0 {
                let contents = unpacked(name, &bytes[..at], &mut workspace);
                let told = contents.errors.len()
                    + contents.files.iter().map(|f| f.notes.len()).sum::<usize>();
                assert!(told > 0, "{name} cut at {at}");
            }
        }
    }
}

#[test]
fn bombs_are_told_and_leave_nothing() {
    let large: Vec<u8> = LOG
        .iter()
        .copied()
        .chain(std::iter::repeat_n(0, 4 << 20))
        .collect();
    let case = zip_of(&[("a.pml", LOG), ("b.pml", &large), ("c.pml", LOG)]);
    let files_of = |workspace: &Workspace| {
        let folder = workspace.folder.as_ref().unwrap().0.path();
        std::fs::read_dir(folder).unwrap().count()
    };
    // Over all archives.
    let mut workspace = Workspace::new(UnpackOptions {
        most: 1 << 20,
        ..UnpackOptions::default()
    });
    let contents = unpacked("x.zip", &case, &mut workspace);
    assert_eq!(names(&contents), ["x.zip/a.pml"]);
    assert!(
        contents.errors[0].en().contains("1.00 MiB")
            && contents.errors[0].en().contains("--unpack-limit")
    );
    let contents = unpacked("x.pml.gz", &gz(&large), &mut workspace);
    assert_eq!((contents.files.len(), contents.errors.len()), (0, 1));
    assert_eq!(files_of(&workspace), 1);
    // What was thrown away counts no more.
    assert_eq!(
        unpacked("y.pml.gz", &gz(LOG), &mut workspace).files.len(),
        1
    );
    // In proportion to the archive.
    let mut workspace = Workspace::new(UnpackOptions::default());
    workspace.small = 1 << 20;
    let bomb = zstd::encode_all(large.as_slice(), 19).unwrap();
    assert!(bomb.len() * 1_000 < large.len());
    let contents = unpacked("x.pml.zst", &bomb, &mut workspace);
    assert!(
        contents.errors[0].en().contains("1000 times its size"),
        "{contents:?}"
    );
    assert_eq!((contents.files.len(), files_of(&workspace)), (0, 0));
}

#[test]
fn what_is_not_read_says_so() {
    let mut workspace = Workspace::new(UnpackOptions::default());
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, kind) in [
        (b"Rar!\x1a\x07\x01\0".as_slice(), "RAR"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"BZh91AY", "bzip2"),
        (&tar, "tar"),
    ] {
        assert!(is_archive(bytes));
        let contents = unpacked("x", bytes, &mut workspace);
        assert!(
            contents.errors[0].en().contains(&format!("found {kind},")),
            "{contents:?}"
        );
    }
    let contents = unpacked("x.zip", b"not a zip", &mut workspace);
    assert!(contents.errors[0].en().contains("found something else"));
    let volume = unpacked("case.7z.001", b"7z\xbc\xaf\x27\x1c\0\x04", &mut workspace);
    assert!(volume.errors[0].en().contains("join them first"));
    let mut set = cab_of(&[("a.pml", LOG)]);
    set[30] |= 2;
    let contents = unpacked("x.cab", &set, &mut workspace);
    assert!(contents.errors[0].en().contains("set of several cabinets"));
    // A workbook is a zip, and none of its sheets is looked at.
    let workbook = zip_of(&[("[Content_Types].xml", b"<Types/>"), ("a.pml", LOG)]);
    assert_eq!(unpacked("x.xlsx", &workbook, &mut workspace).files.len(), 0);
}

#[cfg(unix)]
#[test]
fn the_folder_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut workspace = Workspace::new(UnpackOptions::default());
    let mode = std::fs::metadata(workspace.folder().unwrap())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}
