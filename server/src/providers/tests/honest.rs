//! Lives of payments as an honest provider leads them: made by a ledger, of nothing but what the
//! provider's voice has a word for.

use paystatus_simulator::{Action, Event, Ledger, OperationKind, OperationState, Payment};
use proptest::{prelude::*, sample::select};

use super::{
    happened::{NOW, PART, WHOLE, amount},
    simulated::SimulatedAccount,
};
use crate::domain::command::Command;

/// What may happen, payment by payment: what cannot happen when its turn comes, does not.
pub(super) type Steps = Vec<(bool, Happening)>;

/// One thing that may happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    Pend,
    Authorize,
    Pay,
    Decline,
    Cancel,
    Expire,
    Fail,
    Correct,
    ExpireAuthorization,
    /// The first or second operation of a kind, or a third of all that is left, comes to a state.
    Operate(OperationKind, u8, OperationState),
}

/// Steps of two payments, the first of which gets further.
pub(super) fn steps() -> impl Strategy<Value = Steps> {
    use Happening as H;
    let done = |kind| H::Operate(kind, 1, OperationState::Succeeded);
    let undone = |kind| H::Operate(kind, 1, OperationState::Corrected);
    let (capture, refund) = (OperationKind::Capture, OperationKind::Refund);
    let openings: &[&[Happening]] = &[
        &[H::Authorize, done(capture), undone(capture)],
        &[H::Pay, done(refund), undone(refund)],
        &[H::Pay, H::Correct],
        &[H::Authorize, done(OperationKind::Void)],
        &[H::Authorize],
        &[H::Pend, H::Authorize],
        &[H::Pay],
        &[H::Pend, H::Pay],
        &[H::Pend, H::Decline, H::Authorize],
        &[H::Expire, H::Pay],
        &[H::Cancel],
        &[],
    ];
    let openings: Vec<_> = openings.iter().map(|steps| steps.to_vec()).collect();
    let opening = select(openings);
    let payment = select(
        &[
            H::Pend,
            H::Authorize,
            H::Pay,
            H::Decline,
            H::Cancel,
            H::Expire,
            H::Fail,
            H::Correct,
            H::ExpireAuthorization,
        ][..],
    );
    let kinds = select(&[OperationKind::Capture, OperationKind::Refund, OperationKind::Void][..]);
    let states = select(
        &[
            OperationState::Succeeded,
            OperationState::Succeeded,
            OperationState::Succeeded,
            OperationState::Pending,
            OperationState::Declined,
            OperationState::Error,
            OperationState::Corrected,
        ][..],
    );
    let operation =
        (kinds, 1..4_u8, states).prop_map(|(kind, number, state)| H::Operate(kind, number, state));
    let step = prop_oneof![1 => payment, 3 => operation];
    let steps = prop::collection::vec((prop::bool::weighted(0.3), step), 0..9);
    (opening, steps).prop_map(|(opening, steps)| {
        let first = opening.into_iter().map(|happening| (false, happening));
        first.chain(steps).collect()
    })
}

/// What happened to two payments of one order.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// In their order.
    pub(super) events: Vec<Event>,
    /// What the edge makes of each; something of every one.
    pub(super) told: Vec<Vec<Command>>,
    /// In the end.
    pub(super) payments: Vec<Payment>,
}

/// Leads a life of what the account hears of. The two payments have these references.
pub(super) fn lead(
    account: &SimulatedAccount,
    steps: &[(bool, Happening)],
    references: [&str; 2],
) -> Life {
    let mut ledger = Ledger::new(1);
    let began = NOW - 100;
    let ids = references.map(|reference| ledger.open(reference, amount(WHOLE), began));
    let (mut events, mut told) = (Vec::new(), Vec::new());
    for (seconds, (second, happening)) in (began + 1..).zip(steps) {
        let index = usize::from(*second);
        let before = ledger.clone();
        let action = action(*happening, &before.payments()[index], *second);
        let Ok(event) = ledger.act(&ids[index], &action, seconds) else { continue };
        let commands = account.accept(&event);
        if commands.is_empty() {
            ledger = before;
        } else {
            events.push(event);
            told.push(commands);
        }
    }
    Life { events, told, payments: ledger.payments().to_vec() }
}

fn action(happening: Happening, payment: &Payment, second: bool) -> Action {
    use OperationKind::{Capture, Refund, Void};
    match happening {
        Happening::Pend => Action::Pend,
        Happening::Authorize => Action::Authorize,
        Happening::Pay => Action::Pay,
        Happening::Decline => Action::Decline,
        Happening::Cancel => Action::Cancel,
        Happening::Expire => Action::Expire,
        Happening::Fail => Action::Fail,
        Happening::Correct => Action::Correct,
        Happening::ExpireAuthorization => Action::ExpireAuthorization,
        Happening::Operate(kind, number, state) => {
            // The merchant's references are for one operation each; the first refund has
            // `REFUND_REFERENCE`.
            let letter = match (kind, second) {
                (Capture, false) => 'c',
                (Capture, true) => 'd',
                (Refund, false) => 'r',
                (Refund, true) => 's',
                (Void, false) => 'v',
                (Void, true) => 'w',
            };
            let minor_units = match (kind, number) {
                (Capture | Refund, 1) => PART,
                (Capture, 2) => WHOLE - PART,
                (Refund, 2) => 2_500,
                _ => payment.room(kind),
            };
            let reference = format!("x-{letter}{number}");
            Action::Operate { kind, reference, minor_units, state }
        }
    }
}
