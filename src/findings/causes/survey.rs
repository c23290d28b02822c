//! The first pass: what failed for servicing, and which names its files have.

use super::LOOK_BACK;
use super::objects::Naming;
use crate::findings::analyze::CaseInput;
use crate::findings::conflicts::is_conflict;
use crate::findings::failing::{Failed, Picker};
use crate::findings::rules::Rules;
use crate::findings::scope::TraceScope;
use crate::servicing::is_servicing_process;
use crate::trace::{
    Batch, Class, Filetime, Foreseen, Memo, NO_THREAD, Outcomes, PathTest, SYSTEM, Select, Want,
};
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Failures of a trace that are kept.
const MOST_FAILED: usize = 50_000;
/// Links and renames of a trace that are kept.
const MOST_ALIASES: usize = 200_000;

/// What the first pass found in a trace.
#[derive(Debug, Default)]
pub struct Survey {
    /// What failed for servicing and may matter, in order; and what System was refused on driver-store paths.
    pub failed: Vec<Failed>,
    /// Pairs of names of one file: links and renames by servicing.
    pub aliases: Vec<(String, String)>,
    /// Threads that worked on the INF.
    pub inf_threads: HashSet<u32>,
    /// Failures that found no room.
    pub dropped: u64,
    /// Whether the trace has processes that service Windows.
    pub servicing: bool,
}

/// What the first pass needs to know.
pub struct Surveying<'a> {
    /// Position of the trace in the case.
    pub number: usize,
    /// The trace.
    pub input: &'a CaseInput<'a>,
    /// Paths in scope.
    pub scope: TraceScope<'a>,
    /// Rules.
    pub rules: &'a Rules,
    /// Names of objects.
    pub naming: &'a Naming,
    /// What is looked for.
    pub picker: &'a Picker,
    /// The window.
    pub window: RangeInclusive<Filetime>,
}

/// The first pass in progress.
pub struct Surveyor<'s, 'a> {
    surveying: &'s Surveying<'a>,
    /// For each process, whether it services Windows.
    servicing: Vec<bool>,
    /// The same, or whether it is System.
    wanted: Vec<bool>,
}

impl<'a> Surveying<'a> {
    /// Begins to look.
    pub fn begin(&self) -> Surveyor<'_, 'a> {
        let processes = &self.input.trace.info().processes;
        let servicing: Vec<bool> = processes
            .iter()
            .map(|process| is_servicing_process(&process.name))
            .collect();
        let wanted = processes.iter().zip(&servicing);
        let wanted = wanted.map(|(process, servicing)| *servicing || process.pid == SYSTEM);
        Surveyor {
            surveying: self,
            wanted: wanted.collect(),
            servicing,
        }
    }
}

impl Surveyor<'_, '_> {
    /// The columns that it needs.
    pub fn want(&self) -> Want {
        Want {
            path: true,
            target: true,
            ..Want::default()
        }
    }

    /// The events that it looks at; `None` where nobody services Windows.
    pub fn select<'m>(&self, memo: &'m Memo) -> Option<Select<'m>> {
        let one = self.surveying;
        self.finds_servicing().then(|| Select {
            memo: Some(memo),
            from: Some(one.window.start().minus(LOOK_BACK)),
            to: Some(*one.window.end()),
            classes: vec![Class::FileSystem, Class::Registry],
            processes: Some(self.wanted.clone()),
            outcomes: Outcomes::Telling,
            ..Select::default()
        })
    }

    /// The events by which it is known who works on the INF, also those that succeed; `None` where no INF is known.
    /// `on_inf` is [`Picker::on_inf`] of either path.
    pub fn select_inf<'m>(&self, on_inf: PathTest<'m>, memo: &'m Memo) -> Option<Select<'m>> {
        let select = self.select(memo)?;
        self.surveying.picker.hint().inf.as_ref()?;
        Some(Select {
            processes: Some(self.servicing.clone()),
            outcomes: Outcomes::All,
            paths: Some(on_inf),
            foreseen: Foreseen::FilesAndKeys,
            ..select
        })
    }

    /// Whether the trace has processes that service Windows.
    pub fn finds_servicing(&self) -> bool {
        self.servicing.contains(&true)
    }

    /// Looks at what a unit holds of [`Surveyor::select`] and of [`Surveyor::select_inf`].
    pub fn look(&self, batch: &Batch, on_inf: &Batch) -> Survey {
        let mut out = self.surveying.look(batch, &self.servicing);
        let tids = on_inf.tid.iter().copied();
        out.inf_threads.extend(tids.filter(|tid| *tid != NO_THREAD));
        out
    }
}

impl Survey {
    /// Adds what the next unit has.
    pub fn take(&mut self, part: Self) {
        let room = MOST_FAILED.saturating_sub(self.failed.len());
        self.dropped += part.dropped + part.failed.len().saturating_sub(room) as u64;
        self.failed.extend(part.failed.into_iter().take(room));
        let room = MOST_ALIASES.saturating_sub(self.aliases.len());
        self.aliases.extend(part.aliases.into_iter().take(room));
        self.inf_threads.extend(part.inf_threads);
        self.servicing |= part.servicing;
    }
}

impl Surveying<'_> {
    /// Whether an operation with these paths is one on the INF.
    pub fn on_inf(&self, path: &str, target: &str) -> bool {
        self.picker.on_inf(path) || self.picker.on_inf(target)
    }

    fn look(&self, batch: &Batch, servicing: &[bool]) -> Survey {
        let mut out = Survey::default();
        for row in 0..batch.len() {
            let (path, target) = (batch.path.get(row), batch.target.get(row));
            let process = batch.process.get(row).copied().unwrap_or_default();
            let by_servicing = servicing.get(process as usize) == Some(&true);
            let tid = batch.tid.get(row).copied().filter(|tid| *tid != NO_THREAD);
            let Some(status) = batch.status.get(row).copied().flatten() else {
                continue;
            };
            let class = batch.class[row];
            if status < 0x8000_0000 {
                if by_servicing && class == Class::FileSystem && !target.is_empty() {
                    out.aliases
                        .extend(self.alias(batch.operation_full[row], path, target));
                }
                continue;
            }
            let time = batch.time[row];
            if !self.window.contains(&time) {
                continue;
            }
            let telling = !self.rules.is_benign(Some(status));
            let in_scope = self.scope.takes(class, path, target);
            let refused = telling
                && class == Class::FileSystem
                && is_conflict(status)
                && (by_servicing || in_scope);
            let may_fit = by_servicing && self.picker.may_fit(status, telling);
            if !refused && !may_fit {
                continue;
            }
            let info = self.input.trace.info();
            out.failed.push(Failed {
                trace: self.number,
                event: batch.event[row],
                time,
                end: time.plus(batch.duration[row].unwrap_or(0)),
                class,
                operation: batch.operation_full[row],
                path: path.to_owned(),
                target: target.to_owned(),
                status,
                process,
                pid: info
                    .processes
                    .get(process as usize)
                    .map(|process| process.pid),
                tid,
                servicing: by_servicing,
                in_scope,
                telling,
            });
        }
        out
    }

    /// The two names of a file that is linked or renamed.
    fn alias(&self, operation: &str, path: &str, target: &str) -> Option<(String, String)> {
        let renames = operation.starts_with("SetRenameInformation")
            || operation.starts_with("SetLinkInformation");
        let name = |path| self.naming.name(Class::FileSystem, path);
        renames.then(|| name(path).zip(name(target))).flatten()
    }
}
