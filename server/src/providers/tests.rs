//! For every provider: order of arrival does not matter (design 3.1 b), nor does stopping and
//! opening again (3.1 a), and an honest life ends where the provider's ledger says. Lives come as
//! signed bodies, verified and read by the adapter, in any order with repeats.

mod asking;
pub(super) mod happened;
mod lives;
pub(super) mod spoken;
mod spoken_lives;
mod voices;
mod words;

use std::{cmp::Ordering, sync::Arc};

use paystatus_simulator::{Payment, PaymentState, Standing};
use proptest::{prelude::*, test_runner::TestRunner};

use self::{
    lives::{Life, Speaking, Steps},
    words::Webhook,
};
use super::{AccountSettings, Content, Provider, Request, by_name};
use crate::{
    domain::{
        command::{AcceptEvidence, Command, World as _},
        fact::Evidence,
        money::Money,
        statement::OperationKind,
        testing::{
            MemoryWorld, account, assert_same, aud, create_attempt, create_operation, create_order,
            parent, unnamed,
        },
        time::Time,
        view::{AttemptView, PaymentStatus},
    },
    record::{decode_order, encode_order},
};

/// Lives of each provider.
const CASES: u32 = 96;

/// How a life is delivered: the order of its events, some of them again, where the intents
/// come, and where everything is stopped, stored and opened again.
#[derive(Clone, Debug)]
struct Deal {
    order: Vec<usize>,
    again: Vec<usize>,
    places: Vec<usize>,
    stop: usize,
}

fn deals(count: usize) -> impl Strategy<Value = Deal> {
    let order: Vec<usize> = (0..count).collect();
    let again = prop::collection::vec(0..count.max(1), 0..4);
    let places = prop::collection::vec(0..count + 2, 1..5).prop_map(|mut places| {
        places.sort_unstable();
        places
    });
    (Just(order).prop_shuffle(), again, places, 0..count + 4)
        .prop_map(|(order, again, places, stop)| Deal { order, again, places, stop })
}

/// What a merchant records of its order; each needs those before it.
fn intents(provider: &dyn Provider) -> Vec<Command> {
    intents_of(provider, "o1-b")
}

/// The same, with a second attempt of that reference.
fn intents_of(provider: &dyn Provider, second_reference: &str) -> Vec<Command> {
    let mut intents = vec![
        create_order("o1", "100"),
        create_attempt("o1", "a1", "o1", None),
        create_operation("o1", "a1", (OperationKind::Refund, "x1"), Some("40")),
        create_attempt("o1", "a2", second_reference, None),
    ];
    name_attempts(provider, &mut intents);
    intents
}

fn name_attempts(provider: &dyn Provider, intents: &mut [Command]) {
    for intent in intents {
        if let Command::CreateAttempt(attempt) = intent {
            attempt.reference_is_id = provider.reference_identifies_attempt();
        }
    }
}

/// Delivers webhooks, with the intents at given places among them.
fn run(intents: &[Command], webhooks: &[Command], places: &[usize]) -> MemoryWorld {
    run_and_stop(intents, webhooks, places, usize::MAX)
}

/// The same, and stops once on the way.
fn run_and_stop(
    intents: &[Command],
    webhooks: &[Command],
    places: &[usize],
    stop: usize,
) -> MemoryWorld {
    let mut world = MemoryWorld::default();
    let mut places = places.iter().copied().zip(0_i64..).zip(intents).peekable();
    for (index, webhook) in webhooks.iter().map(Some).chain([None]).enumerate() {
        let is_due =
            |((place, _), _): &((usize, i64), &Command)| *place <= index || webhook.is_none();
        while let Some(((_, time), intent)) = places.next_if(is_due) {
            world.run(intent, Time::from_seconds(time)).unwrap();
        }
        if index == stop {
            reopen(&mut world);
        }
        if let Some(webhook) = webhook {
            world.run(webhook, Time::from_seconds(1000)).unwrap();
        }
    }
    world
}

/// Every order as bytes, and back.
fn reopen(world: &mut MemoryWorld) {
    for order in world.orders.values_mut() {
        let opened = decode_order(&encode_order(order)).expect("what was written can be read");
        assert_same(&unnamed(&opened.view), &unnamed(&order.view));
        *order = Arc::new(opened);
    }
}

/// Delivered as dealt, the order is what it is when all comes once and in order.
fn check(intents: &[Command], once: &[Command], dealt: &[Command], deal: &Deal) {
    let intents = &intents[..deal.places.len()];
    let straight = run(intents, once, &vec![0; intents.len()]);
    let permuted = run_and_stop(intents, dealt, &deal.places, deal.stop);
    let view =
        |world: &MemoryWorld| world.order(&parent("o1").key()).map(|order| unnamed(&order.view));
    assert_same(&view(&straight), &view(&permuted));
}

// === Any words ===

/// What the edge makes of a webhook.
fn accept(provider: &dyn Provider, webhook: &Webhook) -> Option<Command> {
    let settings = AccountSettings::signed_with(&[words::SECRET]);
    let request = Request::new(&webhook.headers, webhook.body.as_bytes());
    provider.verify(&request, &settings, Time::from_seconds(words::SENT)).unwrap();
    let reading = provider.read(&request, &settings).unwrap().remove(0);
    let Content::Statements(statements) = reading.content else { return None };
    let basis = provider.basis(&settings);
    let evidence = Evidence::first(account(), basis, &reading.event_id, statements);
    let merchant = parent("x").merchant;
    Some(Command::AcceptEvidence(AcceptEvidence { merchant, evidence, creates_orders: false }))
}

fn check_words(name: &str, webhooks: &[Webhook], deal: &Deal) {
    let provider = by_name(name).unwrap();
    let of = |index: &usize| accept(provider, &webhooks[*index]);
    let once: Vec<Command> = (0..webhooks.len()).filter_map(|index| of(&index)).collect();
    let dealt: Vec<Command> = deal.order.iter().chain(&deal.again).filter_map(of).collect();
    check(&intents(provider), &once, &dealt, deal);
}

fn dealt_words(
    webhook: impl Strategy<Value = Webhook>,
) -> impl Strategy<Value = (Vec<Webhook>, Deal)> {
    let webhooks = prop::collection::vec(webhook, 1..9);
    webhooks.prop_flat_map(|webhooks| {
        let count = webhooks.len();
        (Just(webhooks), deals(count))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn words_of_optty_do_not_depend_on_arrival((webhooks, deal) in dealt_words(words::optty())) {
        check_words("optty", &webhooks, &deal);
    }

    #[test]
    fn words_of_standard_webhooks_do_not_depend_on_arrival(
        (webhooks, deal) in dealt_words(words::standard())
    ) {
        check_words("standard-webhooks", &webhooks, &deal);
    }
}

// === Honest lives, of every voice ===

/// Runs a property for every voice, and says whose life it was.
fn for_every_voice<S: Strategy>(strategy: &S, property: impl Fn(&Speaking, S::Value)) {
    let mut failed = Vec::new();
    for voice in paystatus_simulator::voices::ALL {
        let speaking = Speaking::of(*voice);
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
        let ran = TestRunner::new(config).run(strategy, |value| {
            property(&speaking, value);
            Ok(())
        });
        failed.extend(ran.err().map(|error| format!("{}: {error}", voice.name())));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Steps, and how they are dealt: the places are of more events than there may come to be.
fn dealt_steps() -> impl Strategy<Value = (Steps, bool, Deal)> {
    lives::steps().prop_flat_map(|steps| {
        let count = steps.len();
        (Just(steps), any::<bool>(), deals(count))
    })
}

#[test]
fn lives_do_not_depend_on_arrival() {
    for_every_voice(&dealt_steps(), |speaking, (steps, same_reference, deal)| {
        // Where a reference is for one payment, a second one has another.
        let is_shared = same_reference && !speaking.provider.reference_identifies_attempt();
        let second = if is_shared { "o1" } else { "o1-b" };
        let Life { events, .. } = lives::lead(speaking, &steps, ["o1", second]);
        let accept = |index: usize, later| {
            events.get(index).map(|event| speaking.accept(event, later)).unwrap_or_default()
        };
        let once: Vec<Command> = (0..events.len()).flat_map(|index| accept(index, 0)).collect();
        // A redelivery is signed anew, a second later.
        let first = deal.order.iter().flat_map(|index| accept(*index, 0));
        let again = deal.again.iter().flat_map(|index| accept(*index, 1));
        let dealt: Vec<Command> = first.chain(again).collect();
        check(&intents_of(speaking.provider, second), &once, &dealt, &deal);
    });
}

#[test]
fn an_honest_life_ends_where_the_ledger_says() {
    for_every_voice(&lives::steps(), |speaking, steps| {
        let Life { events, payments } = lives::lead(speaking, &steps, ["o1", "o1-b"]);
        let intents = all_intents(speaking.provider, &payments);
        let webhooks: Vec<Command> = events.iter().flat_map(|e| speaking.accept(e, 0)).collect();
        let world = run(&intents, &webhooks, &vec![0; intents.len()]);
        let view = world.view("o1");
        assert_eq!(view.attempts.len(), 2, "{:#?}", view.attempts);
        for (attempt, payment) in view.attempts.iter().zip(&payments) {
            assert_ends(speaking, attempt, payment);
        }
    });
}

/// The order, both attempts, and every operation, recorded before anything comes.
fn all_intents(provider: &dyn Provider, payments: &[Payment]) -> Vec<Command> {
    let mut intents = vec![
        create_order("o1", "100"),
        create_attempt("o1", "a1", "o1", None),
        create_attempt("o1", "a2", "o1-b", None),
    ];
    for (payment, attempt) in payments.iter().zip(["a1", "a2"]) {
        for operation in &payment.operations {
            let kind = match operation.kind {
                paystatus_simulator::OperationKind::Capture => OperationKind::Capture,
                paystatus_simulator::OperationKind::Refund => OperationKind::Refund,
                paystatus_simulator::OperationKind::Void => OperationKind::Void,
            };
            let amount = operation.amount.major();
            let named = (kind, operation.reference.as_str());
            intents.push(create_operation("o1", attempt, named, Some(&amount)));
        }
    }
    name_attempts(provider, &mut intents);
    intents
}

/// Status and sums are the ledger's. What was voided is compared where the provider says so as
/// an operation.
fn assert_ends(speaking: &Speaking, attempt: &AttemptView, payment: &Payment) {
    let standings = speaking.voice.standings(payment);
    let statuses: Vec<PaymentStatus> = standings.iter().map(|s| status(*s)).collect();
    assert!(statuses.contains(&attempt.status), "{:?}: {payment:#?}\n{attempt:#?}", attempt.status);
    let is = |money: Option<Money>, minor_units: u64| {
        let expected = aud(&format!("{}.{:02}", minor_units / 100, minor_units % 100));
        money.map_or(minor_units == 0, |m| m.compare(&expected) == Some(Ordering::Equal))
    };
    let amounts = &attempt.amounts;
    assert!(is(amounts.captured, payment.captured()), "captured: {payment:#?}\n{attempt:#?}");
    assert!(is(amounts.refunded, payment.refunded()), "refunded: {payment:#?}\n{attempt:#?}");
    let voided = payment.total(paystatus_simulator::OperationKind::Void);
    // Where one word is for a void and an end of another sort, so is one sum.
    let is_clear = standings.contains(&payment.standing())
        && payment.state != PaymentState::AuthorizationExpired;
    let is_right = amounts.voided.is_none() || is(amounts.voided, voided);
    assert!(is_right || !is_clear, "voided: {payment:#?}\n{attempt:#?}");
}

fn status(standing: Standing) -> PaymentStatus {
    match standing {
        Standing::Pending => PaymentStatus::Pending,
        Standing::Authorized => PaymentStatus::Authorized,
        Standing::Successful => PaymentStatus::Successful,
        Standing::Declined => PaymentStatus::Declined,
        Standing::Canceled => PaymentStatus::Canceled,
        Standing::Expired => PaymentStatus::Expired,
        Standing::Error => PaymentStatus::Error,
    }
}
