//! Receipts: a page showed an outcome to the customer. The same for a page that says so itself and
//! for a checkout service that says it of its page.

use metrics::counter;

use super::Context;
use crate::{
    domain::{
        command::{Command, Parent, RecordReceipt, Refusal},
        ids::{OrderKey, RequestId},
        receipt::Received,
        time::Time,
    },
    engine::{Ask, Error, Refused},
    record::{Actor, Source},
};

/// Counts receipts, by what they came to.
pub(super) const RECEIPTS: &str = "paystatus_receipts_total";

/// Who leaves a receipt.
pub(super) enum By {
    /// A page, by its token.
    Page,
    /// A caller, with the id of the request.
    Caller(Actor, RequestId),
}

/// What became of a receipt.
pub(super) struct Receipt {
    /// What it came to.
    pub(super) received: Received,
    /// When the customer was told the present outcome in time.
    pub(super) informed: Option<Time>,
}

/// Records a receipt for an outcome of an order. Safe to repeat: what says nothing new makes no
/// record.
///
/// # Errors
/// [`Error::Refused`] with [`Refusal::OutcomeNotFound`] for an outcome that is not reached yet, and
/// [`Refusal::OrderNotFound`]; the others of [`crate::engine::Handle::ask`].
pub(super) async fn record(
    context: &Context,
    order: &OrderKey,
    outcome_number: u64,
    by: By,
) -> Result<Receipt, Error> {
    let not_found = || Error::Refused(Refused::Order(Refusal::OrderNotFound));
    let parent = Parent::of_key(order).ok_or_else(not_found)?;
    let (source, actor, request) = match by {
        By::Page => (Source::Page, None, None),
        By::Caller(actor, request) => (Source::Intent, Some(actor), Some(request)),
    };
    let command = Command::RecordReceipt(RecordReceipt { parent, outcome_number, request });
    let answer = context.engine.ask(Ask::Order { command, source, actor }).await?;
    let informed = answer.order.as_ref().and_then(|order| order.customer_informed());
    let received = answer.received.unwrap_or(Received::Repeat);
    counter!(RECEIPTS, "disposition" => word(received)).increment(1);
    Ok(Receipt { received, informed })
}

/// The word of the API, in small letters.
fn word(received: Received) -> &'static str {
    match received {
        Received::InTime => "recorded",
        Received::Repeat => "repeat",
        Received::Late { .. } => "late",
        Received::NotNeeded => "not_needed",
    }
}
