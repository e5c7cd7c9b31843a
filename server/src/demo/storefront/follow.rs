//! Reads what paystatus knows of the order of a visit, whenever something may be new.

use std::{sync::Arc, time::SystemTime};

use futures_util::StreamExt as _;
use paystatus_client::{
    ChangeKind, Condition, ConditionKind, Error, Money, Order, PageRequest, TimelineEntry,
};

use super::{
    Desk, NOT_INFORMED,
    shown::{ShownAttempt, ShownCondition, ShownOrder},
    visit::Visit,
    words,
};

/// Facts of an order that are read: more than any scenario makes.
const FACTS_MAX: usize = 100;
/// Letters of a provider's id that are shown.
const ID_LETTERS_SHOWN: usize = 6;

/// Follows the order until the visit ends. A change wakes it; so does the visit itself, for a
/// repeated webhook is a fact that changes nothing.
pub(super) async fn run(visit: Arc<Visit>, desk: Desk) {
    let mut events = desk.client.watch(&visit.order_id);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(_)) => {}
                Some(Err(error)) => return tracing::error!(%error, "an order cannot be followed"),
                None => return,
            },
            () = visit.look.notified() => {}
        }
        if let Err(error) = look(&visit, &desk).await {
            tracing::error!(%error, "an order cannot be read");
        }
    }
}

async fn look(visit: &Visit, desk: &Desk) -> Result<(), Error> {
    // Before the rest is read: what happened until then is in it.
    let moral = visit.moral();
    let entries = timeline(visit, desk).await?;
    let order = desk.client.get_order(&visit.order_id).await?;
    let mut facts = words::facts(&entries, visit);
    facts.extend(visit.asides());
    facts.sort_by_key(|fact| fact.at);
    let told_at = told_at(&entries, desk).map(|time| visit.at(time));
    let order = shown(&order);
    visit.shown.send_if_modified(|shown| {
        let mut new = shown.clone();
        (new.order, new.facts, new.told_at) = (Some(order), facts, told_at);
        if moral.is_some() {
            (new.now, new.moral) = ("", moral);
        }
        let is_new = *shown != new;
        *shown = new;
        is_new
    });
    Ok(())
}

async fn timeline(visit: &Visit, desk: &Desk) -> Result<Vec<TimelineEntry>, Error> {
    let mut entries = Vec::new();
    let mut list = PageRequest::default();
    loop {
        let page = desk.client.timeline(&visit.order_id, list).await?;
        entries.extend(page.items);
        match page.next_page_token {
            Some(token) if entries.len() < FACTS_MAX => {
                list = PageRequest { token: Some(token), ..PageRequest::default() };
            }
            _ => return Ok(entries),
        }
    }
}

/// When the mailer will be told, if no page says before that it showed the outcome.
fn told_at(entries: &[TimelineEntry], desk: &Desk) -> Option<SystemTime> {
    let changes = || entries.iter().flat_map(|entry| &entry.changes);
    let newest = changes().rfind(|change| change.kind == ChangeKind::OutcomeChanged)?;
    let is_settled = changes().any(|change| {
        let settles = [ChangeKind::CustomerInformed, ChangeKind::CustomerNotInformed];
        settles.contains(&change.kind) && change.outcome_number == newest.outcome_number
    });
    let is_awaited = newest.outcome.is_decided() && !is_settled;
    let told = newest.change_time? + desk.at_tempo(NOT_INFORMED);
    is_awaited.then_some(told)
}

fn shown(order: &Order) -> ShownOrder {
    let attempts = order.attempts.iter().map(|attempt| {
        let totals = &attempt.totals;
        let units = |money: &Option<Money>| money.as_ref().map_or(0, Money::minor_units);
        let is_kept = units(&totals.captured) > units(&totals.refunded);
        let payment = attempt.ids.iter().find(|id| id.kind == "payment");
        ShownAttempt {
            name: attempt.attempt_id.clone(),
            status: attempt.status.to_string(),
            kept: totals.captured.as_ref().filter(|_| is_kept).map(Money::to_string),
            refunded: totals.refunded.as_ref().map(Money::to_string),
            payment: payment.map(|id| id.value.chars().take(ID_LETTERS_SHOWN).collect()),
        }
    });
    ShownOrder {
        id: order.order_id.clone(),
        outcome: order.outcome.to_string(),
        status: order.status.to_string(),
        attempts: attempts.collect(),
        is_customer_informed: order.customer_informed_time.is_some(),
        condition: order.conditions.first().map(condition),
    }
}

fn condition(condition: &Condition) -> ShownCondition {
    let is_duplicate = condition.kind == ConditionKind::DuplicatePayment;
    let reverse = condition.attempt_ids.first().filter(|_| is_duplicate);
    ShownCondition {
        kind: condition.kind.to_string(),
        detail: condition.detail.clone(),
        reverse: reverse.cloned(),
    }
}
