//! Version information of images: what a merge of traces writes beside them.
//!
//! An image is known by its size and the link time in its PE header. Rows of user images at the start and the end
//! of a session have no link time; image ids at the same place have it.

use std::collections::HashMap;
use std::sync::Arc;

/// Version information of a file.
#[derive(Debug, Clone)]
pub struct FileVersion {
    /// Name the file had when it was built.
    pub original_name: Arc<str>,
    /// Company.
    pub company: Arc<str>,
    /// Description.
    pub description: Arc<str>,
    /// Version.
    pub version: Arc<str>,
}

/// Identity of an image at a place.
#[derive(Debug, Clone, Copy)]
struct ImageId {
    size: u64,
    time_stamp: u32,
}

/// Rows of each kind that are kept: a machine has some ten thousand.
const MOST: usize = 4_000_000;

/// What is known of images.
#[derive(Debug, Default)]
pub struct Versions {
    files: HashMap<(u64, u32), Vec<FileVersion>>,
    ids: HashMap<(u32, u64), ImageId>,
}

impl Versions {
    /// Adds the version information of images of `size` bytes that were linked at `time_stamp`.
    pub fn add_file(&mut self, size: u64, time_stamp: u32, version: FileVersion) {
        if self.files.len() >= MOST {
            return;
        }
        let same = self.files.entry((size, time_stamp)).or_default();
        let known = |one: &FileVersion| {
            one.original_name == version.original_name && one.version == version.version
        };
        // Two files of one size and time are rare, and told apart by their names.
        if same.len() < 16 && !same.iter().any(known) {
            same.push(version);
        }
    }

    /// Adds that the image at `base` in process `pid` has this size and link time.
    pub fn add_id(&mut self, pid: u32, base: u64, size: u64, time_stamp: u32) {
        if self.ids.len() < MOST {
            self.ids.insert((pid, base), ImageId { size, time_stamp });
        }
    }

    /// The link time of an image that does not say it itself.
    pub fn time_stamp(&self, pid: u32, base: u64) -> Option<u32> {
        self.ids.get(&(pid, base)).map(|id| id.time_stamp)
    }

    /// The version information of an image.
    pub fn of(
        &self,
        pid: u32,
        base: u64,
        size: u64,
        time_stamp: u32,
        name: &str,
    ) -> Option<&FileVersion> {
        let id = self.ids.get(&(pid, base));
        let by_place = id.map(|id| (id.size, id.time_stamp));
        let own = (time_stamp != 0).then_some((size, time_stamp));
        let found = own
            .into_iter()
            .chain(by_place)
            .find_map(|key| self.files.get(&key))?;
        let named = |one: &&FileVersion| one.original_name.eq_ignore_ascii_case(name);
        found.iter().find(named).or_else(|| match found.as_slice() {
            [only] => Some(only),
            // Which of several it is cannot be told, unless they say the same of the company.
            [first, rest @ ..] if rest.iter().all(|one| one.company == first.company) => {
                Some(first)
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, company: &str) -> FileVersion {
        FileVersion {
            original_name: name.into(),
            company: company.into(),
            description: "".into(),
            version: "1.0".into(),
        }
    }

    #[test]
    fn an_image_is_known_by_size_and_time_or_by_its_place() {
        let mut versions = Versions::default();
        versions.add_file(4096, 7, version("a.sys", "A"));
        versions.add_id(9, 0x1000, 4096, 7);
        let company = |found: Option<&FileVersion>| found.map(|one| one.company.to_string());
        assert_eq!(
            company(versions.of(0, 1, 4096, 7, "x.sys")),
            Some("A".into())
        );
        assert_eq!(
            company(versions.of(9, 0x1000, 4096, 0, "x.dll")),
            Some("A".into())
        );
        assert!(versions.of(9, 0x2000, 4096, 0, "x.dll").is_none());
        assert_eq!(versions.time_stamp(9, 0x1000), Some(7));
        versions.add_file(4096, 7, version("b.sys", "B"));
        assert_eq!(
            company(versions.of(0, 1, 4096, 7, "B.SYS")),
            Some("B".into())
        );
        assert!(versions.of(0, 1, 4096, 7, "c.sys").is_none());
    }
}
