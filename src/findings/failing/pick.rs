//! Choosing among what failed for servicing.

use super::FailureHint;
use super::code::{Candidates, CodeMatch};
use crate::trace::time::TICKS_PER_SECOND;
use crate::trace::{Class, Filetime};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// How far before the logged failure an operation may have ended.
pub const BEFORE: u64 = 60 * TICKS_PER_SECOND;
/// How far behind it: CBS.log has whole seconds, and its lines are written late.
pub const BEHIND: u64 = 2 * TICKS_PER_SECOND;
/// Operations that are named.
const MOST: usize = 20;

/// An operation of servicing that ended in an error.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Which trace of the case.
    pub trace: usize,
    /// Record in it.
    pub event: u64,
    /// Start.
    pub time: Filetime,
    /// End.
    pub end: Filetime,
    /// Class.
    pub class: Class,
    /// Operation.
    pub operation: &'static str,
    /// Path.
    pub path: String,
    /// Target path.
    pub target: String,
    /// NTSTATUS.
    pub status: u32,
    /// Position in the trace's processes.
    pub process: u32,
    /// Its id.
    pub pid: Option<u32>,
    /// Thread, where it is known.
    pub tid: Option<u32>,
    /// Whether a servicing process was at work; else System.
    pub servicing: bool,
    /// Whether it was on a driver-store path.
    pub in_scope: bool,
    /// Whether the result says something.
    pub telling: bool,
}

/// An operation that was chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The operation.
    pub failed: Failed,
    /// How its result fits.
    pub code_match: CodeMatch,
    /// Whether it is on a path of the INF.
    pub inf_path: bool,
    /// Whether its thread worked on the INF.
    pub inf_thread: bool,
    /// Whether it is the last before the failure that fits so well.
    pub last: bool,
    /// How often it failed so.
    pub repeats: u64,
}

/// Chooses the operations that may be the one that failed.
#[derive(Debug, Clone, Default)]
pub struct Picker {
    hint: FailureHint,
    candidates: Option<Candidates>,
    /// Threads that worked on the INF, by trace.
    pub inf_threads: HashSet<(usize, u32)>,
    /// Operations with a fitting result that lie too far from the failure.
    pub out_of_reach: u64,
}

impl Picker {
    /// For a failure.
    pub fn new(hint: &FailureHint) -> Self {
        Self {
            hint: hint.clone(),
            candidates: hint.code.map(Candidates::of),
            ..Self::default()
        }
    }

    /// The failure.
    pub fn hint(&self) -> &FailureHint {
        &self.hint
    }

    /// Whether a code is known that no operation ends in.
    pub fn code_is_made_up(&self) -> bool {
        self.candidates.as_ref().is_some_and(Candidates::is_empty)
    }

    /// Whether a result may matter.
    #[inline]
    pub fn may_fit(&self, status: u32, telling: bool) -> bool {
        match &self.candidates {
            Some(candidates) => candidates.fits(status).is_some(),
            None => telling,
        }
    }

    /// Whether a path is of the INF.
    #[inline]
    pub fn on_inf(&self, path: &str) -> bool {
        let inf = self.hint.inf.as_deref();
        inf.is_some_and(|inf| names_inf(path, inf))
    }

    fn fits(&self, failed: &Failed) -> Option<CodeMatch> {
        if !failed.servicing {
            return None;
        }
        let inf = self.on_inf(&failed.path) || self.on_inf(&failed.target);
        match &self.candidates {
            // What is missing is looked for all the time: only on the paths in question does it tell something.
            Some(candidates) => candidates
                .fits(failed.status)
                .filter(|_| failed.telling || failed.in_scope || inf),
            None => (failed.telling && (failed.in_scope || inf)).then_some(CodeMatch::Unknown),
        }
    }

    fn in_reach(&self, failed: &Failed) -> bool {
        self.hint.time.is_none_or(|failure| {
            failed.end >= failure.minus(BEFORE) && failed.end <= failure.plus(BEHIND)
        })
    }

    /// The operations, most telling first.
    pub fn choose(&mut self, failed: &[Failed]) -> Vec<Chosen> {
        let mut found: Vec<(CodeMatch, &Failed)> = Vec::new();
        for failed in failed {
            let Some(code_match) = self.fits(failed) else {
                continue;
            };
            match self.in_reach(failed) {
                true => found.push((code_match, failed)),
                false => self.out_of_reach += u64::from(code_match < CodeMatch::Related),
            }
        }
        // What may have been translated twice matters only where nothing fits better.
        let best = found.iter().map(|(code_match, _)| *code_match).min();
        if best.is_some_and(|best| best < CodeMatch::Related) {
            found.retain(|(code_match, _)| *code_match < CodeMatch::Related);
        }
        let mut chosen = self.fold(&found);
        self.mark_last(&mut chosen);
        chosen.sort_by_cached_key(|chosen| self.rank(chosen));
        chosen.truncate(MOST);
        chosen
    }

    /// One entry for what failed again and again: the one nearest to the failure, or the first without one.
    fn fold(&self, found: &[(CodeMatch, &Failed)]) -> Vec<Chosen> {
        type Same<'a> = (usize, Option<u32>, &'static str, &'a str, &'a str, u32);
        let mut places: HashMap<Same<'_>, usize> = HashMap::new();
        let mut out: Vec<Chosen> = Vec::new();
        for (code_match, failed) in found {
            let key = (
                failed.trace,
                failed.pid,
                failed.operation,
                failed.path.as_str(),
                failed.target.as_str(),
                failed.status,
            );
            let place = places.get(&key).copied();
            if let Some(known) = place.and_then(|place| out.get_mut(place)) {
                known.repeats += 1;
                if self.hint.time.is_some() && self.distance(failed) <= self.distance(&known.failed)
                {
                    known.failed = (*failed).clone();
                }
                continue;
            }
            places.insert(key, out.len());
            let on_inf = self.on_inf(&failed.path) || self.on_inf(&failed.target);
            out.push(Chosen {
                failed: (*failed).clone(),
                code_match: *code_match,
                inf_path: on_inf,
                inf_thread: false,
                last: false,
                repeats: 1,
            });
        }
        for chosen in &mut out {
            let thread = chosen.failed.tid.map(|tid| (chosen.failed.trace, tid));
            chosen.inf_thread = thread.is_some_and(|thread| self.inf_threads.contains(&thread));
        }
        out
    }

    fn mark_last(&self, chosen: &mut [Chosen]) {
        let Some(failure) = self.hint.time else {
            return;
        };
        let best = chosen.iter().map(|chosen| chosen.code_match).min();
        let before = chosen.iter_mut().filter(|chosen| {
            Some(chosen.code_match) == best && chosen.failed.end <= failure.plus(BEHIND)
        });
        if let Some(last) = before.max_by_key(|chosen| chosen.failed.end) {
            last.last = true;
        }
    }

    fn distance(&self, failed: &Failed) -> u64 {
        let failure = self.hint.time.unwrap_or(failed.end);
        failure.0.abs_diff(failed.end.0)
    }

    /// With a logged failure: by how the result fits, whether it is on the INF, how near it is. Without one the first
    /// failure is the failure, if what it says is grave.
    fn rank(&self, chosen: &Chosen) -> (CodeMatch, Reverse<u8>, u8, u64, usize, u64) {
        let failed = &chosen.failed;
        let inf = 2 * u8::from(chosen.inf_path) + u8::from(chosen.inf_thread);
        let distance = match self.hint.time {
            Some(_) => self.distance(failed),
            None => failed.time.0,
        };
        let weight = match self.hint.code {
            Some(_) => 0,
            None => weight(failed.status),
        };
        (
            chosen.code_match,
            Reverse(inf),
            weight,
            distance,
            failed.trace,
            failed.event,
        )
    }
}

/// How grave a result is, 0 most.
fn weight(status: u32) -> u8 {
    match status {
        // REGISTRY CORRUPT, REGISTRY IO FAILED, NOT REGISTRY FILE, HIVE UNLOADED; VIRUS INFECTED, VIRUS DELETED.
        0xC000_014C | 0xC000_014D | 0xC000_015C | 0xC000_0425 | 0xC000_0906 | 0xC000_0907 => 0,
        // ACCESS DENIED, SHARING VIOLATION, DELETE PENDING, DIRECTORY NOT EMPTY, CANNOT DELETE, USER MAPPED FILE.
        0xC000_0022 | 0xC000_0043 | 0xC000_0056 | 0xC000_0101 | 0xC000_0121 | 0xC000_0243 => 1,
        _ => 2,
    }
}

/// Whether a path is of an INF: the published file, or a folder of its package (`oposdrv.inf_amd64_…`, or
/// `amd64_dual_oposdrv.inf_…` in the component store).
pub fn names_inf(path: &str, inf: &str) -> bool {
    let (path, inf) = (path.as_bytes(), inf.as_bytes());
    if inf.is_empty() || path.len() < inf.len() {
        return false;
    }
    let at = |place: usize| path.get(place).copied();
    path.windows(inf.len()).enumerate().any(|(start, window)| {
        window.eq_ignore_ascii_case(inf)
            && matches!(
                start.checked_sub(1).map(at),
                None | Some(Some(b'\\' | b'/' | b'_'))
            )
            && matches!(at(start + inf.len()), None | Some(b'\\' | b'/' | b'_'))
    })
}

#[cfg(test)]
#[path = "pick_tests.rs"]
mod tests;
