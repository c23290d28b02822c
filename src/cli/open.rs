//! Opening the inputs of a command.

use super::output::warn;
use super::parts::{PartNote, put_together};
use super::progress::Bars;
use super::{CliError, Status};
use crate::etl::{self, EtlTrace};
use crate::findings::scope::{Asked, Scope};
use crate::input::archive::{Contents, UnpackOptions, Workspace};
use crate::input::view::Source;
use crate::input::{FileKind, FoundFile, find};
use crate::lang::{Lang, Message};
use crate::pml::PmlTrace;
use crate::say;
use crate::stop;
use crate::trace::{Tick, Trace, TraceInfo};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A trace of any kind.
pub enum OpenTrace {
    /// Procmon log.
    Pml(Box<PmlTrace>),
    /// Windows trace log.
    Etl(Box<EtlTrace>),
}

impl OpenTrace {
    /// The trace behind the event model.
    pub fn trace(&self) -> &dyn Trace {
        match self {
            Self::Pml(trace) => &**trace,
            Self::Etl(trace) => &**trace,
        }
    }

    /// For a process that ends: does not put away what the system takes back at once.
    pub fn leave_memory(&mut self) {
        if let Self::Etl(trace) = self {
            trace.leave_links();
        }
    }

    /// Facts about it.
    pub fn info(&self) -> &TraceInfo {
        self.trace().info()
    }
}

/// The traces of a command and what could not be opened.
///
/// The traces stand before the folder they may lie in: they go first.
pub struct Opened {
    /// The traces, each with the name that messages use.
    pub traces: Vec<(String, OpenTrace)>,
    /// Inputs that could not be read at all, with the reason.
    pub unreadable: Vec<Message>,
    /// Files that were found and are not read, and what else of archives is worth telling.
    pub passed_over: Vec<Message>,
    /// What was lost of an input before it was opened.
    pub input_notes: Vec<InputNote>,
    /// Every file that was found, on disk: none of them may be written to.
    pub found: Vec<PathBuf>,
    /// Servicing logs, where the command takes them.
    pub logs: Vec<LogFile>,
    /// What there is to tell of the parts of split logs.
    pub part_notes: Vec<PartNote>,
    workspace: Workspace,
    purpose: Purpose,
    /// The files whose events are asked for; all where `None`.
    scope: Option<Scope>,
    /// Whether stacks are asked for with their frames in user mode.
    user_frames: bool,
}

/// What there is to tell of an input that was taken out of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct InputNote {
    /// What messages call the input.
    pub input: String,
    /// What, in a sentence.
    pub text: Message,
}

/// A servicing log that was found.
pub struct LogFile {
    /// What messages call it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// CBS or setupapi.
    pub kind: FileKind,
}

/// What inputs are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The facts of traces.
    Facts,
    /// Their events.
    Events,
    /// A case: traces with their events, and servicing logs.
    Case,
}

impl Opened {
    /// Takes out the logs of the Windows Update client: their events are sentences, and no trace of what drivers did.
    /// Without anything else in the case they stay, as all there is to look at.
    pub fn take_update_client_logs(&mut self, logs: bool) -> Vec<(String, Box<EtlTrace>)> {
        let is_other = |(_, trace): &(String, OpenTrace)| match trace {
            OpenTrace::Etl(trace) => !trace.is_update_client_log(),
            OpenTrace::Pml(_) => true,
        };
        let mut out = Vec::new();
        if !logs && !self.traces.iter().any(is_other) {
            return out;
        }
        let traces = std::mem::take(&mut self.traces);
        for (name, trace) in traces {
            match trace {
                OpenTrace::Etl(trace) if trace.is_update_client_log() => out.push((name, trace)),
                trace => self.traces.push((name, trace)),
            }
        }
        out
    }

    /// Tells of what could not be opened.
    pub fn warn(&self, lang: Lang) {
        for reason in self.unreadable.iter().chain(&self.passed_over) {
            warn(reason, lang);
        }
        for note in &self.input_notes {
            warn(&of_file(&note.input, &note.text), lang);
        }
        self.warn_of_losses(lang);
    }

    /// Tells of what is lost of the traces.
    pub fn warn_of_losses(&self, lang: Lang) {
        for loss in self.trace_losses() {
            warn(&loss, lang);
        }
    }

    /// What of the inputs is lost: records, bytes, parts, ends of archives.
    pub fn losses(&self) -> Vec<Message> {
        let notes = self.input_notes.iter();
        let mut out = self.trace_losses();
        out.extend(notes.map(|note| of_file(&note.input, &note.text)));
        out
    }

    fn trace_losses(&self) -> Vec<Message> {
        let traces = self.traces.iter();
        let of_traces = traces.filter_map(|(name, trace)| {
            let loss = trace.info().loss()?;
            Some(of_file(name, &loss))
        });
        let parts = self.part_notes.iter().filter(|note| note.is_loss);
        of_traces
            .chain(parts.map(|note| note.text.clone()))
            .collect()
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
        if self.unreadable.is_empty() && self.passed_over.is_empty() {
            return CliError::Input(say!(
                en: "no trace that can be read was given: expected Procmon logs (.pml) or Windows trace logs (.etl), or a folder or archive that holds some",
                zh: "没有给出可以读取的跟踪：应为 Procmon 日志（.pml）或 Windows 跟踪日志（.etl），或者含有它们的文件夹或压缩文件",
            ));
        }
        let reasons = |lang| {
            let all = self.unreadable.iter().chain(&self.passed_over);
            all.map(|reason| format!("\n  {}", reason.text(lang)))
                .collect::<String>()
        };
        let (en, zh) = (reasons(Lang::En), reasons(Lang::Zh));
        CliError::Input(say!(
            en: "no trace that can be read was given{en}",
            zh: "没有给出可以读取的跟踪{zh}",
        ))
    }

    fn open_archive(&mut self, name: &str, path: &Path, named: bool, bars: &Bars) {
        let contents = {
            let _bar = bars.bar(format!("Unpacking {name}"), 0);
            self.workspace.unpack(path, name)
        };
        let Contents {
            files,
            errors,
            notes,
        } = contents;
        if named && files.is_empty() && errors.is_empty() {
            self.unreadable.push(
                say!(en: "{name}: the archive holds no log", zh: "{name}：压缩文件中没有日志"),
            );
        }
        match named {
            true => self.unreadable.extend(errors),
            false => self.passed_over.extend(errors),
        }
        self.passed_over.extend(notes);
        for file in files {
            let notes = file.notes.into_iter().map(|text| InputNote {
                input: file.name.clone(),
                text,
            });
            self.input_notes.extend(notes);
            self.open(file.name, &file.path, file.kind, false, bars);
        }
    }

    fn open(&mut self, name: String, path: &Path, kind: FileKind, named: bool, bars: &Bars) {
        match kind {
            // A file of another kind gets the decoder's own answer: what was expected and what was found.
            FileKind::Other if !named => {}
            FileKind::Pml | FileKind::Other => {
                let bar = bars.bar(format!("Opening {name}"), 0);
                match PmlTrace::open(path, &|units| bar.tick(units)) {
                    Ok(trace) => self.traces.push((name, OpenTrace::Pml(Box::new(trace)))),
                    Err(error) => self.unreadable.push(of_file(&name, &error.message())),
                }
            }
            FileKind::Etl => {
                let bar = bars.bar(format!("Opening {name}"), 0);
                let asked = self.scope.as_ref().map(|scope| Asked {
                    scope,
                    user_frames: self.user_frames,
                });
                let facts_only = self.purpose == Purpose::Facts;
                match open_etl(path, facts_only, asked, &|units| bar.tick(units)) {
                    Ok(trace) => self.traces.push((name, OpenTrace::Etl(Box::new(trace)))),
                    Err(error) => self.unreadable.push(of_file(&name, &error.message())),
                }
            }
            FileKind::Cbs | FileKind::SetupApi if self.purpose == Purpose::Case => {
                self.logs.push(LogFile {
                    name,
                    path: path.to_owned(),
                    kind,
                });
            }
            // Beside traces in a folder they are nobody's business here.
            FileKind::Cbs | FileKind::SetupApi if !named => {}
            other if named => self.unreadable.push(not_read(&name, other)),
            other => self.passed_over.push(not_read(&name, other)),
        }
    }
}

fn open_etl(
    path: &Path,
    facts_only: bool,
    asked: Option<Asked<'_>>,
    tick: Tick<'_>,
) -> Result<EtlTrace, etl::OpenError> {
    match asked {
        _ if facts_only => EtlTrace::survey(Source::open(path)?, path, tick),
        None => EtlTrace::open(path, tick),
        Some(asked) => EtlTrace::open_for(Source::open(path)?, path, &asked, tick),
    }
}

fn not_read(name: &str, kind: FileKind) -> Message {
    let kind = kind.said();
    let (what, which) = (kind.en(), kind.zh());
    say!(
        en: "{name}: a {what} is not read here: expected a Procmon log (.pml) or a Windows trace log (.etl)",
        zh: "{name}：此命令不读取{which}：应为 Procmon 日志（.pml）或 Windows 跟踪日志（.etl）",
    )
}

/// A file and what there is to tell of it.
pub fn of_file(name: &str, told: &Message) -> Message {
    let (en, zh) = (told.en(), told.zh());
    say!(en: "{name}: {en}", zh: "{name}：{zh}")
}

/// Opens every trace that `paths` stand for, for their facts: events cannot be had from all of them.
pub fn open_for_facts(paths: &[PathBuf], unpack: UnpackOptions, bars: &Bars) -> Opened {
    open(paths, unpack, (None, false), bars, Purpose::Facts)
}

/// Opens every trace that `paths` stand for: folders are searched, archives unpacked. With a `scope`, for the events on
/// its files.
pub fn open_all(
    paths: &[PathBuf],
    unpack: UnpackOptions,
    scope: Option<&Scope>,
    bars: &Bars,
) -> Opened {
    open(paths, unpack, (scope, true), bars, Purpose::Events)
}

/// The same, and finds the servicing logs; `user_frames` tells whether stacks are wanted with their frames in user mode.
pub fn open_case(
    paths: &[PathBuf],
    unpack: UnpackOptions,
    (scope, user_frames): (&Scope, bool),
    bars: &Bars,
) -> Opened {
    open(
        paths,
        unpack,
        (Some(scope), user_frames),
        bars,
        Purpose::Case,
    )
}

fn open(
    paths: &[PathBuf],
    unpack: UnpackOptions,
    (scope, user_frames): (Option<&Scope>, bool),
    bars: &Bars,
    purpose: Purpose,
) -> Opened {
    let (files, errors) = find(paths);
    let mut out = Opened {
        traces: Vec::new(),
        logs: Vec::new(),
        purpose,
        scope: scope.cloned(),
        user_frames,
        unreadable: errors
            .iter()
            .map(|error| Message::verbatim(error.to_string()))
            .collect(),
        passed_over: Vec::new(),
        input_notes: Vec::new(),
        found: files.iter().map(|file| file.path.clone()).collect(),
        part_notes: Vec::new(),
        workspace: Workspace::new(unpack),
    };
    let mut known = HashSet::new();
    for FoundFile { path, kind, named } in files {
        if stop::is_requested() {
            break;
        }
        let name = path.display().to_string();
        // The events of a case count once, however often its files are named.
        if purpose == Purpose::Case
            && let Ok(real) = path.canonicalize()
            && !known.insert(real)
        {
            out.passed_over.push(say!(
                en: "{name}: given more than once, read once",
                zh: "{name}：重复给出，只读取一次",
            ));
            continue;
        }
        match kind {
            FileKind::Archive => out.open_archive(&name, &path, named, bars),
            kind => out.open(name, &path, kind, named, bars),
        }
    }
    out.part_notes = put_together(&mut out.traces);
    out
}
