//! The command line.

use std::path::PathBuf;

/// What may be asked.
pub(crate) const USAGE: &str = "\
cargo bench -p paystatus-server --bench load -- [what] [options]

what:  webhooks | orders | latency | fanout | idle | all (default)

--seconds N       length of one round (default 5)
--pairs N         rounds of each side, in turn (default 5)
--connections N   connections of webhooks and orders (default: 64 and 256; 16)
--streams N       streams of fanout and idle (default 10000)";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Webhooks,
    Orders,
    Latency,
    Fanout,
    Idle,
}

/// How it is measured.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) seconds: u64,
    pub(crate) pairs: usize,
    pub(crate) connections: Option<usize>,
    pub(crate) streams: usize,
}

/// What the serving process is told.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) data: PathBuf,
    pub(crate) heartbeat_ms: u64,
}

/// Which process this is.
pub(crate) enum Role {
    Measure(Options),
    Serve(Serving),
}

pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Role, String> {
    use Scenario::{Fanout, Idle, Latency, Orders, Webhooks};
    let all = vec![Webhooks, Orders, Latency, Fanout, Idle];
    let mut options =
        Options { scenarios: all, seconds: 5, pairs: 5, connections: None, streams: 10_000 };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "all" => {}
            // Cargo adds it.
            "--bench" => {}
            "webhooks" => options.scenarios = vec![Webhooks],
            "orders" => options.scenarios = vec![Orders],
            "latency" => options.scenarios = vec![Latency],
            "fanout" => options.scenarios = vec![Fanout],
            "idle" => options.scenarios = vec![Idle],
            "--seconds" => options.seconds = number(&arg, args.next())?,
            "--pairs" => options.pairs = number(&arg, args.next())?,
            "--connections" => options.connections = Some(number(&arg, args.next())?),
            "--streams" => options.streams = number(&arg, args.next())?,
            "--serve" => {
                let data = args.next().ok_or("--serve needs a folder")?.into();
                let heartbeat_ms = number("heartbeat", args.next())?;
                return Ok(Role::Serve(Serving { data, heartbeat_ms }));
            }
            other => return Err(format!("what is {other}?")),
        }
    }
    Ok(Role::Measure(options))
}

fn number<N: std::str::FromStr>(name: &str, value: Option<String>) -> Result<N, String> {
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{name} needs a number"))
}
