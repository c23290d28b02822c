//! Which encoding a text is in: what the user says, a byte order mark, or what its bytes look like.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::fmt;
use std::str::FromStr;

/// An encoding the user names: `utf-8`, `utf-16le`, `gbk`, `windows-1252`, or a Windows code page such as `936`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEncoding(&'static Encoding);

impl LogEncoding {
    /// The name of the WHATWG Encoding Standard.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    pub(super) fn encoding(self) -> &'static Encoding {
        self.0
    }
}

impl fmt::Display for LogEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LogEncoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let label = text.trim().to_ascii_lowercase();
        let number = label.strip_prefix("cp").unwrap_or(&label);
        let found = match number.parse::<u16>() {
            Ok(page) => code_page(page),
            Err(_) => Encoding::for_label_no_replacement(label.as_bytes()),
        };
        // ISO-2022-JP changes its meaning in mid-line, so its lines cannot be found without decoding all of it.
        found
            .filter(|encoding| encoding.is_ascii_compatible() || is_utf16(encoding))
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "'{text}' is no known encoding; give utf-8, utf-16le, gbk, windows-1252, or a Windows code page such as 936 or 1252"
                )
            })
    }
}

/// The encoding of a Windows code page.
fn code_page(page: u16) -> Option<&'static Encoding> {
    let label = match page {
        65_001 => "utf-8".to_owned(),
        1_200 => "utf-16le".to_owned(),
        1_201 => "utf-16be".to_owned(),
        866 => "ibm866".to_owned(),
        874 => "windows-874".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        1_250..=1_258 => format!("windows-{page}"),
        20_866 => "koi8-r".to_owned(),
        20_936 => "gb2312".to_owned(),
        21_866 => "koi8-u".to_owned(),
        28_591..=28_606 => format!("iso-8859-{}", page - 28_590),
        54_936 => "gb18030".to_owned(),
        _ => return None,
    };
    Encoding::for_label_no_replacement(label.as_bytes())
}

pub(super) fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// The encoding a byte order mark at the start of `head` names, and the length of the mark.
pub(super) fn of_mark(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(head)
}

/// UTF-16 without a mark: in text that is mostly ASCII every second byte is zero.
pub(super) fn looks_like_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let mut pairs = 0_usize;
    let (mut low_only, mut high_only) = (0_usize, 0_usize);
    for pair in head.chunks_exact(2) {
        match pair {
            // What a crash leaves says nothing.
            [0, 0] => continue,
            [_, 0] => low_only += 1,
            [0, _] => high_only += 1,
            _ => {}
        }
        pairs += 1;
    }
    let most = pairs / 2;
    match (low_only > most, high_only > most) {
        _ if pairs < 4 => None,
        (true, _) if high_only <= pairs / 8 => Some(UTF_16LE),
        (_, true) if low_only <= pairs / 8 => Some(UTF_16BE),
        _ => None,
    }
}

/// The code page of lines that are not UTF-8, from `sample`, which holds such lines.
///
/// Statistics need more characters than a log may have, so where they do not settle on one of the two code
/// pages these logs come in above all (936 and 1252), a text that is nothing but whole GBK characters is GBK.
pub(super) fn guess_code_page(sample: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if guess == GBK || guess == WINDOWS_1252 || !is_common_gbk(sample) {
        return guess;
    }
    GBK
}

/// Whether every byte above ASCII belongs to a character of GB 2312, the part of GBK that everyday text uses.
fn is_common_gbk(sample: &[u8]) -> bool {
    let mut characters = 0_usize;
    let mut bytes = sample.iter();
    while let Some(&byte) = bytes.next() {
        if byte < 0x80 {
            continue;
        }
        let trail = bytes.next().copied().unwrap_or(0);
        if !(0xA1..=0xF7).contains(&byte) || trail < 0xA1 || trail == 0xFF {
            return false;
        }
        characters += 1;
    }
    characters > 1
}

/// Whether `bytes` are UTF-8 by name; the one encoding whose lines can be taken as they are.
pub(super) fn is_utf8(encoding: &'static Encoding) -> bool {
    encoding == UTF_8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn labels_and_code_pages() {
        for (label, name) in [
            ("utf-8", "UTF-8"),
            ("65001", "UTF-8"),
            ("UTF-16", "UTF-16LE"),
            ("1201", "UTF-16BE"),
            ("936", "GBK"),
            ("cp936", "GBK"),
            ("gb18030", "gb18030"),
            ("1252", "windows-1252"),
            ("windows-1251", "windows-1251"),
            ("28592", "ISO-8859-2"),
            ("932", "Shift_JIS"),
        ] {
            assert_eq!(label.parse::<LogEncoding>().unwrap().name(), name);
        }
        for bad in ["", "437", "iso-2022-jp", "iso-2022-kr", "utf-7", "ansi"] {
            let error = bad.parse::<LogEncoding>().unwrap_err();
            assert!(error.contains("936"), "{error}");
        }
    }

    #[test]
    fn utf16_shows_without_a_mark() {
        let text = "[Device Install Log]\r\n     打印机\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(looks_like_utf16(&little), Some(UTF_16LE));
        assert_eq!(looks_like_utf16(&big), Some(UTF_16BE));
        assert_eq!(looks_like_utf16(text.as_bytes()), None);
        // A block of NULs in a text of bytes, and a block in UTF-16.
        let holed = [text.as_bytes(), &[0; 4_096], text.as_bytes()].concat();
        assert_eq!(looks_like_utf16(&holed), None);
        let holed = [&little[..], &[0; 4_096], &little[..]].concat();
        assert_eq!(looks_like_utf16(&holed), Some(UTF_16LE));
        assert_eq!(looks_like_utf16(&[0; 64]), None);
    }

    #[test]
    fn code_pages_of_short_texts() {
        for text in [
            "设备说明: 打印机",
            "Selected: Description - [微软打印驱动程序]",
            "无法加载驱动",
            "HID 键盘设备 - 标准 PS/2 键盘",
        ] {
            assert_eq!(guess_code_page(&encoded(text, GBK)), GBK, "{text}");
        }
        for text in [
            "Das Gerät konnte nicht gestartet werden.",
            "Périphérique d'entrée, clé déjà présente",
            "Beschreibung - [Standardtastatur für Größe]",
            "El controlador no se instaló, según la configuración",
        ] {
            let bytes = encoded(text, WINDOWS_1252);
            assert_eq!(guess_code_page(&bytes), WINDOWS_1252, "{text}");
        }
    }
}
