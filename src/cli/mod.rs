//! The command line: what was typed, run, and turned into an exit status.

mod analyze;
mod args;
mod batch;
mod drivers;
mod export;
mod folder;
mod info;
mod interrupt;
mod locale;
mod logs;
mod meta;
mod open;
mod output;
mod parts;
mod progress;
mod window;

pub use args::{Args, Command};

use crate::lang::Message;
use crate::stop;
use crate::trace::room::set_cap;
use crate::trace::set_threads;
use crate::visible::visible_lines;
use clap::Parser as _;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why a command ends without success.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// What was asked for makes no sense: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// An input cannot be read, or nothing usable was given: exit status 1.
    #[error("{0}")]
    Input(Message),
    /// Output cannot be written, or an input can no longer be read: exit status 1.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CliError {
    /// An input error that is told in one language only: what the system says, and sentences on outputs and options.
    fn input(text: String) -> Self {
        Self::Input(Message::verbatim(text))
    }

    /// The reason for people.
    pub fn message(&self) -> Message {
        match self {
            Self::Input(message) => message.clone(),
            Self::Usage(_) | Self::Io(_) => Message::verbatim(self.to_string()),
        }
    }
}

/// How a command ended when it ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All was done.
    Done,
    /// It was done, but an input could not be read at all.
    InputUnreadable,
    /// It was done, but something of an input is lost, and `--strict` was asked for.
    Lost,
    /// `--fail-on` was met.
    FailOn,
}

impl Status {
    /// The same under `--strict`, where that was `asked` for: any loss is a failure.
    fn under_strict(self, asked: bool, losses: &[Message]) -> Self {
        match self {
            Self::Done | Self::FailOn if asked && !losses.is_empty() => Self::Lost,
            other => other,
        }
    }
}

/// Runs the command line `args` (the program's name first) and gives the exit status: 0 done, 1 an
/// input could not be read or nothing usable was given (under `--strict`, anything was lost), 2 usage,
/// 3 `--fail-on` was met, 130 stopped by Ctrl-C.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are printed on stdout with status 0, usage errors on stderr with 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    interrupt::catch();
    let lang = args.global.reader().lang;
    match execute(&args) {
        Err(_) if stop::is_requested() => {
            let _ = writeln!(anstream::stderr(), "{}", output::red("stopped"));
            ExitCode::from(interrupt::STOPPED)
        }
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::InputUnreadable | Status::Lost) => ExitCode::from(1),
        Ok(Status::FailOn) => ExitCode::from(3),
        // Who reads our output has seen enough.
        Err(CliError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(
                anstream::stderr(),
                "{}: {}",
                output::red(lang.pick("error", "错误")),
                visible_lines(error.message().text(lang))
            );
            ExitCode::from(match error {
                CliError::Usage(_) => 2,
                CliError::Input(_) | CliError::Io(_) => 1,
            })
        }
    }
}

fn execute(args: &Args) -> Result<Status, CliError> {
    if let Some(threads) = args.global.threads {
        set_threads(threads);
    }
    if let Some(bytes) = args.global.memory {
        set_cap(bytes);
    }
    match &args.command {
        Command::Analyze(command) => analyze::run(command, &args.global),
        Command::Window(command) => window::run(command, &args.global),
        Command::Info(command) => info::run(command, &args.global),
        Command::Drivers(command) => drivers::run(command, &args.global),
        Command::Export(command) => export::run(command, &args.global),
        Command::Completions(command) => meta::completions(command),
        Command::Man(command) => meta::man(command),
    }
}
