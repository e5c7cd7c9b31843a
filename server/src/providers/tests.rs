//! For every provider: order of arrival does not matter (design 3.1 b). Lives are generated as
//! signed bodies, verified and read by the adapter, and delivered in any order with repeats; that
//! copying the records gives what was decided (3.1 a) is checked on the way.

pub(super) mod happened;
mod lives;
pub(super) mod spoken;
mod spoken_lives;
mod voices;

use proptest::prelude::*;

use self::lives::Webhook;
use super::{AccountSettings, Content, Provider, Request, by_name};
use crate::domain::{
    command::{AcceptEvidence, Command, World as _},
    fact::Evidence,
    statement::OperationKind,
    testing::{
        MemoryWorld, account, assert_same, create_attempt, create_operation, create_order, parent,
        unnamed,
    },
    time::Time,
};

fn settings() -> AccountSettings {
    AccountSettings::signed_with(&[lives::SECRET])
}

/// What the edge makes of a webhook.
fn accept(provider: &dyn Provider, webhook: &Webhook) -> Option<Command> {
    let request = Request::new(&webhook.headers, webhook.body.as_bytes());
    provider.verify(&request, &settings(), Time::from_seconds(lives::SENT)).unwrap();
    let reading = provider.read(&request, &settings()).unwrap().remove(0);
    let Content::Statements(statements) = reading.content else { return None };
    let basis = provider.basis(&settings());
    let evidence = Evidence::first(account(), basis, &reading.event_id, statements);
    let merchant = parent("x").merchant;
    Some(Command::AcceptEvidence(AcceptEvidence { merchant, evidence, creates_orders: false }))
}

/// What a merchant records of its order; each needs those before it.
fn intents(provider: &dyn Provider) -> Vec<Command> {
    let mut intents = vec![
        create_order("o1", "100"),
        create_attempt("o1", "a1", "o1", None),
        create_operation("o1", "a1", (OperationKind::Refund, "x1"), Some("40")),
        create_attempt("o1", "a2", "o1-b", None),
    ];
    for intent in &mut intents {
        if let Command::CreateAttempt(attempt) = intent {
            attempt.reference_is_id = provider.reference_identifies_attempt();
        }
    }
    intents
}

/// Delivers webhooks, with the intents at given places among them.
fn run(intents: &[Command], webhooks: &[Command], places: &[usize]) -> MemoryWorld {
    let mut world = MemoryWorld::default();
    let mut places = places.iter().copied().zip(0_i64..).zip(intents).peekable();
    for (index, webhook) in webhooks.iter().map(Some).chain([None]).enumerate() {
        let is_due =
            |((place, _), _): &((usize, i64), &Command)| *place <= index || webhook.is_none();
        while let Some(((_, time), intent)) = places.next_if(is_due) {
            world.run(intent, Time::from_seconds(time)).unwrap();
        }
        if let Some(webhook) = webhook {
            world.run(webhook, Time::from_seconds(1000)).unwrap();
        }
    }
    world
}

fn check(name: &str, webhooks: &[Webhook], (order, again): (&[usize], &[usize]), places: &[usize]) {
    let provider = by_name(name).unwrap();
    let intents = &intents(provider)[..places.len()];
    let of = |webhooks: &mut dyn Iterator<Item = &Webhook>| -> Vec<Command> {
        webhooks.filter_map(|webhook| accept(provider, webhook)).collect()
    };
    let straight = run(intents, &of(&mut webhooks.iter()), &vec![0; places.len()]);
    let dealt = order.iter().chain(again).map(|index| &webhooks[index % webhooks.len()]);
    let permuted = run(intents, &of(&mut dealt.collect::<Vec<_>>().into_iter()), places);
    let view =
        |world: &MemoryWorld| world.order(&parent("o1").key()).map(|order| unnamed(&order.view));
    assert_same(&view(&straight), &view(&permuted));
}

/// Webhooks, an order of them, some again, and where the intents come.
fn deals(
    webhook: impl Strategy<Value = Webhook>,
) -> impl Strategy<Value = (Vec<Webhook>, Vec<usize>, Vec<usize>, Vec<usize>)> {
    prop::collection::vec(webhook, 1..9).prop_flat_map(|webhooks| {
        let order: Vec<usize> = (0..webhooks.len()).collect();
        let again = prop::collection::vec(0..webhooks.len(), 0..4);
        let places = prop::collection::vec(0..webhooks.len() + 2, 1..5).prop_map(|mut places| {
            places.sort_unstable();
            places
        });
        (Just(webhooks), Just(order).prop_shuffle(), again, places)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn lives_at_optty_do_not_depend_on_arrival(
        (webhooks, order, again, places) in deals(lives::optty())
    ) {
        check("optty", &webhooks, (&order, &again), &places);
    }

    #[test]
    fn lives_in_standard_webhooks_do_not_depend_on_arrival(
        (webhooks, order, again, places) in deals(lives::standard())
    ) {
        check("standard-webhooks", &webhooks, (&order, &again), &places);
    }
}

#[test]
fn a_life_of_each_provider_comes_to_an_end() {
    use crate::domain::view::PaymentStatus::Successful;
    let lives = [
        ("optty", vec![lives::optty_order("o1", Some("t1"), "SUCCESSFUL", None)]),
        ("standard-webhooks", vec![lives::standard_payment("m1", "p1", Some("o1"), "paid")]),
    ];
    for (name, webhooks) in lives {
        let provider = by_name(name).unwrap();
        let commands: Vec<_> = webhooks.iter().filter_map(|w| accept(provider, w)).collect();
        for place in [0, 1] {
            let world = run(&intents(provider)[..3], &commands, &[place; 3]);
            let view = world.view("o1");
            assert_eq!((view.summary.status, view.attempts.len()), (Successful, 1), "{name}");
        }
    }
}
