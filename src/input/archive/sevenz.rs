//! `.7z`: LZMA and LZMA2 with their filters, and AES-256, also over the names.

use super::spool::{Entry, Job, Taken};
use super::zips::wrong_password;
use super::{LARGEST_WINDOW, MOST_ENTRIES, told, too_many};
use crate::say;
use sevenz_rust2::{ArchiveReader, EntryDecision, Error, Password};
use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};

/// What became of a pass over an archive.
enum Outcome {
    Done,
    /// The password does not fit, or there is none.
    Locked,
    Failed(io::Error),
}

/// Unpacks a 7z archive.
pub fn unpack(mut file: File, job: &mut Job<'_>) -> io::Result<()> {
    let mut passwords = vec![Password::empty()];
    passwords.extend(job.options().passwords.texts().map(Password::new));
    let (kept, tried) = (job.taken(), passwords.len());
    for password in passwords {
        file.seek(SeekFrom::Start(0))?;
        match pass(file.try_clone()?, password, job)? {
            Outcome::Done => return Ok(()),
            Outcome::Failed(error) => return Err(error),
            Outcome::Locked => job.forget(kept),
        }
    }
    Err(told(match tried {
        1 => say!(
            en: "encrypted: give the password with --password-file FILE",
            zh: "已加密：请用 --password-file FILE 提供密码"
        ),
        _ => wrong_password(),
    }))
}

/// Tries one password; fails where unpacking has to end for good.
fn pass(file: File, password: Password, job: &mut Job<'_>) -> io::Result<Outcome> {
    let no_password = password.is_empty();
    let limit = usize::try_from(LARGEST_WINDOW >> 10).unwrap_or(usize::MAX);
    let mut reader =
        match ArchiveReader::new_with_memory_limit(BufReader::new(file), password, limit) {
            Ok(reader) => reader,
            Err(Error::PasswordRequired) => return Ok(Outcome::Locked),
            // Names that are encrypted come out as noise.
            Err(_) if !no_password => return Ok(Outcome::Locked),
            Err(error) => return Ok(Outcome::Failed(plain(error))),
        };
    let files = &reader.archive().files;
    let locked = (0..files.len()).any(|at| reader.archive().is_file_encrypted(at));
    if locked && no_password {
        return Ok(Outcome::Locked);
    }
    if files.len() > MOST_ENTRIES {
        return Err(too_many(files.len() as u64));
    }
    let mut ahead = files.iter().filter(|file| file.has_stream()).count();
    let (mut stopped, mut damaged) = (None, false);
    reader.set_thread_count(1);
    let result = reader.for_each_entries_with_decision(|file, from| {
        if file.is_directory() {
            return Ok(EntryDecision::Continue);
        }
        ahead = ahead.saturating_sub(usize::from(file.has_stream()));
        let entry = Entry {
            name: file.name(),
            size: Some(file.size()),
        };
        // What is packed behind an entry is reached through it.
        let taken = job.take(&entry, from).and_then(|taken| match taken {
            Taken::Whole => job.pass(from),
            taken => Ok(taken),
        });
        match taken {
            Ok(Taken::Whole) => Ok(EntryDecision::Continue),
            Ok(Taken::Partly) => {
                damaged = true;
                Ok(EntryDecision::SkipBlock)
            }
            Ok(Taken::Lost(error)) => {
                damaged = true;
                if !locked {
                    job.entry_lost(
                        file.name(),
                        &say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"),
                    );
                }
                Ok(EntryDecision::SkipBlock)
            }
            Err(error) => {
                stopped = Some(error);
                Ok(EntryDecision::Stop)
            }
        }
    });
    if let Some(error) = stopped {
        return Err(error);
    }
    match result {
        // A password that does not fit yields noise, which is damaged.
        _ if locked && (damaged || result.is_err()) => Ok(Outcome::Locked),
        Err(error) if !damaged => Ok(Outcome::Failed(plain(error))),
        _ if damaged && ahead > 0 => {
            job.lost(&say!(
                en: "cut or damaged: {ahead} entries behind the damage are not read",
                zh: "被截断或已损坏：损坏处之后的 {ahead} 个条目未读取"
            ));
            Ok(Outcome::Done)
        }
        _ => Ok(Outcome::Done),
    }
}

/// An error in plain words.
fn plain(error: Error) -> io::Error {
    match error {
        Error::Io(error, _) => {
            told(say!(en: "cut or damaged: {error}", zh: "被截断或已损坏：{error}"))
        }
        Error::MaxMemLimited { actaul_kb, .. } => told(say!(
            en: "to unpack it takes {memory} of memory: unpack it yourself",
            zh: "解压需要 {memory} 内存：请自行解压",
            memory = indicatif::HumanBytes((actaul_kb as u64).saturating_mul(1 << 10))
        )),
        Error::UnsupportedCompressionMethod(method) => told(say!(
            en: "packed by a method that is not read ({method}): unpack it first",
            zh: "压缩方法不受支持（{method}）：请先解压"
        )),
        Error::Other(what) | Error::Unsupported(what) => told(say!(
            en: "cut, damaged or of an unknown form: {what}",
            zh: "被截断、已损坏或格式未知：{what}"
        )),
        Error::ChecksumVerificationFailed | Error::NextHeaderCrcMismatch => told(say!(
            en: "cut or damaged: a checksum does not fit",
            zh: "被截断或已损坏：校验和不符"
        )),
        _ => told(say!(en: "cut or damaged", zh: "被截断或已损坏")),
    }
}
