//! The cases of a batch: found in the folders given, each with a name that a folder can have.

use super::archive::is_device;
use super::split::PartName;
use super::{FileKind, kind_of, natural_key};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// One case of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCase {
    /// Its name: safe as the name of a folder on any system, and no other case of the batch has it, case ignored.
    pub name: String,
    /// What it is made of: one folder or archive, or the parts of a log.
    pub inputs: Vec<PathBuf>,
}

/// The cases of a batch and what is none.
#[derive(Debug, Default)]
pub struct FoundCases {
    /// In the order of the folders given, and in each by name.
    pub cases: Vec<FoundCase>,
    /// What cannot be read, or holds no case, in sentences.
    pub errors: Vec<String>,
    /// Files beside the cases that belong to none, in sentences.
    pub loose: Vec<String>,
}

/// Finds the cases: each direct sub-folder and each archive of a folder in `inputs` is one; so is each file in
/// `inputs`, the parts of a split log together. `out`, where reports go, is no case.
///
/// `reserved` are names that no case may get.
pub fn find_cases(inputs: &[PathBuf], out: Option<&Path>, reserved: &[&str]) -> FoundCases {
    let mut found = FoundCases::default();
    let mut names = Names::new(reserved);
    let out = out.and_then(|out| out.canonicalize().ok());
    // Parts of a split log that were given by name, and the case that its first one became.
    let mut logs: Vec<(String, usize)> = Vec::new();
    for input in inputs {
        if input.is_dir() {
            in_folder(input, out.as_deref(), &mut names, &mut found);
            continue;
        }
        if let Err(error) = std::fs::metadata(input) {
            found.errors.push(format!("{}: {error}", input.display()));
            continue;
        }
        let part = PartName::of(&input.to_string_lossy());
        let known = part.as_ref().and_then(|part| {
            let (_, case) = logs.iter().find(|(log, _)| *log == part.log)?;
            found.cases.get_mut(*case)
        });
        if let Some(case) = known {
            case.inputs.push(input.clone());
            continue;
        }
        logs.extend(part.map(|part| (part.log, found.cases.len())));
        found.cases.push(FoundCase {
            name: names.name(input, true),
            inputs: vec![input.clone()],
        });
    }
    found
}

fn in_folder(folder: &Path, out: Option<&Path>, names: &mut Names, found: &mut FoundCases) {
    let shown = folder.display();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.errors.push(format!("{shown}: {error}")),
    };
    let mut children = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) if entry.file_name().to_string_lossy().starts_with('.') => {}
            Ok(entry) => children.push(entry.path()),
            Err(error) => found.errors.push(format!("{shown}: {error}")),
        }
    }
    children.sort_by_cached_key(|child| natural_key(child));
    let before = found.cases.len();
    let mut loose = Vec::new();
    for child in children {
        let is_folder = child.is_dir();
        if is_folder && out.is_some() && child.canonicalize().ok().as_deref() == out {
            continue;
        }
        let kind = match is_folder {
            true => FileKind::Archive,
            false => kind_of(&child).unwrap_or(FileKind::Other),
        };
        match kind {
            FileKind::Archive => found.cases.push(FoundCase {
                name: names.name(&child, !is_folder),
                inputs: vec![child],
            }),
            FileKind::Other => {}
            FileKind::Pml | FileKind::Etl | FileKind::Cbs | FileKind::SetupApi => {
                let name = child.file_name().unwrap_or_default().to_string_lossy();
                loose.push(name.into_owned());
            }
        }
    }
    let listed = |loose: &[String]| match loose {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last} ({} files)", loose.len()),
    };
    match (found.cases.len() > before, loose.is_empty()) {
        (true, true) => {}
        (true, false) => found.loose.push(format!(
            "{shown}: {} beside the cases: in no case's folder, so not analysed",
            listed(&loose)
        )),
        (false, true) => found
            .errors
            .push(format!("{shown}: expected a folder or an archive a case, found none")),
        (false, false) => found.errors.push(format!(
            "{shown}: expected a folder or an archive a case, found {}. Is this folder one case? Then give the folder above it; if each log is a case, give the logs themselves",
            listed(&loose)
        )),
    }
}

/// Names given so far.
struct Names(HashSet<String>);

/// Characters of a name: with the longest file of a report behind it, well within what file systems take.
const LONGEST: usize = 80;

impl Names {
    fn new(reserved: &[&str]) -> Self {
        Self(reserved.iter().map(|name| name.to_lowercase()).collect())
    }

    /// A name for the case at `path`, made from its last component; of a file, without its endings.
    fn name(&mut self, path: &Path, is_file: bool) -> String {
        // `..` and `/` have no last component of their own.
        let full = path.canonicalize();
        let component = path
            .file_name()
            .or_else(|| full.as_ref().ok()?.file_name())
            .unwrap_or_default()
            .to_string_lossy();
        let base = safe_name(if is_file {
            without_endings(&component)
        } else {
            &component
        });
        let mut name = base.clone();
        let mut number = 2_u64;
        while !self.0.insert(name.to_lowercase()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        name
    }
}

/// `case.pml.gz` is the case `case`.
fn without_endings(name: &str) -> &str {
    let mut rest = name;
    while let Some((stem, ending)) = rest.rsplit_once('.') {
        let known = ["zip", "gz", "zst", "7z", "cab", "pml", "etl", "log"];
        if stem.is_empty() || !known.iter().any(|k| k.eq_ignore_ascii_case(ending)) {
            break;
        }
        rest = stem;
    }
    rest
}

/// A name that a folder can have on Windows, Linux and macOS, and that no shell or terminal trips over.
fn safe_name(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '(' | ')');
    let replaced: String = name
        .chars()
        .take(LONGEST)
        .map(|c| if kept(c) { c } else { '_' })
        .collect();
    let trimmed = replaced
        .trim_start_matches([' ', '.', '-'])
        .trim_end_matches([' ', '.']);
    if trimmed.is_empty() {
        "case".to_owned()
    } else if is_device(trimmed) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_are_safe_on_any_system() {
        assert_eq!(safe_name("BANK-PC 0417"), "BANK-PC 0417");
        assert_eq!(safe_name("网点 12"), "网点 12");
        assert_eq!(safe_name("a/b\\c:d*e?\u{202e}\n"), "a_b_c_d_e___");
        assert_eq!(safe_name("..."), "case");
        assert_eq!(safe_name("--help"), "help");
        assert_eq!(safe_name("con"), "_con");
        assert_eq!(safe_name("LPT1.old"), "_LPT1.old");
        assert_eq!(safe_name("COM10"), "COM10");
        assert_eq!(safe_name("x. "), "x");
        assert_eq!(safe_name(&"é".repeat(500)).chars().count(), LONGEST);
        assert_eq!(without_endings("a.b.pml.ZST"), "a.b");
        assert_eq!(without_endings(".zip"), ".zip");
    }

    #[test]
    fn names_are_never_given_twice() {
        let mut names = Names::new(&["summary.csv"]);
        let mut name = |path: &str, is_file| names.name(Path::new(path), is_file);
        assert_eq!(name("x/PC", false), "PC");
        assert_eq!(name("x/PC-2", false), "PC-2");
        assert_eq!(name("y/pc.zip", true), "pc-3");
        assert_eq!(name("y/Summary.csv", false), "Summary.csv-2");
    }

    #[test]
    fn folders_and_archives_are_cases_and_loose_logs_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let out = at("reports");
        for name in ["pc-10", "pc-9", "reports", ".git"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("pc-11.zip"), b"PK\x03\x04").unwrap();
        fs::write(at("readme.txt"), b"cases").unwrap();
        fs::write(at("boot.pml"), b"PML_").unwrap();
        let given = [folder.path().to_owned()];
        let found = find_cases(&given, Some(&out), &[]);
        let names: Vec<&str> = found.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["pc-9", "pc-10", "pc-11"]);
        assert_eq!(found.errors, Vec::<String>::new());
        assert!(found.loose[0].contains("boot.pml"), "{:?}", found.loose);
    }

    #[test]
    fn a_folder_without_cases_gets_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let given = [folder.path().to_owned(), "no/such".into()];
        let found = find_cases(&given, None, &[]);
        assert!(found.cases.is_empty() && found.errors.len() == 2);
        fs::write(folder.path().join("a.pml"), b"PML_").unwrap();
        let found = find_cases(&given[..1], None, &[]);
        assert!(found.errors[0].contains("give the folder above it"));
    }

    #[test]
    fn files_are_cases_and_the_parts_of_a_log_one() {
        let folder = tempfile::tempdir().unwrap();
        let given: Vec<PathBuf> = ["boot.pml", "boot-1.pml", "other.pml", "boot.etl"]
            .iter()
            .map(|name| folder.path().join(name))
            .collect();
        for path in &given {
            fs::write(path, b"PML_").unwrap();
        }
        let found = find_cases(&given, None, &[]);
        let cases: Vec<(&str, usize)> = found
            .cases
            .iter()
            .map(|case| (case.name.as_str(), case.inputs.len()))
            .collect();
        assert_eq!(cases, [("boot", 2), ("other", 1), ("boot-2", 1)]);
    }
}
