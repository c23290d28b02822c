//! File names without regard to case, without allocating.

use std::cmp::Ordering;

/// Order of two names in lower case, bytewise.
pub(super) fn cmp_ignore_case(a: &str, b: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

/// The rest of `name` after `prefix`, without regard to case.
pub(super) fn strip_prefix_ignore_case<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let head = name.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) {
        name.get(prefix.len()..)
    } else {
        None
    }
}

/// Whether `name` fits `pattern`, in which `?` is any one character.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut letters = name.chars();
    let fits = pattern.chars().all(|wanted| match letters.next() {
        Some(letter) => wanted == '?' || wanted.eq_ignore_ascii_case(&letter),
        None => false,
    });
    fits && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count() {
        assert_eq!(cmp_ignore_case("NTFS.sys", "ntfs.SYS"), Ordering::Equal);
        assert_eq!(cmp_ignore_case("a.sys", "B.sys"), Ordering::Less);
        assert_eq!(cmp_ignore_case("ab", "a"), Ordering::Greater);
    }

    #[test]
    fn prefixes_respect_character_borders() {
        assert_eq!(strip_prefix_ignore_case("DUMP_x", "dump_"), Some("x"));
        assert_eq!(strip_prefix_ignore_case("dum", "dump_"), None);
        assert_eq!(strip_prefix_ignore_case("dump\u{e9}", "dump_"), None);
    }

    #[test]
    fn question_marks() {
        assert!(fits("pfmfs_???.sys", "PFMFS_640.sys"));
        assert!(!fits("pfmfs_???.sys", "pfmfs_64.sys"));
        assert!(!fits("pfmfs_???.sys", "pfmfs_640.sys2"));
        assert!(!fits("pfmfs_???.sys", ""));
    }
}
