//! Captures, refunds and voids: each takes the strongest statement about it.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    condition,
    group::{self, Group},
    recorded_operation,
};
use crate::domain::{
    fact::OperationIntent,
    ids::{AccountId, OperationId, ProviderId},
    money::Money,
    order::Facts,
    statement::{Held, Negative, OperationClaim, OperationClaimed, OperationKind, Said},
    view::{AttemptKey, Condition, OperationKey, OperationStatus, OperationView},
};

/// An operation with what its attempt needs to know of it.
pub(super) struct Derived {
    /// What is shown.
    pub(super) view: OperationView,
    /// True if it ever counted as successful, also if that was corrected.
    pub(super) was_successful: bool,
    /// For voids: whether it takes back captured money too.
    pub(super) takes_back_captured: bool,
}

/// Every operation of the order.
pub(super) fn derive(
    facts: &Facts,
    groups: &[Group],
    conditions: &mut Vec<Condition>,
) -> Vec<Derived> {
    let mut of_key: BTreeMap<OperationKey, Vec<Arc<Held>>> = BTreeMap::new();
    for (kind, id) in facts.operations.keys() {
        of_key.insert(OperationKey::Recorded(*kind, id.clone()), Vec::new());
    }
    for component in components(facts) {
        let Some(key) = key_of(facts, &component) else {
            continue;
        };
        of_key.entry(key).or_default().extend(component);
    }
    of_key
        .into_iter()
        .map(|(key, statements)| one(facts, groups, key, &statements, conditions))
        .collect()
}

/// What a statement says of an operation.
fn claimed(held: &Held) -> Option<&OperationClaimed> {
    match &held.statement.said {
        Said::Operation(operation) => Some(operation),
        Said::Payment(_) => None,
    }
}

/// The ids of the operation that a statement names; its reference counts as one.
fn names(operation: &OperationClaimed) -> impl Iterator<Item = Cow<'_, ProviderId>> {
    let reference = operation.reference.as_ref().map(ProviderId::from_reference);
    reference.map(Cow::Owned).into_iter().chain(operation.ids.iter().map(Cow::Borrowed))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Link<'a> {
    Id(&'a AccountId, OperationKind, Cow<'a, ProviderId>),
    Named(OperationKind, &'a OperationId),
}

fn components(facts: &Facts) -> Vec<Vec<Arc<Held>>> {
    let about_operations = |held: &&Arc<Held>| claimed(held).is_some();
    let statements: Vec<_> = facts.statements.values().filter(about_operations).collect();
    group::components(&statements, links)
}

fn links(held: &Held) -> impl Iterator<Item = Link<'_>> {
    claimed(held).into_iter().flat_map(move |operation| {
        let kind = operation.kind;
        let ids = names(operation).map(move |id| Link::Id(&held.account, kind, id));
        ids.chain(operation.operation.as_ref().map(|name| Link::Named(kind, name)))
    })
}

/// The recorded operation that a component is about, the earliest of several, else the least
/// of its ids.
fn key_of(facts: &Facts, component: &[Arc<Held>]) -> Option<OperationKey> {
    let is_about = |intent: &&OperationIntent| {
        component.iter().any(|held| claimed(held).is_some_and(|op| matches(intent, held, op)))
    };
    let recorded = facts.operations.values().filter(is_about);
    if let Some(intent) = recorded.min_by_key(|o| (o.time, o.operation.clone())) {
        return Some(OperationKey::Recorded(intent.kind, intent.operation.clone()));
    }
    let first = component.first()?;
    let kind = claimed(first)?.kind;
    let least = component.iter().filter_map(|h| claimed(h)).flat_map(names).min()?;
    Some(OperationKey::Observed(kind, first.account.clone(), least.into_owned()))
}

fn matches(intent: &OperationIntent, held: &Held, operation: &OperationClaimed) -> bool {
    let named = operation.operation.as_ref() == Some(&intent.operation);
    let same_account = intent.account == held.account;
    let shares = operation.reference.as_ref() == Some(&intent.reference);
    intent.kind == operation.kind && (named || (same_account && shares))
}

fn one(
    facts: &Facts,
    groups: &[Group],
    key: OperationKey,
    statements: &[Arc<Held>],
    conditions: &mut Vec<Condition>,
) -> Derived {
    let intent = recorded_operation(facts, &key);
    let expected = intent.and_then(|intent| intent.amount);
    let about: Vec<_> = statements.iter().filter_map(|h| Some((h, claimed(h)?))).collect();
    let attempt = match intent {
        Some(intent) => Some(resolve(groups, &intent.attempt)),
        None => statements.first().and_then(|held| attempt_of(groups, held)),
    };

    let mut strongest = (OperationClaim::Pending, None, None);
    let mut was_successful = false;
    for (held, operation) in &about {
        let stated = held.statement.amount;
        let differs = match (stated, expected) {
            (Some(stated), Some(expected)) => stated.money != expected,
            _ => false,
        };
        let is_success = operation.claim >= OperationClaim::Successful;
        if is_success && (differs || stated.is_some_and(|s| s.too_precise)) {
            conditions.push(condition::amount(attempt.as_ref(), held, expected));
            continue;
        }
        if intent.is_none() && !held.basis.settles_operations() {
            continue;
        }
        was_successful |= is_success;
        let money = stated.map(|s| s.money);
        let candidate = (operation.claim, money.map(Sortable), held.statement.reason.clone());
        strongest = strongest.max(candidate);
    }
    conditions.extend(condition::operation_conflict(attempt.as_ref(), &about));

    let (claim, stated, reason) = strongest;
    let (kind, account) = match &key {
        OperationKey::Recorded(kind, _) => (*kind, intent.map(|i| i.account.clone())),
        OperationKey::Observed(kind, account, _) => (*kind, Some(account.clone())),
    };
    let first_amount = about.iter().filter_map(|(h, _)| h.statement.amount.map(|a| a.money));
    let ids = group::sorted(about.iter().flat_map(|(_, op)| op.ids.iter().map(Cow::Borrowed)));
    let reference = about.iter().filter_map(|(_, op)| op.reference.clone()).min();
    let status = status(claim);
    let takes_back_captured = about.iter().any(|(_, op)| op.takes_back_captured);
    let view = OperationView {
        kind,
        created: intent.map(|i| i.time),
        account: account.expect("a recorded operation has its account"),
        name: String::new(),
        attempt,
        attempt_name: String::new(),
        reference: intent.map(|i| i.reference.clone()).or(reference),
        ids,
        status,
        amount: expected
            .or(stated.map(|s| s.0))
            .or_else(|| first_amount.map(Sortable).max().map(|s| s.0)),
        reason: reason.filter(|_| status != OperationStatus::Successful),
        provider_time: statements.iter().filter_map(|held| held.statement.provider_time).max(),
        key,
    };
    Derived { view, was_successful, takes_back_captured }
}

/// The attempt whose statements hold this one.
fn attempt_of(groups: &[Group], held: &Arc<Held>) -> Option<AttemptKey> {
    let holds = |g: &&Group| g.statements.iter().any(|other| Arc::ptr_eq(other, held));
    groups.iter().find(holds).map(|group| group.key.clone())
}

/// The attempt that a recorded operation belongs to; one that was only observed when it was
/// recorded may have become part of another since.
fn resolve(groups: &[Group], key: &AttemptKey) -> AttemptKey {
    let AttemptKey::Observed(account, id) = key else {
        return key.clone();
    };
    let has_id =
        |held: &Arc<Held>| held.account == *account && group::names(held).any(|name| *name == *id);
    let group = groups.iter().find(|group| group.statements.iter().any(has_id));
    group.map_or_else(|| key.clone(), |group| group.key.clone())
}

fn status(claim: OperationClaim) -> OperationStatus {
    match claim {
        OperationClaim::Pending => OperationStatus::Pending,
        OperationClaim::Failed(Negative::Declined, _) => OperationStatus::Declined,
        OperationClaim::Failed(Negative::Canceled, _) => OperationStatus::Canceled,
        OperationClaim::Failed(Negative::Expired | Negative::Error, _)
        | OperationClaim::Corrected => OperationStatus::Error,
        OperationClaim::Successful => OperationStatus::Successful,
    }
}

/// Money in an order that does not depend on arrival: by currency, then by value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sortable(pub(super) Money);

impl PartialOrd for Sortable {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sortable {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_value = self.0.compare(&other.0);
        by_value.unwrap_or_else(|| self.0.currency().cmp(&other.0.currency()))
    }
}
