//! The `fltscope` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    fltscope::cli::run(std::env::args_os())
}
