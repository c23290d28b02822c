//! Names inside archives: in which code page they are written, and what of them may be shown.

use encoding_rs::GBK;

/// The code page of names that carry no mark of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePage {
    /// What most of the world writes today, marked or not.
    Utf8,
    /// Code page 936, of Windows Explorer on Simplified Chinese systems.
    Gbk,
    /// Code page 437, the format's own.
    Cp437,
}

/// The page that all of `names` are in.
///
/// Of names in code page 437 hardly one byte is 0xB0 or above (lines and Greek stand there), of Chinese names nearly
/// every pair begins so: two of three pairs have to be in the part of GBK that everyday text uses.
pub fn page_of<'a>(names: impl Iterator<Item = &'a [u8]> + Clone) -> NamePage {
    if names.clone().all(|name| std::str::from_utf8(name).is_ok()) {
        return NamePage::Utf8;
    }
    let (mut pairs, mut common) = (0_usize, 0_usize);
    for name in names {
        if GBK
            .decode_without_bom_handling_and_without_replacement(name)
            .is_none()
        {
            return NamePage::Cp437;
        }
        let mut bytes = name.iter();
        while let Some(&lead) = bytes.next() {
            if lead < 0x80 {
                continue;
            }
            let trail = bytes.next().copied().unwrap_or(0);
            pairs += 1;
            common += usize::from(trail >= 0xa1 && matches!(lead, 0xa1..=0xa3 | 0xb0..=0xf7));
        }
    }
    match common * 3 >= pairs * 2 {
        true => NamePage::Gbk,
        false => NamePage::Cp437,
    }
}

/// A name in GBK.
pub fn gbk(name: &[u8]) -> String {
    GBK.decode_without_bom_handling(name).0.into_owned()
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It begins at a root or a drive.
    Absolute,
    /// It has `..` in it.
    Climbs,
    /// Windows takes a part of it for a device.
    Device,
}

impl Wrong {
    /// What it does, in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Absolute => "is an absolute path",
            Self::Climbs => "climbs out of the archive",
            Self::Device => "is the name of a device",
        }
    }

    /// The same in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Absolute => "是绝对路径",
            Self::Climbs => "指向压缩文件之外",
            Self::Device => "是设备名",
        }
    }
}

/// A name as it is shown, and what was wrong with it, if anything was.
///
/// Nothing is ever written under such a name; it goes into reports, where it must not look like a place outside the
/// archive, and it may become the name of a case's folder.
pub fn safe(name: &str) -> (String, Option<Wrong>) {
    let name = name.replace('\\', "/");
    let mut wrong = None;
    if name.starts_with('/') {
        wrong = Some(Wrong::Absolute);
    }
    let mut kept: Vec<String> = Vec::new();
    for part in name.split('/') {
        let (drive, part) = match part.as_bytes() {
            [letter, b':', ..] if letter.is_ascii_alphabetic() => (true, &part[2..]),
            _ => (false, part),
        };
        if drive {
            wrong = Some(Wrong::Absolute);
        }
        match part {
            "" | "." => {}
            ".." => wrong = Some(Wrong::Climbs),
            device if is_device(device) => {
                wrong = Some(Wrong::Device);
                kept.push(format!("_{device}"));
            }
            part => kept.push(part.replace('\0', "_")),
        }
    }
    if kept.is_empty() {
        kept.push("entry".to_owned());
    }
    (kept.join("/"), wrong)
}

/// Whether Windows takes a name for a device, whatever ending it has: `NUL`, `con.txt`, `COM1`.
pub fn is_device(name: &str) -> bool {
    let base = name.split(['.', ':']).next().unwrap_or_default();
    let base = base.trim_end_matches(' ').to_ascii_lowercase();
    let numbered = |prefix: &str| {
        let digit = base
            .strip_prefix(prefix)
            .map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(digit.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(&base.as_str())
        || numbered("com")
        || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pages_are_told_by_what_the_names_hold() {
        let page = |names: &[&[u8]]| page_of(names.iter().copied());
        let (chinese, more) = (
            GBK.encode("日志/启动跟踪.pml").0,
            GBK.encode("网点 12 国库.etl").0,
        );
        assert_eq!(page(&[&chinese, b"CBS.log"]), NamePage::Gbk);
        assert_eq!(page(&[&more]), NamePage::Gbk);
        assert_eq!(gbk(&chinese), "日志/启动跟踪.pml");
        // Büro, Übergröße, Año, as Windows writes them in code page 437.
        for name in [
            b"B\x81ro.pml".as_slice(),
            b"\x9abergr\x94\xe1e.pml",
            b"A\xa4o.pml",
        ] {
            assert_eq!(page(&[name]), NamePage::Cp437);
        }
        assert_eq!(page(&["日志.pml".as_bytes(), b"x"]), NamePage::Utf8);
        assert_eq!(page(&[]), NamePage::Utf8);
    }

    #[test]
    fn no_name_leads_out() {
        let climbs = Some(Wrong::Climbs);
        let absolute = Some(Wrong::Absolute);
        let device = Some(Wrong::Device);
        for (name, shown, wrong) in [
            ("logs/CBS.log", "logs/CBS.log", None),
            (r"logs\CBS.log", "logs/CBS.log", None),
            ("./a//b.pml", "a/b.pml", None),
            ("../../evil.pml", "evil.pml", climbs),
            (r"..\..\Windows\x.pml", "Windows/x.pml", climbs),
            ("/etc/passwd", "etc/passwd", absolute),
            (r"C:\Windows\x.etl", "Windows/x.etl", absolute),
            (r"\\server\share\x.etl", "server/share/x.etl", absolute),
            ("CON.pml", "_CON.pml", device),
            ("a/lpt1", "a/_lpt1", device),
            ("..", "entry", climbs),
            ("", "entry", None),
            ("...", "...", None),
        ] {
            assert_eq!(safe(name), (shown.to_owned(), wrong), "{name}");
        }
        assert!(
            !is_device("console")
                && !is_device("com10")
                && is_device("NUL")
                && is_device("aux .txt")
        );
    }

    proptest! {
        #[test]
        fn any_name(name in any::<String>()) {
            let (shown, _) = safe(&name);
            prop_assert!(!shown.starts_with('/') && !shown.contains('\\') && !shown.is_empty());
            prop_assert!(shown.split('/').all(|part| part != ".." && !is_device(part)));
            prop_assert_eq!(safe(&shown), (shown.clone(), None));
        }

        #[test]
        fn any_bytes(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            page_of([name.as_slice()].into_iter());
            gbk(&name);
        }
    }
}
