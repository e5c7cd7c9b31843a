//! The settings of one account at a provider.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{Error, StatusApiConfig, invalid};
use crate::{
    accounts::Account,
    domain::{
        fact::AmountRule,
        ids::{AccountId, MerchantId},
        money::{Currency, Money},
        time::Time,
    },
    providers::{self, AccountSettings, Environment, Provider, Secret, SigningSecret},
};

/// One account at a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Its name here; webhooks come to `/webhooks/{id}`.
    pub id: String,
    /// The adapter, one of [`providers::NAMES`].
    pub provider: String,
    /// The merchant that it belongs to.
    pub merchant: String,
    /// Webhooks are signed with one of these, newest first. Several while one is being rotated.
    #[serde(default)]
    pub secrets: Vec<SecretConfig>,
    /// Files that hold a secret each; read in addition to `secrets`.
    #[serde(default)]
    pub secret_files: Vec<PathBuf>,
    /// How far a signed time may be off.
    #[serde(default = "five_minutes", with = "humantime_serde")]
    pub tolerance: Duration,
    /// What stated amounts are accepted.
    #[serde(default)]
    pub amount: AmountConfig,
    /// Create orders that nobody recorded, from their webhooks.
    #[serde(default)]
    pub create_orders: bool,
    /// For weakly signed providers: hold back what webhooks say of payments too.
    #[serde(default)]
    pub confirm_payments: bool,
    /// Webhooks that say they are of the other one are kept and ignored.
    #[serde(default)]
    pub environment: EnvironmentConfig,
    /// The provider's own name of the merchant; webhooks that name another are kept and ignored.
    #[serde(default)]
    pub provider_merchant: Option<String>,
    /// Settings that only this provider has.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Keep the answer of a payment method that the provider passes on as it is.
    #[serde(default = "yes")]
    pub keep_raw_response: bool,
    /// How to ask the provider. Without it nobody asks.
    #[serde(default)]
    pub status_api: Option<StatusApiConfig>,
}

/// A secret: a text, or a text with dates.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum SecretConfig {
    /// It always counts.
    Always(String),
    /// It counts for a time.
    Dated {
        /// The secret.
        value: String,
        /// From when, RFC 3339.
        #[serde(default)]
        from: Option<jiff::Timestamp>,
        /// Until when, RFC 3339.
        #[serde(default)]
        until: Option<jiff::Timestamp>,
    },
}

/// Never printed.
impl std::fmt::Debug for SecretConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretConfig(..)")
    }
}

impl From<String> for SecretConfig {
    fn from(text: String) -> Self {
        Self::Always(text)
    }
}

/// Which of a provider's two worlds an account is in.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentConfig {
    /// Real money.
    #[default]
    Live,
    /// The provider's test environment.
    Sandbox,
}

/// What stated amounts are accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountConfig {
    /// The recorded one.
    #[default]
    Exact,
    /// The recorded one or more.
    AtLeast,
    /// Up to so much off, by currency: `{ within = { EUR = "0.05" } }`. Others are exact.
    Within(BTreeMap<String, String>),
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn yes() -> bool {
    true
}

impl AccountConfig {
    /// An account with these names, and nothing but defaults.
    #[must_use]
    pub fn new(id: &str, provider: &str, merchant: &str) -> Self {
        Self {
            id: id.to_owned(),
            provider: provider.to_owned(),
            merchant: merchant.to_owned(),
            secrets: Vec::new(),
            secret_files: Vec::new(),
            tolerance: five_minutes(),
            amount: AmountConfig::Exact,
            create_orders: false,
            confirm_payments: false,
            environment: EnvironmentConfig::Live,
            provider_merchant: None,
            options: BTreeMap::new(),
            keep_raw_response: true,
            status_api: None,
        }
    }

    pub(super) fn check(&self, index: usize) -> Result<Account, Error> {
        let at = |setting: &str| format!("accounts[{index}].{setting}");
        let id = AccountId::parse(&self.id).map_err(|e| invalid(at("id"), e.to_string()))?;
        let merchant = MerchantId::parse(&self.merchant);
        let merchant = merchant.map_err(|e| invalid(at("merchant"), e.to_string()))?;
        let provider = providers::by_name(&self.provider).ok_or_else(|| {
            let known = providers::NAMES.join(", ");
            invalid(at("provider"), format!("must be one of: {known}"))
        })?;
        let settings = AccountSettings {
            secrets: self.secrets(&at)?,
            tolerance_seconds: i64::try_from(self.tolerance.as_secs()).unwrap_or(i64::MAX),
            confirm_payments: self.confirm_payments,
            environment: match self.environment {
                EnvironmentConfig::Live => Environment::Live,
                EnvironmentConfig::Sandbox => Environment::Sandbox,
            },
            provider_merchant: self.provider_merchant.clone(),
            options: self.options(provider, &at("options"))?,
            credentials: self.credentials(provider, &at)?,
        };
        provider
            .check_options(&settings)
            .map_err(|option| invalid(at(&format!("options.{}", option.name)), option.problem))?;
        if let Some(api) = provider.status_api() {
            let at = |name: &str| at(&format!("status_api.credentials.{name}"));
            api.check_credentials(&settings).map_err(|c| invalid(at(c.name), c.problem))?;
        }
        if settings.secrets.is_empty() && provider.signs_webhooks(&settings) {
            return Err(invalid(at("secrets"), "must hold at least one secret"));
        }
        Ok(Account {
            id,
            merchant,
            provider_name: self.provider.clone(),
            provider,
            status_access: self.status_api.as_ref().map(|api| api.check(&at)).transpose()?,
            settings,
            amount_rules: self.amount_rules(&at("amount"))?,
            creates_orders: self.create_orders,
            keeps_raw_response: self.keep_raw_response,
        })
    }

    fn secrets(&self, at: &dyn Fn(&str) -> String) -> Result<Vec<SigningSecret>, Error> {
        let mut secrets: Vec<SigningSecret> = self.secrets.iter().map(signing_secret).collect();
        for file in &self.secret_files {
            secrets.push(SigningSecret::always(read(file, &at("secret_files"))?));
        }
        if secrets.iter().any(|secret| secret.secret.expose().is_empty()) {
            return Err(invalid(at("secrets"), "must hold no empty secret"));
        }
        Ok(secrets)
    }

    fn options(
        &self,
        provider: &dyn Provider,
        setting: &str,
    ) -> Result<BTreeMap<&'static str, String>, Error> {
        let specs = provider.options();
        if let Some(unknown) = self.options.keys().find(|o| specs.iter().all(|s| s.name != *o)) {
            let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let problem = format!("are known to {}: {known}", self.provider);
            return Err(invalid(
                format!("{setting}.{unknown}"),
                format!("is not known; {problem}"),
            ));
        }
        let mut options = BTreeMap::new();
        for spec in specs {
            let given = self.options.get(spec.name).map(String::as_str);
            let Some(value) = given.or(spec.default) else { continue };
            if !spec.values.is_empty() && !spec.values.contains(&value) {
                let known = spec.values.join(", ");
                let problem = format!("must be one of: {known}; {}", spec.help);
                return Err(invalid(format!("{setting}.{}", spec.name), problem));
            }
            options.insert(spec.name, value.to_owned());
        }
        Ok(options)
    }

    fn credentials(
        &self,
        provider: &dyn Provider,
        at: &dyn Fn(&str) -> String,
    ) -> Result<BTreeMap<String, Secret>, Error> {
        let Some(api) = &self.status_api else { return Ok(BTreeMap::new()) };
        let known = provider.status_api().ok_or_else(|| {
            invalid(
                at("status_api"),
                format!("must be left out: {} cannot be asked", self.provider),
            )
        })?;
        let mut credentials: BTreeMap<String, Secret> = BTreeMap::new();
        for (name, value) in &api.credentials {
            credentials.insert(name.clone(), Secret::new(value));
        }
        for (name, file) in &api.credential_files {
            let value = read(file, &at("status_api.credential_files"))?;
            credentials.insert(name.clone(), Secret::new(value));
        }
        let names = known.credentials();
        let is_right = credentials.len() == names.len()
            && names.iter().all(|n| credentials.get(*n).is_some_and(|c| !c.expose().is_empty()));
        if is_right {
            return Ok(credentials);
        }
        let problem = format!("must hold exactly: {}", names.join(", "));
        Err(invalid(at("status_api.credentials"), problem))
    }

    fn amount_rules(&self, setting: &str) -> Result<Vec<AmountRule>, Error> {
        let by_currency = match &self.amount {
            AmountConfig::Exact => return Ok(vec![AmountRule::Exact]),
            AmountConfig::AtLeast => return Ok(vec![AmountRule::AtLeast]),
            AmountConfig::Within(by_currency) => by_currency,
        };
        let parse = |(code, amount): (&String, &String)| {
            let currency = Currency::parse(code).map_err(|e| invalid(setting, e.to_string()))?;
            let money = Money::parse(amount, currency, 0);
            Ok(AmountRule::Within(money.map_err(|e| invalid(setting, e.to_string()))?))
        };
        by_currency.iter().map(parse).collect()
    }
}

fn signing_secret(config: &SecretConfig) -> SigningSecret {
    let time = |t: &jiff::Timestamp| Time::from_micros(t.as_microsecond());
    match config {
        SecretConfig::Always(text) => SigningSecret::always(text),
        SecretConfig::Dated { value, from, until } => SigningSecret {
            secret: Secret::new(value),
            from: from.as_ref().map(time),
            until: until.as_ref().map(time),
        },
    }
}

fn read(file: &std::path::Path, setting: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|e| invalid(setting, format!("names {}: {e}", file.display())))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::AccountConfig;

    #[test]
    fn options_are_checked_by_the_adapter() {
        let mut account = AccountConfig::new("sq", "square", "shop");
        account.secrets = vec!["key".to_owned().into()];
        let error = |account: &AccountConfig| account.check(0).err().unwrap().to_string();
        let of_url = "accounts[0].options.notification_url";
        assert!(error(&account).contains(of_url), "it must be there");
        account.options.insert("notification_url".to_owned(), "shop.example".to_owned());
        assert!(error(&account).contains(of_url), "it must be a URL");
        let url = "https://shop.example/webhooks/sq".to_owned();
        account.options.insert("notification_url".to_owned(), url);
        assert!(account.check(0).is_ok());
        account.options.insert("capture".to_owned(), "manual".to_owned());
        assert!(error(&account).contains("accounts[0].options.capture is not known"));
    }

    #[test]
    fn only_signed_webhooks_need_a_secret() {
        let mut account = AccountConfig::new("mollie", "mollie", "shop");
        assert!(account.check(0).is_ok(), "classic webhooks are not signed");
        account.options.insert("webhooks".to_owned(), "next-gen".to_owned());
        let error = account.check(0).err().unwrap().to_string();
        assert!(error.contains("accounts[0].secrets must hold at least one secret"), "{error}");
    }
}
