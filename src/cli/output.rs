//! Writing: files that are whole or not there, and text on the terminal.

use super::CliError;
use super::open::of_file;
use crate::input::archive::is_device;
use crate::lang::{Lang, Message};
use crate::say;
use crate::stop::{self, Litter};
use crate::visible::json::{self, Layout};
use crate::visible::{visible_lines, visible_styled};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file under a temporary name beside its place. It goes when it is dropped, or when the process is stopped.
pub struct Draft {
    place: PathBuf,
    file: NamedTempFile<File>,
    _litter: Litter,
}

impl Draft {
    /// Writes a draft of the file at `place`.
    ///
    /// # Errors
    /// A sentence that names the place where it cannot be written; else what `write` fails with.
    pub fn write<T>(
        place: &Path,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
    ) -> Result<(Self, T), CliError> {
        let mut open = Self::begin(place)?;
        let result = write(&mut open);
        open.finish(result)
    }

    /// Begins a draft of the file at `place`.
    ///
    /// # Errors
    /// A sentence that names the place where it cannot be written.
    pub fn begin(place: &Path) -> Result<OpenDraft, CliError> {
        // A link stays one: what it leads to is replaced.
        let real = match fs::symlink_metadata(place) {
            Ok(meta) if meta.is_symlink() => place.canonicalize().ok(),
            _ => None,
        };
        let place = real.unwrap_or_else(|| place.to_owned());
        let (file, litter) =
            temporary_in(folder_of(&place)).map_err(|error| refused(&place, error))?;
        Ok(OpenDraft {
            place,
            out: Watched {
                inner: BufWriter::with_capacity(BUFFER, file),
                failed: false,
            },
            litter,
        })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// A sentence that names the place.
    pub fn keep(self) -> Result<(), CliError> {
        let Self { place, file, .. } = self;
        if fs::metadata(&place).is_ok_and(|meta| meta.permissions().readonly()) {
            return Err(refused(&place, ErrorKind::PermissionDenied.into()));
        }
        match file.persist(&place) {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(&place, error.error)),
        }
    }
}

/// A draft that is being written.
pub struct OpenDraft {
    place: PathBuf,
    out: Watched<BufWriter<NamedTempFile<File>>>,
    litter: Litter,
}

impl OpenDraft {
    /// Whether writing to it failed: an error of the work is then its own.
    pub fn failed(&self) -> bool {
        self.out.failed
    }

    /// Ends it: `result` is that of the work which wrote it.
    ///
    /// # Errors
    /// As [`Draft::write`].
    pub fn finish<T>(mut self, result: io::Result<T>) -> Result<(Draft, T), CliError> {
        let result = result.and_then(|value| self.out.flush().map(|()| value));
        let Self {
            place, out, litter, ..
        } = self;
        let value = match result {
            Ok(value) => value,
            Err(error) if out.failed && !stop::is_requested() => {
                return Err(refused(&place, error));
            }
            Err(error) => return Err(error.into()),
        };
        let file = out.inner.into_inner();
        let file = file.map_err(|error| refused(&place, error.into_error()))?;
        let draft = Draft {
            place,
            file,
            _litter: litter,
        };
        Ok((draft, value))
    }
}

impl Write for OpenDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What is larger goes to the file at once: units of rows need no copy of themselves.
const BUFFER: usize = 1 << 17;

/// The folder a file is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A file made the ordinary way: tempfile's own would be readable by its owner alone.
fn temporary_in(folder: &Path) -> io::Result<(NamedTempFile<File>, Litter)> {
    Litter::make(|| {
        let file = tempfile::Builder::new()
            .prefix(".fltscope-")
            .make_in(folder, |path| {
                File::options().write(true).create_new(true).open(path)
            })?;
        let path = file.path().to_owned();
        Ok((file, path))
    })
}

/// A writer that remembers whether it was the one to fail, and stops when all are to stop.
struct Watched<W: Write> {
    inner: W,
    failed: bool,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        stop::check()?;
        let result = self.inner.write(bytes);
        self.failed |= result.is_err();
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.failed |= result.is_err();
        result
    }
}

/// Writes a file under a temporary name beside `path` and renames it when it is whole; what is no file
/// (a device, a pipe) is written to as it is.
pub fn write_file<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
) -> Result<T, CliError> {
    if is_stream(path) {
        let fail = |error: io::Error| match error.kind() {
            ErrorKind::BrokenPipe => CliError::Io(error),
            _ => refused(path, error),
        };
        let mut out = File::options().write(true).open(path).map_err(fail)?;
        return write(&mut out).map_err(fail);
    }
    let (draft, value) = Draft::write(path, write)?;
    draft.keep()?;
    Ok(value)
}

/// Whether a path leads to a device or a pipe: that is written to, only a file is replaced.
fn is_stream(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_reserved =
        cfg!(windows) && (is_device(&name) || path.to_string_lossy().starts_with(r"\\.\"));
    is_reserved || fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Whether a file could be written at `path`: asked before the work that it is to hold.
///
/// # Errors
/// A sentence that names the path.
pub fn check_writable(path: &Path) -> Result<(), CliError> {
    if is_stream(path) {
        return Ok(());
    }
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => return Err(refused(path, ErrorKind::IsADirectory.into())),
        Ok(meta) if meta.permissions().readonly() => {
            return Err(refused(path, ErrorKind::PermissionDenied.into()));
        }
        _ => {}
    }
    temporary_in(folder_of(path))
        .map(|_| ())
        .map_err(|error| refused(path, error))
}

/// Why something cannot be written, in plain words and with the place.
pub fn refused(place: &Path, error: io::Error) -> CliError {
    let why = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => say!(
            en: "no space left on the disk: nothing was written",
            zh: "磁盘空间不足：未写入任何内容"
        ),
        ErrorKind::FileTooLarge => say!(
            en: "too large for this disk: nothing was written",
            zh: "超出此磁盘允许的文件大小：未写入任何内容"
        ),
        ErrorKind::ReadOnlyFilesystem => say!(
            en: "cannot be written: the disk is read-only",
            zh: "无法写入：磁盘为只读"
        ),
        ErrorKind::PermissionDenied => say!(
            en: "cannot be written: no permission, or it is read-only or open in another program",
            zh: "无法写入：没有权限，或文件为只读，或已在其他程序中打开"
        ),
        ErrorKind::NotFound => say!(
            en: "cannot be written: its folder is not there",
            zh: "无法写入：所在文件夹不存在"
        ),
        ErrorKind::IsADirectory => say!(
            en: "expected the name of a file, found a folder",
            zh: "应为文件名，实际是文件夹"
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => say!(
            en: "cannot be written: a file stands where a folder is needed",
            zh: "无法写入：需要文件夹的位置上是一个文件"
        ),
        _ => Message::verbatim(error.to_string()),
    };
    CliError::Input(of_file(&place.display().to_string(), &why))
}

/// Refuses an output that is one of the inputs, by whatever name or link.
///
/// # Errors
/// Usage, with both names.
pub fn not_an_input<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), CliError> {
    let same = |input: &&PathBuf| same_file::is_same_file(input, output).unwrap_or(false);
    match inputs.into_iter().find(same) {
        None => Ok(()),
        Some(input) if input == output => Err(CliError::Usage(format!(
            "the output {} is one of the inputs",
            output.display()
        ))),
        Some(input) => Err(CliError::Usage(format!(
            "the output {} is one of the inputs, {}",
            output.display(),
            input.display()
        ))),
    }
}

/// Prints text on stdout; colours are dropped where it is no terminal or `NO_COLOR` is set.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    out.write_all(visible_styled(text).as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a value as JSON on stdout: characters that a terminal could act on are escapes in it.
pub fn print_json(value: &impl Serialize, layout: Layout) -> Result<(), CliError> {
    print_whole(|out| json::write(value, layout, out))
}

/// Prints on stdout what `write` writes, as it is.
pub fn print_whole(
    write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>,
) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Tells of something that went wrong without ending the run.
pub fn warn(told: &Message, lang: Lang) {
    let _ = writeln!(
        anstream::stderr(),
        "{}: {}",
        styled(lang.pick("warning", "警告"), AnsiColor::Yellow),
        visible_lines(told.text(lang))
    );
}

/// Text in red.
pub fn red(text: &str) -> impl Display + '_ {
    styled(text, AnsiColor::Red)
}

fn styled(text: &str, color: AnsiColor) -> String {
    let style: Style = color.on_default().bold();
    format!("{style}{text}{style:#}")
}
