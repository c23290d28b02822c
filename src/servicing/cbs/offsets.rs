//! How far the clock of the machine was from UTC, as CBS.log itself shows it.
//!
//! A line `Universal Time is: …` and the stamps of CSI records are in UTC, the line they stand on has local time:
//! the difference, taken to the quarter of an hour, is the offset. It holds until a later line shows another one:
//! daylight time begins and ends, and notebooks travel.

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
/// Changes that are kept: a log of years has two a year.
const KEPT: usize = 1_000;

/// The offsets of the logs read, each from the line on that shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets {
    /// In the order of reading; neighbours differ in their minutes.
    changes: Vec<OffsetEvidence>,
    /// A CSI record that shows another offset than the one before: believed when the next one agrees.
    doubtful: Option<OffsetEvidence>,
}

impl Offsets {
    /// Takes in what a line shows.
    pub(super) fn add(&mut self, evidence: OffsetEvidence) {
        let Some(last) = self.changes.last_mut() else {
            self.changes.push(evidence);
            return;
        };
        if last.minutes == evidence.minutes {
            self.doubtful = None;
            return;
        }
        let agreed = self
            .doubtful
            .is_some_and(|before| before.minutes == evidence.minutes);
        if last.basis == OffsetBasis::ArchiveName {
            *last = evidence;
        } else if evidence.basis == OffsetBasis::ArchiveName {
        } else if evidence.basis == OffsetBasis::CsiStamp && !agreed {
            self.doubtful = Some(evidence);
            return;
        } else if self.changes.len() < KEPT {
            let from = self.doubtful.filter(|_| agreed).unwrap_or(evidence);
            self.changes.push(from);
        }
        self.doubtful = None;
    }

    /// The offset at a line: that of the last line before it that shows one, else of the first one after it.
    pub fn at(&self, line: LineRef) -> Option<&OffsetEvidence> {
        let after = self.changes.partition_point(|change| change.at <= line);
        self.changes
            .get(after.saturating_sub(1))
            .or(self.changes.first())
    }

    /// The offset at a wall-clock time, for logs that show none themselves: as [`Offsets::at`], by time.
    pub fn near(&self, time: LocalTime) -> Option<&OffsetEvidence> {
        self.changes
            .iter()
            .rev()
            .find(|change| change.local <= time)
            .or(self.changes.first())
    }

    /// Every change of the offset, in the order of reading.
    pub fn changes(&self) -> &[OffsetEvidence] {
        &self.changes
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
        assert_eq!(offsets.at(LineRef::default()), None);
        offsets.add(csi("2026-03-29 01:59:00", "2026-03-29 00:59:00", 10));
        offsets.add(csi("2026-03-29 01:59:30", "2026-03-29 00:59:30", 11));
        offsets.add(csi("2026-03-29 03:00:00", "2026-03-29 01:00:00", 20));
        offsets.add(csi("2026-03-29 03:00:09", "2026-03-29 01:00:09", 30));
        let minutes = |line| {
            let at = LineRef {
                line,
                ..LineRef::default()
            };
            offsets.at(at).unwrap().minutes
        };
        assert_eq!([1, 10, 19, 20, 99].map(minutes), [60, 60, 60, 120, 120]);
        assert_eq!(offsets.changes().len(), 2);
        let near = |text| offsets.near(local(text)).unwrap().minutes;
        assert_eq!(near("2026-03-29 01:00:00"), 60);
        assert_eq!(near("2026-03-29 04:00:00"), 120);
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
