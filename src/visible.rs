//! Text of others where people read it: nothing in it acts on the terminal or poses as something else.
//!
//! Names and lines in a trace are written by whoever ran on that machine. Control characters move the cursor and
//! colour the terminal, direction marks turn `exe.gpj` around, characters without width make two names look alike.
//! All of them are shown as `\u{202e}`: on the terminal, in messages, in `report.html`, in the workbook and in the
//! CSV files of a report. JSON holds them as escapes of its own; Parquet, NDJSON and Procmon's formats are exact.

pub mod json;

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is hidden, or acts on what stands around it.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        // C0, DEL and C1: the last hold an escape sequence's start in one character.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Soft hyphen, grapheme joiner, fillers of Hangul and Khmer: no glyph.
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        // Direction: Arabic letter mark, marks, embeddings, overrides, isolates, and the deprecated ones.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // No width: space, joiners, word joiner and invisible operators, byte order mark, Mongolian separators.
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{180b}'..='\u{180f}'
        // Line and paragraph separators.
        | '\u{2028}' | '\u{2029}'
        // Variation selectors, annotations, tags; noncharacters at the end of the first plane.
        | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}'
        // Musical and shorthand format controls.
        | '\u{1d173}'..='\u{1d17a}' | '\u{1bca0}'..='\u{1bca3}')
}

/// The text with every hidden character as `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(c, &mut out);
    }
    Cow::Owned(out)
}

/// The same of a text of several lines, which stay lines.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if !any_line_holds(text, is_hidden) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(visible).collect();
    Cow::Owned(lines.join("\n"))
}

/// The same of text for the terminal that is in colours: sequences that only choose a style stay. What goes into
/// such a text is made visible piece by piece; this stands behind it, for the piece that was forgotten.
pub fn visible_styled(text: &str) -> Cow<'_, str> {
    if !any_line_holds(text, is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\x1b' => style_len(rest),
            '\n' => 1,
            _ => 0,
        };
        match taken {
            0 => push_visible(c, &mut out),
            len => out.push_str(&rest[..len]),
        }
        rest = &rest[taken.max(c.len_utf8())..];
    }
    Cow::Owned(out)
}

/// Length of the sequence at the start of `text` that chooses a style (`ESC [ 1;31 m`); 0 where it is another.
fn style_len(text: &str) -> usize {
    let Some(numbers) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';');
    match end {
        Some(end) if numbers[end..].starts_with('m') => end + 3,
        _ => 0,
    }
}

fn push_visible(c: char, out: &mut String) {
    if is_hidden(c) {
        // Writing into a string does not fail.
        let _ = write!(out, "{}", c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Whether a character of the text is `hidden`, ends of lines aside. A finding has hundreds of thousands of lines, and hardly
/// one that is not plain.
fn any_line_holds(text: &str, hidden: impl Fn(char) -> bool) -> bool {
    let mut lines = text.split('\n');
    lines.any(|line| !is_plain_ascii(line) && line.contains(&hidden))
}

/// Whether all is ASCII that prints. Blocks without a way out in the middle are what the compiler turns into wide
/// comparisons.
fn is_plain_ascii(text: &str) -> bool {
    !text.as_bytes().chunks(32).any(|block| {
        block
            .iter()
            .fold(false, |found, byte| found | (*byte < b' ') | (*byte > b'~'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(visible("a\u{202e}gpj.exe"), "a\\u{202e}gpj.exe");
        assert_eq!(
            visible("\x1b[31mred\x07\u{9b}2J"),
            "\\u{1b}[31mred\\u{7}\\u{9b}2J"
        );
        assert_eq!(
            visible("a\u{200b}b\u{feff}c\r\n"),
            "a\\u{200b}b\\u{feff}c\\u{d}\\u{a}"
        );
        for plain in [r"C:\Windows\u{202e}", "银行终端 Ünïcode 🙂", "<b>&\"'", ""] {
            assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
        }
        assert_eq!(visible_lines("a\n\x1bb"), "a\n\\u{1b}b");
        assert_eq!(visible_lines("a\n  b"), "a\n  b");
        let styled = "\x1b[1;31mred\x1b[0m\n";
        assert_eq!(visible_styled(styled), styled);
        assert_eq!(
            visible_styled("\x1b[2J\x1b]0;x\x07\x1b[31"),
            "\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{1b}[31"
        );
    }

    /// Any text, in which the characters that matter are as frequent as all others together.
    pub(super) fn texts() -> impl Strategy<Value = String> {
        let hidden = proptest::sample::select(hidden());
        let any = prop_oneof![hidden, any::<char>(), proptest::char::range(' ', '~')];
        proptest::collection::vec(any, 0..40).prop_map(String::from_iter)
    }

    fn hidden() -> Vec<char> {
        ('\0'..=char::MAX).filter(|c| is_hidden(*c)).collect()
    }

    #[test]
    fn every_hidden_character_is_shown_and_no_letter_is() {
        let all = hidden();
        assert!(all.len() > 300);
        for c in all {
            let shown = visible(c.encode_utf8(&mut [0; 4])).into_owned();
            assert_eq!(shown, c.escape_unicode().to_string());
        }
        let alphabets = [
            'a'..='ž',
            'Α'..='ώ',
            'А'..='я',
            'א'..='ת',
            'ก'..='ฮ',
            'あ'..='ん',
            '一'..='龥',
            '가'..='힣',
        ];
        let shown: String = alphabets
            .into_iter()
            .flatten()
            .filter(|c| c.is_alphabetic())
            .collect();
        assert!(matches!(visible(&shown), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_nothing_else_is_changed(text in texts()) {
            let shown = visible(&text);
            prop_assert!(!shown.contains(is_hidden));
            let meant: String = text
                .chars()
                .map(|c| match is_hidden(c) {
                    true => format!("\\u{{{:x}}}", u32::from(c)),
                    false => c.to_string(),
                })
                .collect();
            prop_assert_eq!(&*shown, meant);
            prop_assert_eq!(visible(&shown), shown.clone());
        }

        #[test]
        fn a_styled_text_acts_on_its_style_only(text in texts()) {
            let shown = visible_styled(&text);
            let mut left = shown.to_string();
            while let Some(at) = left.find('\x1b') {
                let len = style_len(&left[at..]);
                prop_assert!(len > 0);
                left.replace_range(at..at + len, "");
            }
            prop_assert!(!left.contains(|c| c != '\n' && is_hidden(c)));
        }
    }
}
