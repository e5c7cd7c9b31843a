//! Any provider, simulated against a running paystatus: orders are recorded through the SDK,
//! the provider's webhooks come badly, and each order must end as the provider's ledger says.
//!
//! `account` says what an account at the simulated provider is configured with, `story` what can
//! happen to an order, `expect` what must come of it, `shop` plays orders, `judge` compares,
//! `scenario` plays the time-outs that Gr4vy documents.

pub mod account;
mod expect;
mod judge;
pub mod scenario;
mod shop;
mod story;

use std::{net::SocketAddr, sync::Mutex, time::Duration};

use paystatus_client::Client;
use paystatus_simulator::{Chaos, Simulator};
use tokio::task::JoinSet;

pub use self::{
    account::{Account, Found},
    judge::Judged,
    story::{STORIES, Story},
};

/// How the provider is simulated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account that webhooks come to.
    pub account: Account,
    /// Where webhooks are taken: `http://127.0.0.1:8080`.
    pub target: String,
    /// Where the status API is served. Then the account must ask there, and what no webhook told
    /// is expected to be learned by asking.
    pub status_api: Option<SocketAddr>,
    /// How many orders.
    pub orders: u32,
    /// How many a second, at least 1.
    pub orders_per_second: u32,
    /// What chance is drawn from.
    pub seed: u64,
    /// What goes wrong.
    pub chaos: Chaos,
    /// What order ids begin with: ids are for ever, so every run needs another.
    pub run: String,
    /// How long an order may take to end as it must, once the last webhook was sent.
    pub patience: Duration,
}

/// Why it could not be played to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provider does not start.
    #[error(transparent)]
    Simulator(#[from] paystatus_simulator::Error),
    /// paystatus refuses, or cannot be reached.
    #[error(transparent)]
    Call(#[from] paystatus_client::Error),
    /// The provider has no words for any story.
    #[error("{provider} has no webhook for any of the stories")]
    NothingToSay {
        /// The provider.
        provider: String,
    },
    /// An order did not come to what the scenario needs.
    #[error("{what} did not come within {patience:?}")]
    Missing {
        /// What was waited for.
        what: String,
        /// How long.
        patience: Duration,
    },
    /// The provider cannot play a scenario.
    #[error("{provider} cannot play this: {why}")]
    Unplayable {
        /// The provider.
        provider: String,
        /// Why.
        why: &'static str,
    },
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Orders that were recorded.
    pub orders: u64,
    /// Webhooks that were sent, repeats and forged ones included.
    pub webhooks: u64,
    /// Orders that ended.
    pub ended: u64,
}

/// Counts what happens, while it happens.
#[derive(Debug, Default)]
pub struct Board(Mutex<Progress>);

impl Board {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn count(&self, add: impl FnOnce(&mut Progress)) {
        add(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// Starts the provider that the settings name.
///
/// # Errors
/// [`Error::Simulator`]
pub async fn start(settings: &Settings) -> Result<Simulator, Error> {
    let account = &settings.account;
    let target = settings.target.trim_end_matches('/');
    let url = if target.contains("/webhooks/") {
        target.to_owned()
    } else {
        format!("{target}/webhooks/{}", account.id)
    };
    let mut builder = Simulator::builder(&account.provider)?
        .webhooks_to(url)
        .secret(&account.signing_secret)
        .seed(settings.seed);
    for (name, value) in &account.options {
        builder = builder.option(name, value);
    }
    if let Some(merchant) = &account.provider_merchant {
        builder = builder.merchant(merchant);
    }
    for (name, value) in &account.credentials {
        builder = builder.credential(name, value);
    }
    if let Some(address) = settings.status_api {
        builder = builder.status_api(address);
    }
    Ok(builder.start().await?)
}

/// Plays all orders and judges each. The same settings give the same run, but for the time
/// things take.
///
/// # Errors
/// [`Error`] if it cannot be played at all; what went wrong with an order is said of the order.
pub async fn run(
    client: &Client,
    simulator: &Simulator,
    settings: &Settings,
    board: &std::sync::Arc<Board>,
) -> Result<Vec<Judged>, Error> {
    let provider = &settings.account.provider;
    let stories: Vec<&'static Story> =
        STORIES.iter().filter(|story| story.can_be_told(simulator.voice())).collect();
    if stories.is_empty() {
        return Err(Error::NothingToSay { provider: provider.clone() });
    }
    let shop = shop::Shop {
        client: client.clone(),
        simulator: simulator.clone(),
        account: settings.account.id.clone(),
        chaos: settings.chaos.clone(),
        wants_own_references: settings.account.payments_want_own_references(),
        is_asked: settings.status_api.is_some(),
        found: match settings.status_api {
            Some(_) => settings.account.finds_by_reference(),
            None => Found::Nothing,
        },
        patience: settings.patience,
        board: std::sync::Arc::clone(board),
    };
    let interval = Duration::from_secs(1) / settings.orders_per_second.max(1);
    let mut ticks = tokio::time::interval(interval);
    let mut under_way = JoinSet::new();
    for number in 1..=settings.orders {
        ticks.tick().await;
        let shop = shop.clone();
        let order_id = format!("{}-{number:04}", settings.run);
        let story = stories[number as usize % stories.len()];
        let seed = settings.seed ^ u64::from(number).rotate_left(32);
        under_way.spawn(async move { shop.play(order_id, story, seed).await });
    }
    let mut judged: Vec<Judged> = under_way.join_all().await;
    judged.sort_by(|a, b| a.order_id.cmp(&b.order_id));
    Ok(judged)
}
