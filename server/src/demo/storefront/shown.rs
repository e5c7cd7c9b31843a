//! What the page draws of a visit: always the whole of it, so that a page that was away needs no
//! history.

use serde::Serialize;

/// All that is shown beside the customer's phone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Shown {
    /// The order as paystatus knows it.
    pub(super) order: Option<ShownOrder>,
    /// What became known, oldest first.
    pub(super) facts: Vec<ShownFact>,
    /// What is going on, in one sentence.
    pub(super) now: &'static str,
    /// True once the customer has closed the browser.
    pub(super) is_browser_closed: bool,
    /// How many milliseconds after the start the mailer will be told, while no page has said that
    /// it showed the outcome.
    pub(super) told_at: Option<u64>,
    /// What the mailer wrote.
    pub(super) mail: Option<Mail>,
    /// What was to be seen. There once everything has happened.
    pub(super) moral: Option<&'static str>,
}

/// The order in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownOrder {
    pub(super) id: String,
    pub(super) outcome: String,
    pub(super) status: String,
    pub(super) attempts: Vec<ShownAttempt>,
    /// True once a page has said in time that it showed the outcome.
    pub(super) is_customer_informed: bool,
    /// What a person should look at.
    pub(super) condition: Option<ShownCondition>,
}

/// An attempt in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownAttempt {
    pub(super) name: String,
    pub(super) status: String,
    /// What was collected and not given back.
    pub(super) kept: Option<String>,
    pub(super) refunded: Option<String>,
    /// The provider's id of the payment, shortened.
    pub(super) payment: Option<String>,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownCondition {
    pub(super) kind: String,
    pub(super) detail: String,
    /// The attempt to reverse, for a duplicate payment.
    pub(super) reverse: Option<String>,
}

/// Something that became known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownFact {
    /// Milliseconds after the start.
    pub(super) at: u64,
    pub(super) who: Who,
    pub(super) text: String,
    pub(super) effect: Effect,
    pub(super) changes: Vec<ShownChange>,
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Who {
    Shop,
    Provider,
    Forger,
    Customer,
    Clock,
    Mailer,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Effect {
    /// Something changed.
    News,
    /// The very same was known before.
    Repeat,
    /// It is new, and changes nothing.
    Nothing,
    /// It was refused.
    Refused,
    /// It happened outside: no record of paystatus.
    Aside,
}

/// What one fact changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ShownChange {
    /// What changed: `Order`, `Attempt 1`.
    pub(super) what: String,
    pub(super) before: Option<String>,
    pub(super) after: String,
}

/// What the mailer wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Mail {
    /// Milliseconds after the start.
    pub(super) at: u64,
    pub(super) subject: String,
    pub(super) text: String,
}
