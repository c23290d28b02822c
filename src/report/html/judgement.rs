//! How far the evidence goes, what failed and who held what, on the page.

use super::text::When;
use super::view::Listed;
use crate::findings::{Conflict, FailingNote, FailingOperation, Findings, Suspect};
use crate::report::style::duration;
use crate::trace::Zone;
use serde::Serialize;

/// What the page says beyond the drivers' verdicts.
#[derive(Debug, Serialize)]
pub struct Judgement<'a> {
    suspects: Listed<&'a Suspect>,
    failing: Listed<Failing<'a>>,
    note: Option<&'a FailingNote>,
    conflicts: Listed<Refused<'a>>,
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
}

impl<'a> Judgement<'a> {
    /// The sections of a case.
    pub fn new(findings: &'a Findings, zone: &Zone) -> Self {
        let failing = findings.failing_operations.iter().map(|row| Failing {
            row,
            when: When::new(row.time, zone),
            before: row.before_failure_us.filter(|us| *us >= 0.0).map(duration),
        });
        let mut conflicts = Listed::new(findings.conflicts.iter().map(|row| Refused {
            row,
            first: When::new(row.first, zone),
        }));
        conflicts.more += usize::try_from(findings.conflicts_more).unwrap_or(usize::MAX);
        Self {
            suspects: Listed::new(findings.suspects.iter()),
            failing: Listed::new(failing),
            note: findings.failing_operations_note.as_ref(),
            conflicts,
        }
    }
}
