//! What `info` says of a trace whose payloads are not decoded: the census in the words of the event model.

use super::census::Census;
use super::coverage::coverage;
use super::file::EtlFile;
use super::hooks::{group_of, hook_name, hook_of_class};
use crate::trace::model::windows_name;
use crate::trace::{Class, Kind, Machine, OperationCount, TraceInfo};
use std::collections::BTreeMap;
use std::path::Path;

/// The facts of a trace. Its processes and drivers stand in payloads: the lists are empty.
pub fn describe(file: &EtlFile, census: &Census, path: &Path) -> TraceInfo {
    let header = file.header();
    let mut machine: Machine = header.machine();
    let (major, minor) = header.os;
    machine.os = Some(windows_name(
        (u32::from(major), u32::from(minor), header.build),
        false,
        "",
    ));
    let mut warnings: Vec<String> = file.faults().iter().map(ToString::to_string).collect();
    warnings.extend(census.faults.iter().map(ToString::to_string));
    let mut coverage = coverage(file, census);
    coverage.notes.push(
        "Records of ETL traces are counted here, their payloads are not decoded: processes, drivers and touches are not known."
            .to_owned(),
    );
    TraceInfo {
        path: path.to_owned(),
        kind: Kind::Etl,
        bytes: file.bytes(),
        records: census.records,
        first: census.first,
        last: census.last,
        machine,
        operations: operations(census),
        processes: Vec::new(),
        kernel_images: Vec::new(),
        highest_user: u64::MAX,
        coverage,
        warnings,
    }
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

/// The class of a kernel event.
fn class_of(hook: u16) -> Class {
    match hook {
        0x0460..=0x0465 => Class::Minifilter,
        _ => match hook >> 8 {
            0x03 | 0x05 | 0x14 => Class::Process,
            0x04 => Class::FileSystem,
            0x06 | 0x08 => Class::Network,
            0x09 => Class::Registry,
            0x0F => Class::Profiling,
            _ => Class::Kernel,
        },
    }
}

/// Its name where the class alone tells what it is about, else that of its group.
fn name_of(hook: u16) -> &'static str {
    let group = group_of(hook).map_or("Unknown group", |group| group.name);
    match class_of(hook) {
        Class::FileSystem | Class::Registry | Class::Minifilter => hook_name(hook).unwrap_or(group),
        _ => group,
    }
}
