//! What can change while the server runs.

use std::collections::BTreeSet;

use super::Server;
use crate::{
    accounts::Accounts,
    config::{self, Config},
    edge::pages::live::Settings,
};

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
    /// Puts accounts and page settings of another configuration in the place of the present ones,
    /// all at once: no request is dropped, and those under way end with what they began with. Pages
    /// whose token was signed by a key that is gone are closed.
    ///
    /// # Errors
    /// [`config::Error`]; then nothing has changed.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, config::Error> {
        let accounts = config.accounts()?;
        let pages = Settings::read(config)
            .map_err(|error| config::invalid("pages.keys", error.to_string()))?;
        self.pages.replace(pages);
        let names = |accounts: &Accounts| -> BTreeSet<String> {
            accounts.iter().map(|account| account.id.to_string()).collect()
        };
        let after = names(&accounts);
        let before = names(&self.accounts.replace(accounts));
        Ok(Reloaded {
            accounts: after.len(),
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            needs_restart: config.needing_restart(&self.config),
        })
    }
}
