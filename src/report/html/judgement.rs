//! How far the evidence goes, what failed and who held what, on the page.

use super::text::When;
use super::view::Listed;
use crate::findings::{Conflict, FailingNote, FailingOperation, Findings, Suspect};
use crate::report::reader::Reader;
use crate::report::style::duration;
use crate::report::words::kind_word;
use serde::Serialize;

/// What the page says beyond the drivers' verdicts.
#[derive(Debug, Serialize)]
pub struct Judgement<'a> {
    suspects: Listed<Graded<'a>>,
    failing: Listed<Failing<'a>>,
    note: Option<Note<'a>>,
    conflicts: Listed<Refused<'a>>,
}

#[derive(Debug, Serialize)]
struct Graded<'a> {
    row: &'a Suspect,
    level: &'static str,
    kind: &'static str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct Note<'a> {
    text: &'a str,
    reasons: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Failing<'a> {
    row: &'a FailingOperation,
    when: When,
    /// `None` without a log, or where the log's coarser clock is earlier.
    before: Option<String>,
}

#[derive(Debug, Serialize)]
struct Refused<'a> {
    row: &'a Conflict,
    first: When,
    /// How sure it is of each holder.
    certainty: Vec<&'static str>,
    note: Option<&'a str>,
}

impl<'a> Judgement<'a> {
    /// The sections of a case.
    pub fn new(findings: &'a Findings, reader: Reader<'_>) -> Self {
        let Reader { lang, zone } = reader;
        let graded = findings.suspects.iter().map(|row| Graded {
            row,
            level: row.level_word(lang),
            kind: kind_word(row.kind, lang),
            reason: row.reason.text(lang),
        });
        let note = |note: &'a FailingNote| Note {
            text: note.text.text(lang),
            reasons: note
                .reasons
                .iter()
                .map(|reason| reason.text(lang))
                .collect(),
        };
        let failing = findings.failing_operations.iter().map(|row| Failing {
            row,
            when: When::new(row.time, zone),
            before: row
                .before_failure_us
                .filter(|us| *us >= 0.0)
                .map(|us| duration(us, lang)),
        });
        let mut conflicts = Listed::new(findings.conflicts.iter().map(|row| {
            Refused {
                row,
                first: When::new(row.first, zone),
                certainty: row
                    .holders
                    .iter()
                    .map(|holder| holder.certainty.word(lang))
                    .collect(),
                note: row.note.as_ref().map(|note| note.text(lang)),
            }
        }));
        conflicts.more += usize::try_from(findings.conflicts_more).unwrap_or(usize::MAX);
        Self {
            suspects: Listed::new(graded),
            failing: Listed::new(failing),
            note: findings.failing_operations_note.as_ref().map(note),
            conflicts,
        }
    }
}
