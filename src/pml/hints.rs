//! What events say of processes that the process table does not describe: a log that was not closed has no
//! table, a damaged one may have lost its texts.

use super::detail::{ProcessCreated, image_load, process_created, process_start};
use super::processes::Processes;
use super::record::Record;
use crate::trace::path::file_name;
use crate::trace::{Filetime, Process};
use std::collections::HashMap;
use std::sync::Arc;

/// What an event says of a process; what it does not say is `None`.
#[derive(Debug, Default)]
pub struct Hint {
    pid: Option<u32>,
    parent_pid: Option<u32>,
    image_path: Option<String>,
    command_line: Option<String>,
    created: Option<Created>,
}

/// What only the event of its creation says.
#[derive(Debug)]
struct Created {
    session: u32,
    auth_id: u64,
    is_64: bool,
    virtualized: Option<bool>,
    start: Filetime,
}

/// Id of the kernel's own process, on every Windows.
const SYSTEM: u32 = 4;

/// Hints, each with the number that events use for the process, as they come in the file.
pub type Hints = Vec<(u32, Hint)>;

/// Notes what a process event says, where the table does not. `parents`: also of the parent of a new process; the
/// whole table of a log may lack one that ended before.
pub fn note(
    record: &Record<'_>,
    known: &Processes,
    highest_user: u64,
    parents: bool,
    out: &mut Hints,
) {
    let lacks = |number: u32| match known.position(number) {
        Some(at) => known.list.get(at as usize).is_some_and(is_nameless),
        None => true,
    };
    if let Some(created) = process_created(record) {
        if lacks(created.index) {
            out.push((created.index, Hint::of_created(&created)));
        }
        if parents && known.position(created.parent_index).is_none() {
            let hint = Hint {
                pid: Some(created.parent_pid),
                ..Hint::default()
            };
            out.push((created.parent_index, hint));
        }
        return;
    }
    let own = record.process_index();
    if !lacks(own) {
        return;
    }
    if let Some(start) = process_start(record) {
        let hint = Hint {
            parent_pid: Some(start.parent_pid),
            command_line: Some(start.command_line.to_string()),
            ..Hint::default()
        };
        out.push((own, hint));
    } else if let Some(image) = image_load(record)
        && image.base <= highest_user
    {
        // A process loads its own image before any other.
        let path = image.path.to_string();
        if ends_like_a_program(&path) {
            let hint = Hint {
                image_path: Some(path),
                ..Hint::default()
            };
            out.push((own, hint));
        }
    }
}

fn ends_like_a_program(path: &str) -> bool {
    path.len() > 4
        && path
            .get(path.len() - 4..)
            .is_some_and(|end| end.eq_ignore_ascii_case(".exe"))
}

fn is_nameless(process: &Process) -> bool {
    process.name.is_empty() && process.image_path.is_empty()
}

impl Hint {
    fn of_created(created: &ProcessCreated<'_>) -> Self {
        Self {
            pid: Some(created.pid),
            parent_pid: Some(created.parent_pid),
            image_path: Some(created.path.to_string()),
            command_line: Some(created.command_line.to_string()),
            created: Some(Created {
                session: created.session,
                auth_id: created.auth_id,
                is_64: created.is_64,
                virtualized: match created.virtualized {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                },
                start: created.create_time,
            }),
        }
    }

    /// Takes over what a later event says and this does not.
    fn add(&mut self, later: Self) {
        self.pid = self.pid.or(later.pid);
        self.parent_pid = self.parent_pid.or(later.parent_pid);
        self.created = self.created.take().or(later.created);
        fill(&mut self.image_path, later.image_path);
        fill(&mut self.command_line, later.command_line);
    }

    /// Writes what is said into `process`, where it says nothing itself.
    fn tell(self, process: &mut Process) {
        if let Some(path) = self.image_path.filter(|path| !path.is_empty()) {
            if process.name.is_empty() {
                process.name = file_name(&path).into();
            }
            tell_text(&mut process.image_path, path);
        }
        if let Some(line) = self.command_line {
            tell_text(&mut process.command_line, line);
        }
        if process.pid == SYSTEM && process.name.is_empty() {
            process.name = "System".into();
        }
        process.parent_pid = process.parent_pid.or(self.parent_pid);
        let Some(created) = self.created else {
            return;
        };
        process.session = process.session.or(Some(created.session));
        process.auth_id = process.auth_id.or(Some(created.auth_id));
        process.is_64 = process.is_64.or(Some(created.is_64));
        process.virtualized = process.virtualized.or(created.virtualized);
        let start = Some(created.start).filter(|time| time.0 != 0);
        process.start = process.start.or(start);
    }
}

fn fill(text: &mut Option<String>, later: Option<String>) {
    if text.as_ref().is_none_or(String::is_empty) {
        *text = later.or(text.take());
    }
}

fn tell_text(text: &mut Arc<str>, said: String) {
    if text.is_empty() {
        *text = said.into();
    }
}

/// Adds to `processes` what the hints say. A process without an id stays unknown.
pub fn apply(hints: Hints, processes: &mut Processes) {
    let mut order = Vec::new();
    let mut sums: HashMap<u32, Hint> = HashMap::new();
    for (number, hint) in hints {
        sums.entry(number)
            .or_insert_with(|| {
                order.push(number);
                Hint::default()
            })
            .add(hint);
    }
    for number in order {
        let Some(hint) = sums.remove(&number) else {
            continue;
        };
        if let Some(at) = processes.position(number) {
            if let Some(process) = processes.list.get_mut(at as usize) {
                hint.tell(process);
            }
        } else if let Some(pid) = hint.pid {
            let mut process = Process::unknown(pid);
            hint.tell(&mut process);
            processes.add(number, process);
        }
    }
}
