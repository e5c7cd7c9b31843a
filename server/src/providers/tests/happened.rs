//! Payments and what happened to them, as the simulator's voices are made to say it.

use paystatus_simulator::life::{
    About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState,
};

/// When everything is said, in seconds; it happened shortly before.
pub(in crate::providers) const NOW: i64 = 1_790_000_000;
/// What the order and its payments are of, in minor units.
pub(in crate::providers) const WHOLE: u64 = 10_000;
/// What the refund that the merchant recorded is of, and many an operation, in minor units.
pub(in crate::providers) const PART: u64 = 4_000;

/// What the merchant gave as the reference of its order's first attempt.
pub(in crate::providers) const REFERENCE: &str = "o1";
/// And of its second, where the references are not the same.
pub(in crate::providers) const SECOND_REFERENCE: &str = "o1-b";
/// And of a refund of the first.
pub(in crate::providers) const REFUND_REFERENCE: &str = "x-r1";

/// All that a payment can come to.
pub(in crate::providers) const PAYMENT_STATES: &[PaymentState] = &[
    PaymentState::Pending,
    PaymentState::Authorized,
    PaymentState::Paid,
    PaymentState::Corrected,
    PaymentState::Declined,
    PaymentState::Canceled,
    PaymentState::Expired,
    PaymentState::Error,
    PaymentState::AuthorizationExpired,
];

/// All that an operation can come to.
pub(in crate::providers) const OPERATION_STATES: &[OperationState] = &[
    OperationState::Pending,
    OperationState::Succeeded,
    OperationState::Declined,
    OperationState::Canceled,
    OperationState::Error,
    OperationState::Corrected,
];

/// So much, in the currency of all tests.
pub(in crate::providers) fn amount(minor_units: u64) -> Amount {
    Amount { currency: "AUD".to_owned(), minor_units, exponent: 2 }
}

/// The payment `p1` of 100.00 AUD for the reference `o1`.
pub(in crate::providers) fn payment(state: PaymentState) -> Payment {
    payment_of("p1", REFERENCE, state)
}

/// A payment of 100.00 AUD.
pub(in crate::providers) fn payment_of(id: &str, reference: &str, state: PaymentState) -> Payment {
    Payment {
        id: id.to_owned(),
        reference: reference.to_owned(),
        amount: amount(WHOLE),
        state,
        created_seconds: NOW - 100,
        changed_seconds: NOW - 50,
        operations: Vec::new(),
    }
}

/// That a payment came to its state.
pub(in crate::providers) fn event(payment: &Payment) -> Event {
    about(payment, About::Payment, &format!("{:?}", payment.state))
}

/// Adds an operation of so many minor units, or brings one that is there to that state, and tells
/// so. The merchant calls the operation `r1` `x-r1`.
pub(in crate::providers) fn operate(
    payment: &mut Payment,
    (kind, id): (OperationKind, &str),
    state: OperationState,
    minor_units: u64,
) -> Event {
    let found = payment.operations.iter().position(|o| o.kind == kind && o.id == id);
    let index = found.unwrap_or(payment.operations.len());
    if found.is_none() {
        payment.operations.push(Operation {
            kind,
            id: id.to_owned(),
            reference: format!("x-{id}"),
            amount: amount(minor_units),
            state,
            changed_seconds: NOW - 20,
        });
    }
    payment.operations[index].state = state;
    about(payment, About::Operation(index), &format!("{kind:?}{id}{state:?}"))
}

fn about(payment: &Payment, about: About, what: &str) -> Event {
    let id = format!("{}{what}", payment.id);
    Event { id, about, payment: payment.clone(), seconds: NOW - 10 }
}
