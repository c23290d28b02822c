//! The findings as a tired engineer reads them on a terminal: the answer in ten seconds.

use super::nouns::{CALLBACK, DELAY, EVENT, FAILURE, LINE, MORE_TOUCH, OPERATION, TOUCH};
use super::reader::Reader;
use super::style::{
    BOLD, DIM, GREEN, RED, YELLOW, bytes, clock, count, date_time, duration, end_of, label, margin,
    paint, safe, zone_name,
};
use super::words;
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, Evidence, Reason};
use crate::findings::{Findings, Verdict};
use crate::lang::{Lang, Message};
use crate::{say, tell};
use std::fmt::{Result, Write as _};
use std::path::Path;

/// Evidence rows shown for a driver.
const EVIDENCE_SHOWN: usize = 3;
/// Servicing evidence and driver names shown in one place.
const LISTED: usize = 8;

/// The summary, with colours; `out` is the folder that the files went into.
pub fn text(findings: &Findings, reader: Reader<'_>, out: Option<&Path>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, findings, reader, out);
    text
}

fn write_summary(
    to: &mut String,
    findings: &Findings,
    reader: Reader<'_>,
    out: Option<&Path>,
) -> Result {
    let lang = reader.lang;
    answer(to, findings, lang)?;
    inputs(to, findings, reader)?;
    failure(to, findings, reader)?;
    window(to, findings, reader)?;
    clocks(to, findings, lang)?;
    judgement(to, findings, reader)?;
    for driver in findings.flagged() {
        flagged(to, driver, reader)?;
    }
    others(to, findings, lang)?;
    let mut list = |en, zh, style, rows: &[Message]| list(to, lang.pick(en, zh), style, rows, lang);
    list(
        "What these traces cannot show",
        "这些跟踪无法说明的内容",
        BOLD,
        &findings.coverage.notes,
    )?;
    list("Warnings", "警告", YELLOW, &findings.warnings)?;
    let notes = |traces: bool| -> Vec<Message> {
        let inputs = findings.inputs.iter();
        let inputs = inputs.filter(|input| input.is_trace() == traces);
        inputs
            .flat_map(|input| {
                let warnings = input.warnings.iter();
                warnings.map(move |warning| {
                    let (path, en, zh) = (&input.path, warning.en(), warning.zh());
                    say!(en: "{path}: {en}", zh: "{path}：{zh}")
                })
            })
            .collect()
    };
    list("Damaged traces", "受损的跟踪", YELLOW, &notes(true))?;
    list(
        "How the logs were read",
        "日志的读取情况",
        YELLOW,
        &notes(false),
    )?;
    if let Some(folder) = out {
        let mut files =
            String::from("report.html, findings.json, drivers.csv, events.csv, events.parquet");
        if !cfg!(feature = "parquet") {
            files.truncate(files.len() - ", events.parquet".len());
        }
        let folder = safe(&folder.display().to_string());
        let written = tell!(
            lang,
            en: "Written to {folder}: {files}",
            zh: "已写入 {folder}：{files}",
        );
        writeln!(to, "\n{written}")?;
    }
    Ok(())
}

/// The first line: who stood in the way.
fn answer(to: &mut String, findings: &Findings, lang: Lang) -> Result {
    let names = |verdict| {
        findings
            .flagged()
            .filter(move |driver| driver.verdict == verdict)
            .map(|driver| safe(&driver.name))
            .collect::<Vec<_>>()
    };
    let implicated = names(Verdict::Implicated);
    let touched = names(Verdict::Touched);
    if let Some(missing) = findings.attempt_missing() {
        writeln!(to, "{}\n", paint(YELLOW, safe(missing.text(lang))))?;
        let mut seen = implicated;
        seen.extend(touched);
        if !seen.is_empty() {
            let told = tell!(
                lang,
                en: "At work on driver-store paths in what the traces do hold, which is no part of the attempt: {names}",
                zh: "在跟踪所包含的内容中触及了驱动程序存储路径，但与安装尝试无关：{names}",
                names = seen.join(", "),
            );
            writeln!(to, "{told}\n")?;
        }
        return Ok(());
    }
    let answer = match (implicated.is_empty(), touched.is_empty()) {
        (false, _) => paint(
            RED,
            tell!(
                lang,
                en: "IMPLICATED: {names}: in callbacks or on stacks of driver-store operations that failed or were slow",
                zh: "涉嫌：{names}：出现在失败或变慢的驱动程序存储操作的回调或堆栈中",
                names = implicated.join(", "),
            ),
        ),
        (true, false) => paint(
            YELLOW,
            tell!(
                lang,
                en: "TOUCHED, not implicated: {names}: in callbacks or on stacks of driver-store operations, none of which failed or was slow",
                zh: "有触及，但未涉嫌：{names}：出现在驱动程序存储操作的回调或堆栈中，这些操作既没有失败，也没有变慢",
                names = touched.join(", "),
            ),
        ),
        (true, true) if findings.traces().next().is_none() => paint(
            YELLOW,
            lang.pick(
                "No trace was given: logs alone name no driver",
                "没有提供跟踪：仅凭日志无法指明驱动程序",
            ),
        ),
        (true, true) => match findings.blind() {
            Some(why) => paint(
                YELLOW,
                tell!(
                    lang,
                    en: "No third-party driver is seen, but {why}",
                    zh: "没有看到第三方驱动程序，但{why}",
                    why = why.text(lang),
                ),
            ),
            None => paint(
                GREEN,
                lang.pick(
                    "No third-party driver is seen on a driver-store operation in the window",
                    "时间窗口内的驱动程序存储操作上没有看到第三方驱动程序",
                ),
            ),
        },
    };
    writeln!(to, "{answer}\n")
}

fn inputs(to: &mut String, findings: &Findings, reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    let machine = &findings.machine;
    let facts: Vec<String> = [
        machine.name.as_deref().map(safe),
        machine.os.clone(),
        machine.architecture.map(|bits| bits.word(lang).to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !facts.is_empty() {
        writeln!(
            to,
            "{}{}",
            label(lang, "Machine", "计算机"),
            facts.join(", ")
        )?;
    }
    for input in &findings.inputs {
        let (label, noun) = match input.is_trace() {
            true => (label(lang, "Traces", "跟踪"), EVENT),
            false => (label(lang, "Logs", "日志"), LINE),
        };
        let mut facts = vec![
            safe(&input.path),
            bytes(input.bytes),
            noun.of(input.events, lang),
        ];
        if let (Some(first), Some(last)) = (input.first, input.last) {
            facts.push(tell!(
                lang,
                en: "{first} to {last} {zone}",
                zh: "{first} 至 {last} {zone}",
                first = date_time(first, zone),
                last = end_of((first, last), zone),
                zone = zone_name(zone, first),
            ));
        }
        writeln!(to, "{label}{}", facts.join(lang.pick(", ", "，")))?;
    }
    Ok(())
}

/// Suspects and conflicts shown.
const LEVELS: usize = 3;

/// What the servicing logs name.
fn failure(to: &mut String, findings: &Findings, reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    let Some(failure) = &findings.failure else {
        return Ok(());
    };
    let mut what: Vec<String> = Vec::new();
    what.extend(failure.inf.as_deref().map(safe));
    let none = || lang.pick("no code", "没有代码").to_owned();
    let code = failure.code.clone().unwrap_or_else(none);
    what.push(match &failure.name {
        Some(name) => format!("{code} {name}"),
        None => code,
    });
    if let Some(time) = failure.time {
        what.push(tell!(
            lang,
            en: "at {time} {zone}",
            zh: "时间 {time} {zone}",
            time = date_time(time, zone),
            zone = zone_name(zone, time),
        ));
    }
    what.push(tell!(
        lang,
        en: "{source} line {line}",
        zh: "{source} 第 {line} 行",
        source = failure.source,
        line = failure.line,
    ));
    let what = what.join(lang.pick(", ", "，"));
    writeln!(to, "{}{what}", label(lang, "Failure", "失败"))?;
    if let Some(meaning) = words::meaning(failure, lang) {
        let margin = margin(lang);
        writeln!(to, "{:margin$}{}", "", paint(DIM, safe(meaning)))?;
    }
    Ok(())
}

/// How far the evidence goes, by product, and what failed.
fn judgement(to: &mut String, findings: &Findings, reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    // Whom the verdict accuses is told with how little it may be.
    let implicated = |name: &str| {
        let mut drivers = findings.drivers.iter();
        drivers.any(|d| d.verdict == Verdict::Implicated && d.name.eq_ignore_ascii_case(name))
    };
    let told = findings.suspects.iter().filter(|suspect| {
        suspect.level >= 3 || suspect.kind == "driver" && implicated(&suspect.name)
    });
    for suspect in told.take(LEVELS) {
        let level = suspect.level;
        let label = label(lang, &format!("Level {level}"), &format!("{level} 级"));
        let comma = lang.pick(", ", "，");
        let who = format!("{}{comma}{}", safe(&suspect.name), suspect.level_word(lang));
        let colon = lang.pick(": ", "：");
        let reason = safe(suspect.reason.text(lang));
        writeln!(to, "{label}{}{colon}{reason}", paint(RED, who))?;
    }
    if let Some(failing) = findings.failing_operations.first() {
        writeln!(
            to,
            "{}{}  {}  {}{}{}",
            label(lang, "Failed", "失败操作"),
            clock(failing.time, zone),
            failing.operation,
            safe(&failing.path),
            lang.pick(": ", "："),
            paint(RED, &failing.result)
        )?;
    }
    for conflict in findings.conflicts.iter().take(LEVELS) {
        let mut holders: Vec<String> = conflict
            .holders
            .iter()
            .filter_map(|holder| {
                let name = holder.driver.as_ref().or(holder.process.as_ref())?;
                Some(match holder.pid {
                    Some(pid) if holder.driver.is_none() => format!("{} ({pid})", safe(name)),
                    _ => safe(name),
                })
            })
            .collect();
        // One that opened the file more than once holds it as often.
        holders.sort();
        holders.dedup();
        if !holders.is_empty() {
            let told = tell!(
                lang,
                en: "{path}: {result} while {holders} had it open",
                zh: "{path}：{result}，当时打开着它的是 {holders}",
                path = safe(&conflict.path),
                result = paint(RED, &conflict.result),
                holders = holders.join(", "),
            );
            writeln!(to, "{}{told}", label(lang, "In use", "占用"))?;
        }
    }
    Ok(())
}

fn window(to: &mut String, findings: &Findings, reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    let window = &findings.window;
    let told = match (window.start, window.end) {
        (Some(start), Some(end)) => tell!(
            lang,
            en: "{start} to {end} {zone} ({length}), from {source}",
            zh: "{start} 至 {end} {zone}（{length}），依据：{source}",
            start = date_time(start, zone),
            end = end_of((start, end), zone),
            zone = zone_name(zone, start),
            length = duration(end.0.saturating_sub(start.0) as f64 / 10.0, lang),
            source = window.source.words(lang),
        ),
        _ => lang
            .pick("empty: the traces hold no event", "空：跟踪中没有任何事件")
            .to_owned(),
    };
    writeln!(to, "{}{told}", label(lang, "Window", "时间窗口"))?;
    let margin = margin(lang);
    if let Some(written) = window.written() {
        let told = safe(written.text(lang));
        writeln!(to, "{:margin$}{}", "", paint(DIM, told))?;
    }
    for row in window.evidence.iter().take(LISTED) {
        let from = window.start.unwrap_or(row.time);
        let time = end_of((from, row.time), zone);
        let told = format!("{time}  {}", safe(row.text.text(lang)));
        writeln!(to, "{:margin$}{}", "", paint(DIM, told))?;
    }
    Ok(())
}

/// The clocks of the logs and the boots of the traces.
fn clocks(to: &mut String, findings: &Findings, lang: Lang) -> Result {
    for clock in &findings.clocks {
        let told = clock.sentence();
        let label = label(lang, "Clock", "时钟");
        writeln!(to, "{label}{}", safe(told.text(lang)))?;
    }
    if !findings.clocks.is_empty() {
        for boot in &findings.boots {
            let told = boot.sentence();
            let label = label(lang, "Boot", "启动");
            writeln!(to, "{label}{}", safe(told.text(lang)))?;
        }
    }
    Ok(())
}

/// Touches by kind: `12 callbacks, 3 file, 1 registry`.
fn kinds(driver: &DriverFinding, lang: Lang) -> String {
    let touches = &driver.touches;
    let stacks = tell!(
        lang,
        en: "{files} file, {keys} registry",
        zh: "文件 {files} 次，注册表 {keys} 次",
        files = count(touches.file_stack),
        keys = count(touches.registry_stack),
    );
    match touches.minifilter {
        0 => stacks,
        callbacks => {
            let callbacks = CALLBACK.of(callbacks, lang);
            tell!(lang, en: "{callbacks}, {stacks}", zh: "{callbacks}，{stacks}")
        }
    }
}

fn flagged(to: &mut String, driver: &DriverFinding, reader: Reader<'_>) -> Result {
    let lang = reader.lang;
    let style = match driver.verdict {
        Verdict::Implicated => RED,
        Verdict::Touched | Verdict::Loaded => YELLOW,
    };
    writeln!(
        to,
        "\n{} {}  {}",
        paint(style, driver.verdict.heading(lang)),
        paint(BOLD, safe(&driver.name)),
        maker(driver, lang)
    )?;
    let mut counts = vec![TOUCH.of(driver.touches.total(), lang), kinds(driver, lang)];
    counts.push(paint_if(
        driver.failures > 0,
        FAILURE.of(driver.failures, lang),
    ));
    let mut delays = DELAY.of(driver.delays, lang);
    if driver.delays > 0 {
        delays = tell!(
            lang,
            en: "{delays} (longest {longest})",
            zh: "{delays}（最长 {longest}）",
            longest = duration(driver.delay_us_max, lang),
        );
    }
    counts.push(paint_if(driver.delays > 0, delays));
    writeln!(to, "  {}", counts.join(lang.pick("; ", "；")))?;
    if let Some(altitude) = &driver.altitude {
        let group = driver.group.as_ref().map_or_else(
            String::new,
            |group| tell!(lang, en: " ({group})", zh: "（{group}）"),
        );
        let told = tell!(
            lang,
            en: "altitude {altitude}{group}, by file name",
            zh: "高度 {altitude}{group}，按文件名推断",
        );
        writeln!(to, "  {told}")?;
    }
    let shown = telling(&driver.evidence);
    for row in &shown {
        evidence(to, row, reader)?;
    }
    let more = driver.touches.total().saturating_sub(shown.len() as u64);
    if more > 0 {
        let more = MORE_TOUCH.of(more, lang);
        let more = tell!(lang, en: "… and {more}", zh: "……另有 {more}");
        writeln!(to, "  {}", paint(DIM, more))?;
    }
    Ok(())
}

/// The first rows that differ: a retry of the same, or the same in another trace of the case, tells nothing new.
fn telling(rows: &[Evidence]) -> Vec<&Evidence> {
    let mut shown: Vec<&Evidence> = Vec::with_capacity(EVIDENCE_SHOWN);
    for row in rows {
        let same = |other: &&Evidence| {
            (row.operation, &row.status, row.reason)
                == (other.operation, &other.status, other.reason)
                && row.path.eq_ignore_ascii_case(&other.path)
        };
        if !shown.iter().any(same) {
            shown.push(row);
        }
        if shown.len() == EVIDENCE_SHOWN {
            break;
        }
    }
    shown
}

fn paint_if(condition: bool, text: String) -> String {
    if condition { paint(RED, text) } else { text }
}

fn maker(driver: &DriverFinding, lang: Lang) -> String {
    let company = safe(&words::company(driver, lang));
    let mut about: Vec<String> = Vec::new();
    about.extend(driver.description.as_deref().map(|text| safe(text.trim())));
    about.extend(driver.version.as_deref().map(|text| safe(text.trim())));
    match about.is_empty() {
        true => format!("{company}{}{}", lang.pick(", ", "，"), safe(&driver.path)),
        false => format!("{company}  ({})", about.join(" ")),
    }
}

fn evidence(to: &mut String, row: &Evidence, reader: Reader<'_>) -> Result {
    let Reader { lang, zone } = reader;
    // A callback that was not refused has no result of its own.
    let none = if row.callback.is_some() {
        ""
    } else {
        lang.pick("pending", "未完成")
    };
    let result = row.result.as_deref().unwrap_or(none);
    let mark = match row.reason {
        Reason::Failure => paint(RED, result),
        Reason::Delay => {
            let after = tell!(
                lang,
                en: "{result} after {length}",
                zh: "{result} 历时 {length}",
                length = duration(row.duration_us.unwrap_or(0.0), lang),
            );
            paint(RED, after.trim_start())
        }
        Reason::Touch => result.to_owned(),
    };
    let process = match (&row.process, row.pid) {
        (Some(name), Some(pid)) => format!("{} ({pid})", safe(name)),
        (None, Some(pid)) => tell!(lang, en: "process {pid}", zh: "进程 {pid}"),
        _ => lang.pick("unknown process", "未知进程").to_owned(),
    };
    writeln!(
        to,
        "  {}  {}{}  {process}  {mark}",
        clock(row.time, zone),
        row.operation,
        match row.callback {
            Some(phase) => format!(" {}", phase.callback(lang)),
            None => String::new(),
        }
    )?;
    writeln!(to, "      {}", safe(&row.path))?;
    if let Some(target) = &row.target_path {
        writeln!(to, "      -> {}", safe(target))?;
    }
    if !row.frames.is_empty() {
        let frames = safe(&row.frames.join(", "));
        let frames = if row.callback.is_some() {
            tell!(lang, en: "routine: {frames}", zh: "例程：{frames}")
        } else {
            tell!(lang, en: "stack: {frames}", zh: "堆栈：{frames}")
        };
        writeln!(to, "      {}", paint(DIM, frames))?;
    }
    Ok(())
}

/// Who else was there: third parties without a touch, observers, Microsoft's own.
fn others(to: &mut String, findings: &Findings, lang: Lang) -> Result {
    let names = |keep: &dyn Fn(&DriverFinding) -> bool| -> Vec<String> {
        findings
            .drivers
            .iter()
            .filter(|driver| keep(driver))
            .map(|driver| match driver.touches.total() {
                0 => safe(&driver.name),
                touches => format!("{} {}", safe(&driver.name), count(touches)),
            })
            .collect()
    };
    let loaded =
        names(&|d| d.third_party && d.role == Role::Driver && d.verdict == Verdict::Loaded);
    let observers = names(&|d| d.role == Role::Observer);
    let microsoft = names(&|d| !d.third_party && d.role == Role::Driver);
    writeln!(to)?;
    for (title, names) in [
        (
            lang.pick(
                "Third party, loaded, no touch seen",
                "已加载、没有看到触及的第三方驱动程序",
            ),
            loaded,
        ),
        (
            lang.pick("Observers (never flagged)", "观察者（从不标记）"),
            observers,
        ),
        (
            lang.pick("Microsoft's, touches", "Microsoft 自己的驱动程序，触及次数"),
            microsoft,
        ),
    ] {
        if !names.is_empty() {
            let shown = names.len().min(LISTED);
            let more = match names.len() - shown {
                0 => String::new(),
                more => tell!(lang, en: ", and {more} more", zh: "，另有 {more} 个"),
            };
            let colon = lang.pick(": ", "：");
            writeln!(to, "{title}{colon}{}{more}", names[..shown].join(", "))?;
        }
    }
    for process in findings.processes.iter().take(LISTED) {
        let told = tell!(
            lang,
            en: "Third-party process: {name} ({pid}), {company}: {operations} on driver-store paths, {failures}",
            zh: "第三方进程：{name} ({pid})，{company}：在驱动程序存储路径上有 {operations}，{failures}",
            name = safe(&process.name),
            pid = process.pid,
            company = safe(process.company.trim()),
            operations = OPERATION.of(process.touches, lang),
            failures = FAILURE.of(process.failures, lang),
        );
        writeln!(to, "{told}")?;
    }
    Ok(())
}

fn list(
    to: &mut String,
    title: &str,
    style: anstyle::Style,
    rows: &[Message],
    lang: Lang,
) -> Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{}", paint(style, title))?;
    for row in rows {
        writeln!(to, "  - {}", safe(row.text(lang)))?;
    }
    Ok(())
}
