//! How far the clock of the machine was from UTC, as CBS.log itself shows it.
//!
//! A line `Universal Time is: …` and the stamps of CSI records are in UTC, the line they stand on has local time:
//! the difference, taken to the quarter of an hour, is the offset. It holds until a later line shows another one:
//! daylight time begins and ends, notebooks travel, and a new machine is set up.
//!
//! Between two lines that show different offsets it has changed somewhere. Lines stand in the order of time: one that by
//! the one offset would lie beside these two has the other. Where both are possible, the start of the service is where
//! it changed, if there is one between; else the line that shows it.

use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::LineRef;
use crate::trace::Filetime;
use crate::trace::time::TICKS_PER_SECOND;

/// What shows an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetBasis {
    /// `Universal Time is: …` (Windows 8 and later).
    UniversalTime,
    /// The stamp of a CSI record.
    CsiStamp,
    /// The stamp in the name of the archive `CbsPersist_….log`, which is the UTC time the log after it began. Seen
    /// in one real pair of files.
    ArchiveName,
}

impl OffsetBasis {
    /// What a report calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UniversalTime => "a line 'Universal Time is'",
            Self::CsiStamp => "the UTC stamp of a CSI record",
            Self::ArchiveName => "the name of the archived log before",
        }
    }
}

/// An offset, and the line that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetEvidence {
    /// Minutes that the clock is ahead of UTC; negative: behind.
    pub minutes: i32,
    /// What shows it.
    pub basis: OffsetBasis,
    /// The stamp of the line.
    pub local: LocalTime,
    /// The same instant in UTC.
    pub utc: Filetime,
    /// The line.
    pub at: LineRef,
}

impl OffsetEvidence {
    /// The offset two stamps of one instant show; `None` where it is none a zone has, or the stamps are of
    /// different instants.
    pub fn new(local: LocalTime, utc: Filetime, at: LineRef, basis: OffsetBasis) -> Option<Self> {
        let ticks = i128::from(local.0) - i128::from(utc.0);
        let quarters = (ticks + QUARTER / 2).div_euclid(QUARTER);
        let minutes = i32::try_from(quarters * 15).ok()?;
        let rest = ticks - quarters * QUARTER;
        let fits = (WESTMOST..=EASTMOST).contains(&minutes) && rest.abs() <= APART;
        fits.then_some(Self {
            minutes,
            basis,
            local,
            utc,
            at,
        })
    }
}

const QUARTER: i128 = 15 * 60 * TICKS_PER_SECOND as i128;
/// The stamp of a line is that of its writing, some seconds after the other one when the machine is busy.
const APART: i128 = 60 * TICKS_PER_SECOND as i128;
/// The zones there are: UTC-12 to UTC+14.
const WESTMOST: i32 = -12 * 60;
const EASTMOST: i32 = 14 * 60;
/// Lines may stand so far from their place in time: two programs write to the log, and the clock is set by seconds at times.
const ASIDE: u64 = 60 * TICKS_PER_SECOND;
/// Changes that are kept: a log of years has two a year.
const KEPT: usize = 1_000;

/// The offsets of the logs read, each from the line on that shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets {
    /// In the order of reading; neighbours differ in their minutes.
    changes: Vec<OffsetEvidence>,
    /// For each, the line from which it holds, and the last line that shows it.
    reach: Vec<(LineRef, OffsetEvidence)>,
    /// The last start of the service.
    started: Option<LineRef>,
    /// A CSI record that shows another offset than the one before: believed when the next one agrees.
    doubtful: Option<OffsetEvidence>,
}

impl Offsets {
    /// Takes in what a line shows.
    pub(super) fn add(&mut self, evidence: OffsetEvidence) {
        let (Some(last), Some(reach)) = (self.changes.last_mut(), self.reach.last_mut()) else {
            self.push(evidence);
            return;
        };
        if last.minutes == evidence.minutes {
            self.doubtful = None;
            reach.1 = evidence;
            return;
        }
        let agreed = self
            .doubtful
            .is_some_and(|before| before.minutes == evidence.minutes);
        if last.basis == OffsetBasis::ArchiveName {
            *last = evidence;
            *reach = (evidence.at, evidence);
        } else if evidence.basis == OffsetBasis::ArchiveName {
        } else if evidence.basis == OffsetBasis::CsiStamp && !agreed {
            self.doubtful = Some(evidence);
            return;
        } else if self.changes.len() < KEPT {
            let from = self.doubtful.filter(|_| agreed).unwrap_or(evidence);
            self.push(from);
        }
        self.doubtful = None;
    }

    fn push(&mut self, evidence: OffsetEvidence) {
        let before = self.reach.last().map(|(_, last)| last.at);
        // What shows the offset comes some lines behind the start.
        let started = self
            .started
            .filter(|at| before.is_none_or(|before| before < *at));
        let from = started.unwrap_or(evidence.at).min(evidence.at);
        self.changes.push(evidence);
        self.reach.push((from, evidence));
    }

    /// The service starts at a line.
    pub(super) fn service_starts(&mut self, at: LineRef) {
        self.started = Some(at);
    }

    /// The offset at a line with a stamp: what the lines around it that show one leave possible. Before the first of these
    /// it is that of the first.
    pub fn at(&self, line: LineRef, time: LocalTime) -> Option<&OffsetEvidence> {
        let here = self.place_of(line);
        let (shown, (_, last)) = (self.changes.get(here)?, self.reach.get(here)?);
        // Beside the lines that show it, and nowhere else, another one may hold.
        if last.at < line {
            let next = self.changes.get(here + 1);
            return Some(better(shown, next, (Some(last), next), time));
        }
        if line < shown.at {
            let before = here.checked_sub(1);
            let last = before.and_then(|before| Some(&self.reach.get(before)?.1));
            return Some(better(shown, last, (last, Some(shown)), time));
        }
        Some(shown)
    }

    fn place_of(&self, line: LineRef) -> usize {
        let after = self.reach.partition_point(|(from, _)| *from <= line);
        after.saturating_sub(1)
    }

    /// The same of what has no stamp of that line.
    pub fn at_line(&self, line: LineRef) -> Option<&OffsetEvidence> {
        self.changes.get(self.place_of(line))
    }

    /// The offset at a wall-clock time, for logs that show none themselves: as [`Offsets::at`], by time.
    pub fn near(&self, time: LocalTime) -> Option<&OffsetEvidence> {
        let mut known = self.changes.iter();
        let here = known.rposition(|change| change.local <= time).unwrap_or(0);
        let (shown, next) = (self.changes.get(here)?, self.changes.get(here + 1));
        Some(better(shown, next, (None, next), time))
    }

    /// The last change of the offset that lies within `distance` (100 ns) of a time on the clock of the machine: the last line
    /// that shows the one, and the first that shows the other.
    pub fn change_near(
        &self,
        time: LocalTime,
        distance: u64,
    ) -> Option<(&OffsetEvidence, &OffsetEvidence)> {
        let before = self.reach.iter().map(|(_, last)| last);
        let mut pairs = before.zip(self.changes.iter().skip(1));
        let near = |one: &OffsetEvidence| one.local.distance(time) <= distance;
        pairs.rfind(|(last, next)| near(last) && near(next))
    }

    /// Every change of the offset, in the order of reading.
    pub fn changes(&self) -> &[OffsetEvidence] {
        &self.changes
    }
}

/// The offset that is `shown`, or the `other` one where only that puts a time between two lines.
fn better<'a>(
    shown: &'a OffsetEvidence,
    other: Option<&'a OffsetEvidence>,
    (before, behind): (Option<&OffsetEvidence>, Option<&OffsetEvidence>),
    time: LocalTime,
) -> &'a OffsetEvidence {
    let fits = |offset: &OffsetEvidence| {
        let utc = time.to_utc(offset.minutes);
        let early = before.is_some_and(|before| utc.plus(ASIDE) < before.utc);
        let late = behind.is_some_and(|behind| behind.utc.plus(ASIDE) < utc);
        !early && !late
    };
    match other {
        Some(other) if !fits(shown) && fits(other) => other,
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> LocalTime {
        LocalTime::read(text, b'-').unwrap().0
    }

    fn evidence(
        local_text: &str,
        utc: &str,
        line: u64,
        basis: OffsetBasis,
    ) -> Option<OffsetEvidence> {
        let at = LineRef {
            line,
            ..LineRef::default()
        };
        OffsetEvidence::new(local(local_text), local(utc).to_utc(0), at, basis)
    }

    fn csi(local_text: &str, utc: &str, line: u64) -> OffsetEvidence {
        evidence(local_text, utc, line, OffsetBasis::CsiStamp).unwrap()
    }

    #[test]
    fn offsets_are_quarters_of_an_hour() {
        for (here, utc, minutes) in [
            ("2023-03-29 12:01:24", "2023-03-29 10:01:24.782", Some(120)),
            ("2015-02-23 21:47:28", "2015-02-24 02:47:28.286", Some(-300)),
            ("2024-01-01 00:00:09", "2023-12-31 18:14:59.000", Some(345)),
            ("2024-01-01 00:00:00", "2024-01-01 00:00:00.999", Some(0)),
            ("2024-01-01 00:07:00", "2024-01-01 00:00:00.000", None),
            ("2024-01-02 00:00:00", "2024-01-01 00:00:00.000", None),
        ] {
            let found = evidence(here, utc, 1, OffsetBasis::UniversalTime);
            assert_eq!(found.map(|found| found.minutes), minutes, "{here} {utc}");
        }
    }

    #[test]
    fn a_change_counts_from_its_line_on() {
        let mut offsets = Offsets::default();
        assert_eq!(offsets.at_line(LineRef::default()), None);
        offsets.add(csi("2026-03-29 01:59:00", "2026-03-29 00:59:00", 10));
        offsets.add(csi("2026-03-29 01:59:30", "2026-03-29 00:59:30", 11));
        offsets.add(csi("2026-03-29 03:00:00", "2026-03-29 01:00:00", 20));
        offsets.add(csi("2026-03-29 03:00:09", "2026-03-29 01:00:09", 30));
        let minutes = |line| {
            let at = LineRef {
                line,
                ..LineRef::default()
            };
            offsets.at_line(at).unwrap().minutes
        };
        assert_eq!([1, 10, 19, 20, 99].map(minutes), [60, 60, 60, 120, 120]);
        assert_eq!(offsets.changes().len(), 2);
        let near = |text| offsets.near(local(text)).unwrap().minutes;
        assert_eq!(near("2026-03-29 01:00:00"), 60);
        assert_eq!(near("2026-03-29 04:00:00"), 120);
    }

    fn at_line(line: u64) -> LineRef {
        LineRef {
            line,
            ..LineRef::default()
        }
    }

    #[test]
    fn lines_stand_in_the_order_of_time() {
        // The clock goes forward: as on a machine that is set up in the first minutes.
        let mut forward = Offsets::default();
        forward.add(csi("2023-11-10 23:45:26", "2023-11-11 07:45:26", 10));
        forward.add(csi("2023-11-11 11:16:27", "2023-11-11 07:46:27", 20));
        forward.add(csi("2023-11-11 11:16:27", "2023-11-11 07:46:27", 21));
        let minutes = |offsets: &Offsets, line, time: &str| {
            offsets.at(at_line(line), local(time)).unwrap().minutes
        };
        let of = |line, time| minutes(&forward, line, time);
        assert_eq!(of(11, "2023-11-10 23:45:27"), -480);
        assert_eq!(of(19, "2023-11-11 11:16:27"), 210);
        assert_eq!(of(22, "2023-11-11 11:16:28"), 210);
        // And back, at the end of daylight time.
        let mut back = Offsets::default();
        back.add(csi("2026-10-25 02:59:00", "2026-10-25 00:59:00", 10));
        back.add(csi("2026-10-25 02:20:00", "2026-10-25 01:20:00", 20));
        back.add(csi("2026-10-25 02:20:01", "2026-10-25 01:20:01", 21));
        let of = |line, time| minutes(&back, line, time);
        assert_eq!(of(9, "2026-10-25 02:58:59"), 120);
        assert_eq!(of(11, "2026-10-25 02:59:30"), 120);
        assert_eq!(of(12, "2026-10-25 02:10:00"), 60);
        assert_eq!(of(22, "2026-10-25 02:20:01"), 60);
        // Two programs write to one log: the line before was written a moment later.
        assert_eq!(of(19, "2026-10-25 02:20:02"), 60);
        // Times of another log. In the hour that comes twice, lines of this one tell which it is.
        let near = |offsets: &Offsets, time: &str| offsets.near(local(time)).unwrap().minutes;
        assert_eq!(near(&forward, "2023-11-10 23:45:20"), -480);
        assert_eq!(near(&forward, "2023-11-11 11:16:20"), 210);
        assert_eq!(near(&back, "2026-10-25 01:10:00"), 120);
        assert_eq!(near(&back, "2026-10-25 03:00:00"), 60);
    }

    #[test]
    fn a_clock_set_back_by_seconds_is_no_other_zone() {
        let basis = OffsetBasis::UniversalTime;
        let mut offsets = Offsets::default();
        offsets.add(evidence("2026-03-01 08:00:00", "2026-03-01 07:00:00", 1, basis).unwrap());
        offsets.add(evidence("2026-05-12 08:42:20", "2026-05-12 06:42:20", 5, basis).unwrap());
        for time in ["2026-05-12 08:42:17", "2026-05-12 08:12:17"] {
            assert_eq!(offsets.at(at_line(6), local(time)).unwrap().minutes, 120);
        }
        // Between two lines that show one offset there is no other.
        offsets.add(evidence("2026-05-12 08:50:00", "2026-05-12 06:50:00", 10, basis).unwrap());
        offsets.add(evidence("2026-05-12 10:00:00", "2026-05-12 07:00:00", 20, basis).unwrap());
        let minutes = |line| {
            let time = local("2026-05-12 09:55:00");
            offsets.at(at_line(line), time).unwrap().minutes
        };
        assert_eq!((minutes(9), minutes(11)), (120, 180));
        let near = |text| offsets.change_near(local(text), 86_400 * TICKS_PER_SECOND);
        let change = near("2026-05-13 07:00:00").unwrap();
        assert_eq!((change.0.at.line, change.1.at.line), (10, 20));
        // Of the one before nobody knows when it was.
        assert!(near("2026-05-14 12:00:00").is_none() && near("2026-05-11 09:00:00").is_none());
        // Nor by a little before the lines that show the next one.
        let time = local("2026-05-12 07:43:00");
        assert_eq!(offsets.at(at_line(4), time).unwrap().minutes, 60);
        let time = local("2026-05-12 08:40:00");
        assert_eq!(offsets.at(at_line(4), time).unwrap().minutes, 120);
    }

    #[test]
    fn an_offset_holds_from_the_start_of_the_service_on() {
        let basis = OffsetBasis::UniversalTime;
        let mut offsets = Offsets::default();
        offsets.service_starts(at_line(1));
        offsets.add(evidence("2021-06-21 12:02:59", "2021-06-21 19:02:59", 3, basis).unwrap());
        offsets.service_starts(at_line(10));
        offsets.add(evidence("2021-06-21 13:23:28", "2021-06-21 19:23:28", 15, basis).unwrap());
        let minutes = |line| offsets.at_line(at_line(line)).unwrap().minutes;
        assert_eq!(
            [1, 3, 9, 10, 15, 99].map(minutes),
            [-420, -420, -420, -360, -360, -360]
        );
        // While the service runs on, its start has nothing to do with it.
        offsets.add(evidence("2021-06-21 13:30:00", "2021-06-21 18:30:00", 20, basis).unwrap());
        let minutes = |line| offsets.at_line(at_line(line)).unwrap().minutes;
        assert_eq!([15, 19, 20].map(minutes), [-360, -360, -300]);
    }

    #[test]
    fn one_odd_stamp_changes_nothing() {
        let mut offsets = Offsets::default();
        offsets.add(csi("2026-03-29 12:00:00", "2026-03-29 10:00:00", 1));
        offsets.add(csi("2026-03-29 12:00:00", "2026-03-29 07:00:00", 2));
        offsets.add(csi("2026-03-29 12:00:00", "2026-03-29 10:00:00", 3));
        offsets.add(csi("2026-03-29 12:00:00", "2026-03-29 07:00:00", 4));
        assert_eq!(offsets.changes().len(), 1);
        // A line that is nothing but the time in UTC is believed at once.
        let basis = OffsetBasis::UniversalTime;
        offsets.add(evidence("2026-03-29 13:00:00", "2026-03-29 10:00:00", 5, basis).unwrap());
        assert_eq!(offsets.changes().len(), 2);
    }

    #[test]
    fn a_name_counts_until_a_line_says_more() {
        let basis = OffsetBasis::ArchiveName;
        let name = evidence("2026-03-29 12:00:00", "2026-03-29 10:00:00", 1, basis).unwrap();
        let mut offsets = Offsets::default();
        offsets.add(name);
        assert_eq!(offsets.changes()[0].minutes, 120);
        offsets.add(csi("2026-03-29 12:00:00", "2026-03-29 11:00:00", 2));
        offsets.add(name);
        assert_eq!(offsets.changes().len(), 1);
        assert_eq!(offsets.changes()[0].minutes, 60);
    }
}
