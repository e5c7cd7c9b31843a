//! What a person should look at. Each condition has an id made of what contradicts, so the
//! same contradiction has the same id whichever side came first.

use std::sync::Arc;

use crate::domain::{
    digest::{ContentId, Digest},
    fact::AttemptIntent,
    money::Money,
    order::Facts,
    statement::{Ended, Held, OperationClaim, OperationClaimed, OperationKind, PaymentClaim, Said},
    view::{AttemptKey, AttemptView, Condition, ConditionKind},
};

fn new(kind: ConditionKind, id: ContentId, detail: String, attempts: Vec<AttemptKey>) -> Condition {
    Condition { id, kind, detail, attempts, attempt_names: Vec::new() }
}

/// One id names two attempts that were recorded apart.
pub(super) fn joins_recorded(several: &[&AttemptIntent], component: &[Arc<Held>]) -> Condition {
    let digest = Digest::new("joins recorded attempts");
    let digest = several.iter().fold(digest, |d, a| d.text(a.attempt.as_str()));
    let ids = super::group::ids_of(component);
    let digest = ids.iter().fold(digest, |d, id| d.text(id.kind.as_str()).text(id.value.as_str()));
    let detail = format!("the same provider id names {} recorded attempts", several.len());
    let keys = several.iter().map(|a| AttemptKey::Recorded(a.attempt.clone())).collect();
    new(ConditionKind::Conflict, digest.finish(), detail, keys)
}

/// An amount that is not the recorded one.
pub(super) fn amount(
    attempt: Option<&AttemptKey>,
    held: &Held,
    expected: Option<Money>,
) -> Condition {
    let digest = Digest::new("amount mismatch").id(&held.content_id());
    let id = digest.maybe(expected.map(|e| e.to_string()).as_deref()).finish();
    let stated = held.statement.amount.map(|a| a.money.to_string()).unwrap_or_default();
    let detail = match expected {
        Some(expected) => format!("the provider stated {stated}, recorded was {expected}"),
        None => format!("the provider stated {stated}, more digits than the currency has"),
    };
    new(ConditionKind::AmountMismatch, id, detail, attempt.cloned().into_iter().collect())
}

/// Operations that together exceed what they draw on.
pub(super) fn sums(
    attempt: &AttemptKey,
    drawn: &[(OperationKind, Money, Money)],
) -> Vec<Condition> {
    let exceeds = |(_, drawn, of): &&(OperationKind, Money, Money)| {
        drawn.compare(of).is_none_or(std::cmp::Ordering::is_gt)
    };
    let condition = |(kind, drawn, of): &(OperationKind, Money, Money)| {
        let what = if *kind == OperationKind::Capture { "captures" } else { "refunds" };
        let detail = format!("{what} of {drawn} exceed {of}");
        let digest = with_key(Digest::new("sum mismatch"), attempt).text(&detail);
        new(ConditionKind::AmountMismatch, digest.finish(), detail, vec![attempt.clone()])
    };
    drawn.iter().filter(exceeds).map(condition).collect()
}

/// An approval beside a refusal that the provider's table calls conclusive.
pub(super) fn payment_conflict(attempt: &AttemptKey, counted: &[&Arc<Held>]) -> Vec<Condition> {
    let with = |wanted: fn(PaymentClaim) -> bool| {
        counted.iter().filter(
            move |held| matches!(held.statement.said, Said::Payment(claim) if wanted(claim)),
        )
    };
    let is_approval = |c| matches!(c, PaymentClaim::Authorized | PaymentClaim::Sold);
    let is_conclusive = |c| matches!(c, PaymentClaim::Failed(_, Ended::Try { conclusive: true }));
    let approval = with(is_approval).map(|h| h.content_id()).min();
    let refusal = with(is_conclusive).map(|h| h.content_id()).min();
    let conflict = |(approval, refusal)| {
        let id = Digest::new("payment conflict").id(&approval).id(&refusal).finish();
        let detail = "the provider reported both an approval and a final refusal".to_owned();
        new(ConditionKind::Conflict, id, detail, vec![attempt.clone()])
    };
    approval.zip(refusal).map(conflict).into_iter().collect()
}

/// A success beside a failure that the provider's table calls conclusive.
pub(super) fn operation_conflict(
    attempt: Option<&AttemptKey>,
    about: &[(&Arc<Held>, &OperationClaimed)],
) -> Option<Condition> {
    let least = |wanted: fn(OperationClaim) -> bool| {
        about.iter().filter(|(_, op)| wanted(op.claim)).map(|(held, _)| held.content_id()).min()
    };
    let success = least(|c| c == OperationClaim::Successful)?;
    let failure = least(|c| matches!(c, OperationClaim::Failed(_, true)))?;
    let id = Digest::new("operation conflict").id(&success).id(&failure).finish();
    let detail = "the provider reported both a success and a final failure".to_owned();
    Some(new(ConditionKind::Conflict, id, detail, attempt.cloned().into_iter().collect()))
}

/// Conditions of the order as a whole.
pub(super) fn of_order(facts: &Facts, attempts: &[AttemptView], conditions: &mut Vec<Condition>) {
    conditions.extend(duplicate_payment(facts, attempts));
    for (claim, with) in &facts.shared {
        let digest = Digest::new("shared id").text(claim.account.as_str());
        let digest = digest.text(claim.id.kind.as_str()).text(claim.id.value.as_str());
        let detail = format!(
            "the {} id {} is also named by evidence of another order{}",
            claim.id.kind,
            claim.id.value,
            match with {
                crate::domain::ids::OrderKey::Recorded { order, .. } => format!(", {order}"),
                crate::domain::ids::OrderKey::Unclaimed { .. } => String::new(),
            }
        );
        conditions.push(new(ConditionKind::Conflict, digest.finish(), detail, Vec::new()));
    }
    if facts.beyond_limit {
        let id = Digest::new("evidence limit").finish();
        let detail =
            "newer evidence is kept but not applied: the order has no more room for it".to_owned();
        conditions.push(new(ConditionKind::EvidenceLimit, id, detail, Vec::new()));
    }
}

/// Attempts that still hold money and together cover more than the order. The one with the
/// latest provider time is to be reversed, and comes first.
fn duplicate_payment(facts: &Facts, attempts: &[AttemptView]) -> Option<Condition> {
    let amount = facts.order.as_ref()?.amount?;
    let holding = |a: &&AttemptView| a.held.is_some_and(|held| !held.is_zero());
    let mut holding: Vec<_> = attempts.iter().filter(holding).collect();
    let total = holding.iter().filter_map(|a| a.held).reduce(|a, b| a.plus(&b).unwrap_or(a))?;
    if holding.len() < 2 || total.compare(&amount).is_some_and(std::cmp::Ordering::is_le) {
        return None;
    }
    holding.sort_by_cached_key(|a| std::cmp::Reverse((a.provider_time, a.created, a.key.clone())));
    let keys: Vec<_> = holding.iter().map(|a| a.key.clone()).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    let digest = sorted.iter().fold(Digest::new("duplicate payment"), with_key);
    let detail = format!("{} attempts hold {total} for an order of {amount}", keys.len());
    Some(new(ConditionKind::DuplicatePayment, digest.finish(), detail, keys))
}

fn with_key(digest: Digest, key: &AttemptKey) -> Digest {
    match key {
        AttemptKey::Recorded(attempt) => digest.text("recorded").text(attempt.as_str()),
        AttemptKey::Observed(account, id) => {
            digest.text(account.as_str()).text(id.kind.as_str()).text(id.value.as_str())
        }
    }
}
