//! Which order a piece of evidence belongs to, and what it joins.

use crate::domain::{
    command::World,
    fact::Evidence,
    ids::{Claim, MerchantId, OrderId, OrderKey, REFERENCE_KIND},
};

/// Where evidence goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The order it belongs to.
    pub(super) target: OrderKey,
    /// Unclaimed orders that turn out to be that order.
    pub(super) absorbs: Vec<OrderKey>,
    /// Ids that another recorded order has.
    pub(super) shared: Vec<(Claim, OrderKey)>,
    /// What nobody had claimed before.
    pub(super) claims: Vec<Claim>,
}

/// Finds the order: the one its reference belongs to, else the one named like its reference,
/// else the one its ids belong to, else an unclaimed one.
pub(super) fn find(
    world: &dyn World,
    merchant: &MerchantId,
    evidence: &Evidence,
    creates_orders: bool,
) -> Route {
    let owned: Vec<(Claim, Option<OrderKey>)> =
        evidence.claims().into_iter().map(|claim| owner(world, claim)).collect();
    let recorded = |wanted: fn(&Claim) -> bool| {
        let of_recorded = |(claim, owner): &&(Claim, Option<OrderKey>)| {
            wanted(claim) && owner.as_ref().is_some_and(OrderKey::is_recorded)
        };
        owned.iter().filter(of_recorded).filter_map(|(_, owner)| owner.clone()).min()
    };
    let named = || {
        let key = order_named(merchant, evidence)?;
        let is_known = world.order(&key).is_some_and(|order| order.facts.order.is_some());
        (is_known || creates_orders).then_some(key)
    };
    let by_reference = recorded(|claim| claim.id.kind.as_str() == REFERENCE_KIND);
    let target = by_reference
        .or_else(named)
        .or_else(|| recorded(|claim| claim.id.kind.as_str() != REFERENCE_KIND))
        .or_else(|| owned.iter().filter_map(|(_, owner)| owner.clone()).min())
        .unwrap_or_else(|| unclaimed(evidence));
    to(target, owned)
}

/// Where evidence goes that is known to belong to an order.
pub(super) fn to_order(world: &dyn World, target: OrderKey, evidence: &Evidence) -> Route {
    let owned = evidence.claims().into_iter().map(|claim| owner(world, claim)).collect();
    to(target, owned)
}

fn to(target: OrderKey, owned: Vec<(Claim, Option<OrderKey>)>) -> Route {
    let mut route = Route { target, absorbs: vec![], shared: vec![], claims: vec![] };
    for (claim, owner) in owned {
        match owner {
            None => route.claims.push(claim),
            Some(owner) if owner == route.target => {}
            Some(owner) if owner.is_recorded() => route.shared.push((claim, owner)),
            Some(owner) if route.absorbs.contains(&owner) => {}
            Some(owner) => route.absorbs.push(owner),
        }
    }
    route
}

/// The order that a claim belongs to now, wherever it was moved.
pub(super) fn owner(world: &dyn World, claim: Claim) -> (Claim, Option<OrderKey>) {
    let owner = world.claimant(&claim).map(|key| follow(world, key));
    (claim, owner)
}

/// The order that holds what was once kept under a key. Ends: an order is only ever forwarded
/// to one that is not forwarded itself.
pub(super) fn follow(world: &dyn World, mut key: OrderKey) -> OrderKey {
    while let Some(next) = world.order(&key).and_then(|order| order.forwarded_to.clone()) {
        key = next;
    }
    key
}

/// The order whose id is the reference, which is the default reference of every attempt.
fn order_named(merchant: &MerchantId, evidence: &Evidence) -> Option<OrderKey> {
    let reference = evidence.statements.iter().find_map(|s| s.statement.reference.as_ref())?;
    let order = OrderId::parse(reference.as_str()).ok()?;
    Some(OrderKey::Recorded { merchant: merchant.clone(), order })
}

/// A new unclaimed order, under the first thing the evidence names.
fn unclaimed(evidence: &Evidence) -> OrderKey {
    let claims = evidence.claims();
    let first = claims.into_iter().next().expect("evidence names a payment");
    OrderKey::Unclaimed { account: first.account, anchor: first.id }
}
