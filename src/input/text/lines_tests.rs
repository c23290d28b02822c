//! Lines of every form, and of files that are no text at all.

use super::{EncodingBasis, Lines, TextOptions, TextReport};
use crate::input::view::Source;
use proptest::prelude::*;
use std::sync::Arc;

fn read_with(bytes: &[u8], options: &TextOptions) -> (Vec<(u64, u64, String)>, TextReport) {
    let source = Source::Memory(Arc::from(bytes));
    let mut lines = Lines::open(&source, options).unwrap();
    let mut out = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        out.push((line.number, line.offset, line.text.to_owned()));
    }
    assert_eq!(lines.position(), bytes.len() as u64);
    (out, lines.report().clone())
}

fn read(bytes: &[u8]) -> (Vec<(u64, u64, String)>, TextReport) {
    read_with(bytes, &TextOptions::default())
}

fn texts(bytes: &[u8]) -> Vec<String> {
    read(bytes).0.into_iter().map(|line| line.2).collect()
}

fn given(label: &str) -> TextOptions {
    TextOptions {
        encoding: Some(label.parse().unwrap()),
        ..TextOptions::default()
    }
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

#[test]
fn line_ends() {
    let (lines, report) = read(b"a\r\n\nb\rc\r\r\n\r\nlast");
    let expected = [
        (1, 0, "a"),
        (2, 3, ""),
        (3, 4, "b\rc"),
        (4, 10, ""),
        (5, 12, "last"),
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!((line.0, line.1, &*line.2), expected);
    }
    assert_eq!(report.lines, 5);
    assert!(report.warnings().is_empty());
    assert!(texts(b"").is_empty());
    assert_eq!(texts(b"\n"), [""]);
    assert_eq!(texts(b"a\n"), ["a"]);
}

#[test]
fn byte_order_marks() {
    let text = "erste\r\n打印机\n";
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (bytes, name) in [
        (marked, "UTF-8"),
        (utf16(&format!("\u{feff}{text}"), false), "UTF-16LE"),
        (utf16(&format!("\u{feff}{text}"), true), "UTF-16BE"),
    ] {
        let (lines, report) = read(&bytes);
        assert_eq!(lines[0].2, "erste");
        assert_eq!((lines[1].0, &*lines[1].2), (2, "打印机"));
        assert_eq!(lines.len(), 2);
        assert_eq!((report.encoding, report.basis), (name, EncodingBasis::Mark));
        assert!(report.warnings().is_empty());
        // The offset is the line's own place in the file.
        let at = lines[1].1 as usize;
        let raw: &[u8] = match name {
            "UTF-8" => "打".as_bytes(),
            "UTF-16LE" => b"\x53\x62",
            _ => b"\x62\x53",
        };
        assert!(bytes[at..].starts_with(raw), "{name}");
    }
    // A program that adds to a file may begin with a mark of its own.
    assert_eq!(texts(b"a\n\xef\xbb\xbfb\n"), ["a", "b"]);
}

#[test]
fn utf16_without_a_mark() {
    // U+0A0A and U+0A00 hold line feed bytes that end no line; U+0D0A ends in one too.
    let text = "plain text enough\r\n\u{0a0a}\u{0a00}\u{0d0a}\u{000d}\r\nthe third line\r\n";
    for big in [false, true] {
        let (lines, report) = read(&utf16(text, big));
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].2, "\u{0a0a}\u{0a00}\u{0d0a}");
        assert_eq!(report.basis, EncodingBasis::Content);
        assert!(report.encoding.starts_with("UTF-16"));
    }
    let (lines, _) = read_with(&utf16("打\n印", true), &given("utf-16be"));
    assert_eq!((&*lines[0].2, &*lines[1].2), ("打", "印"));
    // Half a unit at the end is no reason to lose the rest.
    let mut odd = utf16("plain text enough\nend", false);
    odd.push(b'x');
    let (lines, report) = read(&odd);
    assert_eq!(lines[1].2, "end\u{fffd}");
    assert_eq!(report.replaced_lines, 1);
}

#[test]
fn code_pages_line_by_line() {
    let gbk = encoding_rs::GBK.encode("设备说明: 微软打印驱动程序").0;
    let mixed = [
        "ascii\nzuerst UTF-8: Gerät\n".as_bytes(),
        &gbk,
        b"\n",
        "dann wieder: 打印机\n".as_bytes(),
    ]
    .concat();
    let (lines, report) = read(&mixed);
    let texts: Vec<&str> = lines.iter().map(|line| &*line.2).collect();
    assert_eq!(
        texts,
        [
            "ascii",
            "zuerst UTF-8: Gerät",
            "设备说明: 微软打印驱动程序",
            "dann wieder: 打印机"
        ]
    );
    assert_eq!(report.code_page, Some("GBK"));
    assert_eq!((report.code_page_lines, report.replaced_lines), (1, 0));
    assert_eq!(report.warnings().len(), 1);

    let ansi = encoding_rs::WINDOWS_1252.encode("Das Gerät fehlt\n").0;
    let (lines, report) = read(&ansi);
    assert_eq!(lines[0].2, "Das Gerät fehlt");
    assert_eq!(report.code_page, Some("windows-1252"));
    // What the user says goes before what it looks like.
    let (lines, report) = read_with(&ansi, &given("1251"));
    assert_eq!(lines[0].2, "Das Gerдt fehlt");
    assert_eq!((report.code_page, report.encoding), (None, "windows-1251"));
    assert_eq!(report.basis, EncodingBasis::Given);
}

#[test]
fn bytes_that_are_no_text_are_counted() {
    // 0xFF starts no GBK character.
    let (lines, report) = read_with(b"a\xffb\nc\n", &given("gbk"));
    assert_eq!(lines[0].2, "a\u{fffd}b");
    assert_eq!(report.replaced_lines, 1);
    let (lines, report) = read_with(b"a\xffb\n", &given("utf-8"));
    assert_eq!(lines[0].2, "a\u{fffd}b");
    assert_eq!((report.replaced_lines, report.code_page), (1, None));
}

#[test]
fn nul_blocks_are_passed_over() {
    let bytes = [
        b"one\ntw",
        &[0; 5_000][..],
        b"o\nthree\n",
        &[0; 10],
        b"\nfive\n\0\0",
    ]
    .concat();
    let (lines, report) = read(&bytes);
    let found: Vec<(u64, &str)> = lines.iter().map(|line| (line.0, &*line.2)).collect();
    assert_eq!(
        found,
        [(1, "one"), (2, "tw"), (2, "o"), (3, "three"), (5, "five")]
    );
    assert_eq!((report.nul_blocks, report.nul_bytes), (3, 5_012));
    assert_eq!(report.warnings().len(), 1);

    for big in [false, true] {
        let bytes = [
            utf16("a line of text\nb", big),
            vec![0; 4_096],
            utf16("c\nd", big),
        ]
        .concat();
        let (lines, report) = read(&bytes);
        let found: Vec<(u64, &str)> = lines.iter().map(|line| (line.0, &*line.2)).collect();
        assert_eq!(found, [(1, "a line of text"), (2, "b"), (2, "c"), (3, "d")]);
        assert_eq!((report.nul_blocks, report.nul_bytes), (1, 4_096));
    }
    // A block that crosses the pieces a file is read in is one block.
    let mut bytes = vec![b'x'; 100];
    bytes.push(b'\n');
    bytes.resize(9 << 20, 0);
    bytes.extend_from_slice(b"end");
    let (lines, report) = read(&bytes);
    assert_eq!((lines.len(), &*lines[1].2), (2, "end"));
    assert_eq!(report.nul_blocks, 1);
}

#[test]
fn long_lines_are_cut_and_counted() {
    let options = TextOptions {
        longest: 8,
        ..TextOptions::default()
    };
    let (lines, report) = read_with("12345678\n123456789\näääää\nend".as_bytes(), &options);
    let found: Vec<(u64, &str)> = lines.iter().map(|line| (line.0, &*line.2)).collect();
    assert_eq!(
        found,
        [(1, "12345678"), (2, "12345678"), (3, "ääää"), (4, "end")]
    );
    assert_eq!((report.cut_lines, report.cut_bytes), (2, 3));
    // A cut through a character takes the whole ones.
    let (lines, report) = read_with("xääää\n".as_bytes(), &options);
    assert_eq!(lines[0].2, "xäää");
    assert_eq!((report.cut_lines, report.replaced_lines), (1, 0));

    let options = TextOptions {
        longest: 4,
        ..given("gbk")
    };
    let (lines, report) = read_with(b"a\xb4\xf2\xd3\xa1\n", &options);
    assert_eq!(lines[0].2, "a打\u{fffd}");
    assert_eq!((report.cut_lines, report.replaced_lines), (1, 0));

    // A line longer than the pieces a file is read in.
    let mut bytes = vec![b'y'; 10 << 20];
    bytes.extend_from_slice(b"\nend");
    let (lines, report) = read(&bytes);
    assert_eq!(lines[0].2.len(), 64 << 10);
    assert_eq!((lines[1].0, &*lines[1].2), (2, "end"));
    assert_eq!(report.cut_bytes, (10 << 20) - (64 << 10));
}

#[test]
fn lines_across_pieces() {
    let mut bytes = Vec::new();
    let mut count = 0;
    while bytes.len() < (9 << 20) {
        bytes.extend_from_slice(format!("line {count} of many, with a word ä\r\n").as_bytes());
        count += 1;
    }
    let (lines, report) = read(&bytes);
    assert_eq!(lines.len(), count);
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(line.2, format!("line {n} of many, with a word ä"));
        assert!(bytes[line.1 as usize..].starts_with(b"line "));
    }
    assert!(report.warnings().is_empty());
}

/// Every byte is in a line, in a line end, in a NUL block or counted as cut.
fn account(bytes: &[u8], options: &TextOptions) {
    let (lines, report) = read_with(bytes, options);
    let mut before = (0, 0);
    for (number, offset, text) in &lines {
        assert!((before.0, before.1) < (*number, offset + 1));
        before = (*number, offset + 1);
        assert!(text.len() <= 3 * options.longest.max(2));
        assert!(*offset <= bytes.len() as u64);
    }
    assert_eq!(report.lines, lines.len() as u64);
    assert!(report.nul_bytes + report.cut_bytes <= bytes.len() as u64);
}

proptest! {
    #[test]
    fn any_bytes_are_lines(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        longest in 0_usize..40,
        label in proptest::option::of(proptest::sample::select(vec!["utf-8", "utf-16le", "utf-16be", "gbk", "1252"])),
    ) {
        let encoding = label.map(|label| label.parse().unwrap());
        account(&bytes, &TextOptions { encoding, longest });
    }

    #[test]
    fn few_kinds_of_bytes(
        bytes in proptest::collection::vec(
            proptest::sample::select(vec![0_u8, b'\n', b'\r', b'a', 0xff, 0xfe, 0xef, 0xbb, 0xbf, 0xc4]), 0..80),
        longest in 0_usize..12,
    ) {
        account(&bytes, &TextOptions { encoding: None, longest });
    }

    #[test]
    fn text_comes_back(lines in proptest::collection::vec("[ -~äß打印机]{0,40}", 0..20), form in 0..5) {
        let text = lines.join("\r\n");
        let bytes = match form {
            0 => text.clone().into_bytes(),
            1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            2 => utf16(&format!("\u{feff}{text}"), false),
            3 => utf16(&format!("\u{feff}{text}"), true),
            _ => encoding_rs::GB18030.encode(&text).0.into_owned(),
        };
        let options = if form == 4 { given("gb18030") } else { TextOptions::default() };
        let (found, report) = read_with(&bytes, &options);
        let found: Vec<String> = found.into_iter().map(|line| line.2).collect();
        let mut expected = lines;
        // Nothing stands behind the last line end.
        if expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(report.replaced_lines, 0);
    }
}
