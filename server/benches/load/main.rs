//! Speed, measured: the real server in one process, the load and the clock in this one.
//!
//! `server/benches/README.md` says what is measured and how to repeat it.

mod calls;
mod fanout;
mod h2;
mod http;
mod idle;
mod latency;
mod options;
mod orders;
mod process;
mod serve;
mod stats;
mod streams;
mod webhook;
mod webhooks;

use std::process::ExitCode;

use options::{Options, Role, Scenario};

/// As the `paystatus` command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Role::Measure(options)) => options,
        Ok(Role::Serve(serving)) => {
            serve::run(&serving);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{}", options::USAGE);
            return ExitCode::FAILURE;
        }
    };
    type Measure = fn(&Options);
    let all: [(Scenario, Measure); 5] = [
        (Scenario::Webhooks, webhooks::measure),
        (Scenario::Orders, orders::measure),
        (Scenario::Latency, latency::measure),
        (Scenario::Fanout, fanout::measure),
        (Scenario::Idle, idle::measure),
    ];
    for (scenario, measure) in all {
        if options.scenarios.contains(&scenario) {
            println!("\n{scenario:?}");
            measure(&options);
        }
    }
    ExitCode::SUCCESS
}
