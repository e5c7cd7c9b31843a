//! Intents: what a merchant is about to do. Refused only for what they say themselves.

use super::{
    request::{accepted, accepted_before, replay},
    route, settle,
};
use crate::domain::{
    command::{CreateAttempt, CreateOperation, CreateOrder, Decision, Refusal, World},
    fact::{
        AmountRule, AttemptIntent, Fact, Method, OperationIntent, OrderIntent, RecordedBy,
        RequestKey,
    },
    ids::{Claim, OrderKey, ProviderId, Reference},
    order::{ATTEMPTS_PER_ORDER_MAX, OPERATIONS_PER_ORDER_MAX, Order},
    statement::OperationKind,
    time::Time,
    view::{AttemptView, PaymentStatus},
};

pub(super) fn create_order(
    world: &dyn World,
    command: &CreateOrder,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = settle::load(world, &key);
    let request = RequestKey { method: Method::CreateOrder, request: command.request.clone() };
    let fingerprint = command.fingerprint();
    if accepted_before(&order, &request, fingerprint, now)? {
        return Ok(replay(key));
    }
    let known = order.facts.order.as_ref().filter(|known| known.by == RecordedBy::Merchant);
    if let Some(known) = known {
        if known.amount != Some(command.amount) {
            return Err(Refusal::OrderIdTaken { what: "another amount" });
        }
        if known.labels != command.labels {
            return Err(Refusal::OrderIdTaken { what: "other labels" });
        }
        return Ok(replay(key));
    }
    let mut facts = vec![
        Fact::Order(OrderIntent {
            by: RecordedBy::Merchant,
            amount: Some(command.amount),
            labels: command.labels.clone(),
            time: now,
        }),
        Fact::Request { key: request, fingerprint },
    ];
    let (claims, unclaimed) = under_its_name(world, command);
    let forwards = settle::absorb(world, &order, &mut facts, (&unclaimed, now));
    let mut drafts = vec![settle::draft(&order, facts, claims, now)];
    drafts.extend(forwards);
    Ok(accepted(key, drafts, None))
}

/// What evidence put under the order's id as a reference, and that reference where it is free:
/// evidence that names it comes here, also if another node accepts it at this very moment.
fn under_its_name(world: &dyn World, command: &CreateOrder) -> (Vec<Claim>, Vec<OrderKey>) {
    let (mut claims, mut unclaimed) = (Vec::new(), Vec::new());
    let Ok(reference) = Reference::parse(command.parent.order.as_str()) else {
        return (claims, unclaimed);
    };
    for account in &command.accounts {
        let id = ProviderId::from_reference(&reference);
        match route::owner(world, Claim { account: account.clone(), id }) {
            (claim, None) if !claims.contains(&claim) => claims.push(claim),
            (_, Some(owner)) if !owner.is_recorded() && !unclaimed.contains(&owner) => {
                unclaimed.push(owner);
            }
            _ => {}
        }
    }
    (claims, unclaimed)
}

pub(super) fn create_attempt(
    world: &dyn World,
    command: &CreateAttempt,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = recorded(world, &key)?;
    let request = RequestKey { method: Method::CreateAttempt, request: command.request.clone() };
    let fingerprint = command.fingerprint();
    if accepted_before(&order, &request, fingerprint, now)? {
        return Ok(replay(key));
    }
    if let Some(known) = order.facts.attempts.get(&command.attempt) {
        let is_same = known.account == command.account
            && known.reference == command.reference
            && known.amount == command.amount;
        return if is_same { Ok(replay(key)) } else { Err(Refusal::AttemptIdTaken) };
    }
    if order.facts.attempts.len() >= ATTEMPTS_PER_ORDER_MAX {
        return Err(Refusal::TooMany { what: "attempts", max: ATTEMPTS_PER_ORDER_MAX });
    }
    let id = ProviderId::from_reference(&command.reference);
    let claim = Claim { account: command.account.clone(), id };
    let (claim, owner) = route::owner(world, claim);
    let (claims, unclaimed) = match owner {
        None => (vec![claim], Vec::new()),
        Some(owner) if owner == key => (Vec::new(), Vec::new()),
        Some(owner) if owner.is_recorded() => return Err(Refusal::ReferenceTaken),
        Some(owner) => (Vec::new(), vec![owner]),
    };
    let of_order = order.facts.order.as_ref().and_then(|order| order.amount);
    let expected = command.amount.or(of_order);
    let intent = AttemptIntent {
        attempt: command.attempt.clone(),
        account: command.account.clone(),
        reference: command.reference.clone(),
        reference_is_id: command.reference_is_id,
        amount: command.amount,
        rule: AmountRule::choose(&command.rules, expected.as_ref()),
        time: now,
    };
    let mut facts = vec![Fact::Attempt(intent), Fact::Request { key: request, fingerprint }];
    let forwards = settle::absorb(world, &order, &mut facts, (&unclaimed, now));
    let mut drafts = vec![settle::draft(&order, facts, claims, now)];
    drafts.extend(forwards);
    let is_paid = order.view.summary.status.is_approved();
    let warning = is_paid.then(|| "the order is already approved by another attempt".to_owned());
    Ok(accepted(key, drafts, warning))
}

pub(super) fn create_operation(
    world: &dyn World,
    command: &CreateOperation,
    now: Time,
) -> Result<Decision, Refusal> {
    let key = command.parent.key();
    let order = recorded(world, &key)?;
    let method = Method::CreateOperation(command.kind);
    let request = RequestKey { method, request: command.request.clone() };
    let fingerprint = command.fingerprint();
    if accepted_before(&order, &request, fingerprint, now)? {
        return Ok(replay(key));
    }
    let attempt = order.view.attempt(&command.attempt).ok_or(Refusal::AttemptNotFound)?;
    let id = (command.kind, command.operation.clone());
    if let Some(known) = order.facts.operations.get(&id) {
        let is_same = known.reference == command.reference
            && known.amount == command.amount
            && known.attempt == attempt.key;
        return if is_same { Ok(replay(key)) } else { Err(Refusal::OperationIdTaken) };
    }
    if order.facts.operations.len() >= OPERATIONS_PER_ORDER_MAX {
        return Err(Refusal::TooMany { what: "operations", max: OPERATIONS_PER_ORDER_MAX });
    }
    let intent = OperationIntent {
        kind: command.kind,
        operation: command.operation.clone(),
        attempt: attempt.key.clone(),
        account: attempt.account.clone(),
        reference: command.reference.clone(),
        amount: command.amount,
        time: now,
    };
    let facts = vec![Fact::Operation(intent), Fact::Request { key: request, fingerprint }];
    let warning = warning(attempt, command);
    let drafts = vec![settle::draft(&order, facts, Vec::new(), now)];
    Ok(accepted(key, drafts, warning))
}

/// What looks odd about an operation, from what is known now. Never a reason to refuse: the
/// evidence that makes it right may be on its way.
fn warning(attempt: &AttemptView, command: &CreateOperation) -> Option<String> {
    let amounts = &attempt.amounts;
    let (base, base_name, used) = match command.kind {
        OperationKind::Capture => (amounts.authorized, "authorised", amounts.captured),
        OperationKind::Refund => (amounts.captured, "captured", amounts.refunded),
        OperationKind::Void => (amounts.authorized, "authorised", amounts.voided),
    };
    let Some(base) = base else {
        return Some(format!("nothing is known to be {base_name} yet; recorded all the same"));
    };
    let is_over = |amount| {
        let total = used.map_or(Some(amount), |used| used.plus(&amount));
        total.and_then(|t| t.compare(&base)).is_none_or(std::cmp::Ordering::is_gt)
    };
    if command.amount.is_some_and(is_over) {
        return Some(format!("more than what is known to be {base_name}; recorded all the same"));
    }
    let is_voided = attempt.status == PaymentStatus::Canceled;
    is_voided.then(|| "the attempt is canceled; recorded all the same".to_owned())
}

/// The order, if somebody recorded it.
pub(super) fn recorded(
    world: &dyn World,
    key: &OrderKey,
) -> Result<std::sync::Arc<Order>, Refusal> {
    let order = world.order(key).filter(|order| order.facts.order.is_some());
    order.ok_or(Refusal::OrderNotFound)
}
