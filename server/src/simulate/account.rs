//! What an account at a simulated provider is configured with: the same on both sides, made from
//! the provider's name alone, so that nothing has to be copied.

use std::{collections::BTreeMap, net::SocketAddr};

use paystatus_simulator::voices;
use toml_edit::Value;

use crate::{
    domain::ids::Reference,
    providers::{self, AccountSettings, OptionSpec, Subject},
};

/// What the secrets are made from. They are for trying, and no secret at all.
const SECRET_SEED: u64 = 1;
/// Where the status API is served in a printed configuration.
pub const STATUS_API: &str = "127.0.0.1:8090";
/// Whose account it is in a printed configuration.
pub const MERCHANT: &str = "sim-shop";

/// Finds one payment by the merchant's reference, and answers what was asked for, not what was
/// paid: that approves nothing.
const BLOCKATM: &str = "blockatm";

/// What a provider can be asked by the merchant's reference alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It must be asked by its own id, which a webhook or the checkout brings.
    Nothing,
    /// Whatever is no approval.
    Refusals,
    /// What became of the payment.
    All,
}

/// Questions a second in a printed configuration.
const RATE: u32 = 200;

/// An account at a simulated provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name in paystatus.
    pub id: String,
    /// The adapter.
    pub provider: String,
    /// What the configuration holds.
    pub secret: String,
    /// What the provider signs with: the same, where the secret is shared.
    pub signing_secret: String,
    /// The adapter's settings, defaults included.
    pub options: BTreeMap<String, String>,
    /// The provider's own name of the merchant, where asking needs it.
    pub provider_merchant: Option<String>,
    /// What the status API wants to see. Empty if the provider cannot be asked.
    pub credentials: BTreeMap<String, String>,
}

/// The names of all providers that can be simulated.
#[must_use]
pub fn names() -> Vec<&'static str> {
    voices::ALL.iter().map(|voice| voice.name()).collect()
}

impl Account {
    /// The account that a printed configuration has: its webhooks come to `target`, and the
    /// simulator is reached at `url`. `None` if the provider is not known.
    #[must_use]
    pub fn of(provider: &str, id: &str, target: &str, url: &str) -> Option<Self> {
        let (voice, adapter) = (voices::by_name(provider)?, providers::by_name(provider)?);
        let (secret, signing_secret) = voice.secrets(SECRET_SEED);
        let defaults = adapter.options().iter().filter_map(|spec| Some((spec.name, spec.default?)));
        let defaults = defaults.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut options: BTreeMap<String, String> = defaults.collect();
        let stated = voice.account_options(&format!("{target}/webhooks/{id}"), url);
        options.extend(stated.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let credentials = adapter.status_api().map_or(&[][..], |api| api.credentials());
        let credentials =
            credentials.iter().map(|name| ((*name).to_owned(), voice.credential(name)));
        Some(Self {
            id: id.to_owned(),
            provider: provider.to_owned(),
            secret,
            signing_secret,
            options,
            provider_merchant: voice.merchant().map(str::to_owned),
            credentials: credentials.collect(),
        })
    }

    /// True if the provider can be asked.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        providers::by_name(&self.provider).is_some_and(|adapter| adapter.status_api().is_some())
    }

    /// What can be learned by asking about a payment of which nothing but the merchant's
    /// reference is known, because no webhook of it came.
    #[must_use]
    pub fn finds_by_reference(&self) -> Found {
        let Some(adapter) = providers::by_name(&self.provider) else { return Found::Nothing };
        let named = |spec: &OptionSpec| Some((spec.name, self.options.get(spec.name)?.clone()));
        let options = adapter.options().iter().filter_map(named).collect();
        let settings = AccountSettings { options, ..AccountSettings::default() };
        let reference = Reference::parse("reference").ok();
        let subject = Subject {
            ids: &[],
            reference: reference.as_ref(),
            amount: None,
            created: None,
            operations: &[],
        };
        let asks = adapter.status_api().is_some_and(|api| !api.ask(&subject, &settings).is_empty());
        match asks {
            false => Found::Nothing,
            true if self.provider == BLOCKATM => Found::Refusals,
            true => Found::All,
        }
    }

    /// True if each payment of an order wants a reference of its own: the provider knows but one
    /// payment by it.
    #[must_use]
    pub fn payments_want_own_references(&self) -> bool {
        let adapter = providers::by_name(&self.provider);
        self.provider == BLOCKATM
            || adapter.is_none_or(providers::Provider::reference_identifies_attempt)
    }

    /// The section of a configuration file, with what to do with it.
    #[must_use]
    pub fn section(&self, status_api: SocketAddr) -> String {
        let Self { id, provider, .. } = self;
        let quoted = |text: &str| Value::from(text).to_string();
        let asked =
            if self.can_be_asked() { format!(" --status-api {status_api}") } else { String::new() };
        let mut text = format!(
            "# An account at a simulated {provider}. For trying only: everybody knows its secrets.\n\
             #\n\
             #   paystatus serve --config FILE        its first start prints an owner key\n\
             #   paystatus simulate {provider}{asked} --merchant {MERCHANT} --key psk_…\n\
             \n\
             [[accounts]]\n\
             id = {}\n\
             provider = {}\n\
             merchant = {}\n\
             secrets = [{}]\n",
            quoted(id),
            quoted(provider),
            quoted(MERCHANT),
            quoted(&self.secret),
        );
        if let Some(merchant) = &self.provider_merchant {
            text += &format!("provider_merchant = {}\n", quoted(merchant));
        }
        if !self.options.is_empty() {
            text += "\n[accounts.options]\n";
            for (name, value) in &self.options {
                text += &format!("{name} = {}\n", quoted(value));
            }
        }
        if self.can_be_asked() {
            let url = quoted(&format!("http://{status_api}"));
            text += &format!("\n[accounts.status_api]\nurl = {url}\nauth_url = {url}\n");
            text += &format!("rate = {RATE}  # a second: it answers as fast as it is asked\n");
            text += "\n[accounts.status_api.credentials]\n";
            for (name, value) in &self.credentials {
                text += &format!("{name} = {}\n", quoted(value));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn some_can_be_found_by_the_merchants_reference() {
        let found = |wanted| {
            let finds = |name: &&str| {
                let (target, url) = ("http://paystatus.test", "http://provider.test");
                let account = Account::of(name, "sim", target, url).expect("it is known");
                account.finds_by_reference() == wanted
            };
            names().into_iter().filter(finds).collect::<Vec<&str>>()
        };
        assert_eq!(found(Found::All), ["checkout-com", "gr4vy", "optty", "stripe"]);
        assert_eq!(found(Found::Refusals), ["blockatm"]);
    }

    /// What is printed works as it stands, for every provider.
    #[test]
    fn a_printed_section_is_a_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names() {
            let (target, url) = ("http://127.0.0.1:8080", format!("http://{STATUS_API}"));
            let account = Account::of(name, "sim", target, &url).expect("it is known");
            let text = account.section(STATUS_API.parse().expect("an address"));
            let file = folder.path().join(format!("{name}.toml"));
            std::fs::write(&file, &text).expect("it is written");
            let accounts = Config::load(Some(&file)).expect(name).accounts().expect(name);
            let read = accounts.get("sim").expect("it is there");
            assert_eq!(read.provider_name, name);
            assert_eq!(read.settings.provider_merchant, account.provider_merchant);
            assert_eq!(read.settings.secrets[0].secret.expose(), account.secret);
        }
    }
}
