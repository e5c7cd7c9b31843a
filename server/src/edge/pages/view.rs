//! What a page sees of an order: its outcome and what the customer knows anyway. No ids of
//! providers, no labels, nothing of the timeline.

use serde::Serialize;

use crate::{
    domain::{
        ids::OrderKey,
        money::Money,
        order::Order,
        view::{Outcome, PaymentStatus},
    },
    edge::grpc::to_wire,
};

/// One state of an order, as a page sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct PageView {
    /// `UNDECIDED`, `APPROVED`, `REFUSED` or `WITHDRAWN`.
    outcome: &'static str,
    /// Counts the changes of the outcome; a receipt names it.
    outcome_number: u64,
    /// The status behind it.
    status: &'static str,
    /// What the customer is to pay.
    amount: Option<PageMoney>,
    /// The merchant's own reference.
    order: String,
    /// When the outcome came to be here, RFC 3339.
    time: String,
    /// In plain words.
    reason: &'static str,
    /// True if outcomes passed between this state and the one that the page saw last.
    missed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PageMoney {
    currency: String,
    /// In major units, with all its digits: `12.00`.
    value: String,
}

impl PageView {
    /// An order as it stands; `seen` is the number of the outcome that the page saw last.
    pub(super) fn of(order: &Order, seen: Option<u64>) -> Self {
        let summary = &order.view.summary;
        let amount = order.facts.order.as_ref().and_then(|intent| intent.amount);
        Self {
            outcome: word(to_wire::order::outcome(summary.outcome).as_str_name(), "OUTCOME_"),
            outcome_number: summary.outcome_number,
            status: word(to_wire::order::status(summary.status).as_str_name(), "PAYMENT_STATUS_"),
            amount: amount.map(money),
            order: match &order.key {
                OrderKey::Recorded { order, .. } => order.as_str().to_owned(),
                OrderKey::Unclaimed { .. } => String::new(),
            },
            time: rfc3339(order.outcome_time),
            reason: reason(summary.outcome, summary.status),
            missed: seen.is_some_and(|seen| summary.outcome_number > seen.saturating_add(1)),
        }
    }

    /// The same, but for the time and for what the page missed: nothing to tell it.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        (self.outcome_number, self.status, &self.amount)
            == (other.outcome_number, other.status, &other.amount)
    }
}

/// A word of the API without what only protocol buffers need before it.
fn word(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

fn money(money: Money) -> PageMoney {
    let text = money.to_string();
    let value = text.split(' ').next().unwrap_or_default().to_owned();
    PageMoney { currency: money.currency().as_str().to_owned(), value }
}

fn rfc3339(time: crate::domain::time::Time) -> String {
    let time = jiff::Timestamp::from_microsecond(time.as_micros());
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// What a customer may be told. A provider's own words may say more than that.
fn reason(outcome: Outcome, status: PaymentStatus) -> &'static str {
    match (outcome, status) {
        (Outcome::Undecided, _) => "The payment is being processed.",
        (Outcome::Approved, _) => "The payment was successful.",
        (Outcome::Withdrawn, _) => "The payment was taken back.",
        (Outcome::Refused, PaymentStatus::Declined) => "The payment was declined.",
        (Outcome::Refused, PaymentStatus::Canceled) => "The payment was cancelled.",
        (Outcome::Refused, PaymentStatus::Expired) => "The time to pay ran out.",
        (Outcome::Refused, _) => "The payment did not go through.",
    }
}
