//! Writing: files that are whole or not there, and text on the terminal.

use super::CliError;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file under a temporary name beside `path` and renames it when it is whole; what is no file
/// (a device, a pipe) is written to as it is.
pub fn write_file<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
) -> Result<T, CliError> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::Io(error),
        _ => CliError::Input(format!("{}: {error}", path.display())),
    };
    // A device or a pipe is written to; only a file is replaced.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let mut out = File::options().write(true).open(path).map_err(fail)?;
        return write(&mut out).map_err(fail);
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // A file made the ordinary way: tempfile's own would be readable by its owner alone.
    let file = tempfile::Builder::new()
        .prefix(".fltscope-")
        .make_in(folder, |path| {
            File::options().write(true).create_new(true).open(path)
        })
        .map_err(fail)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let result = write(&mut out).map_err(fail)?;
    let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(result)
}

/// Prints text on stdout; colours are dropped where it is no terminal or `NO_COLOR` is set.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Tells of something that went wrong without ending the run.
pub fn warn(text: &str) {
    let _ = writeln!(
        anstream::stderr(),
        "{}: {text}",
        styled("warning", AnsiColor::Yellow)
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
