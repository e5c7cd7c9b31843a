//! `paystatus serve`

use std::path::PathBuf;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::{failure::Failure, out::Out};
use crate::{
    config::{self, Config},
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
        raise_file_limit();
        let config = self.load()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(serve::Error::Thread)?;
        // Before anybody knows that this runs: a signal must not find nobody who hears it.
        let mut hang_ups = {
            let _inside = runtime.enter();
            signal(SignalKind::hangup()).map_err(serve::Error::Thread)?
        };
        let server = Server::start(config)?;
        // A reader that is gone is no reason to stop serving.
        drop(announce(&server));
        runtime.block_on(async {
            let mut stopped = std::pin::pin!(stop_signal());
            loop {
                tokio::select! {
                    () = &mut stopped => break tracing::info!("stopping"),
                    () = server.failed() => break,
                    _ = hang_ups.recv() => self.reload(&server),
                }
            }
        });
        Ok(server.stop()?)
    }

    /// The settings as they are written now.
    fn load(&self) -> Result<Config, config::Error> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let limits = config.limits.within(allowed);
        if limits != config.limits {
            let (http, grpc) = (limits.http_connections, limits.grpc_connections);
            let message = "fewer open files are allowed than limits.* may need: they are lowered";
            tracing::warn!(allowed, http, limits.pages, grpc, message);
            config.limits = limits;
        }
        Ok(config)
    }

    /// Reads the settings again. What is wrong with them changes nothing.
    fn reload(&self, server: &Server) {
        match self.load().and_then(|config| server.reload(&config)) {
            Ok(reloaded) => {
                let (added, removed) = (reloaded.added.join(" "), reloaded.removed.join(" "));
                let accounts = reloaded.accounts;
                tracing::info!(accounts, added, removed, "configuration read again");
                if !reloaded.needs_restart.is_empty() {
                    let settings = reloaded.needs_restart.join(" ");
                    tracing::warn!(settings, "changed settings that need a restart to count");
                }
            }
            Err(error) => tracing::error!(
                %error, "the configuration was not read again: all stays as it was"
            ),
        }
    }
}

/// Allows this process as many open files as the system lets it: each connection is one.
fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

fn announce(server: &Server) -> std::io::Result<()> {
    let mut out = Out::new();
    out.line(format_args!("gRPC     {}", server.grpc_address))?;
    out.line(format_args!("webhooks http://{}/webhooks/{{account}}", server.http_address))?;
    if let Some(address) = server.admin_address {
        out.line(format_args!("metrics  http://{address}/metrics"))?;
    }
    if let Some(secret) = &server.first_key {
        out.line("\nThis is the owner key. It is shown once; keep it safe:")?;
        out.line(format_args!("\n  {secret}\n"))?;
    }
    Ok(())
}

/// Returns on SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
