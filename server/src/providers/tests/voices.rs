//! The same for what the simulator's voices say: whatever happened, told in any order, with
//! repeats, comes to the same.

use paystatus_simulator::life::{
    About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState,
};
use proptest::{prelude::*, sample::select};

use super::{
    happened::{self, OPERATION_STATES, PAYMENT_STATES, Pair, SECONDS, statements},
    intents, run,
};
use crate::domain::{
    command::{AcceptEvidence, Command, World as _},
    fact::Evidence,
    testing::{MemoryWorld, account, assert_same, parent, unnamed},
    view::PaymentStatus,
};

/// The voices, with options under which their webhooks say something.
const VOICES: &[(&str, &[(&str, &str)])] = &[
    ("adyen", &[("capture", "manual")]),
    ("adyen", &[("capture", "automatic"), ("modification_reference", "own")]),
    ("blockatm", &[("signature", "raw")]),
    ("blockatm", &[("signature", "sorted"), ("reference_field", "cust_no")]),
    ("gr4vy", &[("captures", "resources")]),
    ("gr4vy", &[("captures", "transactions")]),
    ("mollie", &[("webhooks", "next-gen"), ("operation_metadata_key", "mine")]),
    ("square", &[("notification_url", "https://shop.example/webhooks/sq")]),
];

/// What the edge makes of the webhook of an event.
fn commands(pair: &Pair, event: &Event) -> Vec<Command> {
    let accept = |(event_id, statements)| {
        let basis = pair.provider.basis(&pair.settings);
        let evidence = Evidence::first(account(), basis, event_id, statements);
        let merchant = parent("x").merchant;
        Command::AcceptEvidence(AcceptEvidence { merchant, evidence, creates_orders: false })
    };
    let readings = pair.readings(event).unwrap_or_default();
    let says = readings.iter().map(|r| (r.event_id.as_str(), statements(r.content.clone())));
    says.filter(|(_, statements)| !statements.is_empty()).map(accept).collect()
}

fn amounts(units: &'static [u64]) -> impl Strategy<Value = Amount> {
    let amount = |minor_units| Amount { currency: "AUD".to_owned(), minor_units, exponent: 2 };
    select(units).prop_map(amount)
}

fn operations() -> impl Strategy<Value = Operation> {
    let kinds = select(&[OperationKind::Capture, OperationKind::Refund, OperationKind::Void][..]);
    let names = select(&[("X1", "x1"), ("X2", "x2")][..]);
    let states = (select(OPERATION_STATES), 0..9_i64);
    (kinds, names, amounts(&[4_000, 6_000, 10_000]), states).prop_map(
        |(kind, (id, reference), amount, (state, later))| {
            let (id, reference) = (format!("{kind:?}{id}"), reference.to_owned());
            let changed_seconds = SECONDS + later;
            Operation { kind, id, reference, amount, state, changed_seconds }
        },
    )
}

/// Something that may have happened to one of two payments; what it says of the rest of that
/// payment need not fit what another says.
fn events() -> impl Strategy<Value = Event> {
    let names = select(&[("P1", "o1"), ("P2", "o1"), ("P3", "o1-b")][..]);
    let operations = prop::collection::vec(operations(), 0..3);
    let states = prop_oneof![
        3 => select(&[PaymentState::Authorized, PaymentState::Paid][..]),
        2 => select(PAYMENT_STATES),
    ];
    let payments = (names, amounts(&[10_000, 10_000, 9_900]), states, operations);
    (payments, any::<bool>(), 0..1_000_000_u32).prop_map(
        |((name, amount, state, operations), is_of_payment, event)| {
            let about = match operations.len() {
                0 => About::Payment,
                _ if is_of_payment => About::Payment,
                count => About::Operation(count - 1),
            };
            let payment = Payment {
                id: name.0.to_owned(),
                reference: name.1.to_owned(),
                amount,
                state,
                created_seconds: SECONDS,
                changed_seconds: SECONDS + 10,
                operations,
            };
            Event { id: format!("event{event}"), about, payment, seconds: SECONDS }
        },
    )
}

fn view(world: &MemoryWorld) -> Option<crate::domain::view::View> {
    world.order(&parent("o1").key()).map(|order| unnamed(&order.view))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_the_voices_say_does_not_depend_on_arrival(
        which in 0..VOICES.len(),
        events in prop::collection::vec(events(), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        places in prop::collection::vec(0..12_usize, 1..5),
    ) {
        let (name, options) = VOICES[which];
        let pair = Pair::of(name, options);
        let told: Vec<Command> =
            events.iter().flat_map(|event| commands(&pair, event)).collect();
        let mut places = places;
        places.sort_unstable();
        let intents = &intents(pair.provider)[..places.len()];
        let straight = run(intents, &told, &vec![0; places.len()]);
        // Some of it first, in an order of its own; then all of it, backwards.
        let some = order.iter().filter(|_| !told.is_empty()).map(|at| at.get(&told).clone());
        let dealt: Vec<Command> = some.chain(told.iter().rev().cloned()).collect();
        let permuted = run(intents, &dealt, &places);
        assert_same(&view(&straight), &view(&permuted));
    }
}

/// A payment of 100 that was authorised, and what happened to it then.
fn held(then: &[(OperationKind, u64)]) -> Vec<Event> {
    let mut payment = happened::payment(PaymentState::Authorized);
    payment.reference = "o1".to_owned();
    payment.amount.currency = "AUD".to_owned();
    let mut events = vec![happened::event(payment.clone())];
    for (kind, minor_units) in then {
        payment = happened::with_operation(payment, *kind, OperationState::Succeeded);
        if let Some(operation) = payment.operations.last_mut() {
            let currency = "AUD".to_owned();
            operation.amount = Amount { currency, minor_units: *minor_units, exponent: 2 };
        }
        events.push(happened::operation_event(payment.clone()));
    }
    events
}

/// A payment of 100 that came to these states, one after another.
fn states(states: &[PaymentState]) -> Vec<Event> {
    let of = |state: &PaymentState| {
        let mut event = held(&[]).remove(0);
        event.payment.state = *state;
        event
    };
    states.iter().map(of).collect()
}

#[test]
fn every_life_comes_to_its_end_in_any_order() {
    use OperationKind::{Capture, Refund, Void};
    use PaymentState::{AuthorizationExpired, Authorized, Declined, Paid, Pending};
    for (events, end) in [
        (states(&[Pending]), PaymentStatus::Pending),
        (states(&[Pending, Authorized]), PaymentStatus::Authorized),
        (states(&[Pending, Declined]), PaymentStatus::Declined),
        (states(&[Pending, Paid]), PaymentStatus::Successful),
        (states(&[Authorized, AuthorizationExpired]), PaymentStatus::Expired),
        (held(&[(Capture, 10_000)]), PaymentStatus::Successful),
        (held(&[(Capture, 4_000)]), PaymentStatus::Successful),
        (held(&[(Capture, 10_000), (Refund, 4_000)]), PaymentStatus::Successful),
        (held(&[(Void, 10_000)]), PaymentStatus::Canceled),
    ] {
        for (name, options) in VOICES {
            let is_automatic = options.contains(&("capture", "automatic"));
            if is_automatic && events.iter().any(|event| event.payment.state == Authorized) {
                continue; // Nothing is only authorised there.
            }
            let pair = Pair::of(name, options);
            // BlockATM knows no authorisations, Gr4vy tells of no expiry, and the sum of captures
            // not by an event of its own.
            let may_lack_words = ["blockatm", "gr4vy"].contains(name);
            if may_lack_words && events.iter().any(|event| commands(&pair, event).is_empty()) {
                continue;
            }
            let mut told: Vec<Command> = events.iter().flat_map(|e| commands(&pair, e)).collect();
            for _ in 0..2 {
                let world = run(&intents(pair.provider)[..1], &told, &[0]);
                let view = world.view("o1");
                assert_eq!(view.summary.status, end, "{name} {events:?}");
                assert_eq!(view.conditions, [], "{name} {events:?}");
                told.reverse();
            }
        }
    }
}
