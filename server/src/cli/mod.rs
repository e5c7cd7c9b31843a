//! The command line.

mod log;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// paystatus: one durable truth per order, streamed to whoever waits.
#[derive(Debug, Parser)]
#[command(name = "paystatus", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve gRPC and webhooks. Works without any configuration.
    Serve(serve::Serve),
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paystatus: {error}");
            ExitCode::FAILURE
        }
    }
}
