//! `paystatus serve`

use std::{error::Error, path::PathBuf};

use clap::Args;

use crate::{config::Config, serve::Server};

/// Serve gRPC and webhooks. Works without any configuration.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Settings, as a TOML file. Variables such as PAYSTATUS_GRPC_ADDRESS override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the data. Made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        crate::cli::log::start();
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = self.data {
            config.data = data;
        }
        let server = Server::start(config)?;
        println!("gRPC     {}", server.grpc_address);
        println!("webhooks http://{}/webhooks/{{account}}", server.http_address);
        if let Some(secret) = &server.first_key {
            println!("\nThis is the owner key. It is shown once; keep it safe:\n\n  {secret}\n");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                () = stop_signal() => tracing::info!("stopping"),
                () = server.failed() => {}
            }
        });
        Ok(server.stop()?)
    }
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
