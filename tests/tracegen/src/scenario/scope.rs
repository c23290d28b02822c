//! The contract's scope `driver-store`, for a machine whose Windows folder is `C:\Windows`.

const FOLDERS: &[&str] = &[
    "\\windows\\system32\\driverstore",
    "\\windows\\system32\\drivers",
    "\\windows\\inf",
    "\\windows\\system32\\catroot",
];
const HIVE: &str = "\\windows\\system32\\config\\drivers";
const KEYS: &[&str] = &[
    "hklm\\system\\driverdatabase",
    "hklm\\drivers",
    "\\registry\\machine\\system\\driverdatabase",
    "\\registry\\machine\\drivers",
];

/// A file path counts.
pub(crate) fn file(path: &str) -> bool {
    let path = path.to_lowercase();
    let path = off_volume(&path);
    let hive = path.strip_prefix(HIVE).is_some_and(|rest| {
        let set =
            rest.starts_with('{') && (rest.ends_with(".tm.blf") || rest.ends_with(".regtrans-ms"));
        rest.is_empty() || rest.starts_with(".log") || set
    });
    hive || FOLDERS.iter().any(|f| below(path, f))
}

/// A registry path counts.
pub(crate) fn registry(path: &str) -> bool {
    let path = path.to_lowercase();
    KEYS.iter().any(|k| below(&path, k))
}

fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

fn off_volume(path: &str) -> &str {
    let path = path
        .strip_prefix("\\??\\")
        .or_else(|| path.strip_prefix("\\\\?\\"))
        .unwrap_or(path);
    if let Some(rest) = path.strip_prefix("\\device\\harddiskvolume") {
        return rest.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    match path.as_bytes() {
        [_, b':', ..] => &path[2..],
        _ => path,
    }
}
