//! Compares what every order became with what it had to become, and what the subscriber saw with
//! what the timeline holds.

use std::time::Duration;

use paystatus_client::{Client, ConditionKind, Error, Money, Order, PageRequest};

use super::{
    shop::Played,
    story::{Meant, STORIES, Share},
    witness::{Known, Parts, Seen, Witness},
};

/// How long a change may take to reach the subscriber once the order has it.
const ARRIVAL_MAX: Duration = Duration::from_secs(5);

/// What came of one order.
pub(super) struct Judged {
    pub(super) played: Played,
    /// What it became, in words.
    pub(super) became: String,
    /// How many changes it had.
    pub(super) change_count: usize,
    /// What the subscriber did not see as it is.
    pub(super) unseen: Vec<String>,
}

/// What an order had to become, in words.
pub(super) fn in_words(meant: &Meant) -> String {
    let refunded = meant.refunded != Share::Nothing;
    words(&meant.status.to_string(), refunded, meant.conditions.iter().copied())
}

fn words(status: &str, refunded: bool, conditions: impl Iterator<Item = ConditionKind>) -> String {
    let conditions = conditions.map(|kind| match kind {
        ConditionKind::AmountMismatch => "mismatch".to_owned(),
        ConditionKind::DuplicatePayment => "duplicate".to_owned(),
        other => other.to_string().to_lowercase(),
    });
    let refunded = refunded.then(|| "refund".to_owned());
    let all: Vec<String> =
        [status.to_owned()].into_iter().chain(refunded).chain(conditions).collect();
    all.join(" + ")
}

/// Judges one order.
pub(super) async fn judge(client: &Client, witness: &Witness, mut played: Played) -> Judged {
    match look(client, witness, &mut played).await {
        Ok((became, change_count, unseen)) => Judged { played, became, change_count, unseen },
        Err(error) => {
            played.problems.push(format!("cannot be looked up: {error}"));
            Judged { played, became: "unknown".to_owned(), change_count: 0, unseen: Vec::new() }
        }
    }
}

async fn look(
    client: &Client,
    witness: &Witness,
    played: &mut Played,
) -> Result<(String, usize, Vec<String>), Error> {
    let order = client.get_order(&played.order_id).await?;
    played.problems.extend(differences(&order, &STORIES[played.story].meant, played.amount));
    let (recorded, known) = loop {
        let recorded = changes_of(client, &played.order_id).await?;
        let known = witness.known_of(&played.order_id, recorded.len(), ARRIVAL_MAX).await;
        // More may have come meanwhile: nobody left a receipt, and the time for it is over.
        if known.seen.len() <= recorded.len() {
            break (recorded, known);
        }
    };
    let refunded = order.totals.refunded.is_some();
    let conditions = order.conditions.iter().map(|condition| condition.kind);
    let became = words(&order.status.to_string(), refunded, conditions);
    Ok((became, recorded.len(), unseen(&order, &recorded, &known)))
}

/// Every change of an order, as its timeline has them.
async fn changes_of(client: &Client, order_id: &str) -> Result<Vec<Seen>, Error> {
    let mut changes = Vec::new();
    let mut list = PageRequest::default();
    loop {
        let page = client.timeline(order_id, list).await?;
        changes.extend(page.items.iter().flat_map(|entry| &entry.changes).map(Seen::of));
        let Some(token) = page.next_page_token else { return Ok(changes) };
        list = PageRequest { token: Some(token), ..PageRequest::default() };
    }
}

/// How an order differs from what was meant.
fn differences(order: &Order, meant: &Meant, amount: i64) -> Vec<String> {
    let units = |money: &Option<Money>| money.as_ref().map_or(0, Money::minor_units);
    let totals = &order.totals;
    let mut kinds: Vec<ConditionKind> = order.conditions.iter().map(|c| c.kind).collect();
    kinds.dedup();
    let outcome = meant.outcomes.last().copied();
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: String, meant: String| {
        if is != meant {
            differences.push(format!("{what} is {is}, not {meant}"));
        }
    };
    compare("status", order.status.to_string(), meant.status.to_string());
    compare("outcome", format!("{:?}", Some(order.outcome)), format!("{outcome:?}"));
    compare("what to look at", format!("{kinds:?}"), format!("{:?}", meant.conditions));
    for (what, is, share) in [
        ("captured", &totals.captured, meant.captured),
        ("refunded", &totals.refunded, meant.refunded),
        ("voided", &totals.voided, meant.voided),
    ] {
        compare(what, units(is).to_string(), share.of(amount).to_string());
    }
    differences
}

/// What the subscriber missed, saw twice, or saw in another order.
fn unseen(order: &Order, recorded: &[Seen], known: &Known) -> Vec<String> {
    let seen = &known.seen;
    let id = &order.order_id;
    let mut found = Vec::new();
    let place = |seen: &Seen| (seen.order_version, seen.index);
    if !seen.is_sorted_by(|a, b| place(a) < place(b)) {
        found.push(format!("{id}: changes came out of order or twice"));
    }
    for (index, change) in recorded.iter().enumerate() {
        match seen.get(index) {
            Some(seen) if seen == change => {}
            Some(_) => found.push(format!("{id}: another change came than {}", change.change_id)),
            None => found.push(format!("{id}: {} did not come", change.change_id)),
        }
    }
    if seen.len() > recorded.len() {
        found.push(format!("{id}: more changes came than were recorded"));
    }
    let last = seen.last().map(|seen| (seen.status, seen.outcome, seen.outcome_number));
    if last != Some((order.status, order.outcome, order.outcome_number)) {
        found.push(format!("{id}: the last change seen says {last:?}, not what the order is"));
    }
    let parts = Parts::of(order);
    if known.parts != parts {
        found.push(format!("{id}: changes add up to {:?}, not to {parts:?}", known.parts));
    }
    found
}
