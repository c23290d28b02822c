//! From FILETIMEs, in which tests think, to the clock of the session.

use serde::Serialize;

/// Which clock a session stamps its records with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ClockType {
    /// 1, the performance counter: what Windows takes.
    Qpc,
    /// 2, FILETIMEs. Not met in real files.
    SystemTime,
    /// 3, CPU cycles. Not met in real files.
    Cycles,
}

impl ClockType {
    /// The number in the trace header.
    pub fn number(self) -> u32 {
        match self {
            Self::Qpc => 1,
            Self::SystemTime => 2,
            Self::Cycles => 3,
        }
    }
}

/// The clock of a session.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Kind.
    pub kind: ClockType,
    /// Ticks a second of the performance counter.
    pub frequency: u64,
    /// CPU clock in MHz.
    pub mhz: u32,
    /// FILETIME of the session's start.
    pub start: u64,
    /// Ticks at that instant.
    pub origin: i64,
}

const SECOND: i128 = 10_000_000;

impl Clock {
    /// The ticks of a FILETIME.
    pub fn ticks(&self, filetime: u64) -> i64 {
        let elapsed = i128::from(filetime) - i128::from(self.start);
        let ticks = match self.kind {
            ClockType::Qpc => elapsed * i128::from(self.frequency),
            ClockType::Cycles => elapsed * i128::from(self.mhz) * 1_000_000,
            ClockType::SystemTime => return filetime as i64,
        };
        self.origin + ticks.div_euclid(SECOND) as i64
    }

    /// The ticks of a length of time in 100 ns.
    pub fn length(&self, length: u64) -> u64 {
        (self.ticks(self.start + length) - self.ticks(self.start)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_each_clock() {
        let mut clock = Clock {
            kind: ClockType::Qpc,
            frequency: 10_000_000,
            mhz: 2_400,
            start: 134_230_416_667_000_000,
            origin: 2_700_000,
        };
        assert_eq!(clock.ticks(clock.start + 123), 2_700_123);
        assert_eq!(clock.ticks(clock.start - 1), 2_699_999);
        clock.frequency = 2_337_949;
        assert_eq!(clock.ticks(clock.start + 10_000_000), 2_700_000 + 2_337_949);
        clock.kind = ClockType::Cycles;
        assert_eq!(clock.ticks(clock.start + 10), 2_700_000 + 2_400);
        clock.kind = ClockType::SystemTime;
        assert_eq!(clock.ticks(clock.start + 7), clock.start as i64 + 7);
        assert_eq!(clock.length(50), 50);
    }
}
