//! The status and the sums of one attempt, from what is said of its payment and from its
//! operations.

use super::{
    condition,
    group::Group,
    operation::{Derived, Sortable},
};
use crate::domain::{
    fact::{AmountRule, AttemptIntent},
    money::Money,
    order::Facts,
    statement::{Ended, Held, Negative, OperationKind, PaymentClaim, Said},
    view::{Amounts, AttemptKey, AttemptView, Condition, OperationStatus, PaymentStatus},
};

/// Derives one attempt.
pub(super) fn derive(
    facts: &Facts,
    group: &Group,
    operations: &[Derived],
    conditions: &mut Vec<Condition>,
) -> AttemptView {
    let intent = match &group.key {
        AttemptKey::Recorded(attempt) => facts.attempts.get(attempt),
        AttemptKey::Observed(..) => None,
    };
    let of_order = facts.order.as_ref().and_then(|order| order.amount);
    let expected = intent.and_then(|intent| intent.amount).or(of_order);
    let rule = intent.map(|intent| intent.rule).unwrap_or_default();
    let said = Tally::of(group, expected, rule, conditions);
    let counts = |o: &&Derived| o.view.kind != OperationKind::Capture || said.admits_captures();
    let of_attempt = operations.iter().filter(|o| o.view.attempt.as_ref() == Some(&group.key));
    let own: Vec<&Derived> = of_attempt.filter(counts).collect();

    let sums = Sums::of(&said, &own, expected);
    if rule != AmountRule::AtLeast {
        conditions.extend(condition::sums(&group.key, &sums.drawn(&own)));
    }
    let status = status(&said, &sums);
    let captured_once =
        own.iter().any(|o| o.view.kind == OperationKind::Capture && o.was_successful);
    AttemptView {
        key: group.key.clone(),
        name: String::new(),
        aliases: Vec::new(),
        created: intent.map(|i| i.time),
        account: account(intent, group),
        reference: reference(intent, group),
        ids: group.ids.clone(),
        paired_by_guess: group.paired_by_guess,
        status,
        was_approved: said.authorized || captured_once,
        expected,
        amounts: sums.amounts(&said),
        held: status.is_approved().then(|| sums.held()).flatten(),
        reason: said.reason.map(|(_, reason)| reason).filter(|_| !status.is_approved()),
        provider_time: group.statements.iter().filter_map(|h| h.statement.provider_time).max(),
    }
}

fn account(intent: Option<&AttemptIntent>, group: &Group) -> crate::domain::ids::AccountId {
    match (intent, &group.key) {
        (Some(intent), _) => intent.account.clone(),
        (None, AttemptKey::Observed(account, _)) => account.clone(),
        (None, AttemptKey::Recorded(_)) => unreachable!("a recorded attempt has its intent"),
    }
}

fn reference(
    intent: Option<&AttemptIntent>,
    group: &Group,
) -> Option<crate::domain::ids::Reference> {
    let stated = || group.statements.iter().filter_map(|h| h.statement.reference.clone()).min();
    intent.map(|intent| intent.reference.clone()).or_else(stated)
}

/// What is said of the payment, each claim at its strongest.
#[derive(Default)]
struct Tally {
    authorized: bool,
    authorized_amount: Option<Money>,
    sold: bool,
    sold_amount: Option<Money>,
    sale_corrected: bool,
    authorization_ended: Option<Negative>,
    negative: Option<Negative>,
    deadline_passed: bool,
    reason: Option<(PaymentClaim, String)>,
    /// An approval of another amount was left out.
    has_mismatch: bool,
}

impl Tally {
    fn of(
        group: &Group,
        expected: Option<Money>,
        rule: AmountRule,
        conditions: &mut Vec<Condition>,
    ) -> Self {
        let mut tally = Self::default();
        let mut counted = Vec::new();
        for held in &group.statements {
            let Said::Payment(claim) = held.statement.said else {
                continue;
            };
            if is_approval(claim) && !is_amount_right(held, expected, rule) {
                conditions.push(condition::amount(Some(&group.key), held, expected));
                tally.has_mismatch = true;
                continue;
            }
            if held.basis.settles_payments() {
                tally.count(claim, held);
                counted.push(held);
            }
        }
        conditions.extend(condition::payment_conflict(&group.key, &counted));
        tally
    }

    /// A capture draws on what was authorised. Where that was another amount than the recorded
    /// one, it proves no more than the authorisation did.
    fn admits_captures(&self) -> bool {
        self.authorized || !self.has_mismatch
    }

    fn count(&mut self, claim: PaymentClaim, held: &Held) {
        let amount = held.statement.amount.map(|a| a.money);
        match claim {
            PaymentClaim::Pending => {}
            PaymentClaim::DeadlinePassed => self.deadline_passed = true,
            PaymentClaim::Authorized => {
                self.authorized = true;
                self.authorized_amount = larger(self.authorized_amount, amount);
            }
            PaymentClaim::Sold => {
                self.authorized = true;
                self.sold = true;
                self.sold_amount = larger(self.sold_amount, amount);
            }
            PaymentClaim::SaleCorrected => {
                self.authorized = true;
                self.sale_corrected = true;
            }
            PaymentClaim::Failed(negative, Ended::Authorization) => {
                self.authorization_ended = self.authorization_ended.max(Some(negative));
                self.negative = self.negative.max(Some(negative));
            }
            PaymentClaim::Failed(negative, Ended::Try { .. }) => {
                self.negative = self.negative.max(Some(negative));
            }
        }
        if let (PaymentClaim::Failed(..) | PaymentClaim::SaleCorrected, Some(reason)) =
            (claim, &held.statement.reason)
        {
            self.reason = self.reason.take().max(Some((claim, reason.clone())));
        }
    }
}

fn is_approval(claim: PaymentClaim) -> bool {
    matches!(claim, PaymentClaim::Authorized | PaymentClaim::Sold)
}

fn is_amount_right(held: &Held, expected: Option<Money>, rule: AmountRule) -> bool {
    match (held.statement.amount, expected) {
        (Some(stated), _) if stated.too_precise => false,
        (Some(stated), Some(expected)) => rule.admits(&stated.money, &expected),
        _ => true,
    }
}

fn larger(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    a.map(Sortable).max(b.map(Sortable)).map(|s| s.0)
}

/// What was authorised, captured and given back.
pub(super) struct Sums {
    /// The whole, as far as it is known.
    whole: Option<Money>,
    has_captured: bool,
    captured: Option<Money>,
    /// What voids and ends released of the uncaptured rest.
    released: Option<Money>,
    voids_released_all: bool,
    taken_back: Option<Money>,
    took_back_all: bool,
    refunded: Option<Money>,
    has_voids: bool,
}

impl Sums {
    fn of(said: &Tally, own: &[&Derived], expected: Option<Money>) -> Self {
        let successful = |kind: OperationKind| {
            own.iter().filter(move |o| {
                o.view.kind == kind && o.view.status == OperationStatus::Successful
            })
        };
        let stated = larger(said.authorized_amount, said.sold_amount);
        let captures: Vec<_> = successful(OperationKind::Capture).collect();
        let drawn = sum(captures.iter().map(|o| o.view.amount));
        let whole = stated.or(expected).or(drawn);

        let sale_stands = said.sold && !said.sale_corrected;
        let sale = said.sold_amount.or(whole).filter(|_| sale_stands);
        let by_captures = sum(captures.iter().map(|o| o.view.amount.or(whole)));
        let has_captured = sale_stands || !captures.is_empty();
        let captured = larger(sale, by_captures);

        let voids: Vec<&Derived> = successful(OperationKind::Void).copied().collect();
        let mut sums = Self {
            whole,
            has_captured,
            captured,
            released: None,
            voids_released_all: false,
            taken_back: None,
            took_back_all: false,
            refunded: sum(successful(OperationKind::Refund).map(|o| o.view.amount.or(captured))),
            has_voids: !voids.is_empty(),
        };
        sums.release(&voids);
        sums
    }

    /// A void releases the uncaptured rest first; one that may take back captured money takes
    /// what is left of it from there. A void without an amount is of all it can reach.
    fn release(&mut self, voids: &[&Derived]) {
        let Some(rest) = self.rest() else {
            // Nothing says how much there is, so a void can only be of the whole.
            self.voids_released_all = !voids.is_empty();
            self.took_back_all = voids.iter().any(|o| o.takes_back_captured);
            return;
        };
        let of_rest = |o: &&Derived| o.view.amount.unwrap_or(rest);
        let Some(named) = sum(voids.iter().map(|o| Some(of_rest(o)))) else {
            return;
        };
        self.released = named.smaller(&rest);
        self.voids_released_all = self.released.is_some_and(|released| released == rest);

        let Some(captured) = self.captured.filter(|_| self.has_captured) else {
            return;
        };
        let (back, plain): (Vec<&Derived>, Vec<&Derived>) =
            voids.iter().partition(|o| o.takes_back_captured);
        let plain = sum(plain.iter().map(|o| Some(of_rest(o))));
        let left = plain.map_or(Some(rest), |plain| rest.minus(&plain));
        let whole = left.and_then(|left| left.plus(&captured));
        let back = sum(back.iter().map(|o| o.view.amount.or(whole)));
        let taken = back.zip(left).and_then(|(back, left)| back.minus(&left));
        self.taken_back = taken.and_then(|taken| taken.smaller(&captured));
        self.took_back_all = self.taken_back.is_some_and(|taken| taken == captured);
    }

    /// What is not captured, as far as it is known.
    fn rest(&self) -> Option<Money> {
        let whole = self.whole?;
        self.captured.filter(|_| self.has_captured).map_or(Some(whole), |c| whole.minus(&c))
    }

    fn held(&self) -> Option<Money> {
        let rest = self.rest()?;
        let rest = self.released.map_or(Some(rest), |r| rest.minus(&r))?;
        let captured = self.captured.filter(|_| self.has_captured);
        let kept = match (captured, self.taken_back) {
            (Some(captured), Some(taken)) => captured.minus(&taken),
            (captured, _) => captured,
        };
        let held = kept.map_or(Some(rest), |kept| rest.plus(&kept))?;
        self.refunded.map_or(Some(held), |refunded| held.minus(&refunded))
    }

    fn amounts(&self, said: &Tally) -> Amounts {
        let voided = match (self.released, self.taken_back) {
            (Some(released), Some(taken)) => released.plus(&taken),
            (released, taken) => released.or(taken),
        };
        Amounts {
            authorized: self.whole.filter(|_| said.authorized || self.has_captured),
            captured: self.captured.filter(|_| self.has_captured),
            refunded: self.refunded.filter(|m| !m.is_zero()),
            voided: voided.filter(|m| self.has_voids && !m.is_zero()),
        }
    }

    /// Pairs of "drawn, of what" that must not exceed.
    fn drawn(&self, own: &[&Derived]) -> Vec<(OperationKind, Money, Money)> {
        let captures = own.iter().filter(|o| {
            o.view.kind == OperationKind::Capture && o.view.status == OperationStatus::Successful
        });
        let by_captures = sum(captures.map(|o| o.view.amount));
        let captured = self.captured.filter(|_| self.has_captured);
        let capture = by_captures.zip(self.whole).map(|(d, w)| (OperationKind::Capture, d, w));
        let refund = self.refunded.zip(captured).map(|(d, c)| (OperationKind::Refund, d, c));
        capture.into_iter().chain(refund).collect()
    }
}

/// The sum of what is known; `None` if nothing is.
fn sum(amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    amounts.flatten().reduce(|a, b| a.plus(&b).unwrap_or(a))
}

fn status(said: &Tally, sums: &Sums) -> PaymentStatus {
    if sums.has_captured {
        let gone = sums.took_back_all;
        return if gone { PaymentStatus::Canceled } else { PaymentStatus::Successful };
    }
    let ended = said.authorization_ended;
    let canceled = sums.voids_released_all
        || (said.authorized && ended.is_some_and(|negative| negative != Negative::Expired));
    if canceled {
        return PaymentStatus::Canceled;
    }
    if said.authorized {
        let expired = ended == Some(Negative::Expired);
        return if expired { PaymentStatus::Expired } else { PaymentStatus::Authorized };
    }
    match said.negative {
        Some(Negative::Declined) => PaymentStatus::Declined,
        Some(Negative::Canceled) => PaymentStatus::Canceled,
        Some(Negative::Error) => PaymentStatus::Error,
        Some(Negative::Expired) => PaymentStatus::Expired,
        None if said.deadline_passed => PaymentStatus::Expired,
        None => PaymentStatus::Pending,
    }
}
