//! From new facts to what is recorded: the facts, and all that follows from them.

use std::sync::Arc;

use super::name;
use crate::domain::{
    change::{self, Change},
    command::{Draft, World},
    fact::{Evidence, Fact},
    ids::{Claim, OrderKey},
    order::{Decided, Order},
    project::project,
    time::Time,
};

/// The draft of one record: an order with new facts.
pub(super) fn draft(order: &Order, facts: Vec<Fact>, claims: Vec<Claim>, now: Time) -> Draft {
    let mut known = order.facts.clone();
    facts.iter().for_each(|fact| known.add(fact));
    let mut view = project(&known);
    name::keep_names(&order.view, &mut view);
    let before = order.view.summary;
    let number = u64::from(before.outcome != view.summary.outcome);
    view.summary.outcome_number = before.outcome_number + number;

    let mut changes = change::between(&order.view, &view);
    if order.facts.order.is_none() && known.order.is_some() {
        changes.insert(0, Change::OrderCreated);
    }
    let decided = Decided { facts, changes, summary: view.summary, time: now };
    let (key, expected_version) = (order.key.clone(), order.version);
    Draft { key, expected_version, decided, after: Some((known, view)), claims }
}

/// The state of an order, also of one that nothing is known of.
pub(super) fn load(world: &dyn World, key: &OrderKey) -> Arc<Order> {
    world.order(key).unwrap_or_else(|| Arc::new(Order::new(key.clone())))
}

/// Evidence as the fact that an order has room for.
pub(super) fn as_fact(order: &Order, evidence: Evidence) -> Fact {
    if order.facts.has_room_for(&evidence) {
        Fact::Evidence(evidence)
    } else {
        Fact::BeyondLimit(evidence)
    }
}

/// Adds to the facts what unclaimed orders hold, and gives the drafts that move it. What finds no
/// room beside what the order and the other facts hold is kept in the record only.
pub(super) fn absorb(
    world: &dyn World,
    into: &Order,
    facts: &mut Vec<Fact>,
    (unclaimed, now): (&[OrderKey], Time),
) -> Vec<Draft> {
    if unclaimed.is_empty() {
        return Vec::new();
    }
    let mut known = into.facts.clone();
    facts.iter().for_each(|fact| known.add(fact));
    let mut drafts = Vec::new();
    for key in unclaimed {
        let from = load(world, key);
        let mut beyond = Vec::new();
        let mut evidence = Vec::new();
        for reading in from.facts.evidence() {
            if known.has_room_for(&reading) {
                known.add(&Fact::Evidence(reading.clone()));
                evidence.push(reading);
            } else {
                beyond.push(Fact::BeyondLimit(reading));
            }
        }
        facts.push(Fact::Absorbed { from: key.clone(), evidence });
        facts.extend(beyond);
        let decided = Decided {
            facts: vec![Fact::ForwardedTo(into.key.clone())],
            changes: Vec::new(),
            summary: from.view.summary,
            time: now,
        };
        drafts.push(Draft {
            key: key.clone(),
            expected_version: from.version,
            decided,
            after: None,
            claims: Vec::new(),
        });
    }
    drafts
}

/// Drafts that tell other recorded orders that an id of theirs is named by this one too.
pub(super) fn tell_shared(
    world: &dyn World,
    order: &OrderKey,
    shared: &[(Claim, OrderKey)],
    now: Time,
) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut others: Vec<&OrderKey> = shared.iter().map(|(_, other)| other).collect();
    others.sort();
    others.dedup();
    for other in others {
        let state = load(world, other);
        let facts: Vec<Fact> = shared
            .iter()
            .filter(|(claim, owner)| owner == other && !state.facts.shared.contains_key(claim))
            .map(|(claim, _)| Fact::IdShared { claim: claim.clone(), with: order.clone() })
            .collect();
        if !facts.is_empty() {
            drafts.push(draft(&state, facts, Vec::new(), now));
        }
    }
    drafts
}
