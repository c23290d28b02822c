//! The folder of a report: what stands in it already, and files that appear in it all at once.

use super::CliError;
use super::output::{Draft, OpenDraft, check_writable, not_an_input, refused};
use crate::say;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A report in the making: each file is written under a temporary name, and all get their own at the end.
pub struct ReportFolder {
    path: PathBuf,
    /// Whether it was made for this report.
    made: bool,
    drafts: Vec<Draft>,
}

impl ReportFolder {
    /// Whether a report of `files` may be written into the folder at `path`: asked before the work.
    ///
    /// Reports of earlier runs are replaced. Any other file in the place of one is not, unless `force` says so.
    ///
    /// # Errors
    /// A sentence with the way out.
    pub fn check(
        path: &Path,
        files: &[&str],
        inputs: &[PathBuf],
        force: bool,
    ) -> Result<(), CliError> {
        not_an_input(path, inputs)?;
        match fs::metadata(path) {
            Ok(meta) if !meta.is_dir() => {
                let shown = path.display();
                return Err(CliError::Input(say!(
                    en: "{shown}: expected a folder for the report, found a file",
                    zh: "{shown}：应为存放报告的文件夹，实际是文件"
                )));
            }
            Ok(_) => {}
            Err(_) => return check_parent(path),
        }
        if let Some(other) = (!force).then(|| foreign(path, files)).flatten() {
            let other = other.display();
            return Err(CliError::Input(say!(
                en: "{other}: there is such a file already, and fltscope did not write it: name another folder with --out, or replace it with --force",
                zh: "{other}：已有同名文件，且不是 fltscope 写入的：请用 --out 指定其他文件夹，或用 --force 替换"
            )));
        }
        for name in files {
            not_an_input(&path.join(name), inputs)?;
            let file = path.join(name);
            if file.exists() {
                check_writable(&file)?;
            }
        }
        check_writable(&path.join("findings.json"))
    }

    /// Makes the folder where it is not there.
    ///
    /// # Errors
    /// A sentence that names it.
    pub fn new(path: &Path) -> Result<Self, CliError> {
        let made = !path.exists();
        fs::create_dir_all(path).map_err(|error| refused(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            made,
            drafts: Vec::new(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins files that are written side by side; [`ReportFolder::add`] takes them when they are whole.
    ///
    /// # Errors
    /// As [`Draft::begin`].
    pub fn begin(&self, name: &str) -> Result<OpenDraft, CliError> {
        Draft::begin(&self.path.join(name))
    }

    /// Takes files that were begun here, in the order they are to appear in; `result` is that of the work which wrote
    /// them.
    ///
    /// # Errors
    /// As [`Draft::write`], of the file that could not be written.
    pub fn add<T>(&mut self, files: Vec<OpenDraft>, result: io::Result<T>) -> Result<T, CliError> {
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                let to_blame = files.into_iter().find(OpenDraft::failed);
                return match to_blame {
                    Some(file) => file.finish(Err(error)).map(|(_, value)| value),
                    None => Err(error.into()),
                };
            }
        };
        for file in files {
            self.drafts.push(file.finish(Ok(()))?.0);
        }
        Ok(value)
    }

    /// Writes a file of the report.
    ///
    /// # Errors
    /// As [`Draft::write`].
    pub fn write<T>(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
    ) -> Result<T, CliError> {
        let (draft, value) = Draft::write(&self.path.join(name), write)?;
        self.drafts.push(draft);
        Ok(value)
    }

    /// Gives all files their names, in the order they were written in.
    ///
    /// # Errors
    /// A sentence that names the file that cannot be replaced.
    pub fn keep(mut self) -> Result<(), CliError> {
        for draft in std::mem::take(&mut self.drafts) {
            draft.keep()?;
            self.made = false;
        }
        Ok(())
    }
}

impl Drop for ReportFolder {
    fn drop(&mut self) {
        self.drafts.clear();
        if self.made {
            // Only where it is empty.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Whether the folder could be made.
fn check_parent(path: &Path) -> Result<(), CliError> {
    let parent = path.ancestors().skip(1).find(|parent| parent.exists());
    match parent {
        Some(parent) if parent != Path::new("") => {
            let (shown, place) = (path.display(), parent.display());
            check_writable(&parent.join("x")).map_err(|_| {
                CliError::Input(say!(
                    en: "{shown}: cannot be made: nothing can be written in {place}",
                    zh: "{shown}：无法创建：{place} 中无法写入"
                ))
            })
        }
        _ => Ok(()),
    }
}

/// What the files of a report begin with.
const STARTS: [(&str, &str); 5] = [
    ("findings.json", "\"schema\": \"fltscope.findings/"),
    (
        "report.html",
        "<meta name=\"generator\" content=\"fltscope\">",
    ),
    ("events.csv", "event,time,source,class,"),
    ("drivers.csv", "name,company,verdict,third_party,"),
    ("summary.csv", "case,path,status,"),
];
/// Bytes in which that stands.
const HEAD: u64 = 1 << 10;

/// The first of `files` that stands in `folder` and is not of an earlier report.
fn foreign(folder: &Path, files: &[&str]) -> Option<PathBuf> {
    let is_ours = |name: &str| {
        let head = head(&folder.join(name))?;
        let start = STARTS.iter().find(|(file, _)| *file == name)?.1;
        Some(head.is_empty() || head.contains(start))
    };
    // Tables without words of ours go with those that have some.
    let report = STARTS.iter().any(|(name, _)| is_ours(name) == Some(true));
    let is_foreign = |name: &&&str| {
        let path = folder.join(name);
        path.exists()
            && match STARTS.iter().any(|(file, _)| file == *name) {
                true => is_ours(name) != Some(true),
                false => !report,
            }
    };
    files.iter().find(is_foreign).map(|name| folder.join(name))
}

fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(HEAD)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reports_of_ours_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let check = |force| {
            let files = ["events.csv", "events.parquet", "findings.json"];
            ReportFolder::check(folder.path(), &files, &[], force)
                .map_err(|error| error.to_string())
        };
        assert_eq!(check(false), Ok(()));
        fs::write(at("notes.txt"), "mine").unwrap();
        assert_eq!(check(false), Ok(()));
        fs::write(at("events.parquet"), "PAR1").unwrap();
        assert!(
            check(false).unwrap_err().contains("--force"),
            "nothing shows whose it is"
        );
        fs::write(
            at("findings.json"),
            "{\n  \"schema\": \"fltscope.findings/1\"",
        )
        .unwrap();
        assert_eq!(check(false), Ok(()));
        fs::write(
            at("events.csv"),
            "\u{feff}event,time,source,class,operation\n",
        )
        .unwrap();
        assert_eq!(check(false), Ok(()));
        fs::write(at("events.csv"), "date,event\n").unwrap();
        assert!(check(false).unwrap_err().contains("events.csv"));
        assert_eq!(check(true), Ok(()));
        let of = |path: PathBuf| ReportFolder::check(&path, &[], &[folder.path().to_owned()], true);
        assert!(
            of(at("events.csv"))
                .unwrap_err()
                .to_string()
                .contains("expected a folder")
        );
        assert!(matches!(
            of(folder.path().to_owned()),
            Err(CliError::Usage(_))
        ));
        assert!(of(at("new/deep")).is_ok());
        assert!(of(at("events.csv/deep")).is_err());
    }

    #[test]
    fn files_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut report = ReportFolder::new(&path).unwrap();
        report.write("a", |out| out.write_all(b"a")).unwrap();
        let failed = report.write("b", |_| -> io::Result<()> {
            Err(io::Error::other("no more input"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more input");
        drop(report);
        assert!(!path.exists());
        let mut report = ReportFolder::new(&path).unwrap();
        report.write("a", |out| out.write_all(b"a")).unwrap();
        assert!(!path.join("a").exists());
        report.keep().unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }
}
