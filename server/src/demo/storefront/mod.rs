//! A small shop to look at, at `/demo`: choose what happens, pay, and watch the customer's page
//! beside the timeline of the order.
//!
//! Its backend is a checkout service as any merchant writes one: it records through the client SDK
//! what it is about to do, has a provider charge the customer, and gives the browser a page token.
//! `scenario` says what can be chosen, `visit` plays it, `follow` reads what paystatus knows,
//! `words` says it plainly, `shown` is what the page draws, `mailer` writes to those who never saw
//! an outcome, and `routes` serves it all. `page/` is what the browser gets.

mod follow;
mod mailer;
mod routes;
mod scenario;
mod shown;
mod visit;
mod words;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use paystatus_client::Client;
use paystatus_simulator::deliver::Sender;
use tokio::{runtime::Handle, task::AbortHandle};

use self::{scenario::Scenario, visit::Visit};

/// Whose orders they are: nobody counts them with the others of the demo.
pub(super) const MERCHANT: &str = "corner-shop";
/// The account at the provider that the shop uses.
pub(super) const ACCOUNT: &str = "cards";
/// The provider of it, by the name of its adapter.
pub(super) const PROVIDER: &str = "standard-webhooks";
/// How long the mailer waits for a page to say that it showed the outcome.
pub(super) const NOT_INFORMED: Duration = Duration::from_secs(15);
/// Visits that are remembered. A further one ends the oldest.
const VISITS_MAX: usize = 20;
/// What the first order is called, less one.
const ORDERS_BEFORE: u64 = 1000;

/// The shop. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Storefront(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// There once the server runs, which the routes do before.
    desk: OnceLock<Desk>,
    visits: Mutex<VecDeque<Open>>,
    orders: AtomicU64,
}

/// What the backend works with.
#[derive(Clone)]
pub(super) struct Desk {
    /// With a key that can do no more than a checkout must.
    pub(super) client: Client,
    /// Plays the scenarios.
    pub(super) runtime: Handle,
    /// Sends the provider's webhooks.
    pub(super) sender: Sender,
    /// What they are signed with.
    pub(super) secret: String,
    /// How many times faster than a person could follow.
    pub(super) tempo: u32,
}

/// A visit, and the tasks that end with it.
struct Open {
    visit: Arc<Visit>,
    tasks: Vec<AbortHandle>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Storefront {
    /// What it serves.
    pub(super) fn routes(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// Lets customers in. Until then, they are asked to wait.
    pub(super) fn open(&self, desk: Desk) {
        desk.runtime.spawn(mailer::run(self.clone(), desk.client.clone()));
        drop(self.0.desk.set(desk));
    }

    /// Sends everybody away: their streams end.
    pub(super) fn close(&self) {
        self.visits().clear();
    }

    /// A customer pays: records the order, and plays what was chosen.
    async fn begin(
        &self,
        desk: &Desk,
        scenario: &'static Scenario,
    ) -> Result<Arc<Visit>, visit::Error> {
        let number = ORDERS_BEFORE + 1 + self.0.orders.fetch_add(1, Ordering::Relaxed);
        let visit = Arc::new(Visit::begin(desk, scenario, format!("K-{number}")).await?);
        let tasks = vec![
            desk.runtime.spawn(Arc::clone(&visit).play()).abort_handle(),
            desk.runtime.spawn(follow::run(Arc::clone(&visit), desk.clone())).abort_handle(),
        ];
        let mut visits = self.visits();
        while visits.len() >= VISITS_MAX {
            visits.pop_front();
        }
        visits.push_back(Open { visit: Arc::clone(&visit), tasks });
        Ok(visit)
    }

    fn visit(&self, is_it: impl Fn(&Visit) -> bool) -> Option<Arc<Visit>> {
        let visits = self.visits();
        visits.iter().map(|open| &open.visit).find(|visit| is_it(visit)).map(Arc::clone)
    }

    fn visits(&self) -> MutexGuard<'_, VecDeque<Open>> {
        self.0.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// So long a wait, at the tempo of this demo.
    pub(super) fn at_tempo(&self, time: Duration) -> Duration {
        time / self.tempo.max(1)
    }
}
