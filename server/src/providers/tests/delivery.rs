//! How evidence comes: in any order, some of it again, the merchant's own commands among it, and
//! everything stopped and opened again on the way.

use std::sync::Arc;

use paystatus_simulator::{Event, OperationKind as Kind, Payment, voice::Webhook};
use proptest::prelude::*;

use super::{
    happened::{PART, REFERENCE, REFUND_REFERENCE, WHOLE, amount},
    in_words::statements,
    simulated::SimulatedAccount,
};
use crate::{
    domain::{
        command::Command,
        statement::{Basis, OperationKind},
        testing::{
            MemoryWorld, accept_from, assert_same, create_attempt, create_operation, create_order,
            unnamed,
        },
        time::Time,
        view::View,
    },
    providers::{Content, Reading, Subject},
    record::{decode_order, encode_order},
};

/// The order that all of it is about.
const ORDER: &str = "o1";

/// How a life is delivered: the order of its events, some of them again, where the intents
/// come, and where everything is stopped, stored and opened again.
#[derive(Clone, Debug)]
pub(super) struct Deal {
    pub(super) order: Vec<usize>,
    pub(super) again: Vec<usize>,
    places: Vec<usize>,
    stop: usize,
}

/// Ways to deliver so many events.
pub(super) fn deals(count: usize) -> impl Strategy<Value = Deal> {
    let order: Vec<usize> = (0..count).collect();
    let again = prop::collection::vec(0..count.max(1), 0..4);
    let places = prop::collection::vec(0..count + 2, 1..5).prop_map(|mut places| {
        places.sort_unstable();
        places
    });
    (Just(order).prop_shuffle(), again, places, 0..count + 4)
        .prop_map(|(order, again, places, stop)| Deal { order, again, places, stop })
}

// === What is delivered ===

/// What a merchant records of its order; each needs those before it. The second attempt has that
/// reference.
pub(super) fn intents(account: &SimulatedAccount, second_reference: &str) -> Vec<Command> {
    let refund = (OperationKind::Refund, REFUND_REFERENCE);
    let mut intents = vec![
        create_order(ORDER, &amount(WHOLE).major()),
        create_attempt(ORDER, "a1", REFERENCE, None),
        create_operation(ORDER, "a1", refund, Some(&amount(PART).major())),
        create_attempt(ORDER, "a2", second_reference, None),
    ];
    name_attempts(account, &mut intents);
    intents
}

/// The order, an attempt for each payment, and every operation.
pub(super) fn intents_for(account: &SimulatedAccount, payments: &[Payment]) -> Vec<Command> {
    let mut intents = vec![create_order(ORDER, &amount(WHOLE).major())];
    for (payment, attempt) in payments.iter().zip(["a1", "a2"]) {
        intents.push(create_attempt(ORDER, attempt, &payment.reference, None));
        for operation in &payment.operations {
            let kind = match operation.kind {
                Kind::Capture => OperationKind::Capture,
                Kind::Refund => OperationKind::Refund,
                Kind::Void => OperationKind::Void,
            };
            let amount = operation.amount.major();
            let named = (kind, operation.reference.as_str());
            intents.push(create_operation(ORDER, attempt, named, Some(&amount)));
        }
    }
    name_attempts(account, &mut intents);
    intents
}

fn name_attempts(account: &SimulatedAccount, intents: &mut [Command]) {
    for intent in intents {
        if let Command::CreateAttempt(attempt) = intent {
            attempt.reference_is_id = account.provider.reference_identifies_attempt();
        }
    }
}

impl SimulatedAccount {
    /// What the edge makes of an event; nothing if the provider has no webhook for it.
    pub(super) fn accept(&self, event: &Event) -> Vec<Command> {
        self.webhook(event).map(|webhook| self.accept_told(&webhook, event)).unwrap_or_default()
    }

    /// The same of its redelivery.
    pub(super) fn accept_again(&self, event: &Event) -> Vec<Command> {
        self.redelivery(event).map(|webhook| self.accept_told(&webhook, event)).unwrap_or_default()
    }

    fn accept_told(&self, webhook: &Webhook, event: &Event) -> Vec<Command> {
        let commands = self.accept_webhook(webhook, std::slice::from_ref(&event.payment));
        // Gr4vy's captures can be read of transactions alone. Nothing else is left unread.
        let may_be_unread = self.settings.option("captures") == Some("transactions");
        assert!(may_be_unread || !commands.is_empty(), "{} {event:?}", self.voice.name());
        commands
    }

    /// What the edge makes of a webhook: it is verified and read; where it is no more than a
    /// hint, the provider is asked, which has this ledger.
    pub(super) fn accept_webhook(&self, webhook: &Webhook, ledger: &[Payment]) -> Vec<Command> {
        let readings = self.read(webhook).into_iter();
        readings.flat_map(|reading| self.commands(reading, ledger)).collect()
    }

    fn commands(&self, reading: Reading, ledger: &[Payment]) -> Vec<Command> {
        let basis = self.provider.basis(&self.settings);
        match reading.content {
            Content::Statements(said) => vec![accept_from(basis, &reading.event_id, said)],
            Content::Look(id) => {
                let subject = Subject { ids: &[id], ..Subject::default() };
                let answers = self.look(&subject, ledger).into_iter();
                let accept = |answer: Reading| {
                    accept_from(Basis::Poll, &answer.event_id, statements(answer.content))
                };
                answers.map(accept).collect()
            }
            Content::Ignored { .. } => Vec::new(),
        }
    }
}

// === Delivery ===

/// Delivered as dealt, the order is what it is when all comes once and in order.
pub(super) fn check(intents: &[Command], once: &[Command], dealt: &[Command], deal: &Deal) {
    let intents = &intents[..deal.places.len()];
    let straight = run(intents, once);
    let permuted = run_and_stop(intents, dealt, &deal.places, deal.stop);
    assert_same(&unnamed(&straight), &unnamed(&permuted));
}

/// What the order comes to when evidence is delivered after the intents.
pub(super) fn run(intents: &[Command], evidence: &[Command]) -> View {
    run_and_stop(intents, evidence, &vec![0; intents.len()], usize::MAX)
}

/// The same with the intents at given places among the evidence, and one stop on the way.
fn run_and_stop(intents: &[Command], evidence: &[Command], places: &[usize], stop: usize) -> View {
    let mut world = MemoryWorld::default();
    let mut places = places.iter().copied().zip(0_i64..).zip(intents).peekable();
    for (index, command) in evidence.iter().map(Some).chain([None]).enumerate() {
        let is_due =
            |((place, _), _): &((usize, i64), &Command)| *place <= index || command.is_none();
        while let Some(((_, time), intent)) = places.next_if(is_due) {
            world.run(intent, Time::from_seconds(time)).unwrap();
        }
        if index == stop {
            reopen(&mut world);
        }
        if let Some(command) = command {
            world.run(command, Time::from_seconds(1000)).unwrap();
        }
    }
    world.view(ORDER)
}

/// Every order as bytes, and back.
fn reopen(world: &mut MemoryWorld) {
    for order in world.orders.values_mut() {
        let opened = decode_order(&encode_order(order)).expect("what was written can be read");
        assert_same(&unnamed(&opened.view), &unnamed(&order.view));
        *order = Arc::new(opened);
    }
}
