//! Payment providers: how each one signs, what its webhooks say, what it expects to hear back.
//!
//! One file per provider, pure: no I/O, no clock. Adding one is a file and a line in
//! [`by_name`]; `README.md` in this folder has the checklist.

pub mod adyen;
mod amount;
pub mod blockatm;
pub mod checkout_com;
pub mod gr4vy;
mod json;
pub mod mollie;
pub mod optty;
pub mod paypal;
mod settings;
mod signed;
pub mod square;
pub mod standard_webhooks;
mod status_api;
pub mod stripe;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;

pub use self::{
    settings::{AccountSettings, Environment, InvalidOption, OptionSpec, Secret, SigningSecret},
    status_api::{Answer, Call, Host, OperationSubject, Response, StatusApi, Subject, Token},
};
use crate::domain::{
    ids::ProviderId,
    statement::{Basis, Statement},
    time::Time,
};

/// An HTTP request as it was received.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Names in lower case, and values. Values that are not text are left out by the edge.
    pub headers: &'a [(String, String)],
    /// The raw body, byte for byte.
    pub body: &'a [u8],
    /// What stands at [`Provider::certificate_url`], where the provider signs with a certificate.
    pub certificates: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// A request without certificates.
    #[must_use]
    pub fn new(headers: &'a [(String, String)], body: &'a [u8]) -> Self {
        Self { headers, body, certificates: None }
    }

    /// Every value of a header, in the order received. The name is given in lower case.
    pub fn header(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let of_that_name = move |(n, _): &&(String, String)| n == name;
        self.headers.iter().filter(of_that_name).map(|(_, value)| value.as_str())
    }
}

/// Why a request did not verify. For the operator's log; the caller hears only "no".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The account has no secret to verify with.
    #[error("the account has no usable secret")]
    NoSecret,
    /// The account does not say to which URL its webhooks are sent, and the provider signs that.
    #[error("the account does not say to which URL its webhooks are sent")]
    NoUrl,
    /// No signature where the provider puts it.
    #[error("there is no signature in {place}")]
    Missing {
        /// Where it should be.
        place: &'static str,
    },
    /// A signature that cannot be one.
    #[error("the signature in {place} is malformed")]
    Malformed {
        /// Where it is.
        place: &'static str,
    },
    /// It was signed with a certificate that is not the provider's.
    #[error("the certificate {what}")]
    Untrusted {
        /// What is wrong with it.
        what: &'static str,
    },
    /// It matches none of the active secrets.
    #[error("the signature matches none of the active secrets")]
    Mismatch,
    /// It is authentic but too old, or too far ahead of our clock.
    #[error("the signed time is {seconds_off} s off, and {seconds_max} s are allowed")]
    OutsideWindow {
        /// How far, positive for the future.
        seconds_off: i64,
        /// How far is allowed.
        seconds_max: i64,
    },
}

impl Rejected {
    /// The same as one word, to count by.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoSecret => "no_secret",
            Self::NoUrl => "no_url",
            Self::Untrusted { .. } => "untrusted",
            Self::Missing { .. } => "missing",
            Self::Malformed { .. } => "malformed",
            Self::Mismatch => "mismatch",
            Self::OutsideWindow { .. } => "outside_window",
        }
    }
}

/// Why an authentic request could not be read. It is kept, and can be read again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    /// What is wrong, without any value from the body.
    pub what: String,
}

/// What an adapter read of one event. One request may hold several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The provider's id of the event; where it gives none, one made from what identifies the
    /// event. At most 128 bytes.
    pub event_id: String,
    /// The event's name in the provider's words. At most 128 bytes.
    pub event_name: String,
    /// What it says: statements about one payment, or why it says nothing to us.
    pub content: Content,
}

/// Statements that one reading may hold.
pub const STATEMENTS_MAX: usize = 8;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Statements about one payment; at least one, at most [`STATEMENTS_MAX`].
    Statements(Vec<Statement>),
    /// It names a payment and says nothing of it: the provider must be asked. Nothing proves
    /// where it comes from, so it is no more than a hint.
    Look(ProviderId),
    /// An authentic event that is not about a payment, or whose name is not known.
    Ignored {
        /// Why, in plain words, without any value from the body.
        reason: String,
    },
}

/// The answer that a provider expects for a webhook that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    /// HTTP body.
    pub body: &'static str,
}

/// One provider, as pure functions.
pub trait Provider: Send + Sync + 'static {
    /// Settings that only this provider's accounts have.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }

    /// Checks what [`OptionSpec`]s cannot say: an option that must be there, or its form.
    ///
    /// # Errors
    /// [`InvalidOption`] names the option.
    fn check_options(&self, _settings: &AccountSettings) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// False if an account of these settings gets webhooks that nobody signs.
    fn signs_webhooks(&self, _settings: &AccountSettings) -> bool {
        true
    }

    /// Where the certificate is that a request was signed with, if [`Provider::verify`] needs
    /// it. It was checked that the place is the provider's own.
    ///
    /// # Errors
    /// [`Rejected`] if the request names a place that is not the provider's.
    fn certificate_url(
        &self,
        _request: &Request<'_>,
        _settings: &AccountSettings,
    ) -> Result<Option<String>, Rejected> {
        Ok(None)
    }

    /// Checks that the request comes from the provider, in constant time over the raw bytes.
    ///
    /// # Errors
    /// [`Rejected`] says why not, for the operator.
    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected>;

    /// Reads a verified request.
    ///
    /// # Errors
    /// [`Unreadable`] if it is not what the provider documents. The request is kept.
    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable>;

    /// What to answer once the request is on disk.
    fn acknowledge(&self) -> Acknowledgement;

    /// How far a verified webhook can be trusted.
    fn basis(&self, settings: &AccountSettings) -> Basis;

    /// True if the merchant's reference identifies one attempt at this provider, so that it
    /// joins evidence as an id does.
    fn reference_identifies_attempt(&self) -> bool;

    /// Names of the headers that [`Provider::read`] needs, in lower case: they are kept with the
    /// body, so that it can be read again.
    fn reading_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where in the body card tokens stand. They are stored apart and shown to few.
    fn sensitive(&self, _body: &[u8]) -> Vec<Range<usize>> {
        Vec::new()
    }

    /// Where in the body the answer of a payment method stands that the provider passes on as it
    /// is. An account can be set not to keep it.
    fn raw_response(&self, _body: &[u8]) -> Vec<Range<usize>> {
        Vec::new()
    }

    /// How to ask it, for providers that can be asked.
    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        None
    }
}

/// The names that a configuration may use.
pub const NAMES: &[&str] = &[
    "adyen",
    "blockatm",
    "checkout-com",
    "gr4vy",
    "mollie",
    "optty",
    "paypal",
    "square",
    "standard-webhooks",
    "stripe",
];

/// The provider of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Provider> {
    match name {
        "adyen" => Some(&adyen::Adyen),
        "mollie" => Some(&mollie::Mollie),
        "blockatm" => Some(&blockatm::BlockAtm),
        "gr4vy" => Some(&gr4vy::Gr4vy),
        "checkout-com" => Some(&checkout_com::CheckoutCom),
        "optty" => Some(&optty::Optty),
        "square" => Some(&square::Square),
        "paypal" => Some(&paypal::Paypal),
        "standard-webhooks" => Some(&standard_webhooks::StandardWebhooks),
        "stripe" => Some(&stripe::Stripe),
        _ => None,
    }
}
