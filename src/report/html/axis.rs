//! A time axis: places in percent of its width, and round times to label it with.

use crate::trace::{Filetime, Zone};
use serde::Serialize;

const SECOND: u64 = 10_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// No more labels than this: every second one still has room on a telephone.
const LABELS: u64 = 8;
/// Labels nearer to an end than this, in percent, are aligned to it.
const EDGE: f64 = 7.0;

/// A stretch of time drawn from left to right.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    start: u64,
    end: u64,
}

/// A labelled place on an axis.
#[derive(Debug, Serialize)]
pub struct Label {
    x: String,
    anchor: &'static str,
    utc: String,
    local: Option<String>,
    /// Left out where there is little room.
    spare: bool,
}

impl Axis {
    /// From `start` to `end`; an instant gets a second around it.
    pub fn new(start: Filetime, end: Filetime) -> Self {
        let (start, end) = (start.0.min(end.0), start.0.max(end.0));
        if start == end {
            let half = SECOND / 2;
            return Self {
                start: start.saturating_sub(half),
                end: end.saturating_add(half),
            };
        }
        Self { start, end }
    }

    /// The same axis with some room at its ends.
    pub fn padded(self) -> Self {
        let room = (self.end - self.start) / 50;
        Self {
            start: self.start.saturating_sub(room),
            end: self.end.saturating_add(room),
        }
    }

    /// The place of a time, in percent; times beyond an end are put there.
    pub fn place(&self, time: Filetime) -> f64 {
        let time = time.0.clamp(self.start, self.end);
        (time - self.start) as f64 / (self.end - self.start) as f64 * 100.0
    }

    /// Length in ticks.
    pub fn ticks(&self) -> u64 {
        self.end - self.start
    }

    /// Round times on it, in UTC and, where that is not the same, in `zone`.
    pub fn labels(&self, zone: &Zone) -> Vec<Label> {
        let step = step_for(self.ticks());
        let mut out = Vec::new();
        let mut at = self.start.div_ceil(step).saturating_mul(step);
        while at <= self.end && out.len() as u64 <= LABELS {
            let time = Filetime(at);
            let place = self.place(time);
            out.push(Label {
                x: percent(place),
                anchor: match place {
                    p if p < EDGE => "start",
                    p if p > 100.0 - EDGE => "end",
                    _ => "middle",
                },
                utc: label(time, step, self.ticks()),
                local: (!zone.is_utc()).then(|| label(zone.local(time), step, self.ticks())),
                spare: out.len() % 2 == 1,
            });
            let Some(next) = at.checked_add(step) else {
                break;
            };
            at = next;
        }
        out
    }
}

/// A place as SVG has it.
pub fn percent(place: f64) -> String {
    format!("{place:.3}%")
}

/// The smallest round step that gives no more than [`LABELS`] labels.
fn step_for(length: u64) -> u64 {
    const ROUND: [u64; 21] = [
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
    ];
    let small = (0..8).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let large = (0..7)
        .flat_map(|power| [91, 182, 365, 730, 1_825].map(|days| days * 10_u64.pow(power) * DAY));
    small
        .filter(|step| *step <= SECOND)
        .chain(ROUND)
        .chain(large)
        .find(|step| length / step <= LABELS)
        .unwrap_or(u64::MAX / LABELS)
}

/// A round time, as exact as the step needs.
fn label(time: Filetime, step: u64, length: u64) -> String {
    let c = time.civil();
    let day = format!("{:04}-{:02}-{:02}", c.year, c.month, c.day);
    if step >= DAY {
        return day;
    }
    let minute = format!("{:02}:{:02}", c.hour, c.minute);
    if length > DAY {
        return format!("{} {minute}", &day[day.len() - 5..]);
    }
    if step >= MINUTE {
        return minute;
    }
    let digits = (0..7).find(|digits| step.is_multiple_of(SECOND / 10_u64.pow(*digits)));
    match digits.unwrap_or(7) as usize {
        0 => format!("{minute}:{:02}", c.second),
        digits => format!(
            "{minute}:{:02}.{}",
            c.second,
            &format!("{:07}", c.fraction)[..digits]
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_few_and_round_at_every_scale() {
        let start = 134_230_416_671_234_567;
        let mut length = 1;
        while let Some(end) = u64::checked_add(start, length) {
            let axis = Axis::new(Filetime(start), Filetime(end));
            let labels = axis.labels(&Zone::fixed(3_600));
            assert!(labels.len() <= 9, "{length}: {}", labels.len());
            assert!(length < 50 || labels.len() > 1, "{length}");
            for label in &labels {
                assert!(label.utc.len() <= 16 && label.local.is_some(), "{label:?}");
            }
            length = u64::saturating_mul(length, 3);
        }
    }

    #[test]
    fn places_stay_on_the_axis() {
        let axis = Axis::new(Filetime(100), Filetime(300));
        assert_eq!(axis.place(Filetime(200)), 50.0);
        assert_eq!(axis.place(Filetime(0)), 0.0);
        assert_eq!(axis.place(Filetime(u64::MAX)), 100.0);
        let instant = Axis::new(Filetime(u64::MAX), Filetime(u64::MAX)).padded();
        assert_eq!(instant.place(Filetime(u64::MAX)), 100.0);
        assert!(
            Axis::new(Filetime(0), Filetime(u64::MAX))
                .labels(&Zone::UTC)
                .len()
                > 1
        );
    }
}
