//! Opening the inputs of a command.

use super::output::warn;
use super::progress::Bars;
use super::{CliError, Status};
use crate::etl::{self, EtlFacts, EtlFile};
use crate::input::archive::Workspace;
use crate::input::view::Source;
use crate::input::{FileKind, FoundFile, find};
use crate::pml::PmlTrace;
use crate::trace::{Tick, TraceInfo};
use std::path::{Path, PathBuf};

/// The traces of a command and what could not be opened.
///
/// The traces stand before the folder they may lie in: they go first.
pub struct Opened {
    /// The traces, each with the name that messages use.
    pub traces: Vec<(String, PmlTrace)>,
    /// ETL traces, of which only the census is known, where the command takes them.
    pub censuses: Vec<EtlInfo>,
    /// Inputs that could not be read at all, with the reason.
    pub unreadable: Vec<String>,
    /// Files that were found and are not read, with the reason.
    pub passed_over: Vec<String>,
    workspace: Workspace,
    census: bool,
}

/// What is known of an ETL trace.
pub struct EtlInfo {
    /// How many of the other traces stand before it.
    pub position: usize,
    /// What messages call it.
    pub name: String,
    /// Facts about it.
    pub info: TraceInfo,
    /// Facts that only ETL has.
    pub facts: EtlFacts,
}

impl Opened {
    /// Tells of what could not be opened.
    pub fn warn(&self) {
        for reason in &self.unreadable {
            warn(reason);
        }
    }

    /// The status of a command that did its work on the traces.
    pub fn status(&self) -> Status {
        if self.unreadable.is_empty() {
            Status::Done
        } else {
            Status::InputUnreadable
        }
    }

    /// Why there is nothing to work on.
    pub fn nothing_usable(&self) -> CliError {
        if let ([reason], []) = (self.unreadable.as_slice(), self.passed_over.as_slice()) {
            return CliError::Input(reason.clone());
        }
        let mut text = "no trace that can be read was given".to_owned();
        for reason in self.unreadable.iter().chain(&self.passed_over) {
            text.push_str("\n  ");
            text.push_str(reason);
        }
        if self.unreadable.is_empty() && self.passed_over.is_empty() {
            text.push_str(": expected Procmon logs (.pml), or a folder or archive that holds some");
        }
        CliError::Input(text)
    }

    fn open(&mut self, name: String, path: &Path, kind: FileKind, named: bool, bars: &Bars) {
        match kind {
            // A file of another kind gets the decoder's own answer: what was expected and what was found.
            FileKind::Other if !named => {}
            FileKind::Pml | FileKind::Other => {
                let bar = bars.bar(format!("Opening {name}"), 0);
                match PmlTrace::open(path, &|units| bar.tick(units)) {
                    Ok(trace) => self.traces.push((name, trace)),
                    Err(error) => self.unreadable.push(format!("{name}: {error}")),
                }
            }
            FileKind::Etl if self.census => {
                let bar = bars.bar(format!("Counting {name}"), 0);
                match census_of(path, &|units| bar.tick(units)) {
                    Ok((info, facts)) => self.censuses.push(EtlInfo {
                        position: self.traces.len(),
                        name,
                        info,
                        facts,
                    }),
                    Err(error) => self.unreadable.push(format!("{name}: {error}")),
                }
            }
            other if named => self.unreadable.push(not_read(&name, other)),
            other => self.passed_over.push(not_read(&name, other)),
        }
    }
}

fn census_of(path: &Path, tick: Tick<'_>) -> Result<(TraceInfo, EtlFacts), etl::OpenError> {
    let file = EtlFile::open(Source::open(path)?)?;
    let census = etl::census(&file, tick)?;
    let info = etl::info::describe(&file, &census, path);
    Ok((info, EtlFacts::new(&file, &census)))
}

fn not_read(name: &str, kind: FileKind) -> String {
    let hint = match kind {
        FileKind::Etl => "; fltscope info shows what it holds",
        _ => "",
    };
    format!(
        "{name}: a {} is not read here: this version reads Procmon logs (.pml){hint}",
        kind.name()
    )
}

/// Opens every trace that `paths` stand for, and counts the records of ETL traces.
pub fn open_for_info(paths: &[PathBuf], bars: &Bars) -> Opened {
    open(paths, bars, true)
}

/// Opens every trace that `paths` stand for: folders are searched, archives unpacked.
pub fn open_all(paths: &[PathBuf], bars: &Bars) -> Opened {
    open(paths, bars, false)
}

fn open(paths: &[PathBuf], bars: &Bars, census: bool) -> Opened {
    let (files, errors) = find(paths);
    let mut out = Opened {
        traces: Vec::new(),
        censuses: Vec::new(),
        census,
        unreadable: errors.iter().map(ToString::to_string).collect(),
        passed_over: Vec::new(),
        workspace: Workspace::default(),
    };
    for FoundFile { path, kind, named } in files {
        let name = path.display().to_string();
        if kind != FileKind::Archive {
            out.open(name, &path, kind, named, bars);
            continue;
        }
        let unpacked = {
            let _bar = bars.bar(format!("Unpacking {name}"), 0);
            out.workspace.unpack(&path, &name)
        };
        let (inner, errors) = unpacked;
        if named && inner.is_empty() && errors.is_empty() {
            out.unreadable
                .push(format!("{name}: the archive holds no trace"));
        }
        for error in errors {
            if named {
                out.unreadable.push(error);
            } else {
                out.passed_over.push(error);
            }
        }
        for file in inner {
            out.open(file.name, &file.path, file.kind, false, bars);
        }
    }
    out
}
