//! The outside: turns requests into commands, and changes back into messages. The only place
//! that knows tonic, wire types and HTTP.

pub mod admin;
mod body;
pub mod forensics;
pub mod grpc;
pub mod http;
mod inquiry;
pub mod intake;
pub mod listen;
pub mod pages;
mod receipt;
mod reencoded;
mod socket;
pub mod tally;

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    accounts,
    config::Config,
    engine,
    hub::{Hub, Relay},
    ledger::Ledger,
    outbound::Outbound,
    store::Store,
};

/// Everything that a request may need. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The writer.
    pub engine: engine::Handle,
    /// The present state.
    pub store: Arc<Store>,
    /// What is new.
    pub hub: Arc<Hub>,
    /// Wakes the watchers of this thread.
    pub relay: Arc<Relay>,
    /// Asks providers.
    pub outbound: Outbound,
    /// The provider accounts, as they are configured now.
    pub accounts: Arc<accounts::Live>,
    /// What came to them since the start.
    pub tallies: Arc<tally::Tallies>,
    /// How late their webhooks are, and who is silent.
    pub ledger: Arc<Ledger>,
    /// Services that call with a certificate, as they are configured now.
    pub certificates: Arc<grpc::certificates::Certificates>,
    /// What each caller did since the start.
    pub usage: Arc<grpc::usage::Usage>,
    /// Every setting.
    pub config: Arc<Config>,
    /// The settings of pages, and the keys of their tokens, as they are configured now.
    pub pages: Arc<pages::Live>,
    /// Pages that are open.
    pub places: Arc<pages::Places>,
    /// Readers of named subscriptions.
    pub sessions: Arc<grpc::sessions::Sessions>,
    /// Turns true when the server shuts down.
    pub drain: watch::Receiver<bool>,
}
