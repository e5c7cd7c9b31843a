//! The configured provider accounts.

use std::collections::BTreeMap;

use crate::{
    domain::{
        fact::AmountRule,
        ids::{AccountId, MerchantId},
    },
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
#[derive(Clone, Debug, Default)]
pub struct StatusAccess {
    /// Another place than the provider's own.
    pub api_url: Option<String>,
    /// Another place for tokens.
    pub auth_url: Option<String>,
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
