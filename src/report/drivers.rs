//! Driver lists as text, CSV and JSON.

use super::style::{BOLD, bytes, paint, safe};
use super::words;
use crate::drivers::Driver;
use crate::export::csv::{BOM, clean, push_micros};
use crate::findings::Findings;
use crate::lang::Lang;
use crate::trace::Filetime;
use comfy_table::{Table, presets};
use serde_json::json;
use std::fmt::Write as _;
use std::io;

/// Drivers of some traces: the file and its list.
type Lists = [(String, Vec<Driver>)];

/// The lists as tables for people.
pub fn text(lists: &Lists, only_third_party: bool, lang: Lang) -> String {
    let mut out = String::new();
    for (at, (file, drivers)) in lists.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if lists.len() > 1 {
            let _ = writeln!(out, "{}", paint(BOLD, safe(file)));
        }
        if drivers.is_empty() {
            out.push_str(if only_third_party {
                lang.pick(
                    "No third-party kernel module is listed in this trace.\n",
                    "此跟踪中没有第三方内核模块。\n",
                )
            } else {
                lang.pick(
                    "No kernel module is listed in this trace.\n",
                    "此跟踪中没有内核模块。\n",
                )
            });
            continue;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            lang.pick("DRIVER", "驱动程序"),
            lang.pick("THIRD PARTY", "第三方"),
            lang.pick("COMPANY", "公司"),
            lang.pick("VERSION", "版本"),
            lang.pick("ALTITUDE", "高度"),
            lang.pick("GROUP", "加载顺序组"),
            lang.pick("BASE", "基址"),
            lang.pick("SIZE", "大小"),
            lang.pick("PATH", "路径"),
        ]);
        for driver in drivers {
            table.add_row([
                safe(&driver.name),
                words::third_party(driver.role, driver.third_party, driver.basis, lang),
                safe(driver.company.trim()),
                safe(driver.version.trim()),
                driver.altitude_text(),
                driver.group_text(),
                format!("{:#x}", driver.base),
                bytes(driver.size),
                safe(&driver.path),
            ]);
        }
        let _ = writeln!(out, "{}", table.trim_fmt());
        if drivers.iter().any(|d| !d.altitudes().is_empty()) {
            out.push_str(lang.pick(
                "\nAltitude and group are those that filters of this file name have been given: candidates, since names are not unique.\n",
                "\n高度和加载顺序组是分配给此文件名的筛选器的值：由于文件名并不唯一，仅供参考。\n",
            ));
        }
    }
    out
}

/// The lists as one CSV.
///
/// # Errors
/// When a line cannot be written.
pub fn csv(lists: &Lists) -> io::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "input",
        "name",
        "path",
        "company",
        "description",
        "version",
        "base",
        "size",
        "loaded",
        "third_party",
        "basis",
        "role",
        "altitude",
        "group",
    ])?;
    for (file, drivers) in lists {
        for driver in drivers {
            let record = [
                file.clone(),
                driver.name.clone(),
                driver.path.to_string(),
                driver.company.to_string(),
                driver.description.to_string(),
                driver.version.to_string(),
                format!("{:#x}", driver.base),
                driver.size.to_string(),
                driver.loaded.map_or_else(String::new, |t| t.to_string()),
                driver.third_party.to_string(),
                driver.basis.as_str().to_owned(),
                driver.role.as_str().to_owned(),
                driver.altitude_text(),
                driver.group_text(),
            ];
            out.write_record(record.iter().map(|cell| clean(cell, true).into_owned()))?;
        }
    }
    let bytes = out.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// The lists as a JSON array.
pub fn json(lists: &Lists) -> Vec<serde_json::Value> {
    lists
        .iter()
        .flat_map(|(file, drivers)| drivers.iter().map(move |driver| (file, driver)))
        .map(|(file, driver)| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let candidates: Vec<serde_json::Value> = driver
                .altitudes()
                .iter()
                .map(|found| {
                    json!({
                        "altitude": found.altitude,
                        "group": text(found.group),
                        "vendor": text(found.vendor),
                        "product": text(found.product),
                    })
                })
                .collect();
            json!({
                "input": file,
                "name": driver.name,
                "path": &*driver.path,
                "company": text(&driver.company),
                "description": text(&driver.description),
                "version": text(&driver.version),
                "base": format!("{:#x}", driver.base),
                "size": driver.size,
                "loaded": driver.loaded,
                "third_party": driver.third_party,
                "basis": driver.basis,
                "role": driver.role,
                "candidates": candidates,
            })
        })
        .collect()
}

/// `drivers.csv` of an analysis.
///
/// # Errors
/// When a line cannot be written.
pub fn findings_csv(findings: &Findings, bom: bool) -> io::Result<Vec<u8>> {
    let start = if bom {
        BOM.as_bytes().to_vec()
    } else {
        Vec::new()
    };
    let mut out = csv::Writer::from_writer(start);
    out.write_record([
        "name",
        "company",
        "verdict",
        "third_party",
        "basis",
        "role",
        "touches",
        "minifilter",
        "file_stack",
        "registry_stack",
        "failures",
        "delays",
        "delay_us_max",
        "delay_us_total",
        "first",
        "last",
        "altitude",
        "group",
        "description",
        "version",
        "base",
        "size",
        "path",
    ])?;
    let micros = |value: f64| {
        let mut text = String::new();
        push_micros(&mut text, (value * 10.0).round() as u64);
        text
    };
    let time = |time: Option<Filetime>| time.map_or_else(String::new, |t| t.to_string());
    let opt = |text: &Option<String>| text.clone().unwrap_or_default();
    for driver in &findings.drivers {
        let record = [
            driver.name.clone(),
            opt(&driver.company),
            driver.verdict.as_str().to_owned(),
            driver.third_party.to_string(),
            driver.basis.as_str().to_owned(),
            driver.role.as_str().to_owned(),
            driver.touches.total().to_string(),
            driver.touches.minifilter.to_string(),
            driver.touches.file_stack.to_string(),
            driver.touches.registry_stack.to_string(),
            driver.failures.to_string(),
            driver.delays.to_string(),
            micros(driver.delay_us_max),
            micros(driver.delay_us_total),
            time(driver.first),
            time(driver.last),
            opt(&driver.altitude),
            opt(&driver.group),
            opt(&driver.description),
            opt(&driver.version),
            driver.base.clone(),
            driver.size.to_string(),
            driver.path.clone(),
        ];
        out.write_record(record.iter().map(|cell| clean(cell, true).into_owned()))?;
    }
    out.into_inner().map_err(|error| error.into_error())
}
