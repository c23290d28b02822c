//! Saying that no failing operation was found, and why that may be.

use super::code::CodeMatch;
use super::pick::{Chosen, Picker};
use super::report::FailingNote;
use crate::codes::hresult;
use crate::lang::Message;
use crate::say;
use crate::trace::{Coverage, Filetime};

/// What is known where nothing was found.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    /// First and last event of the traces.
    pub covered: Option<(Filetime, Filetime)>,
    /// What the traces hold.
    pub coverage: Coverage,
    /// Whether they have processes that service Windows.
    pub servicing: bool,
    /// Whether some of them are Procmon logs.
    pub procmon: bool,
    /// Failures of servicing that found no room.
    pub dropped: u64,
}

/// What to know of the operations that were chosen; `None` where they speak for themselves.
pub fn note(picker: &Picker, chosen: &[Chosen], missing: &Missing) -> Option<FailingNote> {
    let related = chosen
        .first()
        .is_some_and(|first| first.code_match == CodeMatch::Related);
    if related {
        return Some(FailingNote {
            text: say!(
                en: "No operation of servicing ended in a result that becomes the logged code; listed are those whose results become codes of the same kind.",
                zh: "服务堆栈的操作中，没有一个的结果会转换成日志中的代码；下面列出的是结果会转换成同类代码的操作。",
            ),
            reasons: vec![say!(
                en: "Codes in servicing logs have sometimes been translated twice.",
                zh: "服务日志中的代码有时经过了两次转换。",
            )],
        });
    }
    if !chosen.is_empty() {
        return None;
    }
    Some(FailingNote {
        text: match picker.hint().code {
            Some(code) => say!(
                en: "None in this trace: no operation of servicing ended in a result that becomes {code}.",
                zh: "此跟踪中没有：服务堆栈的操作中，没有一个的结果会转换成 {code}。",
                code = code_text(code),
            ),
            None => say!(
                en: "None in this trace: no operation of servicing on driver-store paths ended in an error that is no part of normal work.",
                zh: "此跟踪中没有：服务堆栈在驱动程序存储路径上的操作，没有一个以不属于正常工作的错误结束。",
            ),
        },
        reasons: reasons(picker, missing),
    })
}

fn code_text(code: u32) -> String {
    let described = hresult::describe(code);
    match described.name {
        Some(name) => format!("{} ({name})", described.code),
        None => described.code,
    }
}

fn reasons(picker: &Picker, missing: &Missing) -> Vec<Message> {
    let mut out = Vec::new();
    let hint = picker.hint();
    if let (Some(failure), Some((first, last))) = (hint.time, missing.covered) {
        if failure < first {
            out.push(say!(
                en: "The failure ({failure}) lies before the trace, which begins at {first}: drivers are installed in the shutdown before this boot, and what the trace shows is what came after.",
                zh: "失败时刻（{failure}）早于跟踪，跟踪从 {first} 开始：驱动程序在本次启动之前的关机过程中安装，跟踪显示的是此后发生的事情。",
            ));
        } else if failure > last {
            out.push(say!(
                en: "The failure ({failure}) lies behind the trace, which ends at {last}.",
                zh: "失败时刻（{failure}）晚于跟踪，跟踪到 {last} 结束。",
            ));
        }
    }
    if !missing.servicing {
        out.push(say!(
            en: "No process that services Windows is in the trace.",
            zh: "跟踪中没有为 Windows 更新服务的进程。",
        ));
    }
    let coverage = &missing.coverage;
    if !coverage.file {
        out.push(say!(
            en: "The trace holds no file-system activity.",
            zh: "跟踪中没有文件系统活动。",
        ));
    }
    if !coverage.registry {
        out.push(say!(
            en: "The trace holds no registry activity.",
            zh: "跟踪中没有注册表活动。",
        ));
    }
    if picker.out_of_reach > 0 {
        out.push(say!(
            en: "{operations} operations with a fitting result end more than 60 s before the failure or more than 2 s behind it; they were not counted.",
            zh: "另有 {operations} 个结果相符的操作在失败前 60 秒以外或失败后 2 秒以外结束，未计入。",
            operations = picker.out_of_reach,
        ));
    }
    if coverage.events_lost > 0 || coverage.buffers_lost > 0 || missing.dropped > 0 {
        out.push(say!(
            en: "Events were lost ({events} events, {buffers} buffers), or were too many to look at ({dropped}): the operation may be among them.",
            zh: "有事件丢失（{events} 个事件，{buffers} 个缓冲区），或因过多而未检查（{dropped} 个）：该操作可能就在其中。",
            events = coverage.events_lost,
            buffers = coverage.buffers_lost,
            dropped = missing.dropped,
        ));
    }
    match hint.code {
        Some(_) if picker.code_is_made_up() => {
            out.push(say!(
                en: "No operation of the kernel ends in this code: code in user mode returned it.",
                zh: "内核操作不会以这个代码结束：它由用户模式代码返回。",
            ));
        }
        Some(code) => {
            out.push(say!(
                en: "Code in user mode may have returned it by itself, without a failing operation.",
                zh: "它可能由用户模式代码自行返回，并没有失败的操作。",
            ));
            if hresult::win32_of(code) == Some(1009) {
                out.push(say!(
                    en: "The driver store reads the database in HKLM\\DRIVERS and calls it damaged where its values are odd; check the hive (config\\DRIVERS).",
                    zh: "驱动程序存储会读取 HKLM\\DRIVERS 中的数据库，遇到异常值就判定其已损坏；请检查该配置单元（config\\DRIVERS）。",
                ));
            }
        }
        None => {}
    }
    if missing.procmon {
        out.push(say!(
            en: "Procmon does not see what a filter above altitude 385200 refuses.",
            zh: "高度在 385200 以上的筛选器所拒绝的操作，Procmon 看不到。",
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::FailureHint;
    use super::*;

    fn missing() -> Missing {
        Missing {
            covered: Some((Filetime(100), Filetime(200))),
            coverage: Coverage {
                file: true,
                registry: true,
                ..Coverage::default()
            },
            servicing: true,
            ..Missing::default()
        }
    }

    fn reasons_for(code: Option<u32>, time: Option<u64>, missing: &Missing) -> String {
        let hint = FailureHint {
            code,
            time: time.map(Filetime),
            inf: None,
        };
        let note = note(&Picker::new(&hint), &[], missing).unwrap();
        note.reasons
            .iter()
            .fold(note.text.to_string(), |said, reason| {
                format!("{said} {reason}")
            })
    }

    #[test]
    fn every_reason_is_given_where_it_holds() {
        let said = reasons_for(Some(0x8007_03F1), Some(150), &missing());
        assert!(said.contains("0x800703f1 (ERROR_BADDB)"), "{said}");
        assert!(said.contains("user mode") && said.contains("HKLM\\DRIVERS"));
        assert!(!said.contains("lies") && !said.contains("holds no"));
        assert!(reasons_for(Some(5), Some(50), &missing()).contains("before the trace"));
        assert!(reasons_for(Some(5), Some(250), &missing()).contains("behind the trace"));
        let said = reasons_for(Some(0x800F_0922), None, &missing());
        assert!(said.contains("No operation of the kernel"), "{said}");
        let poor = Missing {
            procmon: true,
            ..Missing::default()
        };
        let said = reasons_for(None, None, &poor);
        for word in [
            "file-system",
            "no registry",
            "No process that services",
            "385200",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        let lossy = Missing {
            coverage: Coverage {
                events_lost: 7,
                ..missing().coverage
            },
            ..missing()
        };
        assert!(reasons_for(None, None, &lossy).contains("7 events"));
    }
}
