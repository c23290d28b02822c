//! What `info` says, as JSON and as text.

use super::activity::{CpuReport, HandleRow, cpu, handles};
use super::filters::{FilterRow, filters, write_filters};
use super::nouns::{EVENT, PROCESSOR};
use super::reader::Reader;
use super::style::{
    BOLD, YELLOW, bytes, count, date_time, duration, filled, paint, safe, zone_name,
};
use super::words;
use crate::drivers::DriverList;
use crate::etl::{EtlFacts, EtlTrace};
use crate::findings::schema::MachineFacts;
use crate::lang::{Lang, Message};
use crate::tell;
use crate::trace::{Class, Coverage, Filetime, Kind, OperationCount, Records, TraceInfo};
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
    minifilters: Option<Vec<FilterRow>>,
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
        etl: Option<(&'a EtlFacts, &EtlTrace)>,
    ) -> Self {
        let facts = etl.map(|(_, trace)| trace.facts());
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
            cpu: facts.and_then(|facts| cpu(facts, drivers)),
            handles: facts.and_then(|facts| handles(facts, info)),
            minifilters: etl.and_then(|(_, trace)| filters(trace, drivers)),
            info,
        }
    }
}

/// The report for people.
pub fn text(report: &InfoReport<'_>, drivers: &DriverList, reader: Reader<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, report, drivers, reader);
    out
}

fn write_text(
    out: &mut String,
    report: &InfoReport<'_>,
    drivers: &DriverList,
    reader: Reader<'_>,
) -> std::fmt::Result {
    let Reader { lang, zone } = reader;
    let info = report.info;
    writeln!(out, "{}", paint(BOLD, safe(&report.path)))?;
    writeln!(
        out,
        "  {}",
        [
            report.kind.word(lang).to_owned(),
            bytes(report.bytes),
            EVENT.of(report.records.good, lang),
        ]
        .join(lang.pick(", ", "，"))
    )?;
    let machine = &info.machine;
    let mut facts: Vec<String> = Vec::new();
    facts.extend(machine.name.as_deref().map(safe));
    facts.extend(machine.os.as_deref().map(safe));
    facts.extend(machine.architecture.map(|bits| bits.word(lang).to_owned()));
    let processors = |number| PROCESSOR.of(u64::from(number), lang);
    facts.extend(machine.processors.map(processors));
    facts.extend(machine.ram_bytes.map(|ram| {
        let ram = bytes(ram);
        tell!(lang, en: "{ram} RAM", zh: "{ram} 内存")
    }));
    line(out, lang.pick("Machine", "计算机"), &facts.join(", "))?;
    if let (Some(first), Some(last)) = (report.first, report.last) {
        let told = tell!(
            lang,
            en: "{first} to {last} {zone} ({length})",
            zh: "{first} 至 {last} {zone}（{length}）",
            length = duration(last.0.saturating_sub(first.0) as f64 / 10.0, lang),
            first = date_time(first, zone),
            last = date_time(last, zone),
            zone = zone_name(zone, first),
        );
        line(out, lang.pick("Time", "时间"), &told)?;
    }
    if let Some(etl) = report.etl {
        write_session(out, etl, lang)?;
    }
    write_drivers(out, report, drivers, lang)?;
    let stacks = if report.coverage.stacks {
        lang.pick("on file and registry events", "文件和注册表事件带有堆栈")
    } else {
        lang.pick(
            "none on file and registry events",
            "文件和注册表事件没有堆栈",
        )
    };
    line(out, lang.pick("Stacks", "堆栈"), stacks)?;
    if let Some(filters) = &report.minifilters {
        write_filters(out, filters, lang)?;
    }
    writeln!(out, "\n{}", paint(BOLD, lang.pick("Events", "事件")))?;
    for class in Class::ALL {
        write_class(out, report.classes, class, lang)?;
    }
    if !report.coverage.notes.is_empty() {
        let title = lang.pick("What this trace cannot show", "此跟踪无法说明的内容");
        writeln!(out, "\n{}", paint(BOLD, title))?;
        for note in &report.coverage.notes {
            writeln!(out, "  - {}", note.text(lang))?;
        }
    }
    if !report.warnings.is_empty() {
        writeln!(out, "\n{}", paint(YELLOW, lang.pick("Warnings", "警告")))?;
        for warning in &*report.warnings {
            writeln!(out, "  - {}", safe(warning.text(lang)))?;
        }
    }
    Ok(())
}

/// A line of facts with its label.
fn line(out: &mut String, label: &str, text: &str) -> std::fmt::Result {
    writeln!(out, "  {}{text}", filled(label, 11))
}

fn write_drivers(
    out: &mut String,
    report: &InfoReport<'_>,
    drivers: &DriverList,
    lang: Lang,
) -> std::fmt::Result {
    let third: Vec<&crate::drivers::Driver> =
        drivers.list.iter().filter(|d| d.third_party).collect();
    line(
        out,
        lang.pick("Processes", "进程"),
        &count(report.processes),
    )?;
    let told = tell!(
        lang,
        en: "{modules} kernel modules, {third} not Microsoft's",
        zh: "{modules} 个内核模块，其中 {third} 个不是 Microsoft 的",
        modules = count(drivers.list.len() as u64),
        third = third.len(),
    );
    line(out, lang.pick("Drivers", "驱动程序"), &told)?;
    for driver in third {
        let company = match driver.company.trim() {
            "" => lang.pick("no company", "没有公司信息").to_owned(),
            company => safe(company),
        };
        let role = match driver.role {
            crate::drivers::Role::Observer => lang.pick(", only watches", "，仅观察"),
            crate::drivers::Role::Driver => "",
        };
        let name = safe(&driver.name);
        let told = tell!(lang, en: "{name}  ({company}{role})", zh: "{name}  （{company}{role}）");
        line(out, "", &told)?;
    }
    Ok(())
}

/// Providers listed for people; `--json` has all.
const PROVIDERS: usize = 12;

/// What only an ETL trace has to tell.
fn write_session(out: &mut String, etl: &EtlFacts, lang: Lang) -> std::fmt::Result {
    let buffers = &etl.buffers;
    let none = || lang.pick("no name", "没有名称").to_owned();
    let session = tell!(
        lang,
        en: "{name}, {clock} clock",
        zh: "{name}，时钟为{clock}",
        name = etl.session.as_deref().map_or_else(none, safe),
        clock = words::clock(etl.clock, lang),
    );
    line(out, lang.pick("Session", "会话"), &session)?;
    let buffers = tell!(
        lang,
        en: "{total}, {compressed} compressed, {damaged} damaged, {missing} missing",
        zh: "{total} 个，其中压缩 {compressed} 个，受损 {damaged} 个，缺失 {missing} 个",
        total = count(buffers.total),
        compressed = count(buffers.compressed),
        damaged = count(buffers.repaired + buffers.broken),
        missing = count(buffers.missing),
    );
    line(out, lang.pick("Buffers", "缓冲区"), &buffers)?;
    if !etl.kernel_flags.is_empty() {
        let flags = etl.kernel_flags.join(", ");
        line(out, lang.pick("Kernel", "内核"), &flags)?;
    }
    for (at, provider) in etl.providers.iter().take(PROVIDERS).enumerate() {
        let name = provider.name.as_deref();
        let name = name.map_or_else(|| provider.guid.to_string(), safe);
        let label = if at == 0 {
            lang.pick("Providers", "提供程序")
        } else {
            ""
        };
        line(out, label, &format!("{:>9}  {name}", count(provider.count)))?;
    }
    if etl.providers.len() > PROVIDERS {
        let more = etl.providers.len() - PROVIDERS;
        let told = tell!(lang, en: "{more:>9} more", zh: "另有 {more} 个");
        line(out, "", &told)?;
    }
    Ok(())
}

fn write_class(
    out: &mut String,
    counts: &[OperationCount],
    class: Class,
    lang: Lang,
) -> std::fmt::Result {
    let of_class: Vec<&OperationCount> = counts.iter().filter(|c| c.class == class).collect();
    let total: u64 = of_class.iter().map(|c| c.count).sum();
    if total == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "  {}{:>12}",
        filled(class.word(lang), 44),
        count(total)
    )?;
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
