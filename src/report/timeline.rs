//! The timeline of a case, as text.

use super::reader::Reader;
use super::style::{
    BOLD, DIM, RED, YELLOW, clock, date_time, duration, end_of, filled, paint, safe, zone_name,
};
use crate::findings::timeline::{MarkerKind, Timeline};
use crate::tell;
use crate::trace::Filetime;
use std::fmt::Write as _;

/// The timeline for people.
pub fn text(timeline: &Timeline, reader: Reader<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, timeline, reader);
    out
}

fn write_text(out: &mut String, timeline: &Timeline, reader: Reader<'_>) -> std::fmt::Result {
    let Reader { lang, zone } = reader;
    let window = &timeline.window;
    let label = |en, zh| format!("{}  ", paint(BOLD, filled(lang.pick(en, zh), 8)));
    if let Some(failure) = &timeline.failure {
        let code = failure
            .code
            .as_deref()
            .unwrap_or(lang.pick("no code", "没有代码"));
        let inf = failure.inf.as_deref().map_or_else(String::new, |inf| {
            format!("{}{}", safe(inf), lang.pick(", ", "，"))
        });
        let name = failure.name.as_deref().unwrap_or_default();
        let told = tell!(
            lang,
            en: "{inf}{code} {name} ({source} line {line})",
            zh: "{inf}{code} {name}（{source} 第 {line} 行）",
            source = failure.source,
            line = failure.line,
        );
        writeln!(out, "{}{told}", label("Failure", "失败"))?;
    }
    let mut span = |label: String, start: Option<Filetime>, end: Option<Filetime>| {
        let (Some(start), Some(end)) = (start, end) else {
            return Ok(());
        };
        let told = tell!(
            lang,
            en: "{start} to {end} {zone} ({length})",
            zh: "{start} 至 {end} {zone}（{length}）",
            start = date_time(start, zone),
            end = end_of((start, end), zone),
            zone = zone_name(zone, start),
            length = duration(end.0.saturating_sub(start.0) as f64 / 10.0, lang),
        );
        writeln!(out, "{label}{told}")
    };
    span(label("Window", "时间窗口"), window.start, window.end)?;
    let part = |part: Option<crate::findings::schema::Span>| {
        (part.map(|part| part.start), part.map(|part| part.end))
    };
    let (start, end) = part(window.attempt);
    span(label("Attempt", "安装尝试"), start, end)?;
    let (start, end) = part(window.rollback);
    span(label("Rollback", "回滚"), start, end)?;
    if let Some(written) = window.written() {
        writeln!(out, "          {}", paint(DIM, safe(written.text(lang))))?;
    }
    for clock in &timeline.clocks {
        let told = clock.sentence();
        writeln!(out, "{}{}", label("Clock", "时钟"), safe(told.text(lang)))?;
    }
    for boot in &timeline.boots {
        let told = boot.sentence();
        writeln!(out, "{}{}", label("Boot", "启动"), safe(told.text(lang)))?;
    }
    writeln!(out)?;
    let mut day = None;
    for row in &timeline.rows {
        let stamp = date_time(row.time, zone);
        let today = stamp.split(' ').next().unwrap_or_default().to_owned();
        if day.as_ref() != Some(&today) {
            writeln!(out, "{}", paint(BOLD, &today))?;
            day = Some(today);
        }
        let file = row.input.rsplit(['/', '\\']).next().unwrap_or(&row.input);
        let text = match row.kind {
            MarkerKind::Failure => paint(RED, safe(row.text.text(lang))),
            _ => safe(row.text.text(lang)),
        };
        writeln!(
            out,
            "  {}  {}  {text}",
            clock(row.time, zone),
            paint(DIM, filled(&safe(file), 18))
        )?;
    }
    for warning in &timeline.warnings {
        writeln!(
            out,
            "\n{} {}",
            paint(YELLOW, lang.pick("Warning:", "警告：")),
            safe(warning.text(lang))
        )?;
    }
    Ok(())
}
