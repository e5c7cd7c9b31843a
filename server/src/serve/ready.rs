//! What the configuration comes to before any data is opened.

use std::net::TcpListener;

use tokio_rustls::TlsAcceptor;

use super::Error;
use crate::{
    accounts::Accounts,
    config::{Client, Config},
    edge::{admin, listen},
};

/// Settings that are checked, and addresses that are bound.
pub(super) struct Ready {
    pub(super) accounts: Accounts,
    pub(super) clients: Vec<Client>,
    pub(super) http_tls: Option<TlsAcceptor>,
    pub(super) sockets: listen::Sockets,
    /// Where metrics are served, if they are.
    pub(super) admin: Option<TcpListener>,
}

impl Ready {
    /// Checks all, then binds.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Listen`].
    pub(super) fn check(config: &Config) -> Result<Self, Error> {
        let threads = match config.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        Ok(Self {
            accounts: config.accounts()?,
            clients: config.clients()?,
            http_tls: listen::http_tls(config.tls.as_ref())?,
            sockets: listen::Sockets::bind(config, threads)?,
            admin: admin::bind(config.admin_address)?,
        })
    }
}
