//! The wording of CBS.log: from a record's text to its [`Event`].

use super::damage::damage;
use super::event::{
    EndMark, Event, ExecuteState, FailureMark, NtFailure, OtherCause, PackageOutcome, Phase,
    Reboot, StartMark,
};
use super::record::{Component, Record};
use crate::codes::hresult;
use crate::servicing::code::{find_code, win32_result};
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{behind, until};

impl<'a> Event<'a> {
    /// What `record` means.
    pub fn of(record: &Record<'a>) -> Self {
        match record.component {
            Component::Cbs => cbs(record.text),
            Component::Csi => csi(record),
            _ => None,
        }
        .unwrap_or(Event::Message)
    }
}

fn code(text: &str) -> Option<u32> {
    find_code(text).map(|code| code.hresult)
}

fn cbs(text: &str) -> Option<Event<'_>> {
    let starts = |start: &str| text.starts_with(start);
    Some(match text.as_bytes().first()? {
        b'A' if starts("A restart has been initiated") => Event::End {
            by: EndMark::Restart,
            code: None,
        },
        b'A' if starts("A possible hang was detected") => hang(),
        b'C' if starts("Clearing original failure status") => Event::FailureCleared,
        // Windows 8 and Server 2012.
        b'D' if starts("Deregistering for Winlogon CreateSession notifications") => Event::End {
            by: EndMark::WinlogonReleased,
            code: None,
        },
        b'D' => return driver_queue(text),
        b'F' if failed_driver_updates(text) => failed(FailureMark::DriverUpdate, None, text),
        b'F' if starts(VERSION_NOTICE) => failed(FailureMark::VersionNotice, None, text),
        b'I' | b'S' | b'U' if text.contains(" index: ") => return package_result(text),
        b'L' => Event::Stack(until(
            text.strip_prefix("Loaded Servicing Stack v")?,
            &[' '],
        )),
        b'N' if starts("No startup processing required") => Event::NoStartup,
        b'P' => return perf(text),
        b'R' => return remark(text),
        b'S' => return setting(text),
        b'T' => return service(text),
        b'U' => {
            let stamp = text.strip_prefix("Universal Time is: ")?;
            Event::UniversalTime(LocalTime::read(stamp, b'-')?.0.to_utc(0))
        }
        b'W' if starts("WER: ") => return outcome(text, ", status: "),
        b'W' if starts("Winlogon: Deregistering") => Event::End {
            by: EndMark::WinlogonReleased,
            code: None,
        },
        b'c' => state(text, "current ExecuteState is ", false)?,
        b'(' => return damage_of(text),
        _ => return None,
    })
}

fn damage_of(text: &str) -> Option<Event<'_>> {
    let (inf, repaired) = damage(text)?;
    Some(Event::Damage { inf, repaired })
}

fn hang() -> Event<'static> {
    Event::Other {
        cause: OtherCause::Hang,
        code: Some(0x800F_0920),
    }
}

/// What drivers are told when all operations are done.
const VERSION_NOTICE: &str = "Failed to notify PNP of possible OS version change";

/// `Failed installing driver updates …`, and its siblings.
fn failed_driver_updates(text: &str) -> bool {
    if text.starts_with("Failed opening driver update context") {
        return true;
    }
    let verb = text
        .strip_prefix("Failed ")
        .and_then(|rest| rest.split_once(' '));
    verb.is_some_and(|(verb, rest)| {
        let known = ["installing", "uninstalling", "staging", "unstaging"];
        known.contains(&verb) && rest.starts_with("driver update")
    })
}

fn failed(by: FailureMark, phase: Option<Phase>, text: &str) -> Event<'_> {
    Event::QueueFailed {
        by,
        phase,
        critical: critical(text),
        code: code(text),
    }
}

/// Which of the two queues a text names.
fn critical(text: &str) -> Option<bool> {
    if text.contains("non-critical") {
        Some(false)
    } else if text.contains("critical") || text.contains("Critical") {
        Some(true)
    } else {
        None
    }
}

/// Copies of logs lose a blank here and there.
fn names_driver_queue(text: &str) -> bool {
    behind(text, "driver operations")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with("queue"))
}

/// `Doqe: …`, `Doqi: …` and `DriverUpdate… failed`.
fn driver_queue(text: &str) -> Option<Event<'_>> {
    if text.starts_with("DriverUpdate") {
        let failing = until(text, &[' ', '[']).len();
        let rest = text.get(failing..)?.trim_ascii_start();
        return rest
            .starts_with("failed")
            .then(|| failed(FailureMark::DriverUpdate, None, text));
    }
    let inner = text
        .strip_prefix("Doqe: ")
        .or_else(|| text.strip_prefix("Doqi: "))?;
    if let Some(rest) = inner.strip_prefix("Recording result: ") {
        let (result, inf) = rest.split_once(',')?;
        let inf = behind(inf, "nf: ")?.trim_ascii();
        return Some(Event::InfResult {
            code: win32_result(result.trim_ascii())?,
            inf,
        });
    }
    if failed_driver_updates(inner) || inner.starts_with("Failed processing queue") {
        return Some(failed(FailureMark::DriverUpdate, None, text));
    }
    if inner.starts_with("Failed") && names_driver_queue(inner) {
        let phase = inner.contains("interactive").then_some(Phase::Online);
        return Some(failed(FailureMark::Queue, phase, text));
    }
    if inner.contains("driver operations completed")
        || inner.contains("Driver operations completed")
    {
        return Some(Event::QueueDone);
    }
    if let Some(update) = inner.strip_prefix("Installing driver Update ID: ") {
        return Some(queue_start(StartMark::UpdateId, text, Some(update)));
    }
    if inner.contains("rocessing") && names_driver_queue(inner) {
        return Some(queue_start(StartMark::Processing, text, None));
    }
    let (direction, rest) = match inner.strip_prefix('[') {
        Some(rest) => rest.split_once("] ").map(|(way, rest)| (Some(way), rest))?,
        None => (None, inner),
    };
    let (verb, rest) = rest.split_once(' ')?;
    let starts = ["Installing", "Uninstalling", "Staging", "Unstaging"].contains(&verb)
        && rest.starts_with("driver updates");
    starts.then(|| Event::QueueStart {
        by: StartMark::Forward,
        forward: direction.map(|way| way == "Forward"),
        critical: None,
        count: behind(rest, "Count ").and_then(|count| until(count, &[' ', ',']).parse().ok()),
        update: None,
    })
}

fn queue_start<'a>(by: StartMark, text: &'a str, update: Option<&'a str>) -> Event<'a> {
    Event::QueueStart {
        by,
        forward: None,
        critical: critical(text),
        count: None,
        update,
    }
}

/// `INSTALL index: 69, phase: 1, result 3, inf: ntprint4.inf`
fn package_result(text: &str) -> Option<Event<'_>> {
    let (verb, rest) = text.split_once(" index: ")?;
    let rest = behind(rest, "phase: ")?;
    let (pass, rest) = rest.split_once(',')?;
    let (result, inf) = behind(rest, "result ")?.split_once(',')?;
    let inf = behind(inf, "inf: ")?.trim_ascii();
    verb.bytes()
        .all(|byte| byte.is_ascii_uppercase())
        .then_some(())?;
    Some(Event::PackageResult {
        verb,
        pass: pass.trim_ascii().parse().ok()?,
        code: win32_result(result.trim_ascii())?,
        inf,
    })
}

/// `Perf: Doqe: …` and `Progress: …`
fn perf(text: &str) -> Option<Event<'_>> {
    if let Some(inner) = text.strip_prefix("Perf: Doqe: ") {
        return match inner.trim_end_matches('.').rsplit_once(' ')? {
            (what, "started") if what.ends_with("nstall") => {
                Some(queue_start(StartMark::InstallStarted, text, None)).map(|event| match event {
                    // Where the critical queue is called so, the other one is not.
                    Event::QueueStart { by, critical, .. } => Event::QueueStart {
                        by,
                        forward: None,
                        critical: Some(critical == Some(true)),
                        count: None,
                        update: None,
                    },
                    other => other,
                })
            }
            (_, "ended") => Some(Event::QueueEnd),
            _ => None,
        };
    }
    let inner = text.strip_prefix("Progress: ")?;
    inner
        .trim_end_matches('.')
        .ends_with("Rollback")
        .then(|| Event::Rollback {
            temporary: inner.contains("Temporary"),
        })
}

/// `Retrieved …`, `Reboot …`, `Reporting …`, `Rolling …`
fn remark(text: &str) -> Option<Event<'_>> {
    let starts = |start: &str| text.starts_with(start);
    if starts("Retrieved original failure status") {
        Some(Event::OriginalFailure {
            retrieved: true,
            code: code(text),
        })
    } else if starts("Rolling back KTM") && text.contains("drivers failed") {
        Some(failed(FailureMark::KtmRollback, None, text))
    } else if starts("Reboot mark set") {
        Some(Event::Reboot(Reboot::MarkSet))
    } else if starts("Reboot mark cleared") {
        Some(Event::Reboot(Reboot::MarkCleared))
    } else if starts("Reporting package change completion") {
        outcome(text, ", status: ")
    } else {
        None
    }
}

/// `Setting …`, `Shtd: …`, `Startup …`, `Starting …`
fn setting(text: &str) -> Option<Event<'_>> {
    if let Some(inner) = text.strip_prefix("Startup: ") {
        return Some(phased(Phase::Startup, inner, text));
    }
    if let Some(inner) = text.strip_prefix("Shtd: ") {
        return Some(phased(Phase::Shutdown, inner, text));
    }
    if let Some(rest) = text.strip_prefix("SetProgressMessage: ") {
        let stage = until(behind(rest, "progressMessageStage: ")?, &[',']);
        return (stage == "4")
            .then_some(Event::Rollback { temporary: true })
            .or_else(|| state(text, "ExecuteState: ", false));
    }
    if text.starts_with("Setting ExecuteState key to: ") {
        return state(text, "Setting ExecuteState key to: ", true);
    }
    if text.starts_with("Setting original failure status") {
        return Some(Event::OriginalFailure {
            retrieved: false,
            code: code(text),
        });
    }
    if text.starts_with("Setting ServicingInProgress flag to 0")
        || text.starts_with("Startup processing completed")
    {
        return Some(Event::End {
            by: EndMark::StartupCompleted,
            code: code(text),
        });
    }
    if text.starts_with("Setting reboot in progress flag") {
        return Some(Event::Reboot(Reboot::InProgress));
    }
    text.starts_with("Starting TrustedInstaller initialization")
        .then_some(Event::ServiceStart)
}

/// A line of startup or shutdown processing, without (`inner`) and with the name of the phase.
fn phased<'a>(phase: Phase, inner: &'a str, text: &'a str) -> Event<'a> {
    let starts = |start: &str| inner.starts_with(start);
    let event = if starts("Failed, restart required") || starts("Success, restart required") {
        Some(Event::Reboot(Reboot::Required))
    } else if starts("Failed") && names_driver_queue(inner) {
        Some(failed(FailureMark::Queue, Some(phase), inner))
    } else if starts(VERSION_NOTICE) {
        Some(failed(FailureMark::VersionNotice, Some(phase), inner))
    } else if starts("Failed") && inner.contains("primitive operations") {
        let cause = match inner.contains("will be retried") {
            true => OtherCause::PrimitivesDeferred,
            false => OtherCause::Primitives,
        };
        Some(Event::Other {
            cause,
            code: code(inner),
        })
    } else if starts("Rolling back KTM") && inner.contains("drivers failed") {
        Some(failed(FailureMark::KtmRollback, Some(phase), inner))
    } else if starts("A possible hang was detected") {
        Some(hang())
    } else if starts("Processing complete") {
        Some(Event::End {
            by: EndMark::StartupProcessed,
            code: code(inner),
        })
    } else if starts("Processing") && names_driver_queue(inner) {
        Some(queue_start(StartMark::Processing, inner, None))
    } else if starts("Initializing driver operations queue") {
        Some(queue_start(StartMark::Initializing, inner, None))
    } else if inner.contains("Driver operations completed") {
        Some(Event::QueueDone)
    } else if starts("Shutdown processing complete") {
        Some(Event::ShutdownDone)
    } else if inner.contains("Attempting to undo driver operations") {
        Some(Event::Rollback { temporary: true })
    } else if starts("Package: ") {
        outcome(text, " hr ")
    } else {
        state(inner, "ExecuteState is ", false)
    };
    event.unwrap_or(Event::At(phase))
}

/// `TI: …`
fn service(text: &str) -> Option<Event<'_>> {
    let inner = text.strip_prefix("TI: ")?;
    if inner.starts_with("--- Initializing") {
        return Some(Event::ServiceStart);
    }
    if inner.starts_with("It looks like TI crashed or was interrupted") {
        return Some(Event::Interrupted);
    }
    let stamp = inner.strip_prefix("Last boot time: ")?;
    Some(Event::LastBoot(LocalTime::read(stamp, b'-')?.0))
}

fn state<'a>(text: &'a str, mark: &str, set: bool) -> Option<Event<'a>> {
    let state = behind(text, mark)?;
    let state = ExecuteState(until(state, &[',']).trim_ascii());
    Some(Event::State { state, set })
}

/// A line about a package; `status` is what stands before its code.
fn outcome<'a>(text: &'a str, status: &str) -> Option<Event<'a>> {
    let field = |name: &str| {
        let value = until(behind(text, name)?, &[',']).trim_ascii();
        (!value.is_empty()).then_some(value)
    };
    let package = behind(text, "package: ").or_else(|| behind(text, "Package: "))?;
    let status = text.rfind(status).and_then(|at| text.get(at..));
    let status = status.map(|rest| until(rest.trim_start_matches([',', ' ']), &[',']));
    Some(Event::Package(PackageOutcome {
        package: until(package, &[',', ' ']),
        code: status.and_then(code),
        failure_source: field("failure source: ").filter(|source| *source != "Not Applicable"),
        client: field("client id: "),
    }))
}

fn csi<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let text = record.text;
    if let Some(rest) = text.strip_prefix("Error ") {
        return nt_failure(rest);
    }
    if text.starts_with("[SR] Cannot repair") || text.starts_with("Hydration failed for") {
        return damage_of(text);
    }
    if !record.csi.is_some_and(|csi| csi.failed) {
        return None;
    }
    let cause = if text.contains("rollback will be initiated") {
        OtherCause::AdvancedInstallers
    } else if text.contains("LoadStore") || text.contains("MountSMISchemaHive") {
        OtherCause::Store
    } else {
        return None;
    };
    Some(Event::Other {
        cause,
        code: code(text),
    })
}

/// `STATUS_SHARING_VIOLATION while executing operation CreateFile on [l:126]'\SystemRoot\…\dnsapi.dll'`
fn nt_failure(text: &str) -> Option<Event<'_>> {
    let (name, rest) = text.split_once(" while executing operation ")?;
    name.starts_with("STATUS_").then_some(())?;
    let (operation, rest) = rest.split_once(" on ")?;
    let path = counted_string(rest)?;
    Some(Event::NtFailure(NtFailure {
        name,
        status: hresult::number(name).and_then(hresult::to_nt),
        operation,
        path,
    }))
}

/// The string of `[l:12 ml:13]'SetupExecute'`, or of the older `[ml:26{13},l:24{12}]"SetupExecute"`.
pub(super) fn counted_string(text: &str) -> Option<&str> {
    let (_, rest) = text.strip_prefix('[')?.split_once(']')?;
    let quote = rest
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = rest.get(1..)?;
    Some(inner.get(..inner.find(quote)?).unwrap_or(inner))
}
