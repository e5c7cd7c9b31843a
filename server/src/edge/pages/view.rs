//! What a page sees of an order: its outcome and what the customer knows anyway. No ids of
//! providers, no labels, nothing of the timeline.

use serde::Serialize;

use crate::{
    domain::{
        digest::Digest,
        ids::OrderKey,
        money::Money,
        order::Order,
        time::Time,
        view::{Outcome, PaymentStatus},
    },
    edge::grpc::to_wire,
};

/// One state of an order, as a page sees it.
#[derive(Clone, Debug)]
pub(crate) struct PageView {
    pub(crate) outcome: Outcome,
    /// Counts the changes of the outcome; a receipt names it.
    pub(crate) outcome_number: u64,
    /// The status behind it.
    pub(crate) status: PaymentStatus,
    /// What the customer is to pay.
    pub(crate) amount: Option<Money>,
    /// The merchant's own reference.
    pub(crate) order: String,
    /// When the outcome came to be here.
    pub(crate) time: Time,
    /// True if outcomes passed between this state and the one that the page saw last.
    pub(crate) missed: bool,
}

/// A state as JSON.
#[derive(Serialize)]
struct Json<'a> {
    /// `UNDECIDED`, `APPROVED`, `REFUSED` or `WITHDRAWN`.
    outcome: &'static str,
    outcome_number: u64,
    status: &'static str,
    amount: Option<JsonMoney>,
    order: &'a str,
    /// RFC 3339.
    time: String,
    reason: &'static str,
    missed: bool,
}

#[derive(Serialize)]
struct JsonMoney {
    currency: String,
    /// In major units, with all its digits: `12.00`.
    value: String,
}

impl PageView {
    /// An order as it stands; `seen` is the number of the outcome that the page saw last.
    pub(super) fn of(order: &Order, seen: Option<u64>) -> Self {
        let summary = &order.view.summary;
        Self {
            outcome: summary.outcome,
            outcome_number: summary.outcome_number,
            status: summary.status,
            amount: amount(order),
            order: match &order.key {
                OrderKey::Recorded { order, .. } => order.as_str().to_owned(),
                OrderKey::Unclaimed { .. } => String::new(),
            },
            time: order.outcome_time,
            missed: seen.is_some_and(|seen| summary.outcome_number > seen.saturating_add(1)),
        }
    }

    /// What a customer may be told. A provider's own words may say more than that.
    pub(crate) fn reason(&self) -> &'static str {
        match (self.outcome, self.status) {
            (Outcome::Undecided, _) => "The payment is being processed.",
            (Outcome::Approved, _) => "The payment was successful.",
            (Outcome::Withdrawn, _) => "The payment was taken back.",
            (Outcome::Refused, PaymentStatus::Declined) => "The payment was declined.",
            (Outcome::Refused, PaymentStatus::Canceled) => "The payment was cancelled.",
            (Outcome::Refused, PaymentStatus::Expired) => "The time to pay ran out.",
            (Outcome::Refused, _) => "The payment did not go through.",
        }
    }

    pub(super) fn to_json(&self) -> String {
        let outcome = to_wire::order::outcome(self.outcome).as_str_name();
        let status = to_wire::order::status(self.status).as_str_name();
        let amount = self.amount.map(|amount| JsonMoney {
            currency: amount.currency().as_str().to_owned(),
            value: amount.to_string().split(' ').next().unwrap_or_default().to_owned(),
        });
        let json = Json {
            outcome: word(outcome, "OUTCOME_"),
            outcome_number: self.outcome_number,
            status: word(status, "PAYMENT_STATUS_"),
            amount,
            order: &self.order,
            time: rfc3339(self.time),
            reason: self.reason(),
            missed: self.missed,
        };
        serde_json::to_string(&json).unwrap_or_default()
    }
}

/// A hash of all that can become other than it was on the page of an order. Stable: pages carry it
/// over a restart.
pub(super) fn shown(order: &Order) -> u64 {
    let summary = &order.view.summary;
    let amount = amount(order).map(|amount| amount.to_string());
    let hash = Digest::new("page")
        .text(&summary.outcome_number.to_string())
        .text(to_wire::order::status(summary.status).as_str_name())
        .maybe(amount.as_deref())
        .finish();
    (u128::from_be_bytes(hash) >> 64) as u64
}

fn amount(order: &Order) -> Option<Money> {
    order.facts.order.as_ref().and_then(|intent| intent.amount)
}

/// A word of the API without what only protocol buffers need before it.
fn word(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

fn rfc3339(time: Time) -> String {
    let time = jiff::Timestamp::from_microsecond(time.as_micros());
    time.map(|time| time.to_string()).unwrap_or_default()
}
