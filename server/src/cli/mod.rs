//! The command line. Standard output is data, standard error is talk.

mod accounts;
mod audit;
mod connection;
mod demo;
mod failure;
mod json;
mod keys;
mod log;
mod operators;
mod order;
mod orders;
pub(crate) mod out;
mod serve;
mod simulate;
mod verify;
mod watch;
mod webhooks;
mod when;
pub(crate) mod words;

pub(crate) use serve::stop_signal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What stands below the list of commands.
const FIRST_STEPS: &str = "\
First steps:
  paystatus demo                 see it work: nothing to set up, nothing left behind
  paystatus serve                start a server; its first start prints an owner key
  export PAYSTATUS_API_KEY=…     that key, for the commands below
  export PAYSTATUS_MERCHANT=…    whose orders; any name will do for a start
  paystatus watch                see every change the moment it happens
  paystatus order ID             one order, and all that is known about it

Standard output is data (with --json one object a line), standard error is talk.
Exit codes: 0 good, 1 something failed or differs, 2 the command line is wrong.";

/// One durable truth about every payment, told to whoever waits.
///
/// paystatus takes every piece of evidence about a payment (webhooks late, twice or out of
/// order, replies, time-outs), keeps one durable status per order, and tells everyone who waits
/// the moment it changes. It moves no money.
#[derive(Parser)]
#[command(name = "paystatus", version, about, after_help = FIRST_STEPS, propagate_version = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Simulate(Box<simulate::Simulate>),
    Watch(watch::Watch),
    Orders(orders::Orders),
    Order(order::Order),
    Webhooks(webhooks::Webhooks),
    Accounts(accounts::Accounts),
    Keys(keys::Keys),
    Operators(operators::Operators),
    Audit(audit::Audit),
    Verify(verify::Verify),
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Simulate(command) => command.run(),
        Command::Watch(command) => command.run(),
        Command::Orders(command) => command.run(),
        Command::Order(command) => command.run(),
        Command::Webhooks(command) => command.run(),
        Command::Accounts(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Operators(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Verify(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough: `paystatus orders | head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            out::talk(&format_args!("paystatus: {failure}"));
            if let Some(hint) = failure.hint() {
                out::talk(&format_args!("{hint}"));
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        for line in [
            "serve",
            "serve --config f.toml --data d",
            "demo",
            "demo --for 3s --seed 7 --rate 20 --data d",
            "demo --grpc 127.0.0.1:50051 --http 127.0.0.1:8080 --tempo 5",
            "simulate optty --print-config",
            "simulate --print-config optty --status-api 127.0.0.1:1 --target http://h:1",
            "simulate optty --orders 5 --seed 3 --chaos late,flip --account a --secret s --json",
            "simulate optty --api-key k --server http://h:1 --option a=b --credential c=d",
            "simulate optty --scenario 1 --patience 2m --run r",
            "simulate standard-webhooks --scenario polling",
            "watch",
            "watch --order o-1 --from beginning --json",
            "watch --from cursor:abc",
            "orders --status pending --status DECLINED --label shop=au --limit 5 --json",
            "orders --unclaimed --merchant m",
            "order o-1 --json --server https://h:1 --ca ca.pem --key k",
            "keys list --json",
            "keys create till-1 --role checkout --merchant a --merchant b",
            "keys create anna-1 --operator anna --expires 90days --json",
            "keys revoke key_1",
            "operators list --json",
            "operators add anna --name Anna --merchant a --merchant b",
            "operators set anna --name Anna --merchant a --json",
            "operators remove anna",
            "audit",
            "audit --of-key key_1 --operator anna --of shop --since 2h --until 2026-11-21 --limit 5",
            "audit --json --client-cert c.pem --client-key k.pem",
            "webhooks list --account a --disposition unreadable --since 2h --until 2026-11-21",
            "webhooks list --event payment.paid --order o-1 --limit 5 --json",
            "webhooks show wh_1 --card-tokens --json",
            "webhooks show wh_1 --save body.json",
            "webhooks replay wh_1 wh_2 --dry-run",
            "webhooks replay --account a --since 2026-11-21T12:00:00Z --json",
            "accounts",
            "accounts --json --of shop",
            "accounts rotate a --config f.toml --stdin --overlap 2h",
            "accounts rotate a --config f.toml --generate",
            "verify --data d --json",
        ] {
            let words = std::iter::once("paystatus").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "order",
            "orders --status LATE",
            "orders --label shop",
            "keys create till-1",
            "keys create till-1 --role king",
            "keys create till-1 --operator anna --role owner",
            "keys create till-1 --operator anna --merchant a",
            "keys create till-1 --role owner --expires soon",
            "operators add anna --name Anna",
            "audit --client-cert c.pem",
            "watch --from yesterday",
            "demo --for soon",
            "demo --rate 0",
            "demo --tempo 0",
            "simulate",
            "simulate nobody",
            "simulate optty --chaos rain",
            "simulate optty --scenario 6",
            "simulate optty --scenario 1 --chaos late",
            "webhooks replay",
            "webhooks replay wh_1 --account a",
            "webhooks replay wh_1 --since 2h",
            "webhooks list --disposition lost",
            "accounts rotate a --config f.toml",
            "accounts rotate a --config f.toml --stdin --generate",
            "accounts rotate a --stdin",
        ] {
            let words = std::iter::once("paystatus").chain(line.split_terminator(' '));
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
