//! An account at a provider that the simulator plays: the voice says what happened, the adapter
//! hears it.

use paystatus_simulator::{
    life::Event,
    voice::{Question, Speaker, Voice, Webhook},
    voices,
};

use super::{happened::NOW, in_words::statements};
use crate::{
    domain::{statement::Statement, time::Time},
    providers::{
        AccountSettings, Content, Provider, Reading, Request, Secret, SigningSecret, by_name,
    },
};

/// The provider's own name of the merchant. `BlockATM`'s are numbers.
const MERCHANT: &str = "7001";
/// A secret that nobody signs with, in a form that every provider takes.
const OTHER_SECRET: &str = "00ff";
/// Where webhooks are sent.
const HOOK: &str = "https://paystatus.test/webhooks/acc";
/// Where the provider is.
const URL: &str = "http://127.0.0.1:1";

/// A voice of the simulator and the adapter that knows it, of one account.
pub(in crate::providers) struct SimulatedAccount {
    pub(in crate::providers) voice: &'static dyn Voice,
    pub(in crate::providers) provider: &'static dyn Provider,
    pub(in crate::providers) speaker: Speaker,
    pub(in crate::providers) settings: AccountSettings,
}

impl SimulatedAccount {
    /// An account with these options beside what the voice needs and the adapter's defaults, and
    /// with every credential. Of its two secrets the older one signs.
    pub(in crate::providers) fn new(name: &str, options: &[(&'static str, &str)]) -> Self {
        let voice = voices::by_name(name).unwrap_or_else(|| panic!("{name} has no voice"));
        let provider = by_name(name).unwrap_or_else(|| panic!("{name} has no adapter"));
        let (configured, secret) = voice.secrets(7);
        let mut settings = AccountSettings::signed_with(&[OTHER_SECRET, &configured]);
        settings.provider_merchant = Some(MERCHANT.to_owned());
        for spec in provider.options() {
            settings.options.extend(spec.default.map(|default| (spec.name, default.to_owned())));
        }
        settings.options.extend(voice.account_options(HOOK, URL));
        settings.options.extend(options.iter().map(|(name, value)| (*name, (*value).to_owned())));
        assert_eq!(provider.check_options(&settings), Ok(()), "{name}");
        let speaker = Speaker {
            secret,
            options: settings.options.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            merchant: MERCHANT.to_owned(),
            url: URL.to_owned(),
            now_seconds: NOW,
            ..Speaker::default()
        };
        let mut account = Self { voice, provider, speaker, settings };
        for name in provider.status_api().map_or(&[][..], |api| api.credentials()) {
            account.set_credential(name, &voice.credential(name));
        }
        account
    }

    /// Signs with another secret, of which the account's settings hold this.
    pub(in crate::providers) fn set_secret(&mut self, configured: &str, signing: &str) {
        self.settings.secrets[1] = SigningSecret::always(configured);
        signing.clone_into(&mut self.speaker.secret);
    }

    /// Gives both sides this credential.
    pub(in crate::providers) fn set_credential(&mut self, name: &str, text: &str) {
        self.settings.credentials.insert(name.to_owned(), Secret::new(text));
        self.speaker.credentials.insert(name.to_owned(), text.to_owned());
    }

    /// The webhook of an event, if the provider has one for it.
    pub(in crate::providers) fn webhook(&self, event: &Event) -> Option<Webhook> {
        self.voice.webhook(event, &self.speaker)
    }

    /// The same, signed anew a second later.
    pub(in crate::providers) fn redelivery(&self, event: &Event) -> Option<Webhook> {
        let speaker = Speaker { now_seconds: NOW + 1, ..self.speaker.clone() };
        self.voice.webhook(event, &speaker)
    }

    /// What the adapter reads of a webhook, which verifies with the secret that signed it, and
    /// where it is signed with no other.
    pub(in crate::providers) fn read(&self, webhook: &Webhook) -> Vec<Reading> {
        let mut request = Request::new(&webhook.headers, &webhook.body);
        let certificates = self.certificates(&request);
        request.certificates = certificates.as_deref();
        let now = Time::from_seconds(NOW);
        let verified = self.provider.verify(&request, &self.settings, now);
        assert_eq!(verified, Ok(()), "{}", self.voice.name());
        if self.provider.signs_webhooks(&self.settings) {
            let mut other = self.settings.clone();
            other.secrets.truncate(1);
            self.provider.verify(&request, &other, now).unwrap_err();
        }
        let readings = self.provider.read(&request, &self.settings).unwrap();
        assert!(readings.iter().all(|r| !r.event_id.is_empty() && r.event_id.len() <= 128));
        let may_be_many = ["adyen", "mollie"].contains(&self.voice.name());
        assert!(readings.len() == 1 || may_be_many, "one webhook is one event: {readings:?}");
        readings
    }

    /// What the adapter reads of an event's webhook. `None` if the provider has none for it.
    pub(in crate::providers) fn readings(&self, event: &Event) -> Option<Vec<Reading>> {
        self.webhook(event).map(|webhook| self.read(&webhook))
    }

    /// What the adapter hears of an event; nothing if the provider does not speak of it.
    pub(in crate::providers) fn hear(&self, event: &Event) -> Vec<Statement> {
        let readings = self.readings(event).unwrap_or_default();
        let is_heard = |reading: &Reading| !matches!(reading.content, Content::Ignored { .. });
        assert!(readings.iter().all(is_heard), "{readings:?}");
        readings.into_iter().flat_map(|reading| statements(reading.content)).collect()
    }

    /// What stands where the request says that the certificate is.
    fn certificates(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let url = self.provider.certificate_url(request, &self.settings).unwrap()?;
        let path = url.strip_prefix(&self.speaker.url).unwrap().to_owned();
        let question = Question { method: "GET".to_owned(), path, ..Question::default() };
        Some(self.voice.answer(&question, &[], &self.speaker).unwrap().body)
    }
}
