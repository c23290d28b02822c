//! Paths as people compare them: without the volume, without regard to case.

/// The file name of a Windows path: what follows the last `\` (or `/`).
pub fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// Whether `text` starts with `prefix`, ASCII letters compared without case.
#[inline]
pub fn starts_with_no_case(text: &str, prefix: &str) -> bool {
    text.len() >= prefix.len()
        && text.as_bytes()[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
}

/// What follows `prefix` in `text`, ASCII letters compared without case.
#[inline]
pub fn strip_prefix_no_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    starts_with_no_case(text, prefix)
        .then(|| text.get(prefix.len()..))
        .flatten()
}

/// Whether a path begins at a volume, and not at an open folder.
#[inline]
pub fn is_whole(path: &str) -> bool {
    path.starts_with('\\') || path.as_bytes().get(1) == Some(&b':')
}

/// A file path with its volume taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePath<'a> {
    /// A path below the root of some volume, as `\Windows\INF\x.inf`. Empty for the volume itself.
    Absolute(&'a str),
    /// What follows the Windows folder where the path names it as such (`\SystemRoot`, `%SystemRoot%`), as `\INF\x.inf`.
    InSystemRoot(&'a str),
    /// No path of a local volume: a network path, a device, a name without a folder.
    Other(&'a str),
}

/// Takes the volume off a path: `C:`, `\??\C:`, `\\?\C:`, `\\.\C:`, `\Device\HarddiskVolumeN`,
/// `\??\Volume{guid}`, with `\SystemRoot` and `%SystemRoot%` told apart.
pub fn split_volume(path: &str) -> FilePath<'_> {
    let path = [
        "\\??\\",
        "\\\\?\\",
        "\\\\.\\",
        "\\DosDevices\\",
        "\\GLOBAL??\\",
    ]
    .iter()
    .find_map(|prefix| strip_prefix_no_case(path, prefix))
    .unwrap_or(path);
    // `\\?\GLOBALROOT\Device\HarddiskVolume3`: the root that the kernel's own names begin at.
    let path = strip_prefix_no_case(path, "GLOBALROOT")
        .filter(|rest| rest.starts_with('\\'))
        .unwrap_or(path);
    if let [drive, b':', ..] = path.as_bytes()
        && drive.is_ascii_alphabetic()
    {
        return FilePath::Absolute(&path[2..]);
    }
    for root in ["\\SystemRoot", "%SystemRoot%", "%windir%"] {
        if let Some(rest) = strip_prefix_no_case(path, root)
            && (rest.is_empty() || rest.starts_with('\\'))
        {
            return FilePath::InSystemRoot(rest);
        }
    }
    // A shadow copy (`\Device\HarddiskVolumeShadowCopyN`) is no volume here: what reads a snapshot, as backups do,
    // is not at the files themselves.
    if let Some(rest) = strip_prefix_no_case(path, "\\Device\\HarddiskVolume") {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        if digits > 0 && (after.is_empty() || after.starts_with('\\')) {
            return FilePath::Absolute(after);
        }
    }
    if let Some(rest) = strip_prefix_no_case(path, "Volume{")
        && let Some(end) = rest.find('}')
    {
        return FilePath::Absolute(&rest[end + 1..]);
    }
    // A lone backslash starts a path that has lost its volume already; two start a network path.
    if path.starts_with('\\')
        && !path.starts_with("\\\\")
        && !starts_with_no_case(path, "\\Device\\")
    {
        return FilePath::Absolute(path);
    }
    FilePath::Other(path)
}

/// Appends the path without its volume, the Windows folder written as `system_root` (as `\Windows`).
pub fn push_normalised(path: &str, system_root: &str, out: &mut String) {
    match split_volume(path) {
        FilePath::Absolute(rest) | FilePath::Other(rest) => out.push_str(rest),
        FilePath::InSystemRoot(rest) => {
            out.push_str(system_root);
            out.push_str(rest);
        }
    }
}

/// The long and short names of the registry roots.
const REGISTRY_ROOTS: [(&str, &str); 7] = [
    ("\\REGISTRY\\MACHINE", "HKLM"),
    ("\\REGISTRY\\USER", "HKU"),
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
];

/// A registry path as its short root and the rest: `\REGISTRY\MACHINE\SYSTEM` is `("HKLM", "\SYSTEM")`.
/// The root is empty where the path starts with none of the long names.
pub fn split_registry(path: &str) -> (&'static str, &str) {
    for (long, short) in REGISTRY_ROOTS {
        if let Some(rest) = strip_prefix_no_case(path, long)
            && (rest.is_empty() || rest.starts_with('\\'))
        {
            return (short, rest);
        }
    }
    ("", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_volume() {
        for path in [
            "C:\\Windows\\INF",
            "c:\\Windows\\INF",
            "\\??\\C:\\Windows\\INF",
            "\\\\?\\C:\\Windows\\INF",
            "\\Device\\HarddiskVolume3\\Windows\\INF",
            "\\Device\\HarddiskVolume12\\Windows\\INF",
            "\\??\\Volume{a0b1}\\Windows\\INF",
            "\\\\?\\GLOBALROOT\\Device\\HarddiskVolume3\\Windows\\INF",
            "\\Windows\\INF",
        ] {
            assert_eq!(
                split_volume(path),
                FilePath::Absolute("\\Windows\\INF"),
                "{path}"
            );
        }
        assert_eq!(
            split_volume("\\SystemRoot\\INF"),
            FilePath::InSystemRoot("\\INF")
        );
        assert_eq!(
            split_volume("%systemroot%\\INF"),
            FilePath::InSystemRoot("\\INF")
        );
        for path in [
            "\\\\server\\share",
            "\\Device\\Afd",
            "x.inf",
            "\\Device\\HarddiskVolumeX\\a",
            "\\Device\\HarddiskVolumeShadowCopy4\\Windows\\INF",
        ] {
            assert_eq!(split_volume(path), FilePath::Other(path), "{path}");
        }
        assert_eq!(
            split_volume("\\SystemRootX\\INF"),
            FilePath::Absolute("\\SystemRootX\\INF")
        );
    }

    #[test]
    fn registry_roots() {
        assert_eq!(
            split_registry("\\Registry\\Machine\\SYSTEM"),
            ("HKLM", "\\SYSTEM")
        );
        assert_eq!(
            split_registry("\\REGISTRY\\MACHINEX"),
            ("", "\\REGISTRY\\MACHINEX")
        );
        assert_eq!(split_registry("HKLM\\SYSTEM"), ("", "HKLM\\SYSTEM"));
    }

    #[test]
    fn a_prefix_may_end_inside_a_character() {
        assert!(strip_prefix_no_case("äb", "ä").is_some());
        assert_eq!(strip_prefix_no_case("aä", "aä"), Some(""));
        assert!(!starts_with_no_case("aä", "aå"));
    }
}
