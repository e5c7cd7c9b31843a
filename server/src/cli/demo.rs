//! `paystatus demo`

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

use super::failure::Failure;
use crate::demo;

/// See it work: a shop to look at, and a payment provider that misbehaves.
///
/// Starts a real server in a folder of its own, with a shop in front: open the link, choose what
/// happens, pay, and watch the customer's page change. Meanwhile a second shop places orders
/// through the client SDK; a simulated Optty sends really signed webhooks late, twice, out of
/// order, forged, and before the order exists. A table says what was sent and what each order
/// became. The shop stays open until Ctrl-C. The exit code is 0 only if every order ended as the
/// provider meant it.
#[derive(Args)]
pub(super) struct Demo {
    /// How long orders are placed, such as 20s or 2m. Then wait for the last ones, and end.
    /// [default: 20s, and the shop stays open]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Orders a second.
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    rate: u32,
    /// What amounts, pauses and repeats are drawn from. The same number, the same demo.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep the data in this folder, which must be new. [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Where gRPC is served. Port 0 is any free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    grpc: SocketAddr,
    /// Where the shop is, and webhooks are taken. [default: 127.0.0.1:8080, if it is free]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// How many times faster the shop's provider and mailer are: for tests.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    tempo: u32,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        // Forged webhooks are meant to be refused: no word about each.
        super::log::start("error");
        let settings = demo::Settings {
            duration: self.duration,
            orders_per_second: self.rate,
            seed: self.seed,
            data: self.data,
            grpc_address: self.grpc,
            http_address: self.http,
            tempo: self.tempo,
        };
        Ok(demo::run(settings)?)
    }
}
