//! The second pass: the objects in question, over all processes.

use super::objects::{Naming, ObjectSet, is_hive_key};
use super::touches::{LastTouches, text, words};
use super::{LOOK_AHEAD, LOOK_BACK};
use crate::codes::hresult;
use crate::drivers::{Driver, DriverList, is_third_party_company};
use crate::findings::analyze::{Case, CaseInput, Options, is_procmon};
use crate::findings::conflicts::{DIRECTORY_NOT_EMPTY, Step, Tracker};
use crate::findings::failing::{Chosen, Failed, FailureHint, Relation, TouchBefore};
use crate::trace::{
    Batch, Class, Filetime, Frames, Memo, NO_THREAD, Process, Progress, SYSTEM, Select, Want,
    for_each_unit,
};
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

/// What a chosen operation was on, by all names.
#[derive(Debug, Clone)]
struct Asked {
    names: Vec<(String, Relation)>,
    hive: bool,
}

/// Names of one file that are asked for.
const MOST_NAMES: usize = 32;

/// Names that servicing gave to the same files.
struct Aliases<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Aliases<'a> {
    fn new(pairs: &'a [(String, String)]) -> Self {
        let mut other: HashMap<&str, Vec<&str>> = HashMap::new();
        for (one, two) in pairs {
            other.entry(one).or_default().push(two);
            other.entry(two).or_default().push(one);
        }
        Self(other)
    }

    /// A name and all others of its file.
    fn of(&self, name: &str) -> Vec<String> {
        let mut out = vec![name.to_owned()];
        let mut at = 0;
        while let Some(name) = out.get(at).filter(|_| out.len() < MOST_NAMES) {
            let others = self.0.get(name.as_str()).into_iter().flatten();
            let new: Vec<String> = others
                .filter(|other| !out.iter().any(|known| known == *other))
                .take(MOST_NAMES)
                .map(|other| (*other).to_owned())
                .collect();
            out.extend(new);
            at += 1;
        }
        out
    }
}

/// What the second pass looks for.
#[derive(Debug, Default)]
pub struct Plan {
    objects: ObjectSet,
    /// For each chosen operation what it was on.
    asked: Vec<Asked>,
    /// Chosen operations by trace and record.
    chosen: HashMap<(usize, u64), usize>,
    /// Refusals to explain, by trace and record.
    refused: HashSet<(usize, u64)>,
    from: Option<Filetime>,
    to: Option<Filetime>,
    keys: bool,
}

/// The class of a target path: of registry operations it is a key or the file of a hive.
fn target_class(class: Class, target: &str) -> Class {
    match class {
        Class::Registry
            if target.as_bytes().get(1) == Some(&b':') || target.starts_with("\\??\\") =>
        {
            Class::FileSystem
        }
        Class::Registry
            if crate::trace::path::starts_with_no_case(target, "\\Device\\")
                || crate::trace::path::starts_with_no_case(target, "\\SystemRoot\\") =>
        {
            Class::FileSystem
        }
        class => class,
    }
}

impl Plan {
    /// Follows the objects of the chosen operations and of the refusals, by all names they have.
    pub fn new<'a>(
        namings: &[Naming],
        chosen: &[Chosen],
        refused: impl Iterator<Item = &'a Failed>,
        aliases: &[(String, String)],
        hint: &FailureHint,
    ) -> Self {
        let mut out = Self::default();
        let aliases = Aliases::new(aliases);
        let corrupt = hint.code.and_then(hresult::win32_of) == Some(1009);
        for (position, chosen) in chosen.iter().enumerate() {
            let failed = &chosen.failed;
            let (path, target) = names(namings, failed);
            let on_hive = |name: &Option<String>| {
                name.as_deref().is_some_and(|name| {
                    let naming = namings.get(failed.trace);
                    is_hive_key(name) || naming.is_some_and(|naming| naming.is_hive_file(name))
                })
            };
            let hive = corrupt || on_hive(&path) || on_hive(&target);
            out.objects.hive |= hive;
            out.keys |= failed.class == Class::Registry;
            out.widen(failed);
            out.chosen.insert((failed.trace, failed.event), position);
            let named = |name: Option<String>, relation| {
                let names = name.map(|name| aliases.of(&name)).unwrap_or_default();
                names.into_iter().map(move |name| (name, relation))
            };
            let names = named(path, Relation::Path);
            let names: Vec<_> = names.chain(named(target, Relation::Target)).collect();
            for (name, _) in &names {
                out.objects.add(name);
            }
            out.asked.push(Asked { names, hive });
        }
        for failed in refused {
            let (path, target) = names(namings, failed);
            out.refused.insert((failed.trace, failed.event));
            out.widen(failed);
            if failed.status == DIRECTORY_NOT_EMPTY
                && let Some(path) = &path
            {
                out.objects.add_folder(path);
            }
            for name in path.iter().chain(&target) {
                // What is refused again and again has been looked up.
                if !out.objects.holds(name) {
                    for name in aliases.of(name) {
                        out.objects.add(&name);
                    }
                }
            }
        }
        out
    }

    fn widen(&mut self, failed: &Failed) {
        let (from, to) = (failed.time.minus(LOOK_BACK), failed.end.plus(LOOK_AHEAD));
        self.from = Some(self.from.map_or(from, |known| known.min(from)));
        self.to = Some(self.to.map_or(to, |known| known.max(to)));
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

fn names(namings: &[Naming], failed: &Failed) -> (Option<String>, Option<String>) {
    let Some(naming) = namings.get(failed.trace) else {
        return (None, None);
    };
    let class = target_class(failed.class, &failed.target);
    (
        naming.name(failed.class, &failed.path),
        naming.name(class, &failed.target),
    )
}

/// What the second pass needs to know.
pub struct Following<'a> {
    /// The case.
    pub case: &'a Case<'a>,
    /// Drivers of each trace.
    pub lists: &'a [DriverList],
    /// Rules.
    pub options: &'a Options,
    /// Names of objects of each trace.
    pub namings: &'a [Naming],
    /// What to look for.
    pub plan: &'a Plan,
}

/// What the second pass found.
#[derive(Debug)]
pub struct Followed {
    /// Conflicts.
    pub tracker: Tracker,
    /// For each chosen operation what touched its objects before.
    pub touches: Vec<Vec<TouchBefore>>,
}

/// One trace while it is followed.
struct One<'a> {
    number: usize,
    input: &'a CaseInput<'a>,
    name: Arc<str>,
    naming: &'a Naming,
    drivers: &'a DriverList,
}

impl Following<'_> {
    /// Looks through the traces, one after the other: what is open at the end of a part of a split log is open in the next.
    ///
    /// # Errors
    /// When a trace can no longer be read.
    pub fn run(&self, progress: &dyn Progress) -> io::Result<Followed> {
        let mut out = Followed {
            tracker: Tracker::default(),
            touches: vec![Vec::new(); self.plan.asked.len()],
        };
        let mut last = LastTouches::default();
        let inputs = self.case.inputs.iter().zip(self.namings).zip(self.lists);
        for (number, ((input, naming), drivers)) in inputs.enumerate() {
            let one = One {
                number,
                input,
                name: input.name.as_str().into(),
                naming,
                drivers,
            };
            if number > 0 && !self.goes_on(number) {
                out.tracker.forget_open();
            }
            let mut classes = vec![Class::FileSystem];
            if self.plan.keys {
                classes.push(Class::Registry);
            }
            if !self.plan.asked.is_empty() {
                classes.push(Class::Minifilter);
            }
            let objects = &self.plan.objects;
            let followed = |class: Class, path: &str, target: &str| {
                objects.takes(naming, class, path)
                    || (!target.is_empty()
                        && objects.takes(naming, target_class(class, target), target))
            };
            let memo = Memo::default();
            let select = Select {
                memo: Some(&memo),
                from: self.plan.from,
                to: self.plan.to,
                classes,
                paths: Some(&followed),
                foreseen: objects.foreseen(naming, input.scope(self.options)),
                ..Select::default()
            };
            let want = Want {
                frames: Frames::Kernel,
                file_uses: true,
                ..Want::default()
            };
            let trace = input.trace;
            let phase = progress.phase("Following what failed", trace);
            for_each_unit(
                0..trace.units(),
                &*phase,
                |unit| {
                    let mut batch = Batch::default();
                    trace.decode(unit, &want, &select, &mut batch)?;
                    Ok(batch)
                },
                |batch| {
                    for row in 0..batch.len() {
                        self.row(&one, &batch, row, &mut last, &mut out);
                    }
                    Ok(())
                },
            )?;
        }
        Ok(out)
    }

    /// Whether a trace goes on where the one before it ends.
    fn goes_on(&self, number: usize) -> bool {
        let info = |number: usize| self.case.inputs.get(number).map(|input| input.trace.info());
        let (before, this) = (number.checked_sub(1).and_then(info), info(number));
        before.zip(this).is_some_and(|(before, this)| {
            before.kind == this.kind && before.last.is_some() && before.last <= this.first
        })
    }

    fn row(
        &self,
        one: &One<'_>,
        batch: &Batch,
        row: usize,
        last: &mut LastTouches,
        out: &mut Followed,
    ) {
        let info = one.input.trace.info();
        let process = info.processes.get(batch.process[row] as usize);
        if process.is_some_and(|process| is_procmon(&process.name)) {
            return;
        }
        let class = batch.class[row];
        let (path, target) = (batch.path.get(row), batch.target.get(row));
        let name = one.naming.name(class, path).unwrap_or_default();
        let target_name = one.naming.name(target_class(class, target), target);
        let target_name = target_name.unwrap_or_default();
        let place = (one.number, batch.event[row]);
        if let Some(position) = self.plan.chosen.get(&place)
            && let (Some(asked), Some(touches)) = (
                self.plan.asked.get(*position),
                out.touches.get_mut(*position),
            )
        {
            let names = asked.names.iter();
            let names: Vec<_> = names
                .map(|(name, relation)| (name.as_str(), *relation))
                .collect();
            *touches = last.of(&names, asked.hive);
        }
        let drivers = suspects(one.drivers, batch, row);
        if !self.plan.asked.is_empty() {
            self.note(one, batch, row, (&name, &target_name), &drivers, last);
        }
        if class != Class::FileSystem || batch.file_use(row).is_none() {
            return;
        }
        let used = batch.file_use(row);
        let company = process.map_or("", |process| &*process.company);
        // Of a driver that opens a file, the frame lies farthest out.
        let driver = drivers.last().filter(|_| pid_of(process) == Some(SYSTEM));
        out.tracker.step(&Step {
            operation: batch.operation_full[row],
            path,
            target_path: target,
            name: &name,
            target: &target_name,
            time: batch.time[row],
            end: batch.time[row].plus(batch.duration[row].unwrap_or(0)),
            status: batch.status[row],
            object: used.map_or(0, |used| used.object),
            create: used.and_then(|used| used.create),
            input: &one.name,
            event: batch.event[row],
            process: process.map(|process| &*process.name),
            pid: pid_of(process),
            company,
            third_party: is_third_party_company(company),
            tid: tid_of(batch, row),
            driver: driver.map(|driver| (driver.name.as_str(), &*driver.company)),
            victim: self.plan.refused.contains(&place),
        });
    }

    /// Keeps a touch: by another process than servicing, with a third-party driver, or refused.
    fn note(
        &self,
        one: &One<'_>,
        batch: &Batch,
        row: usize,
        (name, target): (&str, &str),
        drivers: &[&Driver],
        last: &mut LastTouches,
    ) {
        let callback = batch.callback(row).map(|callback| callback.phase);
        let operation = batch.operation_full[row];
        let status = batch.status[row];
        let refused = !self.options.rules.is_benign(status);
        let info = one.input.trace.info();
        let process = info.processes.get(batch.process[row] as usize);
        let servicing =
            process.is_some_and(|process| crate::servicing::is_servicing_process(&process.name));
        let closes = matches!(operation, "CloseFile" | "IRP_MJ_CLOSE" | "RegCloseKey");
        let says = match callback {
            Some(_) => !drivers.is_empty(),
            None => refused || (!closes && (!servicing || !drivers.is_empty())),
        };
        if !says {
            return;
        }
        let company = process.map_or("", |process| &*process.company);
        let touch = TouchBefore {
            time: batch.time[row],
            input: one.input.name.clone(),
            event: batch.event[row],
            relation: Relation::HiveFile,
            operation,
            callback,
            path: batch.path.get(row).to_owned(),
            result: status.map(words),
            status: status.map(|status| format!("{status:#010x}")),
            refused,
            process: process.and_then(|process| text(&process.name)),
            pid: pid_of(process),
            tid: tid_of(batch, row),
            company: text(company),
            third_party: is_third_party_company(company),
            drivers: drivers.iter().map(|driver| driver.name.clone()).collect(),
        };
        let files = batch.class[row] != Class::Registry;
        let hive = |name: &str| one.naming.is_hive_file(name);
        if self.plan.objects.hive && files && (hive(name) || hive(target)) {
            last.add_hive(touch.clone());
        }
        for name in [name, target] {
            if !name.is_empty() && self.plan.objects.holds(name) {
                last.add(name, touch.clone());
            }
        }
    }
}

fn pid_of(process: Option<&Process>) -> Option<u32> {
    process.map(|process| process.pid)
}

fn tid_of(batch: &Batch, row: usize) -> Option<u32> {
    batch.tid.get(row).copied().filter(|tid| *tid != NO_THREAD)
}

/// Drivers that may be flagged: the filter of a callback, or those on the stack, innermost first, each once.
fn suspects<'a>(list: &'a DriverList, batch: &Batch, row: usize) -> Vec<&'a Driver> {
    let time = batch.time[row];
    let mut images: Vec<u32> = Vec::new();
    let mut add = |address| {
        if let Some(image) = list.suspect_at(address, time)
            && !images.contains(&image)
        {
            images.push(image);
        }
    };
    match batch.callback(row) {
        Some(callback) => add(callback.routine),
        None => batch.frames.get(row).iter().copied().for_each(add),
    }
    images
        .into_iter()
        .filter_map(|image| list.list.get(image as usize))
        .collect()
}
