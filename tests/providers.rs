//! Every provider, over the wire: what it tells by webhook, and what it says only when asked, comes
//! to the same end in a running server.

use std::{net::SocketAddr, time::Duration};

use futures_util::StreamExt as _;
use paystatus_client::{
    EvidenceSource, Outcome, PaymentStatus, ProviderId, ProviderReply, ReplyResult,
};
use paystatus_proto::v1;
use paystatus_server::{
    config::StatusApiConfig,
    simulate::{Account, account::names},
};
use paystatus_simulator::{Action, Amount, Simulator};

use crate::harness::{
    MERCHANT, PATIENCE, System, account,
    api::{new_attempt, new_order},
};

const ACCOUNT: &str = "simulated";
/// What every order costs, in whole units of its currency.
const UNITS: u64 = 146;

/// A provider and a server that hear of one another.
struct Pair {
    system: System,
    simulator: Simulator,
}

impl Pair {
    async fn of(provider: &str) -> Self {
        let (status_api, webhooks) = (free_port(), free_port());
        let url = format!("http://{status_api}");
        let target = format!("http://{webhooks}");
        let simulated = Account::of(provider, ACCOUNT, &target, &url).expect("it is known");
        let settings = simulated.clone();
        let system = System::start_with(move |config| {
            config.http_address = webhooks;
            let mut account = account(ACCOUNT, &settings.provider, MERCHANT, &settings.secret);
            account.options = settings.options.clone();
            account.status_api = settings.can_be_asked().then(|| StatusApiConfig {
                credentials: settings.credentials.clone(),
                url: Some(url.clone()),
                auth_url: Some(url.clone()),
                first: Some(Duration::from_millis(50)),
                factor: Some(1.0),
                most: Some(Duration::from_millis(100)),
                rate: Some(100.0),
                ..Default::default()
            });
            config.accounts.push(account);
        })
        .await;
        let mut builder = Simulator::builder(provider)
            .expect("it is known")
            .webhooks_to(format!("{target}/webhooks/{ACCOUNT}"))
            .secret(&simulated.signing_secret)
            .status_api(status_api);
        for (name, value) in &simulated.options {
            builder = builder.option(name, value);
        }
        for (name, value) in &simulated.credentials {
            builder = builder.credential(name, value);
        }
        let simulator = builder.start().await.expect("the provider starts");
        Self { system, simulator }
    }

    /// Records an order and an attempt; the provider's payment of it.
    async fn place(&self, order: &str) -> String {
        let (currency, exponent) = self.simulator.voice().currency();
        let minor_units = UNITS * 10_u64.pow(u32::from(exponent));
        let amount = v1::Money {
            currency_code: currency.to_owned(),
            minor_units: i64::try_from(minor_units).expect("it is small"),
            exponent: i32::from(exponent),
        };
        let api = self.system.api();
        let request = v1::CreateOrderRequest { amount: Some(amount), ..new_order(order, 1) };
        api.orders().create_order(request).await.expect("the order is recorded");
        let request = new_attempt(order, "a1", ACCOUNT);
        api.orders().create_attempt(request).await.expect("the attempt is recorded");
        let currency = currency.to_owned();
        self.simulator.open(order, Amount { currency, minor_units, exponent })
    }

    /// Waits until an order is paid, by being told. It may be told of as authorised first.
    async fn paid(&self, order: &str) -> paystatus_client::Order {
        let client = self.system.client();
        let mut watch = client.watch(order);
        let paid = async {
            loop {
                let found = client.get_order(order).await.expect("the order is there");
                if found.status == PaymentStatus::Successful {
                    return found;
                }
                watch.next().await.expect("the stream goes on").expect("no error");
            }
        };
        let name = self.simulator.voice().name();
        tokio::time::timeout(PATIENCE, paid).await.unwrap_or_else(|_| panic!("{name}: not paid"))
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it has an address")
}

#[tokio::test]
async fn what_every_provider_tells_by_webhook_is_taken_and_what_is_forged_is_not() {
    for name in names() {
        let pair = Pair::of(name).await;
        let payment = pair.place("o1").await;
        let paid = pair.simulator.act(&payment, &Action::Pay).expect("its ledger allows it");
        if pair.simulator.signs(&paid) == Some(true) {
            let forged = pair.simulator.forge(&paid).await.expect("it has a webhook");
            assert!(forged.is_refused(), "{name}: {forged:?}");
        }
        let sent = pair.simulator.tell(&paid).await.unwrap_or_else(|| panic!("{name} tells"));
        assert!(sent.is_taken(), "{name}: {sent:?}");
        let order = pair.paid("o1").await;
        assert_eq!(order.outcome, Outcome::Approved, "{name}");
        assert_eq!(order.conditions, [], "{name}");
    }
}

/// The first webhook brings the provider's id and says that the payment is under way; the others
/// are lost. Mollie has no such webhook: there the checkout tells the id that it was answered.
/// BlockATM's answers do not tell what was paid, so they approve nothing.
#[tokio::test]
async fn every_provider_that_can_be_asked_decides_without_another_webhook() {
    let can_be_asked = |name: &&str| {
        let account = Account::of(name, ACCOUNT, "http://paystatus.test", "http://provider.test");
        account.is_some_and(|account| account.can_be_asked()) && *name != "blockatm"
    };
    let names: Vec<&str> = names().into_iter().filter(can_be_asked).collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        let pair = Pair::of(name).await;
        let payment = pair.place("o1").await;
        let begun = pair.simulator.act(&payment, &Action::Pend).expect("its ledger allows it");
        match pair.simulator.tell(&begun).await {
            Some(sent) => assert!(sent.is_taken(), "{name}: {sent:?}"),
            None if name == "mollie" => {
                let id = ProviderId::new("payment", format!("tr_{payment}"));
                let reply = ProviderReply::new("o1", "a1").result(ReplyResult::Pending).id(id);
                pair.system.client().record_provider_reply(reply).await.expect("recorded");
            }
            None => {}
        }
        pair.simulator.act(&payment, &Action::Pay).expect("its ledger allows it");
        let order = pair.paid("o1").await;
        assert_eq!(order.outcome, Outcome::Approved, "{name}");
        assert_eq!(order.freshness.last_evidence_source, Some(EvidenceSource::Poll), "{name}");
        assert_eq!(order.conditions, [], "{name}");
    }
}
