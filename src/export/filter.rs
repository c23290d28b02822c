//! Which events go into a table.

use crate::codes::procmon::status_of;
use crate::findings::{Rules, TraceScope};
use crate::trace::path::starts_with_no_case;
use crate::trace::{Batch, Class, Filetime, Foreseen, Memo, Select, Trace, Want};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::io;

/// A choice of events. All conditions must hold; inside one that is a list, one entry must.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Earliest time, inclusive.
    pub from: Option<Filetime>,
    /// Latest time, inclusive.
    pub to: Option<Filetime>,
    /// Classes.
    pub classes: Vec<Class>,
    /// Operations, case ignored.
    pub operations: Vec<String>,
    /// Process ids.
    pub pids: Vec<u32>,
    /// Thread ids.
    pub tids: Vec<u32>,
    /// NTSTATUS values.
    pub statuses: Vec<u32>,
    /// Only operations whose result is not benign.
    pub failures: bool,
    /// Only operations on paths in the rules' scope.
    pub driver_store: bool,
    /// Only operations with a third-party driver on the stack.
    pub third_party: bool,
    /// Scope and benign results.
    pub rules: Rules,
    /// Globs on the process name; see [`Filter::set_processes`].
    pub processes: Option<GlobSet>,
    /// Globs on the path; see [`Filter::set_paths`].
    pub paths: Option<GlobSet>,
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(&pattern.replace('\\', "/"))
            .case_insensitive(true)
            .literal_separator(false)
            .backslash_escape(false)
            .build()
            .map_err(|error| error.to_string())?;
        set.add(glob);
    }
    set.build().map(Some).map_err(|error| error.to_string())
}

/// Whether a glob set takes a text in which `\` separates.
fn matches(set: &GlobSet, text: &str) -> bool {
    if text.contains('\\') {
        set.is_match(text.replace('\\', "/"))
    } else {
        set.is_match(text)
    }
}

impl Filter {
    /// Takes only processes whose name matches one of these globs.
    ///
    /// # Errors
    /// A sentence, when a pattern is no glob.
    pub fn set_processes(&mut self, patterns: &[String]) -> Result<(), String> {
        self.processes = globs(patterns)?;
        Ok(())
    }

    /// Takes only paths (or target paths) that match one of these globs; `*` matches any characters, `\` among them.
    ///
    /// # Errors
    /// A sentence, when a pattern is no glob.
    pub fn set_paths(&mut self, patterns: &[String]) -> Result<(), String> {
        self.paths = globs(patterns)?;
        Ok(())
    }

    /// Takes only these results, as Procmon prints them or as NTSTATUS numbers.
    ///
    /// # Errors
    /// A sentence, when a text is neither.
    pub fn set_results(&mut self, texts: &[String]) -> Result<(), String> {
        self.statuses.clear();
        for text in texts {
            let found = status_of(text);
            if found.is_empty() {
                return Err(format!(
                    "'{text}' is neither a result as Procmon prints it (ACCESS DENIED) nor an NTSTATUS (0xC0000022)"
                ));
            }
            self.statuses.extend(found);
        }
        Ok(())
    }

    /// The classes that can pass; all where empty.
    fn possible_classes(&self) -> Vec<Class> {
        if !self.driver_store {
            return self.classes.clone();
        }
        // Where no other class is asked for, none is read.
        let scoped = TraceScope::CLASSES.into_iter();
        let possible: Vec<Class> = scoped
            .filter(|class| self.classes.is_empty() || self.classes.contains(class))
            .collect();
        match possible.is_empty() {
            true => self.classes.clone(),
            false => possible,
        }
    }

    /// Decodes the events of a unit that pass the conditions on their fixed part and their paths. `memo` is for all units
    /// of the trace.
    ///
    /// # Errors
    /// When the trace can no longer be read.
    pub fn decode(
        &self,
        trace: &dyn Trace,
        unit: usize,
        (want, memo): (&Want, &Memo),
        batch: &mut Batch,
    ) -> io::Result<()> {
        let info = trace.info();
        let scope = self.rules.scope.on(info.machine.system_root.as_deref());
        let test = |class: Class, path: &str, target: &str| {
            (!self.driver_store || scope.takes(class, path, target))
                && self.paths.as_ref().is_none_or(|globs| {
                    matches(globs, path) || (!target.is_empty() && matches(globs, target))
                })
        };
        let by_process = self.processes.is_some() || !self.pids.is_empty();
        let select = Select {
            from: self.from,
            to: self.to,
            classes: self.possible_classes(),
            processes: by_process.then(|| {
                let wanted = |process: &crate::trace::Process| {
                    self.processes
                        .as_ref()
                        .is_none_or(|globs| globs.is_match(&*process.name))
                        && (self.pids.is_empty() || self.pids.contains(&process.pid))
                };
                info.processes.iter().map(wanted).collect()
            }),
            tids: self.tids.clone(),
            paths: (self.driver_store || self.paths.is_some()).then_some(&test),
            foreseen: match self.driver_store {
                true => Foreseen::FilesAndKeys,
                false => Foreseen::Nothing,
            },
            memo: Some(memo),
            ..Select::default()
        };
        trace.decode(unit, want, &select, batch)
    }

    /// Whether a decoded row passes the other conditions, the stack's aside.
    #[inline]
    pub fn takes_row(&self, batch: &Batch, row: usize) -> bool {
        (self.operations.is_empty()
            || self.operations.iter().any(|name| {
                name.eq_ignore_ascii_case(batch.operation[row])
                    || name.eq_ignore_ascii_case(batch.operation_full[row])
            }))
            && (self.statuses.is_empty()
                || batch.status[row].is_some_and(|status| self.statuses.contains(&status)))
            && (!self.failures || !self.rules.is_benign(batch.status[row]))
    }
}

/// An event class by name: `file`, `registry`, `process`, `network`, `profiling`, `ipc`, `minifilter`, `kernel`,
/// `event`, or as shown.
pub fn class_by_name(name: &str) -> Option<Class> {
    let name: String = name
        .trim()
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-' && *c != '_')
        .collect();
    // The classes of the traces whose events are exported.
    [
        Class::Process,
        Class::Registry,
        Class::FileSystem,
        Class::Network,
        Class::Profiling,
        Class::Ipc,
        Class::Minifilter,
        Class::Kernel,
        Class::Event,
    ]
    .into_iter()
    .find(|class| {
        let shown = class.as_str().replace(' ', "");
        name.len() >= 3 && starts_with_no_case(&shown, &name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_name() {
        assert_eq!(class_by_name("File System"), Some(Class::FileSystem));
        assert_eq!(class_by_name("file"), Some(Class::FileSystem));
        assert_eq!(class_by_name("reg"), Some(Class::Registry));
        assert_eq!(class_by_name("proc"), Some(Class::Process));
        assert_eq!(class_by_name("prof"), Some(Class::Profiling));
        assert_eq!(class_by_name("pro"), Some(Class::Process));
        assert_eq!(class_by_name("p"), None);
        assert_eq!(class_by_name("<Unknown>"), None);
    }

    #[test]
    fn globs_ignore_case_and_cross_folders() {
        let mut filter = Filter::default();
        filter.set_paths(&["*\\OPOSDRV.inf*".into()]).unwrap();
        let set = filter.paths.unwrap();
        assert!(matches(
            &set,
            "C:\\Windows\\System32\\DriverStore\\FileRepository\\oposdrv.inf_amd64_1\\x.dll"
        ));
        assert!(!matches(&set, "C:\\Windows\\oposdrv"));
        assert!(Filter::default().set_paths(&["a{b".into()]).is_err());
        assert!(
            Filter::default()
                .set_results(&["NO SUCH THING".into()])
                .is_err()
        );
    }
}
