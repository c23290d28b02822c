//! Paths as the kernel has them.

/// Where C: is.
pub(super) const VOLUME: &str = "\\Device\\HarddiskVolume3";
/// SID of the teller's account.
pub(super) const TELLER: &str = "S-1-5-21-2271478464-1522342155-3160924186-1107";

/// A file path, from the form Procmon writes.
pub(super) fn file(path: &str) -> String {
    let path = path.strip_prefix("\\??\\").unwrap_or(path);
    if let Some(rest) = path.strip_prefix("C:") {
        return format!("{VOLUME}{rest}");
    }
    match path.strip_prefix("\\\\") {
        Some(rest) => format!("\\Device\\Mup\\{rest}"),
        None => path.to_owned(),
    }
}

/// The path of a driver's image.
pub(super) fn driver(path: &str) -> String {
    match path.get(..11) {
        Some(root) if root.eq_ignore_ascii_case("C:\\Windows\\") => {
            format!("\\SystemRoot\\{}", &path[11..])
        }
        _ => format!("\\??\\{path}"),
    }
}

/// A registry path as a caller gives it: the roots are folders of one tree.
pub(super) fn key_asked_for(path: &str) -> String {
    let roots = [
        ("HKLM", "\\REGISTRY\\MACHINE".to_owned()),
        ("HKCU", format!("\\REGISTRY\\USER\\{TELLER}")),
        ("HKCR", "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes".to_owned()),
        ("HKU", "\\REGISTRY\\USER".to_owned()),
    ];
    for (root, full) in roots {
        if let Some(rest) = path.strip_prefix(root)
            && (rest.is_empty() || rest.starts_with('\\'))
        {
            return format!("{full}{rest}");
        }
    }
    path.to_owned()
}

/// What a key is really called: links are followed.
pub(super) fn key(asked_for: &str) -> String {
    const LINK: &str = "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet";
    match asked_for.get(..LINK.len()) {
        Some(start) if start.eq_ignore_ascii_case(LINK) => {
            format!(
                "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001{}",
                &asked_for[LINK.len()..]
            )
        }
        _ => asked_for.to_owned(),
    }
}

/// A number that is always the same for a text.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_kernel() {
        assert_eq!(
            file("\\??\\C:\\Windows\\a"),
            "\\Device\\HarddiskVolume3\\Windows\\a"
        );
        assert_eq!(file("\\\\server\\share"), "\\Device\\Mup\\server\\share");
        assert_eq!(file("\\Device\\NamedPipe\\x"), "\\Device\\NamedPipe\\x");
        assert_eq!(
            driver("C:\\Windows\\system32\\hal.dll"),
            "\\SystemRoot\\system32\\hal.dll"
        );
        assert_eq!(
            driver("C:\\ProgramData\\odd\\x.sys"),
            "\\??\\C:\\ProgramData\\odd\\x.sys"
        );
        assert_eq!(
            key_asked_for("HKLM\\DRIVERS"),
            "\\REGISTRY\\MACHINE\\DRIVERS"
        );
        let asked = key_asked_for("HKLM\\SYSTEM\\CurrentControlSet\\Services");
        assert_eq!(
            key(&asked),
            "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services"
        );
    }
}
