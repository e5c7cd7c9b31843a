//! For every provider that the simulator can be: whatever happens to two payments of one order,
//! the order of arrival does not matter (design 3.1 b).

use paystatus_simulator::{
    life::{About, OperationKind as Kind, OperationState, Payment, PaymentState},
    voice::Webhook,
};
use proptest::{prelude::*, sample::select};

use super::{intents, run, spoken};
use crate::domain::{
    command::{AcceptEvidence, Command},
    fact::Evidence,
    testing::{account, assert_same, parent, unnamed},
    view::PaymentStatus,
};

/// Accounts of the providers that are tested this way.
fn accounts() -> Vec<spoken::Spoken> {
    use spoken::Spoken;
    let paypal = [
        ("certificate_host", "127.0.0.1".to_owned()),
        ("trust_roots_pem", paystatus_simulator::voices::paypal::ROOT.to_owned()),
    ];
    let checkout_com = [("operation_reference", "payment".to_owned())];
    vec![
        Spoken::new("paypal", &paypal, &[("client_id", "id"), ("client_secret", "secret")]),
        Spoken::new("checkout-com", &checkout_com, &[("secret_key", "sk_1")]),
        Spoken::new("stripe", &[], &[("secret_key", "sk_live_1")]),
    ]
}

/// Something that happens: to which payment, and what.
#[derive(Clone, Copy, Debug)]
enum Step {
    Comes(usize, PaymentState),
    Operates(usize, Kind, &'static str, OperationState, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use PaymentState::{
        AuthorizationExpired, Authorized, Canceled, Declined, Error, Expired, Paid, Pending,
    };
    let states = select(
        &[
            Pending,
            Authorized,
            Authorized,
            Paid,
            Declined,
            Canceled,
            Expired,
            Error,
            AuthorizationExpired,
        ][..],
    );
    let comes = (0..2_usize, states).prop_map(|(payment, state)| Step::Comes(payment, state));
    let kinds = select(&[Kind::Capture, Kind::Refund, Kind::Void][..]);
    let ends = select(
        &[
            OperationState::Pending,
            OperationState::Succeeded,
            OperationState::Succeeded,
            OperationState::Declined,
            OperationState::Canceled,
            OperationState::Error,
            OperationState::Corrected,
        ][..],
    );
    let details = (select(&["1", "2"][..]), select(&[4000, 6000, 10_000][..]));
    let operates =
        (0..2_usize, kinds, ends, details).prop_map(|(payment, kind, state, (id, units))| {
            Step::Operates(payment, kind, id, state, units)
        });
    prop::collection::vec(prop_oneof![comes, operates], 1..9)
}

/// What the provider sends while that happens.
fn webhooks(account: &spoken::Spoken, steps: &[Step]) -> Vec<Webhook> {
    let payment = |id, reference| spoken::payment(id, reference, PaymentState::Pending);
    let mut payments: [Payment; 2] = [payment("p1", "o1"), payment("p2", "o1-b")];
    let happen = |step: &Step| match *step {
        Step::Comes(index, state) => {
            payments[index].state = state;
            spoken::event(&payments[index], About::Payment)
        }
        Step::Operates(index, kind, id, state, units) => {
            // An id is unique at the provider.
            let id = format!("{}{id}", payments[index].id);
            spoken::operate(&mut payments[index], (kind, &id), state, units)
        }
    };
    let events: Vec<_> = steps.iter().map(happen).collect();
    events.iter().filter_map(|event| account.webhook(event)).collect()
}

fn accept(account_of: &spoken::Spoken, webhook: &Webhook) -> Command {
    let (event_id, statements) = account_of.read(webhook);
    let basis = account_of.provider.basis(&account_of.settings);
    let evidence = Evidence::first(account(), basis, &event_id, statements);
    let merchant = parent("x").merchant;
    Command::AcceptEvidence(AcceptEvidence { merchant, evidence, creates_orders: false })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn lives_that_are_told_do_not_depend_on_arrival(
        steps in steps(),
        keys in prop::collection::vec(any::<u32>(), 16),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        mut places in prop::collection::vec(0..10_usize, 1..5),
    ) {
        places.sort_unstable();
        for account in accounts() {
            let told: Vec<_> = webhooks(&account, &steps).iter().map(|w| accept(&account, w)).collect();
            if told.is_empty() {
                continue;
            }
            let intents = &intents(account.provider)[..places.len()];
            let mut dealt: Vec<_> = told.iter().cloned().zip(&keys).collect();
            dealt.sort_by_key(|(_, key)| **key);
            let mut dealt: Vec<_> = dealt.into_iter().map(|(command, _)| command).collect();
            dealt.extend(again.iter().map(|index| index.get(&told).clone()));
            let straight = run(intents, &told, &vec![0; places.len()]);
            let permuted = run(intents, &dealt, &places);
            let view = |world: &super::MemoryWorld| {
                use crate::domain::command::World as _;
                world.order(&parent("o1").key()).map(|order| unnamed(&order.view))
            };
            assert_same(&view(&straight), &view(&permuted));
        }
    }
}

#[test]
fn lives_that_are_told_come_to_their_end() {
    use OperationState::{Declined as Refused, Succeeded as Done};
    use PaymentState::{AuthorizationExpired, Authorized, Declined, Paid, Pending};
    use PaymentStatus as Is;
    let comes = |state| Step::Comes(0, state);
    let captured = |units| Step::Operates(0, Kind::Capture, "1", Done, units);
    let voided = Step::Operates(0, Kind::Void, "2", Done, 10_000);
    let refunded = Step::Operates(0, Kind::Refund, "2", Done, 4000);
    for (steps, expected) in [
        (vec![comes(Pending)], Is::Pending),
        (vec![comes(Authorized)], Is::Authorized),
        (vec![comes(Paid)], Is::Successful),
        (vec![comes(Declined)], Is::Declined),
        (vec![comes(Declined), comes(Authorized)], Is::Authorized),
        (vec![comes(Authorized), captured(4000)], Is::Successful),
        (vec![comes(Authorized), captured(10_000), refunded], Is::Successful),
        (
            vec![comes(Authorized), Step::Operates(0, Kind::Capture, "1", Refused, 100)],
            Is::Authorized,
        ),
        (vec![comes(Authorized), voided], Is::Canceled),
        (vec![comes(Authorized), comes(AuthorizationExpired)], Is::Expired),
    ] {
        for account in accounts() {
            let told = webhooks(&account, &steps);
            let told: Vec<_> = told.iter().map(|webhook| accept(&account, webhook)).collect();
            let world = run(&intents(account.provider)[..2], &told, &[0, 0]);
            let view = world.view("o1");
            // PayPal does not tell who voided: the merchant, or time.
            let is_paypal = account.settings.options.contains_key("trust_roots_pem");
            let expected =
                if is_paypal && expected == Is::Expired { Is::Canceled } else { expected };
            assert_eq!(view.summary.status, expected, "{steps:?}");
            assert_eq!((view.attempts.len(), view.conditions.len()), (1, 0), "{steps:?}");
        }
    }
}
