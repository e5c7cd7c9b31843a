//! The five time-outs that Gr4vy documents, played against a running server: where each ends, and
//! what a checkout service was told on the way. Each at every provider that can say what it needs.

use std::time::Duration;

use paystatus_client::{
    Change, ChangeKind, ConditionKind, OperationKind, OperationStatus, Order, Outcome,
    PaymentStatus,
};
use paystatus_server::{
    config::{Config, StatusApiConfig},
    simulate::{
        Account,
        scenario::{self, Played, Scenario, Stage},
    },
};
use paystatus_simulator::Simulator;

use crate::harness::{MERCHANT, PATIENCE, System, account, soon};

/// The account that is simulated.
const ACCOUNT: &str = "simulated";
/// What every order of a scenario costs.
const CENTS: i64 = 14_624;

/// Plays a scenario at a provider.
async fn play(scenario: Scenario, provider: &str) -> Played {
    // The simulator needs the server's address, and the server's account the simulator's: the
    // status API has its port first.
    let status_api = free_port();
    let url = format!("http://{status_api}");
    let simulated = Account::of(provider, ACCOUNT, "http://paystatus.test", &url);
    let simulated = simulated.unwrap_or_else(|| panic!("{provider} is not known"));
    let settings = simulated.clone();
    let system = System::start_with(move |config| {
        configure(config, &settings, scenario.needs_polling().then_some(status_api));
    })
    .await;
    let mut builder = Simulator::builder(provider)
        .expect("it is known")
        .webhooks_to(format!("http://{}/webhooks/{ACCOUNT}", system.http()))
        .secret(&simulated.signing_secret);
    for (name, value) in &simulated.options {
        builder = builder.option(name, value);
    }
    for (name, value) in &simulated.credentials {
        builder = builder.credential(name, value);
    }
    if scenario.needs_polling() {
        builder = builder.status_api(status_api);
    }
    let simulator = builder.start().await.expect("the provider starts");
    let stage = Stage::new(system.client(), simulator, ACCOUNT, "o", PATIENCE / 4);
    let played = soon("the end of the scenario", scenario::play(scenario, &stage)).await;
    played.unwrap_or_else(|error| panic!("{provider}, {}: {error}", scenario.name()))
}

fn free_port() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it has an address")
}

fn configure(config: &mut Config, simulated: &Account, asked: Option<std::net::SocketAddr>) {
    let mut account = account(ACCOUNT, &simulated.provider, MERCHANT, &simulated.secret);
    account.options = simulated.options.clone();
    account.status_api = asked.map(|address| {
        let url = Some(format!("http://{address}"));
        let credentials = simulated.credentials.clone();
        StatusApiConfig {
            credentials,
            url: url.clone(),
            auth_url: url,
            first: Some(Duration::from_millis(100)),
            factor: Some(1.0),
            most: Some(Duration::from_millis(200)),
            rate: Some(100.0),
            ..Default::default()
        }
    });
    config.accounts.push(account);
}

fn statuses(played: &Played) -> Vec<(PaymentStatus, PaymentStatus)> {
    let changed = |change: &Change| match change.kind {
        ChangeKind::OrderStatusChanged => Some((change.previous_status?, change.order_status)),
        _ => None,
    };
    played.changes().filter_map(changed).collect()
}

fn outcomes(played: &Played) -> Vec<Outcome> {
    let changed = played.changes().filter(|change| change.kind == ChangeKind::OutcomeChanged);
    changed.map(|change| change.outcome).collect()
}

fn conditions(played: &Played) -> Vec<(ChangeKind, ConditionKind)> {
    let of = |change: &Change| Some((change.kind, change.condition.as_ref()?.kind));
    played.changes().filter_map(of).collect()
}

/// What was said of the recorded operation of a kind, in its order.
fn operation_statuses(played: &Played, kind: OperationKind) -> Vec<OperationStatus> {
    let of = |change: &Change| {
        let operation = change.operation.as_ref()?;
        let is_it = operation.kind == kind && operation.recorded;
        is_it.then_some(operation.status)
    };
    let mut statuses: Vec<OperationStatus> = played.changes().filter_map(of).collect();
    statuses.dedup();
    statuses
}

fn cents(money: Option<&paystatus_client::Money>) -> Option<i64> {
    let money = money?;
    Some(money.minor_units() * 100 / 10_i64.pow(money.exponent()))
}

fn only(played: &Played) -> &Order {
    let [order] = played.orders.as_slice() else { panic!("one order: {:?}", played.orders) };
    order
}

#[tokio::test]
async fn a_time_out_is_resolved_by_the_webhook() {
    for provider in by_webhook() {
        let played = play(Scenario::TimeoutWebhook, provider).await;
        let order = only(&played);
        assert_eq!((order.status, order.outcome), (PaymentStatus::Successful, Outcome::Approved));
        assert_eq!(cents(order.totals.captured.as_ref()), Some(CENTS), "{provider}");
        assert_eq!(played.awaited(), [Outcome::Undecided, Outcome::Approved], "{provider}");
        assert_eq!(outcomes(&played), [Outcome::Approved], "a time-out changes nothing");
        assert_eq!(statuses(&played).first().map(|(before, _)| *before), {
            Some(PaymentStatus::Pending)
        });
        assert_eq!(conditions(&played), []);
    }
}

/// Scenarios 2 and 3 differ in how paystatus learns of the first payment, and in nothing else.
fn assert_second_attempt(provider: &str, played: &Played) {
    let order = only(played);
    assert_eq!((order.status, order.outcome), (PaymentStatus::Successful, Outcome::Approved));
    assert_eq!(played.awaited(), [Outcome::Undecided, Outcome::Approved], "{provider}");
    assert_eq!(outcomes(played), [Outcome::Approved], "{provider}: told once, never taken back");
    let double = ConditionKind::DuplicatePayment;
    let opened = [(ChangeKind::ConditionOpened, double), (ChangeKind::ConditionClosed, double)];
    assert_eq!(conditions(played), opened, "{provider}");
    let condition = played.changes().find_map(|change| change.condition.as_ref());
    let mut named = condition.expect("it was opened").attempt_ids.clone();
    named.sort();
    assert_eq!(named, ["a1", "a2"], "{provider}");
    assert_eq!(cents(order.totals.captured.as_ref()), Some(2 * CENTS), "{provider}");
    assert_eq!(cents(order.totals.refunded.as_ref()), Some(CENTS), "{provider}");
    assert_eq!(order.conditions, [], "{provider}: nothing is left to be done");
    assert_eq!(order.attempts.len(), 2, "{provider}");
    let first = order.attempt("a1").expect("it is there");
    assert_eq!(cents(first.totals.refunded.as_ref()), Some(CENTS), "{provider}");
}

#[tokio::test]
async fn a_late_webhook_shows_that_the_customer_paid_twice() {
    for provider in by_webhook() {
        let played = play(Scenario::LateWebhookTwoAttempts, provider).await;
        assert_second_attempt(provider, &played);
    }
}

#[tokio::test]
async fn asking_shows_that_the_customer_paid_twice() {
    for provider in by_asking() {
        let played = play(Scenario::Polling, provider).await;
        assert_second_attempt(provider, &played);
    }
}

/// Scenarios 4 and 5 differ in how paystatus learns of the operations, and in nothing else.
fn assert_operations(provider: &str, played: &Played) {
    for kind in [OperationKind::Capture, OperationKind::Void, OperationKind::Refund] {
        let statuses = operation_statuses(played, kind);
        let expected = [OperationStatus::Pending, OperationStatus::Successful];
        assert_eq!(statuses, expected, "{provider}: {kind}");
    }
    let [captured, voided, refunded] = played.orders.as_slice() else { panic!("three orders") };
    let ends = [captured, voided, refunded].map(|order| (order.status, order.outcome));
    let expected = [
        (PaymentStatus::Successful, Outcome::Approved),
        (PaymentStatus::Canceled, Outcome::Withdrawn),
        (PaymentStatus::Successful, Outcome::Approved),
    ];
    assert_eq!(ends, expected, "{provider}");
    assert_eq!(cents(captured.totals.captured.as_ref()), Some(CENTS), "{provider}");
    assert_eq!(cents(refunded.totals.refunded.as_ref()), Some(CENTS), "{provider}");
    assert_eq!(conditions(played), [], "{provider}");
}

#[tokio::test]
async fn operations_that_timed_out_are_resolved_by_webhooks() {
    for provider in by_webhook() {
        let played = play(Scenario::OperationsWebhook, provider).await;
        assert_operations(provider, &played);
    }
}

#[tokio::test]
async fn operations_that_timed_out_are_resolved_by_asking() {
    for provider in by_asking() {
        let played = play(Scenario::OperationsPolling, provider).await;
        assert_operations(provider, &played);
    }
}

/// Providers whose webhooks say all that is needed.
fn by_webhook() -> Vec<&'static str> {
    known(&["gr4vy", "standard-webhooks", "optty"])
}

/// Providers that can be asked, of a server that asks.
fn by_asking() -> Vec<&'static str> {
    known(&["gr4vy"])
}

fn known(names: &[&'static str]) -> Vec<&'static str> {
    let has_voice = |name: &&str| paystatus_simulator::voices::by_name(name).is_some();
    names.iter().copied().filter(|name| has_voice(name)).collect()
}
