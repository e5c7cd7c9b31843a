//! What can change while the server runs.

use std::{collections::BTreeSet, sync::Arc};

use super::Server;
use crate::{
    accounts::{self, Accounts},
    config::{self, Config},
    edge::{
        Context,
        grpc::certificates::Certificates,
        pages::{self, live::Settings},
    },
};

/// What the parts of a running server look up each time, and what it was started with.
pub(super) struct Live {
    accounts: Arc<accounts::Live>,
    pages: Arc<pages::Live>,
    certificates: Arc<Certificates>,
    start: Arc<Config>,
}

impl Live {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            accounts: Arc::clone(&context.accounts),
            pages: Arc::clone(&context.pages),
            certificates: Arc::clone(&context.certificates),
            start: Arc::clone(&context.config),
        }
    }
}

/// What reading the configuration again came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How many accounts there are now.
    pub accounts: usize,
    /// Those that are new.
    pub added: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
    /// Settings that differ and count from the next start on.
    pub needs_restart: Vec<&'static str>,
}

impl Server {
    /// Puts accounts, page settings and the services with certificates of another configuration in
    /// the place of the present ones, all at once: no request is dropped, and those under way end
    /// with what they began with. Pages whose token was signed by a key that is gone are closed, and
    /// streams of a service that is not listed any more, within a heartbeat.
    ///
    /// # Errors
    /// [`config::Error`]; then nothing has changed.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, config::Error> {
        let accounts = config.accounts()?;
        let pages = Settings::read(config)
            .map_err(|error| config::invalid("pages.keys", error.to_string()))?;
        let clients = config.clients()?;
        self.live.pages.replace(pages);
        self.live.certificates.replace(clients);
        let names = |accounts: &Accounts| -> BTreeSet<String> {
            accounts.iter().map(|account| account.id.to_string()).collect()
        };
        let after = names(&accounts);
        let before = names(&self.live.accounts.replace(accounts));
        Ok(Reloaded {
            accounts: after.len(),
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            needs_restart: config.needing_restart(&self.live.start),
        })
    }
}
