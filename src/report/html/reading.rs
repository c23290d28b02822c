//! How an experienced engineer reads the results among a driver's evidence, and what would make it sure.

use super::super::nouns::ROW;
use super::super::style::{count, duration};
use crate::findings::Findings;
use crate::findings::schema::{DriverFinding, Evidence, Reason, hex};
use crate::lang::Lang;
use crate::servicing::is_servicing_process;
use crate::tell;
use serde::Serialize;
use std::collections::BTreeMap;

/// One kind of failure or delay among the evidence rows.
#[derive(Debug, Serialize)]
pub struct Reading {
    result: String,
    rows: String,
    reading: &'static str,
    check: &'static str,
}

/// Who met the failures.
#[derive(Debug, Serialize)]
pub struct Victims {
    list: Vec<String>,
    caution: Option<&'static str>,
}

/// Reading of a status, and what to look at to be sure.
fn meaning(status: u32, lang: Lang) -> (&'static str, &'static str) {
    match status {
        0xc000_0022 => (
            lang.pick(
                "Refused. A self-protection filter or a registry callback does this; so does a foreign access control list.",
                "被拒绝。自我保护筛选器或注册表回调会这样做；外来的访问控制列表也会如此。",
            ),
            lang.pick(
                "Servicing runs as SYSTEM or TrustedInstaller and is rarely refused on its own files: read the object's access list. If the same request succeeds with the product gone, it was no access list.",
                "服务堆栈以 SYSTEM 或 TrustedInstaller 身份运行，很少在自己的文件上被拒绝：请查看该对象的访问控制列表。如果移除产品后同样的请求成功，就不是访问控制列表的问题。",
            ),
        ),
        0xc000_0043 => (
            lang.pick(
                "Somebody held the file open without sharing. The holder need not be this driver.",
                "共享冲突：有人以不共享的方式打开着该文件。占用者不一定是这个驱动程序。",
            ),
            lang.pick(
                "Look for who opened the file before and closed it after, and compare the share modes of both opens.",
                "查找谁在此之前打开、在此之后关闭了该文件，并比较两次打开的共享模式。",
            ),
        ),
        0xc000_0056 | 0xc000_0101 => (
            lang.pick(
                "A deleted file was still open somewhere: a scanner, an indexer, a backup.",
                "已删除的文件仍在某处打开着：扫描程序、索引程序或备份程序。",
            ),
            lang.pick(
                "The holder is who closes it last.",
                "最后关闭它的就是占用者。",
            ),
        ),
        0xc000_0121 => (
            lang.pick(
                "The file could not be deleted: it is mapped as an image, or read-only.",
                "无法删除该文件：它被映射为映像，或者是只读的。",
            ),
            lang.pick(
                "Look for image loads of this file.",
                "查找此文件的映像加载事件。",
            ),
        ),
        0xc000_0243 | 0xc000_0054 => (
            lang.pick(
                "The file was still mapped or locked when it was to be replaced.",
                "要替换该文件时，它仍被映射或锁定。",
            ),
            lang.pick(
                "Look for who mapped or locked it: scanners do.",
                "查找是谁映射或锁定了它：扫描程序会这样做。",
            ),
        ),
        0xc000_014c | 0xc000_014d | 0xc000_0425 => (
            lang.pick(
                "A registry hive could not be loaded, flushed or kept. On HKLM\\DRIVERS this is the road to 0x800703f1.",
                "注册表配置单元无法加载、刷新或保持。在 HKLM\\DRIVERS 上，这会导致 0x800703f1。",
            ),
            lang.pick(
                "Look for opens of config\\DRIVERS and its logs just before, and who made them; check the hive itself.",
                "查找此前不久对 config\\DRIVERS 及其日志的打开操作，以及是谁打开的；并检查配置单元本身。",
            ),
        ),
        0xc000_0906 | 0xc000_0907 => (
            lang.pick(
                "A scanner called the file infected, or took it away.",
                "扫描程序判定该文件已感染，或者将其移走。",
            ),
            lang.pick(
                "The product's own log names file and rule.",
                "产品自己的日志会指明文件和规则。",
            ),
        ),
        _ => (
            lang.pick(
                "No common pattern of interference: read the rows.",
                "不是常见的干扰模式：请查看各行。",
            ),
            lang.pick(
                "Compare with a run in which the update works.",
                "与更新成功的一次运行进行比较。",
            ),
        ),
    }
}

/// The failures of the listed rows by result, most first; then the delays.
pub fn readings(driver: &DriverFinding, lang: Lang) -> Vec<Reading> {
    let mut by_status: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    for row in driver.evidence_of(Reason::Failure) {
        let none = lang.pick("no result", "没有结果");
        let key = (number(row), row.result.as_deref().unwrap_or(none));
        *by_status.entry(key).or_default() += 1;
    }
    let mut failures: Vec<_> = by_status.into_iter().collect();
    failures.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let mut out: Vec<Reading> = failures
        .into_iter()
        .map(|((status, result), rows)| {
            let (reading, check) = meaning(status, lang);
            Reading {
                result: result.to_owned(),
                rows: count(rows),
                reading,
                check,
            }
        })
        .collect();
    if driver.delays > 0 {
        out.push(Reading {
            result: tell!(
                lang,
                en: "slow, up to {longest}",
                zh: "变慢，最长 {longest}",
                longest = duration(driver.delay_us_max, lang),
            ),
            rows: count(driver.delays),
            reading: lang.pick(
                "The whole operation took this long, with the driver's code on its stack. Disk, an oplock or another driver may have taken the time.",
                "整个操作持续了这么长时间，其间驱动程序的代码位于堆栈上。时间也可能耗费在磁盘、机会锁或另一个驱动程序上。",
            ),
            check: lang.pick(
                "Minifilter callback times (a WPR trace with the minifilter profile) tell the driver's own share.",
                "微筛选器回调的时间（使用 Minifilter 配置文件的 WPR 跟踪）能说明驱动程序自身所占的部分。",
            ),
        });
    }
    out
}

fn number(row: &Evidence) -> u32 {
    row.status.as_deref().and_then(hex).unwrap_or(0)
}

/// The processes that met the listed failures and delays, and what their choice says.
pub fn victims(findings: &Findings, driver: &DriverFinding, lang: Lang) -> Victims {
    let mut by_name: BTreeMap<(&str, Kind), u64> = BTreeMap::new();
    let telling = driver
        .evidence
        .iter()
        .filter(|row| row.reason != Reason::Touch);
    for row in telling {
        let name = row.process.as_deref();
        let name = name.unwrap_or(lang.pick("unknown process", "未知进程"));
        *by_name
            .entry((name, kind(findings, driver, row)))
            .or_default() += 1;
    }
    let any = |kind| by_name.keys().any(|(_, found)| *found == kind);
    let caution = match () {
        () if by_name.is_empty() => None,
        () if any(Kind::Servicing) => None,
        () if any(Kind::System) => Some(lang.pick(
            "No servicing process met these failures; the System process did, which also works on behalf of others, hives above all.",
            "遇到这些失败的不是服务堆栈进程，而是 System 进程；它也代表其他进程工作，尤其是处理配置单元。",
        )),
        () if by_name.keys().all(|(_, found)| *found == Kind::Own) => Some(lang.pick(
            "Only processes of the driver's own company met these failures. Who is refused is as a rule who lost, so this weighs little.",
            "只有该驱动程序自己公司的进程遇到这些失败。被拒绝的一方通常是受影响的一方，因此这一点分量很轻。",
        )),
        () => Some(lang.pick(
            "No servicing process met these failures. That weighs less: who is refused on these files is often a bystander.",
            "没有服务堆栈进程遇到这些失败。这样分量较轻：在这些文件上被拒绝的往往只是旁观者。",
        )),
    };
    let mut list: Vec<_> = by_name.into_iter().collect();
    list.sort_by_key(|((_, kind), rows)| (*kind, std::cmp::Reverse(*rows)));
    Victims {
        list: list
            .into_iter()
            .take(12)
            .map(|((name, kind), rows)| {
                let (note, rows) = (kind.note(lang), ROW.of(rows, lang));
                tell!(lang, en: "{name}{note}: {rows}", zh: "{name}{note}：{rows}")
            })
            .collect(),
        caution,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Servicing,
    System,
    Other,
    Own,
}

impl Kind {
    fn note(self, lang: Lang) -> &'static str {
        match self {
            Self::Servicing => lang.pick(" (servicing)", "（服务堆栈）"),
            Self::System => lang.pick(" (the kernel's own process)", "（内核自身的进程）"),
            Self::Other => "",
            Self::Own => lang.pick(" (same company as the driver)", "（与驱动程序同一公司）"),
        }
    }
}

fn kind(findings: &Findings, driver: &DriverFinding, row: &Evidence) -> Kind {
    let name = row.process.as_deref().unwrap_or_default();
    let own = findings.processes.iter().any(|process| {
        Some(process.pid) == row.pid
            && process.name == name
            && driver.company.as_deref().map(str::trim) == Some(process.company.trim())
    });
    match () {
        () if is_servicing_process(name) => Kind::Servicing,
        () if row.pid == Some(4) => Kind::System,
        () if own => Kind::Own,
        () => Kind::Other,
    }
}
