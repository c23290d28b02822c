//! A line of setupapi.dev.log.
//!
//! ```text
//! [Boot Session: 2026/01/22 18:46:57.500]
//! >>>  [Install Driver Updates]
//! >>>  Section start 2020/03/06 21:29:43.850
//!       cmd: C:\Windows\winsxs\…\TiWorker.exe -Embedding
//!      sto: {Publish Driver Package: C:\…\x.inf} 21:29:44.120
//! !!!  sto:      Failed to …. Error = 0x00000003
//!      sto: {Publish Driver Package: exit(0x00000003)} 21:29:44.130
//! <<<  Section end 2020/03/06 21:29:44.140
//! <<<  [Exit status: FAILURE(0x00000003)]
//! ```

use crate::servicing::local_time::{LocalTime, time_of_day};

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// No mark.
    Information,
    /// `!`: common in updates that work.
    Warning,
    /// `!!!`
    Error,
}

/// How a section ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// `SUCCESS`
    Success,
    /// `SUCCESS (REBOOT_REQUIRED)`
    RestartRequired,
    /// `FAILURE(0x…)`: a Win32 error, or what is left of an HRESULT, or a raw SetupAPI error.
    Failure(u32),
    /// A status this program does not know.
    Unknown,
}

/// What a body line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// A scope opens: `{Publish Driver Package: C:\…\x.inf}`.
    Enter {
        /// `Publish Driver Package`
        name: &'a str,
        /// What it is about; empty where nothing is said.
        about: &'a str,
    },
    /// A scope closes: `{Publish Driver Package: exit(0x00000000)}`.
    Leave {
        /// `Publish Driver Package`
        name: &'a str,
        /// With what; some scopes do not say.
        code: Option<u32>,
    },
    /// The command line of the process that wrote the section.
    Command(&'a str),
    /// Any other text.
    Text(&'a str),
}

/// A line in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body<'a> {
    /// How serious.
    pub severity: Severity,
    /// Who wrote it: `sto` driver store, `idb` driver database, `inf`, `flq` file queue, `cpy` files, `dvi` devices, ….
    pub category: &'a str,
    /// Blanks before the text: five a scope.
    pub indent: usize,
    /// What it says.
    pub content: Content<'a>,
    /// The whole text, without its time.
    pub text: &'a str,
    /// Time of the day, in ticks since midnight.
    pub time: Option<u64>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line of the head of a log, which some logs have in their middle again.
    Header(&'a str),
    /// When the kernel started, before the first section of a boot.
    Boot(LocalTime),
    /// A section opens: its title, and what it is about.
    Open(&'a str, Option<&'a str>),
    /// When it began.
    Start(LocalTime),
    /// When it ended.
    End(LocalTime),
    /// How it ended.
    Exit(Exit),
    /// A line in a section.
    Body(Body<'a>),
    /// A line of no known form: a text with a line end in it, or damage.
    Other(&'a str),
    /// Nothing but blanks.
    Blank,
}

/// Keys of the head of a log.
const HEADER: [&str; 5] = [
    "OS Version",
    "Service Pack",
    "Suite",
    "ProductType",
    "Architecture",
];

impl<'a> Line<'a> {
    /// What `line` is. A line with blanks before it, as in a quotation, is what it is without them.
    pub fn parse(line: &'a str) -> Self {
        let text = line.trim_ascii();
        let found = match text.as_bytes().first() {
            None => return Self::Blank,
            Some(b'[') => head(text),
            Some(b'>') => text.strip_prefix(">>>").and_then(opening),
            Some(b'<') => text.strip_prefix("<<<").and_then(closing),
            _ => body(text).map(Self::Body).or_else(|| {
                let (key, _) = text.split_once(" = ")?;
                HEADER
                    .contains(&key.trim_ascii_end())
                    .then_some(Self::Header(text))
            }),
        };
        found.unwrap_or(Self::Other(text))
    }
}

fn head(text: &str) -> Option<Line<'_>> {
    if let Some(rest) = text.strip_prefix("[Boot Session: ") {
        return LocalTime::read(rest, b'/').map(|(time, _)| Line::Boot(time));
    }
    matches!(
        text,
        "[Device Install Log]" | "[BeginLog]" | "[SetupAPI Log]"
    )
    .then_some(Line::Header(text))
}

fn opening(rest: &str) -> Option<Line<'_>> {
    let rest = rest.trim_ascii_start();
    if let Some(time) = stamped(rest, "Section start") {
        return Some(Line::Start(time));
    }
    let title = rest.strip_prefix('[')?;
    let title = title.strip_suffix(']').unwrap_or(title);
    Some(match title.split_once(" - ") {
        Some((title, about)) => Line::Open(title, Some(about)),
        None => Line::Open(title, None),
    })
}

fn closing(rest: &str) -> Option<Line<'_>> {
    let rest = rest.trim_ascii_start();
    if let Some(time) = stamped(rest, "Section end") {
        return Some(Line::End(time));
    }
    let inner = rest.strip_prefix('[')?.trim_end_matches(']');
    if let Some(time) = stamped(inner, "Section end") {
        return Some(Line::End(time));
    }
    let status = inner
        .strip_prefix("Exit status:")
        .or_else(|| inner.strip_prefix("Exit Status"))?
        .trim_ascii();
    Some(Line::Exit(exit(status)))
}

/// `Section start 2020/03/06 21:29:43.850` or, in Vista, `2020/03/06 21:29:43.850: Section start`.
fn stamped(text: &str, words: &str) -> Option<LocalTime> {
    let stamp = match text.strip_prefix(words) {
        Some(rest) => rest.trim_ascii_start(),
        None => text.contains(words).then_some(text)?,
    };
    LocalTime::read(stamp, b'/').map(|(time, _)| time)
}

fn exit(status: &str) -> Exit {
    let code = |text: &str| {
        let digits = text.strip_prefix("(0x")?.strip_suffix(')')?;
        u32::from_str_radix(digits, 16).ok()
    };
    if status == "SUCCESS" {
        Exit::Success
    } else if status.starts_with("SUCCESS") {
        Exit::RestartRequired
    } else if let Some(rest) = status.strip_prefix("FAILURE") {
        code(rest).map_or(Exit::Unknown, Exit::Failure)
    } else {
        match code(status) {
            Some(0) => Exit::Success,
            Some(code) => Exit::Failure(code),
            None => Exit::Unknown,
        }
    }
}

fn body(text: &str) -> Option<Body<'_>> {
    let unmarked = text.trim_start_matches('!');
    let severity = match text.len() - unmarked.len() {
        0 => Severity::Information,
        1 => Severity::Warning,
        2 | 3 => Severity::Error,
        _ => return None,
    };
    let rest = unmarked.trim_ascii_start();
    let (category, text) = rest.split_once(':')?;
    let category = category.trim_ascii_end();
    let named = (2..=3).contains(&category.len())
        && category
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'.');
    if !named {
        return None;
    }
    let inner = text.trim_ascii_start();
    let indent = (text.len() - inner.len()).saturating_sub(1);
    let (text, time) = split_time(inner);
    let content = if category == "cmd" {
        Content::Command(text)
    } else {
        scope(text).unwrap_or(Content::Text(text))
    };
    Some(Body {
        severity,
        category,
        indent,
        content,
        text,
        time,
    })
}

/// A text without the time at its end, and the time.
fn split_time(text: &str) -> (&str, Option<u64>) {
    let split = text.len().checked_sub(12).and_then(|at| {
        let (before, stamp) = text.split_at_checked(at)?;
        let time = time_of_day(stamp)?;
        (before.is_empty() || before.ends_with(' ')).then(|| (before.trim_ascii_end(), Some(time)))
    });
    split.unwrap_or((text, None))
}

/// `{Name}`, `{Name: about}`, `{Name - about}`; `{Name: exit(0x…)}`, `{Name - exit(0x…)}`, `{Name exit (0x…)}`, `{Name exit}`.
fn scope(text: &str) -> Option<Content<'_>> {
    let inner = text.strip_prefix('{')?;
    let inner = inner.get(..inner.rfind('}')?)?;
    if let Some((name, code)) = leaving(inner) {
        return Some(Content::Leave { name, code });
    }
    let (name, about) = inner
        .split_once(": ")
        .or_else(|| inner.split_once(" - "))
        .unwrap_or((inner, ""));
    Some(Content::Enter { name, about })
}

fn leaving(inner: &str) -> Option<(&str, Option<u32>)> {
    let at = inner.rfind("exit")?;
    let (name, rest) = inner.split_at_checked(at)?;
    let rest = rest.strip_prefix("exit")?.trim_ascii();
    if !(name.is_empty() || name.ends_with([' ', ':'])) {
        return None;
    }
    let code = if rest.is_empty() {
        None
    } else {
        let digits = rest.trim_start_matches('(').trim_end_matches(')');
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        Some(u32::from_str_radix(digits, 16).ok()?)
    };
    let name = name.trim_end_matches([' ', ':', '-']);
    Some((name, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(line: &str) -> Content<'_> {
        match Line::parse(line) {
            Line::Body(body) => body.content,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn local(text: &str) -> LocalTime {
        LocalTime::read(text, b'/').unwrap().0
    }

    #[test]
    fn frames_of_sections() {
        assert_eq!(
            Line::parse(">>>  [Device Install (Hardware initiated) - SWD\\IP - TUNNEL\\0]"),
            Line::Open(
                "Device Install (Hardware initiated)",
                Some("SWD\\IP - TUNNEL\\0")
            )
        );
        assert_eq!(
            Line::parse(">>>  [Install Driver Updates]"),
            Line::Open("Install Driver Updates", None)
        );
        let time = local("2020/03/06 21:29:43.850");
        for start in [
            ">>>  Section start 2020/03/06 21:29:43.850",
            ">>>  2020/03/06 21:29:43.850: Section start",
        ] {
            assert_eq!(Line::parse(start), Line::Start(time), "{start}");
        }
        for end in [
            "<<<  Section end 2020/03/06 21:29:43.850",
            "<<<  2020/03/06 21:29:43.850: Section end",
            "<<<  [2020/03/06 21:29:43.850: Section end]",
            "        <<<  Section end 2020/03/06 21:29:43.850",
        ] {
            assert_eq!(Line::parse(end), Line::End(time), "{end}");
        }
        assert_eq!(
            Line::parse("[Boot Session: 2020/03/06 21:29:43.850]"),
            Line::Boot(time)
        );
        for (line, status) in [
            ("<<<  [Exit status: SUCCESS]", Exit::Success),
            (
                "<<<  [Exit status: SUCCESS (REBOOT_REQUIRED)]",
                Exit::RestartRequired,
            ),
            ("<<<  [Exit status: FAILURE(0x00000003)]", Exit::Failure(3)),
            (
                "<<<  [Exit status: FAILURE(0xe0000248)]",
                Exit::Failure(0xE000_0248),
            ),
            ("<<<  [Exit Status(0x00000000)]", Exit::Success),
            ("<<<  [Exit Status(0xe0000235)]", Exit::Failure(0xE000_0235)),
            ("<<<  [Exit status: MAYBE]", Exit::Unknown),
        ] {
            assert_eq!(Line::parse(line), Line::Exit(status), "{line}");
        }
    }

    #[test]
    fn heads() {
        for line in [
            "[Device Install Log]",
            "[BeginLog]",
            "     OS Version = 10.0.22621",
            "     Service Pack = 0.0",
            "     Suite = 0x0300",
            "     ProductType = 1",
            "     Architecture = amd64",
        ] {
            assert!(matches!(Line::parse(line), Line::Header(_)), "{line}");
        }
        for line in ["", "   ", "\t"] {
            assert_eq!(Line::parse(line), Line::Blank);
        }
        for line in [
            "[Other]",
            "free text",
            ">>> x",
            "<<< x",
            "!!!!  sto: x",
            "toolong: x",
        ] {
            assert!(matches!(Line::parse(line), Line::Other(_)), "{line}");
        }
    }

    #[test]
    fn bodies() {
        let Line::Body(body) = Line::parse(
            "!!!  sto:      Failed to get version info for driver update 'x.inf'. Error = 0x00000003",
        ) else {
            panic!()
        };
        assert_eq!(
            (body.severity, body.category, body.indent),
            (Severity::Error, "sto", 5)
        );
        assert_eq!(body.time, None);
        assert!(body.text.starts_with("Failed to get"));
        let Line::Body(body) = Line::parse("!    inf:           Found legacy. Code = 1303") else {
            panic!()
        };
        assert_eq!(body.severity, Severity::Warning);
        let Line::Body(body) = Line::parse("     ndv: Device post-install completed. 17:59:37.110")
        else {
            panic!()
        };
        assert_eq!(
            (body.text, body.indent),
            ("Device post-install completed.", 0)
        );
        assert_eq!(body.time, time_of_day("17:59:37.110"));
        for line in [
            "     ui : text",
            "     ...: text",
            "sto: pasted without blanks",
            "     sto:",
        ] {
            assert!(matches!(Line::parse(line), Line::Body(_)), "{line}");
        }
        assert_eq!(
            content("      cmd: \"C:\\a b\\x.exe\" {y} 1"),
            Content::Command("\"C:\\a b\\x.exe\" {y} 1")
        );
    }

    #[test]
    fn scopes() {
        let enter = |name, about| Content::Enter { name, about };
        let leave = |name, code| Content::Leave { name, code };
        for (line, expected) in [
            (
                "     sto: {Publish Driver Package: C:\\a\\x.inf} 23:20:52.341",
                enter("Publish Driver Package", "C:\\a\\x.inf"),
            ),
            (
                "     ndv:      {Installing device - SWD\\A} 17:59:30.922",
                enter("Installing device", "SWD\\A"),
            ),
            (
                "     dvi:           {Select Best Driver}",
                enter("Select Best Driver", ""),
            ),
            (
                "     sto: {Publish Driver Package: exit(0x00000000)} 23:20:52.356",
                leave("Publish Driver Package", Some(0)),
            ),
            (
                "     pol: {Driver package policy check - exit(0x00000000)} 1",
                leave("Driver package policy check", Some(0)),
            ),
            (
                "     sig:           {_VERIFY_FILE_SIGNATURE exit(0x800b0109)} 11:37:17.116",
                leave("_VERIFY_FILE_SIGNATURE", Some(0x800B_0109)),
            ),
            (
                "     sto: {Setup Import Driver Package - exit (0xe0000247)} 14:40:09.592",
                leave("Setup Import Driver Package", Some(0xE000_0247)),
            ),
            ("     dvi: {X exit(00000000)}", leave("X", Some(0))),
            (
                "     dvi: {Restarting Devices exit}",
                leave("Restarting Devices", None),
            ),
            (
                "!!!  pol:      {Device installation policy check [USB\\{4D}\\2] exit(0xe0000248)}",
                leave(
                    "Device installation policy check [USB\\{4D}\\2]",
                    Some(0xE000_0248),
                ),
            ),
            (
                "     cpy: {Copy Directory: C:\\exit folder\\{34f4}} 1",
                enter("Copy Directory", "C:\\exit folder\\{34f4}"),
            ),
            ("     dvi: {no end", Content::Text("{no end")),
        ] {
            assert_eq!(content(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line(line in "\\PC{0,120}", tail in "[ !<>:{}()\\[\\]a-z0-9./xä-]{0,60}") {
            Line::parse(&line);
            Line::parse(&tail);
            Line::parse(&format!("     sto: {{{tail}}} 23:20:52.341"));
            Line::parse(&format!("<<<  [{tail}]"));
            Line::parse(&format!(">>>  {tail}"));
        }
    }
}
