//! The parts of a split Procmon log are one log: in the order of their numbers, and each knows what another tells.

use crate::common::{findings, fltscope, stderr, stdout};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tracegen::pml::{Bits, Event, LogBuilder, ProcId, Process};
use tracegen::scenario::{Case, boot_case};

/// What becomes of the tables of a part.
#[derive(Clone, Copy, PartialEq)]
enum Tables {
    Whole,
    /// No modules of System, and no process but System.
    Poor,
    /// Procmon did not close the file: no tables at all.
    None,
}

/// A log of the machine of the boot case with some of its events.
fn part(case: &Case, events: &[Event], tables: Tables, computer: &str) -> Vec<u8> {
    let mut log = LogBuilder::new(Bits::B64);
    log.computer(computer)
        .system_root("C:\\Windows")
        .os(10, 0, 19045)
        .hardware(4, 17_046_700_032)
        .unclosed(tables == Tables::None);
    let processes: Vec<(ProcId, Process)> = case
        .log
        .processes()
        .map(|(id, p)| (id, p.clone()))
        .collect();
    for (id, mut process) in processes {
        match tables {
            Tables::Poor if process.pid != 4 => continue,
            Tables::Poor => process.modules.clear(),
            Tables::Whole | Tables::None => {}
        }
        log.process_at(id, process);
    }
    for event in events {
        log.event(event);
    }
    log.finish()
}

/// The boot case as a whole log in `whole/`, and in `parts/` cut into as many parts as `tables` has.
fn split(tables: &[Tables]) -> (TempDir, Vec<PathBuf>) {
    let case = boot_case();
    let folder = tempfile::tempdir().unwrap();
    for name in ["whole", "parts"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("whole/boot_log.pml"), case.bytes()).unwrap();
    let size = case.events.len().div_ceil(tables.len());
    let paths = case.events.chunks(size).zip(tables).enumerate();
    let paths = paths.map(|(number, (events, tables))| {
        let name = match number {
            0 => "boot_log.pml".to_owned(),
            number => format!("boot_log-{number}.pml"),
        };
        let path = folder.path().join("parts").join(name);
        fs::write(&path, part(&case, events, *tables, "BANK-PC-0417")).unwrap();
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A whole log would say the same of its drivers; the file and the number of an event are other ones.
fn without_places(mut drivers: Value) -> Value {
    for driver in drivers.as_array_mut().unwrap() {
        for row in driver["evidence"].as_array_mut().unwrap() {
            row["event"] = Value::Null;
            row["input"] = Value::Null;
        }
    }
    drivers
}

fn warnings(found: &Value) -> String {
    found["warnings"].to_string()
}

#[test]
fn parts_say_what_the_whole_log_says() {
    use Tables::{None, Poor, Whole};
    for tables in [
        vec![Whole; 3],
        vec![Whole, Poor, Poor],
        vec![Whole, Poor, None],
        vec![Poor, Poor, Whole],
        vec![Whole; 12],
    ] {
        let (folder, paths) = split(&tables);
        let whole = findings(&[text(&folder.path().join("whole"))]);
        let parts = findings(&[text(&folder.path().join("parts"))]);
        assert_eq!(parts["window"]["start"], whole["window"]["start"]);
        assert_eq!(parts["window"]["end"], whole["window"]["end"]);
        assert_eq!(
            without_places(parts["drivers"].clone()),
            without_places(whole["drivers"].clone())
        );
        assert_eq!(parts["processes"], whole["processes"]);
        assert_eq!(warnings(&parts), warnings(&whole), "no gap is told");
        let inputs: Vec<&str> = parts["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| input["path"].as_str().unwrap())
            .collect();
        let expected: Vec<&str> = paths.iter().map(|path| text(path)).collect();
        assert_eq!(inputs, expected, "by number, a row a part");
    }
}

#[test]
fn a_driver_that_only_the_first_part_lists_resolves_in_the_others() {
    use Tables::{Poor, Whole};
    let (_folder, paths) = split(&[Whole, Poor, Poor]);
    let named = |paths: &[&Path]| {
        let mut args = vec!["export"];
        args.extend(paths.iter().map(|path| text(path)));
        args.extend([
            "-o",
            "-",
            "--format",
            "csv",
            "--columns",
            "drivers,process,company",
        ]);
        let rows = stdout(args);
        let driver = rows
            .lines()
            .filter(|line| line.contains("tmsflt.sys"))
            .count();
        let process = rows
            .lines()
            .filter(|line| line.contains("Microsoft"))
            .count();
        (driver, process)
    };
    // By itself the last part knows neither drivers nor processes.
    assert_eq!(named(&[&paths[2]]), (0, 0));
    let first = named(&[&paths[0]]);
    let ends = named(&[&paths[0], &paths[2]]);
    assert!(ends.1 > first.1, "{ends:?} {first:?}");
    let middle = named(&[&paths[0], &paths[1]]);
    assert!(middle.0 > first.0, "{middle:?} {first:?}");
}

#[test]
fn export_writes_the_parts_by_number_whatever_order_they_are_given_in() {
    use Tables::{Poor, Whole};
    let (folder, mut paths) = split(&[
        Whole, Poor, Poor, Whole, Poor, Poor, Poor, Poor, Poor, Poor, Poor, Poor,
    ]);
    paths.sort();
    assert!(
        text(&paths[1]).ends_with("boot_log-10.pml"),
        "by name 10 stands before 2"
    );
    let rows = |inputs: &[PathBuf]| {
        let mut args = vec!["export"];
        args.extend(inputs.iter().map(|path| text(path)));
        // The parts written here have no names of hosts.
        args.extend(["--class", "file,registry,process"]);
        args.extend(["-o", "-", "--format", "csv", "--columns"]);
        args.push("time,class,operation,path,target_path,result,status,duration_us,process,pid,tid,detail,drivers,process_path,command_line,user,company,parent_pid,session,auth_id,stack");
        stdout(args)
    };
    let whole = rows(&[folder.path().join("whole/boot_log.pml")]);
    let parts = rows(&paths);
    for (at, (part, whole)) in parts.lines().zip(whole.lines()).enumerate() {
        assert_eq!(part, whole, "line {at}");
    }
    assert_eq!(parts.lines().count(), whole.lines().count());
}

#[test]
fn a_missing_part_and_a_gap_are_told() {
    let (folder, paths) = split(&[Tables::Whole; 6]);
    fs::remove_file(&paths[2]).unwrap();
    fs::remove_file(&paths[3]).unwrap();
    let parts = folder.path().join("parts");
    let found = findings(&[text(&parts)]);
    let told = warnings(&found);
    assert!(
        told.contains("Parts boot_log-2.pml to boot_log-3.pml of the log are missing"),
        "{told}"
    );
    assert!(
        told.contains("s between boot_log-1.pml and boot_log-4.pml"),
        "{told}"
    );
    let lines = stdout(["info", "--json", text(&parts)]);
    let info: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(info[1]["warnings"].as_array().unwrap().len(), 0);
    assert!(info[2]["warnings"].to_string().contains("missing"));
    fs::remove_file(&paths[0]).unwrap();
    let output = fltscope(["export", text(&parts), "-o", "-", "--format", "csv"]);
    let told = stderr(&output);
    assert!(
        told.contains("Part boot_log.pml of the log is missing"),
        "{told}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn names_alone_make_no_parts() {
    let case = boot_case();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    let middle = case.events.len() / 2;
    let found = |folder: &TempDir| findings(&[text(folder.path())]);
    // A log of another machine: nothing is told of parts, and nothing joined.
    write(
        "boot.pml",
        part(&case, &case.events[..middle], Tables::Whole, "PC-1"),
    );
    write(
        "boot-1.pml",
        part(&case, &case.events[middle..], Tables::Poor, "PC-2"),
    );
    assert!(warnings(&found(&folder)).contains("different machines"));
    assert!(!warnings(&found(&folder)).contains("part"));
    // The same machine, but at the same time.
    write(
        "boot-1.pml",
        part(&case, &case.events[..middle], Tables::Poor, "PC-1"),
    );
    assert!(warnings(&found(&folder)).contains("are they parts of one log?"));
    // Two logs without a first part, the later one first.
    fs::remove_file(folder.path().join("boot.pml")).unwrap();
    write(
        "boot-417.pml",
        part(&case, &case.events[middle..], Tables::Whole, "PC-1"),
    );
    write(
        "boot-418.pml",
        part(&case, &case.events[..middle], Tables::Whole, "PC-1"),
    );
    fs::remove_file(folder.path().join("boot-1.pml")).unwrap();
    assert!(!warnings(&found(&folder)).contains("missing"));
}

#[test]
fn parts_in_an_archive_are_parts() {
    use std::io::Write as _;
    let (folder, paths) = split(&[Tables::Whole, Tables::Poor]);
    let zipped = folder.path().join("case.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&zipped).unwrap());
    for path in paths.iter().rev() {
        let name = format!("logs/{}", path.file_name().unwrap().to_string_lossy());
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&fs::read(path).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let packed = findings(&[text(&zipped)]);
    let plain = findings(&[text(&folder.path().join("parts"))]);
    assert_eq!(
        without_places(packed["drivers"].clone()),
        without_places(plain["drivers"].clone())
    );
}
