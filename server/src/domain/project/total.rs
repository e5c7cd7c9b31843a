//! The order as a whole, from its attempts.

use crate::domain::{
    money::Money,
    order::Facts,
    view::{Amounts, AttemptView, Outcome, PaymentStatus, Summary},
};

/// Status, outcome and sums of an order.
pub(super) fn summarize(facts: &Facts, attempts: &[AttemptView]) -> Summary {
    let amount = facts.order.as_ref().and_then(|order| order.amount);
    let status = status(amount, attempts);
    let once = attempts.iter().filter(|a| a.was_approved);
    let was_approved = covers(amount, once);
    let sum = |of: fn(&Amounts) -> Option<Money>| {
        let known = attempts.iter().filter_map(|a| of(&a.amounts));
        known.reduce(|a, b| a.plus(&b).unwrap_or(a))
    };
    Summary {
        status,
        outcome: Outcome::of(status, was_approved),
        outcome_number: 0,
        amounts: Amounts {
            authorized: sum(|a| a.authorized),
            captured: sum(|a| a.captured),
            refunded: sum(|a| a.refunded),
            voided: sum(|a| a.voided),
        },
    }
}

fn status(amount: Option<Money>, attempts: &[AttemptView]) -> PaymentStatus {
    let captured = attempts.iter().filter(|a| a.status == PaymentStatus::Successful);
    if covers(amount, captured) {
        return PaymentStatus::Successful;
    }
    let approved = attempts.iter().filter(|a| a.status.is_approved());
    if covers(amount, approved) {
        return PaymentStatus::Authorized;
    }
    // An approval that does not cover the order leaves it undecided: the rest may still come.
    let counted = |a: &AttemptView| match a.status {
        PaymentStatus::Authorized | PaymentStatus::Successful => PaymentStatus::Pending,
        status => status,
    };
    attempts.iter().map(counted).min_by_key(|s| rank(*s)).unwrap_or(PaymentStatus::Pending)
}

/// Place in the ranking of an order's attempts, best first.
fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Successful => 0,
        PaymentStatus::Authorized => 1,
        PaymentStatus::Pending => 2,
        PaymentStatus::Declined => 3,
        PaymentStatus::Canceled => 4,
        PaymentStatus::Error => 5,
        PaymentStatus::Expired => 6,
    }
}

/// True if the attempts together are for the whole order. An attempt without an amount of its
/// own is for the whole, and so is any where the order's amount is not known.
fn covers<'a>(amount: Option<Money>, mut attempts: impl Iterator<Item = &'a AttemptView>) -> bool {
    let Some(amount) = amount else {
        return attempts.next().is_some();
    };
    let mut covered: Option<Money> = None;
    for attempt in attempts {
        let Some(share) = attempt.expected else {
            return true;
        };
        covered = Some(covered.and_then(|sum| sum.plus(&share)).unwrap_or(share));
    }
    covered.and_then(|sum| sum.compare(&amount)).is_some_and(std::cmp::Ordering::is_ge)
}
