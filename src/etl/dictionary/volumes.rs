//! From device names to drive letters.

use crate::trace::path::{starts_with_no_case, strip_prefix_no_case};

/// Mappings that a merge wrote down, longest device name first.
#[derive(Debug, Default, Clone)]
pub struct Volumes {
    prefixes: Vec<(String, String)>,
}

/// More mappings than this are no volumes.
const MOST: usize = 10_000;

impl Volumes {
    /// Adds that `device` (as `\Device\HarddiskVolume3\`) is `dos` (as `C:\`).
    pub fn add(&mut self, device: &str, dos: &str) {
        let known = |(d, _): &(String, String)| d.eq_ignore_ascii_case(device);
        if device.is_empty() || self.prefixes.len() >= MOST || self.prefixes.iter().any(known) {
            return;
        }
        self.prefixes.push((device.to_owned(), dos.to_owned()));
        self.prefixes
            .sort_by_key(|(device, _)| std::cmp::Reverse(device.len()));
    }

    /// Whether a volume has a drive letter.
    pub fn knows_letters(&self) -> bool {
        self.prefixes.iter().any(|(device, dos)| {
            starts_with_no_case(device, "\\Device\\HarddiskVolume") && !dos.is_empty()
        })
    }

    /// Whether all devices but `others` stand for roots, of drives or of the network.
    pub fn are_roots(&self, others: impl Fn(&str) -> bool) -> bool {
        self.prefixes.iter().all(|(device, dos)| {
            let is_root = match dos.as_bytes() {
                [_, b':', b'\\'] => true,
                dos => !dos.is_empty() && dos.iter().all(|byte| *byte == b'\\'),
            };
            is_root && device.ends_with('\\') || others(device)
        })
    }

    /// In a trace without mappings: the volume that `image` (a path below `\Windows\System32`) was loaded from is the
    /// system drive `letter`.
    pub fn guess(&mut self, image: &str, letter: char) {
        const DEVICE: &str = "\\Device\\HarddiskVolume";
        let Some(rest) = strip_prefix_no_case(image, DEVICE) else {
            return;
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && starts_with_no_case(&rest[digits..], "\\Windows\\System32\\") {
            let device = &image[..DEVICE.len() + digits];
            self.add(&format!("{device}\\"), &format!("{letter}:\\"));
        }
    }

    /// Appends `path` with the drive letter in place of the device, where that is known.
    #[inline]
    pub fn push(&self, path: &str, out: &mut String) {
        let from = out.len();
        out.push_str(path);
        self.shorten(out, from);
    }

    /// Puts the drive letter in place of the device in the path that `out` ends with from `from` on.
    #[inline]
    pub fn shorten(&self, out: &mut String, from: usize) {
        let path = &out[from..];
        if !path.starts_with('\\') {
            return;
        }
        for (device, dos) in &self.prefixes {
            if starts_with_no_case(path, device) {
                out.replace_range(from..from + device.len(), dos);
                return;
            }
            // The volume itself, without the backslash that ends its name.
            if device.len() == path.len() + 1
                && starts_with_no_case(device, path)
                && !dos.is_empty()
            {
                out.replace_range(from.., dos.trim_end_matches('\\'));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(volumes: &Volumes, path: &str) -> String {
        let mut out = String::new();
        volumes.push(path, &mut out);
        out
    }

    #[test]
    fn the_longest_device_wins() {
        let mut volumes = Volumes::default();
        volumes.add("\\Device\\HarddiskVolume2\\", "C:\\");
        volumes.add("\\Device\\HarddiskVolume23\\", "D:\\");
        volumes.add("\\Device\\Mup\\", "\\\\");
        volumes.add("\\??\\", "");
        assert!(volumes.knows_letters());
        assert_eq!(letter(&volumes, "\\device\\harddiskvolume2\\a"), "C:\\a");
        assert_eq!(letter(&volumes, "\\Device\\HarddiskVolume23\\a"), "D:\\a");
        assert_eq!(letter(&volumes, "\\Device\\HarddiskVolume23"), "D:");
        assert_eq!(
            letter(&volumes, "\\Device\\HarddiskVolume4\\a"),
            "\\Device\\HarddiskVolume4\\a"
        );
        assert_eq!(
            letter(&volumes, "\\Device\\Mup\\server\\share"),
            "\\\\server\\share"
        );
        assert_eq!(letter(&volumes, "\\??\\C:\\x"), "C:\\x");
    }

    #[test]
    fn the_system_volume_is_where_windows_lies() {
        let mut volumes = Volumes::default();
        volumes.guess("\\Device\\HarddiskVolume3\\Users\\x.dll", 'C');
        assert!(!volumes.knows_letters());
        volumes.guess(
            "\\Device\\HarddiskVolume3\\Windows\\System32\\ntdll.dll",
            'C',
        );
        assert_eq!(
            letter(&volumes, "\\Device\\HarddiskVolume3\\Users\\x.dll"),
            "C:\\Users\\x.dll"
        );
    }
}
