//! A trace in the words of the event model: what `info` says of it.

use super::census::Census;
use super::classes::class_of;
use super::coverage::coverage;
use super::dictionary::facts::Facts;
use super::error::EtlError;
use super::file::EtlFile;
use super::header::TraceHeader;
use super::hooks::{group_of, hook_name, hook_of_class};
use crate::lang::Message;
use crate::say;
use crate::trace::time::TICKS_PER_DAY;
use crate::trace::{Boot, BootBasis, Class, KernelImage, Kind, OperationCount, Process, TraceInfo};
use std::collections::BTreeMap;
use std::path::Path;

/// The facts of a trace, with its processes and kernel images.
pub fn describe(
    file: &EtlFile,
    census: &Census,
    facts: &Facts,
    processes: Vec<Process>,
    kernel_images: Vec<KernelImage>,
    path: &Path,
) -> TraceInfo {
    let header = file.header();
    let mut warnings: Vec<Message> = file.faults().iter().map(EtlError::message).collect();
    warnings.extend(census.faults.iter().map(EtlError::message));
    if facts.lost_names > 0 {
        warnings.push(say!(
            en: "{lost} names found no room in memory",
            zh: "内存中放不下 {lost} 个名称",
            lost = facts.lost_names,
        ));
    }
    if facts.stacks.lost > 0 {
        warnings.push(say!(
            en: "{lost} definitions of stacks found no room in memory",
            zh: "内存中放不下 {lost} 个堆栈定义",
            lost = facts.stacks.lost,
        ));
    }
    let mut coverage = coverage(file, census, facts);
    coverage.modules = kernel_images.iter().any(|image| image.loaded.is_none());
    TraceInfo {
        path: path.to_owned(),
        kind: Kind::Etl,
        bytes: file.bytes(),
        records: census.records,
        first: census.first,
        last: census.last,
        machine: facts.machine.machine(header),
        operations: operations(census),
        processes,
        kernel_images,
        highest_user: facts.machine.highest_user(header.wide()),
        coverage,
        boot: boot(header),
        log_writes: None,
        warnings,
        missing: file.missing_buffers(),
    }
}

/// When the kernel started, on a grid of half a second.
fn boot(header: &TraceHeader) -> Option<Boot> {
    let time = header.boot_time;
    let basis = BootBasis::Header;
    (time.0 != 0 && time <= header.start_time.plus(TICKS_PER_DAY)).then_some(Boot { time, basis })
}

/// Counts by class and kind of event: kernel events by hook, the events of all providers together.
fn operations(census: &Census) -> Vec<OperationCount> {
    let mut sums: BTreeMap<(Class, &'static str), u64> = BTreeMap::new();
    let mut kernel = 0;
    let hooks = census.hooks.iter().map(|(hook, count)| (hook.id, *count));
    let classic = census
        .classic
        .iter()
        .filter_map(|(event, count)| Some((hook_of_class(event.class, event.opcode)?, *count)));
    for (hook, count) in hooks.chain(classic) {
        kernel += count;
        *sums.entry((class_of(hook), name_of(hook))).or_default() += count;
    }
    let others = census.records.good.saturating_sub(kernel);
    if others > 0 {
        sums.insert((Class::Event, "Events of providers"), others);
    }
    OperationCount::in_order(sums)
}

/// Its name where the class alone tells what it is about, else that of its group.
fn name_of(hook: u16) -> &'static str {
    let group = group_of(hook).map_or("Unknown group", |group| group.name);
    match class_of(hook) {
        Class::FileSystem | Class::Registry | Class::Minifilter => hook_name(hook).unwrap_or(group),
        _ => group,
    }
}
