//! `paystatus serve`

use std::path::PathBuf;

use clap::Args;

use super::{failure::Failure, out::Out};
use crate::{
    config::Config,
    serve::{self, Server},
};

/// Serve gRPC and webhooks. Works without any configuration.
#[derive(Args)]
pub(super) struct Serve {
    /// Settings, as a TOML file. Variables such as PAYSTATUS_GRPC_ADDRESS override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the data. Made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        super::log::start("info");
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = self.data {
            config.data = data;
        }
        let server = Server::start(config)?;
        // A reader that is gone is no reason to stop serving.
        drop(announce(&server));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(serve::Error::Thread)?;
        runtime.block_on(async {
            tokio::select! {
                () = stop_signal() => tracing::info!("stopping"),
                () = server.failed() => {}
            }
        });
        Ok(server.stop()?)
    }
}

fn announce(server: &Server) -> std::io::Result<()> {
    let mut out = Out::new();
    out.line(format_args!("gRPC     {}", server.grpc_address))?;
    out.line(format_args!("webhooks http://{}/webhooks/{{account}}", server.http_address))?;
    if let Some(secret) = &server.first_key {
        out.line("\nThis is the owner key. It is shown once; keep it safe:")?;
        out.line(format_args!("\n  {secret}\n"))?;
    }
    Ok(())
}

/// Returns on SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
