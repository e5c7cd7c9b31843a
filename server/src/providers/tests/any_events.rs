//! Anything that a voice can say: one event need not follow from another.

use paystatus_simulator::life::{Event, OperationKind, OperationState, Payment, PaymentState};
use proptest::{prelude::*, sample::select};

use super::happened::{
    OPERATION_STATES, PART, PAYMENT_STATES, REFERENCE, SECOND_REFERENCE, WHOLE, amount, event,
    operate, payment_of,
};

/// Two payments of the first attempt, one of the second.
const PAYMENTS: [(&str, &str); 3] =
    [("p1", REFERENCE), ("p2", REFERENCE), ("p3", SECOND_REFERENCE)];

/// What becomes of a payment, whatever it was before.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// It comes to a state and an amount.
    Comes(PaymentState, u64),
    /// An operation comes to a state and an amount.
    Operates(OperationKind, &'static str, OperationState, u64),
}

/// Events of three payments of one order.
pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let change = prop_oneof![comes(), operates()];
    prop::collection::vec((0..PAYMENTS.len(), change, 0..9_i64), 1..8).prop_map(|changes| {
        let mut payments =
            PAYMENTS.map(|(id, reference)| payment_of(id, reference, PaymentState::Pending));
        let changes = changes.into_iter();
        let tell = changes.map(|(index, change, ago)| change.tell(&mut payments[index], ago));
        tell.collect()
    })
}

fn comes() -> impl Strategy<Value = Change> {
    let states = prop_oneof![
        3 => select(&[PaymentState::Authorized, PaymentState::Paid][..]),
        2 => select(PAYMENT_STATES),
    ];
    let amounts = select(&[WHOLE, WHOLE, WHOLE - 100][..]);
    (states, amounts).prop_map(|(state, minor_units)| Change::Comes(state, minor_units))
}

fn operates() -> impl Strategy<Value = Change> {
    // An id is unique among its kind.
    let kinds = select(
        &[
            (OperationKind::Capture, ["c1", "c2"]),
            (OperationKind::Refund, ["r1", "r2"]),
            (OperationKind::Void, ["v1", "v2"]),
        ][..],
    );
    let states = prop_oneof![
        1 => Just(OperationState::Succeeded),
        3 => select(OPERATION_STATES),
    ];
    let amounts = select(&[PART, WHOLE - PART, WHOLE][..]);
    (kinds, 0..2_usize, states, amounts).prop_map(|((kind, ids), id, state, minor_units)| {
        Change::Operates(kind, ids[id], state, minor_units)
    })
}

impl Change {
    /// Lets it happen some seconds before the others.
    fn tell(self, payment: &mut Payment, seconds_ago: i64) -> Event {
        let mut event = match self {
            Self::Comes(state, minor_units) => {
                (payment.state, payment.amount) = (state, amount(minor_units));
                event(payment)
            }
            Self::Operates(kind, id, state, minor_units) => {
                payment.operations.retain(|o| (o.kind, o.id.as_str()) != (kind, id));
                operate(payment, (kind, id), state, minor_units)
            }
        };
        event.seconds -= seconds_ago;
        event.payment.changed_seconds -= seconds_ago;
        for operation in &mut event.payment.operations {
            operation.changed_seconds -= seconds_ago;
        }
        event
    }
}
