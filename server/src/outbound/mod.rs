//! The edge in the other direction: asks providers what became of what is undecided, and fires
//! deadlines.
//!
//! | file | what it is |
//! |---|---|
//! | `schedule` | when to ask, pure |
//! | `breaker`, `rate` | whether to ask now, pure |
//! | `queue` | which orders are due at one account |
//! | `line` | all that belongs to asking one account |
//! | `look` | one look: the requests, and what is recorded of the answers |
//! | `poll` | works off the queues; keeps them in step with the store |
//! | `on_demand` | looks that somebody waits for |
//! | `deadlines` | fires the deadlines of outcomes that no page showed |
//! | `http`, `tokens`, `failed` | requests, what proves who asks, what goes wrong |
//! | `certificates` | what webhooks are signed with |
//!
//! All of it runs on one thread of its own. What is due follows from the store, so that a
//! restart forgets nothing; a look that fails says nothing of a payment.

pub mod breaker;
pub mod certificates;
pub mod deadlines;
mod failed;
pub mod http;
mod line;
mod look;
mod on_demand;
mod poll;
pub mod queue;
pub mod rate;
pub mod schedule;
#[cfg(test)]
mod tests;
mod tokens;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    runtime,
    sync::{Notify, Semaphore},
};

use self::{certificates::Certificates, http::Http, line::Line};
pub use self::{failed::Failed, http::Unusable, look::Looked, queue::Checks};
use crate::{accounts, domain::ids::AccountId, engine, hub::Hub, store::Store};

/// Looks that callers may wait for at once.
pub const ON_DEMAND_MAX: usize = 256;

/// Asks providers. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Shared>);

struct Shared {
    engine: engine::Handle,
    store: Arc<Store>,
    hub: Arc<Hub>,
    accounts: Arc<accounts::Live>,
    http: Http,
    certificates: Certificates,
    lines: Mutex<HashMap<AccountId, Arc<Line>>>,
    /// Rings when the store is to be searched for what is undecided.
    search: Notify,
    on_demand: Arc<Semaphore>,
    /// Of the thread that asks.
    runtime: runtime::Handle,
}

impl Outbound {
    /// Somebody who asks, on the thread of a runtime, once [`Outbound::run`] runs there.
    ///
    /// # Errors
    /// [`Unusable`] if there is no way to send a request.
    pub fn new(
        (engine, store, hub): (engine::Handle, Arc<Store>, Arc<Hub>),
        accounts: Arc<accounts::Live>,
        runtime: runtime::Handle,
    ) -> Result<Self, Unusable> {
        Ok(Self(Arc::new(Shared {
            engine,
            store,
            hub,
            accounts,
            http: Http::new()?,
            certificates: Certificates::default(),
            lines: Mutex::default(),
            search: Notify::new(),
            on_demand: Arc::new(Semaphore::new(ON_DEMAND_MAX)),
            runtime,
        })))
    }
}

impl Shared {
    /// The line to an account, if there is one.
    fn known_line(&self, account: &AccountId) -> Option<Arc<Line>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(account).cloned()
    }

    /// The line to an account; a new one begins to work.
    fn line(self: &Arc<Self>, account: &AccountId) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(account) {
            return Arc::clone(line);
        }
        let line = Arc::new(Line::new(account.clone()));
        lines.insert(account.clone(), Arc::clone(&line));
        self.runtime.spawn(Arc::clone(self).work(Arc::clone(&line)));
        line
    }
}
