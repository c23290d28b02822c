//! Passwords of archives: read from a file, so that they stand neither in the shell's history nor in a process list.

use encoding_rs::{GBK, UTF_8};
use std::path::Path;

/// Passwords to try, in their order.
#[derive(Clone, Default)]
pub struct Passwords {
    texts: Vec<String>,
}

// No password may get into a log by way of `{:?}`.
impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passwords", self.texts.len())
    }
}

/// A file beyond this size holds something else.
const LONGEST: u64 = 64 << 10;

impl Passwords {
    /// Reads a file: one password a line, in UTF-8, or in UTF-16 as Notepad writes it with a mark.
    ///
    /// # Errors
    /// A sentence that names the file, when it cannot be read or holds none.
    pub fn read(path: &Path) -> Result<Self, String> {
        let fail = |reason: &str| format!("{}: {reason}", path.display());
        let meta = std::fs::metadata(path).map_err(|error| fail(&error.to_string()))?;
        if meta.len() > LONGEST {
            return Err(fail("expected passwords, one a line, found a large file"));
        }
        let bytes = std::fs::read(path).map_err(|error| fail(&error.to_string()))?;
        let (text, _, damaged) = UTF_8.decode(&bytes);
        if damaged {
            return Err(fail("expected passwords in UTF-8, found other bytes"));
        }
        let texts: Vec<String> = text
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        match texts.is_empty() {
            true => Err(fail("expected a password a line, found none")),
            false => Ok(Self { texts }),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The passwords.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// The bytes that a zip may have been locked with: the format names no encoding, and Windows programs take the
    /// system's code page.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for text in &self.texts {
            out.push(text.clone().into_bytes());
            let (gbk, _, unmappable) = GBK.encode(text);
            if !unmappable && *gbk != *text.as_bytes() {
                out.push(gbk.into_owned());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_every_editor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwords.txt");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Passwords::read(&path).map(|p| p.texts().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(read(b"secret").unwrap(), ["secret"]);
        assert_eq!(
            read(b"\xef\xbb\xbf a b \r\n\r\nsecond\n").unwrap(),
            [" a b ", "second"]
        );
        let wide: Vec<u8> = "\u{feff}密码\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&wide).unwrap(), ["密码"]);
        for bad in [b"".as_slice(), b"\r\n", b"\xff\xfe\xff", &[b'x'; 70_000]] {
            assert!(read(bad).unwrap_err().contains("passwords.txt: expected"));
        }
        assert!(Passwords::read(Path::new("no/such")).is_err());
    }

    #[test]
    fn zips_are_locked_with_bytes() {
        let passwords = Passwords {
            texts: vec!["a".to_owned(), "密".to_owned()],
        };
        assert_eq!(
            passwords.bytes(),
            [b"a".to_vec(), "密".as_bytes().to_vec(), vec![0xc3, 0xdc]]
        );
        assert_eq!(format!("{passwords:?}"), "2 passwords");
    }
}
