//! A line of CBS.log: a record in fixed columns, or the continuation of one.
//!
//! ```text
//! 2024-03-22 12:32:10, Error      [0x018003] CSI    00005fcb@2024/3/22:11:32:10.482 (F) text
//! stamp, local         level       context   component  record, UTC stamp, failure
//! ```
//!
//! Level and context fill 22 characters, the component 7. Windows 11 24H2 leaves the component of thousands of records
//! blank (those of the `arbiter`, which looks for optional features).

use crate::servicing::local_time::{LocalTime, number};
use crate::trace::Filetime;

/// How serious a record is. Nearly all are `Info`, failures among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `Info`.
    Info,
    /// `Warning`.
    Warning,
    /// `Error`.
    Error,
    /// Any other word.
    Other,
}

impl Level {
    fn of(word: &str) -> Self {
        let is = |level: &str| word.eq_ignore_ascii_case(level);
        match word {
            _ if is("Info") => Self::Info,
            _ if is("Warning") => Self::Warning,
            _ if is("Error") => Self::Error,
            _ => Self::Other,
        }
    }
}

/// The part of the servicing stack that wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The package engine (cbscore.dll).
    Cbs,
    /// The component store (wcp.dll); its records have a number and at times a stamp in UTC.
    Csi,
    /// The extraction of payload (dpx.dll).
    Dpx,
    /// Any other.
    Other,
}

/// What stands before the text of a CSI record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Csi {
    /// Number of the record; it starts again with each load of the stack.
    pub number: u32,
    /// When, in UTC; not every record says it.
    pub utc: Option<Filetime>,
    /// The mark `(F)` of a failure.
    pub failed: bool,
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When, on the clock of the machine, in whole seconds.
    pub time: LocalTime,
    /// How serious.
    pub level: Level,
    /// The code some error records have before the component.
    pub context: Option<u32>,
    /// Who wrote it.
    pub component: Component,
    /// The head of a CSI record.
    pub csi: Option<Csi>,
    /// The text, without blanks around it and without the head of a CSI record.
    pub text: &'a str,
}

/// Blanks before the stamp that are borne: logs come as quotations in mails and tickets.
const INDENT: usize = 16;
/// Blanks between a level and a component are fewer.
const WIDEST_BLANK: usize = 20;
/// Longer words are no component.
const LONGEST_COMPONENT: usize = 16;

impl<'a> Record<'a> {
    /// Reads a line; `None` where it is no record of its own.
    pub fn parse(line: &'a str) -> Option<Self> {
        Self::parse_stamped(line, &mut StampCache::default())
    }

    /// [`Record::parse`] for lines in order, most of which have the stamp of the line before.
    pub(super) fn parse_stamped(line: &'a str, cache: &mut StampCache) -> Option<Self> {
        let line = match line.as_bytes().first()? {
            b'0'..=b'9' => line,
            b' ' | b'\t' => {
                let text = line.trim_start();
                (line.len() - text.len() <= INDENT).then_some(text)?
            }
            _ => return None,
        };
        let time = cache.read(line)?;
        let rest = line.get(19..)?.strip_prefix(',')?;
        let (level, behind_level) = word(rest.trim_ascii_start());
        let mut rest = behind_level.trim_ascii_start();
        let level = (!level.is_empty()).then(|| Level::of(level))?;
        let blanks = behind_level.len() - behind_level.trim_start_matches(' ').len();
        if blanks > WIDEST_BLANK && !starts_with_component(rest) {
            return Some(Self {
                time,
                level,
                context: None,
                component: Component::Other,
                csi: None,
                text: rest.trim_ascii(),
            });
        }
        let mut context = None;
        if let Some(inner) = rest.strip_prefix("[0x") {
            let (digits, behind) = inner.split_once(']')?;
            if digits.len() > 8 {
                return None;
            }
            context = Some(u32::from_str_radix(digits, 16).ok()?);
            rest = behind.trim_ascii_start();
        }
        let (component, text) = word(rest);
        let shaped = component.len() <= LONGEST_COMPONENT
            && component.as_bytes().first()?.is_ascii_uppercase()
            && (text.is_empty() || text.starts_with([' ', '\t']));
        if !shaped {
            return None;
        }
        let component = match component {
            "CBS" => Component::Cbs,
            "CSI" => Component::Csi,
            "DPX" => Component::Dpx,
            _ => Component::Other,
        };
        let mut text = text.trim_ascii();
        let mut csi = None;
        if component == Component::Csi
            && let Some((head, behind)) = csi_head(text)
        {
            (csi, text) = (Some(head), behind);
        }
        Some(Self {
            time,
            level,
            context,
            component,
            csi,
            text,
        })
    }
}

/// The stamp of the line before: most lines have the same, to the second.
#[derive(Debug, Default)]
pub(super) struct StampCache {
    text: [u8; 19],
    time: LocalTime,
}

impl StampCache {
    fn read(&mut self, line: &str) -> Option<LocalTime> {
        let stamp: [u8; 19] = line.as_bytes().get(..19)?.try_into().ok()?;
        if stamp != self.text {
            let (time, _) = LocalTime::read(line.get(..19)?, b'-')?;
            (self.text, self.time) = (stamp, time);
        }
        Some(self.time)
    }
}

/// The letters, digits and underscores at the start, and the rest.
fn word(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Whether a text that stands where others have no component begins with one: a word in capitals, in a column of its own.
fn starts_with_component(text: &str) -> bool {
    let (component, behind) = word(text);
    !component.is_empty()
        && component.bytes().all(|byte| byte.is_ascii_uppercase())
        && (behind.starts_with("  ") || behind.starts_with('\t'))
}

/// `HHHHHHHH`, `@Y/M/D:hh:mm:ss.mmm` and `(F)`, the last two where they are there.
fn csi_head(text: &str) -> Option<(Csi, &str)> {
    let number = u32::from_str_radix(text.get(..8)?, 16).ok()?;
    let mut rest = text.get(8..)?;
    if !rest.is_empty() && !rest.starts_with([' ', '@', '\t']) {
        return None;
    }
    let mut head = Csi {
        number,
        utc: None,
        failed: false,
    };
    // The two come in this order, and either may be missing.
    if let Some((stamp, behind)) = rest
        .trim_ascii_start()
        .strip_prefix('@')
        .and_then(csi_stamp)
    {
        (head.utc, rest) = (Some(stamp), behind);
    }
    rest = rest.trim_ascii_start();
    if let Some(behind) = rest.strip_prefix("(F)") {
        (head.failed, rest) = (true, behind.trim_ascii_start());
    }
    Some((head, rest))
}

/// `2023/3/29:10:01:24.782`: month and day have no leading zero.
fn csi_stamp(text: &str) -> Option<(Filetime, &str)> {
    let (year, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (day, rest) = rest.split_once(':')?;
    let short = |digits: &str| match digits.len() {
        len @ 1..=4 => number(digits.as_bytes(), 0, len),
        _ => None,
    };
    let date = (short(year)?, short(month)?, short(day)?);
    let bytes = rest.as_bytes();
    if !(bytes.get(2) == Some(&b':') && bytes.get(5) == Some(&b':') && bytes.get(8) == Some(&b'.'))
    {
        return None;
    }
    let part = |at, len| number(bytes, at, len);
    // Milliseconds below 10 were seen with two digits: 45:26.03 between 45:25.996 and 45:26.048.
    let digits = bytes.iter().skip(9).take(3);
    let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let clock = (part(0, 2)?, part(3, 2)?, part(6, 2)?);
    let time = LocalTime::new(date, clock, part(9, digits.max(1))?)?;
    Some((time.to_utc(0), rest.get(9 + digits..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> Record<'_> {
        Record::parse(line).unwrap_or_else(|| panic!("no record: {line}"))
    }

    #[test]
    fn columns() {
        let record = parse(
            "2023-05-23 10:23:06, Info                  CBS    Running poqexec with: C:\\x  ",
        );
        assert_eq!(record.time.to_string(), "2023-05-23 10:23:06.000");
        assert_eq!(
            (record.level, record.component),
            (Level::Info, Component::Cbs)
        );
        assert_eq!(record.text, "Running poqexec with: C:\\x");
        let record = parse("2023-05-23 10:23:06, Error                 DPX");
        assert_eq!((record.component, record.text), (Component::Dpx, ""));
        let record = parse("2023-05-23 10:23:06, Warning               DEPLOY [Pnp] x");
        assert_eq!(
            (record.level, record.component),
            (Level::Warning, Component::Other)
        );
        // As quoted on web pages: one blank between the columns, blanks before them.
        let record = parse("   2017-12-06 15:30:46, Info CBS         INSTALL index: 69");
        assert_eq!(record.text, "INSTALL index: 69");
        let record = parse("2025-04-19 14:30:29, ERROR                 CBS    Ending");
        assert_eq!((record.level, record.text), (Level::Error, "Ending"));
    }

    #[test]
    fn a_blank_component() {
        let blank = " ".repeat(25);
        for text in [
            "arbiter: --- CreateActionList begin: Sandbox: \\\\?\\C:\\x\\ ---",
            "  Stack: (null)",
            "Feature: WMIC~ found. Adding packages to it",
            "Processing CompDB file: \\\\?\\C:\\x.xml",
            "CBS tells this",
            "-----",
        ] {
            let line = format!("2026-05-22 20:34:10, Info{blank}{text}");
            let record = parse(&line);
            let what = (record.level, record.component, record.csi, record.text);
            assert_eq!(what, (Level::Info, Component::Other, None, text.trim()));
        }
        for (level, blanks) in [("Info", 25), ("Warning", 22), ("Error", 24)] {
            let line = format!(
                "2026-05-22 20:34:10, {level}{}Stack: (null)",
                " ".repeat(blanks)
            );
            assert_eq!(parse(&line).text, "Stack: (null)", "{level}");
        }
        // A copy with wider columns.
        let line = format!("2026-05-22 20:34:10, Info{blank}  CBS    Reboot mark set");
        assert_eq!(parse(&line).component, Component::Cbs);
    }

    #[test]
    fn milliseconds_of_two_digits() {
        for (digits, millis) in [("03", 3), ("048", 48), ("7", 7), ("996", 996)] {
            let line = format!(
                "2023-11-10 23:45:26, Info                  CSI    00000021@2023/11/11:07:45:26.{digits} (F) LoadStore"
            );
            let record = parse(&line);
            let csi = record.csi.unwrap();
            assert_eq!(csi.utc.unwrap().0 % 10_000_000, millis * 10_000);
            assert_eq!((csi.failed, record.text), (true, "LoadStore"));
        }
        let line = "2023-11-10 23:45:26, Info                  CSI    00000021@2023/11/11:07:45:26. LoadStore";
        assert_eq!(parse(line).csi.unwrap().utc, None);
    }

    #[test]
    fn heads_of_csi_records() {
        let record = parse(
            "2024-03-22 12:32:10, Error      [0x018003] CSI    00005fcb (F) HRESULT_FROM_WIN32(1009) x",
        );
        assert_eq!(record.context, Some(0x18003));
        assert_eq!(
            record.csi,
            Some(Csi {
                number: 0x5fcb,
                utc: None,
                failed: true
            })
        );
        assert_eq!(record.text, "HRESULT_FROM_WIN32(1009) x");
        let record = parse(
            "2023-03-29 12:01:24, Info                  CSI    00000001@2023/3/29:10:01:24.782 WcpInitialize: x",
        );
        let utc = record.csi.unwrap().utc.unwrap();
        assert_eq!(utc.to_string(), "2023-03-29T10:01:24.7820000Z");
        assert_eq!(record.text, "WcpInitialize: x");
        let record =
            parse("2023-03-29 12:01:24, Info                  CSI    00000002@2023/13/29:1 x");
        assert_eq!(record.csi.unwrap().utc, None);
        let record = parse(
            "2024-03-22 12:32:10, Error      [0x018003] CSI    00005fcb @2024/3/22:11:32:10.482 (F) x",
        );
        let csi = record.csi.unwrap();
        assert!(csi.failed && csi.utc.is_some());
        assert_eq!(record.text, "x");
        let record = parse("2023-03-29 12:01:24, Info                  CSI    no head");
        assert_eq!((record.csi, record.text), (None, "no head"));
    }

    #[test]
    fn continuations() {
        for line in [
            "",
            " ",
            "CSIPERF:AIDONE;{guid};...;199927us",
            "    Completion status: HRESULT_FROM_WIN32(ERROR_ADVANCED_INSTALLER_FAILED)",
            "[gle=0x80004005]",
            "2023-05-23 10:2",
            "2023-05-23 10:23:06",
            "2023-05-23 10:23:06, Info",
            "2023-05-23 10:23:06, Info                  lower case",
            "2023-05-23 10:23:06 Info                  CBS    no comma",
            "2023-99-23 10:23:06, Info                  CBS    x",
            "20xx-05-23 10:23:06, Info                  CBS    x",
            "2023-05-23 10:23:06, Error      [0x0180030405] CSI    x",
            "                      2023-05-23 10:23:06, Info                  CBS    x",
        ] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }

    #[test]
    fn the_cache_changes_nothing() {
        let mut cache = StampCache::default();
        for line in [
            "2023-05-23 10:23:06, Info                  CBS    a",
            "2023-05-23 10:23:06, Info                  CBS    b",
            "2023-05-23 10:23:07, Info                  CBS    c",
            "2023-05-99 10:23:07, Info                  CBS    d",
            "2023-05-23 10:23:07, Info                  CBS    e",
        ] {
            assert_eq!(Record::parse_stamped(line, &mut cache), Record::parse(line));
        }
    }

    proptest! {
        #[test]
        fn any_line(line in "\\PC{0,120}", tail in "[ A-Za-z0-9@/:.()\\[\\]xä-]{0,80}") {
            Record::parse(&line);
            Record::parse(&format!("2023-05-23 10:23:06, Info CSI {tail}"));
            Record::parse(&format!("2023-05-23 10:23:06{tail}"));
        }
    }
}
