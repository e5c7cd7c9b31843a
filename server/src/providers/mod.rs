//! Payment providers: how each one signs, what its webhooks say, what it expects to hear back.
//!
//! One file per provider, pure: no I/O, no clock. Adding one is a file and a line in
//! [`by_name`]; `README.md` in this folder has the checklist.

mod amount;
mod json;
pub mod optty;
pub mod standard_webhooks;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::domain::{
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
}

impl<'a> Request<'a> {
    /// Every value of a header, in the order received. The name is given in lower case.
    pub fn header(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let of_that_name = move |(n, _): &&(String, String)| n == name;
        self.headers.iter().filter(of_that_name).map(|(_, value)| value.as_str())
    }
}

/// A shared secret or public key of an account. Never printed.
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

/// Why a request did not verify. For the operator's log; the caller hears only "no".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The account has no secret to verify with.
    #[error("the account has no usable secret")]
    NoSecret,
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

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Statements about one payment; at least one, at most 8.
    Statements(Vec<Statement>),
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

/// Settings of an account that its adapter heeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Active secrets, newest first.
    pub secrets: Vec<Secret>,
    /// How far a signed time may be off, in seconds, where the provider signs one.
    pub tolerance_seconds: i64,
    /// Hold back what a weakly signed webhook says of payments too, until a poll confirms it.
    pub confirm_payments: bool,
}

/// One provider, as pure functions.
pub trait Provider: Send + Sync + 'static {
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
    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>>;
}

/// The names that a configuration may use.
pub const NAMES: &[&str] = &["optty", "standard-webhooks"];

/// The provider of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Provider> {
    match name {
        "optty" => Some(&optty::Optty),
        "standard-webhooks" => Some(&standard_webhooks::StandardWebhooks),
        _ => None,
    }
}
