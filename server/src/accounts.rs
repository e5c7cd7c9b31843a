//! The configured provider accounts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    domain::{
        fact::AmountRule,
        ids::{AccountId, MerchantId},
    },
    outbound::{breaker, rate, schedule::Schedule},
    providers::{AccountSettings, Provider},
};

/// One configured account at a provider.
pub struct Account {
    /// Its name here.
    pub id: AccountId,
    /// The merchant it belongs to.
    pub merchant: MerchantId,
    /// The adapter's name in the configuration.
    pub provider_name: String,
    /// The adapter.
    pub provider: &'static dyn Provider,
    /// What the adapter heeds.
    pub settings: AccountSettings,
    /// What stated amounts are accepted; a tolerance is for one currency.
    pub amount_rules: Vec<AmountRule>,
    /// True if webhooks create orders that nobody recorded.
    pub creates_orders: bool,
    /// False if what [`Provider::raw_response`] finds is not to be kept.
    pub keeps_raw_response: bool,
    /// How to ask the provider; `None` if nobody is to ask.
    pub status_access: Option<StatusAccess>,
}

/// How a provider is asked.
#[derive(Clone, Debug)]
pub struct StatusAccess {
    /// Another place than the provider's own.
    pub api_url: Option<String>,
    /// Another place for tokens.
    pub auth_url: Option<String>,
    /// When.
    pub schedule: Schedule,
    /// How many requests a second.
    pub rate: rate::Limit,
    /// How long one may take.
    pub timeout: Duration,
    /// When the provider is left alone.
    pub breaker: breaker::Limits,
}

impl Default for StatusAccess {
    fn default() -> Self {
        Self {
            api_url: None,
            auth_url: None,
            schedule: Schedule::default(),
            rate: rate::Limit::per_second(5.0),
            timeout: Duration::from_secs(10),
            breaker: breaker::Limits { failures: 5, pause: Duration::from_secs(30) },
        }
    }
}

/// All configured accounts, by id.
#[derive(Default)]
pub struct Accounts(BTreeMap<AccountId, Account>);

impl Accounts {
    /// Adds one; returns the one of that id before.
    pub fn insert(&mut self, account: Account) -> Option<Account> {
        self.0.insert(account.id.clone(), account)
    }

    /// The account of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Account> {
        self.0.get(&AccountId::parse(id).ok()?)
    }

    /// The ids of a merchant's accounts.
    #[must_use]
    pub fn of_merchant(&self, merchant: &MerchantId) -> Vec<AccountId> {
        let own = self.0.values().filter(|account| account.merchant == *merchant);
        own.map(|account| account.id.clone()).collect()
    }

    /// Every account, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }
}

/// The accounts as they are configured now. Replaced as a whole when the configuration is read
/// again; what is under way goes on with what it began with.
pub struct Live(watch::Sender<Arc<Accounts>>);

impl Live {
    /// The accounts of the start.
    #[must_use]
    pub fn new(accounts: Accounts) -> Self {
        Self(watch::Sender::new(Arc::new(accounts)))
    }

    /// The accounts as they are now.
    #[must_use]
    pub fn load(&self) -> Arc<Accounts> {
        Arc::clone(&self.0.borrow())
    }

    /// Puts others in their place; returns those before.
    pub fn replace(&self, accounts: Accounts) -> Arc<Accounts> {
        self.0.send_replace(Arc::new(accounts))
    }

    /// Tells when they are replaced.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Accounts>> {
        self.0.subscribe()
    }
}
