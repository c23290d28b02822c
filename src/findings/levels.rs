//! How far the evidence goes against each third-party driver and process: five levels, each with its reason.
//!
//! A touch is no cause. A level never says more than its evidence; the verdicts of the drivers stay as they are.

use super::analyze::is_procmon;
use super::conflicts::{Certainty, Conflict};
use super::failing::{CodeMatch, FailingOperation, TouchBefore};
use super::schema::{
    DriverFinding, Evidence, Failure, Findings, ProcessFinding, Reason, TouchKind, hex,
};
use super::scope::is_driver_hive;
use crate::codes::hresult;
use crate::drivers::Role;
use crate::lang::Message;
use crate::say;
use crate::servicing::is_servicing_process;
use crate::trace::path::file_name;
use serde::Serialize;
use std::collections::BTreeMap;

/// A driver or process and how far the evidence goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// `driver` or `process`.
    pub kind: &'static str,
    /// File name.
    pub name: String,
    /// Process id.
    pub pid: Option<u32>,
    /// Company, where it is known.
    pub company: Option<String>,
    /// 0 to 4.
    pub level: u8,
    /// The level in words.
    pub level_name: &'static str,
    /// Why, as a sentence.
    pub reason: Message,
    /// The events behind it: file and index.
    pub evidence: Vec<EventRef>,
}

/// An event of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRef {
    /// In which file.
    pub input: String,
    /// Index of the record in that file, from 0.
    pub event: u64,
}

/// What belongs to one vendor: several drivers and processes of it are one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Company; `null` for those of whom no company is known.
    pub company: Option<String>,
    /// The highest level among its members.
    pub level: u8,
    /// The level in words.
    pub level_name: &'static str,
    /// Names of its drivers and processes, highest level first.
    pub members: Vec<String>,
}

/// The levels in words.
const NAMES: [&str; 5] = [
    "cleared",
    "presence",
    "active touch",
    "strong suspicion",
    "proof of interference",
];
/// Events listed behind a level.
const LISTED: usize = 10;
/// Codes that an open file of somebody else explains: access denied, sharing violation, directory not empty.
const CONFLICT_CODES: [u32; 3] = [0x8007_0005, 0x8007_0020, 0x8007_0091];

/// Statuses that are ordinary answers, though they are failures to the verdicts: OPLOCK NOT GRANTED.
const ORDINARY: [u32; 1] = [0xC000_00E2];

/// What a judgement needs to know of the failure.
struct Failed {
    code: Option<u32>,
    /// NTSTATUS values that end up as that code.
    statuses: Vec<u32>,
}

/// Grades every third-party driver and process of the findings.
pub fn grade(findings: &Findings) -> (Vec<Suspect>, Vec<Product>) {
    let code = findings.failure.as_ref().and_then(Failure::hresult);
    let failed = Failed {
        code,
        statuses: code.map(hresult::ntstatus_candidates).unwrap_or_default(),
    };
    let drivers = findings.drivers.iter().filter(|driver| driver.third_party);
    let processes = findings
        .processes
        .iter()
        .filter(|process| process.role == "process");
    let mut suspects: Vec<Suspect> = drivers
        .map(|driver| grade_driver(driver, findings, &failed))
        .chain(processes.map(grade_process))
        .collect();
    let held = |certainty| {
        findings.conflicts.iter().flat_map(move |conflict| {
            let holders = conflict.holders.iter();
            let holders = holders.filter(move |h| h.third_party && h.certainty == certainty);
            holders.map(move |holder| (conflict, holder))
        })
    };
    // Of two reasons for one level the certain one is told.
    for (conflict, holder) in held(Certainty::Certain).chain(held(Certainty::Possible)) {
        let Some(name) = holder.driver.as_ref().or(holder.process.as_ref()) else {
            continue;
        };
        let pid = holder.pid.filter(|_| holder.kind == "process");
        raise(
            &mut suspects,
            holder.kind,
            (name, pid, holder.company.as_deref()),
            judge_conflict(conflict, holder.certainty, &failed),
            EventRef {
                input: holder.input.clone(),
                event: holder.event,
            },
        );
    }
    for failing in &findings.failing_operations {
        let Some((remover, process)) = removal(failing) else {
            continue;
        };
        let reason = say!(
            en: "It deleted or renamed {file} before servicing failed on it with {result}, which is what the logged code stands for.",
            zh: "在服务堆栈对 {file} 的操作以 {result} 失败之前，它删除或重命名了该文件；日志中的代码正是这个含义。",
            file = file_name(&failing.path),
            result = failing.result,
        );
        raise(
            &mut suspects,
            "process",
            (process, remover.pid, remover.company.as_deref()),
            (3, reason),
            EventRef {
                input: remover.input.clone(),
                event: remover.event,
            },
        );
    }
    if findings.attempt_missing().is_some() {
        suspects.iter_mut().for_each(lower);
    }
    suspects.sort_by_cached_key(|suspect| {
        let level = std::cmp::Reverse(suspect.level);
        (
            level,
            suspect.kind,
            suspect.name.to_lowercase(),
            suspect.pid,
        )
    });
    let products = products(&suspects);
    (suspects, products)
}

/// Where no trace holds the attempt, what was done in them is no part of it: an active touch at most.
fn lower(suspect: &mut Suspect) {
    const HIGHEST: u8 = 2;
    if suspect.level <= HIGHEST {
        return;
    }
    suspect.level = HIGHEST;
    suspect.level_name = NAMES[usize::from(HIGHEST)];
    let (en, zh) = (suspect.reason.en(), suspect.reason.zh());
    suspect.reason = say!(
        en: "The attempt that failed is not in the traces, so this is no part of it: {en}",
        zh: "失败的安装尝试不在跟踪中，因此以下情况与之无关：{zh}",
    );
}

fn products(suspects: &[Suspect]) -> Vec<Product> {
    let mut by_company: BTreeMap<Option<String>, Vec<&Suspect>> = BTreeMap::new();
    for suspect in suspects {
        let company = suspect.company.as_deref().map(str::trim);
        let company = company.filter(|company| !company.is_empty());
        by_company
            .entry(company.map(str::to_owned))
            .or_default()
            .push(suspect);
    }
    let mut out: Vec<Product> = by_company
        .into_iter()
        .map(|(company, members)| {
            let level = members.iter().map(|member| member.level).max().unwrap_or(0);
            let mut names: Vec<String> = Vec::new();
            for member in members {
                if !names.contains(&member.name) {
                    names.push(member.name.clone());
                }
            }
            Product {
                company,
                level,
                level_name: NAMES[usize::from(level)],
                members: names,
            }
        })
        .collect();
    out.sort_by(|a, b| (b.level, &a.company).cmp(&(a.level, &b.company)));
    out
}

fn suspect(
    kind: &'static str,
    (name, pid, company): (&str, Option<u32>, Option<&str>),
    (level, reason): (u8, Message),
    evidence: Vec<EventRef>,
) -> Suspect {
    Suspect {
        kind,
        name: name.to_owned(),
        pid,
        company: company.map(str::to_owned),
        level,
        level_name: NAMES[usize::from(level)],
        reason,
        evidence,
    }
}

fn refs<'a>(rows: impl Iterator<Item = &'a Evidence>) -> Vec<EventRef> {
    rows.take(LISTED)
        .map(|row| EventRef {
            input: row.input.clone(),
            event: row.event,
        })
        .collect()
}

/// Whether a row counts: not what belongs to the rollback, which is a consequence, and done to servicing or for it.
fn is_of_attempt(row: &Evidence) -> bool {
    is_for_servicing(row) && row.phase != Some("rollback")
}

/// Whether servicing asked for it, or the kernel did that loads the hive of the driver database for it. Of what else
/// happens in the kernel's processes, drivers may have asked for it themselves.
fn is_for_servicing(row: &Evidence) -> bool {
    let Some(process) = row.process.as_deref() else {
        return false;
    };
    is_servicing_process(process)
        || matches!(process, "System" | "Registry") && is_driver_hive(&row.path)
}

/// Why what failed or was slow with a driver in the call says little against it; `None` where nothing did.
fn weakness(driver: &DriverFinding) -> Option<(Message, Vec<EventRef>)> {
    let rows = || {
        let rows = driver.evidence.iter();
        rows.filter(|row| row.reason != Reason::Touch)
    };
    let first = rows().next()?;
    let reason = if !rows().any(is_for_servicing) {
        let (en, zh) = match &first.process {
            Some(process) => (process.as_str(), process.as_str()),
            None => ("an unknown process", "未知进程"),
        };
        say!(
            en: "What failed or was slow with it in the call was asked for by others than servicing, as {en}.",
            zh: "在失败或缓慢的操作中它位于调用链内，但这些操作并非服务堆栈发起，而是由 {zh} 等发起。",
        )
    } else if !rows().any(is_of_attempt) {
        say!(
            en: "What servicing was refused or waited for with it in the call lies behind the logged failure, in the rollback: a consequence, not a cause.",
            zh: "服务堆栈被拒绝或等待时它位于调用链内，但都发生在日志所记失败之后的回滚中：这是后果，不是原因。",
        )
    } else {
        say!(
            en: "What failed of servicing's with it in the call ended with {result}, which is an ordinary answer.",
            zh: "它位于调用链内的服务堆栈失败操作的结果是 {result}，属于正常应答。",
            result = result_of(first),
        )
    };
    Some((reason, refs(rows())))
}

/// The result of a refused row, which has one.
fn result_of(row: &Evidence) -> &str {
    let result = row.result.as_deref().or(row.status.as_deref());
    result.unwrap_or_default()
}

fn status_of(row: &Evidence) -> Option<u32> {
    hex(row.status.as_deref()?)
}

fn grade_driver(driver: &DriverFinding, findings: &Findings, failed: &Failed) -> Suspect {
    let who = (driver.name.as_str(), None, driver.company.as_deref());
    if driver.role == Role::Observer {
        let reason = say!(en: "It only watches: a tracing tool's driver.", zh: "它只是观察者：跟踪工具的驱动程序。");
        return suspect("driver", who, (0, reason), Vec::new());
    }
    let rows = || driver.evidence.iter().filter(|row| is_of_attempt(row));
    let ordinary = |row: &&Evidence| status_of(row).is_some_and(|s| ORDINARY.contains(&s));
    let refusals = || rows().filter(|row| row.reason == Reason::Failure && !ordinary(row));
    let callbacks = || refusals().filter(|row| row.kind == TouchKind::Minifilter);
    let fits = |row: &&Evidence| status_of(row).is_some_and(|s| failed.statuses.contains(&s));
    if let Some(row) = callbacks().find(fits) {
        let reason = say!(
            en: "Its own callback refused {operation} of {file} with {result}, which is what the logged code {code} stands for.",
            zh: "它自己的回调以 {result} 拒绝了对 {file} 的 {operation} 操作，日志中的代码 {code} 正是这个含义。",
            operation = row.operation,
            file = file_name(&row.path),
            result = result_of(row),
            code = findings
                .failure
                .as_ref()
                .and_then(|failure| failure.code.as_deref())
                .unwrap_or_default(),
        );
        let evidence = refs(callbacks().filter(fits));
        return suspect("driver", who, (4, reason), evidence);
    }
    if let Some(row) = callbacks().next() {
        let reason = say!(
            en: "Its own callback refused {operation} of {file} to servicing with {result}; that this led to the logged failure is not shown.",
            zh: "它自己的回调以 {result} 拒绝了服务堆栈对 {file} 的 {operation} 操作；是否由此导致日志中的失败，尚无证据。",
            operation = row.operation,
            file = file_name(&row.path),
            result = result_of(row),
        );
        return suspect("driver", who, (3, reason), refs(callbacks()));
    }
    if let Some(row) = refusals().next() {
        let reason = say!(
            en: "It is on the stack of {operation} of {file}, which servicing was refused with {result}; who refused it is not shown.",
            zh: "服务堆栈对 {file} 的 {operation} 操作被以 {result} 拒绝，它位于该操作的堆栈上；由谁拒绝，尚无证据。",
            operation = row.operation,
            file = file_name(&row.path),
            result = result_of(row),
        );
        return suspect("driver", who, (3, reason), refs(refusals()));
    }
    let delays = || rows().filter(|row| row.reason == Reason::Delay);
    if let Some(row) = delays().next() {
        let reason = say!(
            en: "Servicing waited {seconds:.1} s on {file} with it in the call.",
            zh: "服务堆栈在 {file} 上等待了 {seconds:.1} 秒，其间它位于调用链中。",
            seconds = row.duration_us.unwrap_or(0.0) / 1e6,
            file = file_name(&row.path),
        );
        return suspect("driver", who, (3, reason), refs(delays()));
    }
    if let Some((reason, evidence)) = weakness(driver) {
        return suspect("driver", who, (2, reason), evidence);
    }
    if driver.touches.total() > 0 {
        let reason = say!(
            en: "It was in the call of operations on driver-store paths in the window; none that servicing made failed or was slow.",
            zh: "在时间窗口内，它位于驱动程序存储路径上操作的调用链中；其中服务堆栈发起的操作既没有失败，也没有变慢。",
        );
        return suspect("driver", who, (2, reason), refs(driver.evidence.iter()));
    }
    let reason = say!(
        en: "It is loaded; nothing is recorded of it on driver-store paths in the window.",
        zh: "它已加载；时间窗口内在驱动程序存储路径上没有关于它的记录。",
    );
    suspect("driver", who, (1, reason), Vec::new())
}

fn grade_process(process: &ProcessFinding) -> Suspect {
    let who = (
        process.name.as_str(),
        Some(process.pid),
        Some(process.company.as_str()),
    );
    let judgement = if process.touches > 0 && process.touches == process.failures {
        let reason = say!(
            en: "It was refused itself whatever it tried on driver-store paths: a victim does no harm.",
            zh: "它在驱动程序存储路径上的所有操作都被拒绝：它是受害者，不会造成影响。",
        );
        (0, reason)
    } else {
        let reason = say!(
            en: "It worked on driver-store paths in the window; that it stood in servicing's way is not shown.",
            zh: "它在时间窗口内操作过驱动程序存储路径；是否妨碍了服务堆栈，尚无证据。",
        );
        (2, reason)
    };
    suspect("process", who, judgement, Vec::new())
}

/// What servicing is told of a file that is gone or going: not found (name, path, file), to be deleted, deleted.
const GONE: [u32; 5] = [
    0xC000_0034,
    0xC000_003A,
    0xC000_000F,
    0xC000_0056,
    0xC000_0123,
];

/// The third party's process that took away what servicing then failed on with the logged code: a quarantine, say.
fn removal(failing: &FailingOperation) -> Option<(&TouchBefore, &str)> {
    let logged = matches!(failing.code_match, CodeMatch::Exact | CodeMatch::Family);
    if !logged || !hex(&failing.status).is_some_and(|status| GONE.contains(&status)) {
        return None;
    }
    let took = failing.touched_before.iter().find(|touch| {
        let removes = ["SetDisposition", "SetRename"];
        removes.iter().any(|name| touch.operation.starts_with(name))
            && touch.third_party
            && touch.status.as_deref().and_then(hex) == Some(0)
            && touch.path.eq_ignore_ascii_case(&failing.path)
    })?;
    let process = took.process.as_deref()?;
    (!is_procmon(process)).then_some((took, process))
}

/// Raises a suspect to the level of a judgement, or lists it: who held or took a file away need not be one yet.
fn raise(
    suspects: &mut Vec<Suspect>,
    kind: &'static str,
    (name, pid, company): (&str, Option<u32>, Option<&str>),
    (level, reason): (u8, Message),
    event: EventRef,
) {
    let known = suspects.iter_mut().find(|suspect| {
        (suspect.kind, suspect.pid) == (kind, pid) && suspect.name.eq_ignore_ascii_case(name)
    });
    match known {
        Some(known) if known.level < level => {
            known.level = level;
            known.level_name = NAMES[usize::from(level)];
            known.reason = reason;
            known.evidence = vec![event];
        }
        Some(known) if known.level == level && known.evidence.len() < LISTED => {
            if !known.evidence.contains(&event) {
                known.evidence.push(event);
            }
        }
        Some(_) => {}
        None => {
            let who = (name, pid, company);
            suspects.push(suspect(kind, who, (level, reason), vec![event]));
        }
    }
}

/// What holding a file says that servicing was refused for it.
fn judge_conflict(conflict: &Conflict, certainty: Certainty, failed: &Failed) -> (u8, Message) {
    let file = file_name(&conflict.path);
    let result = &conflict.result;
    if certainty == Certainty::Possible {
        let reason = say!(
            en: "It had {file} open when servicing was refused with {result}; what it had it open for is not known.",
            zh: "服务堆栈被以 {result} 拒绝时，它正打开着 {file}；打开时请求了哪些访问权限尚不清楚。",
        );
        return (3, reason);
    }
    if failed
        .code
        .is_some_and(|code| CONFLICT_CODES.contains(&code))
    {
        let reason = say!(
            en: "It had {file} open in a way that does not go together with what servicing needed: {result}, which is what was logged.",
            zh: "它打开 {file} 的方式与服务堆栈所需的访问不相容：{result}，与日志记录的错误一致。",
        );
        return (4, reason);
    }
    let hive = is_driver_hive(&conflict.path) && failed.code == Some(0x8007_03F1);
    let reason = if hive {
        say!(
            en: "It had {file} open when the hive was loaded ({result}); a hive whose log cannot be opened is called corrupt, which is what was logged.",
            zh: "加载配置单元时它正打开着 {file}（{result}）；日志文件无法打开的配置单元会被判定为已损坏，与日志记录的错误一致。",
        )
    } else {
        say!(
            en: "It had {file} open in a way that does not go together with what was needed: {result}.",
            zh: "它打开 {file} 的方式与所需的访问不相容：{result}。",
        )
    };
    (3, reason)
}
