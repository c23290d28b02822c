//! What a log is written on: zone, clock, encoding, line ends.

use crate::scenario::rfc3339;

/// Zone of the machine, as far as its offset goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    /// Minutes ahead of UTC.
    pub minutes: i32,
}

impl Zone {
    /// So many hours ahead of UTC.
    pub fn hours(hours: i32) -> Self {
        Self {
            minutes: hours * 60,
        }
    }
}

/// How text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8 behind a byte order mark, as CBS.log is.
    #[default]
    Utf8Mark,
    /// UTF-8.
    Utf8,
    /// UTF-16, low byte first, behind a byte order mark.
    Utf16LeMark,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first, behind a byte order mark.
    Utf16BeMark,
    /// Code page 936; of the Chinese characters only those of [`Paper::DEVICE_936`].
    Gbk,
    /// Code page 1252, as far as it is Latin-1.
    Windows1252,
}

/// What a log is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    /// Zone of the machine.
    pub zone: Zone,
    /// Milliseconds that its clock is fast.
    pub skew_ms: i64,
    /// Encoding of the file.
    pub encoding: Encoding,
    /// End of a line.
    pub newline: &'static str,
    /// Lines that mean nothing, between those that do.
    pub filler: usize,
}

impl Default for Paper {
    fn default() -> Self {
        Self {
            zone: Zone::default(),
            skew_ms: 0,
            encoding: Encoding::default(),
            newline: "\r\n",
            filler: 40,
        }
    }
}

/// GBK of the characters of [`Paper::DEVICE_936`].
const GBK: [(char, [u8; 2]); 15] = [
    ('打', [0xB4, 0xF2]),
    ('印', [0xD3, 0xA1]),
    ('机', [0xBB, 0xFA]),
    ('驱', [0xC7, 0xFD]),
    ('动', [0xB6, 0xAF]),
    ('程', [0xB3, 0xCC]),
    ('序', [0xD0, 0xF2]),
    ('微', [0xCE, 0xA2]),
    ('软', [0xC8, 0xED]),
    ('设', [0xC9, 0xE8]),
    ('备', [0xB1, 0xB8]),
    ('说', [0xCB, 0xB5]),
    ('明', [0xC3, 0xF7]),
    ('标', [0xB1, 0xEA]),
    ('准', [0xD7, 0xBC]),
];

impl Paper {
    /// The name of a device on a Chinese machine.
    pub const DEVICE_936: &'static str = "设备说明: 微软标准打印机驱动程序";
    /// The name of a device on a German machine.
    pub const DEVICE_1252: &'static str =
        "Gerätebeschreibung: Druckgerät für größere Schriftstücke";

    /// The name of a device that the encoding can hold and ASCII cannot.
    pub fn device(&self) -> &'static str {
        match self.encoding {
            Encoding::Windows1252 => Self::DEVICE_1252,
            _ => Self::DEVICE_936,
        }
    }

    /// A FILETIME on the clock of the machine, still in UTC.
    fn clock(&self, time: u64) -> u64 {
        time.saturating_add_signed(self.skew_ms * 10_000)
    }

    /// `2026-05-12T06:41:07.1234567Z` of the wall clock.
    fn wall(&self, time: u64) -> String {
        let minutes = i64::from(self.zone.minutes);
        rfc3339(
            self.clock(time)
                .saturating_add_signed(minutes * 600_000_000),
        )
    }

    /// `2026-05-12 06:41:07`, local.
    pub fn seconds(&self, time: u64) -> String {
        self.wall(time)[..19].replace('T', " ")
    }

    /// `2026-05-12 06:41:07.123`, local.
    pub fn millis(&self, time: u64) -> String {
        self.wall(time)[..23].replace('T', " ")
    }

    /// `2026/05/12 06:41:07.123`, local.
    pub fn slashed(&self, time: u64) -> String {
        self.millis(time).replace('-', "/")
    }

    /// `06:41:07.123`, local.
    pub fn of_day(&self, time: u64) -> String {
        self.wall(time)[11..23].to_owned()
    }

    /// `2026-05-12 06:41:07.123`, UTC.
    pub fn utc_millis(&self, time: u64) -> String {
        rfc3339(self.clock(time))[..23].replace('T', " ")
    }

    /// `2026/5/12:06:41:07.123`, UTC, as records of the component store have it.
    pub fn utc_csi(&self, time: u64) -> String {
        let text = rfc3339(self.clock(time));
        let short = |range: std::ops::Range<usize>| text[range].trim_start_matches('0').to_owned();
        format!(
            "{}/{}/{}:{}",
            &text[..4],
            short(5..7),
            short(8..10),
            &text[11..23]
        )
    }

    /// The bytes of a text.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let wide = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        match self.encoding {
            Encoding::Utf8Mark => format!("\u{feff}{text}").into_bytes(),
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf16LeMark => wide(&format!("\u{feff}{text}"), false),
            Encoding::Utf16Le => wide(text, false),
            Encoding::Utf16BeMark => wide(&format!("\u{feff}{text}"), true),
            Encoding::Gbk => text
                .chars()
                .flat_map(|c| match GBK.iter().find(|row| row.0 == c) {
                    Some(row) => row.1.to_vec(),
                    None => vec![u8::try_from(c).unwrap_or(b'?')],
                })
                .collect(),
            Encoding::Windows1252 => text
                .chars()
                .map(|c| u8::try_from(c).unwrap_or(b'?'))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::START;

    #[test]
    fn stamps() {
        let paper = Paper {
            zone: Zone::hours(8),
            skew_ms: -1_500,
            ..Paper::default()
        };
        let time = START + 123_456;
        assert_eq!(paper.seconds(time), "2026-05-12 14:41:05");
        assert_eq!(paper.millis(time), "2026-05-12 14:41:05.512");
        assert_eq!(paper.slashed(time), "2026/05/12 14:41:05.512");
        assert_eq!(paper.of_day(time), "14:41:05.512");
        assert_eq!(paper.utc_millis(time), "2026-05-12 06:41:05.512");
        assert_eq!(paper.utc_csi(time), "2026/5/12:06:41:05.512");
    }

    #[test]
    fn bytes() {
        let paper = |encoding| Paper {
            encoding,
            ..Paper::default()
        };
        assert_eq!(paper(Encoding::Gbk).encode("a打\r"), b"a\xb4\xf2\r");
        assert_eq!(paper(Encoding::Windows1252).encode("ä"), b"\xe4");
        assert_eq!(paper(Encoding::Utf16BeMark).encode("a"), b"\xfe\xff\0a");
        assert_eq!(paper(Encoding::Utf16LeMark).encode("a"), b"\xff\xfea\0");
        assert_eq!(paper(Encoding::Utf8Mark).encode("a"), b"\xef\xbb\xbfa");
    }
}
