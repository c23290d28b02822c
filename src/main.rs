//! The `fltscope` program.

use std::process::ExitCode;

/// Workers take and give back buffers of megabytes all the time: the system's allocator gives them back to the
/// kernel each time, which costs a third of an analysis.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fltscope::cli::run(std::env::args_os())
}
