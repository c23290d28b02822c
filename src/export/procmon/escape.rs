//! Text on its way into a CSV field or an XML element.

/// How a format takes text.
pub(super) trait Escape {
    /// Appends `text`.
    fn push(text: &str, out: &mut Vec<u8>);
}

/// The inside of a quoted CSV field, by Procmon's rules: `"` is doubled, LF becomes `;`, CR stays.
#[derive(Debug)]
pub(super) struct Csv;

impl Escape for Csv {
    #[inline]
    fn push(text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        // Without an early exit the compiler compares many bytes at once, and hardly a text has one of these.
        let special = |byte: u8| (byte == b'"') | (byte == b'\n');
        if !bytes.iter().fold(false, |any, &byte| any | special(byte)) {
            out.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            match byte {
                b'"' => out.extend_from_slice(b"\"\""),
                b'\n' => out.push(b';'),
                _ => out.push(byte),
            }
        }
    }
}

/// Character data of XML 1.0. A character that no XML 1.0 document can hold, not even as a reference, becomes U+FFFD;
/// a CR is written as a reference, for a parser turns a bare one into LF.
///
/// An XML library would still leave those characters to us, and they are most of the work.
#[derive(Debug)]
pub(super) struct Xml;

impl Escape for Xml {
    #[inline]
    fn push(text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        // The lead byte of U+F000 to U+FFFF stands for U+FFFE and U+FFFF here; a closer look follows.
        let special = |byte: u8| {
            (byte < b' ')
                | (byte == b'&')
                | (byte == b'<')
                | (byte == b'>')
                | (byte == b'"')
                | (byte == 0xEF)
        };
        if !bytes.iter().fold(false, |any, &byte| any | special(byte)) {
            out.extend_from_slice(bytes);
            return;
        }
        for char in text.chars() {
            match char {
                '&' => out.extend_from_slice(b"&amp;"),
                '<' => out.extend_from_slice(b"&lt;"),
                '>' => out.extend_from_slice(b"&gt;"),
                '"' => out.extend_from_slice(b"&quot;"),
                '\r' => out.extend_from_slice(b"&#13;"),
                '\t' | '\n' => out.push(char as u8),
                '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => {
                    out.extend_from_slice("\u{FFFD}".as_bytes());
                }
                _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed<E: Escape>(text: &str) -> String {
        let mut out = Vec::new();
        E::push(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_fields() {
        assert_eq!(pushed::<Csv>("plain, ä"), "plain, ä");
        assert_eq!(pushed::<Csv>("\"dwm.exe\""), "\"\"dwm.exe\"\"");
        assert_eq!(pushed::<Csv>("a\r\n\tb"), "a\r;\tb");
    }

    #[test]
    fn xml_text() {
        assert_eq!(pushed::<Xml>("plain, ä"), "plain, ä");
        assert_eq!(
            pushed::<Xml>("<a & \"b\">"),
            "&lt;a &amp; &quot;b&quot;&gt;"
        );
        assert_eq!(pushed::<Xml>("a\r\n\tb"), "a&#13;\n\tb");
        assert_eq!(
            pushed::<Xml>("\0\u{1}\u{1F}\u{FFFE}\u{FFFF}\u{FFFD}\u{FF21}"),
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FF21}"
        );
    }
}
