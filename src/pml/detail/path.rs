//! Paths: cutting stored ones, and making the target of a rename or link comparable with them.

use crate::pml::text::Text;

const BACKSLASH: u8 = b'\\';

/// `path` up to its last backslash, that one not included; empty if it has none.
pub(super) fn folder(path: Text<'_>) -> Text<'_> {
    match path {
        Text::Ascii(bytes) => {
            let end = bytes.iter().rposition(|&byte| byte == BACKSLASH);
            Text::Ascii(&bytes[..end.unwrap_or(0)])
        }
        Text::Utf16(bytes) => {
            let end = bytes
                .chunks_exact(2)
                .rposition(|unit| unit == [BACKSLASH, 0]);
            Text::Utf16(&bytes[..end.unwrap_or(0) * 2])
        }
    }
}

/// Whether `name` has a backslash.
pub(super) fn has_backslash(name: Text<'_>) -> bool {
    match name {
        Text::Ascii(bytes) => bytes.contains(&BACKSLASH),
        Text::Utf16(bytes) => bytes.chunks_exact(2).any(|unit| unit == [BACKSLASH, 0]),
    }
}

/// Whether `name` names a stream (`:name`) of the file that is renamed.
pub(super) fn is_stream(name: Text<'_>) -> bool {
    match name {
        Text::Ascii(bytes) => bytes.starts_with(b":"),
        Text::Utf16(bytes) => bytes.starts_with(b":\0"),
    }
}

/// Appends the new name of a file or key: behind `folder` (of a stream: its file) unless that is empty, and without the
/// prefixes of the object manager (`\??\C:\x` becomes `C:\x`, `\??\UNC\host\x` becomes `\\host\x`).
///
/// A name that starts at another place of the object manager (`\SystemRoot\x`, `\Device\x`) stays as it is.
pub(super) fn push_target(folder: Text<'_>, name: Text<'_>, out: &mut String) {
    if !folder.is_empty() {
        folder.push_to(out);
        if !is_stream(name) {
            out.push('\\');
        }
        name.push_to(out);
        return;
    }
    let start = out.len();
    name.push_to(out);
    let full = &out[start..];
    for prefix in ["\\??\\", "\\\\?\\", "\\DosDevices\\"] {
        if !starts_with_ignoring_case(full, prefix) {
            continue;
        }
        let rest = &full[prefix.len()..];
        if starts_with_ignoring_case(rest, "UNC\\") {
            out.replace_range(start..start + prefix.len() + 4, "\\\\");
        } else {
            out.replace_range(start..start + prefix.len(), "");
        }
        return;
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(folder: &str, name: &str) -> String {
        let mut out = String::from("> ");
        push_target(
            Text::Ascii(folder.as_bytes()),
            Text::Ascii(name.as_bytes()),
            &mut out,
        );
        out.split_off(2)
    }

    #[test]
    fn targets_become_full_paths() {
        assert_eq!(target("", "\\??\\C:\\a\\b"), "C:\\a\\b");
        assert_eq!(target("", "\\??\\UNC\\host\\share"), "\\\\host\\share");
        assert_eq!(target("", "\\DosDevices\\D:\\a"), "D:\\a");
        assert_eq!(target("", "\\SystemRoot\\a"), "\\SystemRoot\\a");
        assert_eq!(target("C:\\a", "b"), "C:\\a\\b");
        assert_eq!(target("C:\\a\\b", ":s"), "C:\\a\\b:s");
        assert_eq!(target("", ""), "");
    }

    #[test]
    fn folders() {
        assert_eq!(folder(Text::Ascii(b"C:\\a\\b")), Text::Ascii(b"C:\\a"));
        assert_eq!(folder(Text::Ascii(b"a")), Text::Ascii(b""));
        assert_eq!(folder(Text::Utf16(b"C\0\\\0a\0")), Text::Utf16(b"C\0"));
        assert!(has_backslash(Text::Utf16(b"C\0\\\0a\0")));
        assert!(!has_backslash(Text::Utf16(b"a\0\\")));
    }
}
