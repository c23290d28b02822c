//! What `info` says, as JSON and as text.

use super::activity::{CpuReport, HandleRow, cpu, handles};
use super::style::{BOLD, bytes, count, date_time, duration, paint, plural, safe, zone_name};
use crate::drivers::DriverList;
use crate::etl::EtlFacts;
use crate::etl::dictionary::collect::Facts;
use crate::findings::schema::MachineFacts;
use crate::lang::Message;
use crate::trace::{Class, Coverage, Filetime, Kind, OperationCount, Records, TraceInfo, Zone};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The schema's name and version.
pub const SCHEMA: &str = "fltscope.info/1";

/// One trace in `info --json`; `docs/findings.md` describes it.
#[derive(Debug, Serialize)]
pub struct InfoReport<'a> {
    schema: &'static str,
    path: String,
    kind: Kind,
    bytes: u64,
    records: Records,
    first: Option<Filetime>,
    last: Option<Filetime>,
    machine: MachineFacts,
    events_lost: u64,
    buffers_lost: u64,
    classes: &'a [OperationCount],
    coverage: &'a Coverage,
    processes: u64,
    drivers: DriverCount,
    /// What was wrong with the file, and with its place in a split log.
    pub warnings: Cow<'a, [Message]>,
    etl: Option<&'a EtlFacts>,
    cpu: Option<CpuReport>,
    handles: Option<Vec<HandleRow>>,
    #[serde(skip)]
    info: &'a TraceInfo,
}

#[derive(Debug, Serialize)]
struct DriverCount {
    total: u64,
    third_party: u64,
}

impl<'a> InfoReport<'a> {
    /// The report on a trace that the user calls `name`.
    ///
    /// An ETL trace comes with facts of its own.
    pub fn new(
        name: &str,
        info: &'a TraceInfo,
        drivers: &DriverList,
        etl: Option<(&'a EtlFacts, &Facts)>,
    ) -> Self {
        let third_party = drivers.list.iter().filter(|driver| driver.third_party);
        Self {
            schema: SCHEMA,
            path: name.to_owned(),
            kind: info.kind,
            bytes: info.bytes,
            records: info.records,
            first: info.first,
            last: info.last,
            machine: MachineFacts::from(&info.machine),
            events_lost: info.coverage.events_lost,
            buffers_lost: info.coverage.buffers_lost,
            classes: &info.operations,
            coverage: &info.coverage,
            processes: info.processes.len() as u64,
            drivers: DriverCount {
                total: drivers.list.len() as u64,
                third_party: third_party.count() as u64,
            },
            warnings: Cow::Borrowed(&info.warnings),
            etl: etl.map(|(etl, _)| etl),
            cpu: etl.and_then(|(_, facts)| cpu(facts, drivers)),
            handles: etl.and_then(|(_, facts)| handles(facts, info)),
            info,
        }
    }
}

/// The report for people.
pub fn text(report: &InfoReport<'_>, drivers: &DriverList, zone: &Zone) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, report, drivers, zone);
    out
}

fn write_text(
    out: &mut String,
    report: &InfoReport<'_>,
    drivers: &DriverList,
    zone: &Zone,
) -> std::fmt::Result {
    let info = report.info;
    writeln!(out, "{}", paint(BOLD, safe(&report.path)))?;
    writeln!(
        out,
        "  {}, {}, {}",
        report.kind.name(),
        bytes(report.bytes),
        plural(report.records.good, "event")
    )?;
    let machine = &info.machine;
    let mut facts: Vec<String> = Vec::new();
    facts.extend(machine.name.as_deref().map(safe));
    facts.extend(machine.os.as_deref().map(safe));
    facts.extend(machine.architecture.map(|bits| bits.as_str().to_owned()));
    facts.extend(
        machine
            .processors
            .map(|n| plural(u64::from(n), "processor")),
    );
    facts.extend(machine.ram_bytes.map(|ram| format!("{} RAM", bytes(ram))));
    writeln!(out, "  Machine    {}", facts.join(", "))?;
    if let (Some(first), Some(last)) = (report.first, report.last) {
        writeln!(
            out,
            "  Time       {} to {} {} ({})",
            date_time(first, zone),
            date_time(last, zone),
            zone_name(zone, first),
            duration(last.0.saturating_sub(first.0) as f64 / 10.0)
        )?;
    }
    if let Some(etl) = report.etl {
        write_session(out, etl)?;
    }
    write_drivers(out, report, drivers)?;
    writeln!(
        out,
        "  Stacks     {}",
        if report.coverage.stacks {
            "on file and registry events"
        } else {
            "none on file and registry events"
        }
    )?;
    writeln!(out, "\n{}", paint(BOLD, "Events"))?;
    for class in Class::ALL {
        write_class(out, report.classes, class)?;
    }
    if !report.coverage.notes.is_empty() {
        writeln!(out, "\n{}", paint(BOLD, "What this trace cannot show"))?;
        for note in &report.coverage.notes {
            writeln!(out, "  - {note}")?;
        }
    }
    if !report.warnings.is_empty() {
        writeln!(out, "\n{}", paint(super::style::YELLOW, "Warnings"))?;
        for warning in &*report.warnings {
            writeln!(out, "  - {}", safe(warning.en()))?;
        }
    }
    Ok(())
}

fn write_drivers(
    out: &mut String,
    report: &InfoReport<'_>,
    drivers: &DriverList,
) -> std::fmt::Result {
    let third: Vec<&crate::drivers::Driver> =
        drivers.list.iter().filter(|d| d.third_party).collect();
    writeln!(
        out,
        "  Processes  {}\n  Drivers    {} kernel modules, {} not Microsoft's",
        count(report.processes),
        count(drivers.list.len() as u64),
        third.len()
    )?;
    for driver in third {
        let company = match driver.company.trim() {
            "" => "no company".to_owned(),
            company => safe(company),
        };
        let role = match driver.role {
            crate::drivers::Role::Observer => ", only watches",
            crate::drivers::Role::Driver => "",
        };
        writeln!(
            out,
            "             {}  ({company}{role})",
            safe(&driver.name)
        )?;
    }
    Ok(())
}

/// Providers listed for people; `--json` has all.
const PROVIDERS: usize = 12;

/// What only an ETL trace has to tell.
fn write_session(out: &mut String, etl: &EtlFacts) -> std::fmt::Result {
    let buffers = &etl.buffers;
    writeln!(
        out,
        "  Session    {}, {} clock",
        etl.session
            .as_deref()
            .map_or_else(|| "no name".to_owned(), safe),
        etl.clock
    )?;
    writeln!(
        out,
        "  Buffers    {}, {} compressed, {} damaged, {} missing",
        count(buffers.total),
        count(buffers.compressed),
        count(buffers.repaired + buffers.broken),
        count(buffers.missing)
    )?;
    if !etl.kernel_flags.is_empty() {
        writeln!(out, "  Kernel     {}", etl.kernel_flags.join(", "))?;
    }
    for (at, provider) in etl.providers.iter().take(PROVIDERS).enumerate() {
        writeln!(
            out,
            "  {:<11}{:>9}  {}",
            if at == 0 { "Providers" } else { "" },
            count(provider.count),
            provider
                .name
                .as_deref()
                .map_or_else(|| provider.guid.to_string(), safe)
        )?;
    }
    if etl.providers.len() > PROVIDERS {
        writeln!(
            out,
            "             {:>9} more",
            etl.providers.len() - PROVIDERS
        )?;
    }
    Ok(())
}

fn write_class(out: &mut String, counts: &[OperationCount], class: Class) -> std::fmt::Result {
    let of_class: Vec<&OperationCount> = counts.iter().filter(|c| c.class == class).collect();
    let total: u64 = of_class.iter().map(|c| c.count).sum();
    if total == 0 {
        return Ok(());
    }
    writeln!(out, "  {:<44}{:>12}", class.as_str(), count(total))?;
    for operation in of_class {
        writeln!(
            out,
            "    {:<42}{:>12}",
            operation.operation,
            count(operation.count)
        )?;
    }
    Ok(())
}
