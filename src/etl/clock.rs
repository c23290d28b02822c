//! The clock of a trace: from the ticks of its time stamps to UTC.
//!
//! Checked on real files with the performance counter, against times that events carry in their
//! payloads and against Windows' own reader: equal to 200 ns. The other clocks are not met.

use super::header::TraceHeader;
use crate::trace::Filetime;
use crate::trace::time::TICKS_PER_SECOND;

/// What time stamps count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockKind {
    /// Performance counter.
    Counter,
    /// System time in 100 ns.
    SystemTime,
    /// Processor cycles.
    Cycles,
}

impl ClockKind {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "performance counter",
            Self::SystemTime => "system time",
            Self::Cycles => "processor cycles",
        }
    }
}

/// From this on a number of ticks is taken for a FILETIME (the year 1917).
const LOOKS_LIKE_FILETIME: i64 = 100_000_000_000_000_000;

/// Converts time stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    kind: ClockKind,
    /// Time stamp of the header record.
    origin: i64,
    /// FILETIME of that instant.
    start: i64,
    /// Ticks of `per` units of 100 ns.
    frequency: i64,
    per: i64,
}

impl Clock {
    /// The clock of a trace whose header record has the time stamp `origin`.
    pub fn new(header: &TraceHeader, origin: i64) -> Self {
        let counter = i64::try_from(header.perf_frequency).unwrap_or(0);
        let second = TICKS_PER_SECOND as i64;
        let kind = match header.clock_type {
            2 => ClockKind::SystemTime,
            3 => ClockKind::Cycles,
            // Systems before Vista do not say.
            0 if origin > LOOKS_LIKE_FILETIME => ClockKind::SystemTime,
            _ => ClockKind::Counter,
        };
        let (frequency, per) = match kind {
            ClockKind::SystemTime => (second, second),
            ClockKind::Cycles if header.cpu_mhz > 0 => (i64::from(header.cpu_mhz), 10),
            ClockKind::Cycles | ClockKind::Counter if counter > 0 => (counter, second),
            ClockKind::Cycles | ClockKind::Counter => (second, second),
        };
        Self {
            kind,
            origin,
            start: i64::try_from(header.start_time.0).unwrap_or(i64::MAX),
            frequency,
            per,
        }
    }

    /// What time stamps count.
    pub fn kind(&self) -> ClockKind {
        self.kind
    }

    /// Time stamp of the start of the session.
    pub fn origin(&self) -> i64 {
        self.origin
    }

    /// UTC of a time stamp, rounded down to 100 ns. Events may lie before the start.
    #[inline]
    pub fn filetime(&self, ticks: i64) -> Filetime {
        let units = match ticks.checked_sub(self.origin) {
            Some(since) if self.frequency == self.per => Some(since),
            Some(since) => self.scale(since),
            None => None,
        };
        match units.and_then(|units| self.start.checked_add(units)) {
            Some(time) => Filetime(u64::try_from(time).unwrap_or(0)),
            None => self.far(ticks),
        }
    }

    /// A span of ticks in 100 ns, rounded down.
    #[inline]
    pub fn span(&self, ticks: i64) -> i64 {
        if self.frequency == self.per {
            return ticks;
        }
        self.scale(ticks).unwrap_or_else(|| {
            let wide = self.wide(i128::from(ticks));
            wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
        })
    }

    /// Whole units and rest apart: ticks times 10^7 leave 64 bits after two days at 10 MHz.
    #[inline]
    fn scale(&self, ticks: i64) -> Option<i64> {
        let whole = ticks.div_euclid(self.frequency).checked_mul(self.per)?;
        let rest = ticks.rem_euclid(self.frequency).checked_mul(self.per)?;
        whole.checked_add(rest / self.frequency)
    }

    fn wide(&self, ticks: i128) -> i128 {
        (ticks * i128::from(self.per)).div_euclid(i128::from(self.frequency))
    }

    #[cold]
    fn far(&self, ticks: i64) -> Filetime {
        let since = i128::from(ticks) - i128::from(self.origin);
        let time = i128::from(self.start) + self.wide(since);
        Filetime(time.clamp(0, i128::from(u64::MAX)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 132_404_548_206_236_167;

    fn clock(clock_type: u32, frequency: u64, mhz: u32, origin: i64) -> Clock {
        let header = TraceHeader {
            clock_type,
            perf_frequency: frequency,
            cpu_mhz: mhz,
            start_time: Filetime(START),
            ..TraceHeader::default()
        };
        Clock::new(&header, origin)
    }

    #[test]
    fn counters_of_any_frequency() {
        let fast = clock(1, 10_000_000, 0, 1_000);
        assert_eq!(fast.filetime(1_000), Filetime(START));
        assert_eq!(fast.filetime(999), Filetime(START - 1));
        // 2,337,949 Hz is the counter of a real Windows 7 machine.
        let slow = clock(1, 2_337_949, 0, 795_703_453_043);
        assert_eq!(
            slow.filetime(795_703_453_043 + 2_337_949 * 86_400),
            Filetime(START + 864_000_000_000)
        );
        assert_eq!(slow.filetime(795_703_453_044), Filetime(START + 4));
        assert_eq!(slow.filetime(795_703_453_042), Filetime(START - 5));
        assert_eq!(slow.span(2_337_949), 10_000_000);
        // A year of ticks at 3 GHz, whose product with 10^7 needs 80 bits.
        let year = clock(1, 3_000_000_000, 0, 0);
        assert_eq!(
            year.filetime(3_000_000_000 * 31_536_000),
            Filetime(START + 315_360_000_000_000)
        );
    }

    #[test]
    fn other_clocks() {
        let system = clock(2, 3_579_545, 0, START as i64);
        assert_eq!(system.kind(), ClockKind::SystemTime);
        assert_eq!(system.filetime(START as i64 + 7), Filetime(START + 7));
        let cycles = clock(3, 3_579_545, 2_500, 100);
        assert_eq!(cycles.filetime(100 + 2_500), Filetime(START + 10));
        let old = clock(0, 3_579_545, 2_500, START as i64);
        assert_eq!(old.kind(), ClockKind::SystemTime);
        assert_eq!(clock(0, 1, 0, 5).kind(), ClockKind::Counter);
        // A header that names no frequency still gives times.
        assert_eq!(clock(1, 0, 0, 0).filetime(1), Filetime(START + 1));
    }

    #[test]
    fn no_time_stamp_overflows() {
        for frequency in [1, 3, 10_000_000, u64::MAX, i64::MAX as u64] {
            for origin in [i64::MIN, -1, 0, i64::MAX] {
                let clock = clock(1, frequency, 0, origin);
                for ticks in [i64::MIN, -1, 0, 1, i64::MAX] {
                    clock.filetime(ticks);
                    clock.span(ticks);
                }
            }
        }
    }
}
