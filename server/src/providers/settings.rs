//! What a configuration says of one account, as its adapter heeds it.

use std::collections::BTreeMap;

use crate::domain::time::Time;

/// A shared secret, key or password. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text as the provider shows it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Only adapters need it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret that webhooks are signed with, and when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret {
    /// The secret, or the public key.
    pub secret: Secret,
    /// From when; at any time before `until` if there is none.
    pub from: Option<Time>,
    /// Until when (not any more at this moment); for ever if there is none.
    pub until: Option<Time>,
}

impl SigningSecret {
    /// A secret without dates.
    #[must_use]
    pub fn always(text: impl Into<String>) -> Self {
        Self { secret: Secret::new(text), from: None, until: None }
    }

    /// True if it counts at that moment.
    #[must_use]
    pub fn is_active(&self, now: Time) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// Which of a provider's two worlds an account is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Real money.
    #[default]
    Live,
    /// The provider's test environment.
    Sandbox,
}

/// A setting that only one provider has: it stands in `options` of the account.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it may be; empty if any text is possible.
    pub values: &'static [&'static str],
    /// What it is where the configuration does not say. `None`: it has no value.
    pub default: Option<&'static str>,
    /// What it does, for an error and the manual.
    pub help: &'static str,
}

/// An option that its adapter cannot work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOption {
    /// Its name.
    pub name: &'static str,
    /// What it must be.
    pub problem: &'static str,
}

/// Settings of an account that its adapter heeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSettings {
    /// What webhooks are signed with, newest first; also those that do not count yet or any more.
    pub secrets: Vec<SigningSecret>,
    /// How far a signed time may be off, in seconds, where the provider signs one.
    pub tolerance_seconds: i64,
    /// Hold back what a weakly signed webhook says of payments too, until a poll confirms it.
    pub confirm_payments: bool,
    /// Webhooks that say they are of the other one are kept and ignored.
    pub environment: Environment,
    /// The provider's own name of the merchant; webhooks that name another are kept and ignored.
    pub provider_merchant: Option<String>,
    /// The adapter's own settings, checked against its [`OptionSpec`]s, defaults filled in.
    pub options: BTreeMap<&'static str, String>,
    /// What the provider's API wants to see, by the names that the adapter gives.
    pub credentials: BTreeMap<String, Secret>,
}

impl AccountSettings {
    /// Settings with these secrets, a tolerance of 300 s, and nothing else.
    #[must_use]
    pub fn signed_with(secrets: &[&str]) -> Self {
        let secrets = secrets.iter().map(|text| SigningSecret::always(*text)).collect();
        Self { secrets, tolerance_seconds: 300, ..Self::default() }
    }

    /// The secrets that count at that moment, newest first.
    pub fn active_secrets(&self, now: Time) -> impl Iterator<Item = &str> {
        let active = self.secrets.iter().filter(move |secret| secret.is_active(now));
        active.map(|secret| secret.secret.expose()).filter(|text| !text.is_empty())
    }

    /// One of the adapter's own settings.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// A credential, or nothing if it is not configured.
    #[must_use]
    pub fn credential(&self, name: &str) -> Option<&str> {
        self.credentials.get(name).map(Secret::expose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_counts_from_its_first_moment_until_before_its_last() {
        let at = Time::from_seconds;
        let dated =
            SigningSecret { from: Some(at(10)), until: Some(at(20)), ..SigningSecret::always("x") };
        let active = [9, 10, 19, 20].map(|second| dated.is_active(at(second)));
        assert_eq!(active, [false, true, true, false]);
        assert!(SigningSecret::always("x").is_active(at(0)));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("whsec_1")), "Secret(..)");
    }
}
