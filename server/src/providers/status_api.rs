//! How a provider is asked what became of a payment: the requests as data, and what its answers
//! say. Nothing is sent here; `outbound/` does that.

use std::borrow::Cow;

use super::{
    AccountSettings, Content, InvalidOption, Reading, STATEMENTS_MAX, Secret, Unreadable,
    json::{self, unreadable},
};
use crate::domain::{
    digest::Digest,
    ids::{ProviderId, Reference},
    money::Money,
    statement::{OperationKind, Statement},
    time::Time,
};

/// One attempt that a provider is asked about; by default, one of which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The ids of the payment that are known.
    pub ids: &'a [ProviderId],
    /// What was given to the provider as the merchant's reference.
    pub reference: Option<&'a Reference>,
    /// What the attempt is to collect.
    pub amount: Option<Money>,
    /// When it was recorded.
    pub created: Option<Time>,
    /// Its operations that are known, whatever their status.
    pub operations: &'a [OperationSubject<'a>],
}

/// An operation of that attempt.
#[derive(Clone, Copy, Debug)]
pub struct OperationSubject<'a> {
    /// What it does.
    pub kind: OperationKind,
    /// The ids of it that are known.
    pub ids: &'a [ProviderId],
    /// What was given to the provider as its reference.
    pub reference: Option<&'a Reference>,
}

impl<'a> Subject<'a> {
    /// The value of the first known id of a kind.
    #[must_use]
    pub fn id(&self, kind: &str) -> Option<&'a str> {
        let of_kind = self.ids.iter().find(|id| id.kind.as_str() == kind);
        of_kind.map(|id| id.value.as_str())
    }
}

/// Which of a provider's hosts a request goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// The one that tells statuses.
    #[default]
    Api,
    /// The one that gives tokens.
    Auth,
}

/// An HTTP request to a provider.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// What the adapter knows it by, for the log too: `GET /orders/{reference}`.
    pub step: &'static str,
    /// What it is about, where the adapter needs that to read the answer.
    pub about: String,
    /// Where it goes.
    pub host: Host,
    /// `GET` unless there is a body, then `POST`.
    pub body: Option<Vec<u8>>,
    /// Path and query, percent-encoded, beginning with `/`.
    pub path: String,
    /// Header names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
}

/// Headers and bodies hold credentials, paths hold references: none is printed.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("step", &self.step).finish_non_exhaustive()
    }
}

/// What a provider answered. 401, 403, 429 and 5xx do not come here: they say nothing of a
/// payment.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// The body, within a limit.
    pub body: &'a [u8],
}

impl<'a> Response<'a> {
    /// The body of an answer that says something, or nothing if the provider knows nothing (404).
    ///
    /// # Errors
    /// [`Unreadable`] for any other status than 200, and for a body that is nested too deep.
    pub(super) fn known(&self) -> Result<Option<&'a [u8]>, Unreadable> {
        match self.status {
            200 => json::check_depth(self.body).map(|()| Some(self.body)),
            404 => Ok(None),
            status => Err(unreadable("the answer", format!("has HTTP status {status}"))),
        }
    }
}

/// What an answer comes to.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What it says. Empty if the provider knows nothing of it, which is no failure.
    pub readings: Vec<Reading>,
    /// What must be asked next to know more.
    pub then: Vec<Call>,
}

impl Answer {
    /// An answer that says this much, in as many readings as it takes. A reading's id is made of
    /// what it says, so that an answer that says the same again is a repeat.
    #[must_use]
    pub fn of(call: &Call, statements: Vec<Statement>) -> Self {
        let reading = |some: &[Statement]| Reading {
            event_id: hex::encode(Digest::new("poll").text(call.step).finish()),
            event_name: call.step.to_owned(),
            content: Content::Statements(some.to_vec()),
        };
        let readings = statements.chunks(STATEMENTS_MAX).map(reading).collect();
        Self { readings, then: Vec::new() }
    }

    /// The same, each statement in a reading of its own: what one says again is a repeat, whatever
    /// became of the others.
    #[must_use]
    pub fn each(call: &Call, statements: Vec<Statement>) -> Self {
        let readings = statements.into_iter().flat_map(|one| Self::of(call, vec![one]).readings);
        Self { readings: readings.collect(), then: Vec::new() }
    }
}

/// A token that later requests carry.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub text: Secret,
    /// How long it is valid; `None` if the provider does not say.
    pub seconds: Option<u64>,
}

/// A provider that can be asked, as pure functions.
pub trait StatusApi: Send + Sync + 'static {
    /// Where statuses are told: scheme and host, no `/` at the end. A setting of the account may
    /// name another.
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str>;

    /// Where tokens are given.
    fn auth_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        self.api_url(settings)
    }

    /// Names of the credentials that an account must have to be asked about.
    fn credentials(&self) -> &'static [&'static str];

    /// Checks what a list of names cannot say: the form of a credential.
    ///
    /// # Errors
    /// [`InvalidOption`] names the credential.
    fn check_credentials(&self, _settings: &AccountSettings) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// The request for a token, for providers that want one.
    fn token_call(&self, _settings: &AccountSettings) -> Option<Call> {
        None
    }

    /// Reads the answer to it.
    ///
    /// # Errors
    /// [`Unreadable`] if there is no token in it.
    fn read_token(&self, _response: &Response<'_>) -> Result<Token, Unreadable> {
        Err(Unreadable { what: "this provider gives no tokens".to_owned() })
    }

    /// Adds to a request what proves who asks: the token, a key, or a signature.
    fn authorize(
        &self,
        call: &mut Call,
        token: Option<&Token>,
        settings: &AccountSettings,
        now: Time,
    );

    /// What to ask first about an attempt. Empty if too little is known to ask.
    fn ask(&self, subject: &Subject<'_>, settings: &AccountSettings) -> Vec<Call>;

    /// Reads an answer. A status that is not known says nothing; 404 is no failure.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not what the provider documents. Nothing changes then.
    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        subject: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable>;
}
