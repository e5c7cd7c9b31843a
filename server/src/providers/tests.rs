//! For every provider: order of arrival does not matter (design 3.1 b), nor does stopping and
//! opening again (3.1 a), and an honest life ends where the provider's ledger says. All of it comes
//! as signed bodies, verified and read by the adapter, in any order with repeats.

mod any_events;
mod any_words;
mod asking;
mod delivery;
mod happened;
mod honest;
mod in_words;
mod simulated;

use std::cmp::Ordering;

use paystatus_simulator::{
    Event, OperationKind as Kind, OperationState, Payment, PaymentState, Standing, voice::Webhook,
    voices,
};
use proptest::{prelude::*, test_runner::TestRunner};

use self::{
    delivery::{Deal, check, deals, intents, intents_for, run},
    happened::{REFERENCE, SECOND_REFERENCE},
    honest::{Happening, Life, lead, steps},
};
pub(super) use self::{
    happened::{NOW, OPERATION_STATES, PAYMENT_STATES, event, operate, payment, payment_of},
    in_words::{all_words, each_in_words, in_words, statements},
    simulated::SimulatedAccount,
};
use crate::domain::{
    command::Command,
    money::Money,
    statement::Basis,
    testing::aud,
    view::{AttemptView, ConditionKind, PaymentStatus},
};

/// Honest lives of each provider, shared among its accounts.
const CASES_OF_HONEST_LIVES: u32 = 96;
/// The same, of any events.
const CASES_OF_ANY_EVENTS: u32 = 64;
/// Lives in any words, of each provider that has them.
const CASES_IN_ANY_WORDS: u32 = 256;

/// Accounts of every provider, with the options that make its webhooks say different things.
const ACCOUNTS: &[(&str, &[(&str, &str)])] = &[
    ("adyen", &[("capture", "manual")]),
    ("adyen", &[("capture", "automatic"), ("modification_reference", "own")]),
    ("blockatm", &[("signature", "raw")]),
    ("blockatm", &[("signature", "sorted"), ("reference_field", "cust_no")]),
    ("checkout-com", &[]),
    ("gr4vy", &[("captures", "resources")]),
    ("gr4vy", &[("captures", "transactions")]),
    ("mollie", &[("webhooks", "classic")]),
    ("mollie", &[("webhooks", "next-gen"), ("operation_metadata_key", "mine")]),
    ("optty", &[]),
    ("paypal", &[]),
    ("square", &[]),
    ("standard-webhooks", &[]),
    ("stripe", &[]),
];

/// Runs a property for every account, and says whose life it was.
fn for_every_account<S: Strategy>(
    cases: u32,
    strategy: &S,
    property: impl Fn(&SimulatedAccount, S::Value),
) {
    for voice in voices::ALL {
        assert!(ACCOUNTS.iter().any(|(name, _)| *name == voice.name()), "{}", voice.name());
    }
    let mut failed = Vec::new();
    for (name, options) in ACCOUNTS {
        let account = SimulatedAccount::new(name, options);
        let siblings = ACCOUNTS.iter().filter(|(other, _)| other == name).count();
        let cases = cases / u32::try_from(siblings).unwrap();
        let ran = runner(cases).run(strategy, |value| {
            property(&account, value);
            Ok(())
        });
        failed.extend(ran.err().map(|error| format!("{name} {options:?}: {error}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    })
}

/// Values, and how they are dealt.
fn dealt<T: Clone + std::fmt::Debug>(
    values: impl Strategy<Value = Vec<T>>,
) -> impl Strategy<Value = (Vec<T>, Deal)> {
    values.prop_flat_map(|values| {
        let count = values.len();
        (Just(values), deals(count))
    })
}

/// Delivered as dealt, events come to what they come to once and in order.
fn check_events(
    account: &SimulatedAccount,
    intents: &[Command],
    events: &[Event],
    told: &[Vec<Command>],
    deal: &Deal,
) {
    let first = deal.order.iter().filter_map(|index| told.get(*index).cloned()).flatten();
    let again = deal.again.iter().filter_map(|index| events.get(*index));
    let again = again.flat_map(|event| account.accept_again(event));
    let dealt: Vec<Command> = first.chain(again).collect();
    check(intents, &told.concat(), &dealt, deal);
}

#[test]
fn any_words_do_not_depend_on_arrival() {
    let optty = SimulatedAccount::new("optty", &[]);
    let words = any_words::optty(optty.speaker.secret.clone());
    for_any_words(&optty, words);
    let standard = SimulatedAccount::new("standard-webhooks", &[]);
    let words = any_words::standard(standard.speaker.secret.clone());
    for_any_words(&standard, words);
}

fn for_any_words(account: &SimulatedAccount, words: impl Strategy<Value = Webhook>) {
    let words = dealt(prop::collection::vec(words, 1..9));
    let ran = runner(CASES_IN_ANY_WORDS).run(&words, |(webhooks, deal)| {
        let accept = |webhook: &Webhook| account.accept_webhook(webhook, &[]);
        let told: Vec<Vec<Command>> = webhooks.iter().map(accept).collect();
        let indexes = deal.order.iter().chain(&deal.again);
        let dealt: Vec<Command> = indexes.flat_map(|index| told[*index].clone()).collect();
        check(&intents(account, SECOND_REFERENCE), &told.concat(), &dealt, &deal);
        Ok(())
    });
    assert!(ran.is_ok(), "{}: {}", account.voice.name(), ran.unwrap_err());
}

#[test]
fn any_events_do_not_depend_on_arrival() {
    for_every_account(
        CASES_OF_ANY_EVENTS,
        &dealt(any_events::events()),
        |account, (events, deal)| {
            let told: Vec<_> = events.iter().map(|event| account.accept(event)).collect();
            check_events(account, &intents(account, SECOND_REFERENCE), &events, &told, &deal);
        },
    );
}

#[test]
fn honest_lives_do_not_depend_on_arrival() {
    let lives = (dealt(steps()), any::<bool>());
    for_every_account(CASES_OF_HONEST_LIVES, &lives, |account, ((steps, deal), same_reference)| {
        // Where a reference is for one payment, a second one has another.
        let is_shared = same_reference && !account.provider.reference_identifies_attempt();
        let second = if is_shared { REFERENCE } else { SECOND_REFERENCE };
        let Life { events, told, .. } = lead(account, &steps, [REFERENCE, second]);
        check_events(account, &intents(account, second), &events, &told, &deal);
    });
}

#[test]
fn an_honest_life_ends_where_the_ledger_says() {
    let lives = (steps(), any::<bool>());
    for_every_account(CASES_OF_HONEST_LIVES, &lives, |account, (steps, are_recorded)| {
        let Life { told, payments, .. } = lead(account, &steps, [REFERENCE, SECOND_REFERENCE]);
        let mut recorded = payments.clone();
        if !are_recorded && !is_weak(account) {
            recorded.iter_mut().for_each(|payment| payment.operations.clear());
        }
        let view = run(&intents_for(account, &recorded), &told.concat());
        assert_eq!(view.attempts.len(), 2, "{:#?}", view.attempts);
        for (attempt, payment) in view.attempts.iter().zip(&payments) {
            assert_ends(account, attempt, payment);
        }
    });
}

/// True if its word for an operation that nobody recorded is none, until a poll confirms it.
fn is_weak(account: &SimulatedAccount) -> bool {
    account.provider.basis(&account.settings) == Basis::WeakWebhook
}

/// Status and sums are the ledger's. What was voided is compared where the provider says so as
/// an operation.
fn assert_ends(account: &SimulatedAccount, attempt: &AttemptView, payment: &Payment) {
    let standings = account.voice.standings(payment);
    let statuses: Vec<PaymentStatus> = standings.iter().map(|s| status(*s)).collect();
    assert!(statuses.contains(&attempt.status), "{:?}: {payment:#?}\n{attempt:#?}", attempt.status);
    let is = |money: Option<Money>, minor_units: u64| {
        let expected = aud(&format!("{}.{:02}", minor_units / 100, minor_units % 100));
        money.map_or(minor_units == 0, |m| m.compare(&expected) == Some(Ordering::Equal))
    };
    let amounts = &attempt.amounts;
    assert!(is(amounts.captured, payment.captured()), "captured: {payment:#?}\n{attempt:#?}");
    assert!(is(amounts.refunded, payment.refunded()), "refunded: {payment:#?}\n{attempt:#?}");
    let voided = payment.total(Kind::Void);
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

/// Lives of one payment, what it comes to, and how many accounts do not hear of all of it.
const LIVES: &[(&[Happening], PaymentStatus, usize)] = {
    use Happening as H;
    use OperationState::{Declined, Succeeded};
    use PaymentStatus as Is;
    const CAPTURED: Happening = H::Operate(Kind::Capture, 1, Succeeded);
    const NOT_CAPTURED: Happening = H::Operate(Kind::Capture, 1, Declined);
    const CAPTURED_WHOLE: Happening = H::Operate(Kind::Capture, 3, Succeeded);
    const REFUNDED: Happening = H::Operate(Kind::Refund, 1, Succeeded);
    const VOIDED: Happening = H::Operate(Kind::Void, 1, Succeeded);
    &[
        (&[H::Pend], Is::Pending, 1),
        (&[H::Authorize], Is::Authorized, 3),
        (&[H::Pend, H::Authorize], Is::Authorized, 4),
        (&[H::Decline], Is::Declined, 2),
        (&[H::Pend, H::Decline], Is::Declined, 3),
        (&[H::Decline, H::Authorize], Is::Authorized, 3),
        (&[H::Pay], Is::Successful, 0),
        (&[H::Pend, H::Pay], Is::Successful, 1),
        (&[H::Authorize, H::ExpireAuthorization], Is::Expired, 6),
        (&[H::Authorize, CAPTURED], Is::Successful, 4),
        (&[H::Authorize, NOT_CAPTURED], Is::Authorized, 7),
        (&[H::Authorize, CAPTURED_WHOLE], Is::Successful, 4),
        (&[H::Authorize, CAPTURED_WHOLE, REFUNDED], Is::Successful, 4),
        (&[H::Authorize, VOIDED], Is::Canceled, 3),
    ]
};

/// Where a refusal is final, an approval after it is a conflict.
const REFUSES_FINALLY: &[&str] = &["adyen", "gr4vy", "mollie", "optty", "square"];

#[test]
fn every_life_comes_to_its_status_in_any_order() {
    for (happenings, status, deaf) in LIVES {
        let steps: Vec<_> = happenings.iter().map(|happening| (false, *happening)).collect();
        let mut hearing = 0;
        for (name, options) in ACCOUNTS {
            let account = SimulatedAccount::new(name, options);
            let life = lead(&account, &steps, [REFERENCE, SECOND_REFERENCE]);
            if life.told.len() == steps.len() {
                hearing += 1;
                assert_comes_to(&account, &life, *status);
            }
        }
        assert_eq!(hearing + deaf, ACCOUNTS.len(), "{happenings:?}");
    }
}

/// However much of its first payment's order is recorded, and in both orders.
fn assert_comes_to(account: &SimulatedAccount, life: &Life, status: PaymentStatus) {
    let (name, payment) = (account.voice.name(), &life.payments[0]);
    let intents = intents_for(account, &life.payments[..1]);
    let mut told = life.told.concat();
    let was_declined = life.events[0].payment.state == PaymentState::Declined;
    let is_conflict = was_declined && life.events.len() > 1 && REFUSES_FINALLY.contains(&name);
    for recorded in 1..=intents.len() {
        let is_known = recorded > 2 || payment.operations.is_empty();
        let status = match status {
            _ if is_weak(account) && !is_known => PaymentStatus::Authorized,
            // PayPal does not tell who voided: the merchant, or time.
            PaymentStatus::Expired if name == "paypal" => PaymentStatus::Canceled,
            status => status,
        };
        for _ in 0..2 {
            let view = run(&intents[..recorded], &told);
            assert_eq!(view.summary.status, status, "{name} {payment:#?}");
            assert_eq!(view.attempts.len(), 1, "{name} {payment:#?}");
            let conditions = view.conditions.iter().map(|condition| condition.kind);
            let expected = is_conflict.then_some(ConditionKind::Conflict);
            assert!(conditions.eq(expected), "{name} {:#?}", view.conditions);
            told.reverse();
        }
    }
}
