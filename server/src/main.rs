//! The `paystatus` command.

use std::process::ExitCode;

/// Bodies are allocated in serving threads and freed in the engine's; mimalloc does not mind.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    paystatus_server::cli::run()
}
