//! A provider that runs: a ledger, its voice, webhooks that are sent and a status API that is
//! served.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    api::{self, Desk, Fault, Served},
    chaos, clock,
    deliver::{Retry, Sender, Sent, Unsendable},
    ledger::{Action, Ledger, Refused},
    life::{Amount, Event, Payment},
    voice::{Question, Reply, Speaker, Voice, Webhook},
    voices,
};

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No provider has that name.
    #[error("no provider is called `{name}`; known are: {}", known())]
    UnknownProvider {
        /// The name.
        name: String,
    },
    /// Webhooks cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The status API cannot be served there.
    #[error("the status API cannot be served at {address}: {source}")]
    StatusApi {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn known() -> String {
    voices::ALL.iter().map(|voice| voice.name()).collect::<Vec<_>>().join(", ")
}

/// Makes a [`Simulator`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    voice: &'static dyn Voice,
    webhooks_url: String,
    speaker: Speaker,
    seed: u64,
    retry: Retry,
    sender: Option<Sender>,
    status_api: Option<SocketAddr>,
}

impl Builder {
    /// Where webhooks are posted: `http://127.0.0.1:8080/webhooks/{account}`.
    pub fn webhooks_to(mut self, url: impl Into<String>) -> Self {
        self.webhooks_url = url.into();
        self
    }

    /// What webhooks are signed with: the account's secret, or the private part of it. Without
    /// it, one is made from the seed: see [`Simulator::account_secret`].
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.speaker.secret = secret.into();
        self
    }

    /// One of the account's `options`.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.speaker.options.insert(name.into(), value.into());
        self
    }

    /// One of the credentials that the status API wants to see.
    pub fn credential(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.speaker.credentials.insert(name.into(), value.into());
        self
    }

    /// The provider's own name of the merchant: the account's `provider_merchant`.
    pub fn merchant(mut self, name: impl Into<String>) -> Self {
        self.speaker.merchant = name.into();
        self
    }

    /// What ids and the secret are drawn from: 1 unless stated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How often a webhook is sent that is not taken.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sends webhooks with this sender, to its address and as often as it does. Several simulators
    /// may share one: making a sender takes longer than all else.
    pub fn sender(mut self, sender: Sender) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Serves the status API there; port 0 is any free one. Without it, nobody can ask.
    pub fn status_api(mut self, address: impl Into<SocketAddr>) -> Self {
        self.status_api = Some(address.into());
        self
    }

    /// Starts it. What it serves ends when the last clone of it is dropped.
    ///
    /// # Errors
    /// [`Error`] if the address is taken.
    pub async fn start(self) -> Result<Simulator, Error> {
        let Self { voice, webhooks_url, mut speaker, seed, retry, sender, status_api } = self;
        let (configured, private) = voice.secrets(seed);
        if speaker.secret.is_empty() {
            speaker.secret = private;
        }
        let sender = match sender {
            Some(sender) => sender,
            None => Sender::new(webhooks_url, retry)?,
        };
        let listener = match status_api {
            None => None,
            Some(address) => {
                let at = |source| Error::StatusApi { address, source };
                let listener = api::bind(address).await.map_err(at)?;
                let address = listener.local_addr().map_err(at)?;
                speaker.url = format!("http://{address}");
                Some((listener, address))
            }
        };
        let book = Arc::new(Book { voice, speaker, ledger: Mutex::new(Ledger::new(seed)) });
        let desk = Arc::new(Desk::default());
        let served = match listener {
            None => None,
            Some((listener, address)) => {
                let told = Arc::clone(&book);
                let answer = Arc::new(move |question: &Question| told.answer(question));
                let served = api::serve(listener, Arc::clone(&desk), answer);
                Some(served.map_err(|source| Error::StatusApi { address, source })?)
            }
        };
        let inner = Inner { book, desk, served, sender, seed, configured };
        Ok(Simulator(Arc::new(inner)))
    }
}

/// A provider with webhooks and a status API. Clones are the same provider.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    book: Arc<Book>,
    desk: Arc<Desk>,
    served: Option<Served>,
    sender: Sender,
    seed: u64,
    configured: String,
}

/// What the provider knows, and how it speaks.
struct Book {
    voice: &'static dyn Voice,
    /// Its time is not set.
    speaker: Speaker,
    ledger: Mutex<Ledger>,
}

impl Book {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn speaker(&self) -> Speaker {
        Speaker { now_seconds: clock::now_seconds(), ..self.speaker.clone() }
    }

    fn answer(&self, question: &Question) -> Option<Reply> {
        let payments = self.ledger().payments().to_vec();
        self.voice.answer(question, &payments, &self.speaker())
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("provider", &self.voice().name()).finish_non_exhaustive()
    }
}

impl Simulator {
    /// A provider by the name of its adapter.
    ///
    /// # Errors
    /// [`Error::UnknownProvider`]
    pub fn builder(provider: &str) -> Result<Builder, Error> {
        let voice = voices::by_name(provider)
            .ok_or_else(|| Error::UnknownProvider { name: provider.to_owned() })?;
        Ok(Builder {
            voice,
            webhooks_url: String::new(),
            speaker: Speaker::default(),
            seed: 1,
            retry: Retry::default(),
            sender: None,
            status_api: None,
        })
    }

    /// How the provider speaks.
    #[must_use]
    pub fn voice(&self) -> &'static dyn Voice {
        self.0.book.voice
    }

    /// What the account's `secrets` must hold, unless [`Builder::secret`] named another.
    #[must_use]
    pub fn account_secret(&self) -> &str {
        &self.0.configured
    }

    /// What the account's `status_api.url` must be, if the status API is served.
    #[must_use]
    pub fn status_api_url(&self) -> Option<String> {
        self.0.served.as_ref().map(|served| format!("http://{}", served.address))
    }

    /// A new payment, under way. Returns the provider's id; nobody is told yet.
    #[must_use]
    pub fn open(&self, reference: &str, amount: Amount) -> String {
        self.0.book.ledger().open(reference, amount, clock::now_seconds())
    }

    /// Lets something happen to a payment. Nobody is told yet: that is [`Simulator::tell`].
    ///
    /// # Errors
    /// [`Refused`] if that cannot happen to the payment as it stands.
    pub fn act(&self, payment: &str, action: &Action) -> Result<Event, Refused> {
        self.0.book.ledger().act(payment, action, clock::now_seconds())
    }

    /// A payment as the provider knows it.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<Payment> {
        self.0.book.ledger().payment(id).cloned()
    }

    /// All payments, oldest first.
    #[must_use]
    pub fn payments(&self) -> Vec<Payment> {
        self.0.book.ledger().payments().to_vec()
    }

    /// True if the provider has a webhook for an event.
    #[must_use]
    pub fn can_tell(&self, event: &Event) -> bool {
        self.webhook(event).is_some()
    }

    /// True if the provider signs the webhook of an event; what nobody signs is only a hint.
    /// `None` if it has none for it.
    #[must_use]
    pub fn signs(&self, event: &Event) -> Option<bool> {
        let speaker = self.0.book.speaker();
        let webhook = self.voice().webhook(event, &speaker)?;
        Some(!self.voice().signed_places(&webhook, &speaker).is_empty())
    }

    /// The webhook of an event, signed now.
    #[must_use]
    pub fn webhook(&self, event: &Event) -> Option<Webhook> {
        self.voice().webhook(event, &self.0.book.speaker())
    }

    /// Sends the webhook of an event until it is taken. `None` if the provider has none for it.
    pub async fn tell(&self, event: &Event) -> Option<Sent> {
        self.webhook(event)?;
        Some(self.0.sender.send(|| self.webhook(event)).await)
    }

    /// Sends the webhook of an event as somebody would who does not know the secret. `None` if
    /// the provider has none for it, or does not sign.
    pub async fn forge(&self, event: &Event) -> Option<Sent> {
        let (_, another) = self.voice().secrets(!self.0.seed);
        let speaker = Speaker { secret: another, ..self.0.book.speaker() };
        let webhook = self.voice().webhook(event, &speaker)?;
        if self.voice().signed_places(&webhook, &speaker).is_empty() {
            return None;
        }
        Some(self.0.sender.send_once(&webhook).await)
    }

    /// Sends the webhook of an event with one bit changed of what is signed. `None` if the
    /// provider has none for it, or signs nothing of the body.
    pub async fn flip(&self, event: &Event, seed: u64) -> Option<Sent> {
        let speaker = self.0.book.speaker();
        let mut webhook = self.voice().webhook(event, &speaker)?;
        let places = self.voice().signed_places(&webhook, &speaker);
        let mut random = StdRng::seed_from_u64(seed);
        if !chaos::flip(&mut webhook.body, &places, &mut random) {
            return None;
        }
        Some(self.0.sender.send_once(&webhook).await)
    }

    /// The status API answers its next question like this. Several wait for their turn.
    pub fn fail_next(&self, fault: Fault) {
        self.0.desk.fail_next(fault);
    }

    /// What the status API was asked so far: `GET /orders/o-1`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.0.desk.asked()
    }
}

#[cfg(test)]
mod tests;
