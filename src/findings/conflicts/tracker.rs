//! Following what is open, and noting who stood in the way of servicing.

use super::DIRECTORY_NOT_EMPTY;
use super::handles::{Ended, Handle, Handles, Opening};
use super::judge::{Explained, Refused};
use super::report::{Certainty, Conflict, Deleter, Holder, Victim};
use super::{Rights, access::Sharing};
use crate::codes::procmon::write_result;
use crate::lang::Message;
use crate::say;
use crate::trace::{CreateRequest, Filetime};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Objects with refusals that are kept.
const MOST_GROUPS: usize = 2_000;
/// Holders named for one.
const MOST_HOLDERS: usize = 20;
/// Conflicts that are named.
const MOST: usize = 50;
/// Open files below a folder that are looked at.
const MOST_BELOW: usize = 10_000;

/// A file operation on an object that is followed.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// Operation.
    pub operation: &'static str,
    /// Path as traced.
    pub path: &'a str,
    /// Target path as traced.
    pub target_path: &'a str,
    /// Name of the object, as the caller normalises names.
    pub name: &'a str,
    /// Name of the target; empty without one.
    pub target: &'a str,
    /// Start.
    pub time: Filetime,
    /// End.
    pub end: Filetime,
    /// NTSTATUS.
    pub status: Option<u32>,
    /// FileObject, or 0.
    pub object: u64,
    /// The request, of a create.
    pub create: Option<CreateRequest>,
    /// Trace.
    pub input: &'a Arc<str>,
    /// Record in it.
    pub event: u64,
    /// Process.
    pub process: Option<&'a str>,
    /// Its id.
    pub pid: Option<u32>,
    /// Its company; empty where that is not known.
    pub company: &'a str,
    /// Whether the process is a third party's.
    pub third_party: bool,
    /// Thread.
    pub tid: Option<u32>,
    /// A third-party driver that opened it in System: name and company.
    pub driver: Option<(&'a str, &'a str)>,
    /// Whether it is a refusal to explain.
    pub victim: bool,
}

/// What is kept of an open.
#[derive(Debug, Clone)]
struct Holding {
    process: Option<Arc<str>>,
    company: Arc<str>,
    third_party: bool,
    driver: Option<Arc<str>>,
    access: Option<u32>,
    input: Arc<str>,
    event: u64,
}

/// A conflict while it is gathered: the holders by number of their handle.
#[derive(Debug)]
struct Group {
    conflict: Conflict,
    numbers: Vec<u64>,
}

/// Follows open files and explains refusals.
#[derive(Debug, Default)]
pub struct Tracker {
    handles: Handles<Holding>,
    groups: Vec<Group>,
    /// By name of the object and status.
    by_object: HashMap<(Arc<str>, u32), usize>,
    /// Groups that name a handle, by its number.
    reported: HashMap<u64, Vec<usize>>,
    /// Who marked a file for deletion, by the name it had then.
    deleters: HashMap<Arc<str>, Deleter>,
    /// Objects that found no room.
    more: u64,
}

fn words(status: u32) -> String {
    let mut out = String::new();
    write_result(status, &mut out);
    out
}

fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn mask(access: Option<u32>) -> Option<String> {
    access.map(|access| format!("{access:#010x}"))
}

/// Whether a create with this status opened something: REPARSE is asked again elsewhere.
fn opened(status: u32) -> bool {
    const REPARSE: u32 = 0x104;
    status < 0x4000_0000 && status != REPARSE
}

impl Tracker {
    /// Takes the next operation, in order of time.
    pub fn step(&mut self, step: &Step<'_>) {
        if step.victim {
            self.refusal(step);
        }
        let Some(status) = step.status else {
            return;
        };
        if !opened(status) {
            return;
        }
        match step.operation {
            "CreateFile" => self.open(step),
            "CloseFile" => {
                let ended = self
                    .handles
                    .cleanup(step.name, step.pid, step.object, step.time);
                self.ended(ended, step.time);
            }
            "IRP_MJ_CLOSE" => {
                let ended = self.handles.close(step.name, step.object);
                self.ended(ended, step.time);
            }
            "ReadFile" if step.object != 0 => self.handles.used(step.object, Rights::READ),
            "WriteFile" if step.object != 0 => self.handles.used(step.object, Rights::WRITE),
            "CreateFileMapping" => self.handles.map(step.name, step.pid, step.object),
            name if name.starts_with("SetDispositionInformation") => {
                self.deleters.insert(
                    step.name.into(),
                    Deleter {
                        time: step.time,
                        process: step.process.map(str::to_owned),
                        pid: step.pid,
                    },
                );
            }
            _ if step.target.is_empty() => {}
            name if name.starts_with("SetRenameInformation") => {
                self.handles.rename(step.name, step.target);
            }
            name if name.starts_with("SetLinkInformation") => {
                self.handles.link(step.name, step.target);
            }
            _ => {}
        }
    }

    /// What is open is not known any more; what was found stays.
    pub fn forget_open(&mut self) {
        self.handles.forget();
        self.reported.clear();
        self.deleters.clear();
    }

    fn open(&mut self, step: &Step<'_>) {
        let Some(create) = step.create else {
            return;
        };
        // What can be opened is not about to go.
        self.deleters.remove(step.name);
        let driver = step.driver.filter(|_| !step.third_party);
        let holder = Holding {
            process: step.process.map(Arc::from),
            company: driver.map_or(step.company, |(_, company)| company).into(),
            third_party: step.third_party || driver.is_some(),
            driver: driver.map(|(name, _)| name.into()),
            access: create.access,
            input: Arc::clone(step.input),
            event: step.event,
        };
        let opening = Opening {
            pid: step.pid,
            object: step.object,
            sharing: Sharing {
                rights: create.access.and_then(Rights::of_mask),
                share: Rights(create.share),
            },
            since: step.end,
            holder,
        };
        self.handles.open(step.name, opening);
    }

    fn ended(&mut self, ended: Option<Ended>, time: Filetime) {
        let Some(ended) = ended else {
            return;
        };
        let groups = match ended.closed {
            true => self.reported.remove(&ended.number),
            false => self.reported.get(&ended.number).cloned(),
        };
        for group in groups.into_iter().flatten() {
            let Some(group) = self.groups.get_mut(group) else {
                continue;
            };
            let at = group
                .numbers
                .iter()
                .position(|number| *number == ended.number);
            if let Some(holder) = at.and_then(|at| group.conflict.holders.get_mut(at)) {
                holder.until.get_or_insert(time);
            }
        }
    }

    fn refusal(&mut self, step: &Step<'_>) {
        let Some(status) = step.status else {
            return;
        };
        let refused = Refused {
            status,
            create: step.create.as_ref(),
            pid: step.pid,
            object: step.object,
        };
        let mut found: Vec<(u64, Holder)> = Vec::new();
        let mut names = vec![step.name];
        if !step.target.is_empty() {
            names.push(step.target);
        }
        for name in &names {
            let deleted = self.deleters.contains_key(*name);
            let Some(file) = self.handles.known(name) else {
                continue;
            };
            for handle in self.handles.holders(file, step.end) {
                if let Some(explained) = refused.explained_by(handle, deleted) {
                    found.push((handle.number, holder(handle, explained, step)));
                }
            }
        }
        if status == DIRECTORY_NOT_EMPTY {
            for handle in self.handles.below(step.name, step.end).take(MOST_BELOW) {
                let deleted = self.deleters.contains_key(&handle.name);
                if let Some(explained) = refused.explained_by(handle, deleted) {
                    found.push((handle.number, holder(handle, explained, step)));
                }
            }
        }
        found.sort_by_key(|(number, holder)| (rank(holder), *number));
        found.dedup_by_key(|(number, _)| *number);
        let Some(at) = self.group(step, status, &refused) else {
            self.more += 1;
            return;
        };
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        group.conflict.refusals += 1;
        group.conflict.last = group.conflict.last.max(step.time);
        for (number, holder) in found {
            if group.numbers.len() >= MOST_HOLDERS {
                break;
            }
            if group.numbers.contains(&number) {
                continue;
            }
            group.numbers.push(number);
            group.conflict.holders.push(holder);
            self.reported.entry(number).or_default().push(at);
        }
    }

    /// The conflict that a refusal belongs to.
    fn group(&mut self, step: &Step<'_>, status: u32, refused: &Refused<'_>) -> Option<usize> {
        let key: (Arc<str>, u32) = (step.name.into(), status);
        if let Some(at) = self.by_object.get(&key) {
            return Some(*at);
        }
        if self.groups.len() >= MOST_GROUPS {
            return None;
        }
        let sharing = step.create.is_some().then(|| refused.sharing());
        let deleter = |name: &str| self.deleters.get(name).cloned();
        let conflict = Conflict {
            path: step.path.to_owned(),
            result: words(status),
            status: format!("{status:#010x}"),
            refusals: 0,
            first: step.time,
            last: step.time,
            victim: Victim {
                time: step.time,
                input: step.input.to_string(),
                event: step.event,
                operation: step.operation,
                target_path: text(step.target_path),
                process: step.process.map(str::to_owned),
                pid: step.pid,
                tid: step.tid,
                access: mask(step.create.and_then(|create| create.access)),
                rights: sharing.and_then(|sharing| sharing.rights),
                share: sharing.map(|sharing| sharing.share),
            },
            holders: Vec::new(),
            deleted_by: deleter(step.name).or_else(|| deleter(step.target)),
            note: None,
        };
        self.by_object.insert(key, self.groups.len());
        self.groups.push(Group {
            conflict,
            numbers: Vec::new(),
        });
        Some(self.groups.len() - 1)
    }

    /// The conflicts, most telling first, and how many more there are.
    pub fn finish(self) -> (Vec<Conflict>, u64) {
        let dropped = self.handles.dropped;
        let mut out: Vec<Conflict> = self
            .groups
            .into_iter()
            .map(|group| group.conflict)
            .collect();
        for conflict in &mut out {
            conflict
                .holders
                .sort_by_key(|holder| (rank(holder), holder.since));
            conflict.note = conflict.holders.is_empty().then(|| nobody(dropped));
        }
        let best = |conflict: &Conflict| conflict.holders.first().map(rank);
        out.sort_by_key(|conflict| {
            let best = best(conflict);
            (best.is_none(), best, conflict.first, conflict.victim.event)
        });
        let listed = out.len().min(MOST);
        let more = (out.len() - listed) as u64 + self.more;
        out.truncate(MOST);
        (out, more)
    }
}

/// Third parties first, then what is certain.
fn rank(holder: &Holder) -> (Reverse<bool>, Certainty) {
    (Reverse(holder.third_party), holder.certainty)
}

fn nobody(dropped: u64) -> Message {
    match dropped {
        0 => say!(
            en: "Nobody was seen with it open. It may have been opened before the trace or more than 10 minutes before, by a name that the trace does not tell, or by a filter below the tracing tool.",
            zh: "没有看到谁打开着它。它可能在跟踪开始之前或 10 分钟以前就已打开，可能以跟踪中没有的名称打开，也可能由位于跟踪工具之下的筛选器打开。",
        ),
        _ => say!(
            en: "Nobody was seen with it open. It may have been opened before the trace or more than 10 minutes before, by a name that the trace does not tell, or by a filter below the tracing tool. Too many files were open at a time to follow all of them.",
            zh: "没有看到谁打开着它。它可能在跟踪开始之前或 10 分钟以前就已打开，可能以跟踪中没有的名称打开，也可能由位于跟踪工具之下的筛选器打开。同时打开的文件过多，无法全部跟踪。",
        ),
    }
}

fn holder(handle: &Handle<Holding>, explained: Explained, step: &Step<'_>) -> Holder {
    let of = &handle.holder;
    let driver = of.driver.as_deref();
    Holder {
        kind: match driver {
            Some(_) => "driver",
            None => "process",
        },
        process: of.process.as_deref().map(str::to_owned),
        pid: handle.pid,
        company: text(&of.company),
        third_party: of.third_party,
        driver: driver.map(str::to_owned),
        other_path: (*handle.name != *step.name).then(|| handle.name.to_string()),
        event: of.event,
        input: of.input.to_string(),
        access: mask(of.access),
        rights: handle.sharing.rights,
        share: handle.sharing.share,
        since: handle.since,
        until: handle.cleaned,
        mapped: handle.mapped,
        certainty: explained.certainty,
        not_shared: explained.wanted,
        not_tolerated: explained.held,
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
