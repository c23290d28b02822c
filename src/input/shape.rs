//! Servicing logs told by the shape of their lines, in any encoding.

use super::FileKind;
use super::text::{Lines, TextOptions};
use super::view::Source;
use std::sync::Arc;

/// Bytes of a file its kind is told from. A log may begin with the rest of a record, or with a block of NULs.
pub const HEAD: usize = 16 << 10;

/// Components whose records make a CBS log. Other logs of Windows Setup and DISM have the same columns.
const SERVICING: [&str; 5] = ["CBS", "CSI", "DPX", "DEPLOY", "PSFX"];

/// The kind of servicing log that starts with `head`, if it is one.
pub fn servicing_log(head: &[u8]) -> Option<FileKind> {
    let source = Source::Memory(Arc::from(head));
    let mut lines = Lines::open(&source, &TextOptions::default()).ok()?;
    let (mut setup, mut servicing, mut other) = (0_u32, 0_u32, 0_u32);
    while let Ok(Some(line)) = lines.next() {
        match shape(line.text) {
            Some(FileKind::SetupApi) => setup += 1,
            Some(FileKind::Cbs) => servicing += 1,
            Some(_) => other += 1,
            None => {}
        }
    }
    if setup > servicing + other {
        Some(FileKind::SetupApi)
    } else if servicing > other {
        Some(FileKind::Cbs)
    } else {
        None
    }
}

/// What a line belongs to; `Other` is a record of another log with the columns of CBS.log.
fn shape(line: &str) -> Option<FileKind> {
    let section = |mark: &str| {
        let rest = line.strip_prefix(mark)?.trim_start();
        ["[", "Section start ", "Section end "]
            .iter()
            .any(|start| rest.starts_with(start))
            .then_some(FileKind::SetupApi)
    };
    let bytes = line.as_bytes();
    match bytes.first()? {
        b'[' => ["[Device Install Log]", "[BeginLog]", "[Boot Session: "]
            .iter()
            .any(|start| line.starts_with(start))
            .then_some(FileKind::SetupApi),
        b'>' => section(">>>"),
        b'<' => section("<<<"),
        b'0'..=b'9' => {
            // 2023-05-23 10:23:06, Info                  CBS    ...
            let stamped = bytes.get(4) == Some(&b'-')
                && bytes.get(7) == Some(&b'-')
                && bytes.get(13) == Some(&b':')
                && bytes.get(19) == Some(&b',');
            let mut words = line.get(20..)?.split_ascii_whitespace();
            let (_level, mut component) = (words.next()?, words.next()?);
            if component.starts_with('[') {
                component = words.next()?;
            }
            stamped.then_some(if SERVICING.contains(&component) {
                FileKind::Cbs
            } else {
                FileKind::Other
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CBS: &str = "2023-05-23 10:23:06, Info                  CBS    TI: --- Initializing\r\n";
    const SETUP: &str =
        ">>>  [Install Driver Updates]\r\n>>>  Section start 2020/03/06 21:29:43.850\r\n";

    fn encodings(text: &str) -> [Vec<u8>; 5] {
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
        [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            wide(text, false),
            wide(&format!("\u{feff}{text}"), false),
            wide(&format!("\u{feff}{text}"), true),
        ]
    }

    #[test]
    fn logs_in_every_encoding() {
        for bytes in encodings(CBS) {
            assert_eq!(servicing_log(&bytes), Some(FileKind::Cbs));
        }
        for text in [
            SETUP,
            "[Device Install Log]\r\n",
            "[Boot Session: 2026/01/20 14:24:09.751]\n",
        ] {
            for bytes in encodings(text) {
                assert_eq!(servicing_log(&bytes), Some(FileKind::SetupApi), "{text}");
            }
        }
    }

    #[test]
    fn logs_that_do_not_begin_at_a_record() {
        let rest = format!("of a record\r\n\r\nCompletion status: S_OK\r\n{CBS}");
        assert_eq!(servicing_log(rest.as_bytes()), Some(FileKind::Cbs));
        let holed = [&[0; 4_096], SETUP.as_bytes()].concat();
        assert_eq!(servicing_log(&holed), Some(FileKind::SetupApi));
        let context = "2024-03-22 12:32:10, Error      [0x018003] CSI    00005fcb (F) x\r\n";
        assert_eq!(servicing_log(context.as_bytes()), Some(FileKind::Cbs));
    }

    #[test]
    fn other_logs_of_the_same_columns() {
        let dism = "2023-05-22 10:00:00, Info                  DISM   API: PID=1\r\n";
        assert_eq!(servicing_log(dism.as_bytes()), None);
        // DISM copies lines of the servicing stack into its own log.
        assert_eq!(servicing_log([dism, dism, CBS].concat().as_bytes()), None);
        for text in [
            "",
            "a,b,c\r\n1,2,3\r\n",
            "2023-05-23 10:23:06 x",
            "[section]\r\nkey=1",
        ] {
            assert_eq!(servicing_log(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            servicing_log(&bytes);
        }
    }
}
