//! Completion scripts and manual pages.

use super::args::{Args, CompletionsArgs, ManArgs};
use super::{CliError, Status};
use clap::CommandFactory as _;
use std::io::{self, Write as _};

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs) -> Result<Status, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "fltscope", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Status::Done)
}

/// Prints the manual page, or writes one page a command.
pub fn man(args: &ManArgs) -> Result<Status, CliError> {
    let command = Args::command();
    match &args.dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            io::stdout().write_all(&page)?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|error| CliError::input(format!("{}: {error}", dir.display())))?;
            clap_mangen::generate_to(command, dir)?;
        }
    }
    Ok(Status::Done)
}
