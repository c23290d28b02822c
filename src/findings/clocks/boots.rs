//! Which boot a trace covers: the time the kernel started, which traces and logs both tell, joins them.

use crate::findings::analyze::{Case, CaseInput};
use crate::servicing::{LineRef, LocalTime};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Boot, BootBasis, Filetime};
use serde::Serialize;

/// The boot that a trace covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedBoot {
    /// The trace.
    pub input: String,
    /// When the kernel started, by the trace; `null` where it does not tell.
    pub time: Option<Filetime>,
    /// How the trace tells: `header`, `system-process`, `first-event`.
    pub basis: Option<BootBasis>,
    /// The log that names this boot.
    pub log: Option<String>,
    /// Line in that log.
    pub line: Option<u64>,
    /// When the kernel started by the log, brought to UTC.
    pub log_time: Option<Filetime>,
    /// How much later the log puts it than the trace, in microseconds: what the clocks may be apart.
    pub difference_us: Option<i64>,
    /// Whether the trace has a moment of the failed attempt; `null` without a log that names a failure.
    pub holds_attempt: Option<bool>,
}

/// A boot that a log names.
#[derive(Debug, Clone, Copy)]
pub struct LoggedBoot<'a> {
    /// The log.
    pub log: &'a str,
    /// Where it names it.
    pub at: LineRef,
    /// When, on the clock of the machine.
    pub time: LocalTime,
    /// Whether it is CBS.log that names it.
    pub by_cbs: bool,
}

/// The boots that the logs of a case name.
pub fn logged<'a>(case: &'a Case<'_>) -> impl Iterator<Item = LoggedBoot<'a>> {
    let cbs = case.logs.cbs.iter().flat_map(|log| {
        log.boots.iter().map(|(at, time)| LoggedBoot {
            log: log.name(*at),
            at: *at,
            time: *time,
            by_cbs: true,
        })
    });
    let setup = case.logs.setup.iter().flat_map(|log| {
        log.boots.iter().map(|(at, time)| LoggedBoot {
            log: log.name(*at),
            at: *at,
            time: *time,
            by_cbs: false,
        })
    });
    cbs.chain(setup)
}

/// How far the two may be apart and still name one boot.
pub fn tolerance(basis: BootBasis) -> u64 {
    match basis {
        // Half a second each is cut from both, and clocks are set in the first seconds.
        BootBasis::Header | BootBasis::SystemProcess => 5 * TICKS_PER_SECOND,
        BootBasis::FirstEvent => 60 * TICKS_PER_SECOND,
    }
}

/// The boot that a trace covers, with the line of a log that names it; `utc` brings the time of a logged boot to UTC.
pub fn traced(
    input: &CaseInput<'_>,
    boots: &[(LoggedBoot<'_>, Filetime)],
    holds_attempt: Option<bool>,
) -> TracedBoot {
    let boot = input.trace.info().boot;
    let same = boot.and_then(|boot| {
        let near = boots
            .iter()
            .map(|(logged, time)| (logged, *time, time.0 as i64 - boot.time.0 as i64))
            .filter(|(.., apart)| apart.unsigned_abs() <= tolerance(boot.basis));
        near.min_by_key(|(.., apart)| apart.unsigned_abs())
    });
    TracedBoot {
        input: input.name.clone(),
        time: boot.map(|boot| boot.time),
        basis: boot.map(|boot| boot.basis),
        log: same.map(|(logged, ..)| logged.log.to_owned()),
        line: same.map(|(logged, ..)| logged.at.line),
        log_time: same.map(|(_, time, _)| time),
        difference_us: same.map(|(.., apart)| apart / 10),
        holds_attempt,
    }
}

const QUARTER: i64 = 15 * 60 * TICKS_PER_SECOND as i64;
const WESTMOST: i64 = -12 * 60;
const EASTMOST: i64 = 14 * 60;

/// Minutes that the clock of the logs is ahead of UTC, by the boot that traces and logs both tell of: where exactly one
/// zone makes them the same.
pub fn zone_minutes(case: &Case<'_>) -> Option<i32> {
    let exact = |boot: &Boot| boot.basis != BootBasis::FirstEvent;
    let traced = case
        .inputs
        .iter()
        .filter_map(|input| input.trace.info().boot);
    let traced: Vec<Boot> = traced.filter(exact).collect();
    let mut found: Option<i64> = None;
    for logged in logged(case) {
        for boot in &traced {
            let apart = logged.time.0 as i64 - boot.time.0 as i64;
            let quarters = (apart + QUARTER / 2).div_euclid(QUARTER);
            let minutes = quarters * 15;
            let rest = (apart - quarters * QUARTER).unsigned_abs();
            if !(WESTMOST..=EASTMOST).contains(&minutes) || rest > tolerance(boot.basis) {
                continue;
            }
            if found.is_some_and(|known| known != minutes) {
                return None;
            }
            found = Some(minutes);
        }
    }
    found.and_then(|minutes| i32::try_from(minutes).ok())
}
