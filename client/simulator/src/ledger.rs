//! The provider's book: its payments, and what can happen to each of them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::life::{
    About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState,
};

/// Something that happens to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is under way, and the provider says so.
    Pend,
    /// The money is held. Also after an end without money, where a provider lets a customer try
    /// again within the same payment.
    Authorize,
    /// Authorised and captured in one; also late, after an end without money.
    Pay,
    /// Refused.
    Decline,
    /// Given up by the customer.
    Cancel,
    /// The customer took too long.
    Expire,
    /// A technical failure.
    Fail,
    /// What was paid fails after all.
    Correct,
    /// Nobody captured the authorisation in time.
    ExpireAuthorization,
    /// A capture, refund or void comes to a state. It begins with the first action that has its
    /// reference.
    Operate {
        /// What it does.
        kind: OperationKind,
        /// What the merchant gave as its reference: unique at the provider.
        reference: String,
        /// How much, in minor units. Heeded when it begins.
        minor_units: u64,
        /// Where it comes.
        state: OperationState,
    },
}

impl Action {
    /// A capture that succeeds at once.
    #[must_use]
    pub fn capture(reference: &str, minor_units: u64) -> Self {
        Self::operate(OperationKind::Capture, reference, minor_units)
    }

    /// A refund that succeeds at once.
    #[must_use]
    pub fn refund(reference: &str, minor_units: u64) -> Self {
        Self::operate(OperationKind::Refund, reference, minor_units)
    }

    /// A void that succeeds at once.
    #[must_use]
    pub fn void(reference: &str, minor_units: u64) -> Self {
        Self::operate(OperationKind::Void, reference, minor_units)
    }

    fn operate(kind: OperationKind, reference: &str, minor_units: u64) -> Self {
        let state = OperationState::Succeeded;
        Self::Operate { kind, reference: reference.to_owned(), minor_units, state }
    }
}

/// The provider does not do that. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider refuses: {what}")]
pub struct Refused {
    /// Why.
    pub what: &'static str,
}

fn refused<T>(what: &'static str) -> Result<T, Refused> {
    Err(Refused { what })
}

/// All payments of one merchant at a provider.
#[derive(Clone, Debug)]
pub struct Ledger {
    payments: Vec<Payment>,
    seed: u64,
    /// How many ids were given for each reference.
    given: BTreeMap<String, u64>,
}

impl Ledger {
    /// An empty book. Ids are made of the seed and the payment's reference, so what happens to
    /// others does not change them.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { payments: Vec::new(), seed, given: BTreeMap::new() }
    }

    /// A new payment, under way. Returns the provider's id of it; nobody is told yet.
    pub fn open(&mut self, reference: &str, amount: Amount, seconds: i64) -> String {
        let id = self.new_id(reference);
        self.payments.push(Payment {
            id: id.clone(),
            reference: reference.to_owned(),
            amount,
            state: PaymentState::Pending,
            created_seconds: seconds,
            changed_seconds: seconds,
            operations: Vec::new(),
        });
        id
    }

    /// All payments, oldest first.
    #[must_use]
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The payment of an id.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    /// Lets something happen.
    ///
    /// # Errors
    /// [`Refused`] if there is no such payment, or if that cannot happen to it as it stands.
    pub fn act(&mut self, id: &str, action: &Action, seconds: i64) -> Result<Event, Refused> {
        let Some(index) = self.payments.iter().position(|payment| payment.id == id) else {
            return refused("there is no such payment");
        };
        let reference = self.payments[index].reference.clone();
        let (event_id, operation_id) = (self.new_id(&reference), self.new_id(&reference));
        let payment = &mut self.payments[index];
        let about = match action {
            Action::Operate { kind, reference, minor_units, state } => {
                let asked = (*kind, reference.as_str(), *minor_units);
                About::Operation(operate(payment, asked, *state, operation_id, seconds)?)
            }
            _ => {
                payment.state = next_state(payment, action)?;
                payment.changed_seconds = seconds;
                About::Payment
            }
        };
        Ok(Event { id: event_id, about, payment: payment.clone(), seconds })
    }

    fn new_id(&mut self, reference: &str) -> String {
        let given = self.given.entry(reference.to_owned()).or_default();
        *given += 1;
        let digest = Sha256::digest(format!("{} {given} {reference}", self.seed));
        hex::encode(&digest[..16])
    }
}

fn next_state(payment: &Payment, action: &Action) -> Result<PaymentState, Refused> {
    use PaymentState as S;
    let has_operations = !payment.operations.is_empty();
    let is_without_money =
        !matches!(payment.state, S::Authorized | S::Paid | S::Corrected | S::AuthorizationExpired);
    match (action, payment.state) {
        (Action::Pend, S::Pending) => Ok(S::Pending),
        (Action::Authorize, _) if is_without_money => Ok(S::Authorized),
        (Action::Pay, _) if is_without_money => Ok(S::Paid),
        (Action::Decline, S::Pending) => Ok(S::Declined),
        (Action::Cancel, S::Pending) => Ok(S::Canceled),
        (Action::Expire, S::Pending) => Ok(S::Expired),
        (Action::Fail, S::Pending) => Ok(S::Error),
        (Action::Correct, S::Paid) if !has_operations => Ok(S::Corrected),
        (Action::ExpireAuthorization, S::Authorized)
            if payment.room(OperationKind::Void) > 0 && !is_under_way(payment) =>
        {
            Ok(S::AuthorizationExpired)
        }
        _ => refused("that cannot happen to the payment as it stands"),
    }
}

/// True if it is not known yet how much of an authorisation is left.
fn is_under_way(payment: &Payment) -> bool {
    let draws = |kind| matches!(kind, OperationKind::Capture | OperationKind::Void);
    let operations = payment.operations.iter();
    operations.filter(|o| draws(o.kind)).any(|o| o.state == OperationState::Pending)
}

fn operate(
    payment: &mut Payment,
    (kind, reference, minor_units): (OperationKind, &str, u64),
    state: OperationState,
    id: String,
    seconds: i64,
) -> Result<usize, Refused> {
    use OperationState as S;
    let is_released = payment.state == PaymentState::AuthorizationExpired
        || payment.operations.iter().any(|operation| operation.kind == OperationKind::Void);
    let known = payment.operations.iter().position(|o| o.kind == kind && o.reference == reference);
    if let Some(index) = known {
        let operation = &mut payment.operations[index];
        let can_follow = match operation.state {
            S::Pending => !matches!(state, S::Pending | S::Corrected),
            S::Succeeded => state == S::Corrected,
            S::Declined | S::Canceled | S::Error | S::Corrected => false,
        };
        if !can_follow {
            return refused("the operation has ended");
        }
        // Whether the money is held again then, or released as the rest was, no provider says.
        if kind == OperationKind::Capture && state == S::Corrected && is_released {
            return refused("the rest of the authorisation is gone");
        }
        operation.state = state;
        operation.changed_seconds = seconds;
        return Ok(index);
    }
    if state == S::Corrected {
        return refused("what never succeeded cannot fail after all");
    }
    if kind == OperationKind::Void && is_under_way(payment) {
        return refused("a capture or another void is under way");
    }
    if minor_units == 0 || minor_units > payment.room(kind) {
        return refused("there is not so much money for it");
    }
    let amount = Amount { minor_units, ..payment.amount.clone() };
    let reference = reference.to_owned();
    let changed_seconds = seconds;
    payment.operations.push(Operation { kind, id, reference, amount, state, changed_seconds });
    Ok(payment.operations.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::Standing;

    fn ledger() -> (Ledger, String) {
        let mut ledger = Ledger::new(1);
        let amount = Amount { currency: "AUD".to_owned(), minor_units: 100, exponent: 2 };
        let id = ledger.open("o1", amount, 1);
        (ledger, id)
    }

    #[test]
    fn no_more_is_captured_or_refunded_than_there_is() {
        let (mut ledger, id) = ledger();
        let mut act = |action| ledger.act(&id, &action, 2).is_ok();
        assert!(!act(Action::capture("c1", 40)), "nothing is authorised");
        assert!(act(Action::Authorize));
        assert!(act(Action::capture("c1", 40)));
        assert!(!act(Action::capture("c2", 61)));
        assert!(!act(Action::refund("r1", 41)));
        assert!(act(Action::refund("r1", 40)));
        assert!(act(Action::void("v1", 60)));
        assert!(!act(Action::capture("c2", 1)), "the rest is released");
        let payment = ledger.payment(&id).expect("it is there");
        assert_eq!((payment.standing(), payment.captured()), (Standing::Successful, 40));
    }

    #[test]
    fn an_event_holds_the_payment_as_it_was_then() {
        let (mut ledger, id) = ledger();
        let authorized = ledger.act(&id, &Action::Authorize, 2).expect("it happens");
        let captured = ledger.act(&id, &Action::capture("c1", 100), 3).expect("it happens");
        assert_eq!(authorized.payment.operations, []);
        assert_eq!(captured.operation().map(|o| o.amount.minor_units), Some(100));
        assert_ne!(authorized.id, captured.id);
    }

    #[test]
    fn what_succeeded_can_fail_after_all_and_nothing_else_can() {
        let (mut ledger, id) = ledger();
        ledger.act(&id, &Action::Pay, 2).expect("it happens");
        let refund = |state| Action::Operate {
            kind: OperationKind::Refund,
            reference: "r1".to_owned(),
            minor_units: 40,
            state,
        };
        assert!(ledger.act(&id, &refund(OperationState::Corrected), 3).is_err());
        assert!(ledger.act(&id, &refund(OperationState::Pending), 3).is_ok());
        assert!(ledger.act(&id, &refund(OperationState::Succeeded), 4).is_ok());
        assert!(ledger.act(&id, &refund(OperationState::Declined), 5).is_err());
        assert!(ledger.act(&id, &refund(OperationState::Corrected), 5).is_ok());
        assert_eq!(ledger.payments()[0].total(OperationKind::Refund), 0);
    }
}
