//! Saying that no failing operation was found, and why that may be.

use super::code::CodeMatch;
use super::pick::{Chosen, Picker};
use super::report::FailingNote;
use crate::codes::hresult;
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
            text: "No operation of servicing ended in a result that becomes the logged code; listed are those whose results become codes of the same kind."
                .to_owned(),
            reasons: vec![
                "Codes in servicing logs have sometimes been translated twice.".to_owned(),
            ],
        });
    }
    if !chosen.is_empty() {
        return None;
    }
    Some(FailingNote {
        text: match picker.hint().code {
            Some(code) => format!(
                "None in this trace: no operation of servicing ended in a result that becomes {}.",
                code_text(code)
            ),
            None => "None in this trace: no operation of servicing on driver-store paths ended in an error that is no part of normal work."
                .to_owned(),
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

fn reasons(picker: &Picker, missing: &Missing) -> Vec<String> {
    let mut out = Vec::new();
    let hint = picker.hint();
    if let (Some(failure), Some((first, last))) = (hint.time, missing.covered) {
        if failure < first {
            out.push(format!(
                "The failure ({failure}) lies before the trace, which begins at {first}: drivers are installed in the shutdown before this boot, and what the trace shows is what came after."
            ));
        } else if failure > last {
            out.push(format!(
                "The failure ({failure}) lies behind the trace, which ends at {last}."
            ));
        }
    }
    if !missing.servicing {
        out.push("No process that services Windows is in the trace.".to_owned());
    }
    let coverage = &missing.coverage;
    for (has, what) in [
        (coverage.file, "File-system"),
        (coverage.registry, "Registry"),
    ] {
        if !has {
            out.push(format!("{what} activity was not recorded."));
        }
    }
    if picker.out_of_reach > 0 {
        out.push(format!(
            "{} operations with a fitting result end more than 60 s before the failure or more than 2 s behind it; they were not counted.",
            picker.out_of_reach
        ));
    }
    if coverage.events_lost > 0 || coverage.buffers_lost > 0 || missing.dropped > 0 {
        out.push(format!(
            "Events were lost ({} events, {} buffers), or were too many to look at ({}): the operation may be among them.",
            coverage.events_lost, coverage.buffers_lost, missing.dropped
        ));
    }
    match hint.code {
        Some(_) if picker.code_is_made_up() => {
            out.push(
                "No operation of the kernel ends in this code: code in user mode returned it."
                    .to_owned(),
            );
        }
        Some(code) => {
            out.push(
                "Code in user mode may have returned it by itself, without a failing operation."
                    .to_owned(),
            );
            if hresult::win32_of(code) == Some(1009) {
                out.push(
                    "The driver store reads the database in HKLM\\DRIVERS and calls it damaged where its values are odd; check the hive (config\\DRIVERS)."
                        .to_owned(),
                );
            }
        }
        None => {}
    }
    if missing.procmon {
        out.push("Procmon does not see what a filter above altitude 385200 refuses.".to_owned());
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
        format!("{} {}", note.text, note.reasons.join(" "))
    }

    #[test]
    fn every_reason_is_given_where_it_holds() {
        let said = reasons_for(Some(0x8007_03F1), Some(150), &missing());
        assert!(said.contains("0x800703f1 (ERROR_BADDB)"), "{said}");
        assert!(said.contains("user mode") && said.contains("HKLM\\DRIVERS"));
        assert!(!said.contains("lies") && !said.contains("not recorded"));
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
            "File-system",
            "Registry",
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
